package crm_test

import (
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// purse is a customer who earns two points a euro, in a world of its own.
type purse struct {
	*world
	id string
}

func newPurse(t *testing.T, change ...func(*crm.LoyaltyPolicySet)) *purse {
	t.Helper()
	w := newWorld(t)
	in := programme("two")
	in.EffectiveFrom = new(crmtest.Today().AddDate(-2, 0, 0))
	for _, c := range change {
		c(&in)
	}
	w.policy(t, in)
	return &purse{w, w.person(t, "Purse").NodeID()}
}

// earn books a purchase of whole euros.
func (p *purse) earn(t *testing.T, order string, euros int64, change ...func(*crm.LoyaltyEarning)) *crm.LoyaltyMovement {
	t.Helper()
	in := crm.LoyaltyEarning{CustomerID: p.id, OrderRef: order, Amount: crm.MoneyInput{Amount: strconv.FormatInt(euros, 10), Currency: "EUR"}}
	for _, c := range change {
		c(&in)
	}
	m, err := p.store.EarnPoints(p.admin(t), in, crm.Write{})
	require.NoError(t, err)
	return m
}

func (p *purse) redeem(t *testing.T, order string, points int64) (*crm.LoyaltyMovement, error) {
	t.Helper()
	return p.store.RedeemPoints(p.admin(t), crm.LoyaltyRedemption{CustomerID: p.id, OrderRef: order, Points: points}, crm.Write{})
}

// must is the movement of an operation that is not refused.
func must(t *testing.T) func(*crm.LoyaltyMovement, error) *crm.LoyaltyMovement {
	t.Helper()
	return func(m *crm.LoyaltyMovement, err error) *crm.LoyaltyMovement {
		t.Helper()
		require.NoError(t, err)
		return m
	}
}

func (p *purse) correction(change func(*crm.LoyaltyCorrection)) crm.LoyaltyCorrection {
	in := crm.LoyaltyCorrection{CustomerID: p.id}
	change(&in)
	return in
}

// balances are available, pending, lifetime and the sum of the ledger, as they are read now.
func (p *purse) balances(t *testing.T) []int64 {
	t.Helper()
	a, err := p.store.LoyaltyAccount(p.admin(t), crm.LoyaltyAccountBy{Customer: &p.id})
	require.NoError(t, err)
	return totals(a)
}

func totals(a *crm.LoyaltyAccount) []int64 {
	return []int64{a.AvailablePoints, a.PendingPoints, a.LifetimeEarned, a.Balance}
}

// told requires a movement to tell what is read afterwards.
func (p *purse) told(t *testing.T, m *crm.LoyaltyMovement, want ...int64) {
	t.Helper()
	require.Equal(t, want, totals(m.Account), "what the operation tells")
	require.Equal(t, want, p.balances(t), "what is read")
	require.Equal(t, want[3], m.Transaction.BalanceAfter)
	require.Equal(t, m.Account.Revision, m.Transaction.Sequence)
}

// remaining is what is left of the lots, the oldest first.
func (p *purse) remaining(t *testing.T) []int64 {
	t.Helper()
	return ask[int64](t, p.world, "SELECT remaining FROM loyalty_lot WHERE account_id = substr($1, 5)::uuid ORDER BY id", p.id)
}

func days(n int) func(*crm.LoyaltyPolicySet) {
	return func(in *crm.LoyaltyPolicySet) { in.ExpireAfterDays = &n }
}

func pending(n int) func(*crm.LoyaltyPolicySet) {
	return func(in *crm.LoyaltyPolicySet) { in.PendingDays = &n }
}

// G18 to G22 of the G3N examples.
func TestPointsStory(t *testing.T) {
	t.Parallel()
	p := newPurse(t, days(365), func(in *crm.LoyaltyPolicySet) {
		in.RedeemValue, in.MinPoints = &crm.MoneyInput{Amount: "0.01", Currency: "EUR"}, new(int64(100))
	})
	earned, err := p.store.EarnPoints(p.admin(t), crm.LoyaltyEarning{
		CustomerID: p.id, OrderRef: "SO-1", Amount: crm.MoneyInput{Amount: "125.50", Currency: "EUR"},
	}, crm.Write{Audit: &crm.Audit{Reason: new("sale")}})
	require.NoError(t, err)
	p.told(t, earned, 251, 0, 251, 251)
	require.Equal(t, "sale", *earned.Transaction.Reason)

	redeemed := must(t)(p.redeem(t, "SO-2", 200))
	p.told(t, redeemed, 51, 0, 251, 51)
	require.Equal(t, &crm.Money{Minor: 200, Currency: "EUR"}, redeemed.Transaction.RedeemValue())

	_, err = p.redeem(t, "SO-2", 100)
	require.Equal(t, "100 points requested, 51 available", refused(t, err, crm.Conflict, crm.InsufficientPoints, "input.points").Message)

	byOrder := func(order string) crm.LoyaltyCorrection {
		return p.correction(func(in *crm.LoyaltyCorrection) { in.OrderRef = &order })
	}
	p.told(t, must(t)(p.store.RestorePoints(p.admin(t), byOrder("SO-2"), crm.Write{})), 251, 0, 251, 251)
	_, err = p.store.RestorePoints(p.admin(t), byOrder("SO-2"), crm.Write{})
	refused(t, err, crm.Conflict, crm.RestoreExceeds, "input.orderRef")

	p.told(t, must(t)(p.store.ReversePoints(p.admin(t), byOrder("SO-1"), crm.Write{})), 0, 0, 0, 0)
	_, err = p.store.ReversePoints(p.admin(t), byOrder("SO-1"), crm.Write{})
	refused(t, err, crm.Conflict, crm.AlreadyReversed, "input.orderRef")
	require.Equal(t, []string{"LOYALTY_POINTS_EARNED", "LOYALTY_POINTS_REDEEMED", "LOYALTY_POINTS_RESTORED", "LOYALTY_POINTS_REVERSED"},
		ask[string](t, p.world, "SELECT type FROM event WHERE record_id = substr($1, 5)::uuid AND record_type = 'LoyaltyAccount' ORDER BY sequence", p.id))
}

func TestEarnPoints(t *testing.T) {
	t.Parallel()

	t.Run("a purchase too small for a point is booked all the same", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		m := p.earn(t, "o", 1, func(in *crm.LoyaltyEarning) { in.Amount.Amount = "0.30" })
		p.told(t, m, 0, 0, 0, 0)
		require.Empty(t, p.remaining(t))
	})

	t.Run("an order is kept without the spaces around it", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		p.earn(t, "  SO-1 ", 10)
		m := must(t)(p.store.ReversePoints(p.admin(t), p.correction(func(in *crm.LoyaltyCorrection) { in.OrderRef = new("SO-1\t") }), crm.Write{}))
		require.Equal(t, "SO-1", *m.Transaction.OrderRef)
	})

	t.Run("the same order earns again", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		p.earn(t, "o", 10)
		p.told(t, p.earn(t, "o", 5), 30, 0, 30, 30)
	})

	t.Run("points mature without a further entry, and expire before they are swept", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t, pending(14), days(30))
		m := p.earn(t, "o", 10)
		p.told(t, m, 0, 20, 20, 20)
		status, err := m.Transaction.Status(p.admin(t))
		require.NoError(t, err)
		require.Equal(t, crm.LoyaltyPending, status)
		_, err = p.redeem(t, "x", 1)
		refused(t, err, crm.Conflict, crm.InsufficientPoints, "input.points")
		for _, c := range []struct {
			days int
			want []int64
		}{{13, []int64{0, 20, 20, 20}}, {14, []int64{20, 0, 20, 20}}, {43, []int64{20, 0, 20, 20}}, {44, []int64{0, 0, 20, 20}}} {
			p.store.Now = func() time.Time { return crmtest.Today().AddDate(0, 0, c.days) }
			require.Equal(t, c.want, p.balances(t), "after %d days", c.days)
		}
		_, err = p.redeem(t, "x", 1)
		refused(t, err, crm.Conflict, crm.InsufficientPoints, "input.points")
		require.Equal(t, 1, askOne[int](t, p.world, "SELECT count(*)::int FROM loyalty_transaction WHERE account_id = substr($1, 5)::uuid", p.id))
	})

	t.Run("a purchase of the past earns by the policy of its time", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t, days(30))
		later := programme("three")
		later.PointsPerUnit, later.EffectiveFrom = "3", new(crmtest.Today().AddDate(0, 0, -5))
		p.policy(t, later)
		before := crmtest.Today().AddDate(0, 0, -6)
		m := p.earn(t, "o", 10, func(in *crm.LoyaltyEarning) { in.OccurredAt = &before })
		require.Equal(t, "two", *m.Transaction.PolicyVersion)
		require.True(t, m.Transaction.ExpiresAt.Equal(before.AddDate(0, 0, 30)))
		p.told(t, m, 20, 0, 20, 20)
		long := crmtest.Today().AddDate(0, 0, -60)
		p.told(t, p.earn(t, "o", 10, func(in *crm.LoyaltyEarning) { in.OccurredAt = &long }), 20, 0, 40, 40)
	})

	t.Run("without a policy nothing is earned", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		_, err := p.store.EarnPoints(p.admin(t), crm.LoyaltyEarning{
			CustomerID: p.id, OrderRef: "o", Amount: crm.MoneyInput{Amount: "1", Currency: "EUR"}, OccurredAt: new(crmtest.Today().AddDate(-9, 0, 0)),
		}, crm.Write{})
		refused(t, err, crm.Conflict, crm.NoLoyaltyPolicy, "")
		require.Empty(t, ask[string](t, p.world, "SELECT id::text FROM loyalty_account WHERE id = substr($1, 5)::uuid", p.id), "no account began")
	})
}

