package db

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/migrate"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the database at url to the newest schema, as the login's own role, and
// returns the names of the migrations it applied. Programs that start together apply them once.
func Migrate(ctx context.Context, url string) ([]string, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("parse the database address: %w", err)
	}
	db := bun.NewDB(stdlib.OpenDB(*cfg), pgdialect.New())
	defer func() { _ = db.Close() }()
	if err := checkServer(ctx, db); err != nil {
		return nil, err
	}
	if err := ensureRole(ctx, db); err != nil {
		return nil, err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	known := migrate.NewMigrations()
	if err := known.Discover(files); err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	// The session lock makes a second starter wait instead of failing on bun's lock row,
	// and it goes with its connection, however the process dies.
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(hashtext('crmgraph:migrate'))"); err != nil {
		return nil, fmt.Errorf("lock the migrations: %w", err)
	}
	migrator := migrate.NewMigrator(db, known, migrate.WithMarkAppliedOnSuccess(true))
	if err := migrator.Init(ctx); err != nil {
		return nil, fmt.Errorf("prepare the migrations table: %w", err)
	}
	group, err := migrator.Migrate(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	var names []string
	for _, m := range group.Migrations {
		names = append(names, m.Name+"_"+m.Comment)
	}
	return names, nil
}

// checkServer refuses servers that would answer searches and comparisons wrongly.
func checkServer(ctx context.Context, db *bun.DB) error {
	var version int
	var encoding, lower string
	err := db.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int,
		current_setting('server_encoding'), lower('É')`).Scan(&version, &encoding, &lower)
	switch {
	case err != nil:
		return fmt.Errorf("reach the database: %w", err)
	case version < 140000:
		return fmt.Errorf("PostgreSQL 14 or newer is needed, the server is version %d", version/10000)
	case encoding != "UTF8":
		return fmt.Errorf("the database must be encoded in UTF8, it is in %s", encoding)
	case lower != "é":
		return errors.New("the database's character type knows ASCII only: create it with LC_CTYPE C.UTF-8")
	}
	return nil
}

// ensureRole makes the role of requests, which belongs to the whole server, and makes the
// login a member of it. Another program may be doing the same.
func ensureRole(ctx context.Context, db *bun.DB) error {
	var exists, member bool
	err := db.QueryRowContext(ctx, "SELECT count(*) > 0, coalesce(bool_or(pg_has_role(current_user, oid, 'member')), false) "+
		"FROM pg_roles WHERE rolname = '"+AppRole+"'").Scan(&exists, &member)
	if err != nil {
		return fmt.Errorf("look up role %s: %w", AppRole, err)
	}
	if !exists {
		_, err := db.ExecContext(ctx, "CREATE ROLE "+AppRole+" NOLOGIN NOSUPERUSER NOBYPASSRLS")
		if err != nil && !hasCode(err, "42710", "23505") {
			return fmt.Errorf("create role %s: %w", AppRole, err)
		}
	}
	if !member {
		_, err := db.ExecContext(ctx, "GRANT "+AppRole+" TO CURRENT_USER")
		if err != nil && !hasCode(err, "23505", "XX000") {
			return fmt.Errorf("join role %s: %w", AppRole, err)
		}
	}
	return nil
}

// hasCode reports whether err is a Postgres error with one of the SQLSTATE codes.
func hasCode(err error, codes ...string) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains(codes, pg.Code)
}
