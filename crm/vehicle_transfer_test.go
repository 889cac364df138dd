package crm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// hand transfers a vehicle.
func (g *garage) hand(t *testing.T, v *crm.Vehicle, from, to *crm.Party, w crm.Write) (*crm.VehicleTransferred, error) {
	t.Helper()
	in := crm.VehicleTransfer{ToPartyID: to.NodeID()}
	if from != nil {
		in.FromPartyID = new(from.NodeID())
	}
	return g.store.TransferVehicle(g.admin(t), v.NodeID(), in, w)
}

func TestTransferVehicle(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	t.Run("one ownership ends and the next begins at the same instant, and the drivers stay", func(t *testing.T) {
		t.Parallel()
		a, b, driver := g.individual(t, "Driver"), g.organization(t, "Firm"), g.individual(t, "Driver")
		v := g.car(t, a)
		v, err := g.store.AssignDriver(g.admin(t), v.NodeID(), driver.NodeID(), at(v.Revision))
		require.NoError(t, err)
		done, err := g.store.TransferVehicle(g.admin(t), v.NodeID(), crm.VehicleTransfer{
			FromPartyID: new(a.NodeID()), ToPartyID: b.NodeID(), Reason: new("Private sale"),
		}, at(v.Revision))
		require.NoError(t, err)
		require.Equal(t, crm.Transferred, done.Status)
		require.EqualValues(t, 3, g.stored(t, v).Revision)
		history := g.history(t, v)
		require.Len(t, history, 2)
		require.Equal(t, history[1].NodeID(), done.Association.NodeID())
		require.Equal(t, history[0].EffectiveTo, &history[1].EffectiveFrom)
		require.Nil(t, history[1].EffectiveTo)
		require.Equal(t, b.NodeID(), g.owner(t, v))
		require.Equal(t, []string{driver.NodeID()}, g.drivers(t, v))
		events, err := crm.VehicleEvents.All(g.admin(t), v)
		require.NoError(t, err)
		require.Equal(t, crm.VehicleOwnerReassigned, events[0].Type)
		require.Equal(t, "Private sale", *events[0].Reason)
		require.JSONEq(t, `{"from": "`+a.NodeID()+`", "to": "`+b.NodeID()+`", "association": "`+done.Association.NodeID()+`"}`, string(events[0].Details))
	})
	t.Run("a transfer that happened already is unchanged and writes nothing, also with the old revision", func(t *testing.T) {
		t.Parallel()
		a, b := g.individual(t, "Driver"), g.individual(t, "Driver")
		v := g.car(t, a)
		first, err := g.hand(t, v, a, b, at(v.Revision))
		require.NoError(t, err)
		events := g.story(t, v)
		again, err := g.hand(t, v, a, b, at(v.Revision))
		require.NoError(t, err)
		require.Equal(t, crm.Unchanged, again.Status)
		require.Equal(t, first.Association.NodeID(), again.Association.NodeID())
		require.EqualValues(t, 2, g.stored(t, v).Revision)
		require.Equal(t, events, g.story(t, v))
		require.Len(t, g.history(t, v), 2)
	})
	t.Run("only the directly previous owner's transfer counts as happened", func(t *testing.T) {
		t.Parallel()
		a, b, other := g.individual(t, "Driver"), g.individual(t, "Driver"), g.individual(t, "Driver")
		v := g.car(t, other)
		for _, step := range [][2]*crm.Party{{other, a}, {a, b}} {
			_, err := g.hand(t, v, step[0], step[1], crm.Write{})
			require.NoError(t, err)
		}
		_, err := g.hand(t, v, other, b, crm.Write{})
		refused(t, err, crm.NotFound, "", "input.fromPartyId")
	})
	t.Run("who does not own it cannot give it away", func(t *testing.T) {
		t.Parallel()
		a, b, v := g.individual(t, "Driver"), g.individual(t, "Driver"), g.car(t, g.individual(t, "Driver"))
		_, err := g.hand(t, v, a, b, crm.Write{})
		refused(t, err, crm.NotFound, "", "input.fromPartyId")
		_, err = g.hand(t, g.stray(t), a, b, crm.Write{})
		refused(t, err, crm.NotFound, "", "input.fromPartyId")
		_, err = g.hand(t, g.stray(t), nil, b, crm.Write{})
		refused(t, err, crm.Conflict, crm.InvalidState, "id")
	})
	t.Run("it is not transferred to its owner", func(t *testing.T) {
		t.Parallel()
		a := g.individual(t, "Driver")
		v := g.car(t, a)
		_, err := g.hand(t, v, a, a, crm.Write{})
		refused(t, err, crm.Invalid, "", "input.toPartyId")
		_, err = g.hand(t, v, nil, a, crm.Write{})
		refused(t, err, crm.Invalid, "", "input.toPartyId")
	})
	t.Run("the vehicle and both parties must be there and be known by their ids", func(t *testing.T) {
		t.Parallel()
		a := g.individual(t, "Driver")
		v := g.car(t, a)
		transfer := func(vehicle, from, to string) error {
			_, err := g.store.TransferVehicle(g.admin(t), vehicle, crm.VehicleTransfer{FromPartyID: &from, ToPartyID: to}, crm.Write{})
			return err
		}
		const nobody = "pty_018f0000-0000-7000-8000-000000000000"
		refused(t, transfer("veh_018f0000-0000-7000-8000-000000000000", a.NodeID(), g.individual(t, "Driver").NodeID()), crm.NotFound, "", "")
		refused(t, transfer(v.NodeID(), nobody, g.individual(t, "Driver").NodeID()), crm.NotFound, "", "input.fromPartyId")
		refused(t, transfer(v.NodeID(), a.NodeID(), nobody), crm.NotFound, "", "input.toPartyId")
		require.Equal(t, []string{"INVALID  input.fromPartyId", "INVALID  input.toPartyId"}, refusals(transfer(v.NodeID(), "x", "")))
	})
	t.Run("neither party is merged away, and who gets it is in use", func(t *testing.T) {
		t.Parallel()
		a := g.individual(t, "Driver")
		v := g.car(t, a)
		merged, err := g.store.Parties(g.admin(t), &crm.PartyWhere{Status: &crm.EnumFilter[crm.PartyStatus]{Eq: new(crm.PartyMerged)}}, nil, crm.WholeList())
		require.NoError(t, err)
		_, err = g.hand(t, v, merged.Nodes()[0], g.individual(t, "Driver"), crm.Write{})
		require.NotEmpty(t, refused(t, err, crm.Conflict, crm.MergedParty, "input.fromPartyId").Related)
		_, err = g.hand(t, v, a, merged.Nodes()[0], crm.Write{})
		refused(t, err, crm.Conflict, crm.MergedParty, "input.toPartyId")
		_, err = g.store.TransferVehicle(g.admin(t), "veh_018f0000-0000-7000-8000-000000000000", crm.VehicleTransfer{ToPartyID: merged.Nodes()[0].NodeID()}, crm.Write{})
		refused(t, err, crm.Conflict, crm.MergedParty, "input.toPartyId")
		gone := g.individual(t, "Driver")
		_, err = g.store.DeactivateParty(g.admin(t), gone.NodeID(), crm.Write{})
		require.NoError(t, err)
		_, err = g.hand(t, v, a, gone, crm.Write{})
		refused(t, err, crm.Conflict, crm.InvalidState, "input.toPartyId")
	})
	t.Run("it takes effect after the present ownership began and not in the future", func(t *testing.T) {
		t.Parallel()
		a, b := g.individual(t, "Driver"), g.individual(t, "Driver")
		v := g.car(t, a)
		began := g.history(t, v)[0].EffectiveFrom
		transfer := func(at time.Time) (*crm.VehicleTransferred, error) {
			return g.store.TransferVehicle(g.admin(t), v.NodeID(), crm.VehicleTransfer{ToPartyID: b.NodeID(), EffectiveAt: &at}, crm.Write{})
		}
		for _, at := range []time.Time{began, began.Add(-time.Hour), crmtest.Today().AddDate(0, 0, 1)} {
			_, err := transfer(at)
			refused(t, err, crm.Invalid, "", "input.effectiveAt")
		}
		done, err := transfer(began.Add(time.Millisecond))
		require.NoError(t, err)
		require.True(t, done.Association.EffectiveFrom.Equal(began.Add(time.Millisecond)))
	})
	t.Run("a clock that stands still makes no empty ownership", func(t *testing.T) {
		t.Parallel()
		still := &garage{world: newWorld(t)}
		a, b := still.individual(t, "Driver"), still.individual(t, "Driver")
		v := still.car(t, a)
		_, err := still.hand(t, v, nil, b, crm.Write{})
		require.NoError(t, err)
		history := still.history(t, v)
		require.True(t, history[0].EffectiveTo.After(history[0].EffectiveFrom))
		gone, err := still.store.DeactivateParty(still.admin(t), b.NodeID(), crm.Write{})
		require.NoError(t, err)
		require.Equal(t, crm.PartyInactive, gone.Status)
	})
	t.Run("the old owner loses it and the new one has it", func(t *testing.T) {
		t.Parallel()
		a, b := g.individual(t, "Driver"), g.individual(t, "Driver")
		v := g.car(t, a)
		_, err := g.hand(t, v, a, b, crm.Write{})
		require.NoError(t, err)
		for party, want := range map[*crm.Party]int{a: 0, b: 1} {
			list, err := crm.PartyVehicles.All(g.admin(t), party)
			require.NoError(t, err)
			require.Len(t, list, want)
		}
	})
	t.Run("it needs the permission to change associations", func(t *testing.T) {
		t.Parallel()
		_, err := g.store.TransferVehicle(g.lacking(t, crm.AssociationEdit), "", crm.VehicleTransfer{}, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
}

// contiguous requires one open owner and a history without gap and overlap.
func (g *garage) contiguous(t *testing.T, v *crm.Vehicle) []*crm.VehicleAssociation {
	t.Helper()
	history := g.history(t, v)
	for i, a := range history[:len(history)-1] {
		require.NotNil(t, a.EffectiveTo)
		require.True(t, a.EffectiveTo.Equal(history[i+1].EffectiveFrom), "ownership %d ends when the next begins", i)
		require.True(t, a.EffectiveFrom.Before(*a.EffectiveTo), "ownership %d lasts", i)
	}
	require.Nil(t, history[len(history)-1].EffectiveTo)
	return history
}

// However many transfer a vehicle at once, it has one owner and a history without gap.
func TestConcurrentTransfers(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	parties := make([]*crm.Party, 24)
	for i := range parties {
		parties[i] = g.individual(t, "Driver")
	}
	t.Run("to different parties from whoever has it: all succeed, one after the other", func(t *testing.T) {
		t.Parallel()
		v := g.car(t, g.individual(t, "Driver"))
		for _, err := range atOnce(len(parties), func(i int) error {
			_, err := g.hand(t, v, nil, parties[i], crm.Write{})
			return err
		}) {
			require.NoError(t, err)
		}
		require.Len(t, g.contiguous(t, v), len(parties)+1)
		require.EqualValues(t, len(parties)+1, g.stored(t, v).Revision)
	})
	t.Run("from one party to different ones: one succeeds", func(t *testing.T) {
		t.Parallel()
		a := g.individual(t, "Driver")
		v := g.car(t, a)
		won := 0
		for _, err := range atOnce(len(parties), func(i int) error {
			_, err := g.hand(t, v, a, parties[i], crm.Write{})
			return err
		}) {
			if err == nil {
				won++
			} else {
				refused(t, err, crm.NotFound, "", "input.fromPartyId")
			}
		}
		require.Equal(t, 1, won)
		require.Len(t, g.contiguous(t, v), 2)
	})
	t.Run("with one revision: one succeeds", func(t *testing.T) {
		t.Parallel()
		v := g.car(t, g.individual(t, "Driver"))
		won := 0
		for _, err := range atOnce(len(parties), func(i int) error {
			_, err := g.hand(t, v, nil, parties[i], at(v.Revision))
			return err
		}) {
			if err == nil {
				won++
			} else {
				refused(t, err, crm.Stale, "", "ifRevision")
			}
		}
		require.Equal(t, 1, won)
		require.Len(t, g.contiguous(t, v), 2)
	})
	t.Run("the same transfer many times: one is made, the others find it made", func(t *testing.T) {
		t.Parallel()
		a, b := g.individual(t, "Driver"), g.individual(t, "Driver")
		v := g.car(t, a)
		made := make([]*crm.VehicleTransferred, 20)
		for _, err := range atOnce(len(made), func(i int) (err error) {
			made[i], err = g.hand(t, v, a, b, at(v.Revision))
			return err
		}) {
			require.NoError(t, err)
		}
		count := map[crm.TransferStatus]int{}
		for _, m := range made {
			count[m.Status]++
		}
		require.Equal(t, map[crm.TransferStatus]int{crm.Transferred: 1, crm.Unchanged: 19}, count)
	})
}

// A transfer takes the same statements however long the history is.
func TestTransferStatements(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	a, b := g.individual(t, "Driver"), g.individual(t, "Driver")
	v := g.car(t, a)
	counts := map[int]bool{}
	for range 20 {
		ctx, statements := crmtest.As(t, g.store, "demo", "admin")
		_, err := g.store.TransferVehicle(ctx, v.NodeID(), crm.VehicleTransfer{FromPartyID: new(a.NodeID()), ToPartyID: b.NodeID()}, crm.Write{})
		require.NoError(t, err)
		counts[statements.Count()] = true
		a, b = b, a
	}
	// begin; the queue; who has it; parties, customers, accounts; the vehicle; its associations; the end,
	// the beginning, the vehicle, the event; commit
	require.Equal(t, map[int]bool{13: true}, counts)
}

func TestAdoptVehicle(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	v, owner := g.stray(t), g.individual(t, "Driver")
	v, err := g.store.AdoptVehicle(g.admin(t), v.NodeID(), owner.NodeID(), at(v.Revision))
	require.NoError(t, err)
	require.Equal(t, owner.NodeID(), g.owner(t, v))
	require.EqualValues(t, 2, v.Revision)
	require.Equal(t, []crm.EventType{crm.VehicleCreated, crm.VehicleOwnerAssociated}, g.story(t, v))
	_, err = g.store.AdoptVehicle(g.admin(t), v.NodeID(), g.individual(t, "Driver").NodeID(), at(v.Revision))
	refused(t, err, crm.Conflict, crm.InvalidState, "id")

	stray := g.stray(t)
	won := 0
	for _, err := range atOnce(20, func(int) error {
		_, err := g.store.AdoptVehicle(g.admin(t), stray.NodeID(), owner.NodeID(), crm.Write{})
		return err
	}) {
		if err == nil {
			won++
		}
	}
	require.Equal(t, 1, won, "one of many who adopt it at once")
}

func TestDrivers(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	t.Run("a driver is a person, of a vehicle that has an owner", func(t *testing.T) {
		t.Parallel()
		v := g.car(t, g.organization(t, "Firm"))
		_, err := g.store.AssignDriver(g.admin(t), v.NodeID(), g.organization(t, "Firm").NodeID(), at(v.Revision))
		refused(t, err, crm.Invalid, "", "partyId")
		stray := g.stray(t)
		_, err = g.store.AssignDriver(g.admin(t), stray.NodeID(), g.individual(t, "Driver").NodeID(), at(stray.Revision))
		refused(t, err, crm.Conflict, crm.InvalidState, "id")
	})
	t.Run("the same driver has no second row, and nothing is written", func(t *testing.T) {
		t.Parallel()
		v, driver := g.car(t, g.individual(t, "Driver")), g.individual(t, "Driver")
		v, err := g.store.AssignDriver(g.admin(t), v.NodeID(), driver.NodeID(), at(v.Revision))
		require.NoError(t, err)
		require.EqualValues(t, 2, v.Revision)
		v, err = g.store.AssignDriver(g.admin(t), v.NodeID(), driver.NodeID(), at(v.Revision))
		require.NoError(t, err)
		require.EqualValues(t, 2, v.Revision)
		require.Equal(t, []string{driver.NodeID()}, g.drivers(t, v))
		require.Equal(t, []crm.EventType{crm.VehicleCreated, crm.VehicleOwnerAssociated, crm.VehicleDriverAssigned}, g.story(t, v))
	})
	t.Run("many who assign the same driver at once make one row", func(t *testing.T) {
		t.Parallel()
		v, driver := g.car(t, g.individual(t, "Driver")), g.individual(t, "Driver")
		for _, err := range atOnce(20, func(int) error {
			_, err := g.store.AssignDriver(g.admin(t), v.NodeID(), driver.NodeID(), crm.Write{})
			return err
		}) {
			require.NoError(t, err)
		}
		require.Equal(t, []string{driver.NodeID()}, g.drivers(t, v))
	})
	t.Run("a driver leaves, and only one who is", func(t *testing.T) {
		t.Parallel()
		owner, driver := g.individual(t, "Driver"), g.individual(t, "Driver")
		v := g.car(t, owner)
		v, err := g.store.AssignDriver(g.admin(t), v.NodeID(), driver.NodeID(), at(v.Revision))
		require.NoError(t, err)
		_, err = g.store.ReleaseDriver(g.admin(t), v.NodeID(), owner.NodeID(), at(v.Revision))
		refused(t, err, crm.NotFound, "", "partyId")
		v, err = g.store.ReleaseDriver(g.admin(t), v.NodeID(), driver.NodeID(), at(v.Revision))
		require.NoError(t, err)
		require.Empty(t, g.drivers(t, v))
		require.Equal(t, owner.NodeID(), g.owner(t, v), "its owner stays")
		require.Equal(t, crm.VehicleReleased, g.story(t, v)[3])
	})
}

func TestSetOwnedVINs(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	owned := func(t *testing.T, p *crm.Party) map[string]*crm.Vehicle {
		t.Helper()
		list, err := crm.PartyVehicles.All(g.admin(t), p)
		require.NoError(t, err)
		byVIN := map[string]*crm.Vehicle{}
		for _, v := range list {
			byVIN[*v.VINNormalised] = v
		}
		return byVIN
	}
	t.Run("unknown VINs are made, unowned ones adopted, kept ones stay as they are, others end", func(t *testing.T) {
		t.Parallel()
		p, stray := g.individual(t, "Driver"), g.stray(t)
		kept, dropped := g.car(t, p), g.car(t, p)
		a, b := g.vin(), g.vin()
		require.NoError(t, g.store.SetOwnedVINs(g.admin(t), p.NodeID(), []string{a, *kept.VINNormalised, " " + *stray.VINNormalised, b}))
		now := owned(t, p)
		require.Len(t, now, 4)
		require.Equal(t, kept.Revision, now[*kept.VINNormalised].Revision)
		require.Equal(t, stray.NodeID(), now[*stray.VINNormalised].NodeID())
		require.Equal(t, now[a].Number+1, now[b].Number)
		require.Equal(t, []crm.EventType{crm.VehicleCreated, crm.VehicleOwnerAssociated}, g.story(t, now[a]))
		require.Equal(t, []crm.EventType{crm.VehicleCreated, crm.VehicleOwnerAssociated}, g.story(t, stray))
		require.Equal(t, []crm.EventType{crm.VehicleCreated, crm.VehicleOwnerAssociated, crm.VehicleReleased}, g.story(t, dropped))
		require.Equal(t, crm.VehicleActive, g.stored(t, dropped).Status)
		require.Empty(t, g.owner(t, dropped))
	})
	t.Run("a VIN of someone else is refused at its place, and nothing changes", func(t *testing.T) {
		t.Parallel()
		p, theirs := g.individual(t, "Driver"), g.car(t, g.individual(t, "Driver"))
		mine := g.car(t, p)
		err := g.store.SetOwnedVINs(g.admin(t), p.NodeID(), []string{g.vin(), *theirs.VINNormalised})
		require.Equal(t, theirs.NodeID(), refused(t, err, crm.Conflict, crm.DuplicateVIN, "input.vehicleVins[1]").Related)
		require.Equal(t, []crm.EventType{crm.VehicleCreated, crm.VehicleOwnerAssociated}, g.story(t, mine))
		require.Len(t, owned(t, p), 1)
	})
	t.Run("VINs that are malformed, twice or too many are refused", func(t *testing.T) {
		t.Parallel()
		vin := g.vin()
		err := g.store.SetOwnedVINs(g.admin(t), g.individual(t, "Driver").NodeID(), []string{"x", vin, vin + " "})
		require.Equal(t, []string{"INVALID  input.vehicleVins[0]", "INVALID  input.vehicleVins[2]"}, refusals(err))
		err = g.store.SetOwnedVINs(g.admin(t), g.individual(t, "Driver").NodeID(), make([]string, 501))
		require.Contains(t, refusals(err), "INVALID  input.vehicleVins")
	})
	t.Run("of many who want the same new VINs at once one gets them", func(t *testing.T) {
		t.Parallel()
		vins, parties := []string{g.vin(), g.vin(), g.vin()}, make([]*crm.Party, 20)
		for i := range parties {
			parties[i] = g.individual(t, "Driver")
		}
		won := 0
		for i, err := range atOnce(len(parties), func(i int) error { return g.store.SetOwnedVINs(g.admin(t), parties[i].NodeID(), vins) }) {
			if err == nil {
				won++
				require.Len(t, owned(t, parties[i]), 3)
				continue
			}
			refused(t, err, crm.Conflict, crm.DuplicateVIN, "input.vehicleVins[0]")
		}
		require.Equal(t, 1, won)
	})
}
