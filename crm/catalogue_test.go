package crm_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// What clients may filter and sort by has an index behind it; a tenant's role list alone
// is too short to need one.
func TestFiltersAndOrdersAreIndexed(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), crmtest.Migrated(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	columns := append(crm.FilteredColumns(), crm.SortedColumns()...)
	require.Greater(t, len(columns), 40)
	for _, c := range columns {
		if c.Table == "role" {
			continue
		}
		var indexed bool
		require.NoError(t, conn.QueryRow(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_index i
			JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = $2
			WHERE i.indrelid = $1::regclass AND (i.indkey::int2[])[1] = a.attnum AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = '(' || $2 || ' IS NOT NULL)'))`, c.Table, c.Column).Scan(&indexed))
		require.True(t, indexed, "%s.%s has no index", c.Table, c.Column)
	}
}
