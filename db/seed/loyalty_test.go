package seed

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// opened is an empty ledger that began two years before today.
func opened(t *testing.T) *ledger {
	t.Helper()
	g := newGenerator("ledger", "Ledger", today())
	euro := "EUR"
	return g.openLedger(&crm.Customer{Row: g.row()}, &euro, today().AddDate(-2, 0, 0))
}

func remaining(l *ledger) []int64 {
	var all []int64
	for _, lot := range l.lots {
		all = append(all, lot.Remaining)
	}
	return all
}

func TestLedger(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return today().AddDate(-1, 0, n) }

	t.Run("takes points from the lot that expires first", func(t *testing.T) {
		t.Parallel()
		l := opened(t)
		l.earn(day(0), 50_000, onWeb) // available on day 60
		l.earn(day(1), 20_000, inStore)
		require.True(t, l.redeem(day(61), 250))
		require.Equal(t, []int64{450, 0}, remaining(l))
	})

	t.Run("spends neither pending nor expired points", func(t *testing.T) {
		t.Parallel()
		l := opened(t)
		l.earn(day(0), 50_000, onWeb)
		require.False(t, l.redeem(day(59), 50), "pending")
		require.True(t, l.redeem(day(60), 50))
		require.False(t, l.redeem(day(60).AddDate(1, 0, 0), 50), "expired")
		require.Equal(t, []int64{450}, remaining(l))
		require.EqualValues(t, 450, l.account.Balance)
	})

	t.Run("refuses more than there is and takes nothing", func(t *testing.T) {
		t.Parallel()
		l := opened(t)
		l.earn(day(0), 10_000, inStore)
		require.False(t, l.redeem(day(1), 150))
		require.False(t, l.adjust(day(1), -101, "too much"))
		require.Equal(t, []int64{100}, remaining(l))
	})

	t.Run("reverses only a purchase whose points are all there", func(t *testing.T) {
		t.Parallel()
		l := opened(t)
		l.earn(day(0), 10_000, inStore)
		l.earn(day(1), 20_000, inStore)
		require.True(t, l.redeem(day(2), 50))
		require.True(t, l.reverse(day(3)))
		require.False(t, l.reverse(day(4)), "the other one is partly spent")
		require.Equal(t, []int64{50, 0}, remaining(l))
		require.EqualValues(t, 100, l.account.LifetimeEarned)
	})

	t.Run("restores a redemption once, into a new lot", func(t *testing.T) {
		t.Parallel()
		l := opened(t)
		l.earn(day(0), 10_000, inStore)
		require.True(t, l.redeem(day(1), 100))
		require.True(t, l.restore(day(2)))
		require.False(t, l.restore(day(3)))
		require.Equal(t, []int64{0, 100}, remaining(l))
		require.Len(t, l.g.links, 1)
	})

	t.Run("sweeps what has expired by then", func(t *testing.T) {
		t.Parallel()
		l := opened(t)
		l.earn(day(0), 10_000, inStore)
		l.earn(day(9), 20_000, inStore)
		require.False(t, l.sweep(day(-1).AddDate(1, 0, 0)))
		require.True(t, l.sweep(day(0).AddDate(1, 0, 0)))
		require.Equal(t, []int64{0, 200}, remaining(l))
		require.EqualValues(t, 200, l.account.Balance)
	})
}
