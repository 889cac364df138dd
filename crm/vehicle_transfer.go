package crm

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

// TransferStatus says whether a transfer changed anything.
type TransferStatus string

// The outcomes of a transfer.
const (
	Transferred TransferStatus = "TRANSFERRED"
	Unchanged   TransferStatus = "UNCHANGED"
)

// VehicleTransfer hands a vehicle to another owner (Durion D-24).
type VehicleTransfer struct {
	FromPartyID *string    // when given, it must own the vehicle
	ToPartyID   string     // a party in use
	EffectiveAt *time.Time // after the present ownership began and not in the future; now when absent
	Reason      *string    // at most 500 characters; goes before that of the audit
}

// notThen refuses the time of a transfer.
const notThen = "a transfer takes effect after the present ownership began and not in the future"

// VehicleTransferred is what came of a transfer.
type VehicleTransferred struct {
	Vehicle     *Vehicle
	Association *VehicleAssociation // the ownership that holds now
	Status      TransferStatus
}

// TransferVehicle ends the ownership of a vehicle and begins another at the same instant; its
// drivers stay. A transfer that happened already, from the same party to the same, is
// Unchanged, whatever revision the caller saw: nothing is written.
// Errors: as perform, Invalid, NotFound (also at input.fromPartyId for a party that does not
// own the vehicle), Stale, Conflict (PartyMerged for either party, InvalidState).
func (s *Store) TransferVehicle(ctx context.Context, vehicleID string, in VehicleTransfer, w Write) (*VehicleTransferred, error) {
	var id, to uuid.UUID
	var from *uuid.UUID
	check := func(p *problems) {
		id = Vehicles.id(p, "id", vehicleID)
		from = Parties.optionalID(p, "input.fromPartyId", in.FromPartyID)
		to = Parties.id(p, "input.toPartyId", in.ToPartyID)
		if from != nil && *from == to && to != uuid.Nil {
			p.add("input.toPartyId", "a vehicle is not transferred to its owner")
		}
		in.EffectiveAt = p.instant("input.effectiveAt", in.EffectiveAt)
		if in.EffectiveAt != nil && in.EffectiveAt.After(s.Now()) {
			p.add("input.effectiveAt", notThen)
		}
		in.Reason = p.text("input.reason", in.Reason, 500)
	}
	op := operation{"vehicleTransfer", []Permission{AssociationEdit}}
	return perform(ctx, op, w, []any{vehicleID, &in}, check, func(ctx context.Context, c *change) (*VehicleTransferred, error) {
		parties := []uuid.UUID{to}
		if from != nil {
			parties = append(parties, *from)
		}
		h, found, missing := c.held(ctx, id, parties...)
		if found == nil {
			return nil, missing
		}
		recipient, err := recipientOf(found, from, to) // who addresses a merged party is told so first
		if err != nil {
			return nil, err
		}
		if missing != nil {
			return nil, missing
		}
		if h.happened(from, to) {
			return &VehicleTransferred{h.vehicle, h.owner, Unchanged}, nil
		}
		at, err := c.handover(h, from, to, in.EffectiveAt)
		if err != nil {
			return nil, err
		}
		c.because(in.Reason)
		giver := h.owner.PartyID
		c.end(h.owner, at)
		a := c.associate(h.vehicle, recipient, Owner, at)
		altered(c, VehicleOwnerReassigned, Vehicles, h.vehicle, append(update(c, Vehicles, h.vehicle), a.field()), map[string]any{
			"from": Parties.nodeID(giver), "to": Parties.nodeID(to), "association": a.NodeID(),
		})
		return &VehicleTransferred{h.vehicle, a, Transferred}, nil
	})
}

// recipientOf checks both parties of a transfer. Errors: NotFound, Conflict.
func recipientOf(found map[uuid.UUID]*profile, from *uuid.UUID, to uuid.UUID) (*profile, error) {
	if from != nil {
		giver := found[*from]
		if giver == nil {
			return nil, missing("input.fromPartyId", Parties)
		}
		if giver.party.Status == PartyMerged {
			return nil, giver.editable("input.fromPartyId")
		}
	}
	return usable(found, to, "input.toPartyId")
}

// happened reports whether the vehicle went from the one party to the other last.
func (h *holding) happened(from *uuid.UUID, to uuid.UUID) bool {
	return from != nil && h.owner != nil && h.previous != nil && h.owner.PartyID == to && h.previous.PartyID == *from &&
		h.previous.EffectiveTo.Equal(h.owner.EffectiveFrom)
}

