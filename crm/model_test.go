package crm_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// A check is a run of random operations, of twice this many at most; -rapid.checks and
// -rapid.steps ask for others.
var _, _ = flag.Set("rapid.checks", "40"), flag.Set("rapid.steps", "60")

// stage is a tenant of its own for one run of random operations.
type stage struct {
	*rapid.T

	w      *world
	store  *crm.Store
	now    *time.Time // the store's clock
	tenant *crm.Principal
	step   int
}

// stageOf makes a tenant whose clock starts today.
func stageOf(t *rapid.T, w *world) *stage {
	permissions, _ := crm.RolePermissions("admin")
	now := crmtest.Today()
	s := &stage{T: t, w: w, now: &now, store: &crm.Store{DB: w.store.DB, CursorKey: w.store.CursorKey, Now: func() time.Time { return now }}}
	s.tenant = &crm.Principal{TenantID: uuid.New(), Subject: "model", Permissions: crm.NewPermissions(permissions...)}
	_, err := w.sql.Exec(s.Context(), "INSERT INTO tenant (id, code, name) VALUES ($1, $2, 'Model')", s.tenant.TenantID, "m-"+s.tenant.TenantID.String())
	require.NoError(t, err)
	return s
}

// request begins a new request.
func (s *stage) request() context.Context {
	return s.store.Begin(crm.WithPrincipal(s.Context(), s.tenant))
}

// same fails when an operation did something else than the model.
func (s *stage) same(what string, want, got any) {
	s.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		s.Fatalf("%s: the model (-) and the program (+) disagree:\n%s", what, diff)
	}
}

// why is the reason of an error, or its code when it has none.
func why(err error) string {
	list := []string{}
	for _, e := range problems(err) {
		reason := string(e.Reason)
		if reason == "" {
			reason = string(e.Code)
		}
		list = append(list, reason)
	}
	if len(list) == 0 {
		return fmt.Sprintf("%v", err)
	}
	return strings.Join(list, ", ")
}

// perform does an operation, now and then twice with one key, and tells what became of it. act
// returns what it did in words, and the id of the entry.
func (s *stage) perform(what string, act func(ctx context.Context, w crm.Write) (said, id string, err error)) (said, id string) {
	s.step++
	var w crm.Write
	times := rapid.SampledFrom([]int{1, 1, 2}).Draw(s.T, "times")
	if times > 1 {
		w = keyed(fmt.Sprintf("step %d", s.step))
	}
	for n := range times {
		again, same, err := act(s.request(), w)
		if err != nil {
			again, same = why(err), ""
		}
		if n > 0 {
			s.same(what+", sent again", said, again)
			if same != id {
				s.Fatalf("%s, sent again, answered with another entry", what)
			}
		}
		said, id = again, same
	}
	s.Logf("%s -> %s", what, said)
	return said, id
}

// verified fails when the tenant's ledgers do not add up.
func (s *stage) verified() {
	var wrong []string
	_, err := s.store.VerifyLedgers(s.Context(), s.tenant.TenantID, nil, func(d crm.LedgerDrift) { wrong = append(wrong, d.Ledger+": "+d.Figure) })
	require.NoError(s.T, err)
	require.Empty(s.T, wrong)
}

// pass lets the clock run on.
func (s *stage) pass(by time.Duration) {
	*s.now = s.now.Add(by)
	s.Logf("%s pass", by)
}

// pointsStage is a stage with customers, and what the model believes of them.
type pointsStage struct {
	*stage

	model     *model
	customers []string
}

// whose draws a customer.
func (s *pointsStage) whose() (pocket *pocket, id, name string) {
	i := rapid.IntRange(0, len(s.customers)-1).Draw(s.T, "customer")
	return s.model.pockets[i], s.customers[i], string(rune('A' + i))
}

func (s *pointsStage) order() string {
	return rapid.SampledFrom([]string{"one", "two"}).Draw(s.T, "order")
}

// channel draws a sales channel, nil for none.
func (s *pointsStage) channel() (*string, string) {
	c := rapid.SampledFrom([]string{"", "", "web", "shop"}).Draw(s.T, "channel")
	if c == "" {
		return nil, c
	}
	return &c, c
}

