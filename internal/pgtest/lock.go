package pgtest

import (
	"context"
	"hash/fnv"
)

// mode is how an advisory lock is held. Locks end with the connection at the
// latest, so a killed process leaves none.
type mode string

const (
	exclusive mode = ""
	shared    mode = "_shared"
)

// sweepLock is held exclusively by the sweep, and shared by whoever uses a
// template.
const sweepLock = "pgtest sweep"

// lock takes an advisory lock, waiting for it.
func (s *server) lock(ctx context.Context, m mode, what string) (unlock func() error, err error) {
	if _, err := s.conn.Exec(ctx, "SELECT pg_advisory_lock"+string(m)+"($1)", lockKey(what)); err != nil {
		return nil, err
	}
	return s.unlock(ctx, m, what), nil
}

// tryLock takes an advisory lock, unless somebody else has it.
func (s *server) tryLock(ctx context.Context, m mode, what string) (unlock func() error, ok bool, err error) {
	err = s.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock"+string(m)+"($1)", lockKey(what)).Scan(&ok)
	return s.unlock(ctx, m, what), ok, err
}

func (s *server) unlock(ctx context.Context, m mode, what string) func() error {
	return func() error {
		_, err := s.conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock"+string(m)+"($1)", lockKey(what))
		return err
	}
}

// lockKey is the number PostgreSQL knows the lock by.
func lockKey(what string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(what))
	return int64(h.Sum64())
}
