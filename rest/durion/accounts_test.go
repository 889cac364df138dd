package durion_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

const accounts = "/v1/crm/accounts/parties"

// duplicate is the account of the example G2, which looks like P1.
const duplicate = `"legalName":"HARBOR FREIGHTLINES, INC.","taxId":"842219075"`

// Examples G1 to G7.
func TestCreateAccountExamples(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(t)
	const g1 = `{"legalName":"Blue Mesa Drilling LLC","taxId":"27-5550133","partyType":"ORGANIZATION","billingTermsId":"BT-NET60",
		"email":"ap@bluemesa.example","phone":"+1 505 555 0162","externalIdentifiers":{"erp":"BM-7"}}`
	made := admin.call(t, http.MethodPost, accounts, g1)
	made.expect(t, http.StatusCreated, `{"partyId":"*","legalName":"Blue Mesa Drilling LLC","status":"ACTIVE","createdAt":"*","duplicateCandidates":[]}`)
	id := made.object(t)["partyId"].(string)
	assert.Equal(t, accounts+"/"+id, made.Header.Get("Location"))
	admin.call(t, http.MethodGet, accounts+"/"+id, nil).expect(t, http.StatusOK, `{"partyId":"`+id+`","partyType":"ORGANIZATION","status":"ACTIVE",
		"legalName":"Blue Mesa Drilling LLC","taxId":"27-5550133","email":"ap@bluemesa.example","phone":"+1 505 555 0162","billingTermsId":"BT-NET60",
		"invoiceDeliveryMethod":"EMAIL","externalIdentifiers":{"erp":"BM-7"},"tier":"STANDARD","version":"1","createdAt":"*","updatedAt":"*"}`)

	const candidate = `{"partyId":"P1","legalName":"Harbor Freightlines Inc","matchReason":"TAX_ID_MATCH","matchReasons":["TAX_ID_MATCH","EXACT_NAME_MATCH"],
		"taxId":"84-2219075","status":"ACTIVE","createdAt":"*"}`
	admin.call(t, http.MethodPost, accounts, "{"+duplicate+"}", "X-Correlation-Id", "gx-02").expect(t, http.StatusConflict,
		`{"code":"DUPLICATE_CANDIDATES","message":"*","correlationId":"gx-02","timestamp":"*","fieldErrors":[],"candidates":[`+candidate+`]}`)
	admin.call(t, http.MethodPost, accounts, `{"legalName":"Harbor Freightlines Corp"}`).expect(t, http.StatusCreated,
		`{"partyId":"*","legalName":"Harbor Freightlines Corp","status":"ACTIVE","createdAt":"*","duplicateCandidates":[
			{"partyId":"P1","legalName":"Harbor Freightlines Inc","matchReason":"NAME_SIMILARITY","matchReasons":["NAME_SIMILARITY"],
			"taxId":"84-2219075","status":"ACTIVE","createdAt":"*"}]}`)
	refused := admin.call(t, http.MethodPost, accounts, "{"+duplicate+`,"duplicateOverride":true}`).
		refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "duplicateOverrideJustification")
	assert.NotContains(t, refused["fieldErrors"].([]any)[0], "rejectedValue")
	overridden := admin.call(t, http.MethodPost, accounts, "{"+duplicate+`,"duplicateOverride":true,"duplicateOverrideJustification":"Separate Canadian branch"}`)
	require.Equal(t, http.StatusCreated, overridden.Status, "%s", overridden.Body)
	assert.Equal(t, named["P1"], overridden.object(t)["duplicateCandidates"].([]any)[0].(map[string]any)["partyId"])

	admin.call(t, http.MethodPost, accounts, `{"legalName":"  ","email":"nope","externalIdentifiers":{"erp":12}}`, "X-Correlation-Id", "gx-06").
		expect(t, http.StatusBadRequest, `{"code":"VALIDATION_ERROR","message":"*","correlationId":"gx-06","timestamp":"*","fieldErrors":[
			{"field":"legalName","message":"*","rejectedValue":"  "},{"field":"email","message":"*","rejectedValue":"nope"},
			{"field":"externalIdentifiers.erp","message":"*","rejectedValue":12}]}`)

	csr := w.as(t, "CSR")
	csr.call(t, http.MethodPost, accounts, g1).refused(t, http.StatusForbidden, "FORBIDDEN")
	csr.call(t, http.MethodGet, accounts+"/0190f3a2-9999-7a01-8b01-000000000001", nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	w.holding(t).call(t, http.MethodGet, accounts+"/0190f3a2-9999-7a01-8b01-000000000001", nil).refused(t, http.StatusForbidden, "FORBIDDEN")
}

