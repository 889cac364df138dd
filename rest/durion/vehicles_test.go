package durion_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
	"crmgraph/rest/durion"
)

// vehiclesOfDeactivated makes a party that is there no more.
func (w *world) vehiclesOfDeactivated(t testing.TB, name string) {
	t.Helper()
	ctx, _ := crmtest.As(t, w.store, "legacy", "admin")
	_, err := w.store.DeactivateParty(ctx, "pty_"+named[name], crm.Write{})
	require.NoError(t, err)
}

// vehiclesOfMerged merges P2 into P1.
func (w *world) vehiclesOfMerged(t testing.TB) {
	t.Helper()
	ctx, _ := crmtest.As(t, w.store, "legacy", "admin")
	_, err := w.store.MergeParties(ctx, "pty_"+named["P1"], crm.MergeInput{LoserIDs: []string{"pty_" + named["P2"]}, Justification: "Entered twice"}, crm.Write{})
	require.NoError(t, err)
}

// vehiclesAtOnce runs n functions at the same time and returns their answers.
func vehiclesAtOnce(n int, call func(i int) reply) []reply {
	replies := make([]reply, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { replies[i] = call(i) })
	}
	all.Wait()
	return replies
}

// vehicleOwners are the open ownerships of a vehicle.
func (w *world) vehicleOwners(t testing.TB, name string) []string {
	t.Helper()
	ids := []string{}
	require.NoError(t, w.owner.NewRaw("SELECT party_id::text FROM vehicle_association WHERE vehicle_id = ? AND kind = 'OWNER' AND effective_to IS NULL", named[name]).
		Scan(t.Context(), &ids))
	return ids
}

// Durion G19.
func TestVehicleWithMessyVIN(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/v1/crm/accounts/parties/P3/vehicles", "/v1/crm/P3/vehicles"} {
		admin := w.admin(t)
		made := admin.call(t, http.MethodPost, path,
			`{"vinNumber":" 2t3p1-rfv6-nc300777 ","unitNumber":"BUS-9","description":"Support car","licensePlate":"cvsd 09","licensePlateRegion":"wa"}`)
		made.expect(t, http.StatusCreated, `{"vehicleId":"*","partyId":"P3","vinNumber":"2T3P1RFV6NC300777","unitNumber":"BUS-9","description":"Support car",
			"licensePlate":"CVSD 09","licensePlateRegion":"WA","status":"ACTIVE","version":"1","createdAt":"*","updatedAt":"*"}`)
		admin.call(t, http.MethodDelete, "/v1/crm/P3/vehicles/"+made.object(t)["vehicleId"].(string), nil).expect(t, http.StatusNoContent, "")
	}
}

// Durion G20.
func TestVehicleErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	const path = "/v1/crm/accounts/parties/P3/vehicles"
	body := func(vin string) string {
		return `{"vinNumber":"` + vin + `","unitNumber":"BUS-9","description":"Support car"}`
	}
	refused := admin.call(t, http.MethodPost, path, body("1FTFW1E53PFA10001")).refused(t, http.StatusConflict, "DUPLICATE_VIN")
	require.Equal(t, named["V1"], refused["existingVehicleId"])
	admin.call(t, http.MethodPost, path, body("1FTFW1E53PFA1O001")).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "vinNumber")
	admin.call(t, http.MethodPost, "/v1/crm/accounts/parties/nobody/vehicles", body("2T3P1RFV6NC300777")).refused(t, http.StatusNotFound, "NOT_FOUND")
	admin.call(t, http.MethodPost, path, body("1XPBDP9X4FD300999")).expect(t, http.StatusCreated, `{"vehicleId":"R7","partyId":"P3","vinNumber":"1XPBDP9X4FD300999",
		"unitNumber":"BUS-9","description":"Support car","make":"Peterbilt","model":"579","year":2015,"status":"ACTIVE","version":"2","createdAt":"*","updatedAt":"*"}`)
	require.Equal(t, []string{named["P3"]}, w.vehicleOwners(t, "R7"))

	creator := w.holding(t, crm.VehicleCreate)
	refused = creator.call(t, http.MethodPost, path, body("1FTFW1E53PFA10001")).refused(t, http.StatusConflict, "DUPLICATE_VIN")
	require.NotContains(t, refused, "existingVehicleId", "the caller may not view vehicles")
}

