package db

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// Statements counts the SQL statements sent on behalf of one context, and how often its
// server was asked. Preparing a statement, once per connection, is not counted.
type Statements struct{ n, trips atomic.Int64 }

// Count returns how many statements were sent so far. Settings are not
// counted.
func (s *Statements) Count() int { return int(s.n.Load()) }

// RoundTrips returns how often statements were sent so far, several together once.
func (s *Statements) RoundTrips() int { return int(s.trips.Load()) }

type statementsKey struct{}

// CountStatements returns a context that counts, and its counter.
func CountStatements(ctx context.Context) (context.Context, *Statements) {
	s := &Statements{}
	return context.WithValue(ctx, statementsKey{}, s), s
}

// tracer feeds the counters; pgx calls it for every statement.
type tracer struct{}

func (tracer) count(ctx context.Context, sql string) {
	if s, ok := ctx.Value(statementsKey{}).(*Statements); ok && !isSetting(sql) {
		s.n.Add(1)
	}
}

func (tracer) countTrip(ctx context.Context) {
	if s, ok := ctx.Value(statementsKey{}).(*Statements); ok {
		s.trips.Add(1)
	}
}

func isSetting(sql string) bool {
	return sql == setRoleSQL || sql == setTenantSQL || sql == planForValuesSQL || sql == unboundedSQL
}

// TraceQueryStart implements pgx.QueryTracer.
func (t tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	t.count(ctx, data.SQL)
	if !isSetting(data.SQL) {
		t.countTrip(ctx)
	}
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (tracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (t tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	t.countTrip(ctx)
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (t tracer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	t.count(ctx, data.SQL)
}

// TraceBatchEnd implements pgx.BatchTracer.
func (tracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}