// post performs an operation on points and compares it with the model's verdict.
func (s *pointsStage) post(what string, p *pocket, v verdict, act func(context.Context, crm.Write) (*crm.LoyaltyMovement, error)) {
	want := s.model.tell(p, v)
	said, id := s.perform(what, func(ctx context.Context, w crm.Write) (string, string, error) {
		done, err := act(ctx, w)
		if err != nil {
			return "", "", err
		}
		x, a := done.Transaction, done.Account
		return fmt.Sprintf("%s %+d: %s", x.Type, x.Points, figures(a.Balance, a.AvailablePoints, a.PendingPoints, a.LifetimeEarned)), x.NodeID(), nil
	})
	s.same(what, want, said)
	if v.entry != nil {
		v.entry.id = id
	}
}

func (s *pointsStage) earn(*rapid.T) {
	p, customer, name := s.whose()
	channel, code := s.channel()
	cents := rapid.OneOf(rapid.Int64Range(1, 20_000), rapid.SampledFrom([]int64{1_000, 2_550, 9_999, 12_550})).Draw(s.T, "cents")
	ago := rapid.SampledFrom([]time.Duration{0, 0, time.Hour, ofDays(1), ofDays(6), ofDays(40)}).Draw(s.T, "ago")
	in := crm.LoyaltyEarning{CustomerID: customer, OrderRef: s.order(), Amount: inCents(cents), Channel: channel}
	at := *s.now
	if ago > 0 {
		at = at.Add(-ago)
		in.OccurredAt = &at
	}
	quote, refusal := s.store.PreviewPoints(s.request(), in.Amount, channel, in.OccurredAt)
	v := s.model.earn(p, in.OrderRef, cents, code, at)
	switch {
	case v.entry != nil:
		require.NoError(s.T, refusal)
		s.same("what it would earn", v.entry.points, quote.Points)
	case !p.merged && v.reason != string(crm.InvalidState):
		s.same("what it would earn", v.reason, why(refusal))
	}
	s.post(fmt.Sprintf("%s earns for %s of order %s by %q, %s ago", name, in.Amount.Amount, in.OrderRef, code, ago), p, v,
		func(ctx context.Context, w crm.Write) (*crm.LoyaltyMovement, error) {
			return s.store.EarnPoints(ctx, in, w)
		})
}

func (s *pointsStage) redeem(*rapid.T) {
	p, customer, name := s.whose()
	channel, code := s.channel()
	in := crm.LoyaltyRedemption{CustomerID: customer, OrderRef: s.order(), Points: rapid.Int64Range(1, 150).Draw(s.T, "points"), Channel: channel}
	s.post(fmt.Sprintf("%s redeems %d for order %s by %q", name, in.Points, in.OrderRef, code), p, s.model.redeem(p, in.OrderRef, in.Points, code),
		func(ctx context.Context, w crm.Write) (*crm.LoyaltyMovement, error) {
			done, err := s.store.RedeemPoints(ctx, in, w)
			if err == nil {
				value := ""
				if v := done.Transaction.RedeemValue(); v != nil {
					value = strconv.FormatInt(v.Minor, 10)
				}
				s.same("what they were worth", s.model.price(code, in.Points), value)
			}
			return done, err
		})
}

func (s *pointsStage) adjust(*rapid.T) {
	p, customer, name := s.whose()
	points := rapid.OneOf(rapid.Int64Range(-100, -1), rapid.Int64Range(1, 100), rapid.Int64Range(20, 100)).Draw(s.T, "points")
	if oneIn(s.T, 25, "to the brim") {
		points = most - max(p.balance(), p.lifetime) + rapid.Int64Range(0, 1).Draw(s.T, "beyond")
	}
	if points == 0 || points > most {
		s.Skip("there is no room")
	}
	s.post(fmt.Sprintf("%s is given %d", name, points), p, s.model.adjust(p, points), func(ctx context.Context, w crm.Write) (*crm.LoyaltyMovement, error) {
		return s.store.AdjustPoints(ctx, crm.LoyaltyAdjustment{CustomerID: customer, Points: points}, w)
	})
}

