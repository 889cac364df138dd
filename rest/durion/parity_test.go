package durion_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// values is a record as one of the doors shows it.
type values map[string]any

// at follows names into nested records, nil where there is nothing.
func (v values) at(path ...string) any {
	var found any = map[string]any(v)
	for _, name := range path {
		inner, _ := found.(map[string]any)
		found = inner[name]
	}
	return found
}

// list is a list of records.
func (v values) list(path ...string) []values {
	var list []values
	items, _ := v.at(path...).([]any)
	for _, item := range items {
		list = append(list, item.(map[string]any))
	}
	return list
}

// set gives a member, none for null, as the contract leaves them out.
func (v values) set(name string, value any) {
	if value != nil {
		v[name] = value
	}
}

// point is the primary contact point of a kind.
func (v values) point(kind string, path ...string) any {
	for _, p := range v.list(path...) {
		if p["kind"] == kind && p["isPrimary"] == true {
			return p["value"]
		}
	}
	return nil
}

// inContract words what the graph says as the contract does.

func bareID(id any) any {
	text, ok := id.(string)
	if !ok {
		return nil
	}
	_, uuid, _ := strings.Cut(text, "_")
	return uuid
}

func versionOf(revision any) any { return strconv.FormatFloat(revision.(float64), 'f', 0, 64) }

func instantOf(t *testing.T, text any) any {
	t.Helper()
	if text == nil {
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, text.(string))
	require.NoError(t, err)
	return at.UTC().Format("2006-01-02T15:04:05.000Z")
}

const partyFields = `id kind status legalName tradingName displayName firstName lastName taxId revision createdAt updatedAt
	customer { number } account { invoiceDelivery billingTerms { code } } contactPoints { kind value isPrimary }
	identifiers { kind system value isAlias } tier { level }`

func partyInContract(t *testing.T, g values) values {
	t.Helper()
	external := map[string]any{}
	for _, i := range g.list("identifiers") {
		if i["kind"] == "EXTERNAL" && i["isAlias"] == false {
			external[i["system"].(string)] = i["value"]
		}
	}
	shown := values{
		"partyId": bareID(g["id"]), "partyType": g["kind"], "status": g["status"], "externalIdentifiers": external, "tier": g.at("tier", "level"),
		"version": versionOf(g["revision"]), "createdAt": instantOf(t, g["createdAt"]), "updatedAt": instantOf(t, g["updatedAt"]),
	}
	shown.set("displayName", g["tradingName"])
	if g["kind"] == "INDIVIDUAL" {
		shown.set("displayName", g["displayName"])
	}
	for _, same := range []string{"legalName", "firstName", "lastName", "taxId"} {
		shown.set(same, g[same])
	}
	shown.set("customerId", g.at("customer", "number"))
	shown.set("invoiceDeliveryMethod", g.at("account", "invoiceDelivery"))
	shown.set("billingTermsId", g.at("account", "billingTerms", "code"))
	shown.set("email", g.point("EMAIL", "contactPoints"))
	shown.set("phone", g.point("PHONE", "contactPoints"))
	return shown
}

const customerFields = `number code type primaryAddress party { id firstName lastName contactPoints { kind value isPrimary } }
	vehicles(first: 100) { nodes { vin { value } } }`

func customerInContract(g values) values {
	vins := []any{}
	for _, v := range g.list("vehicles", "nodes") {
		vins = append(vins, v.at("vin", "value"))
	}
	shown := values{
		"id": g["number"], "customerNumber": g["code"], "customerType": g["type"], "vehicleVins": vins,
		"partyId": bareID(g.at("party", "id")), "firstName": g.at("party", "firstName"), "lastName": g.at("party", "lastName"),
	}
	shown.set("primaryAddress", g["primaryAddress"])
	shown.set("email", g.point("EMAIL", "party", "contactPoints"))
	shown.set("phoneNumber", g.point("PHONE", "party", "contactPoints"))
	return shown
}

const contactFields = `id status revision effectiveInvoiceDelivery person { id displayName } points { kind value isPrimary }
	roles { isPrimary role { code label position } }`

