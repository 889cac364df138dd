// Package pgtest gives every test a PostgreSQL database of its own.
//
// The databases live on the server of TEST_DATABASE_URL (whose role may create
// databases), or else on an ephemeral embedded server that all test binaries of
// this user share and that ends a few seconds after the last of them.
//
// A schema is applied once, to a template database; each test gets a clone of
// it, which takes milliseconds, so tests can run in parallel and need not clean
// up after themselves.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"crmgraph/db/embedded"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

const (
	// linger bridges the pause between two test binaries of one `go test`.
	linger = 3 * time.Second
	// port is beside that of the program's own server, so that neither takes the
	// other's.
	port = embedded.DefaultPort + 1
	// dropWait bounds the removal of a test's database.
	dropWait = 30 * time.Second
)

// Schema is what a template database holds.
type Schema struct {
	// Name is for people who look at the server: letters, digits, underscores.
	Name string
	// Digest changes when the content changes: templates of another digest are
	// not used, and removed after a day.
	Digest string
	// Apply fills the empty database behind the URL, and leaves no connection to
	// it open. It runs once per digest and server, not once per test.
	Apply func(ctx context.Context, url string) error
}

// Clone returns the URL of a fresh database made from the schema's template. The
// database is dropped when the test ends, whoever is still connected to it.
func Clone(t testing.TB, s Schema) string {
	t.Helper()
	ctx := t.Context()
	srv := connect(t)
	require.NoError(t, srv.sweep(ctx, s, time.Now()), "remove what killed runs left")
	name, err := srv.clone(ctx, s, time.Now())
	require.NoError(t, err, "clone schema %q", s.Name)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropWait)
		defer cancel()
		require.NoError(t, srv.drop(ctx, name))
	})
	return srv.url(name)
}

// server is a connection to the server that holds the databases.
type server struct {
	conn *pgx.Conn
	base *url.URL
	// owned says that the server is ours alone and not durable.
	owned bool
}

// connect connects to the server for as long as the test runs.
func connect(t testing.TB) *server {
	t.Helper()
	address, owned := os.Getenv("TEST_DATABASE_URL"), false
	if address == "" {
		address, owned = start(t), true
	}
	base, err := url.Parse(address)
	require.NoError(t, err, "TEST_DATABASE_URL must be a URL")
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err, "connect to the server for tests")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dropWait)
		defer cancel()
		require.NoError(t, conn.Close(ctx))
	})
	return &server{conn: conn, base: base, owned: owned}
}

// start opens the shared embedded server.
func start(t testing.TB) string {
	t.Helper()
	state := filepath.Join(os.TempDir(), fmt.Sprintf("crmgraph-test-%d", os.Geteuid()))
	srv, err := embedded.Open(t.Context(), embedded.Options{
		App:       "crmgraph",
		StateDir:  state,
		Port:      port,
		Ephemeral: true,
		Linger:    linger,
	})
	require.NoError(t, err, "start a server for tests (or set TEST_DATABASE_URL)")
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	return srv.URL("postgres")
}

// url returns the URL of a database on the server.
func (s *server) url(database string) string {
	u := *s.base
	u.Path = "/" + database
	return u.String()
}

// clone makes a test's database and returns its name.
func (s *server) clone(ctx context.Context, schema Schema, now time.Time) (name string, err error) {
	// Shared with every other clone: only the sweep is kept out, which might
	// otherwise drop the template between the two steps.
	unlock, err := s.lock(ctx, shared, sweepLock)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	template, err := s.template(ctx, schema, now)
	if err != nil {
		return "", err
	}
	name = testName(now)
	return name, s.create(ctx, name, template)
}

// create makes a database from a template.
func (s *server) create(ctx context.Context, name, template string) error {
	_, err := s.conn.Exec(ctx, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(template)+s.strategy())
	return err
}

// strategy picks the faster way to copy a template: copying files takes two
// checkpoints, which cost nothing only where nothing is flushed to disk.
func (s *server) strategy() string {
	const firstWithStrategies = 15
	major := majorOf(s.conn.PgConn().ParameterStatus("server_version"))
	switch {
	case major < firstWithStrategies:
		return ""
	case s.owned:
		return " STRATEGY FILE_COPY"
	default:
		return " STRATEGY WAL_LOG"
	}
}

// majorOf returns the major version of "15.18 (Debian …)" or "18beta1".
func majorOf(version string) int {
	var major int
	if _, err := fmt.Sscanf(version, "%d", &major); err != nil {
		return 0
	}
	return major
}

// drop removes a database together with the connections to it.
func (s *server) drop(ctx context.Context, name string) error {
	_, err := s.conn.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)")
	return err
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
