package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

func (m mutationResolver) GiftCardIssue(ctx context.Context, input crm.GiftCardIssue, idempotencyKey *string, audit *crm.Audit) (*graph.GiftCardIssuePayload, error) {
	issued, err := m.store.IssueGiftCard(ctx, input, how(nil, idempotencyKey, audit))
	payload := &graph.GiftCardIssuePayload{}
	if issued != nil {
		payload.GiftCard, payload.Code = issued.Card, &issued.Code
	}
	payload.GiftCard, payload.UserErrors, err = changed(ctx, "giftCard", payload.GiftCard, err)
	if err != nil {
		return nil, err
	}
	return payload, nil
}

func (m mutationResolver) GiftCardRedeem(ctx context.Context, input crm.GiftCardRedemption, idempotencyKey *string, audit *crm.Audit) (*graph.GiftCardMovementPayload, error) {
	movement, err := m.store.RedeemGiftCard(ctx, input, how(nil, idempotencyKey, audit))
	return giftCardPayload(ctx, movement, err)
}

func (m mutationResolver) GiftCardVoid(ctx context.Context, id string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.GiftCardMovementPayload, error) {
	movement, err := m.store.VoidGiftCard(ctx, id, how(&ifRevision, idempotencyKey, audit))
	return giftCardPayload(ctx, movement, err)
}

func giftCardPayload(ctx context.Context, movement *crm.GiftCardMovement, err error) (*graph.GiftCardMovementPayload, error) {
	if movement == nil {
		movement = &crm.GiftCardMovement{}
	}
	card, userErrors, err := changed(ctx, "giftCard", movement.Card, err)
	if err != nil {
		return nil, err
	}
	if card == nil {
		movement.Transaction = nil // refused, or not to be seen
	}
	if movement.Transaction != nil {
		aheadUnder(ctx, []*crm.GiftCardTransaction{movement.Transaction}, "transaction")
	}
	return &graph.GiftCardMovementPayload{GiftCard: card, Transaction: movement.Transaction, UserErrors: userErrors}, nil
}
