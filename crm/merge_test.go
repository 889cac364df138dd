package crm_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// Durion 3.12, rule 1, and D-10.
func TestMergeInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.person(t, "Alpha"), w.person(t, "Beta")
	firm := w.firm(t, "Gamma AG")
	merge := func(t *testing.T, survivor string, in crm.MergeInput) error {
		t.Helper()
		before := w.rows(t)
		_, err := w.store.MergeParties(w.admin(t), survivor, in, crm.Write{})
		require.Equal(t, before, w.rows(t), "nothing is written")
		return err
	}
	word := new(crm.MergeReason("BECAUSE"))
	many := make([]string, 21)
	for i := range many {
		many[i] = crm.Parties.GlobalID(uuid.New())
	}
	type problem struct {
		field  string
		reason crm.Reason
	}
	for name, c := range map[string]struct {
		survivor string
		in       crm.MergeInput
		want     []problem
	}{
		"never with itself":              {partyOf(a), mergeOf(a), []problem{{"input.loserIds[0]", crm.InvalidMerge}}},
		"nobody twice":                   {partyOf(a), mergeOf(b, b), []problem{{"input.loserIds[1]", crm.InvalidMerge}}},
		"at least one":                   {partyOf(a), mergeOf(), []problem{{"input.loserIds", crm.InvalidMerge}}},
		"at most 20":                     {partyOf(a), crm.MergeInput{LoserIDs: many, Justification: "a long list"}, []problem{{"input.loserIds", ""}}},
		"only ids of parties":            {a.NodeID(), crm.MergeInput{LoserIDs: []string{"x", "y"}, Justification: "malformed"}, []problem{{"survivorId", ""}, {"input.loserIds[0]", ""}, {"input.loserIds[1]", ""}}},
		"justified in 5 characters":      {partyOf(a), crm.MergeInput{LoserIDs: []string{partyOf(b)}, Justification: "  dup  "}, []problem{{"input.justification", ""}}},
		"justified at all":               {partyOf(a), crm.MergeInput{LoserIDs: []string{partyOf(b)}}, []problem{{"input.justification", ""}}},
		"for a reason of the list":       {partyOf(a), crm.MergeInput{LoserIDs: []string{partyOf(b)}, Justification: "the same", ReasonCode: word}, []problem{{"input.reasonCode", ""}}},
		"one kind only":                  {partyOf(a), mergeOf(b, firm), []problem{{"input.loserIds[1]", crm.InvalidMerge}}},
		"one kind only, the other way":   {partyOf(firm), mergeOf(a, b), []problem{{"input.loserIds[0]", crm.InvalidMerge}, {"input.loserIds[1]", crm.InvalidMerge}}},
		"a justification of 500 at most": {partyOf(a), crm.MergeInput{LoserIDs: []string{partyOf(b)}, Justification: strings.Repeat("x", 501)}, []problem{{"input.justification", ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			var all crm.Problems
			require.ErrorAs(t, merge(t, c.survivor, c.in), &all)
			var got []problem
			for _, e := range all {
				require.Equal(t, crm.Invalid, e.Code)
				got = append(got, problem{e.Field, e.Reason})
			}
			require.Equal(t, c.want, got)
		})
	}
	nobody := crm.Parties.GlobalID(uuid.New())
	t.Run("the survivor must exist", func(t *testing.T) {
		refused(t, merge(t, nobody, mergeOf(a)), crm.NotFound, "", "survivorId")
	})
	t.Run("every loser must exist", func(t *testing.T) {
		refused(t, merge(t, partyOf(a), crm.MergeInput{LoserIDs: []string{partyOf(b), nobody}, Justification: "one is not there"}), crm.NotFound, "", "input.loserIds[1]")
	})
	t.Run("a party of another tenant does not exist", func(t *testing.T) {
		acme := "pty_" + askOne[string](t, w, "SELECT p.id::text FROM party p JOIN tenant t ON t.id = p.tenant_id WHERE t.code = 'acme' AND p.kind = 'INDIVIDUAL' LIMIT 1")
		refused(t, merge(t, partyOf(a), crm.MergeInput{LoserIDs: []string{acme}, Justification: "not ours"}), crm.NotFound, "", "input.loserIds[0]")
	})
	t.Run("another revision of the survivor is stale", func(t *testing.T) {
		_, err := w.store.MergeParties(w.admin(t), partyOf(a), mergeOf(b), at(2))
		require.Equal(t, partyOf(a), refused(t, err, crm.Stale, "", "ifRevision").Current.NodeID())
	})
	t.Run("the revisions of losers do not matter", func(t *testing.T) {
		c, d := w.person(t, "Survivor"), w.person(t, "Changed")
		w.do(t, "UPDATE party SET revision = 7 WHERE id = $1", d.ID)
		w.do(t, "UPDATE customer SET revision = 7 WHERE id = $1", d.ID)
		_, err := w.store.MergeParties(w.admin(t), partyOf(c), mergeOf(d), at(1))
		require.NoError(t, err)
	})
	t.Run("nobody who is deactivated or anonymised, on either side", func(t *testing.T) {
		gone, faceless := w.person(t, "Gone"), w.person(t, "Faceless")
		_, err := w.store.DeactivateCustomer(w.admin(t), gone.NodeID(), crm.Write{})
		require.NoError(t, err)
		_, err = w.store.AnonymizeCustomer(w.admin(t), faceless.NodeID(), crm.Write{})
		require.NoError(t, err)
		for _, x := range []*crm.Customer{gone, faceless} {
			refused(t, merge(t, partyOf(a), mergeOf(b, x)), crm.Conflict, crm.InvalidState, "input.loserIds[1]")
			refused(t, merge(t, partyOf(x), mergeOf(b)), crm.Conflict, crm.InvalidState, "survivorId")
		}
	})
	t.Run("INACTIVE customers are merged like others", func(t *testing.T) {
		idle := w.newcomer(t, crm.CustomerCreate{LastName: new("Idle"), Status: new(crm.CustomerInactive)})
		w.merge(t, w.person(t, "Busy"), idle)
	})
	t.Run("needs crm:party:merge", func(t *testing.T) {
		ctx, _ := crmtest.As(t, w.store, "demo", "agent")
		_, err := w.store.MergeParties(ctx, partyOf(a), mergeOf(b), crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		_, err = w.store.PreviewMerge(ctx, partyOf(a), []string{partyOf(b)})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
}

// Durion 3.12, rules 6 to 8: what is left of a loser.
func TestMergedParties(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b, c := w.firm(t, "First AG"), w.firm(t, "Second AG"), w.firm(t, "Third AG")
	w.merge(t, b, a)
	t.Run("the loser is MERGED into the survivor, its account INACTIVE, its revisions one", func(t *testing.T) {
		require.Equal(t, []string{"MERGED MERGED INACTIVE"}, ask[string](t, w,
			"SELECT p.status || ' ' || c.status || ' ' || a.status FROM party p JOIN customer c USING (id) JOIN account a USING (id) WHERE p.id = $1 AND p.merged_into_id = $2", a.ID, b.ID))
		require.Equal(t, []int64{2, 2, 2}, w.revisions(t, a.ID))
		require.Equal(t, []int64{2, 2, 2}, w.revisions(t, b.ID))
	})
	t.Run("it is still found by id and number, and by its code is found the survivor", func(t *testing.T) {
		for by, want := range map[*crm.CustomerBy]uuid.UUID{{ID: new(a.NodeID())}: a.ID, {Number: &a.Number}: a.ID, {Code: &a.Code}: b.ID} {
			found, err := w.store.Customer(w.admin(t), *by)
			require.NoError(t, err)
			require.Equal(t, want, found.ID)
		}
	})
	t.Run("both sides tell", func(t *testing.T) {
		require.Equal(t, []string{"CUSTOMER_CREATED", "PARTY_MERGED"}, w.events(t, partyOf(a)))
		require.Equal(t, []string{"CUSTOMER_CREATED", "PARTY_ABSORBED"}, w.events(t, partyOf(b)))
	})
	w.merge(t, c, b)
	t.Run("of a chain, all lead to the last survivor", func(t *testing.T) {
		require.Equal(t, []uuid.UUID{c.ID, c.ID}, []uuid.UUID{mergedInto(t, w, a), mergedInto(t, w, b)})
		found, err := w.store.Customer(w.admin(t), crm.CustomerBy{Code: &a.Code})
		require.NoError(t, err)
		require.Equal(t, c.ID, found.ID)
	})
	other := w.firm(t, "Other AG")
	before := w.rows(t)
	party, customer := partyOf(a), a.NodeID()
	for name, do := range map[string]func(ctx context.Context) error{
		"partyUpdate": func(ctx context.Context) error {
			_, err := w.store.UpdateParty(ctx, party, crm.PartyUpdate{}, crm.Write{})
			return err
		},
		"partyStatusChange": func(ctx context.Context) error {
			_, err := w.store.ChangePartyStatus(ctx, party, crm.PartyActive, crm.Write{})
			return err
		},
		"partyParentSet": func(ctx context.Context) error {
			_, err := w.store.SetPartyParent(ctx, party, new(partyOf(other)), crm.Write{})
			return err
		},
		"partyDeactivate": func(ctx context.Context) error {
			_, err := w.store.DeactivateParty(ctx, party, crm.Write{})
			return err
		},
		"accountUpdate": func(ctx context.Context) error {
			_, err := w.store.UpdateAccount(ctx, crm.Accounts.GlobalID(a.ID), crm.AccountUpdate{}, crm.Write{})
			return err
		},
		"externalIdentifier": func(ctx context.Context) error {
			_, err := w.store.AddExternalIdentifier(ctx, party, crm.ExternalIdentifier{System: "x", Value: "1"}, crm.Write{})
			return err
		},
		"customerUpdate": func(ctx context.Context) error {
			_, err := w.store.UpdateCustomer(ctx, customer, crm.CustomerUpdate{}, crm.Write{})
			return err
		},
		"customerStatus": func(ctx context.Context) error {
			_, err := w.store.ChangeCustomerStatus(ctx, customer, crm.CustomerActive, crm.Write{})
			return err
		},
		"customerDeactivate": func(ctx context.Context) error {
			_, err := w.store.DeactivateCustomer(ctx, customer, crm.Write{})
			return err
		},
		"customerAnonymize": func(ctx context.Context) error {
			_, err := w.store.AnonymizeCustomer(ctx, customer, crm.Write{})
			return err
		},
		"partyMerge as loser": func(ctx context.Context) error {
			_, err := w.store.MergeParties(ctx, partyOf(other), mergeOf(a), crm.Write{})
			return err
		},
		"partyMerge as survivor": func(ctx context.Context) error {
			_, err := w.store.MergeParties(ctx, party, mergeOf(other), crm.Write{})
			return err
		},
		"partyMergePreview": func(ctx context.Context) error {
			_, err := w.store.PreviewMerge(ctx, party, []string{partyOf(other)})
			return err
		},
		"customerMerge as source": func(ctx context.Context) error {
			_, err := w.store.MergeCustomers(ctx, customer, other.NodeID(), crm.Write{})
			return err
		},
		"customerMerge as target": func(ctx context.Context) error {
			_, err := w.store.MergeCustomers(ctx, other.NodeID(), customer, crm.Write{})
			return err
		},
	} {
		t.Run("a loser is read-only: "+name, func(t *testing.T) {
			var e *crm.Error
			require.ErrorAs(t, do(w.admin(t)), &e)
			require.Equal(t, []any{crm.Conflict, crm.MergedParty, partyOf(c)}, []any{e.Code, e.Reason, e.Related})
		})
	}
	require.Equal(t, before, w.rows(t))
}

func mergedInto(t *testing.T, w *world, c *crm.Customer) uuid.UUID {
	t.Helper()
	return askOne[uuid.UUID](t, w, "SELECT merged_into_id FROM party WHERE id = $1", c.ID)
}

// Durion 3.12, rule 8, and G3N merge/list.
func TestMergeRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b, c := w.person(t, "Stays"), w.person(t, "Ends"), w.person(t, "Goes")
	in := mergeOf(b, c)
	in.ReasonCode = new(crm.MergeDuplicate)
	ctx := crm.WithCorrelationID(w.admin(t), "gx-17")
	result, err := w.store.MergeParties(ctx, partyOf(a), in, crm.Write{Audit: &crm.Audit{Reason: new("Cleaning up"), SourceRefs: []*crm.SourceRef{{Kind: "ticket", ID: "T-1"}}}})
	require.NoError(t, err)
	t.Run("it tells who, whom, why, when and how much", func(t *testing.T) {
		m := result.Merge
		same(t, &crm.Merge{Row: m.Row, SurvivorID: a.ID, Actor: "test", Justification: "the same one twice", ReasonCode: new(crm.MergeDuplicate),
			SourceRefs: []*crm.SourceRef{{Kind: "ticket", ID: "T-1"}}, Moved: &crm.MergeCounts{}, CorrelationID: new("gx-17"), MergedAt: crmtest.Today()}, m)
	})
	t.Run("the survivor has it among its merges, each loser as what ended it", func(t *testing.T) {
		ctx := w.admin(t)
		survived, err := crm.PartyMerges.All(ctx, result.Party)
		require.NoError(t, err)
		require.Len(t, survived, 1)
		same(t, result.Merge, survived[0])
		losers, err := crm.MergeLosers.All(ctx, survived[0])
		require.NoError(t, err)
		require.Len(t, losers, 2)
		for _, loser := range losers {
			ended, err := crm.PartyMergedBy.Load(ctx, loser)
			require.NoError(t, err)
			require.Equal(t, result.Merge.ID, ended.ID)
			none, err := crm.PartyMerges.All(ctx, loser)
			require.NoError(t, err)
			require.Empty(t, none)
		}
		none, err := crm.PartyMergedBy.Load(ctx, result.Party)
		require.NoError(t, err)
		require.Nil(t, none)
	})
	t.Run("each loser is kept as it was", func(t *testing.T) {
		require.Equal(t, []string{"Ends ACTIVE " + b.Code, "Goes ACTIVE " + c.Code}, ask[string](t, w, `SELECT concat_ws(' ', snapshot#>>'{party,LastName}', snapshot#>>'{party,Status}', snapshot#>>'{identifiers,0,Value}')
			FROM merge_loser WHERE merge_id = $1 ORDER BY 1`, result.Merge.ID))
	})
	t.Run("of a merge of customers the audit's reason is the justification", func(t *testing.T) {
		target, err := w.store.MergeCustomers(w.admin(t), w.person(t, "Source").NodeID(), a.NodeID(), crm.Write{IfRevision: new(int64(2)), Audit: &crm.Audit{Reason: new("G26")}})
		require.NoError(t, err)
		require.Equal(t, []any{a.ID, int64(3)}, []any{target.ID, target.Revision})
		require.Equal(t, []string{"the same one twice", "G26"}, ask[string](t, w, "SELECT justification FROM merge WHERE survivor_id = $1 ORDER BY id", a.ID))
	})
	t.Run("a merge of customers needs two, of which the target has the revision that was seen", func(t *testing.T) {
		_, err := w.store.MergeCustomers(w.admin(t), a.NodeID(), a.NodeID(), crm.Write{})
		require.Contains(t, reasons(err), crm.InvalidMerge)
		_, err = w.store.MergeCustomers(w.admin(t), w.person(t, "X").NodeID(), a.NodeID(), at(1))
		require.Equal(t, crm.Stale, crm.CodeOf(err))
		plain, err := w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{LastName: new("No Customer")}, crm.Write{})
		require.NoError(t, err)
		_, err = w.store.MergeCustomers(w.admin(t), crm.Customers.GlobalID(plain.ID), a.NodeID(), crm.Write{})
		require.Equal(t, crm.NotFound, crm.CodeOf(err))
	})
}
