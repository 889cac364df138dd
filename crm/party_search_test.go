package crm_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// market is what the searches of TestSearchParties look through, by name.
func market(t *testing.T, w *world) map[string]*crm.Party {
	t.Helper()
	made := map[string]*crm.Party{}
	firm := func(name string, in crm.OrganizationCreate) {
		in.DuplicateOverride = &crm.DuplicateOverride{Justification: "for a test"}
		created, err := w.store.CreateOrganization(w.admin(t), in, crm.Write{})
		require.NoError(t, err)
		made[name] = created.Party
		w.later(time.Second)
	}
	firm("zürn", crm.OrganizationCreate{LegalName: "Qxz Zürn & Söhne GmbH", TradingName: new("Straßen-Qxz Nord"), TaxID: new("QX 11/22-33"),
		Email: new("Office@qxz-zuern.example"), Phone: new("+49 (0)89 7654321"), ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "erp", Value: "QX-1"}}})
	firm("abacus", crm.OrganizationCreate{LegalName: "abacus Qxz Ltd", TradingName: new("Beads"), ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "crm", Value: "QX-1"}}})
	firm("bolt", crm.OrganizationCreate{LegalName: "Bolt Qxz Ltd", Email: new("hello@bolt-qxz.example"), ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "erp", Value: "qx-1"}}})
	person, err := w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{
		FirstName: new("José"), LastName: new("Qxzera"), Email: new("jose@qxz.example"), Phone: new("+1 555 017 6543"),
	}, crm.Write{})
	require.NoError(t, err)
	made["josé"] = person
	return made
}

func TestSearchParties(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := market(t, w)
	names := map[string]string{}
	for name, p := range made {
		names[p.NodeID()] = name
	}
	search := func(t *testing.T, ctx context.Context, q crm.PartyQuery, by *crm.PartySearchOrder) []string {
		t.Helper()
		found, err := w.store.SearchParties(ctx, q, by, firstPage(t))
		require.NoError(t, err)
		list := []string{}
		for _, p := range found.Nodes() {
			list = append(list, names[p.NodeID()])
		}
		return list
	}
	added := func(kind crm.ContactPointKind, value string) {
		_, err := w.store.AddContactPoint(w.admin(t), made["bolt"].NodeID(), crm.NewContactPoint{Kind: kind, Value: value}, crm.Write{})
		require.NoError(t, err)
	}
	added(crm.PointEmail, "second@bolt-qxz.example")
	added(crm.PointPhone, "+1 206 555 9876")
	for name, c := range map[string]struct {
		query crm.PartyQuery
		want  []string
	}{
		"the newest first":                        {crm.PartyQuery{Name: new("QXZ")}, []string{"josé", "bolt", "abacus", "zürn"}},
		"accents and signs do not count":          {crm.PartyQuery{Name: new("zurn + sohne")}, []string{"zürn"}},
		"the trading name":                        {crm.PartyQuery{Name: new("STRASSEN QXZ")}, []string{"zürn"}},
		"first and last name":                     {crm.PartyQuery{Name: new("jose qxz")}, []string{"josé"}},
		"only in this order":                      {crm.PartyQuery{Name: new("qxzera jose")}, []string{}},
		"an address in any case":                  {crm.PartyQuery{Email: new(" OFFICE@QXZ")}, []string{"zürn"}},
		"an address that is not the primary one":  {crm.PartyQuery{Email: new("second@bolt")}, []string{"bolt"}},
		"a whole number":                          {crm.PartyQuery{Phone: new("1-555-017-6543")}, []string{"josé"}},
		"the end of a number":                     {crm.PartyQuery{Phone: new("654321")}, []string{"zürn"}},
		"a number that is not the primary one":    {crm.PartyQuery{Phone: new("555 9876")}, []string{"bolt"}},
		"the beginning of a number is not enough": {crm.PartyQuery{Phone: new("1555017")}, []string{}},
		"a tax id by its letters and digits":      {crm.PartyQuery{TaxID: new("qx112233")}, []string{"zürn"}},
		"a part of a tax id is not enough":        {crm.PartyQuery{TaxID: new("qx1122")}, []string{}},
		"an external id in any system":            {crm.PartyQuery{ExternalIdentifier: new("QX-1")}, []string{"abacus", "zürn"}},
		"what is blank does not count":            {crm.PartyQuery{ExternalIdentifier: new("QX-1"), Name: new(" "), Email: new("")}, []string{"abacus", "zürn"}},
		"all must hold":                           {crm.PartyQuery{ExternalIdentifier: new("QX-1"), Name: new("bead")}, []string{"abacus"}},
		"of a kind":                               {crm.PartyQuery{Name: new("qxz"), Kind: new(crm.Individual)}, []string{"josé"}},
		"of a status":                             {crm.PartyQuery{Name: new("qxz"), Status: new(crm.PartyPending)}, []string{}},
		"signs of patterns are no patterns":       {crm.PartyQuery{Email: new("%@q"), Name: new("qxz")}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, search(t, w.admin(t), c.query, nil))
		})
	}
	t.Run("registered names are sorted in lower case, and those without come last", func(t *testing.T) {
		t.Parallel()
		q := crm.PartyQuery{Name: new("qxz")}
		require.Equal(t, []string{"abacus", "bolt", "zürn", "josé"}, search(t, w.admin(t), q, &crm.PartySearchOrder{Field: crm.PartyByLegalName, Direction: crm.Asc}))
		require.Equal(t, []string{"zürn", "bolt", "abacus", "josé"}, search(t, w.admin(t), q, &crm.PartySearchOrder{Field: crm.PartyByLegalName, Direction: crm.Desc}))
	})
	t.Run("a part of them, with the true total", func(t *testing.T) {
		t.Parallel()
		found, err := w.store.SearchParties(w.admin(t), crm.PartyQuery{Name: new("qxz")}, nil, crm.NewSlice(2, 1))
		require.NoError(t, err)
		require.Len(t, found.Nodes(), 2)
		require.True(t, found.HasNextPage())
		total, err := found.TotalCount(w.admin(t))
		require.NoError(t, err)
		require.Equal(t, 4, *total)
	})
	t.Run("another tenant finds nothing of it", func(t *testing.T) {
		t.Parallel()
		ctx, _ := crmtest.As(t, w.store, "acme", "admin")
		require.Empty(t, search(t, ctx, crm.PartyQuery{Name: new("qxz")}, nil))
		require.Empty(t, search(t, ctx, crm.PartyQuery{Phone: new("654321"), Email: new("office@")}, nil))
	})
}

