package resolvers

import (
	"context"
	"time"

	"crmgraph/crm"
	"crmgraph/graph"
)

func (m mutationResolver) LoyaltyPolicySet(ctx context.Context, input crm.LoyaltyPolicySet, ifRevision *int64, idempotencyKey *string, audit *crm.Audit) (*graph.LoyaltyPolicyPayload, error) {
	policy, err := m.store.SetLoyaltyPolicy(ctx, input, how(ifRevision, idempotencyKey, audit))
	policy, userErrors, err := changed(ctx, "policy", policy, err)
	if err != nil {
		return nil, err
	}
	return &graph.LoyaltyPolicyPayload{Policy: policy, UserErrors: userErrors}, nil
}

func (m mutationResolver) LoyaltyEarn(ctx context.Context, input crm.LoyaltyEarning, idempotencyKey *string, audit *crm.Audit) (*graph.LoyaltyPayload, error) {
	movement, err := m.store.EarnPoints(ctx, input, how(nil, idempotencyKey, audit))
	return loyaltyPayload(ctx, movement, err)
}

func (m mutationResolver) LoyaltyRedeem(ctx context.Context, input crm.LoyaltyRedemption, idempotencyKey *string, audit *crm.Audit) (*graph.LoyaltyPayload, error) {
	movement, err := m.store.RedeemPoints(ctx, input, how(nil, idempotencyKey, audit))
	return loyaltyPayload(ctx, movement, err)
}

func (m mutationResolver) LoyaltyAdjust(ctx context.Context, input crm.LoyaltyAdjustment, idempotencyKey *string, audit *crm.Audit) (*graph.LoyaltyPayload, error) {
	movement, err := m.store.AdjustPoints(ctx, input, how(nil, idempotencyKey, audit))
	return loyaltyPayload(ctx, movement, err)
}

func (m mutationResolver) LoyaltyReverse(ctx context.Context, input crm.LoyaltyCorrection, idempotencyKey *string, audit *crm.Audit) (*graph.LoyaltyPayload, error) {
	movement, err := m.store.ReversePoints(ctx, input, how(nil, idempotencyKey, audit))
	return loyaltyPayload(ctx, movement, err)
}

func (m mutationResolver) LoyaltyRestore(ctx context.Context, input crm.LoyaltyCorrection, idempotencyKey *string, audit *crm.Audit) (*graph.LoyaltyPayload, error) {
	movement, err := m.store.RestorePoints(ctx, input, how(nil, idempotencyKey, audit))
	return loyaltyPayload(ctx, movement, err)
}

func loyaltyPayload(ctx context.Context, movement *crm.LoyaltyMovement, err error) (*graph.LoyaltyPayload, error) {
	if movement == nil {
		movement = &crm.LoyaltyMovement{}
	}
	account, userErrors, err := changed(ctx, "account", movement.Account, err)
	if err != nil {
		return nil, err
	}
	return &graph.LoyaltyPayload{Transaction: beside(ctx, "transaction", movement.Transaction), Account: account, UserErrors: userErrors}, nil
}

func (m mutationResolver) LoyaltyExpire(ctx context.Context, customerID string, asOf *time.Time, idempotencyKey *string, audit *crm.Audit) (*graph.LoyaltyExpirePayload, error) {
	expiry, err := m.store.ExpirePoints(ctx, customerID, asOf, how(nil, idempotencyKey, audit))
	payload := &graph.LoyaltyExpirePayload{}
	if expiry == nil {
		payload.UserErrors, err = userErrors(ctx, err)
		return payload, err
	}
	payload.Account, payload.UserErrors, err = changed(ctx, "account", expiry.Account, err)
	payload.Transaction, payload.ExpiredPoints = beside(ctx, "transaction", expiry.Transaction), &expiry.ExpiredPoints
	return payload, err
}

func (m mutationResolver) LoyaltyRecalculate(ctx context.Context, customerID string, idempotencyKey *string, audit *crm.Audit) (*graph.LoyaltyRecalculatePayload, error) {
	found, err := m.store.RecalculatePoints(ctx, customerID, how(nil, idempotencyKey, audit))
	payload := &graph.LoyaltyRecalculatePayload{}
	if found == nil {
		payload.UserErrors, err = userErrors(ctx, err)
		return payload, err
	}
	payload.Account, payload.UserErrors, err = changed(ctx, "account", found.Account, err)
	payload.Drift = &found.Drift
	return payload, err
}
