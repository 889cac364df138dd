package crm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// euros is an amount of EUR.
func euros(amount string) crm.MoneyInput { return crm.MoneyInput{Amount: amount, Currency: "EUR"} }

// issue makes a gift card, of 100.00 EUR unless another amount is given.
func (w *world) issue(t *testing.T, in crm.GiftCardIssue) *crm.IssuedGiftCard {
	t.Helper()
	if in.Amount.Amount == "" {
		in.Amount = euros("100.00")
	}
	issued, err := w.store.IssueGiftCard(w.admin(t), in, crm.Write{})
	require.NoError(t, err)
	return issued
}

// redemption pays an order in EUR.
func redemption(code, order, amount string) crm.GiftCardRedemption {
	return crm.GiftCardRedemption{Code: code, OrderRef: order, Amount: euros(amount)}
}

// redeem pays an order in EUR with a gift card.
func (w *world) redeem(t *testing.T, code, order, amount string) (*crm.GiftCardMovement, error) {
	t.Helper()
	return w.store.RedeemGiftCard(w.admin(t), redemption(code, order, amount), crm.Write{})
}

// stored is a gift card as its row is, past every wall: status, balance and revision.
func (w *world) stored(t *testing.T, g *crm.GiftCard) string {
	t.Helper()
	return askOne[string](t, w, "SELECT concat_ws(' ', status, balance, revision) FROM gift_card WHERE id = $1", g.ID)
}

// entries requires that a gift card's balance is the sum of its entries, and each entry's balance
// the sum of those up to it; it returns the entries: sequence, type, amount and balance.
func (w *world) entries(t *testing.T, g *crm.GiftCard) []string {
	t.Helper()
	require.Empty(t, ask[string](t, w, `SELECT x::text FROM (SELECT id, balance_after, sum(amount) OVER (ORDER BY sequence) AS running
		FROM gift_card_transaction WHERE gift_card_id = $1) x WHERE balance_after <> running`, g.ID))
	require.True(t, askOne[bool](t, w, `SELECT balance = (SELECT sum(amount) FROM gift_card_transaction x WHERE x.gift_card_id = g.id)
		AND revision >= (SELECT max(sequence) FROM gift_card_transaction x WHERE x.gift_card_id = g.id) FROM gift_card g WHERE id = $1`, g.ID))
	return ask[string](t, w, `SELECT concat_ws(' ', sequence, type, amount, balance_after)
		FROM gift_card_transaction WHERE gift_card_id = $1 ORDER BY sequence`, g.ID)
}

