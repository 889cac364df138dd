package crm_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/internal/crmtest"
)

func firstOf(t *testing.T, size int) crm.Page {
	t.Helper()
	page, err := crm.NewPage(&size, nil, nil, nil, nil)
	require.NoError(t, err)
	return page
}

// While there is no connection to be had, one wait tells all that were to be loaded together.
func TestLookAheadWaitsOnceForAConnection(t *testing.T) {
	t.Parallel()
	store := crmtest.Store(t, crmtest.Seeded(t))
	ctx, _ := crmtest.As(t, store, "demo", "admin")
	found, err := store.Customers(ctx, nil, nil, firstOf(t, 20))
	require.NoError(t, err)
	customer := found.Nodes()[0]
	id := customer.NodeID()
	vehicles := firstOf(t, 3)
	plan := crm.Plan{{Field: "party", Next: crm.Plan{{Field: "contactPoints", Page: crm.WholeList()}}}, {Field: "vehicles", Page: vehicles, Count: true}}
	other, _ := crmtest.As(t, store, "demo", "admin")

	free := crmtest.Occupy(t, store.DB, ctx)
	defer free()
	waits := func(do func()) int64 {
		before := store.DB.Stat().CanceledAcquireCount()
		do()
		return store.DB.Stat().CanceledAcquireCount() - before
	}
	require.EqualValues(t, 1, waits(func() {
		crm.Prefetch(ctx, "Customer", found.Nodes(), plan)
		for _, customer := range found.Nodes() {
			_, err := crm.CustomerParty.Load(ctx, customer)
			require.Equal(t, crm.Unavailable, crm.CodeOf(err))
			_, err = crm.CustomerVehicles.Load(ctx, customer, vehicles)
			require.Equal(t, crm.Unavailable, crm.CodeOf(err))
		}
	}), "edges")
	require.EqualValues(t, 1, waits(func() {
		_, err := store.Customer(crm.WithPlan(other, "Customer", func() crm.Plan { return plan }), crm.CustomerBy{ID: &id})
		require.Equal(t, crm.Unavailable, crm.CodeOf(err))
	}), "a record with its edges")
}

// An edge that cannot be loaded takes neither the record with it nor the other edges, whether that
// shows before anything is read or later.
func TestARecordDoesWithoutItsEdges(t *testing.T) {
	t.Parallel()
	for _, harm := range []string{"ALTER TABLE vehicle RENAME TO gone", "REVOKE SELECT ON vehicle FROM " + db.AppRole} {
		t.Run(harm, func(t *testing.T) {
			t.Parallel()
			url := crmtest.Seeded(t)
			store := crmtest.Store(t, url)
			ctx, _ := crmtest.As(t, store, "demo", "admin")
			found, err := store.Customers(ctx, nil, nil, firstOf(t, 1))
			require.NoError(t, err)
			id := found.Nodes()[0].NodeID()
			owner, err := pgx.Connect(t.Context(), url)
			require.NoError(t, err)
			_, err = owner.Exec(t.Context(), harm)
			require.NoError(t, err)
			require.NoError(t, owner.Close(t.Context()))

			vehicles := firstOf(t, 3)
			ctx, _ = crmtest.As(t, store, "demo", "admin")
			plan := func() crm.Plan { return crm.Plan{{Field: "vehicles", Page: vehicles}, {Field: "party"}} }
			customer, err := store.Customer(crm.WithPlan(ctx, "Customer", plan), crm.CustomerBy{ID: &id})
			require.NoError(t, err)
			_, err = crm.CustomerVehicles.Load(ctx, customer, vehicles)
			require.Equal(t, crm.Internal, crm.CodeOf(err))
			party, err := crm.CustomerParty.Load(ctx, customer)
			require.NoError(t, err)
			require.Equal(t, customer.ID, party.ID)
		})
	}
}
