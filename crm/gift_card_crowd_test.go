package crm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/internal/crmtest"
)

// Fifty tills take 10.00 off one card at the same time.
func TestRedeemGiftCard_Parallel(t *testing.T) {
	t.Parallel()
	for amount, c := range map[string]struct {
		left   string
		refuse []string // what those who come too late may be told
	}{
		"100.00": {"DEPLETED 0 11", []string{"CONFLICT INVALID_STATE input.code"}},
		"105.00": {"ACTIVE 500 11", []string{"CONFLICT INSUFFICIENT_BALANCE input.amount"}},
	} {
		t.Run(amount, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			wide := w.wide(t)
			issued := w.issue(t, crm.GiftCardIssue{Amount: euros(amount)})
			const tills = 50
			var requests []context.Context
			for range tills {
				requests = append(requests, as(t, wide))
			}
			paid := 0
			for _, err := range atOnce(tills, func(i int) error {
				_, err := wide.RedeemGiftCard(requests[i], redemption(issued.Code, fmt.Sprintf("O-%d", i), "10"), crm.Write{})
				return err
			}) {
				if err == nil {
					paid++
				} else {
					require.Equal(t, c.refuse, refusals(err), "%v: %v", err, errors.Unwrap(err))
				}
			}
			require.Equal(t, 10, paid)
			require.Equal(t, c.left, w.stored(t, issued.Card))
			require.Len(t, w.entries(t, issued.Card), 11)
			require.Equal(t, 10, askOne[int](t, w, "SELECT count(DISTINCT order_ref)::int FROM gift_card_transaction WHERE gift_card_id = $1", issued.Card.ID))
			require.Len(t, w.events(t, issued.Card.NodeID()), 11)
		})
	}
}

func TestRedeemGiftCard_ManyNoticeTheExpiryAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	issued := w.issue(t, crm.GiftCardIssue{ExpiresAt: new(crmtest.Today().Add(time.Hour))})
	wide := w.wide(t)
	wide.Now = func() time.Time { return crmtest.Today().Add(time.Hour) }
	for i, err := range together(t, wide, func(ctx context.Context, i int) error {
		write := crm.Write{}
		if i%2 == 0 {
			write = keyed(fmt.Sprintf("key %d", i))
		}
		_, err := wide.RedeemGiftCard(ctx, redemption(issued.Code, "O-1", "10"), write)
		return err
	}) {
		require.Equal(t, []string{"CONFLICT INVALID_STATE input.code"}, refusals(err), "%d: %v: %v", i, err, errors.Unwrap(err))
	}
	require.Equal(t, "EXPIRED 10000 2", w.stored(t, issued.Card))
	require.Equal(t, []string{"GIFT_CARD_ISSUED", "GIFT_CARD_EXPIRED"}, w.events(t, issued.Card.NodeID()))
}

// Whoever pays with a card while it is made VOID pays before or not at all.
func TestRedeemGiftCard_WhileItIsMadeVoid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wide := w.wide(t)
	issued := w.issue(t, crm.GiftCardIssue{})
	errs := together(t, wide, func(ctx context.Context, i int) error {
		if i == crowd/2 {
			_, err := wide.VoidGiftCard(ctx, issued.Card.NodeID(), crm.Write{})
			return err
		}
		_, err := wide.RedeemGiftCard(ctx, redemption(issued.Code, "O-1", "1"), crm.Write{})
		return err
	})
	require.NoError(t, errs[crowd/2])
	for _, err := range errs {
		if err != nil {
			refused(t, err, crm.Conflict, crm.InvalidState, "input.code")
		}
	}
	entries := w.entries(t, issued.Card)
	require.Len(t, entries, successes(errs)+1)
	require.Contains(t, entries[len(entries)-1], " VOID ")
	require.Equal(t, fmt.Sprintf("VOID 0 %d", len(entries)), w.stored(t, issued.Card))
}

// A card waits for whoever holds it, and for nothing else: not for other cards, nor for its
// customer.
func TestRedeemGiftCard_CardsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.person(t, "Owner")
	issue := func() *crm.IssuedGiftCard { return w.issue(t, crm.GiftCardIssue{CustomerID: new(owner.NodeID())}) }
	held, free := issue(), issue()
	tx, err := w.sql.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	hold := func(sql string, args ...any) {
		done, err := tx.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
		require.EqualValues(t, 1, done.RowsAffected())
	}
	hold("SELECT 1 FROM gift_card WHERE id = $1 FOR UPDATE", held.Card.ID)
	hold("SELECT 1 FROM party WHERE id = $1 FOR UPDATE", owner.ID)
	hold("SELECT 1 FROM customer WHERE id = $1 FOR UPDATE", owner.ID)
	for _, write := range []crm.Write{{}, keyed("free")} {
		_, err = w.store.RedeemGiftCard(w.admin(t), redemption(free.Code, "O-1", "10"), write)
		require.NoError(t, err)
	}
	_, err = w.redeem(t, held.Code, "O-1", "10")
	require.Equal(t, crm.Unavailable, crm.CodeOf(err), "the one that is held is waited for in vain")
	require.NoError(t, tx.Rollback(t.Context()))
	_, err = w.redeem(t, held.Code, "O-1", "10")
	require.NoError(t, err)
}

