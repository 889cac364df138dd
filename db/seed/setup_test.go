package seed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"crmgraph/db"
	"crmgraph/internal/pgtest"
)

// today is the date of the tests' data.
func today() time.Time { return time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC) }

// database is a migrated database without rows.
type database struct {
	*pgx.Conn
	url string
}

func setup(t *testing.T) database {
	t.Helper()
	url := pgtest.Clone(t, pgtest.Schema{
		Name:   "seed",
		Digest: digest(t, os.DirFS("../migrations")),
		Apply: func(ctx context.Context, url string) error {
			_, err := db.Migrate(ctx, url)
			return err
		},
	})
	conn, err := connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) })
	return database{conn, url}
}

func digest(t *testing.T, files fs.FS) string {
	t.Helper()
	h := sha256.New()
	require.NoError(t, fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		_, _ = h.Write(text)
		return err
	}))
	return hex.EncodeToString(h.Sum(nil))
}

// dump is a digest of every table's rows, ordered.
func (d database) dump(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for table, kind := range db.Tables() {
		if kind == db.LocalTable {
			continue
		}
		h := sha256.New()
		_, err := d.PgConn().CopyTo(t.Context(), h, "COPY (SELECT t FROM "+table+" t ORDER BY t::text) TO STDOUT")
		require.NoError(t, err, table)
		all[table] = hex.EncodeToString(h.Sum(nil))
	}
	return all
}

// one is the single value that a query answers.
func one[T any](t *testing.T, d database, sql string, args ...any) T {
	t.Helper()
	values := list[T](t, d, sql, args...)
	require.Len(t, values, 1, sql)
	return values[0]
}

// list is the single column that a query answers.
func list[T any](t *testing.T, d database, sql string, args ...any) []T {
	t.Helper()
	rows, err := d.Query(t.Context(), sql, args...)
	require.NoError(t, err, sql)
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	require.NoError(t, err, sql)
	return values
}
