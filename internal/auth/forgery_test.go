package auth_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"crmgraph/internal/auth"
	"crmgraph/internal/auth/authtest"
)

// forger is a bundle whose issuer publishes several keys, and an attacker who has a
// key and a server of their own.
type forger struct {
	*bundle
	rsa, own authtest.Key
	trap     *authtest.Issuer // the attacker's server: nobody must ever ask it
}

// forgery makes the Authorization header values of one attempt.
type forgery func(t *testing.T, f *forger) []string

// TestForgeriesAreRefused sends every forgery through the HTTP door.
func TestForgeriesAreRefused(t *testing.T) {
	t.Parallel()
	f := newForger(t)
	tables := []map[string]forgery{
		structureForgeries(), algorithmForgeries(), headerForgeries(),
		signatureForgeries(), claimForgeries(), schemeForgeries(),
	}
	total := 0
	for _, table := range tables {
		total += len(table)
		for name, forge := range table {
			t.Run(name, func(t *testing.T) {
				fetched := f.issuer.Count("")
				values := forge(t, f)
				answer := f.send(values)
				require.Equal(t, http.StatusUnauthorized, answer.Code, answer.Body)
				require.Regexp(t, `^Bearer realm="crmgraph"(, error="invalid_(token|request)")?$`,
					answer.Header().Get("WWW-Authenticate"))
				require.Equal(t, fetched, f.issuer.Count(""), "the issuer was asked")
				require.Zero(t, f.trap.Count(""), "the attacker's server was asked")
				requireNoEcho(t, answer.Body.String(), values)
			})
		}
	}
	require.GreaterOrEqual(t, total, 90)
	require.Equal(t, http.StatusOK, f.send([]string{"Bearer " + f.token(t, nil)}).Code)
}

// requireNoEcho asserts that an answer repeats nothing of what was sent.
func requireNoEcho(t *testing.T, body string, values []string) {
	t.Helper()
	for _, value := range values {
		for _, part := range strings.FieldsFunc(value, func(r rune) bool { return r == '.' || r == ' ' }) {
			if len(part) > 10 {
				require.NotContains(t, body, part)
			}
		}
	}
}

func newForger(t *testing.T) *forger {
	t.Helper()
	f := &forger{
		bundle: setup(t, withDevelopmentKeys(t)),
		rsa:    authtest.NewKey(t, "key-2", jose.RS256),
		own:    authtest.NewKey(t, "key-1", jose.ES256),
	}
	f.trap = authtest.NewIssuer(t, f.own)
	f.issuer.Publish(t, f.key, f.rsa)
	f.accepts(t, f.token(t, nil)) // the keys are known from here on
	return f
}

func withDevelopmentKeys(t *testing.T) func(*auth.Config) {
	t.Helper()
	keys, err := auth.OpenKeys(t.TempDir())
	require.NoError(t, err)
	return func(c *auth.Config) { c.Keys = keys }
}

// send makes a request with these Authorization headers.
func (f *forger) send(values []string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/graphql?access_token=x", http.NoBody)
	r.Header["Authorization"] = values
	w := httptest.NewRecorder()
	served := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	f.Middleware(served, deny).ServeHTTP(w, r)
	return w
}

// with makes a forgery of a header with a given token.
func with(forge func(t *testing.T, f *forger) string) forgery {
	return func(t *testing.T, f *forger) []string {
		t.Helper()
		return []string{"Bearer " + forge(t, f)}
	}
}

// edited makes a forgery from the three segments of a good token.
func edited(edit func(header, payload, signature string) string) forgery {
	return with(func(t *testing.T, f *forger) string {
		t.Helper()
		parts := strings.Split(f.token(t, nil), ".")
		return edit(parts[0], parts[1], parts[2])
	})
}

// claiming makes a well-signed token with other claims.
func claiming(name string, value any) forgery {
	return with(func(t *testing.T, f *forger) string {
		t.Helper()
		return f.token(t, map[string]any{name: value})
	})
}

// claimingOf makes a well-signed token with a claim that depends on the set-up.
func claimingOf(name string, value func(f *forger) any) forgery {
	return with(func(t *testing.T, f *forger) string {
		t.Helper()
		return f.token(t, map[string]any{name: value(f)})
	})
}

// timed makes a well-signed token whose time claim is off by d.
func timed(name string, d time.Duration) forgery {
	return with(func(t *testing.T, f *forger) string {
		t.Helper()
		return f.token(t, map[string]any{name: f.clock.Now().Add(d).Unix()})
	})
}

// heading makes a token, signed by the issuer's key, with another header parameter.
func heading(name jose.HeaderKey, value any) forgery {
	return with(func(t *testing.T, f *forger) string {
		t.Helper()
		return f.key.Sign(t, f.claims(nil), map[jose.HeaderKey]any{name: value})
	})
}

// raw is a token made by hand, signed with whatever sign returns.
func raw(header string, sign func(t *testing.T, f *forger, input string) []byte) forgery {
	return with(func(t *testing.T, f *forger) string {
		t.Helper()
		payload, err := json.Marshal(f.claims(nil))
		require.NoError(t, err)
		input := encode([]byte(header)) + "." + encode(payload)
		return input + "." + encode(sign(t, f, input))
	})
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// publicPEM is a public key as text: what an attacker would use as an HMAC secret.
func publicPEM(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
