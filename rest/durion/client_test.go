package durion_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// legacy is a client of the contract, written from its guide alone: it knows nothing of the program
// that answers it but the address.
type legacy struct {
	url, token string
	literal    bool // the thirteen stub operations answer 501
	sent       int
}

// The guide's bodies. Fields that may be missing are omitempty, so that a body which is not the same
// when it is written again has another shape than documented.
type (
	legacyCustomer struct {
		ID             int64    `json:"id,omitempty"`
		CustomerNumber string   `json:"customerNumber,omitempty"`
		FirstName      string   `json:"firstName"`
		LastName       string   `json:"lastName"`
		Email          string   `json:"email,omitempty"`
		PhoneNumber    string   `json:"phoneNumber,omitempty"`
		PrimaryAddress string   `json:"primaryAddress,omitempty"`
		VehicleVins    []string `json:"vehicleVins"`
		PartyID        string   `json:"partyId,omitempty"`
		CustomerType   string   `json:"customerType,omitempty"`
	}
	legacyAccount struct {
		PartyID             string            `json:"partyId"`
		LegalName           string            `json:"legalName"`
		Status              string            `json:"status"`
		CreatedAt           legacyInstant     `json:"createdAt"`
		DuplicateCandidates []legacyCandidate `json:"duplicateCandidates"`
	}
	legacyCandidate struct {
		PartyID      string        `json:"partyId"`
		LegalName    string        `json:"legalName"`
		MatchReason  string        `json:"matchReason"`
		MatchReasons []string      `json:"matchReasons"`
		TaxID        string        `json:"taxId,omitempty"`
		Status       string        `json:"status"`
		CreatedAt    legacyInstant `json:"createdAt"`
	}
	legacySummary struct {
		PartyID         string        `json:"partyId"`
		LegalName       string        `json:"legalName,omitempty"`
		DisplayName     string        `json:"displayName,omitempty"`
		PartyType       string        `json:"partyType"`
		Status          string        `json:"status"`
		Email           string        `json:"email,omitempty"`
		Phone           string        `json:"phone,omitempty"`
		CreatedAt       legacyInstant `json:"createdAt"`
		MergedToPartyID string        `json:"mergedToPartyId,omitempty"`
	}
	legacyPage[T any] struct {
		Results    []T   `json:"results"`
		TotalCount int64 `json:"totalCount"`
		PageNumber int   `json:"pageNumber"`
		PageSize   int   `json:"pageSize"`
		TotalPages int   `json:"totalPages"`
	}
	legacyParty struct {
		PartyID               string            `json:"partyId"`
		PartyType             string            `json:"partyType"`
		Status                string            `json:"status"`
		LegalName             string            `json:"legalName,omitempty"`
		DisplayName           string            `json:"displayName,omitempty"`
		FirstName             string            `json:"firstName,omitempty"`
		LastName              string            `json:"lastName,omitempty"`
		CustomerID            int64             `json:"customerId,omitempty"`
		TaxID                 string            `json:"taxId,omitempty"`
		Email                 string            `json:"email,omitempty"`
		Phone                 string            `json:"phone,omitempty"`
		BillingTermsID        string            `json:"billingTermsId,omitempty"`
		InvoiceDeliveryMethod string            `json:"invoiceDeliveryMethod,omitempty"`
		ExternalIdentifiers   map[string]string `json:"externalIdentifiers"`
		Tier                  string            `json:"tier"`
		Version               string            `json:"version"`
		CreatedAt             legacyInstant     `json:"createdAt"`
		UpdatedAt             legacyInstant     `json:"updatedAt"`
	}
	legacyPreferences struct {
		PartyID             string          `json:"partyId"`
		Version             string          `json:"version"`
		EmailPreference     string          `json:"emailPreference,omitempty"`
		SMSPreference       string          `json:"smsPreference,omitempty"`
		PhonePreference     string          `json:"phonePreference,omitempty"`
		MarketingPreference string          `json:"marketingPreference,omitempty"`
		ConsentFlags        map[string]bool `json:"consentFlags"`
		PreferencesNote     string          `json:"preferencesNote,omitempty"`
		UpdatedAt           *legacyInstant  `json:"updatedAt,omitempty"`
		UpdateSource        string          `json:"updateSource,omitempty"`
	}
	legacyPreferencesSet struct {
		PartyID       string        `json:"partyId"`
		Version       string        `json:"version"`
		OperationType string        `json:"operationType"`
		Status        string        `json:"status"`
		UpdatedAt     legacyInstant `json:"updatedAt"`
	}
	legacyContacts struct {
		PartyID  string          `json:"partyId"`
		Contacts []legacyContact `json:"contacts"`
	}
	legacyContact struct {
		ContactID             string       `json:"contactId"`
		ContactName           string       `json:"contactName"`
		Email                 string       `json:"email,omitempty"`
		Phone                 string       `json:"phone,omitempty"`
		HasPrimaryEmail       bool         `json:"hasPrimaryEmail"`
		Roles                 []legacyRole `json:"roles"`
		InvoiceDeliveryMethod string       `json:"invoiceDeliveryMethod"`
		Version               string       `json:"version"`
	}
	legacyRole struct {
		RoleCode  string `json:"roleCode"`
		RoleLabel string `json:"roleLabel"`
		IsPrimary bool   `json:"isPrimary"`
	}
	legacyRolesSet struct {
		PartyID   string        `json:"partyId"`
		ContactID string        `json:"contactId"`
		Version   string        `json:"version"`
		Status    string        `json:"status"`
		UpdatedAt legacyInstant `json:"updatedAt"`
	}
	legacyVehicle struct {
		VehicleID          string        `json:"vehicleId"`
		PartyID            string        `json:"partyId,omitempty"`
		VinNumber          string        `json:"vinNumber"`
		UnitNumber         string        `json:"unitNumber,omitempty"`
		Description        string        `json:"description,omitempty"`
		LicensePlate       string        `json:"licensePlate,omitempty"`
		LicensePlateRegion string        `json:"licensePlateRegion,omitempty"`
		Make               string        `json:"make,omitempty"`
		Model              string        `json:"model,omitempty"`
		Year               int           `json:"year,omitempty"`
		Trim               string        `json:"trim,omitempty"`
		Status             string        `json:"status"`
		Version            string        `json:"version"`
		CreatedAt          legacyInstant `json:"createdAt"`
		UpdatedAt          legacyInstant `json:"updatedAt"`
		MatchType          string        `json:"matchType,omitempty"`
		Owner              *legacyOwner  `json:"owner,omitempty"`
	}
	legacyOwner struct {
		PartyID     string `json:"partyId"`
		DisplayName string `json:"displayName"`
		PartyType   string `json:"partyType"`
	}
	legacyTransfer struct {
		VehicleID     string        `json:"vehicleId"`
		FromPartyID   string        `json:"fromPartyId"`
		ToPartyID     string        `json:"toPartyId"`
		AssociationID string        `json:"associationId"`
		EffectiveFrom legacyInstant `json:"effectiveFrom"`
		Status        string        `json:"status"`
		Version       string        `json:"version"`
		UpdatedAt     legacyInstant `json:"updatedAt"`
	}
	legacyRegistered struct {
		ID        int64   `json:"id"`
		Make      *string `json:"make"`
		Model     *string `json:"model"`
		Year      int     `json:"year"`
		VIN       string  `json:"vin"`
		VehicleID string  `json:"vehicleId"`
	}
	legacyTierResolved struct {
		CurrentTier          string  `json:"currentTier"`
		RecommendedTier      string  `json:"recommendedTier"`
		TierApplied          bool    `json:"tierApplied"`
		ManualOverrideActive bool    `json:"manualOverrideActive"`
		ResolutionReason     string  `json:"resolutionReason"`
		TierScore            float64 `json:"tierScore"`
	}
	legacyTier struct {
		AccountID       string        `json:"accountId"`
		Tier            string        `json:"tier"`
		TierDisplayName string        `json:"tierDisplayName"`
		TierAssignedAt  legacyInstant `json:"tierAssignedAt"`
		TierAssignedBy  string        `json:"tierAssignedBy"`
		Notes           string        `json:"notes,omitempty"`
		ManualOverride  bool          `json:"manualOverride"`
	}
	legacyMerge struct {
		MergeAuditID    string         `json:"mergeAuditId"`
		SurvivorPartyID string         `json:"survivorPartyId"`
		LosingPartyIDs  []string       `json:"losingPartyIds"`
		LosingPartyID   string         `json:"losingPartyId,omitempty"`
		Status          string         `json:"status"`
		CompletedAt     legacyInstant  `json:"completedAt"`
		MovedCounts     map[string]int `json:"movedCounts"`
	}
	legacyError struct {
		Code               string             `json:"code"`
		Message            string             `json:"message"`
		CorrelationID      string             `json:"correlationId"`
		Timestamp          legacyInstant      `json:"timestamp"`
		FieldErrors        []legacyFieldError `json:"fieldErrors"`
		Candidates         []legacyCandidate  `json:"candidates,omitempty"`
		ExistingVehicleID  string             `json:"existingVehicleId,omitempty"`
		MergedToPartyID    string             `json:"mergedToPartyId,omitempty"`
		MergedToCustomerID int64              `json:"mergedToCustomerId,omitempty"`
		CurrentVersion     string             `json:"currentVersion,omitempty"`
		SubmittedVersion   string             `json:"submittedVersion,omitempty"`
		CurrentData        json.RawMessage    `json:"currentData,omitempty"`
		LastUpdatedAt      *legacyInstant     `json:"lastUpdatedAt,omitempty"`
		LastUpdatedBy      string             `json:"lastUpdatedBy,omitempty"`
		GapWarning         bool               `json:"gapWarning,omitempty"`
	}
	legacyFieldError struct {
		Field         string          `json:"field"`
		Message       string          `json:"message"`
		RejectedValue json.RawMessage `json:"rejectedValue,omitempty"`
	}
	body map[string]any // of a request
)