// G3N 40 and G24.
func TestIssueGiftCard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	t.Run("it is ACTIVE and worth its amount, with a code made up", func(t *testing.T) {
		t.Parallel()
		audit := &crm.Audit{Reason: new("sale"), SourceRefs: []*crm.SourceRef{{Kind: "receipt", ID: "R-1"}}}
		issued, err := w.store.IssueGiftCard(w.admin(t), crm.GiftCardIssue{Amount: euros("50.00"), OrderRef: new(" O-1 ")}, crm.Write{Audit: audit})
		require.NoError(t, err)
		g := issued.Card
		require.Regexp(t, `^[A-HJ-NP-Z2-9]{4}(-[A-HJ-NP-Z2-9]{4}){3}$`, issued.Code)
		require.Equal(t, "••••-••••-••••-"+issued.Code[15:], g.MaskedCode)
		require.Equal(t, []any{crm.GiftCardActive, "50.00", "50.00", "EUR", int64(1)},
			[]any{g.StoredStatus, g.Balance().Amount(), g.InitialAmount().Amount(), g.Currency, g.Revision})
		require.Nil(t, g.CustomerID)
		require.Nil(t, g.ExpiresAt)
		found, err := w.store.GiftCard(w.admin(t), crm.GiftCardBy{Code: &issued.Code})
		require.NoError(t, err)
		same(t, g, found)
		require.Equal(t, []string{"1 ISSUE 5000 5000"}, w.entries(t, g))
		require.Equal(t, []string{`O-1 test sale [{"id": "R-1", "kind": "receipt"}]`},
			ask[string](t, w, "SELECT concat_ws(' ', order_ref, actor, reason, source_refs::text) FROM gift_card_transaction WHERE gift_card_id = $1", g.ID))
		require.Equal(t, []string{"GIFT_CARD_ISSUED GiftCard 1 sale 5000 EUR"}, ask[string](t, w, `SELECT concat_ws(' ', type, record_type, revision_before, revision_after, reason,
			details->>'amount', details->>'currency') FROM event WHERE record_id = $1 AND details->>'transaction' LIKE 'gtx_%'`, g.ID))
	})
	t.Run("a chosen code is kept in upper case, with its hyphens", func(t *testing.T) {
		t.Parallel()
		issued := w.issue(t, crm.GiftCardIssue{Code: new(" gift-2026-0001 ")})
		require.Equal(t, "GIFT-2026-0001", issued.Code)
		require.Equal(t, "••••-••••-0001", issued.Card.MaskedCode)
	})
	t.Run("what is wrong is told at once", func(t *testing.T) {
		t.Parallel()
		_, err := w.store.IssueGiftCard(w.admin(t), crm.GiftCardIssue{
			Amount: crm.MoneyInput{Amount: "1.5", Currency: "JPY"}, Code: new("é"), CustomerID: new("x"), ExpiresAt: new(crmtest.Today()),
		}, crm.Write{})
		require.Equal(t, []string{"input.amount.amount", "input.code", "input.customerId"}, fields(t, err))
	})
	t.Run("the amount is a minor unit or more", func(t *testing.T) {
		t.Parallel()
		for _, amount := range []string{"0", "0.00", "-1", "0.001", "1e2", "", "90071992547409.92"} {
			_, err := w.store.IssueGiftCard(w.admin(t), crm.GiftCardIssue{Amount: euros(amount)}, crm.Write{})
			require.Equal(t, []string{"input.amount.amount"}, fields(t, err), amount)
		}
		for _, amount := range []string{"0.01", "90071992547409.91"} {
			require.Equal(t, amount, w.issue(t, crm.GiftCardIssue{Amount: euros(amount)}).Card.Balance().Amount())
		}
	})
	t.Run("it expires in the future", func(t *testing.T) {
		t.Parallel()
		for _, at := range []time.Time{crmtest.Today(), crmtest.Today().Add(-time.Microsecond)} {
			_, err := w.store.IssueGiftCard(w.admin(t), crm.GiftCardIssue{Amount: euros("1"), ExpiresAt: &at}, crm.Write{})
			refused(t, err, crm.Invalid, "", "input.expiresAt")
		}
		soon := crmtest.Today().Add(time.Microsecond)
		require.Equal(t, soon, *w.issue(t, crm.GiftCardIssue{ExpiresAt: &soon}).Card.ExpiresAt)
	})
	t.Run("who lost the answer gets it, also after the card's end", func(t *testing.T) {
		t.Parallel()
		later := newWorld(t)
		in := crm.GiftCardIssue{Amount: euros("1"), ExpiresAt: new(crmtest.Today().Add(time.Hour))}
		issued, err := later.store.IssueGiftCard(later.admin(t), in, keyed("k"))
		require.NoError(t, err)
		later.later(2 * time.Hour)
		again, err := later.store.IssueGiftCard(later.admin(t), in, keyed("k"))
		require.NoError(t, err)
		require.Equal(t, issued.Code, again.Code)
	})
	t.Run("the customer is known and open to changes", func(t *testing.T) {
		t.Parallel()
		issue := func(id string) error {
			_, err := w.store.IssueGiftCard(w.admin(t), crm.GiftCardIssue{Amount: euros("1"), CustomerID: &id}, crm.Write{})
			return err
		}
		const field = "input.customerId"
		refused(t, issue("cus_018f0000-0000-7000-8000-000000000000"), crm.NotFound, "", field)
		refused(t, issue(crm.Customers.GlobalID(w.individual(t, "Nobody").ID)), crm.NotFound, "", field)
		refused(t, issue("cus_"+askOne[string](t, w, "SELECT id::text FROM customer WHERE NOT "+inDemo+" LIMIT 1")), crm.NotFound, "", field)
		require.NotEmpty(t, refused(t, issue(w.customers(t, crm.CustomerMerged)[0].NodeID()), crm.Conflict, crm.MergedParty, field).Related)
		refused(t, issue(w.customers(t, crm.CustomerAnonymized)[0].NodeID()), crm.Conflict, crm.InvalidState, field)
		gone := w.person(t, "Gone")
		_, err := w.store.DeactivateCustomer(w.admin(t), gone.NodeID(), crm.Write{})
		require.NoError(t, err)
		refused(t, issue(gone.NodeID()), crm.Conflict, crm.InvalidState, field)
		require.NoError(t, issue(w.newcomer(t, crm.CustomerCreate{LastName: new("Idle"), Status: new(crm.CustomerInactive)}).NodeID()))
	})
	t.Run("it needs the permission", func(t *testing.T) {
		t.Parallel()
		_, err := w.store.IssueGiftCard(w.lacking(t, crm.GiftCardEdit), crm.GiftCardIssue{}, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
}

func TestIssueGiftCard_ACodeIsForOneCard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	taken := w.issue(t, crm.GiftCardIssue{Code: new("TAKEN-CODE-1")})
	again := func(write crm.Write) error {
		_, err := w.store.IssueGiftCard(w.admin(t), crm.GiftCardIssue{Amount: euros("1"), Code: new("takencode-1")}, write)
		return err
	}
	t.Run("in whatever spelling, and nothing of a refused card is left", func(t *testing.T) {
		before := w.rows(t)
		e := refused(t, again(crm.Write{}), crm.Conflict, crm.CodeInUse, "input.code")
		require.NotContains(t, fmt.Sprintf("%s %+v", e, errors.Unwrap(e)), "TAKEN")
		require.Equal(t, before, w.rows(t))
	})
	t.Run("whoever was told so is told so again, under the same key", func(t *testing.T) {
		refused(t, again(keyed("taken")), crm.Conflict, crm.CodeInUse, "input.code")
		w.do(t, "UPDATE gift_card SET code_hash = 'none' WHERE id = $1", taken.Card.ID)
		refused(t, again(keyed("taken")), crm.Conflict, crm.CodeInUse, "input.code")
		require.NoError(t, again(crm.Write{}))
	})
	t.Run("another tenant has codes of its own", func(t *testing.T) {
		ctx, _ := crmtest.As(t, w.store, "acme", "admin")
		_, err := w.store.IssueGiftCard(ctx, crm.GiftCardIssue{Amount: euros("1"), Code: new("TAKEN-CODE-1")}, crm.Write{})
		require.NoError(t, err)
	})
	t.Run("of many who issue it at once one succeeds", func(t *testing.T) {
		wide := w.wide(t)
		for _, err := range together(t, wide, func(ctx context.Context, _ int) error {
			_, err := wide.IssueGiftCard(ctx, crm.GiftCardIssue{Amount: euros("1"), Code: new("MANY-CODE-1")}, crm.Write{})
			return err
		}) {
			if err != nil {
				refused(t, err, crm.Conflict, crm.CodeInUse, "input.code")
			}
		}
		require.Equal(t, 1, askOne[int](t, w, "SELECT count(*) FROM gift_card WHERE masked_code = '••••-•ODE-1'"))
	})
}

func TestIssueGiftCard_AKeyMakesOneCard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wide := w.wide(t)
	cards := askOne[int](t, w, "SELECT count(*) FROM gift_card")
	issued := make([]*crm.IssuedGiftCard, crowd)
	for _, err := range together(t, wide, func(ctx context.Context, i int) (err error) {
		issued[i], err = wide.IssueGiftCard(ctx, crm.GiftCardIssue{Amount: euros("25")}, keyed("g-1"))
		return err
	}) {
		require.NoError(t, err)
	}
	for _, one := range issued {
		same(t, issued[0], one)
	}
	require.Equal(t, cards+1, askOne[int](t, w, "SELECT count(*) FROM gift_card"))
	t.Run("who lost the answer gets the code again", func(t *testing.T) {
		movement, err := w.redeem(t, issued[0].Code, "O-1", "25")
		require.NoError(t, err)
		require.Equal(t, issued[0].Card.ID, movement.Card.ID)
		again, err := w.store.IssueGiftCard(w.admin(t), crm.GiftCardIssue{Amount: euros("25")}, keyed("g-1"))
		require.NoError(t, err)
		same(t, issued[0], again)
	})
	t.Run("another input is a conflict", func(t *testing.T) {
		for _, in := range []crm.GiftCardIssue{{Amount: euros("26")}, {Amount: euros("25"), Code: new("CHOSEN-1")}, {Amount: euros("25"), OrderRef: new("O-1")}} {
			_, err := w.store.IssueGiftCard(w.admin(t), in, keyed("g-1"))
			refused(t, err, crm.Conflict, crm.IdempotencyMismatch, "idempotencyKey")
		}
	})
}

