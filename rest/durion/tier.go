package durion

import (
	"context"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"

	"crmgraph/crm"
	"crmgraph/rest"
)

// resolvedTier is the ResolveAccountTierResponse (Durion D-12).
type resolvedTier struct {
	CurrentTier          crm.AccountTier `json:"currentTier"` // before
	RecommendedTier      crm.AccountTier `json:"recommendedTier"`
	TierApplied          bool            `json:"tierApplied"`
	ManualOverrideActive bool            `json:"manualOverrideActive"`
	ResolutionReason     string          `json:"resolutionReason"`
	TierScore            json.Number     `json:"tierScore"`
}

// resolveTier is D-12.
func (d *door) resolveTier(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	b := r.Body
	party := globalID("pty", b.Required("partyId", "accountId"))
	in := crm.TierResolve{
		AnnualRevenue:       decimal(r, "input.annualRevenue", "annualRevenue"),
		ActiveContractCount: b.Int("input.activeContractCount", "activeContractCount"),
		AccountAgeMonths:    b.Int("input.accountAgeMonths", "accountAgeMonths"),
		Apply:               b.Bool("input.apply", "applyTier"),
	}
	if force := b.Bool("input.force", "forceRecalculation"); force != nil {
		in.Force = *force
	}
	done, err := d.store.ResolveTier(ctx, party, in, crm.Write{})
	if err != nil {
		return nil, err
	}
	return rest.OK(resolvedTier{
		CurrentTier: done.CurrentTier, RecommendedTier: done.RecommendedTier, TierApplied: done.TierApplied,
		ManualOverrideActive: done.ManualOverrideActive, ResolutionReason: done.ResolutionReason, TierScore: json.Number(done.TierScore),
	}), nil
}

// decimal reads a number without loss, as the plain text that the domain takes. Writers of JSON may
// use exponents: 2.5E+5.
func decimal(r *rest.Request, domain, name string) *string {
	path, v, ok := r.Body.Value(domain, name)
	if !ok {
		return nil
	}
	plain, fits := plainDecimal(v.Text)
	if v.Kind != rest.Number || !fits {
		r.Refuse("", path, "a number from 0 to 9007199254740991 with at most three decimals is needed")
		return nil
	}
	return &plain
}

// plainDecimal writes a JSON number without an exponent, and without zeros that say nothing. Numbers
// far from any that counts do not fit.
func plainDecimal(number string) (plain string, fits bool) {
	const mostDigits, mostExponent = 64, 32
	_, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	if e, err := strconv.Atoi(exponent); len(number) > mostDigits || exponent != "" && (err != nil || e < -mostExponent || e > mostExponent) {
		return "", false
	}
	value, ok := new(big.Rat).SetString(number)
	if !ok {
		return "", false
	}
	plain = value.FloatString(mostDigits + mostExponent)
	return strings.TrimSuffix(strings.TrimRight(plain, "0"), "."), true
}

// accountTier is the tier of an account (Durion D-13).
type accountTier struct {
	AccountID       string          `json:"accountId"`
	Tier            crm.AccountTier `json:"tier"`
	TierDisplayName string          `json:"tierDisplayName"`
	TierAssignedAt  instant         `json:"tierAssignedAt"`
	TierAssignedBy  string          `json:"tierAssignedBy"`
	Notes           string          `json:"notes,omitempty"`
	ManualOverride  bool            `json:"manualOverride"`
}

// getTier is D-13.
func (d *door) getTier(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	party, err := d.store.PartyInUse(ctx, globalID("pty", r.Var("accountId", "id")))
	if err != nil {
		return nil, err
	}
	tier := party.Tier()
	return rest.OK(accountTier{
		AccountID: party.ID.String(), Tier: tier.Level, TierDisplayName: tier.DisplayName(), TierAssignedAt: instant(tier.AssignedAt),
		TierAssignedBy: tier.AssignedBy, Notes: text(tier.Note), ManualOverride: tier.IsManual,
	}), nil
}
