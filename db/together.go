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
	maxAway     = 2 * time.Millisecond // that they wait for those under way, before others go
	maxTravel   = 8 * time.Second      // of a batch, for a free connection and for its answers
)

// Record hands the record that a statement finds, one at most, to read, which must not keep it. A statement
// that is asked for again, for the same tenant, while it is under way waits until that is back and then
// travels together with all that waited, which halves what each of them costs. It is for statements that
// take next to no time. They share a transaction, yet one that fails does so alone. When ctx ends nobody
// waits any longer; what has been sent together runs to its end.
// Errors: those of read, of ctx and of the database, see [IsUnavailable].
func (d *DB) Record(ctx context.Context, sql string, args []any, read func(*pgtype.Map, []byte) error) error {
	query := func() error {
		return d.Query(ctx, sql, args, func(rows pgx.Rows) error { return EachRecord(rows, read) })
	}
	tenant, _ := ctx.Value(tenantKey{}).(uuid.UUID)
	l := &lookup{args: args}
	to := address{tenant, sql}
	if first := d.join(to, l); first != nil { //nolint:contextcheck // a batch belongs to none of its requests
		defer d.goOn(first) //nolint:contextcheck // likewise
		return query()
	}
	tracer{}.count(ctx, sql) // the batch has a context of its own
	tracer{}.countTrip(ctx)
	select {
	case <-l.done:
	case <-ctx.Done():
		d.leave(to, l)
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

// address says which lookups travel together: whatever keeps one of them waiting, such as a lock on a
// table, would keep the others waiting as well.
type address struct {
	tenant uuid.UUID
	sql    string
}

// lookup is a statement with its values that somebody waits for.
type lookup struct {
	args []any

	done   chan struct{} // closed once the rest is known
	record []byte        // nil for none
	err    error
	alone  bool // something went wrong that may be another's fault: it is to be asked again
}

// sender takes lookups to the database: at first one, then those that came meanwhile, until there are
// none.
type sender struct {
	address

	waiting []*lookup
	late    *time.Timer // for those who wait; nil when nobody does
}

// senders are those whom lookups wait for. One that was late is replaced, which leaves it nothing to
// take.
type senders struct {
	mu      sync.Mutex
	of      map[address]*sender
	maxAway time.Duration
}

// join returns a sender for a lookup that goes at once, since no other is under way. Else the lookup
// waits, for another sender when the one under way is late or there are too many for it.
func (d *DB) join(to address, l *lookup) (first *sender) {
	d.senders.mu.Lock()
	defer d.senders.mu.Unlock()
	s := d.senders.of[to]
	if s == nil {
		s = &sender{address: to}
		d.senders.of[to] = s
		return s
	}
	l.done = make(chan struct{})
	s.waiting = append(s.waiting, l)
	if len(s.waiting) > maxTogether {
		d.replace(s)
	} else {
		d.watch(s)
	}
	return nil
}

// watch replaces a sender that keeps others waiting for too long. The senders are locked.
func (d *DB) watch(s *sender) {
	if len(s.waiting) == 0 || s.late != nil {
		return
	}
	s.late = time.AfterFunc(d.senders.maxAway, func() {
		d.senders.mu.Lock()
		defer d.senders.mu.Unlock()
		d.replace(s)
	})
}

// replace sends another one for those who wait, if there are any. The senders are locked.
func (d *DB) replace(s *sender) {
	if len(s.waiting) == 0 {
		return
	}
	another := &sender{address: s.address, waiting: s.waiting}
	s.waiting = nil
	d.senders.of[s.address] = another
	go d.carry(another, d.batch(another))
}

// leave forgets a lookup that was not sent yet.
func (d *DB) leave(to address, l *lookup) {
	d.senders.mu.Lock()
	defer d.senders.mu.Unlock()
	if s := d.senders.of[to]; s != nil {
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
		d.answer(s.address, lookups)
	}
}

// next is what a sender goes with next, nothing when its work is done.
func (d *DB) next(s *sender) []*lookup {
	d.senders.mu.Lock()
	defer d.senders.mu.Unlock()
	if len(s.waiting) == 0 && d.senders.of[s.address] == s {
		delete(d.senders.of, s.address)
	}
	return d.batch(s)
}

// batch takes as many of those that wait as may travel together. The senders are locked.
func (d *DB) batch(s *sender) []*lookup {
	if s.late != nil {
		s.late.Stop()
		s.late = nil
	}
	n := min(len(s.waiting), maxTogether)
	lookups := s.waiting[:n:n]
	s.waiting = s.waiting[n:]
	d.watch(s)
	return lookups
}

// answer asks the database, and tells each lookup as soon as its answer is there. It belongs to none of
// the requests, so it ends with none of them. Those without an answer ask alone, if one of them panics
// too; but what took too long would do so again.
func (d *DB) answer(to address, lookups []*lookup) {
	told := 0
	tell := func(err error, alone bool) {
		l := lookups[told]
		l.err, l.alone = err, alone
		close(l.done)
		told++
	}
	var err error
	defer func() {
		_ = recover() // the one that caused it will do so again, where somebody expects it
		for told < len(lookups) {
			tell(err, !tookTooLong(err))
		}
	}()
	ctx, cancel := context.WithTimeout(WithTenant(context.Background(), to.tenant), maxTravel)
	defer cancel()
	conn, err := d.acquire(ctx)
	if err != nil {
		return
	}
	defer conn.Release()
	var batch pgx.Batch
	for _, l := range lookups {
		batch.Queue(to.sql, l.args...).Query(func(rows pgx.Rows) error {
			err := EachRecord(rows, func(_ *pgtype.Map, record []byte) error {
				l.record = slices.Clone(record)
				return nil
			})
			if err == nil {
				tell(nil, false)
			}
			return err
		})
	}
	err = conn.SendBatch(ctx, &batch).Close()
}