func TestCreateVehicle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	w.vehiclesOfDeactivated(t, "C42")
	w.vehiclesOfMerged(t)
	last := 0
	for name, c := range map[string]struct {
		party  string // P3 when empty
		body   string // VIN stands for a new one
		status int
		code   string
		fields []string
		want   string
	}{
		"nothing that is needed": {body: `{}`, status: 400, code: "VALIDATION_ERROR", fields: []string{"vinNumber", "description"}},
		"nothing but blanks":     {body: `{"vin":" ","description":"\t"}`, status: 400, code: "VALIDATION_ERROR", fields: []string{"vin", "description"}},
		"all that can be wrong": {
			body: `{"vin":"short","unitNumber":"` + strings.Repeat("u", 51) + `","description":"` + strings.Repeat("d", 501) + `","licensePlate":"A.1",
				"licensePlateJurisdiction":"Washington","make":"` + strings.Repeat("m", 101) + `","model":"` + strings.Repeat("m", 101) + `","year":1885,"trim":"` + strings.Repeat("t", 101) + `"}`,
			status: 400, code: "VALIDATION_ERROR",
			fields: []string{"vin", "unitNumber", "description", "licensePlate", "licensePlateJurisdiction", "make", "model", "year", "trim"},
		},
		"the wrong types": {
			body: `{"vinNumber":1,"unitNumber":2,"description":3,"licensePlate":[],"licensePlateRegion":{},"make":true,"model":4,"year":"2015","trim":5}`, status: 400, code: "VALIDATION_ERROR",
			fields: []string{"vinNumber", "unitNumber", "description", "licensePlate", "licensePlateRegion", "make", "model", "year", "trim"},
		},
		"a year with a fraction": {body: `{"vin":"VIN","unitNumber":"1","description":"d","year":2015.5}`, status: 400, code: "VALIDATION_ERROR", fields: []string{"year"}},
		"blanks": {
			body:   `{"vin":"VIN","unitNumber":" ","description":"d","licensePlate":"","licensePlateJurisdiction":""}`,
			status: 400, code: "VALIDATION_ERROR", fields: []string{"unitNumber", "licensePlate", "licensePlateJurisdiction"},
		},
		"a region without a plate":             {body: `{"vin":"VIN","unitNumber":"1","description":"d","licensePlateRegion":"WA"}`, status: 400, code: "VALIDATION_ERROR", fields: []string{"licensePlateRegion"}},
		"an organisation needs a unit number":  {body: `{"vin":"VIN","description":"d"}`, status: 400, code: "VALIDATION_ERROR", fields: []string{"unitNumber"}},
		"the placeholder of the guide":         {body: `{"name":"n","description":"d","status":"s"}`, status: 400, code: "VALIDATION_ERROR", fields: []string{"vinNumber"}},
		"what is wrong comes before who it is": {party: "nobody", body: `{}`, status: 400, code: "VALIDATION_ERROR", fields: []string{"vinNumber", "description"}},
		"nobody":                               {party: "nobody", body: `{"vin":"VIN","description":"d"}`, status: 404, code: "NOT_FOUND"},
		"a party that is there no more":        {party: "C42", body: `{"vin":"VIN","description":"d"}`, status: 404, code: "NOT_FOUND"},
		"a merged party":                       {party: "P2", body: `{"vin":"VIN","description":"d","unitNumber":"1"}`, status: 409, code: "PARTY_MERGED"},
		"the merge comes before the VIN":       {party: "P2", body: `{"vin":"1FTFW1E53PFA10001","description":"d","unitNumber":"1"}`, status: 409, code: "PARTY_MERGED"},
		"a person needs none": {party: "C41", body: `{"vin":"VIN","description":"d"}`, status: 201,
			want: `{"vehicleId":"*","partyId":"C41","vinNumber":"VIN","description":"d","status":"ACTIVE","version":"1","createdAt":"*","updatedAt":"*"}`},
		"all that there is, under the other names": {
			body:   `{"vin":"VIN","unitNumber":" T-1 ","description":" Truck ","licensePlate":" b ah\t1 ","licensePlateJurisdiction":"us-wa","make":" Opel ","model":"Blitz","year":1930,"trim":"S","unknown":1}`,
			status: 201,
			want: `{"vehicleId":"*","partyId":"P3","vinNumber":"VIN","unitNumber":"T-1","description":"Truck","licensePlate":"B AH 1","licensePlateRegion":"US-WA",
				"make":"Opel","model":"Blitz","year":1930,"trim":"S","status":"ACTIVE","version":"1","createdAt":"*","updatedAt":"*"}`,
		},
		"the guide's names go before the others": {
			body:   `{"vin":"nonsense","vinNumber":"VIN","unitNumber":"1","description":"d","licensePlate":"A 1","licensePlateJurisdiction":"?","licensePlateRegion":"WA"}`,
			status: 201,
			want: `{"vehicleId":"*","partyId":"P3","vinNumber":"VIN","unitNumber":"1","description":"d","licensePlate":"A 1","licensePlateRegion":"WA",
				"status":"ACTIVE","version":"1","createdAt":"*","updatedAt":"*"}`,
		},
		"null is nothing": {
			body: `{"vin":"VIN","unitNumber":"1","description":"d","licensePlate":null,"licensePlateRegion":null,"make":null,"year":null}`, status: 201,
			want: `{"vehicleId":"*","partyId":"P3","vinNumber":"VIN","unitNumber":"1","description":"d","status":"ACTIVE","version":"1","createdAt":"*","updatedAt":"*"}`,
		},
	} {
		if c.party == "" {
			c.party = "P3"
		}
		for _, path := range []string{"/v1/crm/accounts/parties/" + c.party + "/vehicles", "/v1/crm/" + c.party + "/vehicles"} {
			t.Run(name+" at "+path, func(t *testing.T) {
				last++
				vin := fmt.Sprintf("XTESTVHXXXX%06d", last)
				done := admin.call(t, http.MethodPost, path, strings.ReplaceAll(c.body, "VIN", vin))
				if c.want != "" {
					done.expect(t, c.status, strings.ReplaceAll(c.want, "VIN", vin))
					return
				}
				body := done.refused(t, c.status, c.code, c.fields...)
				if c.code == "PARTY_MERGED" {
					require.Equal(t, named["P1"], body["mergedToPartyId"])
				}
			})
		}
	}
	t.Run("a customer is known by its number, too", func(t *testing.T) {
		admin.call(t, http.MethodPost, "/v1/crm/41/vehicles", `{"vinNumber":"2T3P1RFV6NC300777","description":"d"}`).expect(t, http.StatusCreated,
			`{"vehicleId":"*","partyId":"C41","vinNumber":"2T3P1RFV6NC300777","description":"d","status":"ACTIVE","version":"1","createdAt":"*","updatedAt":"*"}`)
		for _, id := range []string{"999999", "0", "-41", "99999999999999999999", "CUST-000041", "vehicles", "accounts"} {
			admin.call(t, http.MethodPost, "/v1/crm/"+id+"/vehicles", `{"vinNumber":"2T3P1RFV6NC300778","description":"d"}`).refused(t, http.StatusNotFound, "NOT_FOUND")
		}
	})
	t.Run("what was sent is told", func(t *testing.T) {
		body := admin.call(t, http.MethodPost, "/v1/crm/41/vehicles", `{"description":7}`).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "vinNumber", "description")
		list := body["fieldErrors"].([]any)
		require.NotContains(t, list[0], "rejectedValue")
		require.InDelta(t, 7, list[1].(map[string]any)["rejectedValue"], 0)
	})
	t.Run("the region needs a plate whatever else is wrong, and comes in its place", func(t *testing.T) {
		admin.call(t, http.MethodPost, "/v1/crm/41/vehicles", `{"licensePlateRegion":"WA","year":1}`).
			refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "vinNumber", "description", "licensePlateRegion", "year")
	})
}

func TestVehiclePermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		method, path string
		permission   crm.Permission
		csr, fleet   bool // whether the role has it
	}{
		{http.MethodPost, "/v1/crm/accounts/parties/P1/vehicles", crm.VehicleCreate, false, true},
		{http.MethodPost, "/v1/crm/41/vehicles", crm.VehicleCreate, false, true},
		{http.MethodGet, "/v1/crm/vehicles", crm.VehicleSearch, true, true},
		{http.MethodGet, "/v1/crm/vehicles/V1", crm.VehicleView, true, true},
		{http.MethodPut, "/v1/crm/41/vehicles", crm.VehicleEdit, false, true},
		{http.MethodDelete, "/v1/crm/41/vehicles/V1", crm.VehicleDeactivate, false, false},
		{http.MethodGet, "/v1/crm/41/vehicles/V1", crm.VehicleView, true, true},
		{http.MethodPut, "/v1/crm/41/vehicles/V1/transfer", crm.AssociationEdit, false, true},
		{http.MethodGet, "/v1/vehicles", crm.VehicleView, true, true},
		{http.MethodPost, "/v1/vehicles", crm.VehicleCreate, false, true},
		{http.MethodGet, "/v1/vehicles/7", crm.VehicleView, true, true},
		{http.MethodPut, "/v1/vehicles/999", crm.VehicleEdit, false, true},
		{http.MethodDelete, "/v1/vehicles/999", crm.VehicleDeactivate, false, false},
		{http.MethodGet, "/v1/vehicles/vin/1XPBDP9X4FD300999", crm.VehicleView, true, true},
		{http.MethodPut, "/v1/vehicles/vin/x", crm.VehicleEdit, false, true},
		{http.MethodDelete, "/v1/vehicles/vin/x", crm.VehicleDeactivate, false, false},
		{http.MethodPost, "/v1/vehicles/vin", crm.VehicleCreate, false, true},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			var body any
			if c.method == http.MethodPost || c.method == http.MethodPut {
				body = `{}`
			}
			w.anonymous().call(t, c.method, c.path, body).refused(t, http.StatusUnauthorized, "UNAUTHORIZED")
			w.holding(t, crm.PartyView).call(t, c.method, c.path, body).refused(t, http.StatusForbidden, "FORBIDDEN")
			alone := w.holding(t, c.permission).call(t, c.method, c.path, body)
			require.NotEqual(t, http.StatusForbidden, alone.Status, "the permission is all it takes: %s", alone.Body)
			require.Less(t, alone.Status, 500)
			require.Equal(t, c.csr, w.as(t, "CSR").call(t, c.method, c.path, body).Status != http.StatusForbidden)
			require.Equal(t, c.fleet, w.as(t, "FLEET_MANAGER").call(t, c.method, c.path, body).Status != http.StatusForbidden)
		})
	}
}

func TestGetVehicle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	csr := w.as(t, "CSR")
	csr.call(t, http.MethodGet, "/v1/crm/vehicles/V1", nil).expect(t, http.StatusOK, `{"vehicleId":"V1","partyId":"P1","vinNumber":"1FTFW1E53PFA10001","unitNumber":"T-101",
		"status":"ACTIVE","version":"1","createdAt":"*","updatedAt":"*","owner":{"partyId":"P1","displayName":"Harbor Freightlines Inc","partyType":"ORGANIZATION"}}`)
	csr.call(t, http.MethodGet, "/v1/crm/vehicles/"+strings.ToUpper(named["V3"]), nil).expect(t, http.StatusOK, `{"vehicleId":"V3","partyId":"C41","vinNumber":"4T1B11HK7KU700123",
		"status":"ACTIVE","version":"1","createdAt":"*","updatedAt":"*","owner":{"partyId":"C41","displayName":"Marisol Etxeberria","partyType":"INDIVIDUAL"}}`)
	csr.call(t, http.MethodGet, "/v1/crm/vehicles/R7", nil).expect(t, http.StatusOK, `{"vehicleId":"R7","vinNumber":"1XPBDP9X4FD300999",
		"make":"Peterbilt","model":"579","year":2015,"status":"ACTIVE","version":"1","createdAt":"*","updatedAt":"*"}`)
	for _, id := range []string{"nothing", "7", "P1", "vehicles", "%00", "veh_V1"} {
		csr.call(t, http.MethodGet, "/v1/crm/vehicles/"+id, nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	}
	w.exec(t, "UPDATE party SET trading_name = 'Harbor' WHERE id = ?", named["P1"])
	require.Equal(t, "Harbor", csr.call(t, http.MethodGet, "/v1/crm/vehicles/V1", nil).object(t)["owner"].(map[string]any)["displayName"])
	w.admin(t).call(t, http.MethodDelete, "/v1/crm/P1/vehicles/V1", nil).expect(t, http.StatusNoContent, "")
	csr.call(t, http.MethodGet, "/v1/crm/vehicles/V1", nil).refused(t, http.StatusNotFound, "NOT_FOUND")
}

