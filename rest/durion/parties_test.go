package durion_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGetParty(t *testing.T) {
	w := newWorld(t)
	csr := w.as(t, "CSR")
	csr.call(t, http.MethodGet, "/v1/crm/accounts/parties/P1", nil).expect(t, http.StatusOK, `{
		"partyId":"P1","partyType":"ORGANIZATION","status":"ACTIVE","legalName":"Harbor Freightlines Inc","taxId":"84-2219075",
		"phone":"+1 206 555 0147","billingTermsId":"BT-NET30","invoiceDeliveryMethod":"EMAIL","externalIdentifiers":{"erp":"HF-0042"},
		"tier":"STANDARD","version":"1","createdAt":"*","updatedAt":"*"}`)
	csr.call(t, http.MethodGet, "/v1/crm/accounts/parties/C41", nil).expect(t, http.StatusOK, `{
		"partyId":"C41","partyType":"INDIVIDUAL","status":"ACTIVE","displayName":"Marisol Etxeberria","firstName":"Marisol","lastName":"Etxeberria",
		"customerId":41,"externalIdentifiers":{},"tier":"STANDARD","version":"1","createdAt":"*","updatedAt":"*"}`)
	csr.call(t, http.MethodGet, "/v1/crm/accounts/parties/nobody", nil).refused(t, http.StatusNotFound, "NOT_FOUND")
}

// An organisation has no number for this contract, which would not find it by one.
func TestMergedOrganizationHasNoCustomerNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	w.exec(t, "INSERT INTO customer (tenant_id, id, number, code) VALUES (?, ?, 44, 'CUST-000044')", w.tenant, named["P1"])
	merged := admin.call(t, http.MethodPost, "/v1/crm/accounts/parties/P1/merge", `{"losingPartyId":"P2","justification":"the same"}`)
	require.Equal(t, http.StatusOK, merged.Status, "%s", merged.Body)
	admin.call(t, http.MethodGet, "/v1/crm/44", nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	gone := admin.call(t, http.MethodGet, "/v1/crm/accounts/parties/P2", nil).refused(t, http.StatusConflict, "PARTY_MERGED")
	require.NotContains(t, gone, "mergedToCustomerId")
}
