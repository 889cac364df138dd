package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
	"crmgraph/internal/obs"
	"crmgraph/rest"
)

// amelia is a party of the demo tenant.
const amelia = "017e12ef-9c00-701a-8e39-0d55399c4a66"

// exchange sends a request without following redirects; header is pairs of names and values.
func exchange(t *testing.T, method, url, body string, header ...string) (response *http.Response, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err = http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(answer)
}

// The program serves the Durion contract and the graph over the same rows.
func TestLegacyBesideTheGraph(t *testing.T) {
	t.Parallel()
	base, _, _ := start(t)
	token := tokenOf(t, base, "demo", "admin")
	t.Run("what the contract writes, the graph shows", func(t *testing.T) {
		status, text := sendTo(t, http.MethodPost, base+"/v1/crm/accounts/parties", token, "application/json",
			`{"legalName":"Blue Mesa Drilling LLC","taxId":"27-5550133","email":"ap@bluemesa.example"}`)
		require.Equal(t, http.StatusCreated, status, text)
		var made struct{ PartyID string }
		require.NoError(t, json.Unmarshal([]byte(text), &made))
		got := ask(t, base, token, `{ party(by: {id: "pty_`+made.PartyID+`"}) { displayName kind legalName taxId events(first: 1) { nodes { type actor } } } }`)
		require.Contains(t, got, `"legalName":"Blue Mesa Drilling LLC"`)
		require.Contains(t, got, `"taxId":"27-5550133"`)
		require.Contains(t, got, `"actor":"admin@development"`)
	})
	t.Run("a vehicle, too", func(t *testing.T) {
		status, text := sendTo(t, http.MethodPost, base+"/v1/vehicles", token, "application/json", `{"make":"Tesla","model":"Model 3","year":2019,"vin":"5yj3e1ea3kf300321"}`)
		require.Equal(t, http.StatusOK, status, text)
		got := ask(t, base, token, `{ vehicle(by: {vin: "5YJ3E1EA3KF300321"}) { make model year vin { value } events(first: 1) { nodes { actor } } } }`)
		require.Contains(t, got, `"make":"Tesla","model":"Model 3","year":2019,"vin":{"value":"5YJ3E1EA3KF300321"}`)
		require.Contains(t, got, `"actor":"admin@development"`)
	})
	t.Run("what the graph writes, the contract shows", func(t *testing.T) {
		got := ask(t, base, token, `mutation { customerCreate(input: {firstName: "Ansel", lastName: "Okonjo"}) { customer { number party { id } } userErrors { code } } }`)
		var made struct {
			Data struct {
				CustomerCreate struct {
					Customer struct {
						Number json.Number
						Party  struct{ ID string }
					}
				}
			}
		}
		require.NoError(t, json.Unmarshal([]byte(got), &made), got)
		id := strings.TrimPrefix(made.Data.CustomerCreate.Customer.Party.ID, "pty_")
		status, text := sendTo(t, http.MethodGet, base+"/v1/crm/accounts/parties/"+id, token, "", "")
		require.Equal(t, http.StatusOK, status, text)
		require.Contains(t, text, `"displayName":"Ansel Okonjo"`)
		require.Contains(t, text, `"customerId":`+made.Data.CustomerCreate.Customer.Number.String())
	})
	t.Run("a token of another tenant finds nothing", func(t *testing.T) {
		status, text := sendTo(t, http.MethodGet, base+"/v1/crm/accounts/parties/"+amelia, tokenOf(t, base, "acme", "admin"), "", "")
		require.Equal(t, http.StatusNotFound, status, text)
	})
}

