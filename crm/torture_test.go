package crm_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/internal/crmtest"
)

var (
	tortureOperations = flag.Int("torture.operations", 2000, "operations of the torture test")
	tortureSeed       = flag.Uint64("torture.seed", 0, "what the torture test's dice begin with; 0 is another one each time")
)

const (
	tortureClients     = 64
	tortureConnections = 24
	tortureTries       = 500 // of one operation until its outcome is known
)

// deed is one thing that a client wants done once. It has an idempotency key, and a reason that
// its entry can be told by.
type deed struct {
	n    int
	kind string
	// act does it, or with another input when changed. It returns the id of the entry, if there is one.
	act func(ctx context.Context, w crm.Write, changed bool) (entry string, err error)
	// done, if there is one, takes note of the entry.
	done func(entry string)

	mu      sync.Mutex
	outcome string // "" until it is known
}

// write is how all tries of the deed are sent.
func (d *deed) write() crm.Write {
	name := fmt.Sprintf("deed %d", d.n)
	return crm.Write{IdempotencyKey: &name, Audit: &crm.Audit{Reason: &name}}
}

// torture is one run of the test.
type torture struct {
	w      *world
	store  *crm.Store
	tenant *crm.Principal
	seed   uint64

	customers, accounts []string
	earned, redeemed    []*memory // by customer
	cards               []*atomic.Pointer[string]

	retries, aborts, unknown, bursts, replays, conflicts, kills atomic.Int64
	refused                                                     sync.Map // reason → *atomic.Int64
	outcomes                                                    []string // by deed: the entry, "" for none, or "!" and the reason

	mu        sync.Mutex
	surprises []string
}

// memory holds the last entries of a kind.
type memory struct {
	mu   sync.Mutex
	last []booked
}

type booked struct{ id, order string }

func (m *memory) add(b booked) {
	const most = 30
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = append(m.last, b)
	if len(m.last) > most {
		m.last = m.last[1:]
	}
}

func (m *memory) any(dice *rand.Rand) (booked, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.last) == 0 {
		return booked{}, false
	}
	return m.last[dice.IntN(len(m.last))], true
}

func (o *torture) surprise(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.surprises = append(o.surprises, fmt.Sprintf(format, args...))
}

// deed draws the n-th.
func (o *torture) deed(n int) (*deed, *rand.Rand) {
	dice := rand.New(rand.NewPCG(o.seed, uint64(n)))
	i := dice.IntN(len(o.customers))
	if dice.IntN(2) == 0 { // the first are hotter
		i %= 3
	}
	d := &deed{n: n}
	order := fmt.Sprintf("order %d", n)
	switch roll := dice.IntN(100); {
	case roll < 20:
		o.earn(d, i, order, dice)
	case roll < 40:
		o.redeem(d, i, order, dice)
	case roll < 46:
		points := dice.Int64N(120) - 70
		if points == 0 {
			points = 1
		}
		d.kind = "adjust"
		d.act = func(ctx context.Context, w crm.Write, changed bool) (string, error) {
			in := crm.LoyaltyAdjustment{CustomerID: o.customers[i], Points: points, OrderRef: &order}
			if changed {
				in.Points += 1000
			}
			return entryOf(o.store.AdjustPoints(ctx, in, w))
		}
	case roll < 53:
		d.kind = "reverse"
		o.answer(d, i, o.earned[i], dice, o.store.ReversePoints)
	case roll < 60:
		d.kind = "restore"
		o.answer(d, i, o.redeemed[i], dice, o.store.RestorePoints)
	case roll < 64:
		o.expire(d, i)
	case roll < 82:
		o.credit(d, i, order, dice)
	default:
		o.card(d, order, dice)
	}
	return d, dice
}

func entryOf(done *crm.LoyaltyMovement, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return done.Transaction.NodeID(), nil
}

