package db_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"crmgraph/db"
	"crmgraph/internal/crmtest"
)

// texts reads a query of one text column.
func texts(t *testing.T, conn *pgx.Conn, sql string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(context.Background(), sql, args...)
	require.NoError(t, err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return list
}

func TestTables(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), crmtest.Migrated(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	var tenant, others []string
	for name, kind := range db.Tables() {
		if kind == db.TenantTable {
			tenant = append(tenant, name)
		} else {
			others = append(others, name)
		}
	}

	t.Run("every table is registered", func(t *testing.T) {
		require.ElementsMatch(t, append(tenant, others...), texts(t, conn,
			"SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"))
	})
	t.Run("every key of a tenant table starts with the tenant or contains it", func(t *testing.T) {
		require.Empty(t, texts(t, conn, `SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
			WHERE c.relname = ANY ($1) AND i.indisunique AND NOT EXISTS (SELECT 1 FROM pg_attribute a
				WHERE a.attrelid = i.indrelid AND a.attname = 'tenant_id' AND a.attnum = ANY (i.indkey))`, tenant))
	})
	t.Run("every foreign key carries the tenant", func(t *testing.T) {
		require.Empty(t, texts(t, conn, `SELECT k.conname::text FROM pg_constraint k WHERE k.contype = 'f' AND NOT EXISTS (
			SELECT 1 FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attname = 'tenant_id' AND a.attnum = ANY (k.conkey))`))
	})
	t.Run("a foreign key deletes or refuses, it never sets null", func(t *testing.T) {
		require.Empty(t, texts(t, conn, "SELECT conname::text FROM pg_constraint WHERE contype = 'f' AND confdeltype IN ('n', 'd')"))
	})
	t.Run("reference and local tables point at no tenant table", func(t *testing.T) {
		require.Empty(t, texts(t, conn, `SELECT k.conname::text FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid
			JOIN pg_class p ON p.oid = k.confrelid WHERE k.contype = 'f' AND f.relname = ANY ($1) AND p.relname = ANY ($2)`, others, tenant))
	})
	t.Run("every tenant table has row level security for the application's role", func(t *testing.T) {
		require.ElementsMatch(t, tenant, texts(t, conn, `SELECT c.relname::text FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
			WHERE c.relrowsecurity AND pg_get_expr(p.polqual, c.oid) LIKE '%tenant_id = %app.tenant%'`))
	})
	t.Run("the application's role owns nothing and cannot pass the policies", func(t *testing.T) {
		require.Equal(t, []string{"false false"}, texts(t, conn,
			"SELECT rolsuper || ' ' || rolbypassrls FROM pg_roles WHERE rolname = $1", db.AppRole))
		require.Empty(t, texts(t, conn, "SELECT relname::text FROM pg_class WHERE relowner = $1::regrole", db.AppRole))
	})
	t.Run("ledgers and histories are insert-only, and nothing else is", func(t *testing.T) {
		require.ElementsMatch(t, []string{"loyalty_transaction", "loyalty_transaction_link", "loyalty_lot_debit", "loyalty_policy",
			"credit_transaction", "gift_card_transaction", "event", "consent_change"}, texts(t, conn,
			`SELECT table_name::text FROM information_schema.role_table_grants WHERE grantee = $1 AND table_name = ANY ($2)
			GROUP BY table_name HAVING array_agg(privilege_type::text ORDER BY privilege_type) = '{INSERT,SELECT}'`, db.AppRole, tenant))
	})
	for _, table := range []string{"event", "consent_change"} {
		t.Run("the application's role may add to "+table+" and do nothing else to it", func(t *testing.T) {
			require.ElementsMatch(t, []string{"INSERT", "SELECT"}, texts(t, conn,
				"SELECT privilege_type::text FROM information_schema.role_table_grants WHERE grantee = $1 AND table_name = $2", db.AppRole, table))
			for _, sql := range []string{"UPDATE " + table + " SET actor = 'nobody'", "DELETE FROM " + table, "TRUNCATE " + table} {
				_, err := conn.Exec(t.Context(), "SET ROLE "+db.AppRole)
				require.NoError(t, err)
				_, err = conn.Exec(t.Context(), sql)
				require.ErrorContains(t, err, "permission denied for table "+table)
				_, err = conn.Exec(t.Context(), "RESET ROLE")
				require.NoError(t, err)
			}
		})
	}
	t.Run("there are no triggers", func(t *testing.T) {
		require.Empty(t, texts(t, conn, "SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal"))
	})
	t.Run("every foreign key has an index to follow it backwards", func(t *testing.T) {
		require.Empty(t, texts(t, conn, `SELECT k.conname::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
			WHERE k.contype = 'f' AND array_length(k.conkey, 1) > 1 AND c.relname NOT IN ('account', 'loyalty_lot', 'loyalty_transaction_link')
			AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = k.conrelid
				AND (i.indkey::int2[])[0:1] @> k.conkey[1:2] AND k.conkey[1:2] @> (i.indkey::int2[])[0:1])`))
	})
}