func TestPreviewIsWhatEarningPosts(t *testing.T) {
	t.Parallel()
	p := newPurse(t, pending(3), days(10))
	amount := crm.MoneyInput{Amount: "12.34", Currency: "EUR"}
	before := p.rows(t)
	quote, err := p.store.PreviewPoints(p.admin(t), amount, nil, nil)
	require.NoError(t, err)
	require.Equal(t, before, p.rows(t), "it writes nothing")
	x := p.earn(t, "o", 0, func(in *crm.LoyaltyEarning) { in.Amount = amount }).Transaction
	status, err := x.Status(p.admin(t))
	require.NoError(t, err)
	same(t, []any{quote.Points, quote.Policy.Version, *quote.Amount, quote.AvailableAt, *quote.ExpiresAt, quote.Status},
		[]any{x.Points, *x.PolicyVersion, *x.Amount(), *x.AvailableAt, *x.ExpiresAt, status})
}

func TestRedeemPoints(t *testing.T) {
	t.Parallel()

	t.Run("takes what expires first, never-expiring points last, and of those the oldest", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		p.earn(t, "a", 5)
		p.later(time.Minute)
		p.earn(t, "b", 5)
		soon := programme("soon")
		soon.Channel, soon.ExpireAfterDays, soon.EffectiveFrom = new("soon"), new(5), new(crmtest.Today())
		p.policy(t, soon)
		p.earn(t, "c", 5, func(in *crm.LoyaltyEarning) { in.Channel = soon.Channel })
		sooner := programme("sooner")
		sooner.Channel, sooner.ExpireAfterDays, sooner.EffectiveFrom = new("sooner"), new(4), new(crmtest.Today())
		p.policy(t, sooner)
		p.earn(t, "d", 5, func(in *crm.LoyaltyEarning) { in.Channel = sooner.Channel })
		require.Equal(t, []int64{10, 10, 10, 10}, p.remaining(t))
		must(t)(p.redeem(t, "x", 15))
		require.Equal(t, []int64{10, 10, 5, 0}, p.remaining(t))
		must(t)(p.redeem(t, "x", 7))
		require.Equal(t, []int64{8, 10, 0, 0}, p.remaining(t))
	})

	t.Run("keeps to the policy's bounds", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t, func(in *crm.LoyaltyPolicySet) {
			in.RedeemMode, in.BlockSize = crm.RedeemInBlocks, new(int64(50))
			in.MinPoints, in.MaxPointsPerOrder = new(int64(100)), new(int64(200))
			in.RedeemValue = &crm.MoneyInput{Amount: "2.50", Currency: "EUR"}
		})
		p.earn(t, "o", 500)
		for points, reason := range map[int64]crm.Reason{99: crm.RedeemBelowMinimum, 201: crm.RedeemAboveMaximum, 120: crm.RedeemNotInBlocks} {
			_, err := p.redeem(t, "x", points)
			refused(t, err, crm.Conflict, reason, "input.points")
		}
		m := must(t)(p.redeem(t, "x", 150))
		require.Equal(t, &crm.Money{Minor: 750, Currency: "EUR"}, m.Transaction.RedeemValue())
		p.told(t, m, 850, 0, 1000, 850)
	})

	t.Run("points of a programme without a price are worth nothing, and need none", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		p.earn(t, "o", 5)
		require.Nil(t, must(t)(p.redeem(t, "x", 1)).Transaction.RedeemValue())
	})

	t.Run("who never had points has too few", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		_, err := p.redeem(t, "x", 1)
		require.Equal(t, "1 points requested, 0 available", refused(t, err, crm.Conflict, crm.InsufficientPoints, "input.points").Message)
	})
}