// earn lets a customer buy. Some points are about to expire, and some about to be spendable.
func (o *torture) earn(d *deed, i int, order string, dice *rand.Rand) {
	in := crm.LoyaltyEarning{CustomerID: o.customers[i], OrderRef: order, Amount: inCents(dice.Int64N(12_000) + 1)}
	soon := time.Duration(dice.IntN(3000)) * time.Millisecond
	switch dice.IntN(6) {
	case 0:
		in.OccurredAt = new(o.store.Now().AddDate(0, 0, -365).Add(soon))
	case 1:
		in.Channel, in.OccurredAt = new("webshop"), new(o.store.Now().AddDate(0, 0, -60).Add(soon))
	}
	d.kind = "earn"
	d.act = func(ctx context.Context, w crm.Write, changed bool) (string, error) {
		in := in
		if changed {
			in.OrderRef += " changed"
		}
		return entryOf(o.store.EarnPoints(ctx, in, w))
	}
	d.done = func(entry string) { o.earned[i].add(booked{entry, order}) }
}

func (o *torture) redeem(d *deed, i int, order string, dice *rand.Rand) {
	in := crm.LoyaltyRedemption{CustomerID: o.customers[i], OrderRef: order, Points: 45 + dice.Int64N(100)}
	d.kind = "redeem"
	d.act = func(ctx context.Context, w crm.Write, changed bool) (string, error) {
		in := in
		if changed {
			in.Points++
		}
		return entryOf(o.store.RedeemPoints(ctx, in, w))
	}
	d.done = func(entry string) { o.redeemed[i].add(booked{entry, order}) }
}

// answer takes an entry back, whole or in part.
func (o *torture) answer(d *deed, i int, of *memory, dice *rand.Rand, act func(context.Context, crm.LoyaltyCorrection, crm.Write) (*crm.LoyaltyMovement, error)) {
	target, some := of.any(dice)
	if !some {
		o.earn(d, i, fmt.Sprintf("order %d", d.n), dice)
		return
	}
	in := crm.LoyaltyCorrection{CustomerID: o.customers[i]}
	if dice.IntN(2) == 0 {
		in.TransactionID = &target.id
	} else {
		in.OrderRef = &target.order
	}
	if dice.IntN(2) == 0 {
		in.Points = new(1 + dice.Int64N(40))
	}
	d.act = func(ctx context.Context, w crm.Write, changed bool) (string, error) {
		in := in
		if changed {
			in.Points = new(int64(7777))
		}
		return entryOf(act(ctx, in, w))
	}
}

func (o *torture) expire(d *deed, i int) {
	d.kind = "expire"
	d.act = func(ctx context.Context, w crm.Write, changed bool) (string, error) {
		var asOf *time.Time
		if changed {
			asOf = new(crmtest.Today())
		}
		done, err := o.store.ExpirePoints(ctx, o.customers[i], asOf, w)
		if err != nil || done.Transaction == nil {
			return "", err
		}
		return done.Transaction.NodeID(), nil
	}
}

// credit lets an account buy on credit or pay.
func (o *torture) credit(d *deed, i int, order string, dice *rand.Rand) {
	account := o.accounts[i%len(o.accounts)]
	cents := dice.Int64N(30_000) + 1
	d.kind = "consume"
	act := o.store.ConsumeCredit
	if dice.IntN(5) < 2 {
		d.kind, act = "release", o.store.ReleaseCredit
	}
	d.act = func(ctx context.Context, w crm.Write, changed bool) (string, error) {
		in := crm.CreditMove{Amount: inCents(cents), OrderRef: &order}
		if changed {
			in.Amount = inCents(cents + 1)
		}
		done, err := act(ctx, account, in, w)
		if err != nil {
			return "", err
		}
		return done.Transaction.NodeID(), nil
	}
}