// correction draws which entries are answered: all of an order, or any one.
func (s *pointsStage) correction(kind crm.LoyaltyTransactionType) (in crm.LoyaltyCorrection, p *pocket, entries []*entry, order, what string) {
	p, customer, name := s.whose()
	in.CustomerID = customer
	points := rapid.SampledFrom([]int64{0, 0, 1, 7, 40, 90}).Draw(s.T, "points")
	what = name + " is answered "
	if points > 0 {
		in.Points = &points
		what += fmt.Sprintf("%d of ", points)
	}
	if rapid.Bool().Draw(s.T, "by order") {
		order = s.order()
		in.OrderRef = &order
		return in, p, p.ofOrder(kind, order), order, what + "order " + order
	}
	i := slices.Index(s.model.pockets, p)
	if oneIn(s.T, 8, "of somebody else") {
		i = len(s.model.pockets) - 1 - i
	}
	mixed := oneIn(s.T, 5, "of any kind")
	named := slices.DeleteFunc(slices.Clone(s.model.pockets[i].entries), func(e *entry) bool { return e.id == "" || e.kind != kind && !mixed })
	if len(named) == 0 {
		s.Skip("there is no entry yet")
	}
	at := rapid.IntRange(0, len(named)-1).Draw(s.T, "entry")
	e := named[at]
	in.TransactionID = &e.id
	if slices.Contains(p.all(), e) {
		entries = []*entry{e}
	}
	return in, p, entries, e.order, fmt.Sprintf("%s%s's entry %d, %s %+d", what, string(rune('A'+i)), at, e.kind, e.points)
}

func (s *pointsStage) reverse(*rapid.T) {
	in, p, entries, order, what := s.correction(crm.LoyaltyEarn)
	s.post("reversal: "+what, p, s.model.reverse(p, entries, order, valueOf(in.Points)),
		func(ctx context.Context, w crm.Write) (*crm.LoyaltyMovement, error) {
			return s.store.ReversePoints(ctx, in, w)
		})
}

func (s *pointsStage) restore(*rapid.T) {
	in, p, entries, order, what := s.correction(crm.LoyaltyRedeem)
	s.post("restoration: "+what, p, s.model.restore(p, entries, order, valueOf(in.Points)),
		func(ctx context.Context, w crm.Write) (*crm.LoyaltyMovement, error) {
			return s.store.RestorePoints(ctx, in, w)
		})
}

func valueOf(points *int64) int64 {
	if points == nil {
		return 0
	}
	return *points
}

func (s *pointsStage) expire(*rapid.T) {
	p, customer, name := s.whose()
	at := *s.now
	var asOf *time.Time
	if ago := rapid.SampledFrom([]time.Duration{0, 0, ofDays(3)}).Draw(s.T, "ago"); ago > 0 {
		at = at.Add(-ago)
		asOf = &at
	}
	points := s.model.expire(p, at)
	what := fmt.Sprintf("%s's points expire as of %s", name, at.Format(time.DateOnly))
	said, _ := s.perform(what, func(ctx context.Context, w crm.Write) (string, string, error) {
		done, err := s.store.ExpirePoints(ctx, customer, asOf, w)
		if err != nil {
			return "", "", err
		}
		if (done.Transaction != nil) != (points > 0) || (done.Account != nil) != p.joined {
			s.Fatalf("%s: an entry is there only for points, an account only for those who had any", what)
		}
		return strconv.FormatInt(done.ExpiredPoints, 10), "", nil
	})
	s.same(what, strconv.FormatInt(points, 10), said)
}

func (s *pointsStage) recalculate(*rapid.T) {
	_, customer, name := s.whose()
	said, _ := s.perform(name+"'s points are recomputed", func(ctx context.Context, w crm.Write) (string, string, error) {
		r, err := s.store.RecalculatePoints(ctx, customer, w)
		if err != nil {
			return "", "", err
		}
		return fmt.Sprintf("%s, corrected %t", figures(r.Drift.Balance, r.Drift.AvailablePoints, r.Drift.PendingPoints, r.Drift.LifetimeEarned), r.Drift.Corrected), "", nil
	})
	s.same("recomputing finds nothing", figures(0, 0, 0, 0)+", corrected false", said)
}

