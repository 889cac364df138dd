package crm_test

import (
	"context"
	"testing"

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

	free := crmtest.Occupy(ctx, t, store.DB)
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
// shows before anything is read or later, and however many records there are.
func TestAnEdgeFailsAlone(t *testing.T) {
	t.Parallel()
	for harm, want := range map[string]crm.Code{
		"ALTER TABLE vehicle RENAME TO gone":                 crm.Internal,
		"REVOKE SELECT ON vehicle FROM " + db.AppRole:        crm.Internal,
		"BEGIN; LOCK TABLE vehicle IN ACCESS EXCLUSIVE MODE": crm.Unavailable,
	} {
		t.Run(harm, func(t *testing.T) {
			t.Parallel()
			url := crmtest.Seeded(t)
			store := crmtest.Store(t, url)
			ctx, _ := crmtest.As(t, store, "demo", "admin")
			found, err := store.Customers(ctx, nil, nil, firstOf(t, 20))
			require.NoError(t, err)
			id := found.Nodes()[0].NodeID()
			_, err = crmtest.Connect(t, url).Exec(t.Context(), harm)
			require.NoError(t, err)

			vehicles := firstOf(t, 3)
			plan := crm.Plan{{Field: "vehicles", Page: vehicles}, {Field: "party"}, {Field: "warranties", Page: vehicles}}
			check := func(ctx context.Context, customer *crm.Customer) {
				_, err = crm.CustomerVehicles.Load(ctx, customer, vehicles)
				require.Equal(t, want, crm.CodeOf(err))
				party, err := crm.CustomerParty.Load(ctx, customer)
				require.NoError(t, err)
				require.Equal(t, customer.ID, party.ID)
				_, err = crm.CustomerWarranties.Load(ctx, customer, vehicles)
				require.NoError(t, err)
			}
			ctx, statements := crmtest.As(t, store, "demo", "admin")
			crm.Prefetch(ctx, "Customer", found.Nodes(), plan)
			for _, customer := range found.Nodes() {
				check(ctx, customer)
			}
			require.LessOrEqual(t, statements.Count(), 6, "each once together and once alone")

			ctx, _ = crmtest.As(t, store, "demo", "admin")
			customer, err := store.Customer(crm.WithPlan(ctx, "Customer", func() crm.Plan { return plan }), crm.CustomerBy{ID: &id})
			require.NoError(t, err)
			check(ctx, customer)
		})
	}
}

// A connection that was cut while it was idle costs a look-ahead nothing but time.
func TestLookAheadSurvivesACutConnection(t *testing.T) {
	t.Parallel()
	url := crmtest.Seeded(t)
	store := crmtest.Store(t, url)
	ctx, _ := crmtest.As(t, store, "demo", "admin")
	found, err := store.Customers(ctx, nil, nil, firstOf(t, 20))
	require.NoError(t, err)
	_, err = crmtest.Connect(t, url).Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	require.NoError(t, err)
	crm.Prefetch(ctx, "Customer", found.Nodes(), crm.Plan{{Field: "party"}, {Field: "loyaltyAccount"}})
	for _, customer := range found.Nodes() {
		_, err := crm.CustomerParty.Load(ctx, customer)
		require.NoError(t, err)
		_, err = crm.CustomerLoyaltyAccount.Load(ctx, customer)
		require.NoError(t, err)
	}
}