func TestGetVehicleOfCustomer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	csr := w.as(t, "CSR")
	for _, customer := range []string{"41", "C41", strings.ToUpper(named["C41"])} {
		csr.call(t, http.MethodGet, "/v1/crm/"+customer+"/vehicles/V3", nil).expect(t, http.StatusOK, `{"vehicleId":"V3","partyId":"C41","vinNumber":"4T1B11HK7KU700123",
			"status":"ACTIVE","version":"1","createdAt":"*","updatedAt":"*"}`)
	}
	for _, path := range []string{"42/vehicles/V3", "41/vehicles/V1", "41/vehicles/R7", "nobody/vehicles/V3", "999/vehicles/V3", "41/vehicles/3", "41/vehicles/none", "accounts/vehicles/V3"} {
		csr.call(t, http.MethodGet, "/v1/crm/"+path, nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	}
	w.vehiclesOfMerged(t)
	for _, vehicle := range []string{"V2", "V1", "none"} {
		refused := csr.call(t, http.MethodGet, "/v1/crm/P2/vehicles/"+vehicle, nil).refused(t, http.StatusConflict, "PARTY_MERGED")
		require.Equal(t, named["P1"], refused["mergedToPartyId"])
	}
	csr.call(t, http.MethodGet, "/v1/crm/P1/vehicles/V2", nil).expect(t, http.StatusOK, `{"vehicleId":"V2","partyId":"P1","vinNumber":"3C6UR5DL0NG200301","unitNumber":"W-1",
		"status":"ACTIVE","version":"2","createdAt":"*","updatedAt":"*"}`)
	w.admin(t).call(t, http.MethodDelete, "/v1/vehicles/3", nil).expect(t, http.StatusNoContent, "")
	csr.call(t, http.MethodGet, "/v1/crm/41/vehicles/V3", nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	w.vehiclesOfDeactivated(t, "P1")
	csr.call(t, http.MethodGet, "/v1/crm/P1/vehicles/V2", nil).refused(t, http.StatusNotFound, "NOT_FOUND")
}

func TestUpdateVehicle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fleet := w.as(t, "FLEET_MANAGER")
	put := func(t *testing.T, customer, body string) reply {
		t.Helper()
		return fleet.call(t, http.MethodPut, "/v1/crm/"+customer+"/vehicles", body)
	}
	t.Run("what is left out stays and null clears", func(t *testing.T) {
		put(t, "P1", `{"vehicleId":"V1","description":"Truck","licensePlate":"a 1","licensePlateJurisdiction":"wa","make":"Ford","model":"F-150","year":2023,"trim":"XL"}`).expect(t, http.StatusOK,
			`{"vehicleId":"V1","partyId":"P1","vinNumber":"1FTFW1E53PFA10001","unitNumber":"T-101","description":"Truck","licensePlate":"A 1","licensePlateRegion":"WA",
			"make":"Ford","model":"F-150","year":2023,"trim":"XL","status":"ACTIVE","version":"2","createdAt":"*","updatedAt":"*"}`)
		put(t, "P1", `{"vin":" 1ftfw1e53-pfa10001","unitNumber":"T-102","licensePlate":null,"make":null,"year":null,"trim":null,"version":"2"}`).expect(t, http.StatusOK,
			`{"vehicleId":"V1","partyId":"P1","vinNumber":"1FTFW1E53PFA10001","unitNumber":"T-102","description":"Truck","model":"F-150","status":"ACTIVE","version":"3","createdAt":"*","updatedAt":"*"}`)
		put(t, "P1", `{"vehicleId":"V1","version":3}`).expect(t, http.StatusOK,
			`{"vehicleId":"V1","partyId":"P1","vinNumber":"1FTFW1E53PFA10001","unitNumber":"T-102","description":"Truck","model":"F-150","status":"ACTIVE","version":"4","createdAt":"*","updatedAt":"*"}`)
	})
	t.Run("a stale version", func(t *testing.T) {
		put(t, "P1", `{"vehicleId":"V1","trim":"never","version":"3"}`).expect(t, http.StatusConflict,
			`{"code":"OPTIMISTIC_LOCK_CONFLICT","message":"*","correlationId":"*","timestamp":"*","fieldErrors":[],"currentVersion":"4","submittedVersion":"3",
			"currentData":{"vehicleId":"V1","partyId":"P1","vinNumber":"1FTFW1E53PFA10001","unitNumber":"T-102","description":"Truck","model":"F-150","status":"ACTIVE","version":"4","createdAt":"*","updatedAt":"*"},
			"lastUpdatedAt":"*","lastUpdatedBy":"tester"}`)
		refused := put(t, "P1", `{"vinNumber":"1FTFW1E53PFA10001","version":"1"}`).refused(t, http.StatusConflict, "OPTIMISTIC_LOCK_CONFLICT")
		require.Equal(t, true, refused["gapWarning"])
		refused = put(t, "41", `{"vehicleId":"V3","version":0}`).refused(t, http.StatusConflict, "OPTIMISTIC_LOCK_CONFLICT")
		require.Equal(t, "system", refused["lastUpdatedBy"], "nothing is known of who made it")
		require.NotContains(t, refused, "gapWarning")
	})
	for name, c := range map[string]struct {
		customer, body string
		status         int
		code           string
		fields         []string
	}{
		"neither id nor VIN":                 {"41", `{"unitNumber":"1"}`, 400, "VALIDATION_ERROR", []string{"vehicleId"}},
		"blanks and null":                    {"41", `{"vehicleId":" ","vinNumber":null,"vin":""}`, 400, "VALIDATION_ERROR", []string{"vehicleId"}},
		"an array":                           {"41", `[{"vehicleId":"V3"}]`, 400, "VALIDATION_ERROR", []string{"$"}},
		"nothing":                            {"41", ``, 400, "VALIDATION_ERROR", []string{"$"}},
		"another VIN":                        {"41", `{"vehicleId":"V3","vinNumber":"4T1B11HK7KU700124"}`, 400, "VIN_IMMUTABLE", []string{"vinNumber"}},
		"another VIN, under its other name":  {"41", `{"vehicleId":"V3","vin":"x"}`, 400, "VIN_IMMUTABLE", []string{"vin"}},
		"another VIN and an old version":     {"41", `{"vehicleId":"V3","vin":"x","version":"9"}`, 400, "VIN_IMMUTABLE", []string{"vin"}},
		"another VIN and more that is wrong": {"P2", `{"vehicleId":"V2","vin":"x","unitNumber":null}`, 400, "VALIDATION_ERROR", []string{"vin", "unitNumber"}},
		"a unit number that is needed":       {"P2", `{"vehicleId":"V2","unitNumber":null}`, 400, "VALIDATION_ERROR", []string{"unitNumber"}},
		"blanks that do not clear": {
			"41", `{"vehicleId":"V3","unitNumber":"","licensePlate":" ","licensePlateRegion":""}`, 400, "VALIDATION_ERROR",
			[]string{"unitNumber", "licensePlate", "licensePlateRegion"},
		},
		"a description that is needed": {"41", `{"vehicleId":"V3","description":" "}`, 400, "VALIDATION_ERROR", []string{"description"}},
		"a region without a plate":     {"41", `{"vehicleId":"V3","licensePlateRegion":"WA"}`, 400, "VALIDATION_ERROR", []string{"licensePlateRegion"}},
		"a version that is none":       {"41", `{"vehicleId":"V3","version":"v1"}`, 400, "VALIDATION_ERROR", []string{"version"}},
		"a version with a plus":        {"41", `{"vehicleId":"V3","version":"+1"}`, 400, "VALIDATION_ERROR", []string{"version"}},
		"a version below 0":            {"41", `{"vehicleId":"V3","version":-1}`, 409, "OPTIMISTIC_LOCK_CONFLICT", nil},
		"the wrong types": {
			"41", `{"vehicleId":1,"vinNumber":2,"unitNumber":3,"description":4,"licensePlate":5,"licensePlateRegion":6,"make":7,"model":8,"year":"9","trim":10,"version":true}`, 400, "VALIDATION_ERROR",
			[]string{"vehicleId", "vinNumber", "unitNumber", "description", "licensePlate", "licensePlateRegion", "make", "model", "year", "trim", "version"},
		},
		"what is too long": {
			"41", `{"vehicleId":"V3","unitNumber":"` + strings.Repeat("u", 51) + `","licensePlate":"?","licensePlateJurisdiction":"?","year":2029}`, 400, "VALIDATION_ERROR",
			[]string{"unitNumber", "licensePlate", "licensePlateJurisdiction", "year"},
		},
		"what is wrong comes before who it is":  {"nobody", `{"vehicleId":"x","year":1}`, 400, "VALIDATION_ERROR", []string{"year"}},
		"a vehicle of another":                  {"42", `{"vehicleId":"V3"}`, 404, "NOT_FOUND", nil},
		"a VIN of another":                      {"42", `{"vinNumber":"4T1B11HK7KU700123"}`, 404, "NOT_FOUND", nil},
		"a vehicle of nobody":                   {"42", `{"vehicleId":"R7"}`, 404, "NOT_FOUND", nil},
		"no vehicle":                            {"42", `{"vehicleId":"x"}`, 404, "NOT_FOUND", nil},
		"no vehicle, with a VIN":                {"42", `{"vehicleId":"x","vinNumber":"4T1B11HK7KU700123"}`, 404, "NOT_FOUND", nil},
		"no VIN":                                {"41", `{"vinNumber":"4T1B11HK7KU700129"}`, 404, "NOT_FOUND", nil},
		"what cannot be a VIN":                  {"41", `{"vinNumber":"x"}`, 404, "NOT_FOUND", nil},
		"no customer":                           {"nobody", `{"vehicleId":"V3"}`, 404, "NOT_FOUND", nil},
		"no customer of the number":             {"43", `{"vehicleId":"V3"}`, 404, "NOT_FOUND", nil},
		"who owns it comes before what it lost": {"42", `{"vehicleId":"V3","description":null,"version":"9"}`, 404, "NOT_FOUND", nil},
	} {
		t.Run(name, func(t *testing.T) {
			put(t, c.customer, c.body).refused(t, c.status, c.code, c.fields...)
		})
	}
	t.Run("one that is not in use any more", func(t *testing.T) {
		w.admin(t).call(t, http.MethodDelete, "/v1/crm/41/vehicles/V3", nil).expect(t, http.StatusNoContent, "")
		put(t, "41", `{"vehicleId":"V3"}`).refused(t, http.StatusNotFound, "NOT_FOUND")
		put(t, "41", `{"vinNumber":"4T1B11HK7KU700123"}`).refused(t, http.StatusNotFound, "NOT_FOUND")
	})
	t.Run("a merged or deactivated customer", func(t *testing.T) {
		w.vehiclesOfMerged(t)
		for _, body := range []string{`{"vehicleId":"V2"}`, `{"vinNumber":"3C6UR5DL0NG200301"}`, `{"vehicleId":"V2","version":"1"}`, `{"vehicleId":"x"}`} {
			require.Equal(t, named["P1"], put(t, "P2", body).refused(t, http.StatusConflict, "PARTY_MERGED")["mergedToPartyId"])
		}
		w.vehiclesOfDeactivated(t, "P1")
		put(t, "P1", `{"vehicleId":"V1"}`).refused(t, http.StatusNotFound, "NOT_FOUND")
	})
}

