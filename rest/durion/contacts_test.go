package durion_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/db"
)

const (
	contactsOfP1 = "/v1/crm/accounts/parties/P1/contacts"
	mirrorOfP1   = "/v1/crm/parties/P1/contacts"
)

// statements is how many statements it takes an admin to read a path. Finding the tenant is not among them.
func (w *world) statements(t testing.TB, path string) int {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, fill(path), nil)
	request.Header.Set("Authorization", "Bearer "+w.admin(t).token)
	w.handler.ServeHTTP(httptest.NewRecorder(), request) // prepares them
	ctx, statements := db.CountStatements(context.WithoutCancel(t.Context()))
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, request.WithContext(ctx))
	require.Equal(t, http.StatusOK, recorder.Code, recorder.Body)
	return statements.Count()
}

// engage makes another contact of a firm, with an e-mail address.
func (w *world) engage(t testing.TB, firm, first, last string) *crm.Contact {
	t.Helper()
	email := fmt.Sprintf("%s.%s@example.test", strings.ToLower(first), strings.ToLower(last))
	k, err := w.store.CreateContact(w.inside(t), "pty_"+named[firm], crm.NewContact{Person: &crm.IndividualCreate{FirstName: &first, LastName: &last, Email: &email}}, crm.Write{})
	require.NoError(t, err)
	return k
}

const (
	lena = `{"contactId":"K3","contactName":"Lena Fischer","email":"*","hasPrimaryEmail":true,"invoiceDeliveryMethod":"EMAIL","version":"1",
		"roles":[{"roleCode":"APPROVER","roleLabel":"Approver","isPrimary":false}]}`
	owen = `{"contactId":"K2","contactName":"Owen Castellano","phone":"*","hasPrimaryEmail":false,"invoiceDeliveryMethod":"EMAIL","version":"1","roles":[]}`
)

func TestContacts(t *testing.T) { // G13, then G14
	t.Parallel()
	for _, path := range []string{contactsOfP1, mirrorOfP1} {
		w := newWorld(t)
		c := w.admin(t)
		c.call(t, http.MethodGet, path, nil).expect(t, http.StatusOK, `{"partyId":"P1","contacts":[`+lena+`,`+owen+`,
			{"contactId":"K1","contactName":"Priya Raman","email":"priya@harborfl.example","hasPrimaryEmail":true,"invoiceDeliveryMethod":"EMAIL","version":"3",
			"roles":[{"roleCode":"BILLING","roleLabel":"Billing Contact","isPrimary":true}]}]}`)
		c.call(t, http.MethodPut, path+"/K3/roles", `{"version":"1","roles":[{"roleCode":"APPROVER"},{"roleCode":"BILLING","isPrimary":true}]}`).
			expect(t, http.StatusOK, `{"partyId":"P1","contactId":"K3","version":"2","status":"SUCCESS","updatedAt":"*"}`)
		c.call(t, http.MethodGet, path, nil).expect(t, http.StatusOK, `{"partyId":"P1","contacts":[
			{"contactId":"K3","contactName":"Lena Fischer","email":"*","hasPrimaryEmail":true,"invoiceDeliveryMethod":"EMAIL","version":"2",
			"roles":[{"roleCode":"BILLING","roleLabel":"Billing Contact","isPrimary":true},{"roleCode":"APPROVER","roleLabel":"Approver","isPrimary":false}]},`+owen+`,
			{"contactId":"K1","contactName":"Priya Raman","email":"priya@harborfl.example","hasPrimaryEmail":true,"invoiceDeliveryMethod":"EMAIL","version":"4",
			"roles":[{"roleCode":"BILLING","roleLabel":"Billing Contact","isPrimary":false}]}]}`)
	}
}

func TestContactsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as(t, "CSR")
	c.call(t, http.MethodGet, "/v1/crm/accounts/parties/C41/contacts", nil).expect(t, http.StatusOK, `{"partyId":"C41","contacts":[]}`)
	c.call(t, http.MethodGet, "/v1/crm/accounts/parties/P2/contacts", nil).expect(t, http.StatusOK, `{"partyId":"P2","contacts":[]}`)

	t.Run("a contact's own delivery goes before that of the account", func(t *testing.T) {
		w.exec(t, "UPDATE contact SET invoice_delivery = 'MAIL' WHERE person_id = ?", named["K4"])
		c.call(t, http.MethodGet, "/v1/crm/accounts/parties/P3/contacts", nil).expect(t, http.StatusOK, `{"partyId":"P3","contacts":[{"contactId":"K4",
			"contactName":"Hugo Baptiste","phone":"+1 509 555 0101","hasPrimaryEmail":false,"invoiceDeliveryMethod":"MAIL","version":"1","roles":[]}]}`)
		w.exec(t, "UPDATE contact SET invoice_delivery = NULL WHERE person_id = ?", named["K4"])
	})
	t.Run("the oldest contact point takes the place of a primary one", func(t *testing.T) {
		var points []string
		for _, address := range []string{"first@cedar.example", "second@cedar.example"} {
			point, err := w.store.AddContactPoint(w.inside(t), "pty_"+named["K4"], crm.NewContactPoint{Kind: crm.PointEmail, Value: address}, crm.Write{})
			require.NoError(t, err)
			points = append(points, point.Point.NodeID())
		}
		w.exec(t, "UPDATE contact_point SET is_primary = false WHERE party_id = ?", named["K4"])
		shown := `{"partyId":"P3","contacts":[{"contactId":"K4","contactName":"Hugo Baptiste","email":"%s","phone":"+1 509 555 0101","hasPrimaryEmail":%t,
			"invoiceDeliveryMethod":"PORTAL","version":"1","roles":[]}]}`
		c.call(t, http.MethodGet, "/v1/crm/parties/P3/contacts", nil).expect(t, http.StatusOK, fmt.Sprintf(shown, "first@cedar.example", false))
		w.exec(t, "UPDATE contact_point SET is_primary = true WHERE party_id = ? AND id = ?", named["K4"], strings.TrimPrefix(points[1], "cpt_"))
		c.call(t, http.MethodGet, "/v1/crm/parties/P3/contacts", nil).expect(t, http.StatusOK, fmt.Sprintf(shown, "second@cedar.example", true))
	})
	t.Run("sorted by name whatever its case, then by id, and without those who left", func(t *testing.T) {
		left := w.engage(t, "P2", "Anna", "Gone")
		for _, name := range []string{"zoe", "Zoe", "Émile", "aaron"} {
			w.engage(t, "P2", name, "Dupont")
		}
		var twins []string
		for range 2 {
			twin, err := w.store.CreateIndividual(w.inside(t), crm.IndividualCreate{FirstName: new("Bea"), LastName: new("Dupont")}, crm.Write{})
			require.NoError(t, err)
			twins = append([]string{twin.NodeID()}, twins...)
		}
		for _, twin := range twins { // the younger one is engaged first
			_, err := w.store.CreateContact(w.inside(t), "pty_"+named["P2"], crm.NewContact{PersonID: &twin}, crm.Write{})
			require.NoError(t, err)
		}
		_, err := w.store.DeactivateContact(w.inside(t), left.NodeID(), crm.Write{})
		require.NoError(t, err)
		var got struct {
			Contacts []struct{ ContactID, ContactName string }
		}
		c.call(t, http.MethodGet, "/v1/crm/parties/P2/contacts", nil).into(t, &got)
		var names []string
		for i, k := range got.Contacts {
			names = append(names, strings.TrimSuffix(k.ContactName, " Dupont"))
			if i > 0 && strings.EqualFold(k.ContactName, got.Contacts[i-1].ContactName) {
				require.Less(t, got.Contacts[i-1].ContactID, k.ContactID)
			}
		}
		require.Equal(t, []string{"aaron", "Bea", "Bea", "zoe", "Zoe", "Émile"}, names)
	})
	t.Run("roles in the order of the tenant's list, those that are given to nobody any more included", func(t *testing.T) {
		c := w.admin(t)
		require.Equal(t, http.StatusOK, c.call(t, http.MethodPut, mirrorOfP1+"/K3/roles", `{"roles":[{"roleCode":"TECHNICAL"},{"roleCode":"DRIVER"},
			{"roleCode":"OPERATIONS","isPrimary":true},{"roleCode":"BILLING"}]}`).Status)
		w.exec(t, "UPDATE role SET status = 'INACTIVE' WHERE code = 'DRIVER'")
		var got struct{ Contacts []struct{ Roles any } }
		c.call(t, http.MethodGet, mirrorOfP1, nil).into(t, &got)
		require.Equal(t, []any{
			map[string]any{"roleCode": "BILLING", "roleLabel": "Billing Contact", "isPrimary": false},
			map[string]any{"roleCode": "DRIVER", "roleLabel": "Driver", "isPrimary": false},
			map[string]any{"roleCode": "OPERATIONS", "roleLabel": "Operations", "isPrimary": true},
			map[string]any{"roleCode": "TECHNICAL", "roleLabel": "Technical", "isPrimary": false},
		}, got.Contacts[0].Roles)
	})
}

