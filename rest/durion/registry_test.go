package durion_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/rest/durion"
)

// Durion G24.
func TestRegistryExample(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	made := admin.call(t, http.MethodPost, "/v1/vehicles/vin", `{"make":"Tesla","model":"Model 3","year":2019,"vin":"5yj3e1ea3kf300321"}`)
	made.expect(t, http.StatusOK, `{"id":8,"make":"Tesla","model":"Model 3","year":2019,"vin":"5YJ3E1EA3KF300321","vehicleId":"*"}`)
	admin.call(t, http.MethodPut, "/v1/vehicles/7", `{"make":"Peterbilt","model":"579 EPIQ","year":2015,"vin":"1XPBDP9X4FD300999"}`).
		expect(t, http.StatusOK, `{"id":7,"make":"Peterbilt","model":"579 EPIQ","year":2015,"vin":"1XPBDP9X4FD300999","vehicleId":"R7"}`)
	admin.call(t, http.MethodPut, "/v1/vehicles/7", `{"make":"Peterbilt","model":"579 EPIQ","year":2015,"vin":"1XPBDP9X4FD300998"}`).
		refused(t, http.StatusBadRequest, "VIN_IMMUTABLE", "vin")
	admin.call(t, http.MethodDelete, "/v1/vehicles/vin/1xpbdp9x4fd300999", nil).expect(t, http.StatusNoContent, "")
	admin.call(t, http.MethodGet, "/v1/vehicles/7", nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	again := admin.call(t, http.MethodPost, "/v1/vehicles", `{"make":"Peterbilt","model":"579","year":2015,"vin":"1XPBDP9X4FD300999"}`)
	again.expect(t, http.StatusOK, `{"id":9,"make":"Peterbilt","model":"579","year":2015,"vin":"1XPBDP9X4FD300999","vehicleId":"*"}`)
	require.NotEqual(t, named["R7"], again.object(t)["vehicleId"])
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		body := admin.call(t, method, "/v1/vehicles/vin", nil).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "id")
		require.Equal(t, "vin", body["fieldErrors"].([]any)[0].(map[string]any)["rejectedValue"])
	}
}

func TestRegistryReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	csr := w.as(t, "CSR")
	for _, path := range []string{"/v1/vehicles/7", "/v1/vehicles/vin/1XPBDP9X4FD300999", "/v1/vehicles/vin/%201xpbdp9x-4fd%20300999"} {
		csr.call(t, http.MethodGet, path, nil).expect(t, http.StatusOK, `{"id":7,"make":"Peterbilt","model":"579","year":2015,"vin":"1XPBDP9X4FD300999","vehicleId":"R7"}`)
	}
	csr.call(t, http.MethodGet, "/v1/vehicles/1", nil).expect(t, http.StatusOK, `{"id":1,"make":null,"model":null,"year":0,"vin":"1FTFW1E53PFA10001","vehicleId":"V1"}`)
	for _, path := range []string{"0", "-7", "8", "9223372036854775807", "vehicles", "vin/1XPBDP9X4FD300998", "vin/short", "vin/%00", "vin/%ff", "vin/vehicles", "vin/7"} {
		csr.call(t, http.MethodGet, "/v1/vehicles/"+path, nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	}
	for _, id := range []string{"9223372036854775808", "7.0", "R7", "abc", "vin", "%00", "7e0"} {
		csr.call(t, http.MethodGet, "/v1/vehicles/"+id, nil).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "id")
	}
	method := csr.call(t, http.MethodPost, "/v1/vehicles/vin/1XPBDP9X4FD300999", `{}`)
	method.refused(t, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
	require.Equal(t, "DELETE, GET, PUT", method.Header.Get("Allow"))
	t.Run("a VIN leads to the active vehicle that has it", func(t *testing.T) {
		admin := w.admin(t)
		admin.call(t, http.MethodDelete, "/v1/vehicles/7", nil).expect(t, http.StatusNoContent, "")
		csr.call(t, http.MethodGet, "/v1/vehicles/vin/1XPBDP9X4FD300999", nil).refused(t, http.StatusNotFound, "NOT_FOUND")
		admin.call(t, http.MethodPost, "/v1/crm/41/vehicles", `{"vin":"1XPBDP9X4FD300999","description":"d"}`)
		csr.call(t, http.MethodGet, "/v1/vehicles/vin/1XPBDP9X4FD300999", nil).expect(t, http.StatusOK, `{"id":8,"make":null,"model":null,"year":0,"vin":"1XPBDP9X4FD300999","vehicleId":"*"}`)
	})
}

func TestRegistryCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	for i, path := range []string{"/v1/vehicles", "/v1/vehicles/vin"} {
		vin := fmt.Sprintf("XTESTVHXXXX%06d", i)
		made := admin.call(t, http.MethodPost, path, `{"id":1,"make":" Opel ","model":"Blitz","year":1930,"vin":" `+strings.ToLower(vin)+`","unknown":[]}`)
		made.expect(t, http.StatusOK, fmt.Sprintf(`{"id":%d,"make":"Opel","model":"Blitz","year":1930,"vin":"%s","vehicleId":"*"}`, 8+2*i, vin))
		var owners int
		require.NoError(t, w.owner.NewRaw("SELECT count(*) FROM vehicle_association WHERE vehicle_id = ?", made.object(t)["vehicleId"]).Scan(t.Context(), &owners))
		require.Zero(t, owners)
		admin.call(t, http.MethodPost, path, `{"id":"any","make":"m","model":"m","year":2028,"vin":"XTESTVHXXXX00010`+strconv.Itoa(i)+`"}`).
			expect(t, http.StatusOK, fmt.Sprintf(`{"id":%d,"make":"m","model":"m","year":2028,"vin":"XTESTVHXXXX00010%d","vehicleId":"*"}`, 9+2*i, i))
		for body, fields := range map[string][]string{
			`{}`: {"make", "model", "year", "vin"},
			`{"make":null,"model":null,"year":null,"vin":null}`:                                                                  {"make", "model", "year", "vin"},
			`{"make":" ","model":"","year":0,"vin":""}`:                                                                          {"make", "model", "year", "vin"},
			`{"make":1,"model":true,"year":"2000","vin":{}}`:                                                                     {"make", "model", "year", "vin"},
			`{"make":"m","model":"m","year":2000.5,"vin":"5YJ3E1EA3KF300321"}`:                                                   {"year"},
			`{"make":"m","model":"m","year":1885,"vin":"5YJ3E1EA3KF300321"}`:                                                     {"year"},
			`{"make":"m","model":"m","year":2029,"vin":"5YJ3E1EA3KF300321"}`:                                                     {"year"},
			`{"make":"m","model":"m","year":99999999999999999999,"vin":"5YJ3E1EA3KF300321"}`:                                     {"year"},
			`{"make":"m","model":"m","year":2000,"vin":"5YJ3E1EA3KF30032I"}`:                                                     {"vin"},
			`{"make":"` + strings.Repeat("m", 101) + `","model":"` + strings.Repeat("m", 101) + `","year":2000,"vin":"5YJ3E1E"}`: {"make", "model", "vin"},
		} {
			admin.call(t, http.MethodPost, path, body).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", fields...)
		}
		taken := admin.call(t, http.MethodPost, path, `{"make":"m","model":"m","year":2000,"vin":"1ftfw1e53pfa10001"}`).refused(t, http.StatusConflict, "DUPLICATE_VIN")
		require.Equal(t, named["V1"], taken["existingVehicleId"])
		taken = w.holding(t, crm.VehicleCreate).call(t, http.MethodPost, path, `{"make":"m","model":"m","year":2000,"vin":"1XPBDP9X4FD300999"}`).refused(t, http.StatusConflict, "DUPLICATE_VIN")
		require.NotContains(t, taken, "existingVehicleId")
	}
}

func TestRegistryUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fleet := w.as(t, "FLEET_MANAGER")
	for _, path := range []string{"/v1/vehicles/1", "/v1/vehicles/vin/1ftfw1e53-pfa10001"} {
		t.Run(path, func(t *testing.T) {
			put := func(body string) reply { return fleet.call(t, http.MethodPut, path, body) }
			put(`{"id":99,"make":" Ford","model":"F-150","year":2023}`).expect(t, http.StatusOK, `{"id":1,"make":"Ford","model":"F-150","year":2023,"vin":"1FTFW1E53PFA10001","vehicleId":"V1"}`)
			put(`{"make":"Ford","model":"F-250","year":2024,"vin":null}`).expect(t, http.StatusOK, `{"id":1,"make":"Ford","model":"F-250","year":2024,"vin":"1FTFW1E53PFA10001","vehicleId":"V1"}`)
			put(`{"make":"Ford","model":"F-250","year":2024,"vin":"1ftfw1e53 pfa10001"}`).expect(t, http.StatusOK, `{"id":1,"make":"Ford","model":"F-250","year":2024,"vin":"1FTFW1E53PFA10001","vehicleId":"V1"}`)
			for body, fields := range map[string][]string{
				`{}`: {"make", "model", "year"}, `{"make":null,"model":" ","year":null}`: {"make", "model", "year"}, `{"make":1,"model":2,"year":"3","vin":4}`: {"make", "model", "year", "vin"},
				`{"make":"m","model":"` + strings.Repeat("m", 101) + `","year":1885}`: {"model", "year"},
			} {
				put(body).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", fields...)
			}
			wrong := put(`{"make":"m","model":"m","year":2000,"vin":7}`).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "vin")
			require.InDelta(t, 7, wrong["fieldErrors"].([]any)[0].(map[string]any)["rejectedValue"], 0, "of the body and not of the path")
			for _, vin := range []string{"1XPBDP9X4FD300999", "5YJ3E1EA3KF300321", "nonsense", ""} {
				wrong := put(`{"make":"m","model":"m","year":2000,"vin":"`+vin+`"}`).refused(t, http.StatusBadRequest, "VIN_IMMUTABLE", "vin")
				require.Equal(t, vin, wrong["fieldErrors"].([]any)[0].(map[string]any)["rejectedValue"])
			}
		})
	}
	t.Run("the rest of the vehicle stays", func(t *testing.T) {
		shown := fleet.call(t, http.MethodGet, "/v1/crm/vehicles/V1", nil).object(t)
		require.Equal(t, []any{"T-101", named["P1"]}, []any{shown["unitNumber"], shown["partyId"]})
	})
	const good = `{"make":"m","model":"m","year":2000}`
	for _, path := range []string{"0", "-1", "99", "vin/5YJ3E1EA3KF300321", "vin/short", "vin/%00"} {
		fleet.call(t, http.MethodPut, "/v1/vehicles/"+path, good).refused(t, http.StatusNotFound, "NOT_FOUND")
		fleet.call(t, http.MethodPut, "/v1/vehicles/"+path, `{"make":"m"}`).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "model", "year")
	}
	for _, id := range []string{"abc", "vin"} {
		fleet.call(t, http.MethodPut, "/v1/vehicles/"+id, `{"vin":1}`).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "id", "make", "model", "year", "vin")
	}
	w.admin(t).call(t, http.MethodDelete, "/v1/vehicles/1", nil).expect(t, http.StatusNoContent, "")
	for _, path := range []string{"1", "vin/1FTFW1E53PFA10001"} {
		fleet.call(t, http.MethodPut, "/v1/vehicles/"+path, good).refused(t, http.StatusNotFound, "NOT_FOUND")
	}
}

func TestRegistryDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	for _, c := range []struct{ path, name string }{{"/v1/vehicles/1", "V1"}, {"/v1/vehicles/vin/%204t1b11hk7-ku700123", "V3"}, {"/v1/vehicles/7", "R7"}} {
		admin.call(t, http.MethodDelete, c.path, nil).expect(t, http.StatusNoContent, "")
		require.Empty(t, w.vehicleOwners(t, c.name))
		admin.call(t, http.MethodDelete, c.path, nil).refused(t, http.StatusNotFound, "NOT_FOUND")
		admin.call(t, http.MethodGet, c.path, nil).refused(t, http.StatusNotFound, "NOT_FOUND")
		admin.call(t, http.MethodGet, "/v1/crm/vehicles/"+c.name, nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	}
	for _, path := range []string{"0", "99", "vin/short", "vin/5YJ3E1EA3KF300321"} {
		admin.call(t, http.MethodDelete, "/v1/vehicles/"+path, nil).refused(t, http.StatusNotFound, "NOT_FOUND")
	}
	admin.call(t, http.MethodDelete, "/v1/vehicles/x", nil).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "id")
	again := admin.call(t, http.MethodPost, "/v1/vehicles", `{"make":"m","model":"m","year":2000,"vin":"4T1B11HK7KU700123"}`)
	again.expect(t, http.StatusOK, `{"id":8,"make":"m","model":"m","year":2000,"vin":"4T1B11HK7KU700123","vehicleId":"*"}`)
	admin.call(t, http.MethodDelete, "/v1/vehicles/vin/4T1B11HK7KU700123", nil).expect(t, http.StatusNoContent, "")
}

// entity is a row of the registry's list.
type entity struct {
	ID        int64   `json:"id"`
	Make      *string `json:"make"`
	VIN       string  `json:"vin"`
	VehicleID string  `json:"vehicleId"`
}