func (s *pointsStage) wait(*rapid.T) {
	s.pass(rapid.SampledFrom([]time.Duration{time.Hour, ofDays(1) - time.Hour, ofDays(1), ofDays(5), ofDays(30), ofDays(100)}).Draw(s.T, "time"))
	s.model.now = *s.now
}

// oneIn draws whether something rare happens.
func oneIn(t *rapid.T, n int, label string) bool {
	return rapid.SampledFrom(append(make([]bool, n-1), true)).Draw(t, label)
}

// maybe draws a value, or none.
func maybe[T any](t *rapid.T, g *rapid.Generator[T], label string) *T {
	return rapid.Ptr(g, true).Draw(t, label)
}

func (s *pointsStage) setPolicy(*rapid.T) {
	t := s.T
	channel, code := s.channel()
	r := &rulebook{
		version: fmt.Sprintf("v%d", len(s.model.rulebooks)), channel: code, rate: rapid.SampledFrom([]int64{100, 33, 50, 125, 300, 0}).Draw(t, "rate"),
		currency: rapid.SampledFrom([]*string{nil, nil, nil, new("EUR"), new("EUR"), new("USD")}).Draw(t, "currency"),
		rounding: rapid.SampledFrom([]crm.LoyaltyRounding{crm.RoundFloor, crm.RoundNearest, crm.RoundCeil}).Draw(t, "rounding"),
		pending:  rapid.SampledFrom([]int{0, 0, 1, 7}).Draw(t, "pending"), web: rapid.SampledFrom([]int64{0, 0, 150, 10}).Draw(t, "web"),
		expire: maybe(t, rapid.SampledFrom([]int{1, 5, 30}), "expire"),
		least:  maybe(t, rapid.Int64Range(1, 9), "least"), top: maybe(t, rapid.Int64Range(60, 120), "top"),
		value: maybe(t, rapid.Int64Range(0, 5), "value"), from: *s.now,
	}
	in := crm.LoyaltyPolicySet{
		Version: r.version, Channel: channel, Currency: r.currency, PointsPerUnit: hundredths(r.rate), Rounding: &r.rounding, PendingDays: &r.pending,
		RedeemMode: crm.RedeemPerPoint, MinPoints: r.least, MaxPointsPerOrder: r.top, ExpireAfterDays: r.expire,
	}
	if r.web > 0 {
		in.ChannelMultipliers = []*crm.ChannelMultiplier{{Channel: "web", Factor: hundredths(r.web)}}
	}
	if oneIn(t, 4, "in blocks") {
		in.RedeemMode, in.BlockSize = crm.RedeemInBlocks, new(rapid.Int64Range(2, 10).Draw(t, "block"))
		r.block = in.BlockSize
	}
	if r.value != nil {
		price := inCents(*r.value)
		if r.currency != nil {
			price.Currency = *r.currency
		}
		in.RedeemValue = &price
	}
	if off := rapid.SampledFrom([]time.Duration{0, -ofDays(60), -ofDays(60), -ofDays(2), ofDays(2)}).Draw(t, "from"); off != 0 {
		r.from = r.from.Add(off)
		in.EffectiveFrom = &r.from
	}
	if length := rapid.SampledFrom([]time.Duration{0, 0, 0, ofDays(10)}).Draw(t, "length"); length > 0 {
		r.until = new(r.from.Add(length))
		in.EffectiveTo = r.until
	}
	versions := int64(0)
	for _, other := range s.model.rulebooks {
		if other.channel == code {
			versions++
		}
	}
	w := crm.Write{}
	if versions > 0 {
		w = at(versions)
	}
	s.model.rulebooks = append(s.model.rulebooks, r)
	set, err := s.store.SetLoyaltyPolicy(s.request(), in, w)
	require.NoError(t, err)
	s.same("its place among the channel's", versions+1, set.Number)
	s.Logf("from now: %s", r)
}

