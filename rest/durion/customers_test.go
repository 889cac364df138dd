package durion_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/internal/crmtest"
	"crmgraph/rest/durion"
)

const (
	c41 = `{"id":41,"customerNumber":"CUST-000041","firstName":"Marisol","lastName":"Etxeberria","vehicleVins":["4T1B11HK7KU700123"],"partyId":"C41","customerType":"PRIVATE"}`
	c42 = `{"id":42,"customerNumber":"CUST-000042","firstName":"Tobias","lastName":"Lindqvist","vehicleVins":[],"partyId":"C42","customerType":"PRIVATE"}`
)

// vins are so many VINs that no vehicle has.
func vins(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("JTDKARFU2H4%06d", n-i)
	}
	return list
}

// merged merges the party of one name into that of another.
func merged(t *testing.T, w *world, survivor, loser string) {
	t.Helper()
	ctx, _ := crmtest.As(t, w.store, "legacy", "admin")
	_, err := w.store.MergeParties(ctx, "pty_"+named[survivor], crm.MergeInput{LoserIDs: []string{"pty_" + named[loser]}, Justification: "the same one twice"}, crm.Write{})
	require.NoError(t, err)
}

// buys makes the person of a name a customer with a number.
func buys(t *testing.T, w *world, name string, number int64) {
	t.Helper()
	insert(t, w, &crm.Customer{
		Row: w.row(name), Number: number, Code: fmt.Sprintf("CUST-%06d", number), Type: crm.CustomerPrivate, Status: crm.CustomerActive,
		Tags: []string{}, Metadata: json.RawMessage("{}"), CreatedAt: crmtest.Today(), UpdatedAt: crmtest.Today(), Revision: 1,
	})
	w.identifier(t, name, crm.IdentifierCode, "", fmt.Sprintf("CUST-%06d", number), true)
}

// The contract's own example (Durion 6, G23).
func TestCustomersGolden(t *testing.T) {
	t.Parallel()
	c := newWorld(t).admin(t)
	c.call(t, http.MethodPost, "/v1/crm", `{"firstName":"Ansel","lastName":"Okonjo","email":"ansel@okonjo.example","phoneNumber":"+1-555-0188","primaryAddress":"HOME","vehicleVins":["JTDKARFU2H3055001"]}`).
		expect(t, http.StatusOK, `{"id":43,"customerNumber":"CUST-000043","firstName":"Ansel","lastName":"Okonjo","email":"ansel@okonjo.example","phoneNumber":"+1-555-0188","primaryAddress":"HOME","vehicleVins":["JTDKARFU2H3055001"],"partyId":"*","customerType":"PRIVATE"}`)
	c.call(t, http.MethodGet, "/v1/crm/abc", nil).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "id")
	c.call(t, http.MethodGet, "/v1/crm/999999", nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	c.call(t, http.MethodDelete, "/v1/crm/43", nil).expect(t, http.StatusNoContent, "")
	c.call(t, http.MethodDelete, "/v1/crm/43", nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	c.call(t, http.MethodPost, "/v1/crm", `{"firstName":"A"}`).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "lastName")
}

