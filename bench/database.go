package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"crmgraph/db"
	"crmgraph/db/embedded"
	"crmgraph/db/seed"
)

// database is the measured tenant's.
type database struct {
	url     string
	state   string // the directory of the server's keys
	version string // of Postgres
	meter   meter  // of all its processes
	sample  sample
	close   func() error
}

// sample is what requests ask for: customers in a random, yet always the same, order.
type sample struct {
	tenant    uuid.UUID
	customers []uuid.UUID
	companies []uuid.UUID // customers with contacts, vehicles and points
	numbers   []int64     // of customers that a whole page follows
	names     []string    // normalised
	accounts  []uuid.UUID // of customers that earn and redeem points
	parties   []string    // ids of customers, as the Durion contract spells them
	vehicles  []string    // ids of vehicles in use
	people    []int64     // numbers of customers who are persons
}

// sampleSize is how many different requests a workload has.
const sampleSize = 5000

// openDatabase opens the database of a tenant of the given size, beside others of its size
// when there shall be more than one, and makes it first if need be.
func openDatabase(ctx context.Context, state string, customers, tenants int) (data *database, err error) {
	server, err := embedded.Open(ctx, embedded.Options{App: "crmgraph-bench", StateDir: state, SharedBuffers: "1GB", Log: os.Stderr})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, server.Close())
		}
	}()
	name := fmt.Sprintf("load_%d", customers)
	if tenants > 1 {
		name += fmt.Sprintf("_of_%d", tenants)
	}
	if err := server.EnsureDatabase(ctx, name); err != nil {
		return nil, err
	}
	data = &database{url: server.URL(name), state: state, close: server.Close}
	if _, err := db.Migrate(ctx, data.url); err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, data.url)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if err := ensureTenants(ctx, conn, data.url, customers, tenants); err != nil {
		return nil, err
	}
	if data.sample, err = takeSample(ctx, conn); err != nil {
		return nil, err
	}
	data.meter, err = meterOfPostgres(ctx, conn)
	data.version = conn.PgConn().ParameterStatus("server_version")
	return data, err
}

// ensureTenants seeds the tenants, the measured one first, unless they are there.
func ensureTenants(ctx context.Context, conn *pgx.Conn, url string, customers, tenants int) error {
	seeded := false
	for n := range tenants {
		code := tenantCode
		if n > 0 {
			code = fmt.Sprintf("%s-%d", tenantCode, n+1)
		}
		did, err := ensureTenant(ctx, conn, url, code, customers)
		if err != nil {
			return err
		}
		seeded = seeded || did
	}
	if !seeded {
		return nil
	}
	// What autovacuum would do in the middle of the first measurement.
	_, err := conn.Exec(ctx, "VACUUM ANALYZE")
	return err
}

// ensureTenant seeds a tenant once, and reports whether it did. One that was not seeded to the
// end is suspended.
func ensureTenant(ctx context.Context, conn *pgx.Conn, url, code string, customers int) (seeded bool, err error) {
	var status string
	err = conn.QueryRow(ctx, "SELECT status FROM tenant WHERE code = $1", code).Scan(&status)
	switch {
	case status == "ACTIVE":
		return false, nil
	case err == nil:
		return false, fmt.Errorf("an earlier run was interrupted while seeding: drop database %s", conn.Config().Database)
	case !errors.Is(err, pgx.ErrNoRows):
		return false, fmt.Errorf("look for tenant %s: %w", code, err)
	}
	fmt.Fprintf(os.Stderr, "seeding tenant %s with %d customers\n", code, customers)
	return true, seed.Load(ctx, url, code, customers, nil)
}

// takeSample reads what requests will ask for.
func takeSample(ctx context.Context, conn *pgx.Conn) (s sample, err error) {
	if err := conn.QueryRow(ctx, "SELECT id FROM tenant WHERE code = $1", tenantCode).Scan(&s.tenant); err != nil {
		return s, fmt.Errorf("find the tenant: %w", err)
	}
	const shuffled = " ORDER BY md5(c.id::text) LIMIT $2"
	s.customers, err = column[uuid.UUID](ctx, conn, err, "SELECT c.id FROM customer c WHERE c.tenant_id = $1"+shuffled, s.tenant)
	s.companies, err = column[uuid.UUID](ctx, conn, err, `SELECT c.id FROM customer c WHERE c.tenant_id = $1
		AND EXISTS (SELECT FROM contact n WHERE n.tenant_id = $1 AND n.organization_id = c.id)
		AND EXISTS (SELECT FROM vehicle_association a WHERE a.tenant_id = $1 AND a.party_id = c.id AND a.kind = 'OWNER' AND a.effective_to IS NULL)
		AND EXISTS (SELECT FROM loyalty_account l WHERE l.tenant_id = $1 AND l.id = c.id)`+shuffled, s.tenant)
	s.numbers, err = column[int64](ctx, conn, err, `SELECT c.number FROM customer c WHERE c.tenant_id = $1
		AND c.number < (SELECT max(m.number) - 20 FROM customer m WHERE m.tenant_id = $1)`+shuffled, s.tenant)
	s.names, err = column[string](ctx, conn, err, `SELECT p.search_name FROM customer c
		JOIN party p ON p.tenant_id = $1 AND p.id = c.id WHERE c.tenant_id = $1`+shuffled, s.tenant)
	s.accounts, err = column[uuid.UUID](ctx, conn, err, `SELECT c.id FROM customer c WHERE c.tenant_id = $1
		AND EXISTS (SELECT FROM loyalty_account l WHERE l.tenant_id = $1 AND l.id = c.id)`+shuffled, s.tenant)
	s.parties = each(s.customers, uuid.UUID.String)
	s.vehicles, err = column[string](ctx, conn, err, `SELECT c.id::text FROM vehicle c WHERE c.tenant_id = $1 AND c.status = 'ACTIVE'`+shuffled, s.tenant)
	s.people, err = column[int64](ctx, conn, err, `SELECT c.number FROM customer c
		JOIN party p ON p.tenant_id = $1 AND p.id = c.id WHERE c.tenant_id = $1 AND p.kind = 'INDIVIDUAL'`+shuffled, s.tenant)
	return s, err
}

// column reads at most [sampleSize] values, unless something failed before.
func column[T any](ctx context.Context, conn *pgx.Conn, before error, sql string, tenant uuid.UUID) ([]T, error) {
	if before != nil {
		return nil, before
	}
	rows, err := conn.Query(ctx, sql, tenant, sampleSize)
	if err != nil {
		return nil, fmt.Errorf("take the sample: %w", err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err == nil && len(values) == 0 {
		err = errors.New("the tenant has nothing of what is measured")
	}
	if err != nil {
		return nil, fmt.Errorf("take the sample: %w", err)
	}
	return values, nil
}
