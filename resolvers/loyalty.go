package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

// LoyaltyAccount resolves the edges of a LoyaltyAccount.
func (Root) LoyaltyAccount() graph.LoyaltyAccountResolver { return loyaltyAccountResolver{} }

type loyaltyAccountResolver struct{}

var _ graph.LoyaltyAccountResolver = loyaltyAccountResolver{}

func (loyaltyAccountResolver) Customer(ctx context.Context, l *crm.LoyaltyAccount) (*crm.Customer, error) {
	return crm.LoyaltyAccountCustomer.Load(ctx, l)
}

func (loyaltyAccountResolver) Transactions(ctx context.Context, l *crm.LoyaltyAccount, first *int, after *string, last *int, before *string) (*crm.LoyaltyTransactionConnection, error) {
	return page(ctx, crm.LoyaltyAccountTransactions, l, first, after, last, before)
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
