package seed

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"crmgraph/crm"
)

const (
	// demoGiftCode is the code of a gift card of both tenants; those of the others nobody knows.
	demoGiftCode = "DEMO-GIFT-2026"
	demoGiftCard = 50_00 // minor units of EUR

	demoGiftCards   = 24 // beside it, as many of each kind
	giftCardChapter = 9
	cashier         = "till-3" // who moved the cards
)

// giftCards gives the demo tenant gift cards of every status: unused, partly used, used up, found
// to have expired, expired without anybody noticing, and made worthless. What they are like
// depends on nothing made before.
func (d *demo) giftCards() {
	d.chapter(giftCardChapter)
	ago := func(months, days int) time.Time { return d.today.AddDate(0, -months, -days) }
	d.issue(demoGiftCode, &d.people[0].ID, "EUR", demoGiftCard, ago(2, 0), nil)
	worth := []int64{25_00, 50_00, 100_00, 150_00, 20_50}
	for i := range demoGiftCards {
		buyer := d.people[1+2*i] // of the first year
		customer, currency := &buyer.ID, buyer.home.currency
		if i%4 == 3 {
			customer, currency = nil, "EUR"
		}
		minor, soon, past := worth[i%len(worth)], d.today.AddDate(1, 0, i), ago(6, i)
		issue := func(months int, expires *time.Time) *crm.GiftCard {
			return d.issue(d.giftCode(), customer, currency, minor, ago(months, i), expires)
		}
		switch i % 6 {
		case 0:
			issue(3, &soon)
		case 1:
			card := issue(12, &soon)
			for month := range 1 + i%3 {
				d.redeem(card, minor/4, ago(9-month, i))
			}
		case 2:
			card := issue(14, nil)
			d.redeem(card, minor/2, ago(10, i))
			d.redeem(card, card.BalanceMinor, ago(4, i))
		case 3:
			card := issue(30, &past)
			d.redeem(card, minor/5, ago(20, i))
			card.StoredStatus = crm.GiftCardExpired
			touch(card, ago(2, i))
		case 4:
			issue(30, &past)
		case 5:
			d.void(issue(8, &soon), ago(1, i), "Reported as stolen")
		}
	}
}

// giftCards gives the acme tenant two gift cards, one with the code that the demo tenant has, too.
func (a *acme) giftCards() {
	a.chapter(giftCardChapter)
	at := a.today.AddDate(0, -4, 0)
	a.issue(demoGiftCode, &a.people[0].ID, "USD", 75_00, at, nil)
	a.redeem(a.issue(a.giftCode(), nil, "USD", 40_00, at, nil), 15_00, at.AddDate(0, 1, 0))
}

// giftCode makes a code as the shop does.
func (g *generator) giftCode() string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	code := make([]byte, 16)
	for i := range code {
		code[i] = letters[g.ids.IntN(len(letters))]
	}
	return fmt.Sprintf("%s-%s-%s-%s", code[:4], code[4:8], code[8:12], code[12:])
}

// issue makes an active gift card.
func (g *generator) issue(code string, customer *uuid.UUID, currency string, minor int64, at time.Time, expires *time.Time) *crm.GiftCard {
	card := &crm.GiftCard{
		Row: g.row(), StoredStatus: crm.GiftCardActive, Currency: currency, InitialMinor: minor, CustomerID: customer, OrderRef: g.giftOrder(),
		ExpiresAt: expires, CreatedAt: at,
	}
	card.SetCode(code)
	g.cards = append(g.cards, card)
	g.move(card, crm.GiftCardEntryIssue, minor, at).OrderRef = card.OrderRef
	return card
}

// redeem pays with a gift card.
func (g *generator) redeem(card *crm.GiftCard, minor int64, at time.Time) {
	card.LastOrderRef = g.giftOrder()
	g.move(card, crm.GiftCardEntryRedeem, -minor, at).OrderRef = card.LastOrderRef
	if card.BalanceMinor == 0 {
		card.StoredStatus = crm.GiftCardDepleted
	}
}

// void makes a gift card worthless.
func (g *generator) void(card *crm.GiftCard, at time.Time, reason string) {
	card.StoredStatus = crm.GiftCardVoid
	g.move(card, crm.GiftCardEntryVoid, -card.BalanceMinor, at).Reason = &reason
}

// move adds an entry to a card's ledger.
func (g *generator) move(card *crm.GiftCard, kind crm.GiftCardTransactionType, minor int64, at time.Time) *crm.GiftCardTransaction {
	card.BalanceMinor += minor
	touch(card, at)
	entry := &crm.GiftCardTransaction{
		Row: g.row(), GiftCardID: card.ID, Sequence: card.Revision, Type: kind, Currency: card.Currency, AmountMinor: minor,
		BalanceAfterMinor: card.BalanceMinor, Actor: cashier, SourceRefs: []*crm.SourceRef{}, CreatedAt: at,
	}
	g.cardEntries = append(g.cardEntries, entry)
	return entry
}

// touch counts a change of a card.
func touch(card *crm.GiftCard, at time.Time) {
	card.Revision++
	card.UpdatedAt = at
}

// giftOrder makes the reference of an order.
func (g *generator) giftOrder() *string {
	order := fmt.Sprintf("SO-%07d", g.ids.IntN(10_000_000))
	return &order
}
