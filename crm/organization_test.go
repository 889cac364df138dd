package crm_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// like makes an organisation and returns it, or the candidates that stop it.
func (w *world) like(t *testing.T, in crm.OrganizationCreate) (*crm.OrganizationCreated, *crm.Error) {
	t.Helper()
	before := w.rows(t)
	made, err := w.store.CreateOrganization(w.admin(t), in, crm.Write{})
	if err == nil {
		return made, nil
	}
	e := refused(t, err, crm.Conflict, crm.DuplicateCandidates, "input")
	require.Equal(t, before, w.rows(t), "nothing is written")
	return nil, e
}

func TestCreateOrganization(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	northwind := w.party(t, 5001)
	t.Run("takes every field, trimmed, and starts ACTIVE with revision 1", func(t *testing.T) {
		w.settings(t, crm.TenantSettingsUpdate{Restrictions: list("EMEA")})
		terms := "btr_" + askOne[string](t, w, "SELECT id::text FROM billing_terms WHERE code = 'BT-NET60' AND "+inDemo)
		last := askOne[int64](t, w, "SELECT last_value FROM counter WHERE name = 'party' AND "+inDemo)
		made, err := w.store.CreateOrganization(w.admin(t), crm.OrganizationCreate{
			LegalName: " Sandpiper Söhne GmbH ", TradingName: new("Sandpiper"), TaxID: new("DE 12-3"), Email: new("Info@Sandpiper.example"),
			Phone: new("+49 (30) 555-0147"), Key: new("sandpiper"), Language: new("de-AT"), CountryCode: new("AT"), Restrictions: []string{"EMEA"},
			ParentID: &northwind, AccountCode: new("sp-1"), BillingTermsID: &terms, InvoiceDelivery: new(crm.DeliverByPortal),
			ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "erp", Value: "SP-1"}, {System: "dms", Value: "SP-1"}},
		}, crm.Write{})
		require.NoError(t, err)
		require.Empty(t, made.DuplicateCandidates)
		p := made.Party
		require.Equal(t, []any{"Sandpiper Söhne GmbH", "Sandpiper", "DE 12-3", "sandpiper", "de-AT", "AT", []string{"EMEA"}, crm.PartyActive, int64(1), last + 1},
			[]any{p.DisplayName, *p.TradingName, *p.TaxID, p.Key, *p.Language, *p.CountryCode, p.Restrictions, p.Status, p.Revision, p.Number})
		require.Equal(t, crm.TierStandard, p.Tier().Level)
		stored, err := w.store.Party(w.admin(t), crm.PartyBy{Key: new("sandpiper")})
		require.NoError(t, err)
		same(t, stored, p)
		account, err := crm.PartyAccount.Load(w.admin(t), p)
		require.NoError(t, err)
		require.Equal(t, []any{"SP-1", crm.AccountActive, crm.DeliverByPortal, terms, int64(1)},
			[]any{account.Code, account.Status, account.InvoiceDelivery, crm.BillingTermsList.GlobalID(*account.BillingTermsID), account.Revision})
		require.Equal(t, []string{"EMAIL Info@Sandpiper.example info@sandpiper.example true", "PHONE +49 (30) 555-0147 49305550147 true"}, ask[string](t, w,
			"SELECT concat_ws(' ', kind, value, normalised, is_primary::text) FROM contact_point WHERE party_id = $1 ORDER BY kind", p.ID.String()))
		require.Equal(t, []string{"EMAIL  info@sandpiper.example false", "EXTERNAL dms SP-1 false", "EXTERNAL erp SP-1 false", "PHONE  49305550147 false"}, ask[string](t, w,
			"SELECT concat_ws(' ', kind, system, normalised, is_claim::text) FROM identifier WHERE party_id = $1 ORDER BY kind, system", p.ID.String()), "who is no customer claims nothing")
		require.Equal(t, []string{"PARTY_CREATED"}, w.events(t, p.NodeID()))
	})
	t.Run("needs nothing but a legal name", func(t *testing.T) {
		p := w.organization(t, "Plover Ltd")
		require.Equal(t, p.ID.String(), p.Key)
		account, err := crm.PartyAccount.Load(w.admin(t), p)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("ACC-%06d", p.Number), account.Code)
		require.Equal(t, crm.DeliverByEmail, account.InvoiceDelivery, "EMAIL unless said otherwise")
		require.Equal(t, "BT-NET30", askOne[string](t, w, "SELECT code FROM billing_terms WHERE id = $1", account.BillingTermsID.String()), "the default terms")
	})
	t.Run("has no terms of payment when the tenant has no ACTIVE default", func(t *testing.T) {
		w.do(t, "UPDATE billing_terms SET status = 'ARCHIVED' WHERE is_default AND "+inDemo)
		account, err := crm.PartyAccount.Load(w.admin(t), w.organization(t, "Snipe Ltd"))
		require.NoError(t, err)
		require.Nil(t, account.BillingTermsID)
	})
	for name, c := range map[string]struct {
		in     crm.OrganizationCreate
		code   crm.Code
		reason crm.Reason
		field  string
	}{
		"terms that are not ACTIVE":           {crm.OrganizationCreate{BillingTermsID: new("btr_" + archived(t, w))}, crm.Invalid, crm.InvalidBillingTerms, "input.billingTermsId"},
		"terms that do not exist":             {crm.OrganizationCreate{BillingTermsID: new("btr_" + nobody)}, crm.Invalid, crm.InvalidBillingTerms, "input.billingTermsId"},
		"a parent that does not exist":        {crm.OrganizationCreate{ParentID: new("pty_" + nobody)}, crm.Invalid, crm.InvalidParent, "input.parentId"},
		"a parent that is a person":           {crm.OrganizationCreate{ParentID: new(w.party(t, 1001))}, crm.Invalid, crm.InvalidParent, "input.parentId"},
		"a restriction that is not known":     {crm.OrganizationCreate{Restrictions: []string{"NONE"}}, crm.Invalid, "", "input.restrictions[0]"},
		"a key that is taken":                 {crm.OrganizationCreate{Key: new("northwind-logistics")}, crm.Conflict, crm.KeyInUse, "input.key"},
		"an account code in use, in any case": {crm.OrganizationCreate{AccountCode: new("acc-005001")}, crm.Conflict, crm.CodeInUse, "input.accountCode"},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			c.in.LegalName = "Curlew " + name
			before := w.rows(t)
			_, err := w.store.CreateOrganization(w.admin(t), c.in, crm.Write{})
			refused(t, err, c.code, c.reason, c.field)
			require.Equal(t, before, w.rows(t))
		})
	}
	t.Run("tells everything that does not fit at once", func(t *testing.T) {
		w.settings(t, crm.TenantSettingsUpdate{ActiveCountries: list("DE")})
		_, err := w.store.CreateOrganization(w.admin(t), crm.OrganizationCreate{
			LegalName: "Curlew", CountryCode: new("FR"), Restrictions: []string{"NONE"}, BillingTermsID: new("btr_" + nobody), ParentID: new("pty_" + nobody),
		}, crm.Write{})
		require.Equal(t, []string{"input.countryCode", "input.restrictions[0]", "input.billingTermsId", "input.parentId"}, fields(t, err))
	})
}

