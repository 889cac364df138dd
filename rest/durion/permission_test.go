package durion_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/rest"
	"crmgraph/rest/durion"
)

// neededFor are what the contract asks for (Durion 1.7).
var neededFor = map[crm.Permission][]string{
	"crm:party:view":                     {"D-01", "D-05", "D-12", "D-13", "D-26"},
	"crm:party:create":                   {"D-02", "D-03"},
	"crm:party:edit":                     {"D-27"},
	"crm:party:deactivate":               {"D-25"},
	"crm:party:search":                   {"D-04"},
	"crm:party:merge":                    {"D-10"},
	"crm:contact_preference:view":        {"D-06", "D-14"},
	"crm:contact_preference:edit":        {"D-07", "D-15"},
	"crm:contact:view":                   {"D-08", "D-16"},
	"crm:contact_role:assign":            {"D-09", "D-17"},
	"crm:vehicle:create":                 {"D-11", "D-20", "D-29", "D-36"},
	"crm:vehicle:search":                 {"D-18"},
	"crm:vehicle:view":                   {"D-19", "D-23", "D-28", "D-30", "D-33"},
	"crm:vehicle:edit":                   {"D-21", "D-31", "D-34"},
	"crm:vehicle:deactivate":             {"D-22", "D-32", "D-35"},
	"crm:vehicle_party_association:edit": {"D-24"},
}

// What the default roles may not do (Durion 1.7).
var roleForbids = map[string][]string{
	"CSR": {
		"D-02", "D-03", "D-07", "D-10", "D-11", "D-15", "D-20", "D-21", "D-22", "D-24", "D-25", "D-27",
		"D-29", "D-31", "D-32", "D-34", "D-35", "D-36",
	},
	"FLEET_MANAGER": {"D-10", "D-22", "D-25", "D-32", "D-35"},
	"ADMIN":         {},
}

func neededBy(t *testing.T, id string) crm.Permission {
	t.Helper()
	for p, ids := range neededFor {
		if slices.Contains(ids, id) {
			return p
		}
	}
	require.Fail(t, "no permission for "+id)
	return ""
}

// everythingBut is everything but one permission.
func everythingBut(t *testing.T, missing crm.Permission) []crm.Permission {
	t.Helper()
	all, ok := crm.RolePermissions("ADMIN")
	require.True(t, ok)
	rest := slices.DeleteFunc(all, func(p crm.Permission) bool { return p == missing })
	require.Len(t, rest, len(all)-1)
	return rest
}

// let asserts that a caller came past the permissions.
func (r reply) let(t *testing.T, of string) {
	t.Helper()
	require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotImplemented}, r.Status, "%s: %s", of, r.Body)
	require.Less(t, r.Status, http.StatusInternalServerError, "%s: %s", of, r.Body)
}

func TestPermission(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	roles := map[string]*client{}
	for role := range roleForbids {
		roles[role] = w.as(t, role)
	}
	for _, r := range durion.Routes() {
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			need := neededBy(t, r.ID)
			call := func(c *client, header ...string) reply {
				return c.call(t, r.Method, leadingNowhere(r), emptyBody(r), header...)
			}
			anonymous := call(w.anonymous(), "X-Correlation-Id", "gx-25")
			anonymous.expect(t, http.StatusUnauthorized, `{"code":"UNAUTHORIZED","message":"*","correlationId":"gx-25","timestamp":"*","fieldErrors":[]}`)
			require.Equal(t, []string{"Bearer"}, anonymous.Header.Values("WWW-Authenticate"))
			call(&client{w, "a.b.c"}).refused(t, http.StatusUnauthorized, "UNAUTHORIZED")
			for role, c := range roles {
				if slices.Contains(roleForbids[role], r.ID) {
					call(c).refused(t, http.StatusForbidden, "FORBIDDEN")
					continue
				}
				call(c).let(t, role)
			}
			call(w.holding(t, need)).let(t, string(need))
			body := call(w.holding(t, everythingBut(t, need)...)).refused(t, http.StatusForbidden, "FORBIDDEN")
			require.Contains(t, body["message"], need)
			require.Len(t, body, 5, "nothing of what there is")
		})
	}
}

// Who may not, never learns whether an id exists or what is wrong with a body.
func TestPermissionBeforeEverythingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stranger := w.holding(t)
	for _, r := range durion.Routes() {
		for _, c := range []*client{stranger, w.anonymous()} {
			status, code := http.StatusForbidden, "FORBIDDEN"
			if c != stranger {
				status, code = http.StatusUnauthorized, "UNAUTHORIZED"
			}
			c.call(t, r.Method, leadingSomewhere(r), "{").refused(t, status, code)
			c.call(t, r.Method, leadingNowhere(r)+"?a=%zz", "{", "Content-Type", "text/plain").refused(t, status, code)
		}
	}
}

// Literal stubs answer 501 to whoever may, without looking at ids or bodies (Durion 1.8).
func TestLiteralStubs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *durion.Options) { o.LiteralStubs = true })
	admin := w.admin(t)
	stubs := 0
	for _, r := range durion.Routes() {
		if !isStub(r.ID) {
			admin.call(t, r.Method, leadingNowhere(r), emptyBody(r)).let(t, r.ID)
			continue
		}
		stubs++
		need := neededBy(t, r.ID)
		w.anonymous().call(t, r.Method, leadingNowhere(r), emptyBody(r)).refused(t, http.StatusUnauthorized, "UNAUTHORIZED")
		w.holding(t, everythingBut(t, need)...).call(t, r.Method, leadingSomewhere(r), emptyBody(r)).refused(t, http.StatusForbidden, "FORBIDDEN")
		holder := w.holding(t, need)
		for _, path := range []string{leadingSomewhere(r), leadingNowhere(r), leadingNowhere(r) + "?pageSize=0&a=%zz"} {
			for _, body := range []any{nil, "{", `{"version":true}`} {
				for _, c := range []*client{admin, holder} {
					c.call(t, r.Method, path, body, "X-Correlation-Id", "gx-1").expect(t, http.StatusNotImplemented,
						`{"code":"NOT_IMPLEMENTED","message":"*","correlationId":"gx-1","timestamp":"*","fieldErrors":[]}`)
				}
			}
		}
	}
	require.Equal(t, 13, stubs)
	admin.call(t, http.MethodPatch, "/v1/crm/accounts/P1/tier", "{}").refused(t, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
	admin.call(t, http.MethodPut, "/v1/crm/vehicles/vehicles", "{}").refused(t, http.StatusNotImplemented, "NOT_IMPLEMENTED")
}

// leadingSomewhere is a route's path with the ids of records.
func leadingSomewhere(r rest.Route) string {
	return pathWith(r, map[string]string{
		"{partyId}": "P1", "{accountId}": "P1", "{contactId}": "K1", "{vehicleId}": "V3", "{customerId}": "C41", "{vin}": "1FTFW1E53PFA10001",
		"{id}": map[bool]string{true: "7", false: "41"}[isRegistry(r)],
	})
}
