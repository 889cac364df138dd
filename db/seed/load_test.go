package seed

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	d := setup(t)
	const customers = 500
	var told []int
	require.NoError(t, loadAt(t.Context(), d.url, "crowd", customers, today(), func(done int) { told = append(told, done) }))

	obeys(t, d)
	require.Equal(t, []int{customers}, told)
	require.Equal(t, "ACTIVE", one[string](t, d, "SELECT status FROM tenant WHERE code = 'crowd'"))
	for _, v := range []struct {
		table            string
		perHundred, slip int
	}{
		{"customer", 100, 0}, {"party", 100, 0}, {"account", 10, 0}, {"vehicle", 200, 20}, {"contact", 200, 0},
		{"loyalty_account", 100, 0}, {"loyalty_transaction", 1000, 50}, {"warranty", 200, 70},
	} {
		t.Run("has the promised number of rows in "+v.table, func(t *testing.T) {
			n := one[int](t, d, "SELECT count(*)::int FROM "+v.table)
			require.InDelta(t, v.perHundred*customers/100, n, float64(v.slip*customers/100))
		})
	}
	t.Run("has varied names", func(t *testing.T) {
		require.GreaterOrEqual(t, one[int](t, d, "SELECT count(DISTINCT display_name)::int FROM party"), customers*95/100)
	})
	t.Run("leaves the planner informed", func(t *testing.T) {
		require.Equal(t, customers, one[int](t, d, "SELECT reltuples::int FROM pg_class WHERE relname = 'customer'"))
	})
	t.Run("refuses a tenant that exists", func(t *testing.T) {
		before := d.dump(t)
		require.ErrorContains(t, Load(t.Context(), d.url, "crowd", 1, nil), `tenant "crowd" exists already`)
		require.Equal(t, before, d.dump(t))
	})
	t.Run("refuses a code that no tenant can have", func(t *testing.T) {
		require.ErrorContains(t, Load(t.Context(), d.url, "Not a code", 1, nil), `"Not a code" cannot be the code of a tenant`)
	})
	t.Run("refuses to make nobody", func(t *testing.T) {
		require.ErrorContains(t, Load(t.Context(), d.url, "nobody", 0, nil), "must be positive")
	})
	t.Run("adds another tenant beside the first", func(t *testing.T) {
		require.NoError(t, Load(t.Context(), d.url, "single", 1, nil))
		require.Equal(t, 2, one[int](t, d, "SELECT count(DISTINCT tenant_id)::int FROM customer"))
	})
}

func TestLoad_InSeveralBatches(t *testing.T) {
	t.Parallel()
	one, two := setup(t), setup(t)
	const customers = 2*batchCustomers + 1
	var told []int
	require.NoError(t, loadAt(t.Context(), one.url, "crowd", customers, today(), func(done int) { told = append(told, done) }))
	require.Len(t, told, 3)
	require.IsIncreasing(t, told)
	require.Equal(t, customers, told[2])

	require.NoError(t, loadAt(t.Context(), two.url, "crowd", customers, today(), nil))
	require.Equal(t, one.dump(t), two.dump(t), "whichever batch is written first")
}

func TestLoad_InterruptedLeavesTheTenantSuspended(t *testing.T) {
	t.Parallel()
	d := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := Load(ctx, d.url, "crowd", 3*batchCustomers, func(int) { cancel() })
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, "SUSPENDED", one[string](t, d, "SELECT status FROM tenant WHERE code = 'crowd'"))
}
