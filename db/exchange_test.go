package db_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"crmgraph/db"
)

const addSQL = "UPDATE counter SET last_value = last_value + 1 WHERE name = $1"

// exchange adds to a in the first round trip and to b in the second; between says what comes
// between them.
func (c counters) exchange(ctx context.Context, between func(context.Context, *db.Tx, *pgx.Batch) error) error {
	return c.Exchange(ctx, func(batch *pgx.Batch) { batch.Queue(addSQL, "a") }, func(ctx context.Context, tx *db.Tx) (*pgx.Batch, error) {
		var last pgx.Batch
		last.Queue(addSQL, "b")
		return &last, between(ctx, tx, &last)
	})
}

func TestExchange(t *testing.T) {
	t.Parallel()
	values := func(t *testing.T, c counters) [2]int {
		t.Helper()
		return [2]int{c.value(t, "a"), c.value(t, "b")}
	}

	t.Run("is one transaction in two round trips", func(t *testing.T) {
		t.Parallel()
		c := newCounters(t)
		for range 2 { // the first prepares the statements
			ctx, sent := db.CountStatements(c.ctx)
			require.NoError(t, c.exchange(ctx, func(context.Context, *db.Tx, *pgx.Batch) error {
				require.Equal(t, [2]int{c.value(t, "b"), c.value(t, "b")}, values(t, c), "others see nothing yet")
				return nil
			}))
			require.Equal(t, 2, sent.RoundTrips())
			require.Equal(t, 4, sent.Count(), "the two with the beginning and the end")
		}
		require.Equal(t, [2]int{2, 2}, values(t, c))
	})

	t.Run("can ask between, and sees its own changes", func(t *testing.T) {
		t.Parallel()
		c := newCounters(t)
		var a int
		require.NoError(t, c.exchange(c.ctx, func(ctx context.Context, tx *db.Tx, _ *pgx.Batch) error {
			return tx.Query(ctx, "SELECT last_value FROM counter WHERE name = 'a'", nil, func(rows pgx.Rows) error {
				_, err := pgx.ForEachRow(rows, []any{&a}, func() error { return nil })
				return err
			})
		}))
		require.Equal(t, 1, a)
	})

	refusals := map[string]func(context.Context, *db.Tx, *pgx.Batch) error{
		"an error takes everything back": func(context.Context, *db.Tx, *pgx.Batch) error { return errors.New("no") },
		"a failing statement does, although the end travels with it": func(_ context.Context, _ *db.Tx, last *pgx.Batch) error {
			last.Queue("INSERT INTO counter (tenant_id, name, last_value) SELECT tenant_id, name, 7 FROM counter WHERE name = 'a'")
			return nil
		},
		"there are no savepoints": func(ctx context.Context, tx *db.Tx, _ *pgx.Batch) error {
			return tx.Try(ctx, func(*db.Tx) error { return nil })
		},
		"a lost connection does": func(ctx context.Context, tx *db.Tx, _ *pgx.Batch) error {
			return tx.Query(ctx, "SELECT pg_terminate_backend(pg_backend_pid())", nil, nothing)
		},
	}
	for name, between := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCounters(t)
			require.Error(t, c.exchange(c.ctx, between))
			require.Equal(t, [2]int{0, 0}, values(t, c))
			require.NoError(t, c.exchange(c.ctx, func(context.Context, *db.Tx, *pgx.Batch) error { return nil }), "the next one finds a clean connection")
			require.Equal(t, [2]int{1, 1}, values(t, c))
		})
	}

	t.Run("a failing first statement does", func(t *testing.T) {
		t.Parallel()
		c := newCounters(t)
		err := c.Exchange(c.ctx, func(batch *pgx.Batch) { batch.Queue(addSQL, "a"); batch.Queue("SELECT 1/0") },
			func(context.Context, *db.Tx) (*pgx.Batch, error) {
				t.Error("it goes on")
				return &pgx.Batch{}, nil
			})
		require.Error(t, err)
		require.Equal(t, [2]int{0, 0}, values(t, c))
	})

	t.Run("who hangs up between leaves nothing, not even a lock", func(t *testing.T) {
		t.Parallel()
		c := newCounters(t)
		ctx, cancel := context.WithCancel(c.ctx)
		require.Error(t, c.exchange(ctx, func(context.Context, *db.Tx, *pgx.Batch) error {
			cancel()
			return nil
		}))
		waiting, stop := context.WithTimeout(c.ctx, 5*time.Second)
		defer stop()
		require.NoError(t, c.exchange(waiting, func(context.Context, *db.Tx, *pgx.Batch) error { return nil }))
		require.Equal(t, [2]int{1, 1}, values(t, c))
	})

	t.Run("who gave way is tried again from the start", func(t *testing.T) {
		t.Parallel()
		c := newCounters(t)
		tries := 0
		require.NoError(t, c.exchange(c.ctx, func(ctx context.Context, tx *db.Tx, _ *pgx.Batch) error {
			if tries++; tries < 3 {
				return tx.Query(ctx, "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$", nil, nothing)
			}
			return nil
		}))
		require.Equal(t, [2]int{1, 1}, values(t, c))
	})
}
