package seed

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"crmgraph/crm"
)

// Where customers buy. What is bought on the web can be sent back, so its points stay
// pending for a while.
const (
	inStore = "STORE"
	onWeb   = "WEBSHOP"

	returnDays  = 60
	validMonths = 12
)

// ledger keeps one customer's points as the programme's rules demand: debits take from
// the lots that expire first, and the balance is what the lots hold.
type ledger struct {
	g        *generator
	account  *crm.LoyaltyAccount
	currency *string
	lots     []*loyaltyLot
	earned   map[uuid.UUID]*crm.LoyaltyTransaction // the purchase behind a lot, by the lot's id
	redeemed []*crm.LoyaltyTransaction             // what can still be restored
}

// openLedger gives a customer a loyalty account.
func (g *generator) openLedger(c *crm.Customer, currency *string, at time.Time) *ledger {
	a := &crm.LoyaltyAccount{Row: c.Row, CreatedAt: at, UpdatedAt: at, Revision: 1}
	g.ledgers = append(g.ledgers, a)
	return &ledger{g: g, account: a, currency: currency, earned: map[uuid.UUID]*crm.LoyaltyTransaction{}}
}

// live lets n things happen between the account's opening and today.
func (l *ledger) live(n int) {
	times := make([]time.Time, n)
	for i := range times {
		times[i] = l.g.between(l.account.CreatedAt, l.g.today)
	}
	slices.SortFunc(times, time.Time.Compare)
	for _, at := range times {
		l.happen(at)
	}
}

// happen does one thing that is possible at the time.
func (l *ledger) happen(at time.Time) {
	if l.g.chance(60) && l.sweep(at) {
		return
	}
	switch dice := l.g.rng.IntN(100); {
	case dice < 22 && l.redeem(at, int64(l.g.within(1, 6))*50):
	case dice < 28 && l.restore(at):
	case dice < 34 && l.reverse(at):
	case dice < 38 && l.adjust(at, -int64(l.g.within(5, 40)), "Correction of a wrong booking"):
	case dice < 42:
		l.adjust(at, int64(l.g.within(10, 100)), "Goodwill")
	default:
		channel := inStore
		if l.g.chance(25) {
			channel = onWeb
		}
		l.earn(at, int64(l.g.within(2_000, 90_000)), channel)
	}
}

// earn books a purchase: a point for each whole unit of the currency.
func (l *ledger) earn(at time.Time, amount int64, channel string) {
	available := at
	if channel == onWeb {
		available = at.AddDate(0, 0, returnDays)
	}
	expires := available.AddDate(0, validMonths, 0)
	tx := l.post(at, crm.LoyaltyEarn, amount/100)
	order := fmt.Sprintf("SO-%07d", l.g.rng.IntN(10_000_000))
	tx.Currency, tx.AmountMinor, tx.Channel, tx.OrderRef = l.currency, &amount, &channel, &order
	l.earned[l.credit(tx, available, expires).ID] = tx
	l.account.LifetimeEarned += tx.Points
}

// redeem spends points, each worth one minor unit; false when there are too few.
func (l *ledger) redeem(at time.Time, points int64) bool {
	if !l.debit(at, points) {
		return false
	}
	tx := l.post(at, crm.LoyaltyRedeem, -points)
	channel := inStore
	tx.Currency, tx.RedeemValueMinor, tx.Channel = l.currency, &points, &channel
	l.redeemed = append(l.redeemed, tx)
	return true
}

// restore gives back what was redeemed last; false when nothing was.
func (l *ledger) restore(at time.Time) bool {
	if len(l.redeemed) == 0 {
		return false
	}
	last := len(l.redeemed) - 1
	redeem := l.redeemed[last]
	l.redeemed = l.redeemed[:last]
	tx := l.post(at, crm.LoyaltyRestore, -redeem.Points)
	reason := "Order cancelled"
	tx.Reason, tx.Currency, tx.RedeemValueMinor = &reason, redeem.Currency, redeem.RedeemValueMinor
	l.credit(tx, at, at.AddDate(0, validMonths, 0))
	l.link(tx, redeem)
	return true
}

