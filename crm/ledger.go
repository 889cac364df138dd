package crm

import (
	"context"

	"github.com/jackc/pgx/v5"

	"crmgraph/db"
)

// There are three ledgers: of points (loyalty_points.go), of account credit (credit.go) and of
// gift cards (gift_card_edit.go). What holds for all of them:
//
//   - Entries are only added. The database grants nothing else.
//   - Who moves a balance holds the lock of its owner: the party's row for points and credit,
//     the card's own for a gift card. Owners never wait for one another.
//   - An entry, the balance and the event are written in one transaction. The entry's sequence is
//     the revision of the balance's row that it made, unique among the row's entries, and it says
//     what the balance was after it. So a balance is the sum of its entries, and each entry's balance the sum of
//     those before it and itself.
//   - Amounts are whole: points, or minor units of a currency, up to maxAmount. The database
//     refuses what is negative, and what lies beyond.
//
// [Store.VerifyLedgers] recomputes all of it.

// maxAmount bounds points and minor units: the largest whole number that every JSON reader keeps.
const maxAmount = 1<<53 - 1

// post is perform in two round trips, for operations that many do all the time. The statements
// that ask returns lock and read; they travel with the beginning of the transaction and with the
// idempotency key. What answer queues, once they ran, travels with the commit; it may ask more,
// which costs a round trip each. A refusal of answer needs no savepoint, for nothing was sent by
// then; what it queued goes unless it called regardless.
//
// Errors: as perform.
func post[T any](ctx context.Context, op operation, w Write, input any, check func(*problems),
	ask func(*change) []statement, answer func(context.Context, *change) (*T, error),
) (*T, error) {
	s, hash, err := prepare(ctx, op, w, input, check)
	if err != nil {
		return nil, err
	}
	var c *change
	var prior func() (*outcome, error)
	var result *T
	var refusal *Error
	first := func(batch *pgx.Batch) {
		result, refusal = nil, nil
		c = newChange(ctx, s, nil, w)
		statements := ask(c)
		if w.IdempotencyKey != nil {
			var reservation []statement
			reservation, prior = c.reservation(op.name, hash)
			statements = append(reservation, statements...)
		}
		queue(batch, statements)
	}
	err = s.store.DB.Exchange(ctx, first, func(ctx context.Context, tx *db.Tx) (*pgx.Batch, error) {
		c.tx = tx
		if prior != nil {
			had, err := prior()
			if err != nil {
				return nil, err
			}
			if had != nil {
				return &pgx.Batch{}, had.replay(&result, &refusal)
			}
		}
		var err error
		if result, err = answer(ctx, c); err != nil {
			if !c.kept {
				c.batch = &pgx.Batch{}
			}
			if refusal = finalRefusal(err); refusal == nil || w.IdempotencyKey == nil && !c.kept {
				return nil, err
			}
			result = nil
		}
		if w.IdempotencyKey != nil {
			if err := c.settle(op.name, result, refusal); err != nil {
				return nil, err
			}
		}
		return c.batch, nil
	})
	switch {
	case err != nil:
		return nil, refused(err)
	case refusal != nil:
		if c.kept {
			s.forget()
		}
		return nil, refusal
	default:
		s.forget()
		return result, nil
	}
}

// regardless lets what is queued be done although the operation will be refused: what was found
// out about a record on the way stays true.
func (c *change) regardless() { c.kept = true }
