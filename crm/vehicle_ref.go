package crm

import (
	"context"

	"github.com/google/uuid"
)

// VehicleRef names the vehicle that an operation is about, by exactly one of ID, Number and VIN. A
// number, or a VIN, that leads nowhere is not found, however it is spelt.
type VehicleRef struct {
	ID      *string
	Number  *int64
	VIN     *string // of the active vehicle that has it; case, spaces and hyphens do not count
	OwnerID *string // the party that must own it now; nil for whoever does
}

// key tells references apart in idempotency keys. A plain id stands for itself.
func (r VehicleRef) key() any {
	if r.ID != nil && r.OwnerID == nil {
		return *r.ID
	}
	return r
}

// vehicleRef is a reference as it was checked: a condition on alias t, whose value is $2.
type vehicleRef struct {
	condition string
	value     any
	owner     *uuid.UUID
}

func (r VehicleRef) check(p *problems) vehicleRef {
	ref, given := vehicleRef{owner: Parties.optionalID(p, "ownerId", r.OwnerID)}, 0
	if r.ID != nil {
		ref.condition, ref.value = "t.id = $2", Vehicles.id(p, "id", *r.ID)
		given++
	}
	if r.Number != nil {
		ref.condition, ref.value = "t.number = $2", *r.Number
		given++
	}
	if r.VIN != nil {
		vin := NormaliseVIN(*r.VIN)
		if !wellFormedVIN(vin) {
			vin = "" // which none has
		}
		ref.condition, ref.value = "t.vin = $2 AND t.status = 'ACTIVE'", vin
		given++
	}
	if given != 1 {
		p.add("id", "exactly one of id, number and VIN names a vehicle, %d are given", given)
	}
	return ref
}

// owns is the condition that the party $3 owns a vehicle. For a locked party it stays true, see
// heldSQL.
const owns = "t.id IN (SELECT a.vehicle_id FROM vehicle_association a " +
	"WHERE a.tenant_id = $1 AND a.party_id = $3 AND a.kind = 'OWNER' AND a.effective_to IS NULL)"

// referred locks the vehicle that a reference names and, before it, the party that must own it.
// Errors: NotFound, Conflict (PartyMerged, InvalidState).
func (c *change) referred(ctx context.Context, ref vehicleRef) (*Vehicle, error) {
	condition, args := ref.condition, []any{ref.value}
	if ref.owner != nil {
		if err := ref.ownable(c.profiles(ctx, *ref.owner)); err != nil {
			return nil, err
		}
		condition, args = condition+" AND "+owns, append(args, *ref.owner)
	}
	rows, err := lock(ctx, c, Vehicles, condition, args...)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, missing("id", Vehicles)
	}
	return rows[0], rows[0].inUse("id")
}

// referredHeld is referred with the parties that have the vehicle, as held does. Errors: also Stale.
func (c *change) referredHeld(ctx context.Context, ref vehicleRef) (*holding, error) {
	rows, err := find(ctx, c, Vehicles, ref.condition, ref.value)
	if err != nil {
		return nil, err
	}
	owners := []uuid.UUID{}
	if ref.owner != nil {
		owners = append(owners, *ref.owner)
	}
	if len(rows) == 0 {
		if err := ref.ownable(c.profiles(ctx, owners...)); err != nil {
			return nil, err
		}
		return nil, missing("id", Vehicles)
	}
	h, found, err := c.held(ctx, rows[0].ID, owners...)
	if err := ref.ownable(found, err); err != nil {
		return nil, err
	}
	// It was named before it was locked.
	if ref.owner != nil && (h.owner == nil || h.owner.PartyID != *ref.owner) {
		return nil, missing("id", Vehicles)
	}
	return h, h.open(c)
}

// ownable refuses a reference whose owner cannot own anything. It takes what locking the parties
// returned. Errors: NotFound, Conflict (PartyMerged, InvalidState).
func (r vehicleRef) ownable(found map[uuid.UUID]*profile, err error) error {
	if err == nil && r.owner != nil {
		_, err = usable(found, *r.owner, "ownerId")
	}
	return err
}

// VehicleInUse returns an active vehicle. Legacy contracts show no other (Durion D-19, D-30).
// Errors: Unauthenticated, Forbidden, Invalid, NotFound (also for a party that does not own it),
// Conflict (PartyMerged with the survivor as Related, InvalidState), Unavailable.
func (*Store) VehicleInUse(ctx context.Context, ref VehicleRef) (*Vehicle, error) {
	need := []Permission{VehicleView}
	if ref.OwnerID != nil {
		need = append(need, AssociationView, PartyView)
	}
	s, err := begin(ctx, need...)
	if err != nil {
		return nil, err
	}
	p := newProblems(ctx)
	checked := ref.check(&p)
	if p.err() != nil {
		return nil, p.err()
	}
	condition, args := checked.condition, []any{checked.value}
	var statements []statement
	found := map[uuid.UUID]*profile{}
	if id := checked.owner; id != nil {
		condition, args = condition+" AND "+owns, append(args, *id)
		st := Parties.matching(s, "t.id = $2", *id)
		st.read = Parties.each(s, func(party *Party) { found[*id] = &profile{party: party} })
		statements = append(statements, st)
	}
	var vehicle *Vehicle
	st := Vehicles.matching(s, condition, args...)
	st.read = Vehicles.each(s, func(v *Vehicle) { vehicle = v })
	if err := checked.ownable(found, s.send(ctx, append(statements, st)...)); err != nil {
		return nil, err
	}
	if vehicle == nil {
		return nil, missing("id", Vehicles)
	}
	return vehicle, vehicle.inUse("id")
}
