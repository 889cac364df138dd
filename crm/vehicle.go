package crm

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"crmgraph/db"
)

// VehicleStatus says whether a vehicle is in use; a VIN is unique among ACTIVE vehicles.
type VehicleStatus string

// AssociationKind says what a party is to a vehicle.
type AssociationKind string

// The words of vehicles and their associations.
const (
	VehicleActive   VehicleStatus = "ACTIVE"
	VehicleInactive VehicleStatus = "INACTIVE"

	Owner         AssociationKind = "OWNER"
	PrimaryDriver AssociationKind = "PRIMARY_DRIVER"
)

// Vehicle is one vehicle, whoever owns it.
type Vehicle struct {
	bun.BaseModel `bun:"table:vehicle"`
	Row

	Number          int64         `bun:"number"`
	VINNormalised   *string       `bun:"vin"`
	VINEntered      *string       `bun:"vin_entered"`
	Plate           *string       `bun:"plate"`
	PlateNormalised *string       `bun:"plate_normalised"`
	PlateRegion     *string       `bun:"plate_region"`
	UnitNumber      *string       `bun:"unit_number"`
	UnitNormalised  *string       `bun:"unit_normalised"`
	Description     *string       `bun:"description"`
	DescNormalised  *string       `bun:"description_normalised"`
	Make            *string       `bun:"make"`
	Model           *string       `bun:"model"`
	Year            *int          `bun:"year"`
	Trim            *string       `bun:"trim"`
	SearchText      string        `bun:"search_text"` // what search looks through
	Status          VehicleStatus `bun:"status"`
	CreatedAt       time.Time     `bun:"created_at"`
	UpdatedAt       time.Time     `bun:"updated_at"`
	Revision        int64         `bun:"revision"`
}

// Vehicles is the type in the catalogue.
var Vehicles = newType[Vehicle]("Vehicle", "veh", VehicleView, nil).filterable(map[string]Path{
	"number":     column("number"),
	"vin":        folded("vin", NormaliseVIN),
	"plate":      folded("plate_normalised", NormalisePlate),
	"unitNumber": column("unit_number"),
	"make":       column("make"),
	"model":      column("model"),
	"year":       {Column: db.Column{SQL: "t.year", Cast: "bigint"}},
	"status":     column("status"),
	"createdAt":  column("created_at"),
}).method("vin", func(v *Vehicle) any { return v.VIN() }, "vin")

// The edges of a vehicle.
var (
	VehicleOwner            = oneThrough(Vehicles, "owner", Parties, holders(Owner), "id", AssociationView)
	VehicleDrivers          = paged(Vehicles, "drivers", Parties, holders(PrimaryDriver), Parties.orderBy("id"), "id", AssociationView)
	VehicleOwnershipHistory = paged(Vehicles, "ownershipHistory", VehicleAssociations,
		source{key: "t.vehicle_id", where: "t.kind = 'OWNER'"}, VehicleAssociations.orderBy("-effective_from"), "id")
	VehicleWarranties = paged(Vehicles, "warranties", Warranties, source{key: "t.vehicle_id"}, Warranties.orderBy("id"), "id")
)

// holders leads from a vehicle's id to the parties now associated with it.
func holders(kind AssociationKind) source {
	return source{
		link: "vehicle_association", on: "t.id = x.party_id", key: "x.vehicle_id",
		where: "x.kind = '" + string(kind) + "' AND x.effective_to IS NULL",
	}
}

// IsNode marks the type.
func (*Vehicle) IsNode() {}

// NodeID is the global id.
func (v *Vehicle) NodeID() string { return Vehicles.nodeID(v.ID) }

// VIN is the vehicle identification number and what can be read from it, nil when the
// vehicle has none.
func (v *Vehicle) VIN() *VIN {
	if v.VINNormalised == nil {
		return nil
	}
	return &VIN{*v.VINNormalised}
}

// VehicleBy selects one vehicle; exactly one field is set.
type VehicleBy struct {
	ID     *string
	Number *int64
	VIN    *string
}

// VehicleWhere filters vehicles.
type VehicleWhere struct {
	And, Or    []*VehicleWhere
	Not        *VehicleWhere
	ID         *IDFilter
	Number     *Int64Filter
	VIN        *StringFilter
	Plate      *StringFilter
	UnitNumber *StringFilter
	Make       *StringFilter
	Model      *StringFilter
	Year       *Int64Filter
	Status     *EnumFilter[VehicleStatus]
	CreatedAt  *DateTimeFilter
}

// VehicleOrderField is what vehicles can be sorted by.
type VehicleOrderField string

var vehicleOrder = sortable(Vehicles, map[VehicleOrderField]string{"NUMBER": "number", "CREATED_AT": "created_at"})

// Vehicle returns the vehicle that by selects. Several vehicles may have had the same VIN:
// the active one is found, else the newest.
// Errors: Unauthenticated, Forbidden, Invalid, NotFound, Unavailable.
func (*Store) Vehicle(ctx context.Context, by VehicleBy) (*Vehicle, error) {
	return Vehicles.lookup(ctx, by, "t.status = 'ACTIVE' DESC, t.id DESC")
}

// Vehicles returns a page of the tenant's vehicles.
// Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) Vehicles(ctx context.Context, where *VehicleWhere, orderBy []*Order[VehicleOrderField], page Page) (*Connection[Vehicle], error) {
	return list(ctx, Vehicles, where, vehicleOrder, orderBy, page)
}

// VehicleAssociation says what a party was to a vehicle from EffectiveFrom up to, but not
// including, EffectiveTo.
type VehicleAssociation struct {
	bun.BaseModel `bun:"table:vehicle_association"`
	Row

	VehicleID     uuid.UUID       `bun:"vehicle_id"`
	PartyID       uuid.UUID       `bun:"party_id"`
	Kind          AssociationKind `bun:"kind"`
	EffectiveFrom time.Time       `bun:"effective_from"`
	EffectiveTo   *time.Time      `bun:"effective_to"` // nil while it lasts
}

// VehicleAssociations is the type in the catalogue.
var VehicleAssociations = newType[VehicleAssociation]("VehicleAssociation", "vas", AssociationView, nil)

// The edges of an association.
var (
	AssociationVehicle = one(VehicleAssociations, "vehicle", Vehicles, "vehicle_id")
	AssociationParty   = one(VehicleAssociations, "party", Parties, "party_id")
)

// IsNode marks the type.
func (*VehicleAssociation) IsNode() {}

// NodeID is the global id.
func (a *VehicleAssociation) NodeID() string { return VehicleAssociations.nodeID(a.ID) }

// Derive sets what a vehicle is compared and found by.
func (v *Vehicle) Derive() {
	v.PlateNormalised, v.UnitNormalised, v.DescNormalised = withoutSigns(v.Plate), withoutSigns(v.UnitNumber), withoutSigns(v.Description)
	v.SearchText = VehicleSearchText(v)
}

// withoutSigns is a text in upper case, without spaces and hyphens.
func withoutSigns(text *string) *string {
	if text == nil {
		return nil
	}
	bare := NormalisePlate(*text)
	return &bare
}

// VehicleSearchText is what search looks through to find a vehicle: the normalised VIN and
// plate, the unit number, maker, model and trim, in lower case, without those it lacks.
func VehicleSearchText(v *Vehicle) string {
	var words []string
	for _, part := range []*string{v.VINNormalised, v.PlateNormalised, v.UnitNumber, v.Make, v.Model, v.Trim} {
		if part != nil {
			words = append(words, strings.ToLower(*part))
		}
	}
	return strings.Join(words, " ")
}
