package crm_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// garage is a world whose clock goes on by a second whenever it is read.
type garage struct {
	*world

	last atomic.Int64 // the VIN made last
}

func newGarage(t *testing.T) *garage {
	t.Helper()
	w := newWorld(t)
	w.store = w.wide(t)
	var ticks atomic.Int64
	w.store.Now = func() time.Time { return crmtest.Today().Add(time.Duration(ticks.Add(1)) * time.Second) }
	return &garage{world: w}
}

// vin is one that no vehicle has.
func (g *garage) vin() string { return fmt.Sprintf("XTESTVHXXXX%06d", g.last.Add(1)) }

// car makes a vehicle of a person.
func (g *garage) car(t *testing.T, owner *crm.Party) *crm.Vehicle {
	t.Helper()
	v, err := g.store.CreateVehicle(g.admin(t), owner.NodeID(), crm.VehicleInput{VIN: g.vin(), Description: "A car", UnitNumber: new("U-1")}, crm.Write{})
	require.NoError(t, err)
	return v
}

// stray makes a vehicle that nobody owns.
func (g *garage) stray(t *testing.T) *crm.Vehicle {
	t.Helper()
	v, err := g.store.RegisterVehicle(g.admin(t), crm.VehicleRegistration{VIN: g.vin(), Make: "Peterbilt", Model: "579", Year: 2015}, crm.Write{})
	require.NoError(t, err)
	return v
}

// stored reads a vehicle anew.
func (g *garage) stored(t *testing.T, v *crm.Vehicle) *crm.Vehicle {
	t.Helper()
	id := v.NodeID()
	found, err := g.store.Vehicle(g.admin(t), crm.VehicleBy{ID: &id})
	require.NoError(t, err)
	return found
}

// owner is the global id of who owns a vehicle, empty when nobody does.
func (g *garage) owner(t *testing.T, v *crm.Vehicle) string {
	t.Helper()
	p, err := crm.VehicleOwner.Load(g.admin(t), v)
	require.NoError(t, err)
	if p == nil {
		return ""
	}
	return p.NodeID()
}

// drivers are the global ids of who drives a vehicle.
func (g *garage) drivers(t *testing.T, v *crm.Vehicle) []string {
	t.Helper()
	list, err := crm.VehicleDrivers.All(g.admin(t), v)
	require.NoError(t, err)
	ids := []string{}
	for _, p := range list {
		ids = append(ids, p.NodeID())
	}
	return ids
}

// history are a vehicle's ownerships, oldest first.
func (g *garage) history(t *testing.T, v *crm.Vehicle) []*crm.VehicleAssociation {
	t.Helper()
	list, err := crm.VehicleOwnershipHistory.All(g.admin(t), v)
	require.NoError(t, err)
	oldestFirst := make([]*crm.VehicleAssociation, len(list))
	for i, a := range list {
		oldestFirst[len(list)-1-i] = a
	}
	return oldestFirst
}

// story tells the types of what happened to a vehicle, oldest first.
func (g *garage) story(t *testing.T, v *crm.Vehicle) []crm.EventType {
	t.Helper()
	list, err := crm.VehicleEvents.All(g.admin(t), v)
	require.NoError(t, err)
	types := make([]crm.EventType, len(list))
	for i, e := range list {
		types[len(list)-1-i] = e.Type
	}
	return types
}