// legacyInstant is an instant in UTC with three digits of the second, and nothing else.
type legacyInstant struct{ time.Time }

const legacyInstantFormat = `"2006-01-02T15:04:05.000Z"`

// UnmarshalJSON reads the instant.
func (i *legacyInstant) UnmarshalJSON(text []byte) (err error) {
	i.Time, err = time.Parse(legacyInstantFormat, string(text))
	return err
}

// MarshalJSON writes the instant.
func (i legacyInstant) MarshalJSON() ([]byte, error) {
	return []byte(i.Format(legacyInstantFormat)), nil
}

// fields are the names of the fields that are wrong.
func (e legacyError) fields() []string {
	var names []string
	for _, f := range e.FieldErrors {
		names = append(names, f.Field)
	}
	return names
}

// send sends a request and checks what holds of every answer.
func (c *legacy) send(t *testing.T, method, path string, content any) (*http.Response, []byte) {
	t.Helper()
	var text bytes.Buffer
	if content != nil {
		require.NoError(t, json.NewEncoder(&text).Encode(content))
	}
	request, err := http.NewRequestWithContext(t.Context(), method, c.url+path, &text)
	require.NoError(t, err)
	c.sent++
	correlation := fmt.Sprintf("life-%d", c.sent)
	request.Header.Set("X-Correlation-Id", correlation)
	request.Header.Set("Authorization", "Bearer "+c.token)
	if content != nil {
		request.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, correlation, response.Header.Get("X-Correlation-Id"))
	if len(answer) > 0 {
		require.Regexp(t, `^application/json(;|$)`, response.Header.Get("Content-Type"))
	}
	return response, answer
}

// ok expects an answer of the status and decodes its body, all of it.
func (c *legacy) ok(t *testing.T, status int, method, path string, content, into any) http.Header {
	t.Helper()
	response, answer := c.send(t, method, path, content)
	require.Equal(t, status, response.StatusCode, "%s %s: %s", method, path, answer)
	if status == http.StatusNoContent {
		require.Empty(t, answer)
		return response.Header
	}
	decode(t, answer, into)
	return response.Header
}

// decode fills a documented body, which must say the same when it is written again. What into held
// before is forgotten.
func decode(t *testing.T, answer []byte, into any) {
	t.Helper()
	reflect.ValueOf(into).Elem().SetZero()
	require.NoError(t, json.Unmarshal(answer, into), "%s", answer)
	again, err := json.Marshal(into)
	require.NoError(t, err)
	require.JSONEq(t, string(again), string(answer), "the shape is as documented")
}

// anyField stands for whatever fields are wrong, where the guide does not say which.
const anyField = "*"

// refused expects an error.
func (c *legacy) refused(t *testing.T, status int, code, method, path string, content any, fields ...string) legacyError {
	t.Helper()
	response, answer := c.send(t, method, path, content)
	require.Equal(t, status, response.StatusCode, "%s %s: %s", method, path, answer)
	var e legacyError
	decode(t, answer, &e)
	require.Equal(t, code, e.Code)
	require.NotEmpty(t, e.Message)
	require.Equal(t, response.Header.Get("X-Correlation-Id"), e.CorrelationID)
	require.False(t, e.Timestamp.IsZero())
	require.NotNil(t, e.FieldErrors, "%s", answer)
	if !slices.Equal(fields, []string{anyField}) {
		require.Equal(t, fields, e.fields(), "%s", answer)
	}
	return e
}

// graphQL sends a document, for what the contract has no route for.
func (c *legacy) graphQL(t *testing.T, document string, variables map[string]any, into any) {
	t.Helper()
	response, answer := c.send(t, http.MethodPost, "/graphql", body{"query": document, "variables": variables})
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", answer)
	var result struct {
		Data   json.RawMessage
		Errors []any
	}
	require.NoError(t, json.Unmarshal(answer, &result))
	require.Empty(t, result.Errors, "%s", answer)
	require.NoError(t, json.Unmarshal(result.Data, into))
}

// life is what the steps of the client's story hand on.
type life struct {
	*legacy
	t *testing.T

	partiesPath string
	nadia, emil legacyCustomer
	firm, again legacyAccount // the second is the first, entered twice
	hanna, ivo  string        // contacts of the firm with an e-mail address
	van         legacyVehicle // of the firm entered twice
}

