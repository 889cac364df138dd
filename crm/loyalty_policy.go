package crm

import (
	"context"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bojanz/currency"
	"github.com/uptrace/bun"
)

// LoyaltyRounding says what becomes of a fraction of a point.
type LoyaltyRounding string

// LoyaltyRedeemMode says how points are worth money.
type LoyaltyRedeemMode string

// The words of policies.
const (
	RoundFloor   LoyaltyRounding = "FLOOR"
	RoundNearest LoyaltyRounding = "NEAREST" // halves go up
	RoundCeil    LoyaltyRounding = "CEIL"

	RedeemPerPoint LoyaltyRedeemMode = "PER_POINT"
	RedeemInBlocks LoyaltyRedeemMode = "BLOCK"
)

// LoyaltyPolicy is one version of the rules of the points programme, of one channel or of all
// that have none of their own. Versions are never changed: a later one of the same channel ends
// an earlier one when it begins.
type LoyaltyPolicy struct {
	bun.BaseModel `bun:"table:loyalty_policy"`
	Row

	Version            string               `bun:"version"`
	ChannelCode        string               `bun:"channel"`  // empty = all channels
	Number             int64                `bun:"number"`   // among the channel's versions, from 1
	Currency           *string              `bun:"currency"` // ISO 4217 that purchases must be in; nil = any
	PointsPerUnit      string               `bun:"points_per_unit"`
	Rounding           LoyaltyRounding      `bun:"rounding"`
	PendingDays        int                  `bun:"pending_days"` // until earned points can be spent
	ChannelMultipliers []*ChannelMultiplier `bun:"channel_multipliers"`
	RedeemMode         LoyaltyRedeemMode    `bun:"redeem_mode"`
	RedeemCurrency     *string              `bun:"redeem_currency"`
	RedeemValueMinor   *int64               `bun:"redeem_value"` // of a point or block, minor units of RedeemCurrency
	BlockSize          *int64               `bun:"block_size"`   // points; of BLOCK only
	MinPoints          *int64               `bun:"min_points"`
	MaxPointsPerOrder  *int64               `bun:"max_points_per_order"`
	ExpireAfterDays    *int                 `bun:"expire_after_days"` // from when points can be spent; nil = never
	EffectiveFrom      time.Time            `bun:"effective_from"`
	EndsAt             *time.Time           `bun:"ends_at"`               // as it was set
	EffectiveTo        *time.Time           `bun:"effective_to,scanonly"` // that, or when a later version began; EffectiveFrom if it never held
	CreatedAt          time.Time            `bun:"created_at"`
}

// ChannelMultiplier multiplies what a channel's purchases earn.
type ChannelMultiplier struct {
	Channel string `json:"channel"`
	Factor  string `json:"factor"` // a decimal number, 0 to 1000
}

// LoyaltyPolicies is the type in the catalogue.
var LoyaltyPolicies = newType[LoyaltyPolicy]("LoyaltyPolicy", "lpo", LoyaltyView, &computed{
	columns: []string{"effective_to"},
	from: "SELECT CASE WHEN n.ends < t.effective_from THEN t.effective_from ELSE n.ends END AS effective_to FROM (" +
		"SELECT least(t.ends_at, min(n.effective_from)) AS ends FROM loyalty_policy n " +
		"WHERE n.tenant_id = $1 AND n.channel = t.channel AND n.number > t.number) n",
}).filterable(map[string]Path{
	"version": column("version"),
	"channel": folded("channel", NormaliseChannel),
})

// IsNode marks the type.
func (*LoyaltyPolicy) IsNode() {}

// NodeID is the global id.
func (p *LoyaltyPolicy) NodeID() string { return LoyaltyPolicies.nodeID(p.ID) }

// Channel is the only one it is for, nil for all that have no policy of their own.
func (p *LoyaltyPolicy) Channel() *string {
	if p.ChannelCode == "" {
		return nil
	}
	return &p.ChannelCode
}

// Revision is that of the channel's rules: each version of them is the next.
func (p *LoyaltyPolicy) Revision() int64 { return p.Number }

// RedeemValue is what a point, or a block of them, is worth, nil when it has no price.
func (p *LoyaltyPolicy) RedeemValue() *Money { return moneyOf(p.RedeemValueMinor, p.RedeemCurrency) }

