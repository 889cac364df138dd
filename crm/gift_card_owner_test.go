package crm_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// giftCards lists those of a customer: status, balance and revision.
func (w *world) giftCards(t *testing.T, customer uuid.UUID) []string {
	t.Helper()
	return ask[string](t, w, "SELECT concat_ws(' ', status, balance, revision) FROM gift_card WHERE customer_id = $1 ORDER BY balance, revision", customer)
}

// G3N 3.3.
func TestMergeTakesGiftCards(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b, c, other := w.person(t, "Target"), w.person(t, "Source"), w.person(t, "Second"), w.person(t, "Other")
	give := func(to *crm.Customer, amount string) *crm.IssuedGiftCard {
		return w.issue(t, crm.GiftCardIssue{CustomerID: new(to.NodeID()), Amount: euros(amount)})
	}
	own, taken, second, theirs := give(a, "1"), give(b, "2"), give(c, "3"), give(other, "4")
	_, err := w.redeem(t, taken.Code, "O-1", "2")
	require.NoError(t, err)
	preview, err := w.store.PreviewMerge(w.admin(t), partyOf(a), []string{partyOf(b), partyOf(c)})
	require.NoError(t, err)
	require.Equal(t, &crm.MergeCounts{GiftCards: 2}, preview.Moved)
	require.Equal(t, []string{"DEPLETED 0 2"}, w.giftCards(t, b.ID), "a preview changes nothing")
	require.Equal(t, &crm.MergeCounts{GiftCards: 2}, w.merge(t, a, b, c).Merge.Moved)
	require.Equal(t, []string{"DEPLETED 0 3", "ACTIVE 100 1", "ACTIVE 300 2"}, w.giftCards(t, a.ID))
	require.Equal(t, []string{"ACTIVE 400 1"}, w.giftCards(t, other.ID))
	require.Empty(t, append(w.giftCards(t, b.ID), w.giftCards(t, c.ID)...))
	t.Run("they pay as before", func(t *testing.T) {
		for _, issued := range []*crm.IssuedGiftCard{own, second, theirs} {
			_, err := w.redeem(t, issued.Code, "O-2", "1")
			require.NoError(t, err)
			w.entries(t, issued.Card)
		}
		require.Equal(t, []string{"1 ISSUE 300 300", "3 REDEEM -100 200"}, w.entries(t, second.Card), "the merge is a revision between")
	})
	t.Run("a survivor that was no customer becomes one", func(t *testing.T) {
		person, loser := w.individual(t, "Visitor"), w.person(t, "Buyer")
		issued := give(loser, "5")
		result, err := w.store.MergeParties(w.admin(t), person.NodeID(), mergeOf(loser), crm.Write{})
		require.NoError(t, err)
		require.Equal(t, 1, result.Merge.Moved.GiftCards)
		require.Equal(t, []string{"ACTIVE 500 2"}, w.giftCards(t, person.ID))
		require.Equal(t, "ACTIVE 500 2", w.stored(t, issued.Card))
	})
	t.Run("so does a merge of customers", func(t *testing.T) {
		target, source := w.person(t, "Target"), w.person(t, "Source")
		give(source, "6")
		_, err := w.store.MergeCustomers(w.admin(t), source.NodeID(), target.NodeID(), crm.Write{})
		require.NoError(t, err)
		require.Equal(t, []string{"ACTIVE 600 2"}, w.giftCards(t, target.ID))
	})
}

// G3N 3.4: a card is owed to whoever holds it.
func TestGiftCardsOutliveTheirCustomer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner, loser, other := w.person(t, "Owner"), w.person(t, "Loser"), w.person(t, "Other")
	one := w.issue(t, crm.GiftCardIssue{CustomerID: new(owner.NodeID())})
	two := w.issue(t, crm.GiftCardIssue{CustomerID: new(loser.NodeID())})
	theirs := w.issue(t, crm.GiftCardIssue{CustomerID: new(other.NodeID())})
	w.merge(t, owner, loser)
	t.Run("anonymising keeps the link", func(t *testing.T) {
		_, err := w.store.AnonymizeCustomer(w.admin(t), owner.NodeID(), crm.Write{})
		require.NoError(t, err)
		require.Equal(t, []string{"ACTIVE 10000 1", "ACTIVE 10000 2"}, w.giftCards(t, owner.ID))
	})
	t.Run("erasing takes the link and leaves the card, which is not counted as deleted", func(t *testing.T) {
		erased, err := w.store.EraseCustomer(w.admin(t), owner.NodeID(), crm.Write{})
		require.NoError(t, err)
		require.Equal(t, 2*2+2+1, erased.ItemsDeleted, "two customers with their statuses, two codes, a merge")
		require.Empty(t, w.about(t, owner.ID, loser.ID))
		require.Equal(t, []string{"ACTIVE 10000 2", "ACTIVE 10000 3", "ACTIVE 10000 1"}, []string{w.stored(t, one.Card), w.stored(t, two.Card), w.stored(t, theirs.Card)})
		require.Equal(t, []string{"ACTIVE 10000 1"}, w.giftCards(t, other.ID))
		card, err := w.store.GiftCard(w.admin(t), crm.GiftCardBy{Code: &one.Code})
		require.NoError(t, err)
		require.Nil(t, card.CustomerID)
		for _, issued := range []*crm.IssuedGiftCard{one, two} {
			_, err := w.redeem(t, issued.Code, "O-1", "100")
			require.NoError(t, err)
			w.entries(t, issued.Card)
		}
	})
	t.Run("the kept answer stays, for the card does", func(t *testing.T) {
		gone := w.person(t, "Gone")
		in := crm.GiftCardIssue{Amount: euros("1"), CustomerID: new(gone.NodeID())}
		issued, err := w.store.IssueGiftCard(w.admin(t), in, keyed("gone"))
		require.NoError(t, err)
		_, err = w.store.EraseCustomer(w.admin(t), gone.NodeID(), crm.Write{})
		require.NoError(t, err)
		again, err := w.store.IssueGiftCard(w.admin(t), in, keyed("gone"))
		require.NoError(t, err)
		require.Equal(t, issued.Code, again.Code)
	})
}
