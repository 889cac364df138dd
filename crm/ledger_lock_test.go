package crm_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/db"
)

// withPoints makes a customer that has so many points to spend.
func (w *world) withPoints(t *testing.T, points int64) *crm.Customer {
	t.Helper()
	c := w.person(t, "Points")
	_, err := w.store.AdjustPoints(w.admin(t), crm.LoyaltyAdjustment{CustomerID: c.NodeID(), Points: points}, crm.Write{})
	require.NoError(t, err)
	return c
}

// withCredit makes an organisation that may owe so many cents, and returns its account's id.
func (w *world) withCredit(t *testing.T, cents int64) string {
	t.Helper()
	account := crm.Accounts.GlobalID(w.firm(t, "Credit AG").ID)
	_, err := w.store.UpdateCredit(w.admin(t), account, crm.CreditUpdate{Limit: graphql.OmittableOf(new(inCents(cents)))}, crm.Write{})
	require.NoError(t, err)
	return account
}

// withCard makes a gift card of so many cents.
func (w *world) withCard(t *testing.T, cents int64) *crm.IssuedGiftCard {
	t.Helper()
	issued, err := w.store.IssueGiftCard(w.admin(t), crm.GiftCardIssue{Amount: inCents(cents)}, crm.Write{})
	require.NoError(t, err)
	return issued
}

// anyAmount makes a policy that lets any number of points be redeemed.
func (w *world) anyAmount(t *testing.T) {
	t.Helper()
	_, err := w.store.SetLoyaltyPolicy(w.admin(t), crm.LoyaltyPolicySet{Version: "any", PointsPerUnit: "1", RedeemMode: crm.RedeemPerPoint}, at(1))
	require.NoError(t, err)
}

func spending(c *crm.Customer, points int64) crm.LoyaltyRedemption {
	return crm.LoyaltyRedemption{CustomerID: c.NodeID(), OrderRef: "o", Points: points}
}

func purchase(c *crm.Customer, cents int64) crm.LoyaltyEarning {
	return crm.LoyaltyEarning{CustomerID: c.NodeID(), OrderRef: "o", Amount: inCents(cents)}
}

// Of 50 that take 10 of 100 at the same time, 10 get it and the others are told that nothing is left.
func TestLedgers_NobodyOverdraws(t *testing.T) {
	t.Parallel()
	const many, each, all = 50, 10, 100
	w := newWorld(t)
	store := w.wide(t)
	w.anyAmount(t)
	redeemer, adjusted := w.withPoints(t, all), w.withPoints(t, all)
	account, card := w.withCredit(t, all), w.withCard(t, all)
	for name, c := range map[string]struct {
		take  func(context.Context) error
		loses crm.Reason
		left  string // $1 is the record
		of    any
	}{
		"points": {func(ctx context.Context) error {
			_, err := store.RedeemPoints(ctx, spending(redeemer, each), crm.Write{})
			return err
		}, crm.InsufficientPoints, "SELECT balance FROM loyalty_account WHERE id = $1", redeemer.ID},
		"points taken away": {func(ctx context.Context) error {
			_, err := store.AdjustPoints(ctx, crm.LoyaltyAdjustment{CustomerID: adjusted.NodeID(), Points: -each}, crm.Write{})
			return err
		}, crm.InsufficientPoints, "SELECT balance FROM loyalty_account WHERE id = $1", adjusted.ID},
		"credit": {func(ctx context.Context) error {
			_, err := store.ConsumeCredit(ctx, account, crm.CreditMove{Amount: inCents(each)}, crm.Write{})
			return err
		}, crm.CreditLimitExceeded, "SELECT credit_limit - credit_used FROM account WHERE 'acc_' || id = $1", account},
		"a gift card, which is depleted": {func(ctx context.Context) error {
			_, err := store.RedeemGiftCard(ctx, crm.GiftCardRedemption{Code: card.Code, OrderRef: "o", Amount: inCents(each)}, crm.Write{})
			return err
		}, crm.InvalidState, "SELECT balance FROM gift_card WHERE id = $1", card.Card.ID},
	} {
		t.Run(name, func(t *testing.T) {
			var requests []context.Context
			for range many {
				requests = append(requests, as(t, store))
			}
			errs := atOnce(many, func(i int) error { return c.take(requests[i]) })
			require.Equal(t, all/each, successes(errs))
			for _, err := range errs {
				if err != nil {
					require.Equal(t, []crm.Reason{c.loses}, reasons(err), "%v: %v", err, errors.Unwrap(err))
				}
			}
			require.Zero(t, askOne[int64](t, w, c.left, c.of))
		})
	}
	require.Empty(t, w.drifts(t, "demo"))
}

