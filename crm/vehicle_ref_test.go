package crm_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// mergedParty is a party that was merged into another one.
func (g *garage) mergedParty(t *testing.T) *crm.Party {
	t.Helper()
	list, err := g.store.Parties(g.admin(t), &crm.PartyWhere{Status: &crm.EnumFilter[crm.PartyStatus]{Eq: new(crm.PartyMerged)}}, nil, crm.WholeList())
	require.NoError(t, err)
	return list.Nodes()[0]
}

func TestVehicleRef(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	owner, other := g.individual(t, "Driver"), g.individual(t, "Driver")
	v := g.car(t, owner)
	gone := g.car(t, owner)
	_, err := g.store.DeactivateVehicle(g.admin(t), gone.NodeID(), at(gone.Revision))
	require.NoError(t, err)
	left := g.individual(t, "Driver")
	_, err = g.store.DeactivateParty(g.admin(t), left.NodeID(), crm.Write{})
	require.NoError(t, err)
	id := func(row crm.Node) *string { return new(row.NodeID()) }
	const none, nobody = "veh_018f0000-0000-7000-8000-000000000000", "pty_018f0000-0000-7000-8000-000000000000"

	// Each of these is read, changed and deactivated; what is refused is refused all three times.
	acts := map[string]func(crm.VehicleRef) (*crm.Vehicle, error){
		"read": func(ref crm.VehicleRef) (*crm.Vehicle, error) { return g.store.VehicleInUse(g.admin(t), ref) },
		"update": func(ref crm.VehicleRef) (*crm.Vehicle, error) {
			return g.store.UpdateVehicleBy(g.admin(t), ref, crm.VehicleUpdate{Trim: crm.Given(new("S"))}, crm.Write{})
		},
		"deactivate": func(ref crm.VehicleRef) (*crm.Vehicle, error) {
			return g.store.DeactivateVehicleBy(g.admin(t), ref, crm.Write{})
		},
	}
	for name, c := range map[string]struct {
		ref    crm.VehicleRef
		code   crm.Code
		reason crm.Reason
		field  string
	}{
		"nothing":                                    {crm.VehicleRef{OwnerID: id(owner)}, crm.Invalid, "", "id"},
		"two at once":                                {crm.VehicleRef{ID: id(v), Number: &v.Number}, crm.Invalid, "", "id"},
		"an id of another type":                      {crm.VehicleRef{ID: id(owner)}, crm.Invalid, "", "id"},
		"an owner's id of another type":              {crm.VehicleRef{ID: id(v), OwnerID: id(v)}, crm.Invalid, "", "ownerId"},
		"no such id":                                 {crm.VehicleRef{ID: new(none)}, crm.NotFound, "", "id"},
		"no such number":                             {crm.VehicleRef{Number: new(int64(-1))}, crm.NotFound, "", "id"},
		"no such VIN":                                {crm.VehicleRef{VIN: new(g.vin())}, crm.NotFound, "", "id"},
		"no VIN at all":                              {crm.VehicleRef{VIN: new("nonsense\x00")}, crm.NotFound, "", "id"},
		"a deactivated vehicle":                      {crm.VehicleRef{ID: id(gone)}, crm.Conflict, crm.InvalidState, "id"},
		"a deactivated vehicle by its number":        {crm.VehicleRef{Number: &gone.Number}, crm.Conflict, crm.InvalidState, "id"},
		"the VIN of a deactivated one":               {crm.VehicleRef{VIN: gone.VINNormalised}, crm.NotFound, "", "id"},
		"who does not own it":                        {crm.VehicleRef{ID: id(v), OwnerID: id(other)}, crm.NotFound, "", "id"},
		"who does not own it, by VIN":                {crm.VehicleRef{VIN: v.VINNormalised, OwnerID: id(other)}, crm.NotFound, "", "id"},
		"what nobody owns":                           {crm.VehicleRef{ID: id(g.stray(t)), OwnerID: id(other)}, crm.NotFound, "", "id"},
		"what its owner has no more":                 {crm.VehicleRef{ID: id(gone), OwnerID: id(owner)}, crm.NotFound, "", "id"},
		"nobody":                                     {crm.VehicleRef{ID: id(v), OwnerID: new(nobody)}, crm.NotFound, "", "ownerId"},
		"a merged owner":                             {crm.VehicleRef{ID: id(v), OwnerID: id(g.mergedParty(t))}, crm.Conflict, crm.MergedParty, "ownerId"},
		"a merged owner comes before an unknown one": {crm.VehicleRef{ID: new(none), OwnerID: id(g.mergedParty(t))}, crm.Conflict, crm.MergedParty, "ownerId"},
		"a deactivated owner":                        {crm.VehicleRef{ID: id(v), OwnerID: id(left)}, crm.Conflict, crm.InvalidState, "ownerId"},
	} {
		for act, do := range acts {
			t.Run(name+": "+act, func(t *testing.T) {
				t.Parallel()
				_, err := do(c.ref)
				if c.code == crm.Invalid {
					require.Equal(t, []string{"INVALID  " + c.field}, refusals(err))
					return
				}
				refused(t, err, c.code, c.reason, c.field)
			})
		}
	}
	for name, c := range map[string]func(v *crm.Vehicle, owner *crm.Party) crm.VehicleRef{
		"by id":     func(v *crm.Vehicle, _ *crm.Party) crm.VehicleRef { return crm.VehicleRef{ID: id(v)} },
		"by number": func(v *crm.Vehicle, _ *crm.Party) crm.VehicleRef { return crm.VehicleRef{Number: &v.Number} },
		"by a messy VIN": func(v *crm.Vehicle, _ *crm.Party) crm.VehicleRef {
			return crm.VehicleRef{VIN: new(" " + strings.ToLower(*v.VINNormalised))}
		},
		"of its owner": func(v *crm.Vehicle, o *crm.Party) crm.VehicleRef { return crm.VehicleRef{ID: id(v), OwnerID: id(o)} },
		"by VIN of an owner": func(v *crm.Vehicle, o *crm.Party) crm.VehicleRef {
			return crm.VehicleRef{VIN: v.VINNormalised, OwnerID: id(o)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := g.car(t, owner)
			ref := c(v, owner)
			for i, act := range []string{"read", "update", "deactivate"} {
				got, err := acts[act](ref)
				require.NoError(t, err)
				require.Equal(t, v.NodeID(), got.NodeID())
				require.EqualValues(t, i+1, got.Revision)
			}
			require.Equal(t, crm.VehicleInactive, g.stored(t, v).Status)
			require.Empty(t, g.owner(t, v))
		})
	}
	t.Run("a revision is asked for as of an id", func(t *testing.T) {
		t.Parallel()
		v := g.car(t, owner)
		_, err := g.store.UpdateVehicleBy(g.admin(t), crm.VehicleRef{Number: &v.Number}, crm.VehicleUpdate{Trim: crm.Given(new("S"))}, at(7))
		stale := refused(t, err, crm.Stale, "", "ifRevision")
		require.Nil(t, stale.Current.(*crm.Vehicle).Trim, "as it is stored")
		_, err = g.store.DeactivateVehicleBy(g.admin(t), crm.VehicleRef{Number: &v.Number, OwnerID: id(owner)}, at(7))
		refused(t, err, crm.Stale, "", "ifRevision")
	})
	t.Run("what can never be comes before what has changed", func(t *testing.T) {
		t.Parallel()
		v := g.car(t, owner)
		_, err := g.store.UpdateVehicle(g.admin(t), v.NodeID(), crm.VehicleUpdate{VIN: crm.Given(new(g.vin()))}, at(7))
		refused(t, err, crm.Invalid, crm.VINImmutable, "input.vin")
	})
	t.Run("a key is of one reference", func(t *testing.T) {
		t.Parallel()
		v, key := g.car(t, owner), "ref-1"
		in := crm.VehicleUpdate{Trim: crm.Given(new("S"))}
		first, err := g.store.UpdateVehicle(g.admin(t), v.NodeID(), in, crm.Write{IdempotencyKey: &key})
		require.NoError(t, err)
		again, err := g.store.UpdateVehicleBy(g.admin(t), crm.VehicleRef{ID: id(v)}, in, crm.Write{IdempotencyKey: &key})
		require.NoError(t, err)
		require.Equal(t, first.Revision, again.Revision)
		for _, ref := range []crm.VehicleRef{{Number: &v.Number}, {ID: id(v), OwnerID: id(owner)}} {
			_, err = g.store.UpdateVehicleBy(g.admin(t), ref, in, crm.Write{IdempotencyKey: &key})
			refused(t, err, crm.Conflict, crm.IdempotencyMismatch, "idempotencyKey")
		}
	})
	t.Run("each act needs its permission", func(t *testing.T) {
		t.Parallel()
		ref := crm.VehicleRef{ID: id(v), OwnerID: id(owner)}
		for _, p := range []crm.Permission{crm.VehicleView, crm.AssociationView, crm.PartyView} {
			_, err := g.store.VehicleInUse(g.lacking(t, p), ref)
			require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		}
		_, err := g.store.VehicleInUse(g.lacking(t, crm.AssociationView), crm.VehicleRef{ID: id(v)})
		require.NoError(t, err)
		_, err = g.store.UpdateVehicleBy(g.lacking(t, crm.VehicleEdit), ref, crm.VehicleUpdate{}, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		_, err = g.store.DeactivateVehicleBy(g.lacking(t, crm.VehicleDeactivate), ref, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
}

// Whoever changes or deactivates a vehicle as its owner does so while it is its owner's.
func TestVehicleRefWhileTheOwnerChanges(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	for range 8 {
		a, b := g.individual(t, "Driver"), g.individual(t, "Driver")
		v := g.car(t, a)
		ref := func(p *crm.Party) crm.VehicleRef {
			return crm.VehicleRef{VIN: v.VINNormalised, OwnerID: new(p.NodeID())}
		}
		errs := atOnce(6, func(i int) error {
			switch i {
			case 0:
				_, err := g.hand(t, v, a, b, crm.Write{})
				return err
			case 1, 2:
				_, err := g.store.UpdateVehicleBy(g.admin(t), ref(a), crm.VehicleUpdate{Trim: crm.Given(new("a"))}, crm.Write{})
				return err
			case 3:
				_, err := g.store.UpdateVehicleBy(g.admin(t), ref(b), crm.VehicleUpdate{Trim: crm.Given(new("b"))}, crm.Write{})
				return err
			case 4:
				_, err := g.store.DeactivateVehicleBy(g.admin(t), ref(b), crm.Write{})
				return err
			default:
				_, err := g.store.DeactivateVehicleBy(g.admin(t), ref(a), crm.Write{})
				return err
			}
		})
		for _, err := range errs {
			if err != nil {
				require.Contains(t, []crm.Code{crm.NotFound, crm.Conflict}, crm.CodeOf(err), "%v", err)
			}
		}
		// In the order in which it happened: what a does, the transfer, what b does; and nothing after the end.
		ended, owned := false, a.NodeID()
		events, err := crm.VehicleEvents.All(g.admin(t), v)
		require.NoError(t, err)
		for _, e := range slices.Backward(events) {
			require.False(t, ended, "%v", g.story(t, v))
			switch e.Type {
			case crm.VehicleOwnerReassigned:
				owned = b.NodeID()
			case crm.VehicleDeactivated:
				ended = true
				require.JSONEq(t, `{"parties":["`+owned+`"]}`, string(e.Details))
			default:
			}
		}
	}
}
