package crm_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/govalues/decimal"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

func TestTierFor(t *testing.T) {
	t.Parallel()
	for revenue, want := range map[string]crm.AccountTier{
		"0": crm.TierStandard, "49999.999": crm.TierStandard, "50000": crm.TierBronze, "99999.99": crm.TierBronze,
		"100000": crm.TierSilver, "249999.99": crm.TierSilver, "250000": crm.TierGold, "250000.00": crm.TierGold,
		"499999.99": crm.TierGold, "500000": crm.TierPlatinum, "999999.99": crm.TierPlatinum, "1000000": crm.TierEnterprise,
		"9007199254740991": crm.TierEnterprise, "-1": crm.TierStandard,
	} {
		t.Run(revenue+" is "+string(want), func(t *testing.T) {
			t.Parallel()
			level, _ := crm.TierFor(decimal.MustParse(revenue))
			require.Equal(t, want, level)
		})
	}
}

func (s *said) resolve(t *testing.T, party *crm.Party, in crm.TierResolve) *crm.TierResolution {
	t.Helper()
	r, err := s.store.ResolveTier(s.admin(t), party.NodeID(), in, crm.Write{})
	require.NoError(t, err)
	return r
}

// last is the newest event of a party.
func (s *said) last(t *testing.T, p *crm.Party) *crm.Event {
	t.Helper()
	page, err := crm.PartyEvents.Load(s.admin(t), p, crm.WholeList())
	require.NoError(t, err)
	return page.Nodes()[0]
}

