package crm

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/google/uuid"
	"github.com/govalues/decimal"
)

// tiers are the tiers with the least yearly revenue of each, highest first (Durion 3.11).
var tiers = []struct {
	level AccountTier
	least decimal.Decimal
}{
	{TierEnterprise, decimal.MustNew(1_000_000, 0)},
	{TierPlatinum, decimal.MustNew(500_000, 0)},
	{TierGold, decimal.MustNew(250_000, 0)},
	{TierSilver, decimal.MustNew(100_000, 0)},
	{TierBronze, decimal.MustNew(50_000, 0)},
	{TierStandard, decimal.Zero},
}

// TierFor is the tier of a yearly revenue, with the least revenue it takes.
func TierFor(revenue decimal.Decimal) (AccountTier, decimal.Decimal) {
	for _, t := range tiers {
		if revenue.Cmp(t.least) >= 0 {
			return t.level, t.least
		}
	}
	return TierStandard, decimal.Zero
}

// TierResolve is what a tier is computed from (Durion D-12).
type TierResolve struct {
	// AnnualRevenue is exact, from 0 to 9007199254740991 with at most three decimals, in the
	// tenant's own money; the last stored one when absent, else 0.
	AnnualRevenue       *string
	ActiveContractCount *int  // not negative; recorded, counts for nothing
	AccountAgeMonths    *int  // not negative; recorded, counts for nothing
	Apply               *bool // whether to persist; when absent, whether the caller may
	Force               bool  // persists although a person chose the tier, and ends that choice
}

// TierResolution is what came of computing a tier.
type TierResolution struct {
	CurrentTier          AccountTier // before
	RecommendedTier      AccountTier
	TierApplied          bool // whether it was persisted
	ManualOverrideActive bool // whether a person's choice stands, after it
	ResolutionReason     string
	TierScore            string // decimal: the revenue that it was computed from
	Party                *Party
}

var revenuePattern = regexp.MustCompile(`^[0-9]{1,16}(\.[0-9]{1,3})?$`)

var maxRevenue = decimal.MustNew(1<<53-1, 0)

// revenue checks an amount of money, and returns it without loss.
func (p *problems) revenue(field string, text *string) *decimal.Decimal {
	if text == nil {
		return nil
	}
	if text = p.text(field, text, 64); text == nil {
		p.add(field, "a value is required")
		return nil
	}
	amount, err := decimal.Parse(*text)
	if err != nil || !revenuePattern.MatchString(*text) || amount.Cmp(maxRevenue) > 0 {
		p.add(field, "a revenue is a number from 0 to %s with at most three decimals", maxRevenue)
		return nil
	}
	return &amount
}

// notNegative checks a count that Postgres keeps in an integer.
func (p *problems) notNegative(field string, n *int) {
	if n != nil && (*n < 0 || *n > 1<<31-1) {
		p.add(field, "the value must be between 0 and %d", 1<<31-1)
	}
}

// ResolveTier computes the tier of a party of either kind from its revenue, and persists it
// if asked to, unless a person chose the tier and force is not given. The revenue is stored
// only then. Computing takes PartyView, persisting PartyEdit as well.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (PartyMerged, InvalidState).
func (*Store) ResolveTier(ctx context.Context, partyID string, in TierResolve, w Write) (*TierResolution, error) {
	op := operation{"tierResolve", []Permission{PartyView}}
	persist := in.Apply != nil && *in.Apply
	if principal, known := PrincipalFrom(ctx); in.Apply == nil && known {
		persist = principal.Permissions.Has(PartyEdit)
	}
	if persist {
		op.need = append(op.need, PartyEdit)
	}
	var id uuid.UUID
	var revenue *decimal.Decimal
	check := func(p *problems) {
		id = Parties.id(p, "partyId", partyID)
		revenue = p.revenue("input.annualRevenue", in.AnnualRevenue)
		p.notNegative("input.activeContractCount", in.ActiveContractCount)
		p.notNegative("input.accountAgeMonths", in.AccountAgeMonths)
	}
	return perform(ctx, op, w, []any{partyID, &in, persist}, check, func(ctx context.Context, c *change) (*TierResolution, error) {
		p, err := c.tierTarget(ctx, id)
		if err != nil {
			return nil, err
		}
		r := p.party.resolve(revenue, &in)
		if !persist || p.party.TierIsManual && !in.Force {
			return r, nil
		}
		r.TierApplied, r.ManualOverrideActive = true, false
		if p.party.TierIsManual {
			p.party.TierIsManual, p.party.TierNote = false, nil
		}
		if revenue != nil {
			p.party.AnnualRevenue = revenue
		}
		if in.ActiveContractCount != nil {
			p.party.ActiveContracts = in.ActiveContractCount
		}
		if in.AccountAgeMonths != nil {
			p.party.AccountAgeMonths = in.AccountAgeMonths
		}
		c.assignTier(p, r.RecommendedTier)
		return r, nil
	})
}

