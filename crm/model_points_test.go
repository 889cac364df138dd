package crm_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"crmgraph/crm"
)

// The model of points: the rules of G3N 3.8 in as few words as possible, over nothing but slices.
// It shares no code with the program.

// most is the largest number of points that an account holds.
const most = 1<<53 - 1

// pocket is what one customer has.
type pocket struct {
	lots     []*parcel // in the order in which they came
	entries  []*entry
	lifetime int64
	joined   bool // it had an entry
	merged   bool // into another customer
	absorbed []*pocket
}

// parcel are points that came together.
type parcel struct {
	of         *entry
	size, left int64
	from       time.Time
	until      *time.Time
	moved      bool // by a merge
}

// entry is a line of the ledger.
type entry struct {
	id      string // as the database calls it
	kind    crm.LoyaltyTransactionType
	order   string
	channel string // of a redemption
	points  int64
	open    int64 // not answered yet
}

// rulebook is one version of the rules.
type rulebook struct {
	version, channel string
	currency         *string
	rate             int64 // points for 100 EUR
	web              int64 // factor of the channel web, in hundredths; 0 = none
	rounding         crm.LoyaltyRounding
	pending          int
	expire           *int
	least, top       *int64
	block            *int64
	value            *int64 // cents
	from             time.Time
	until            *time.Time
}

// model is what should be.
type model struct {
	now       time.Time
	rulebooks []*rulebook // in the order in which they were set
	pockets   []*pocket
}

// holds finds the rules for a channel at a time: the channel's own, else those of all channels.
// The last that had begun ended those before it.
func (m *model) holds(channel string, at time.Time) *rulebook {
	for _, of := range slices.Compact([]string{channel, ""}) {
		for _, p := range slices.Backward(m.rulebooks) {
			if p.channel != of || p.from.After(at) {
				continue
			}
			if p.until == nil || p.until.After(at) {
				return p
			}
			break
		}
	}
	return nil
}

func (l *parcel) waits(now time.Time) bool { return l.from.After(now) }

func (l *parcel) usable(now time.Time) bool {
	return !l.waits(now) && (l.until == nil || l.until.After(now))
}

// count adds up what is left of some lots.
func (p *pocket) count(which func(*parcel) bool) (points int64) {
	for _, l := range p.lots {
		if which(l) {
			points += l.left
		}
	}
	return points
}

func (p *pocket) balance() int64 { return p.count(func(*parcel) bool { return true }) }

// state is what a customer sees.
func (m *model) state(p *pocket) string {
	available := p.count(func(l *parcel) bool { return l.usable(m.now) })
	pending := p.count(func(l *parcel) bool { return l.waits(m.now) })
	return figures(p.balance(), available, pending, p.lifetime)
}

func figures(balance, available, pending, lifetime int64) string {
	return fmt.Sprintf("balance %d, available %d, pending %d, lifetime %d", balance, available, pending, lifetime)
}

// contents lists the lots. Which of several lots of the same dates is touched first is left open
// once a merge has moved some: they are told together then.
func (p *pocket) contents() []string {
	var list []lotLine
	for _, l := range p.lots {
		list = append(list, lotLine{l.from, l.until, l.size, l.left})
	}
	return lotLines(list, slices.ContainsFunc(p.lots, func(l *parcel) bool { return l.moved }))
}

type lotLine struct {
	from       time.Time
	until      *time.Time
	size, left int64
}

func lotLines(list []lotLine, together bool) []string {
	lines := []string{}
	sizes, lefts := map[string]int64{}, map[string]int64{}
	for _, l := range list {
		dates := l.from.UTC().Format(time.RFC3339)
		if l.until != nil {
			dates += " to " + l.until.UTC().Format(time.RFC3339)
		}
		if !together {
			lines = append(lines, fmt.Sprintf("%s: %d of %d", dates, l.left, l.size))
			continue
		}
		if _, known := sizes[dates]; !known {
			lines = append(lines, dates)
		}
		sizes[dates] += l.size
		lefts[dates] += l.left
	}
	for i, dates := range lines {
		if together {
			lines[i] = fmt.Sprintf("%s: %d of %d", dates, lefts[dates], sizes[dates])
		}
	}
	if together {
		slices.Sort(lines)
	}
	return lines
}

// take takes points from some lots: always from the one that ends first, then from the one that
// began first, then from the one that came first.
func (p *pocket) take(points int64, which func(*parcel) bool) {
	for points > 0 {
		var next *parcel
		for _, l := range p.lots {
			if l.left > 0 && which(l) && (next == nil || l.before(next)) {
				next = l
			}
		}
		n := min(points, next.left)
		next.left -= n
		points -= n
	}
}

