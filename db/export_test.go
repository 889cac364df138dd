package db

import (
	"time"

	"github.com/google/uuid"
)

// SendAway pretends that a lookup of the tenant left at a time and is under way until it is back.
func (d *DB) SendAway(tenant uuid.UUID, left time.Time) (back func()) {
	d.senders.mu.Lock()
	defer d.senders.mu.Unlock()
	first := &sender{tenant: tenant, left: left}
	d.senders.of[tenant] = first
	return func() { d.goOn(first) }
}

// Waiting is how many lookups of the tenant wait.
func (d *DB) Waiting(tenant uuid.UUID) int {
	d.senders.mu.Lock()
	defer d.senders.mu.Unlock()
	if s := d.senders.of[tenant]; s != nil {
		return len(s.waiting)
	}
	return 0
}

// Away is how many tenants have lookups under way.
func (d *DB) Away() int {
	d.senders.mu.Lock()
	defer d.senders.mu.Unlock()
	return len(d.senders.of)
}
