package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// Durion 3.12, rule 3: contacts of organisations.
func TestMergeTakesContactsOfOrganizations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b, c := w.firm(t, "Keeps AG"), w.firm(t, "Ends AG"), w.firm(t, "Goes AG")
	kim, lee, mia, noa, old := w.person(t, "Kim"), w.person(t, "Lee"), w.person(t, "Mia"), w.person(t, "Noa"), w.person(t, "Old")
	w.engaged(t, a.ID, kim.ID, "BILLING*", "DRIVER")
	both := w.engaged(t, a.ID, mia.ID, "APPROVER")
	moved := w.engaged(t, b.ID, lee.ID, "BILLING*", "TECHNICAL*")
	united := w.engaged(t, b.ID, mia.ID, "APPROVER*", "OPERATIONS", "DRIVER*")
	w.engaged(t, c.ID, noa.ID, "TECHNICAL*")
	w.engaged(t, c.ID, lee.ID, "BUYER*")
	ended := w.engaged(t, b.ID, old.ID)
	w.do(t, "UPDATE contact SET status = 'INACTIVE' WHERE id = $1::uuid", ended)
	gone := w.engaged(t, c.ID, kim.ID)
	w.do(t, "UPDATE contact SET status = 'INACTIVE' WHERE id = $1::uuid", gone)
	elsewhere := w.firm(t, "Elsewhere AG")
	w.engaged(t, elsewhere.ID, kim.ID, "BILLING*")
	result := w.merge(t, a, b, c)
	t.Run("the survivor has everybody once, with all roles, and its primaries stay primary", func(t *testing.T) {
		require.Equal(t, []string{"Kim: BILLING*, DRIVER", "Lee: BILLING, BUYER*, TECHNICAL*", "Mia: APPROVER*, DRIVER*, OPERATIONS", "Noa: TECHNICAL", "Old (ended): "}, w.engagements(t, a.ID))
	})
	t.Run("who moves keeps the engagement", func(t *testing.T) {
		require.Equal(t, []string{a.ID.String()}, ask[string](t, w, "SELECT organization_id::text FROM contact WHERE id = $1::uuid", moved))
	})
	t.Run("of two engagements of one person that at the survivor goes on, the other is ended", func(t *testing.T) {
		require.Equal(t, []string{"Mia (ended): "}, w.engagements(t, b.ID))
		require.Equal(t, []string{"CONTACT_ROLES_UPDATED"}, ask[string](t, w, "SELECT type FROM event WHERE record_id = $1::uuid", both))
		require.Equal(t, []string{"CONTACT_DEACTIVATED"}, ask[string](t, w, "SELECT type FROM event WHERE record_id = $1::uuid", united))
	})
	t.Run("an engagement that had ended ends no second time", func(t *testing.T) {
		require.EqualValues(t, 1, askOne[int64](t, w, "SELECT revision FROM contact WHERE id = $1::uuid", gone))
		require.Empty(t, ask[string](t, w, "SELECT type FROM event WHERE record_id = $1::uuid", gone))
	})
	t.Run("all are counted", func(t *testing.T) { require.Equal(t, 6, result.Merge.Moved.Contacts) })
	t.Run("other organisations are not touched", func(t *testing.T) {
		require.Equal(t, []string{"Kim: BILLING*"}, w.engagements(t, elsewhere.ID))
	})
	t.Run("the preview told so", func(t *testing.T) {
		x, y := w.firm(t, "X AG"), w.firm(t, "Y AG")
		w.engaged(t, x.ID, kim.ID, "BILLING*")
		w.engaged(t, y.ID, kim.ID, "BILLING*", "DRIVER*")
		before := w.rows(t)
		preview, err := w.store.PreviewMerge(w.admin(t), partyOf(x), []string{partyOf(y)})
		require.NoError(t, err)
		require.Equal(t, before, w.rows(t), "a preview changes nothing")
		require.Equal(t, w.merge(t, x, y).Merge.Moved, preview.Moved)
		require.Equal(t, []string{"Kim: BILLING*, DRIVER*"}, w.engagements(t, x.ID))
	})
	t.Run("an engagement at the survivor that had ended goes on", func(t *testing.T) {
		x, y := w.firm(t, "X SE"), w.firm(t, "Y SE")
		w.do(t, "UPDATE contact SET status = 'INACTIVE' WHERE id = $1::uuid", w.engaged(t, x.ID, kim.ID))
		w.engaged(t, y.ID, kim.ID, "DRIVER*")
		w.merge(t, x, y)
		require.Equal(t, []string{"Kim: DRIVER*"}, w.engagements(t, x.ID))
	})
}

