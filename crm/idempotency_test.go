package crm_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

func TestIdempotency_AReplayAnswersTheSameAndDoesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	northwind := w.party(t, 5001)
	t.Run("of something new", func(t *testing.T) {
		create := func() *crm.OrganizationCreated {
			made, err := w.store.CreateOrganization(w.admin(t), crm.OrganizationCreate{
				LegalName: "Bluebird Couriers GmbH", TaxID: new("DE 123"), Email: new("office@bluebird.example"), Restrictions: []string{},
				ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "erp", Value: "7"}},
			}, keyed("create"))
			require.NoError(t, err)
			return made
		}
		first := create()
		after := w.rows(t)
		same(t, first, create())
		require.Equal(t, after, w.rows(t))
	})
	t.Run("with its candidates", func(t *testing.T) {
		create := func() *crm.OrganizationCreated {
			made, err := w.store.CreateOrganization(w.admin(t), crm.OrganizationCreate{LegalName: "Bluebird Couriers AG"}, keyed("like another"))
			require.NoError(t, err)
			return made
		}
		first := create()
		require.Len(t, first.DuplicateCandidates, 1)
		same(t, first, create())
	})
	t.Run("of a change, also when others changed the record since", func(t *testing.T) {
		write := keyed("rename")
		write.IfRevision = new(w.revision(t, northwind))
		first, err := w.store.UpdateParty(w.admin(t), northwind, renamed("Northwind Neu GmbH"), write)
		require.NoError(t, err)
		_, err = w.store.UpdateParty(w.admin(t), northwind, renamed("Northwind Neuer GmbH"), crm.Write{})
		require.NoError(t, err)
		after := w.rows(t)
		again, err := w.store.UpdateParty(w.admin(t), northwind, renamed("Northwind Neu GmbH"), write)
		require.NoError(t, err)
		same(t, first, again)
		require.Equal(t, *write.IfRevision+1, again.Revision)
		require.Equal(t, after, w.rows(t))
	})
	t.Run("of an input that is the same but for spaces around it", func(t *testing.T) {
		after := w.rows(t)
		_, err := w.store.CreateOrganization(w.admin(t), crm.OrganizationCreate{LegalName: " Bluebird Couriers AG "}, keyed("like another"))
		require.NoError(t, err)
		require.Equal(t, after, w.rows(t))
	})
}

func TestIdempotency_AKeyIsForOneInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	northwind, other := w.party(t, 5001), w.party(t, 5002)
	now := w.revision(t, northwind)
	write := func(more crm.Write) crm.Write {
		more.IdempotencyKey = new("key")
		return more
	}
	cleared := crm.PartyUpdate{TaxID: graphql.OmittableOf[*string](nil), Language: graphql.OmittableOf(new("de"))}
	_, err := w.store.UpdateParty(w.admin(t), northwind, cleared, write(at(now)))
	require.NoError(t, err)
	after := w.rows(t)
	for name, try := range map[string]struct {
		id    string
		input crm.PartyUpdate
		write crm.Write
	}{
		"another value":                    {northwind, crm.PartyUpdate{TaxID: cleared.TaxID, Language: graphql.OmittableOf(new("en"))}, write(at(now))},
		"a value left out that was null":   {northwind, crm.PartyUpdate{Language: cleared.Language}, write(at(now))},
		"another record":                   {other, cleared, write(at(now))},
		"another revision":                 {northwind, cleared, write(at(now + 1))},
		"no revision":                      {northwind, cleared, write(crm.Write{})},
		"another reason for doing the act": {northwind, cleared, write(crm.Write{IfRevision: &now, Audit: &crm.Audit{Reason: new("Asked for")}})},
	} {
		t.Run(name+" is a mismatch", func(t *testing.T) {
			_, err := w.store.UpdateParty(w.admin(t), try.id, try.input, try.write)
			refused(t, err, crm.Conflict, crm.IdempotencyMismatch, "idempotencyKey")
			require.Equal(t, after, w.rows(t))
		})
	}
	t.Run("another operation has keys of its own", func(t *testing.T) {
		_, err := w.store.DeactivateParty(w.admin(t), other, write(crm.Write{}))
		require.NoError(t, err)
	})
	t.Run("another tenant has keys of its own", func(t *testing.T) {
		acme := func() context.Context {
			ctx, _ := crmtest.As(t, w.store, "acme", "admin")
			return ctx
		}
		_, err := w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{LastName: new("Here")}, keyed("tenants"))
		require.NoError(t, err)
		theirs, err := w.store.CreateIndividual(acme(), crm.IndividualCreate{LastName: new("There")}, keyed("tenants"))
		require.NoError(t, err)
		require.Equal(t, "There", theirs.DisplayName)
	})
	t.Run("a key has 1 to 128 printable ASCII characters", func(t *testing.T) {
		for _, key := range []string{"", " ", "a\tb", "ü", strings.Repeat("k", 129)} {
			_, err := w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{LastName: new("Key")}, keyed(key))
			require.Equal(t, []string{"idempotencyKey"}, fields(t, err), "%q", key)
		}
		_, err := w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{LastName: new("Key")}, keyed(strings.Repeat("k", 128)))
		require.NoError(t, err)
	})
}