func TestLegacyAddresses(t *testing.T) {
	t.Parallel()
	base, _, _ := start(t)
	authorization := "Bearer " + tokenOf(t, base, "demo", "CSR")
	for path, status := range map[string]int{
		"/v1/crm/accounts/parties/nobody": 404, "/v1/crm/": 404, "/v1//crm": 404, "//v1/crm": 404, "/v1/../v1/crm": 404, "/v1/crm/../../graphql": 404,
		"/v1/crm/accounts/parties": 405,
	} {
		response, text := exchange(t, http.MethodGet, base+path, "", "Authorization", authorization, "X-Correlation-Id", "abc-1")
		require.Equal(t, status, response.StatusCode, path)
		require.Contains(t, text, `"correlationId":"abc-1"`, path)
		require.Equal(t, []string{"abc-1"}, response.Header.Values("X-Correlation-Id"))
	}
	for path, status := range map[string]int{"/v1": 404, "/v1/": 404, "/v1/crmx": 404, "/graphql//": 307, "/healthz": 200} {
		response, text := exchange(t, http.MethodGet, base+path, "", "Authorization", authorization)
		require.NotContains(t, text, "correlationId", "%s is not the contract's", path)
		require.Equal(t, status, response.StatusCode, path)
	}
	response, text := exchange(t, http.MethodGet, base+"/v1/crm/1", "", "X-Correlation-Id", "abc-1", "X-User", "mia", "X-Authorities", "crm:party:view")
	require.Equal(t, http.StatusUnauthorized, response.StatusCode, "no proxy is trusted")
	require.Equal(t, []string{"Bearer"}, response.Header.Values("WWW-Authenticate"))
	require.Contains(t, text, `"code":"UNAUTHORIZED"`)
	long := strings.Repeat("x", 2000)
	response, _ = exchange(t, http.MethodGet, base+"/v1/vehicles?pageSize="+long, "", "Authorization", authorization, "Accept-Encoding", "gzip")
	require.Equal(t, http.StatusBadRequest, response.StatusCode)
	require.Equal(t, "gzip", response.Header.Get("Content-Encoding"))
}

func TestLegacySettings(t *testing.T) {
	t.Parallel()
	base, _, _ := start(t, "--legacy-stubs=literal", "--durion-deprecated=2026-03-31", "--durion-sunset=2027-03-31", "--durion-successor=/graphql",
		"--trusted-proxy=127.0.0.0/8", "--trusted-proxy-tenant=demo")
	gateway := []string{"X-User", "mia", "X-Authorities", "crm:party:view, crm:vehicle:view"}
	response, text := exchange(t, http.MethodGet, base+"/v1/crm/accounts/parties/"+amelia, "", gateway...)
	require.Equal(t, http.StatusOK, response.StatusCode, text)
	for name, value := range map[string]string{
		"Deprecation": "@1774915200", "Sunset": "Wed, 31 Mar 2027 00:00:00 GMT", "Link": `</graphql>; rel="successor-version"`,
	} {
		require.Equal(t, []string{value}, response.Header.Values(name))
	}
	response, text = exchange(t, http.MethodGet, base+"/v1/crm/vehicles/any", "", gateway...)
	require.Equal(t, http.StatusNotImplemented, response.StatusCode, text)
	response, text = exchange(t, http.MethodGet, base+"/v1/crm/vehicles", "", gateway...)
	require.Equal(t, http.StatusForbidden, response.StatusCode, text)
	status, text := sendTo(t, http.MethodPost, base+"/graphql", "", "application/json", `{"query":"{ __typename }"}`)
	require.Equal(t, http.StatusUnauthorized, status, text)
	response, text = exchange(t, http.MethodPost, base+"/graphql", `{"query":"{ __typename }"}`, append(gateway, "Content-Type", "application/json")...)
	require.Equal(t, http.StatusUnauthorized, response.StatusCode, "the graph takes tokens only: %s", text)
	for _, args := range [][]string{{"--trusted-proxy=127.0.0.1"}, {"--trusted-proxy=proxy.example", "--trusted-proxy-tenant=demo"}} {
		err := run(t.Context(), append([]string{"serve", "--addr=127.0.0.1:0", "--development=on", "--database-url=" + crmtest.Migrated(t), "--state-dir=" + t.TempDir()}, args...), io.Discard, io.Discard)
		require.ErrorContains(t, err, "trusted prox")
	}
}