// live goes through the life of accounts and customers, step by step.
func (c *legacy) live(t *testing.T) {
	t.Helper()
	l := &life{legacy: c, t: t, partiesPath: "/v1/crm/accounts/parties"}
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"customers", l.customers},
		{"accounts", l.accounts},
		{"duplicates", l.duplicates},
		{"search", l.search},
		{"contacts", l.contacts},
		{"preferences", l.preferences},
		{"vehicles of an account", l.accountVehicles},
		{"registry", l.registry},
		{"stubs", l.stubs},
		{"merge", l.merge},
		{"list", l.list},
		{"end", l.end},
	} {
		if !t.Run(step.name, func(t *testing.T) { l.t = t; step.do() }) {
			return // later steps go on from this one
		}
	}
}

func (l *life) customers() {
	t := l.t
	l.ok(t, 200, "POST", "/v1/crm", body{
		"id": 7, "firstName": " Nadia ", "lastName": "Petrov", "email": "nadia@petrov.example", "phoneNumber": "+1-555-0134",
		"primaryAddress": "HOME", "vehicleVins": []string{"wvw zzz1k-zaw000341"}, "somethingElse": true,
	}, &l.nadia)
	require.NotEqual(t, int64(7), l.nadia.ID)
	require.Equal(t, legacyCustomer{
		ID: l.nadia.ID, CustomerNumber: fmt.Sprintf("CUST-%06d", l.nadia.ID), FirstName: "Nadia", LastName: "Petrov",
		Email: "nadia@petrov.example", PhoneNumber: "+1-555-0134", PrimaryAddress: "HOME", VehicleVins: []string{"WVWZZZ1KZAW000341"},
		PartyID: l.nadia.PartyID, CustomerType: "PRIVATE",
	}, l.nadia)
	require.Regexp(t, "^[0-9a-f-]{36}$", l.nadia.PartyID)

	l.ok(t, 200, "POST", "/v1/crm", body{"firstName": "Emil", "lastName": "Sørensen", "customerNumber": "FLEET-7", "customerType": "GOVERNMENT"}, &l.emil)
	require.Equal(t, legacyCustomer{
		ID: l.emil.ID, CustomerNumber: "FLEET-7", FirstName: "Emil", LastName: "Sørensen", VehicleVins: []string{}, PartyID: l.emil.PartyID, CustomerType: "GOVERNMENT",
	}, l.emil)

	e := l.refused(t, 409, "DUPLICATE_VIN", "POST", "/v1/crm", body{"firstName": "Olga", "lastName": "Ruiz", "vehicleVins": l.nadia.VehicleVins})
	require.NotEmpty(t, e.ExistingVehicleID)
	l.refused(t, 409, "DUPLICATE_CUSTOMER_NUMBER", "POST", "/v1/crm", body{"firstName": "Olga", "lastName": "Ruiz", "customerNumber": "FLEET-7"})
	e = l.refused(t, 400, "VALIDATION_ERROR", "POST", "/v1/crm", body{"firstName": "  ", "email": "nope", "phoneNumber": "12a45678", "vehicleVins": []string{"SHORT"}},
		"firstName", "lastName", "email", "phoneNumber", "vehicleVins[0]")
	require.JSONEq(t, `"  "`, string(e.FieldErrors[0].RejectedValue))
	require.Nil(t, e.FieldErrors[1].RejectedValue)

	var same legacyCustomer
	l.ok(t, 200, "GET", fmt.Sprintf("/v1/crm/%d", l.nadia.ID), nil, &same)
	require.Equal(t, l.nadia, same)
	l.ok(t, 200, "GET", "/v1/crm/"+strings.ToUpper(l.nadia.PartyID), nil, &same)
	require.Equal(t, l.nadia, same)
	l.refused(t, 400, "VALIDATION_ERROR", "GET", "/v1/crm/abc", nil, "id")
	l.refused(t, 404, "NOT_FOUND", "GET", "/v1/crm/999999", nil)
	l.refused(t, 404, "NOT_FOUND", "GET", "/v1/crm/0", nil)

	want := l.nadia // all else is cleared or, as documented, kept
	want.LastName, want.Email, want.PhoneNumber, want.PrimaryAddress = "Petrova", "", "+1 555 0199 0", ""
	l.ok(t, 200, "PUT", fmt.Sprintf("/v1/crm/%d", want.ID), body{"id": 1, "firstName": "Nadia", "lastName": "Petrova", "phoneNumber": "+1 555 0199 0"}, &l.nadia)
	require.Equal(t, want, l.nadia)
}

func (l *life) accounts() {
	t := l.t
	header := l.ok(t, 201, "POST", l.partiesPath, body{
		"legalName": " Cascade Timber Inc ", "dbaName": "Cascade", "taxId": "91-4400187", "partyType": "BUSINESS", "billingTermsId": "BT-NET60",
		"email": "office@cascade.example", "phone": "+1 503 555 0171", "externalIdentifiers": body{"erp": "CT-1", "wms": "77"},
	}, &l.firm)
	require.Equal(t, l.partiesPath+"/"+l.firm.PartyID, header.Get("Location"))
	require.Equal(t, legacyAccount{PartyID: l.firm.PartyID, LegalName: "Cascade Timber Inc", Status: "ACTIVE", CreatedAt: l.firm.CreatedAt, DuplicateCandidates: []legacyCandidate{}}, l.firm)

	var got legacyParty
	l.ok(t, 200, "GET", header.Get("Location"), nil, &got)
	require.Equal(t, legacyParty{
		PartyID: l.firm.PartyID, PartyType: "ORGANIZATION", Status: "ACTIVE", LegalName: "Cascade Timber Inc", DisplayName: "Cascade", TaxID: "91-4400187",
		Email: "office@cascade.example", Phone: "+1 503 555 0171", BillingTermsID: "BT-NET60", InvoiceDeliveryMethod: "EMAIL",
		ExternalIdentifiers: map[string]string{"erp": "CT-1", "wms": "77"}, Tier: "STANDARD", Version: "1", CreatedAt: l.firm.CreatedAt, UpdatedAt: got.UpdatedAt,
	}, got)
	l.ok(t, 200, "GET", l.partiesPath+"/"+l.nadia.PartyID, nil, &got)
	require.Equal(t, legacyParty{
		PartyID: l.nadia.PartyID, PartyType: "INDIVIDUAL", Status: "ACTIVE", DisplayName: "Nadia Petrova", FirstName: "Nadia", LastName: "Petrova",
		CustomerID: l.nadia.ID, Phone: "+1 555 0199 0", ExternalIdentifiers: map[string]string{}, Tier: "STANDARD", Version: got.Version,
		CreatedAt: got.CreatedAt, UpdatedAt: got.UpdatedAt,
	}, got)
	l.refused(t, 404, "NOT_FOUND", "GET", l.partiesPath+"/nobody", nil)
	l.refused(t, 404, "NOT_FOUND", "GET", "/v1/crm/"+l.firm.PartyID, nil) // an organisation is no customer here

	l.refused(t, 400, "INVALID_BILLING_TERMS", "POST", l.partiesPath, body{"legalName": "Larch & Sons", "defaultBillingTermsId": "BT-NEVER"}, "defaultBillingTermsId")
	l.refused(t, 400, "VALIDATION_ERROR", "POST", l.partiesPath, body{"legalName": "Larch & Sons", "partyType": "INDIVIDUAL"}, "partyType")
	l.refused(t, 400, "VALIDATION_ERROR", "POST", l.partiesPath, body{"legalName": "  ", "email": "nope", "externalIdentifiers": body{"erp": 12}},
		"legalName", "email", "externalIdentifiers.erp")
}

