package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

func (m mutationResolver) CustomerMerge(ctx context.Context, sourceID, targetID string, ifRevision *int64, idempotencyKey *string, audit *crm.Audit) (*graph.CustomerPayload, error) {
	customer, err := m.store.MergeCustomers(ctx, sourceID, targetID, how(ifRevision, idempotencyKey, audit))
	return customerPayload(ctx, customer, err)
}

func (m mutationResolver) PartyMerge(ctx context.Context, survivorID string, input crm.MergeInput, ifRevision *int64, idempotencyKey *string, audit *crm.Audit) (*graph.PartyMergePayload, error) {
	result, err := m.store.MergeParties(ctx, survivorID, input, how(ifRevision, idempotencyKey, audit))
	if result == nil {
		result = &crm.MergeResult{}
	}
	party, userErrors, err := changed(ctx, "party", result.Party, err)
	if err != nil {
		return nil, err
	}
	if party == nil {
		result.Merge = nil // refused, or not to be seen
	}
	if result.Merge != nil {
		aheadUnder(ctx, []*crm.Merge{result.Merge}, "merge")
	}
	return &graph.PartyMergePayload{Party: party, Merge: result.Merge, UserErrors: userErrors}, nil
}
