package crm

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"crmgraph/db"
)

// LedgerDrift is a number that is not what the entries of its ledger say.
type LedgerDrift struct {
	Ledger   string // points, credit or gift cards
	Balance  string // global id of the account or card
	Record   string // global id of what the number belongs to: the account or card itself, an entry or a lot
	Figure   string // what the number is, such as "balance after"
	Stored   int64  // points, minor units, or a count
	Should   Bound
	Computed int64
}

// Bound says how a stored number must relate to the computed one.
type Bound string

// The relations.
const (
	Equal   Bound = ""
	AtLeast Bound = "at least "
	AtMost  Bound = "at most "
)

// String is a line for people.
func (d LedgerDrift) String() string {
	of := d.Balance
	if d.Record != d.Balance {
		of += " " + d.Record
	}
	return fmt.Sprintf("%s %s: %s is %d, should be %s%d", d.Ledger, of, d.Figure, d.Stored, d.Should, d.Computed)
}

// LedgerSummary says how much of a ledger was verified.
type LedgerSummary struct {
	Ledger   string
	Balances int // accounts or cards
	Entries  int
	Drifts   int
}

// ledger describes one of the ledgers: in words of its tables what all have in common, and the
// rules that are its own.
type ledger struct {
	name              string
	balances, entries string                 // the tables, b and x in what follows
	owner             string                 // column of x: whose entry it is
	after             string                 // column of x: what the balance was after it
	figures           []figure               // the first is the balance
	rules             []rule                 // of its own
	balanceID         func(uuid.UUID) string // global ids
	entryID           func(uuid.UUID) string
}

// figure is a number of b that is the sum of what each x moves it by.
type figure struct{ name, stored, moved string }

// rule finds what breaks it: sql selects the ids of a balance and of a record of its, the stored
// number and the computed one. $1 is the tenant.
type rule struct {
	name   string
	should Bound
	record func(uuid.UUID) string // the record's global id
	sql    string
}

// ledgers are all there are.
var ledgers = []ledger{{
	name: "points", balances: "loyalty_account", entries: "loyalty_transaction", owner: "account_id", after: "balance_after",
	balanceID: LoyaltyAccounts.nodeID, entryID: LoyaltyTransactions.nodeID,
	figures: []figure{
		{"balance", "b.balance", "x.points"},
		{"lifetime earned", "b.lifetime_earned", lifetimeOf},
		{"points left in lots", "(SELECT " + sumOf("l.remaining") + " FROM loyalty_lot l WHERE l.tenant_id = $1 AND l.account_id = b.id)", "x.points"},
	},
	rules: []rule{
		{"points left", Equal, LoyaltyLots.nodeID, "SELECT l.account_id, l.id, l.remaining, l.points - coalesce(d.points, 0) FROM loyalty_lot l LEFT JOIN (" +
			"SELECT lot_id AS id, sum(points) AS points FROM loyalty_lot_debit WHERE tenant_id = $1 GROUP BY lot_id) d ON d.id = l.id " +
			"WHERE l.tenant_id = $1 AND l.remaining <> l.points - coalesce(d.points, 0)"},
		{"points left", AtLeast, LoyaltyLots.nodeID, "SELECT account_id, id, remaining, 0 FROM loyalty_lot WHERE tenant_id = $1 AND remaining < 0"},
		{"points left", AtMost, LoyaltyLots.nodeID, "SELECT account_id, id, remaining, points FROM loyalty_lot WHERE tenant_id = $1 AND remaining > points"},
		{"points put into lots", Equal, LoyaltyTransactions.nodeID, ofEntries("greatest(x.points, 0)", "points", "loyalty_lot", "transaction_id", "true", "<>")},
		{"points taken from lots", Equal, LoyaltyTransactions.nodeID, ofEntries("greatest(-x.points, 0)", "points", "loyalty_lot_debit", "transaction_id", "true", "<>")},
		// Those of a merged customer that was erased since are gone, and the links to them.
		{"points of earlier entries answered", AtMost, LoyaltyTransactions.nodeID, ofEntries("abs(x.points)", "points", "loyalty_transaction_link", "transaction_id", "x.type IN ('REVERSE', 'RESTORE')", ">")},
		{"points answered by later entries", AtMost, LoyaltyTransactions.nodeID, ofEntries("abs(x.points)", "points", "loyalty_transaction_link", "related_id", "true", ">")},
	},
}, {
	name: "credit", balances: "account", entries: "credit_transaction", owner: "account_id", after: "used_after",
	balanceID: Accounts.nodeID, entryID: CreditTransactions.nodeID,
	figures: []figure{{"credit used", "b.credit_used", "x.amount"}},
	rules: []rule{
		{"credit used after", AtMost, CreditTransactions.nodeID, "SELECT account_id, id, used_after, coalesce(credit_limit, 0) FROM credit_transaction " +
			"WHERE tenant_id = $1 AND type = 'CONSUME' AND used_after > coalesce(credit_limit, 0)"},
	},
}, {
	name: "gift cards", balances: "gift_card", entries: "gift_card_transaction", owner: "gift_card_id", after: "balance_after",
	balanceID: GiftCards.nodeID, entryID: GiftCardTransactions.nodeID,
	figures: []figure{
		{"balance", "b.balance", "x.amount"},
		{"initial amount", "b.initial_amount", "CASE x.type WHEN 'ISSUE' THEN x.amount ELSE 0 END"},
	},
	rules: []rule{
		{"balance", AtMost, GiftCards.nodeID, "SELECT id, id, balance, initial_amount FROM gift_card WHERE tenant_id = $1 AND balance > initial_amount"},
		{"balance of a card without value", Equal, GiftCards.nodeID, "SELECT id, id, balance, 0 FROM gift_card WHERE tenant_id = $1 AND status IN ('DEPLETED', 'VOID') AND balance <> 0"},
	},
}}