func TestContactsAreAllShownInAsManyStatements(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	few := w.statements(t, contactsOfP1)
	require.Equal(t, 7, few)
	w.exec(t, `INSERT INTO party (tenant_id, id, number, key, kind, status, first_name, last_name, display_name, search_name, restrictions, created_at, updated_at, revision)
		SELECT ?, ('0190f3a2-4444-7b01-8b01-' || lpad(to_hex(n), 12, '0'))::uuid, 1000 + n, 'crowd-' || n, 'INDIVIDUAL', 'ACTIVE', 'Crowd', n::text,
		'Crowd ' || n, 'crowd ' || n, '{}', now(), now(), 1 FROM generate_series(1, 1200) n`, w.tenant)
	w.exec(t, `INSERT INTO contact (tenant_id, id, key, organization_id, person_id, is_primary, status, created_at, updated_at, revision)
		SELECT tenant_id, id, key, ?, id, false, 'ACTIVE', created_at, created_at, 1 FROM party WHERE first_name = 'Crowd'`, named["P1"])
	w.exec(t, `INSERT INTO contact_role (tenant_id, id, contact_id, organization_id, role_id, is_primary, status, created_at, updated_at, revision)
		SELECT k.tenant_id, k.id, k.id, k.organization_id, r.id, false, 'ACTIVE', k.created_at, k.created_at, 1 FROM contact k, role r WHERE k.key LIKE 'crowd-%' AND r.code = 'DRIVER'`)
	require.Equal(t, few, w.statements(t, contactsOfP1))
	var got struct{ Contacts []struct{ Roles []any } }
	w.admin(t).call(t, http.MethodGet, contactsOfP1, nil).into(t, &got)
	require.Len(t, got.Contacts, 1203)
	require.Len(t, got.Contacts[0].Roles, 1)
}

func TestContactRolesBilling(t *testing.T) { // G15
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	body := c.call(t, http.MethodPut, contactsOfP1+"/K2/roles", `{"roles":[{"roleCode":"BILLING"}]}`).refused(t, http.StatusBadRequest, "BILLING_EMAIL_REQUIRED", "roles[0].roleCode")
	require.Equal(t, "BILLING", body["fieldErrors"].([]any)[0].(map[string]any)["rejectedValue"])
	c.call(t, http.MethodPut, contactsOfP1+"/K2/roles", `{"roles":[{"roleCode":"DRIVER"},{"roleCode":"BILLING","isPrimary":true}]}`).
		refused(t, http.StatusBadRequest, "BILLING_EMAIL_REQUIRED", "roles[1].roleCode")
	c.call(t, http.MethodPut, "/v1/crm/accounts/parties/P3/contacts/K4/roles", `{"roles":[{"roleCode":"BILLING"}]}`).
		expect(t, http.StatusOK, `{"partyId":"P3","contactId":"K4","version":"2","status":"SUCCESS","updatedAt":"*"}`)
	// Nothing was written, the end of K1's being primary included.
	c.call(t, http.MethodGet, contactsOfP1, nil).expect(t, http.StatusOK, `{"partyId":"P1","contacts":[`+lena+`,`+owen+`,
		{"contactId":"K1","contactName":"Priya Raman","email":"*","hasPrimaryEmail":true,"invoiceDeliveryMethod":"EMAIL","version":"3",
		"roles":[{"roleCode":"BILLING","roleLabel":"Billing Contact","isPrimary":true}]}]}`)
	for delivery, status := range map[string]int{"EMAIL": 400, "EMAIL_AND_MAIL": 400, "MAIL": 200, "PORTAL": 200} {
		w.exec(t, "UPDATE contact SET invoice_delivery = ? WHERE person_id = ?", delivery, named["K2"])
		require.Equal(t, status, c.call(t, http.MethodPut, contactsOfP1+"/K2/roles", `{"roles":[{"roleCode":"BILLING"}]}`).Status, delivery)
		w.exec(t, "UPDATE contact_role SET status = 'INACTIVE' WHERE contact_id = (SELECT id FROM contact WHERE person_id = ?)", named["K2"])
	}
}

