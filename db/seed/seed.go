// Package seed fills a database with invented records: demo tenants to try the graph on,
// and tenants of any size to measure it with. Nobody in it exists: e-mail addresses are
// of the example domains, and telephone numbers lie in ranges that are given to nobody.
package seed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Demo fills the demo tenants ("demo" and "acme") when the database at url has no tenant
// yet, and reports whether it did. It acts as the login's own role, which must own the
// tables. Programs that start together seed once, in one transaction.
//
// What is past and what is to come in the demo data is reckoned from the first day of
// today's month, UTC; within a month every database gets the same rows.
func Demo(ctx context.Context, url string, today time.Time) (seeded bool, err error) {
	today = monthOf(today)
	conn, err := connect(ctx, url)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		// Whoever waits here finds the tenants of the one who was first.
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext('crmgraph:seed'))"); err != nil {
			return fmt.Errorf("lock the demo data: %w", err)
		}
		var taken bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM tenant)").Scan(&taken); err != nil {
			return fmt.Errorf("look for tenants: %w", err)
		}
		if taken {
			return nil
		}
		demo := demoTenant(today)
		for _, b := range []*batch{demo, acmeTenant(today, demo)} {
			if err := b.write(ctx, tx); err != nil {
				return err
			}
		}
		seeded = true
		return analyze(ctx, tx)
	})
	return seeded && err == nil, err
}

// monthOf is the first instant of the month, UTC.
func monthOf(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}
