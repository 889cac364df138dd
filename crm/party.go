package crm

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/govalues/decimal"
	"github.com/uptrace/bun"

	"crmgraph/db"
)

// PartyKind says whether a party is a person or an organisation.
type PartyKind string

// PartyStatus is where a party is in its life; MERGED and ANONYMIZED are final.
type PartyStatus string

// The words of a party's kind and status.
const (
	Individual   PartyKind = "INDIVIDUAL"
	Organization PartyKind = "ORGANIZATION"

	PartyActive     PartyStatus = "ACTIVE"
	PartyPending    PartyStatus = "PENDING"
	PartySuspended  PartyStatus = "SUSPENDED"
	PartyInactive   PartyStatus = "INACTIVE"
	PartyMerged     PartyStatus = "MERGED"
	PartyAnonymized PartyStatus = "ANONYMIZED"
)

// Party is a person or an organisation, whatever it does for the business.
type Party struct {
	bun.BaseModel `bun:"table:party"`
	Row

	Number          int64       `bun:"number"`
	Key             string      `bun:"key"`
	Kind            PartyKind   `bun:"kind"`
	Status          PartyStatus `bun:"status"`
	DisplayName     string      `bun:"display_name"`
	SearchName      string      `bun:"search_name"` // DisplayName as names are compared and sorted
	CoreName        *string     `bun:"core_name"`   // of an organisation, for finding duplicates
	FirstName       *string     `bun:"first_name"`
	LastName        *string     `bun:"last_name"`
	LegalName       *string     `bun:"legal_name"`
	TradingName     *string     `bun:"trading_name"`
	SearchTrading   *string     `bun:"search_trading_name"` // TradingName as names are compared
	TaxID           *string     `bun:"tax_id"`              // as given
	TaxIDNormalised *string     `bun:"tax_id_normalised"`
	BirthDate       *time.Time  `bun:"birth_date,type:date"`
	Language        *string     `bun:"language"`     // BCP 47
	CountryCode     *string     `bun:"country_code"` // of registration, ISO 3166-1 alpha-2
	Restrictions    []string    `bun:"restrictions,array"`
	ParentID        *uuid.UUID  `bun:"parent_id"`
	MergedIntoID    *uuid.UUID  `bun:"merged_into_id"` // the final survivor
	DeactivatedAt   *time.Time  `bun:"deactivated_at"`
	AnonymizedAt    *time.Time  `bun:"anonymized_at"`
	CreatedAt       time.Time   `bun:"created_at"`
	UpdatedAt       time.Time   `bun:"updated_at"`
	Revision        int64       `bun:"revision"` // shared with the customer and the account

	TierLevel        *AccountTier     `bun:"tier"`
	TierAssignedAt   *time.Time       `bun:"tier_assigned_at"`
	TierAssignedBy   *string          `bun:"tier_assigned_by"`
	TierIsManual     bool             `bun:"tier_is_manual"`
	TierNote         *string          `bun:"tier_note"`
	AnnualRevenue    *decimal.Decimal `bun:"annual_revenue"` // in the tenant's own money
	ActiveContracts  *int             `bun:"active_contracts"`
	AccountAgeMonths *int             `bun:"account_age_months"`
}

// Parties is the type in the catalogue.
var Parties = newType[Party]("Party", "pty", PartyView, nil).filterable(map[string]Path{
	"number":    column("number"),
	"key":       column("key"),
	"kind":      column("kind"),
	"status":    column("status"),
	"name":      folded("search_name", NormaliseName),
	"createdAt": column("created_at"),
	"parent":    {Column: db.Column{SQL: "t.parent_id"}, prefix: "pty"},
}).method("tier", func(p *Party) any { return p.Tier() },
	"tier", "tier_assigned_at", "tier_assigned_by", "tier_is_manual", "tier_note", "annual_revenue", "created_at")

