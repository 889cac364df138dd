package auth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// deny answers as a door would: with a status for the code and the message.
func deny(w http.ResponseWriter, _ *http.Request, err error) {
	status := map[crm.Code]int{
		crm.Unauthenticated: http.StatusUnauthorized,
		crm.Unavailable:     http.StatusServiceUnavailable,
	}[crm.CodeOf(err)]
	http.Error(w, err.Error(), status)
}

// whoami answers with the subject in the context.
func whoami(w http.ResponseWriter, r *http.Request) {
	p, ok := crm.PrincipalFrom(r.Context())
	if !ok {
		http.Error(w, "nobody", http.StatusInternalServerError)
		return
	}
	_, _ = w.Write([]byte(p.Subject + " of " + p.Tenant))
}

func TestMiddleware(t *testing.T) {
	t.Parallel()
	b := setup(t)
	server := httptest.NewServer(b.Middleware(http.HandlerFunc(whoami), deny))
	t.Cleanup(server.Close)
	get := func(t *testing.T, authorization string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
		require.NoError(t, err)
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer
	}
	challenges := map[string]struct{ header, want string }{
		"no credentials ask for a token":    {"", `Bearer realm="crmgraph"`},
		"another scheme asks for a token":   {"Basic YTpi", `Bearer realm="crmgraph"`},
		"a header without token is told so": {"Bearer", `Bearer realm="crmgraph", error="invalid_request"`},
		"a bad token is told so":            {"Bearer a.b.c", `Bearer realm="crmgraph", error="invalid_token"`},
	}
	for name, c := range challenges {
		t.Run(name, func(t *testing.T) {
			answer := get(t, c.header)
			require.Equal(t, http.StatusUnauthorized, answer.StatusCode)
			require.Equal(t, c.want, answer.Header.Get("WWW-Authenticate"))
		})
	}
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER ", "Bearer   "} {
		t.Run("the scheme may be written "+scheme, func(t *testing.T) {
			require.Equal(t, http.StatusOK, get(t, scheme+b.token(t, nil)).StatusCode)
		})
	}
}

func TestMiddlewarePassesThePrincipalOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+b.token(t, nil))
	w := httptest.NewRecorder()
	b.Middleware(http.HandlerFunc(whoami), deny).ServeHTTP(w, r)
	require.Equal(t, "ana of demo", w.Body.String())
}

func TestMiddlewareDoesNotChallengeDuringAnOutage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.issuer.Fail()
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+b.token(t, nil))
	w := httptest.NewRecorder()
	b.Middleware(http.HandlerFunc(whoami), deny).ServeHTTP(w, r)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Empty(t, w.Header().Get("WWW-Authenticate"))
}