// card issues a gift card in the place of another one, or pays with one.
func (o *torture) card(d *deed, order string, dice *rand.Rand) {
	slot := o.cards[dice.IntN(len(o.cards))]
	code := slot.Load()
	if code == nil || dice.IntN(12) == 0 {
		issued := fmt.Sprintf("TORTURE-%d", d.n)
		in := crm.GiftCardIssue{Amount: inCents(1_000 * (5 + dice.Int64N(10))), Code: &issued, OrderRef: &order}
		if dice.IntN(4) == 0 { // but not before all tries are through
			in.ExpiresAt = new(o.store.Now().Add(10 * time.Second))
		}
		d.kind = "issue"
		d.act = func(ctx context.Context, w crm.Write, changed bool) (string, error) {
			in := in
			if changed {
				in.OrderRef = new(order + " changed")
			}
			done, err := o.store.IssueGiftCard(ctx, in, w)
			if err != nil {
				return "", err
			}
			return done.Card.NodeID(), nil
		}
		d.done = func(string) { slot.Store(&issued) }
		return
	}
	cents := 1_000 * (1 + dice.Int64N(4))
	d.kind = "pay"
	d.act = func(ctx context.Context, w crm.Write, changed bool) (string, error) {
		in := crm.GiftCardRedemption{Code: *code, OrderRef: order, Amount: inCents(cents)}
		if changed {
			in.Amount = inCents(cents + 1)
		}
		done, err := o.store.RedeemGiftCard(ctx, in, w)
		if err != nil {
			return "", err
		}
		return done.Transaction.NodeID(), nil
	}
}

// request begins a request of its own.
func (o *torture) request(ctx context.Context) context.Context {
	return o.store.Begin(crm.WithPrincipal(ctx, o.tenant))
}

