package crm

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"crmgraph/db"
)

// CustomerType says what kind of buyer a customer is.
type CustomerType string

// CustomerStatus is where a customer is in its life; MERGED and ANONYMIZED are final.
type CustomerStatus string

// The words of a customer's type and status.
const (
	CustomerPrivate    CustomerType = "PRIVATE"
	CustomerCommercial CustomerType = "COMMERCIAL"
	CustomerGovernment CustomerType = "GOVERNMENT"

	CustomerActive     CustomerStatus = "ACTIVE"
	CustomerInactive   CustomerStatus = "INACTIVE"
	CustomerMerged     CustomerStatus = "MERGED"
	CustomerAnonymized CustomerStatus = "ANONYMIZED"
)

// Customer is a party in its buying role. It shares the party's id.
type Customer struct {
	bun.BaseModel `bun:"table:customer"`
	Row

	Number         int64           `bun:"number"`
	Code           string          `bun:"code"`
	Type           CustomerType    `bun:"type"`
	Status         CustomerStatus  `bun:"status"`
	Tags           []string        `bun:"tags,array"`
	Metadata       json.RawMessage `bun:"metadata,type:jsonb"` // a JSON object
	PrimaryAddress *string         `bun:"primary_address"`     // a label, not an address
	HomeLogicalID  *string         `bun:"home_logical_id"`     // of the facility it belongs to, elsewhere
	CreatedAt      time.Time       `bun:"created_at"`
	UpdatedAt      time.Time       `bun:"updated_at"`
	Revision       int64           `bun:"revision"` // shared with the party
}

// Customers is the type in the catalogue.
var Customers = newType[Customer]("Customer", "cus", PartyView, nil).filterable(map[string]Path{
	"number": column("number"),
	"code": {normalise: NormaliseCode, Column: db.Column{SQL: "i.normalised", Within: "EXISTS (SELECT 1 FROM identifier i " +
		"WHERE i.tenant_id = $1 AND i.party_id = t.id AND i.kind = 'CODE' AND %s)"}},
	"type":      column("type"),
	"status":    column("status"),
	"createdAt": column("created_at"),
	"email": {normalise: NormaliseEmail, Column: db.Column{SQL: "i.normalised", Within: "EXISTS (SELECT 1 FROM identifier i " +
		"WHERE i.tenant_id = $1 AND i.party_id = t.id AND i.kind = 'EMAIL' AND i.is_claim AND %s)"}},
	"name": {normalise: NormaliseName, Column: db.Column{SQL: "p.search_name", Within: "EXISTS (SELECT 1 FROM party p " +
		"WHERE p.tenant_id = $1 AND p.id = t.id AND %s)"}},
})

// The edges of a customer.
var (
	CustomerParty      = one(Customers, "party", Parties, "id")
	CustomerVehicles   = paged(Customers, "vehicles", Vehicles, ownedVehicles(), Vehicles.orderBy("id"), "id", AssociationView)
	CustomerOwnerships = paged(Customers, "ownerships", VehicleAssociations, // of CustomerVehicles, in the order they began
		source{key: "t.party_id", where: "t.kind = 'OWNER' AND t.effective_to IS NULL"}, VehicleAssociations.orderBy("effective_from"), "id")
	CustomerLoyaltyAccount = one(Customers, "loyaltyAccount", LoyaltyAccounts, "id")
	CustomerWarranties     = paged(Customers, "warranties", Warranties, source{key: "t.customer_id"}, Warranties.orderBy("id"), "id")
)

// IsNode marks the type.
func (*Customer) IsNode() {}

// NodeID is the global id.
func (c *Customer) NodeID() string { return Customers.nodeID(c.ID) }

// CustomerBy selects one customer; exactly one field is set.
type CustomerBy struct {
	ID     *string
	Number *int64
	Code   *string
	Email  *string
}

// CustomerWhere filters customers.
type CustomerWhere struct {
	And, Or   []*CustomerWhere
	Not       *CustomerWhere
	ID        *IDFilter
	Number    *Int64Filter
	Code      *StringFilter
	Type      *EnumFilter[CustomerType]
	Status    *EnumFilter[CustomerStatus]
	Email     *StringFilter
	Name      *StringFilter
	CreatedAt *DateTimeFilter
}

// CustomerOrderField is what customers can be sorted by.
type CustomerOrderField string

var customerOrder = sortable(Customers, map[CustomerOrderField]string{
	"NUMBER": "number", "CODE": "code", "CREATED_AT": "created_at",
})

// Customer returns the customer that by selects; an e-mail address selects the customer
// that claims it. Errors: Unauthenticated, Forbidden, Invalid, NotFound, Unavailable.
func (*Store) Customer(ctx context.Context, by CustomerBy) (*Customer, error) {
	return Customers.lookup(ctx, by, "t.id")
}

// Customers returns a page of the tenant's customers.
// Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) Customers(ctx context.Context, where *CustomerWhere, orderBy []*Order[CustomerOrderField], page Page) (*Connection[Customer], error) {
	return list(ctx, Customers, where, customerOrder, orderBy, page)
}
