package crm_test

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// persistently does an act with the newest revision until it is done or refused for good.
func persistently(revision int64, act func(revision int64) (*crm.CreditMovement, error)) (*crm.CreditMovement, error) {
	for {
		m, err := act(revision)
		switch crm.CodeOf(err) {
		case crm.Stale:
			e, _ := errors.AsType[*crm.Error](err)
			revision = e.Current.(*crm.Account).Revision
		case crm.Unavailable: // so many wait for one row
		default:
			return m, err
		}
	}
}

// G3N 3.7: with re-reading and trying again, exactly as many buy as the limit allows.
func TestConsumeCredit_ACrowdStopsAtTheLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.debtor(t, "Popular AG", "100.00 EUR").NodeID()
	store := w.wide(t)
	move := crm.CreditMove{Amount: money(t, "10.00 EUR")}
	var requests []context.Context
	for range 50 {
		requests = append(requests, as(t, store))
	}
	errs := atOnce(len(requests), func(i int) error {
		_, err := persistently(2, func(revision int64) (*crm.CreditMovement, error) {
			return store.ConsumeCredit(requests[i], id, move, at(revision))
		})
		return err
	})
	require.Equal(t, 10, successes(errs))
	for _, err := range errs {
		if err != nil {
			refused(t, err, crm.Conflict, crm.CreditLimitExceeded, "input.amount")
		}
	}
	require.Equal(t, "100.00 EUR", w.account(t, id).Credit().Used.String())
	require.Len(t, w.debts(t, id), 1+10)
	require.EqualValues(t, 2+10, w.account(t, id).Revision)
	w.sound(t)
}

func TestConsumeCredit_OneWinnerPerRevision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.debtor(t, "Contested AG", "1000.00 EUR").NodeID()
	store, move := w.wide(t), crm.CreditMove{Amount: money(t, "10.00 EUR")}
	errs := together(t, store, func(ctx context.Context, _ int) error {
		_, err := store.ConsumeCredit(ctx, id, move, at(2))
		return err
	})
	require.Equal(t, 1, successes(errs))
	for _, err := range errs {
		if err != nil {
			require.EqualValues(t, 3, refused(t, err, crm.Stale, "", "ifRevision").Current.(*crm.Account).Revision)
		}
	}
	require.Equal(t, "10.00 EUR", w.account(t, id).Credit().Used.String())
	w.sound(t)
}

// Without a revision everybody's turn comes; none is lost, and none goes below nothing.
func TestCredit_ACrowdWithoutRevisions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := w.wide(t)
	id, move := w.debtor(t, "Busy AG", "1000.00 EUR").NodeID(), crm.CreditMove{Amount: money(t, "7.00 EUR")}
	for _, err := range together(t, store, func(ctx context.Context, i int) error {
		if i%3 == 0 {
			_, err := store.ReleaseCredit(ctx, id, move, crm.Write{})
			return err
		}
		_, err := store.ConsumeCredit(ctx, id, move, crm.Write{})
		return err
	}) {
		require.NoError(t, err)
	}
	require.Len(t, w.debts(t, id), 1+crowd)
	require.EqualValues(t, 2+crowd, w.account(t, id).Revision)
	w.sound(t)
}

func TestCredit_DuplicatesSentAtOnceAreOneEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := w.wide(t)
	id, other := w.debtor(t, "Repeated AG", "100.00 EUR").NodeID(), w.debtor(t, "Released AG", "100.00 EUR").NodeID()
	w.bought(t, other, "100.00 EUR")
	order, part := crm.CreditMove{Amount: money(t, "10.00 EUR"), OrderRef: new("SO-1")}, crm.CreditMove{Amount: money(t, "1.00 EUR")}
	for name, act := range map[string]func(context.Context) (*crm.CreditMovement, error){
		"consume": func(ctx context.Context) (*crm.CreditMovement, error) {
			write := keyed("consume")
			write.IfRevision = new(int64(2))
			return store.ConsumeCredit(ctx, id, order, write)
		},
		"release": func(ctx context.Context) (*crm.CreditMovement, error) {
			return store.ReleaseCredit(ctx, other, part, keyed("release"))
		},
	} {
		made := make([]*crm.CreditMovement, crowd)
		for _, err := range together(t, store, func(ctx context.Context, i int) (err error) {
			made[i], err = act(ctx)
			return err
		}) {
			require.NoError(t, err, name)
		}
		for _, m := range made {
			same(t, made[0], m)
		}
		require.Len(t, ask[string](t, w, "SELECT id::text FROM credit_transaction WHERE type = upper($1) AND account_id = $2", name, made[0].Account.ID), 1)
	}
	w.sound(t)
}

