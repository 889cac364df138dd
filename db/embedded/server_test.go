//go:build linux || darwin

package embedded

import (
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	o, c := options(t)
	o.Ephemeral, o.SharedBuffers = false, "64MB"
	// What an initdb that was killed leaves behind.
	require.NoError(t, os.MkdirAll(filepath.Join(c.dir, "data.init", "base"), 0o700))
	s := mustOpen(t, o)
	url := s.URL("postgres")

	t.Run("knows letters beyond ASCII and sorts the same everywhere", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "é", query(t, url, `SELECT lower('É')`))
		require.Equal(t, "true", query(t, url, `SELECT ('MÜLLER' ILIKE 'mü%')::text`))
		require.Equal(t, "UTF8", query(t, url, `SHOW server_encoding`))
		require.Equal(t, "C", query(t, url, `SELECT datcollate FROM pg_database WHERE datname = 'postgres'`))
	})

	t.Run("is durable", func(t *testing.T) {
		t.Parallel()
		for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit", "data_checksums"} {
			require.Equal(t, "on", query(t, url, `SELECT current_setting($1)`, setting), setting)
		}
	})

	t.Run("takes connections on loopback, with the password", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "127.0.0.1", query(t, url, `SHOW listen_addresses`))
		require.Empty(t, query(t, url, `SHOW unix_socket_directories`))
		require.Equal(t, "200", query(t, url, `SHOW max_connections`))
		require.Equal(t, "64MB", query(t, url, `SHOW shared_buffers`))

		wrong, err := pgx.ParseConfig(url)
		require.NoError(t, err)
		wrong.Password = "guessed"
		_, err = pgx.ConnectConfig(t.Context(), wrong)
		var pgErr *pgconn.PgError
		require.ErrorAs(t, err, &pgErr)
		require.Equal(t, "28P01", pgErr.Code)
	})

	t.Run("has the extensions", func(t *testing.T) {
		t.Parallel()
		execute(t, url, `CREATE EXTENSION pg_trgm; CREATE EXTENSION citext; CREATE EXTENSION btree_gist`)
	})

	t.Run("leaves nothing half-made", func(t *testing.T) {
		t.Parallel()
		require.NoDirExists(t, filepath.Join(c.dir, "data.init"))
		require.NoFileExists(t, filepath.Join(c.dir, "password.init"))
	})

	t.Run("never runs as root", func(t *testing.T) {
		t.Parallel()
		info, err := os.Stat(c.data())
		require.NoError(t, err)
		uid := int(ownerOf(info).uid)
		require.Equal(t, []string{strconv.Itoa(uid)}, shell(t, url, "id -u"))
		require.NotZero(t, uid)
		if os.Geteuid() != 0 {
			require.Equal(t, os.Geteuid(), uid)
		}
	})

	t.Run("is told from other processes and other clusters", func(t *testing.T) {
		t.Parallel()
		pm, ok := c.running()
		require.True(t, ok)
		require.False(t, serves(os.Getpid(), c.data()))
		require.False(t, serves(pm.pid, c.data()+"2"))
	})

	t.Run("keeps the password to its user", func(t *testing.T) {
		t.Parallel()
		info, err := os.Stat(c.secretFile())
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
		require.Equal(t, os.Geteuid(), int(ownerOf(info).uid))
	})
}

func TestOpenEphemeral(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, busy.Close()) })
	o, _ := options(t)
	o.Port = busy.Addr().(*net.TCPAddr).Port

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Open(cancelled, o)
	require.ErrorIs(t, err, context.Canceled)
	s := mustOpen(t, o) // what was begun is not in its way
	url := s.URL("postgres")

	t.Run("is not durable", func(t *testing.T) {
		t.Parallel()
		for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
			require.Equal(t, "off", query(t, url, `SELECT current_setting($1)`, setting), setting)
		}
	})

	t.Run("takes another port when the preferred one is busy", func(t *testing.T) {
		t.Parallel()
		require.NotEqual(t, o.Port, s.port)
		require.Equal(t, strconv.Itoa(s.port), query(t, url, `SHOW port`))
	})

	t.Run("makes a database once, however many ask", func(t *testing.T) {
		t.Parallel()
		const name = `new "database"`
		var racers errgroup.Group
		for range 6 {
			racers.Go(func() error { return s.EnsureDatabase(t.Context(), name) })
		}
		require.NoError(t, racers.Wait())
		require.NoError(t, s.EnsureDatabase(t.Context(), name), "an existing one is fine")
		require.Equal(t, name, query(t, s.URL(name), `SELECT current_database()`))
		require.Equal(t, "é", query(t, s.URL(name), `SELECT lower('É')`))
	})
}
