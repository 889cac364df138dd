package db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"crmgraph/db"
	"crmgraph/internal/crmtest"
)

// whoami tells which number was asked for, by whom, in which transaction and on which connection.
const whoami = "SELECT ROW($1::int8, current_setting('app.tenant'), now(), pg_backend_pid())"

type told struct {
	number int64
	tenant string
	began  time.Time
	pid    int32
}

func ask(ctx context.Context, d *db.DB, number int64) (got told, err error) {
	err = d.Record(ctx, whoami, []any{number}, func(types *pgtype.Map, record []byte) error {
		return types.Scan(pgtype.RecordOID, pgx.BinaryFormatCode, record, pgtype.CompositeFields{&got.number, &got.tenant, &got.began, &got.pid})
	})
	return got, err
}

// travellers is a database and a tenant whose lookups travel.
type travellers struct {
	*db.DB

	tenant uuid.UUID
	ctx    context.Context //nolint:containedctx // the tenant's
}

func newTravellers(t *testing.T) travellers {
	t.Helper()
	d := crmtest.Open(t, crmtest.Migrated(t))
	tenant := uuid.New()
	return travellers{d, tenant, db.WithTenant(t.Context(), tenant)}
}

// waitFor lets as many statements wait.
func (tr travellers) waitFor(t *testing.T, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return tr.Waiting(tr.tenant) == n }, 10*time.Second, time.Millisecond)
}

// idle is when nothing is under way any more.
func idle(t *testing.T, d *db.DB) {
	t.Helper()
	require.Eventually(t, func() bool { return d.Away() == 0 }, 10*time.Second, time.Millisecond)
}

func inAnHour() time.Time { return time.Now().Add(time.Hour) } // never late

func TestRecordsTravelTogether(t *testing.T) {
	t.Parallel()

	t.Run("those that wait are one transaction, and each gets its own", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		back := tr.SendAway(tr.tenant, inAnHour())
		const all = 64
		var wg sync.WaitGroup
		var answers [all]told
		for i := range all {
			wg.Go(func() {
				ctx, sent := db.CountStatements(tr.ctx)
				var err error
				answers[i], err = ask(ctx, tr.DB, int64(i))
				assert.NoError(t, err)
				assert.Equal(t, []int{1, 1}, []int{sent.Count(), sent.RoundTrips()})
			})
		}
		tr.waitFor(t, all)
		back()
		wg.Wait()
		for i, a := range answers {
			require.Equal(t, told{int64(i), tr.tenant.String(), answers[0].began, answers[0].pid}, a)
		}
		idle(t, tr.DB)
	})

	t.Run("one that is alone goes at once", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		for i := range int64(3) {
			ctx, sent := db.CountStatements(tr.ctx)
			got, err := ask(ctx, tr.DB, i)
			require.NoError(t, err)
			require.Equal(t, i, got.number)
			require.Equal(t, 1, sent.Count())
			require.Zero(t, tr.Away())
		}
	})

	t.Run("one more goes when too many wait", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		tr.SendAway(tr.tenant, inAnHour()) // it never comes back
		var wg sync.WaitGroup
		for i := range int64(65) {
			wg.Go(func() {
				_, err := ask(tr.ctx, tr.DB, i)
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		idle(t, tr.DB)
	})

	t.Run("one more goes when the one under way is late", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		back := tr.SendAway(tr.tenant, time.Now().Add(-time.Hour))
		var wg sync.WaitGroup
		wg.Go(func() {
			err := tr.Record(tr.ctx, "SELECT ROW(1) FROM pg_sleep(0.5)", nil, func(*pgtype.Map, []byte) error { return nil })
			assert.NoError(t, err)
		})
		under := func() bool { return tr.Stat().AcquiredConns() == 1 }
		require.Eventually(t, under, 10*time.Second, time.Millisecond)
		back()
		require.Equal(t, 1, tr.Away(), "the late one was replaced, and the other is still under way")
		wg.Wait()
		idle(t, tr.DB)
	})

	t.Run("one that fails does so alone", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		back := tr.SendAway(tr.tenant, inAnHour())
		var wg sync.WaitGroup
		for i := range int64(10) {
			wg.Go(func() {
				got, err := ask(tr.ctx, tr.DB, i)
				assert.NoError(t, err)
				assert.Equal(t, i, got.number)
			})
		}
		wg.Go(func() {
			err := tr.Record(tr.ctx, "SELECT ROW(1 / $1::int8)", []any{int64(0)}, func(*pgtype.Map, []byte) error { return nil })
			assert.ErrorContains(t, err, "division by zero")
		})
		wg.Go(func() {
			err := tr.Record(tr.ctx, whoami, []any{struct{}{}}, func(*pgtype.Map, []byte) error { return nil })
			assert.ErrorContains(t, err, "unable to encode")
		})
		tr.waitFor(t, 12)
		back()
		wg.Wait()
		idle(t, tr.DB)
	})

	t.Run("what is not there is not read", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		back := tr.SendAway(tr.tenant, inAnHour())
		var wg sync.WaitGroup
		wg.Go(func() {
			err := tr.Record(tr.ctx, "SELECT ROW(1) WHERE false", nil, func(*pgtype.Map, []byte) error { return errors.New("read") })
			assert.NoError(t, err)
		})
		tr.waitFor(t, 1)
		back()
		wg.Wait()
	})

	t.Run("who hangs up does not wait and is not asked for", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		back := tr.SendAway(tr.tenant, inAnHour())
		ctx, hangUp := context.WithCancel(tr.ctx)
		failed := make(chan error)
		go func() {
			_, err := ask(ctx, tr.DB, 1)
			failed <- err
		}()
		tr.waitFor(t, 1)
		hangUp()
		require.ErrorIs(t, <-failed, context.Canceled)
		require.Zero(t, tr.Waiting(tr.tenant))
		back()
		require.Zero(t, tr.Away())
	})

	t.Run("without a connection all are told so", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		back := tr.SendAway(tr.tenant, inAnHour())
		var wg sync.WaitGroup
		for i := range int64(3) {
			wg.Go(func() {
				_, err := ask(tr.ctx, tr.DB, i)
				assert.True(t, db.IsUnavailable(err), "%v", err)
			})
		}
		tr.waitFor(t, 3)
		free := crmtest.Occupy(t, tr.DB, tr.ctx)
		back()
		wg.Wait()
		free()
		idle(t, tr.DB)
	})
}