func TestRegistryList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *durion.Options) { o.ListCap = 6 })
	csr := w.as(t, "CSR")
	for i, c := range []struct {
		make, model string
		year        int
	}{{"Opel", "Blitz", 1930}, {"audi", "A", 2020}, {"Audi", "b", 2020}} {
		vin := fmt.Sprintf("XTESTVHXXXX%06d", i)
		w.admin(t).call(t, http.MethodPost, "/v1/vehicles", map[string]any{"make": c.make, "model": c.model, "year": c.year, "vin": vin})
		w.exec(t, "UPDATE vehicle SET number = ? WHERE vin = ?", 20-i, vin) // so that the ids are not in the order of the UUIDs
	}
	list := func(t *testing.T, query string) (ids []int64, r reply) {
		t.Helper()
		r = csr.call(t, http.MethodGet, "/v1/vehicles?"+query, nil)
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		var rows []entity
		r.into(t, &rows)
		require.NotNil(t, rows)
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
		return ids, r
	}
	for query, want := range map[string][]int64{
		"":                                   {1, 2, 3, 7, 18, 19},
		"sortField=id":                       {1, 2, 3, 7, 18, 19},
		"sortOrder=DESC":                     {20, 19, 18, 7, 3, 2},
		"sortField=make":                     {18, 19, 20, 7, 1, 2},
		"sortField=make&sortOrder=DESC":      {7, 20, 18, 19, 1, 2},
		"sortField=model&sortOrder=ASC":      {7, 19, 18, 20, 1, 2},
		"sortField=year&sortOrder=DESC":      {18, 19, 7, 20, 1, 2},
		"sortField=year&pageSize=2":          {20, 7},
		"pageSize=100":                       {1, 2, 3, 7, 18, 19, 20},
		"pageSize=1000&unknown=1":            {1, 2, 3, 7, 18, 19, 20},
		"pageNumber=0":                       {1, 2, 3, 7, 18, 19, 20},
		"pageNumber=1&pageSize=4":            {18, 19, 20},
		"pageNumber=1":                       nil,
		"pageNumber=2147483647":              nil,
		"pageNumber=2147483647&pageSize=100": nil,
	} {
		t.Run(query, func(t *testing.T) {
			got, r := list(t, query)
			require.Equal(t, want, got)
			require.Equal(t, "7", r.Header.Get("X-Total-Count"))
			truncated := ""
			if !strings.Contains(query, "page") {
				truncated = "true"
			}
			require.Equal(t, truncated, r.Header.Get("X-Result-Truncated"))
		})
	}
	for query, field := range map[string]string{
		"pageNumber=-1": "pageNumber", "pageNumber=x": "pageNumber", "pageNumber=99999999999999999999": "pageNumber", "pageNumber=": "pageNumber", "pageNumber=1.0": "pageNumber",
		"pageSize=0": "pageSize", "pageSize=-5": "pageSize", "sortField=vin": "sortField", "sortField=": "sortField", "sortField=ID": "sortField",
		"sortOrder=asc": "sortOrder", "sortOrder=": "sortOrder", "pageSize=1&pageSize=2": "pageSize",
	} {
		t.Run(query, func(t *testing.T) {
			csr.call(t, http.MethodGet, "/v1/vehicles?"+query, nil).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", field)
		})
	}
	t.Run("only what is in use", func(t *testing.T) {
		w.admin(t).call(t, http.MethodDelete, "/v1/vehicles/2", nil).expect(t, http.StatusNoContent, "")
		got, r := list(t, "")
		require.Equal(t, []int64{1, 3, 7, 18, 19, 20}, got)
		require.Empty(t, r.Header.Get("X-Result-Truncated"), "that is all")
		require.Equal(t, "6", r.Header.Get("X-Total-Count"))
		w.exec(t, "UPDATE vehicle SET status = 'INACTIVE'")
		empty := csr.call(t, http.MethodGet, "/v1/vehicles", nil)
		empty.expect(t, http.StatusOK, `[]`)
		require.Equal(t, "0", empty.Header.Get("X-Total-Count"))
	})
}

// Lists take as many statements for many vehicles as for few.
func TestVehicleListsTakeAFewStatements(t *testing.T) {
	t.Parallel()
	var options durion.Options
	w := newWorld(t, func(o *durion.Options) { options = *o })
	door := durion.New(options)
	count := func(path string, rows int) int {
		ctx, statements := db.CountStatements(t.Context())
		request := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
		request.Header.Set("Authorization", "Bearer "+w.as(t, "CSR").token)
		recorder := httptest.NewRecorder()
		door.ServeHTTP(recorder, request)
		require.Equal(t, http.StatusOK, recorder.Code)
		require.Equal(t, rows, strings.Count(recorder.Body.String(), `"vehicleId"`))
		return statements.Count()
	}
	before := map[string]int{}
	for path, rows := range map[string]int{"/v1/crm/vehicles": 4, "/v1/vehicles": 4, "/v1/crm/vehicles?q=1ftfw": 1} {
		before[path] = count(path, rows)
	}
	for i := range 15 {
		body := fmt.Sprintf(`{"vinNumber":"1FTFWTVHXXX%06d","unitNumber":"1","description":"d"}`, i)
		made := w.admin(t).call(t, http.MethodPost, "/v1/crm/"+[]string{"P1", "P2", "C41"}[i%3]+"/vehicles", body)
		require.Equal(t, http.StatusCreated, made.Status)
	}
	for path, rows := range map[string]int{"/v1/crm/vehicles": 19, "/v1/vehicles": 19, "/v1/crm/vehicles?q=1ftfw": 16} {
		require.Equal(t, before[path], count(path, rows), path)
		require.LessOrEqual(t, before[path], 5, "%s: the tenant, what is found, its rows, their owners and the total", path)
	}
}
