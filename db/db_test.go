package db_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"crmgraph/db"
	"crmgraph/internal/crmtest"
)

// tenants returns the ids of the demo tenants by code.
func tenants(t *testing.T, d *db.DB) map[string]uuid.UUID {
	t.Helper()
	found := map[string]uuid.UUID{}
	require.NoError(t, d.Query(t.Context(), "SELECT code, id FROM tenant", nil, func(rows pgx.Rows) error {
		var code string
		var id uuid.UUID
		_, err := pgx.ForEachRow(rows, []any{&code, &id}, func() error { found[code] = id; return nil })
		return err
	}))
	return found
}

func count(t *testing.T, ctx context.Context, d *db.DB, sql string, args ...any) int {
	t.Helper()
	var n int
	require.NoError(t, d.Query(ctx, sql, args, func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&n}, func() error { return nil })
		return err
	}))
	return n
}

func TestTenantWall(t *testing.T) {
	t.Parallel()
	d := crmtest.Open(t, crmtest.Seeded(t))
	ids := tenants(t, d)
	demo, acme := db.WithTenant(t.Context(), ids["demo"]), db.WithTenant(t.Context(), ids["acme"])

	t.Run("a statement that forgets the tenant still sees only its own", func(t *testing.T) {
		require.Zero(t, count(t, demo, d, "SELECT count(*) FROM party WHERE tenant_id <> $1", ids["demo"]))
		require.NotZero(t, count(t, demo, d, "SELECT count(*) FROM party"))
	})
	t.Run("a setting does not outlive its request in the pool", func(t *testing.T) {
		for range 20 {
			all := count(t, demo, d, "SELECT count(*) FROM party")
			require.Less(t, count(t, acme, d, "SELECT count(*) FROM party"), all)
			require.Zero(t, count(t, t.Context(), d, "SELECT count(*) FROM party"), "without a tenant nothing is seen")
		}
	})
	t.Run("search answers only for the tenant of the connection", func(t *testing.T) {
		const search = "SELECT count(*) FROM crm_search($1, 'amelia hartmann', 'ameliahartmann', '', NULL, '{PARTY,CUSTOMER}', 10)"
		require.NotZero(t, count(t, demo, d, search, ids["demo"]))
		require.Zero(t, count(t, acme, d, search, ids["demo"]))
	})
	t.Run("a row of another tenant cannot be written", func(t *testing.T) {
		_, err := d.Bun().ExecContext(acme, "INSERT INTO counter VALUES (?, 'x', 1)", ids["demo"])
		var pg *pgconn.PgError
		require.ErrorAs(t, err, &pg)
		require.Equal(t, "42501", pg.Code)
	})
	t.Run("the ledger cannot be changed", func(t *testing.T) {
		for _, sql := range []string{"UPDATE loyalty_transaction SET points = 0", "DELETE FROM loyalty_transaction"} {
			_, err := d.Bun().ExecContext(demo, sql)
			var pg *pgconn.PgError
			require.ErrorAs(t, err, &pg, sql)
			require.Equal(t, "42501", pg.Code, sql)
		}
		for _, table := range []string{"loyalty_account", "customer", "party"} {
			_, err := d.Bun().ExecContext(demo, "DELETE FROM "+table+" WHERE id IN (SELECT account_id FROM loyalty_transaction)")
			var pg *pgconn.PgError
			require.ErrorAs(t, err, &pg, table)
			require.Equal(t, "23503", pg.Code, "a ledger keeps its %s", table)
		}
	})
}