func (l *life) duplicates() {
	t := l.t
	twice := body{"legalName": "CASCADE TIMBER, INC.", "taxId": "914400187"}
	candidate := legacyCandidate{
		PartyID: l.firm.PartyID, LegalName: "Cascade Timber Inc", MatchReason: "TAX_ID_MATCH", MatchReasons: []string{"TAX_ID_MATCH", "EXACT_NAME_MATCH"},
		TaxID: "91-4400187", Status: "ACTIVE", CreatedAt: l.firm.CreatedAt,
	}
	e := l.refused(t, 409, "DUPLICATE_CANDIDATES", "POST", l.partiesPath, twice)
	require.Equal(t, []legacyCandidate{candidate}, e.Candidates)

	twice["duplicateOverride"] = true
	e = l.refused(t, 400, "VALIDATION_ERROR", "POST", l.partiesPath, twice, "duplicateOverrideJustification")
	require.Nil(t, e.FieldErrors[0].RejectedValue)
	twice["duplicateOverrideJustification"], twice["duplicateCandidatePartyIds"] = "Separate Canadian branch", []string{l.firm.PartyID}
	l.ok(t, 201, "POST", l.partiesPath, twice, &l.again)
	require.Equal(t, []legacyCandidate{candidate}, l.again.DuplicateCandidates)

	var weak legacyAccount
	l.ok(t, 201, "POST", l.partiesPath, body{"legalName": "Cascade Timber Ltd"}, &weak)
	require.Len(t, weak.DuplicateCandidates, 2)
	for i, like := range []legacyAccount{l.firm, l.again} { // alike, the older first
		require.Equal(t, like.PartyID, weak.DuplicateCandidates[i].PartyID)
		require.Equal(t, []string{"NAME_SIMILARITY"}, weak.DuplicateCandidates[i].MatchReasons)
	}
}

func (l *life) search() {
	t := l.t
	path := l.partiesPath + "/search"
	var page legacyPage[legacySummary]
	l.ok(t, 200, "POST", path, body{"name": "CASCADE tim", "partyType": "ORGANIZATION"}, &page)
	require.Equal(t, []int{3, 0, 20, 1}, []int{int(page.TotalCount), page.PageNumber, page.PageSize, page.TotalPages})
	require.Len(t, page.Results, 3)
	require.Equal(t, legacySummary{
		PartyID: l.firm.PartyID, LegalName: "Cascade Timber Inc", DisplayName: "Cascade", PartyType: "ORGANIZATION", Status: "ACTIVE",
		Email: "office@cascade.example", Phone: "+1 503 555 0171", CreatedAt: l.firm.CreatedAt,
	}, page.Results[2], "the newest come first")

	l.ok(t, 200, "POST", path, body{"name": "cascade", "pageSize": 2, "pageNumber": 1, "sortField": "createdAt", "sortOrder": "ASC"}, &page)
	require.Equal(t, []int{3, 1, 2, 2}, []int{int(page.TotalCount), page.PageNumber, page.PageSize, page.TotalPages})
	require.Len(t, page.Results, 1)
	for _, criteria := range []body{
		{"externalIdentifier": "CT-1"}, {"email": "OFFICE@casc"}, {"phone": "555-0171"}, {"name": "cascade", "externalIdentifier": "77", "status": "ACTIVE"},
	} {
		l.ok(t, 200, "POST", path, criteria, &page)
		require.Equal(t, int64(1), page.TotalCount, criteria)
		require.Len(t, page.Results, 1)
		require.Equal(t, l.firm.PartyID, page.Results[0].PartyID)
	}
	l.ok(t, 200, "POST", path, body{"name": "petrova", "partyType": "PERSON"}, &page)
	require.Len(t, page.Results, 1)
	require.Equal(t, "Nadia Petrova", page.Results[0].DisplayName)
	l.ok(t, 200, "POST", path, body{"name": "nobody of that name"}, &page)
	require.Equal(t, legacyPage[legacySummary]{Results: []legacySummary{}, PageSize: 20}, page)
	l.refused(t, 400, "SEARCH_CRITERIA_REQUIRED", "POST", path, body{"status": "ACTIVE"})
	l.refused(t, 400, "VALIDATION_ERROR", "POST", path, body{"name": "x"}, "name")
	l.refused(t, 400, "VALIDATION_ERROR", "POST", path, body{"name": "cascade", "sortField": "taxId", "pageSize": 0}, "pageSize", "sortField")
}

// engage makes a contact of a party, which the contract cannot, and returns its contactId.
func (l *life) engage(party string, person body) string {
	l.t.Helper()
	var made struct {
		ContactCreate struct {
			Contact    *struct{ Person struct{ ID string } }
			UserErrors []any
		}
	}
	l.graphQL(l.t, `mutation($party: ID!, $person: IndividualInput!) {
		contactCreate(organizationId: $party, input: {person: $person}) { contact { person { id } } userErrors { field message } }
	}`, map[string]any{"party": "pty_" + party, "person": person}, &made)
	require.Empty(l.t, made.ContactCreate.UserErrors)
	return strings.TrimPrefix(made.ContactCreate.Contact.Person.ID, "pty_")
}

