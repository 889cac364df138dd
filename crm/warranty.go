package crm

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"crmgraph/db"
)

// WarrantyStatus is where a warranty is in its life. Passing the expiry date does not
// change it; all but ACTIVE are final.
type WarrantyStatus string

// The words of a warranty's status.
const (
	WarrantyActive  WarrantyStatus = "ACTIVE"
	WarrantyExpired WarrantyStatus = "EXPIRED"
	WarrantyVoided  WarrantyStatus = "VOIDED"
	WarrantyDoomed  WarrantyStatus = "DOOMED"
)

// Warranty is a promise about one thing, known by its serial number.
type Warranty struct {
	bun.BaseModel `bun:"table:warranty"`
	Row

	CustomerID   uuid.UUID      `bun:"customer_id"`
	VehicleID    *uuid.UUID     `bun:"vehicle_id"`
	SerialNumber string         `bun:"serial_number"` // at most one ACTIVE warranty each
	Status       WarrantyStatus `bun:"status"`
	Months       *int           `bun:"months"`
	Coverage     *string        `bun:"coverage"`
	Description  *string        `bun:"description"`
	OrderRef     *string        `bun:"order_ref"`
	StartsAt     time.Time      `bun:"starts_at"`
	ExpiresAt    *time.Time     `bun:"expires_at"`
	CreatedAt    time.Time      `bun:"created_at"`
	UpdatedAt    time.Time      `bun:"updated_at"`
	Revision     int64          `bun:"revision"`
}

// Warranties is the type in the catalogue.
var Warranties = newType[Warranty]("Warranty", "war", WarrantyView, nil).filterable(map[string]Path{
	"serialNumber": folded("serial_number", NormaliseCode),
	"status":       column("status"),
	"customer":     {Column: db.Column{SQL: "t.customer_id"}, prefix: "cus"},
	"vehicle":      {Column: db.Column{SQL: "t.vehicle_id"}, prefix: "veh"},
	"startsAt":     column("starts_at"),
	"expiresAt":    column("expires_at"),
})

// The edges of a warranty.
var (
	WarrantyCustomer = one(Warranties, "customer", Customers, "customer_id")
	WarrantyVehicle  = one(Warranties, "vehicle", Vehicles, "vehicle_id")
)

// IsNode marks the type.
func (*Warranty) IsNode() {}

// NodeID is the global id.
func (w *Warranty) NodeID() string { return Warranties.nodeID(w.ID) }

// WarrantyTerms is what a warranty promises.
type WarrantyTerms struct {
	Months      *int
	Coverage    *string
	Description *string
}

// Terms is what the warranty promises.
func (w *Warranty) Terms() *WarrantyTerms {
	return &WarrantyTerms{Months: w.Months, Coverage: w.Coverage, Description: w.Description}
}

// WarrantyBy selects one warranty; exactly one field is set.
type WarrantyBy struct {
	ID           *string
	SerialNumber *string
}

// WarrantyWhere filters warranties.
type WarrantyWhere struct {
	And, Or      []*WarrantyWhere
	Not          *WarrantyWhere
	ID           *IDFilter
	SerialNumber *StringFilter
	Status       *EnumFilter[WarrantyStatus]
	Customer     *IDFilter
	Vehicle      *IDFilter
	StartsAt     *DateTimeFilter
	ExpiresAt    *DateTimeFilter
}

// WarrantyOrderField is what warranties can be sorted by.
type WarrantyOrderField string

var warrantyOrder = sortable(Warranties, map[WarrantyOrderField]string{"SERIAL_NUMBER": "serial_number", "STARTS_AT": "starts_at"})

// Warranty returns the warranty that by selects. Of several with the same serial number
// the active one is found, else the newest.
// Errors: Unauthenticated, Forbidden, Invalid, NotFound, Unavailable.
func (*Store) Warranty(ctx context.Context, by WarrantyBy) (*Warranty, error) {
	return Warranties.lookup(ctx, by, "t.status = 'ACTIVE' DESC, t.id DESC")
}

// Warranties returns a page of the tenant's warranties.
// Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) Warranties(ctx context.Context, where *WarrantyWhere, orderBy []*Order[WarrantyOrderField], page Page) (*Connection[Warranty], error) {
	return list(ctx, Warranties, where, warrantyOrder, orderBy, page)
}
