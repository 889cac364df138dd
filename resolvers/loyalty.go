package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

// LoyaltyAccount resolves the edges of a LoyaltyAccount.
func (r Root) LoyaltyAccount() graph.LoyaltyAccountResolver { return loyaltyAccountResolver{r.Store} }

type loyaltyAccountResolver struct{ store *crm.Store }

var _ graph.LoyaltyAccountResolver = loyaltyAccountResolver{}

func (loyaltyAccountResolver) Customer(ctx context.Context, l *crm.LoyaltyAccount) (*crm.Customer, error) {
	return crm.LoyaltyAccountCustomer.Load(ctx, l)
}

func (r loyaltyAccountResolver) Policy(ctx context.Context, _ *crm.LoyaltyAccount, channel *string) (*crm.LoyaltyPolicy, error) {
	return r.store.LoyaltyPolicyAt(ctx, channel, nil)
}

func (loyaltyAccountResolver) Lots(ctx context.Context, l *crm.LoyaltyAccount, where *crm.LoyaltyLotWhere, first *int, after *string, last *int, before *string) (*crm.LoyaltyLotConnection, error) {
	return pageWhere(ctx, crm.LoyaltyAccountLots, l, where, first, after, last, before)
}

func (loyaltyAccountResolver) Transactions(ctx context.Context, l *crm.LoyaltyAccount, where *crm.LoyaltyTransactionWhere, first *int, after *string, last *int, before *string) (*crm.LoyaltyTransactionConnection, error) {
	return pageWhere(ctx, crm.LoyaltyAccountTransactions, l, where, first, after, last, before)
}

func (loyaltyAccountResolver) Events(ctx context.Context, l *crm.LoyaltyAccount, first *int, after *string, last *int, before *string) (*crm.EventConnection, error) {
	return page(ctx, crm.LoyaltyAccountEvents, l, first, after, last, before)
}

// LoyaltyLot resolves the edges of a LoyaltyLot.
func (Root) LoyaltyLot() graph.LoyaltyLotResolver { return loyaltyLotResolver{} }

type loyaltyLotResolver struct{}

var _ graph.LoyaltyLotResolver = loyaltyLotResolver{}

func (loyaltyLotResolver) Transaction(ctx context.Context, l *crm.LoyaltyLot) (*crm.LoyaltyTransaction, error) {
	return crm.LoyaltyLotTransaction.Load(ctx, l)
}

// LoyaltyTransaction resolves the edges of a LoyaltyTransaction.
func (Root) LoyaltyTransaction() graph.LoyaltyTransactionResolver {
	return loyaltyTransactionResolver{}
}

type loyaltyTransactionResolver struct{}

var _ graph.LoyaltyTransactionResolver = loyaltyTransactionResolver{}

func (loyaltyTransactionResolver) Account(ctx context.Context, l *crm.LoyaltyTransaction) (*crm.LoyaltyAccount, error) {
	return crm.LoyaltyTransactionAccount.Load(ctx, l)
}

func (loyaltyTransactionResolver) Related(ctx context.Context, l *crm.LoyaltyTransaction) ([]*crm.LoyaltyTransaction, error) {
	return crm.LoyaltyTransactionRelated.All(ctx, l)
}