// handover is when an ownership ends and the next begins. Errors: NotFound, Stale, Conflict,
// Invalid.
func (c *change) handover(h *holding, from *uuid.UUID, to uuid.UUID, given *time.Time) (time.Time, error) {
	if from != nil && (h.owner == nil || h.owner.PartyID != *from) {
		e := missing("input.fromPartyId", Vehicles)
		e.Message = "the party does not own the vehicle"
		return time.Time{}, e
	}
	if err := h.open(c); err != nil {
		return time.Time{}, err
	}
	switch {
	case h.owner == nil:
		return time.Time{}, conflictf(InvalidState, "id", "nobody owns the vehicle: it can be adopted")
	case h.owner.PartyID == to:
		return time.Time{}, invalidf("input.toPartyId", "a vehicle is not transferred to its owner")
	}
	began := h.owner.EffectiveFrom
	switch {
	case given == nil && !c.now.After(began): // by another server's clock
		return began.Add(time.Microsecond), nil
	case given == nil:
		return c.now, nil
	}
	if !given.After(began) {
		return time.Time{}, invalidf("input.effectiveAt", notThen)
	}
	return *given, nil
}

// because gives the events of the change a reason of the operation's own input.
func (c *change) because(reason *string) {
	if reason == nil {
		return
	}
	audit := Audit{Reason: reason}
	if c.write.Audit != nil {
		audit.SourceRefs = c.write.Audit.SourceRefs
	}
	c.write.Audit = &audit
}

// AdoptVehicle makes a party the owner of an active vehicle that has none, from now.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (InvalidState, PartyMerged).
func (*Store) AdoptVehicle(ctx context.Context, vehicleID, partyID string, w Write) (*Vehicle, error) {
	return withParty(ctx, "vehicleAdopt", vehicleID, partyID, w, func(c *change, h *holding, found map[uuid.UUID]*profile, party uuid.UUID) error {
		owner, err := usable(found, party, "partyId")
		if err != nil {
			return err
		}
		if err := h.open(c); err != nil {
			return err
		}
		if h.owner != nil {
			return conflictf(InvalidState, "id", "the vehicle has an owner: it can be transferred")
		}
		c.adopt(h, owner)
		return nil
	})
}

// AssignDriver makes a person a primary driver of an active vehicle that has an owner, from
// now. A person who is one already stays so: nothing is written (Durion 3.13).
// Errors: as perform, Invalid, NotFound, Stale, Conflict (InvalidState, PartyMerged).
func (*Store) AssignDriver(ctx context.Context, vehicleID, partyID string, w Write) (*Vehicle, error) {
	return withParty(ctx, "vehicleDriverAssign", vehicleID, partyID, w, func(c *change, h *holding, found map[uuid.UUID]*profile, party uuid.UUID) error {
		driver, err := usable(found, party, "partyId")
		if err != nil {
			return err
		}
		if err := h.open(c); err != nil {
			return err
		}
		switch {
		case driver.party.Kind != Individual:
			return invalidf("partyId", "only a person drives")
		case h.owner == nil:
			return conflictf(InvalidState, "id", "nobody owns the vehicle: who drives it needs an owner")
		case h.driver(party) != nil:
			return nil
		}
		a := c.associate(h.vehicle, driver, PrimaryDriver, c.now)
		altered(c, VehicleDriverAssigned, Vehicles, h.vehicle, append(update(c, Vehicles, h.vehicle), a.field()), a.details())
		return nil
	})
}

// ReleaseDriver ends that a person is a primary driver of a vehicle, now.
// Errors: as perform, Invalid, NotFound (also for a person who does not drive it), Stale.
func (*Store) ReleaseDriver(ctx context.Context, vehicleID, partyID string, w Write) (*Vehicle, error) {
	return withParty(ctx, "vehicleDriverRelease", vehicleID, partyID, w, func(c *change, h *holding, _ map[uuid.UUID]*profile, party uuid.UUID) error {
		if err := c.expected(h.vehicle, h.vehicle.Revision); err != nil {
			return err
		}
		a := h.driver(party)
		if a == nil {
			e := missing("partyId", Parties)
			e.Message = "the party is no primary driver of the vehicle"
			return e
		}
		c.release(h, a)
		return nil
	})
}

// driver is the open association of a primary driver, nil when the party is none.
func (h *holding) driver(party uuid.UUID) *VehicleAssociation {
	i := slices.IndexFunc(h.drivers, func(a *VehicleAssociation) bool { return a.PartyID == party })
	if i < 0 {
		return nil
	}
	return h.drivers[i]
}

// withParty performs an act on a vehicle and a party, both locked, and returns the vehicle.
func withParty(ctx context.Context, name, vehicleID, partyID string, w Write,
	act func(c *change, h *holding, found map[uuid.UUID]*profile, party uuid.UUID) error,
) (*Vehicle, error) {
	var id, party uuid.UUID
	check := func(p *problems) {
		id = Vehicles.id(p, "id", vehicleID)
		party = Parties.id(p, "partyId", partyID)
	}
	op := operation{name, []Permission{AssociationEdit}}
	return perform(ctx, op, w, []string{vehicleID, partyID}, check, func(ctx context.Context, c *change) (*Vehicle, error) {
		h, found, err := c.held(ctx, id, party)
		if err != nil {
			return nil, err
		}
		if err := act(c, h, found, party); err != nil {
			return nil, err
		}
		return h.vehicle, nil
	})
}