func TestResolveTier(t *testing.T) {
	t.Parallel()
	s := newSaid(t)

	t.Run("never resolved is STANDARD, by the system, since the party was made", func(t *testing.T) {
		t.Parallel()
		p := s.find(t, s.individual(t, "New").NodeID())
		require.Equal(t, &crm.Tier{Level: crm.TierStandard, AssignedAt: p.CreatedAt, AssignedBy: "system"}, p.Tier())
		require.Equal(t, "Standard Tier", p.Tier().DisplayName())
	})

	t.Run("a revenue gives its tier, which is applied", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Gold")
		r := s.resolve(t, p, crm.TierResolve{AnnualRevenue: new("250000"), ActiveContractCount: new(2), AccountAgeMonths: new(13)})
		require.Equal(t, crm.TierStandard, r.CurrentTier)
		require.Equal(t, crm.TierGold, r.RecommendedTier)
		require.True(t, r.TierApplied)
		require.False(t, r.ManualOverrideActive)
		require.Equal(t, "250000", r.TierScore)
		require.Contains(t, r.ResolutionReason, "2")
		require.Contains(t, r.ResolutionReason, "13 months")
		got := s.find(t, p.NodeID())
		require.Equal(t, p.Revision+1, got.Revision)
		require.Equal(t, crm.TierGold, got.Tier().Level)
		require.Equal(t, "Gold Tier", got.Tier().DisplayName())
		require.Equal(t, "test", got.Tier().AssignedBy)
		require.True(t, got.Tier().AssignedAt.Equal(crmtest.Today()))
		require.Equal(t, "250000", *got.Tier().AnnualRevenue)
		require.Equal(t, []int{2, 13}, []int{*got.ActiveContracts, *got.AccountAgeMonths})
		e := s.last(t, p)
		require.Equal(t, crm.AccountTierChanged, e.Type)
		require.JSONEq(t, `{"from": "STANDARD", "to": "GOLD"}`, string(e.Details))
	})

	t.Run("contracts and age change nothing of the tier", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Old")
		r := s.resolve(t, p, crm.TierResolve{ActiveContractCount: new(1000), AccountAgeMonths: new(1000)})
		require.Equal(t, crm.TierStandard, r.RecommendedTier)
		require.Equal(t, "0", r.TierScore)
	})

	t.Run("without a revenue the last stored one counts", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Stored")
		s.resolve(t, p, crm.TierResolve{AnnualRevenue: new("123456.789")})
		r := s.resolve(t, p, crm.TierResolve{})
		require.Equal(t, "123456.789", r.TierScore)
		require.Equal(t, crm.TierSilver, r.RecommendedTier)
	})

	t.Run("a tier that stays keeps since when and by whom, and is a write all the same", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Steady")
		s.resolve(t, p, crm.TierResolve{AnnualRevenue: new("300000")})
		later := crmtest.Store(t, s.url)
		later.Now = func() time.Time { return crmtest.Today().Add(time.Hour) }
		ctx, _ := crmtest.As(t, later, "demo", "admin")
		r, err := later.ResolveTier(ctx, p.NodeID(), crm.TierResolve{AnnualRevenue: new("400000")}, crm.Write{})
		require.NoError(t, err)
		require.True(t, r.TierApplied)
		got := s.find(t, p.NodeID())
		require.Equal(t, p.Revision+2, got.Revision)
		require.True(t, got.Tier().AssignedAt.Equal(crmtest.Today()))
		require.Equal(t, "400000", *got.Tier().AnnualRevenue)
		require.Equal(t, crm.PartyUpdated, s.last(t, p).Type)
	})

	t.Run("a lower revenue gives a lower tier", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Falling")
		s.resolve(t, p, crm.TierResolve{AnnualRevenue: new("1000000")})
		r := s.resolve(t, p, crm.TierResolve{AnnualRevenue: new("50000")})
		require.Equal(t, crm.TierEnterprise, r.CurrentTier)
		require.Equal(t, crm.TierBronze, s.find(t, p.NodeID()).Tier().Level)
	})

	t.Run("computing only writes nothing", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Asked")
		made := s.last(t, p).ID
		r := s.resolve(t, p, crm.TierResolve{AnnualRevenue: new("500000"), ActiveContractCount: new(1), Apply: new(false), Force: true})
		require.Equal(t, crm.TierPlatinum, r.RecommendedTier)
		require.False(t, r.TierApplied)
		require.Equal(t, s.find(t, p.NodeID()).Revision, r.Party.Revision)
		got := s.find(t, p.NodeID())
		require.Equal(t, p.Revision, got.Revision)
		require.Equal(t, crm.TierStandard, got.Tier().Level)
		require.Nil(t, got.AnnualRevenue)
		require.Equal(t, made, s.last(t, p).ID)
	})

	t.Run("a choice by hand stays without force, and the revenue is not stored", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Manual")
		set, err := s.store.SetTier(s.admin(t), p.NodeID(), crm.TierSet{Level: crm.TierPlatinum, Note: new(" friend of the house ")}, crm.Write{IfRevision: &p.Revision})
		require.NoError(t, err)
		require.Equal(t, "friend of the house", *set.Tier().Note)
		r := s.resolve(t, p, crm.TierResolve{AnnualRevenue: new("50000")})
		require.Equal(t, crm.TierPlatinum, r.CurrentTier)
		require.Equal(t, crm.TierBronze, r.RecommendedTier)
		require.False(t, r.TierApplied)
		require.True(t, r.ManualOverrideActive)
		got := s.find(t, p.NodeID())
		require.Equal(t, set.Revision, got.Revision)
		require.True(t, got.Tier().IsManual)
		require.Nil(t, got.AnnualRevenue)
	})

	t.Run("force computes the tier anew and ends the choice by hand", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Forced")
		_, err := s.store.SetTier(s.admin(t), p.NodeID(), crm.TierSet{Level: crm.TierPlatinum, Note: new("n")}, crm.Write{})
		require.NoError(t, err)
		r := s.resolve(t, p, crm.TierResolve{AnnualRevenue: new("50000"), Force: true})
		require.True(t, r.TierApplied)
		require.False(t, r.ManualOverrideActive)
		got := s.find(t, p.NodeID()).Tier()
		require.Equal(t, crm.TierBronze, got.Level)
		require.False(t, got.IsManual)
		require.Nil(t, got.Note)
	})

	t.Run("who may only see computes, and is refused when asking to apply", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Viewed")
		viewer := func(in crm.TierResolve) (*crm.TierResolution, error) {
			ctx, _ := crmtest.As(t, s.store, "demo", "viewer")
			return s.store.ResolveTier(ctx, p.NodeID(), in, crm.Write{})
		}
		r, err := viewer(crm.TierResolve{AnnualRevenue: new("50000")})
		require.NoError(t, err)
		require.False(t, r.TierApplied)
		require.Equal(t, crm.TierBronze, r.RecommendedTier)
		_, err = viewer(crm.TierResolve{Apply: new(true)})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		ctx, _ := crmtest.With(t, s.store, "demo", crm.PartyEdit)
		_, err = s.store.ResolveTier(ctx, p.NodeID(), crm.TierResolve{}, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err), "computing needs the permission to see")
		_, err = s.store.ResolveTier(s.store.Begin(t.Context()), p.NodeID(), crm.TierResolve{}, crm.Write{})
		require.Equal(t, crm.Unauthenticated, crm.CodeOf(err))
		require.Equal(t, p.Revision, s.find(t, p.NodeID()).Revision)
	})

	t.Run("the same key applies once", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Keyed")
		w := crm.Write{IdempotencyKey: new("tier-1")}
		in := crm.TierResolve{AnnualRevenue: new("50000.10")}
		first, err := s.store.ResolveTier(s.admin(t), p.NodeID(), in, w)
		require.NoError(t, err)
		again, err := s.store.ResolveTier(s.admin(t), p.NodeID(), in, w)
		require.NoError(t, err)
		require.Equal(t, first.CurrentTier, again.CurrentTier)
		require.Equal(t, "50000.10", again.TierScore)
		require.Equal(t, first.Party.Revision, s.find(t, p.NodeID()).Revision)
	})

	t.Run("a revenue is an exact decimal from 0 to 2^53-1", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Exact")
		for _, good := range []string{"0", "0.001", " 9007199254740991 ", "9007199254740990.999", "000250000"} {
			r := s.resolve(t, p, crm.TierResolve{AnnualRevenue: &good})
			require.Equal(t, r.TierScore, *s.find(t, p.NodeID()).Tier().AnnualRevenue, good)
		}
		for _, bad := range []string{"-1", "-0.5", "+1", "1e3", "9007199254740992", "9007199254740991.001", "0.0001", "1,5", ".5", "5.", "NaN", "Infinity", "0x10", "1_000", "ten", "1\x00", "٣"} {
			_, err := s.store.ResolveTier(s.admin(t), p.NodeID(), crm.TierResolve{AnnualRevenue: &bad}, crm.Write{})
			require.Contains(t, fields(t, err), "input.annualRevenue", bad)
		}
	})

	t.Run("counts are not negative, and all that is wrong is told at once", func(t *testing.T) {
		t.Parallel()
		_, err := s.store.ResolveTier(s.admin(t), "acc_1", crm.TierResolve{AnnualRevenue: new("-1"), ActiveContractCount: new(-1), AccountAgeMonths: new(1 << 31)}, crm.Write{})
		require.Equal(t, []string{"partyId", "input.annualRevenue", "input.activeContractCount", "input.accountAgeMonths"}, fields(t, err))
	})

	t.Run("an organisation has a tier as well", func(t *testing.T) {
		t.Parallel()
		r := s.resolve(t, s.party, crm.TierResolve{AnnualRevenue: new("0"), Apply: new(false)})
		require.Equal(t, s.party.Tier().Level, r.CurrentTier)
	})
}

