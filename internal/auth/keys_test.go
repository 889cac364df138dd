package auth_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/auth"
	"crmgraph/internal/auth/authtest"
)

// developmentOnly is an authenticator that trusts these keys and nobody else.
func developmentOnly(t *testing.T, keys *auth.Keys) *bundle {
	t.Helper()
	a, err := auth.New(t.Context(), auth.Config{Keys: keys, Tenants: tenants})
	require.NoError(t, err)
	return &bundle{Authenticator: a}
}

func goodClaims() auth.Claims {
	return auth.Claims{Subject: "dev", Tenant: "demo", Roles: []string{"admin"}, TTL: time.Hour}
}

func TestMintedTokensAreAccepted(t *testing.T) {
	t.Parallel()
	keys, err := auth.OpenKeys(t.TempDir())
	require.NoError(t, err)
	c := goodClaims()
	c.Permissions = []string{"crm:giftcard:edit"}
	token, err := keys.Mint(c)
	require.NoError(t, err)
	p := developmentOnly(t, keys).accepts(t, token)
	require.Equal(t, "dev", p.Subject)
	require.Equal(t, demo, p.TenantID)
	require.True(t, p.Permissions.Has(crm.SchemaIntrospect))
	require.True(t, p.Permissions.Has("crm:giftcard:edit"))
}

func TestMintedTokensSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	keys, err := auth.OpenKeys(t.TempDir())
	require.NoError(t, err)
	seen := map[string]bool{}
	for range 2 {
		token, err := keys.Mint(goodClaims())
		require.NoError(t, err)
		parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
		require.NoError(t, err)
		require.NotEmpty(t, parsed.Headers[0].KeyID)
		var c jwt.Claims
		require.NoError(t, parsed.UnsafeClaimsWithoutVerification(&c))
		require.Equal(t, "crmgraph-development", c.Issuer)
		require.Equal(t, jwt.Audience{"crmgraph"}, c.Audience)
		require.Equal(t, *c.IssuedAt, *c.NotBefore)
		require.Equal(t, time.Hour, c.Expiry.Time().Sub(c.IssuedAt.Time()))
		require.False(t, seen[c.ID], "a token's id is its own")
		seen[c.ID] = true
	}
}

func TestMintRefusesUselessTokens(t *testing.T) {
	t.Parallel()
	keys, err := auth.OpenKeys(t.TempDir())
	require.NoError(t, err)
	for field, spoil := range map[string]func(c *auth.Claims){
		"subject":     func(c *auth.Claims) { c.Subject = "" },
		"tenant":      func(c *auth.Claims) { c.Tenant = "a\nb" },
		"ttl":         func(c *auth.Claims) { c.TTL = 0 },
		"roles":       func(c *auth.Claims) { c.Roles = []string{"admin", "adminn"} },
		"permissions": func(c *auth.Claims) { c.Permissions = []string{"party:view"} },
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			c := goodClaims()
			spoil(&c)
			_, err := keys.Mint(c)
			var refused *crm.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, crm.Invalid, refused.Code)
			require.Equal(t, field, refused.Field)
		})
	}
}

func TestKeysOutliveTheProcess(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state", "crmgraph")
	before, err := auth.OpenKeys(dir)
	require.NoError(t, err)
	token, err := before.Mint(goodClaims())
	require.NoError(t, err)
	after, err := auth.OpenKeys(dir)
	require.NoError(t, err)
	developmentOnly(t, after).accepts(t, token)
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T, change func(t *testing.T, path string)) error {
		t.Helper()
		dir := t.TempDir()
		_, err := auth.OpenKeys(dir)
		require.NoError(t, err)
		change(t, filepath.Join(dir, "development-key.json"))
		_, err = auth.OpenKeys(dir)
		return err
	}
	t.Run("one that others may read is not used", func(t *testing.T) {
		t.Parallel()
		require.ErrorContains(t, open(t, func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.Chmod(path, 0o640))
		}), "only its owner")
	})
	t.Run("one that is damaged is not replaced, and its text stays out of the error", func(t *testing.T) {
		t.Parallel()
		err := open(t, func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.WriteFile(path, []byte(`{"kty":"EC","d":"secret`), 0o600))
		})
		require.ErrorContains(t, err, "not a JSON Web Key")
		require.NotContains(t, err.Error(), "secret")
	})
	t.Run("one with a public key only cannot sign", func(t *testing.T) {
		t.Parallel()
		require.Error(t, open(t, func(t *testing.T, path string) {
			t.Helper()
			data, err := json.Marshal(authtest.NewKey(t, "key-1", jose.ES256).Public())
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, data, 0o600))
		}))
	})
	t.Run("one with a key of another kind is not used", func(t *testing.T) {
		t.Parallel()
		require.Error(t, open(t, func(t *testing.T, path string) {
			t.Helper()
			k := authtest.NewKey(t, "key-1", jose.RS256)
			data, err := json.Marshal(jose.JSONWebKey{Key: k.Private, KeyID: k.ID})
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, data, 0o600))
		}))
	})
}

func TestDevelopmentTokensMeanNothingElsewhere(t *testing.T) {
	t.Parallel()
	keys, err := auth.OpenKeys(t.TempDir())
	require.NoError(t, err)
	token, err := keys.Mint(goodClaims())
	require.NoError(t, err)
	b := setup(t)
	b.refuses(t, crm.Unauthenticated, token)
	require.Zero(t, b.issuer.Count(""))

	other, err := auth.OpenKeys(t.TempDir())
	require.NoError(t, err)
	developmentOnly(t, other).refuses(t, crm.Unauthenticated, token)
}

func TestErrorsHoldNoPartOfAToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.issuer.Fail()
	down := b.token(t, nil)
	_, err := b.Authenticate(t.Context(), down)
	require.Error(t, err)
	for part := range strings.SplitSeq(down, ".") {
		require.NotContains(t, err.Error(), part)
	}
}