// NormaliseChannel brings a sales channel's code to the form it is stored in.
func NormaliseChannel(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

var (
	channelPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	versionPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	factorPattern  = regexp.MustCompile(`^\d{1,7}(\.\d{1,6})?$`)
)

// channel checks the code of a sales channel.
func (p *problems) channel(field string, value *string) *string {
	if value == nil {
		return nil
	}
	code := NormaliseChannel(*value)
	if !channelPattern.MatchString(code) {
		p.add(field, "a channel has 1 to 64 of the characters a-z 0-9 _ and starts with a letter")
	}
	return &code
}

// factor checks a decimal number from 0 to most.
func (p *problems) factor(field, value string, most int64) {
	if n, ok := rate(value); !ok || n.Cmp(big.NewRat(most, 1)) > 0 {
		p.add(field, "a decimal number from 0 to %d with at most 6 digits after the point is needed", most)
	}
}

// rate reads a number that factorPattern matches, and no other: reading any would take a client
// who sends an exponent at its word.
func rate(text string) (*big.Rat, bool) {
	if !factorPattern.MatchString(text) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// earned is what a purchase through a channel earns: its amount in major units, times the rate,
// times the channel's factor, rounded once. Errors: Invalid, Conflict (CurrencyMismatch).
func (p *LoyaltyPolicy) earned(amount Money, channel *string, field string) (int64, error) {
	if p.Currency != nil && *p.Currency != amount.Currency {
		return 0, conflictf(CurrencyMismatch, field+".currency", "the programme counts purchases in %s, not in %s", *p.Currency, amount.Currency)
	}
	digits, _ := currency.GetDigits(amount.Currency)
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	points := new(big.Rat).SetFrac(big.NewInt(amount.Minor), scale)
	for _, factor := range append([]string{p.PointsPerUnit}, p.factorOf(channel)...) {
		f, ok := new(big.Rat).SetString(factor)
		if !ok {
			return 0, fmt.Errorf("policy %s has a rate that is no number", p.Version)
		}
		points.Mul(points, f)
	}
	whole := p.Rounding.round(points)
	if !whole.IsInt64() || whole.Int64() > maxAmount {
		return 0, invalidf(field+".amount", "the purchase would earn more than %d points", int64(maxAmount))
	}
	return whole.Int64(), nil
}

func (p *LoyaltyPolicy) factorOf(channel *string) []string {
	for _, m := range p.ChannelMultipliers {
		if channel != nil && m.Channel == *channel {
			return []string{m.Factor}
		}
	}
	return nil
}

// round makes a number that is not negative whole.
func (r LoyaltyRounding) round(n *big.Rat) *big.Int {
	num, den := new(big.Int).Set(n.Num()), n.Denom()
	switch r {
	case RoundNearest:
		num.Mul(num, big.NewInt(2)).Add(num, den)
		den = new(big.Int).Mul(den, big.NewInt(2))
	case RoundCeil:
		num.Add(num, den).Sub(num, big.NewInt(1))
	}
	return num.Div(num, den)
}

// redeemable checks that so many points may be redeemed at once. Errors: Conflict.
func (p *LoyaltyPolicy) redeemable(points int64) error {
	switch {
	case p == nil:
		return nil
	case p.MinPoints != nil && points < *p.MinPoints:
		return conflictf(RedeemBelowMinimum, "input.points", "at least %d points are redeemed at once", *p.MinPoints)
	case p.MaxPointsPerOrder != nil && points > *p.MaxPointsPerOrder:
		return conflictf(RedeemAboveMaximum, "input.points", "at most %d points are redeemed at once", *p.MaxPointsPerOrder)
	case p.BlockSize != nil && points%*p.BlockSize != 0:
		return conflictf(RedeemNotInBlocks, "input.points", "points are redeemed in blocks of %d", *p.BlockSize)
	default:
		return nil
	}
}

// worth is what points are worth when they are redeemed, nil when they have no price.
// Errors: Invalid.
func (p *LoyaltyPolicy) worth(points int64) (*Money, error) {
	if p == nil || p.RedeemValueMinor == nil {
		return nil, nil //nolint:nilnil // no price is no error
	}
	if p.BlockSize != nil {
		points /= *p.BlockSize
	}
	value := new(big.Int).Mul(big.NewInt(points), big.NewInt(*p.RedeemValueMinor))
	if !value.IsInt64() || value.Int64() > maxAmount {
		return nil, invalidf("input.points", "so many points are worth more than can be paid")
	}
	return &Money{Minor: value.Int64(), Currency: *p.RedeemCurrency}, nil
}

// lifetime says from when points can be spent that come in at a time, and until when.
func (p *LoyaltyPolicy) lifetime(at time.Time, pending bool) (available time.Time, expires *time.Time) {
	available = at
	if p == nil {
		return available, nil
	}
	if pending {
		available = available.AddDate(0, 0, p.PendingDays)
	}
	if p.ExpireAfterDays != nil {
		end := available.AddDate(0, 0, *p.ExpireAfterDays)
		expires = &end
	}
	return available, expires
}

// policyAt reads the policy that holds for a channel at a time into the returned pointer, nil
// when there is none: the channel's own, else that of all channels (G3N 3.8).
func (s *session) policyAt(channel *string, at time.Time) (statement, **LoyaltyPolicy) {
	var found *LoyaltyPolicy
	sql := fmt.Sprintf("SELECT t.id, %s FROM loyalty_policy t%s WHERE t.tenant_id = $1 AND t.channel IN ('', $2) "+
		"AND t.effective_from <= $3 AND (computed.effective_to IS NULL OR computed.effective_to > $3) ORDER BY t.channel DESC LIMIT 1",
		LoyaltyPolicies.list, LoyaltyPolicies.join)
	return statement{
		sql: sql, args: []any{s.tenant, deref(channel), at},
		read: LoyaltyPolicies.each(s, func(p *LoyaltyPolicy) { found = p }),
	}, &found
}

// LoyaltyPolicyBy selects one policy; exactly one field is set.
type LoyaltyPolicyBy struct {
	ID      *string
	Version *string
}

// LoyaltyPolicyWhere filters policies.
type LoyaltyPolicyWhere struct {
	And, Or []*LoyaltyPolicyWhere
	Not     *LoyaltyPolicyWhere
	ID      *IDFilter
	Version *StringFilter
	Channel *StringFilter
}

// LoyaltyPolicyOrderField is what policies can be sorted by.
type LoyaltyPolicyOrderField string

var loyaltyPolicyOrder = sortable(LoyaltyPolicies, map[LoyaltyPolicyOrderField]string{"VERSION": "version", "EFFECTIVE_FROM": "effective_from"})

// LoyaltyPolicy returns the policy that by selects.
// Errors: Unauthenticated, Forbidden, Invalid, NotFound, Unavailable.
func (*Store) LoyaltyPolicy(ctx context.Context, by LoyaltyPolicyBy) (*LoyaltyPolicy, error) {
	return LoyaltyPolicies.lookup(ctx, by, "t.id")
}

// LoyaltyPolicies returns a page of the tenant's policies.
// Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) LoyaltyPolicies(ctx context.Context, where *LoyaltyPolicyWhere, orderBy []*Order[LoyaltyPolicyOrderField], page Page) (*Connection[LoyaltyPolicy], error) {
	return list(ctx, LoyaltyPolicies, where, loyaltyPolicyOrder, orderBy, page)
}

// LoyaltyPolicyAt returns the policy that holds for a channel at a time, now when nil: the
// channel's own, else that of all channels; nil when there is none. Within a request it is read
// once. Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) LoyaltyPolicyAt(ctx context.Context, channel *string, at *time.Time) (*LoyaltyPolicy, error) {
	s, err := begin(ctx, LoyaltyView)
	if err != nil {
		return nil, err
	}
	var p problems
	channel, at = p.channel("channel", channel), p.instant("at", at)
	if err := p.err(); err != nil {
		return nil, err
	}
	return s.policyLoader().Load(ctx, policyKey{deref(channel), *valueAt(at, &s.now)})()
}

