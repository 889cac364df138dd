package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

// Account resolves the edges of an Account.
func (Root) Account() graph.AccountResolver { return accountResolver{} }

type accountResolver struct{}

var _ graph.AccountResolver = accountResolver{}

func (accountResolver) Party(ctx context.Context, a *crm.Account) (*crm.Party, error) {
	return crm.AccountParty.Load(ctx, a)
}

func (accountResolver) BillingTerms(ctx context.Context, a *crm.Account) (*crm.BillingTerms, error) {
	return crm.AccountBillingTerms.Load(ctx, a)
}

func (accountResolver) CreditTransactions(ctx context.Context, a *crm.Account, where *crm.CreditTransactionWhere, first *int, after *string, last *int, before *string) (*crm.CreditTransactionConnection, error) {
	return pageWhere(ctx, crm.AccountCreditTransactions, a, where, first, after, last, before)
}

func (accountResolver) Events(ctx context.Context, a *crm.Account, first *int, after *string, last *int, before *string) (*crm.EventConnection, error) {
	return page(ctx, crm.AccountEvents, a, first, after, last, before)
}

// CreditTransaction resolves the edges of a CreditTransaction.
func (Root) CreditTransaction() graph.CreditTransactionResolver {
	return creditTransactionResolver{}
}

type creditTransactionResolver struct{}

var _ graph.CreditTransactionResolver = creditTransactionResolver{}

func (creditTransactionResolver) Account(ctx context.Context, t *crm.CreditTransaction) (*crm.Account, error) {
	return crm.CreditTransactionAccount.Load(ctx, t)
}
