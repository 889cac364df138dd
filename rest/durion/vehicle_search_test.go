package durion_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// vehicleLot is what the searches look through.
func vehicleLot(t *testing.T, w *world) {
	t.Helper()
	for _, c := range []struct{ party, vin, unit, plate, region, description string }{
		{"P1", "ZZ9PLNT0000000001", "U-0", "A-1", "WA", "one"},
		{"P3", "ZZ9PLNT0000000002", "u-00", "A-2", "OR", "two"},
		{"P3", "2T3P1RFV6NC300771", "U-1", "ZZ9-PLNT", "WA", "three"},
		{"P3", "2T3P1RFV6NC300772", "ZZ9 plnt", "A-4", "WA", "four"},
		{"C41", "2T3P1RFV6NC300773", "U-3", "A-5", "WA", "zz9-plnt of old"},
		{"P3", "2T3P1RFV6NC300774", "NG-4", "AZZ9 PLNT", "US-WA", "five"},
	} {
		made := w.admin(t).call(t, http.MethodPost, "/v1/crm/"+c.party+"/vehicles", fmt.Sprintf(
			`{"vinNumber":"%s","unitNumber":"%s","licensePlate":"%s","licensePlateRegion":"%s","description":"%s"}`, c.vin, c.unit, c.plate, c.region, c.description))
		require.Equal(t, http.StatusCreated, made.Status)
	}
	w.admin(t).call(t, http.MethodPost, "/v1/crm/P2/vehicles", `{"vinNumber":"ZZ9PLNT0000000009","unitNumber":"gone","description":"gone"}`)
	w.admin(t).call(t, http.MethodDelete, "/v1/vehicles/vin/ZZ9PLNT0000000009", nil).expect(t, http.StatusNoContent, "")
}

// foundVehicles is the answer to a search.
type foundVehicles struct {
	Results []struct {
		VINNumber, MatchType string
		Owner                *struct{ PartyID string }
	}
	TotalCount, PageNumber, PageSize, TotalPages int
}

