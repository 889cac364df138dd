package durion_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/obs"
	"crmgraph/rest"
	"crmgraph/rest/durion"
)

// routesReached remembers which operation each request reached.
type routesReached struct{ operations sync.Map }

func (o *routesReached) observe(options *durion.Options) {
	before := options.Observe
	options.Observe = func(ctx context.Context, c rest.Call) {
		before(ctx, c)
		o.operations.Store(obs.CorrelationID(ctx), c.Operation)
	}
}

// call sends a request and returns the operation that it reached, empty for none.
func (o *routesReached) call(t *testing.T, c *client, method, path string, body any) (r reply, operation string) {
	t.Helper()
	id := uuid.NewString()
	r = c.call(t, method, path, body, "X-Correlation-Id", id)
	require.Equal(t, id, r.Header.Get("X-Correlation-Id"))
	require.Eventually(t, func() bool {
		found, ok := o.operations.Load(id)
		if ok {
			operation = found.(string)
		}
		return ok
	}, 5e9, 1e6)
	return r, operation
}

// TestRoute has every row of the contract's table of ambiguities (Durion 4), and its neighbours.
func TestRoute(t *testing.T) {
	t.Parallel()
	var o routesReached
	w := newWorld(t, o.observe)
	admin := w.admin(t)
	const vehicle = `{"make":"Tesla","model":"Model 3","year":2019}`
	for _, c := range []struct {
		row, method, path, body string
		operation               string
		status                  int
		says                    string // code, and after a blank the field of a 400 or the Allow header of a 405
	}{
		{"1", "GET", "/v1/crm/accounts/parties/tier", "", "D-05", 404, "NOT_FOUND"},
		{"1", "POST", "/v1/crm/accounts/parties/tier", "{}", "", 405, "METHOD_NOT_ALLOWED GET"},
		{"2", "GET", "/v1/crm/accounts/vehicles/tier", "", "D-13", 404, "NOT_FOUND"},
		{"2", "DELETE", "/v1/crm/accounts/vehicles/tier", "", "D-22", 404, "NOT_FOUND"},
		{"3", "GET", "/v1/crm/parties/vehicles/contacts", "", "D-16", 404, "NOT_FOUND"},
		{"4", "GET", "/v1/crm/parties/vehicles/communicationPreferences", "", "D-14", 404, "NOT_FOUND"},
		{"4", "POST", "/v1/crm/parties/vehicles/communicationPreferences", "{}", "D-15", 404, "NOT_FOUND"},
		{"5", "GET", "/v1/crm/vehicles", "", "D-18", 200, ""},
		{"5", "POST", "/v1/crm/vehicles", "{}", "", 405, "METHOD_NOT_ALLOWED GET"},
		{"5", "PUT", "/v1/crm/vehicles", "{}", "D-27", 404, "NOT_FOUND"},
		{"5", "DELETE", "/v1/crm/vehicles", "", "D-25", 404, "NOT_FOUND"},
		{"6", "GET", "/v1/crm/vehicles/vehicles", "", "D-19", 404, "NOT_FOUND"},
		{"6", "POST", "/v1/crm/vehicles/vehicles", "{}", "D-20", 404, "NOT_FOUND"},
		{"6", "PUT", "/v1/crm/vehicles/vehicles", "{}", "D-21", 404, "NOT_FOUND"},
		{"6", "DELETE", "/v1/crm/vehicles/vehicles", "", "", 405, "METHOD_NOT_ALLOWED GET"},
		{"7", "GET", "/v1/crm/accounts", "", "D-26", 404, "NOT_FOUND"},
		{"7", "GET", "/v1/crm/parties", "", "D-26", 404, "NOT_FOUND"},
		{"7", "PUT", "/v1/crm/accounts", "{}", "D-27", 404, "NOT_FOUND"},
		{"7", "DELETE", "/v1/crm/parties", "", "D-25", 404, "NOT_FOUND"},
		{"7", "POST", "/v1/crm/accounts", "{}", "", 405, "METHOD_NOT_ALLOWED DELETE, GET, PUT"},
		{"8", "GET", "/v1/crm/accounts/parties/search", "", "D-05", 404, "NOT_FOUND"},
		{"8", "PUT", "/v1/crm/accounts/parties/search", "{}", "", 405, "METHOD_NOT_ALLOWED POST"},
		{"9", "GET", "/v1/crm/accounts/tierResolve", "", "", 405, "METHOD_NOT_ALLOWED POST"},
		{"9", "GET", "/v1/crm/accounts/parties", "", "", 405, "METHOD_NOT_ALLOWED POST"},
		{"10", "POST", "/v1/crm/accounts/vehicles", "{}", "D-20", 404, "NOT_FOUND"},
		{"10", "PUT", "/v1/crm/parties/vehicles", "{}", "D-21", 404, "NOT_FOUND"},
		{"10", "GET", "/v1/crm/accounts/vehicles", "", "", 405, "METHOD_NOT_ALLOWED POST, PUT"},
		{"11", "GET", "/v1/vehicles/vin", "", "D-30", 400, "VALIDATION_ERROR id"},
		{"11", "PUT", "/v1/vehicles/vin", vehicle, "D-31", 400, "VALIDATION_ERROR id"},
		{"11", "DELETE", "/v1/vehicles/vin", "", "D-32", 400, "VALIDATION_ERROR id"},
		{"11", "POST", "/v1/vehicles/vin", `{"make":"Tesla","model":"Model 3","year":2019,"vin":"5YJ3E1EA3KF300321"}`, "D-36", 200, ""},
		{"11", "PATCH", "/v1/vehicles/vin", "{}", "", 405, "METHOD_NOT_ALLOWED POST"},
		{"11", "POST", "/v1/vehicles/vin/5YJ3E1EA3KF300321", "{}", "", 405, "METHOD_NOT_ALLOWED DELETE, GET, PUT"},
		{"11", "GET", "/v1/vehicles/vin/vin", "", "D-33", 404, "NOT_FOUND"},
		{"12", "GET", "/v1/vehicles", "", "D-28", 200, ""},
		{"13", "GET", "/v1/crm/41", "", "D-26", 200, ""},
		{"13", "GET", "/v1/vehicles/41", "", "D-30", 404, "NOT_FOUND"},
		{"13", "GET", "/v1/vehicles/7", "", "D-30", 200, ""},
		{"13", "GET", "/v1/crm/7", "", "D-26", 404, "NOT_FOUND"},
		{"14", "GET", "/customer/v1/crm", "", "", 404, "NOT_FOUND"},
		{"14", "GET", "/inventory/v1/vehicles", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/crm/", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/crm/41/", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/vehicles/", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/vehicles/vin/", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1//crm", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/crm//41", "", "", 404, "NOT_FOUND"},
		{"", "GET", "//v1/crm", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/crm/accounts/../41", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/./crm", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/crm/..", "", "D-26", 400, "VALIDATION_ERROR id"},
		{"", "GET", "/v1/crm%2F41", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/crm/accounts%2Fparties%2FP1", "", "D-26", 400, "VALIDATION_ERROR id"},
		{"", "GET", "/v1/crm/accounts/parties/P1%2Fcontacts", "", "D-05", 404, "NOT_FOUND"},
		{"", "GET", "/v1/crm/accounts/parties/%50%31", "", "D-05", 404, "NOT_FOUND"},
		{"", "GET", "/v1/%63rm/accounts/parties/P1", "", "D-05", 200, ""},
		{"", "GET", "/v1/crm/accounts/parties/a%00b", "", "D-05", 404, "NOT_FOUND"},
		{"", "GET", "/v1/crm/accounts/parties/%FF%FE", "", "D-05", 404, "NOT_FOUND"},
		{"", "GET", "/V1/crm", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/CRM", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/crm/Accounts/parties/P1", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/crm/accounts/parties/P1/communication-preferences", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/crm/accounts/parties/P1/communicationpreferences", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/crm/accounts/parties/P1/billingRules", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/crm/snapshot/P1/x/y", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/crm/accounts/parties/P1/contacts/K1/roles/x", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/vehicles/7/preferences", "", "", 404, "NOT_FOUND"},
		{"", "GET", "/v1/vehicles/search", "", "D-30", 400, "VALIDATION_ERROR id"},
		{"", "PATCH", "/v1/crm/41", "{}", "", 405, "METHOD_NOT_ALLOWED DELETE, GET, PUT"},
		{"", "OPTIONS", "/v1/crm", "", "", 405, "METHOD_NOT_ALLOWED GET, POST"},
		{"", "TRACE", "/v1/crm/accounts/parties/P1", "", "", 405, "METHOD_NOT_ALLOWED GET"},
		{"", "get", "/v1/crm/accounts/parties/P1", "", "", 405, "METHOD_NOT_ALLOWED GET"},
		{"", "BREW", "/v1/crm/accounts/parties/P1/merge", "", "", 405, "METHOD_NOT_ALLOWED POST"},
		{"", "PUT", "/v1/crm/accounts/parties/P1/contacts", "{}", "", 405, "METHOD_NOT_ALLOWED GET"},
		{"", "PATCH", "/v1/crm/accounts/parties/P1/communicationPreferences", "{}", "", 405, "METHOD_NOT_ALLOWED GET, POST"},
		{"", "PATCH", "/v1/crm/C41/vehicles/V3", "{}", "", 405, "METHOD_NOT_ALLOWED DELETE, GET"},
		{"", "POST", "/v1/crm/C41/vehicles/V3/transfer", "{}", "", 405, "METHOD_NOT_ALLOWED PUT"},
	} {
		t.Run(strings.TrimSpace(c.row+" "+c.method+" "+c.path), func(t *testing.T) {
			t.Parallel()
			var body any
			if c.body != "" {
				body = c.body
			}
			r, operation := o.call(t, admin, c.method, c.path, body)
			require.Equal(t, c.operation, operation)
			require.Equal(t, c.status, r.Status, "%s", r.Body)
			code, detail, _ := strings.Cut(c.says, " ")
			switch {
			case code == "":
				return
			case c.status == http.StatusMethodNotAllowed:
				require.Equal(t, detail, r.Header.Get("Allow"))
				r.refused(t, c.status, code)
			case detail != "":
				r.refused(t, c.status, code, detail)
			default:
				r.refused(t, c.status, code)
			}
		})
	}
}

// leadingNowhere is a route's path with ids that lead nowhere.
func leadingNowhere(r rest.Route) string {
	return pathWith(r, map[string]string{
		"{partyId}": "nobody", "{accountId}": "nobody", "{contactId}": "nobody", "{vehicleId}": "nothing", "{customerId}": "nobody",
		"{id}": "999999", "{vin}": "1HGCM82633A999999",
	})
}

// pathWith is a route's path with values for its variables.
func pathWith(r rest.Route, values map[string]string) string {
	segments := strings.Split(r.Path, "/")
	for i, segment := range segments {
		if value, ok := values[segment]; ok {
			segments[i] = value
		}
	}
	return strings.Join(segments, "/")
}

func isRegistry(r rest.Route) bool { return strings.HasPrefix(r.Path, "/v1/vehicles") }

// emptyBody is a body where the route has one.
func emptyBody(r rest.Route) any {
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		return "{}"
	}
	return nil
}

func TestRouteTable(t *testing.T) {
	t.Parallel()
	routes := durion.Routes()
	require.Len(t, routes, 36)
	ids, operations := map[string]bool{}, map[string]bool{}
	for i, r := range routes {
		require.Equal(t, i+1, int(r.ID[2]-'0')*10+int(r.ID[3]-'0'), r.ID)
		require.Regexp(t, `^D-\d\d$`, r.ID)
		require.NotEmpty(t, r.Graph, r.ID)
		require.Falsef(t, ids[r.ID] || operations[r.Operation], "%s is there twice", r.ID)
		ids[r.ID], operations[r.Operation] = true, true
	}
	t.Run("every route is reached", func(t *testing.T) {
		t.Parallel()
		var o routesReached
		stranger := newWorld(t, o.observe).holding(t)
		for _, r := range routes {
			got, operation := o.call(t, stranger, r.Method, leadingNowhere(r), emptyBody(r))
			require.Equal(t, r.ID, operation)
			got.refused(t, http.StatusForbidden, "FORBIDDEN")
		}
	})
}

// A reserved word never stands for a record, whatever the method (Durion 1.2).
func TestRouteReservedWords(t *testing.T) {
	t.Parallel()
	var o routesReached
	w := newWorld(t, o.observe)
	admin := w.admin(t)
	literal := map[string]bool{}
	for _, r := range durion.Routes() {
		literal[r.Method+" "+r.Path] = true
	}
	for _, r := range durion.Routes() {
		for segment := range strings.SplitSeq(r.Path, "/") {
			if !strings.HasPrefix(segment, "{") {
				continue
			}
			for _, word := range []string{"accounts", "parties", "vehicles"} {
				route := r
				route.Path = strings.Replace(r.Path, segment, word, 1)
				if literal[route.Method+" "+route.Path] {
					continue // such as GET /v1/crm/vehicles
				}
				got, _ := o.call(t, admin, r.Method, leadingNowhere(route), emptyBody(r))
				got.refused(t, http.StatusNotFound, "NOT_FOUND")
			}
		}
	}
}

// Every answer that is not good has the five members and nothing else (Durion 1.4, 5 row 6).
func TestRouteErrorShape(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	const create = "/v1/crm/accounts/parties"
	for code, r := range map[string]reply{
		"UNAUTHORIZED":           w.anonymous().call(t, "GET", "/v1/crm", nil, "X-Correlation-Id", "gx-25"),
		"FORBIDDEN":              w.holding(t, crm.PartyView).call(t, "POST", create, "{}", "X-Correlation-Id", "gx-25"),
		"NOT_FOUND":              admin.call(t, "GET", create+"/nobody", nil, "X-Correlation-Id", "gx-25"),
		"METHOD_NOT_ALLOWED":     admin.call(t, "GET", create, nil, "X-Correlation-Id", "gx-25"),
		"PAYLOAD_TOO_LARGE":      admin.call(t, "POST", create, strings.Repeat(" ", 1<<20+1), "X-Correlation-Id", "gx-25"),
		"UNSUPPORTED_MEDIA_TYPE": admin.call(t, "POST", create, "{}", "X-Correlation-Id", "gx-25", "Content-Type", "text/plain"),
	} {
		r.expect(t, r.Status, `{"code":"`+code+`","message":"*","correlationId":"gx-25","timestamp":"*","fieldErrors":[]}`)
		require.Equal(t, "application/json", r.Header.Get("Content-Type"))
		require.Equal(t, "gx-25", r.Header.Get("X-Correlation-Id"))
		require.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`, r.object(t)["timestamp"])
	}
	admin.call(t, "POST", create, "{", "X-Correlation-Id", "gx-25").expect(t, http.StatusBadRequest, `{"code":"VALIDATION_ERROR","message":"*",
		"correlationId":"gx-25","timestamp":"*","fieldErrors":[{"field":"$","message":"*"}]}`)
}

func TestRouteCorrelation(t *testing.T) {
	t.Parallel()
	admin := newWorld(t).admin(t)
	for given, kept := range map[string]bool{
		"gx-1": true, strings.Repeat("x", 128): true, strings.Repeat("x", 129): false, "a b": false, "é": false,
	} {
		r := admin.call(t, "GET", "/v1/crm/accounts/parties/nobody", nil, "X-Correlation-Id", given)
		echoed := r.Header.Get("X-Correlation-Id")
		require.Equal(t, echoed, r.object(t)["correlationId"])
		require.Equal(t, kept, echoed == given)
		if !kept {
			require.NoError(t, uuid.Validate(echoed))
		}
	}
	r := admin.call(t, "GET", "/v1/crm/accounts/parties/nobody", nil, "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	require.Equal(t, "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", r.object(t)["correlationId"])
}

// What nobody reads is ignored, be it given twice or unreadable.
func TestRouteIgnoresUnknownParameters(t *testing.T) {
	t.Parallel()
	admin := newWorld(t).admin(t)
	for _, query := range []string{"?zz=1&zz=2", "?zz=%zz", "?a;b", "?zz=%00"} {
		r := admin.call(t, http.MethodGet, "/v1/crm/accounts/parties/P1"+query, nil)
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
	}
	admin.call(t, http.MethodGet, "/v1/crm?pageSize=1&pageSize=2", nil).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "pageSize")
	admin.call(t, http.MethodGet, "/v1/crm?zz=%zz", nil).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "$")
}

// Lists are paged alike (Durion 1.3, 5 rows 4 and 5).
func TestRoutePaging(t *testing.T) {
	t.Parallel()
	admin := newWorld(t).admin(t)
	for _, path := range []string{"/v1/crm", "/v1/vehicles", "/v1/crm/vehicles"} {
		for query, field := range map[string]string{
			"pageNumber=-1": "pageNumber", "pageNumber=x": "pageNumber", "pageNumber=1.0": "pageNumber", "pageNumber=": "pageNumber", "pageSize=0": "pageSize",
			"pageSize=-5": "pageSize", "pageSize=many": "pageSize", "sortField=colour": "sortField", "sortField=ID": "sortField", "sortOrder=asc": "sortOrder", "sortOrder=UP": "sortOrder",
		} {
			body := admin.call(t, http.MethodGet, path+"?"+query, nil).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", field)
			_, sent, _ := strings.Cut(query, "=")
			require.Equal(t, sent, body["fieldErrors"].([]any)[0].(map[string]any)["rejectedValue"], "%s?%s", path, query)
		}
		for _, query := range []string{"pageSize=500", "pageNumber=0", "pageNumber=100000&pageSize=100", "sortOrder=ASC", "sortOrder=DESC"} {
			require.Equal(t, http.StatusOK, admin.call(t, http.MethodGet, path+"?"+query, nil).Status, "%s?%s", path, query)
		}
	}
	for body, field := range map[string]string{
		`"pageNumber":-1`: "pageNumber", `"pageNumber":"0"`: "pageNumber", `"pageSize":0`: "pageSize", `"pageSize":1.5`: "pageSize",
		`"sortField":"colour"`: "sortField", `"sortOrder":"asc"`: "sortOrder", `"sortOrder":1`: "sortOrder",
	} {
		admin.call(t, http.MethodPost, "/v1/crm/accounts/parties/search", `{"name":"harbor",`+body+`}`).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", field)
	}
}