// sumOf is a sum that fits, however wrong its rows are.
func sumOf(column string) string { return whole("coalesce(sum(" + column + "), 0)") }

func whole(number string) string {
	return "least(greatest(" + number + ", -9223372036854775807), 9223372036854775807)::bigint"
}

// ofEntries selects the entries x of points, those that a condition holds for, whose sum over the
// rows of another table is broken when compared with what it should be.
func ofEntries(should, column, table, key, condition, broken string) string {
	return fmt.Sprintf("SELECT x.account_id, x.id, coalesce(y.sum, 0), %[1]s FROM loyalty_transaction x LEFT JOIN ("+
		"SELECT %[4]s AS id, sum(%[2]s) AS sum FROM %[3]s WHERE tenant_id = $1 GROUP BY %[4]s) y ON y.id = x.id "+
		"WHERE x.tenant_id = $1 AND %[5]s AND coalesce(y.sum, 0) %[6]s %[1]s", should, column, table, key, condition, broken)
}

// own are the rules that the ledger's shape alone makes.
func (l *ledger) own() []rule {
	return append([]rule{{
		"number of entries without an account or card", Equal, l.balanceID,
		fmt.Sprintf("SELECT x.%[1]s, x.%[1]s, count(*), 0 FROM %[2]s x WHERE x.tenant_id = $1 AND NOT EXISTS ("+
			"SELECT 1 FROM %[3]s b WHERE b.tenant_id = $1 AND b.id = x.%[1]s) GROUP BY 1", l.owner, l.entries, l.balances),
	}}, l.rules...)
}

// stream selects every balance with each of its entries in order, or with none: the balance's id,
// revision and figures, then the entry's id, sequence, balance after, and what it moves the
// figures by.
func (l *ledger) stream() string {
	var names, stored, moved strings.Builder
	for i, f := range l.figures {
		fmt.Fprintf(&stored, ", %s AS f%d", f.stored, i)
		fmt.Fprintf(&moved, ", coalesce(%s, 0)", f.moved)
		fmt.Fprintf(&names, ", b.f%d", i)
	}
	// The figures are computed before the join, once for each balance: OFFSET keeps the planner from merging the two.
	return fmt.Sprintf("SELECT b.id, b.revision%[1]s, x.id, coalesce(x.sequence, 0), coalesce(x.%[2]s, 0)%[3]s "+
		"FROM (SELECT b.id, b.revision%[4]s FROM %[5]s b WHERE b.tenant_id = $1 ORDER BY b.id OFFSET 0) b "+
		"LEFT JOIN %[6]s x ON x.tenant_id = $1 AND x.%[7]s = b.id ORDER BY b.id, x.sequence, x.id",
		names.String(), l.after, moved.String(), stored.String(), l.balances, l.entries, l.owner)
}

