package auth_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/auth"
	"crmgraph/internal/auth/authtest"
)

// audience is what the tests' server calls itself.
const audience = "crm-api"

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
	clock  *authtest.Clock
	issuer *authtest.Issuer
	key    authtest.Key
}

// setup makes a bundle with an ES256 key; change may adjust the configuration.
func setup(t *testing.T, change ...func(*auth.Config)) *bundle {
	t.Helper()
	key := authtest.NewKey(t, "key-1", jose.ES256)
	b := &bundle{clock: authtest.NewClock(time.Now()), issuer: authtest.NewIssuer(t, key), key: key}
	cfg := auth.Config{Issuer: b.issuer.URL, Audience: audience, Tenants: tenants, Now: b.clock.Now}
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
	return b.issuer.Claims(audience, b.clock.Now(), changes)
}

// token is a good token of the moment, changed by the argument.
func (b *bundle) token(t *testing.T, changes map[string]any) string {
	t.Helper()
	return b.key.Sign(t, b.claims(changes), nil)
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