func (l *life) contacts() {
	t := l.t
	l.hanna = l.engage(l.firm.PartyID, body{"firstName": "Hanna", "lastName": "Larsson", "email": "hanna@cascade.example"})
	l.ivo = l.engage(l.firm.PartyID, body{"firstName": "Ivo", "lastName": "Marek", "email": "ivo@cascade.example", "phone": "+1 503 555 0172"})
	driver := l.engage(l.firm.PartyID, body{"firstName": "Albert", "lastName": "Quist", "phone": "+1 503 555 0173"})
	list := l.partiesPath + "/" + l.firm.PartyID + "/contacts"
	contact := func(id string) legacyContact {
		t.Helper()
		var all legacyContacts
		l.ok(t, 200, "GET", list, nil, &all)
		require.Equal(t, l.firm.PartyID, all.PartyID)
		for _, c := range all.Contacts {
			if c.ContactID == id {
				return c
			}
		}
		require.Fail(t, "no such contact")
		return legacyContact{}
	}

	var all legacyContacts
	l.ok(t, 200, "GET", list, nil, &all)
	require.Equal(t, legacyContacts{PartyID: l.firm.PartyID, Contacts: []legacyContact{ // by name
		{ContactID: driver, ContactName: "Albert Quist", Phone: "+1 503 555 0173", Roles: []legacyRole{}, InvoiceDeliveryMethod: "EMAIL", Version: "1"},
		{ContactID: l.hanna, ContactName: "Hanna Larsson", Email: "hanna@cascade.example", HasPrimaryEmail: true, Roles: []legacyRole{}, InvoiceDeliveryMethod: "EMAIL", Version: "1"},
		{ContactID: l.ivo, ContactName: "Ivo Marek", Email: "ivo@cascade.example", Phone: "+1 503 555 0172", HasPrimaryEmail: true, Roles: []legacyRole{}, InvoiceDeliveryMethod: "EMAIL", Version: "1"},
	}}, all)

	var set legacyRolesSet
	roles := func(id string) string { return list + "/" + id + "/roles" }
	l.ok(t, 200, "PUT", roles(l.hanna), body{"version": "1", "roles": []body{{"roleCode": "BILLING", "isPrimary": true}, {"roleCode": "DRIVER"}}}, &set)
	require.Equal(t, legacyRolesSet{PartyID: l.firm.PartyID, ContactID: l.hanna, Version: "2", Status: "SUCCESS", UpdatedAt: set.UpdatedAt}, set)
	l.ok(t, 200, "PUT", roles(l.ivo), body{"roles": []body{{"roleCode": "BILLING", "isPrimary": true}}}, &set)
	require.Equal(t, "2", set.Version)
	demoted := contact(l.hanna)
	require.Equal(t, "3", demoted.Version, "losing the primary place is a change")
	require.ElementsMatch(t, []legacyRole{{"BILLING", "Billing Contact", false}, {"DRIVER", "Driver", false}}, demoted.Roles)
	require.Equal(t, []legacyRole{{"BILLING", "Billing Contact", true}}, contact(l.ivo).Roles)

	e := l.refused(t, 409, "OPTIMISTIC_LOCK_CONFLICT", "PUT", roles(l.hanna), body{"version": "1", "roles": []body{}})
	require.Equal(t, []string{"3", "1"}, []string{e.CurrentVersion, e.SubmittedVersion})
	require.True(t, e.GapWarning)
	require.NotEmpty(t, e.LastUpdatedBy)
	require.NotNil(t, e.LastUpdatedAt)
	var current legacyContact
	decode(t, e.CurrentData, &current)
	require.Equal(t, demoted, current)
	l.refused(t, 400, "BILLING_EMAIL_REQUIRED", "PUT", roles(driver), body{"roles": []body{{"roleCode": "BILLING"}}}, "roles[0].roleCode")
	e = l.refused(t, 400, "INVALID_ROLE_CODE", "PUT", roles(driver), body{"roles": []body{{"roleCode": "DRIVER"}, {"roleCode": "JANITOR"}}}, "roles[1].roleCode")
	require.JSONEq(t, `"JANITOR"`, string(e.FieldErrors[0].RejectedValue))
	l.refused(t, 400, "VALIDATION_ERROR", "PUT", roles(driver), body{}, "roles")
	l.refused(t, 404, "NOT_FOUND", "PUT", l.partiesPath+"/"+l.again.PartyID+"/contacts/"+driver+"/roles", body{"roles": []body{}})
	l.ok(t, 200, "PUT", roles(l.hanna), body{"roles": []body{}}, &set)
	require.Empty(t, contact(l.hanna).Roles)
	l.ok(t, 200, "GET", l.partiesPath+"/"+l.nadia.PartyID+"/contacts", nil, &all)
	require.Equal(t, legacyContacts{PartyID: l.nadia.PartyID, Contacts: []legacyContact{}}, all)
}

func (l *life) preferences() {
	t := l.t
	path := l.partiesPath + "/" + l.firm.PartyID + "/communicationPreferences"
	var got legacyPreferences
	l.ok(t, 200, "GET", path, nil, &got)
	require.Equal(t, legacyPreferences{PartyID: l.firm.PartyID, Version: "0", ConsentFlags: map[string]bool{}}, got)

	var set legacyPreferencesSet
	l.ok(t, 200, "POST", path, body{
		"version": "0", "emailPreference": "OPT_IN", "smsPreference": "OPT_OUT", "consentFlags": body{"emailMarketing": true, "dataProcessing": false}, "updateSource": "FRONT_DESK",
	}, &set)
	require.Equal(t, legacyPreferencesSet{PartyID: l.firm.PartyID, Version: "1", OperationType: "CREATED", Status: "SUCCESS", UpdatedAt: set.UpdatedAt}, set)
	l.ok(t, 200, "POST", path, body{"version": 1, "smsPreference": nil, "preferencesNote": "Call first", "consentFlags": body{"dataProcessing": nil, "smsNotifications": false}}, &set)
	require.Equal(t, []string{"2", "UPDATED"}, []string{set.Version, set.OperationType})

	l.ok(t, 200, "GET", path, nil, &got)
	require.Equal(t, legacyPreferences{
		PartyID: l.firm.PartyID, Version: "2", EmailPreference: "OPT_IN", ConsentFlags: map[string]bool{"emailMarketing": true, "smsNotifications": false},
		PreferencesNote: "Call first", UpdatedAt: got.UpdatedAt, UpdateSource: "API",
	}, got)
	require.Equal(t, set.UpdatedAt, *got.UpdatedAt)

	e := l.refused(t, 409, "OPTIMISTIC_LOCK_CONFLICT", "POST", path, body{"version": "1", "smsPreference": "OPT_IN"})
	require.Equal(t, []string{"2", "1"}, []string{e.CurrentVersion, e.SubmittedVersion})
	require.False(t, e.GapWarning)
	var current legacyPreferences
	decode(t, e.CurrentData, &current)
	require.Equal(t, got, current)
	l.refused(t, 400, "VALIDATION_ERROR", "POST", path, body{"version": "v3", "emailPreference": "YES", "consentFlags": body{"emailMarketing": "true"}},
		"version", "emailPreference", "consentFlags.emailMarketing")
	e = l.refused(t, 409, "OPTIMISTIC_LOCK_CONFLICT", "POST", l.partiesPath+"/"+l.emil.PartyID+"/communicationPreferences", body{"version": "3"})
	require.Equal(t, "0", e.CurrentVersion)
	l.refused(t, 404, "NOT_FOUND", "GET", l.partiesPath+"/nobody/communicationPreferences", nil)
}

func (l *life) accountVehicles() {
	t := l.t
	path := l.partiesPath + "/" + l.again.PartyID + "/vehicles"
	l.ok(t, 201, "POST", path, body{
		"vinNumber": " 2t3p1-rfv6-nc300778 ", "unitNumber": "VAN-9", "description": "Delivery van", "licensePlate": "or  77-x", "licensePlateRegion": "us-or",
		"make": "Toyota", "model": "RAV4", "year": 2022,
	}, &l.van)
	require.Equal(t, legacyVehicle{
		VehicleID: l.van.VehicleID, PartyID: l.again.PartyID, VinNumber: "2T3P1RFV6NC300778", UnitNumber: "VAN-9", Description: "Delivery van",
		LicensePlate: "OR 77-X", LicensePlateRegion: "US-OR", Make: "Toyota", Model: "RAV4", Year: 2022,
		Status: "ACTIVE", Version: "1", CreatedAt: l.van.CreatedAt, UpdatedAt: l.van.UpdatedAt,
	}, l.van)
	e := l.refused(t, 409, "DUPLICATE_VIN", "POST", l.partiesPath+"/"+l.firm.PartyID+"/vehicles",
		body{"vin": "2T3P1RFV6NC300778", "unitNumber": "X-1", "description": "The same"})
	require.Equal(t, l.van.VehicleID, e.ExistingVehicleID)
	l.refused(t, 400, "VALIDATION_ERROR", "POST", path, body{"vinNumber": "2T3P1RFV6NC30O778", "licensePlateRegion": "OR"},
		"vinNumber", "description", "licensePlateRegion")
	l.refused(t, 404, "NOT_FOUND", "POST", l.partiesPath+"/nobody/vehicles", body{"vinNumber": "2T3P1RFV6NC300779", "unitNumber": "X", "description": "y"})
}

