//go:build linux || darwin

package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// stopWait bounds how long Close waits for others and for the shutdown
// checkpoint; the shutdown itself goes on after it.
const stopWait = time.Minute

// Server is a running PostgreSQL server that this process uses, and shares with
// every other process that opened the same state directory. Its methods may be
// called concurrently.
type Server struct {
	port     int
	password string
	close    func() error
}

// Open returns the server of the state directory, making and starting what is
// missing. It returns as soon as the server accepts connections; after a crash
// that includes recovery. The server does not depend on ctx once Open returned.
func Open(ctx context.Context, o Options) (*Server, error) {
	s, err := open(ctx, o.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("embedded PostgreSQL: %w", err)
	}
	return s, nil
}

func open(ctx context.Context, o Options) (*Server, error) {
	c, err := prepare(o)
	if err != nil {
		return nil, err
	}
	lock, err := acquire(ctx, c.lockFile())
	if err != nil {
		return nil, err
	}
	defer lock.Close()

	users, err := c.join()
	if err != nil {
		return nil, err
	}
	s, err := c.serve(ctx, o, lock)
	if err != nil {
		// Nothing is stopped here: the keeper does it, as it would have to if
		// this process had been killed at this point.
		return nil, errors.Join(err, users.Close())
	}
	s.close = sync.OnceValue(func() error { return c.leave(users, o.Linger) }) //nolint:contextcheck // Close comes after ctx has ended
	return s, nil
}

// serve starts or adopts the server. The caller holds the cluster lock and is
// registered as a user.
func (c cluster) serve(ctx context.Context, o Options, lock *os.File) (*Server, error) {
	if err := c.ensureKeeper(ctx, o.Linger); err != nil {
		return nil, err
	}
	pm, running, err := c.settle(ctx)
	if err != nil {
		return nil, err
	}
	if !running {
		if pm, err = c.launch(ctx, o, lock); err != nil {
			return nil, err
		}
	}
	password, err := os.ReadFile(c.secretFile())
	if err != nil {
		return nil, fmt.Errorf("the password of the cluster in %s: %w", c.dir, err)
	}
	return &Server{port: pm.port, password: string(password)}, nil
}

// launch makes the cluster if there is none yet, and starts its server.
func (c cluster) launch(ctx context.Context, o Options, lock *os.File) (postmaster, error) {
	run, err := chooseAccount(o.Account, c.data())
	if err != nil {
		return postmaster{}, err
	}
	if err := checkPath(c.dir, run); err != nil {
		return postmaster{}, err
	}
	major, err := c.major()
	if err != nil {
		return postmaster{}, err
	}
	bin, err := find(ctx, o, run, major)
	if err != nil {
		return postmaster{}, err
	}
	if major == 0 {
		fmt.Fprintf(o.Log, "making a PostgreSQL %d cluster in %s\n", bin.major, c.data())
		if err := c.initialise(ctx, bin, run, o.Ephemeral, lock); err != nil {
			return postmaster{}, err
		}
	}
	pm, err := c.start(ctx, bin, run, o)
	if err != nil {
		return postmaster{}, err
	}
	fmt.Fprintf(o.Log, "PostgreSQL %d serves %s on 127.0.0.1:%d\n", bin.major, c.data(), pm.port)
	return pm, nil
}

// leave gives up the user's share. The last user stops the server, unless it is
// to linger: then the keeper does.
func (c cluster) leave(users *os.File, linger time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWait)
	defer cancel()
	lock, err := acquire(ctx, c.lockFile())
	if err != nil {
		return errors.Join(err, users.Close())
	}
	defer lock.Close()
	if err := users.Close(); err != nil || linger > 0 {
		return err
	}
	_, err = c.stopUnlessUsed(ctx)
	return err
}

// URL returns the URL of a database on the server, with the owner's password in
// it. The database need not exist.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(Owner, s.password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// EnsureDatabase makes an empty UTF-8 database unless there is one of that name.
// Several processes may do so at once.
func (s *Server) EnsureDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the embedded server: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))

	var exists bool
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&exists)
	if err != nil {
		return fmt.Errorf("look for database %q: %w", name, err)
	}
	if exists {
		return nil
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE template0")
	if err != nil && !lostRace(err) {
		return fmt.Errorf("create database %q: %w", name, err)
	}
	return nil
}

// lostRace tells that another session made the database first. Which of the two
// codes it is depends on how far the other one was.
func lostRace(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	const duplicateDatabase, uniqueViolation = "42P04", "23505"
	return pgErr.Code == duplicateDatabase || pgErr.Code == uniqueViolation
}

// Close ends this process's use of the server. When it was the last user and
// Options.Linger is zero, the server is shut down and Close waits for that, up
// to a minute. Calls after the first return the same result.
func (s *Server) Close() error {
	if err := s.close(); err != nil {
		return fmt.Errorf("close embedded PostgreSQL: %w", err)
	}
	return nil
}
