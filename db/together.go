package db

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// The bounds of statements that travel together.
const (
	maxTogether = 64                   // in one batch
	patience    = 2 * time.Millisecond // that those under way keep others waiting
	maxTravel   = 8 * time.Second      // of a batch, for a free connection and for its answers
)

// Record hands the one record that a statement finds to read, which must not keep it; nothing when it
// finds none. Statements of a tenant that are asked for while one is under way wait until it is back
// and then travel together, which halves what each of them costs. It is for statements that take next
// to no time. They share a transaction, yet one that fails does so alone. When ctx ends nobody waits
// any longer; what has been sent together runs to its end.
func (d *DB) Record(ctx context.Context, sql string, args []any, read func(*pgtype.Map, []byte) error) error {
	query := func() error {
		return d.Query(ctx, sql, args, func(rows pgx.Rows) error { return EachRecord(rows, read) })
	}
	tenant, _ := ctx.Value(tenantKey{}).(uuid.UUID)
	a := &ask{sql: sql, args: args}
	if first := d.join(tenant, a); first != nil {
		defer d.follow(first)
		return query()
	}
	tracer{}.count(ctx, sql)
	tracer{}.countTrip(ctx)
	select {
	case <-a.done:
	case <-ctx.Done():
		d.leave(tenant, a)
		return ctx.Err()
	}
	if a.alone {
		return query()
	}
	if a.err != nil || a.record == nil {
		return a.err
	}
	types := d.types.Get().(*pgtype.Map)
	defer d.types.Put(types)
	return read(types, a.record)
}

// ask is a statement that somebody waits for.
type ask struct {
	sql  string
	args []any

	done   chan struct{} // closed once the rest is known
	record []byte        // nil for none
	err    error
	alone  bool // one of those it travelled with failed: it is to be asked again
}

// lanes are where statements wait.
type lanes struct {
	mu sync.Mutex
	of map[uuid.UUID]*lane // by tenant; those where somebody is under way
}

// lane is where the statements of one tenant wait.
type lane struct {
	tenant  uuid.UUID
	waiting []*ask
	carrier *carrier // who takes them; others that are still under way take no more
}

// carrier goes to the database and back: at first with one statement, then with those that waited
// meanwhile, until there are none.
type carrier struct {
	lane *lane
	left time.Time
}

// join returns a carrier for a statement that goes at once, since no other is under way. Else the
// statement waits, with a second carrier when the one under way is late or there are too many for it.
func (d *DB) join(tenant uuid.UUID, a *ask) (first *carrier) {
	d.lanes.mu.Lock()
	defer d.lanes.mu.Unlock()
	l := d.lanes.of[tenant]
	if l == nil {
		l = &lane{tenant: tenant}
		l.carrier = &carrier{lane: l, left: time.Now()}
		d.lanes.of[tenant] = l
		return l.carrier
	}
	a.done = make(chan struct{})
	l.waiting = append(l.waiting, a)
	if len(l.waiting) > maxTogether || time.Since(l.carrier.left) > patience {
		l.carrier = &carrier{lane: l}
		go d.carry(l.carrier, d.lanes.load(l.carrier))
	}
	return nil
}

// leave forgets a statement that was not sent yet.
func (d *DB) leave(tenant uuid.UUID, a *ask) {
	d.lanes.mu.Lock()
	defer d.lanes.mu.Unlock()
	if l := d.lanes.of[tenant]; l != nil {
		l.waiting = slices.DeleteFunc(l.waiting, func(other *ask) bool { return other == a })
	}
}

// follow goes on with what waited while the first statement was under way.
func (d *DB) follow(first *carrier) {
	if asks := d.take(first); len(asks) > 0 {
		go d.carry(first, asks)
	}
}

// carry takes statements to the database and back, and all that waited meanwhile.
func (d *DB) carry(c *carrier, asks []*ask) {
	for ; len(asks) > 0; asks = d.take(c) {
		d.answer(c.lane.tenant, asks)
		for _, a := range asks {
			close(a.done)
		}
	}
}

// take is what a carrier goes with next, nothing when its work is done.
func (d *DB) take(c *carrier) []*ask {
	d.lanes.mu.Lock()
	defer d.lanes.mu.Unlock()
	if c.lane.carrier != c {
		return nil
	}
	if len(c.lane.waiting) == 0 {
		delete(d.lanes.of, c.lane.tenant)
		return nil
	}
	return d.lanes.load(c)
}

// load gives a carrier what waits.
func (*lanes) load(c *carrier) []*ask {
	n := min(len(c.lane.waiting), maxTogether)
	asks := c.lane.waiting[:n:n]
	c.lane.waiting = c.lane.waiting[n:]
	c.left = time.Now()
	return asks
}

// answer asks the database. It belongs to none of the requests, so it ends with none of them.
func (d *DB) answer(tenant uuid.UUID, asks []*ask) {
	ctx, cancel := context.WithTimeout(WithTenant(context.Background(), tenant), maxTravel)
	defer cancel()
	conn, err := d.acquire(ctx)
	if err != nil {
		for _, a := range asks {
			a.err = err
		}
		return
	}
	defer conn.Release()
	var batch pgx.Batch
	for _, a := range asks {
		batch.Queue(a.sql, a.args...).Query(func(rows pgx.Rows) error {
			return EachRecord(rows, func(_ *pgtype.Map, record []byte) error {
				a.record = slices.Clone(record)
				return nil
			})
		})
	}
	if conn.SendBatch(ctx, &batch).Close() != nil {
		for _, a := range asks {
			a.alone = true
		}
	}
}
