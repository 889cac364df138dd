package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

func (m mutationResolver) ContactCreate(ctx context.Context, organizationID string, input crm.NewContact, idempotencyKey *string, audit *crm.Audit) (*graph.ContactPayload, error) {
	contact, err := m.store.CreateContact(ctx, organizationID, input, how(nil, idempotencyKey, audit))
	return contactPayload(ctx, contact, err)
}

func (m mutationResolver) ContactUpdate(ctx context.Context, id string, input crm.ContactUpdate, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.ContactPayload, error) {
	contact, err := m.store.UpdateContact(ctx, id, input, how(&ifRevision, idempotencyKey, audit))
	return contactPayload(ctx, contact, err)
}

func (m mutationResolver) ContactDeactivate(ctx context.Context, id string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.ContactPayload, error) {
	contact, err := m.store.DeactivateContact(ctx, id, how(&ifRevision, idempotencyKey, audit))
	return contactPayload(ctx, contact, err)
}

func (m mutationResolver) ContactReactivate(ctx context.Context, id string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.ContactPayload, error) {
	contact, err := m.store.ReactivateContact(ctx, id, how(&ifRevision, idempotencyKey, audit))
	return contactPayload(ctx, contact, err)
}

func (m mutationResolver) ContactRolesSet(ctx context.Context, contactID string, input crm.RoleSet, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.ContactPayload, error) {
	contact, err := m.store.SetContactRoles(ctx, contactID, input, how(&ifRevision, idempotencyKey, audit))
	return contactPayload(ctx, contact, err)
}

func (m mutationResolver) ContactRoleUpdate(ctx context.Context, id string, input crm.ContactRoleUpdate, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.ContactRolePayload, error) {
	held, err := m.store.UpdateContactRole(ctx, id, input, how(&ifRevision, idempotencyKey, audit))
	return contactRolePayload(ctx, held, err)
}

func (m mutationResolver) ContactRoleStatusChange(ctx context.Context, id string, status crm.ContactStatus, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.ContactRolePayload, error) {
	held, err := m.store.ChangeContactRoleStatus(ctx, id, status, how(&ifRevision, idempotencyKey, audit))
	return contactRolePayload(ctx, held, err)
}

func (m mutationResolver) ContactPointAdd(ctx context.Context, partyID string, input crm.NewContactPoint, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.ContactPointPayload, error) {
	change, err := m.store.AddContactPoint(ctx, partyID, input, how(&ifRevision, idempotencyKey, audit))
	return contactPointPayload(ctx, change, err)
}

func (m mutationResolver) ContactPointUpdate(ctx context.Context, id string, input crm.ContactPointUpdate, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.ContactPointPayload, error) {
	change, err := m.store.UpdateContactPoint(ctx, id, input, how(&ifRevision, idempotencyKey, audit))
	return contactPointPayload(ctx, change, err)
}

func (m mutationResolver) ContactPointRemove(ctx context.Context, id string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.ContactPointPayload, error) {
	change, err := m.store.RemoveContactPoint(ctx, id, how(&ifRevision, idempotencyKey, audit))
	return contactPointPayload(ctx, change, err)
}

func contactPayload(ctx context.Context, contact *crm.Contact, err error) (*graph.ContactPayload, error) {
	contact, userErrors, err := changed(ctx, "contact", contact, err)
	if err != nil {
		return nil, err
	}
	return &graph.ContactPayload{Contact: contact, UserErrors: userErrors}, nil
}

func contactRolePayload(ctx context.Context, held *crm.ContactRole, err error) (*graph.ContactRolePayload, error) {
	held, userErrors, err := changed(ctx, "contactRole", held, err)
	if err != nil {
		return nil, err
	}
	return &graph.ContactRolePayload{ContactRole: held, UserErrors: userErrors}, nil
}

func contactPointPayload(ctx context.Context, change *crm.ContactPointChange, err error) (*graph.ContactPointPayload, error) {
	var point *crm.ContactPoint
	var party *crm.Party
	if change != nil {
		point, party = change.Point, change.Party
	}
	party, userErrors, err := changed(ctx, "party", party, err)
	if err != nil {
		return nil, err
	}
	if point != nil {
		aheadUnder(ctx, []*crm.ContactPoint{point}, "contactPoint")
	}
	return &graph.ContactPointPayload{ContactPoint: point, Party: party, UserErrors: userErrors}, nil
}
