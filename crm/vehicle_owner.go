package crm

import (
	"context"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Who opens or ends an association holds the locks of its party and of its vehicle. Parties are
// locked before vehicles; who begins with the vehicle and has yet to learn whose it is queues
// for it first, outside that order.

// holding is a locked vehicle with those who have it.
type holding struct {
	vehicle  *Vehicle
	owner    *VehicleAssociation // nil when nobody owns it
	previous *VehicleAssociation // the last ownership that ended, nil when none did
	drivers  []*VehicleAssociation
}

// current lists the open associations.
func (h *holding) current() []*VehicleAssociation {
	if h.owner == nil {
		return h.drivers
	}
	return append([]*VehicleAssociation{h.owner}, h.drivers...)
}

// open refuses a vehicle that is deactivated, or of another revision than the caller saw.
// Errors: Conflict, Stale.
func (h *holding) open(c *change) error {
	if err := h.vehicle.inUse("id"); err != nil {
		return err
	}
	return c.expected(h.vehicle, h.vehicle.Revision)
}

// heldSQL selects the vehicles that parties are now associated with. Associations change below
// the lock of their party, so for locked parties it stays true.
const heldSQL = "t.id IN (SELECT a.vehicle_id FROM vehicle_association a WHERE a.tenant_id = $1 AND a.party_id = ANY ($2) AND a.effective_to IS NULL)"

// holdingSQL selects the open associations of vehicles and the last ownership of each that ended.
const holdingSQL = `t.vehicle_id = ANY($2) AND (t.effective_to IS NULL OR t.id = (
	SELECT p.id FROM vehicle_association p
	WHERE p.tenant_id = $1 AND p.vehicle_id = t.vehicle_id AND p.kind = 'OWNER' AND p.effective_to IS NOT NULL
	ORDER BY p.effective_from DESC, p.id DESC LIMIT 1))`

// hold locks the vehicles that match a condition, as lock does, and reads who has them.
func (c *change) hold(ctx context.Context, condition string, args ...any) ([]*holding, error) {
	vehicles, err := lock(ctx, c, Vehicles, condition, args...)
	if err != nil || len(vehicles) == 0 {
		return nil, err
	}
	list, byID, all := make([]*holding, len(vehicles)), map[uuid.UUID]*holding{}, make([]uuid.UUID, len(vehicles))
	for i, v := range vehicles {
		list[i] = &holding{vehicle: v}
		byID[v.ID], all[i] = list[i], v.ID
	}
	associations, err := find(ctx, c, VehicleAssociations, holdingSQL, all)
	for _, a := range associations {
		h := byID[a.VehicleID]
		switch {
		case a.Kind == PrimaryDriver:
			h.drivers = append(h.drivers, a)
		case a.EffectiveTo == nil:
			h.owner = a
		default:
			h.previous = a
		}
	}
	return list, err
}

// held locks parties, those who have the vehicle included, then the vehicle. Errors: NotFound
// for the vehicle, with the parties; a party that does not exist is missing from the result.
func (c *change) held(ctx context.Context, vehicle uuid.UUID, parties ...uuid.UUID) (*holding, map[uuid.UUID]*profile, error) {
	c.exec("SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text || $2::uuid::text, 0))", vehicle)
	if err := c.flush(ctx); err != nil {
		return nil, nil, err
	}
	open, err := find(ctx, c, VehicleAssociations, "t.vehicle_id = $2 AND t.effective_to IS NULL", vehicle)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range open {
		parties = append(parties, a.PartyID)
	}
	found, err := c.profiles(ctx, parties...)
	if err != nil {
		return nil, nil, err
	}
	list, err := c.hold(ctx, "t.id = $2", vehicle)
	if err != nil {
		return nil, nil, err
	}
	if len(list) == 0 {
		return nil, found, notFoundf("no such Vehicle")
	}
	// Who got it while the parties were waited for: by a merge or an adoption, which do not
	// queue. Postgres ends a transaction that this makes wait in a circle, and it is run again.
	var late []uuid.UUID
	for _, a := range list[0].current() {
		if found[a.PartyID] == nil {
			late = append(late, a.PartyID)
		}
	}
	if len(late) > 0 {
		more, err := c.profiles(ctx, late...)
		if err != nil {
			return nil, nil, err
		}
		maps.Copy(found, more)
	}
	return list[0], found, nil
}

// associate queues a new association.
func (c *change) associate(v *Vehicle, p *profile, kind AssociationKind, from time.Time) *VehicleAssociation {
	a := &VehicleAssociation{VehicleID: v.ID, PartyID: p.party.ID, Kind: kind, EffectiveFrom: from}
	insert(c, VehicleAssociations, a)
	return a
}

// end queues the end of an open association; none ends before it began.
func (c *change) end(a *VehicleAssociation, at time.Time) {
	if at.Before(a.EffectiveFrom) {
		at = a.EffectiveFrom
	}
	a.EffectiveTo = &at
	update(c, VehicleAssociations, a)
}

// details says in an event which association it is about.
func (a *VehicleAssociation) details() map[string]any {
	return map[string]any{"party": Parties.nodeID(a.PartyID), "association": a.NodeID()}
}

// field is the field of a vehicle that shows the association.
func (a *VehicleAssociation) field() string {
	if a.Kind == Owner {
		return "owner"
	}
	return "drivers"
}

// makeOwned queues a new vehicle and its owner.
func (c *change) makeOwned(v *Vehicle, owner *profile) {
	insert(c, Vehicles, v)
	a := c.associate(v, owner, Owner, c.now)
	made(c, VehicleCreated, Vehicles, v, nil)
	made(c, VehicleOwnerAssociated, Vehicles, v, a.details())
}

// adopt queues the owner of a locked vehicle that has none, with what else changed of it.
func (c *change) adopt(h *holding, owner *profile) {
	from := c.now
	if h.previous != nil && h.previous.EffectiveTo.After(from) { // by another server's clock
		from = *h.previous.EffectiveTo
	}
	a := c.associate(h.vehicle, owner, Owner, from)
	altered(c, VehicleOwnerAssociated, Vehicles, h.vehicle, append(update(c, Vehicles, h.vehicle), a.field()), a.details())
}

// release queues the end of an association of a locked vehicle.
func (c *change) release(h *holding, a *VehicleAssociation) {
	c.end(a, c.now)
	altered(c, VehicleReleased, Vehicles, h.vehicle, append(update(c, Vehicles, h.vehicle), a.field()), a.details())
}

// vinInput is a VIN as it was entered and as it is stored.
type vinInput struct{ entered, normalised string }

// vehicle is a new vehicle with the VIN.
func (v vinInput) vehicle(number int64) *Vehicle {
	return &Vehicle{Row: Row{ID: newID()}, Number: number, VINNormalised: &v.normalised, VINEntered: &v.entered, Status: VehicleActive}
}

// enteredVIN checks a VIN and keeps how it was entered.
func (p *problems) enteredVIN(field, value string) vinInput {
	if utf8.RuneCountInString(value) > maxEnteredVIN {
		p.add(field, "at most %d characters are allowed", maxEnteredVIN)
		return vinInput{}
	}
	return vinInput{entered: value, normalised: p.vin(field, value)}
}

// vins checks a list of VINs: at most 500, none of them twice.
func (p *problems) vins(field string, given []string) []vinInput {
	p.atMost(field, len(given), maxVINs)
	list, seen := make([]vinInput, len(given)), map[string]bool{}
	for i, text := range given {
		list[i] = p.enteredVIN(indexed(field, i), text)
		if vin := list[i].normalised; vin != "" && seen[vin] {
			p.add(indexed(field, i), "the VIN is given twice")
		}
		seen[list[i].normalised] = true
	}
	return list
}

// claimVINs locks the active vehicles that have the VINs, and gives out consecutive numbers
// for those that none has. Who asked for a number makes vehicles alone until the transaction
// ends, so what has none then stays free.
func (c *change) claimVINs(ctx context.Context, vins ...string) (known map[string]*holding, first int64, err error) {
	list, err := c.hold(ctx, "t.vin = ANY($2) AND t.status = 'ACTIVE'", vins)
	if err != nil {
		return nil, 0, err
	}
	known = byVIN(list)
	first, err = c.numbersFor(ctx, known, vins)
	return known, first, err
}

// numbersFor gives out a number for each VIN that is not known, and returns the first. It adds
// to known what was made while the others were waited for.
func (c *change) numbersFor(ctx context.Context, known map[string]*holding, vins []string) (int64, error) {
	fresh := slices.DeleteFunc(slices.Clone(vins), func(vin string) bool { return known[vin] != nil })
	if len(fresh) == 0 {
		return 0, nil
	}
	last, err := c.manyNumbers(ctx, len(fresh), vehicleNumber)
	if err != nil {
		return 0, err
	}
	late, err := c.hold(ctx, "t.vin = ANY($2) AND t.status = 'ACTIVE'", fresh)
	maps.Copy(known, byVIN(late))
	return last[vehicleNumber] - int64(len(fresh)) + 1, err
}

func byVIN(list []*holding) map[string]*holding {
	known := make(map[string]*holding, len(list))
	for _, h := range list {
		if v := h.vehicle; v.VINNormalised != nil && v.Status == VehicleActive {
			known[*v.VINNormalised] = h
		}
	}
	return known
}

// duplicateVIN says which vehicle has a VIN, to callers who may view it.
func duplicateVIN(ctx context.Context, field string, v *Vehicle) *Error {
	e := conflictf(DuplicateVIN, field, "an active vehicle has this VIN")
	if _, err := authorize(ctx, VehicleView); err == nil {
		e.Related = v.NodeID()
	}
	return e
}

// setOwnedVINs makes the vehicles with these VINs, checked by [problems.vins], those that a
// party owns: it makes vehicles of VINs that none has, adopts active ones without an owner,
// and ends the ownership of the party's others, which stay. A vehicle without a VIN cannot be
// in such a list and stays with the party. The party is locked or new; a new one must be
// queued before. Errors: Conflict (DuplicateVIN) at field[i] for a vehicle of someone else.
func (c *change) setOwnedVINs(ctx context.Context, owner *profile, vins []vinInput, field string) error {
	wanted := make([]string, len(vins))
	for i, vin := range vins {
		wanted[i] = vin.normalised
	}
	id := owner.party.ID
	list, err := c.hold(ctx, `t.id IN (SELECT v.id FROM vehicle v WHERE v.tenant_id = $1 AND v.vin = ANY($2) AND v.status = 'ACTIVE'
		UNION SELECT a.vehicle_id FROM vehicle_association a WHERE a.tenant_id = $1 AND a.party_id = $3 AND a.kind = 'OWNER' AND a.effective_to IS NULL)`,
		wanted, id)
	if err != nil {
		return err
	}
	known := byVIN(list)
	number, err := c.numbersFor(ctx, known, wanted)
	if err != nil {
		return err
	}
	for i, vin := range vins {
		switch h := known[vin.normalised]; {
		case h == nil:
			v := vin.vehicle(number)
			v.Derive()
			c.makeOwned(v, owner)
			number++
		case h.owner == nil:
			c.adopt(h, owner)
		case h.owner.PartyID != id:
			return duplicateVIN(ctx, indexed(field, i), h.vehicle)
		}
	}
	for _, h := range list {
		if h.owner != nil && h.owner.PartyID == id && h.vehicle.VINNormalised != nil && !slices.Contains(wanted, *h.vehicle.VINNormalised) {
			c.release(h, h.owner)
		}
	}
	return nil
}