// G3N 41 and 3.9.
func TestRedeemGiftCard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	t.Run("it takes the amount off, in two round trips, and what is left last ends the card", func(t *testing.T) {
		issued := w.issue(t, crm.GiftCardIssue{})
		audited := crm.Write{Audit: &crm.Audit{Reason: new("till 3"), SourceRefs: []*crm.SourceRef{{Kind: "receipt", ID: "R-2"}}}}
		for _, c := range []struct {
			write              crm.Write
			code, order, after string
		}{
			{audited, " " + issued.Code, " O-1 ", "70.00"},
			{keyed("two trips"), crm.NormaliseGiftCardCode(issued.Code), "O-2", "40.00"},
			{keyed("two trips"), issued.Code, "O-2", "40.00"}, // a replay
		} {
			ctx, statements := crmtest.As(t, w.store, "demo", "admin")
			before := statements.RoundTrips()
			movement, err := w.store.RedeemGiftCard(ctx, redemption(c.code, c.order, "30"), c.write)
			require.NoError(t, err)
			require.Equal(t, 2, statements.RoundTrips()-before)
			require.Equal(t, []any{"-30.00", c.after}, []any{movement.Transaction.Amount().Amount(), movement.Transaction.BalanceAfter().Amount()})
			require.Equal(t, movement.Transaction.BalanceAfter(), movement.Card.Balance())
			require.Equal(t, strings.TrimSpace(c.order), *movement.Card.LastOrderRef)
		}
		require.Equal(t, "ACTIVE 4000 3", w.stored(t, issued.Card))
		movement, err := w.redeem(t, issued.Code, "O-3", "40.00")
		require.NoError(t, err)
		require.Equal(t, []any{crm.GiftCardDepleted, "0.00", "100.00"},
			[]any{movement.Card.StoredStatus, movement.Card.Balance().Amount(), movement.Card.InitialAmount().Amount()})
		require.Equal(t, []string{"1 ISSUE 10000 10000", "2 REDEEM -3000 7000", "3 REDEEM -3000 4000", "4 REDEEM -4000 0"}, w.entries(t, issued.Card))
		require.Equal(t, []string{`O-1 test till 3 [{"id": "R-2", "kind": "receipt"}]`, "O-2 test []", "O-3 test []"},
			ask[string](t, w, `SELECT concat_ws(' ', order_ref, actor, reason, source_refs::text) FROM gift_card_transaction
				WHERE gift_card_id = $1 AND type = 'REDEEM' ORDER BY sequence`, issued.Card.ID))
		require.Equal(t, []string{
			"1 2 -3000 EUR {balance,lastOrderRef}", "2 3 -3000 EUR {balance,lastOrderRef}", "3 4 -4000 EUR {status,balance,lastOrderRef}",
		}, ask[string](t, w, `SELECT concat_ws(' ', revision_before, revision_after, details->>'amount', details->>'currency', changed_fields::text)
			FROM event WHERE record_id = $1 AND type = 'GIFT_CARD_REDEEMED' ORDER BY sequence`, issued.Card.ID))
		_, err = w.redeem(t, issued.Code, "O-4", "0.01")
		refused(t, err, crm.Conflict, crm.InvalidState, "input.code")
	})
	t.Run("a request that redeems sees what came of it", func(t *testing.T) {
		issued, ctx := w.issue(t, crm.GiftCardIssue{}), w.admin(t)
		for _, want := range []string{"90.00", "80.00"} {
			_, err := w.store.RedeemGiftCard(ctx, redemption(issued.Code, "O-1", "10"), crm.Write{})
			require.NoError(t, err)
			nodes, err := w.store.NodesByIDs(ctx, []string{issued.Card.NodeID()})
			require.NoError(t, err)
			require.Equal(t, want, nodes[0].(*crm.GiftCard).Balance().Amount())
		}
	})
	t.Run("what is wrong is told at once", func(t *testing.T) {
		_, err := w.store.RedeemGiftCard(w.admin(t), redemption(" ", "", "0"), crm.Write{})
		require.Equal(t, []string{"input.code", "input.orderRef", "input.amount.amount"}, fields(t, err))
	})
	t.Run("the first thing that forbids it is told, and nothing changes", func(t *testing.T) {
		open, gone, void := w.issue(t, crm.GiftCardIssue{}), w.issue(t, crm.GiftCardIssue{}), w.issue(t, crm.GiftCardIssue{})
		_, err := w.redeem(t, gone.Code, "O-1", "100")
		require.NoError(t, err)
		_, err = w.store.VoidGiftCard(w.admin(t), void.Card.NodeID(), crm.Write{})
		require.NoError(t, err)
		before := w.rows(t)
		const much, dollars = "90071992547409.91", "USD"
		for name, c := range map[string]struct {
			code, amount, currency string
			want, says             string
		}{
			"unknown":               {"NO-SUCH-CARD", "1000", dollars, "NOT_FOUND  input.code", "no such GiftCard"},
			"unknown, though close": {open.Code[:18], "1", "EUR", "NOT_FOUND  input.code", "no such GiftCard"},
			"only hyphens":          {"---", "1", "EUR", "NOT_FOUND  input.code", "no such GiftCard"},
			"DEPLETED":              {gone.Code, "1000", dollars, "CONFLICT INVALID_STATE input.code", "the gift card is DEPLETED"},
			"VOID":                  {void.Code, "1000", dollars, "CONFLICT INVALID_STATE input.code", "the gift card is VOID"},
			"another currency":      {open.Code, "1000", dollars, "CONFLICT CURRENCY_MISMATCH input.amount.currency", "the gift card is in EUR, not in USD"},
			"more than there is":    {open.Code, "100.01", "EUR", "CONFLICT INSUFFICIENT_BALANCE input.amount", "100.01 EUR requested, 100.00 EUR available"},
			"very much":             {open.Code, much, "EUR", "CONFLICT INSUFFICIENT_BALANCE input.amount", much + " EUR requested, 100.00 EUR available"},
		} {
			in := crm.GiftCardRedemption{Code: c.code, OrderRef: "O-1", Amount: crm.MoneyInput{Amount: c.amount, Currency: c.currency}}
			_, err := w.store.RedeemGiftCard(w.admin(t), in, crm.Write{})
			require.Equal(t, []string{c.want}, refusals(err), name)
			require.Equal(t, c.says, err.Error(), name)
		}
		require.Equal(t, before, w.rows(t))
	})
	t.Run("whoever has the code may pay, whatever became of the customer", func(t *testing.T) {
		for name, end := range map[string]func(id string) error{
			"deactivated": func(id string) error { _, err := w.store.DeactivateCustomer(w.admin(t), id, crm.Write{}); return err },
			"anonymised":  func(id string) error { _, err := w.store.AnonymizeCustomer(w.admin(t), id, crm.Write{}); return err },
			"erased":      func(id string) error { _, err := w.store.EraseCustomer(w.admin(t), id, crm.Write{}); return err },
		} {
			owner := w.person(t, "Owner")
			issued := w.issue(t, crm.GiftCardIssue{CustomerID: new(owner.NodeID())})
			require.NoError(t, end(owner.NodeID()), name)
			_, err := w.redeem(t, issued.Code, "O-1", "1")
			require.NoError(t, err, name)
		}
	})
	t.Run("a card of another tenant is not found", func(t *testing.T) {
		issued := w.issue(t, crm.GiftCardIssue{})
		ctx, _ := crmtest.As(t, w.store, "acme", "admin")
		_, err := w.store.RedeemGiftCard(ctx, redemption(issued.Code, "O-1", "1"), crm.Write{})
		refused(t, err, crm.NotFound, "", "input.code")
		require.Equal(t, "ACTIVE 10000 1", w.stored(t, issued.Card))
	})
	t.Run("it needs the permission", func(t *testing.T) {
		_, err := w.store.RedeemGiftCard(w.lacking(t, crm.GiftCardEdit), crm.GiftCardRedemption{}, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
}

func TestRedeemGiftCard_AfterItsExpiry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	expires := crmtest.Today().Add(time.Hour)
	card := func(t *testing.T) *crm.IssuedGiftCard {
		t.Helper()
		return w.issue(t, crm.GiftCardIssue{ExpiresAt: &expires})
	}
	plain, withKey, inRequest, foreign := card(t), card(t), card(t), card(t)
	w.later(time.Hour - time.Microsecond)
	_, err := w.redeem(t, plain.Code, "O-1", "10")
	require.NoError(t, err, "until then it pays")
	w.later(time.Microsecond)
	t.Run("the first touch makes it EXPIRED although it is refused, the next ones change nothing", func(t *testing.T) {
		for range 3 {
			_, err := w.redeem(t, plain.Code, "O-1", "10")
			require.Equal(t, "the gift card is EXPIRED", refused(t, err, crm.Conflict, crm.InvalidState, "input.code").Message)
			require.Equal(t, "EXPIRED 9000 3", w.stored(t, plain.Card))
		}
		require.Equal(t, []string{"1 ISSUE 10000 10000", "2 REDEEM -1000 9000"}, w.entries(t, plain.Card))
		require.Equal(t, []string{"GIFT_CARD_ISSUED", "GIFT_CARD_REDEEMED", "GIFT_CARD_EXPIRED"}, w.events(t, plain.Card.NodeID()))
		require.Equal(t, []string{"2 3 {status}"}, ask[string](t, w, `SELECT concat_ws(' ', revision_before, revision_after, changed_fields::text)
			FROM event WHERE record_id = $1 AND type = 'GIFT_CARD_EXPIRED'`, plain.Card.ID))
	})
	t.Run("with a key, too, which keeps the refusal", func(t *testing.T) {
		for range 2 {
			_, err := w.store.RedeemGiftCard(w.admin(t), redemption(withKey.Code, "O-1", "10"), keyed("expired"))
			refused(t, err, crm.Conflict, crm.InvalidState, "input.code")
			require.Equal(t, "EXPIRED 10000 2", w.stored(t, withKey.Card))
		}
	})
	t.Run("before the currency and the balance are looked at", func(t *testing.T) {
		in := crm.GiftCardRedemption{Code: foreign.Code, OrderRef: "O-1", Amount: crm.MoneyInput{Amount: "1000", Currency: "USD"}}
		_, err := w.store.RedeemGiftCard(w.admin(t), in, crm.Write{})
		refused(t, err, crm.Conflict, crm.InvalidState, "input.code")
		require.Equal(t, "EXPIRED 10000 2", w.stored(t, foreign.Card))
	})
	t.Run("the request that noticed it sees it so", func(t *testing.T) {
		ctx := w.admin(t)
		nodes := func() *crm.GiftCard {
			nodes, err := w.store.NodesByIDs(ctx, []string{inRequest.Card.NodeID()})
			require.NoError(t, err)
			return nodes[0].(*crm.GiftCard)
		}
		load := func() *crm.GiftCard {
			got, err := crm.GiftCardTransactionCard.Load(ctx, &crm.GiftCardTransaction{GiftCardID: inRequest.Card.ID})
			require.NoError(t, err)
			return got
		}
		require.EqualValues(t, 1, nodes().Revision)
		require.EqualValues(t, 1, load().Revision)
		_, err := w.store.RedeemGiftCard(ctx, redemption(inRequest.Code, "O-1", "10"), crm.Write{})
		refused(t, err, crm.Conflict, crm.InvalidState, "input.code")
		require.EqualValues(t, 2, load().Revision)
	})
}

func TestRedeemGiftCard_Keys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	issued := w.issue(t, crm.GiftCardIssue{})
	redeem := func(in crm.GiftCardRedemption, key string) (*crm.GiftCardMovement, error) {
		return w.store.RedeemGiftCard(w.admin(t), in, keyed(key))
	}
	t.Run("the same sent many times pays once, and answers the same", func(t *testing.T) {
		wide := w.wide(t)
		movements := make([]*crm.GiftCardMovement, crowd)
		for _, err := range together(t, wide, func(ctx context.Context, i int) (err error) {
			movements[i], err = wide.RedeemGiftCard(ctx, redemption(issued.Code, "O-1", "10"), keyed("once"))
			return err
		}) {
			require.NoError(t, err)
		}
		for _, m := range movements {
			same(t, movements[0], m)
		}
		require.Equal(t, []string{"1 ISSUE 10000 10000", "2 REDEEM -1000 9000"}, w.entries(t, issued.Card))
		again, err := redeem(redemption(crm.NormaliseGiftCardCode(issued.Code), " O-1", "10"), "once")
		require.NoError(t, err, "another spelling is the same input")
		same(t, movements[0], again)
	})
	t.Run("another input is a conflict", func(t *testing.T) {
		other := w.issue(t, crm.GiftCardIssue{})
		for _, in := range []crm.GiftCardRedemption{
			redemption(issued.Code, "O-1", "11"), redemption(issued.Code, "O-2", "10"), redemption(other.Code, "O-1", "10"),
			{Code: issued.Code, OrderRef: "O-1", Amount: crm.MoneyInput{Amount: "10", Currency: "USD"}},
		} {
			_, err := redeem(in, "once")
			refused(t, err, crm.Conflict, crm.IdempotencyMismatch, "idempotencyKey")
		}
	})
	t.Run("a refusal is kept for its key", func(t *testing.T) {
		in := redemption(issued.Code, "O-2", "150")
		_, err := redeem(in, "refused")
		first := refused(t, err, crm.Conflict, crm.InsufficientBalance, "input.amount")
		w.do(t, "UPDATE gift_card SET balance = 20000, initial_amount = 20000 WHERE id = $1", issued.Card.ID)
		_, err = redeem(in, "refused")
		require.Equal(t, first.Message, refused(t, err, crm.Conflict, crm.InsufficientBalance, "input.amount").Message)
		_, err = redeem(in, "another key")
		require.NoError(t, err)
	})
	t.Run("a card that is not found leaves the key free", func(t *testing.T) {
		in := redemption("FREE-KEY-2026", "O-1", "1")
		_, err := redeem(in, "free")
		refused(t, err, crm.NotFound, "", "input.code")
		w.issue(t, crm.GiftCardIssue{Code: &in.Code})
		_, err = redeem(in, "free")
		require.NoError(t, err)
	})
}

