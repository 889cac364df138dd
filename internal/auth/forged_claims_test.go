package auth_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/internal/auth/authtest"
)

func claimForgeries() map[string]forgery {
	table := map[string]forgery{
		"another issuer":              claiming("iss", "https://issuer.example"),
		"an issuer with a slash more": claimingOf("iss", func(f *forger) any { return f.issuer.URL + "/" }),
		"an issuer in a list":         claimingOf("iss", func(f *forger) any { return []string{f.issuer.URL} }),
		"the attacker's issuer": with(func(t *testing.T, f *forger) string {
			t.Helper()
			return f.own.Sign(t, f.claims(map[string]any{"iss": f.trap.URL}), nil)
		}),
		"another audience":             claiming("aud", "another-api"),
		"an audience prefix":           claiming("aud", audience+"-admin"),
		"an empty list of audiences":   claiming("aud", []string{}),
		"an audience that is a number": claiming("aud", 1),
		"audiences with a number":      claiming("aud", []any{audience, 1}),
		"an audience in another case":  claiming("aud", strings.ToUpper(audience)),
		"an expired token":             timed("exp", -31*time.Second),
		"a token long expired":         timed("exp", -24*time.Hour),
		"exp zero":                     claiming("exp", 0),
		"exp negative":                 claiming("exp", -1),
		"exp as text":                  claiming("exp", "9999999999"),
		"exp beyond all time":          claiming("exp", json.Number("1e300")),
		"exp null":                     claiming("exp", nil),
		"not valid yet":                timed("nbf", 31*time.Second),
		"nbf beyond all time":          claiming("nbf", json.Number("9223372036854775807")),
		"nbf as text":                  claiming("nbf", "soon"),
		"issued in the future":         timed("iat", 31*time.Second),
		"iat as an object":             claiming("iat", map[string]any{}),
		"an empty subject":             claiming("sub", ""),
		"a subject that is a number":   claiming("sub", 42),
		"a subject with a line break":  claiming("sub", "ana\nroot"),
		"a subject very long":          claiming("sub", strings.Repeat("a", 256)),
		"an unknown tenant":            claiming("tenant", "acme"),
		"a tenant of another case":     claiming("tenant", "DEMO"),
		"an empty tenant":              claiming("tenant", ""),
		"tenant null":                  claiming("tenant", nil),
		"tenants in a list":            claiming("tenant", []string{"demo"}),
		"a tenant in an object":        claiming("tenant", map[string]any{"code": "demo"}),
		"a tenant with a NUL":          claiming("tenant", "demo\x00"),
		"roles as text":                claiming("roles", "admin"),
		"roles with a number":          claiming("roles", []any{"admin", 1}),
		"roles in an object":           claiming("roles", map[string]any{"admin": true}),
		"permissions as text":          claiming("permissions", "crm:party:view"),
		"authorities as objects":       claiming("authorities", []any{map[string]any{"authority": "crm:party:view"}}),
		"an audience spelt twice": with(func(t *testing.T, f *forger) string {
			t.Helper()
			return f.token(t, map[string]any{"aud": "another-api", "AUD": audience})
		}),
		"a claim twice": with(func(t *testing.T, f *forger) string {
			t.Helper()
			data, err := json.Marshal(f.claims(nil))
			require.NoError(t, err)
			return f.key.Sign(t, []byte(strings.Replace(string(data), "{", `{"tenant":"acme",`, 1)), nil)
		}),
	}
	for _, name := range []string{"iss", "aud", "exp", "sub", "tenant"} {
		table["no "+name] = claiming(name, authtest.Absent)
	}
	return table
}

func schemeForgeries() map[string]forgery {
	headers := func(values func(token string) []string) forgery {
		return func(t *testing.T, f *forger) []string {
			t.Helper()
			return values(f.token(t, nil))
		}
	}
	return map[string]forgery{
		"no Authorization header":    headers(func(string) []string { return nil }),
		"an empty header":            headers(func(string) []string { return []string{""} }),
		"a token without a scheme":   headers(func(s string) []string { return []string{s} }),
		"a scheme without a token":   headers(func(string) []string { return []string{"Bearer"} }),
		"a scheme and blanks":        headers(func(string) []string { return []string{"Bearer   "} }),
		"no blank after the scheme":  headers(func(s string) []string { return []string{"Bearer" + s} }),
		"a tab after the scheme":     headers(func(s string) []string { return []string{"Bearer\t" + s} }),
		"a colon after the scheme":   headers(func(s string) []string { return []string{"Bearer: " + s} }),
		"the scheme Basic":           headers(func(s string) []string { return []string{"Basic " + s} }),
		"the scheme DPoP":            headers(func(s string) []string { return []string{"DPoP " + s} }),
		"the scheme twice":           headers(func(s string) []string { return []string{"Bearer Bearer " + s} }),
		"a token in quotes":          headers(func(s string) []string { return []string{`Bearer "` + s + `"`} }),
		"the same header twice":      headers(func(s string) []string { return []string{"Bearer " + s, "Bearer " + s} }),
		"a good and a bad header":    headers(func(s string) []string { return []string{"Bearer " + s, "Basic YTpi"} }),
		"an empty and a good header": headers(func(s string) []string { return []string{"", "Bearer " + s} }),
	}
}