func TestIdempotency_DuplicatesSentAtOnceHaveOneEffect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := w.wide(t)
	before := w.rows(t)
	made := make([]*crm.OrganizationCreated, crowd)
	errs := together(t, store, func(ctx context.Context, i int) error {
		created, err := store.CreateOrganization(ctx, crm.OrganizationCreate{LegalName: "Kingfisher Freight GmbH", Phone: new("+49 30 5550147")}, keyed("at once"))
		made[i] = created
		return err
	})
	for i := range crowd {
		require.NoError(t, errs[i])
		same(t, made[0], made[i])
	}
	after := w.rows(t)
	for table := range before {
		grown := before[table] != after[table]
		switch table {
		case "party", "account", "contact_point", "identifier", "event", "idempotency_key", "counter":
			require.True(t, grown, table)
		default:
			require.False(t, grown, table)
		}
	}
	require.Equal(t, 1, askOne[int](t, w, "SELECT count(*)::int FROM party WHERE legal_name = 'Kingfisher Freight GmbH'"))
	require.Equal(t, []string{"PARTY_CREATED"}, w.events(t, made[0].Party.NodeID()))
}

// What another record or the record's state forbade stays forbidden under its key: a client
// that was told so must not see a delayed first try succeed.
func TestIdempotency_ARefusalIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	heron := w.organization(t, "Heron Haulage GmbH")
	create := func(key string) error {
		_, err := w.store.CreateOrganization(w.admin(t), crm.OrganizationCreate{LegalName: "HERON HAULAGE, GMBH"}, keyed(key))
		return err
	}
	first := refused(t, create("refused"), crm.Conflict, crm.DuplicateCandidates, "input")
	require.Len(t, first.Candidates, 1)
	_, err := w.store.DeactivateParty(w.admin(t), heron.NodeID(), crm.Write{})
	require.NoError(t, err)
	after := w.rows(t)
	again := refused(t, create("refused"), crm.Conflict, crm.DuplicateCandidates, "input")
	require.Equal(t, first.Message, again.Message)
	same(t, first.Candidates, again.Candidates)
	require.Equal(t, after, w.rows(t))
	require.NoError(t, create("another key"), "nothing is like it any more")
	refused(t, create("refused"), crm.Conflict, crm.DuplicateCandidates, "input")

	t.Run("with the record that stands in the way", func(t *testing.T) {
		var merged, survivor string
		require.NoError(t, w.sql.QueryRow(t.Context(), "SELECT 'pty_' || id, 'pty_' || merged_into_id FROM party WHERE status = 'MERGED' AND "+inDemo+" LIMIT 1").Scan(&merged, &survivor))
		for range 2 {
			_, err := w.store.UpdateParty(w.admin(t), merged, crm.PartyUpdate{}, keyed("merged"))
			require.Equal(t, survivor, refused(t, err, crm.Conflict, crm.MergedParty, "id").Related)
		}
	})
}