func TestCustomersGet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	buys(t, w, "P3", 60) // an organisation
	buys(t, w, "K4", 61)
	merged(t, w, "C41", "K4")
	csr := w.as(t, "CSR")
	for _, c := range []struct {
		path   string
		status int
		code   string
		fields []string
	}{
		{"/v1/crm/0", http.StatusNotFound, "NOT_FOUND", nil},
		{"/v1/crm/-41", http.StatusNotFound, "NOT_FOUND", nil},
		{"/v1/crm/9223372036854775807", http.StatusNotFound, "NOT_FOUND", nil},
		{"/v1/crm/9223372036854775808", http.StatusBadRequest, "VALIDATION_ERROR", []string{"id"}},
		{"/v1/crm/41.0", http.StatusBadRequest, "VALIDATION_ERROR", []string{"id"}},
		{"/v1/crm/0190f3a2-1111", http.StatusBadRequest, "VALIDATION_ERROR", []string{"id"}},
		{"/v1/crm/0190f3a2-1111-7a01-8b01-0000000000ff", http.StatusNotFound, "NOT_FOUND", nil},
		{"/v1/crm/P1", http.StatusNotFound, "NOT_FOUND", nil}, // an organisation
		{"/v1/crm/P3", http.StatusNotFound, "NOT_FOUND", nil}, // an organisation that is a customer
		{"/v1/crm/60", http.StatusNotFound, "NOT_FOUND", nil}, // by its number
		{"/v1/crm/K1", http.StatusNotFound, "NOT_FOUND", nil}, // a person who is no customer
		{"/v1/crm/accounts", http.StatusNotFound, "NOT_FOUND", nil},
		{"/v1/crm/parties", http.StatusNotFound, "NOT_FOUND", nil},
	} {
		csr.call(t, http.MethodGet, c.path, nil).refused(t, c.status, c.code, c.fields...)
	}
	for _, path := range []string{"/v1/crm/41", "/v1/crm/C41", "/v1/crm/" + strings.ToUpper(named["C41"])} {
		csr.call(t, http.MethodGet, path, nil).expect(t, http.StatusOK, strings.Replace(c41, `"vehicleVins"`, `"phoneNumber":"+1 509 555 0101","vehicleVins"`, 1))
	}
	csr.call(t, http.MethodGet, "/v1/crm/42", nil).expect(t, http.StatusOK, c42)
	for _, path := range []string{"/v1/crm/61", "/v1/crm/K4"} {
		body := csr.call(t, http.MethodGet, path, nil).refused(t, http.StatusConflict, "PARTY_MERGED")
		require.Equal(t, named["C41"], body["mergedToPartyId"])
		require.InDelta(t, 41, body["mergedToCustomerId"], 0)
	}
	w.holding(t, crm.PartyView).call(t, http.MethodGet, "/v1/crm/42", nil).expect(t, http.StatusOK, c42)
	w.holding(t, crm.PartySearch).call(t, http.MethodGet, "/v1/crm/42", nil).refused(t, http.StatusForbidden, "FORBIDDEN")
	w.holding(t, crm.PartySearch).call(t, http.MethodGet, "/v1/crm/abc", nil).refused(t, http.StatusForbidden, "FORBIDDEN")
	w.anonymous().call(t, http.MethodGet, "/v1/crm/42", nil).refused(t, http.StatusUnauthorized, "UNAUTHORIZED")
}

// customersInvalid are bodies that create and update refuse alike.
var customersInvalid = []struct {
	body   string
	fields []string
}{
	{`{}`, []string{"firstName", "lastName"}},
	{`{"firstName":null,"lastName":" \t"}`, []string{"firstName", "lastName"}},
	{`{"firstName":1,"lastName":true}`, []string{"firstName", "lastName"}},
	{`{"firstName":"A","lastName":"` + strings.Repeat("é", 101) + `"}`, []string{"lastName"}},
	{`{"firstName":"` + strings.Repeat("é", 101) + `","lastName":"B"}`, []string{"firstName"}},
	{`{"firstName":"A","lastName":"B","customerNumber":""}`, []string{"customerNumber"}},
	{`{"firstName":"A","lastName":"B","customerNumber":"  "}`, []string{"customerNumber"}},
	{`{"firstName":"A","lastName":"B","customerNumber":7}`, []string{"customerNumber"}},
	{`{"firstName":"A","lastName":"B","customerNumber":"` + strings.Repeat("é", 51) + `"}`, []string{"customerNumber"}},
	{`{"firstName":"A","lastName":"B","email":"nope"}`, []string{"email"}},
	{`{"firstName":"A","lastName":"B","email":"a@b"}`, []string{"email"}},
	{`{"firstName":"A","lastName":"B","email":""}`, []string{"email"}},
	{`{"firstName":"A","lastName":"B","email":"` + strings.Repeat("a", 250) + `@b.de"}`, []string{"email"}},
	{`{"firstName":"A","lastName":"B","phoneNumber":"123456"}`, []string{"phoneNumber"}},
	{`{"firstName":"A","lastName":"B","phoneNumber":"1234567890123456"}`, []string{"phoneNumber"}},
	{`{"firstName":"A","lastName":"B","phoneNumber":"1-800-FLOWERS"}`, []string{"phoneNumber"}},
	{`{"firstName":"A","lastName":"B","phoneNumber":" "}`, []string{"phoneNumber"}},
	{`{"firstName":"A","lastName":"B","primaryAddress":{"line1":"x"}}`, []string{"primaryAddress"}},
	{`{"firstName":"A","lastName":"B","primaryAddress":"` + strings.Repeat("é", 256) + `"}`, []string{"primaryAddress"}},
	{`{"firstName":"A","lastName":"B","customerType":"private"}`, []string{"customerType"}},
	{`{"firstName":"A","lastName":"B","vehicleVins":"JTDKARFU2H3055001"}`, []string{"vehicleVins"}},
	{`{"firstName":"A","lastName":"B","vehicleVins":["1FTFW1E53PFA1O001"]}`, []string{"vehicleVins[0]"}},
	{`{"firstName":"A","lastName":"B","vehicleVins":["JTDKARFU2H3055001"," jtdkarfu2-h3055001"]}`, []string{"vehicleVins[1]"}},
	{`{"firstName":"A","lastName":"B","vehicleVins":[null,"JTDKARFU2H3055001","x",12]}`, []string{"vehicleVins[0]", "vehicleVins[2]", "vehicleVins[3]"}},
	{`{"customerType":"X","vehicleVins":["x"],"primaryAddress":1,"phoneNumber":"1","email":"e","lastName":"","customerNumber":""}`,
		[]string{"customerNumber", "firstName", "lastName", "email", "phoneNumber", "primaryAddress", "vehicleVins[0]", "customerType"}},
}