// The edges of a party.
var (
	PartyParent      = one(Parties, "parent", Parties, "parent_id")
	PartyMergedInto  = one(Parties, "mergedInto", Parties, "merged_into_id")
	PartyChildren    = paged(Parties, "children", Parties, source{key: "t.parent_id"}, Parties.orderBy("id"), "id")
	PartyCustomer    = one(Parties, "customer", Customers, "id")
	PartyAccount     = one(Parties, "account", Accounts, "id")
	PartyContacts    = paged(Parties, "contacts", Contacts, source{key: "t.organization_id"}, Contacts.orderBy("id"), "id")
	PartyEngagements = paged(Parties, "engagements", Contacts, source{key: "t.person_id"}, Contacts.orderBy("id"), "id")
	PartyVehicles    = paged(Parties, "vehicles", Vehicles, ownedVehicles(), Vehicles.orderBy("id"), "id", AssociationView)
	PartyDriven      = paged(Parties, "drivenVehicles", Vehicles, heldVehicles("PRIMARY_DRIVER"), Vehicles.orderBy("id"), "id", AssociationView)
	PartyIdentifiers = paged(Parties, "identifiers", Identifiers, source{key: "t.party_id"}, Identifiers.orderBy("kind"), "id")
	// partyActiveContact leads to the oldest of an organisation's active contacts.
	partyActiveContact = derived(oneThrough(Parties, "hasActiveContact", Contacts, source{key: "t.organization_id", where: "t.status = 'ACTIVE' " +
		"AND NOT EXISTS (SELECT 1 FROM contact o WHERE o.tenant_id = $1 AND o.organization_id = t.organization_id AND o.status = 'ACTIVE' AND o.id < t.id)"},
		"id").when(func(p *Party) bool { return p.Kind == Organization }), hasActiveContact)
	PartyContactPoints = paged(Parties, "contactPoints", ContactPoints, source{key: "t.party_id"}, ContactPoints.orderBy("id"), "id")
)

// HasActiveContact reports whether an organisation can be reached through anyone; it is nil
// for a person (Durion 3.1). Errors: Unauthenticated, Forbidden, Unavailable.
func HasActiveContact(ctx context.Context, p *Party) (*bool, error) {
	contact, err := partyActiveContact.Load(ctx, p)
	if err != nil {
		return nil, err
	}
	return hasActiveContact(p, contact), nil
}

func hasActiveContact(p *Party, contact *Contact) *bool {
	if p.Kind != Organization {
		return nil
	}
	has := contact != nil
	return &has
}

// ownedVehicles leads from a party's id to the vehicles it owns now.
func ownedVehicles() source { return heldVehicles("OWNER") }

// heldVehicles leads from a party's id to the vehicles it is now associated with.
func heldVehicles(kind AssociationKind) source {
	return source{
		link: "vehicle_association", on: "t.id = x.vehicle_id", key: "x.party_id",
		where: "x.kind = '" + string(kind) + "' AND x.effective_to IS NULL",
	}
}

// IsNode marks the type.
func (*Party) IsNode() {}

// NodeID is the global id.
func (p *Party) NodeID() string { return Parties.nodeID(p.ID) }

// PartyBy selects one party; exactly one field is set.
type PartyBy struct {
	ID     *string
	Number *int64
	Key    *string
}

// PartyWhere filters parties.
type PartyWhere struct {
	And, Or   []*PartyWhere
	Not       *PartyWhere
	ID        *IDFilter
	Number    *Int64Filter
	Key       *StringFilter
	Kind      *EnumFilter[PartyKind]
	Status    *EnumFilter[PartyStatus]
	Name      *StringFilter
	Parent    *IDFilter
	CreatedAt *DateTimeFilter
}

// PartyOrderField is what parties can be sorted by.
type PartyOrderField string

var partyOrder = sortable(Parties, map[PartyOrderField]string{"NUMBER": "number", "NAME": "search_name", "CREATED_AT": "created_at"})

// Party returns the party that by selects.
// Errors: Unauthenticated, Forbidden, Invalid, NotFound, Unavailable.
func (*Store) Party(ctx context.Context, by PartyBy) (*Party, error) {
	return Parties.lookup(ctx, by, "t.id")
}

// Parties returns a page of the tenant's parties.
// Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) Parties(ctx context.Context, where *PartyWhere, orderBy []*Order[PartyOrderField], page Page) (*Connection[Party], error) {
	return list(ctx, Parties, where, partyOrder, orderBy, page)
}