const nobody = "018f0000-0000-7000-8000-000000000000"

func archived(t *testing.T, w *world) string {
	t.Helper()
	return askOne[string](t, w, "SELECT id::text FROM billing_terms WHERE status = 'ARCHIVED' AND "+inDemo)
}

// TestDuplicates compares newcomers with the firm of the first line (Durion 3.5).
func TestDuplicates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made, _ := w.like(t, crm.OrganizationCreate{
		LegalName: "Harbor Freightlines Inc", TaxID: new("84-2219075"), Email: new("Ops@HarborFL.example"), Phone: new("+1 206 555 0147"),
		ExternalIdentifiers: []*crm.ExternalIdentifier{{System: "erp", Value: "HF-0042"}},
	})
	harbor := made.Party
	erp := func(system, value string) []*crm.ExternalIdentifier {
		return []*crm.ExternalIdentifier{{System: system, Value: value}}
	}
	type reasons = []crm.MatchReason
	for name, c := range map[string]struct {
		in     crm.OrganizationCreate
		want   reasons
		blocks bool
	}{
		"the tax id blocks, signs and case aside":              {crm.OrganizationCreate{LegalName: "Gannet AA", TaxID: new("84.221-9075 ")}, reasons{crm.TaxIDMatch}, true},
		"the external id blocks":                               {crm.OrganizationCreate{LegalName: "Gannet BB", ExternalIdentifiers: erp("erp", "HF-0042")}, reasons{crm.ExternalIDMatch}, true},
		"an external id of another system is none":             {crm.OrganizationCreate{LegalName: "Gannet CC", ExternalIdentifiers: erp("dms", "HF-0042")}, nil, false},
		"an external id of another case is none":               {crm.OrganizationCreate{LegalName: "Gannet DD", ExternalIdentifiers: erp("erp", "hf-0042")}, nil, false},
		"the name blocks, accents, case and punctuation aside": {crm.OrganizationCreate{LegalName: "HÁRBOR — freightlines, INC."}, reasons{crm.ExactNameMatch}, true},
		"the e-mail address alone is weak":                     {crm.OrganizationCreate{LegalName: "Gannet EE", Email: new("ops@harborfl.EXAMPLE")}, reasons{crm.EmailMatch}, false},
		"the telephone number alone is weak":                   {crm.OrganizationCreate{LegalName: "Gannet FF", Phone: new("1 (206) 555-0147")}, reasons{crm.PhoneMatch}, false},
		"address and number together are weak": {crm.OrganizationCreate{LegalName: "Gannet GG", Email: new("ops@harborfl.example"), Phone: new("12065550147")},
			reasons{crm.EmailMatch, crm.PhoneMatch}, false},
		"the same core name alone is weak":                {crm.OrganizationCreate{LegalName: "Harbor Freightlines Corp"}, reasons{crm.NameSimilarity}, false},
		"a core name that is 80 % alike alone is weak":    {crm.OrganizationCreate{LegalName: "Harbor Freightliness GmbH"}, reasons{crm.NameSimilarity}, false},
		"a name that is less alike is none":               {crm.OrganizationCreate{LegalName: "Harbor Freight Lines West LLC"}, nil, false},
		"a similar name with the address blocks":          {crm.OrganizationCreate{LegalName: "Harbor Freightlines LLC", Email: new("ops@harborfl.example")}, reasons{crm.EmailMatch, crm.NameSimilarity}, true},
		"a similar name with the telephone number blocks": {crm.OrganizationCreate{LegalName: "Harbor Freightlines LLC", Phone: new("12065550147")}, reasons{crm.PhoneMatch, crm.NameSimilarity}, true},
		"all reasons are told, strongest first, similarity not beside equality": {
			crm.OrganizationCreate{LegalName: "Harbor Freightlines Inc", TaxID: new("842219075"), Email: new("ops@harborfl.example"), Phone: new("12065550147"), ExternalIdentifiers: erp("erp", "HF-0042")},
			reasons{crm.TaxIDMatch, crm.ExternalIDMatch, crm.ExactNameMatch, crm.EmailMatch, crm.PhoneMatch}, true},
		"nothing alike is no candidate": {crm.OrganizationCreate{LegalName: "Cedar Valley School District"}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			made, stopped := w.like(t, c.in)
			var candidates []*crm.DuplicateCandidate
			if c.blocks {
				require.NotNil(t, stopped, "it must be refused")
				candidates = stopped.Candidates
			} else {
				require.Nil(t, stopped, "it must not be refused")
				candidates = made.DuplicateCandidates
				defer w.do(t, "UPDATE party SET deactivated_at = now() WHERE id = $1", made.Party.ID.String())
			}
			if c.want == nil {
				require.Empty(t, candidates)
				return
			}
			require.Len(t, candidates, 1)
			require.Equal(t, harbor.ID, candidates[0].Party.ID)
			require.Equal(t, c.want, candidates[0].Reasons)
			require.Equal(t, c.blocks, candidates[0].IsBlocking)
		})
	}
	t.Run("names in other scripts are compared, too", func(t *testing.T) {
		w.organization(t, "Ромашка GmbH")
		_, stopped := w.like(t, crm.OrganizationCreate{LegalName: "РОМАШКА GmbH"})
		require.Equal(t, reasons{crm.ExactNameMatch}, stopped.Candidates[0].Reasons)
		made, _ := w.like(t, crm.OrganizationCreate{LegalName: "Ромашка AG"})
		require.Len(t, made.DuplicateCandidates, 1)
		require.Equal(t, reasons{crm.NameSimilarity}, made.DuplicateCandidates[0].Reasons)
	})
	t.Run("a person is no candidate", func(t *testing.T) {
		email := askOne[string](t, w, "SELECT value FROM contact_point WHERE kind = 'EMAIL' AND party_id = substr($1, 5)::uuid", w.party(t, 1001))
		made, stopped := w.like(t, crm.OrganizationCreate{LegalName: "Amelia Hartmann", Email: &email})
		require.Nil(t, stopped)
		require.Empty(t, made.DuplicateCandidates)
	})
	t.Run("another tenant's organisation is no candidate", func(t *testing.T) {
		name := askOne[string](t, w, "SELECT p.legal_name FROM party p JOIN tenant t ON t.id = p.tenant_id WHERE t.code = 'acme' AND kind = 'ORGANIZATION' AND NOT EXISTS "+
			"(SELECT 1 FROM party o WHERE o.tenant_id <> p.tenant_id AND o.search_name = p.search_name) LIMIT 1")
		_, stopped := w.like(t, crm.OrganizationCreate{LegalName: name})
		require.Nil(t, stopped)
	})
}