func (l *life) registry() {
	t := l.t
	entry := body{"id": 3, "make": " Volvo ", "model": "VNL", "year": 2020, "vin": "4v4nc9eh0ln-223344"}
	var made, got legacyRegistered
	l.ok(t, 200, "POST", "/v1/vehicles", entry, &made)
	volvo, vnl := "Volvo", "VNL"
	require.Equal(t, legacyRegistered{ID: made.ID, Make: &volvo, Model: &vnl, Year: 2020, VIN: "4V4NC9EH0LN223344", VehicleID: made.VehicleID}, made)
	byID, byVIN := fmt.Sprintf("/v1/vehicles/%d", made.ID), "/v1/vehicles/vin/4v4nc9eh0ln223344"
	for _, path := range []string{byID, byVIN} {
		l.ok(t, 200, "GET", path, nil, &got)
		require.Equal(t, made, got)
	}
	e := l.refused(t, 409, "DUPLICATE_VIN", "POST", "/v1/vehicles/vin", entry)
	require.Equal(t, made.VehicleID, e.ExistingVehicleID)
	l.refused(t, 405, "METHOD_NOT_ALLOWED", "POST", byVIN, entry)
	l.refused(t, 400, "VALIDATION_ERROR", "POST", "/v1/vehicles", body{"model": "", "year": 1885, "vin": "x"}, "make", "model", "year", "vin")
	l.refused(t, 400, "VALIDATION_ERROR", "GET", "/v1/vehicles/vin", nil, "id")
	l.refused(t, 404, "NOT_FOUND", "GET", "/v1/vehicles/999999", nil)
	l.refused(t, 404, "NOT_FOUND", "GET", "/v1/vehicles/vin/x", nil)

	l.ok(t, 200, "PUT", byID, body{"make": "Volvo", "model": "VNL 860", "year": 2021}, &got)
	require.Equal(t, "VNL 860", *got.Model)
	l.ok(t, 200, "PUT", byVIN, body{"make": "Volvo", "model": "VNL 760", "year": 2021, "vin": "4V4NC9EH0LN223344"}, &got)
	require.Equal(t, []any{made.ID, "VNL 760", 2021}, []any{got.ID, *got.Model, got.Year})
	l.refused(t, 400, "VIN_IMMUTABLE", "PUT", byID, body{"make": "Volvo", "model": "VNL", "year": 2021, "vin": "4V4NC9EH0LN223345"}, "vin")
	l.refused(t, 400, "VALIDATION_ERROR", "PUT", byID, body{}, "make", "model", "year")

	var bare []legacyRegistered // one that came through the CRM, without maker, model and year
	header := l.ok(t, 200, "GET", "/v1/vehicles?pageSize=100", nil, &bare)
	require.Equal(t, strconv.Itoa(len(bare)), header.Get("X-Total-Count"))
	var ids []int64
	for i := range bare {
		if bare[i].VIN == l.nadia.VehicleVins[0] {
			require.Equal(t, []any{(*string)(nil), (*string)(nil), 0}, []any{bare[i].Make, bare[i].Model, bare[i].Year})
		}
		ids = append(ids, bare[i].ID)
	}
	require.IsIncreasing(t, ids)
	require.Contains(t, ids, made.ID)

	l.ok(t, 204, "DELETE", byVIN, nil, nil)
	l.refused(t, 404, "NOT_FOUND", "DELETE", byID, nil)
	l.refused(t, 404, "NOT_FOUND", "GET", byID, nil)
	l.refused(t, 404, "NOT_FOUND", "PUT", byID, body{"make": "Volvo", "model": "VNL", "year": 2021})
	l.ok(t, 200, "POST", "/v1/vehicles/vin", entry, &got)
	require.NotEqual(t, made.ID, got.ID)
	l.ok(t, 204, "DELETE", fmt.Sprintf("/v1/vehicles/%d", got.ID), nil, nil)
}

// stubs does what the thirteen operations are for, or sees them answer 501.
func (l *life) stubs() {
	if !l.literal {
		l.tier()
		l.mirrors()
		l.customerVehicles()
		return
	}
	for _, operation := range []string{ // whatever the ids and bodies
		"POST /v1/crm/accounts/tierResolve", "GET /v1/crm/accounts/x/tier",
		"GET /v1/crm/parties/x/communicationPreferences", "POST /v1/crm/parties/x/communicationPreferences",
		"GET /v1/crm/parties/x/contacts", "PUT /v1/crm/parties/x/contacts/y/roles",
		"GET /v1/crm/vehicles", "GET /v1/crm/vehicles/x", "POST /v1/crm/x/vehicles", "PUT /v1/crm/x/vehicles", "DELETE /v1/crm/x/vehicles/y",
		"GET /v1/crm/x/vehicles/y", "PUT /v1/crm/x/vehicles/y/transfer",
	} {
		method, path, _ := strings.Cut(operation, " ")
		l.refused(l.t, 501, "NOT_IMPLEMENTED", method, path, nil)
	}
}

func (l *life) tier() {
	t := l.t
	path := "/v1/crm/accounts/" + l.firm.PartyID + "/tier"
	var tier legacyTier
	l.ok(t, 200, "GET", path, nil, &tier)
	require.Equal(t, legacyTier{AccountID: l.firm.PartyID, Tier: "STANDARD", TierDisplayName: "Standard Tier", TierAssignedAt: l.firm.CreatedAt, TierAssignedBy: "system"}, tier)
	var resolved legacyTierResolved
	l.ok(t, 200, "POST", "/v1/crm/accounts/tierResolve", body{"accountId": l.firm.PartyID, "annualRevenue": 99999.99, "applyTier": false}, &resolved)
	require.Equal(t, legacyTierResolved{CurrentTier: "STANDARD", RecommendedTier: "BRONZE", ResolutionReason: resolved.ResolutionReason, TierScore: 99999.99}, resolved)
	l.ok(t, 200, "POST", "/v1/crm/accounts/tierResolve", body{"accountId": l.firm.PartyID, "annualRevenue": 250000, "activeContractCount": 2}, &resolved)
	require.Equal(t, legacyTierResolved{CurrentTier: "STANDARD", RecommendedTier: "GOLD", TierApplied: true, ResolutionReason: resolved.ResolutionReason, TierScore: 250000}, resolved)
	l.ok(t, 200, "GET", path, nil, &tier)
	require.Equal(t, legacyTier{AccountID: l.firm.PartyID, Tier: "GOLD", TierDisplayName: "Gold Tier", TierAssignedAt: tier.TierAssignedAt, TierAssignedBy: tier.TierAssignedBy}, tier)
	require.NotEqual(t, "system", tier.TierAssignedBy)
	l.refused(t, 404, "NOT_FOUND", "POST", "/v1/crm/accounts/tierResolve", body{"accountId": "nobody"})
	l.refused(t, 400, "VALIDATION_ERROR", "POST", "/v1/crm/accounts/tierResolve", body{"annualRevenue": -1}, "accountId", "annualRevenue")
}

