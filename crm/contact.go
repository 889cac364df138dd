package crm

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"crmgraph/db"
)

// ContactStatus says whether an engagement or a held role is current.
type ContactStatus string

// The words of a contact's status.
const (
	ContactActive   ContactStatus = "ACTIVE"
	ContactInactive ContactStatus = "INACTIVE"
)

// Contact is one person's engagement at one organisation.
type Contact struct {
	bun.BaseModel `bun:"table:contact"`
	Row

	Key             string           `bun:"key"`
	OrganizationID  uuid.UUID        `bun:"organization_id"`
	PersonID        uuid.UUID        `bun:"person_id"`
	Title           *string          `bun:"title"`
	IsPrimary       bool             `bun:"is_primary"`
	InvoiceDelivery *InvoiceDelivery `bun:"invoice_delivery"` // overrides the account's
	Status          ContactStatus    `bun:"status"`
	CreatedAt       time.Time        `bun:"created_at"`
	UpdatedAt       time.Time        `bun:"updated_at"`
	Revision        int64            `bun:"revision"`
}

// Contacts is the type in the catalogue.
var Contacts = newType[Contact]("Contact", "con", ContactView, nil).filterable(map[string]Path{
	"key":          column("key"),
	"status":       column("status"),
	"organization": {Column: db.Column{SQL: "t.organization_id"}, prefix: "pty"},
	"person":       {Column: db.Column{SQL: "t.person_id"}, prefix: "pty"},
	"role": {need: []Permission{ContactRoleView}, normalise: NormaliseCode, Column: db.Column{SQL: "r.code", Within: "EXISTS (SELECT 1 FROM contact_role c JOIN role r " +
		"ON r.tenant_id = $1 AND r.id = c.role_id WHERE c.tenant_id = $1 AND c.contact_id = t.id AND c.status = 'ACTIVE' AND %s)"}},
})

// The edges of a contact.
var (
	ContactOrganization = one(Contacts, "organization", Parties, "organization_id")
	ContactPerson       = one(Contacts, "person", Parties, "person_id")
	ContactRoleList     = paged(Contacts, "roles", ContactRoles, source{key: "t.contact_id", where: "t.status = 'ACTIVE'"},
		ContactRoles.orderBy("id"), "id", ContactRoleView)
	ContactPointList = paged(Contacts, "points", ContactPoints, source{key: "t.party_id"},
		ContactPoints.orderBy("id"), "person_id")
	// contactAccount is what the effective invoice delivery falls back to; a contact with
	// a delivery of its own does not need it.
	contactAccount = derived(one(Contacts, "effectiveInvoiceDelivery", Accounts, "organization_id").
			when(func(c *Contact) bool { return c.InvoiceDelivery == nil }), effectiveInvoiceDelivery)
)

// IsNode marks the type.
func (*Contact) IsNode() {}

// NodeID is the global id.
func (c *Contact) NodeID() string { return Contacts.nodeID(c.ID) }

// EffectiveInvoiceDelivery is how invoices reach this contact: its own setting, else the
// account's, else EMAIL. Errors: Unauthenticated, Forbidden, Unavailable.
func EffectiveInvoiceDelivery(ctx context.Context, c *Contact) (InvoiceDelivery, error) {
	if c.InvoiceDelivery != nil {
		return *c.InvoiceDelivery, nil
	}
	account, err := contactAccount.Load(ctx, c)
	if err != nil {
		return "", err
	}
	return effectiveInvoiceDelivery(c, account), nil
}

func effectiveInvoiceDelivery(c *Contact, account *Account) InvoiceDelivery {
	switch {
	case c.InvoiceDelivery != nil:
		return *c.InvoiceDelivery
	case account != nil:
		return account.InvoiceDelivery
	default:
		return DeliverByEmail
	}
}

// ContactBy selects one contact; exactly one field is set.
type ContactBy struct {
	ID  *string
	Key *string
}

// ContactWhere filters contacts.
type ContactWhere struct {
	And, Or      []*ContactWhere
	Not          *ContactWhere
	ID           *IDFilter
	Key          *StringFilter
	Status       *EnumFilter[ContactStatus]
	Organization *IDFilter
	Person       *IDFilter
	Role         *StringFilter
}

// ContactOrderField is what contacts can be sorted by.
type ContactOrderField string

var contactOrder = sortable(Contacts, map[ContactOrderField]string{"KEY": "key", "CREATED_AT": "created_at"})

// Contact returns the contact that by selects.
// Errors: Unauthenticated, Forbidden, Invalid, NotFound, Unavailable.
func (*Store) Contact(ctx context.Context, by ContactBy) (*Contact, error) {
	return Contacts.lookup(ctx, by, "t.id")
}

// Contacts returns a page of the tenant's contacts.
// Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) Contacts(ctx context.Context, where *ContactWhere, orderBy []*Order[ContactOrderField], page Page) (*Connection[Contact], error) {
	return list(ctx, Contacts, where, contactOrder, orderBy, page)
}