func TestConstraints(t *testing.T) {
	t.Parallel()
	d := crmtest.Open(t, crmtest.Seeded(t))
	id := tenants(t, d)["demo"]
	ctx := db.WithTenant(t.Context(), id)
	for name, c := range map[string]struct{ sql, constraint string }{
		"two open owners of a vehicle": {`INSERT INTO vehicle_association SELECT tenant_id, gen_random_uuid(), vehicle_id,
			(SELECT p.id FROM party p WHERE p.id <> a.party_id LIMIT 1), 'OWNER', now(), NULL
			FROM vehicle_association a WHERE kind = 'OWNER' AND effective_to IS NULL LIMIT 1`, "vehicle_association_owner_key"},
		"an association that ends before it begins": {`UPDATE vehicle_association SET effective_to = effective_from - interval '1 s'`,
			"vehicle_association_period_check"},
		"two primary holders of a role": {`INSERT INTO contact_role SELECT r.tenant_id, gen_random_uuid(), c.id, c.organization_id, r.role_id, true
			FROM contact_role r JOIN contact c ON c.organization_id = r.organization_id AND c.id <> r.contact_id
			WHERE r.is_primary AND NOT EXISTS (SELECT 1 FROM contact_role o WHERE o.contact_id = c.id AND o.role_id = r.role_id) LIMIT 1`,
			"contact_role_primary_key"},
		"two primary contact points of a kind": {`INSERT INTO contact_point SELECT tenant_id, gen_random_uuid(), party_id, kind, label,
			value, normalised, extension, true FROM contact_point WHERE is_primary LIMIT 1`, "contact_point_primary_key"},
		"a VIN on two active vehicles": {`INSERT INTO vehicle (tenant_id, id, number, vin, vin_entered, search_text)
			SELECT tenant_id, gen_random_uuid(), 999999, vin, vin, '' FROM vehicle WHERE vin IS NOT NULL AND status = 'ACTIVE' LIMIT 1`,
			"vehicle_vin_key"},
		"a VIN with a forbidden letter":     {`UPDATE vehicle SET vin = 'WVWZZZ1JZXWO00001', vin_entered = 'x'`, "vehicle_vin_check"},
		"a negative points balance":         {`UPDATE loyalty_account SET balance = -1`, "loyalty_account_balance_check"},
		"a lot that gives more than it has": {`UPDATE loyalty_lot SET remaining = -1`, "loyalty_lot_remaining_check"},
		"two active warranties of a serial number": {`INSERT INTO warranty (tenant_id, id, customer_id, serial_number, starts_at)
			SELECT tenant_id, gen_random_uuid(), customer_id, serial_number, now() FROM warranty WHERE status = 'ACTIVE' LIMIT 1`,
			"warranty_serial_key"},
		"an e-mail address claimed twice": {`INSERT INTO identifier (tenant_id, id, party_id, kind, value, normalised, is_claim)
			SELECT tenant_id, gen_random_uuid(), (SELECT p.id FROM party p WHERE p.id <> i.party_id LIMIT 1), kind, value, normalised, true
			FROM identifier i WHERE kind = 'EMAIL' AND is_claim LIMIT 1`, "identifier_claim_key"},
		"a party merged into nobody":     {`UPDATE party SET status = 'MERGED' WHERE merged_into_id IS NULL`, "party_merged_check"},
		"a party that is its own parent": {`UPDATE party SET parent_id = id`, "party_parent_check"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := d.Bun().ExecContext(ctx, c.sql)
			var pg *pgconn.PgError
			require.ErrorAs(t, err, &pg)
			require.Equal(t, c.constraint, pg.ConstraintName)
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	url := crmtest.Seeded(t)
	d := crmtest.Open(t, url)
	watcher, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = watcher.Close(context.Background()) })
	active := func() int {
		var n int
		assert.NoError(t, watcher.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND query LIKE '%pg_sleep(4)%' AND state = 'active' AND pid <> pg_backend_pid()`).Scan(&n))
		return n
	}

	t.Run("a client that hangs up takes its statement with it", func(t *testing.T) {
		ctx, hangUp := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- d.Query(ctx, "SELECT pg_sleep(4)", nil, func(rows pgx.Rows) error { rows.Next(); return rows.Err() })
		}()
		require.Eventually(t, func() bool { return active() == 1 }, 3*time.Second, 5*time.Millisecond)
		hangUp()
		require.Error(t, <-done)
		require.Eventually(t, func() bool { return active() == 0 }, time.Second, 5*time.Millisecond)
	})
	t.Run("cut connections are replaced", func(t *testing.T) {
		for range 20 {
			_, err := watcher.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = current_database() AND pid <> pg_backend_pid()`)
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				err := d.Query(t.Context(), "SELECT 1", nil, func(rows pgx.Rows) error { rows.Next(); return rows.Err() })
				return err == nil || !assert.True(t, db.IsUnavailable(err), "%v", err)
			}, 2*time.Second, time.Millisecond)
		}
	})
	t.Run("a full pool refuses instead of hanging", func(t *testing.T) {
		ctx, free := context.WithCancel(t.Context())
		defer free()
		for range 4 {
			go func() {
				_ = d.Query(ctx, "SELECT pg_sleep(4)", nil, func(rows pgx.Rows) error { rows.Next(); return rows.Err() })
			}()
		}
		require.Eventually(t, func() bool { return active() == 4 }, 3*time.Second, 5*time.Millisecond)
		err := d.Query(t.Context(), "SELECT 1", nil, func(pgx.Rows) error { return nil })
		require.True(t, db.IsUnavailable(err))
	})
}

