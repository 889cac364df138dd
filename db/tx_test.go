package db_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"crmgraph/db"
	"crmgraph/internal/crmtest"
)

// counters are the rows of the tests: a tenant's counters a and b.
type counters struct {
	*db.DB

	ctx context.Context //nolint:containedctx // the tenant's
}

func newCounters(t *testing.T) counters {
	t.Helper()
	d := crmtest.Open(t, crmtest.Seeded(t))
	c := counters{d, db.WithTenant(t.Context(), tenants(t, d)["demo"])}
	require.NoError(t, d.Transact(c.ctx, func(ctx context.Context, tx *db.Tx) error {
		return errors.Join(c.add(ctx, tx, "a"), c.add(ctx, tx, "b"))
	}))
	return c
}

// add makes a counter one more, and first makes it if need be.
func (c counters) add(ctx context.Context, tx *db.Tx, name string) error {
	return tx.Query(ctx, `INSERT INTO counter SELECT current_setting('app.tenant')::uuid, $1, 0
		ON CONFLICT (tenant_id, name) DO UPDATE SET last_value = counter.last_value + 1`, []any{name}, nothing)
}

func (c counters) value(t *testing.T, name string) int {
	t.Helper()
	return count(t, c.ctx, c.DB, "SELECT last_value FROM counter WHERE name = $1", name)
}

func nothing(rows pgx.Rows) error {
	rows.Next()
	return rows.Err()
}

func TestTransact_WhoGaveWayToADeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	var mu sync.Mutex
	attempts := 0
	var both sync.WaitGroup
	both.Add(2)
	run := func(mine, other string) error {
		first := true
		return c.Transact(c.ctx, func(ctx context.Context, tx *db.Tx) error {
			mu.Lock()
			attempts++
			mu.Unlock()
			if err := c.add(ctx, tx, mine); err != nil {
				return err
			}
			if first { // both hold their own before either asks for the other's
				first = false
				both.Done()
				both.Wait()
			}
			return c.add(ctx, tx, other)
		})
	}
	var one, two error
	var done sync.WaitGroup
	done.Go(func() { one = run("a", "b") })
	done.Go(func() { two = run("b", "a") })
	done.Wait()
	require.NoError(t, one)
	require.NoError(t, two)
	require.GreaterOrEqual(t, attempts, 3, "who gave way tried again")
	require.Equal(t, []int{2, 2}, []int{c.value(t, "a"), c.value(t, "b")}, "each took effect once")
}

// interrupted reads, lets another transaction change what it read, and changes it, too.
func (c counters) interrupted(t *testing.T, times int) (attempts int, err error) {
	t.Helper()
	err = c.Transact(c.ctx, func(ctx context.Context, tx *db.Tx) error {
		attempts++
		if err := tx.Query(ctx, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", nil, nothing); err != nil {
			return err
		}
		if err := tx.Query(ctx, "SELECT last_value FROM counter WHERE name = 'a'", nil, nothing); err != nil {
			return err
		}
		if attempts <= times {
			require.NoError(t, c.Transact(c.ctx, func(ctx context.Context, tx *db.Tx) error { return c.add(ctx, tx, "a") }))
		}
		return errors.Join(c.add(ctx, tx, "b"), c.add(ctx, tx, "a"))
	})
	return attempts, err
}

func TestTransact_SerializationFailures(t *testing.T) {
	t.Parallel()
	t.Run("are tried again", func(t *testing.T) {
		t.Parallel()
		c := newCounters(t)
		attempts, err := c.interrupted(t, 2)
		require.NoError(t, err)
		require.Equal(t, 3, attempts)
		require.Equal(t, []int{3, 1}, []int{c.value(t, "a"), c.value(t, "b")}, "earlier tries left nothing")
	})
	t.Run("are given up after five times, as something that may work later", func(t *testing.T) {
		t.Parallel()
		c := newCounters(t)
		attempts, err := c.interrupted(t, 100)
		require.Equal(t, 5, attempts)
		require.True(t, db.IsUnavailable(err), "%v", err)
		require.Equal(t, []int{5, 0}, []int{c.value(t, "a"), c.value(t, "b")})
	})
}