// mirrors sees that the second spelling of a path says the same.
func (l *life) mirrors() {
	t := l.t
	mirror := "/v1/crm/parties/" + l.firm.PartyID
	for _, last := range []string{"/communicationPreferences", "/contacts"} {
		_, one := l.send(t, "GET", l.partiesPath+"/"+l.firm.PartyID+last, nil)
		response, other := l.send(t, "GET", mirror+last, nil)
		require.Equal(t, 200, response.StatusCode)
		require.JSONEq(t, string(one), string(other))
	}
	var preferences legacyPreferencesSet
	l.ok(t, 200, "POST", mirror+"/communicationPreferences", body{"version": "2", "phonePreference": "NOT_APPLICABLE"}, &preferences)
	require.Equal(t, "3", preferences.Version)
	var roles legacyRolesSet
	l.ok(t, 200, "PUT", mirror+"/contacts/"+l.hanna+"/roles", body{"roles": []body{{"roleCode": "APPROVER"}}}, &roles)
	require.Equal(t, []string{l.hanna, "5"}, []string{roles.ContactID, roles.Version})
}

func (l *life) customerVehicles() {
	t := l.t
	nadia, emil := fmt.Sprintf("/v1/crm/%d/vehicles", l.nadia.ID), fmt.Sprintf("/v1/crm/%s/vehicles", l.emil.PartyID)
	var car legacyVehicle // a person's needs no unit number
	l.ok(t, 201, "POST", nadia, body{"vinNumber": "1C4RJFBG5FC700501", "description": "Family car", "licensePlate": "ng 4"}, &car)
	require.Equal(t, legacyVehicle{
		VehicleID: car.VehicleID, PartyID: l.nadia.PartyID, VinNumber: "1C4RJFBG5FC700501", Description: "Family car", LicensePlate: "NG 4",
		Status: "ACTIVE", Version: "1", CreatedAt: car.CreatedAt, UpdatedAt: car.UpdatedAt,
	}, car)
	l.refused(t, 400, "VALIDATION_ERROR", "POST", nadia, body{"name": "x", "status": "ACTIVE"}, "vinNumber", "description")

	var got legacyVehicle
	owned := car
	owned.Owner = &legacyOwner{PartyID: l.nadia.PartyID, DisplayName: "Nadia Petrova", PartyType: "INDIVIDUAL"}
	l.ok(t, 200, "GET", "/v1/crm/vehicles/"+car.VehicleID, nil, &got)
	require.Equal(t, owned, got)
	l.ok(t, 200, "GET", nadia+"/"+car.VehicleID, nil, &got)
	require.Equal(t, car, got)
	l.refused(t, 404, "NOT_FOUND", "GET", emil+"/"+car.VehicleID, nil)

	var page legacyPage[legacyVehicle]
	l.ok(t, 200, "GET", "/v1/crm/vehicles?q=1c4-rjf&pageSize=5", nil, &page)
	require.Len(t, page.Results, 1)
	require.Equal(t, int64(1), page.TotalCount)
	owned.MatchType = "VIN_PREFIX"
	require.Equal(t, owned, page.Results[0])
	l.ok(t, 200, "GET", "/v1/crm/vehicles?q=family", nil, &page)
	require.Len(t, page.Results, 1)
	require.Equal(t, "GENERAL", page.Results[0].MatchType)
	l.ok(t, 200, "GET", "/v1/crm/vehicles?partyId="+l.nadia.PartyID+"&sortField=vinNumber&sortOrder=DESC", nil, &page)
	require.Len(t, page.Results, 2)
	require.Equal(t, []string{l.nadia.VehicleVins[0], car.VinNumber}, []string{page.Results[0].VinNumber, page.Results[1].VinNumber})
	l.refused(t, 400, "QUERY_TOO_SHORT", "GET", "/v1/crm/vehicles?q=n-g", nil, "q")

	l.ok(t, 200, "PUT", nadia, body{"vehicleId": car.VehicleID, "description": "Blue car", "licensePlate": nil, "trim": "Limited", "version": "1"}, &got)
	require.Equal(t, []string{"Blue car", "", "Limited", "2"}, []string{got.Description, got.LicensePlate, got.Trim, got.Version})
	l.ok(t, 200, "PUT", nadia, body{"vinNumber": car.VinNumber, "make": "Jeep"}, &got)
	require.Equal(t, "3", got.Version)
	e := l.refused(t, 409, "OPTIMISTIC_LOCK_CONFLICT", "PUT", nadia, body{"vehicleId": car.VehicleID, "version": "1"})
	require.True(t, e.GapWarning)
	var current legacyVehicle
	decode(t, e.CurrentData, &current)
	require.Equal(t, "Jeep", current.Make)
	l.refused(t, 400, "VIN_IMMUTABLE", "PUT", nadia, body{"vehicleId": car.VehicleID, "vinNumber": "1C4RJFBG5FC700502"}, "vinNumber")
	l.refused(t, 404, "NOT_FOUND", "PUT", emil, body{"vehicleId": car.VehicleID, "make": "Jeep"})

	handOver := body{"toCustomerId": l.emil.ID, "reason": "Private sale", "version": "3"}
	var transferred, again legacyTransfer
	l.ok(t, 200, "PUT", nadia+"/"+car.VehicleID+"/transfer", handOver, &transferred)
	require.Equal(t, legacyTransfer{
		VehicleID: car.VehicleID, FromPartyID: l.nadia.PartyID, ToPartyID: l.emil.PartyID, AssociationID: transferred.AssociationID,
		EffectiveFrom: transferred.EffectiveFrom, Status: "TRANSFERRED", Version: "4", UpdatedAt: transferred.UpdatedAt,
	}, transferred)
	delete(handOver, "version")
	l.ok(t, 200, "PUT", nadia+"/"+car.VehicleID+"/transfer", handOver, &again)
	transferred.Status = "UNCHANGED"
	require.Equal(t, transferred, again)
	l.refused(t, 404, "NOT_FOUND", "GET", nadia+"/"+car.VehicleID, nil)
	l.ok(t, 200, "GET", emil+"/"+car.VehicleID, nil, &got)
	l.refused(t, 400, "VALIDATION_ERROR", "PUT", emil+"/"+car.VehicleID+"/transfer", body{"toCustomerId": l.emil.PartyID}, "toCustomerId")
	l.refused(t, 404, "NOT_FOUND", "PUT", emil+"/"+car.VehicleID+"/transfer", body{"toCustomerId": "999999"})
	var customer legacyCustomer
	l.ok(t, 200, "GET", fmt.Sprintf("/v1/crm/%d", l.emil.ID), nil, &customer)
	require.Equal(t, []string{car.VinNumber}, customer.VehicleVins)

	l.refused(t, 404, "NOT_FOUND", "DELETE", nadia+"/"+car.VehicleID, nil)
	l.ok(t, 204, "DELETE", emil+"/"+car.VehicleID, nil, nil)
	l.refused(t, 404, "NOT_FOUND", "DELETE", emil+"/"+car.VehicleID, nil)
	l.refused(t, 404, "NOT_FOUND", "GET", "/v1/crm/vehicles/"+car.VehicleID, nil)
	l.ok(t, 201, "POST", emil, body{"vinNumber": car.VinNumber, "description": "Bought again"}, &got)
	require.NotEqual(t, car.VehicleID, got.VehicleID)
}