func TestVoidGiftCard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	void := func(g *crm.GiftCard, write crm.Write) (*crm.GiftCardMovement, error) {
		return w.store.VoidGiftCard(w.admin(t), g.NodeID(), write)
	}
	t.Run("it takes off what is left", func(t *testing.T) {
		issued := w.issue(t, crm.GiftCardIssue{})
		_, err := w.redeem(t, issued.Code, "O-1", "30")
		require.NoError(t, err)
		movement, err := void(issued.Card, crm.Write{IfRevision: new(int64(2)), Audit: &crm.Audit{Reason: new("stolen")}})
		require.NoError(t, err)
		card, entry := movement.Card, movement.Transaction
		require.Equal(t, []any{crm.GiftCardVoid, "0.00", int64(3), "O-1"}, []any{card.StoredStatus, card.Balance().Amount(), card.Revision, *card.LastOrderRef})
		require.Equal(t, []any{crm.GiftCardEntryVoid, "-70.00", "stolen"}, []any{entry.Type, entry.Amount().Amount(), *entry.Reason})
		require.Nil(t, entry.OrderRef)
		require.Equal(t, []string{"1 ISSUE 10000 10000", "2 REDEEM -3000 7000", "3 VOID -7000 0"}, w.entries(t, issued.Card))
		require.Equal(t, []string{"GIFT_CARD_ISSUED", "GIFT_CARD_REDEEMED", "GIFT_CARD_VOIDED"}, w.events(t, issued.Card.NodeID()))
		_, err = void(issued.Card, at(3))
		refused(t, err, crm.Conflict, crm.InvalidState, "id")
	})
	t.Run("of a card that expired, noticed or not", func(t *testing.T) {
		expires := w.store.Now().Add(time.Hour)
		noticed, not := w.issue(t, crm.GiftCardIssue{ExpiresAt: &expires}), w.issue(t, crm.GiftCardIssue{ExpiresAt: &expires})
		w.later(2 * time.Hour)
		_, err := w.redeem(t, noticed.Code, "O-1", "1")
		refused(t, err, crm.Conflict, crm.InvalidState, "input.code")
		for _, g := range []*crm.GiftCard{noticed.Card, not.Card} {
			_, err := void(g, crm.Write{})
			require.NoError(t, err)
			require.Zero(t, askOne[int64](t, w, "SELECT balance FROM gift_card WHERE id = $1 AND status = 'VOID'", g.ID))
			w.entries(t, g)
		}
	})
	t.Run("not of one that is used up", func(t *testing.T) {
		issued := w.issue(t, crm.GiftCardIssue{})
		_, err := w.redeem(t, issued.Code, "O-1", "100")
		require.NoError(t, err)
		_, err = void(issued.Card, at(1))
		refused(t, err, crm.Conflict, crm.InvalidState, "id")
	})
	t.Run("another revision is stale, and says what is stored", func(t *testing.T) {
		issued := w.issue(t, crm.GiftCardIssue{})
		_, err := void(issued.Card, at(2))
		same(t, issued.Card, refused(t, err, crm.Stale, "", "ifRevision").Current)
		require.Equal(t, "ACTIVE 10000 1", w.stored(t, issued.Card))
	})
	t.Run("the card is known", func(t *testing.T) {
		_, err := w.store.VoidGiftCard(w.admin(t), "gft_018f0000-0000-7000-8000-000000000000", crm.Write{})
		refused(t, err, crm.NotFound, "", "id")
		_, err = w.store.VoidGiftCard(w.admin(t), "DEMO-GIFT-2026", crm.Write{})
		refused(t, err, crm.Invalid, "", "id")
		_, err = w.store.VoidGiftCard(w.admin(t), "gft_"+askOne[string](t, w, "SELECT id::text FROM gift_card WHERE NOT "+inDemo+" LIMIT 1"), crm.Write{})
		refused(t, err, crm.NotFound, "", "id")
	})
	t.Run("a key makes it once", func(t *testing.T) {
		issued := w.issue(t, crm.GiftCardIssue{})
		first, err := void(issued.Card, keyed("void"))
		require.NoError(t, err)
		again, err := void(issued.Card, keyed("void"))
		require.NoError(t, err)
		same(t, first, again)
	})
	t.Run("it needs the permission", func(t *testing.T) {
		_, err := w.store.VoidGiftCard(w.lacking(t, crm.GiftCardEdit), "", crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
}