// tierTarget locks a party whose tier can be told. Unlike target it tells of a merge first:
// whoever asks for a merged party is to be led to its survivor, whatever revision was seen.
func (c *change) tierTarget(ctx context.Context, id uuid.UUID) (*profile, error) {
	p, err := c.profile(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := p.editable("partyId"); err != nil {
		return nil, err
	}
	return p, c.expected(p.party, p.party.Revision)
}

// resolve computes the tier of a party, with nothing applied.
func (p *Party) resolve(revenue *decimal.Decimal, in *TierResolve) *TierResolution {
	score, origin := decimal.Zero, "no revenue is known"
	switch {
	case revenue != nil:
		score, origin = *revenue, "the given yearly revenue is "+revenue.String()
	case p.AnnualRevenue != nil:
		score, origin = *p.AnnualRevenue, "the stored yearly revenue is "+p.AnnualRevenue.String()
	}
	level, least := TierFor(score)
	reason := []string{fmt.Sprintf("%s; %s starts at %s", origin, level, least)}
	if n := in.ActiveContractCount; n != nil {
		reason = append(reason, fmt.Sprintf("the number of active contracts, %d, counts for nothing", *n))
	}
	if n := in.AccountAgeMonths; n != nil {
		reason = append(reason, fmt.Sprintf("the age of %d months counts for nothing", *n))
	}
	current := p.Tier().Level
	if p.TierIsManual && !in.Force {
		reason = append(reason, fmt.Sprintf("%s was chosen by a person and stays", current))
	}
	return &TierResolution{
		CurrentTier: current, RecommendedTier: level, ManualOverrideActive: p.TierIsManual,
		ResolutionReason: strings.Join(reason, "; "), TierScore: score.String(), Party: p,
	}
}

// assignTier queues a locked party with a tier. Since when and by whom change with the tier
// only.
func (c *change) assignTier(p *profile, level AccountTier) {
	kind, details := PartyUpdated, map[string]any(nil)
	if before := p.party.Tier().Level; before != level {
		kind, details = AccountTierChanged, map[string]any{"from": before, "to": level}
		p.party.TierLevel, p.party.TierAssignedAt, p.party.TierAssignedBy = &level, &c.now, &c.actor
	}
	c.saved(kind, p, details)
}

// TierSet is a tier that a person chooses against the revenue.
type TierSet struct {
	Level AccountTier
	Note  *string // at most 1000 characters
}

// SetTier overrides the tier of a party of either kind by hand. It stays until it is forced
// or its override is cleared.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (PartyMerged, InvalidState).
func (*Store) SetTier(ctx context.Context, partyID string, in TierSet, w Write) (*Party, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = Parties.id(p, "partyId", partyID)
		word(p, "input.level", in.Level, TierStandard, TierBronze, TierSilver, TierGold, TierPlatinum, TierEnterprise)
		in.Note = p.text("input.note", in.Note, 1000)
	}
	op := operation{"tierSet", []Permission{PartyEdit}}
	return perform(ctx, op, w, []any{partyID, &in}, check, func(ctx context.Context, c *change) (*Party, error) {
		p, err := c.tierTarget(ctx, id)
		if err != nil {
			return nil, err
		}
		p.party.TierIsManual, p.party.TierNote = true, in.Note
		c.assignTier(p, in.Level)
		return p.party, nil
	})
}

// ClearManualTier ends what [Store.SetTier] began: the tier stays as it is until it is
// computed again.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (PartyMerged, InvalidState).
func (*Store) ClearManualTier(ctx context.Context, partyID string, w Write) (*Party, error) {
	var id uuid.UUID
	check := func(p *problems) { id = Parties.id(p, "partyId", partyID) }
	op := operation{"tierManualClear", []Permission{PartyEdit}}
	return perform(ctx, op, w, partyID, check, func(ctx context.Context, c *change) (*Party, error) {
		p, err := c.tierTarget(ctx, id)
		if err != nil {
			return nil, err
		}
		p.party.TierIsManual, p.party.TierNote = false, nil
		c.assignTier(p, p.party.Tier().Level)
		return p.party, nil
	})
}
