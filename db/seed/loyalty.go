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
	inStore = "store"
	onWeb   = "webshop"

	returnDays  = 60
	validMonths = 12
)

// ledger keeps one customer's points as the programme's rules demand: debits take from
// the lots that expire first, and the balance is what the lots hold.
type ledger struct {
	g        *generator
	account  *crm.LoyaltyAccount
	currency *string
	lots     []*crm.LoyaltyLot
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
	version := programme
	if channel == onWeb {
		version = webProgramme
	}
	tx.PolicyVersion = &version
	l.earned[l.credit(tx, available, expires).ID] = tx
	l.account.LifetimeEarned += tx.Points
}

// redeem spends points, each worth one minor unit; false when there are too few.
func (l *ledger) redeem(at time.Time, points int64) bool {
	if !l.affords(at, points) {
		return false
	}
	tx := l.post(at, crm.LoyaltyRedeem, -points)
	l.debit(tx)
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
		tx := l.post(at, crm.LoyaltyReverse, -lot.Points)
		l.take(tx, lot, lot.Points)
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
	if points < 0 && !l.affords(at, -points) {
		return false
	}
	tx := l.post(at, crm.LoyaltyAdjust, points)
	tx.Reason = &reason
	if points > 0 {
		l.credit(tx, at, at.AddDate(0, validMonths, 0))
	} else {
		l.debit(tx)
	}
	return true
}

// sweep books the points that have expired; false when there are none.
func (l *ledger) sweep(at time.Time) bool {
	var points int64
	var expired []*crm.LoyaltyLot
	for _, lot := range l.lots {
		if lot.Remaining > 0 && !lot.ExpiresAt.After(at) {
			points += lot.Remaining
			expired = append(expired, lot)
		}
	}
	if points == 0 {
		return false
	}
	tx := l.post(at, crm.LoyaltyExpire, -points)
	for _, lot := range expired {
		l.take(tx, lot, lot.Remaining)
	}
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
		Row: l.g.row(), AccountID: l.account.ID, Sequence: l.account.Revision, Type: kind, Points: points, BalanceAfter: l.account.Balance,
		SourceRefs: []*crm.SourceRef{}, OccurredAt: at, CreatedAt: at,
	}
	l.g.transactions = append(l.g.transactions, tx)
	return tx
}

// link says which earlier entry an entry answers.
func (l *ledger) link(tx, related *crm.LoyaltyTransaction) {
	l.g.links = append(l.g.links, &loyaltyLink{TenantID: tx.TenantID, TransactionID: tx.ID, RelatedID: related.ID, Points: max(tx.Points, -tx.Points)})
}

// credit puts an entry's points into a new lot.
func (l *ledger) credit(tx *crm.LoyaltyTransaction, available, expires time.Time) *crm.LoyaltyLot {
	tx.AvailableAt, tx.ExpiresAt = &available, &expires
	lot := &crm.LoyaltyLot{
		Row: l.g.row(), AccountID: l.account.ID, TransactionID: tx.ID, Points: tx.Points, Remaining: tx.Points,
		AvailableAt: available, ExpiresAt: &expires,
	}
	l.lots = append(l.lots, lot)
	l.g.lots = append(l.g.lots, lot)
	return lot
}

// usable are the lots that can be spent from at a time, those that expire first being first.
func (l *ledger) usable(at time.Time) []*crm.LoyaltyLot {
	usable := slices.DeleteFunc(slices.Clone(l.lots), func(lot *crm.LoyaltyLot) bool {
		return lot.Remaining == 0 || lot.AvailableAt.After(at) || !lot.ExpiresAt.After(at)
	})
	slices.SortStableFunc(usable, func(a, b *crm.LoyaltyLot) int { return a.ExpiresAt.Compare(*b.ExpiresAt) })
	return usable
}

// affords says whether so many points can be spent at a time.
func (l *ledger) affords(at time.Time, points int64) bool {
	for _, lot := range l.usable(at) {
		points -= lot.Remaining
	}
	return points <= 0
}

// debit takes an entry's points from the lots.
func (l *ledger) debit(tx *crm.LoyaltyTransaction) {
	points := -tx.Points
	for _, lot := range l.usable(tx.OccurredAt) {
		if n := min(points, lot.Remaining); n > 0 {
			l.take(tx, lot, n)
			points -= n
		}
	}
}

// take lets an entry take points from a lot.
func (l *ledger) take(tx *crm.LoyaltyTransaction, lot *crm.LoyaltyLot, points int64) {
	lot.Remaining -= points
	l.g.debits = append(l.g.debits, &loyaltyDebit{TenantID: tx.TenantID, LotID: lot.ID, TransactionID: tx.ID, Points: points})
}

// The versions of the programme's rules, of all channels and of the web shop.
const (
	programme    = "2022-01"
	webProgramme = "2022-01-webshop"
)

// policies are the rules that the ledgers follow: a point for each whole unit of money, good for
// a year, and worth a cent.
func (g *generator) policies() []*crm.LoyaltyPolicy {
	cent, least, days, euro := int64(1), int64(50), 365, "EUR"
	all := crm.LoyaltyPolicy{
		Version: programme, Number: 1, PointsPerUnit: "1", Rounding: crm.RoundFloor, ChannelMultipliers: []*crm.ChannelMultiplier{},
		RedeemMode: crm.RedeemPerPoint, RedeemValueMinor: &cent, RedeemCurrency: &euro, MinPoints: &least,
		ExpireAfterDays: &days, EffectiveFrom: g.opening(), CreatedAt: g.opening(),
	}
	web := all
	web.Version, web.ChannelCode, web.PendingDays = webProgramme, onWeb, returnDays
	for _, p := range []*crm.LoyaltyPolicy{&all, &web} {
		p.Row = crm.Row{TenantID: g.tenant.ID, ID: uuid.NewSHA1(g.tenant.ID, []byte(p.Version))}
	}
	return []*crm.LoyaltyPolicy{&all, &web}
}