func TestAdjustPoints(t *testing.T) {
	t.Parallel()
	p := newPurse(t, days(10), pending(5))
	adjust := func(points int64) (*crm.LoyaltyMovement, error) {
		return p.store.AdjustPoints(p.admin(t), crm.LoyaltyAdjustment{CustomerID: p.id, Points: points}, crm.Write{})
	}
	m := must(t)(adjust(40))
	require.True(t, m.Transaction.ExpiresAt.Equal(crmtest.Today().AddDate(0, 0, 10)), "they are not pending, and expire")
	p.told(t, m, 40, 0, 0, 40)
	p.told(t, must(t)(adjust(-15)), 25, 0, 0, 25)
	_, err := adjust(-26)
	require.Equal(t, "26 points requested, 25 available", refused(t, err, crm.Conflict, crm.InsufficientPoints, "input.points").Message)
	for _, points := range []int64{0, 1 << 53, -1 << 53} {
		_, err = adjust(points)
		require.Equal(t, []string{"input.points"}, fields(t, err))
	}
	_, err = adjust(1<<53 - 1)
	refused(t, err, crm.Conflict, crm.InvalidState, "input.points")
}

func TestReversePoints(t *testing.T) {
	t.Parallel()
	reverse := func(t *testing.T, p *purse, change func(*crm.LoyaltyCorrection)) (*crm.LoyaltyMovement, error) {
		t.Helper()
		return p.store.ReversePoints(p.admin(t), p.correction(change), crm.Write{})
	}
	order := func(ref string) func(*crm.LoyaltyCorrection) {
		return func(in *crm.LoyaltyCorrection) { in.OrderRef = &ref }
	}

	t.Run("takes its own pending points first, then spendable ones", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		p.earn(t, "old", 10)
		slow := programme("slow")
		slow.Channel, slow.PendingDays, slow.EffectiveFrom = new("slow"), new(9), new(crmtest.Today())
		p.policy(t, slow)
		other := p.earn(t, "other", 10, func(in *crm.LoyaltyEarning) { in.Channel = slow.Channel })
		p.earn(t, "mine", 10, func(in *crm.LoyaltyEarning) { in.Channel = slow.Channel })
		m := must(t)(reverse(t, p, order("mine")))
		p.told(t, m, 20, 20, 40, 40)
		require.Equal(t, []int64{20, 20, 0}, p.remaining(t), "the pending points of another purchase stay")
		m = must(t)(reverse(t, p, func(in *crm.LoyaltyCorrection) { in.TransactionID = new(other.Transaction.NodeID()) }))
		p.told(t, m, 20, 0, 20, 20)
		p.later(10 * 24 * time.Hour)
		must(t)(reverse(t, p, order("old")))
		require.Equal(t, []int64{0, 0, 0, 0}, p.balances(t))
	})

	t.Run("of each purchase of an order its own pending points", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		for i, days := range []int{50, 20} {
			in := programme("slow" + strconv.Itoa(i))
			in.Channel, in.PendingDays, in.ExpireAfterDays, in.EffectiveFrom = new("c"+strconv.Itoa(i)), new(9), &days, new(crmtest.Today())
			p.policy(t, in)
			p.earn(t, "o", 5, func(e *crm.LoyaltyEarning) { e.Channel = in.Channel })
		}
		p.told(t, must(t)(reverse(t, p, func(in *crm.LoyaltyCorrection) { in.OrderRef, in.Points = new("o"), new(int64(10)) })), 0, 10, 10, 10)
		require.Equal(t, []int64{0, 10}, p.remaining(t), "those of the first, although the second's expire first")
		p.told(t, must(t)(reverse(t, p, order("o"))), 0, 0, 0, 0)
	})

	t.Run("in parts, and never more than was earned", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		first := p.earn(t, "o", 5)
		p.earn(t, "o", 10)
		part := func(points int64) func(*crm.LoyaltyCorrection) {
			return func(in *crm.LoyaltyCorrection) { in.OrderRef, in.Points = new("o"), &points }
		}
		m := must(t)(reverse(t, p, part(12)))
		p.told(t, m, 18, 0, 18, 18)
		require.Equal(t, []string{"10", "2"}, ask[string](t, p.world, "SELECT points::text FROM loyalty_transaction_link WHERE transaction_id = $1 ORDER BY related_id", m.Transaction.ID))
		_, err := reverse(t, p, func(in *crm.LoyaltyCorrection) { in.TransactionID = new(first.Transaction.NodeID()) })
		refused(t, err, crm.Conflict, crm.AlreadyReversed, "input.transactionId")
		_, err = reverse(t, p, part(19))
		require.Equal(t, "19 points requested, 18 left of those booked", refused(t, err, crm.Conflict, crm.AlreadyReversed, "input.orderRef").Message)
		p.told(t, must(t)(reverse(t, p, order("o"))), 0, 0, 0, 0)
	})

	t.Run("points that were spent cannot be taken back", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		p.earn(t, "o", 10)
		must(t)(p.redeem(t, "x", 15))
		before := p.rows(t)
		_, err := reverse(t, p, order("o"))
		require.Equal(t, "20 points requested, 5 available", refused(t, err, crm.Conflict, crm.InsufficientPoints, "input.points").Message)
		require.Equal(t, before, p.rows(t))
	})

	t.Run("what a customer earned that was merged into this one", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		p.earn(t, "before", 10)
		source := p.id
		p.id = p.person(t, "Survivor").NodeID()
		_, err := p.store.MergeCustomers(p.admin(t), source, p.id, crm.Write{})
		require.NoError(t, err)
		p.told(t, must(t)(reverse(t, p, order("before"))), 0, 0, 0, 0)
		_, err = reverse(t, p, order("before"))
		refused(t, err, crm.Conflict, crm.AlreadyReversed, "input.orderRef")
	})

	t.Run("only what was earned, and only one's own", func(t *testing.T) {
		t.Parallel()
		p := newPurse(t)
		earned := p.earn(t, "o", 10)
		spent := must(t)(p.redeem(t, "x", 5))
		_, err := reverse(t, p, func(in *crm.LoyaltyCorrection) { in.TransactionID = new(spent.Transaction.NodeID()) })
		refused(t, err, crm.Conflict, crm.InvalidState, "input.transactionId")
		_, err = reverse(t, p, order("x"))
		refused(t, err, crm.NotFound, "", "input.orderRef")
		_, err = reverse(t, p, func(in *crm.LoyaltyCorrection) {
			in.TransactionID = new(crm.LoyaltyTransactions.GlobalID(uuid.Must(uuid.NewV7())))
		})
		refused(t, err, crm.NotFound, "", "input.transactionId")
		stranger := &purse{p.world, p.person(t, "Stranger").NodeID()}
		_, err = reverse(t, stranger, func(in *crm.LoyaltyCorrection) { in.TransactionID = new(earned.Transaction.NodeID()) })
		refused(t, err, crm.NotFound, "", "input.transactionId")
		_, err = reverse(t, p, func(in *crm.LoyaltyCorrection) {
			in.TransactionID, in.OrderRef = new(earned.Transaction.NodeID()), new("o")
		})
		require.Equal(t, []string{"input"}, fields(t, err))
		_, err = reverse(t, p, func(*crm.LoyaltyCorrection) {})
		require.Equal(t, []string{"input"}, fields(t, err))
	})
}

