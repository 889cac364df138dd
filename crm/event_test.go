package crm_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/internal/crmtest"
)

func TestEvents_SayWhoWhatWhenAndWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	northwind := w.party(t, 5001)
	ctx := crm.WithCorrelationID(w.admin(t), "gx-01")
	_, err := w.store.UpdateParty(ctx, northwind, crm.PartyUpdate{
		LegalName: graphql.OmittableOf(new("Northwind Logistik AG")), TradingName: graphql.OmittableOf[*string](nil),
	}, crm.Write{IfRevision: new(int64(1)), Audit: &crm.Audit{Reason: new(" Change of legal form "), SourceRefs: []*crm.SourceRef{{Kind: "register", ID: "HRB 4711"}}}})
	require.NoError(t, err)
	page, err := w.store.Events(w.admin(t), nil, nil, firstPage(t))
	require.NoError(t, err)
	require.Len(t, page.Nodes(), 1)
	got := page.Nodes()[0]
	require.Equal(t, northwind, got.Record())
	got.Row, got.RecordID, got.Sequence = crm.Row{}, [16]byte{}, 0
	same(t, &crm.Event{
		Type: crm.PartyUpdated, RecordType: "Party", Actor: "test", CorrelationID: new("gx-01"), Reason: new("Change of legal form"),
		SourceRefs: []*crm.SourceRef{{Kind: "register", ID: "HRB 4711"}}, RevisionBefore: new(int64(1)), RevisionAfter: new(int64(2)),
		ChangedFields: []string{"displayName", "legalName", "tradingName"}, Details: json.RawMessage("{}"), OccurredAt: crmtest.Today(),
	}, got)
}

func TestEvents_AreTheHistoryOfARecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	northwind := w.party(t, 5001)
	for _, name := range []string{"One", "Two", "Three"} {
		_, err := w.store.UpdateParty(w.admin(t), northwind, renamed(name), crm.Write{})
		require.NoError(t, err)
		w.later(time.Hour)
	}
	_, err := w.store.UpdateAccount(w.admin(t), strings.Replace(northwind, "pty", "acc", 1), crm.AccountUpdate{Code: graphql.OmittableOf(new("NW"))}, crm.Write{})
	require.NoError(t, err)
	types := func(page *crm.Connection[crm.Event], err error) []crm.EventType {
		require.NoError(t, err)
		var list []crm.EventType
		for _, e := range page.Nodes() {
			list = append(list, e.Type)
		}
		return list
	}
	newestFirst := []crm.EventType{crm.AccountUpdated, crm.PartyUpdated, crm.PartyUpdated, crm.PartyUpdated}

	t.Run("party, customer and account share it, newest first", func(t *testing.T) {
		ctx := w.admin(t)
		party, err := w.store.Party(ctx, crm.PartyBy{ID: &northwind})
		require.NoError(t, err)
		customer, err := crm.PartyCustomer.Load(ctx, party)
		require.NoError(t, err)
		account, err := crm.PartyAccount.Load(ctx, party)
		require.NoError(t, err)
		require.Equal(t, newestFirst, types(crm.PartyEvents.Load(ctx, party, firstPage(t))))
		require.Equal(t, newestFirst, types(crm.CustomerEvents.Load(ctx, customer, firstPage(t))))
		require.Equal(t, newestFirst, types(crm.AccountEvents.Load(ctx, account, firstPage(t))))
	})
	t.Run("it can be filtered by type, record and time", func(t *testing.T) {
		where := func(f crm.EventWhere) []crm.EventType {
			return types(w.store.Events(w.admin(t), &f, nil, firstPage(t)))
		}
		require.Len(t, where(crm.EventWhere{Type: &crm.EnumFilter[crm.EventType]{Eq: new(crm.AccountUpdated)}}), 1)
		require.Len(t, where(crm.EventWhere{Record: &crm.IDFilter{Eq: &northwind}}), 4)
		require.Len(t, where(crm.EventWhere{Record: &crm.IDFilter{Eq: new(strings.Replace(northwind, "pty", "cus", 1))}}), 4)
		require.Len(t, where(crm.EventWhere{OccurredAt: &crm.DateTimeFilter{Gte: new(crmtest.Today().Add(2 * time.Hour))}}), 2)
	})
	t.Run("who may not see events sees the record without them", func(t *testing.T) {
		ctx, _ := crmtest.As(t, w.store, "demo", "viewer")
		party, err := w.store.Party(ctx, crm.PartyBy{ID: &northwind})
		require.NoError(t, err)
		_, err = crm.PartyEvents.Load(ctx, party, firstPage(t))
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		_, err = w.store.Events(ctx, nil, nil, firstPage(t))
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
	t.Run("another tenant sees none of it", func(t *testing.T) {
		ctx, _ := crmtest.As(t, w.store, "acme", "admin")
		require.Empty(t, types(w.store.Events(ctx, nil, nil, firstPage(t))))
		require.Empty(t, types(w.store.Events(ctx, &crm.EventWhere{Record: &crm.IDFilter{Eq: &northwind}}, nil, firstPage(t))))
	})
	t.Run("nobody can change or remove it", func(t *testing.T) {
		tenant, err := w.store.TenantByCode(t.Context(), "demo")
		require.NoError(t, err)
		for _, sql := range []string{"UPDATE event SET actor = 'nobody'", "DELETE FROM event", "TRUNCATE event"} {
			_, err := w.store.DB.Bun().ExecContext(db.WithTenant(t.Context(), tenant), sql)
			var pg *pgconn.PgError
			require.ErrorAs(t, err, &pg, sql)
			require.Equal(t, "42501", pg.Code, sql)
		}
	})
}

func TestEvents_FailedRequestsLeaveNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	northwind, merged := w.party(t, 5001), "pty_"+askOne[string](t, w, "SELECT id::text FROM party WHERE status = 'MERGED' AND "+inDemo+" LIMIT 1")
	for name, try := range map[string]func(context.Context, crm.Write) error{
		"stale": func(ctx context.Context, _ crm.Write) error {
			_, err := w.store.UpdateParty(ctx, northwind, renamed("X"), at(7))
			return err
		},
		"refused": func(ctx context.Context, write crm.Write) error {
			_, err := w.store.DeactivateParty(ctx, merged, write)
			return err
		},
		"invalid": func(ctx context.Context, write crm.Write) error {
			_, err := w.store.SetPartyParent(ctx, northwind, &northwind, write)
			return err
		},
		"taken": func(ctx context.Context, write crm.Write) error {
			_, err := w.store.CreateIndividual(ctx, crm.IndividualCreate{LastName: new("X"), Key: new("northwind-logistics")}, write)
			return err
		},
	} {
		for _, write := range []crm.Write{{}, keyed(name)} {
			require.Error(t, try(w.admin(t), write), name)
		}
	}
	require.Zero(t, askOne[int](t, w, "SELECT count(*)::int FROM event"))
}

