package seed

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"crmgraph/crm"
)

// cover is something about a vehicle that a warranty can promise.
type cover struct {
	name, description string
	suffix            string // of the serial number, after the VIN
	months            []int
}

// covers are the promises, the usual ones first.
func covers() []cover {
	return []cover{
		{"POWERTRAIN", "Engine, gearbox and drive shafts", "", []int{24, 36, 60}},
		{"CORROSION", "Rust from within", "-BODY", []int{72, 120, 144}},
		{"MOBILITY", "Towing and a replacement car", "-MOB", []int{12, 24}},
		{"BATTERY", "At least 70 percent of the battery's capacity", "-BAT", []int{60, 96}},
	}
}

// insure gives the vehicle, bought at a time by the customer, so many warranties. A
// powertrain warranty that ran out is in half of the cases followed by another one. What
// has no VIN, to which serial numbers could refer, gets none.
func (g *generator) insure(v *crm.Vehicle, customer uuid.UUID, bought time.Time, count int) {
	if v.VINNormalised == nil {
		return
	}
	for _, c := range covers()[:count] {
		w := g.warranty(v, customer, c, bought, pick(g, c.months))
		if c.suffix == "" && w.Status == crm.WarrantyExpired && g.chance(50) {
			g.warranty(v, customer, c, *w.ExpiresAt, 24)
		} else if g.chance(4) {
			w.Status, w.UpdatedAt, w.Revision = crm.WarrantyVoided, g.between(bought, g.today), 2
		}
	}
}

// warranty makes one warranty; one that has run out is EXPIRED.
func (g *generator) warranty(v *crm.Vehicle, customer uuid.UUID, c cover, from time.Time, months int) *crm.Warranty {
	expires := from.AddDate(0, months, 0)
	order := fmt.Sprintf("SO-%07d", g.rng.IntN(10_000_000))
	w := &crm.Warranty{
		Row: g.row(), CustomerID: customer, VehicleID: &v.ID, SerialNumber: crm.NormaliseCode(*v.VINNormalised + c.suffix),
		Status: crm.WarrantyActive, Months: &months, Coverage: &c.name, Description: &c.description, OrderRef: &order,
		StartsAt: from, ExpiresAt: &expires, CreatedAt: from, UpdatedAt: from, Revision: 1,
	}
	if !expires.After(g.today) {
		w.Status, w.UpdatedAt, w.Revision = crm.WarrantyExpired, expires, 2
	}
	g.warranties = append(g.warranties, w)
	return w
}
