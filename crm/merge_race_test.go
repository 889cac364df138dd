package crm_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// All or nothing: one of many losers that cannot be merged leaves all as they were.
func TestMergeIsAllOrNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b, c, d := w.person(t, "Stays"), w.person(t, "Good"), w.person(t, "Merged"), w.person(t, "Else")
	w.merge(t, d, c)
	before := w.rows(t)
	_, err := w.store.MergeParties(w.admin(t), partyOf(a), mergeOf(b, c), crm.Write{})
	require.Equal(t, partyOf(d), refused(t, err, crm.Conflict, crm.MergedParty, "input.loserIds[1]").Related)
	require.Equal(t, before, w.rows(t))
}

func TestMergeOfTwentyLosers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	survivor := w.newcomer(t, crm.CustomerCreate{FirstName: new("Survivor")})
	losers := make([]*crm.Customer, 20)
	for i := range losers {
		losers[i] = w.newcomer(t, crm.CustomerCreate{LastName: new(fmt.Sprintf("Loser %d", i)), Email: new(fmt.Sprintf("loser%d@example.org", i)), Addresses: []*crm.Address{quay()}})
		w.owns(t, losers[i].ID, crm.Owner)
	}
	ctx := w.admin(t)
	result, err := w.store.MergeParties(ctx, partyOf(survivor), mergeOf(losers...), crm.Write{})
	require.NoError(t, err)
	require.Equal(t, &crm.MergeCounts{Vehicles: 20}, result.Merge.Moved)
	require.Equal(t, "Survivor Loser 0", result.Party.DisplayName, "the first one's last name")
	require.Len(t, w.identifiers(t, survivor.ID), 1+40)
	require.Len(t, w.addresses(t, survivor.ID), 1)
	require.Equal(t, 20, askOne[int](t, w, "SELECT count(*) FROM party WHERE merged_into_id = $1", survivor.ID))
	require.Equal(t, 20, askOne[int](t, w, "SELECT count(*) FROM merge_loser WHERE merge_id = $1", result.Merge.ID))
	require.EqualValues(t, 2, result.Party.Revision)
}

// A into B and B into A, at once: one of each pair wins, and nobody waits for ever.
func TestOppositeMerges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := w.wide(t)
	for range 2 {
		oppositeMerges(t, w, store)
	}
}

func oppositeMerges(t *testing.T, w *world, store *crm.Store) {
	t.Helper()
	pairs := make([][2]*crm.Customer, crowd/2)
	for i := range pairs {
		pairs[i] = [2]*crm.Customer{w.firm(t, fmt.Sprintf("Left %d", i)), w.firm(t, fmt.Sprintf("Right %d", i))}
		kim := w.person(t, fmt.Sprintf("Kim %d", i))
		for _, f := range pairs[i] {
			w.engaged(t, f.ID, kim.ID, "BILLING*")
			w.owns(t, f.ID, crm.Owner)
			w.earned(t, f.ID, 10, crmtest.Today(), nil)
		}
	}
	won := winners(t, store, func(ctx context.Context, i int) error {
		pair := pairs[i/2]
		_, err := store.MergeParties(ctx, partyOf(pair[i%2]), mergeOf(pair[1-i%2]), crm.Write{})
		return err
	})
	require.Len(t, won, len(pairs))
	for i, at := range won {
		require.Equal(t, i, at/2, "one of each pair")
		survivor, loser := pairs[i][at%2], pairs[i][1-at%2]
		require.Equal(t, survivor.ID, mergedInto(t, w, loser))
		require.EqualValues(t, 20, askOne[int64](t, w, "SELECT balance FROM loyalty_account WHERE id = $1", survivor.ID))
		require.Equal(t, []string{fmt.Sprintf("Kim %d: BILLING*", i)}, w.engagements(t, survivor.ID))
	}
}

func TestMergesOfOneLoser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := w.wide(t)
	loser := w.newcomer(t, crm.CustomerCreate{LastName: new("Wanted"), Email: new("wanted@example.org")})
	survivors := make([]*crm.Customer, crowd)
	for i := range survivors {
		survivors[i] = w.person(t, fmt.Sprintf("Suitor %d", i))
	}
	var mu sync.Mutex
	related := map[string]bool{}
	won := winners(t, store, func(ctx context.Context, i int) error {
		_, err := store.MergeParties(ctx, partyOf(survivors[i]), mergeOf(loser), crm.Write{})
		if e, ok := errors.AsType[*crm.Error](err); ok {
			mu.Lock()
			defer mu.Unlock()
			related[e.Related] = true
		}
		return err
	})
	require.Len(t, won, 1)
	require.Equal(t, survivors[won[0]].ID, mergedInto(t, w, loser))
	require.Equal(t, map[string]bool{partyOf(survivors[won[0]]): true}, related, "the others are told who won")
	require.Contains(t, w.identifiers(t, survivors[won[0]].ID), "EMAIL wanted@example.org claimed")
}

// Many merges into one survivor follow each other.
func TestMergesIntoOneSurvivor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := w.wide(t)
	survivor := w.person(t, "Popular")
	losers := make([]*crm.Customer, crowd)
	for i := range losers {
		losers[i] = w.person(t, fmt.Sprintf("Follower %d", i))
		w.earned(t, losers[i].ID, 5, crmtest.Today(), nil)
	}
	won := winners(t, store, func(ctx context.Context, i int) error {
		_, err := store.MergeCustomers(ctx, losers[i].NodeID(), survivor.NodeID(), crm.Write{})
		return err
	})
	require.Len(t, won, crowd)
	require.EqualValues(t, 5*crowd, askOne[int64](t, w, "SELECT balance FROM loyalty_account WHERE id = $1", survivor.ID))
	require.Equal(t, []int64{1 + crowd, 1 + crowd}, w.revisions(t, survivor.ID))
}
