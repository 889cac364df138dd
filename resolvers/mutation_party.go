package resolvers

import (
	"context"
	"errors"

	"crmgraph/crm"
	"crmgraph/graph"
)

func (m mutationResolver) PartyCreateOrganization(ctx context.Context, input crm.OrganizationCreate, idempotencyKey *string, audit *crm.Audit) (*graph.OrganizationPayload, error) {
	made, err := m.store.CreateOrganization(ctx, input, how(nil, idempotencyKey, audit))
	var party *crm.Party
	candidates := []*crm.DuplicateCandidate{}
	if made != nil {
		party, candidates = made.Party, append(candidates, made.DuplicateCandidates...)
	} else if refused, ok := errors.AsType[*crm.Error](err); ok {
		candidates = append(candidates, refused.Candidates...)
	}
	if !crm.MayView(ctx, "Party") {
		candidates = []*crm.DuplicateCandidate{}
	}
	parties := make([]*crm.Party, len(candidates))
	for i, candidate := range candidates {
		parties[i] = candidate.Party
	}
	aheadUnder(ctx, parties, "duplicateCandidates", "party")
	party, userErrors, err := changed(ctx, "party", party, err)
	if err != nil {
		return nil, err
	}
	return &graph.OrganizationPayload{Party: party, DuplicateCandidates: candidates, UserErrors: userErrors}, nil
}

func (m mutationResolver) PartyCreateIndividual(ctx context.Context, input crm.IndividualCreate, idempotencyKey *string, audit *crm.Audit) (*graph.PartyPayload, error) {
	party, err := m.store.CreateIndividual(ctx, input, how(nil, idempotencyKey, audit))
	return partyPayload(ctx, party, err)
}

func (m mutationResolver) PartyUpdate(ctx context.Context, id string, input crm.PartyUpdate, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.PartyPayload, error) {
	party, err := m.store.UpdateParty(ctx, id, input, how(&ifRevision, idempotencyKey, audit))
	return partyPayload(ctx, party, err)
}

func (m mutationResolver) PartyStatusChange(ctx context.Context, id string, status crm.PartyStatus, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.PartyPayload, error) {
	party, err := m.store.ChangePartyStatus(ctx, id, status, how(&ifRevision, idempotencyKey, audit))
	return partyPayload(ctx, party, err)
}

func (m mutationResolver) PartyParentClear(ctx context.Context, id string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.PartyPayload, error) {
	party, err := m.store.SetPartyParent(ctx, id, nil, how(&ifRevision, idempotencyKey, audit))
	return partyPayload(ctx, party, err)
}

func (m mutationResolver) PartyParentSet(ctx context.Context, id, parentID string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.PartyPayload, error) {
	party, err := m.store.SetPartyParent(ctx, id, &parentID, how(&ifRevision, idempotencyKey, audit))
	return partyPayload(ctx, party, err)
}

func (m mutationResolver) PartyDeactivate(ctx context.Context, id string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.PartyPayload, error) {
	party, err := m.store.DeactivateParty(ctx, id, how(&ifRevision, idempotencyKey, audit))
	return partyPayload(ctx, party, err)
}

func (m mutationResolver) ExternalIdentifierAdd(ctx context.Context, partyID string, input crm.ExternalIdentifier, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.PartyPayload, error) {
	party, err := m.store.AddExternalIdentifier(ctx, partyID, input, how(&ifRevision, idempotencyKey, audit))
	return partyPayload(ctx, party, err)
}

func (m mutationResolver) ExternalIdentifierRemove(ctx context.Context, id string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.PartyPayload, error) {
	party, err := m.store.RemoveExternalIdentifier(ctx, id, how(&ifRevision, idempotencyKey, audit))
	return partyPayload(ctx, party, err)
}

func (m mutationResolver) AccountUpdate(ctx context.Context, id string, input crm.AccountUpdate, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.AccountPayload, error) {
	account, err := m.store.UpdateAccount(ctx, id, input, how(&ifRevision, idempotencyKey, audit))
	return accountPayload(ctx, account, err)
}

func (m mutationResolver) TenantSettingsUpdate(ctx context.Context, input crm.TenantSettingsUpdate, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.TenantSettingsPayload, error) {
	settings, err := m.store.UpdateSettings(ctx, input, how(&ifRevision, idempotencyKey, audit))
	settings, userErrors, err := changed(ctx, "settings", settings, err)
	if err != nil {
		return nil, err
	}
	return &graph.TenantSettingsPayload{Settings: settings, UserErrors: userErrors}, nil
}

func partyPayload(ctx context.Context, party *crm.Party, err error) (*graph.PartyPayload, error) {
	party, userErrors, err := changed(ctx, "party", party, err)
	if err != nil {
		return nil, err
	}
	return &graph.PartyPayload{Party: party, UserErrors: userErrors}, nil
}