func TestSearchParties_Refused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		query crm.PartyQuery
		order *crm.PartySearchOrder
		want  []string
	}{
		"nothing":            {crm.PartyQuery{}, nil, []string{"INVALID SEARCH_CRITERIA_REQUIRED input"}},
		"blank":              {crm.PartyQuery{Name: new(" "), Email: new("")}, nil, []string{"INVALID SEARCH_CRITERIA_REQUIRED input"}},
		"kind and status":    {crm.PartyQuery{Kind: new(crm.Individual), Status: new(crm.PartyActive)}, nil, []string{"INVALID SEARCH_CRITERIA_REQUIRED input"}},
		"one letter":         {crm.PartyQuery{Name: new("-a-")}, nil, []string{"INVALID  input.name"}},
		"two characters":     {crm.PartyQuery{Email: new("a@")}, nil, []string{"INVALID  input.email"}},
		"three digits":       {crm.PartyQuery{Phone: new("1-2-3")}, nil, []string{"INVALID  input.phone"}},
		"signs only":         {crm.PartyQuery{TaxID: new("-")}, nil, []string{"INVALID  input.taxId"}},
		"too long":           {crm.PartyQuery{ExternalIdentifier: new(strings.Repeat("x", 256))}, nil, []string{"INVALID  input.externalIdentifier"}},
		"a kind there is no": {crm.PartyQuery{Name: new("qxz"), Kind: new(crm.PartyKind("FIRM"))}, nil, []string{"INVALID  input.kind"}},
		"the anonymised":     {crm.PartyQuery{Name: new("qxz"), Status: new(crm.PartyAnonymized)}, nil, []string{"INVALID  input.status"}},
		"an order":           {crm.PartyQuery{Name: new("qxz")}, &crm.PartySearchOrder{Field: "NAME"}, []string{"INVALID  orderBy"}},
		"several":            {crm.PartyQuery{Name: new("q"), Phone: new("1")}, nil, []string{"INVALID  input.name", "INVALID  input.phone"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := w.store.SearchParties(w.admin(t), c.query, c.order, firstPage(t))
			require.Equal(t, c.want, refusals(err))
		})
	}
	for _, c := range []struct {
		lacks crm.Permission
		query crm.PartyQuery
		want  crm.Code
	}{
		{crm.PartySearch, crm.PartyQuery{Name: new("qxz")}, crm.Forbidden},
		{crm.PartyView, crm.PartyQuery{Name: new("qxz")}, crm.Forbidden},
		{crm.PartyMerge, crm.PartyQuery{Name: new("qxz"), IncludeMerged: new(true)}, crm.Forbidden},
		{crm.PartyMerge, crm.PartyQuery{Name: new("qxz"), Status: new(crm.PartyMerged)}, crm.Forbidden},
		{crm.PartyMerge, crm.PartyQuery{IncludeMerged: new(true)}, crm.Forbidden}, // before what is wrong with it
		{crm.PartyMerge, crm.PartyQuery{IncludeMerged: new(false)}, crm.Invalid},
	} {
		_, err := w.store.SearchParties(w.lacking(t, c.lacks), c.query, nil, firstPage(t))
		var first error
		if list := problems(err); len(list) > 0 {
			first = list[0]
		}
		require.Equal(t, c.want, crm.CodeOf(first), "%s %+v", c.lacks, c.query)
	}
}

