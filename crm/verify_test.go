package crm_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// drifts verifies the ledgers of a tenant and returns what is wrong with them.
func (w *world) drifts(t *testing.T, tenant string) []string {
	t.Helper()
	id, err := w.store.TenantByCode(t.Context(), tenant)
	require.NoError(t, err)
	found := []string{}
	_, err = w.store.VerifyLedgers(t.Context(), id, nil, func(d crm.LedgerDrift) { found = append(found, d.String()) })
	require.NoError(t, err)
	return found
}

func TestVerifyLedgers_WhatIsRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	demo, err := w.store.TenantByCode(t.Context(), "demo")
	require.NoError(t, err)
	var done []int
	totals := map[int]bool{}
	ledgers, err := w.store.VerifyLedgers(t.Context(), demo, func(n, total int) {
		done = append(done, n)
		totals[total] = true
	}, func(d crm.LedgerDrift) { t.Error(d) })
	require.NoError(t, err)
	count := func(table string) int {
		return askDemo[int](t, w, "SELECT count(*)::int FROM "+table+" WHERE tenant_id = $1")
	}
	require.Equal(t, []crm.LedgerSummary{
		{Ledger: "points", Balances: count("loyalty_account"), Entries: count("loyalty_transaction")},
		{Ledger: "credit", Balances: count("account"), Entries: count("credit_transaction")},
		{Ledger: "gift cards", Balances: count("gift_card"), Entries: count("gift_card_transaction")},
	}, ledgers)
	entries := ledgers[0].Entries + ledgers[1].Entries + ledgers[2].Entries
	require.Equal(t, map[int]bool{entries: true}, totals)
	require.True(t, slices.IsSorted(done))
	require.Equal(t, entries, done[len(done)-1])
}

// ledgersOf are records whose ledgers have a few entries each, and a name for each record.
type ledgersOf struct {
	customer, account, card uuid.UUID
	names                   *strings.Replacer
}

// withLedgers makes a customer with points, a firm with credit and a gift card. The points:
// e1 earns 100 and e2 50, r redeems 60 (of l1), s restores 20 of them (l3), v reverses 10 of e2 (from l1).
func (w *world) withLedgers(t *testing.T) *ledgersOf {
	t.Helper()
	customer, firm := w.person(t, "Points"), w.firm(t, "Credit AG")
	names := []string{}
	name := func(id, as string) { names = append(names, id, as) }
	id := customer.NodeID()
	move := func(as string, moved *crm.LoyaltyMovement, err error) *crm.LoyaltyTransaction {
		require.NoError(t, err)
		name(moved.Transaction.NodeID(), as)
		return moved.Transaction
	}
	earn := func(as, amount string) *crm.LoyaltyTransaction {
		moved, err := w.store.EarnPoints(w.admin(t), crm.LoyaltyEarning{CustomerID: id, OrderRef: "o", Amount: crm.MoneyInput{Amount: amount, Currency: "EUR"}}, crm.Write{})
		return move(as, moved, err)
	}
	earn("e1", "100")
	e2 := earn("e2", "50")
	moved, err := w.store.RedeemPoints(w.admin(t), crm.LoyaltyRedemption{CustomerID: id, OrderRef: "o", Points: 60}, crm.Write{})
	r := move("r", moved, err)
	moved, err = w.store.RestorePoints(w.admin(t), crm.LoyaltyCorrection{CustomerID: id, TransactionID: new(r.NodeID()), Points: new(int64(20))}, crm.Write{})
	move("s", moved, err)
	moved, err = w.store.ReversePoints(w.admin(t), crm.LoyaltyCorrection{CustomerID: id, TransactionID: new(e2.NodeID()), Points: new(int64(10))}, crm.Write{})
	move("v", moved, err)
	for i, lot := range ask[string](t, w, "SELECT 'lot_' || id FROM loyalty_lot WHERE account_id = $1 ORDER BY id", customer.ID) {
		name(lot, fmt.Sprintf("l%d", i+1))
	}

	account := crm.Accounts.GlobalID(firm.ID)
	_, err = w.store.UpdateCredit(w.admin(t), account, crm.CreditUpdate{Limit: graphql.OmittableOf(&crm.MoneyInput{Amount: "1000", Currency: "EUR"})}, crm.Write{})
	require.NoError(t, err)
	bought, err := w.store.ConsumeCredit(w.admin(t), account, crm.CreditMove{Amount: inCents(300_00)}, crm.Write{})
	require.NoError(t, err)
	paid, err := w.store.ReleaseCredit(w.admin(t), account, crm.CreditMove{Amount: inCents(100_00)}, crm.Write{})
	require.NoError(t, err)
	name(bought.Transaction.NodeID(), "bought")
	name(paid.Transaction.NodeID(), "paid")

	issued, err := w.store.IssueGiftCard(w.admin(t), crm.GiftCardIssue{Amount: inCents(50_00)}, crm.Write{})
	require.NoError(t, err)
	used, err := w.store.RedeemGiftCard(w.admin(t), crm.GiftCardRedemption{Code: issued.Code, OrderRef: "o", Amount: inCents(20_00)}, crm.Write{})
	require.NoError(t, err)
	name(used.Transaction.NodeID(), "used")
	name(crm.LoyaltyAccounts.GlobalID(customer.ID), "it")
	name(account, "it")
	name(issued.Card.NodeID(), "it")
	return &ledgersOf{customer.ID, firm.ID, issued.Card.ID, strings.NewReplacer(names...)}
}