// Durion 3.12, rule 3: persons who are contacts.
func TestMergeTakesEngagementsOfPersons(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	x, y, z := w.firm(t, "X AG"), w.firm(t, "Y AG"), w.firm(t, "Z AG")
	a, b, c, other := w.person(t, "Keeps"), w.person(t, "Ends"), w.person(t, "Goes"), w.person(t, "Other")
	w.engaged(t, x.ID, a.ID, "DRIVER*", "BUYER")
	w.engaged(t, x.ID, b.ID, "BILLING*", "DRIVER", "BUYER*")
	w.engaged(t, y.ID, b.ID, "BILLING*")
	w.engaged(t, y.ID, c.ID, "APPROVER*", "BILLING")
	w.engaged(t, z.ID, c.ID, "APPROVER")
	w.engaged(t, z.ID, other.ID, "APPROVER*")
	result := w.merge(t, a, b, c)
	t.Run("where both were engaged one engagement has the roles of both, and what either was primary for", func(t *testing.T) {
		require.Equal(t, []string{"Ends (ended): ", "Keeps: BILLING*, BUYER*, DRIVER*"}, w.engagements(t, x.ID))
		require.Equal(t, []string{"Goes (ended): ", "Keeps: APPROVER*, BILLING*"}, w.engagements(t, y.ID))
	})
	t.Run("where others are primary they stay so", func(t *testing.T) {
		require.Equal(t, []string{"Keeps: APPROVER", "Other: APPROVER*"}, w.engagements(t, z.ID))
	})
	t.Run("all are counted", func(t *testing.T) { require.Equal(t, 4, result.Merge.Moved.Contacts) })
	t.Run("nobody is primary twice", func(t *testing.T) {
		require.Empty(t, ask[string](t, w, "SELECT role_id::text FROM contact_role WHERE is_primary GROUP BY tenant_id, organization_id, role_id HAVING count(*) > 1"))
	})
}

// The seed's organisations, whole: G17.
func TestMergeOfFleets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	northwind, austria := w.party(t, 5001), w.party(t, 5003)
	preview, err := w.store.PreviewMerge(w.admin(t), austria, []string{northwind})
	require.NoError(t, err)
	result, err := w.store.MergeParties(w.admin(t), austria, crm.MergeInput{LoserIDs: []string{northwind}, Justification: "The daughter takes over"}, crm.Write{})
	require.NoError(t, err)
	require.Equal(t, preview.Moved, result.Merge.Moved)
	require.Equal(t, 24, result.Merge.Moved.Vehicles)
	require.Equal(t, 24, askOne[int](t, w, "SELECT count(*) FROM vehicle_association WHERE party_id = substr($1, 5)::uuid AND kind = 'OWNER' AND effective_to IS NULL", austria))
	require.Equal(t, w.party(t, 5002), "pty_"+result.Party.ParentID.String(), "it takes the place of what it belonged to")
	require.Equal(t, 1, result.Merge.Moved.Children, "the other daughter")
	require.Empty(t, ask[string](t, w, "SELECT id::text FROM vehicle_association WHERE party_id = substr($1, 5)::uuid AND effective_to IS NULL", northwind))
}