// Who moves one balance waits for nobody who moves another.
func TestLedgers_OwnersNeverBlockEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := w.wide(t)
	w.anyAmount(t)
	held, free := w.withPoints(t, 100), w.withPoints(t, 100)
	heldAccount, freeAccount := w.withCredit(t, 100), w.withCredit(t, 100)
	heldCard, freeCard := w.withCard(t, 100), w.withCard(t, 100)
	for name, c := range map[string]struct {
		lock       string // $1 is the held record
		of         string
		held, free func(context.Context) error
	}{
		"earning": {"SELECT FROM party WHERE 'cus_' || id = $1 FOR UPDATE", held.NodeID(), func(ctx context.Context) error {
			_, err := store.EarnPoints(ctx, purchase(held, 100), crm.Write{})
			return err
		}, func(ctx context.Context) error {
			_, err := store.EarnPoints(ctx, purchase(free, 100), keyed("earn"))
			return err
		}},
		"redeeming": {"SELECT FROM party WHERE 'cus_' || id = $1 FOR UPDATE", held.NodeID(), func(ctx context.Context) error {
			_, err := store.RedeemPoints(ctx, spending(held, 1), crm.Write{})
			return err
		}, func(ctx context.Context) error {
			_, err := store.RedeemPoints(ctx, spending(free, 1), keyed("redeem"))
			return err
		}},
		"credit": {"SELECT FROM party WHERE 'acc_' || id = $1 FOR UPDATE", heldAccount, func(ctx context.Context) error {
			_, err := store.ConsumeCredit(ctx, heldAccount, crm.CreditMove{Amount: inCents(1)}, crm.Write{})
			return err
		}, func(ctx context.Context) error {
			_, err := store.ConsumeCredit(ctx, freeAccount, crm.CreditMove{Amount: inCents(1)}, keyed("consume"))
			return err
		}},
		"gift cards": {"SELECT FROM gift_card WHERE 'gft_' || id = $1 FOR UPDATE", heldCard.Card.NodeID(), func(ctx context.Context) error {
			_, err := store.RedeemGiftCard(ctx, crm.GiftCardRedemption{Code: heldCard.Code, OrderRef: "o", Amount: inCents(1)}, crm.Write{})
			return err
		}, func(ctx context.Context) error {
			_, err := store.RedeemGiftCard(ctx, crm.GiftCardRedemption{Code: freeCard.Code, OrderRef: "o", Amount: inCents(1)}, keyed("pay"))
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			tx, err := w.sql.Begin(t.Context())
			require.NoError(t, err)
			defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
			done, err := tx.Exec(t.Context(), c.lock, c.of)
			require.NoError(t, err)
			require.EqualValues(t, 1, done.RowsAffected())
			waiting := make(chan error, 1)
			request := as(t, store)
			go func() { waiting <- c.held(request) }()
			require.Eventually(t, func() bool {
				return askOne[bool](t, w, "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
			}, 5*time.Second, time.Millisecond, "the held one waits")
			require.NoError(t, c.free(as(t, store)), "and the other does not")
			select {
			case err := <-waiting:
				require.Equal(t, crm.Unavailable, crm.CodeOf(err), "it gave up, at most: %v", err)
			default:
				require.NoError(t, tx.Rollback(t.Context()))
				if err := <-waiting; err != nil {
					require.Equal(t, crm.Unavailable, crm.CodeOf(err), "%v", err)
				}
			}
		})
	}
}

// The operations that many do all the time ask the database twice, in one transaction.
func TestLedgers_TwoRoundTrips(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.anyAmount(t)
	customer, account, card := w.withPoints(t, 100), w.withCredit(t, 1000), w.withCard(t, 1000)
	for name, act := range map[string]func(context.Context, crm.Write) error{
		"earning": func(ctx context.Context, write crm.Write) error {
			_, err := w.store.EarnPoints(ctx, purchase(customer, 100), write)
			return err
		},
		"redeeming": func(ctx context.Context, write crm.Write) error {
			_, err := w.store.RedeemPoints(ctx, spending(customer, 1), write)
			return err
		},
		"buying on credit": func(ctx context.Context, write crm.Write) error {
			_, err := w.store.ConsumeCredit(ctx, account, crm.CreditMove{Amount: inCents(1)}, write)
			return err
		},
		"paying with a card": func(ctx context.Context, write crm.Write) error {
			_, err := w.store.RedeemGiftCard(ctx, crm.GiftCardRedemption{Code: card.Code, OrderRef: "o", Amount: inCents(1)}, write)
			return err
		},
	} {
		for with, write := range map[string]crm.Write{"without": {}, "with": keyed(name)} {
			t.Run(name+" "+with+" a key", func(t *testing.T) {
				before := w.transactions(t)
				ctx, statements := db.CountStatements(w.admin(t))
				require.NoError(t, act(ctx, write))
				require.Equal(t, 2, statements.RoundTrips())
				require.Len(t, w.transactions(t), len(before)+1, "one transaction wrote all")
			})
		}
		t.Run(name+" again with the key", func(t *testing.T) {
			before := w.transactions(t)
			ctx, statements := db.CountStatements(w.admin(t))
			require.NoError(t, act(ctx, keyed(name)))
			require.LessOrEqual(t, statements.RoundTrips(), 2)
			require.Equal(t, before, w.transactions(t), "nothing is written")
		})
	}
}

// transactions lists the transactions that wrote the rows of the ledgers and what belongs to them, as they are now.
func (w *world) transactions(t *testing.T) map[string]bool {
	t.Helper()
	written := map[string]bool{}
	for _, table := range []string{
		"loyalty_account", "loyalty_transaction", "loyalty_lot", "loyalty_lot_debit", "account", "credit_transaction",
		"gift_card", "gift_card_transaction", "party", "event", "idempotency_key",
	} {
		for _, id := range ask[string](t, w, "SELECT DISTINCT xmin::text FROM "+table) {
			written[id] = true
		}
	}
	return written
}
