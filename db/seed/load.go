package seed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

const (
	batchCustomers = 1000
	loadWriters    = 2
)

// Load adds a tenant of the given code with so many customers to the database at url, for
// load tests: per customer about two vehicles, two contacts, ten loyalty transactions and
// two warranties. It acts as the login's own role, which must own the tables. The same
// code and number give the same rows within a month (see [Demo]).
//
// progress, when not nil, is told how many customers are written, by one goroutine at a
// time and rising. Load commits batch by batch, and the tenant is suspended until all is
// written: one that is left by an interruption cannot be mistaken for a whole one.
// It is an error when the tenant exists.
func Load(ctx context.Context, url string, tenant string, customers int, progress func(done int)) error {
	return loadAt(ctx, url, tenant, customers, monthOf(time.Now()), progress)
}

func loadAt(ctx context.Context, url, code string, customers int, today time.Time, progress func(done int)) (err error) {
	if customers < 1 {
		return fmt.Errorf("the number of customers must be positive, not %d", customers)
	}
	conn, err := connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	g := newGenerator(code, "Load test "+code, today)
	g.tenant.Status = "SUSPENDED"
	if err := commit(ctx, conn, g.take()); err != nil {
		return refusal(err, code)
	}
	if err := stream(ctx, url, g, customers, progress); err != nil {
		return err
	}
	g.count()
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := g.take().write(ctx, tx); err != nil {
			return err
		}
		if err := analyze(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE tenant SET status = 'ACTIVE' WHERE id = $1", g.tenant.ID); err != nil {
			return fmt.Errorf("activate tenant %q: %w", code, err)
		}
		return nil
	})
}

// refusal says in plain words why a tenant could not be added.
func refusal(err error, code string) error {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.ConstraintName {
		case "tenant_code_key", "tenant_pkey":
			return fmt.Errorf("tenant %q exists already: %w", code, err)
		case "tenant_code_check":
			return fmt.Errorf("%q cannot be the code of a tenant: %w", code, err)
		}
	}
	return err
}

// load is a batch with the number of customers in it.
type load struct {
	*batch
	customers int
}

// stream makes batches in one goroutine and writes them in several. Batches refer to
// nothing outside themselves but the tenant's reference rows.
func stream(ctx context.Context, url string, g *generator, customers int, progress func(int)) error {
	group, ctx := errgroup.WithContext(ctx)
	loads := make(chan load)
	group.Go(func() error {
		defer close(loads)
		for made := 0; made < customers; {
			n := min(batchCustomers, customers-made)
			g.crowd(made, n, customers)
			made += n
			select {
			case loads <- load{g.take(), n}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	done := tally{report: progress}
	for range loadWriters {
		group.Go(func() error { return drain(ctx, url, loads, &done) })
	}
	return group.Wait()
}

// drain writes batches over a connection of its own until there are no more.
func drain(ctx context.Context, url string, loads <-chan load, done *tally) (err error) {
	conn, err := connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	for l := range loads {
		if err := commit(ctx, conn, l.batch); err != nil {
			return err
		}
		done.add(l.customers)
	}
	return nil
}

func commit(ctx context.Context, conn *pgx.Conn, b *batch) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return b.write(ctx, tx) })
}

// tally adds up what several writers have done.
type tally struct {
	mu     sync.Mutex
	done   int
	report func(done int)
}

func (t *tally) add(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done += n
	if t.report != nil {
		t.report(t.done)
	}
}