func contactsInContract(g values) values {
	contacts := []any{}
	for _, c := range g.list("contacts", "nodes") {
		roles := []any{}
		held := c.list("roles")
		slices.SortFunc(held, func(a, b values) int {
			return int(a.at("role", "position").(float64) - b.at("role", "position").(float64))
		})
		for _, r := range held {
			roles = append(roles, map[string]any{"roleCode": r.at("role", "code"), "roleLabel": r.at("role", "label"), "isPrimary": r["isPrimary"]})
		}
		email := c.point("EMAIL", "points")
		shown := values{
			"contactId": bareID(c.at("person", "id")), "contactName": c.at("person", "displayName"), "hasPrimaryEmail": email != nil,
			"invoiceDeliveryMethod": c["effectiveInvoiceDelivery"], "version": versionOf(c["revision"]), "roles": roles,
		}
		shown.set("email", email)
		shown.set("phone", c.point("PHONE", "points"))
		contacts = append(contacts, map[string]any(shown))
	}
	slices.SortFunc(contacts, func(a, b any) int {
		return strings.Compare(a.(map[string]any)["contactName"].(string), b.(map[string]any)["contactName"].(string))
	})
	return values{"partyId": bareID(g["id"]), "contacts": contacts}
}

const preferencesFields = `email sms phone marketing note updateSource updatedAt revision consents { type state }`

func preferencesInContract(t *testing.T, g values) values {
	t.Helper()
	p := values(g.at("communicationPreferences").(map[string]any))
	flags := map[string]any{}
	for _, c := range p.list("consents") {
		if c["state"] != "UNKNOWN" {
			flags[camel(c["type"].(string))] = c["state"] == "GRANTED"
		}
	}
	shown := values{"partyId": bareID(g["id"]), "version": versionOf(p["revision"]), "consentFlags": flags}
	if shown["version"] == "0" {
		return shown
	}
	for name, graph := range map[string]string{
		"emailPreference": "email", "smsPreference": "sms", "phonePreference": "phone", "marketingPreference": "marketing",
		"preferencesNote": "note", "updateSource": "updateSource",
	} {
		shown.set(name, p[graph])
	}
	shown.set("updatedAt", instantOf(t, p["updatedAt"]))
	return shown
}

// camel is email_marketing as emailMarketing.
func camel(name string) string {
	words := strings.Split(name, "_")
	for i := range words[1:] {
		words[i+1] = strings.ToUpper(words[i+1][:1]) + words[i+1][1:]
	}
	return strings.Join(words, "")
}

func tierInContract(t *testing.T, g values) values {
	t.Helper()
	shown := values{
		"accountId": bareID(g["id"]), "tier": g.at("tier", "level"), "tierDisplayName": g.at("tier", "displayName"),
		"tierAssignedAt": instantOf(t, g.at("tier", "assignedAt")), "tierAssignedBy": g.at("tier", "assignedBy"), "manualOverride": g.at("tier", "isManual"),
	}
	shown.set("notes", g.at("tier", "note"))
	return shown
}

const vehicleFields = `id number vin { value } unitNumber description plate plateRegion make model year trim status revision createdAt updatedAt
	owner { id displayName kind }`

func vehicleInContract(t *testing.T, g values) values {
	t.Helper()
	shown := values{
		"vehicleId": bareID(g["id"]), "vinNumber": g.at("vin", "value"), "status": g["status"], "version": versionOf(g["revision"]),
		"createdAt": instantOf(t, g["createdAt"]), "updatedAt": instantOf(t, g["updatedAt"]),
	}
	for name, graph := range map[string]string{
		"unitNumber": "unitNumber", "description": "description", "licensePlate": "plate", "licensePlateRegion": "plateRegion",
		"make": "make", "model": "model", "year": "year", "trim": "trim",
	} {
		shown.set(name, g[graph])
	}
	if g["owner"] != nil {
		shown["partyId"] = bareID(g.at("owner", "id"))
		shown["owner"] = map[string]any{"partyId": shown["partyId"], "displayName": g.at("owner", "displayName"), "partyType": g.at("owner", "kind")}
	}
	return shown
}

func registeredInContract(g values) values {
	shown := values{"id": g["number"], "make": g["make"], "model": g["model"], "year": g["year"], "vin": g.at("vin", "value"), "vehicleId": bareID(g["id"])}
	if g["year"] == nil {
		shown["year"] = float64(0)
	}
	return shown
}