func TestDuplicates_WhoIsCompared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		set    string
		counts bool
	}{
		"inactive ones are":        {"status = 'INACTIVE'", true},
		"pending ones are":         {"status = 'PENDING'", true},
		"suspended ones are":       {"status = 'SUSPENDED'", true},
		"deactivated ones are not": {"deactivated_at = now()", false},
		"merged ones are not":      {"status = 'MERGED', merged_into_id = (SELECT id FROM party WHERE number = 5001 AND " + inDemo + ")", false},
		"anonymised ones are not":  {"status = 'ANONYMIZED', anonymized_at = now()", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.organization(t, "Tern "+name)
			w.do(t, "UPDATE party SET "+c.set+" WHERE id = $1", p.ID.String())
			similar, stopped := w.like(t, crm.OrganizationCreate{LegalName: "Tern " + name + " AG"})
			require.Nil(t, stopped)
			require.Equal(t, c.counts, len(similar.DuplicateCandidates) > 0)
			w.do(t, "UPDATE party SET deactivated_at = now() WHERE id = $1", similar.Party.ID.String())
			_, stopped = w.like(t, crm.OrganizationCreate{LegalName: "Tern " + name})
			require.Equal(t, c.counts, stopped != nil)
		})
	}
}

func TestDuplicates_CoreNames(t *testing.T) {
	t.Parallel()
	for name, core := range map[string]string{
		"Harbor Freightlines Inc":              "harbor freightlines",
		"Harbor Freightlines Company, Limited": "harbor freightlines",
		"Co Op Inc":                            "co op",
		"Böhm & Söhne GmbH Co":                 "bohm sohne",
		"GmbH":                                 "gmbh",
		"X Inc":                                "x inc",
		"AG BV":                                "ag bv",
		"Ag-Sa Holding":                        "ag sa holding",
	} {
		require.Equal(t, core, crm.CoreName(name), name)
	}
	for form := range strings.FieldsSeq("inc incorporated corp corporation co company llc ltd limited plc gmbh ag sa bv") {
		require.Equal(t, "gull freight", crm.CoreName("Gull Freight "+form))
	}
}

