package auth

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// askEvery is the least time between two requests to an issuer, for whatever
	// reason, and the age from which a set is renewed behind the callers' backs.
	askEvery = 30 * time.Second
	// askLatest is the age from which callers wait for the renewal. A withdrawn key
	// is therefore never used longer than this.
	askLatest = time.Minute
	// trustFor is how long a set outlives its last confirmation while the issuer
	// cannot be reached. Tokens seldom live longer, and no new ones can be had then.
	trustFor = time.Hour
)

// remoteKeys keeps the keys that an issuer publishes and decides when to ask again.
type remoteKeys struct {
	fetch  func() (*keySet, error) // takes a bounded time
	now    func() time.Time
	state  atomic.Pointer[keyState]
	flight singleflight.Group
	behind atomic.Bool // a renewal was started behind the callers' backs
}

var _ keySource = (*remoteKeys)(nil)

// keyState is what is known at one time. It never changes.
type keyState struct {
	keys      *keySet   // nil until the first success
	confirmed time.Time // when the last successful request began
	asked     time.Time // when the last request began
	failure   error     // of the last request
}

// newRemoteKeys keeps the keys of cfg.Issuer; its requests end with ctx.
func newRemoteKeys(ctx context.Context, cfg Config) *remoteKeys {
	p := newProvider(cfg.Issuer, cfg.HTTPClient)
	r := &remoteKeys{now: cfg.Now, fetch: func() (*keySet, error) { return p.fetch(ctx) }}
	r.state.Store(&keyState{})
	return r
}

func (r *remoteKeys) current(ctx context.Context, now time.Time) (*keySet, error) {
	s := r.state.Load()
	switch age := now.Sub(s.asked); {
	case age >= askLatest, age >= askEvery && s.keys == nil:
		if err := r.renew(ctx); err != nil {
			return nil, err
		}
	case age >= askEvery && r.behind.CompareAndSwap(false, true):
		go func() {
			defer r.behind.Store(false)
			_, _, _ = r.flight.Do("", r.ask)
		}()
	}
	return r.state.Load().trusted(now)
}

func (r *remoteKeys) find(ctx context.Context, now time.Time, kid string) (*keySet, error) {
	keys, err := r.current(ctx, now)
	if err != nil || keys.has(kid) {
		return keys, err
	}
	if err := r.renew(ctx); err != nil {
		return nil, err
	}
	s := r.state.Load()
	if s.failure != nil && !s.keys.has(kid) {
		return nil, unavailable(s.failure) // it may be a new key: nobody can tell
	}
	return s.trusted(now)
}

// trusted returns the keys unless they are too long unconfirmed.
func (s *keyState) trusted(now time.Time) (*keySet, error) {
	switch {
	case s.keys != nil && now.Sub(s.confirmed) < trustFor:
		return s.keys, nil
	case s.failure != nil:
		return nil, unavailable(s.failure)
	default:
		return nil, unavailable(errors.New("the issuer's keys are being fetched"))
	}
}

// renew asks the issuer if it may be asked, or joins a request under way, and waits for
// its end, whatever the outcome. Error: Unavailable when ctx ends first; the request goes on.
func (r *remoteKeys) renew(ctx context.Context) error {
	select {
	case <-r.flight.DoChan("", r.ask):
		return nil
	case <-ctx.Done():
		return unavailable(context.Cause(ctx))
	}
}

// ask asks the issuer unless it was asked a moment ago. It runs once at a time, and
// its outcome is in the state, not in its results.
func (r *remoteKeys) ask() (any, error) {
	began, old := r.now(), r.state.Load()
	if began.Sub(old.asked) < askEvery {
		return nil, nil //nolint:nilnil // see above
	}
	next := keyState{keys: old.keys, confirmed: old.confirmed, asked: began}
	keys, err := r.fetch()
	switch {
	case err != nil:
		next.failure = err
	case old.keys.same(keys):
		next.confirmed = began
	default:
		next.keys, next.confirmed = keys, began
	}
	r.state.Store(&next)
	return nil, nil //nolint:nilnil // see above
}
