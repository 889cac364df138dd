package auth_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/auth"
	"crmgraph/internal/auth/authtest"
)

func TestPrincipal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	viewer, _ := crm.RolePermissions("viewer")
	admin, _ := crm.RolePermissions("admin")
	cases := map[string]struct {
		claims map[string]any
		want   []crm.Permission
	}{
		"a role gives its permissions":  {map[string]any{"roles": []string{"viewer"}}, viewer},
		"roles add up":                  {map[string]any{"roles": []string{"viewer", "admin"}}, admin},
		"an unknown role gives nothing": {map[string]any{"roles": []string{"root", ""}}, nil},
		"no roles give nothing":         {map[string]any{"roles": authtest.Absent}, nil},
		"permissions are kept, known or not": {
			map[string]any{"roles": authtest.Absent, "permissions": []string{"crm:party:view", "crm:gift_card2:edit"}},
			[]crm.Permission{"crm:party:view", "crm:gift_card2:edit"},
		},
		"words that are no permissions are dropped": {
			map[string]any{"roles": authtest.Absent, "permissions": []string{
				"crm", "crm:party", "crm:party:view:all", "CRM:party:view", "crm:*:*", "erp:party:view",
				"crm:party:view ", "crm::view", "openid", "ROLE_ADMIN", "",
			}},
			nil,
		},
		"authorities stand in for absent permissions": {
			map[string]any{"roles": authtest.Absent, "authorities": []string{"crm:party:view"}},
			[]crm.Permission{"crm:party:view"},
		},
		"authorities are not read beside permissions": {
			map[string]any{"roles": authtest.Absent, "permissions": []string{}, "authorities": []string{"crm:party:view"}},
			nil,
		},
		"roles and permissions add up": {
			map[string]any{"permissions": []string{"crm:giftcard:edit"}},
			append(slices.Clone(viewer), "crm:giftcard:edit"),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := b.accepts(t, b.token(t, c.claims))
			require.ElementsMatch(t, c.want, slices.Collect(maps.Keys(p.Permissions)))
		})
	}
	t.Run("subject and tenant are the token's", func(t *testing.T) {
		t.Parallel()
		p := b.accepts(t, b.token(t, nil))
		require.Equal(t, "ana", p.Subject)
		require.Equal(t, "demo", p.Tenant)
		require.Equal(t, demo, p.TenantID)
	})
}

func TestGoodTokensAreAccepted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	variants := map[string]map[string]any{
		"several audiences":     {"aud": []string{"another-api", audience}},
		"no iat and no nbf":     {"iat": authtest.Absent, "nbf": authtest.Absent},
		"fractions of a second": {"exp": json.Number("99999999999.5")},
		"unknown claims":        {"nonce": "n", "acr": "1", "cnf": map[string]any{"x": 1}},
		"claims kept elsewhere, unvisited": {
			"_claim_names":   map[string]any{"groups": "src1"},
			"_claim_sources": map[string]any{"src1": map[string]any{"endpoint": b.issuer.URL + "/trap"}},
		},
	}
	for name, claims := range variants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b.accepts(t, b.token(t, claims))
			require.Zero(t, b.issuer.Count("/trap"))
		})
	}
	for _, typ := range []any{authtest.Absent, "JWT", "jwt", "at+jwt", "application/at+jwt"} {
		b.accepts(t, b.key.Sign(t, b.claims(nil), map[jose.HeaderKey]any{"typ": typ}))
	}
	b.accepts(t, b.key.Sign(t, b.claims(nil), map[jose.HeaderKey]any{"x5t": "abc", "vendor": 1}))
}

func TestAlgorithms(t *testing.T) {
	t.Parallel()
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256, jose.EdDSA} {
		t.Run(string(alg)+" is accepted by default", func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.key = authtest.NewKey(t, "key", alg)
			b.issuer.Publish(t, b.key)
			b.accepts(t, b.token(t, nil))
		})
	}
	t.Run("others are accepted when listed, and the defaults then are not", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(c *auth.Config) { c.Algorithms = []string{"ES384"} })
		other := authtest.NewKey(t, "key-384", jose.ES384)
		b.issuer.Publish(t, b.key, other)
		b.accepts(t, other.Sign(t, b.claims(nil), nil))
		b.refuses(t, crm.Unauthenticated, b.token(t, nil))
	})
}