func TestDeleteVehicle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	for _, path := range []string{"42/vehicles/V3", "41/vehicles/R7", "41/vehicles/none", "nobody/vehicles/V3", "43/vehicles/V3"} {
		admin.call(t, http.MethodDelete, "/v1/crm/"+path, nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	}
	require.Len(t, w.vehicleOwners(t, "V3"), 1)
	admin.call(t, http.MethodDelete, "/v1/crm/41/vehicles/V3", nil).expect(t, http.StatusNoContent, "")
	require.Empty(t, w.vehicleOwners(t, "V3"))
	admin.call(t, http.MethodDelete, "/v1/crm/41/vehicles/V3", nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	again := admin.call(t, http.MethodPost, "/v1/crm/41/vehicles", `{"vinNumber":"4T1B11HK7KU700123","description":"The same"}`)
	require.NotEqual(t, named["V3"], again.object(t)["vehicleId"], "its VIN is free")
	require.Equal(t, http.StatusCreated, again.Status)
	w.vehiclesOfMerged(t)
	for _, vehicle := range []string{"V2", "none"} {
		require.Equal(t, named["P1"], admin.call(t, http.MethodDelete, "/v1/crm/P2/vehicles/"+vehicle, nil).refused(t, http.StatusConflict, "PARTY_MERGED")["mergedToPartyId"])
	}
}

// Durion G21.
func TestTransferVehicleOfExample(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	const path, body = "/v1/crm/41/vehicles/V3/transfer", `{"toCustomerId":"42","reason":"Private sale"}`
	first := admin.call(t, http.MethodPut, path, body)
	first.expect(t, http.StatusOK, `{"vehicleId":"V3","fromPartyId":"C41","toPartyId":"C42","associationId":"*","effectiveFrom":"*","status":"TRANSFERRED","version":"2","updatedAt":"*"}`)
	admin.call(t, http.MethodGet, "/v1/crm/41/vehicles/V3", nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	require.Equal(t, http.StatusOK, admin.call(t, http.MethodGet, "/v1/crm/42/vehicles/V3", nil).Status)

	var events int
	count := func() int {
		require.NoError(t, w.owner.NewRaw("SELECT count(*) FROM event").Scan(t.Context(), &events))
		return events
	}
	before := count()
	again := first.object(t)
	again["status"] = "UNCHANGED"
	for _, repeated := range []string{body, `{"toPartyId":"C42","version":"1"}`} {
		require.Equal(t, again, admin.call(t, http.MethodPut, path, repeated).object(t))
	}
	require.Equal(t, before, count())
}

func TestTransferVehicle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fleet := w.as(t, "FLEET_MANAGER")
	put := func(t *testing.T, path, body string) reply {
		t.Helper()
		return fleet.call(t, http.MethodPut, "/v1/crm/"+path+"/transfer", body)
	}
	began := w.store.Now().AddDate(0, -4, 1)
	for name, c := range map[string]struct {
		path, body string
		status     int
		code       string
		fields     []string
	}{
		"no target":                          {"41/vehicles/V3", `{}`, 400, "VALIDATION_ERROR", []string{"toCustomerId"}},
		"a blank target":                     {"41/vehicles/V3", `{"toCustomerId":" "}`, 400, "VALIDATION_ERROR", []string{"toCustomerId"}},
		"a blank target, by its other name":  {"41/vehicles/V3", `{"toPartyId":""}`, 400, "VALIDATION_ERROR", []string{"toPartyId"}},
		"null":                               {"41/vehicles/V3", `{"toCustomerId":null}`, 400, "VALIDATION_ERROR", []string{"toCustomerId"}},
		"a target of the wrong type":         {"41/vehicles/V3", `{"toCustomerId":true}`, 400, "VALIDATION_ERROR", []string{"toCustomerId"}},
		"a fraction":                         {"41/vehicles/V3", `{"toCustomerId":42.5}`, 400, "VALIDATION_ERROR", []string{"toCustomerId"}},
		"the same customer":                  {"41/vehicles/V3", `{"toCustomerId":"41"}`, 400, "VALIDATION_ERROR", []string{"toCustomerId"}},
		"the same customer by number and id": {"C41/vehicles/V3", `{"toPartyId":41}`, 400, "VALIDATION_ERROR", []string{"toPartyId"}},
		"no date":                            {"41/vehicles/V3", `{"toCustomerId":"42","effectiveDate":"yesterday"}`, 400, "VALIDATION_ERROR", []string{"effectiveDate"}},
		"a date in the future":               {"41/vehicles/V3", `{"toCustomerId":"42","effectiveDate":"` + w.store.Now().AddDate(0, 0, 1).Format(time.DateOnly) + `"}`, 400, "VALIDATION_ERROR", []string{"effectiveDate"}},
		"an instant before it was his":       {"41/vehicles/V3", `{"toCustomerId":"42","effectiveDate":"` + began.AddDate(0, 0, -2).Format(time.RFC3339) + `"}`, 400, "VALIDATION_ERROR", []string{"effectiveDate"}},
		"a reason that is too long":          {"41/vehicles/V3", `{"toCustomerId":"42","reason":"` + strings.Repeat("r", 501) + `"}`, 400, "VALIDATION_ERROR", []string{"reason"}},
		"all of it":                          {"nobody/vehicles/x", `{"effectiveDate":"3000-01-01","reason":7,"version":"x"}`, 400, "VALIDATION_ERROR", []string{"toCustomerId", "effectiveDate", "reason", "version"}},
		"the future, whoever it is":          {"nobody/vehicles/x", `{"toCustomerId":"42","effectiveDate":"2999-01-01"}`, 400, "VALIDATION_ERROR", []string{"effectiveDate"}},
		"no vehicle":                         {"41/vehicles/x", `{"toCustomerId":"42"}`, 404, "NOT_FOUND", nil},
		"no customer":                        {"43/vehicles/V3", `{"toCustomerId":"42"}`, 404, "NOT_FOUND", nil},
		"no target of the number":            {"41/vehicles/V3", `{"toCustomerId":43}`, 404, "NOT_FOUND", nil},
		"no target of a large number":        {"41/vehicles/V3", `{"toCustomerId":99999999999999999999}`, 404, "NOT_FOUND", nil},
		"a target that is nobody":            {"41/vehicles/V3", `{"toCustomerId":"nobody"}`, 404, "NOT_FOUND", nil},
		"a vehicle of another":               {"42/vehicles/V3", `{"toCustomerId":"P3"}`, 404, "NOT_FOUND", nil},
		"a vehicle of nobody":                {"42/vehicles/R7", `{"toCustomerId":"P3"}`, 404, "NOT_FOUND", nil},
	} {
		t.Run(name, func(t *testing.T) {
			put(t, c.path, c.body).refused(t, c.status, c.code, c.fields...)
		})
	}
	t.Run("a day stands for its first instant", func(t *testing.T) {
		day := began.AddDate(0, 1, 0).Format(time.DateOnly)
		done := put(t, "C41/vehicles/V3", `{"toCustomerId":42,"effectiveDate":"`+day+`","version":"1"}`)
		done.expect(t, http.StatusOK, `{"vehicleId":"V3","fromPartyId":"C41","toPartyId":"C42","associationId":"*","effectiveFrom":"`+day+`T00:00:00.000Z","status":"TRANSFERRED","version":"2","updatedAt":"*"}`)
	})
	t.Run("a stale version", func(t *testing.T) {
		refused := put(t, "42/vehicles/V3", `{"toCustomerId":"P3","version":"1"}`).refused(t, http.StatusConflict, "OPTIMISTIC_LOCK_CONFLICT")
		require.Equal(t, []any{"2", "1", "tester"}, []any{refused["currentVersion"], refused["submittedVersion"], refused["lastUpdatedBy"]})
		require.Equal(t, named["C42"], refused["currentData"].(map[string]any)["partyId"])
		require.NotContains(t, refused["currentData"], "owner")
	})
	t.Run("who gave it away before the last owner did", func(t *testing.T) {
		require.Equal(t, http.StatusOK, put(t, "42/vehicles/V3", `{"toCustomerId":"P3"}`).Status)
		put(t, "41/vehicles/V3", `{"toCustomerId":"P3"}`).refused(t, http.StatusNotFound, "NOT_FOUND")
	})
	t.Run("merged or deactivated on either side", func(t *testing.T) {
		w.vehiclesOfMerged(t)
		for path, body := range map[string]string{
			"P2/vehicles/V2": `{"toCustomerId":"42"}`, "P2/vehicles/x": `{"toCustomerId":"42"}`, "P1/vehicles/V1": `{"toCustomerId":"P2"}`,
			"41/vehicles/x": `{"toCustomerId":"P2"}`, "P1/vehicles/V2": `{"toPartyId":"P2","version":"77"}`,
		} {
			require.Equal(t, named["P1"], put(t, path, body).refused(t, http.StatusConflict, "PARTY_MERGED")["mergedToPartyId"], path)
		}
		w.vehiclesOfDeactivated(t, "C41")
		put(t, "P1/vehicles/V1", `{"toCustomerId":"41"}`).refused(t, http.StatusNotFound, "NOT_FOUND")
		put(t, "41/vehicles/V1", `{"toCustomerId":"42"}`).refused(t, http.StatusNotFound, "NOT_FOUND")
	})
}

func TestVehicleStubs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *durion.Options) { o.LiteralStubs = true })
	admin := w.admin(t)
	for _, c := range [][2]string{
		{http.MethodGet, "/v1/crm/vehicles"}, {http.MethodGet, "/v1/crm/vehicles/x"}, {http.MethodPost, "/v1/crm/x/vehicles"}, {http.MethodPut, "/v1/crm/x/vehicles"},
		{http.MethodDelete, "/v1/crm/x/vehicles/x"}, {http.MethodGet, "/v1/crm/x/vehicles/x"}, {http.MethodPut, "/v1/crm/x/vehicles/x/transfer"},
	} {
		admin.call(t, c[0], c[1], nil).refused(t, http.StatusNotImplemented, "NOT_IMPLEMENTED")
		w.holding(t, crm.PartyView).call(t, c[0], c[1], nil).refused(t, http.StatusForbidden, "FORBIDDEN")
	}
	require.Equal(t, http.StatusCreated, admin.call(t, http.MethodPost, "/v1/crm/accounts/parties/P1/vehicles",
		`{"vinNumber":"2T3P1RFV6NC300777","unitNumber":"1","description":"d"}`).Status, "D-11 is no stub")
}

