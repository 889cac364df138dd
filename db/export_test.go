package db

import (
	"time"

	"github.com/google/uuid"
)

// OccupyLane pretends that a statement of the tenant left at a time and is under way until it is back.
func (d *DB) OccupyLane(tenant uuid.UUID, left time.Time) (back func()) {
	d.lanes.mu.Lock()
	defer d.lanes.mu.Unlock()
	l := &lane{tenant: tenant}
	l.carrier = &carrier{lane: l, left: left}
	d.lanes.of[tenant] = l
	first := l.carrier
	return func() { d.follow(first) }
}

// Waiting is how many statements of the tenant wait.
func (d *DB) Waiting(tenant uuid.UUID) int {
	d.lanes.mu.Lock()
	defer d.lanes.mu.Unlock()
	if l := d.lanes.of[tenant]; l != nil {
		return len(l.waiting)
	}
	return 0
}

// Lanes is how many tenants have statements under way.
func (d *DB) Lanes() int {
	d.lanes.mu.Lock()
	defer d.lanes.mu.Unlock()
	return len(d.lanes.of)
}