func TestPublishedKeysThatCannotSignAreIgnored(t *testing.T) {
	t.Parallel()
	publish := map[string]func(k jose.JSONWebKey, private any) any{
		"an encryption key":            func(k jose.JSONWebKey, _ any) any { k.Use = "enc"; return k },
		"a key for another algorithm":  func(k jose.JSONWebKey, _ any) any { k.Algorithm = "ES384"; return k },
		"a private key":                func(k jose.JSONWebKey, private any) any { k.Key = private; return k },
		"a symmetric key":              func(k jose.JSONWebKey, _ any) any { k.Key = []byte("secret"); return k },
		"a key of an unknown kind":     func(jose.JSONWebKey, any) any { return unknownKind },
		"something that is not a key":  func(jose.JSONWebKey, any) any { return "key-1" },
		"a point that is not on curve": func(jose.JSONWebKey, any) any { return offCurve },
	}
	for name, spoil := range publish {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			spoilt, err := json.Marshal(spoil(b.key.Public(), b.key.Private))
			require.NoError(t, err)
			good := authtest.NewKey(t, "key-2", jose.ES256)
			other, err := json.Marshal(good.Public())
			require.NoError(t, err)
			b.issuer.PublishRaw(spoilt, other)
			b.refuses(t, crm.Unauthenticated, b.token(t, nil))
			b.accepts(t, good.Sign(t, b.claims(nil), nil))
		})
	}
}

var (
	unknownKind = map[string]any{"kty": "PQC", "kid": "key-1"}
	// offCurve has coordinates that no P-256 key has.
	offCurve = map[string]any{"kty": "EC", "crv": "P-256", "kid": "key-1", "x": "AQ", "y": "AQ"}
)

func TestAnUnnamedKeyIsNoWayRoundTheName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.key.ID = ""
	b.issuer.Publish(t, b.key)
	b.refuses(t, crm.Unauthenticated, b.token(t, nil))
	b.refuses(t, crm.Unauthenticated, b.key.Sign(t, b.claims(nil), map[jose.HeaderKey]any{"kid": authtest.Absent}))
}

func TestAWeakKeyIsIgnored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	private, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	b.key = authtest.Key{ID: "key-weak", Algorithm: jose.RS256, Private: private}
	b.issuer.Publish(t, b.key)
	b.refuses(t, crm.Unauthenticated, b.token(t, nil))
}

func TestClockSkew(t *testing.T) {
	t.Parallel()
	for configured, skew := range map[time.Duration]time.Duration{
		0:                30 * time.Second,
		10 * time.Second: 10 * time.Second,
	} {
		b := setup(t, func(c *auth.Config) { c.ClockSkew = configured })
		at := func(claim string, d time.Duration) string {
			return b.token(t, map[string]any{claim: b.clock.Now().Add(d).Unix()})
		}
		b.accepts(t, at("exp", -skew))
		b.accepts(t, at("nbf", skew))
		b.accepts(t, at("iat", skew))
		b.refuses(t, crm.Unauthenticated, at("exp", -skew-time.Second))
		b.refuses(t, crm.Unauthenticated, at("nbf", skew+time.Second))
		b.refuses(t, crm.Unauthenticated, at("iat", skew+time.Second))
	}
}

func TestOwnClaimNames(t *testing.T) {
	t.Parallel()
	keys, err := auth.OpenKeys(t.TempDir())
	require.NoError(t, err)
	b := setup(t, func(c *auth.Config) {
		c.Keys = keys
		c.TenantClaim, c.RolesClaim, c.PermissionsClaim = "https://crm.example/org", "groups", "grants"
	})
	p := b.accepts(t, b.token(t, map[string]any{
		"tenant": "acme", "roles": []string{"admin"}, "permissions": []string{"crm:party:view"},
		"https://crm.example/org": "demo", "groups": []string{}, "grants": []string{"crm:loyalty:edit"},
	}))
	require.Equal(t, "demo", p.Tenant)
	require.Equal(t, crm.NewPermissions("crm:loyalty:edit"), p.Permissions)

	token, err := keys.Mint(auth.Claims{Subject: "dev", Tenant: "demo", Roles: []string{"viewer"}, TTL: time.Hour})
	require.NoError(t, err)
	require.True(t, b.accepts(t, token).Permissions.Has(crm.PartyView), "development tokens keep the standard names")
}