// reverse takes back the newest purchase whose points are all still there; false when
// there is none.
func (l *ledger) reverse(at time.Time) bool {
	for _, lot := range slices.Backward(l.lots) {
		earn := l.earned[lot.ID]
		if earn == nil || lot.Remaining < lot.Points || !lot.ExpiresAt.After(at) {
			continue
		}
		lot.Remaining = 0
		tx := l.post(at, crm.LoyaltyReverse, -lot.Points)
		reason := "Goods returned"
		tx.Reason, tx.Currency, tx.AmountMinor, tx.OrderRef = &reason, earn.Currency, earn.AmountMinor, earn.OrderRef
		l.account.LifetimeEarned -= lot.Points
		l.link(tx, earn)
		return true
	}
	return false
}

// adjust corrects the points by hand; false when there are too few to take away.
func (l *ledger) adjust(at time.Time, points int64, reason string) bool {
	if points < 0 && !l.debit(at, -points) {
		return false
	}
	tx := l.post(at, crm.LoyaltyAdjust, points)
	tx.Reason = &reason
	if points > 0 {
		l.credit(tx, at, at.AddDate(0, validMonths, 0))
	}
	return true
}

// sweep books the points that have expired; false when there are none.
func (l *ledger) sweep(at time.Time) bool {
	var points int64
	for _, lot := range l.lots {
		if !lot.ExpiresAt.After(at) {
			points += lot.Remaining
			lot.Remaining = 0
		}
	}
	if points == 0 {
		return false
	}
	tx := l.post(at, crm.LoyaltyExpire, -points)
	reason := "Not used in time"
	tx.Reason = &reason
	return true
}

// post adds an entry and moves the balance.
func (l *ledger) post(at time.Time, kind crm.LoyaltyTransactionType, points int64) *crm.LoyaltyTransaction {
	l.account.Balance += points
	l.account.UpdatedAt = at
	l.account.Revision++
	tx := &crm.LoyaltyTransaction{
		Row: l.g.row(), AccountID: l.account.ID, Type: kind, Points: points, BalanceAfter: l.account.Balance,
		OccurredAt: at, CreatedAt: at,
	}
	l.g.transactions = append(l.g.transactions, tx)
	return tx
}

// link says which earlier entry an entry answers.
func (l *ledger) link(tx, related *crm.LoyaltyTransaction) {
	l.g.links = append(l.g.links, &loyaltyLink{TenantID: tx.TenantID, TransactionID: tx.ID, RelatedID: related.ID})
}

// credit puts an entry's points into a new lot.
func (l *ledger) credit(tx *crm.LoyaltyTransaction, available, expires time.Time) *loyaltyLot {
	tx.AvailableAt, tx.ExpiresAt = &available, &expires
	lot := &loyaltyLot{
		Row: l.g.row(), AccountID: l.account.ID, TransactionID: tx.ID, Points: tx.Points, Remaining: tx.Points,
		AvailableAt: available, ExpiresAt: &expires,
	}
	l.lots = append(l.lots, lot)
	l.g.lots = append(l.g.lots, lot)
	return lot
}

// debit takes points from the lots that can be spent at the time, those that expire
// first being first; false, and nothing is taken, when they hold too few.
func (l *ledger) debit(at time.Time, points int64) bool {
	var usable []*loyaltyLot
	var held int64
	for _, lot := range l.lots {
		if lot.Remaining > 0 && !lot.AvailableAt.After(at) && lot.ExpiresAt.After(at) {
			usable = append(usable, lot)
			held += lot.Remaining
		}
	}
	if held < points {
		return false
	}
	slices.SortStableFunc(usable, func(a, b *loyaltyLot) int { return a.ExpiresAt.Compare(*b.ExpiresAt) })
	for _, lot := range usable {
		taken := min(points, lot.Remaining)
		lot.Remaining -= taken
		points -= taken
	}
	return true
}