func TestCreateAccountRefused(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(t)
	w.exec(t, "UPDATE billing_terms SET status = 'INACTIVE' WHERE code = 'BT-COD'")
	for _, c := range []struct {
		name, body, code string
		fields           []string
	}{
		{"no name", `{}`, "VALIDATION_ERROR", []string{"legalName"}},
		{"null for a name", `{"legalName":null}`, "VALIDATION_ERROR", []string{"legalName"}},
		{"a number for a name", `{"legalName":7}`, "VALIDATION_ERROR", []string{"legalName"}},
		{"blanks", `{"legalName":"A","displayName":"","email":" ","phone":""}`, "VALIDATION_ERROR", []string{"displayName", "email", "phone"}},
		{"a blank under its other name", `{"legalName":"A","dbaName":" "}`, "VALIDATION_ERROR", []string{"dbaName"}},
		{"too long", `{"legalName":"` + strings.Repeat("a", 256) + `","displayName":"` + strings.Repeat("b", 256) + `"}`, "VALIDATION_ERROR", []string{"legalName", "displayName"}},
		{"the alias is named", `{"legalName":"A","dbaName":7}`, "VALIDATION_ERROR", []string{"dbaName"}},
		{"the guide's name wins", `{"legalName":"A","displayName":7,"dbaName":"B"}`, "VALIDATION_ERROR", []string{"displayName"}},
		{"blank", `{"legalName":"A","displayName":" ","email":"","phone":" "}`, "VALIDATION_ERROR", []string{"displayName", "email", "phone"}},
		{"a blank alias", `{"legalName":"A","dbaName":""}`, "VALIDATION_ERROR", []string{"dbaName"}},
		{"null for an identifier", `{"legalName":"A","externalIdentifiers":{"erp":null}}`, "VALIDATION_ERROR", []string{"externalIdentifiers.erp"}},
		{"a long identifier", `{"legalName":"A","externalIdentifiers":{"erp":"` + strings.Repeat("x", 129) + `"}}`, "VALIDATION_ERROR", []string{"externalIdentifiers.erp"}},
		{"many identifiers", `{"legalName":"A","externalIdentifiers":{` + strings.TrimSuffix(manyIdentifiers(21), ",") + `}}`, "VALIDATION_ERROR", []string{"externalIdentifiers"}},
		{"a long justification", "{" + duplicate + `,"duplicateOverride":true,"duplicateOverrideJustification":"` + strings.Repeat("y", 501) + `"}`, "VALIDATION_ERROR", []string{"duplicateOverrideJustification"}},
		{"a person", `{"legalName":"A","partyType":"INDIVIDUAL"}`, "VALIDATION_ERROR", []string{"partyType"}},
		{"no type", `{"legalName":"A","partyType":"organization"}`, "VALIDATION_ERROR", []string{"partyType"}},
		{"tax id", `{"legalName":"A","taxId":"` + strings.Repeat("1", 65) + `"}`, "VALIDATION_ERROR", []string{"taxId"}},
		{"phone", `{"legalName":"A","phone":"555-CALL"}`, "VALIDATION_ERROR", []string{"phone"}},
		{"six digits", `{"legalName":"A","phone":"123456"}`, "VALIDATION_ERROR", []string{"phone"}},
		{"identifiers", `{"legalName":"A","externalIdentifiers":["x"]}`, "VALIDATION_ERROR", []string{"externalIdentifiers"}},
		{"the key of an identifier", `{"legalName":"A","externalIdentifiers":{"e r p":"x"}}`, "VALIDATION_ERROR", []string{"externalIdentifiers.e r p"}},
		{"an empty identifier", `{"legalName":"A","externalIdentifiers":{"erp":""}}`, "VALIDATION_ERROR", []string{"externalIdentifiers.erp"}},
		{"unknown terms", `{"legalName":"A","billingTermsId":"BT-NET90"}`, "INVALID_BILLING_TERMS", []string{"billingTermsId"}},
		{"terms that are not active", `{"legalName":"A","defaultBillingTermsId":"BT-COD"}`, "INVALID_BILLING_TERMS", []string{"defaultBillingTermsId"}},
		{"no terms at all", `{"legalName":"A","billingTermsId":""}`, "INVALID_BILLING_TERMS", []string{"billingTermsId"}},
		{"the terms come after the rest", `{"legalName":"","billingTermsId":"BT-NET90"}`, "VALIDATION_ERROR", []string{"legalName"}},
		{"a short justification", "{" + duplicate + `,"duplicateOverride":true,"duplicateOverrideJustification":" abc "}`, "VALIDATION_ERROR", []string{"duplicateOverrideJustification"}},
		{"no truth", "{" + duplicate + `,"duplicateOverride":"true"}`, "VALIDATION_ERROR", []string{"duplicateOverride"}},
		{"candidates", "{" + duplicate + `,"duplicateOverride":true,"duplicateOverrideJustification":"because","duplicateCandidatePartyIds":[1,"P1","x"]}`, "VALIDATION_ERROR", []string{"duplicateCandidatePartyIds[0]", "duplicateCandidatePartyIds[2]"}},
		{"what is not asked for has its type", `{"legalName":"A","duplicateOverrideJustification":5,"duplicateCandidatePartyIds":"P1"}`, "VALIDATION_ERROR",
			[]string{"duplicateOverrideJustification", "duplicateCandidatePartyIds"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := admin.call(t, http.MethodPost, accounts, c.body).refused(t, http.StatusBadRequest, c.code, c.fields...)
			if c.name == "tax id" {
				assert.NotContains(t, body["fieldErrors"].([]any)[0], "rejectedValue")
			}
		})
	}
	var n int
	require.NoError(t, w.owner.QueryRowContext(t.Context(), "SELECT count(*) FROM party").Scan(&n))
	assert.Equal(t, 9, n, "nothing was written")
}

