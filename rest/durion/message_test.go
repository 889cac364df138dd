package durion_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Messages say which field is meant, in the contract's words, also where there are no field errors.
func TestMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	for _, c := range []struct{ method, path, body, message string }{
		{"GET", "/v1/crm/abc", "", "an id is a whole number of at most 19 digits, or a partyId"},
		{"GET", "/v1/crm/999999", "", "id: no such Customer"},
		{"GET", "/v1/vehicles/abc", "", "an id is a whole number of at most 19 digits"},
		{"GET", "/v1/vehicles/vin/5YJ3E1EA3KF300321", "", "no such Vehicle"},
		{"GET", "/v1/crm/accounts/parties/nobody", "", "no such Party"},
		{"GET", "/v1/crm/nobody/vehicles/V3", "", "customerId: no such Party"},
		{"GET", "/v1/crm/41/vehicles/nothing", "", "vehicleId: no such Vehicle"},
		{"POST", "/v1/crm", `{"firstName":"A","lastName":"B","customerNumber":"CUST-000041"}`, "customerNumber: another customer has this one"},
		{"PUT", "/v1/crm/42", `{"firstName":"A","lastName":"B","customerNumber":"CUST-000041"}`, "customerNumber: another customer has this one"},
		{"POST", "/v1/crm", `{"firstName":"A","lastName":"B","vehicleVins":["5YJ3E1EA3KF300321","4T1B11HK7KU700123"]}`, "vehicleVins[1]: an active vehicle has this VIN"},
		{"POST", "/v1/crm/accounts/parties", "{" + duplicate + "}", "organisations exist that look like this one: to make it all the same, override them with a justification"},
		{"POST", "/v1/crm/accounts/parties", `{"legalName":"A","externalIdentifiers":{"e r p":"1"}}`, "an external identifier is named with 1 to 64 of the characters A-Z a-z 0-9 _ . -"},
		{"POST", "/v1/crm/accounts/parties/search", `{"name":7}`, "a text is needed"},
		{"POST", "/v1/crm/accounts/parties/search", `{"name":7,"phone":8}`, "several fields are not as they should be"},
		{"PUT", "/v1/crm/accounts/parties/P1/contacts/nobody/roles", `{"roles":[]}`, "contactId: no such Party"},
		{"PUT", "/v1/crm/accounts/parties/P1/contacts/K1/roles", `{"version":"1","roles":[]}`, "the record has changed: its version is 3, not 1"},
		{"PUT", "/v1/crm/41/vehicles/V3/transfer", `{"toCustomerId":"nobody"}`, "toCustomerId: no such Party"},
		{
			"POST", "/v1/crm/accounts/parties/P1/merge", `{"losingPartyIds":["P2","nobody","none"],"justification":"the same"}`,
			"losingPartyIds[1]: no such Party",
		},
	} {
		var body any
		if c.body != "" {
			body = c.body
		}
		got := admin.call(t, c.method, c.path, body)
		require.GreaterOrEqual(t, got.Status, http.StatusBadRequest, "%s %s", c.method, c.path)
		assert.Equal(t, c.message, got.object(t)["message"], "%s %s %s", c.method, c.path, c.body)
	}
}