func TestDuplicates_OrderAndBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone := new("+1 206 555 0199")
	var byPhone []string
	for i := range 9 {
		made, _ := w.like(t, crm.OrganizationCreate{LegalName: fmt.Sprintf("%s number %d", strings.Repeat(string(rune('a'+i)), 7), i), Phone: phone})
		w.do(t, "UPDATE party SET created_at = $2::timestamptz + interval '1 min' * $3 WHERE id = $1", made.Party.ID.String(), "2026-01-01Z", (i*5)%9)
		byPhone = append(byPhone, made.Party.NodeID())
	}
	named := w.organization(t, "Petrel Transport Inc").NodeID()
	mailed, _ := w.like(t, crm.OrganizationCreate{LegalName: "Skua Transport", Email: new("a@skua.example")})
	taxed, _ := w.like(t, crm.OrganizationCreate{LegalName: "Fulmar Freight", TaxID: new("999-1")})
	in := crm.OrganizationCreate{LegalName: "Petrel Transport Ltd", Phone: phone, Email: new("a@skua.example"), TaxID: new("9991")}
	_, stopped := w.like(t, in)
	var got []string
	for _, c := range stopped.Candidates {
		got = append(got, c.Party.NodeID())
	}
	want := []string{taxed.Party.NodeID(), mailed.Party.NodeID()}
	for i := range 9 { // by when they were made: i*5%9 is the order
		for j, id := range byPhone {
			if j*5%9 == i {
				want = append(want, id)
			}
		}
	}
	require.Equal(t, want[:10], got, "strongest reason first, then the oldest, at most ten")
	require.NotContains(t, got, named)

	t.Run("what blocks is told although ten weaker ones are there, and an override tells the same", func(t *testing.T) {
		require.True(t, stopped.Candidates[0].IsBlocking)
		in.DuplicateOverride = &crm.DuplicateOverride{Justification: "  Separate Canadian branch  ", CandidateIDs: []string{named}}
		made, none := w.like(t, in)
		require.Nil(t, none)
		same(t, stopped.Candidates, made.DuplicateCandidates)
		require.Equal(t, []string{"PARTY_CREATED", "DUPLICATE_OVERRIDDEN"}, w.events(t, made.Party.NodeID()))
		require.JSONEq(t, fmt.Sprintf(`{"justification": "Separate Canadian branch", "candidates": ["%s"], "considered": ["%s"]}`, strings.Join(got, `","`), named),
			askOne[string](t, w, "SELECT details::text FROM event WHERE type = 'DUPLICATE_OVERRIDDEN'"))
	})
	t.Run("an override that nothing made necessary leaves no entry", func(t *testing.T) {
		made, _ := w.like(t, crm.OrganizationCreate{LegalName: "Razorbill", DuplicateOverride: &crm.DuplicateOverride{Justification: "Just in case"}})
		require.Equal(t, []string{"PARTY_CREATED"}, w.events(t, made.Party.NodeID()))
	})
	t.Run("an override needs a justification of 5 to 500 characters", func(t *testing.T) {
		for _, why := range []string{"", "    abcd   ", strings.Repeat("x", 501)} {
			in.DuplicateOverride = &crm.DuplicateOverride{Justification: why}
			_, err := w.store.CreateOrganization(w.admin(t), in, crm.Write{})
			require.Equal(t, "input.duplicateOverride.justification", fields(t, err)[0])
		}
	})
}

func TestCreateOrganization_OneOfManyOfTheSameName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := w.wide(t)
	made := make([]*crm.OrganizationCreated, crowd)
	errs := together(t, store, func(ctx context.Context, i int) error {
		name := "Cormorant Carriers GmbH"
		if i%2 == 1 {
			name = "CORMORANT CARRIERS, GmbH"
		}
		created, err := store.CreateOrganization(ctx, crm.OrganizationCreate{LegalName: name}, crm.Write{})
		made[i] = created
		return err
	})
	var winner *crm.Party
	for _, m := range made {
		if m != nil {
			require.Nil(t, winner, "only one is made")
			winner = m.Party
		}
	}
	require.NotNil(t, winner)
	for _, err := range errs {
		if err != nil {
			e := refused(t, err, crm.Conflict, crm.DuplicateCandidates, "input")
			require.Equal(t, winner.ID, e.Candidates[0].Party.ID)
		}
	}
}
