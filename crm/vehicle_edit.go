package crm

import (
	"context"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// The bounds of a vehicle's data.
const (
	firstModelYear = 1886 // the year of the first motor car
	yearsAhead     = 2    // how far model years run ahead of the calendar
	maxVINs        = 500  // in one list
	maxEnteredVIN  = 64   // characters, signs included
)

// VehicleInput is a new vehicle of a party (Durion D-11).
type VehicleInput struct {
	VIN         string
	UnitNumber  *string // 1 to 50 characters; needed when the party is an organisation
	Description string  // 1 to 500 characters
	Plate       *string // 1 to 20 of A-Z 0-9 space and hyphen
	PlateRegion *string // 2 to 6 of A-Z 0-9 and hyphen; goes with a plate
	Make        *string // at most 100 characters
	Model       *string // at most 100 characters
	Year        *int    // from 1886 to the year after next
	Trim        *string // at most 100 characters
}

func (in *VehicleInput) check(p *problems, now time.Time) vinInput {
	in.UnitNumber = p.text("input.unitNumber", in.UnitNumber, 50)
	in.Description = p.required("input.description", in.Description, 500)
	in.Plate = p.plate("input.plate", in.Plate)
	in.PlateRegion = p.plateRegion("input.plateRegion", in.PlateRegion)
	if in.PlateRegion != nil && in.Plate == nil {
		p.add("input.plateRegion", "a region goes with a plate")
	}
	in.Make = p.text("input.make", in.Make, 100)
	in.Model = p.text("input.model", in.Model, 100)
	in.Year = p.modelYear("input.year", in.Year, now)
	in.Trim = p.text("input.trim", in.Trim, 100)
	return p.enteredVIN("input.vin", in.VIN)
}

// apply sets what was given.
func (in *VehicleInput) apply(v *Vehicle) {
	v.Description = &in.Description
	if in.Plate != nil {
		v.Plate, v.PlateRegion = in.Plate, in.PlateRegion
	}
	fill(&v.UnitNumber, in.UnitNumber)
	fill(&v.Make, in.Make)
	fill(&v.Model, in.Model)
	fill(&v.Year, in.Year)
	fill(&v.Trim, in.Trim)
	v.Derive()
}

// fill sets a field to a value that is there.
func fill[T any](field **T, value *T) {
	if value != nil {
		*field = value
	}
}

// CreateVehicle makes a vehicle, which the party owns from now. An active vehicle that has
// the VIN already and no owner is adopted: it keeps its id, and what is given replaces what it
// had (Durion D-11).
// Errors: as perform, Invalid, NotFound, Conflict (DuplicateVIN with the other vehicle as
// Related when the caller may view it, PartyMerged, InvalidState).
func (s *Store) CreateVehicle(ctx context.Context, partyID string, in VehicleInput, w Write) (*Vehicle, error) {
	var id uuid.UUID
	var vin vinInput
	check := func(p *problems) {
		id = Parties.id(p, "partyId", partyID)
		vin = in.check(p, s.Now())
	}
	op := operation{"vehicleCreate", []Permission{VehicleCreate}}
	return perform(ctx, op, w, []any{partyID, &in}, check, func(ctx context.Context, c *change) (*Vehicle, error) {
		found, err := c.profiles(ctx, id)
		if err != nil {
			return nil, err
		}
		owner, err := usable(found, id, "partyId")
		if err != nil {
			return nil, err
		}
		if owner.party.Kind == Organization && in.UnitNumber == nil {
			return nil, invalidf("input.unitNumber", "a vehicle of an organisation needs a unit number")
		}
		known, number, err := c.claimVINs(ctx, vin.normalised)
		if err != nil {
			return nil, err
		}
		h := known[vin.normalised]
		switch {
		case h == nil:
			v := vin.vehicle(number)
			in.apply(v)
			c.makeOwned(v, owner)
			return v, nil
		case h.owner != nil:
			return nil, duplicateVIN(ctx, "input.vin", h.vehicle)
		default:
			in.apply(h.vehicle)
			c.adopt(h, owner)
			return h.vehicle, nil
		}
	})
}

// VehicleRegistration is a new vehicle without an owner (Durion 2.6).
type VehicleRegistration struct {
	VIN   string
	Make  string // 1 to 100 characters
	Model string // 1 to 100 characters
	Year  int    // from 1886 to the year after next
}

// RegisterVehicle makes a vehicle that nobody owns.
// Errors: as perform, Invalid, Conflict (DuplicateVIN as CreateVehicle).
func (s *Store) RegisterVehicle(ctx context.Context, in VehicleRegistration, w Write) (*Vehicle, error) {
	var vin vinInput
	check := func(p *problems) {
		in.Make = p.required("input.make", in.Make, 100)
		in.Model = p.required("input.model", in.Model, 100)
		p.modelYear("input.year", &in.Year, s.Now())
		vin = p.enteredVIN("input.vin", in.VIN)
	}
	op := operation{"vehicleRegister", []Permission{VehicleCreate}}
	return perform(ctx, op, w, &in, check, func(ctx context.Context, c *change) (*Vehicle, error) {
		known, number, err := c.claimVINs(ctx, vin.normalised)
		if err != nil {
			return nil, err
		}
		if h := known[vin.normalised]; h != nil {
			return nil, duplicateVIN(ctx, "input.vin", h.vehicle)
		}
		v := vin.vehicle(number)
		v.Make, v.Model, v.Year = &in.Make, &in.Model, &in.Year
		v.Derive()
		insert(c, Vehicles, v)
		made(c, VehicleCreated, Vehicles, v, nil)
		return v, nil
	})
}

// VehicleUpdate changes a vehicle: what is left out stays, null clears.
type VehicleUpdate struct {
	VIN         graphql.Omittable[*string] `json:",omitzero"` // the one that it has
	UnitNumber  graphql.Omittable[*string] `json:",omitzero"` // cannot be cleared while an organisation owns it
	Description graphql.Omittable[*string] `json:",omitzero"` // cannot be cleared while someone owns it
	Plate       graphql.Omittable[*string] `json:",omitzero"` // null clears the region, too
	PlateRegion graphql.Omittable[*string] `json:",omitzero"`
	Make        graphql.Omittable[*string] `json:",omitzero"`
	Model       graphql.Omittable[*string] `json:",omitzero"`
	Year        graphql.Omittable[*int]    `json:",omitzero"`
	Trim        graphql.Omittable[*string] `json:",omitzero"`
}

func (in *VehicleUpdate) check(p *problems, now time.Time) {
	text := func(field string, most int) func(*string) *string {
		return func(v *string) *string { return p.text(field, v, most) }
	}
	patch(&in.UnitNumber, text("input.unitNumber", 50))
	patch(&in.Description, text("input.description", 500))
	patch(&in.Plate, func(v *string) *string { return p.plate("input.plate", v) })
	patch(&in.PlateRegion, func(v *string) *string { return p.plateRegion("input.plateRegion", v) })
	patch(&in.Make, text("input.make", 100))
	patch(&in.Model, text("input.model", 100))
	patch(&in.Year, func(v *int) *int { return p.modelYear("input.year", v, now) })
	patch(&in.Trim, text("input.trim", 100))
}

// apply sets what was given.
func (in *VehicleUpdate) apply(v *Vehicle) {
	apply(&v.UnitNumber, in.UnitNumber)
	apply(&v.Description, in.Description)
	apply(&v.Plate, in.Plate)
	apply(&v.PlateRegion, in.PlateRegion)
	if in.Plate.IsSet() && v.Plate == nil && in.PlateRegion.Value() == nil {
		v.PlateRegion = nil
	}
	apply(&v.Make, in.Make)
	apply(&v.Model, in.Model)
	apply(&v.Year, in.Year)
	apply(&v.Trim, in.Trim)
	v.Derive()
}

// UpdateVehicle changes the data of an active vehicle. Its VIN never changes.
// Errors: as perform, Invalid (VINImmutable), NotFound, Stale, Conflict (InvalidState).
func (s *Store) UpdateVehicle(ctx context.Context, vehicleID string, in VehicleUpdate, w Write) (*Vehicle, error) {
	return s.UpdateVehicleBy(ctx, VehicleRef{ID: &vehicleID}, in, w)
}

// UpdateVehicleBy is UpdateVehicle for a vehicle that is named in another way. Errors: also NotFound
// for a party that does not own it, Conflict (PartyMerged).
func (s *Store) UpdateVehicleBy(ctx context.Context, ref VehicleRef, in VehicleUpdate, w Write) (*Vehicle, error) {
	var named vehicleRef
	check := func(p *problems) {
		named = ref.check(p)
		in.check(p, s.Now())
	}
	op := operation{"vehicleUpdate", []Permission{VehicleEdit}}
	return perform(ctx, op, w, []any{ref.key(), &in}, check, func(ctx context.Context, c *change) (*Vehicle, error) {
		v, err := c.referred(ctx, named)
		if err != nil {
			return nil, err
		}
		was := *v
		var p problems
		if err := c.mayLack(ctx, &p, v, &in); err != nil {
			return nil, err
		}
		if given, ok := in.VIN.ValueOK(); ok && NormaliseVIN(deref(given)) != deref(v.VINNormalised) {
			p.because(VINImmutable, "input.vin", "a VIN never changes: deactivate the vehicle and create the right one")
		}
		in.apply(v)
		if v.Plate == nil && v.PlateRegion != nil {
			p.add("input.plateRegion", "a region goes with a plate")
		}
		if p.err() != nil {
			return nil, p.err()
		}
		if err := c.expected(&was, was.Revision); err != nil {
			return nil, err
		}
		altered(c, VehicleUpdated, Vehicles, v, update(c, Vehicles, v), nil)
		return v, nil
	})
}

// mayLack checks that an update clears nothing that the owner of a locked vehicle needs.
func (c *change) mayLack(ctx context.Context, p *problems, v *Vehicle, in *VehicleUpdate) error {
	cleared := func(value graphql.Omittable[*string]) bool { return value.IsSet() && value.Value() == nil }
	if !cleared(in.UnitNumber) && !cleared(in.Description) {
		return nil
	}
	owners, err := find(ctx, c, Parties, "t.id = (SELECT a.party_id FROM vehicle_association a "+
		"WHERE a.tenant_id = $1 AND a.vehicle_id = $2 AND a.kind = 'OWNER' AND a.effective_to IS NULL)", v.ID)
	if err != nil || len(owners) == 0 {
		return err
	}
	if cleared(in.UnitNumber) && owners[0].Kind == Organization {
		p.add("input.unitNumber", "a vehicle of an organisation needs a unit number")
	}
	if cleared(in.Description) {
		p.add("input.description", "a vehicle that someone owns needs a description")
	}
	return nil
}

// DeactivateVehicle ends a vehicle's active life: it becomes INACTIVE, who owns and drives it
// ceases to do so now, and its VIN is free for another one. Nothing is deleted.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (InvalidState).
func (s *Store) DeactivateVehicle(ctx context.Context, vehicleID string, w Write) (*Vehicle, error) {
	return s.DeactivateVehicleBy(ctx, VehicleRef{ID: &vehicleID}, w)
}

// DeactivateVehicleBy is DeactivateVehicle for a vehicle that is named in another way. Errors: also
// NotFound for a party that does not own it, Conflict (PartyMerged).
func (*Store) DeactivateVehicleBy(ctx context.Context, ref VehicleRef, w Write) (*Vehicle, error) {
	var named vehicleRef
	check := func(p *problems) { named = ref.check(p) }
	op := operation{"vehicleDeactivate", []Permission{VehicleDeactivate}}
	return perform(ctx, op, w, ref.key(), check, func(ctx context.Context, c *change) (*Vehicle, error) {
		h, err := c.referredHeld(ctx, named)
		if err != nil {
			return nil, err
		}
		left := []string{}
		for _, a := range h.current() {
			c.end(a, c.now)
			left = append(left, Parties.nodeID(a.PartyID))
		}
		h.vehicle.Status = VehicleInactive
		altered(c, VehicleDeactivated, Vehicles, h.vehicle, update(c, Vehicles, h.vehicle), map[string]any{"parties": left})
		return h.vehicle, nil
	})
}

// inUse refuses a vehicle that is deactivated. Errors: Conflict.
func (v *Vehicle) inUse(field string) error {
	if v.Status != VehicleActive {
		return conflictf(InvalidState, field, "the vehicle is deactivated")
	}
	return nil
}

// plate checks a licence plate and returns it in upper case with single spaces (Durion 3.9).
func (p *problems) plate(field string, value *string) *string {
	text := p.text(field, value, 1000)
	if text == nil {
		return nil
	}
	plate := strings.ToUpper(strings.Join(strings.Fields(*text), " "))
	if !platePattern.MatchString(plate) {
		p.add(field, "a plate has 1 to 20 of the characters A-Z 0-9, space and hyphen")
	}
	return &plate
}

// plateRegion checks where a plate was issued, and turns it to upper case.
func (p *problems) plateRegion(field string, value *string) *string {
	text := p.text(field, value, 1000)
	if text == nil {
		return nil
	}
	region := strings.ToUpper(*text)
	if !regionPattern.MatchString(region) {
		p.add(field, "a region has 2 to 6 of the characters A-Z 0-9 and hyphen, such as US-WA")
	}
	return &region
}

// modelYear checks a model year.
func (p *problems) modelYear(field string, value *int, now time.Time) *int {
	if last := now.Year() + yearsAhead; value != nil && (*value < firstModelYear || *value > last) {
		p.add(field, "a model year lies between %d and %d", firstModelYear, last)
	}
	return value
}