// Both doors show the same of every record, down to the version. The records are made through the
// contract here, and then compared as they are.
func TestParityOfReads(t *testing.T) {
	w := newDoors(t)
	admin := w.admin(t)
	for _, made := range [][3]string{ // so that there is something in every field
		{http.MethodPost, "/v1/crm/accounts/parties/P1/communicationPreferences", `{"emailPreference":"OPT_IN","smsPreference":"OPT_OUT","marketingPreference":"NOT_APPLICABLE",
			"preferencesNote":"Call first","consentFlags":{"emailMarketing":true,"dataProcessing":false}}`},
		{http.MethodPost, "/v1/crm/accounts/tierResolve", `{"accountId":"P1","annualRevenue":250000}`},
		{http.MethodPost, "/v1/crm/accounts/parties/P1/vehicles", `{"vinNumber":"2T3P1RFV6NC300777","unitNumber":"T-9","description":"Support car",
			"licensePlate":"cvsd 09","licensePlateRegion":"wa","make":"Toyota","model":"RAV4","year":2022,"trim":"XLE"}`},
		{http.MethodPut, "/v1/crm/42", `{"firstName":"Tobias","lastName":"Lindqvist","email":"tobias@lindqvist.example","phoneNumber":"+46 8 555 0100",
			"primaryAddress":"HOME","vehicleVins":["JTDKARFU2H3055001"]}`},
	} {
		require.Less(t, admin.call(t, made[0], made[1], made[2]).Status, 300, made[1])
	}
	for _, c := range []struct {
		noun, path, field string
		translated        func(values) values
	}{
		{"organisation", "/v1/crm/accounts/parties/P1", `party(by: {id: "pty_P1"}) {` + partyFields + `}`, func(g values) values { return partyInContract(t, g) }},
		{"person", "/v1/crm/accounts/parties/C42", `party(by: {id: "pty_C42"}) {` + partyFields + `}`, func(g values) values { return partyInContract(t, g) }},
		{"customer", "/v1/crm/42", `customer(by: {number: 42}) {` + customerFields + `}`, customerInContract},
		{"bare customer", "/v1/crm/41", `customer(by: {number: 41}) {` + customerFields + `}`, customerInContract},
		{"contacts", "/v1/crm/accounts/parties/P1/contacts", `party(by: {id: "pty_P1"}) { id contacts(first: 100) { nodes {` + contactFields + `} } }`, contactsInContract},
		{
			"preferences", "/v1/crm/parties/P1/communicationPreferences", `party(by: {id: "pty_P1"}) { id communicationPreferences {` + preferencesFields + `} }`,
			func(g values) values { return preferencesInContract(t, g) },
		},
		{
			"no preferences", "/v1/crm/parties/P2/communicationPreferences", `party(by: {id: "pty_P2"}) { id communicationPreferences {` + preferencesFields + `} }`,
			func(g values) values { return preferencesInContract(t, g) },
		},
		{
			"tier", "/v1/crm/accounts/P1/tier", `party(by: {id: "pty_P1"}) { id tier { level displayName assignedAt assignedBy note isManual } }`,
			func(g values) values { return tierInContract(t, g) },
		},
		{
			"no tier", "/v1/crm/accounts/P2/tier", `party(by: {id: "pty_P2"}) { id tier { level displayName assignedAt assignedBy note isManual } }`,
			func(g values) values { return tierInContract(t, g) },
		},
		{"vehicle", "/v1/crm/vehicles/V1", `vehicle(by: {id: "veh_V1"}) {` + vehicleFields + `}`, func(g values) values { return vehicleInContract(t, g) }},
		{"vehicle of nobody", "/v1/crm/vehicles/R7", `vehicle(by: {number: 7}) {` + vehicleFields + `}`, func(g values) values { return vehicleInContract(t, g) }},
		{"registry vehicle", "/v1/vehicles/7", `vehicle(by: {number: 7}) {` + vehicleFields + `}`, registeredInContract},
		{"registry vehicle of the CRM", "/v1/vehicles/vin/1FTFW1E53PFA10001", `vehicle(by: {number: 1}) {` + vehicleFields + `}`, registeredInContract},
	} {
		t.Run(c.noun, func(t *testing.T) {
			var shown any
			for _, shown = range admin.graph(t, "{"+withIDs(c.field)+"}", nil) {
				require.NotNil(t, shown)
			}
			got := admin.call(t, http.MethodGet, c.path, nil)
			require.Equal(t, http.StatusOK, got.Status, "%s", got.Body)
			require.Equal(t, map[string]any(c.translated(shown.(map[string]any))), got.object(t))
		})
	}
	t.Run("every field of a new vehicle", func(t *testing.T) {
		g := admin.graph(t, `{ vehicle(by: {vin: "2T3P1RFV6NC300777"}) {`+vehicleFields+`} }`, nil)["vehicle"].(map[string]any)
		admin.call(t, http.MethodGet, "/v1/crm/vehicles/"+bareID(g["id"]).(string), nil).
			expect(t, http.StatusOK, string(encoded(t, vehicleInContract(t, g))))
	})
}

// withIDs puts ids in place of names such as pty_P1, in which fill finds no word.
func withIDs(document string) string {
	for name, id := range named {
		document = strings.ReplaceAll(document, "_"+name+`"`, "_"+id+`"`)
	}
	return document
}