func TestRestorePoints(t *testing.T) {
	t.Parallel()
	p := newPurse(t, days(30))
	p.earn(t, "o", 50)
	must(t)(p.redeem(t, "x", 30))
	must(t)(p.redeem(t, "x", 20))
	p.later(10 * 24 * time.Hour)
	part := func(points int64) crm.LoyaltyCorrection {
		return p.correction(func(in *crm.LoyaltyCorrection) { in.OrderRef, in.Points = new("x"), &points })
	}
	m := must(t)(p.store.RestorePoints(p.admin(t), part(35), crm.Write{}))
	p.told(t, m, 85, 0, 100, 85)
	require.True(t, m.Transaction.ExpiresAt.Equal(crmtest.Today().AddDate(0, 0, 40)), "they expire as points that come in now")
	_, err := p.store.RestorePoints(p.admin(t), part(16), crm.Write{})
	require.Equal(t, "16 points requested, 15 left of those booked", refused(t, err, crm.Conflict, crm.RestoreExceeds, "input.orderRef").Message)
	p.told(t, must(t)(p.store.RestorePoints(p.admin(t), part(15), crm.Write{})), 100, 0, 100, 100)
	_, err = p.store.RestorePoints(p.admin(t), p.correction(func(in *crm.LoyaltyCorrection) { in.OrderRef = new("o") }), crm.Write{})
	refused(t, err, crm.NotFound, "", "input.orderRef")
}

