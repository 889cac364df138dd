package crm_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"crmgraph/crm"
)

// money draws an amount of cents that has something to do with others.
func (s *stage) money(label string) (crm.MoneyInput, int64) {
	cents := rapid.OneOf(rapid.Int64Range(1, 120), rapid.SampledFrom([]int64{10, 20, 50, 100})).Draw(s.T, label)
	in := inCents(cents)
	if oneIn(s.T, 10, "in dollars") {
		in.Currency = "USD"
	}
	return in, cents
}

// one makes an index below n.
func (s *stage) one(n int, label string) int { return rapid.IntRange(0, n-1).Draw(s.T, label) }

// debtor is the model of an account: G3N 3.7 in as few words as possible.
type debtor struct {
	currency string // "" while it has none
	limit    int64  // -1 for none
	used     int64
	hold     bool
	merged   bool
	revision int64
	entries  int
}

func (d *debtor) String() string {
	return fmt.Sprintf("used %d of %d %s, held %t, %d entries", d.used, d.limit, d.currency, d.hold, d.entries)
}

func (d *debtor) enter() {
	d.entries++
	d.revision++
}

func (d *debtor) consume(cents int64, currency string, stale bool) string {
	switch {
	case d.merged:
		return "PARTY_MERGED"
	case stale:
		return "STALE"
	case d.hold:
		return "CREDIT_HOLD"
	case d.currency != "" && d.currency != currency:
		return "CURRENCY_MISMATCH"
	case d.used+cents > max(d.limit, 0):
		return "CREDIT_LIMIT_EXCEEDED"
	}
	d.used += cents
	d.enter()
	return fmt.Sprintf("CONSUME %+d: %s", cents, d)
}

func (d *debtor) release(cents int64, currency string) string {
	switch {
	case d.merged:
		return "PARTY_MERGED"
	case d.currency != "" && d.currency != currency:
		return "CURRENCY_MISMATCH"
	}
	cents = min(cents, d.used)
	d.used -= cents
	d.enter()
	return fmt.Sprintf("RELEASE %+d: %s", -cents, d)
}

func (d *debtor) setLimit(cents int64, currency string) string {
	switch {
	case d.merged:
		return "PARTY_MERGED"
	case cents >= 0 && d.used > 0 && d.currency != currency:
		return "CURRENCY_MISMATCH"
	case cents == d.limit && (cents < 0 || currency == d.currency):
		d.revision++ // a change that changes nothing
		return d.String()
	}
	d.limit = cents
	if cents >= 0 {
		d.currency = currency
	}
	d.enter()
	return d.String()
}

func (d *debtor) setHold(hold bool) string {
	if d.merged {
		return "PARTY_MERGED"
	}
	d.hold = hold
	d.revision++
	return d.String()
}

// absorb takes over what another one owes.
func (d *debtor) absorb(o *debtor) string {
	if d.merged || o.merged {
		return "PARTY_MERGED"
	}
	if o.used > 0 {
		if d.limit < 0 && d.used == 0 {
			d.currency = o.currency
		}
		if d.currency != o.currency {
			return "CURRENCY_MISMATCH"
		}
		d.used, o.used = d.used+o.used, 0
		d.entries++
		o.entries++
	}
	o.merged = true
	d.revision++
	o.revision++
	return "merged"
}

// creditStage is a stage with organisations, and what the model believes of them.
type creditStage struct {
	*stage

	ids     []string
	debtors []*debtor
}

func (s *creditStage) whose() (*debtor, string, string) {
	i := s.one(len(s.ids), "account")
	return s.debtors[i], s.ids[i], string(rune('A' + i))
}