func (l *parcel) before(o *parcel) bool {
	switch {
	case l.until == nil && o.until == nil, l.until != nil && o.until != nil && l.until.Equal(*o.until):
		return l.from.Before(o.from)
	case l.until == nil || o.until == nil:
		return o.until == nil
	default:
		return l.until.Before(*o.until)
	}
}

// enter adds an entry and, when points come in, their lot.
func (p *pocket) enter(kind crm.LoyaltyTransactionType, order string, points int64, from time.Time, until *time.Time) *entry {
	e := &entry{kind: kind, order: order, points: points, open: max(points, -points)}
	p.entries, p.joined = append(p.entries, e), true
	if points > 0 {
		p.lots = append(p.lots, &parcel{of: e, size: points, left: points, from: from, until: until})
	}
	return e
}

func ofDays(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// ends says until when points are good that can be spent from a time on.
func (r *rulebook) ends(from time.Time) *time.Time {
	if r == nil || r.expire == nil {
		return nil
	}
	return new(from.Add(ofDays(*r.expire)))
}

// worth is what a purchase in EUR earns.
func (r *rulebook) worth(cents int64, channel string) int64 {
	n, d := cents*r.rate, int64(100*100)
	if channel == "web" && r.web > 0 {
		n, d = n*r.web, d*100
	}
	switch r.rounding {
	case crm.RoundCeil:
		return (n + d - 1) / d
	case crm.RoundNearest:
		return (2*n + d) / (2 * d)
	default:
		return n / d
	}
}

// verdict is the outcome of an operation: a new entry, or why there is none.
type verdict struct {
	entry  *entry
	reason string
}

func no(reason crm.Reason) verdict { return verdict{reason: string(reason)} }

const unknown = "NOT_FOUND"

// tell describes what became of a customer.
func (m *model) tell(p *pocket, v verdict) string {
	if v.reason != "" {
		return v.reason
	}
	return fmt.Sprintf("%s %+d: %s", v.entry.kind, v.entry.points, m.state(p))
}

func (m *model) earn(p *pocket, order string, cents int64, channel string, at time.Time) verdict {
	rules := m.holds(channel, at)
	switch {
	case p.merged:
		return no(crm.MergedParty)
	case rules == nil:
		return no(crm.NoLoyaltyPolicy)
	case rules.currency != nil && *rules.currency != "EUR":
		return no(crm.CurrencyMismatch)
	}
	points := rules.worth(cents, channel)
	if p.full(points) {
		return no(crm.InvalidState)
	}
	from := at.Add(ofDays(rules.pending))
	p.lifetime += points
	return verdict{entry: p.enter(crm.LoyaltyEarn, order, points, from, rules.ends(from))}
}

func (p *pocket) full(points int64) bool {
	return p.balance()+points > most || p.lifetime+points > most
}

func (m *model) redeem(p *pocket, order string, points int64, channel string) verdict {
	rules := m.holds(channel, m.now)
	if p.merged {
		return no(crm.MergedParty)
	}
	if rules != nil {
		switch {
		case rules.least != nil && points < *rules.least:
			return no(crm.RedeemBelowMinimum)
		case rules.top != nil && points > *rules.top:
			return no(crm.RedeemAboveMaximum)
		case rules.block != nil && points%*rules.block != 0:
			return no(crm.RedeemNotInBlocks)
		}
	}
	v := m.spend(p, crm.LoyaltyRedeem, order, points)
	if v.entry != nil {
		v.entry.channel = channel
	}
	return v
}

// price is what redeemed points are worth, in cents; "" for nothing.
func (m *model) price(channel string, points int64) string {
	rules := m.holds(channel, m.now)
	switch {
	case rules == nil || rules.value == nil:
		return ""
	case rules.block != nil:
		return strconv.FormatInt(points / *rules.block * *rules.value, 10)
	default:
		return strconv.FormatInt(points**rules.value, 10)
	}
}

func (m *model) spend(p *pocket, kind crm.LoyaltyTransactionType, order string, points int64) verdict {
	usable := func(l *parcel) bool { return l.usable(m.now) }
	if p.count(usable) < points {
		return no(crm.InsufficientPoints)
	}
	p.take(points, usable)
	return verdict{entry: p.enter(kind, order, -points, m.now, nil)}
}

func (m *model) adjust(p *pocket, points int64) verdict {
	switch {
	case p.merged:
		return no(crm.MergedParty)
	case points < 0:
		return m.spend(p, crm.LoyaltyAdjust, "", -points)
	case p.full(points):
		return no(crm.InvalidState)
	default:
		return verdict{entry: p.enter(crm.LoyaltyAdjust, "", points, m.now, m.holds("", m.now).ends(m.now))}
	}
}

// answer takes points of entries back, the oldest first, and returns how many; 0 and why when
// that cannot be.
func (m *model) answer(p *pocket, entries []*entry, kind crm.LoyaltyTransactionType, points int64, exceeded crm.Reason) (int64, verdict) {
	switch {
	case p.merged:
		return 0, no(crm.MergedParty)
	case len(entries) == 0:
		return 0, verdict{reason: unknown}
	}
	var open int64
	for _, e := range entries {
		if e.kind != kind {
			return 0, no(crm.InvalidState)
		}
		open += e.open
	}
	if points == 0 {
		points = open
	}
	if open == 0 || points > open {
		return 0, no(exceeded)
	}
	return points, verdict{}
}

func settle(entries []*entry, points int64) {
	for _, e := range entries {
		n := min(points, e.open)
		e.open -= n
		points -= n
	}
}

// reverse answers purchases with points, all that is open when 0: of each purchase its own that wait
// go first.
func (m *model) reverse(p *pocket, entries []*entry, order string, points int64) verdict {
	points, refused := m.answer(p, entries, crm.LoyaltyEarn, points, crm.AlreadyReversed)
	if points == 0 {
		return refused
	}
	waiting := func(e *entry) func(*parcel) bool {
		return func(l *parcel) bool { return l.waits(m.now) && l.of == e }
	}
	usable := func(l *parcel) bool { return l.usable(m.now) }
	rest, open := points, points
	own := make([]int64, len(entries))
	for i, e := range entries {
		part := min(open, e.open)
		own[i] = min(part, p.count(waiting(e)))
		open, rest = open-part, rest-own[i]
	}
	if p.count(usable) < rest {
		return no(crm.InsufficientPoints)
	}
	for i, e := range entries {
		p.take(own[i], waiting(e))
	}
	p.take(rest, usable)
	p.lifetime -= points
	settle(entries, points)
	return verdict{entry: p.enter(crm.LoyaltyReverse, order, -points, m.now, nil)}
}

// restore answers redemptions with points, all that is open when 0.
func (m *model) restore(p *pocket, entries []*entry, order string, points int64) verdict {
	points, refused := m.answer(p, entries, crm.LoyaltyRedeem, points, crm.RestoreExceeds)
	if points == 0 {
		return refused
	}
	if p.full(points) {
		return no(crm.InvalidState)
	}
	settle(entries, points)
	return verdict{entry: p.enter(crm.LoyaltyRestore, order, points, m.now, m.holds(entries[0].channel, m.now).ends(m.now))}
}

// expire removes what had ended by a time.
func (m *model) expire(p *pocket, at time.Time) int64 {
	over := func(l *parcel) bool { return l.until != nil && !l.until.After(at) }
	points := p.count(over)
	if points > 0 {
		p.take(points, over)
		p.enter(crm.LoyaltyExpire, "", -points, m.now, nil)
	}
	return points
}

// merge gives all that a customer has to another one.
func (m *model) merge(into, from *pocket) {
	from.merged = true
	into.absorbed = slices.Concat(into.absorbed, from.absorbed, []*pocket{from})
	if balance := from.balance(); balance > 0 || from.lifetime > 0 {
		from.enter(crm.LoyaltyTransfer, "", -balance, m.now, nil)
		e := &entry{kind: crm.LoyaltyTransfer, points: balance}
		into.entries, into.joined = append(into.entries, e), true
		for _, l := range from.lots {
			if l.left > 0 {
				into.lots = append(into.lots, &parcel{of: e, size: l.left, left: l.left, from: l.from, until: l.until, moved: true})
				l.left = 0
			}
		}
	}
	into.lifetime, from.lifetime = into.lifetime+from.lifetime, 0
}

// all are the entries of a customer and, before them, of those that were merged into it.
func (p *pocket) all() []*entry {
	var list []*entry
	for _, other := range p.absorbed {
		list = append(list, other.entries...)
	}
	return append(list, p.entries...)
}

// ofOrder are the entries of a kind and an order.
func (p *pocket) ofOrder(kind crm.LoyaltyTransactionType, order string) []*entry {
	var list []*entry
	for _, e := range p.all() {
		if e.kind == kind && e.order == order {
			list = append(list, e)
		}
	}
	return list
}

// inCents writes cents of EUR as clients do.
func inCents(cents int64) crm.MoneyInput {
	return crm.MoneyInput{Amount: fmt.Sprintf("%d.%02d", cents/100, cents%100), Currency: "EUR"}
}

// hundredths writes a decimal number.
func hundredths(n int64) string {
	return strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%d.%02d", n/100, n%100), "00"), ".")
}
