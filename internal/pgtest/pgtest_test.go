package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// schema is one no other test has, and whose templates go when the test ends.
// The counter tells how often it was applied.
func schema(t *testing.T) (Schema, *atomic.Int32) {
	t.Helper()
	var applied atomic.Int32
	s := Schema{
		Name:   "pgtest_" + strings.ToLower(rand.Text())[:12],
		Digest: t.Name(),
		Apply: func(ctx context.Context, url string) error {
			applied.Add(1)
			return execute(ctx, url, `CREATE TABLE thing (name text); INSERT INTO thing VALUES ('from the template')`)
		},
	}
	srv := connect(t)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		mine, err := srv.names(ctx, `SELECT datname FROM pg_database WHERE starts_with(datname, $1)`, "tpl_"+s.Name)
		require.NoError(t, err)
		for _, name := range mine {
			require.NoError(t, srv.discard(ctx, name))
		}
	})
	return s, &applied
}

func execute(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

func count(t *testing.T, url, table string) int {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	var n int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}

// exists asks whether the server has a database.
func exists(t *testing.T, s *server, name string) bool {
	t.Helper()
	found, err := s.names(t.Context(), `SELECT datname FROM pg_database WHERE datname = $1`, name)
	require.NoError(t, err)
	return len(found) == 1
}

func TestClone(t *testing.T) {
	t.Parallel()

	t.Run("holds what the schema applied", func(t *testing.T) {
		t.Parallel()
		s, _ := schema(t)
		require.Equal(t, 1, count(t, Clone(t, s), "thing"))
	})

	t.Run("is a database of its own", func(t *testing.T) {
		t.Parallel()
		s, _ := schema(t)
		mine, other := Clone(t, s), Clone(t, s)
		require.NoError(t, execute(t.Context(), mine, `DELETE FROM thing`))
		require.Zero(t, count(t, mine, "thing"))
		require.Equal(t, 1, count(t, other, "thing"))
	})

	t.Run("follows the digest", func(t *testing.T) {
		t.Parallel()
		s, applied := schema(t)
		Clone(t, s)
		s.Digest += ", changed"
		Clone(t, s)
		require.EqualValues(t, 2, applied.Load())
	})

	t.Run("is dropped after the test, even while in use", func(t *testing.T) {
		t.Parallel()
		s, _ := schema(t)
		var conn *pgx.Conn
		t.Run("inner", func(t *testing.T) { // not parallel: the outer test looks at what it leaves
			var err error
			conn, err = pgx.Connect(context.Background(), Clone(t, s))
			require.NoError(t, err)
			require.True(t, exists(t, connect(t), conn.Config().Database))
		})
		require.False(t, exists(t, connect(t), conn.Config().Database))
		require.Error(t, conn.Ping(t.Context()))
	})
}

func TestTemplate(t *testing.T) {
	t.Parallel()

	t.Run("is built once, however many ask", func(t *testing.T) {
		t.Parallel()
		s, applied := schema(t)
		var racers errgroup.Group
		for range 6 {
			srv := connect(t) // as another test binary would have
			racers.Go(func() error {
				_, err := srv.template(t.Context(), s, time.Now())
				return err
			})
		}
		require.NoError(t, racers.Wait())
		require.EqualValues(t, 1, applied.Load())
	})

	t.Run("left half-built is built again", func(t *testing.T) {
		t.Parallel()
		srv := connect(t)
		s, applied := schema(t)
		half := templatePrefix(s) + stamp(time.Now().Add(-time.Minute))
		require.NoError(t, srv.create(t.Context(), half, "template0"))

		require.Equal(t, 1, count(t, Clone(t, s), "thing"))
		require.EqualValues(t, 1, applied.Load())
		require.False(t, exists(t, srv, half))
	})

	t.Run("is not complete when applying failed", func(t *testing.T) {
		t.Parallel()
		srv := connect(t)
		s, applied := schema(t)
		works := s.Apply
		broken := errors.New("broken")
		s.Apply = func(context.Context, string) error { return broken }
		_, err := srv.clone(t.Context(), s, time.Now())
		require.ErrorIs(t, err, broken)

		s.Apply = works
		require.Equal(t, 1, count(t, Clone(t, s), "thing"))
		require.EqualValues(t, 1, applied.Load())
	})
}

func TestSweep(t *testing.T) {
	t.Parallel()
	ctx, now := t.Context(), time.Now()
	srv := connect(t)
	mine, _ := schema(t)
	old := now.Add(-25 * time.Hour)
	// Held from the start, so that no clone of a parallel test sweeps meanwhile.
	// A session may take a lock it has once more.
	unlock, err := srv.lock(ctx, exclusive, sweepLock)
	require.NoError(t, err)

	// The names are made as the package makes them, at other times.
	orphan, inUse, young := testName(old), testName(old), testName(now)
	for _, name := range []string{orphan, inUse, young} {
		require.NoError(t, srv.create(ctx, name, "template0"))
	}
	t.Cleanup(func() {
		for _, name := range []string{inUse, young} {
			require.NoError(t, srv.drop(context.WithoutCancel(ctx), name))
		}
	})
	user, err := pgx.Connect(ctx, srv.url(inUse))
	require.NoError(t, err)
	defer user.Close(ctx)

	stale, _ := schema(t)
	stale.Digest += ", stale"
	staleTemplate, err := srv.template(ctx, stale, old)
	require.NoError(t, err)
	mineTemplate, err := srv.template(ctx, mine, old)
	require.NoError(t, err)

	require.NoError(t, srv.sweep(ctx, mine, now))
	require.NoError(t, unlock())

	require.False(t, exists(t, srv, orphan), "an old database nobody uses goes")
	require.True(t, exists(t, srv, inUse), "one in use stays")
	require.True(t, exists(t, srv, young), "a young one stays")
	require.False(t, exists(t, srv, staleTemplate), "an old template of another schema goes")
	require.True(t, exists(t, srv, mineTemplate), "the schema's own template stays")
}