// Of two who create the same VIN at once, through whatever door, one succeeds.
func TestConcurrentVehicles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	for i := range 5 {
		vin := fmt.Sprintf("XTESTVHXXXX%06d", i)
		statuses := map[int]int{}
		for _, r := range vehiclesAtOnce(4, func(n int) reply {
			switch n % 4 {
			case 0:
				return admin.call(t, http.MethodPost, "/v1/crm/accounts/parties/P3/vehicles", `{"vinNumber":"`+vin+`","unitNumber":"1","description":"d"}`)
			case 1:
				return admin.call(t, http.MethodPost, "/v1/crm/42/vehicles", `{"vinNumber":"`+vin+`","description":"d"}`)
			default:
				return admin.call(t, http.MethodPost, "/v1/vehicles", `{"make":"m","model":"m","year":2000,"vin":"`+vin+`"}`)
			}
		}) {
			statuses[r.Status]++
		}
		// Who creates it for a party adopts what the registry has just made.
		require.Zero(t, statuses[500], "%v", statuses)
		require.LessOrEqual(t, statuses[200]+statuses[201], 2, "%v", statuses)
		require.LessOrEqual(t, statuses[200], 1, "%v", statuses)
		require.LessOrEqual(t, statuses[201], 1, "%v", statuses)
		require.Equal(t, 4, statuses[200]+statuses[201]+statuses[409], "%v", statuses)
		var active int
		require.NoError(t, w.owner.NewRaw("SELECT count(*) FROM vehicle WHERE vin = ? AND status = 'ACTIVE'", vin).Scan(t.Context(), &active))
		require.Equal(t, 1, active)
	}
	for i := range 5 {
		vin := fmt.Sprintf("XTESTVHXXXX%06d", 100+i)
		statuses := map[int]int{}
		for _, r := range vehiclesAtOnce(2, func(n int) reply {
			return admin.call(t, http.MethodPost, []string{"/v1/crm/41/vehicles", "/v1/crm/42/vehicles"}[n], `{"vinNumber":"`+vin+`","description":"d"}`)
		}) {
			statuses[r.Status]++
		}
		require.Equal(t, map[int]int{201: 1, 409: 1}, statuses)
	}
}

