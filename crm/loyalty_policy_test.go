package crm_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// programme is a policy that is easy to reckon with: two points a unit, for good.
func programme(version string) crm.LoyaltyPolicySet {
	return crm.LoyaltyPolicySet{Version: version, PointsPerUnit: "2", RedeemMode: crm.RedeemPerPoint}
}

// policy sets a policy, after the newest of its channel.
func (w *world) policy(t *testing.T, in crm.LoyaltyPolicySet) *crm.LoyaltyPolicy {
	t.Helper()
	newest := askOne[int64](t, w, "SELECT coalesce(max(number), 0) FROM loyalty_policy WHERE "+inDemo+" AND channel = $1", textOr(in.Channel, ""))
	set := crm.Write{}
	if newest > 0 {
		set = at(newest)
	}
	policy, err := w.store.SetLoyaltyPolicy(w.admin(t), in, set)
	require.NoError(t, err)
	return policy
}

// holds is the version that holds at a time, "" when none does.
func (w *world) holds(t *testing.T, channel *string, when time.Time) string {
	t.Helper()
	policy, err := w.store.LoyaltyPolicyAt(w.admin(t), channel, &when)
	require.NoError(t, err)
	if policy == nil {
		return ""
	}
	return policy.Version
}

func TestLoyaltyPolicyByTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	day := func(n int) *time.Time { return new(crmtest.Today().AddDate(0, 0, n)) }
	shop := "shop"
	set := func(version string, channel *string, from, to *time.Time) {
		in := programme(version)
		in.Channel, in.EffectiveFrom, in.EffectiveTo = channel, from, to
		w.policy(t, in)
	}
	set("first", &shop, day(10), nil)
	require.Equal(t, "2022-01", w.holds(t, &shop, *day(9)), "before the channel's own there is that of all channels")
	require.Equal(t, "first", w.holds(t, &shop, *day(10)), "the beginning belongs to it")
	require.Equal(t, "2022-01", w.holds(t, nil, *day(11)), "it is for its channel only")
	require.Equal(t, "first", w.holds(t, new(" SHOP "), *day(11)), "channels are compared without case")

	set("second", &shop, day(20), day(30))
	require.Equal(t, "first", w.holds(t, &shop, day(20).Add(-time.Microsecond)))
	require.Equal(t, "second", w.holds(t, &shop, *day(20)))
	require.Equal(t, "second", w.holds(t, &shop, day(30).Add(-time.Microsecond)))
	require.Equal(t, "2022-01", w.holds(t, &shop, *day(30)), "its end does not, and what it ended does not come back")

	set("third", &shop, day(15), nil)
	require.Equal(t, "first", w.holds(t, &shop, *day(14)))
	require.Equal(t, "third", w.holds(t, &shop, *day(25)), "a later version counts, even from before an earlier one")
	require.Empty(t, w.holds(t, nil, crmtest.Today().AddDate(-20, 0, 0)))

	list, err := w.store.LoyaltyPolicies(w.admin(t), &crm.LoyaltyPolicyWhere{Channel: &crm.StringFilter{Eq: new("Shop")}}, nil, firstPage(t))
	require.NoError(t, err)
	ends := map[string]*time.Time{}
	for _, p := range list.Nodes() {
		ends[p.Version] = p.EffectiveTo
	}
	require.Equal(t, map[string]*time.Time{"first": day(15), "second": day(20), "third": nil}, utc(ends))
}

func utc(times map[string]*time.Time) map[string]*time.Time {
	for _, at := range times {
		if at != nil {
			*at = at.UTC()
		}
	}
	return times
}

func TestSetLoyaltyPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	channel := "till"
	next := programme("v1")
	next.Channel = &channel
	first, err := w.store.SetLoyaltyPolicy(w.admin(t), next, crm.Write{})
	require.NoError(t, err, "the first of a channel needs no revision")
	require.EqualValues(t, 1, first.Revision())

	next.Version = "v2"
	_, err = w.store.SetLoyaltyPolicy(w.admin(t), next, crm.Write{})
	refused(t, err, crm.PreconditionRequired, "", "ifRevision")
	_, err = w.store.SetLoyaltyPolicy(w.admin(t), next, at(2))
	stale := refused(t, err, crm.Stale, "", "ifRevision")
	require.Equal(t, "v1", stale.Current.(*crm.LoyaltyPolicy).Version)
	next.Version = "v1"
	_, err = w.store.SetLoyaltyPolicy(w.admin(t), next, at(1))
	refused(t, err, crm.Conflict, crm.VersionExists, "input.version")
	require.Equal(t, []string{"LOYALTY_POLICY_SET"}, ask[string](t, w, "SELECT type FROM event WHERE record_type = 'LoyaltyPolicy'"), "the refused left nothing")

	won := winners(t, w.wide(t), func(ctx context.Context, i int) error {
		in := programme("crowd-" + string(rune('a'+i)))
		in.Channel = &channel
		_, err := w.store.SetLoyaltyPolicy(ctx, in, at(1))
		return err
	})
	require.Len(t, won, 1, "of those who saw the same version one goes on")
	require.Equal(t, []int64{1, 2}, ask[int64](t, w, "SELECT number FROM loyalty_policy WHERE channel = 'till' ORDER BY number"))
}

func TestLoyaltyPolicyInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		change func(*crm.LoyaltyPolicySet)
		want   []string
	}{
		"no version":                 {func(in *crm.LoyaltyPolicySet) { in.Version = "  " }, []string{"input.version"}},
		"a rate with seven digits":   {func(in *crm.LoyaltyPolicySet) { in.PointsPerUnit = "0.0000001" }, []string{"input.pointsPerUnit"}},
		"a rate of a million digits": {func(in *crm.LoyaltyPolicySet) { in.PointsPerUnit = "1e1000000" }, []string{"input.pointsPerUnit"}},
		"too many multipliers": {func(in *crm.LoyaltyPolicySet) {
			in.ChannelMultipliers = make([]*crm.ChannelMultiplier, 51)
		}, []string{"input.channelMultipliers"}},
		"a multiplier that is none": {func(in *crm.LoyaltyPolicySet) {
			in.ChannelMultipliers = []*crm.ChannelMultiplier{nil}
		}, []string{"input.channelMultipliers[0]"}},
		"a rate in exponents":         {func(in *crm.LoyaltyPolicySet) { in.PointsPerUnit = "1e3" }, []string{"input.pointsPerUnit"}},
		"a negative rate":             {func(in *crm.LoyaltyPolicySet) { in.PointsPerUnit = "-1" }, []string{"input.pointsPerUnit"}},
		"a rate that is not a number": {func(in *crm.LoyaltyPolicySet) { in.PointsPerUnit = "NaN" }, []string{"input.pointsPerUnit"}},
		"a rate out of range":         {func(in *crm.LoyaltyPolicySet) { in.PointsPerUnit = "1000000.000001" }, []string{"input.pointsPerUnit"}},
		"a mode that is none":         {func(in *crm.LoyaltyPolicySet) { in.RedeemMode = "x" }, []string{"input.redeemMode"}},
		"blocks of the wrong mode":    {func(in *crm.LoyaltyPolicySet) { in.BlockSize = new(int64(5)) }, []string{"input.blockSize"}},
		"blocks of nothing":           {func(in *crm.LoyaltyPolicySet) { in.RedeemMode, in.BlockSize = crm.RedeemInBlocks, new(int64(0)) }, []string{"input.blockSize"}},
		"a value in another currency": {func(in *crm.LoyaltyPolicySet) {
			in.Currency, in.RedeemValue = new("EUR"), &crm.MoneyInput{Amount: "1", Currency: "USD"}
		}, []string{"input.redeemValue.currency"}},
		"more points than can be counted": {func(in *crm.LoyaltyPolicySet) { in.MinPoints = new(int64(1 << 53)) }, []string{"input.minPoints"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := programme("v")
			c.change(&in)
			_, err := w.store.SetLoyaltyPolicy(w.admin(t), in, at(1))
			require.Equal(t, c.want, fields(t, err))
		})
	}
}