// told describes an account as the model does, with as many entries as there are.
func (s *creditStage) told(a *crm.Account) string {
	d := debtor{limit: -1, used: a.CreditUsedMinor, hold: a.CreditHold}
	if a.Currency != nil {
		d.currency = *a.Currency
	}
	if a.CreditLimitMinor != nil {
		d.limit = *a.CreditLimitMinor
	}
	require.NoError(s.T, s.w.sql.QueryRow(s.Context(), "SELECT count(*) FROM credit_transaction WHERE tenant_id = $1 AND account_id = $2", a.TenantID, a.ID).Scan(&d.entries))
	return d.String()
}

func (s *creditStage) moved(done *crm.CreditMovement, err error) (string, string, error) {
	if err != nil {
		return "", "", err
	}
	return fmt.Sprintf("%s %+d: %s", done.Transaction.Type, done.Transaction.AmountMinor, s.told(done.Account)), done.Transaction.NodeID(), nil
}

func (s *creditStage) consume(*rapid.T) {
	d, id, name := s.whose()
	amount, cents := s.money("amount")
	var seen *int64
	if oneIn(s.T, 3, "revision") {
		seen = new(d.revision - int64(s.one(2, "old")))
	}
	want := d.consume(cents, amount.Currency, seen != nil && *seen != d.revision)
	what := fmt.Sprintf("%s buys for %d %s", name, cents, amount.Currency)
	said, _ := s.perform(what, func(ctx context.Context, w crm.Write) (string, string, error) {
		w.IfRevision = seen
		return s.moved(s.store.ConsumeCredit(ctx, id, crm.CreditMove{Amount: amount}, w))
	})
	s.same(what, want, said)
}

func (s *creditStage) release(*rapid.T) {
	d, id, name := s.whose()
	amount, cents := s.money("amount")
	want := d.release(cents, amount.Currency)
	what := fmt.Sprintf("%s pays %d %s", name, cents, amount.Currency)
	said, _ := s.perform(what, func(ctx context.Context, w crm.Write) (string, string, error) {
		return s.moved(s.store.ReleaseCredit(ctx, id, crm.CreditMove{Amount: amount}, w))
	})
	s.same(what, want, said)
}

func (s *creditStage) update(*rapid.T) {
	d, id, name := s.whose()
	var in crm.CreditUpdate
	var want, what string
	if oneIn(s.T, 3, "hold") {
		hold := rapid.Bool().Draw(s.T, "held")
		in.Hold = graphql.OmittableOf(&hold)
		want, what = d.setHold(hold), fmt.Sprintf("%s is held %t", name, hold)
	} else {
		amount, cents := s.money("limit")
		in.Limit = graphql.OmittableOf(&amount)
		if oneIn(s.T, 8, "none") {
			in.Limit, cents = graphql.OmittableOf[*crm.MoneyInput](nil), -1
		}
		want, what = d.setLimit(cents, amount.Currency), fmt.Sprintf("%s may owe %d %s", name, cents, amount.Currency)
	}
	said, _ := s.perform(what, func(ctx context.Context, w crm.Write) (string, string, error) {
		a, err := s.store.UpdateCredit(ctx, id, in, w)
		if err != nil {
			return "", "", err
		}
		return s.told(a), "", nil
	})
	s.same(what, want, said)
}

func (s *creditStage) merge(*rapid.T) {
	into, from := s.one(len(s.ids), "into"), s.one(len(s.ids), "from")
	if into == from || !oneIn(s.T, 15, "really") {
		s.Skip("no merge")
	}
	party := func(i int) string { return "pty_" + strings.TrimPrefix(s.ids[i], "acc_") }
	want := s.debtors[into].absorb(s.debtors[from])
	what := fmt.Sprintf("%c is merged into %c", 'A'+from, 'A'+into)
	said, _ := s.perform(what, func(ctx context.Context, w crm.Write) (string, string, error) {
		_, err := s.store.MergeParties(ctx, party(into), crm.MergeInput{LoserIDs: []string{party(from)}, Justification: "the same one twice"}, w)
		return "merged", "", err
	})
	s.same(what, want, said)
}