// What a party is found by follows it wherever it goes.
func TestSearchParties_AfterChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := market(t, w)
	count := func(t *testing.T, q crm.PartyQuery) int {
		t.Helper()
		found, err := w.store.SearchParties(w.admin(t), q, nil, firstPage(t))
		require.NoError(t, err)
		return len(found.Nodes())
	}
	_, err := w.store.UpdateParty(w.admin(t), made["abacus"].NodeID(), crm.PartyUpdate{TradingName: given("Ægir's Pearls")}, crm.Write{})
	require.NoError(t, err)
	require.Equal(t, 0, count(t, crm.PartyQuery{Name: new("beads")}))
	require.Equal(t, 1, count(t, crm.PartyQuery{Name: new("aegir s pearls")}))
	fields := askOne[string](t, w, "SELECT changed_fields::text FROM event WHERE record_id = $1 ORDER BY sequence DESC LIMIT 1", made["abacus"].ID)
	require.Equal(t, "{tradingName}", fields, "a derived column says nothing")

	// A survivor without a trading name takes the loser's, and the loser is found only when asked for.
	_, err = w.store.MergeParties(w.admin(t), made["bolt"].NodeID(), crm.MergeInput{
		LoserIDs: []string{made["abacus"].NodeID()}, Justification: "the same shop",
	}, crm.Write{})
	require.NoError(t, err)
	require.Equal(t, 1, count(t, crm.PartyQuery{Name: new("pearls")}))
	require.Equal(t, 2, count(t, crm.PartyQuery{Name: new("pearls"), IncludeMerged: new(true)}))
	require.Equal(t, 1, count(t, crm.PartyQuery{Name: new("pearls"), Status: new(crm.PartyMerged)}))
	require.Equal(t, 1, count(t, crm.PartyQuery{Name: new("pearls"), Status: new(crm.PartyActive), IncludeMerged: new(true)}))
	require.Equal(t, 2, count(t, crm.PartyQuery{ExternalIdentifier: new("QX-1")}), "the id came with the merge")

	_, err = w.store.UpdateParty(w.admin(t), made["bolt"].NodeID(), crm.PartyUpdate{TradingName: cleared[string]()}, crm.Write{})
	require.NoError(t, err)
	require.Equal(t, 0, count(t, crm.PartyQuery{Name: new("pearls")}))

	_, err = w.store.ChangePartyStatus(w.admin(t), made["josé"].NodeID(), crm.PartyInactive, crm.Write{})
	require.NoError(t, err)
	require.Equal(t, 1, count(t, crm.PartyQuery{Name: new("qxzera"), Status: new(crm.PartyInactive)}), "INACTIVE is not deactivated")
	_, err = w.store.DeactivateParty(w.admin(t), made["josé"].NodeID(), crm.Write{})
	require.NoError(t, err)
	require.Equal(t, 0, count(t, crm.PartyQuery{Name: new("qxzera")}))

	gone := w.newcomer(t, crm.CustomerCreate{FirstName: new("Ann"), LastName: new("Qxzonym"), ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "pos", Value: "QX-9"}}})
	require.Equal(t, 1, count(t, crm.PartyQuery{ExternalIdentifier: new("QX-9")}))
	_, err = w.store.AnonymizeCustomer(w.admin(t), gone.NodeID(), crm.Write{})
	require.NoError(t, err)
	require.Equal(t, 0, count(t, crm.PartyQuery{ExternalIdentifier: new("QX-9")}))
	require.Equal(t, 0, count(t, crm.PartyQuery{Name: new("redacted")}))
}