// manyIdentifiers are the members of an object with so many identifiers.
func manyIdentifiers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"s%d":"x",`, i)
	}
	return b.String()
}

// What was looked at before overriding is kept with the reason, and null stands for what is left out.
func TestCreateAccountOverrideIsKept(t *testing.T) {
	w := newWorld(t)
	made := w.admin(t).call(t, http.MethodPost, accounts, "{"+duplicate+`,"displayName":null,"dbaName":"HF","email":null,"phone":null,"externalIdentifiers":null,
		"billingTermsId":null,"duplicateOverride":true,"duplicateOverrideJustification":"  Separate Canadian branch ","duplicateCandidatePartyIds":["P1","P2"]}`)
	require.Equal(t, http.StatusCreated, made.Status, "%s", made.Body)
	var details string
	require.NoError(t, w.owner.QueryRowContext(t.Context(), "SELECT details FROM event WHERE record_id = ? AND type = 'DUPLICATE_OVERRIDDEN'",
		made.object(t)["partyId"]).Scan(&details))
	one, two := "pty_"+named["P1"], "pty_"+named["P2"]
	assert.JSONEq(t, fmt.Sprintf(`{"justification":"Separate Canadian branch","candidates":[%q],"considered":[%q,%q]}`, one, one, two), details)
}

func TestCreateAccountLeniently(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(t)
	made := admin.call(t, http.MethodPost, accounts, `{"legalName":" Delta Works ","dbaName":"Delta","partyType":"BUSINESS","defaultBillingTermsId":"BT-NET60",
		"duplicateOverride":false,"duplicateOverrideJustification":"not asked for","nobodyKnowsThis":{"a":1}}`)
	made.expect(t, http.StatusCreated, `{"partyId":"*","legalName":"Delta Works","status":"ACTIVE","createdAt":"*","duplicateCandidates":[]}`)
	shown := admin.call(t, http.MethodGet, accounts+"/"+made.object(t)["partyId"].(string), nil).object(t)
	assert.Equal(t, []any{"Delta", "BT-NET60"}, []any{shown["displayName"], shown["billingTermsId"]})
}

// Whoever may make accounts but not see parties is not told tax ids.
func TestCreateAccountTellsNoTaxIDs(t *testing.T) {
	w := newWorld(t)
	body := w.holding(t, crm.PartyCreate).call(t, http.MethodPost, accounts, "{"+duplicate+"}").refused(t, http.StatusConflict, "DUPLICATE_CANDIDATES")
	assert.NotContains(t, body["candidates"].([]any)[0], "taxId")
}

func TestCreateAccountAtOnce(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(t)
	statuses := make([]int, 8)
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() {
			statuses[i] = admin.call(t, http.MethodPost, accounts, `{"legalName":"Summit Paving","taxId":"11-1"}`).Status
		})
	}
	all.Wait()
	count := map[int]int{}
	for _, s := range statuses {
		count[s]++
	}
	assert.Equal(t, map[int]int{http.StatusCreated: 1, http.StatusConflict: 7}, count)
}

// Examples G8 and G9, and the rest of D-04.
func TestSearchParties(t *testing.T) {
	w := newWorld(t)
	const search = accounts + "/search"
	csr := w.as(t, "CSR")
	csr.call(t, http.MethodPost, search, `{"name":"harbor","partyType":"ORGANIZATION","pageSize":500,"sortField":"legalName","sortOrder":"ASC"}`).
		expect(t, http.StatusOK, `{"results":[
			{"partyId":"P2","legalName":"Harbor Freight Lines West LLC","partyType":"ORGANIZATION","status":"ACTIVE","createdAt":"*"},
			{"partyId":"P1","legalName":"Harbor Freightlines Inc","partyType":"ORGANIZATION","status":"ACTIVE","phone":"+1 206 555 0147","createdAt":"*"}],
			"totalCount":2,"pageNumber":0,"pageSize":100,"totalPages":1}`)
	csr.call(t, http.MethodPost, search, `{"status":"ACTIVE"}`).refused(t, http.StatusBadRequest, "SEARCH_CRITERIA_REQUIRED")
	csr.call(t, http.MethodPost, search, `{"name":"  ","partyType":"PERSON"}`).refused(t, http.StatusBadRequest, "SEARCH_CRITERIA_REQUIRED")

	w.exec(t, "UPDATE party SET trading_name = 'Étoile du Nord', search_trading_name = 'etoile du nord', status = 'SUSPENDED' WHERE id = ?", named["P3"])
	w.exec(t, "UPDATE party SET deactivated_at = now(), status = 'INACTIVE' WHERE id = ?", named["K2"])
	for _, c := range []struct {
		name, body string
		want       []string
	}{
		{"part of a name", `{"name":"FREIGHT"}`, []string{"P2", "P1"}},
		{"accents", `{"name":"étoilé"}`, []string{"P3"}},
		{"a whole name across words", `{"name":"sol etx"}`, []string{"C41"}},
		{"the beginning of an address", `{"email":"PRIYA@"}`, []string{"K1"}},
		{"not its middle", `{"email":"riya@"}`, nil},
		{"the end of a number", `{"phone":"555-0147"}`, []string{"P1"}},
		{"not its middle either", `{"phone":"206 555"}`, nil},
		{"a tax id in other signs", `{"taxId":"84.2219.075"}`, []string{"P1"}},
		{"an identifier in whatever system", `{"externalIdentifier":"HF-0042"}`, []string{"P1"}},
		{"all must hold", `{"name":"harbor","taxId":"842219075"}`, []string{"P1"}},
		{"kind", `{"name":"ra","partyType":"PERSON"}`, []string{"K1"}},
		{"status", `{"name":"e","partyType":"BUSINESS","status":"SUSPENDED","externalIdentifier":null,"email":null,"taxId":null,"phone":null}`, nil},
		{"status and name", `{"name":"cedar","status":"SUSPENDED"}`, []string{"P3"}},
		{"another status", `{"name":"cedar","status":"PENDING"}`, nil},
		{"what is deactivated", `{"name":"castellano"}`, nil},
		{"signs of patterns", `{"name":"%_","phone":null}`, nil},
		{"the second page", `{"name":"harbor","pageNumber":1,"pageSize":1}`, []string{"P1"}},
		{"past the end", `{"name":"harbor","pageNumber":2147483647,"pageSize":100}`, nil},
		{"the oldest change first", `{"name":"harbor","sortField":"modifiedAt","sortOrder":"ASC"}`, []string{"P1", "P2"}},
		{"its other name", `{"name":"harbor","sortField":"updatedAt"}`, []string{"P2", "P1"}},
		{"registered names first", `{"name":"ra","sortField":"legalName","sortOrder":"ASC"}`, []string{"K1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := csr.call(t, http.MethodPost, search, c.body)
			if got.Status == http.StatusBadRequest && c.want == nil {
				got.refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "name")
				return
			}
			require.Equal(t, http.StatusOK, got.Status, "%s", got.Body)
			ids := []string{}
			for _, row := range got.object(t)["results"].([]any) {
				ids = append(ids, row.(map[string]any)["partyId"].(string))
			}
			want := []string{}
			for _, name := range c.want {
				want = append(want, named[name])
			}
			assert.Equal(t, want, ids)
		})
	}
	for _, c := range []struct {
		body   string
		fields []string
	}{
		{`{"name":"h"}`, []string{"name"}},
		{`{"email":"ab"}`, []string{"email"}},
		{`{"phone":"+1-23"}`, []string{"phone"}},
		{`{"name":"harbor","partyType":"FIRM","status":"active","includeMerged":"yes"}`, []string{"partyType", "status", "includeMerged"}},
		{`{"name":"harbor","pageNumber":-1,"pageSize":0,"sortField":"taxId","sortOrder":"asc"}`, []string{"pageNumber", "pageSize", "sortField", "sortOrder"}},
		{`{"name":"harbor","pageNumber":"1"}`, []string{"pageNumber"}},
		{`{"name":7}`, []string{"name"}},
	} {
		csr.call(t, http.MethodPost, search, c.body).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", c.fields...)
	}
	for _, body := range []string{`{"name":"harbor","includeMerged":true}`, `{"name":"harbor","status":"MERGED"}`} {
		csr.call(t, http.MethodPost, search, body).refused(t, http.StatusForbidden, "FORBIDDEN")
	}
}

// Examples G17 and G18.
func TestMerge(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(t)
	merge := func(body string, header ...string) reply {
		return admin.call(t, http.MethodPost, accounts+"/P1/merge", body, header...)
	}
	for _, c := range []struct {
		name, body string
		status     int
		code       string
		fields     []string
	}{
		{"with itself", `{"losingPartyId":"P1","justification":"by mistake"}`, 400, "INVALID_MERGE", []string{"losingPartyId"}},
		{"of another kind", `{"losingPartyId":"C41","justification":"by mistake"}`, 400, "INVALID_MERGE", []string{"losingPartyId"}},
		{"a short reason", `{"losingPartyId":"P2","justification":"dup"}`, 400, "VALIDATION_ERROR", []string{"justification"}},
		{"nobody", `{"justification":"by mistake"}`, 400, "VALIDATION_ERROR", []string{"losingPartyId"}},
		{"nulls", `{"losingPartyId":null,"losingPartyIds":null,"justification":"by mistake"}`, 400, "VALIDATION_ERROR", []string{"losingPartyId"}},
		{"no list", `{"losingPartyIds":"P2","justification":"by mistake"}`, 400, "VALIDATION_ERROR", []string{"losingPartyIds"}},
		{"an empty list", `{"losingPartyIds":[],"justification":"by mistake"}`, 400, "INVALID_MERGE", []string{"losingPartyIds"}},
		{"the same twice", `{"losingPartyIds":["P2","P2"],"justification":"by mistake"}`, 400, "INVALID_MERGE", []string{"losingPartyIds[1]"}},
		{"both forms", `{"losingPartyId":"P2","losingPartyIds":["P3"],"justification":"by mistake"}`, 400, "VALIDATION_ERROR", []string{"losingPartyIds"}},
		{"another survivor", `{"losingPartyId":"P2","survivorPartyId":"P3","justification":"by mistake"}`, 400, "INVALID_MERGE", []string{"survivorPartyId"}},
		{"a code", `{"losingPartyId":"P2","justification":"by mistake","reasonCode":"WHIM"}`, 400, "VALIDATION_ERROR", []string{"reasonCode"}},
		{"mixed", `{"losingPartyId":"P1","justification":"dup"}`, 400, "VALIDATION_ERROR", []string{"losingPartyId", "justification"}},
		{"unknown", `{"losingPartyIds":["P2","nobody"],"justification":"by mistake"}`, 404, "NOT_FOUND", nil},
		{"a number", `{"losingPartyId":41,"justification":"by mistake"}`, 400, "VALIDATION_ERROR", []string{"losingPartyId"}},
		{"null for everything", `{"losingPartyId":null,"losingPartyIds":null,"justification":null,"reasonCode":null,"survivorPartyId":null}`, 400, "VALIDATION_ERROR", []string{"losingPartyId", "justification"}},
		{"itself in a list", `{"losingPartyIds":["P2","P1"],"justification":"by mistake"}`, 400, "INVALID_MERGE", []string{"losingPartyIds[1]"}},
		{"another kind in a list", `{"losingPartyIds":["P2","C41"],"justification":"by mistake"}`, 400, "INVALID_MERGE", []string{"losingPartyIds[1]"}},
		{"too many", `{"losingPartyIds":[` + strings.TrimSuffix(strings.Repeat(`"P2",`, 21), ",") + `],"justification":"by mistake"}`, 400, "VALIDATION_ERROR", nil},
		{"a long reason", `{"losingPartyId":"P2","justification":"` + strings.Repeat("y", 501) + `"}`, 400, "VALIDATION_ERROR", []string{"justification"}},
		{"no list", `{"losingPartyIds":"P2","justification":"by mistake"}`, 400, "VALIDATION_ERROR", []string{"losingPartyIds"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "too many" { // and each of them but the first is listed twice
				require.Equal(t, []any{400, c.code}, []any{merge(c.body).Status, merge(c.body).object(t)["code"]})
				return
			}
			merge(c.body).refused(t, c.status, c.code, c.fields...)
		})
	}
	admin.call(t, http.MethodPost, accounts+"/nobody/merge", `{"losingPartyId":"P2","justification":"by mistake"}`).refused(t, http.StatusNotFound, "NOT_FOUND")

	const g17 = `{"losingPartyId":"P2","losingPartyIds":null,"justification":"Same fleet, entered twice","reasonCode":"DUPLICATE_ACCOUNT","survivorPartyId":"P1"}`
	merge(g17).expect(t, http.StatusOK, `{"mergeAuditId":"*","survivorPartyId":"P1","losingPartyIds":["P2"],"losingPartyId":"P2","status":"COMPLETED",
		"completedAt":"*","movedCounts":{"contacts":0,"vehicles":1,"externalIdentifiers":0,"communicationPreferences":0}}`)
	const gone = `{"code":"PARTY_MERGED","message":"*","correlationId":"*","timestamp":"*","fieldErrors":[],"mergedToPartyId":"P1"}`
	admin.call(t, http.MethodGet, accounts+"/P2", nil).expect(t, http.StatusConflict, gone)
	merge(g17).expect(t, http.StatusConflict, gone)
	admin.call(t, http.MethodGet, "/v1/crm/accounts/P2/tier", nil).expect(t, http.StatusConflict, gone)
	admin.call(t, http.MethodPost, "/v1/crm/accounts/tierResolve", `{"accountId":"P2"}`).expect(t, http.StatusConflict, gone)

	found := admin.call(t, http.MethodPost, accounts+"/search", `{"name":"west","includeMerged":true}`).object(t)["results"].([]any)
	require.Len(t, found, 1)
	assert.Equal(t, []any{"MERGED", named["P1"]}, []any{found[0].(map[string]any)["status"], found[0].(map[string]any)["mergedToPartyId"]})
	admin.call(t, http.MethodPost, accounts+"/search", `{"name":"west"}`).expect(t, http.StatusOK, `{"results":[],"totalCount":0,"pageNumber":0,"pageSize":20,"totalPages":0}`)

	// A survivor that is a customer is told by its number as well.
	admin.call(t, http.MethodPost, accounts+"/C42/merge", `{"losingPartyId":null,"losingPartyIds":["C41"],"justification":"the same person"}`).expect(t, http.StatusOK,
		`{"mergeAuditId":"*","survivorPartyId":"C42","losingPartyIds":["C41"],"losingPartyId":"C41","status":"COMPLETED","completedAt":"*",
		"movedCounts":{"contacts":0,"vehicles":1,"externalIdentifiers":0,"communicationPreferences":0}}`)
	admin.call(t, http.MethodGet, accounts+"/C41", nil).expect(t, http.StatusConflict,
		strings.Replace(strings.Replace(gone, "}", `,"mergedToCustomerId":42}`, 1), "P1", "C42", 1))
}

// Who was deactivated can neither survive nor be merged away; of a list either all are merged or none.
func TestMergeOfSeveral(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(t)
	csr := w.as(t, "CSR")
	csr.call(t, http.MethodPost, accounts+"/P1/merge", `{"losingPartyId":"P2","justification":"same fleet"}`).refused(t, http.StatusForbidden, "FORBIDDEN")
	ctx, _ := crmtest.As(t, w.store, "legacy", "admin")
	_, err := w.store.DeactivateParty(ctx, "pty_"+named["P3"], crm.Write{})
	require.NoError(t, err)
	admin.call(t, http.MethodPost, accounts+"/P1/merge", `{"losingPartyIds":["P2","P3"],"justification":"same fleet"}`).refused(t, http.StatusNotFound, "NOT_FOUND")
	admin.call(t, http.MethodPost, accounts+"/P3/merge", `{"losingPartyId":"P1","justification":"same fleet"}`).refused(t, http.StatusNotFound, "NOT_FOUND")
	require.Equal(t, http.StatusOK, admin.call(t, http.MethodGet, accounts+"/P2", nil).Status)

	made := admin.call(t, http.MethodPost, accounts, `{"legalName":"Third Firm","externalIdentifiers":{"erp":"X-1","pos":"X-2"}}`).object(t)["partyId"].(string)
	_, err = w.store.SetPreferences(ctx, "pty_"+made, crm.PreferencesSet{Email: crm.Given(new(crm.OptOut))}, crm.Write{})
	require.NoError(t, err)
	admin.call(t, http.MethodPost, accounts+"/P1/merge", `{"losingPartyId":null,"losingPartyIds":["P2","`+strings.ToUpper(made)+`"],"justification":" same fleet ",
		"survivorPartyId":"`+strings.ToUpper(named["P1"])+`"}`).expect(t, http.StatusOK, `{"mergeAuditId":"*","survivorPartyId":"P1","losingPartyIds":["P2","`+made+`"],
		"status":"COMPLETED","completedAt":"*","movedCounts":{"contacts":0,"vehicles":1,"externalIdentifiers":1,"communicationPreferences":1}}`)
	shown := admin.call(t, http.MethodGet, accounts+"/P1", nil).object(t)
	assert.Equal(t, map[string]any{"erp": "HF-0042", "pos": "X-2"}, shown["externalIdentifiers"], "the survivor's own stays")

	// What came to C by way of B leads to C, also for what B had swallowed (Durion 3.12).
	fourth := admin.call(t, http.MethodPost, accounts, `{"legalName":"Fourth Firm"}`).object(t)["partyId"].(string)
	require.Equal(t, http.StatusOK, admin.call(t, http.MethodPost, accounts+"/"+fourth+"/merge", `{"losingPartyId":"P1","losingPartyIds":null,"justification":"bought up"}`).Status)
	for _, gone := range []string{"P1", "P2", made} {
		body := admin.call(t, http.MethodGet, accounts+"/"+gone, nil).refused(t, http.StatusConflict, "PARTY_MERGED")
		assert.Equal(t, fourth, body["mergedToPartyId"])
		body = admin.call(t, http.MethodPost, accounts+"/"+gone+"/merge", `{"losingPartyId":"`+fourth+`","justification":"the other way"}`).refused(t, http.StatusConflict, "PARTY_MERGED")
		assert.Equal(t, fourth, body["mergedToPartyId"])
	}
}

// Parties that are there but cannot be merged for what they owe are no missing ones.
func TestMergeOfDebts(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(t)
	w.exec(t, "UPDATE account SET credit_limit = 100, credit_used = 50, currency = 'EUR' WHERE code = 'ACC-P2'")
	w.exec(t, "UPDATE account SET status = 'DOOMED' WHERE code = 'ACC-P1'")
	const body = `{"losingPartyIds":["P3","P2"],"justification":"by mistake"}`
	admin.call(t, http.MethodPost, accounts+"/P1/merge", body).refused(t, http.StatusBadRequest, "INVALID_MERGE", "losingPartyIds[1]")
	ctx, _ := crmtest.As(t, w.store, "legacy", "admin")
	_, err := w.store.DeactivateParty(ctx, "pty_"+named["P3"], crm.Write{})
	require.NoError(t, err)
	admin.call(t, http.MethodPost, accounts+"/P1/merge", body).refused(t, http.StatusNotFound, "NOT_FOUND")
	admin.call(t, http.MethodPost, accounts+"/P3/merge", `{"losingPartyId":"P2","justification":"by mistake"}`).refused(t, http.StatusNotFound, "NOT_FOUND")
}

func TestGetPartyThatIsGone(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(t)
	ctx, _ := crmtest.As(t, w.store, "legacy", "admin")
	_, err := w.store.DeactivateParty(ctx, "pty_"+named["P3"], crm.Write{})
	require.NoError(t, err)
	_, err = w.store.AnonymizeCustomer(ctx, "cus_"+named["C42"], crm.Write{})
	require.NoError(t, err)
	for _, name := range []string{"P3", "C42", "41", "search", "tier"} {
		admin.call(t, http.MethodGet, accounts+"/"+name, nil).refused(t, http.StatusNotFound, "NOT_FOUND")
		admin.call(t, http.MethodGet, "/v1/crm/accounts/"+name+"/tier", nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	}
}