func (s *creditStage) check(*rapid.T) {
	for i, id := range s.ids {
		node, err := s.store.NodeByID(s.request(), id)
		require.NoError(s.T, err)
		s.same("the account of "+string(rune('A'+i)), fmt.Sprintf("%s, revision %d", s.debtors[i], s.debtors[i].revision),
			fmt.Sprintf("%s, revision %d", s.told(node.(*crm.Account)), node.(*crm.Account).Revision))
	}
}

// As TestModel_Points, for what organisations owe.
func TestModel_Credit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := &creditStage{stage: stageOf(rt, w)}
		for i := range 3 {
			made, err := s.store.CreateOrganization(s.request(), crm.OrganizationCreate{
				LegalName: fmt.Sprintf("Debtor %d", i), DuplicateOverride: &crm.DuplicateOverride{Justification: "for a test"},
			}, crm.Write{})
			require.NoError(rt, err)
			s.ids = append(s.ids, "acc_"+strings.TrimPrefix(made.Party.NodeID(), "pty_"))
			s.debtors = append(s.debtors, &debtor{limit: -1, revision: 1})
		}
		rt.Repeat(map[string]func(*rapid.T){
			"": s.check, "consume": s.consume, "consume more": s.consume, "release": s.release, "update": s.update, "merge": s.merge,
		})
		s.verified()
	})
}

// voucher is the model of a gift card: G3N 3.9 in as few words as possible.
type voucher struct {
	id, code          string
	currency          string
	balance, revision int64
	status            crm.GiftCardStatus // as it is stored
	until             *time.Time
}

func (v *voucher) String() string {
	return fmt.Sprintf("%d %s, %s, revision %d", v.balance, v.currency, v.status, v.revision)
}

func (v *voucher) over(now time.Time) bool {
	return v.status == crm.GiftCardActive && v.until != nil && !v.until.After(now)
}

func (v *voucher) pay(cents int64, currency string, now time.Time) string {
	switch {
	case v.over(now):
		v.status = crm.GiftCardExpired // and so it stays
		v.revision++
		return "INVALID_STATE"
	case v.status != crm.GiftCardActive:
		return "INVALID_STATE"
	case v.currency != currency:
		return "CURRENCY_MISMATCH"
	case v.balance < cents:
		return "INSUFFICIENT_BALANCE"
	}
	v.balance -= cents
	v.revision++
	if v.balance == 0 {
		v.status = crm.GiftCardDepleted
	}
	return fmt.Sprintf("REDEEM %+d: %s", -cents, v)
}

func (v *voucher) void() string {
	if v.status != crm.GiftCardActive && v.status != crm.GiftCardExpired {
		return "INVALID_STATE"
	}
	left := v.balance
	v.balance, v.status = 0, crm.GiftCardVoid
	v.revision++
	return fmt.Sprintf("VOID %+d: %s", -left, v)
}

// cardStage is a stage with gift cards.
type cardStage struct {
	*stage

	cards []*voucher
}

func told(g *crm.GiftCard) string {
	return (&voucher{currency: g.Currency, balance: g.BalanceMinor, revision: g.Revision, status: g.StoredStatus}).String()
}

