package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

// Account resolves the edges of a Account.
func (Root) Account() graph.AccountResolver { return accountResolver{} }

type accountResolver struct{}

var _ graph.AccountResolver = accountResolver{}

func (accountResolver) Party(ctx context.Context, a *crm.Account) (*crm.Party, error) {
	return crm.AccountParty.Load(ctx, a)
}

func (accountResolver) BillingTerms(ctx context.Context, a *crm.Account) (*crm.BillingTerms, error) {
	return crm.AccountBillingTerms.Load(ctx, a)
}

func (accountResolver) Events(ctx context.Context, a *crm.Account, first *int, after *string, last *int, before *string) (*crm.EventConnection, error) {
	return page(ctx, crm.AccountEvents, a, first, after, last, before)
}