// twoDoors are the same change through both doors, of a record that has a version.
type twoDoors struct {
	noun     string
	version  func(t *testing.T, c *client) string // as the contract shows it
	revision string                               // the graph's field, "record: …{ revision }"
	method   string
	path     string
	body     string // of the contract's change, with %s for the version
	mutation string // of the graph's, with $at for the revision, "done: …{ record: …{ revision } userErrors { code } }"
}

func versioned() []twoDoors {
	member := func(path, name string) func(*testing.T, *client) string {
		return func(t *testing.T, c *client) string {
			t.Helper()
			return c.call(t, http.MethodGet, path, nil).object(t)[name].(string)
		}
	}
	return []twoDoors{
		{
			noun: "preferences", version: member("/v1/crm/accounts/parties/P3/communicationPreferences", "version"),
			revision: `party(by: {id: "pty_P3"}) { record: communicationPreferences { revision } }`,
			method:   http.MethodPost, path: "/v1/crm/accounts/parties/P3/communicationPreferences", body: `{"version":"%s","smsPreference":"OPT_OUT"}`,
			mutation: `communicationPreferencesSet(partyId: "pty_P3", input: {sms: OPT_IN}, ifRevision: $at) { record: preferences { revision } userErrors { code } }`,
		},
		{
			noun: "contact",
			version: func(t *testing.T, c *client) string {
				t.Helper()
				for _, k := range values(c.call(t, http.MethodGet, "/v1/crm/accounts/parties/P1/contacts", nil).object(t)).list("contacts") {
					if k["contactId"] == named["K3"] {
						return k["version"].(string)
					}
				}
				return ""
			},
			revision: `party(by: {id: "pty_K3"}) { engagements(first: 1) { nodes { revision } } }`,
			method:   http.MethodPut, path: "/v1/crm/accounts/parties/P1/contacts/K3/roles", body: `{"version":"%s","roles":[{"roleCode":"DRIVER"}]}`,
			mutation: `contactRolesSet(contactId: $contact, input: {roles: [{roleCode: "APPROVER"}]}, ifRevision: $at) { record: contact { revision } userErrors { code } }`,
		},
		{
			noun: "vehicle", version: member("/v1/crm/vehicles/V1", "version"), revision: `record: vehicle(by: {id: "veh_V1"}) { revision }`,
			method: http.MethodPut, path: "/v1/crm/P1/vehicles", body: `{"vehicleId":"V1","version":"%s","trim":"XL"}`,
			mutation: `vehicleUpdate(id: "veh_V1", input: {trim: "XLT"}, ifRevision: $at) { record: vehicle { revision } userErrors { code } }`,
		},
	}
}

// What one door writes the other shows with the same version, and a version that the other door
// made stale is refused by each.
func TestParityOfWrites(t *testing.T) {
	w := newDoors(t)
	admin := w.admin(t)
	contact := admin.graph(t, withIDs(`{ party(by: {id: "pty_K3"}) { engagements(first: 1) { nodes { id } } } }`), nil)
	contactID := values(contact).list("party", "engagements", "nodes")[0]["id"]
	for _, c := range versioned() {
		t.Run(c.noun, func(t *testing.T) {
			same := func(want int) {
				t.Helper()
				require.Equal(t, strconv.Itoa(want), c.version(t, admin))
				require.Equal(t, strconv.Itoa(want), versionOf(revisionIn(admin.graph(t, "{"+withIDs(c.revision)+"}", nil))))
			}
			change := func(at int) (revision any, errors []values) {
				t.Helper()
				variables, declared := map[string]any{"at": at}, "$at: Int64!"
				if strings.Contains(c.mutation, "$contact") {
					variables["contact"], declared = contactID, declared+", $contact: ID!"
				}
				done := values(admin.graph(t, "mutation("+declared+") { done: "+withIDs(c.mutation)+" }", variables))
				return done.at("done", "record", "revision"), done.list("done", "userErrors")
			}
			at, err := strconv.Atoi(c.version(t, admin))
			require.NoError(t, err)
			same(at)

			got := admin.call(t, c.method, c.path, fmt.Sprintf(c.body, strconv.Itoa(at)))
			require.Equal(t, http.StatusOK, got.Status, "%s", got.Body)
			require.Equal(t, strconv.Itoa(at+1), got.object(t)["version"])
			same(at + 1)
			revision, errors := change(at)
			require.Equal(t, []values{{"code": "STALE"}}, errors)
			require.Equal(t, strconv.Itoa(at+1), versionOf(revision), "the record as it is")
			same(at + 1)

			_, errors = change(at + 1)
			require.Empty(t, errors)
			same(at + 2)
			stale := admin.call(t, c.method, c.path, fmt.Sprintf(c.body, strconv.Itoa(at+1))).refused(t, http.StatusConflict, "OPTIMISTIC_LOCK_CONFLICT")
			require.Equal(t, strconv.Itoa(at+2), stale["currentVersion"])
			require.Equal(t, strconv.Itoa(at+2), stale["currentData"].(map[string]any)["version"])
			same(at + 2)
		})
	}
}