// A card that is paid with while its customer is merged or erased keeps every entry, and ends up
// with the right customer.
func TestRedeemGiftCard_WhileItsCustomerGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wide := w.wide(t)
	for i := range 6 {
		into, loser := w.person(t, "Into"), w.person(t, "Loser")
		issued := w.issue(t, crm.GiftCardIssue{CustomerID: new(loser.NodeID())})
		errs := together(t, wide, func(ctx context.Context, n int) error {
			var err error
			switch {
			case n > 0:
				_, err = wide.RedeemGiftCard(ctx, redemption(issued.Code, "O-1", "1"), crm.Write{})
			case i%2 == 0:
				_, err = wide.MergeParties(ctx, partyOf(into), mergeOf(loser), crm.Write{})
			default:
				_, err = wide.EraseCustomer(ctx, loser.NodeID(), crm.Write{})
			}
			return err
		})
		require.Equal(t, crowd, successes(errs), "%v", errs)
		require.Len(t, w.entries(t, issued.Card), crowd)
		require.Equal(t, fmt.Sprintf("ACTIVE %d %d", 10000-100*(crowd-1), crowd+1), w.stored(t, issued.Card))
		owner := ask[string](t, w, "SELECT customer_id::text FROM gift_card WHERE id = $1 AND customer_id IS NOT NULL", issued.Card.ID)
		if i%2 == 0 {
			require.Equal(t, []string{into.ID.String()}, owner)
		} else {
			require.Empty(t, owner)
		}
	}
}

// holding lists the tables of all tenants that hold a text in any of their columns.
func (w *world) holding(t *testing.T, texts ...string) []string {
	t.Helper()
	var found []string
	for table, kind := range db.Tables() {
		for _, text := range texts {
			if kind == db.TenantTable && askOne[int](t, w, fmt.Sprintf("SELECT count(*) FROM %s t WHERE position(lower($1) IN lower(t::text)) > 0", table), text) > 0 {
				found = append(found, table+" holds "+text)
			}
		}
	}
	return found
}

// The code is told by the answer of issuing alone.
func TestGiftCardCodesAreNotKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var told []string
	tell := func(err error) {
		for ; err != nil; err = errors.Unwrap(err) {
			told = append(told, fmt.Sprintf("%v %+v", err, err))
		}
	}
	use := func(in crm.GiftCardIssue, issue, redeem crm.Write) []string {
		in.Amount = euros("100")
		in.CustomerID = new(w.person(t, "Owner").NodeID())
		in.ExpiresAt = new(w.store.Now().Add(time.Hour))
		issue.Audit = &crm.Audit{Reason: new("sale")}
		issued, err := w.store.IssueGiftCard(w.admin(t), in, issue)
		require.NoError(t, err)
		again := in
		again.Code = &issued.Code
		_, err = w.store.IssueGiftCard(w.admin(t), again, crm.Write{})
		tell(err)
		for _, c := range []crm.GiftCardRedemption{redemption(issued.Code, "O-1", "10"), redemption(issued.Code, "O-2", "1000"), redemption(issued.Code+"X", "O-2", "1")} {
			if redeem.IdempotencyKey != nil {
				redeem = keyed(c.OrderRef + c.Amount.Amount + issued.Card.NodeID())
			}
			_, err = w.store.RedeemGiftCard(w.admin(t), c, redeem)
			tell(err)
		}
		now := w.store.Now
		w.later(2 * time.Hour)
		_, err = w.redeem(t, issued.Code, "O-3", "10")
		tell(err)
		w.store.Now = now
		_, err = w.store.VoidGiftCard(w.admin(t), issued.Card.NodeID(), keyed("void "+issued.Card.NodeID()))
		require.NoError(t, err)
		return []string{issued.Code, crm.NormaliseGiftCardCode(issued.Code)}
	}
	madeUp := use(crm.GiftCardIssue{}, crm.Write{}, crm.Write{})
	chosen := use(crm.GiftCardIssue{Code: new("CHOSEN-BY-HAND-77")}, crm.Write{}, keyed("any"))
	require.Empty(t, w.holding(t, append(madeUp, chosen...)...))
	require.NotEmpty(t, told)
	for _, text := range told {
		for _, code := range append(madeUp, chosen...) {
			require.NotContains(t, strings.ToUpper(text), code)
		}
	}
	t.Run("but for the kept answer of a request with a key, for its 24 hours", func(t *testing.T) {
		codes := use(crm.GiftCardIssue{}, keyed("issue"), keyed("any"))
		require.Equal(t, []string{"idempotency_key holds " + codes[0]}, w.holding(t, codes...))
		require.Equal(t, []string{"giftCardIssue"}, ask[string](t, w, "SELECT operation FROM idempotency_key WHERE outcome::text LIKE '%' || $1 || '%'", codes[0]))
		w.later(24 * time.Hour)
		_, err := w.store.Sweep(t.Context())
		require.NoError(t, err)
		require.Empty(t, w.holding(t, codes...))
	})
}

// Entries are only added, and no card is deleted.
func TestGiftCardLedgerIsAppendOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	demo := askOne[[16]byte](t, w, "SELECT id FROM tenant WHERE code = 'demo'")
	for _, sql := range []string{
		"DELETE FROM gift_card WHERE tenant_id = $1 RETURNING 1", "DELETE FROM gift_card_transaction WHERE tenant_id = $1 RETURNING 1",
		"UPDATE gift_card_transaction SET amount = 0 WHERE tenant_id = $1 RETURNING 1",
	} {
		err := w.store.DB.Query(db.WithTenant(t.Context(), demo), sql, []any{demo}, func(rows pgx.Rows) error {
			for rows.Next() {
			}
			return rows.Err()
		})
		require.ErrorContains(t, err, "permission denied", sql)
	}
}
