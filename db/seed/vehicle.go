package seed

import (
	"fmt"
	"time"

	"crmgraph/crm"
)

// vehicle makes a vehicle of the model, registered where home is. No two get the same VIN.
func (g *generator) vehicle(m *model, home *locale) *crm.Vehicle {
	number := g.number(vehicleNumber)
	year := g.within(m.first, min(m.last, g.today.Year()))
	plate, trim := pick(g, home.plates), pick(g, m.trims)
	at := g.between(g.opening(), g.today)
	v := &crm.Vehicle{
		Row: g.row(), Number: number, PlateRegion: &plate.region, Make: &m.maker, Model: &m.name, Year: &year, Trim: &trim,
		Status: crm.VehicleActive, CreatedAt: at, UpdatedAt: at, Revision: 1,
	}
	setVIN(v, m.vin(year, number))
	setPlate(v, g.fill(plate.pattern))
	g.vehicles = append(g.vehicles, v)
	return v
}

func setVIN(v *crm.Vehicle, entered string) {
	vin := crm.NormaliseVIN(entered)
	v.VINNormalised, v.VINEntered = &vin, &entered
}

func setPlate(v *crm.Vehicle, plate string) {
	normalised := crm.NormalisePlate(plate)
	v.Plate, v.PlateNormalised = &plate, &normalised
}

// vin is the VIN of the n-th vehicle made in a model year.
func (m *model) vin(year int, n int64) string {
	const yearCodes = "ABCDEFGHJKLMNPRSTVWXY123456789" // from 1980, round and round
	const plants = "ABCDEFGHJKLMNPRSTUVXYZ"
	const perPlant = 1_000_000
	tail := fmt.Sprintf("%c%c%06d", yearCodes[(year-1980)%len(yearCodes)], plants[n/perPlant%int64(len(plants))], n%perPlant)
	if !m.northAmerican() {
		return m.wmi + m.vds + tail
	}
	for _, digit := range "0123456789X" {
		vin := m.wmi + m.vds + string(digit) + tail
		if (crm.VIN{Value: vin}).CheckDigit() == crm.CheckDigitMatches {
			return vin
		}
	}
	panic("no check digit fits " + m.wmi + m.vds + tail) // the digits are all remainders of eleven
}

// owned records who owned the vehicle, the last owner still. It was new when the first
// one got it; each of the others took over when the one before let go. It returns when
// the present owner got it.
func (g *generator) owned(v *crm.Vehicle, owners ...resident) time.Time {
	at := time.Date(*v.Year, time.January, 1, 0, 0, 0, 0, time.UTC)
	at = g.between(at, earlier(at.AddDate(1, 0, 0), g.today))
	for i, owner := range owners {
		a := g.associate(v, owner, crm.Owner, at)
		if i < len(owners)-1 {
			until := g.between(at, at.Add(g.today.Sub(at)/time.Duration(len(owners)-i)))
			a.EffectiveTo = &until
			at = until
		}
	}
	return at
}

// associate records what a party has been to a vehicle since a time.
func (g *generator) associate(v *crm.Vehicle, p resident, kind crm.AssociationKind, from time.Time) *crm.VehicleAssociation {
	a := &crm.VehicleAssociation{Row: g.row(), VehicleID: v.ID, PartyID: p.ID, Kind: kind, EffectiveFrom: from}
	g.associations = append(g.associations, a)
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