// Who uses what is counted; what they ask for is nowhere.
func TestLegacyIsWatched(t *testing.T) {
	t.Parallel()
	base, log, stop := start(t, "--log-level=DEBUG")
	token := tokenOf(t, base, "demo", "CSR")
	const secret = "zq17.secret"
	for _, path := range []string{"/v1/crm/accounts/parties/" + secret, "/v1/crm/" + secret + "/nothing/at/all", "/v1/crm/accounts/parties/x?q=" + secret, "/v1/vehicles/vin/" + secret} {
		sendTo(t, http.MethodGet, base+path, token, "", "")
	}
	status, text := sendTo(t, http.MethodPost, base+"/v1/crm/accounts/parties/search", token, "application/json", `{"email":"`+secret+`@example.com","nam`)
	require.Equal(t, http.StatusBadRequest, status, text)
	_, metrics := sendTo(t, http.MethodGet, base+"/metrics", "", "", "")
	for _, line := range []string{
		`crmgraph_rest_requests_total{client="CSR@development",contract="durion",operation="D-05",status="404"} 2`,
		`crmgraph_rest_requests_total{client="none",contract="durion",operation="none",status="404"} 1`,
		`crmgraph_rest_requests_total{client="CSR@development",contract="durion",operation="D-04",status="400"} 1`,
		`crmgraph_rest_seconds_count{contract="durion",operation="D-05"} 2`,
	} {
		require.Contains(t, metrics, line+"\n")
	}
	require.NoError(t, stop())
	require.Contains(t, log.String(), `"msg":"rest","contract":"durion","operation":"D-05","status":404`)
	require.NotContains(t, metrics+log.String(), secret)
	require.NotContains(t, log.String(), token)
}

func TestTokensOfLegacyRoles(t *testing.T) {
	t.Parallel()
	base, _, _ := start(t)
	for _, role := range []string{"CSR", "FLEET_MANAGER", "ADMIN"} {
		_, ok := crm.RolePermissions(role)
		require.True(t, ok)
		status, text := sendTo(t, http.MethodGet, base+"/v1/crm/accounts/parties/nobody", tokenOf(t, base, "demo", role), "", "")
		require.Equal(t, http.StatusNotFound, status, text)
	}
}

// What an operator has to look at is a warning, with its cause.
func TestLegacyLog(t *testing.T) {
	t.Parallel()
	metrics := obs.NewMetrics(crmtest.Open(t, crmtest.Migrated(t)).Stat)
	hidden := (&crm.Error{Code: crm.Unavailable, Message: "try again"}).Because(errors.New("the disk is full"))
	for name, c := range map[string]struct {
		call      rest.Call
		level     string
		says, not string
	}{
		"a good answer":             {rest.Call{Status: 200}, "DEBUG", `"operation":"D-05"`, "failure"},
		"a refusal":                 {rest.Call{Status: 409}, "DEBUG", `"status":409`, "failure"},
		"a slow answer":             {rest.Call{Status: 200, Duration: 1001 * time.Millisecond}, "WARN", `"took":1001000000`, "failure"},
		"a failure":                 {rest.Call{Status: 500, Failure: hidden}, "WARN", `"failure":"the disk is full"`, "try again"},
		"a failure without a cause": {rest.Call{Status: 500, Failure: errors.New("no plan")}, "WARN", `"failure":"no plan"`, "panic"},
		"a panic, which was logged": {rest.Call{Status: 500, Failure: errors.New("panic: x"), Panicked: true}, "WARN", `"status":500`, "failure"},
		"a client that is gone":     {rest.Call{Status: 500, Failure: context.Canceled}, "DEBUG", `"status":500`, "failure"},
		"a stub":                    {rest.Call{Status: 501, Failure: errors.New("not implemented")}, "DEBUG", `"status":501`, "failure"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			s := &server{log: obs.NewLog(&log, slog.LevelDebug), metrics: metrics}
			c.call.Contract, c.call.Operation = "durion", "D-05"
			s.called(t.Context(), c.call)
			require.Contains(t, log.String(), `"level":"`+c.level+`"`)
			require.Contains(t, log.String(), c.says)
			require.NotContains(t, log.String(), c.not)
		})
	}
}
