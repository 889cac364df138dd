package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/db"
	"crmgraph/internal/auth/authtest"
	"crmgraph/internal/config"
	"crmgraph/internal/crmtest"
	"crmgraph/internal/obs"
)

// audience is what the tests' server is called by its issuer.
const audience = "crm-api"

// production are the flags of a server that trusts the issuer and nobody else.
func production(issuer *authtest.Issuer) []string {
	return []string{"--development=off", "--oidc-issuer=" + issuer.URL, "--oidc-audience=" + audience}
}

const (
	firstCustomer = `{"query": "{ customer(by: {number: 1001}) { number } }"}`
	schemaTypes   = `{"query": "{ __schema { queryType { name } } }"}`
)

func TestProduction(t *testing.T) {
	t.Parallel()
	key := authtest.NewKey(t, "key-1", jose.ES256)
	issuer := authtest.NewIssuer(t, key)
	state := t.TempDir()
	base, _, _ := start(t, append(production(issuer), "--state-dir="+state)...)
	signed := func(t *testing.T, changes map[string]any) string {
		t.Helper()
		return key.Sign(t, issuer.Claims(audience, time.Now(), changes), nil)
	}
	refused := func(t *testing.T, token string) {
		t.Helper()
		status, text := send(t, base, token, "application/json", firstCustomer)
		require.Equal(t, http.StatusUnauthorized, status, text)
		require.Contains(t, text, `"code":"UNAUTHENTICATED"`)
		require.NotContains(t, text, `"data"`)
	}
	t.Run("accepts a token of the issuer", func(t *testing.T) {
		status, text := send(t, base, signed(t, nil), "application/json", firstCustomer)
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, text, `"data":{"customer":{"number":1001}}`)
	})
	t.Run("keeps to the tenant of the token", func(t *testing.T) {
		const name = `{"query": "{ customer(by: {number: 1001}) { party { displayName } } }"}`
		_, text := send(t, base, signed(t, nil), "application/json", name)
		require.Contains(t, text, "Amelia Hartmann")
		_, text = send(t, base, signed(t, map[string]any{"tenant": "acme"}), "application/json", name)
		require.Contains(t, text, `"displayName":"`)
		require.NotContains(t, text, "Amelia Hartmann")
	})
	t.Run("refuses a token for another audience, of another signer, or that has expired", func(t *testing.T) {
		refused(t, signed(t, map[string]any{"aud": "another-api"}))
		refused(t, signed(t, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}))
		refused(t, signed(t, map[string]any{"tenant": "nobody"}))
		refused(t, authtest.NewKey(t, "key-1", jose.ES256).Sign(t, issuer.Claims(audience, time.Now(), nil), nil))
	})
	t.Run("refuses a development token, also one signed with its own state directory", func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), []string{"token", "--state-dir=" + state}, &out, io.Discard))
		refused(t, strings.TrimSpace(out.String()))
	})
	t.Run("hands out no tokens", func(t *testing.T) {
		response, err := http.Post(base+"/playground/token", "application/json", strings.NewReader(`{"tenant": "demo", "role": "admin"}`))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusNotFound, response.StatusCode)
	})
	t.Run("shows the schema to whoever may see it", func(t *testing.T) {
		for role, want := range map[string]string{"viewer": `"code":"FORBIDDEN"`, "admin": `"queryType":{"name":"Query"}`} {
			_, text := send(t, base, signed(t, map[string]any{"roles": []string{role}}), "application/json", schemaTypes)
			require.Contains(t, text, want, role)
		}
	})
	t.Run("needs an issuer", func(t *testing.T) {
		err := run(t.Context(), []string{"serve", "--addr=127.0.0.1:0", "--development=off",
			"--database-url=" + crmtest.Migrated(t), "--state-dir=" + t.TempDir()}, io.Discard, io.Discard)
		require.ErrorContains(t, err, "an issuer")
	})
}

// served is the whole handler of a production server with a clock of the test's.
func served(t *testing.T, issuer *authtest.Issuer, clock *authtest.Clock, pool *db.DB, log io.Writer) *httptest.Server {
	t.Helper()
	cli := new(config.CLI)
	parser, err := kong.New(cli)
	require.NoError(t, err)
	_, err = parser.Parse(append(production(issuer), "--state-dir="+t.TempDir()))
	require.NoError(t, err)
	s := &server{cli: cli, db: pool, log: obs.NewLog(log, slog.LevelInfo), metrics: obs.NewMetrics(pool.Stat), now: clock.Now}
	handler, err := s.handler(t.Context())
	require.NoError(t, err)
	web := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	return web
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	old, next := authtest.NewKey(t, "key-1", jose.ES256), authtest.NewKey(t, "key-2", jose.RS256)
	issuer, clock := authtest.NewIssuer(t, old), authtest.NewClock(time.Now())
	web := served(t, issuer, clock, crmtest.Open(t, crmtest.Seeded(t)), io.Discard)
	status := func(key authtest.Key) int {
		token := key.Sign(t, issuer.Claims(audience, clock.Now(), nil), nil)
		status, _ := send(t, web.URL, token, "application/json", firstCustomer)
		return status
	}
	require.Equal(t, http.StatusOK, status(old))
	require.Equal(t, http.StatusUnauthorized, status(next), "not published yet")

	issuer.Publish(t, old, next)
	clock.Advance(30 * time.Second)
	require.Equal(t, http.StatusOK, status(next))
	require.Equal(t, http.StatusOK, status(old), "both are good for a while")

	issuer.Publish(t, next)
	clock.Advance(time.Minute)
	require.Equal(t, http.StatusUnauthorized, status(old), "withdrawn")
	require.Equal(t, http.StatusOK, status(next))

	issuer.Fail()
	clock.Advance(59 * time.Minute)
	require.Equal(t, http.StatusOK, status(next), "an issuer that is down for a while changes nothing")
	clock.Advance(time.Hour)
	require.Equal(t, http.StatusServiceUnavailable, status(next), "in the end its keys are not trusted any more")
}

// What the client is not told is in the log, once for a request.
func TestFailuresAreLogged(t *testing.T) {
	t.Parallel()
	key := authtest.NewKey(t, "key-1", jose.ES256)
	issuer, clock := authtest.NewIssuer(t, key), authtest.NewClock(time.Now())
	pool := crmtest.Open(t, crmtest.Seeded(t))
	var log bytes.Buffer
	web := served(t, issuer, clock, pool, &log)
	token := key.Sign(t, issuer.Claims(audience, clock.Now(), nil), nil)
	_, text := send(t, web.URL, token, "application/json", firstCustomer)
	require.Contains(t, text, "1001")

	pool.Close()
	_, text = send(t, web.URL, token, "application/json",
		`{"query": "{ a: customer(by: {number: 1001}) { number } b: customer(by: {number: 1002}) { number } }"}`)
	require.Contains(t, text, `"errors"`)
	require.NotContains(t, text, "closed pool")

	web.Close() // whatever is to be logged has been
	var line map[string]any
	require.NoError(t, json.Unmarshal(log.Bytes(), &line), "one line: the request that went well is not there, %s", &log)
	require.Equal(t, "WARN", line["level"])
	require.Equal(t, "closed pool", line["failure"])
	require.NoError(t, uuid.Validate(line["correlationId"].(string)))
}
