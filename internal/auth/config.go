package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
)

// Config says whose tokens are accepted. The zero value of a field means its default.
type Config struct {
	// Keys are the development keys; nil when the server is not in development mode.
	Keys *Keys
	// Issuer is the URL of an OIDC issuer that offers discovery; empty for none.
	// It must be https, except on a loopback address.
	Issuer string
	// Audience must be among the aud values of the OIDC issuer's tokens.
	Audience string
	// Algorithms may sign the OIDC issuer's tokens; by default ES256, RS256, PS256
	// and EdDSA. Only public-key algorithms are allowed here.
	Algorithms []string
	// ClockSkew is how far the issuer's clock may be off, for exp, nbf and iat; by
	// default 30 seconds.
	ClockSkew time.Duration
	// TenantClaim, RolesClaim and PermissionsClaim name top-level claims of the OIDC
	// issuer's tokens; by default tenant, roles and permissions. A token without the
	// permissions claim may carry an authorities claim in its place; when it has both,
	// authorities is not read.
	TenantClaim, RolesClaim, PermissionsClaim string
	// Tenants returns the id of the active tenant with this code, and a crm NotFound
	// error when there is none. It is required.
	Tenants func(ctx context.Context, code string) (uuid.UUID, error)
	// HTTPClient fetches discovery documents and keys. Redirects are never followed.
	HTTPClient *http.Client
	// Now is the clock.
	Now func() time.Time
}

// asymmetric are the algorithms that Config.Algorithms may name.
var asymmetric = []string{
	"ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA",
}

func (c Config) withDefaults() Config {
	if len(c.Algorithms) == 0 {
		c.Algorithms = []string{"ES256", "RS256", "PS256", "EdDSA"}
	}
	standard := standardClaims()
	c.ClockSkew = cmp.Or(c.ClockSkew, 30*time.Second)
	c.TenantClaim = cmp.Or(c.TenantClaim, standard.tenant)
	c.RolesClaim = cmp.Or(c.RolesClaim, standard.roles)
	c.PermissionsClaim = cmp.Or(c.PermissionsClaim, standard.permissions)
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c Config) validate() error {
	for _, alg := range c.Algorithms {
		if !slices.Contains(asymmetric, alg) {
			return fmt.Errorf("algorithm %q is not a public-key signature", alg)
		}
	}
	switch {
	case c.Tenants == nil:
		return errors.New("a tenant lookup is required")
	case c.Keys == nil && c.Issuer == "":
		return errors.New("development keys or an issuer are required")
	case c.ClockSkew < 0:
		return errors.New("the clock skew must not be negative")
	case c.Issuer == "":
		return nil
	case c.Audience == "":
		return errors.New("an issuer needs an audience")
	default:
		return checkAddress(c.Issuer)
	}
}

// checkAddress refuses an address over which keys could be forged on the way.
func checkAddress(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return fmt.Errorf("address %q: %w", raw, err)
	}
	local := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	if u.Host == "" || (u.Scheme != "https" && (u.Scheme != "http" || !local)) {
		return fmt.Errorf("address %q must be https, or http on a loopback address", raw)
	}
	return nil
}

// issuers returns who is trusted, by the iss claim.
func (c Config) issuers(ctx context.Context) map[string]*issuer {
	trusted := map[string]*issuer{}
	if c.Issuer != "" {
		trusted[c.Issuer] = &issuer{
			name:       c.Issuer,
			audience:   c.Audience,
			algorithms: c.Algorithms,
			names:      claimNames{c.TenantClaim, c.RolesClaim, c.PermissionsClaim},
			source:     newRemoteKeys(ctx, c),
		}
	}
	if c.Keys != nil {
		trusted[developmentIssuer] = &issuer{
			name:       developmentIssuer,
			audience:   developmentAudience,
			algorithms: []string{string(jose.ES256)},
			names:      standardClaims(),
			source:     c.Keys.public,
		}
	}
	return trusted
}