// What was earned through a channel does not last longer for having been redeemed and restored.
func TestRestorePoints_ExpireByTheChannelsPolicy(t *testing.T) {
	t.Parallel()
	p := newPurse(t)
	web := programme("web")
	web.Channel, web.ExpireAfterDays, web.EffectiveFrom = new("web"), new(30), new(crmtest.Today())
	p.policy(t, web)
	p.earn(t, "o", 50, func(in *crm.LoyaltyEarning) { in.Channel = web.Channel })
	_, err := p.store.RedeemPoints(p.admin(t), crm.LoyaltyRedemption{CustomerID: p.id, OrderRef: "x", Points: 10, Channel: web.Channel}, crm.Write{})
	require.NoError(t, err)
	m := must(t)(p.store.RestorePoints(p.admin(t), p.correction(func(in *crm.LoyaltyCorrection) { in.OrderRef = new("x") }), crm.Write{}))
	require.True(t, m.Transaction.ExpiresAt.Equal(crmtest.Today().AddDate(0, 0, 30)))
	require.Equal(t, []string{"web", "web"}, []string{*m.Transaction.PolicyVersion, *m.Transaction.Channel})
}

// Clocks differ, and a request began before what it does: what was earned at once counts at once.
func TestPointsWhateverTheClockSays(t *testing.T) {
	t.Parallel()
	p := newPurse(t)
	var ticks atomic.Int64
	p.store.Now = func() time.Time { return crmtest.Today().Add(time.Duration(ticks.Add(1)) * time.Millisecond) }
	request := p.admin(t)
	m, err := p.store.EarnPoints(request, crm.LoyaltyEarning{CustomerID: p.id, OrderRef: "o", Amount: crm.MoneyInput{Amount: "10", Currency: "EUR"}}, crm.Write{})
	require.NoError(t, err)
	status, err := m.Transaction.Status(request)
	require.NoError(t, err)
	require.Equal(t, crm.LoyaltyPosted, status)
	a, err := p.store.LoyaltyAccount(request, crm.LoyaltyAccountBy{Customer: &p.id})
	require.NoError(t, err)
	require.Equal(t, []int64{20, 0, 20, 20}, totals(a))
	p.store.Now = func() time.Time { return crmtest.Today().Add(-5 * time.Millisecond) }
	p.told(t, must(t)(p.redeem(t, "x", 20)), 0, 0, 20, 0)
}

