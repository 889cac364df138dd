package auth_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/auth"
)

// absent, as a value in a map of claims or headers, takes the entry away.
var absent = new(struct{ name string })

// demo is the only active tenant.
var demo = uuid.MustParse("0190a5a8-7b1c-7c3e-9d5f-1a2b3c4d5e6f")

// tenants knows demo only.
func tenants(_ context.Context, code string) (uuid.UUID, error) {
	if code != "demo" {
		return uuid.Nil, &crm.Error{Code: crm.NotFound, Message: "no such tenant"}
	}
	return demo, nil
}

// bundle is an authenticator with its issuer, that issuer's key and the clock.
type bundle struct {
	*auth.Authenticator
	clock  *clock
	issuer *issuer
	key    signingKey
}

// setup makes a bundle with an ES256 key; change may adjust the configuration.
func setup(t *testing.T, change ...func(*auth.Config)) *bundle {
	t.Helper()
	key := newSigningKey(t, "key-1", jose.ES256)
	b := &bundle{clock: newClock(), issuer: newIssuer(t, key), key: key}
	cfg := auth.Config{Issuer: b.issuer.url, Audience: audience, Tenants: tenants, Now: b.clock.Now}
	for _, f := range change {
		f(&cfg)
	}
	a, err := auth.New(t.Context(), cfg)
	require.NoError(t, err)
	b.Authenticator = a
	return b
}

// claims are those of a good token of the moment, changed by the argument.
func (b *bundle) claims(changes map[string]any) map[string]any {
	now := b.clock.Now()
	c := map[string]any{
		"iss": b.issuer.url, "aud": audience, "sub": "ana",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"tenant": "demo", "roles": []string{"viewer"},
	}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == absent })
	return c
}

// token is a good token of the moment, changed by the argument.
func (b *bundle) token(t *testing.T, changes map[string]any) string {
	t.Helper()
	return b.key.sign(t, b.claims(changes), nil)
}

// accepts asserts that a token is accepted, and returns its principal.
func (b *bundle) accepts(t *testing.T, token string) *crm.Principal {
	t.Helper()
	p, err := b.Authenticate(t.Context(), token)
	require.NoError(t, err)
	return p
}

// refuses asserts that a token is refused with this code.
func (b *bundle) refuses(t *testing.T, code crm.Code, token string) {
	t.Helper()
	p, err := b.Authenticate(t.Context(), token)
	require.Nil(t, p)
	require.Equal(t, code, crm.CodeOf(err), "%v", err)
}
