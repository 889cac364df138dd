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

// The bounds of lookups that travel together.
const (
	maxTogether = 64                   // in one batch
	maxAway     = 2 * time.Millisecond // of a batch before another sender takes what waits
	maxTravel   = 8 * time.Second      // of a batch, for a free connection and for its answers
)

// Record hands the record that a statement finds, one at most, to read, which must not keep it. Statements
// of a tenant that are asked for while one is under way wait until it is back and then travel together,
// which halves what each of them costs. It is for statements that take next to no time. They share a
// transaction, yet one that fails does so alone. When ctx ends nobody waits any longer; what has been sent
// together runs to its end.
// Errors: those of read, of ctx and of the database, see [IsUnavailable].
func (d *DB) Record(ctx context.Context, sql string, args []any, read func(*pgtype.Map, []byte) error) error {
	query := func() error {
		return d.Query(ctx, sql, args, func(rows pgx.Rows) error { return EachRecord(rows, read) })
	}
	tenant, _ := ctx.Value(tenantKey{}).(uuid.UUID)
	l := &lookup{sql: sql, args: args}
	if first := d.join(tenant, l); first != nil {
		defer d.goOn(first)
		return query()
	}
	tracer{}.count(ctx, sql) // the batch has a context of its own
	tracer{}.countTrip(ctx)
	select {
	case <-l.done:
	case <-ctx.Done():
		d.leave(tenant, l)
		return ctx.Err()
	}
	if l.alone {
		return query()
	}
	if l.err != nil || l.record == nil {
		return l.err
	}
	types := d.types.Get().(*pgtype.Map)
	defer d.types.Put(types)
	return read(types, l.record)
}

// lookup is a statement that somebody waits for.
type lookup struct {
	sql  string
	args []any

	done   chan struct{} // closed once the rest is known
	record []byte        // nil for none
	err    error
	alone  bool // one of those it travelled with failed: it is to be asked again
}

// sender takes lookups of a tenant to the database: at first one, then those that came meanwhile, until
// there are none.
type sender struct {
	tenant  uuid.UUID
	waiting []*lookup
	left    time.Time // when it was sent last
}

// senders are those whom lookups wait for, by tenant. One that was late is replaced, which leaves it
// nothing to take.
type senders struct {
	mu sync.Mutex
	of map[uuid.UUID]*sender
}

// join returns a sender for a lookup that goes at once, since no other is under way. Else the lookup
// waits, for another sender when the one under way is late or there are too many for it.
func (d *DB) join(tenant uuid.UUID, l *lookup) (first *sender) {
	d.senders.mu.Lock()
	defer d.senders.mu.Unlock()
	s := d.senders.of[tenant]
	if s == nil {
		s = &sender{tenant: tenant, left: time.Now()}
		d.senders.of[tenant] = s
		return s
	}
	l.done = make(chan struct{})
	s.waiting = append(s.waiting, l)
	if len(s.waiting) > maxTogether || time.Since(s.left) > maxAway {
		another := &sender{tenant: tenant, waiting: s.waiting}
		s.waiting = nil
		d.senders.of[tenant] = another
		go d.carry(another, another.batch())
	}
	return nil
}

// leave forgets a lookup that was not sent yet.
func (d *DB) leave(tenant uuid.UUID, l *lookup) {
	d.senders.mu.Lock()
	defer d.senders.mu.Unlock()
	if s := d.senders.of[tenant]; s != nil {
		s.waiting = slices.DeleteFunc(s.waiting, func(other *lookup) bool { return other == l })
	}
}

// goOn carries what came while the first lookup was under way.
func (d *DB) goOn(first *sender) {
	if lookups := d.next(first); len(lookups) > 0 {
		go d.carry(first, lookups)
	}
}

// carry takes lookups to the database and back, then those that came meanwhile.
func (d *DB) carry(s *sender, lookups []*lookup) {
	for ; len(lookups) > 0; lookups = d.next(s) {
		d.answer(s.tenant, lookups)
		for _, l := range lookups {
			close(l.done)
		}
	}
}

// next is what a sender goes with next, nothing when its work is done.
func (d *DB) next(s *sender) []*lookup {
	d.senders.mu.Lock()
	defer d.senders.mu.Unlock()
	if len(s.waiting) == 0 && d.senders.of[s.tenant] == s {
		delete(d.senders.of, s.tenant)
	}
	return s.batch()
}

// batch takes as many of those that wait as may travel together. The senders are locked.
func (s *sender) batch() []*lookup {
	n := min(len(s.waiting), maxTogether)
	lookups := s.waiting[:n:n]
	s.waiting = s.waiting[n:]
	s.left = time.Now()
	return lookups
}

// answer asks the database. It belongs to none of the requests, so it ends with none of them.
func (d *DB) answer(tenant uuid.UUID, lookups []*lookup) {
	ctx, cancel := context.WithTimeout(WithTenant(context.Background(), tenant), maxTravel)
	defer cancel()
	conn, err := d.acquire(ctx)
	if err != nil {
		for _, l := range lookups {
			l.err = err
		}
		return
	}
	defer conn.Release()
	var batch pgx.Batch
	for _, l := range lookups {
		batch.Queue(l.sql, l.args...).Query(func(rows pgx.Rows) error {
			return EachRecord(rows, func(_ *pgtype.Map, record []byte) error {
				l.record = slices.Clone(record)
				return nil
			})
		})
	}
	if conn.SendBatch(ctx, &batch).Close() != nil {
		for _, l := range lookups {
			l.alone = true
		}
	}
}