func TestExpirePoints(t *testing.T) {
	t.Parallel()
	p := newPurse(t, days(10))
	p.earn(t, "a", 10)
	p.later(5 * 24 * time.Hour)
	p.earn(t, "b", 10)
	expire := func(asOf *time.Time) *crm.LoyaltyExpiry {
		done, err := p.store.ExpirePoints(p.admin(t), p.id, asOf, crm.Write{})
		require.NoError(t, err)
		return done
	}
	before := p.rows(t)
	require.Zero(t, expire(nil).ExpiredPoints)
	require.Equal(t, before, p.rows(t), "when nothing is due, nothing is written")
	p.later(20 * 24 * time.Hour)
	done := expire(new(crmtest.Today().AddDate(0, 0, 10)))
	require.EqualValues(t, 20, done.ExpiredPoints)
	require.EqualValues(t, -20, done.Transaction.Points)
	require.Equal(t, []int64{0, 0, 40, 20}, totals(done.Account), "what expired later is not swept, and could not be spent anyhow")
	require.EqualValues(t, 20, expire(nil).ExpiredPoints)
	require.Nil(t, expire(nil).Transaction)
	require.Equal(t, []int64{0, 0, 40, 0}, p.balances(t))
	_, err := p.store.ExpirePoints(p.admin(t), p.id, new(p.store.Now().Add(time.Second)), crm.Write{})
	require.Equal(t, []string{"asOf"}, fields(t, err))
	stranger := p.person(t, "Stranger").NodeID()
	done, err = p.store.ExpirePoints(p.admin(t), stranger, nil, crm.Write{})
	require.NoError(t, err)
	require.Nil(t, done.Account, "who never had points has no account")
}

