package crm

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"crmgraph/db"
)

// RoleStatus says whether a role can be given to contacts.
type RoleStatus string

// The words of a role's status.
const (
	RoleActive   RoleStatus = "ACTIVE"
	RoleInactive RoleStatus = "INACTIVE"
)

// Role is what a contact can be for an organisation, from the tenant's list.
type Role struct {
	bun.BaseModel `bun:"table:role"`
	Row

	Code      string     `bun:"code"`
	Label     string     `bun:"label"`
	Position  int        `bun:"position"` // in lists for people, ascending
	Status    RoleStatus `bun:"status"`
	CreatedAt time.Time  `bun:"created_at"`
	UpdatedAt time.Time  `bun:"updated_at"`
	Revision  int64      `bun:"revision"`
}

// Roles is the type in the catalogue.
var Roles = newType[Role]("Role", "rol", ContactRoleView, nil).filterable(map[string]Path{
	"code":   folded("code", NormaliseCode),
	"status": column("status"),
})

// RoleHolders leads from a role to the contacts that hold it.
var RoleHolders = paged(Roles, "holders", ContactRoles, source{key: "t.role_id", where: "t.status = 'ACTIVE'"},
	ContactRoles.orderBy("id"), "id")

// IsNode marks the type.
func (*Role) IsNode() {}

// NodeID is the global id.
func (r *Role) NodeID() string { return Roles.nodeID(r.ID) }

// RoleBy selects one role; exactly one field is set.
type RoleBy struct {
	ID   *string
	Code *string
}

// RoleWhere filters roles.
type RoleWhere struct {
	And, Or []*RoleWhere
	Not     *RoleWhere
	ID      *IDFilter
	Code    *StringFilter
	Status  *EnumFilter[RoleStatus]
}

// RoleOrderField is what roles can be sorted by.
type RoleOrderField string

var roleOrder = sortable(Roles, map[RoleOrderField]string{"POSITION": "position", "CODE": "code"})

// Role returns the role that by selects.
// Errors: Unauthenticated, Forbidden, Invalid, NotFound, Unavailable.
func (*Store) Role(ctx context.Context, by RoleBy) (*Role, error) {
	return Roles.lookup(ctx, by, "t.id")
}

// Roles returns a page of the tenant's roles.
// Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) Roles(ctx context.Context, where *RoleWhere, orderBy []*Order[RoleOrderField], page Page) (*Connection[Role], error) {
	return list(ctx, Roles, where, roleOrder, orderBy, page)
}

// ContactRole is a role that a contact holds.
type ContactRole struct {
	bun.BaseModel `bun:"table:contact_role"`
	Row

	ContactID      uuid.UUID     `bun:"contact_id"`
	OrganizationID uuid.UUID     `bun:"organization_id"` // the contact's
	RoleID         uuid.UUID     `bun:"role_id"`
	IsPrimary      bool          `bun:"is_primary"` // at most one per organisation and role
	Status         ContactStatus `bun:"status"`
	CreatedAt      time.Time     `bun:"created_at"`
	UpdatedAt      time.Time     `bun:"updated_at"`
	Revision       int64         `bun:"revision"`
}

// ContactRoles is the type in the catalogue.
var ContactRoles = newType[ContactRole]("ContactRole", "cor", ContactRoleView, nil).filterable(map[string]Path{
	"status":       column("status"),
	"contact":      {Column: db.Column{SQL: "t.contact_id"}, prefix: "con"},
	"organization": {Column: db.Column{SQL: "t.organization_id"}, prefix: "pty"},
	"role":         {Column: db.Column{SQL: "t.role_id"}, prefix: "rol"},
})

// The edges of a held role.
var (
	ContactRoleOrganization = one(ContactRoles, "organization", Parties, "organization_id")
	ContactRoleContact      = one(ContactRoles, "contact", Contacts, "contact_id")
	ContactRoleRole         = one(ContactRoles, "role", Roles, "role_id")
)

// IsNode marks the type.
func (*ContactRole) IsNode() {}

// NodeID is the global id.
func (c *ContactRole) NodeID() string { return ContactRoles.nodeID(c.ID) }

// ContactRoleBy selects one held role; exactly one field is set.
type ContactRoleBy struct {
	ID *string
}

// ContactRoleWhere filters held roles.
type ContactRoleWhere struct {
	And, Or      []*ContactRoleWhere
	Not          *ContactRoleWhere
	ID           *IDFilter
	Status       *EnumFilter[ContactStatus]
	Contact      *IDFilter
	Organization *IDFilter
	Role         *IDFilter
}

// ContactRoleOrderField is what held roles can be sorted by.
type ContactRoleOrderField string

var contactRoleOrder = sortable(ContactRoles, map[ContactRoleOrderField]string{"CREATED_AT": "created_at"})

// ContactRole returns the held role that by selects.
// Errors: Unauthenticated, Forbidden, Invalid, NotFound, Unavailable.
func (*Store) ContactRole(ctx context.Context, by ContactRoleBy) (*ContactRole, error) {
	return ContactRoles.lookup(ctx, by, "t.id")
}

// ContactRoles returns a page of the tenant's held roles.
// Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) ContactRoles(ctx context.Context, where *ContactRoleWhere, orderBy []*Order[ContactRoleOrderField], page Page) (*Connection[ContactRole], error) {
	return list(ctx, ContactRoles, where, contactRoleOrder, orderBy, page)
}