func TestSetTier(t *testing.T) {
	t.Parallel()
	s := newSaid(t)

	t.Run("a tier chosen by hand is told with who and when", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Chosen")
		_, err := s.store.SetTier(s.admin(t), p.NodeID(), crm.TierSet{Level: crm.TierSilver}, crm.Write{IfRevision: &p.Revision})
		require.NoError(t, err)
		got := s.find(t, p.NodeID())
		require.Equal(t, p.Revision+1, got.Revision)
		require.Equal(t, crm.TierSilver, got.Tier().Level)
		require.Equal(t, "test", got.Tier().AssignedBy)
		require.True(t, got.Tier().IsManual)
		require.Equal(t, crm.AccountTierChanged, s.last(t, p).Type)
	})

	t.Run("the tier that it has by hand is a choice, but no change of the tier", func(t *testing.T) {
		t.Parallel()
		p := s.find(t, s.individual(t, "Same").NodeID())
		_, err := s.store.SetTier(s.admin(t), p.NodeID(), crm.TierSet{Level: crm.TierStandard}, crm.Write{})
		require.NoError(t, err)
		got := s.find(t, p.NodeID())
		require.True(t, got.Tier().IsManual)
		require.Equal(t, p.Tier().AssignedAt, got.Tier().AssignedAt)
		require.Equal(t, crm.PartyUpdated, s.last(t, p).Type)
	})

	t.Run("clearing the choice keeps the tier until it is computed again", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Cleared")
		set, err := s.store.SetTier(s.admin(t), p.NodeID(), crm.TierSet{Level: crm.TierSilver, Note: new("n")}, crm.Write{})
		require.NoError(t, err)
		cleared, err := s.store.ClearManualTier(s.admin(t), p.NodeID(), crm.Write{IfRevision: &set.Revision})
		require.NoError(t, err)
		require.Equal(t, crm.TierSilver, cleared.Tier().Level)
		require.False(t, cleared.Tier().IsManual)
		require.Nil(t, cleared.Tier().Note)
		require.True(t, s.resolve(t, p, crm.TierResolve{}).TierApplied)
		require.Equal(t, crm.TierStandard, s.find(t, p.NodeID()).Tier().Level)
	})

	t.Run("an unknown tier and a long note are refused", func(t *testing.T) {
		t.Parallel()
		_, err := s.store.SetTier(s.admin(t), "x", crm.TierSet{Level: "DIAMOND", Note: new(strings.Repeat("n", 1001))}, crm.Write{})
		require.Equal(t, []string{"partyId", "input.level", "input.note"}, fields(t, err))
	})

	t.Run("it takes the permission to edit", func(t *testing.T) {
		t.Parallel()
		ctx, _ := crmtest.As(t, s.store, "demo", "viewer")
		_, err := s.store.SetTier(ctx, s.party.NodeID(), crm.TierSet{Level: crm.TierGold}, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		_, err = s.store.ClearManualTier(ctx, s.party.NodeID(), crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})

	t.Run("another revision is STALE, with the party as it is stored", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Stale")
		_, err := s.store.SetTier(s.admin(t), p.NodeID(), crm.TierSet{Level: crm.TierGold}, crm.Write{IfRevision: new(p.Revision + 1)})
		require.Equal(t, crm.Stale, crm.CodeOf(err))
		e, _ := errors.AsType[*crm.Error](err)
		require.Equal(t, p.Revision, e.Current.(*crm.Party).Revision)
	})

	t.Run("a merged or deactivated party is refused, also for computing", func(t *testing.T) {
		t.Parallel()
		page, err := s.store.Parties(s.admin(t), &crm.PartyWhere{Status: &crm.EnumFilter[crm.PartyStatus]{Eq: new(crm.PartyMerged)}}, nil, crm.WholeList())
		require.NoError(t, err)
		gone := s.individual(t, "Gone")
		_, err = s.store.DeactivateParty(s.admin(t), gone.NodeID(), crm.Write{})
		require.NoError(t, err)
		for id, want := range map[string]crm.Reason{page.Nodes()[0].NodeID(): crm.MergedParty, gone.NodeID(): crm.InvalidState} {
			_, err := s.store.SetTier(s.admin(t), id, crm.TierSet{Level: crm.TierGold}, crm.Write{IfRevision: new(int64(77))})
			require.Equal(t, []crm.Reason{want}, reasons(err))
			_, err = s.store.ClearManualTier(s.admin(t), id, crm.Write{})
			require.Equal(t, []crm.Reason{want}, reasons(err))
			_, err = s.store.ResolveTier(s.admin(t), id, crm.TierResolve{Apply: new(false)}, crm.Write{})
			require.Equal(t, []crm.Reason{want}, reasons(err))
		}
		_, err = s.store.ResolveTier(s.admin(t), "pty_018f0000-0000-7000-8000-000000000000", crm.TierResolve{}, crm.Write{})
		require.Equal(t, crm.NotFound, crm.CodeOf(err))
	})

	t.Run("of many choices of the same revision at once one wins", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Contested")
		errs := together(t, s.store, func(ctx context.Context, i int) error {
			_, err := s.store.SetTier(ctx, p.NodeID(), crm.TierSet{Level: crm.TierGold, Note: new(strconv.Itoa(i))}, at(p.Revision))
			return err
		})
		require.Equal(t, 1, successes(errs))
		for _, err := range errs {
			if err != nil {
				require.Equal(t, crm.Stale, crm.CodeOf(err))
			}
		}
		require.Equal(t, p.Revision+1, s.find(t, p.NodeID()).Revision)
	})
}
