package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

// GiftCard resolves the edges of a GiftCard.
func (Root) GiftCard() graph.GiftCardResolver { return giftCardResolver{} }

type giftCardResolver struct{}

var _ graph.GiftCardResolver = giftCardResolver{}

func (giftCardResolver) Customer(ctx context.Context, g *crm.GiftCard) (*crm.Customer, error) {
	return crm.GiftCardCustomer.Load(ctx, g)
}

func (giftCardResolver) Transactions(ctx context.Context, g *crm.GiftCard, where *crm.GiftCardTransactionWhere, first *int, after *string, last *int, before *string) (*crm.GiftCardTransactionConnection, error) {
	return pageWhere(ctx, crm.GiftCardLedger, g, where, first, after, last, before)
}

func (giftCardResolver) Events(ctx context.Context, g *crm.GiftCard, first *int, after *string, last *int, before *string) (*crm.EventConnection, error) {
	return page(ctx, crm.GiftCardEvents, g, first, after, last, before)
}

// GiftCardTransaction resolves the edges of a GiftCardTransaction.
func (Root) GiftCardTransaction() graph.GiftCardTransactionResolver {
	return giftCardTransactionResolver{}
}

type giftCardTransactionResolver struct{}

var _ graph.GiftCardTransactionResolver = giftCardTransactionResolver{}

func (giftCardTransactionResolver) GiftCard(ctx context.Context, x *crm.GiftCardTransaction) (*crm.GiftCard, error) {
	return crm.GiftCardTransactionCard.Load(ctx, x)
}

func (customerResolver) GiftCards(ctx context.Context, c *crm.Customer, first *int, after *string, last *int, before *string) (*crm.GiftCardConnection, error) {
	return page(ctx, crm.CustomerGiftCards, c, first, after, last, before)
}

func (q queryResolver) GiftCard(ctx context.Context, by crm.GiftCardBy) (*crm.GiftCard, error) {
	return one(ctx, q.store.GiftCard, by)
}

func (q queryResolver) GiftCards(ctx context.Context, where *crm.GiftCardWhere, orderBy []*crm.GiftCardOrder, first *int, after *string, last *int, before *string, offset *int) (*crm.GiftCardConnection, error) {
	return list(ctx, q.store.GiftCards, where, orderBy, first, after, last, before, offset)
}