// revisionIn finds the only revision in an answer.
func revisionIn(shown any) any {
	switch v := shown.(type) {
	case map[string]any:
		if r, ok := v["revision"]; ok {
			return r
		}
		for _, inner := range v {
			if r := revisionIn(inner); r != nil {
				return r
			}
		}
	case []any:
		for _, inner := range v {
			if r := revisionIn(inner); r != nil {
				return r
			}
		}
	}
	return nil
}

// The contract asks for no version of customers, parties' tiers and registry vehicles, and the graph
// does: what the contract changed makes the graph's revision stale.
func TestParityWithoutVersions(t *testing.T) {
	w := newDoors(t)
	admin := w.admin(t)
	for _, c := range []struct {
		noun, method, path, body string
		mutation                 string
		seen                     func(t *testing.T)
	}{
		{
			"customer", http.MethodPut, "/v1/crm/41", `{"firstName":"Marisol","lastName":"Etxeberria","primaryAddress":"WORK"}`,
			`customerUpdate(id: "cus_C41", input: {primaryAddress: "HOME"}, ifRevision: $at) { record: customer { revision } userErrors { code } }`,
			func(t *testing.T) {
				t.Helper()
				require.Equal(t, "HOME", admin.call(t, http.MethodGet, "/v1/crm/41", nil).object(t)["primaryAddress"])
			},
		},
		{
			"tier", http.MethodPost, "/v1/crm/accounts/tierResolve", `{"accountId":"P1","annualRevenue":50000}`,
			`tierSet(partyId: "pty_P1", input: {level: PLATINUM, note: "By hand"}, ifRevision: $at) { record: party { revision } userErrors { code } }`,
			func(t *testing.T) {
				t.Helper()
				admin.call(t, http.MethodGet, "/v1/crm/accounts/P1/tier", nil).expect(t, http.StatusOK,
					`{"accountId":"P1","tier":"PLATINUM","tierDisplayName":"Platinum Tier","tierAssignedAt":"*","tierAssignedBy":"tester","notes":"By hand","manualOverride":true}`)
			},
		},
		{
			"registry vehicle", http.MethodPut, "/v1/vehicles/7", `{"make":"Peterbilt","model":"579 EPIQ","year":2015}`,
			`vehicleUpdate(id: "veh_R7", input: {model: "567"}, ifRevision: $at) { record: vehicle { revision } userErrors { code } }`,
			func(t *testing.T) {
				t.Helper()
				admin.call(t, http.MethodGet, "/v1/vehicles/7", nil).expect(t, http.StatusOK,
					`{"id":7,"make":"Peterbilt","model":"567","year":2015,"vin":"1XPBDP9X4FD300999","vehicleId":"R7"}`)
			},
		},
	} {
		t.Run(c.noun, func(t *testing.T) {
			require.Equal(t, http.StatusOK, admin.call(t, c.method, c.path, c.body).Status)
			change := func(at int) values {
				t.Helper()
				return admin.graph(t, "mutation($at: Int64!) { done: "+withIDs(c.mutation)+" }", map[string]any{"at": at})
			}
			require.Equal(t, []values{{"code": "STALE"}}, change(1).list("done", "userErrors"))
			require.Empty(t, change(2).list("done", "userErrors"))
			c.seen(t)
		})
	}
}