// Whatever is done to the tables past every wall, the record that is wrong is named, and no other.
func TestVerifyLedgers_WhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, wall := range []string{
		"loyalty_account DROP CONSTRAINT loyalty_account_balance_check", "loyalty_transaction DROP CONSTRAINT loyalty_transaction_balance_check",
		"loyalty_transaction DROP CONSTRAINT loyalty_transaction_sequence_key", "loyalty_lot DROP CONSTRAINT loyalty_lot_remaining_check",
		"credit_transaction DROP CONSTRAINT credit_transaction_limit_check",
		"gift_card DROP CONSTRAINT gift_card_balance_check", "gift_card DROP CONSTRAINT gift_card_depleted_check",
	} {
		_, err := w.sql.Exec(t.Context(), "ALTER TABLE "+wall)
		require.NoError(t, err)
	}
	const (
		entries = "UPDATE loyalty_transaction SET %s WHERE account_id = $1 AND type = '%s'"
		lots    = "UPDATE loyalty_lot SET %s WHERE id = (SELECT id FROM loyalty_lot WHERE account_id = $1 ORDER BY id OFFSET %d - 1 LIMIT 1)"
		of      = "(SELECT id FROM loyalty_transaction WHERE account_id = $1 AND type = '%s')"
	)
	points := func(l *ledgersOf) uuid.UUID { return l.customer }
	credit := func(l *ledgersOf) uuid.UUID { return l.account }
	cards := func(l *ledgersOf) uuid.UUID { return l.card }
	before := w.drifts(t, "demo")
	require.Empty(t, before)
	for _, c := range []struct {
		name string
		of   func(*ledgersOf) uuid.UUID
		sql  string // $1 is the record's id
		want []string
	}{
		{"a balance of points", points, "UPDATE loyalty_account SET balance = balance + 1 WHERE id = $1", []string{"points it: balance is 101, should be 100"}},
		{"points earned in the lifetime", points, "UPDATE loyalty_account SET lifetime_earned = 0 WHERE id = $1", []string{"points it: lifetime earned is 0, should be 140"}},
		{"a revision", points, "UPDATE loyalty_account SET revision = 4 WHERE id = $1", []string{"points it: revision is 4, should be at least 5"}},
		{"a balance after", points, fmt.Sprintf(entries, "balance_after = 91", "REDEEM"), []string{"points it r: balance after is 91, should be 90"}},
		{"points of an entry", points, fmt.Sprintf(entries, "points = -61", "REDEEM"), []string{
			"points it r: points taken from lots is 60, should be 61", "points it r: balance after is 90, should be 89",
			"points it: balance is 100, should be 99", "points it: points left in lots is 100, should be 99",
		}},
		{"a sequence that stands still", points, fmt.Sprintf(entries, "sequence = 4", "REVERSE"), []string{"points it v: sequence is 4, should be at least 5"}},
		{"a sequence before the first", points, fmt.Sprintf(entries, "sequence = 0", "EARN") + " AND sequence = 1", []string{"points it e1: sequence is 0, should be at least 1"}},
		{"entries out of their order", points, fmt.Sprintf(entries, "sequence = 0", "RESTORE"), []string{
			"points it s: sequence is 0, should be at least 1", "points it s: balance after is 110, should be 20",
			"points it e1: balance after is 100, should be 120",
		}},
		{"an entry gone", points, "DELETE FROM loyalty_transaction WHERE account_id = $1 AND type = 'REVERSE'", []string{
			"points it: balance is 100, should be 110", "points it: lifetime earned is 140, should be 150", "points it: points left in lots is 100, should be 110",
		}},
		{"an account gone", points, "DELETE FROM loyalty_account WHERE id = $1", []string{"points it: number of entries without an account or card is 5, should be 0"}},
		{"what is left of a lot", points, fmt.Sprintf(lots, "remaining = 31", 1), []string{
			"points it l1: points left is 31, should be 30", "points it: points left in lots is 101, should be 100",
		}},
		{"more left of a lot than it had", points, fmt.Sprintf(lots, "remaining = 51", 2), []string{
			"points it l2: points left is 51, should be 50", "points it l2: points left is 51, should be at most 50", "points it: points left in lots is 101, should be 100",
		}},
		{"less than nothing left of a lot", points, fmt.Sprintf(lots, "remaining = -1", 2), []string{
			"points it l2: points left is -1, should be 50", "points it l2: points left is -1, should be at least 0", "points it: points left in lots is 49, should be 100",
		}},
		{"the size of a lot", points, fmt.Sprintf(lots, "points = 25", 3), []string{
			"points it l3: points left is 20, should be 25", "points it s: points put into lots is 25, should be 20",
		}},
		{"a lot gone", points, "DELETE FROM loyalty_lot WHERE account_id = $1 AND remaining = 50", []string{
			"points it e2: points put into lots is 0, should be 50", "points it: points left in lots is 50, should be 100",
		}},
		{"a lot of an entry that takes points", points, fmt.Sprintf("UPDATE loyalty_lot SET transaction_id = "+of, "REDEEM") + " WHERE account_id = $1 AND remaining = 50", []string{
			"points it e2: points put into lots is 0, should be 50", "points it r: points put into lots is 50, should be 0",
		}},
		{"what was taken from a lot", points, fmt.Sprintf("UPDATE loyalty_lot_debit SET points = 59 WHERE transaction_id = "+of, "REDEEM"), []string{
			"points it l1: points left is 30, should be 31", "points it r: points taken from lots is 59, should be 60",
		}},
		{"a debit gone", points, fmt.Sprintf("DELETE FROM loyalty_lot_debit WHERE transaction_id = "+of, "REVERSE"), []string{
			"points it l1: points left is 30, should be 40", "points it v: points taken from lots is 0, should be 10",
		}},
		{"more restored than was redeemed", points, fmt.Sprintf("UPDATE loyalty_transaction_link SET points = 61 WHERE transaction_id = "+of, "RESTORE"), []string{
			"points it s: points of earlier entries answered is 61, should be at most 20", "points it r: points answered by later entries is 61, should be at most 60",
		}},
		{"a balance below zero that adds up", points, `WITH a AS (UPDATE loyalty_account SET balance = -5, revision = 6 WHERE id = $1 RETURNING *)
			INSERT INTO loyalty_transaction (tenant_id, id, account_id, sequence, type, points, balance_after, occurred_at)
			SELECT tenant_id, '00000000-0000-7000-8000-000000000005', id, 6, 'ADJUST', -105, -5, now() FROM a`, []string{
			"points it ltx_00000000-0000-7000-8000-000000000005: points taken from lots is 0, should be 105",
			"points it ltx_00000000-0000-7000-8000-000000000005: balance after is -5, should be at least 0",
			"points it: balance is -5, should be at least 0", "points it: points left in lots is 100, should be -5",
		}},
		{"sums that no number holds", points, "UPDATE loyalty_lot SET remaining = 9223372036854775807 WHERE account_id = $1", []string{
			"points it l1: points left is 9223372036854775807, should be 30", "points it l2: points left is 9223372036854775807, should be 50",
			"points it l3: points left is 9223372036854775807, should be 20", "points it l1: points left is 9223372036854775807, should be at most 100",
			"points it l2: points left is 9223372036854775807, should be at most 50", "points it l3: points left is 9223372036854775807, should be at most 20",
			"points it: points left in lots is 9223372036854775807, should be 100",
		}},
		{"what is owed", credit, "UPDATE account SET credit_used = 0 WHERE id = $1", []string{"credit it: credit used is 0, should be 20000"}},
		{"what was owed after an entry", credit, "UPDATE credit_transaction SET used_after = 20001 WHERE account_id = $1 AND type = 'RELEASE'", []string{
			"credit it paid: credit used after is 20001, should be 20000",
		}},
		{"what was paid", credit, "UPDATE credit_transaction SET amount = -20000 WHERE account_id = $1 AND type = 'RELEASE'", []string{
			"credit it paid: credit used after is 20000, should be 10000", "credit it: credit used is 20000, should be 10000",
		}},
		{"credit beyond the limit", credit, "UPDATE credit_transaction SET credit_limit = 29999 WHERE account_id = $1 AND type = 'CONSUME'", []string{
			"credit it bought: credit used after is 30000, should be at most 29999",
		}},
		{"credit without a limit", credit, "UPDATE credit_transaction SET credit_limit = NULL WHERE account_id = $1 AND type = 'CONSUME'", []string{
			"credit it bought: credit used after is 30000, should be at most 0",
		}},
		{"the revision of an account", credit, "UPDATE account SET revision = 1 WHERE id = $1", []string{"credit it: revision is 1, should be at least 4"}},
		{"the balance of a card", cards, "UPDATE gift_card SET balance = 3001 WHERE id = $1", []string{"gift cards it: balance is 3001, should be 3000"}},
		{"more on a card than it was sold for", cards, "UPDATE gift_card SET initial_amount = 2999 WHERE id = $1", []string{
			"gift cards it: balance is 3000, should be at most 2999", "gift cards it: initial amount is 2999, should be 5000",
		}},
		{"a depleted card with something on it", cards, "UPDATE gift_card SET status = 'DEPLETED' WHERE id = $1", []string{
			"gift cards it: balance of a card without value is 3000, should be 0",
		}},
		{"what a card paid", cards, "UPDATE gift_card_transaction SET amount = -1000 WHERE gift_card_id = $1 AND type = 'REDEEM'", []string{
			"gift cards it used: balance after is 3000, should be 4000", "gift cards it: balance is 3000, should be 4000",
		}},
		{"the entry that issued a card", cards, "DELETE FROM gift_card_transaction WHERE gift_card_id = $1 AND type = 'ISSUE'", []string{
			"gift cards it used: balance after is 3000, should be -2000", "gift cards it: balance is 3000, should be -2000",
			"gift cards it: initial amount is 5000, should be 0",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := w.withLedgers(t)
			require.Equal(t, before, w.drifts(t, "demo"))
			w.past(t, c.sql, c.of(l))
			after := w.drifts(t, "demo")
			found := slices.DeleteFunc(slices.Clone(after), func(line string) bool { return slices.Contains(before, line) })
			for i := range found {
				found[i] = l.names.Replace(found[i])
			}
			require.ElementsMatch(t, c.want, found)
			require.Len(t, after, len(before)+len(c.want), "nothing else is wrong")
			before = after
		})
	}
	t.Run("another tenant has nothing of it", func(t *testing.T) {
		require.NotEmpty(t, before)
		require.Empty(t, w.drifts(t, "acme"))
	})
}

// past changes rows past the foreign keys, too.
func (w *world) past(t *testing.T, sql string, args ...any) {
	t.Helper()
	tx, err := w.sql.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	_, err = tx.Exec(t.Context(), "SET LOCAL session_replication_role = replica")
	require.NoError(t, err)
	done, err := tx.Exec(t.Context(), sql, args...)
	require.NoError(t, err, sql)
	require.EqualValues(t, 1, min(1, done.RowsAffected()), "something is changed")
	require.NoError(t, tx.Commit(t.Context()))
}