// policyKey names a policy by what it holds for.
type policyKey struct {
	channel string
	at      time.Time
}

func (s *session) policyLoader() *loader[policyKey, *LoyaltyPolicy] {
	return loaderOf(s, policyKey{}, func(s *session, keys []policyKey) (map[policyKey]*LoyaltyPolicy, error) {
		statements := make([]statement, len(keys))
		read := make([]**LoyaltyPolicy, len(keys))
		for i, k := range keys {
			statements[i], read[i] = s.policyAt(&k.channel, k.at)
		}
		if err := s.send(s.ctx, statements...); err != nil {
			return nil, err
		}
		found := make(map[policyKey]*LoyaltyPolicy, len(keys))
		for i, k := range keys {
			found[k] = *read[i]
		}
		return found, nil
	})
}

func valueAt(at, none *time.Time) *time.Time {
	if at == nil {
		return none
	}
	return at
}

// LoyaltyPolicySet is a new version of the programme's rules.
type LoyaltyPolicySet struct {
	Version            string  // 1 to 64 of the characters A-Z a-z 0-9 . _ -, unique in the tenant
	Channel            *string // nil = all channels without a policy of their own
	Currency           *string // ISO 4217
	PointsPerUnit      string  // decimal, 0 to 1,000,000, for each major unit of money
	Rounding           *LoyaltyRounding
	PendingDays        *int                 // 0 to 3650
	ChannelMultipliers []*ChannelMultiplier // at most 50
	RedeemMode         LoyaltyRedeemMode
	RedeemValue        *MoneyInput
	BlockSize          *int64 // of BLOCK, and needed there
	MinPoints          *int64
	MaxPointsPerOrder  *int64
	ExpireAfterDays    *int       // 1 to 36500
	EffectiveFrom      *time.Time // now when nil
	EffectiveTo        *time.Time // after EffectiveFrom
}