func TestCustomersInvalid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	for _, bad := range customersInvalid {
		c.call(t, http.MethodPost, "/v1/crm", bad.body).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", bad.fields...)
		c.call(t, http.MethodPut, "/v1/crm/41", bad.body).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", bad.fields...)
		c.call(t, http.MethodPut, "/v1/crm/999", bad.body).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", bad.fields...) // before the 404
		c.call(t, http.MethodPut, "/v1/crm/abc", bad.body).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", append([]string{"id"}, bad.fields...)...)
	}
	many := map[string]any{"firstName": "A", "lastName": "B", "vehicleVins": vins(501)}
	c.call(t, http.MethodPost, "/v1/crm", many).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "vehicleVins")
	c.call(t, http.MethodPut, "/v1/crm/41", many).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "vehicleVins")
	for _, body := range []string{`[]`, `"x"`, ``, `{"firstName":`, `null`} {
		c.call(t, http.MethodPost, "/v1/crm", body).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "$")
		c.call(t, http.MethodPut, "/v1/crm/41", body).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "$")
	}
	refused := c.call(t, http.MethodPost, "/v1/crm", `{"firstName":"A","email":"nope"}`).object(t)["fieldErrors"].([]any)
	require.NotContains(t, refused[0], "rejectedValue")
	require.Equal(t, "nope", refused[1].(map[string]any)["rejectedValue"])
	c.call(t, http.MethodGet, "/v1/crm/41", nil).expect(t, http.StatusOK, c41)
	require.Len(t, customersListed(t, c, ""), 2, "nothing was made")
}

func TestCustomersCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	create := func(body string) reply { return c.call(t, http.MethodPost, "/v1/crm", body) }

	create(`{"id":41,"customerNumber":" no. 7/b ","firstName":" Ann ","lastName":"Lee","customerType":"GOVERNMENT","partyId":"C42","nonsense":{"a":1}}`).
		expect(t, http.StatusOK, `{"id":43,"customerNumber":"no. 7/b","firstName":"Ann","lastName":"Lee","vehicleVins":[],"partyId":"*","customerType":"GOVERNMENT"}`)
	create(`{"id":"x","customerNumber":null,"firstName":"Ann","lastName":"Lee","email":null,"phoneNumber":null,"primaryAddress":null,"vehicleVins":null,"customerType":null}`).
		expect(t, http.StatusOK, `{"id":44,"customerNumber":"CUST-000044","firstName":"Ann","lastName":"Lee","vehicleVins":[],"partyId":"*","customerType":"PRIVATE"}`)
	c.call(t, http.MethodGet, "/v1/crm/41", nil).expect(t, http.StatusOK, c41)
	for _, taken := range []string{"NO. 7/B", "cust-000041", "CUST-000041"} {
		create(`{"firstName":"Ann","lastName":"Lee","customerNumber":"`+taken+`"}`).refused(t, http.StatusConflict, "DUPLICATE_CUSTOMER_NUMBER")
	}

	// Nobody is taken for a duplicate, and an e-mail address may be another customer's.
	twin := `{"firstName":"Twin","lastName":"Twin","email":"twin@twin.example","phoneNumber":"+1 (555) 010.0188","customerType":"COMMERCIAL"`
	create(twin+`,"vehicleVins":[]}`).expect(t, http.StatusOK, twin+`,"id":45,"customerNumber":"CUST-000045","vehicleVins":[],"partyId":"*"}`)
	create(twin+`}`).expect(t, http.StatusOK, twin+`,"id":46,"customerNumber":"CUST-000046","vehicleVins":[],"partyId":"*"}`)

	// A vehicle that nobody owns is adopted; one of someone else is a conflict.
	owner := `{"firstName":"Olga","lastName":"Owner"`
	create(owner+`,"vehicleVins":[" jtdk-arfu2h3055001 ","1XPBDP9X4FD300999","JTDKARFU2H3055000"]}`).
		expect(t, http.StatusOK, owner+`,"id":47,"customerNumber":"CUST-000047","vehicleVins":["JTDKARFU2H3055001","1XPBDP9X4FD300999","JTDKARFU2H3055000"],"partyId":"*","customerType":"PRIVATE"}`)
	c.call(t, http.MethodGet, "/v1/crm/47", nil).
		expect(t, http.StatusOK, owner+`,"id":47,"customerNumber":"CUST-000047","vehicleVins":["JTDKARFU2H3055001","1XPBDP9X4FD300999","JTDKARFU2H3055000"],"partyId":"*","customerType":"PRIVATE"}`)
	body := create(owner+`,"vehicleVins":["JTDKARFU2H3055009","4T1B11HK7KU700123"]}`).refused(t, http.StatusConflict, "DUPLICATE_VIN")
	require.Equal(t, named["V3"], body["existingVehicleId"])
	body = w.holding(t, crm.PartyCreate).call(t, http.MethodPost, "/v1/crm", owner+`,"vehicleVins":["4T1B11HK7KU700123"]}`).refused(t, http.StatusConflict, "DUPLICATE_VIN")
	require.NotContains(t, body, "existingVehicleId")
	w.holding(t, crm.PartyCreate).call(t, http.MethodPost, "/v1/crm", owner+`,"vehicleVins":["JTDKARFU2H3055009"]}`).
		expect(t, http.StatusOK, owner+`,"id":48,"customerNumber":"CUST-000048","vehicleVins":["JTDKARFU2H3055009"],"partyId":"*","customerType":"PRIVATE"}`)

	// All of a long list is kept and shown, in its order.
	long := vins(500)
	encoded, err := json.Marshal(long)
	require.NoError(t, err)
	fleet := `{"firstName":"Fleet","lastName":"Owner","vehicleVins":` + string(encoded)
	create(fleet+`}`).expect(t, http.StatusOK, fleet+`,"id":49,"customerNumber":"CUST-000049","partyId":"*","customerType":"PRIVATE"}`)
	listed := customersListed(t, c, "?sortOrder=DESC")[0]
	require.Len(t, listed["vehicleVins"], 500)
	require.Equal(t, long[499], listed["vehicleVins"].([]any)[499])

	w.as(t, "CSR").call(t, http.MethodPost, "/v1/crm", owner+`}`).refused(t, http.StatusForbidden, "FORBIDDEN")
	w.anonymous().call(t, http.MethodPost, "/v1/crm", owner+`}`).refused(t, http.StatusUnauthorized, "UNAUTHORIZED")
}

func TestCustomersUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	update := func(path, body string) reply { return c.call(t, http.MethodPut, "/v1/crm/"+path, body) }

	full := `{"customerNumber":"Legacy #1","firstName":"Mari","lastName":"Etxe","email":"mari@etxe.example","phoneNumber":"555.0199","primaryAddress":"WORK","customerType":"COMMERCIAL"`
	update("41", full+`,"id":42,"vehicleVins":["JTDKARFU2H3055001","4T1B11HK7KU700123"]}`).
		expect(t, http.StatusOK, full+`,"id":41,"vehicleVins":["4T1B11HK7KU700123","JTDKARFU2H3055001"],"partyId":"C41"}`)
	c.call(t, http.MethodGet, "/v1/crm/42", nil).expect(t, http.StatusOK, c42)
	// What is left out goes, but for the number, the type and the vehicles.
	kept := `{"id":41,"customerNumber":"Legacy #1","firstName":"Mari","lastName":"Etxe","vehicleVins":["4T1B11HK7KU700123","JTDKARFU2H3055001"],"partyId":"C41","customerType":"COMMERCIAL"}`
	update("C41", `{"firstName":"Mari","lastName":"Etxe"}`).expect(t, http.StatusOK, kept)
	update("41", full+`}`)
	update("41", `{"firstName":"Mari","lastName":"Etxe","customerNumber":null,"email":null,"phoneNumber":null,"primaryAddress":null,"vehicleVins":null,"customerType":null}`).
		expect(t, http.StatusOK, kept)
	c.call(t, http.MethodGet, "/v1/crm/41", nil).expect(t, http.StatusOK, kept)
	// The number in another case is the same one, spelt anew.
	update("41", `{"firstName":"Mari","lastName":"Etxe","customerNumber":"LEGACY #1","vehicleVins":["JTDKARFU2H3055001"]}`).
		expect(t, http.StatusOK, `{"id":41,"customerNumber":"LEGACY #1","firstName":"Mari","lastName":"Etxe","vehicleVins":["JTDKARFU2H3055001"],"partyId":"C41","customerType":"COMMERCIAL"}`)
	update("41", `{"firstName":"Mari","lastName":"Etxe","vehicleVins":[]}`).
		expect(t, http.StatusOK, `{"id":41,"customerNumber":"LEGACY #1","firstName":"Mari","lastName":"Etxe","vehicleVins":[],"partyId":"C41","customerType":"COMMERCIAL"}`)
	// The vehicles stay, and whoever comes next may have them.
	update("42", `{"firstName":"Tobias","lastName":"Lindqvist","vehicleVins":["4T1B11HK7KU700123"]}`).
		expect(t, http.StatusOK, strings.Replace(c42, "[]", `["4T1B11HK7KU700123"]`, 1))
	var vehicles int
	require.NoError(t, w.owner.QueryRowContext(t.Context(), "SELECT count(*) FROM vehicle WHERE vin = '4T1B11HK7KU700123' AND status = 'ACTIVE'").Scan(&vehicles))
	require.Equal(t, 1, vehicles)

	body := update("41", `{"firstName":"Mari","lastName":"Etxe","vehicleVins":["4T1B11HK7KU700123"]}`).refused(t, http.StatusConflict, "DUPLICATE_VIN")
	require.Equal(t, named["V3"], body["existingVehicleId"])
	body = w.holding(t, crm.PartyEdit).call(t, http.MethodPut, "/v1/crm/41", `{"firstName":"Mari","lastName":"Etxe","vehicleVins":["4T1B11HK7KU700123"]}`).refused(t, http.StatusConflict, "DUPLICATE_VIN")
	require.NotContains(t, body, "existingVehicleId")
	update("41", `{"firstName":"Mari","lastName":"Etxe","customerNumber":"cust-000042"}`).refused(t, http.StatusConflict, "DUPLICATE_CUSTOMER_NUMBER")
	update("42", `{"firstName":"Tobias","lastName":"Lindqvist","customerNumber":"CUST-000041"}`) // which 41 gave up
	c.call(t, http.MethodGet, "/v1/crm/42", nil).expect(t, http.StatusOK, `{"id":42,"customerNumber":"CUST-000041","firstName":"Tobias","lastName":"Lindqvist","vehicleVins":["4T1B11HK7KU700123"],"partyId":"C42","customerType":"PRIVATE"}`)

	// An e-mail address that another customer has is kept.
	names := `{"firstName":"Same","lastName":"Address","email":"same@same.example"}`
	require.Equal(t, http.StatusOK, update("41", names).Status)
	require.Equal(t, "same@same.example", update("42", names).object(t)["email"])

	for _, path := range []string{"999999", "0", "P1", "K1", "0190f3a2-1111-7a01-8b01-0000000000ff"} {
		update(path, names).refused(t, http.StatusNotFound, "NOT_FOUND")
	}
	update("abc", names).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "id")
	c.call(t, http.MethodPut, "/v1/crm/parties", names).refused(t, http.StatusNotFound, "NOT_FOUND")
	w.as(t, "CSR").call(t, http.MethodPut, "/v1/crm/41", names).refused(t, http.StatusForbidden, "FORBIDDEN")
	w.holding(t, crm.PartyEdit).call(t, http.MethodPut, "/v1/crm/41", `{"firstName":"O","lastName":"K","vehicleVins":[]}`).
		expect(t, http.StatusOK, `{"id":41,"customerNumber":"LEGACY #1","firstName":"O","lastName":"K","vehicleVins":[],"partyId":"C41","customerType":"COMMERCIAL"}`)
	w.anonymous().call(t, http.MethodPut, "/v1/crm/41", names).refused(t, http.StatusUnauthorized, "UNAUTHORIZED")
}

