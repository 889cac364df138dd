package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// template returns the name of the schema's complete template and builds it if
// need be, once even when many test binaries ask at the same time.
func (s *server) template(ctx context.Context, schema Schema, now time.Time) (name string, err error) {
	prefix := templatePrefix(schema)
	name, err = s.completed(ctx, prefix)
	if name != "" || err != nil {
		return name, err
	}
	unlock, err := s.lock(ctx, exclusive, prefix)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	name, err = s.completed(ctx, prefix)
	if name != "" || err != nil {
		return name, err // another process was faster
	}
	return s.build(ctx, schema, prefix, now)
}

// completed returns the template with the prefix, "" if there is none. The mark
// of a complete one is set last.
func (s *server) completed(ctx context.Context, prefix string) (string, error) {
	var name string
	err := s.conn.QueryRow(ctx, `
		SELECT datname FROM pg_database
		WHERE starts_with(datname, $1) AND datistemplate AND NOT datallowconn`, prefix).Scan(&name)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return name, err
}

// build makes the template. The caller holds its lock; whatever else has its
// prefix was left half-built by a process that was killed.
func (s *server) build(ctx context.Context, schema Schema, prefix string, now time.Time) (string, error) {
	halves, err := s.names(ctx, `SELECT datname FROM pg_database WHERE starts_with(datname, $1)`, prefix)
	if err != nil {
		return "", err
	}
	for _, half := range halves {
		if err := s.drop(ctx, half); err != nil {
			return "", err
		}
	}
	name := prefix + stamp(now)
	if err := s.create(ctx, name, "template0"); err != nil {
		return "", err
	}
	if err := schema.Apply(ctx, s.url(name)); err != nil {
		return "", fmt.Errorf("apply: %w", err)
	}
	_, err = s.conn.Exec(ctx, "ALTER DATABASE "+quote(name)+" IS_TEMPLATE true ALLOW_CONNECTIONS false")
	return name, err
}

// names returns the first column of a query.
func (s *server) names(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := s.conn.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// templatePrefix is all of a template's name but the time it was made.
func templatePrefix(schema Schema) string {
	const longest = 24 // so that the whole fits into the 63 bytes of a name
	digest := sha256.Sum256([]byte(schema.Digest))
	return "tpl_" + schema.Name[:min(len(schema.Name), longest)] + "_" + hex.EncodeToString(digest[:8]) + "_"
}