func TestSearchVehicles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	vehicleLot(t, w)
	csr := w.as(t, "CSR")
	search := func(t *testing.T, query string) (rows []string, all foundVehicles) {
		t.Helper()
		r := csr.call(t, http.MethodGet, "/v1/crm/vehicles?"+query, nil)
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		r.into(t, &all)
		require.NotNil(t, all.Results)
		rows = []string{}
		for _, v := range all.Results {
			row := v.VINNumber[14:]
			if v.MatchType != "" {
				row += " " + v.MatchType
			}
			rows = append(rows, row)
		}
		return rows, all
	}
	for _, c := range []struct {
		name, query string
		want        []string
	}{
		{"the best come first", "q=zz9plnt", []string{"771 PLATE", "772 GENERAL", "001 VIN_PREFIX", "002 VIN_PREFIX", "773 GENERAL"}},
		{"also when downwards is asked for", "q=zz9plnt&sortOrder=DESC&sortField=relevance", []string{"771 PLATE", "772 GENERAL", "001 VIN_PREFIX", "002 VIN_PREFIX", "773 GENERAL"}},
		{"the best come last", "q=zz9plnt&sortOrder=ASC", []string{"773 GENERAL", "001 VIN_PREFIX", "002 VIN_PREFIX", "772 GENERAL", "771 PLATE"}},
		{"contained, when asked for", "q=zz9+plnt&enableContains=true", []string{"771 PLATE", "772 GENERAL", "001 VIN_PREFIX", "002 VIN_PREFIX", "773 GENERAL", "774 PLATE"}},
		{"not contained, when not asked for", "q=zz9+plnt&enableContains=false&vin=2T3P1R", []string{"771 PLATE", "772 GENERAL", "773 GENERAL"}},
		{"the whole VIN", "q=zz9-plnt+0000000001", []string{"001 VIN_EXACT"}},
		{"ng4 finds NG-4", "q=ng4", []string{"774 GENERAL"}},
		{"one order of others", "q=zz9plnt&sortField=vinNumber&sortOrder=ASC", []string{"771 PLATE", "772 GENERAL", "773 GENERAL", "001 VIN_PREFIX", "002 VIN_PREFIX"}},
		{"by VIN", "vin=zz9-pln&sortField=vinNumber&sortOrder=ASC", []string{"001", "002"}},
		{"the newest first", "vin=ZZ9PLN", []string{"002", "001"}},
		{"the oldest first", "vin=ZZ9PLN&sortOrder=ASC", []string{"001", "002"}},
		{"by plate", "licensePlate=zz+9", []string{"771"}},
		{"by unit number", "unitNumber=Z-Z-9", []string{"772"}},
		{"by region", "q=zz9&licensePlateRegion=or", []string{"002 VIN_PREFIX"}},
		{"by owner", "partyId=C41&sortField=createdAt&sortOrder=ASC", []string{"123", "773"}},
		{"by owner and more", "partyId=C41&q=zz9", []string{"773 GENERAL"}},
		{"an owner that is nobody", "partyId=nobody", []string{}},
		{"an owner's number is none of its ids", "partyId=41", []string{}},
		{"those that are gone", "status=INACTIVE", []string{"009"}},
		{"all of them", "status=ALL&vin=zz9plnt&sortField=vinNumber&sortOrder=ASC", []string{"001", "002", "009"}},
		{"those that are there", "status=ACTIVE&vin=zz9plnt&sortField=vinNumber&sortOrder=DESC", []string{"002", "001"}},
		{"by unit number, missing ones last", "sortField=unitNumber&sortOrder=ASC&pageSize=100", []string{"774", "001", "001", "002", "771", "773", "301", "772", "123", "999"}},
		{"by unit number downwards, missing ones last", "sortField=unitNumber&pageSize=5&pageNumber=1", []string{"001", "001", "774", "123", "999"}},
		{"signs of patterns are none", "q=%25%25%25", []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows, _ := search(t, c.query)
			require.Equal(t, c.want, rows)
		})
	}
	t.Run("a page", func(t *testing.T) {
		rows, all := search(t, "q=zz9plnt&pageSize=2&pageNumber=1")
		require.Equal(t, []string{"001 VIN_PREFIX", "002 VIN_PREFIX"}, rows)
		require.Equal(t, []int{5, 1, 2, 3}, []int{all.TotalCount, all.PageNumber, all.PageSize, all.TotalPages})
		for query, want := range map[string][]int{
			"q=zz9plnt&pageSize=2&pageNumber=9": {5, 9, 2, 3}, "pageSize=1000&pageNumber=2147483647": {10, 2147483647, 100, 1}, "vin=ZZZZZZ": {0, 0, 20, 0},
		} {
			rows, all = search(t, query)
			require.Empty(t, rows)
			require.Equal(t, want, []int{all.TotalCount, all.PageNumber, all.PageSize, all.TotalPages})
		}
	})
	t.Run("a row shows its owner, and what was found in it when a text was looked for", func(t *testing.T) {
		csr.call(t, http.MethodGet, "/v1/crm/vehicles?q=1ftfw1e53pfa10001", nil).expect(t, http.StatusOK, `{"results":[{"vehicleId":"V1","partyId":"P1","vinNumber":"1FTFW1E53PFA10001","unitNumber":"T-101",
			"status":"ACTIVE","version":"1","createdAt":"*","updatedAt":"*","matchType":"VIN_EXACT","owner":{"partyId":"P1","displayName":"Harbor Freightlines Inc","partyType":"ORGANIZATION"}}],
			"totalCount":1,"pageNumber":0,"pageSize":20,"totalPages":1}`)
		csr.call(t, http.MethodGet, "/v1/crm/vehicles?vin=1XPBDP9X4", nil).expect(t, http.StatusOK, `{"results":[{"vehicleId":"R7","vinNumber":"1XPBDP9X4FD300999",
			"make":"Peterbilt","model":"579","year":2015,"status":"ACTIVE","version":"1","createdAt":"*","updatedAt":"*"}],"totalCount":1,"pageNumber":0,"pageSize":20,"totalPages":1}`)
	})
	for query, c := range map[string]struct {
		code   string
		fields []string
	}{
		"q=ng":                               {"QUERY_TOO_SHORT", []string{"q"}},
		"q=":                                 {"QUERY_TOO_SHORT", []string{"q"}},
		"q=a+-+b":                            {"QUERY_TOO_SHORT", []string{"q"}},
		"vin=ZZ9PL&licensePlate=a-5":         {"QUERY_TOO_SHORT", []string{"vin", "licensePlate"}},
		"q=n-4&unitNumber=4&licensePlate=x":  {"QUERY_TOO_SHORT", []string{"q", "unitNumber", "licensePlate"}},
		"q=ng&status=gone":                   {"VALIDATION_ERROR", []string{"q", "status"}},
		"status=active":                      {"VALIDATION_ERROR", []string{"status"}},
		"status=":                            {"VALIDATION_ERROR", []string{"status"}},
		"enableContains=yes":                 {"VALIDATION_ERROR", []string{"enableContains"}},
		"sortField=relevance":                {"VALIDATION_ERROR", []string{"sortField"}},
		"sortField=vin":                      {"VALIDATION_ERROR", []string{"sortField"}},
		"sortField=x&sortOrder=y&pageSize=0": {"VALIDATION_ERROR", []string{"pageSize", "sortField", "sortOrder"}},
		"pageNumber=-1":                      {"VALIDATION_ERROR", []string{"pageNumber"}},
		"q=%00%00%00":                        {"VALIDATION_ERROR", []string{"q"}},
		"q=%ff%ff%ff":                        {"VALIDATION_ERROR", []string{"q"}},
		"partyId=%00":                        {"VALIDATION_ERROR", []string{"partyId"}},
		"q=abc&q=abc":                        {"VALIDATION_ERROR", []string{"q"}},
	} {
		t.Run(query, func(t *testing.T) {
			csr.call(t, http.MethodGet, "/v1/crm/vehicles?"+query, nil).refused(t, http.StatusBadRequest, c.code, c.fields...)
		})
	}
	csr.call(t, http.MethodPost, "/v1/crm/vehicles", `{}`).refused(t, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
}
