package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

// Party resolves the edges of a Party.
func (Root) Party() graph.PartyResolver { return partyResolver{} }

type partyResolver struct{}

var _ graph.PartyResolver = partyResolver{}

func (partyResolver) Parent(ctx context.Context, p *crm.Party) (*crm.Party, error) {
	return crm.PartyParent.Load(ctx, p)
}

func (partyResolver) MergedInto(ctx context.Context, p *crm.Party) (*crm.Party, error) {
	return crm.PartyMergedInto.Load(ctx, p)
}

func (partyResolver) Customer(ctx context.Context, p *crm.Party) (*crm.Customer, error) {
	return crm.PartyCustomer.Load(ctx, p)
}

func (partyResolver) Account(ctx context.Context, p *crm.Party) (*crm.Account, error) {
	return crm.PartyAccount.Load(ctx, p)
}

func (partyResolver) Children(ctx context.Context, p *crm.Party, first *int, after *string, last *int, before *string) (*crm.PartyConnection, error) {
	return page(ctx, crm.PartyChildren, p, first, after, last, before)
}

func (partyResolver) Contacts(ctx context.Context, p *crm.Party, first *int, after *string, last *int, before *string) (*crm.ContactConnection, error) {
	return page(ctx, crm.PartyContacts, p, first, after, last, before)
}

func (partyResolver) Engagements(ctx context.Context, p *crm.Party, first *int, after *string, last *int, before *string) (*crm.ContactConnection, error) {
	return page(ctx, crm.PartyEngagements, p, first, after, last, before)
}

func (partyResolver) Vehicles(ctx context.Context, p *crm.Party, first *int, after *string, last *int, before *string) (*crm.VehicleConnection, error) {
	return page(ctx, crm.PartyVehicles, p, first, after, last, before)
}

func (partyResolver) DrivenVehicles(ctx context.Context, p *crm.Party, first *int, after *string, last *int, before *string) (*crm.VehicleConnection, error) {
	return page(ctx, crm.PartyDriven, p, first, after, last, before)
}

func (partyResolver) ContactPoints(ctx context.Context, p *crm.Party) ([]*crm.ContactPoint, error) {
	return crm.PartyContactPoints.All(ctx, p)
}

func (partyResolver) Identifiers(ctx context.Context, p *crm.Party) ([]*crm.Identifier, error) {
	return crm.PartyIdentifiers.All(ctx, p)
}

func (partyResolver) Events(ctx context.Context, p *crm.Party, first *int, after *string, last *int, before *string) (*crm.EventConnection, error) {
	return page(ctx, crm.PartyEvents, p, first, after, last, before)
}

func (partyResolver) Locations(ctx context.Context, p *crm.Party) ([]*crm.Location, error) {
	return crm.PartyLocations.All(ctx, p)
}

func (partyResolver) Merges(ctx context.Context, p *crm.Party, first *int, after *string, last *int, before *string) (*crm.MergeConnection, error) {
	return page(ctx, crm.PartyMerges, p, first, after, last, before)
}

func (partyResolver) MergedBy(ctx context.Context, p *crm.Party) (*crm.Merge, error) {
	return crm.PartyMergedBy.Load(ctx, p)
}

func (partyResolver) HasActiveContact(ctx context.Context, p *crm.Party) (*bool, error) {
	return crm.HasActiveContact(ctx, p)
}
