package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

func (m mutationResolver) TierResolve(ctx context.Context, partyID string, input crm.TierResolve, idempotencyKey *string, audit *crm.Audit) (*graph.TierResolvePayload, error) {
	r, err := m.store.ResolveTier(ctx, partyID, input, how(nil, idempotencyKey, audit))
	payload := &graph.TierResolvePayload{}
	if r != nil {
		payload = &graph.TierResolvePayload{
			CurrentTier: &r.CurrentTier, RecommendedTier: &r.RecommendedTier, TierApplied: &r.TierApplied,
			ManualOverrideActive: &r.ManualOverrideActive, ResolutionReason: &r.ResolutionReason, TierScore: &r.TierScore, Party: r.Party,
		}
	}
	payload.Party, payload.UserErrors, err = changed(ctx, "party", payload.Party, err)
	if err != nil {
		return nil, err
	}
	return payload, nil
}

func (m mutationResolver) TierSet(ctx context.Context, partyID string, input crm.TierSet, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.PartyPayload, error) {
	party, err := m.store.SetTier(ctx, partyID, input, how(&ifRevision, idempotencyKey, audit))
	return partyPayload(ctx, party, err)
}

func (m mutationResolver) TierManualClear(ctx context.Context, partyID string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.PartyPayload, error) {
	party, err := m.store.ClearManualTier(ctx, partyID, how(&ifRevision, idempotencyKey, audit))
	return partyPayload(ctx, party, err)
}
