package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

func TestChangeAccountStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	change := func(id string, status crm.AccountStatus, write crm.Write) (*crm.Account, error) {
		return w.store.ChangeAccountStatus(w.admin(t), id, status, write)
	}
	t.Run("there and back, also to the same again, each a revision and an event", func(t *testing.T) {
		firm := w.firm(t, "Varied AG")
		id := accountOf(firm.ID)
		for i, status := range []crm.AccountStatus{crm.AccountInactive, crm.AccountInactive, crm.AccountActive} {
			account, err := change(id, status, at(int64(i)+1))
			require.NoError(t, err)
			require.Equal(t, status, account.Status)
			same(t, w.account(t, id), account)
		}
		require.Equal(t, []int64{4, 4, 4}, w.revisions(t, firm.ID))
		require.Equal(t, []string{
			`2 {status} {"to": "INACTIVE", "from": "ACTIVE"}`, `3 {} {"to": "INACTIVE", "from": "INACTIVE"}`, `4 {status} {"to": "ACTIVE", "from": "INACTIVE"}`,
		}, ask[string](t, w, `SELECT concat_ws(' ', revision_after, changed_fields, details) FROM event
			WHERE record_id = $1 AND type = 'ACCOUNT_STATUS_CHANGED' ORDER BY sequence`, firm.ID))
	})
	t.Run("DOOMED is final, which comes before the revision", func(t *testing.T) {
		id := accountOf(w.firm(t, "Final AG").ID)
		_, err := change(id, crm.AccountDoomed, at(1))
		require.NoError(t, err)
		before := w.rows(t)
		for _, status := range []crm.AccountStatus{crm.AccountActive, crm.AccountInactive, crm.AccountDoomed} {
			_, err := change(id, status, at(1))
			require.Equal(t, "the account is DOOMED, which is final", refused(t, err, crm.Conflict, crm.InvalidState, "id").Message)
		}
		require.Equal(t, before, w.rows(t))
	})
	t.Run("not DOOMED while something is owed, which comes after the revision", func(t *testing.T) {
		id := w.debtor(t, "Debtor AG", "10.00 EUR").NodeID()
		w.bought(t, id, "0.01 EUR")
		_, err := change(id, crm.AccountDoomed, at(2))
		refused(t, err, crm.Stale, "", "ifRevision")
		_, err = change(id, crm.AccountDoomed, at(3))
		require.Equal(t, "0.01 EUR are owed: an account that ends owes nothing", refused(t, err, crm.Conflict, crm.InvalidState, "status").Message)
		_, err = change(id, crm.AccountInactive, at(3))
		require.NoError(t, err)
		_, err = w.release(t, id, "0.01 EUR", crm.Write{})
		require.NoError(t, err)
		_, err = change(id, crm.AccountDoomed, at(5))
		require.NoError(t, err)
	})
	t.Run("not of a party that is closed to changes", func(t *testing.T) {
		kept, merged, gone := w.firm(t, "Kept AG"), w.firm(t, "Merged AG"), w.firm(t, "Gone AG")
		w.merge(t, kept, merged)
		_, err := w.store.DeactivateParty(w.admin(t), partyOf(gone), crm.Write{})
		require.NoError(t, err)
		_, err = change(accountOf(merged.ID), crm.AccountActive, crm.Write{})
		require.Equal(t, partyOf(kept), refused(t, err, crm.Conflict, crm.MergedParty, "id").Related)
		_, err = change(accountOf(gone.ID), crm.AccountActive, crm.Write{})
		refused(t, err, crm.Conflict, crm.InvalidState, "id")
	})
	t.Run("what a deactivation ended comes back with the party, what was DOOMED does not", func(t *testing.T) {
		idle, doomed := w.firm(t, "Idle AG"), w.firm(t, "Doomed AG")
		_, err := change(accountOf(doomed.ID), crm.AccountDoomed, crm.Write{})
		require.NoError(t, err)
		for firm, status := range map[*crm.Customer]crm.AccountStatus{idle: crm.AccountActive, doomed: crm.AccountDoomed} {
			_, err := w.store.DeactivateParty(w.admin(t), partyOf(firm), crm.Write{})
			require.NoError(t, err)
			_, err = w.store.ChangePartyStatus(w.admin(t), partyOf(firm), crm.PartyActive, crm.Write{})
			require.NoError(t, err)
			require.Equal(t, status, w.account(t, accountOf(firm.ID)).Status)
		}
	})
}
