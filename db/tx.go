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
type Tx struct{ conn runner }

// runner is what runs statements inside a transaction.
type runner interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
}

// Transact runs work in one transaction and commits it when work returns no error. A
// transaction that Postgres ended for the sake of another (40001, 40P01) is run again from
// its start, up to five times, so work must keep nothing of an earlier run. Locks are waited
// for two seconds at most; see [IsUnavailable].
func (d *DB) Transact(ctx context.Context, work func(context.Context, *Tx) error) error {
	return again(ctx, func() error { return d.transact(ctx, work) })
}

// Exchange is Transact in two round trips: what ask queues travels with the beginning, and
// what answer returns, after it saw what ask's callbacks read, with the commit. The callbacks
// of the second batch run when it is too late to refuse. An error of answer takes everything
// back. Its transaction may be asked more, one round trip each; it has no Try.
func (d *DB) Exchange(ctx context.Context, ask func(*pgx.Batch), answer func(context.Context, *Tx) (*pgx.Batch, error)) error {
	return again(ctx, func() error { return d.exchange(ctx, ask, answer) })
}

// Snapshot runs work in one transaction that only reads, and that sees everything as it was when
// it began. Its statements are planned for their values and may run as long as ctx does: it is for
// reports, not for requests.
func (d *DB) Snapshot(ctx context.Context, work func(context.Context, *Tx) error) error {
	conn, err := d.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, unboundedSQL); err != nil {
			return err
		}
		return work(ctx, &Tx{tx})
	})
}

// again runs a transaction until others no longer get in its way.
func again(ctx context.Context, attempt func() error) error {
	for n := 1; ; n++ {
		err := attempt()
		if err == nil || n == maxAttempts || !gaveWay(err) {
			return err
		}
		pause := time.Duration(n) * 10 * time.Millisecond
		select {
		case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // any spread will do
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *DB) transact(ctx context.Context, work func(context.Context, *Tx) error) error {
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
		undo(ctx, tx.Rollback)
		return err
	}
	return tx.Commit(ctx)
}

func (d *DB) exchange(ctx context.Context, ask func(*pgx.Batch), answer func(context.Context, *Tx) (*pgx.Batch, error)) error {
	conn, err := d.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	err = func() error {
		var first pgx.Batch
		first.Queue("BEGIN")
		ask(&first)
		if err := conn.SendBatch(ctx, &first).Close(); err != nil {
			return err
		}
		last, err := answer(ctx, &Tx{conn})
		if err != nil {
			return err
		}
		last.Queue("COMMIT") // the server skips it when a statement before it fails
		return conn.SendBatch(ctx, last).Close()
	}()
	if err != nil {
		undo(ctx, func(ctx context.Context) error {
			_, err := conn.Exec(ctx, "ROLLBACK")
			return err
		})
	}
	return err
}

// undo rolls back even when ctx is over. A connection that cannot do so is closed by the
// pool, and the server rolls back.
func undo(ctx context.Context, rollback func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_ = rollback(ctx)
}

// Query runs one statement and hands its rows to read, which must not keep them.
func (t *Tx) Query(ctx context.Context, sql string, args []any, read func(pgx.Rows) error) error {
	rows, err := t.conn.Query(ctx, sql, args...)
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
	return t.conn.SendBatch(ctx, batch).Close()
}

// Try runs work so that its changes can be taken back alone: they stay when it returns no
// error. The error of work is returned as it is.
func (t *Tx) Try(ctx context.Context, work func(*Tx) error) error {
	outer, ok := t.conn.(pgx.Tx)
	if !ok {
		return errors.New("an exchange has no savepoints")
	}
	inner, err := outer.Begin(ctx)
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