// String describes the rules.
func (r *rulebook) String() string {
	text := fmt.Sprintf("%s for %q: %s a euro, %s, web times %d%%, pending %d days", r.version, r.channel, hundredths(r.rate), r.rounding, r.web, r.pending)
	for name, v := range map[string]any{"expire": r.expire, "least": r.least, "top": r.top, "block": r.block, "value": r.value, "currency": r.currency, "until": r.until} {
		switch v := v.(type) {
		case *int:
			if v != nil {
				text += fmt.Sprintf(", %s %d", name, *v)
			}
		case *int64:
			if v != nil {
				text += fmt.Sprintf(", %s %d", name, *v)
			}
		case *string:
			if v != nil {
				text += ", in " + *v
			}
		case *time.Time:
			if v != nil {
				text += ", until " + v.Format(time.DateOnly)
			}
		}
	}
	return text + " from " + r.from.Format(time.DateOnly)
}

func (s *pointsStage) merge(*rapid.T) {
	into := rapid.IntRange(0, len(s.customers)-1).Draw(s.T, "into")
	from := rapid.IntRange(0, len(s.customers)-1).Draw(s.T, "from")
	a, b := s.model.pockets[into], s.model.pockets[from]
	if into == from || a.merged || b.merged || a.full(max(b.balance(), b.lifetime)) || !oneIn(s.T, 6, "really") {
		s.Skip("no merge")
	}
	points := b.balance()
	s.model.merge(a, b)
	party := func(i int) string { return "pty_" + strings.TrimPrefix(s.customers[i], "cus_") }
	done, err := s.store.MergeParties(s.request(), party(into), crm.MergeInput{LoserIDs: []string{party(from)}, Justification: "the same one twice"}, crm.Write{})
	require.NoError(s.T, err)
	s.same("the points that moved", points, done.Merge.Moved.Points)
	s.Logf("%c is merged into %c", 'A'+from, 'A'+into)
}

// check compares every customer with the model.
func (s *pointsStage) check(*rapid.T) {
	for i, customer := range s.customers {
		p := s.model.pockets[i]
		account, err := s.store.LoyaltyAccount(s.request(), crm.LoyaltyAccountBy{Customer: &customer})
		if !p.joined {
			s.same("an account without entries", "NOT_FOUND", why(err))
			continue
		}
		require.NoError(s.T, err)
		s.same("the account of "+string(rune('A'+i)), s.model.state(p), figures(account.Balance, account.AvailablePoints, account.PendingPoints, account.LifetimeEarned))
		rows, err := s.w.sql.Query(s.Context(), "SELECT available_at, expires_at, points, remaining FROM loyalty_lot WHERE tenant_id = $1 AND account_id = $2 ORDER BY id",
			s.tenant.TenantID, account.ID)
		require.NoError(s.T, err)
		lots, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l lotLine, err error) {
			return l, row.Scan(&l.from, &l.until, &l.size, &l.left)
		})
		require.NoError(s.T, err)
		together := slices.ContainsFunc(p.lots, func(l *parcel) bool { return l.moved })
		s.same("the lots of "+string(rune('A'+i)), p.contents(), lotLines(lots, together))
	}
}

// Whatever is done to points in whatever order, the program and the model agree after each step.
// More checks: go test ./crm -run Model -rapid.checks=10000.
func TestModel_Points(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := &pointsStage{stage: stageOf(rt, w), model: &model{now: crmtest.Today()}}
		for i := range 2 {
			made, err := s.store.CreateCustomer(s.request(), crm.CustomerCreate{LastName: new(fmt.Sprintf("Customer %d", i))}, crm.Write{})
			require.NoError(rt, err)
			s.customers = append(s.customers, made.NodeID())
			s.model.pockets = append(s.model.pockets, &pocket{})
		}
		s.setPolicy(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"": s.check, "earn": s.earn, "earn more": s.earn, "redeem": s.redeem, "redeem more": s.redeem, "adjust": s.adjust, "reverse": s.reverse, "restore": s.restore, "expire": s.expire,
			"recalculate": s.recalculate, "wait": s.wait, "policy": s.setPolicy, "merge": s.merge,
		})
		s.verified()
	})
}