// SetLoyaltyPolicy adds a version of the programme's rules, which ends the one before of the
// same channel when it begins. IfRevision is that of the channel's newest version, and needed
// once there is one (G3N 51).
// Errors: as perform, Invalid, PreconditionRequired, Stale, Conflict (VersionExists).
func (st *Store) SetLoyaltyPolicy(ctx context.Context, in LoyaltyPolicySet, w Write) (*LoyaltyPolicy, error) {
	var row LoyaltyPolicy
	check := func(p *problems) { row = in.check(p, st.Now()) }
	op := operation{"loyaltyPolicySet", []Permission{LoyaltyPolicyEdit}}
	return perform(ctx, op, w, &in, check, func(ctx context.Context, c *change) (*LoyaltyPolicy, error) {
		c.oneAtATime("loyalty policies")
		if err := c.flush(ctx); err != nil {
			return nil, err
		}
		made := row
		newest, err := find(ctx, c, LoyaltyPolicies, "t.channel = $2 ORDER BY t.number DESC LIMIT 1", made.ChannelCode)
		if err != nil {
			return nil, err
		}
		made.Number = 1
		if len(newest) > 0 {
			last := newest[0]
			if c.write.IfRevision == nil {
				return nil, &Error{Code: PreconditionRequired, Field: "ifRevision", Message: "the revision of the channel's newest version is needed"}
			}
			if err := c.expected(last, last.Number); err != nil {
				return nil, err
			}
			made.Number = last.Number + 1
		}
		made.EffectiveTo = made.EndsAt
		insert(c, LoyaltyPolicies, &made)
		c.event(Event{Type: LoyaltyPolicyWasSet, RecordType: LoyaltyPolicies.name, RecordID: made.ID, RevisionAfter: &made.Number},
			map[string]any{"version": made.Version})
		return &made, nil
	})
}

// maxFactor and the other bounds of policies.
const (
	maxRate        = 1_000_000
	maxFactor      = 1_000
	maxMultipliers = 50
	maxPendingDays = 3_650
	maxExpiryDays  = 36_500
)