func TestCredit_Keys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	consume := func(id, amount, key string, revision int64) (*crm.CreditMovement, error) {
		write := keyed(key)
		write.IfRevision = &revision
		return w.consume(t, id, amount, write)
	}
	t.Run("a replay answers as the first time, although others moved credit since", func(t *testing.T) {
		id := w.debtor(t, "Replayed AG", "100.00 EUR").NodeID()
		first, err := consume(id, "10.00 EUR", "k", 2)
		require.NoError(t, err)
		w.bought(t, id, "5.00 EUR")
		after := w.rows(t)
		again, err := consume(id, "10.00 EUR", "k", 2)
		require.NoError(t, err)
		same(t, first, again)
		require.Equal(t, after, w.rows(t))
	})
	t.Run("another input is a mismatch", func(t *testing.T) {
		id, other := w.debtor(t, "Mixed AG", "100.00 EUR").NodeID(), w.debtor(t, "Other AG", "100.00 EUR").NodeID()
		_, err := consume(id, "10.00 EUR", "m", 2)
		require.NoError(t, err)
		after := w.rows(t)
		for _, try := range []func() error{
			func() error { _, err := consume(id, "10.01 EUR", "m", 2); return err },
			func() error { _, err := consume(id, "10.00 EUR", "m", 3); return err },
			func() error { _, err := consume(other, "10.00 EUR", "m", 2); return err },
			func() error {
				_, err := w.store.ConsumeCredit(w.admin(t), id, crm.CreditMove{Amount: money(t, "10.00 EUR"), OrderRef: new("SO-1")},
					crm.Write{IdempotencyKey: new("m"), IfRevision: new(int64(2))})
				return err
			},
		} {
			refused(t, try(), crm.Conflict, crm.IdempotencyMismatch, "idempotencyKey")
		}
		require.Equal(t, after, w.rows(t))
		_, err = w.release(t, id, "10.00 EUR", keyed("m"))
		require.NoError(t, err, "another operation has keys of its own")
	})
	t.Run("a refusal stays one, a stale revision does not", func(t *testing.T) {
		id := w.debtor(t, "Refused AG", "10.00 EUR").NodeID()
		_, err := consume(id, "10.01 EUR", "r", 2)
		first := refused(t, err, crm.Conflict, crm.CreditLimitExceeded, "input.amount")
		w.limited(t, id, "20.00 EUR")
		after := w.rows(t)
		_, err = consume(id, "10.01 EUR", "r", 2)
		require.Equal(t, first.Message, refused(t, err, crm.Conflict, crm.CreditLimitExceeded, "input.amount").Message)
		require.Equal(t, after, w.rows(t))
		_, err = consume(id, "10.01 EUR", "s", 2)
		refused(t, err, crm.Stale, "", "ifRevision")
		_, err = consume(id, "10.01 EUR", "s", 3)
		require.NoError(t, err)
	})
	t.Run("each kind of refusal is kept", func(t *testing.T) {
		id := w.debtor(t, "Kept AG", "10.00 EUR").NodeID()
		w.held(t, id)
		for range 2 {
			_, err := w.consume(t, id, "1.00 EUR", keyed("hold"))
			refused(t, err, crm.Conflict, crm.CreditHeld, "id")
			_, err = w.release(t, id, "1.00 USD", keyed("currency"))
			refused(t, err, crm.Conflict, crm.CurrencyMismatch, "input.amount.currency")
			_, err = w.store.UpdateCredit(w.admin(t), id, crm.CreditUpdate{Hold: given(false)}, crm.Write{})
			require.NoError(t, err)
		}
	})
	w.sound(t)
}