// What purchases earn: G3N 3.8 and G18 to G20.
func TestWhatPurchasesEarn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		rate     string
		rounding crm.LoyaltyRounding
		factor   string
		amount   crm.MoneyInput
		want     int64
	}{
		"two decimals":                        {"2", crm.RoundFloor, "", crm.MoneyInput{Amount: "125.50", Currency: "USD"}, 251},
		"no decimals":                         {"1", crm.RoundFloor, "", crm.MoneyInput{Amount: "980", Currency: "JPY"}, 980},
		"three decimals":                      {"1", crm.RoundFloor, "", crm.MoneyInput{Amount: "12.999", Currency: "KWD"}, 12},
		"down":                                {"1", crm.RoundFloor, "", crm.MoneyInput{Amount: "0.99", Currency: "EUR"}, 0},
		"to the nearest":                      {"1", crm.RoundNearest, "", crm.MoneyInput{Amount: "0.49", Currency: "EUR"}, 0},
		"a half goes up":                      {"1", crm.RoundNearest, "", crm.MoneyInput{Amount: "0.50", Currency: "EUR"}, 1},
		"up":                                  {"1", crm.RoundCeil, "", crm.MoneyInput{Amount: "1.01", Currency: "EUR"}, 2},
		"up from a whole number":              {"1", crm.RoundCeil, "", crm.MoneyInput{Amount: "2.00", Currency: "EUR"}, 2},
		"rounded once, after the factor":      {"0.5", crm.RoundFloor, "3", crm.MoneyInput{Amount: "1.00", Currency: "EUR"}, 1},
		"thirds as exact as they are written": {"0.333333", crm.RoundFloor, "", crm.MoneyInput{Amount: "3000000.00", Currency: "EUR"}, 999999},
		"what a float would get wrong":        {"1.1", crm.RoundFloor, "", crm.MoneyInput{Amount: "30.00", Currency: "EUR"}, 33},
		"a factor of zero":                    {"1", crm.RoundCeil, "0", crm.MoneyInput{Amount: "10.00", Currency: "EUR"}, 0},
		"the most there is":                   {"100", crm.RoundFloor, "", crm.MoneyInput{Amount: "90071992547409.91", Currency: "EUR"}, 1<<53 - 1},
	} {
		in := programme(name)
		in.Version, in.Channel = channelOf(name), new("c"+channelOf(name))
		in.PointsPerUnit, in.Rounding = c.rate, &c.rounding
		if c.factor != "" {
			in.ChannelMultipliers = []*crm.ChannelMultiplier{{Channel: *in.Channel, Factor: c.factor}, {Channel: "other", Factor: "7"}}
		}
		w.policy(t, in)
		t.Run(name, func(t *testing.T) {
			preview, err := w.store.PreviewPoints(w.admin(t), c.amount, in.Channel, nil)
			require.NoError(t, err)
			require.Equal(t, c.want, preview.Points)
			earned, err := w.store.EarnPoints(w.admin(t), crm.LoyaltyEarning{
				CustomerID: w.person(t, name).NodeID(), OrderRef: "o", Amount: c.amount, Channel: in.Channel,
			}, crm.Write{})
			require.NoError(t, err)
			require.Equal(t, c.want, earned.Transaction.Points)
			require.Equal(t, *earned.Transaction.PolicyVersion, preview.Policy.Version)
		})
	}
	t.Run("more than can be counted is refused", func(t *testing.T) {
		in := programme("much")
		in.PointsPerUnit, in.Channel = "1000000", new("much")
		w.policy(t, in)
		_, err := w.store.EarnPoints(w.admin(t), crm.LoyaltyEarning{
			CustomerID: w.amelia(t).NodeID(), OrderRef: "o", Amount: crm.MoneyInput{Amount: "90071992547409.91", Currency: "EUR"}, Channel: in.Channel,
		}, crm.Write{})
		refused(t, err, crm.Invalid, "", "input.amount.amount")
	})
	t.Run("another currency than the programme's is refused", func(t *testing.T) {
		in := programme("euro")
		in.Channel, in.Currency = new("euro"), new("EUR")
		w.policy(t, in)
		dollars := crm.MoneyInput{Amount: "1", Currency: "USD"}
		_, err := w.store.EarnPoints(w.admin(t), crm.LoyaltyEarning{CustomerID: w.amelia(t).NodeID(), OrderRef: "o", Amount: dollars, Channel: in.Channel}, crm.Write{})
		refused(t, err, crm.Conflict, crm.CurrencyMismatch, "input.amount.currency")
		_, err = w.store.PreviewPoints(w.admin(t), dollars, in.Channel, nil)
		refused(t, err, crm.Conflict, crm.CurrencyMismatch, "amount.currency")
	})
}

// channelOf makes a channel of a test's name.
func channelOf(name string) string {
	code := []rune(crm.NormaliseName(name))
	for i, r := range code {
		if r == ' ' {
			code[i] = '_'
		}
	}
	return string(code)
}