func TestTransact(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	errOurs := errors.New("ours")
	t.Run("an error takes everything back and is not tried again", func(t *testing.T) {
		attempts := 0
		err := c.Transact(c.ctx, func(ctx context.Context, tx *db.Tx) error {
			attempts++
			require.NoError(t, c.add(ctx, tx, "a"))
			return errOurs
		})
		require.ErrorIs(t, err, errOurs)
		require.Equal(t, 1, attempts)
		require.Zero(t, c.value(t, "a"))
	})
	t.Run("a context that ends takes everything back, and the connection serves others", func(t *testing.T) {
		for range 10 {
			ctx, cancel := context.WithCancel(c.ctx)
			err := c.Transact(ctx, func(ctx context.Context, tx *db.Tx) error {
				require.NoError(t, c.add(ctx, tx, "a"))
				cancel()
				return nil
			})
			require.ErrorIs(t, err, context.Canceled)
		}
		require.Zero(t, c.value(t, "a"))
		require.Zero(t, c.Stat().AcquiredConns())
	})
	t.Run("a context that ends in the middle of a statement, too", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(c.ctx, 100*time.Millisecond)
		defer cancel()
		err := c.Transact(ctx, func(ctx context.Context, tx *db.Tx) error {
			require.NoError(t, c.add(ctx, tx, "a"))
			return tx.Query(ctx, "SELECT pg_sleep(4)", nil, nothing)
		})
		require.True(t, db.IsUnavailable(err), "%v", err)
		require.Zero(t, c.value(t, "a"))
	})
	t.Run("it sees the tenant's rows and no others", func(t *testing.T) {
		err := c.Transact(c.ctx, func(ctx context.Context, tx *db.Tx) error {
			return tx.Query(ctx, "INSERT INTO counter SELECT id, 'x', 0 FROM tenant WHERE code = 'acme'", nil, nothing)
		})
		var pg *pgconn.PgError
		require.ErrorAs(t, err, &pg)
		require.Equal(t, "42501", pg.Code)
	})
}

func TestTry_TakesBackOnlyItsOwnChanges(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	errOurs := errors.New("ours")
	require.NoError(t, c.Transact(c.ctx, func(ctx context.Context, tx *db.Tx) error {
		require.NoError(t, c.add(ctx, tx, "a"))
		require.ErrorIs(t, tx.Try(ctx, func(inner *db.Tx) error {
			require.NoError(t, c.add(ctx, inner, "a"))
			require.NoError(t, c.add(ctx, inner, "b"))
			return errOurs
		}), errOurs)
		var pg *pgconn.PgError
		require.ErrorAs(t, tx.Try(ctx, func(inner *db.Tx) error {
			return inner.Query(ctx, "INSERT INTO counter SELECT current_setting('app.tenant')::uuid, 'a', 0", nil, nothing)
		}), &pg)
		require.Equal(t, "23505", pg.Code, "the transaction outlives a statement that failed")
		return tx.Try(ctx, func(inner *db.Tx) error { return c.add(ctx, inner, "b") })
	}))
	require.Equal(t, []int{1, 1}, []int{c.value(t, "a"), c.value(t, "b")})
}

func TestViolated(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	violate := func(sql string) error {
		return c.Transact(c.ctx, func(ctx context.Context, tx *db.Tx) error { return tx.Query(ctx, sql, nil, nothing) })
	}
	name, ok := db.Violated(violate("UPDATE counter SET last_value = -1"))
	require.True(t, ok)
	require.Equal(t, "counter_value_check", name)
	_, ok = db.Violated(violate("SELECT 1/0"))
	require.False(t, ok)
	_, ok = db.Violated(errors.New("counter_value_check"))
	require.False(t, ok)
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	setting := func(ctx context.Context, query func(context.Context, string, []any, func(pgx.Rows) error) error) (value string) {
		require.NoError(t, query(ctx, "SELECT current_setting('statement_timeout')", nil, func(rows pgx.Rows) (err error) {
			value, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
			return err
		}))
		return value
	}
	t.Run("everything is as it was when it began", func(t *testing.T) {
		require.NoError(t, c.Snapshot(c.ctx, func(ctx context.Context, tx *db.Tx) error {
			value := func() (n int) {
				require.NoError(t, tx.Query(ctx, "SELECT last_value::int FROM counter WHERE name = 'a'", nil, func(rows pgx.Rows) (err error) {
					n, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
					return err
				}))
				return n
			}
			before := value()
			require.NoError(t, c.Transact(c.ctx, func(ctx context.Context, other *db.Tx) error { return c.add(ctx, other, "a") }))
			require.Equal(t, before, value())
			require.Equal(t, before+1, c.value(t, "a"), "outside it is not")
			return nil
		}))
	})
	t.Run("nothing can be written", func(t *testing.T) {
		err := c.Snapshot(c.ctx, func(ctx context.Context, tx *db.Tx) error { return c.add(ctx, tx, "a") })
		require.ErrorContains(t, err, "read-only transaction")
	})
	t.Run("statements are bounded by the context alone, and only inside", func(t *testing.T) {
		require.NoError(t, c.Snapshot(c.ctx, func(ctx context.Context, tx *db.Tx) error {
			require.Equal(t, "0", setting(ctx, tx.Query))
			return nil
		}))
		for range 8 { // whichever connection it was
			require.Equal(t, "5s", setting(c.ctx, c.Query))
		}
		ctx, cancel := context.WithTimeout(c.ctx, 50*time.Millisecond)
		defer cancel()
		err := c.Snapshot(ctx, func(ctx context.Context, tx *db.Tx) error { return tx.Query(ctx, "SELECT pg_sleep(60)", nil, nothing) })
		require.True(t, db.IsUnavailable(err), "%v", err)
	})
}