func TestPlans(t *testing.T) {
	t.Parallel()
	d, err := db.Open(t.Context(), crmtest.Migrated(t), 1)
	require.NoError(t, err)
	t.Cleanup(d.Close)
	mode := func(run func(context.Context, string, []any, func(pgx.Rows) error) error) string {
		var got string
		require.NoError(t, run(t.Context(), "SELECT current_setting('plan_cache_mode')", nil, func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&got}, func() error { return nil })
			return err
		}))
		return got
	}
	require.Equal(t, "force_generic_plan", mode(d.Query))
	require.Equal(t, "force_custom_plan", mode(d.QueryPlanned))
	require.Equal(t, "force_generic_plan", mode(d.Query), "only for the one statement")
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	url := crmtest.Migrated(t)
	t.Run("a second run applies nothing", func(t *testing.T) {
		applied, err := db.Migrate(t.Context(), url)
		require.NoError(t, err)
		require.Empty(t, applied)
	})
}

func TestIsUnavailable(t *testing.T) {
	t.Parallel()
	url := crmtest.Migrated(t)
	d := crmtest.Open(t, url)
	t.Run("a caller that went away is not", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := d.Query(ctx, "SELECT 1", nil, func(pgx.Rows) error { return nil })
		require.ErrorIs(t, err, context.Canceled)
		require.False(t, db.IsUnavailable(err))
	})
	for name, setting := range map[string]string{"a statement over its time is": "statement_timeout", "a lock that is not had in time is": "lock_timeout"} {
		t.Run(name, func(t *testing.T) {
			locker, err := pgx.Connect(t.Context(), url)
			require.NoError(t, err)
			defer func() { _ = locker.Close(context.Background()) }()
			_, err = locker.Exec(t.Context(), "BEGIN; LOCK TABLE customer IN ACCESS EXCLUSIVE MODE")
			require.NoError(t, err)
			var batch pgx.Batch
			batch.Queue("SELECT set_config($1, '20ms', true)", setting)
			batch.Queue("SELECT count(*) FROM customer")
			require.True(t, db.IsUnavailable(d.Send(t.Context(), &batch)))
		})
	}
	t.Run("a broken rule is not", func(t *testing.T) {
		_, err := d.Bun().ExecContext(t.Context(), "SELECT 1/0")
		require.Error(t, err)
		require.False(t, db.IsUnavailable(err))
	})
	t.Run("a server that is not there is", func(t *testing.T) {
		_, err := db.Open(t.Context(), "postgres://nobody@127.0.0.1:1/none", 0)
		require.True(t, db.IsUnavailable(errors.Unwrap(err)))
	})
}