// Of two who transfer a vehicle to different parties at once one succeeds.
func TestConcurrentTransfersOfVehicle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	from, to := "C41", []string{"C42", "P3", "P1"}
	for range 6 {
		replies := vehiclesAtOnce(2, func(i int) reply {
			return admin.call(t, http.MethodPut, "/v1/crm/"+from+"/vehicles/V3/transfer", `{"toCustomerId":"`+to[i]+`"}`)
		})
		owners, winner := w.vehicleOwners(t, "V3"), -1
		require.Len(t, owners, 1)
		for i, r := range replies {
			if r.Status == http.StatusOK {
				require.Equal(t, -1, winner, "one wins")
				winner = i
				continue
			}
			r.refused(t, http.StatusNotFound, "NOT_FOUND")
		}
		require.NotEqual(t, -1, winner)
		require.Equal(t, named[to[winner]], owners[0])
		from, to[winner] = to[winner], from
	}
}

// Whatever is done to a vehicle at once, each is answered, and it ends as one of them says.
func TestConcurrentChangesOfVehicle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	for i := range 6 {
		vin := fmt.Sprintf("XTESTVHXXXX%06d", i)
		made := admin.call(t, http.MethodPost, "/v1/crm/41/vehicles", `{"vinNumber":"`+vin+`","description":"d"}`)
		require.Equal(t, http.StatusCreated, made.Status)
		id := made.object(t)["vehicleId"].(string)
		replies := vehiclesAtOnce(6, func(n int) reply {
			switch n {
			case 0:
				return admin.call(t, http.MethodPut, "/v1/crm/41/vehicles", `{"vinNumber":"`+vin+`","trim":"S"}`)
			case 1:
				return admin.call(t, http.MethodPut, "/v1/crm/41/vehicles", `{"vehicleId":"`+id+`","trim":"M","version":"1"}`)
			case 2:
				return admin.call(t, http.MethodDelete, "/v1/crm/41/vehicles/"+id, nil)
			case 3:
				return admin.call(t, http.MethodDelete, "/v1/vehicles/vin/"+vin, nil)
			case 4:
				return admin.call(t, http.MethodPut, "/v1/vehicles/vin/"+vin, `{"make":"m","model":"m","year":2000}`)
			default:
				return admin.call(t, http.MethodPut, "/v1/crm/41/vehicles/"+id+"/transfer", `{"toCustomerId":42}`)
			}
		})
		deleted := 0
		for n, r := range replies {
			require.Contains(t, []int{200, 204, 404, 409}, r.Status, "%d %s", n, r.Body)
			if r.Status == http.StatusNoContent {
				deleted++
			}
		}
		require.Equal(t, 1, deleted, "by the registry, unless the customer did")
		admin.call(t, http.MethodGet, "/v1/crm/vehicles/"+id, nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	}
}
