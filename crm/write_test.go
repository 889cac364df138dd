package crm_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// renamed changes a legal name.
func renamed(name string) crm.PartyUpdate {
	return crm.PartyUpdate{LegalName: graphql.OmittableOf(&name)}
}

func TestWrite_AllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.rows(t)
	ctx, statements := crmtest.As(t, w.store, "demo", "admin")
	asked := statements.Count()
	long := strings.Repeat("x", 513)
	_, err := w.store.CreateOrganization(ctx, crm.OrganizationCreate{
		LegalName: "  ", TradingName: new(strings.Repeat("ä", 256)), TaxID: new(strings.Repeat("1", 65)), Email: new("nope"), Phone: new("123456"),
		Key: new("a key"), Language: new("??"), CountryCode: new("XX"), Restrictions: []string{"A", "B"}, ParentID: new("cus_1"),
		AccountCode: new("!"), BillingTermsID: new("net"), InvoiceDelivery: new(crm.InvoiceDelivery("PIGEON")),
		ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "a b", Value: ""}, {System: "erp", Value: "1"}, {System: "erp", Value: "1"}},
		DuplicateOverride:   &crm.DuplicateOverride{Justification: "dup", CandidateIDs: []string{"x"}},
	}, crm.Write{
		IfRevision: new(int64(-1)), IdempotencyKey: new("kéy"),
		Audit: &crm.Audit{Reason: &long, SourceRefs: []*crm.SourceRef{{Kind: "", ID: strings.Repeat("x", 129)}}},
	})
	require.Equal(t, []string{
		"idempotencyKey", "ifRevision", "audit.reason", "audit.sourceRefs[0].kind", "audit.sourceRefs[0].id",
		"input.legalName", "input.tradingName", "input.taxId", "input.email", "input.phone", "input.key", "input.language",
		"input.countryCode", "input.restrictions", "input.accountCode", "input.invoiceDelivery",
		"input.externalIdentifiers[0].system", "input.externalIdentifiers[0].value", "input.externalIdentifiers[2]",
		"input.duplicateOverride.justification", "input.duplicateOverride.candidateIds[0]", "input.billingTermsId", "input.parentId",
	}, fields(t, err))
	require.Equal(t, asked, statements.Count(), "the database is not asked")
	require.Equal(t, before, w.rows(t))
}

func TestWrite_Revisions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	northwind := w.party(t, 5001)

	t.Run("every committed change counts one, in all faces of a party", func(t *testing.T) {
		before := w.revision(t, northwind)
		party, err := w.store.UpdateParty(w.admin(t), northwind, renamed("Northwind One GmbH"), at(before))
		require.NoError(t, err)
		require.Equal(t, before+1, party.Revision)
		account, err := w.store.UpdateAccount(w.admin(t), strings.Replace(northwind, "pty", "acc", 1),
			crm.AccountUpdate{Code: graphql.OmittableOf(new("nw-1"))}, at(before+1))
		require.NoError(t, err)
		require.Equal(t, before+2, account.Revision)
		_, err = w.store.AddExternalIdentifier(w.admin(t), northwind, crm.ExternalIdentifier{System: "dms", Value: "NW"}, at(before+2))
		require.NoError(t, err)
		require.Equal(t, []int64{before + 3, before + 3, before + 3}, ask[int64](t, w,
			`SELECT revision FROM party WHERE id = substr($1, 5)::uuid UNION ALL SELECT revision FROM customer WHERE id = substr($1, 5)::uuid
			UNION ALL SELECT revision FROM account WHERE id = substr($1, 5)::uuid`, northwind))
	})
	t.Run("a change that changes nothing counts, too", func(t *testing.T) {
		before := w.revision(t, northwind)
		party, err := w.store.UpdateParty(w.admin(t), northwind, crm.PartyUpdate{}, at(before))
		require.NoError(t, err)
		require.Equal(t, before+1, party.Revision)
		require.Equal(t, "{}", askOne[string](t, w, "SELECT changed_fields::text FROM event ORDER BY sequence DESC LIMIT 1"))
	})
	t.Run("another revision is Stale and tells the record as it is", func(t *testing.T) {
		now := w.revision(t, northwind)
		before := w.rows(t)
		_, err := w.store.UpdateParty(w.admin(t), northwind, renamed("Too late"), at(now-1))
		e := refused(t, err, crm.Stale, "", "ifRevision")
		require.Equal(t, now, e.Current.(*crm.Party).Revision)
		require.Equal(t, "Northwind One GmbH", e.Current.(*crm.Party).DisplayName)
		require.Equal(t, before, w.rows(t))
	})
	t.Run("a record that is not there, or another tenant's, is NotFound and not Stale", func(t *testing.T) {
		theirs := "pty_" + askOne[string](t, w, "SELECT p.id::text FROM party p JOIN tenant t ON t.id = p.tenant_id WHERE t.code = 'acme' LIMIT 1")
		for _, id := range []string{theirs, "pty_018f0000-0000-7000-8000-000000000000"} {
			_, err := w.store.UpdateParty(w.admin(t), id, renamed("Nobody"), at(1))
			require.Equal(t, crm.NotFound, crm.CodeOf(err))
		}
	})
	t.Run("the answer is the complete new record", func(t *testing.T) {
		party, err := w.store.UpdateParty(w.admin(t), northwind, renamed("Northwind Two GmbH"), crm.Write{})
		require.NoError(t, err)
		stored, err := w.store.Party(w.admin(t), crm.PartyBy{ID: &northwind})
		require.NoError(t, err)
		same(t, stored, party)
	})
	t.Run("the same request sees what it changed", func(t *testing.T) {
		ctx := w.admin(t)
		old, err := w.store.NodeByID(ctx, northwind)
		require.NoError(t, err)
		require.Equal(t, "Northwind Two GmbH", old.(*crm.Party).DisplayName)
		_, err = w.store.UpdateParty(ctx, northwind, renamed("Northwind Three GmbH"), crm.Write{})
		require.NoError(t, err)
		account, err := w.store.NodeByID(ctx, strings.Replace(northwind, "pty", "acc", 1))
		require.NoError(t, err)
		party, err := crm.AccountParty.Load(ctx, account.(*crm.Account))
		require.NoError(t, err)
		require.Equal(t, "Northwind Three GmbH", party.DisplayName)
	})
}