func (s *cardStage) issue(*rapid.T) {
	amount, cents := s.money("amount")
	cents *= 4
	amount.Amount = inCents(cents).Amount
	in := crm.GiftCardIssue{Amount: amount, Code: new(fmt.Sprintf("GIFT-%d", s.one(20, "code")))}
	if oneIn(s.T, 4, "another spelling") {
		in.Code = new("gift" + strings.TrimPrefix(*in.Code, "GIFT-"))
	}
	v := &voucher{code: strings.ToUpper(strings.ReplaceAll(*in.Code, "-", "")), currency: amount.Currency, balance: cents, revision: 1, status: crm.GiftCardActive}
	if good := rapid.SampledFrom([]time.Duration{0, 0, time.Hour, ofDays(1), ofDays(5)}).Draw(s.T, "good for"); good > 0 {
		v.until = new(s.now.Add(good))
		in.ExpiresAt = v.until
	}
	want := v.String()
	for _, other := range s.cards {
		if other.code == v.code {
			want = "CODE_IN_USE"
		}
	}
	what := fmt.Sprintf("%s is issued for %d %s", *in.Code, cents, amount.Currency)
	said, _ := s.perform(what, func(ctx context.Context, w crm.Write) (string, string, error) {
		done, err := s.store.IssueGiftCard(ctx, in, w)
		if err != nil {
			return "", "", err
		}
		v.id = done.Card.NodeID()
		return told(done.Card), v.id, nil
	})
	s.same(what, want, said)
	if want != "CODE_IN_USE" {
		s.cards = append(s.cards, v)
	}
}

// any draws a card.
func (s *cardStage) any() *voucher {
	if len(s.cards) == 0 {
		s.Skip("there is no card yet")
	}
	return s.cards[s.one(len(s.cards), "card")]
}

func (s *cardStage) entered(done *crm.GiftCardMovement, err error) (string, string, error) {
	if err != nil {
		return "", "", err
	}
	return fmt.Sprintf("%s %+d: %s", done.Transaction.Type, done.Transaction.AmountMinor, told(done.Card)), done.Transaction.NodeID(), nil
}

func (s *cardStage) pay(*rapid.T) {
	v := s.any()
	amount, cents := s.money("amount")
	if oneIn(s.T, 8, "all of it") && v.balance > 0 {
		amount, cents = inCents(v.balance), v.balance
	}
	code := rapid.SampledFrom([]string{v.code, strings.ToLower(v.code), v.code[:2] + " " + v.code[2:], v.code[:3] + "-" + v.code[3:]}).Draw(s.T, "spelling")
	want := v.pay(cents, amount.Currency, *s.now)
	what := fmt.Sprintf("%s pays %d %s", code, cents, amount.Currency)
	said, _ := s.perform(what, func(ctx context.Context, w crm.Write) (string, string, error) {
		return s.entered(s.store.RedeemGiftCard(ctx, crm.GiftCardRedemption{Code: code, OrderRef: "o", Amount: amount}, w))
	})
	s.same(what, want, said)
}

func (s *cardStage) void(*rapid.T) {
	v := s.any()
	if !oneIn(s.T, 8, "really") {
		s.Skip("it stays")
	}
	want := v.void()
	what := v.code + " is made void"
	said, _ := s.perform(what, func(ctx context.Context, w crm.Write) (string, string, error) {
		return s.entered(s.store.VoidGiftCard(ctx, v.id, w))
	})
	s.same(what, want, said)
}

func (s *cardStage) wait(*rapid.T) {
	s.pass(rapid.SampledFrom([]time.Duration{time.Hour, ofDays(1) - time.Hour, ofDays(2)}).Draw(s.T, "time"))
}

func (s *cardStage) check(*rapid.T) {
	for _, v := range s.cards {
		card, err := s.store.GiftCard(s.request(), crm.GiftCardBy{ID: &v.id})
		require.NoError(s.T, err)
		s.same(v.code, v.String(), told(card))
		status, err := card.Status(s.request())
		require.NoError(s.T, err)
		if shown := v.status; v.over(*s.now) {
			s.same(v.code+" as it is shown", crm.GiftCardExpired, status)
		} else {
			s.same(v.code+" as it is shown", shown, status)
		}
	}
}

// As TestModel_Points, for gift cards.
func TestModel_GiftCards(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := &cardStage{stage: stageOf(rt, w)}
		rt.Repeat(map[string]func(*rapid.T){
			"": s.check, "issue": s.issue, "pay": s.pay, "pay more": s.pay, "void": s.void, "wait": s.wait,
		})
		s.verified()
	})
}
