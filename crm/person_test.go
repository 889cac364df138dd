package crm_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

func TestPersonsInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(t, "UPDATE party SET deactivated_at = now() WHERE "+inDemo) // only those of the test are left
	persons := func(t *testing.T, by crm.PersonOrderField, direction crm.Direction, page crm.Page) (*crm.Found[crm.Customer], []string) {
		t.Helper()
		found, err := w.store.PersonsInUse(w.admin(t), crm.Order[crm.PersonOrderField]{Field: by, Direction: direction}, page)
		require.NoError(t, err)
		codes := []string{}
		for _, c := range found.Nodes() {
			codes = append(codes, c.Code)
		}
		return found, codes
	}
	newcomer := func(code string, lastName *string) *crm.Customer {
		return w.newcomer(t, crm.CustomerCreate{Code: &code, FirstName: new("Ann"), LastName: lastName})
	}
	newcomer("C1", new("zeta"))
	newcomer("C2", new("Alpha"))
	newcomer("C3", nil)
	newcomer("C4", new("ALPHA"))
	newcomer("C5", new("Ärger"))
	gone := newcomer("C6", new("Deactivated"))
	_, err := w.store.DeactivateCustomer(w.admin(t), gone.NodeID(), crm.Write{})
	require.NoError(t, err)
	black := newcomer("C7", new("Anonymised"))
	_, err = w.store.AnonymizeCustomer(w.admin(t), black.NodeID(), crm.Write{})
	require.NoError(t, err)
	w.merge(t, newcomer("C8", new("Survivor")), newcomer("C9", new("Loser")))
	w.firm(t, "A Firm Ltd")
	w.individual(t, "Contact")
	idle := newcomer("D1", new("Idle"))
	_, err = w.store.ChangeCustomerStatus(w.admin(t), idle.NodeID(), crm.CustomerInactive, crm.Write{})
	require.NoError(t, err)
	w.do(t, "UPDATE party SET created_at = '2020-01-01' WHERE id = $1", idle.ID)

	for name, c := range map[string]struct {
		by        crm.PersonOrderField
		direction crm.Direction
		want      []string
	}{
		"by number":                  {crm.PersonsByNumber, crm.Asc, []string{"C1", "C2", "C3", "C4", "C5", "C8", "D1"}},
		"by number, downwards":       {crm.PersonsByNumber, crm.Desc, []string{"D1", "C8", "C5", "C4", "C3", "C2", "C1"}},
		"by last name":               {crm.PersonsByLastName, crm.Asc, []string{"C2", "C4", "D1", "C8", "C1", "C5", "C3"}},
		"by last name, downwards":    {crm.PersonsByLastName, crm.Desc, []string{"C5", "C1", "C8", "D1", "C2", "C4", "C3"}},
		"by when they were made, up": {crm.PersonsByCreatedAt, crm.Asc, []string{"D1", "C1", "C2", "C3", "C4", "C5", "C8"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, codes := persons(t, c.by, c.direction, crm.NewSlice(100, 0))
			require.Equal(t, c.want, codes)
			require.False(t, found.HasNextPage())
			for at := range c.want {
				found, codes := persons(t, c.by, c.direction, crm.NewSlice(1, at))
				require.Equal(t, c.want[at:at+1], codes)
				require.Equal(t, at < len(c.want)-1, found.HasNextPage())
				total, err := found.TotalCount(w.admin(t))
				require.NoError(t, err)
				require.Equal(t, len(c.want), *total)
			}
		})
	}
	t.Run("far past the end there is nothing", func(t *testing.T) {
		t.Parallel()
		found, codes := persons(t, crm.PersonsByNumber, crm.Asc, crm.NewSlice(100, math.MaxInt32*100))
		require.Empty(t, codes)
		total, err := found.TotalCount(w.admin(t))
		require.NoError(t, err)
		require.Equal(t, 7, *total)
	})
	t.Run("of another tenant there are others", func(t *testing.T) {
		t.Parallel()
		ctx, _ := crmtest.As(t, w.store, "acme", "admin")
		found, err := w.store.PersonsInUse(ctx, crm.Order[crm.PersonOrderField]{Field: crm.PersonsByNumber}, crm.NewSlice(100, 0))
		require.NoError(t, err)
		for _, c := range found.Nodes() {
			require.NotEqual(t, gone.TenantID, c.TenantID)
		}
	})
	t.Run("an unknown order is refused, as is who may not see parties", func(t *testing.T) {
		t.Parallel()
		_, err := w.store.PersonsInUse(w.admin(t), crm.Order[crm.PersonOrderField]{Field: "SHOE_SIZE"}, crm.NewSlice(1, 0))
		require.Equal(t, []string{"orderBy.field"}, fields(t, err))
		_, err = w.store.PersonsInUse(w.lacking(t, crm.PartyView), crm.Order[crm.PersonOrderField]{Field: crm.PersonsByNumber}, crm.NewSlice(1, 0))
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
}

// What a customer owns is listed in the order in which it got it, which is not that of the vehicles.
func TestCustomerOwnerships(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owned := func(t *testing.T, c *crm.Customer) []string {
		t.Helper()
		ctx := w.admin(t)
		ownerships, err := crm.CustomerOwnerships.All(ctx, c)
		require.NoError(t, err)
		vins := []string{}
		for _, o := range ownerships {
			v, err := crm.AssociationVehicle.Load(ctx, o)
			require.NoError(t, err)
			vins = append(vins, *v.VINNormalised)
		}
		return vins
	}
	const first, second, third = "JTDKARFU2H3055001", "JTDKARFU2H3055002", "JTDKARFU2H3055003"
	_, err := w.store.RegisterVehicle(w.admin(t), crm.VehicleRegistration{VIN: third, Make: "Toyota", Model: "Prius", Year: 2017}, crm.Write{})
	require.NoError(t, err)
	c := w.newcomer(t, crm.CustomerCreate{LastName: new("Owner"), VehicleVINs: []string{second, third, first}})
	require.Equal(t, []string{second, third, first}, owned(t, c))
	w.updated(t, c, crm.CustomerUpdate{VehicleVINs: crm.Given([]string{first, second})})
	require.Equal(t, []string{second, first}, owned(t, c))
	w.updated(t, c, crm.CustomerUpdate{VehicleVINs: crm.Given([]string{third, first})})
	require.Equal(t, []string{first, third}, owned(t, c))
}