// VerifyLedgers recomputes every balance of a tenant from its entries, all as they are at one
// moment, and calls drift for each number that is wrong. progress, when not nil, is told now and
// then how many entries were read. Memory does not grow with the ledgers.
// Errors: Unavailable.
func (st *Store) VerifyLedgers(ctx context.Context, tenant uuid.UUID, progress func(done, total int), drift func(LedgerDrift)) ([]LedgerSummary, error) {
	found := make([]LedgerSummary, len(ledgers))
	err := st.DB.Snapshot(db.WithTenant(ctx, tenant), func(ctx context.Context, tx *db.Tx) error {
		v := &verification{tx: tx, tenant: tenant, drift: drift, progress: progress}
		for i := range ledgers {
			var n int
			if err := v.query(ctx, "SELECT count(*) FROM "+ledgers[i].entries+" WHERE tenant_id = $1", readOne(&n)); err != nil {
				return err
			}
			v.total += n
		}
		for i := range ledgers {
			v.ledger, v.summary = &ledgers[i], &found[i]
			v.summary.Ledger = v.name
			if err := v.run(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, failed(err)
	}
	return found, nil
}

// verification is one run over a tenant.
type verification struct {
	*ledger

	tx          *db.Tx
	tenant      uuid.UUID
	summary     *LedgerSummary
	drift       func(LedgerDrift)
	progress    func(done, total int)
	done, total int
}

// verified is one balance on the way through its entries.
type verified struct {
	id               uuid.UUID
	revision         int64
	stored, computed []int64 // the figures
	sequence         int64   // of the entry before
	off              int64   // by how much the entry before missed the balance
}

func (v *verification) query(ctx context.Context, sql string, read func(pgx.Rows) error) error {
	return v.tx.Query(ctx, sql, []any{v.tenant}, read)
}

// run verifies the ledger.
func (v *verification) run(ctx context.Context) error {
	for _, r := range v.own() {
		if err := v.obeys(ctx, r); err != nil {
			return err
		}
	}
	return v.query(ctx, v.stream(), v.replay)
}

// obeys reports what breaks a rule.
func (v *verification) obeys(ctx context.Context, r rule) error {
	sql := "SELECT r.balance, r.record, " + whole("r.stored") + ", " + whole("r.computed") +
		" FROM (" + r.sql + ") r (balance, record, stored, computed) ORDER BY r.balance, r.record"
	return v.query(ctx, sql, func(rows pgx.Rows) error {
		var balance, record uuid.UUID
		var stored, computed int64
		_, err := pgx.ForEachRow(rows, []any{&balance, &record, &stored, &computed}, func() error {
			v.report(balance, r.record(record), r.name, stored, r.should, computed)
			return nil
		})
		return err
	})
}

// replay goes through all entries, balance by balance.
func (v *verification) replay(rows pgx.Rows) error {
	n := len(v.figures)
	next := verified{stored: make([]int64, n)}
	var entry *uuid.UUID
	var sequence, after int64
	moved := make([]int64, n)
	into := []any{&next.id, &next.revision}
	for i := range n {
		into = append(into, &next.stored[i])
	}
	into = append(into, &entry, &sequence, &after)
	for i := range n {
		into = append(into, &moved[i])
	}
	var b verified
	_, err := pgx.ForEachRow(rows, into, func() error {
		if next.id != b.id {
			v.close(&b)
			b = verified{id: next.id, revision: next.revision, stored: append([]int64{}, next.stored...), computed: make([]int64, n)}
		}
		if entry != nil {
			v.step(&b, v.entryID(*entry), sequence, after, moved)
		}
		return nil
	})
	v.close(&b)
	v.tell(true)
	return err
}

// step adds an entry to its balance.
func (v *verification) step(b *verified, entry string, sequence, after int64, moved []int64) {
	for i, by := range moved {
		b.computed[i] += by
	}
	if least := b.sequence + 1; sequence < least {
		v.report(b.id, entry, "sequence", sequence, AtLeast, least)
	}
	// After one wrong amount all balances that follow are off by as much: it is said once.
	off := after - b.computed[0]
	switch {
	case off != b.off && off != 0:
		v.report(b.id, entry, v.figures[0].name+" after", after, Equal, b.computed[0])
	case after < 0:
		v.report(b.id, entry, v.figures[0].name+" after", after, AtLeast, 0)
	}
	b.sequence, b.off = sequence, off
	v.summary.Entries++
	v.done++
	v.tell(false)
}

// close compares what is stored with a balance with what its entries came to.
func (v *verification) close(b *verified) {
	if b.id == uuid.Nil { // before the first
		return
	}
	v.summary.Balances++
	id := v.balanceID(b.id)
	for i, f := range v.figures {
		switch stored, computed := b.stored[i], b.computed[i]; {
		case stored != computed:
			v.report(b.id, id, f.name, stored, Equal, computed)
		case stored < 0:
			v.report(b.id, id, f.name, stored, AtLeast, 0)
		}
	}
	if b.revision < b.sequence {
		v.report(b.id, id, "revision", b.revision, AtLeast, b.sequence)
	}
}

func (v *verification) report(balance uuid.UUID, record, name string, stored int64, should Bound, computed int64) {
	v.summary.Drifts++
	v.drift(LedgerDrift{
		Ledger: v.name, Balance: v.balanceID(balance), Record: record, Figure: name, Stored: stored, Should: should, Computed: computed,
	})
}

// progressStep is after how many entries progress is told.
const progressStep = 1000

func (v *verification) tell(now bool) {
	if v.progress != nil && (now || v.done%progressStep == 0) {
		v.progress(v.done, v.total)
	}
}