func TestContactRolesValidation(t *testing.T) { // G16 is the first
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	for _, test := range []struct {
		name, send, code string
		fields           []string
	}{
		{"an unknown role", `{"roles":[{"roleCode":"JANITOR"}]}`, "INVALID_ROLE_CODE", []string{"roles[0].roleCode"}},
		{"two unknown roles", `{"roles":[{"roleCode":"JANITOR"},{"roleCode":"DRIVER"},{"roleCode":"driver"}]}`, "INVALID_ROLE_CODE",
			[]string{"roles[0].roleCode", "roles[2].roleCode"}},
		{"an unknown role and more", `{"version":"x","roles":[{"roleCode":"JANITOR"},{"isPrimary":true}]}`, "VALIDATION_ERROR",
			[]string{"version", "roles[0].roleCode", "roles[1].roleCode"}},
		{"no roles", `{}`, "VALIDATION_ERROR", []string{"roles"}},
		{"roles that are null", `{"roles":null}`, "VALIDATION_ERROR", []string{"roles"}},
		{"roles that are an object", `{"roles":{"roleCode":"DRIVER"}}`, "VALIDATION_ERROR", []string{"roles"}},
		{"a role that is a text", `{"roles":["DRIVER"]}`, "VALIDATION_ERROR", []string{"roles[0]", "roles[0].roleCode"}},
		{"a role without a code", `{"roles":[{"isPrimary":true}]}`, "VALIDATION_ERROR", []string{"roles[0].roleCode"}},
		{"a code that is null", `{"roles":[{"roleCode":null}]}`, "VALIDATION_ERROR", []string{"roles[0].roleCode"}},
		{"a blank code", `{"roles":[{"roleCode":"DRIVER"},{"roleCode":"  "}]}`, "VALIDATION_ERROR", []string{"roles[1].roleCode"}},
		{"a code that is a number", `{"roles":[{"roleCode":7}]}`, "VALIDATION_ERROR", []string{"roles[0].roleCode"}},
		{"a role twice", `{"roles":[{"roleCode":"DRIVER"},{"roleCode":"APPROVER"},{"roleCode":"DRIVER","isPrimary":true}]}`, "VALIDATION_ERROR", []string{"roles[2].roleCode"}},
		{"an unknown role twice", `{"roles":[{"roleCode":"JANITOR"},{"roleCode":"JANITOR"}]}`, "VALIDATION_ERROR", []string{"roles[0].roleCode", "roles[1].roleCode"}},
		{"isPrimary that is a text", `{"roles":[{"roleCode":"DRIVER","isPrimary":"true"}]}`, "VALIDATION_ERROR", []string{"roles[0].isPrimary"}},
		{"a version that is no number", `{"version":"v1","roles":[]}`, "VALIDATION_ERROR", []string{"version"}},
		{"no body", ``, "VALIDATION_ERROR", []string{"$"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, contact := range []string{"K3", "nobody"} { // the input is looked at before the contact
				c.call(t, http.MethodPut, contactsOfP1+"/"+contact+"/roles", test.send).refused(t, http.StatusBadRequest, test.code, test.fields...)
			}
		})
	}
	body := c.call(t, http.MethodPut, mirrorOfP1+"/K3/roles", `{"roles":[{"roleCode":"JANITOR"}]}`).refused(t, http.StatusBadRequest, "INVALID_ROLE_CODE", "roles[0].roleCode")
	require.Equal(t, "JANITOR", body["fieldErrors"].([]any)[0].(map[string]any)["rejectedValue"])
	w.exec(t, "UPDATE role SET status = 'INACTIVE' WHERE code = 'TECHNICAL'")
	c.call(t, http.MethodPut, mirrorOfP1+"/K3/roles", `{"roles":[{"roleCode":"TECHNICAL"}]}`).refused(t, http.StatusBadRequest, "INVALID_ROLE_CODE", "roles[0].roleCode")
}

func TestContactRolesAreACompleteSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	roles := func(contact string) (list []string) {
		var got struct {
			Contacts []struct {
				ContactID string
				Version   string
				Roles     []struct {
					RoleCode  string
					IsPrimary bool
				}
			}
		}
		c.call(t, http.MethodGet, contactsOfP1, nil).into(t, &got)
		for _, k := range got.Contacts {
			if k.ContactID == named[contact] {
				list = append(list, k.Version)
				for _, r := range k.Roles {
					list = append(list, fmt.Sprintf("%s %t", r.RoleCode, r.IsPrimary))
				}
			}
		}
		return list
	}
	put := func(contact, body string) {
		t.Helper()
		require.Equal(t, http.StatusOK, c.call(t, http.MethodPut, contactsOfP1+"/"+contact+"/roles", body).Status)
	}
	put("K3", `{"roles":[{"roleCode":"DRIVER","isPrimary":true,"since":"2020"},{"roleCode":"PAYMENT_AUTHORIZER","isPrimary":null}],"partyId":"P2"}`)
	require.Equal(t, []string{"2", "DRIVER true", "PAYMENT_AUTHORIZER false"}, roles("K3"))
	put("K3", `{"version":2,"roles":[{"roleCode":"DRIVER","isPrimary":true},{"roleCode":"PAYMENT_AUTHORIZER"}]}`) // as it is: a write all the same
	require.Equal(t, []string{"3", "DRIVER true", "PAYMENT_AUTHORIZER false"}, roles("K3"))
	put("K1", `{"version":"3","roles":[]}`)
	require.Equal(t, []string{"4"}, roles("K1"))
	require.Equal(t, []string{"3", "DRIVER true", "PAYMENT_AUTHORIZER false"}, roles("K3"), "nobody is made primary in another's place")
	put("K1", `{"roles":[{"roleCode":"DRIVER"}]}`)
	require.Equal(t, []string{"3", "DRIVER true", "PAYMENT_AUTHORIZER false"}, roles("K3"))
	put("K1", `{"roles":[{"roleCode":"DRIVER","isPrimary":true}]}`)
	require.Equal(t, []string{"6", "DRIVER true"}, roles("K1"))
	require.Equal(t, []string{"4", "DRIVER false", "PAYMENT_AUTHORIZER false"}, roles("K3"))
	put("K1", `{"roles":[]}`)
	put("K1", `{"roles":[{"roleCode":"BILLING","isPrimary":true}]}`)
	require.Equal(t, []string{"8", "BILLING true"}, roles("K1"))
}

func TestContactRolesStaleVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	put := func(contact, body string) reply {
		return c.call(t, http.MethodPut, contactsOfP1+"/"+contact+"/roles", body, "X-Correlation-Id", "gx-1")
	}
	stale := `{"code":"OPTIMISTIC_LOCK_CONFLICT","message":"*","correlationId":"gx-1","timestamp":"*","fieldErrors":[],"currentVersion":"3","submittedVersion":"%s",
		"currentData":{"contactId":"K1","contactName":"Priya Raman","email":"priya@harborfl.example","hasPrimaryEmail":true,"invoiceDeliveryMethod":"EMAIL","version":"3",
		"roles":[{"roleCode":"BILLING","roleLabel":"Billing Contact","isPrimary":true}]},"lastUpdatedAt":"*","lastUpdatedBy":"%s"%s}`
	put("K1", `{"version":"2","roles":[]}`).expect(t, http.StatusConflict, fmt.Sprintf(stale, "2", "system", ""))
	put("K1", `{"version":"4","roles":[]}`).expect(t, http.StatusConflict, fmt.Sprintf(stale, "4", "system", ""))
	put("K1", `{"version":0,"roles":[{"roleCode":"DRIVER"}]}`).expect(t, http.StatusConflict, fmt.Sprintf(stale, "0", "system", `,"gapWarning":true`))

	require.Equal(t, http.StatusOK, put("K3", `{"version":"1","roles":[{"roleCode":"DRIVER"}]}`).Status)
	title := crm.Given(new("Dispatcher"))
	k3, err := crm.PartyEngagements.All(w.inside(t), &crm.Party{Row: w.row("K3")})
	require.NoError(t, err)
	_, err = w.store.UpdateContact(w.inside(t), k3[0].NodeID(), crm.ContactUpdate{Title: title}, crm.Write{})
	require.NoError(t, err)
	body := put("K3", `{"version":"2","roles":[]}`).refused(t, http.StatusConflict, "OPTIMISTIC_LOCK_CONFLICT")
	require.Equal(t, "test", body["lastUpdatedBy"], "who changed it last, not first")
	require.Equal(t, "3", body["currentVersion"])
	require.Regexp(t, `^2026-11-01T00:0\d:\d\d\.\d{3}Z$`, body["lastUpdatedAt"])

	// What the roles ask for comes before the version, and the contact before both.
	put("K2", `{"version":"9","roles":[{"roleCode":"BILLING"}]}`).refused(t, http.StatusBadRequest, "BILLING_EMAIL_REQUIRED", "roles[0].roleCode")
	put("K2", `{"version":"9","roles":[{"roleCode":"DRIVER"}]}`).refused(t, http.StatusConflict, "OPTIMISTIC_LOCK_CONFLICT")
	put("K4", `{"version":"9","roles":[{"roleCode":"BILLING"}]}`).refused(t, http.StatusNotFound, "NOT_FOUND")
}