// A party that was merged through one door is merged for the other.
func TestParityOfMerges(t *testing.T) {
	w := newDoors(t)
	admin := w.admin(t)
	merged := admin.call(t, http.MethodPost, "/v1/crm/accounts/parties/P1/merge", `{"losingPartyId":"P2","justification":"Same fleet, entered twice","reasonCode":"OTHER"}`)
	require.Equal(t, http.StatusOK, merged.Status, "%s", merged.Body)
	party := values(admin.graph(t, withIDs(`{ party(by: {id: "pty_P2"}) { status mergedInto { id } mergedBy { id actor justification reasonCode mergedAt moved { vehicles } } } }`), nil))
	require.Equal(t, []any{"MERGED", named["P1"]}, []any{party.at("party", "status"), bareID(party.at("party", "mergedInto", "id"))})
	audit := merged.object(t)
	require.Equal(t, map[string]any{
		"id": "mrg_" + audit["mergeAuditId"].(string), "actor": "tester", "justification": "Same fleet, entered twice", "reasonCode": "OTHER",
		"mergedAt": party.at("party", "mergedBy", "mergedAt"), "moved": map[string]any{"vehicles": float64(1)},
	}, party.at("party", "mergedBy"))
	require.Equal(t, audit["completedAt"], instantOf(t, party.at("party", "mergedBy", "mergedAt")))
	refused := values(admin.graph(t, withIDs(`mutation { done: communicationPreferencesSet(partyId: "pty_P2", input: {}, ifRevision: 0) { userErrors { code related } } }`), nil))
	require.Equal(t, []values{{"code": "PARTY_MERGED", "related": "pty_" + named["P1"]}}, refused.list("done", "userErrors"))

	done := values(admin.graph(t, withIDs(`mutation { done: customerMerge(sourceId: "cus_C42", targetId: "cus_C41", audit: {reason: "One person"}) { userErrors { code } } }`), nil))
	require.Empty(t, done.list("done", "userErrors"))
	for _, path := range []string{"/v1/crm/42", "/v1/crm/accounts/parties/C42", "/v1/crm/accounts/C42/tier", "/v1/crm/42/vehicles/V3", "/v1/crm/parties/C42/contacts"} {
		body := admin.call(t, http.MethodGet, path, nil).refused(t, http.StatusConflict, "PARTY_MERGED")
		require.Equal(t, []any{named["C41"], float64(41)}, []any{body["mergedToPartyId"], body["mergedToCustomerId"]}, path)
	}
}

// A record that was deactivated through one door is gone for the contract, and INACTIVE for the graph.
func TestParityOfDeactivations(t *testing.T) {
	w := newDoors(t)
	admin := w.admin(t)
	status := func(t *testing.T, field string) any {
		t.Helper()
		return values(admin.graph(t, "{ record: "+withIDs(field)+" }", nil)).at("record", "status")
	}
	for _, c := range []struct {
		noun     string
		contract string // its DELETE
		graph    string // its mutation
		shown    string // by the graph
		gone     []string
	}{
		{
			noun: "customer, by the contract", contract: "/v1/crm/42", shown: `customer(by: {number: 42}) { status party { status } }`,
			gone: []string{"/v1/crm/42", "/v1/crm/C42", "/v1/crm/accounts/parties/C42", "/v1/crm/parties/C42/contacts", "/v1/crm/accounts/C42/tier"},
		},
		{
			noun: "customer, by the graph", graph: `customerDeactivate(id: "cus_C41", ifRevision: 1) { userErrors { code } }`, shown: `customer(by: {number: 41}) { status }`,
			gone: []string{"/v1/crm/41", "/v1/crm/accounts/parties/C41", "/v1/crm/parties/C41/communicationPreferences", "/v1/crm/41/vehicles/V3"},
		},
		{
			noun: "account, by the graph", graph: `partyDeactivate(id: "pty_P3", ifRevision: 1) { userErrors { code } }`, shown: `party(by: {id: "pty_P3"}) { status }`,
			gone: []string{"/v1/crm/accounts/parties/P3", "/v1/crm/accounts/parties/P3/contacts", "/v1/crm/accounts/P3/tier"},
		},
		{
			noun: "vehicle, by the contract", contract: "/v1/crm/P1/vehicles/V1", shown: `vehicle(by: {id: "veh_V1"}) { status }`,
			gone: []string{"/v1/crm/vehicles/V1", "/v1/vehicles/1", "/v1/vehicles/vin/1FTFW1E53PFA10001", "/v1/crm/P1/vehicles/V1"},
		},
		{
			noun: "vehicle, by the registry", contract: "/v1/vehicles/2", shown: `vehicle(by: {id: "veh_V2"}) { status }`,
			gone: []string{"/v1/crm/vehicles/V2", "/v1/vehicles/2", "/v1/crm/P2/vehicles/V2"},
		},
		{
			noun: "vehicle, by the graph", graph: `vehicleDeactivate(id: "veh_R7", ifRevision: 1) { userErrors { code } }`, shown: `vehicle(by: {number: 7}) { status }`,
			gone: []string{"/v1/crm/vehicles/R7", "/v1/vehicles/7"},
		},
	} {
		t.Run(c.noun, func(t *testing.T) {
			if c.graph != "" {
				require.Empty(t, values(admin.graph(t, "mutation { done: "+withIDs(c.graph)+" }", nil)).list("done", "userErrors"))
			} else {
				require.Equal(t, http.StatusNoContent, admin.call(t, http.MethodDelete, c.contract, nil).Status)
			}
			require.Equal(t, "INACTIVE", status(t, c.shown))
			for _, path := range c.gone {
				admin.call(t, http.MethodGet, path, nil).refused(t, http.StatusNotFound, "NOT_FOUND")
			}
		})
	}
	t.Run("a party that is suspended is there", func(t *testing.T) {
		admin.graph(t, withIDs(`mutation { partyStatusChange(id: "pty_P2", status: SUSPENDED, ifRevision: 1) { userErrors { code } } }`), nil)
		require.Equal(t, "SUSPENDED", admin.call(t, http.MethodGet, "/v1/crm/accounts/parties/P2", nil).object(t)["status"])
	})
	t.Run("a party that is back is there again", func(t *testing.T) {
		back := values(admin.graph(t, withIDs(`mutation { done: partyStatusChange(id: "pty_P3", status: ACTIVE, ifRevision: 2) { userErrors { code } } }`), nil))
		require.Empty(t, back.list("done", "userErrors"))
		require.Equal(t, http.StatusOK, admin.call(t, http.MethodGet, "/v1/crm/accounts/parties/P3", nil).Status)
	})
}