// The events of every operation on parties say which fields changed and never to what.
func TestEvents_HoldNoPersonalData(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secrets := []string{"Zebulon", "Quixote", "zq@secret.example", "5550147", "1961-04-12", "Xylophone Works", "XW Trade", "ATU998877", "ext-31337", "ACC-SECRET"}
	ok := func(_ any, err error) {
		t.Helper()
		require.NoError(t, err)
	}
	born := time.Date(1961, time.April, 12, 0, 0, 0, 0, time.UTC)
	person, err := w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{
		FirstName: new("Zebulon"), LastName: new("Quixote"), Email: new("zq@secret.example"), Phone: new("+1 206 5550147"), BirthDate: &born,
	}, crm.Write{})
	ok(nil, err)
	ok(w.store.UpdateParty(w.admin(t), person.NodeID(), crm.PartyUpdate{LastName: graphql.OmittableOf(new("Quixote-Zebulon"))}, crm.Write{}))
	firm := crm.OrganizationCreate{
		LegalName: "Xylophone Works Ltd", TradingName: new("XW Trade"), TaxID: new("ATU998877"), Email: new("zq@secret.example"), Phone: new("+1 206 5550147"),
		AccountCode: new("ACC-SECRET"), ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "erp", Value: "ext-31337"}},
	}
	made, err := w.store.CreateOrganization(w.admin(t), firm, crm.Write{})
	ok(nil, err)
	firm.DuplicateOverride, firm.AccountCode = &crm.DuplicateOverride{Justification: "Another branch", CandidateIDs: []string{made.Party.NodeID()}}, nil
	ok(w.store.CreateOrganization(w.admin(t), firm, crm.Write{}))
	id := made.Party.NodeID()
	ok(w.store.UpdateParty(w.admin(t), id, crm.PartyUpdate{TradingName: graphql.OmittableOf(new("XW Trade Intl"))}, crm.Write{}))
	ok(w.store.AddExternalIdentifier(w.admin(t), id, crm.ExternalIdentifier{System: "dms", Value: "ext-31337"}, crm.Write{}))
	ok(w.store.RemoveExternalIdentifier(w.admin(t), "idn_"+askOne[string](t, w, "SELECT id::text FROM identifier WHERE system = 'dms' AND value = 'ext-31337'"), crm.Write{}))
	ok(w.store.UpdateAccount(w.admin(t), strings.Replace(id, "pty", "acc", 1), crm.AccountUpdate{Code: graphql.OmittableOf(new("ACC-SECRET-2"))}, crm.Write{}))
	ok(w.store.SetPartyParent(w.admin(t), id, new(w.party(t, 5001)), crm.Write{}))
	ok(w.store.ChangePartyStatus(w.admin(t), id, crm.PartySuspended, crm.Write{}))
	ok(w.store.DeactivateParty(w.admin(t), id, crm.Write{}))

	rows := ask[string](t, w, "SELECT e::text FROM event e")
	require.Len(t, rows, 12)
	for _, row := range rows {
		for _, secret := range secrets {
			require.NotContains(t, strings.ToLower(row), strings.ToLower(secret))
		}
	}
}