func TestCache(t *testing.T) {
	t.Parallel()
	lookups := 0 // read and written by one goroutine
	counted := func(c *auth.Config) {
		c.Tenants = func(ctx context.Context, code string) (uuid.UUID, error) {
			lookups++
			if lookups > 2 {
				return uuid.Nil, &crm.Error{Code: crm.NotFound}
			}
			return tenants(ctx, code)
		}
	}
	b := setup(t, counted)
	token := b.token(t, nil)
	first := b.accepts(t, token)
	b.clock.Advance(59 * time.Second)
	require.Same(t, first, b.accepts(t, token))
	require.Equal(t, 1, lookups, "a token is looked at once in a minute")

	b.clock.Advance(time.Second)
	b.accepts(t, token)
	require.Equal(t, 2, lookups)

	b.clock.Advance(time.Minute)
	b.refuses(t, crm.Unauthenticated, token) // the tenant has been suspended meanwhile
}

func TestCacheOutlivesARenewalOfTheSameKeys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.accepts(t, b.token(t, nil))
	b.clock.Advance(10 * time.Second)
	token := b.token(t, nil)
	first := b.accepts(t, token)
	b.clock.Advance(50 * time.Second)
	require.Same(t, first, b.accepts(t, token))
	require.Equal(t, 2, b.issuer.Count("/keys"))
}

func TestCacheDoesNotOutliveTheToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.token(t, map[string]any{"exp": b.clock.Now().Add(20 * time.Second).Unix()})
	b.accepts(t, token)
	b.clock.Advance(51 * time.Second)
	b.refuses(t, crm.Unauthenticated, token)
}

func TestCacheHitIsCheap(t *testing.T) { // not parallel: AllocsPerRun counts for the whole process
	b := setup(t)
	token := b.token(t, nil)
	b.accepts(t, token)
	ctx := t.Context()
	allocations := testing.AllocsPerRun(200, func() { _, _ = b.Authenticate(ctx, token) })
	require.LessOrEqual(t, allocations, 4.0)
}

func TestTenantLookupFailuresAreNotTheTokensFault(t *testing.T) {
	t.Parallel()
	down := &crm.Error{Code: crm.Unavailable, Message: "the database cannot answer now"}
	broken := errors.New("broken")
	for _, failure := range []error{down, broken} {
		b := setup(t, func(c *auth.Config) {
			c.Tenants = func(context.Context, string) (uuid.UUID, error) { return uuid.Nil, failure }
		})
		_, err := b.Authenticate(t.Context(), b.token(t, nil))
		require.ErrorIs(t, err, failure)
		require.Equal(t, crm.CodeOf(failure), crm.CodeOf(err))
	}
}

func TestNewRefusesUnsafeConfigurations(t *testing.T) {
	t.Parallel()
	good := auth.Config{Issuer: "https://issuer.example", Audience: audience, Tenants: tenants}
	_, err := auth.New(t.Context(), good)
	require.NoError(t, err)
	for name, spoil := range map[string]func(c *auth.Config){
		"no tenant lookup":     func(c *auth.Config) { c.Tenants = nil },
		"nobody to trust":      func(c *auth.Config) { c.Issuer = "" },
		"no audience":          func(c *auth.Config) { c.Audience = "" },
		"alg none":             func(c *auth.Config) { c.Algorithms = []string{"ES256", "none"} },
		"a shared secret":      func(c *auth.Config) { c.Algorithms = []string{"HS256"} },
		"a negative skew":      func(c *auth.Config) { c.ClockSkew = -time.Second },
		"an issuer over http":  func(c *auth.Config) { c.Issuer = "http://issuer.example" },
		"an issuer by name":    func(c *auth.Config) { c.Issuer = "issuer" },
		"an issuer in a file":  func(c *auth.Config) { c.Issuer = "file:///issuer" },
		"an unreadable issuer": func(c *auth.Config) { c.Issuer = "https://[" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := good
			spoil(&cfg)
			_, err := auth.New(t.Context(), cfg)
			require.Error(t, err)
		})
	}
}
