package db

import (
	"time"

	"github.com/google/uuid"
)

// SendAway pretends that a lookup of the tenant is under way until it is back, and that others wait
// for it for some time.
func (d *DB) SendAway(tenant uuid.UUID, sql string, wait time.Duration) (back func()) {
	d.WaitAtMost(wait)
	d.senders.mu.Lock()
	defer d.senders.mu.Unlock()
	first := &sender{address: address{tenant, sql}}
	d.senders.of[first.address] = first
	return func() { d.goOn(first) }
}

// WaitAtMost sets how long lookups wait for those under way.
func (d *DB) WaitAtMost(wait time.Duration) {
	d.senders.mu.Lock()
	defer d.senders.mu.Unlock()
	d.senders.maxAway = wait
}

// Waiting is how many lookups wait.
func (d *DB) Waiting() (n int) {
	d.senders.mu.Lock()
	defer d.senders.mu.Unlock()
	for _, s := range d.senders.of {
		n += len(s.waiting)
	}
	return n
}

// Away is how many different lookups are under way.
func (d *DB) Away() int {
	d.senders.mu.Lock()
	defer d.senders.mu.Unlock()
	return len(d.senders.of)
}