// A flag is a consent: true is GRANTED, false DENIED, null removes it. WITHDRAWN is false, too; what
// says neither yes nor no is not shown, and what no flag could stand for is out of the contract's reach.
func TestParityOfConsents(t *testing.T) {
	w := newDoors(t)
	admin := w.admin(t)
	const path = "/v1/crm/accounts/parties/P1/communicationPreferences"
	consents := func(t *testing.T) values {
		t.Helper()
		shown := values{}
		for _, c := range values(admin.graph(t, withIDs(`{ party(by: {id: "pty_P1"}) { consents { type state } } }`), nil)).list("party", "consents") {
			shown[c["type"].(string)] = c["state"]
		}
		return shown
	}
	for _, c := range []struct {
		name, body, mutation string
		consents             values
		flags                map[string]any
	}{
		{
			name: "said for the first time", body: `{"consentFlags":{"emailMarketing":true,"dataProcessing":false,"x1Y2":true}}`,
			consents: values{"email_marketing": "GRANTED", "data_processing": "DENIED", "x1_y2": "GRANTED"},
			flags:    map[string]any{"emailMarketing": true, "dataProcessing": false, "x1Y2": true},
		},
		{
			name: "no after yes, and removed", body: `{"consentFlags":{"emailMarketing":false,"x1Y2":null}}`,
			consents: values{"email_marketing": "DENIED", "data_processing": "DENIED"},
			flags:    map[string]any{"emailMarketing": false, "dataProcessing": false},
		},
		{
			name:     "by the graph",
			mutation: `[{type: "email_marketing", state: WITHDRAWN}, {type: "push_notifications", state: GRANTED}, {type: "profiling", state: UNKNOWN}, {type: "data_processing", state: null}, {type: "odd_1__type", state: GRANTED}]`,
			consents: values{"email_marketing": "WITHDRAWN", "push_notifications": "GRANTED", "profiling": "UNKNOWN", "odd_1__type": "GRANTED"},
			flags:    map[string]any{"emailMarketing": false, "pushNotifications": true},
		},
		{
			name: "null for all removes those that could be flags", body: `{"consentFlags":null}`,
			consents: values{"odd_1__type": "GRANTED"},
			flags:    map[string]any{},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.body != "" {
				require.Equal(t, http.StatusOK, admin.call(t, http.MethodPost, path, c.body).Status)
			} else {
				at := values(admin.graph(t, withIDs(`{ party(by: {id: "pty_P1"}) { communicationPreferences { revision } } }`), nil)).at("party", "communicationPreferences", "revision")
				done := values(admin.graph(t, withIDs(`mutation($at: Int64!) { done: communicationPreferencesSet(partyId: "pty_P1", ifRevision: $at,
					input: {consents: `+c.mutation+`}) { userErrors { code message } } }`), map[string]any{"at": at}))
				require.Empty(t, done.list("done", "userErrors"))
			}
			require.Equal(t, c.consents, consents(t))
			require.Equal(t, c.flags, admin.call(t, http.MethodGet, path, nil).object(t)["consentFlags"])
		})
	}
}