func (l *life) merge() {
	t := l.t
	path := l.partiesPath + "/" + l.firm.PartyID + "/merge"
	loser := l.again.PartyID
	l.refused(t, 400, "VALIDATION_ERROR", "POST", path, body{"losingPartyId": loser, "justification": "dup"}, "justification")
	for _, bad := range []string{l.firm.PartyID, l.nadia.PartyID} {
		l.refused(t, 400, "INVALID_MERGE", "POST", path, body{"losingPartyId": bad, "justification": "Entered twice"}, anyField)
	}
	l.refused(t, 404, "NOT_FOUND", "POST", path, body{"losingPartyIds": []string{loser, "nobody"}, "justification": "Entered twice"})
	var merged legacyMerge
	l.ok(t, 200, "POST", path, body{"losingPartyId": loser, "justification": "Entered twice", "reasonCode": "DUPLICATE_ACCOUNT", "survivorPartyId": l.firm.PartyID}, &merged)
	require.Equal(t, legacyMerge{
		MergeAuditID: merged.MergeAuditID, SurvivorPartyID: l.firm.PartyID, LosingPartyIDs: []string{loser}, LosingPartyID: loser, Status: "COMPLETED",
		CompletedAt: merged.CompletedAt, MovedCounts: map[string]int{"contacts": 0, "vehicles": 1, "externalIdentifiers": 0, "communicationPreferences": 0},
	}, merged)
	for _, gone := range []struct {
		method, path string
		content      any
	}{
		{"GET", l.partiesPath + "/" + loser, nil},
		{"GET", l.partiesPath + "/" + loser + "/contacts", nil},
		{"GET", l.partiesPath + "/" + loser + "/communicationPreferences", nil},
		{"POST", l.partiesPath + "/" + loser + "/communicationPreferences", body{}},
		{"POST", l.partiesPath + "/" + loser + "/vehicles", body{"vinNumber": "2T3P1RFV6NC300779", "unitNumber": "X", "description": "y"}},
		{"POST", path, body{"losingPartyId": loser, "justification": "Entered twice"}},
	} {
		e := l.refused(t, 409, "PARTY_MERGED", gone.method, gone.path, gone.content)
		require.Equal(t, l.firm.PartyID, e.MergedToPartyID, gone.path)
		require.Zero(t, e.MergedToCustomerID)
	}
	if !l.literal {
		var van legacyVehicle
		l.ok(t, 200, "GET", "/v1/crm/vehicles/"+l.van.VehicleID, nil, &van)
		require.Equal(t, l.firm.PartyID, van.PartyID)
	}
	var page legacyPage[legacySummary]
	search := l.partiesPath + "/search"
	l.ok(t, 200, "POST", search, body{"name": "cascade timber, inc"}, &page)
	for _, found := range page.Results {
		require.NotEqual(t, loser, found.PartyID)
	}
	l.ok(t, 200, "POST", search, body{"name": "cascade", "status": "MERGED"}, &page)
	require.Len(t, page.Results, 1)
	require.Equal(t, []string{loser, "MERGED", l.firm.PartyID}, []string{page.Results[0].PartyID, page.Results[0].Status, page.Results[0].MergedToPartyID})
}

func (l *life) list() {
	t := l.t
	var all []legacyCustomer
	header := l.ok(t, 200, "GET", "/v1/crm", nil, &all)
	require.Equal(t, strconv.Itoa(len(all)), header.Get("X-Total-Count"))
	require.Empty(t, header.Get("X-Result-Truncated"))
	require.Contains(t, all, l.nadia)
	for i := range all {
		var page []legacyCustomer
		header = l.ok(t, 200, "GET", fmt.Sprintf("/v1/crm?pageSize=1&pageNumber=%d&sortField=id&sortOrder=ASC", i), nil, &page)
		require.Equal(t, all[i:i+1], page)
		require.Equal(t, strconv.Itoa(len(all)), header.Get("X-Total-Count"))
	}
	var none []legacyCustomer
	l.ok(t, 200, "GET", "/v1/crm?pageNumber=1000", nil, &none)
	require.Equal(t, []legacyCustomer{}, none)
	l.refused(t, 400, "VALIDATION_ERROR", "GET", "/v1/crm?pageNumber=-1&sortOrder=up", nil, "pageNumber", "sortOrder")
}

func (l *life) end() {
	t := l.t
	path := fmt.Sprintf("/v1/crm/%d", l.nadia.ID)
	l.ok(t, 204, "DELETE", path, nil, nil)
	l.refused(t, 404, "NOT_FOUND", "DELETE", path, nil)
	for _, gone := range []string{path, "/v1/crm/" + l.nadia.PartyID, l.partiesPath + "/" + l.nadia.PartyID, l.partiesPath + "/" + l.nadia.PartyID + "/contacts"} {
		l.refused(t, 404, "NOT_FOUND", "GET", gone, nil)
	}
	var car legacyRegistered // it stays, and is nobody's
	l.ok(t, 200, "GET", "/v1/vehicles/vin/"+l.nadia.VehicleVins[0], nil, &car)
	var successor legacyCustomer
	l.ok(t, 200, "POST", "/v1/crm", body{"firstName": "Olga", "lastName": "Ruiz", "vehicleVins": l.nadia.VehicleVins}, &successor)
	require.Equal(t, l.nadia.VehicleVins, successor.VehicleVins)
	require.Greater(t, successor.ID, l.nadia.ID, "numbers are not used again")

	l.refused(t, 404, "NOT_FOUND", "GET", path+"/", nil)
	l.refused(t, 404, "NOT_FOUND", "PUT", "/v1/crm/vehicles", body{})
	l.refused(t, 405, "METHOD_NOT_ALLOWED", "POST", "/v1/crm/vehicles", body{})
	response, _ := l.send(t, "POST", "/v1/crm/vehicles", body{})
	require.Equal(t, "GET", response.Header.Get("Allow"))
	stranger := &legacy{url: l.url, token: "x"}
	stranger.refused(t, 401, "UNAUTHORIZED", "GET", path, nil)
	response, _ = stranger.send(t, "GET", path, nil)
	require.Equal(t, "Bearer", response.Header.Get("WWW-Authenticate"))
}
