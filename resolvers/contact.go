package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

// Contact resolves the edges of a Contact.
func (Root) Contact() graph.ContactResolver { return contactResolver{} }

type contactResolver struct{}

var _ graph.ContactResolver = contactResolver{}

func (contactResolver) Organization(ctx context.Context, c *crm.Contact) (*crm.Party, error) {
	return crm.ContactOrganization.Load(ctx, c)
}

func (contactResolver) Person(ctx context.Context, c *crm.Contact) (*crm.Party, error) {
	return crm.ContactPerson.Load(ctx, c)
}

func (contactResolver) Roles(ctx context.Context, c *crm.Contact) ([]*crm.ContactRole, error) {
	return crm.ContactRoleList.All(ctx, c)
}

func (contactResolver) Points(ctx context.Context, c *crm.Contact) ([]*crm.ContactPoint, error) {
	return crm.ContactPointList.All(ctx, c)
}

func (contactResolver) EffectiveInvoiceDelivery(ctx context.Context, c *crm.Contact) (*crm.InvoiceDelivery, error) {
	delivery, err := crm.EffectiveInvoiceDelivery(ctx, c)
	if err != nil {
		return nil, err
	}
	return &delivery, nil
}

func (contactResolver) Events(ctx context.Context, c *crm.Contact, first *int, after *string, last *int, before *string) (*crm.EventConnection, error) {
	return page(ctx, crm.ContactEvents, c, first, after, last, before)
}
