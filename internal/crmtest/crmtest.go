// Package crmtest gives tests a domain over a database of their own.
package crmtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/db/seed"
	"crmgraph/internal/pgtest"
)

// Migrated returns the address of an empty database of the newest schema.
func Migrated(t testing.TB) string {
	return pgtest.Clone(t, pgtest.Schema{Name: "migrated", Digest: digest(t, "db/migrations"), Apply: func(ctx context.Context, url string) error {
		_, err := db.Migrate(ctx, url)
		return err
	}})
}

// Seeded returns the address of a database with the demo tenants.
func Seeded(t testing.TB) string {
	return pgtest.Clone(t, pgtest.Schema{Name: "seeded", Digest: digest(t, "db/migrations", "db/seed", "crm"), Apply: func(ctx context.Context, url string) error {
		if _, err := db.Migrate(ctx, url); err != nil {
			return err
		}
		_, err := seed.Demo(ctx, url, Today())
		return err
	}})
}

// Open opens the database at url as requests do.
func Open(t testing.TB, url string) *db.DB {
	d, err := db.Open(t.Context(), url, 4)
	require.NoError(t, err)
	t.Cleanup(d.Close)
	return d
}

// Connect reaches a database as its owner, past the walls, until the test ends.
func Connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Occupy takes all connections of the pool, in transactions of the context's tenant, until they are freed.
func Occupy(ctx context.Context, t testing.TB, d *db.DB) (free func()) {
	t.Helper()
	over := make(chan struct{})
	var taken, done sync.WaitGroup
	for range d.Stat().MaxConns() {
		taken.Add(1)
		done.Go(func() {
			assert.NoError(t, d.Transact(ctx, func(context.Context, *db.Tx) error {
				taken.Done()
				<-over
				return nil
			}))
		})
	}
	taken.Wait()
	return func() {
		close(over)
		done.Wait()
	}
}

// Today is when the tests' demo data was made and when their requests are asked.
func Today() time.Time { return time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC) }

// Store returns the domain over the database at url.
func Store(t testing.TB, url string) *crm.Store {
	return &crm.Store{DB: Open(t, url), CursorKey: []byte("a key for tests"), Now: Today}
}

// As returns a context that acts in the tenant with the role, begun and counting statements.
func As(t testing.TB, store *crm.Store, tenant, role string) (context.Context, *db.Statements) {
	permissions, ok := crm.RolePermissions(role)
	require.True(t, ok, "no such role: %s", role)
	return With(t, store, tenant, permissions...)
}

// With is As for a chosen set of permissions.
func With(t testing.TB, store *crm.Store, tenant string, permissions ...crm.Permission) (context.Context, *db.Statements) {
	id, err := store.TenantByCode(t.Context(), tenant)
	require.NoError(t, err)
	ctx, statements := db.CountStatements(t.Context())
	return store.Begin(crm.WithPrincipal(ctx, &crm.Principal{
		TenantID: id, Tenant: tenant, Subject: "test", Permissions: crm.NewPermissions(permissions...),
	})), statements
}

// digest tells apart what a template is made of: the files of the folders, from the
// project's root.
func digest(t testing.TB, folders ...string) string {
	_, here, _, ok := runtime.Caller(0)
	require.True(t, ok)
	root := filepath.Join(filepath.Dir(here), "..", "..")
	sum := sha256.New()
	for _, folder := range folders {
		for _, pattern := range []string{"*.sql", "*.go"} {
			files, err := filepath.Glob(filepath.Join(root, folder, pattern))
			require.NoError(t, err)
			slices.Sort(files)
			for _, f := range files {
				if match, _ := filepath.Match("*_test.go", filepath.Base(f)); match {
					continue
				}
				content, err := os.ReadFile(f)
				require.NoError(t, err)
				sum.Write(content)
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}
