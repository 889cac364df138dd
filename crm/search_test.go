package crm_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"crmgraph/internal/crmtest"
)

// A search must never read every row: a value in another collation than that of an index keeps
// Postgres from it, in silence.
func TestSearchUsesItsIndexes(t *testing.T) {
	t.Parallel()
	url := crmtest.Seeded(t)
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	for _, sql := range []string{
		// The seed is so small that reading all of a tenant's vehicles costs less than asking the index.
		`INSERT INTO vehicle (tenant_id, id, number, make, model, search_text)
			SELECT tenant_id, gen_random_uuid(), number + 1000000 * n, make, model, md5(number::text || '/' || n) FROM vehicle, generate_series(1, 100) n`,
		"VACUUM (ANALYZE) vehicle",
		"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET enable_seqscan = off', current_database()); END $$",
	} {
		_, err = conn.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	used := func() (scans, rows int) {
		_, err := conn.Exec(t.Context(), "SELECT pg_stat_clear_snapshot()")
		require.NoError(t, err)
		require.NoError(t, conn.QueryRow(t.Context(),
			"SELECT idx_scan, idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'vehicle_text_trgm'").Scan(&scans, &rows))
		return scans, rows
	}
	before, rowsBefore := used()
	store := crmtest.Store(t, url)
	ctx, _ := crmtest.As(t, store, "demo", "admin")
	hits, err := store.Search(ctx, "golf", nil, nil)
	require.NoError(t, err)
	require.NotEmpty(t, hits)
	store.DB.Close() // a connection tells what it did when it ends, at the latest
	require.Eventually(t, func() bool { scans, _ := used(); return scans > before }, 10*time.Second, 20*time.Millisecond, "the index was not used")
	_, rows := used()
	require.Less(t, rows-rowsBefore, 5000, "the index was asked for the tenant and not for the text")
}
