package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

// Role resolves the edges of a Role.
func (Root) Role() graph.RoleResolver { return roleResolver{} }

type roleResolver struct{}

var _ graph.RoleResolver = roleResolver{}

func (roleResolver) Holders(ctx context.Context, r *crm.Role, first *int, after *string, last *int, before *string) (*crm.ContactRoleConnection, error) {
	return page(ctx, crm.RoleHolders, r, first, after, last, before)
}

// ContactRole resolves the edges of a ContactRole.
func (Root) ContactRole() graph.ContactRoleResolver { return contactRoleResolver{} }

type contactRoleResolver struct{}

var _ graph.ContactRoleResolver = contactRoleResolver{}

func (contactRoleResolver) Organization(ctx context.Context, c *crm.ContactRole) (*crm.Party, error) {
	return crm.ContactRoleOrganization.Load(ctx, c)
}

func (contactRoleResolver) Contact(ctx context.Context, c *crm.ContactRole) (*crm.Contact, error) {
	return crm.ContactRoleContact.Load(ctx, c)
}

func (contactRoleResolver) Role(ctx context.Context, c *crm.ContactRole) (*crm.Role, error) {
	return crm.ContactRoleRole.Load(ctx, c)
}
