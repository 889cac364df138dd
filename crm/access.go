package crm

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
)

// Permission is one right, spelt crm:<resource>:<action>.
type Permission string

// The permissions.
const (
	PartyView       Permission = "crm:party:view"
	PartySearch     Permission = "crm:party:search"
	PartyCreate     Permission = "crm:party:create"
	PartyEdit       Permission = "crm:party:edit"
	PartyDeactivate Permission = "crm:party:deactivate"
	PartyMerge      Permission = "crm:party:merge"
	PartyAnonymize  Permission = "crm:party:anonymize"
	PartyErase      Permission = "crm:party:erase"

	ContactView   Permission = "crm:contact:view"
	ContactCreate Permission = "crm:contact:create"
	ContactEdit   Permission = "crm:contact:edit"
	ContactDelete Permission = "crm:contact:delete"

	ContactRoleView   Permission = "crm:contact_role:view"
	ContactRoleAssign Permission = "crm:contact_role:assign"

	PreferenceView Permission = "crm:contact_preference:view"
	PreferenceEdit Permission = "crm:contact_preference:edit"

	VehicleView       Permission = "crm:vehicle:view"
	VehicleSearch     Permission = "crm:vehicle:search"
	VehicleCreate     Permission = "crm:vehicle:create"
	VehicleEdit       Permission = "crm:vehicle:edit"
	VehicleDeactivate Permission = "crm:vehicle:deactivate"

	AssociationView Permission = "crm:vehicle_party_association:view"
	AssociationEdit Permission = "crm:vehicle_party_association:edit"

	LoyaltyView       Permission = "crm:loyalty:view"
	LoyaltyEdit       Permission = "crm:loyalty:edit"
	LoyaltyPolicyEdit Permission = "crm:loyalty_policy:edit"

	CreditView  Permission = "crm:credit:view"
	CreditEdit  Permission = "crm:credit:edit"
	CreditLimit Permission = "crm:credit:limit"

	GiftCardView   Permission = "crm:giftcard:view"
	GiftCardEdit   Permission = "crm:giftcard:edit"
	GiftCardLookup Permission = "crm:giftcard:lookup" // by code

	WarrantyView   Permission = "crm:warranty:view"
	WarrantyCreate Permission = "crm:warranty:create"
	WarrantyEdit   Permission = "crm:warranty:edit"

	ReferenceEdit    Permission = "crm:reference:edit"
	SettingsView     Permission = "crm:settings:view"
	SettingsEdit     Permission = "crm:settings:edit"
	EventView        Permission = "crm:event:view"
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

// With returns a set that holds more.
func (s Permissions) With(more ...Permission) Permissions {
	set := NewPermissions(more...)
	maps.Copy(set, s)
	return set
}

// What each role may do: a viewer reads the whole graph of its tenant, an agent works in it,
// an admin also does what cannot be undone, sees the settings and changes the lists.
var (
	viewer = []Permission{
		PartyView, PartySearch, ContactView, ContactRoleView, PreferenceView, VehicleView, VehicleSearch,
		AssociationView, LoyaltyView, CreditView, GiftCardView, WarrantyView,
	}
	agent = append(slices.Clone(viewer),
		PartyCreate, PartyEdit, ContactCreate, ContactEdit, ContactRoleAssign, PreferenceEdit,
		VehicleCreate, VehicleEdit, AssociationEdit, LoyaltyEdit, CreditEdit, GiftCardEdit, GiftCardLookup, WarrantyCreate, WarrantyEdit, EventView, SchemaIntrospect)
	admin = append(slices.Clone(agent),
		PartyDeactivate, PartyMerge, PartyAnonymize, PartyErase, ContactDelete, VehicleDeactivate, LoyaltyPolicyEdit, CreditLimit,
		ReferenceEdit, SettingsView, SettingsEdit)

	// The default roles of the Durion contract (Durion 1.7); its ADMIN is ours.
	csr = []Permission{
		PartyView, PartySearch, VehicleView, VehicleSearch, ContactView, ContactCreate, ContactEdit,
		ContactRoleView, ContactRoleAssign, PreferenceView, AssociationView,
	}
	fleetManager = append(slices.Clone(csr), PartyCreate, PartyEdit, PreferenceEdit, VehicleCreate, VehicleEdit, AssociationEdit)
)

// RolePermissions returns the rights behind a role name that a token may carry
// (viewer, agent, admin, and CSR, FLEET_MANAGER, ADMIN of the Durion contract), and false for a
// name that is none.
func RolePermissions(role string) ([]Permission, bool) {
	switch role {
	case "viewer":
		return slices.Clone(viewer), true
	case "agent":
		return slices.Clone(agent), true
	case "admin", "ADMIN":
		return slices.Clone(admin), true
	case "CSR":
		return slices.Clone(csr), true
	case "FLEET_MANAGER":
		return slices.Clone(fleetManager), true
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
