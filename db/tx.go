package db

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// maxAttempts bounds how often a transaction is tried that others keep getting in the way of.
const maxAttempts = 5

// rollbackTimeout bounds the rollback of a transaction whose own context may be over.
const rollbackTimeout = time.Second

// Tx is a transaction of the context's tenant.
type Tx struct{ tx pgx.Tx }

// Transact runs work in one transaction and commits it when work returns no error. A
// transaction that Postgres ended for the sake of another (40001, 40P01) is run again from
// its start, up to five times, so work must keep nothing of an earlier run. Locks are waited
// for two seconds at most; see [IsUnavailable].
func (d *DB) Transact(ctx context.Context, work func(context.Context, *Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := d.attempt(ctx, work)
		if err == nil || attempt == maxAttempts || !gaveWay(err) {
			return err
		}
		pause := time.Duration(attempt) * 10 * time.Millisecond
		select {
		case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // any spread will do
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *DB) attempt(ctx context.Context, work func(context.Context, *Tx) error) error {
	conn, err := d.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	if err := work(ctx, &Tx{tx}); err != nil {
		undo(ctx, tx)
		return err
	}
	return tx.Commit(ctx)
}

// undo rolls back even when ctx is over. A connection that cannot do so is closed by the
// pool, and the server rolls back.
func undo(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_ = tx.Rollback(ctx)
}

// Query runs one statement and hands its rows to read, which must not keep them.
func (t *Tx) Query(ctx context.Context, sql string, args []any, read func(pgx.Rows) error) error {
	rows, err := t.tx.Query(ctx, sql, args...)
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

// Send runs a batch in one round trip. The batch's own callbacks read the answers.
func (t *Tx) Send(ctx context.Context, batch *pgx.Batch) error {
	return t.tx.SendBatch(ctx, batch).Close()
}

// Try runs work so that its changes can be taken back alone: they stay when it returns no
// error. The error of work is returned as it is.
func (t *Tx) Try(ctx context.Context, work func(*Tx) error) error {
	inner, err := t.tx.Begin(ctx)
	if err != nil {
		return err
	}
	if err := work(&Tx{inner}); err != nil {
		if back := inner.Rollback(ctx); back != nil {
			return errors.Join(err, back)
		}
		return err
	}
	return inner.Commit(ctx)
}

// Violated returns the name of the constraint or unique index that err reports broken, and
// false when it reports none.
func Violated(err error) (string, bool) {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || pg.ConstraintName == "" || len(pg.Code) != 5 || pg.Code[:2] != "23" {
		return "", false
	}
	return pg.ConstraintName, true
}