// try sends the deed once. What becomes known is compared with what was known before.
func (o *torture) try(ctx context.Context, d *deed) (known bool) {
	entry, err := d.act(o.request(ctx), d.write(), false)
	outcome := "done " + entry
	switch {
	case err == nil:
	case crm.CodeOf(err) == crm.Conflict:
		outcome = "!" + why(err)
	case ctx.Err() != nil:
		return false
	case crm.CodeOf(err) == crm.Unavailable:
		o.retries.Add(1)
		return false
	default:
		o.surprise("deed %d, %s: %v: %v", d.n, d.kind, err, errors.Unwrap(err))
		outcome = "!" + why(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.outcome == "":
		d.outcome = outcome
		if err == nil && d.done != nil {
			d.done(entry)
		}
	case d.outcome != outcome:
		o.surprise("deed %d, %s: it was %q, and sent again %q", d.n, d.kind, d.outcome, outcome)
	}
	return true
}

// perform sends a deed until its outcome is known, in one of the ways in which clients do.
func (o *torture) perform(ctx context.Context, d *deed, dice *rand.Rand) {
	switch dice.IntN(10) {
	case 0: // given up at a random moment, perhaps more than once
		for range 1 + dice.IntN(2) {
			o.aborts.Add(1)
			impatient, cancel := context.WithCancel(ctx)
			timer := time.AfterFunc(time.Duration(dice.IntN(150_000))*time.Microsecond, cancel)
			if !o.try(impatient, d) {
				o.unknown.Add(1)
			}
			timer.Stop()
			cancel()
		}
	case 1: // sent several times at once
		o.bursts.Add(1)
		var all sync.WaitGroup
		for range 2 + dice.IntN(4) {
			all.Go(func() { o.try(ctx, d) })
		}
		all.Wait()
	}
	d.mu.Lock()
	known := d.outcome != ""
	d.mu.Unlock()
	for n := 0; !known; n++ {
		if n == tortureTries {
			o.surprise("deed %d, %s: its outcome stays unknown", d.n, d.kind)
			return
		}
		if known = o.try(ctx, d); !known {
			time.Sleep(time.Duration(1+dice.IntN(20)) * time.Millisecond)
		}
	}
}

// mistake sends the deed's key with another input, which must be told.
func (o *torture) mistake(ctx context.Context, d *deed) {
	for range tortureTries {
		_, err := d.act(o.request(ctx), d.write(), true)
		if crm.CodeOf(err) == crm.Unavailable {
			o.retries.Add(1)
			continue
		}
		o.conflicts.Add(1)
		if !slices.Contains(reasons(err), crm.IdempotencyMismatch) {
			o.surprise("deed %d, %s: another input with its key: %v", d.n, d.kind, err)
		}
		return
	}
}

// client performs deeds until there are no more, and now and then one of its earlier ones again.
func (o *torture) client(ctx context.Context, next *atomic.Int64, tell func()) {
	var earlier []*deed
	for {
		n := int(next.Add(1)) - 1
		if n >= len(o.outcomes) {
			break
		}
		d, dice := o.deed(n)
		o.perform(ctx, d, dice)
		o.outcomes[n] = d.outcome
		if reason, refused := strings.CutPrefix(d.outcome, "!"); refused {
			count, _ := o.refused.LoadOrStore(d.kind+" "+reason, &atomic.Int64{})
			count.(*atomic.Int64).Add(1)
		}
		switch dice.IntN(20) {
		case 0:
			o.mistake(ctx, d)
		case 1, 2:
			earlier = append(earlier, d)
		}
		if len(earlier) > 0 && dice.IntN(10) == 0 {
			at := dice.IntN(len(earlier))
			o.replays.Add(1)
			o.try(ctx, earlier[at])
			earlier = slices.Delete(earlier, at, at+1)
		}
		tell()
	}
	for _, d := range earlier {
		o.replays.Add(1)
		o.try(ctx, d)
	}
}

// killer cuts one of the program's connections now and then until ctx ends.
func (o *torture) killer(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(20+rand.IntN(200)) * time.Millisecond):
		}
		done, err := o.w.sql.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'crmgraph' ORDER BY random() LIMIT 1`)
		if err == nil {
			o.kills.Add(done.RowsAffected())
		}
	}
}

// torture sets up hot customers, accounts and gift cards.
func newTorture(t *testing.T, operations int) *torture {
	t.Helper()
	w := newWorld(t)
	d, err := db.Open(t.Context(), w.url, tortureConnections)
	require.NoError(t, err)
	t.Cleanup(d.Close)
	began := time.Now()
	o := &torture{
		w: w, seed: *tortureSeed, outcomes: make([]string, operations),
		store: &crm.Store{DB: d, CursorKey: w.store.CursorKey, Now: func() time.Time { return crmtest.Today().Add(time.Since(began)) }},
	}
	if o.seed == 0 {
		o.seed = rand.Uint64()
	}
	permissions, _ := crm.RolePermissions("admin")
	tenant, err := o.store.TenantByCode(t.Context(), "demo")
	require.NoError(t, err)
	o.tenant = &crm.Principal{TenantID: tenant, Tenant: "demo", Subject: "torture", Permissions: crm.NewPermissions(permissions...)}
	for i := range 20 {
		o.customers = append(o.customers, w.person(t, fmt.Sprintf("Hot %d", i)).NodeID())
		o.earned, o.redeemed = append(o.earned, &memory{}), append(o.redeemed, &memory{})
		o.cards = append(o.cards, &atomic.Pointer[string]{})
	}
	for i := range 10 {
		account := crm.Accounts.GlobalID(w.firm(t, fmt.Sprintf("Hot %d AG", i)).ID)
		_, err := w.store.UpdateCredit(w.admin(t), account, crm.CreditUpdate{Limit: graphql.OmittableOf(&crm.MoneyInput{Amount: "1000", Currency: "EUR"})}, crm.Write{})
		require.NoError(t, err)
		o.accounts = append(o.accounts, account)
	}
	return o
}

// booked reads the entries of all deeds, and events their events.
func (o *torture) booked(t *testing.T) [][]string {
	t.Helper()
	return o.byDeed(t, `SELECT reason, 'ltx_' || id FROM loyalty_transaction WHERE reason LIKE 'deed %'
		UNION ALL SELECT reason, 'ctx_' || id FROM credit_transaction WHERE reason LIKE 'deed %'
		UNION ALL SELECT reason, CASE type WHEN 'ISSUE' THEN 'gft_' || gift_card_id ELSE 'gtx_' || id END FROM gift_card_transaction WHERE reason LIKE 'deed %'`)
}

func (o *torture) events(t *testing.T) [][]string {
	t.Helper()
	return o.byDeed(t, "SELECT reason, type FROM event WHERE reason LIKE 'deed %' AND type <> 'GIFT_CARD_EXPIRED'")
}

// byDeed reads rows of a deed's reason and a text.
func (o *torture) byDeed(t *testing.T, sql string) [][]string {
	t.Helper()
	texts := make([][]string, len(o.outcomes))
	rows, err := o.w.sql.Query(t.Context(), sql)
	require.NoError(t, err)
	var reason, text string
	_, err = pgx.ForEachRow(rows, []any{&reason, &text}, func() error {
		var n int
		_, err := fmt.Sscanf(reason, "deed %d", &n)
		texts[n] = append(texts[n], text)
		return err
	})
	require.NoError(t, err)
	return texts
}

// Operations on few hot balances of all ledgers, from many clients at once, some given up, some sent
// several times, some again later, over connections that are cut: each that was said to be done
// has exactly one entry, each that was refused none, and everything adds up.
func TestTorture(t *testing.T) {
	t.Parallel()
	o := newTorture(t, *tortureOperations)
	began := time.Now()
	var next, finished atomic.Int64
	killing, stop := context.WithCancel(t.Context())
	var killer, clients sync.WaitGroup
	killer.Go(func() { o.killer(killing) })
	tell := func() {
		if n := finished.Add(1); n%50_000 == 0 {
			t.Logf("%d operations, %s", n, time.Since(began).Round(time.Second))
		}
	}
	for range tortureClients {
		clients.Go(func() { o.client(t.Context(), &next, tell) })
	}
	clients.Wait()
	stop()
	killer.Wait()

	done, events := 0, o.events(t)
	for n, entries := range o.booked(t) {
		want := []string(nil)
		if entry, ok := strings.CutPrefix(o.outcomes[n], "done "); ok {
			done++
			if entry != "" { // something had expired
				want = []string{entry}
			}
		}
		if !slices.Equal(want, entries) || len(entries) != len(events[n]) {
			o.surprise("deed %d: %q has the entries %q and the events %q", n, o.outcomes[n], entries, events[n])
		}
	}
	require.Empty(t, o.surprises[:min(len(o.surprises), 20)], "%d surprises; seed %d", len(o.surprises), o.seed)
	require.Empty(t, o.w.drifts(t, "demo"), "seed %d", o.seed)
	require.Zero(t, askOne[int](t, o.w, "SELECT count(*)::int FROM idempotency_key WHERE outcome IS NULL"), "a key is kept with its outcome or not at all")
	refusals := map[string]int64{}
	o.refused.Range(func(reason, n any) bool {
		refusals[reason.(string)] = n.(*atomic.Int64).Load()
		return true
	})
	var lines strings.Builder
	for _, reason := range slices.Sorted(maps.Keys(refusals)) {
		fmt.Fprintf(&lines, "\n  refused: %s %d", reason, refusals[reason])
	}
	t.Logf("seed %d: %d operations in %s by %d clients; %d done, 0 lost, 0 doubled%s\n  given up %d (%d without an answer), bursts %d, replays %d, keys used twice %d, retries %d, connections cut %d",
		o.seed, len(o.outcomes), time.Since(began).Round(time.Millisecond), tortureClients, done, lines.String(),
		o.aborts.Load(), o.unknown.Load(), o.bursts.Load(), o.replays.Load(), o.conflicts.Load(), o.retries.Load(), o.kills.Load())
}