func TestContactsWhoMayAndWhose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	merge := func(survivor, loser string) {
		_, err := w.store.MergeParties(w.inside(t), "pty_"+named[survivor], crm.MergeInput{LoserIDs: []string{"pty_" + named[loser]}, Justification: "Entered twice"}, crm.Write{})
		require.NoError(t, err)
	}
	merge("P1", "P2")
	left := w.engage(t, "P1", "Anna", "Gone")
	_, err := w.store.DeactivateContact(w.inside(t), left.NodeID(), crm.Write{})
	require.NoError(t, err)
	double := w.engage(t, "P1", "Lena", "Fisher")
	_, err = w.store.MergeParties(w.inside(t), "pty_"+named["K3"], crm.MergeInput{LoserIDs: []string{crm.Parties.GlobalID(double.PersonID)}, Justification: "Entered twice"}, crm.Write{})
	require.NoError(t, err)
	closed, err := w.store.CreateOrganization(w.inside(t), crm.OrganizationCreate{LegalName: "Closed for good"}, crm.Write{})
	require.NoError(t, err)
	_, err = w.store.DeactivateParty(w.inside(t), closed.Party.NodeID(), crm.Write{})
	require.NoError(t, err)
	gone := closed.Party.ID.String()
	for _, base := range []string{"/v1/crm/accounts/parties/", "/v1/crm/parties/"} {
		get := func(c *client, party string) reply { return c.call(t, http.MethodGet, base+party+"/contacts", nil) }
		put := func(c *client, party, contact string) reply {
			return c.call(t, http.MethodPut, base+party+"/contacts/"+contact+"/roles", `{"roles":[]}`)
		}
		may, mayNot := w.holding(t, crm.ContactView), w.holding(t, crm.PartyView, crm.ContactRoleView, crm.ContactRoleAssign)
		get(w.anonymous(), "P1").refused(t, http.StatusUnauthorized, "UNAUTHORIZED")
		get(mayNot, "P1").refused(t, http.StatusForbidden, "FORBIDDEN")
		get(mayNot, "nobody").refused(t, http.StatusForbidden, "FORBIDDEN")
		require.Equal(t, http.StatusOK, get(may, "P1").Status)
		require.Equal(t, http.StatusOK, get(w.as(t, "CSR"), "P1").Status)
		for _, party := range []string{"nobody", "vehicles", gone, "V1"} {
			get(may, party).refused(t, http.StatusNotFound, "NOT_FOUND")
		}
		require.Equal(t, named["P1"], get(may, "P2").refused(t, http.StatusConflict, "PARTY_MERGED")["mergedToPartyId"])

		may, mayNot = w.holding(t, crm.ContactRoleAssign), w.holding(t, crm.PartyView, crm.ContactView, crm.ContactEdit, crm.ContactRoleView)
		put(w.anonymous(), "P1", "K3").refused(t, http.StatusUnauthorized, "UNAUTHORIZED")
		put(mayNot, "P1", "K3").refused(t, http.StatusForbidden, "FORBIDDEN")
		put(mayNot, "P1", "nobody").refused(t, http.StatusForbidden, "FORBIDDEN")
		require.Equal(t, http.StatusOK, put(may, "P1", "K3").Status)
		require.Equal(t, http.StatusOK, put(w.as(t, "CSR"), "P1", "K3").Status)
		for _, of := range [][2]string{
			{"nobody", "K3"}, {"P1", "nobody"}, {"P1", "K4"}, {"P3", "K3"}, {gone, "K3"}, {"P1", left.PersonID.String()}, {"P1", "P1"}, {"P1", "C41"}, {"K3", "P1"}, {"P1", "P3"},
			{"P1", left.ID.String()}, {"nobody", double.PersonID.String()},
		} {
			put(may, of[0], of[1]).refused(t, http.StatusNotFound, "NOT_FOUND")
		}
		require.Equal(t, named["P1"], put(may, "P2", "K3").refused(t, http.StatusConflict, "PARTY_MERGED")["mergedToPartyId"])
		require.Equal(t, named["P1"], put(may, "P2", "nobody").refused(t, http.StatusConflict, "PARTY_MERGED")["mergedToPartyId"])
		require.Equal(t, named["K3"], put(may, "P1", double.PersonID.String()).refused(t, http.StatusConflict, "PARTY_MERGED")["mergedToPartyId"])
		// The one who may assign sees what is stored when that is another version.
		w.holding(t, crm.ContactRoleAssign).call(t, http.MethodPut, base+"P1/contacts/K1/roles", `{"version":"1","roles":[]}`).expect(t, http.StatusConflict, `{
			"code":"OPTIMISTIC_LOCK_CONFLICT","message":"*","correlationId":"*","timestamp":"*","fieldErrors":[],"currentVersion":"3","submittedVersion":"1","gapWarning":true,
			"currentData":{"contactId":"K1","contactName":"Priya Raman","email":"*","hasPrimaryEmail":true,"invoiceDeliveryMethod":"EMAIL","version":"3",
			"roles":[{"roleCode":"BILLING","roleLabel":"Billing Contact","isPrimary":true}]},"lastUpdatedAt":"*","lastUpdatedBy":"*"}`)
	}
}

func TestContactRolesTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	people := []string{named["K1"], named["K3"]}
	for i := range 6 {
		people = append(people, w.engage(t, "P1", "Racer", strconv.Itoa(i)).PersonID.String())
	}
	for range 3 {
		var wait sync.WaitGroup
		for _, person := range people {
			wait.Go(func() {
				r := c.call(t, http.MethodPut, contactsOfP1+"/"+person+"/roles", `{"roles":[{"roleCode":"BILLING","isPrimary":true},{"roleCode":"DRIVER","isPrimary":true}]}`)
				if r.Status != http.StatusOK {
					t.Errorf("%d %s", r.Status, r.Body)
				}
			})
		}
		wait.Wait()
		var got struct {
			Contacts []struct {
				Roles []struct {
					RoleCode  string
					IsPrimary bool
				}
			}
		}
		c.call(t, http.MethodGet, contactsOfP1, nil).into(t, &got)
		primary := map[string]int{}
		for _, k := range got.Contacts {
			for _, r := range k.Roles {
				if r.IsPrimary {
					primary[r.RoleCode]++
				}
			}
		}
		require.Equal(t, map[string]int{"BILLING": 1, "DRIVER": 1}, primary)
	}
	statuses := make([]int, 8)
	var wait sync.WaitGroup
	version := c.call(t, http.MethodPut, contactsOfP1+"/K3/roles", `{"roles":[]}`).object(t)["version"]
	for i := range statuses {
		wait.Go(func() {
			statuses[i] = c.call(t, http.MethodPut, contactsOfP1+"/K3/roles", fmt.Sprintf(`{"version":"%s","roles":[{"roleCode":"BILLING","isPrimary":true}]}`, version)).Status
		})
	}
	wait.Wait()
	count := map[int]int{}
	for _, status := range statuses {
		count[status]++
	}
	require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusConflict: 7}, count)
}