func TestWrite_OneWinnerPerRevision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store, northwind := w.wide(t), w.party(t, 5001)
	before := w.revision(t, northwind)
	errs := together(t, store, func(ctx context.Context, i int) error {
		_, err := store.UpdateParty(ctx, northwind, renamed("Northwind "+string(rune('A'+i))), at(before))
		return err
	})
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		e := refused(t, err, crm.Stale, "", "ifRevision")
		require.Equal(t, before+1, e.Current.(*crm.Party).Revision)
	}
	require.Equal(t, 1, won)
	require.Equal(t, before+1, w.revision(t, northwind))
	require.Equal(t, []string{"PARTY_UPDATED"}, w.events(t, northwind))
}

func TestWrite_WithoutARevisionNoChangeIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store, northwind := w.wide(t), w.party(t, 5001)
	before := w.revision(t, northwind)
	errs := together(t, store, func(ctx context.Context, i int) error {
		_, err := store.AddExternalIdentifier(ctx, northwind, crm.ExternalIdentifier{System: "s", Value: string(rune('A' + i))}, crm.Write{})
		return err
	})
	added := 0
	for _, err := range errs {
		if err == nil {
			added++
		} else {
			assert.Equal(t, crm.Invalid, crm.CodeOf(err), "%v", err)
		}
	}
	own := askOne[int](t, w, "SELECT count(*)::int FROM identifier WHERE party_id = substr($1, 5)::uuid AND kind = 'EXTERNAL'", northwind)
	require.Equal(t, 20, own, "a party has at most twenty, however many come at once")
	require.Equal(t, before+int64(added), w.revision(t, northwind))
	require.Empty(t, ask[int64](t, w, `SELECT sequence FROM (SELECT sequence, revision_before, lag(revision_after) OVER (ORDER BY sequence) AS last
		FROM event WHERE record_id = substr($1, 5)::uuid) e WHERE revision_before <> last`, northwind), "the history has neither gap nor fork")
}

// Another transaction holds the contacts and then wants the party: the deactivation, which has
// the party and wants the contacts, is ended by Postgres, done again and done once.
func TestWrite_ADeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]*string{"without a key": nil, "with a key": new("once")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			northwind := w.party(t, 5001)
			conn, err := pgx.Connect(t.Context(), w.url)
			require.NoError(t, err)
			defer func() { _ = conn.Close(context.Background()) }()
			_, err = conn.Exec(t.Context(), "SET deadlock_timeout = '1min'") // so that the other one is the victim
			require.NoError(t, err)
			_, err = conn.Exec(t.Context(), "BEGIN; SELECT id FROM contact FOR UPDATE")
			require.NoError(t, err)
			var party *crm.Party
			var failure error
			var done sync.WaitGroup
			ctx := w.admin(t)
			done.Go(func() {
				party, failure = w.store.DeactivateParty(ctx, northwind, crm.Write{IdempotencyKey: key})
			})
			require.Eventually(t, func() bool {
				return askOne[bool](t, w, "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')")
			}, 2*time.Second, time.Millisecond)
			_, err = conn.Exec(t.Context(), "SELECT id FROM party FOR UPDATE")
			require.NoError(t, err, "the other one gives way")
			_, err = conn.Exec(t.Context(), "COMMIT")
			require.NoError(t, err)
			done.Wait()
			require.NoError(t, failure)
			require.Equal(t, int64(2), party.Revision)
			require.Equal(t, []string{"PARTY_DEACTIVATED"}, w.events(t, northwind))
		})
	}
}

func TestWrite_Permissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.rows(t)
	viewer, statements := crmtest.As(t, w.store, "demo", "viewer")
	asked := statements.Count()
	for _, id := range []string{w.party(t, 5001), "pty_018f0000-0000-7000-8000-000000000000", "no id at all"} {
		_, err := w.store.UpdateParty(viewer, id, renamed(""), at(-1))
		e := refused(t, err, crm.Forbidden, "", "")
		require.Equal(t, "permission crm:party:edit is required", e.Message, "also for %s", id)
	}
	require.Equal(t, asked, statements.Count(), "who may not write learns nothing")
	_, err := w.store.UpdateParty(w.store.Begin(t.Context()), w.party(t, 5001), renamed("X"), at(1))
	require.Equal(t, crm.Unauthenticated, crm.CodeOf(err))
	require.Equal(t, before, w.rows(t))
}
