package crm

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// Permission is one right, spelt crm:<resource>:<action>.
type Permission string

// The permissions that the graph's reads ask for.
const (
	PartyView        Permission = "crm:party:view"
	PartySearch      Permission = "crm:party:search"
	ContactView      Permission = "crm:contact:view"
	ContactRoleView  Permission = "crm:contact_role:view"
	VehicleView      Permission = "crm:vehicle:view"
	VehicleSearch    Permission = "crm:vehicle:search"
	AssociationView  Permission = "crm:vehicle_party_association:view"
	LoyaltyView      Permission = "crm:loyalty:view"
	WarrantyView     Permission = "crm:warranty:view"
	SchemaIntrospect Permission = "crm:schema:introspect"
)

// Permissions is a set of rights.
type Permissions map[Permission]struct{}

// NewPermissions makes a set.
func NewPermissions(ps ...Permission) Permissions {
	set := make(Permissions, len(ps))
	for _, p := range ps {
		set[p] = struct{}{}
	}
	return set
}

// Has reports whether the set holds p.
func (s Permissions) Has(p Permission) bool {
	_, ok := s[p]
	return ok
}

// viewer is what every role may do: read the whole graph of its tenant.
var viewer = []Permission{
	PartyView, PartySearch, ContactView, ContactRoleView, VehicleView, VehicleSearch,
	AssociationView, LoyaltyView, WarrantyView,
}

// RolePermissions returns the rights behind a role name that a token may carry
// (viewer, agent, admin), and false for a name that is none.
func RolePermissions(role string) ([]Permission, bool) {
	switch role {
	case "viewer":
		return viewer, true
	case "agent", "admin":
		return append(slices.Clone(viewer), SchemaIntrospect), true
	default:
		return nil, false
	}
}

// Principal is who is asking: one subject acting inside one tenant.
type Principal struct {
	TenantID    uuid.UUID
	Tenant      string // the tenant's code
	Subject     string
	Permissions Permissions
}

type principalKey struct{}

// WithPrincipal returns a context that acts as p.
func WithPrincipal(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalFrom returns who acts in ctx, and false when nobody does.
func PrincipalFrom(ctx context.Context) (*Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(*Principal)
	return p, ok
}

// authorize returns the principal of ctx when it holds every permission asked for.
// Errors: Unauthenticated without a principal, Forbidden without a permission.
func authorize(ctx context.Context, need ...Permission) (*Principal, error) {
	p, ok := PrincipalFrom(ctx)
	if !ok {
		return nil, &Error{Code: Unauthenticated, Message: "a valid access token is required"}
	}
	for _, n := range need {
		if !p.Permissions.Has(n) {
			return nil, &Error{Code: Forbidden, Message: fmt.Sprintf("permission %s is required", n)}
		}
	}
	return p, nil
}