// The number of statements does not depend on how many are found.
func TestSearchParties_Statements(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, size := range []int{1, 100} {
		ctx, statements := crmtest.As(t, w.store, "demo", "admin")
		found, err := w.store.SearchParties(ctx, crm.PartyQuery{Name: new("er")}, nil, crm.NewSlice(size, 0))
		require.NoError(t, err)
		require.Len(t, found.Nodes(), size)
		_, err = found.TotalCount(ctx)
		require.NoError(t, err)
		crm.Prefetch(ctx, "Party", found.Nodes(), crm.Plan{{Field: "contactPoints", Page: crm.WholeList()}})
		for _, p := range found.Nodes() {
			_, err := crm.PartyContactPoints.All(ctx, p)
			require.NoError(t, err)
		}
		require.Equal(t, 4, statements.Count(), "the ids, the parties, the total, the contact points")
	}
}

// The migration brings names that were there before to the form that later ones are kept in.
func TestSearchParties_Backfill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := []string{"Straßen-Qxz  Nord", "ÆGIR & Œuvre", "Łódź «Đorđe» Ýr", "Ørsted 5/7 (Þing)", "Ünïcödé, Inc.", "Доброе Дело"}
	for i, name := range names {
		p := w.organization(t, "Backfill "+name)
		w.do(t, "UPDATE party SET trading_name = $2, search_trading_name = NULL, tax_id = 'ab 1-2', tax_id_normalised = NULL, number = 900000 + $3 WHERE id = $1", p.ID, name, i)
	}
	script, err := os.ReadFile("../db/migrations/0007_search_parties.tx.up.sql")
	require.NoError(t, err)
	for statement := range strings.SplitSeq(string(script), "--bun:split") {
		if strings.Contains(statement, "UPDATE party") {
			w.do(t, statement)
		}
	}
	want := make([]string, len(names))
	for i, name := range names {
		want[i] = crm.NormaliseName(name) + " AB12"
	}
	require.Equal(t, want, ask[string](t, w, "SELECT search_trading_name || ' ' || tax_id_normalised FROM party WHERE number >= 900000 ORDER BY number"))
}

// Trading names that were stored before they could be searched are found like later ones.
func TestTradingNamesOfBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := []string{
		"Straße & Söhne", "ÆRØ", "Łódź Transport", "Đorđe", "Œuvre", "Ðórr Þing", "İstanbul ISI ı", "Ромашка Ё", "ΣΊΣΥΦΟΣ", "ﬁne—Print Co.", "m² № 5",
		"שָׁלוֹם", "مُحَمَّد", "हिन्दी दुकान", "ร้านค้า", "한국 (주)", "soft\u00adhyphen", "a\u200bb", "x_y",
	}
	for i, name := range names {
		_, err := w.store.CreateOrganization(w.admin(t), crm.OrganizationCreate{LegalName: fmt.Sprintf("Of before %d", i), TradingName: &name}, crm.Write{})
		require.NoError(t, err)
	}
	const stored = "SELECT coalesce(search_trading_name, '') FROM party WHERE legal_name LIKE 'Of before %' ORDER BY number"
	want := ask[string](t, w, stored)
	require.Len(t, want, len(names))
	migration, err := os.ReadFile("../db/migrations/0007_search_parties.tx.up.sql")
	require.NoError(t, err)
	w.do(t, "UPDATE party SET search_trading_name = NULL")
	w.do(t, strings.Split(string(migration), "--bun:split")[1])
	require.Equal(t, want, ask[string](t, w, stored))
}
