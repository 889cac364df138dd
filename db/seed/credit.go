package seed

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"crmgraph/crm"
)

// How credit is used in the demo data. Amounts are minor units.
const (
	creditChapter  = 20 // of the ids of entries
	busyPercent    = 60 // of the accounts have more than what they owe in their ledgers
	creditStep     = 1_000
	northwindFirms = 4 // whose revisions people and tests rely on
)

// clerk makes what is made with ids and chances of its own, so that nothing else depends on it.
func (g *generator) clerk(chapter uint64) *generator {
	own := &generator{today: g.today, tenant: g.tenant, seed: g.seed, rng: newRand(g.seed, 1<<32+chapter)}
	own.chapter(chapter)
	return own
}

// creditLedger keeps what one account owes.
type creditLedger struct {
	g       *generator // a clerk
	account *crm.Account
	used    int64
	limit   int64 // at the time
	entries []*crm.CreditTransaction
}

// bookCredit makes the entries behind what the accounts of the batch owe, once all else about
// them is known. Each is a change of its account, from its first on; what happened to the party
// happened later.
func (g *generator) bookCredit() {
	parties, customers := map[uuid.UUID]*crm.Party{}, map[uuid.UUID]*crm.Customer{}
	for _, p := range g.parties {
		parties[p.ID] = p
	}
	for _, c := range g.customers {
		customers[c.ID] = c
	}
	for _, a := range g.accounts {
		l := creditLedger{g: g.credit, account: a, limit: *a.CreditLimitMinor}
		if a.CreditUsedMinor > l.limit { // bought before the limit was lowered
			l.limit = a.CreditUsedMinor * 6 / 5
		}
		party := parties[a.ID]
		until := g.today
		if a.Revision > 1 {
			until = a.UpdatedAt
		}
		fixed := party.Number > beforeFirstFirm && party.Number <= beforeFirstFirm+northwindFirms
		if !l.g.chance(busyPercent) || fixed {
			l.carryOver()
		} else {
			l.live(until)
		}
		if l.limit != *a.CreditLimitMinor {
			l.limit = *a.CreditLimitMinor
			l.post(l.g.between(l.last(), until), crm.CreditLimitChange, 0, "Invoices overdue")
		}
		g.credits = append(g.credits, l.entries...)
		if more := int64(len(l.entries)) - 1; more > 0 {
			a.Revision += more
			if until.Equal(g.today) {
				a.UpdatedAt = l.last()
			}
			party.Revision, party.UpdatedAt = a.Revision, a.UpdatedAt
			customers[a.ID].Revision, customers[a.ID].UpdatedAt = a.Revision, a.UpdatedAt
		}
	}
}

// carryOver books what is owed as it was when the account was made.
func (l *creditLedger) carryOver() {
	if owed := l.account.CreditUsedMinor; owed > 0 {
		l.post(l.account.CreatedAt, crm.CreditConsume, owed, "Carried over")
	}
}

// live lets the account get its limit, buy and pay until it owes what it does.
func (l *creditLedger) live(until time.Time) {
	l.post(l.account.CreatedAt, crm.CreditLimitChange, 0, "Account opened")
	times := make([]time.Time, l.g.within(2, 8))
	for i := range times {
		times[i] = l.g.between(l.account.CreatedAt, until)
	}
	slices.SortFunc(times, time.Time.Compare)
	for i, at := range times {
		move := l.account.CreditUsedMinor - l.used
		if i < len(times)-1 {
			move = l.some()
		}
		switch {
		case move > 0:
			l.post(at, crm.CreditConsume, move, "Order").OrderRef = l.order()
		case move < 0:
			l.post(at, crm.CreditRelease, move, "Invoice paid").OrderRef = l.order()
		}
	}
}

// some is an amount that can be bought for now, or, negative, be paid.
func (l *creditLedger) some() int64 {
	if free := (l.limit - l.used) / creditStep / 2; free > 0 && l.g.chance(65) {
		return int64(l.g.within(1, int(free))) * creditStep
	}
	if owed := l.used / creditStep; owed > 0 {
		return -int64(l.g.within(1, int(owed))) * creditStep
	}
	return 0
}

// last is when the newest entry was made, or the account.
func (l *creditLedger) last() time.Time {
	if len(l.entries) == 0 {
		return l.account.CreatedAt
	}
	return l.entries[len(l.entries)-1].CreatedAt
}

// post adds an entry.
func (l *creditLedger) post(at time.Time, kind crm.CreditTransactionType, amount int64, reason string) *crm.CreditTransaction {
	l.used += amount
	limit := l.limit
	entry := &crm.CreditTransaction{
		Row: l.g.row(), AccountID: l.account.ID, Sequence: int64(len(l.entries)) + 1, Type: kind, Currency: *l.account.Currency,
		AmountMinor: amount, UsedAfterMinor: l.used, CreditLimitMinor: &limit, Actor: "system", Reason: &reason,
		SourceRefs: []*crm.SourceRef{}, CreatedAt: at,
	}
	l.entries = append(l.entries, entry)
	return entry
}

// order makes the reference of one.
func (l *creditLedger) order() *string {
	order := fmt.Sprintf("SO-%07d", l.g.rng.IntN(10_000_000))
	return &order
}