// The events of what the contract writes say who did it, in which request, as all events do.
func TestParityOfEvents(t *testing.T) {
	w := newDoors(t)
	admin := w.admin(t)
	for _, c := range []struct {
		id, method, path, body string
		events                 []string // by type, sorted
	}{
		{"D-02", http.MethodPost, "/v1/crm", `{"firstName":"Ansel","lastName":"Okonjo","vehicleVins":["JTDKARFU2H3055001"]}`, []string{"CUSTOMER_CREATED", "VEHICLE_CREATE", "VEHICLE_OWNER_ASSOCIATED"}},
		{"D-03", http.MethodPost, "/v1/crm/accounts/parties", `{"legalName":"Blue Mesa Drilling LLC"}`, []string{"PARTY_CREATED"}},
		{
			"D-03-override", http.MethodPost, "/v1/crm/accounts/parties",
			`{"legalName":"Blue Mesa Drilling LLC","duplicateOverride":true,"duplicateOverrideJustification":"Separate branch"}`, []string{"DUPLICATE_OVERRIDDEN", "PARTY_CREATED"},
		},
		{"D-07", http.MethodPost, "/v1/crm/accounts/parties/P3/communicationPreferences", `{}`, []string{"COMMUNICATION_PREFERENCES_UPDATED"}},
		{"D-09", http.MethodPut, "/v1/crm/accounts/parties/P1/contacts/K3/roles", `{"roles":[{"roleCode":"DRIVER"}]}`, []string{"CONTACT_ROLES_UPDATED"}},
		{
			"D-11", http.MethodPost, "/v1/crm/accounts/parties/P3/vehicles", `{"vinNumber":"2T3P1RFV6NC300777","unitNumber":"B-9","description":"Car"}`,
			[]string{"VEHICLE_CREATE", "VEHICLE_OWNER_ASSOCIATED"},
		},
		{"D-12", http.MethodPost, "/v1/crm/accounts/tierResolve", `{"accountId":"P1","annualRevenue":250000}`, []string{"ACCOUNT_TIER_CHANGED"}},
		{"D-21", http.MethodPut, "/v1/crm/P1/vehicles", `{"vehicleId":"V1","trim":"XL"}`, []string{"VEHICLE_UPDATE"}},
		{"D-24", http.MethodPut, "/v1/crm/41/vehicles/V3/transfer", `{"toCustomerId":"42"}`, []string{"VEHICLE_OWNER_REASSIGNED"}},
		{"D-24-again", http.MethodPut, "/v1/crm/41/vehicles/V3/transfer", `{"toCustomerId":"42"}`, nil},
		{"D-22", http.MethodDelete, "/v1/crm/P1/vehicles/V1", "", []string{"VEHICLE_DEACTIVATE"}},
		{"D-27", http.MethodPut, "/v1/crm/41", `{"firstName":"Marisol","lastName":"Etxe"}`, []string{"CUSTOMER_UPDATED"}},
		{"D-25", http.MethodDelete, "/v1/crm/41", "", []string{"PARTY_DEACTIVATED"}},
		{"D-29", http.MethodPost, "/v1/vehicles", `{"make":"Tesla","model":"Model 3","year":2019,"vin":"5yj3e1ea3kf300321"}`, []string{"VEHICLE_CREATE"}},
		{"D-31", http.MethodPut, "/v1/vehicles/7", `{"make":"Peterbilt","model":"579 EPIQ","year":2015}`, []string{"VEHICLE_UPDATE"}},
		{"D-32", http.MethodDelete, "/v1/vehicles/7", "", []string{"VEHICLE_DEACTIVATE"}},
		{"D-10", http.MethodPost, "/v1/crm/accounts/parties/P1/merge", `{"losingPartyId":"P2","justification":"Same fleet"}`, []string{"PARTY_ABSORBED", "PARTY_MERGED", "VEHICLE_OWNER_REASSIGNED"}},
		{"refused", http.MethodPost, "/v1/crm/accounts/parties/P1/merge", `{"losingPartyId":"P2","justification":"Same fleet"}`, nil},
	} {
		t.Run(c.id, func(t *testing.T) {
			var content any
			if c.body != "" {
				content = c.body
			}
			got := admin.call(t, c.method, c.path, content, "X-Correlation-Id", "events-"+c.id)
			require.Equal(t, c.id != "refused", got.Status < 300, "%s", got.Body)
			types := []string{}
			for _, e := range values(admin.graph(t, `{ events(first: 20, orderBy: [{field: SEQUENCE, direction: DESC}]) { nodes { type actor correlationId } } }`, nil)).list("events", "nodes") {
				if e["correlationId"] == "events-"+c.id {
					require.Equal(t, "tester", e["actor"])
					types = append(types, e["type"].(string))
				}
			}
			slices.Sort(types)
			require.Equal(t, append([]string{}, c.events...), types)
		})
	}
}