func TestRecordsOfTenantsNeverMix(t *testing.T) {
	t.Parallel()
	d := crmtest.Open(t, crmtest.Migrated(t))
	var wg sync.WaitGroup
	for range 4 {
		tenant := uuid.New()
		for n := range 8 {
			wg.Go(func() {
				for i := range 100 {
					number := int64(1000*n + i)
					got, err := ask(db.WithTenant(t.Context(), tenant), d, number)
					if !assert.NoError(t, err) || !assert.Equal(t, []any{number, tenant.String()}, []any{got.number, got.tenant}) {
						return
					}
				}
			})
		}
	}
	wg.Wait()
	idle(t, d)
}

// Connections that are cut while statements travel cost at most an error that says to try again.
func TestRecordsSurviveCutConnections(t *testing.T) {
	t.Parallel()
	url := crmtest.Migrated(t)
	d := crmtest.Open(t, url)
	ctx := db.WithTenant(t.Context(), uuid.New())
	owner, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = owner.Close(context.Background()) })

	var over atomic.Bool
	var right atomic.Int64
	var wg sync.WaitGroup
	for n := range int64(16) {
		wg.Go(func() {
			for i := n * 1_000_000; !over.Load(); i++ {
				got, err := ask(ctx, d, i)
				if err != nil {
					assert.True(t, db.IsUnavailable(err), "%v", err)
					continue
				}
				assert.Equal(t, i, got.number)
				right.Add(1)
			}
		})
	}
	for range 20 {
		before := right.Load()
		_, err := owner.Exec(t.Context(), fmt.Sprintf("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %d", owner.PgConn().PID()))
		require.NoError(t, err)
		require.Eventually(t, func() bool { return right.Load() > before+50 }, 10*time.Second, time.Millisecond)
	}
	over.Store(true)
	wg.Wait()
	idle(t, d)
}