// Who gets an organisation's invoices by e-mail must keep an address.
func TestCustomersBillingEmail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	buys(t, w, "K1", 51)
	c := w.admin(t)
	before := c.call(t, http.MethodGet, "/v1/crm/51", nil)
	const names = `{"firstName":"Priya","lastName":"Raman"`
	for _, body := range []string{names + `}`, names + `,"email":null}`, names + `,"customerNumber":"CUST-000041"}`} { // before any conflict
		c.call(t, http.MethodPut, "/v1/crm/51", body).refused(t, http.StatusBadRequest, "BILLING_EMAIL_REQUIRED", "email")
	}
	c.call(t, http.MethodGet, "/v1/crm/51", nil).expect(t, http.StatusOK, string(before.Body))
	c.call(t, http.MethodPut, "/v1/crm/51", names+`,"email":"priya.raman@harborfl.example"}`).
		expect(t, http.StatusOK, names+`,"id":51,"customerNumber":"CUST-000051","email":"priya.raman@harborfl.example","vehicleVins":[],"partyId":"K1","customerType":"PRIVATE"}`)
}

func TestCustomersDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	buys(t, w, "K1", 51)
	buys(t, w, "K4", 54)
	merged(t, w, "C42", "K4")
	c := w.admin(t)
	for _, path := range []string{"/v1/crm/54", "/v1/crm/K4"} {
		for method, body := range map[string]any{http.MethodDelete: nil, http.MethodPut: `{"firstName":"A","lastName":"B"}`} {
			refused := c.call(t, method, path, body).refused(t, http.StatusConflict, "PARTY_MERGED")
			require.Equal(t, named["C42"], refused["mergedToPartyId"])
			require.InDelta(t, 42, refused["mergedToCustomerId"], 0)
		}
	}
	for _, path := range []string{"/v1/crm/999999", "/v1/crm/-1", "/v1/crm/P1", "/v1/crm/K2", "/v1/crm/accounts", "/v1/crm/vehicles"} {
		c.call(t, http.MethodDelete, path, nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	}
	c.call(t, http.MethodDelete, "/v1/crm/x", nil).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "id")
	w.as(t, "FLEET_MANAGER").call(t, http.MethodDelete, "/v1/crm/41", nil).refused(t, http.StatusForbidden, "FORBIDDEN")
	w.anonymous().call(t, http.MethodDelete, "/v1/crm/41", nil).refused(t, http.StatusUnauthorized, "UNAUTHORIZED")

	only := w.holding(t, crm.PartyDeactivate)
	for name, number := range map[string]string{"C41": "41", "K1": "51"} {
		only.call(t, http.MethodDelete, "/v1/crm/"+number, nil).expect(t, http.StatusNoContent, "")
		for _, gone := range []reply{
			c.call(t, http.MethodDelete, "/v1/crm/"+number, nil),
			c.call(t, http.MethodDelete, "/v1/crm/"+name, nil),
			c.call(t, http.MethodGet, "/v1/crm/"+number, nil),
			c.call(t, http.MethodGet, "/v1/crm/"+name, nil),
			c.call(t, http.MethodPut, "/v1/crm/"+number, `{"firstName":"A","lastName":"B"}`),
			c.call(t, http.MethodGet, "/v1/crm/accounts/parties/"+name, nil),
		} {
			gone.refused(t, http.StatusNotFound, "NOT_FOUND")
		}
		var kept bool
		require.NoError(t, w.owner.QueryRowContext(t.Context(), "SELECT status = 'INACTIVE' AND deactivated_at IS NOT NULL FROM party WHERE id = ?", named[name]).Scan(&kept))
		require.True(t, kept)
	}
	listed := customersListed(t, c, "")
	require.Len(t, listed, 1)
	require.InDelta(t, 42, listed[0]["id"], 0)
	var open int
	require.NoError(t, w.owner.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM vehicle_association WHERE party_id = ? AND effective_to IS NULL)
		+ (SELECT count(*) FROM contact WHERE person_id = ? AND status = 'ACTIVE')`, named["C41"], named["K1"]).Scan(&open))
	require.Zero(t, open, "what they had to do with vehicles and organisations has ended")
	// The vehicle is there for another; the number stays taken.
	c.call(t, http.MethodPost, "/v1/crm", `{"firstName":"A","lastName":"B","vehicleVins":["4T1B11HK7KU700123"]}`).
		expect(t, http.StatusOK, `{"id":43,"customerNumber":"CUST-000043","firstName":"A","lastName":"B","vehicleVins":["4T1B11HK7KU700123"],"partyId":"*","customerType":"PRIVATE"}`)
	c.call(t, http.MethodPost, "/v1/crm", `{"firstName":"A","lastName":"B","customerNumber":"CUST-000041"}`).refused(t, http.StatusConflict, "DUPLICATE_CUSTOMER_NUMBER")
}

// customersListed is what D-01 answers.
func customersListed(t *testing.T, c *client, query string) []map[string]any {
	t.Helper()
	r := c.call(t, http.MethodGet, "/v1/crm"+query, nil)
	require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
	var list []map[string]any
	r.into(t, &list)
	return list
}

func TestCustomersList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *durion.Options) { o.ListCap = 4 })
	buys(t, w, "P3", 60) // an organisation
	buys(t, w, "K4", 61)
	buys(t, w, "K2", 62)
	buys(t, w, "K3", 63)
	merged(t, w, "C41", "K4")
	w.exec(t, "UPDATE party SET status = 'INACTIVE', deactivated_at = now() WHERE id = ?", named["K3"])
	w.exec(t, "UPDATE party SET last_name = 'lindqvist' WHERE id = ?", named["K2"])
	csr := w.as(t, "CSR")
	csr.call(t, http.MethodGet, "/v1/crm", nil).expect(t, http.StatusOK, `[`+strings.Replace(c41, `"vehicleVins"`, `"phoneNumber":"+1 509 555 0101","vehicleVins"`, 1)+`,`+c42+`,
		{"id":62,"customerNumber":"CUST-000062","firstName":"Owen","lastName":"lindqvist","phoneNumber":"+1 206 555 0150","vehicleVins":[],"partyId":"K2","customerType":"PRIVATE"}]`)
	for _, c := range []struct {
		query string
		want  []int
	}{
		{"", []int{41, 42, 62}},
		{"?sortField=id&sortOrder=ASC", []int{41, 42, 62}},
		{"?sortOrder=DESC", []int{62, 42, 41}},
		{"?sortField=lastName", []int{41, 42, 62}},
		{"?sortField=lastName&sortOrder=DESC", []int{42, 62, 41}}, // the number decides, upwards
		{"?sortField=createdAt", []int{62, 41, 42}},
		{"?sortField=createdAt&sortOrder=DESC", []int{42, 41, 62}},
		{"?pageSize=2", []int{41, 42}},
		{"?pageSize=2&pageNumber=1", []int{62}},
		{"?pageSize=500", []int{41, 42, 62}},
		{"?pageNumber=0", []int{41, 42, 62}},
		{"?pageNumber=1", nil},
		{"?pageNumber=2147483647&pageSize=100", nil},
		{"?lastName=Nobody", []int{41, 42, 62}}, // unknown parameters say nothing
	} {
		r := csr.call(t, http.MethodGet, "/v1/crm"+c.query, nil)
		var list []struct{ ID int }
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		r.into(t, &list)
		require.NotNil(t, list, c.query)
		var got []int
		for _, e := range list {
			got = append(got, e.ID)
		}
		require.Equal(t, c.want, got, c.query)
		require.Equal(t, "3", r.Header.Get("X-Total-Count"), c.query)
		require.Empty(t, r.Header.Get("X-Result-Truncated"), c.query)
	}
	for query, fields := range map[string][]string{
		"?pageSize=0":           {"pageSize"},
		"?pageSize=-1":          {"pageSize"},
		"?pageSize=ten":         {"pageSize"},
		"?pageNumber=-1":        {"pageNumber"},
		"?pageNumber=1.5":       {"pageNumber"},
		"?sortField=firstName":  {"sortField"},
		"?sortField=NUMBER":     {"sortField"},
		"?sortOrder=asc":        {"sortOrder"},
		"?pageSize=1&pageSize=": {"pageSize"},
		"?sortOrder=UP&sortField=x&pageSize=x&pageNumber=x": {"pageNumber", "pageSize", "sortField", "sortOrder"},
	} {
		csr.call(t, http.MethodGet, "/v1/crm"+query, nil).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", fields...)
	}
	// The cap bites only when no page is asked for.
	admin := w.admin(t)
	for range 2 {
		require.Equal(t, http.StatusOK, admin.call(t, http.MethodPost, "/v1/crm", `{"firstName":"One","lastName":"More"}`).Status)
	}
	for query, want := range map[string]struct {
		rows      int
		truncated string
	}{"": {4, "true"}, "?sortOrder=DESC": {4, "true"}, "?pageSize=4": {4, ""}, "?pageSize=10": {5, ""}, "?pageNumber=0": {5, ""}} {
		r := csr.call(t, http.MethodGet, "/v1/crm"+query, nil)
		var list []any
		r.into(t, &list)
		require.Len(t, list, want.rows, query)
		require.Equal(t, want.truncated, r.Header.Get("X-Result-Truncated"), query)
		require.Equal(t, "5", r.Header.Get("X-Total-Count"), query)
	}
	w.holding(t, crm.PartyView).call(t, http.MethodGet, "/v1/crm?pageSize=1", nil).expect(t, http.StatusOK, `[`+strings.Replace(c41, `"vehicleVins"`, `"phoneNumber":"+1 509 555 0101","vehicleVins"`, 1)+`]`)
	w.holding(t, crm.PartySearch).call(t, http.MethodGet, "/v1/crm?pageSize=x", nil).refused(t, http.StatusForbidden, "FORBIDDEN")
	w.anonymous().call(t, http.MethodGet, "/v1/crm", nil).refused(t, http.StatusUnauthorized, "UNAUTHORIZED")
}

// A list takes as many statements whatever there is in it, and so does one customer.
func TestCustomersStatements(t *testing.T) {
	t.Parallel()
	var options durion.Options
	w := newWorld(t, func(o *durion.Options) { options = *o })
	c, door := w.admin(t), durion.New(options)
	for i := range 100 {
		r := c.call(t, http.MethodPost, "/v1/crm", map[string]any{
			"firstName": "One", "lastName": fmt.Sprintf("Of Many %d", i), "email": fmt.Sprintf("%d@many.example", i),
			"vehicleVins": []string{fmt.Sprintf("JTDKARFU2H5%06d", i), fmt.Sprintf("JTDKARFU2H6%06d", i)},
		})
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
	}
	count := func(path string) int {
		ctx, statements := db.CountStatements(t.Context())
		request := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
		request.Header.Set("Authorization", "Bearer "+c.token)
		w := httptest.NewRecorder()
		door.ServeHTTP(w, request)
		require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
		return statements.Count()
	}
	// The ids, the customers, how many there are; parties and ownerships; contact points and vehicles.
	for _, path := range []string{"/v1/crm?pageSize=1", "/v1/crm?pageSize=20", "/v1/crm?pageSize=100", "/v1/crm"} {
		require.Equal(t, 7, count(path), path)
	}
	// Which customer, the customer, the party; ownerships; contact points and vehicles.
	for _, path := range []string{"/v1/crm/41", "/v1/crm/50"} {
		require.Equal(t, 6, count(path), path)
	}
}

func TestCustomersAtOnce(t *testing.T) {
	t.Parallel()
	c := newWorld(t).admin(t)
	for name, body := range map[string]func(i int) string{
		"DUPLICATE_CUSTOMER_NUMBER": func(i int) string {
			return fmt.Sprintf(`{"firstName":"A","lastName":"B","customerNumber":"%s"}`, []string{"Rush 1", "RUSH 1"}[i%2])
		},
		"DUPLICATE_VIN": func(int) string { return `{"firstName":"A","lastName":"B","vehicleVins":["JTDKARFU2H3055001"]}` },
	} {
		replies := make([]reply, 6)
		var done sync.WaitGroup
		for i := range replies {
			done.Go(func() { replies[i] = c.call(t, http.MethodPost, "/v1/crm", body(i)) })
		}
		done.Wait()
		good := 0
		for _, r := range replies {
			if r.Status == http.StatusOK {
				good++
				continue
			}
			r.refused(t, http.StatusConflict, name)
		}
		require.Equal(t, 1, good, name)
	}
}