// Party, customer and account are one lock: whoever changes whichever of them, nobody waits in a
// ring, no change is lost, and none is refused for another's sake.
func TestCredit_BesidesOtherChangesOfTheParty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	firm := w.firm(t, "Shared AG")
	id := w.limited(t, accountOf(firm.ID), "1000.00 EUR").NodeID()
	// A ring is not broken but waited in, until the wait is given up as Unavailable.
	_, err := w.sql.Exec(t.Context(), "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''1min''', current_database()); END $$")
	require.NoError(t, err)
	store := w.wide(t)
	move := crm.CreditMove{Amount: money(t, "1.00 EUR")}
	var keys atomic.Int64
	acts := []func(context.Context) error{
		func(ctx context.Context) error { _, err := store.ConsumeCredit(ctx, id, move, crm.Write{}); return err },
		func(ctx context.Context) error {
			_, err := store.UpdateParty(ctx, partyOf(firm), crm.PartyUpdate{Language: given("de")}, crm.Write{})
			return err
		},
		func(ctx context.Context) error {
			_, err := store.ConsumeCredit(ctx, id, move, keyed(strconv.FormatInt(keys.Add(1), 10)))
			return err
		},
		func(ctx context.Context) error {
			_, err := store.UpdateCustomer(ctx, firm.NodeID(), crm.CustomerUpdate{Tags: list("a")}, crm.Write{})
			return err
		},
		func(ctx context.Context) error { _, err := store.ReleaseCredit(ctx, id, move, crm.Write{}); return err },
		func(ctx context.Context) error {
			_, err := store.UpdateCredit(ctx, id, crm.CreditUpdate{Hold: given(false)}, crm.Write{})
			return err
		},
		func(ctx context.Context) error {
			_, err := store.UpdateAccount(ctx, id, crm.AccountUpdate{}, keyed(strconv.FormatInt(keys.Add(1), 10)))
			return err
		},
		func(ctx context.Context) error {
			_, err := store.ChangeAccountStatus(ctx, id, crm.AccountActive, crm.Write{})
			return err
		},
	}
	for i, err := range together(t, store, func(ctx context.Context, i int) error { return acts[i%len(acts)](ctx) }) {
		require.NoError(t, err, "act %d", i%len(acts))
	}
	require.Equal(t, []int64{2 + crowd, 2 + crowd, 2 + crowd}, w.revisions(t, firm.ID))
	w.sound(t)
}

// A party is merged while it buys: whatever was bought before is the survivor's debt, and what
// comes later is refused.
func TestCredit_BoughtWhileBeingMerged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	survivor, loser := w.firm(t, "Stays AG"), w.firm(t, "Goes AG")
	id := w.limited(t, accountOf(loser.ID), "1000.00 EUR").NodeID()
	store, move := w.wide(t), crm.CreditMove{Amount: money(t, "1.00 EUR")}
	var bought atomic.Int64
	for i, err := range together(t, store, func(ctx context.Context, i int) error {
		if i == crowd/2 {
			_, err := store.MergeParties(ctx, partyOf(survivor), mergeOf(loser), crm.Write{})
			return err
		}
		_, err := store.ConsumeCredit(ctx, id, move, crm.Write{})
		if err == nil {
			bought.Add(100)
		}
		return err
	}) {
		if err != nil {
			require.NotEqual(t, crowd/2, i, "the merge: %v", err)
			refused(t, err, crm.Conflict, crm.MergedParty, "id")
		}
	}
	require.Equal(t, bought.Load(), w.account(t, accountOf(survivor.ID)).CreditUsedMinor)
	require.Zero(t, w.account(t, id).CreditUsedMinor)
	w.sound(t)
}

// Who waits for the account reads it as the one before left it, also across two round trips.
func TestConsumeCredit_DecidesByWhatItLocked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.debtor(t, "Awaited AG", "10.00 EUR").NodeID()
	conn, err := pgx.Connect(t.Context(), w.url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(t.Context(), "BEGIN")
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "SELECT 1 FROM party WHERE id = substr($1, 5)::uuid FOR NO KEY UPDATE", id)
	require.NoError(t, err)
	ctx, move := w.admin(t), crm.CreditMove{Amount: money(t, "10.00 EUR")}
	answered := make(chan error, 1)
	go func() {
		_, err := w.store.ConsumeCredit(ctx, id, move, crm.Write{})
		answered <- err
	}()
	require.Eventually(t, func() bool {
		return askOne[bool](t, w, "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')")
	}, 2*time.Second, time.Millisecond)
	_, err = conn.Exec(t.Context(), "UPDATE account SET credit_limit = 999 WHERE id = substr($1, 5)::uuid", id)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "COMMIT")
	require.NoError(t, err)
	require.Equal(t, "10.00 EUR requested, 9.99 EUR available", refused(t, <-answered, crm.Conflict, crm.CreditLimitExceeded, "input.amount").Message)
}
