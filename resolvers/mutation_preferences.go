package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

func (m mutationResolver) CommunicationPreferencesSet(ctx context.Context, partyID string, input crm.PreferencesSet, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.CommunicationPreferencesPayload, error) {
	preferences, err := m.store.SetPreferences(ctx, partyID, input, how(&ifRevision, idempotencyKey, audit))
	preferences, userErrors, err := changed(ctx, "preferences", preferences, err)
	if err != nil {
		return nil, err
	}
	return &graph.CommunicationPreferencesPayload{Preferences: preferences, UserErrors: userErrors}, nil
}