func TestRecalculatePoints(t *testing.T) {
	t.Parallel()
	p := newPurse(t, pending(3))
	p.earn(t, "a", 50)
	p.later(4 * 24 * time.Hour)
	p.earn(t, "b", 10)
	must(t)(p.redeem(t, "x", 30))
	recalculate := func() *crm.LoyaltyRecalculation {
		found, err := p.store.RecalculatePoints(p.admin(t), p.id, crm.Write{})
		require.NoError(t, err)
		return found
	}
	before := p.rows(t)
	require.Equal(t, crm.LoyaltyDrift{}, recalculate().Drift)
	require.Equal(t, before, p.rows(t), "when all is right, nothing is written")

	p.do(t, "UPDATE loyalty_account SET balance = balance + 7, lifetime_earned = 1 WHERE id = substr($1, 5)::uuid", p.id)
	p.do(t, "UPDATE loyalty_lot SET remaining = remaining - 5 WHERE account_id = substr($1, 5)::uuid AND remaining > 0", p.id)
	require.Equal(t, crm.LoyaltyDrift{AvailablePoints: -5, PendingPoints: -5, LifetimeEarned: -119, Balance: 7, Corrected: true}, recalculate().Drift)
	require.Equal(t, []int64{70, 20, 120, 90}, p.balances(t))
	require.Equal(t, crm.LoyaltyDrift{}, recalculate().Drift, "once is enough")
	require.Equal(t, []string{"LOYALTY_BALANCE_CORRECTED"}, ask[string](t, p.world, "SELECT type FROM event WHERE type = 'LOYALTY_BALANCE_CORRECTED'"))
}

// Who is closed to changes moves no points; what expired can be booked all the same.
func TestPointsOfClosedCustomers(t *testing.T) {
	t.Parallel()
	p := newPurse(t, days(10))
	p.earn(t, "o", 10)
	_, err := p.store.AnonymizeCustomer(p.admin(t), p.id, crm.Write{})
	require.NoError(t, err)
	_, err = p.redeem(t, "x", 1)
	refused(t, err, crm.Conflict, crm.InvalidState, "input.customerId")
	p.later(20 * 24 * time.Hour)
	done, err := p.store.ExpirePoints(p.admin(t), p.id, nil, crm.Write{})
	require.NoError(t, err)
	require.EqualValues(t, 20, done.ExpiredPoints)
	_, err = p.store.RecalculatePoints(p.admin(t), p.id, crm.Write{})
	require.NoError(t, err)

	source, target := p.person(t, "Source"), p.person(t, "Target")
	_, err = p.store.MergeCustomers(p.admin(t), source.NodeID(), target.NodeID(), crm.Write{})
	require.NoError(t, err)
	p.id = source.NodeID()
	_, err = p.redeem(t, "x", 1)
	require.Equal(t, "pty_"+target.ID.String(), refused(t, err, crm.Conflict, crm.MergedParty, "input.customerId").Related)
	p.id = crm.Customers.GlobalID(uuid.Must(uuid.NewV7()))
	_, err = p.redeem(t, "x", 1)
	refused(t, err, crm.NotFound, "", "input.customerId")
}
