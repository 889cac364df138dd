package db_test

import (
	"context"
	"database/sql/driver"
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

// whoami tells which number was asked for, by whom, in which transaction and on which connection, some
// seconds later. It finds a row when 1 is divided by 1, none by 2, and fails by 0.
const whoami = `SELECT ROW($1::int8, current_setting('app.tenant'), now(), pg_backend_pid())
	FROM pg_sleep($2::float8) WHERE 1 / $3::int8 = 1`

type told struct {
	number int64
	tenant string
	began  time.Time
	pid    int32
}

func ask(ctx context.Context, d *db.DB, args ...any) (got told, err error) {
	err = d.Record(ctx, whoami, args, func(types *pgtype.Map, record []byte) error {
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

// behind lets questions wait, in their order, behind one that is under way until it is back.
func (tr travellers) behind(t *testing.T, questions ...func()) {
	t.Helper()
	back := tr.SendAway(tr.tenant, whoami, time.Hour)
	var wg sync.WaitGroup
	for i, question := range questions {
		wg.Go(question)
		require.Eventually(t, func() bool { return tr.Waiting() == i+1 }, 10*time.Second, time.Millisecond)
	}
	back()
	wg.Wait()
	idle(t, tr.DB)
}

// idle is when nothing is under way any more.
func idle(t *testing.T, d *db.DB) {
	t.Helper()
	require.Eventually(t, func() bool { return d.Away() == 0 }, 10*time.Second, time.Millisecond)
}

// answered asks for a number and expects it after so many statements.
func (tr travellers) answered(t *testing.T, number int64, statements int) func() {
	t.Helper()
	return func() {
		ctx, sent := db.CountStatements(tr.ctx)
		got, err := ask(ctx, tr.DB, number, 0.0, 1)
		if assert.NoError(t, err) {
			assert.Equal(t, number, got.number)
			assert.Equal(t, []int{statements, statements}, []int{sent.Count(), sent.RoundTrips()})
		}
	}
}

// refused asks in vain, for an error that says something, after so many statements.
func (tr travellers) refused(t *testing.T, statements int, says string, args ...any) func() {
	t.Helper()
	return func() {
		ctx, sent := db.CountStatements(tr.ctx)
		_, err := ask(ctx, tr.DB, args...)
		if assert.ErrorContains(t, err, says) {
			assert.Equal(t, statements, sent.Count())
		}
	}
}

func TestRecordsTravelTogether(t *testing.T) {
	t.Parallel()

	t.Run("those that wait are one transaction, and each gets its own", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		var answers [64]told
		var questions []func()
		for i := range answers {
			questions = append(questions, func() {
				var err error
				answers[i], err = ask(tr.ctx, tr.DB, int64(i), 0.0, 1)
				assert.NoError(t, err)
			})
		}
		tr.behind(t, questions...)
		for i, a := range answers {
			require.Equal(t, told{int64(i), tr.tenant.String(), answers[0].began, answers[0].pid}, a)
		}
	})

	t.Run("one that is alone goes at once", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		for i := range int64(3) {
			tr.answered(t, i, 1)()
			require.Zero(t, tr.Away())
		}
	})

	t.Run("one of another statement goes at once", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		tr.SendAway(tr.tenant, "SELECT ROW(1) FROM another", time.Hour) // it never comes back
		tr.answered(t, 1, 1)()
	})

	t.Run("others go when too many wait", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		tr.SendAway(tr.tenant, whoami, time.Hour) // it never comes back
		var wg sync.WaitGroup
		for i := range int64(65) {
			wg.Go(tr.answered(t, i, 1))
		}
		wg.Wait()
		idle(t, tr.DB)
	})

	t.Run("one that did not fit goes when the others are late", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		tr.SendAway(tr.tenant, whoami, time.Hour) // it never comes back
		var wg sync.WaitGroup
		var slow atomic.Bool
		for i := range 64 {
			wg.Go(func() {
				_, err := ask(tr.ctx, tr.DB, int64(i), 0.05, 1) // together more than 3 s
				slow.Store(assert.NoError(t, err))
			})
		}
		require.Eventually(t, func() bool { return tr.Waiting() == 64 }, 10*time.Second, time.Millisecond)
		tr.WaitAtMost(time.Millisecond)
		tr.answered(t, 64, 1)()
		require.False(t, slow.Load())
		wg.Wait()
		idle(t, tr.DB)
	})

	t.Run("others go when the one under way is late", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		back := tr.SendAway(tr.tenant, whoami, time.Millisecond)
		var wg sync.WaitGroup
		var slow atomic.Bool
		wg.Go(func() {
			_, err := ask(tr.ctx, tr.DB, int64(1), 1.0, 1)
			slow.Store(assert.NoError(t, err))
		})
		require.Eventually(t, func() bool { return tr.Stat().AcquiredConns() == 1 }, 10*time.Second, time.Millisecond)
		back()
		require.Equal(t, 1, tr.Away(), "the late one was replaced, and the other is still under way")
		tr.answered(t, 2, 1)() // the other is late, too
		require.False(t, slow.Load())
		wg.Wait()
		idle(t, tr.DB)
	})

	t.Run("one that fails does so alone", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		tr.behind(t, tr.answered(t, 1, 1), tr.answered(t, 2, 1), tr.refused(t, 2, "division by zero", int64(3), 0.0, 0), tr.answered(t, 4, 2))
	})

	t.Run("values that cannot be sent harm nobody else", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		tr.behind(t, tr.answered(t, 1, 2), tr.refused(t, 2, "unable to encode", struct{}{}, 0.0, 1))
	})

	t.Run("a panic stays with its request", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		tr.behind(t, tr.answered(t, 1, 2), func() {
			assert.PanicsWithValue(t, "no value", func() { _, _ = ask(tr.ctx, tr.DB, panics{}, 0.0, 1) })
		})
		tr.answered(t, 2, 1)()
	})

	t.Run("what is not there is not read", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		tr.behind(t, func() {
			err := tr.Record(tr.ctx, whoami, []any{int64(1), 0.0, 2}, func(*pgtype.Map, []byte) error { return errors.New("read") })
			assert.NoError(t, err)
		})
	})

	t.Run("who hangs up does not wait and is not asked for", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		back := tr.SendAway(tr.tenant, whoami, time.Hour)
		ctx, hangUp := context.WithCancel(tr.ctx)
		failed := make(chan error)
		go func() {
			_, err := ask(ctx, tr.DB, int64(1), 0.0, 1)
			failed <- err
		}()
		require.Eventually(t, func() bool { return tr.Waiting() == 1 }, 10*time.Second, time.Millisecond)
		hangUp()
		require.ErrorIs(t, <-failed, context.Canceled)
		require.Zero(t, tr.Waiting())
		back()
		require.Zero(t, tr.Away())
	})

	t.Run("one wait for a connection is enough for all", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		free := crmtest.Occupy(tr.ctx, t, tr.DB)
		before := tr.Stat().CanceledAcquireCount()
		refused := tr.refused(t, 1, "no database connection", int64(1), 0.0, 1)
		tr.behind(t, refused, refused, refused)
		require.EqualValues(t, 1, tr.Stat().CanceledAcquireCount()-before)
		free()
	})

	t.Run("what took too long for one is not tried by all", func(t *testing.T) {
		t.Parallel()
		tr := newTravellers(t)
		late := tr.refused(t, 1, "statement timeout", int64(1), 6.0, 1)
		tr.behind(t, late, tr.refused(t, 1, "statement timeout", int64(2), 0.0, 1))
	})
}

// panics is a value that cannot be had.
type panics struct{}

func (panics) Value() (driver.Value, error) { panic("no value") }

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
					got, err := ask(db.WithTenant(t.Context(), tenant), d, number, 0.0, 1)
					if !assert.Equal(t, []any{nil, number, tenant.String()}, []any{err, got.number, got.tenant}) {
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
	owner := crmtest.Connect(t, url)

	var over atomic.Bool
	var right atomic.Int64
	var wg sync.WaitGroup
	for n := range int64(16) {
		wg.Go(func() {
			for i := n * 1_000_000; !over.Load(); i++ {
				got, err := ask(ctx, d, i, 0.0, 1)
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