// What the caller can mend is not kept: the same key serves the mended request.
func TestIdempotency_OtherErrorsLeaveTheKeyFree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(t, "UPDATE billing_terms SET status = 'INACTIVE' WHERE code = 'BT-COD' AND "+inDemo)
	closed := "btr_" + askOne[string](t, w, "SELECT id::text FROM billing_terms WHERE code = 'BT-COD' AND "+inDemo)
	northwind := w.party(t, 5001)
	mend := func(key string) error {
		_, err := w.store.UpdateParty(w.admin(t), northwind, crm.PartyUpdate{}, keyed(key))
		return err
	}
	for name, c := range map[string]struct {
		code crm.Code
		try  func(key string) error
		mend func(key string) error
	}{
		"a wrong input": {crm.Invalid,
			func(key string) error {
				_, err := w.store.UpdateParty(w.admin(t), northwind, renamed(""), keyed(key))
				return err
			}, mend},
		"an input that does not fit what is stored": {crm.Invalid,
			func(key string) error {
				_, err := w.store.CreateOrganization(w.admin(t), crm.OrganizationCreate{LegalName: "Stork Ltd", BillingTermsID: &closed}, keyed(key))
				return err
			},
			func(key string) error {
				_, err := w.store.CreateOrganization(w.admin(t), crm.OrganizationCreate{LegalName: "Stork Ltd"}, keyed(key))
				return err
			}},
		"a record that is not there": {crm.NotFound,
			func(key string) error {
				_, err := w.store.UpdateParty(w.admin(t), "pty_018f0000-0000-7000-8000-000000000000", crm.PartyUpdate{}, keyed(key))
				return err
			}, mend},
		"another revision": {crm.Stale,
			func(key string) error {
				write := keyed(key)
				write.IfRevision = new(int64(0))
				_, err := w.store.UpdateParty(w.admin(t), northwind, crm.PartyUpdate{}, write)
				return err
			}, mend},
		"a caller who may not": {crm.Forbidden,
			func(key string) error {
				ctx, _ := crmtest.As(t, w.store, "demo", "viewer")
				_, err := w.store.UpdateParty(ctx, northwind, crm.PartyUpdate{Language: graphql.OmittableOf(new("fr"))}, keyed(key))
				return err
			}, mend},
	} {
		t.Run(name, func(t *testing.T) {
			before := w.rows(t)
			require.Equal(t, c.code, crm.CodeOf(c.try(name)))
			require.Equal(t, before, w.rows(t), "not even the key is kept")
			require.NoError(t, c.mend(name))
		})
	}
}

func TestIdempotency_AKeyIsGoodForADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	create := func(last string) (*crm.Party, error) {
		return w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{LastName: &last}, keyed("daily"))
	}
	first, err := create("Monday")
	require.NoError(t, err)
	w.later(24*time.Hour - time.Microsecond)
	again, err := create("Monday")
	require.NoError(t, err)
	same(t, first, again)
	_, err = create("Tuesday")
	refused(t, err, crm.Conflict, crm.IdempotencyMismatch, "idempotencyKey")
	w.later(time.Microsecond)
	second, err := create("Tuesday")
	require.NoError(t, err)
	require.NotEqual(t, first.ID, second.ID)
	w.later(24*time.Hour - time.Microsecond)
	again, err = create("Tuesday")
	require.NoError(t, err)
	same(t, second, again)
}

func TestSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := func() []string { return ask[string](t, w, "SELECT key FROM idempotency_key ORDER BY key") }
	write := func(key string) {
		for _, tenant := range []string{"demo", "acme"} {
			ctx, _ := crmtest.As(t, w.store, tenant, "admin")
			_, err := w.store.CreateIndividual(ctx, crm.IndividualCreate{LastName: &key}, keyed(key))
			require.NoError(t, err)
		}
	}
	write("old")
	w.later(time.Hour)
	write("young")
	swept, err := w.store.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, swept)
	w.later(23 * time.Hour)
	swept, err = w.store.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, swept, "those of all tenants")
	require.Equal(t, []string{"young", "young"}, keys())
	require.Equal(t, 4, askOne[int](t, w, "SELECT count(*)::int FROM party WHERE last_name IN ('old', 'young')"), "only keys go")
}

func TestIdempotency_ARefusalTakesBackWhatWasQueued(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const taken, fresh = "1XPBDP9X4FD300999", "JTDKARFU2H3055001"
	w.newcomer(t, crm.CustomerCreate{LastName: new("First"), VehicleVINs: []string{taken}})
	c := w.person(t, "Second")
	before := w.rows(t)
	update := func() error {
		_, err := w.store.UpdateCustomer(w.admin(t), c.NodeID(), crm.CustomerUpdate{
			PartyUpdate: crm.PartyUpdate{LastName: given("Changed")}, VehicleVINs: list(fresh, taken),
		}, keyed("k"))
		return err
	}
	create := func() error {
		_, err := w.store.CreateCustomer(w.admin(t), crm.CustomerCreate{LastName: new("Third"), VehicleVINs: []string{taken}}, keyed("k"))
		return err
	}
	for range 2 { // refused, and replayed
		refused(t, update(), crm.Conflict, crm.DuplicateVIN, "input.vehicleVins[1]")
		refused(t, create(), crm.Conflict, crm.DuplicateVIN, "input.vehicleVins[0]")
	}
	after := w.rows(t)
	delete(before, "idempotency_key")
	delete(after, "idempotency_key")
	require.Equal(t, before, after)
}
