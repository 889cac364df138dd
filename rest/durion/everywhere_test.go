package durion_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/obs"
	"crmgraph/rest"
	"crmgraph/rest/durion"
)

// sample is a request of an operation, made of the examples in openapi.yaml.
type sample struct {
	rest.Route

	path string
	body any // JSON text, nil for none
}

// samples are a request of each operation. They are good ones for the contract's records.
func samples(t testing.TB) []sample {
	t.Helper()
	var all []sample
	for _, route := range durion.Routes() {
		s := sample{Route: route, path: route.Path}
		item := contract().Paths.Value(route.Path)
		for _, parameter := range item.Parameters {
			if p := parameter.Value; p.In == "path" {
				s.path = strings.ReplaceAll(s.path, "{"+p.Name+"}", jsonText(t, p.Example))
			}
		}
		if body := item.GetOperation(route.Method).RequestBody; body != nil {
			s.body = exampleOf(t, body.Value.Content)
		}
		all = append(all, s)
	}
	return all
}

// call sends the sample, with a correlation id that must come back.
func (s sample) call(t testing.TB, c *client, header ...string) reply {
	t.Helper()
	got := c.call(t, s.Method, s.path, s.body, append([]string{obs.CorrelationHeader, "gx-25"}, header...)...)
	require.Equal(t, []string{"gx-25"}, got.Header.Values(obs.CorrelationHeader), s.ID)
	return got
}

// nowhere is the sample addressed to records that there are not, without sense in its body.
func (s sample) nowhere() sample {
	item := contract().Paths.Value(s.Path)
	s.path = s.Path
	for _, parameter := range item.Parameters {
		s.path = strings.ReplaceAll(s.path, "{"+parameter.Value.Name+"}", "nobody")
	}
	if s.body != nil {
		s.body = "{nonsense"
	}
	return s
}

// errorText is the whole body of an error that is not about fields.
func errorText(code string) string {
	return `{"code":"` + code + `","message":"*","correlationId":"gx-25","timestamp":"*","fieldErrors":[]}`
}

func TestEverywhereTheExamplesWork(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		t.Run(s.ID, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t) // which many of them change
			got := s.call(t, w.admin(t))
			require.Less(t, got.Status, http.StatusMultipleChoices, "%s", got.Body)
		})
	}
}

func TestEverywhereATokenIsNeeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, s := range samples(t) {
		for _, s := range []sample{s, s.nowhere()} {
			got := s.call(t, w.anonymous())
			got.expect(t, http.StatusUnauthorized, errorText("UNAUTHORIZED"))
			require.Equal(t, []string{"Bearer"}, got.Header.Values("WWW-Authenticate"), s.ID)
		}
		got := s.call(t, &client{w, "nonsense"})
		got.expect(t, http.StatusUnauthorized, errorText("UNAUTHORIZED"))
		require.Equal(t, []string{"Bearer"}, got.Header.Values("WWW-Authenticate"), s.ID)
	}
}

func TestEverywhereThePermissionIsNeeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	others := map[crm.Permission]*client{}
	for _, s := range samples(t) {
		if others[s.Permission] == nil {
			var rest []crm.Permission
			all, _ := crm.RolePermissions("ADMIN")
			for _, p := range all {
				if p != s.Permission {
					rest = append(rest, p)
				}
			}
			others[s.Permission] = w.holding(t, rest...)
		}
		for _, s := range []sample{s, s.nowhere()} {
			s.call(t, others[s.Permission]).expect(t, http.StatusForbidden, errorText("FORBIDDEN"))
		}
	}
}

func TestEverywhereBodiesAreJSONOfAReasonableSize(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	for _, s := range samples(t) {
		if s.body == nil {
			continue
		}
		for _, header := range [][]string{
			{"Content-Type", "text/plain"}, {"Content-Type", "application/jsonp"}, {"Content-Type", "application/json; charset"},
			{"Content-Encoding", "gzip"},
		} {
			s.call(t, admin, header...).expect(t, http.StatusUnsupportedMediaType, errorText("UNSUPPORTED_MEDIA_TYPE"))
		}
		for _, body := range []string{"", "{", "[]", "null", `"text"`, `{"a":1}{}`, "\xff"} {
			s.body = body
			s.call(t, admin).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "$")
		}
		s.body = strings.Repeat(" ", 1<<20+1)
		s.call(t, admin).expect(t, http.StatusRequestEntityTooLarge, errorText("PAYLOAD_TOO_LARGE"))
	}
}

func TestEverywhereABrokenDatabaseIsAnInternalError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	admin.call(t, http.MethodGet, "/v1/crm/accounts/parties/P1", nil) // the token is known from now on
	w.store.DB.Close()
	for _, s := range samples(t) {
		s.call(t, admin).expect(t, http.StatusInternalServerError, errorText("INTERNAL_ERROR"))
	}
}

func TestEverywhereStubsCanBeLeftUnserved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *durion.Options) { o.LiteralStubs = true })
	admin, nobody := w.admin(t), w.holding(t)
	stubs := 0
	for _, s := range samples(t) {
		if s.ID < "D-12" || s.ID > "D-24" {
			require.NotEqual(t, http.StatusNotImplemented, s.nowhere().call(t, admin).Status, s.ID)
			continue
		}
		stubs++
		for _, s := range []sample{s, s.nowhere()} {
			s.call(t, w.anonymous()).expect(t, http.StatusUnauthorized, errorText("UNAUTHORIZED"))
			s.call(t, nobody).expect(t, http.StatusForbidden, errorText("FORBIDDEN"))
			s.call(t, admin).expect(t, http.StatusNotImplemented, errorText("NOT_IMPLEMENTED"))
		}
	}
	require.Equal(t, 13, stubs)
}

func TestEverywhereUnknownPathsAndMethodsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []*client{w.admin(t), w.anonymous()} {
		for _, s := range samples(t) {
			unknown := sample{Route: s.Route, path: s.path + "/"}
			unknown.call(t, c).expect(t, http.StatusNotFound, errorText("NOT_FOUND"))
			unknown.Method = "BREW"
			unknown.path = s.path
			got := unknown.call(t, c)
			got.expect(t, http.StatusMethodNotAllowed, errorText("METHOD_NOT_ALLOWED"))
			require.Contains(t, strings.Split(got.Header.Get("Allow"), ", "), s.Method)
		}
	}
}

func TestEverywhereReservedWordsAreNoIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	for _, s := range samples(t) {
		for _, word := range []string{"accounts", "parties", "vehicles"} {
			s.path = s.Path
			for _, parameter := range contract().Paths.Value(s.Path).Parameters {
				s.path = strings.ReplaceAll(s.path, "{"+parameter.Value.Name+"}", word)
			}
			if request, err := http.NewRequest(s.Method, s.path, nil); s.path != s.Path && operationID(t, request, err) == s.Operation {
				s.call(t, admin).expect(t, http.StatusNotFound, errorText("NOT_FOUND"))
			}
		}
	}
}

func operationID(t testing.TB, request *http.Request, err error) string {
	t.Helper()
	require.NoError(t, err)
	route, _ := documented(request)
	return route.Operation.OperationID
}

// ofParties are the samples that address a party: P1 or C41.
func ofParties(t testing.TB) []sample {
	t.Helper()
	var some []sample
	for _, s := range samples(t) {
		if slices.Contains(outcomes(), outcome{s.Operation, http.StatusConflict, "PARTY_MERGED"}) {
			some = append(some, s)
		}
	}
	return some
}

func TestEverywhereAMergedPartyLeadsToTheSurvivor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	for survivor, loser := range map[string]string{"P2": "P1", "C42": "C41"} {
		merged := admin.call(t, http.MethodPost, "/v1/crm/accounts/parties/"+survivor+"/merge", map[string]string{"losingPartyId": loser, "justification": "the same"})
		require.Equal(t, http.StatusOK, merged.Status, "%s", merged.Body)
	}
	for _, s := range ofParties(t) {
		survivor := `"mergedToPartyId":"P2"}`
		if strings.Contains(s.path, "/41") {
			survivor = `"mergedToPartyId":"C42","mergedToCustomerId":42}`
		}
		s.call(t, admin).expect(t, http.StatusConflict, strings.TrimSuffix(errorText("PARTY_MERGED"), "}")+","+survivor)
	}
}

func TestEverywhereADeactivatedPartyIsNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	w.exec(t, "UPDATE party SET status = 'INACTIVE', deactivated_at = now() WHERE id = ?", named["P1"])
	require.Equal(t, http.StatusNoContent, admin.call(t, http.MethodDelete, "/v1/crm/41", nil).Status)
	for _, s := range ofParties(t) {
		s.call(t, admin).expect(t, http.StatusNotFound, errorText("NOT_FOUND"))
	}
}

func TestEverywhereWhatThereIsNotIsNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(t)
	for _, s := range samples(t) {
		if !slices.Contains(outcomes(), outcome{s.Operation, http.StatusNotFound, "NOT_FOUND"}) {
			continue
		}
		s.path = strings.NewReplacer("{id}", "999999", "{vin}", "5YJ3E1EA3KF300321", "{customerId}", "999999",
			"{partyId}", "nobody", "{contactId}", "nobody", "{accountId}", "nobody", "{vehicleId}", "nobody").Replace(s.Path)
		if text, ok := s.body.(string); ok {
			s.body = strings.ReplaceAll(text, named["P1"], "nobody")
		}
		s.call(t, admin).expect(t, http.StatusNotFound, errorText("NOT_FOUND"))
		if strings.Contains(s.Path, "{id}") {
			s.path = strings.ReplaceAll(s.Path, "{id}", "abc")
			s.call(t, admin).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "id")
			s.path = strings.ReplaceAll(s.Path, "{id}", "9223372036854775808")
			s.call(t, admin).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "id")
			for _, none := range []string{"0", "-1"} {
				s.path = strings.ReplaceAll(s.Path, "{id}", none)
				s.call(t, admin).expect(t, http.StatusNotFound, errorText("NOT_FOUND"))
			}
		}
	}
}

func TestEverywhereInvoicesNeedAnEmailAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/v1/crm/accounts/parties/P1/contacts/K2/roles", "/v1/crm/parties/P1/contacts/K2/roles"} {
		w.admin(t).call(t, http.MethodPut, path, `{"roles":[{"roleCode":"BILLING"}]}`).refused(t, http.StatusBadRequest, "BILLING_EMAIL_REQUIRED", "roles[0].roleCode")
	}
}

func TestEverywhereAnUnfitCorrelationIDIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, s := range samples(t) {
		for _, unfit := range []string{"", "a b", strings.Repeat("x", 129), "ä"} {
			w.anonymous().call(t, s.Method, s.path, s.body, obs.CorrelationHeader, unfit) // the witness looks at what comes back
		}
	}
}
