// Package db is the way to Postgres: one pool, the tenant setting of its connections,
// migrations, the small SQL builder behind filters and pages, and what database errors
// mean. It knows tables; it knows no rule of the domain.
package db

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// AppRole is the database role that requests run as. It owns nothing and row level
// security applies to it.
const AppRole = "crmgraph_app"

// acquireTimeout bounds the wait for a free connection: longer queues help nobody.
const acquireTimeout = 2 * time.Second

// maxPrepared is how many statements a connection keeps prepared, those used last. The plan of one
// with many edges takes up to a megabyte of Postgres' memory.
const maxPrepared = 128

// DB is an open database. It is safe for concurrent use.
type DB struct {
	pool    *pgxpool.Pool
	bun     *bun.DB
	senders senders
	types   sync.Pool // of *pgtype.Map, for what is read away from its connection
}

// Open connects to the database at url, whose login must be a member of [AppRole], and
// switches every connection to that role. maxConns 0 means 16.
func Open(ctx context.Context, url string, maxConns int32) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("parse the database address: %w", err)
	}
	if maxConns == 0 {
		maxConns = 16
	}
	cfg.MaxConns = maxConns
	cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	cfg.ConnConfig.Tracer = tracer{}
	cfg.ConnConfig.StatementCacheCapacity = maxPrepared
	maps.Copy(cfg.ConnConfig.RuntimeParams, map[string]string{
		"application_name":                    "crmgraph",
		"statement_timeout":                   "5s",
		"lock_timeout":                        "2s",
		"idle_in_transaction_session_timeout": "10s",
		"jit":                                 "off",
		// The loaders' statements differ in nothing but ids: planning them anew for each
		// request costs more than running them.
		"plan_cache_mode": "force_generic_plan",
		"timezone":        "UTC",
	})
	// A client that hangs up takes its running statement with it, unless that travels with others.
	cfg.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: time.Second}
	}
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		registerUUID(conn.TypeMap())
		_, err := conn.Exec(ctx, setRoleSQL)
		return err
	}
	cfg.PrepareConn = setTenant
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the pool: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	return &DB{
		pool:    pool,
		bun:     bun.NewDB(stdlib.OpenDBFromPool(pool), pgdialect.New()),
		senders: senders{of: map[address]*sender{}, maxAway: maxAway},
		types:   sync.Pool{New: newTypes},
	}, nil
}

// Close waits for running statements and closes every connection.
func (d *DB) Close() { d.pool.Close() }

// Bun returns the query builder over the same pool, for statements that are not on a
// request's hot path.
func (d *DB) Bun() *bun.DB { return d.bun }

// Ping reports whether a statement can be answered now.
func (d *DB) Ping(ctx context.Context) error { return d.pool.Ping(ctx) }

// Stat returns the pool's counters.
func (d *DB) Stat() *pgxpool.Stat { return d.pool.Stat() }

// Query runs one statement on a connection of the context's tenant and hands its rows to
// read, which must not keep them.
func (d *DB) Query(ctx context.Context, sql string, args []any, read func(pgx.Rows) error) error {
	conn, err := d.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if err := read(rows); err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

// QueryPlanned is Query for a statement whose best plan depends on its values, such as a
// filter that a client put together: it is planned for them, in the same round trip.
func (d *DB) QueryPlanned(ctx context.Context, sql string, args []any, read func(pgx.Rows) error) error {
	var batch pgx.Batch
	batch.Queue(planForValuesSQL)
	batch.Queue(sql, args...).Query(read)
	return d.Send(ctx, &batch)
}

// Send runs a batch in one round trip on a connection of the context's tenant. The
// batch's own callbacks read the rows.
func (d *DB) Send(ctx context.Context, batch *pgx.Batch) error {
	conn, err := d.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return conn.SendBatch(ctx, batch).Close()
}

func (d *DB) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	// With some to spare there is nothing to wait for, and no clock to start. Should others be faster,
	// the wait ends with the request.
	if d.pool.Stat().IdleConns() > 1 {
		return d.pool.Acquire(ctx)
	}
	waiting, cancel := context.WithTimeoutCause(ctx, acquireTimeout, errPoolExhausted)
	defer cancel()
	conn, err := d.pool.Acquire(waiting)
	if err != nil && ctx.Err() == nil && waiting.Err() != nil {
		return nil, errPoolExhausted
	}
	return conn, err
}

// Settings travel as statements but ask for nothing; they are not counted.
const (
	setRoleSQL       = "SET ROLE " + AppRole
	setTenantSQL     = "SELECT set_config('app.tenant', $1, false)"
	planForValuesSQL = "SELECT set_config('plan_cache_mode', 'force_custom_plan', true)" // until the batch ends
	unboundedSQL     = "SELECT set_config('statement_timeout', '0', true), set_config('plan_cache_mode', 'force_custom_plan', true)"
)

type tenantKey struct{}

// WithTenant returns a context whose statements run for the tenant.
func WithTenant(ctx context.Context, id uuid.UUID) context.Context {
	return context.WithValue(ctx, tenantKey{}, id)
}

// setTenant runs at every checkout. It compares what the connection was last set to with
// what the context asks for, so that a setting never leaks from one request to the next;
// a context without a tenant sees no tenant's rows.
func setTenant(ctx context.Context, conn *pgx.Conn) (bool, error) {
	want, _ := ctx.Value(tenantKey{}).(uuid.UUID)
	data := conn.PgConn().CustomData()
	if have, ok := data["tenant"].(uuid.UUID); ok && have == want {
		return true, nil
	}
	delete(data, "tenant")
	text := ""
	if want != uuid.Nil {
		text = want.String()
	}
	if _, err := conn.Exec(ctx, setTenantSQL, text); err != nil {
		return false, err
	}
	data["tenant"] = want
	return true, nil
}
