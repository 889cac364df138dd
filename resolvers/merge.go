package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

// Merge resolves the edges of a Merge.
func (Root) Merge() graph.MergeResolver { return mergeResolver{} }

type mergeResolver struct{}

var _ graph.MergeResolver = mergeResolver{}

func (mergeResolver) Survivor(ctx context.Context, m *crm.Merge) (*crm.Party, error) {
	return crm.MergeSurvivor.Load(ctx, m)
}

func (mergeResolver) Losers(ctx context.Context, m *crm.Merge, first *int, after *string, last *int, before *string) (*crm.PartyConnection, error) {
	return page(ctx, crm.MergeLosers, m, first, after, last, before)
}