// check checks a new version and returns its row.
func (in *LoyaltyPolicySet) check(p *problems, now time.Time) LoyaltyPolicy {
	row := LoyaltyPolicy{
		ChannelCode: deref(p.channel("input.channel", in.Channel)), Currency: p.currency("input.currency", in.Currency),
		PointsPerUnit: in.PointsPerUnit, Rounding: RoundFloor, PendingDays: deref(in.PendingDays),
		RedeemMode: in.RedeemMode, BlockSize: in.BlockSize, MinPoints: in.MinPoints, MaxPointsPerOrder: in.MaxPointsPerOrder,
		ExpireAfterDays: in.ExpireAfterDays, EffectiveFrom: now.Truncate(time.Microsecond), EndsAt: p.instant("input.effectiveTo", in.EffectiveTo),
	}
	if version := p.matching("input.version", &in.Version, versionPattern, "a version has 1 to 64 of the characters A-Z a-z 0-9 . _ - and starts with a letter or digit"); version != nil {
		row.Version = *version
	} else {
		p.add("input.version", "a value is required")
	}
	p.factor("input.pointsPerUnit", in.PointsPerUnit, maxRate)
	if in.Rounding != nil {
		word(p, "input.rounding", *in.Rounding, RoundFloor, RoundNearest, RoundCeil)
		row.Rounding = *in.Rounding
	}
	p.days("input.pendingDays", in.PendingDays, 0, maxPendingDays)
	p.days("input.expireAfterDays", in.ExpireAfterDays, 1, maxExpiryDays)
	in.checkMultipliers(p)
	row.ChannelMultipliers = in.ChannelMultipliers
	in.checkRedeeming(p, &row)
	if from := p.instant("input.effectiveFrom", in.EffectiveFrom); from != nil {
		row.EffectiveFrom = *from
	}
	if row.EndsAt != nil && !row.EndsAt.After(row.EffectiveFrom) {
		p.add("input.effectiveTo", "a policy ends after it began")
	}
	return row
}

func (in *LoyaltyPolicySet) checkMultipliers(p *problems) {
	given := in.ChannelMultipliers
	in.ChannelMultipliers = []*ChannelMultiplier{}
	if p.atMost("input.channelMultipliers", len(given), maxMultipliers); len(given) > maxMultipliers {
		return
	}
	for i, m := range given {
		field := indexed("input.channelMultipliers", i)
		if m == nil {
			p.add(field, "a value is required")
			continue
		}
		kept := &ChannelMultiplier{Channel: *p.channel(field+".channel", &m.Channel), Factor: m.Factor}
		p.factor(field+".factor", m.Factor, maxFactor)
		if slices.ContainsFunc(in.ChannelMultipliers, func(o *ChannelMultiplier) bool { return o.Channel == kept.Channel }) {
			p.add(field+".channel", "the channel is listed twice")
		}
		in.ChannelMultipliers = append(in.ChannelMultipliers, kept)
	}
}

func (in *LoyaltyPolicySet) checkRedeeming(p *problems, row *LoyaltyPolicy) {
	word(p, "input.redeemMode", in.RedeemMode, RedeemPerPoint, RedeemInBlocks)
	if in.RedeemValue != nil {
		value := p.money("input.redeemValue", *in.RedeemValue)
		row.RedeemValueMinor, row.RedeemCurrency = &value.Minor, &value.Currency
		if row.Currency != nil && value.Currency != "" && *row.Currency != value.Currency {
			p.add("input.redeemValue.currency", "the programme is in %s", *row.Currency)
		}
	}
	p.pointCount("input.blockSize", in.BlockSize)
	p.pointCount("input.minPoints", in.MinPoints)
	p.pointCount("input.maxPointsPerOrder", in.MaxPointsPerOrder)
	if (in.RedeemMode == RedeemInBlocks) != (in.BlockSize != nil) {
		p.add("input.blockSize", "the size of a block is given for the mode BLOCK, and only there")
	}
	if in.MinPoints != nil && in.MaxPointsPerOrder != nil && *in.MinPoints > *in.MaxPointsPerOrder {
		p.add("input.maxPointsPerOrder", "the most that can be redeemed is not less than the least")
	}
}

// days checks a number of days that may be absent.
func (p *problems) days(field string, value *int, least, most int) {
	if value != nil && (*value < least || *value > most) {
		p.add(field, "a number of days from %d to %d is needed", least, most)
	}
}

// pointCount checks a number of points that may be absent.
func (p *problems) pointCount(field string, value *int64) *int64 {
	if value != nil && (*value < 1 || *value > maxAmount) {
		p.add(field, "a number of points from 1 to %d is needed", int64(maxAmount))
	}
	return value
}

// currency checks an ISO 4217 code that may be absent.
func (p *problems) currency(field string, value *string) *string {
	if value != nil && !currency.IsValid(*value) {
		p.add(field, "a currency is an ISO 4217 code such as EUR")
	}
	return value
}
