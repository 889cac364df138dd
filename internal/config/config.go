// Package config is everything that can be set, as flags and environment variables.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"crmgraph/internal/limits"
)

// CLI is the command line. kong fills it from flags, else from the environment.
type CLI struct {
	DatabaseURL string `name:"database-url" env:"DATABASE_URL" help:"A PostgreSQL server to use in place of the embedded one."`
	StateDir    string `env:"CRMGRAPH_STATE_DIR" type:"path" help:"Where the embedded database and the development keys live (default: the user's data directory)."`
	PostgresBin string `env:"CRMGRAPH_POSTGRES_BIN" type:"path" help:"Directory with initdb and postgres for the embedded database."`
	Offline     bool   `env:"CRMGRAPH_OFFLINE" help:"Never download PostgreSQL for the embedded database."`

	Serve   Serve   `cmd:"" default:"withargs" help:"Migrate, seed an empty development database, and serve."`
	Migrate Migrate `cmd:"" help:"Bring the database to the newest schema and stop."`
	Seed    Seed    `cmd:"" help:"Fill the database with demo or load-test data."`
	Verify  Verify  `cmd:"" help:"Compare what is stored with what it follows from."`
	Token   Token   `cmd:"" help:"Print a development access token."`
}

// Serve is how the server runs.
type Serve struct {
	Addr           string        `env:"CRMGRAPH_ADDR" default:"127.0.0.1:8080" help:"Address to listen on."`
	Development    string        `env:"CRMGRAPH_DEVELOPMENT" enum:"auto,on,off" default:"auto" help:"Accept self-signed development tokens and hand them out to the playground: auto (embedded database on a loopback address), on, off."`
	AllowedOrigins []string      `env:"CRMGRAPH_ALLOWED_ORIGINS" help:"Origins of browser applications that may call /graphql."`
	MaxConns       int32         `env:"CRMGRAPH_MAX_CONNS" default:"16" help:"Database connections at most."`
	MaxBody        int64         `env:"CRMGRAPH_MAX_BODY" default:"1048576" help:"Largest request body, in bytes."`
	Timeout        time.Duration `env:"CRMGRAPH_TIMEOUT" default:"10s" help:"Time limit of one request."`
	Drain          time.Duration `env:"CRMGRAPH_DRAIN" default:"10s" help:"How long running requests may take to finish at shutdown."`
	Planner        bool          `env:"CRMGRAPH_PLANNER" default:"true" negatable:"" help:"Answer root fields of queries with one statement where that is possible; without it, dataloaders answer them all."`
	CursorKey      string        `env:"CRMGRAPH_CURSOR_KEY" help:"Secret that signs cursors, shared by all servers of one address (default: a key kept in the state directory)."`
	LogLevel       slog.Level    `env:"CRMGRAPH_LOG_LEVEL" default:"INFO" help:"DEBUG logs every request, INFO what needs attention."`

	LegacyStubs        string   `env:"CRMGRAPH_LEGACY_STUBS" enum:"useful,literal" default:"useful" help:"What the stubs of a legacy contract do: useful (what their names say), literal (answer 501, as documented)."`
	TrustedProxies     []string `name:"trusted-proxy" env:"CRMGRAPH_TRUSTED_PROXY" help:"Addresses or CIDR ranges of gateways whose X-User and X-Authorities headers the Durion contract accepts in place of a token."`
	TrustedProxyTenant string   `env:"CRMGRAPH_TRUSTED_PROXY_TENANT" help:"Code of the tenant that the trusted proxies' users belong to."`

	Durion Durion        `embed:"" prefix:"durion-" envprefix:"CRMGRAPH_DURION_"`
	OIDC   OIDC          `embed:"" prefix:"oidc-" envprefix:"CRMGRAPH_OIDC_"`
	Limits limits.Limits `embed:"" prefix:"limit-"`
}

// Durion is how the Durion contract is served.
type Durion struct {
	ListCap    int       `env:"LIST_CAP" default:"1000" help:"Rows of a list at most that is asked for without a page."`
	Deprecated time.Time `env:"DEPRECATED" format:"2006-01-02" help:"Day (2026-03-31) since which the contract is deprecated, told in every answer."`
	Sunset     time.Time `env:"SUNSET" format:"2006-01-02" help:"Day on which the contract ends, told in every answer."`
	Successor  string    `env:"SUCCESSOR" help:"URL of what replaces the contract, such as /graphql, told in every answer."`
}

// Validate refuses what cannot be meant.
func (d Durion) Validate() error {
	if d.ListCap < 1 {
		return errors.New("--durion-list-cap must be at least 1")
	}
	return nil
}

// OIDC names the issuer of production tokens.
type OIDC struct {
	Issuer      string        `env:"ISSUER" help:"OpenID Connect issuer whose access tokens are accepted."`
	Audience    string        `env:"AUDIENCE" help:"Audience that the issuer's tokens must name."`
	Algorithms  []string      `env:"ALGORITHMS" help:"Signature algorithms accepted from the issuer (default: ES256, RS256, PS256, EdDSA)."`
	ClockSkew   time.Duration `env:"CLOCK_SKEW" default:"30s" help:"How far the issuer's clock may be off."`
	TenantClaim string        `env:"TENANT_CLAIM" default:"tenant" help:"Claim with the tenant's code."`
	RolesClaim  string        `env:"ROLES_CLAIM" default:"roles" help:"Claim with the list of roles."`
	RightsClaim string        `env:"PERMISSIONS_CLAIM" default:"permissions" help:"Claim with the list of permissions."`
}

// Migrate has no settings of its own.
type Migrate struct{}

// Seed says what to fill the database with.
type Seed struct {
	Customers int    `help:"Add a tenant with this many customers for load tests; without it, the demo tenants are added to an empty database."`
	Tenant    string `default:"load" help:"Code of the tenant for --customers."`
}

// Verify says what is verified.
type Verify struct {
	Ledgers VerifyLedgers `cmd:"" help:"Recompute every balance of a tenant (points, credit, gift cards) from its ledger. Changes nothing; fails when a number is wrong."`
}

// VerifyLedgers says whose ledgers.
type VerifyLedgers struct {
	Tenant string `default:"demo" help:"Code of the tenant."`
}

// Token says what a development token claims.
type Token struct {
	Tenant string        `default:"demo" help:"Code of the tenant."`
	Role   string        `enum:"admin,agent,viewer,CSR,FLEET_MANAGER,ADMIN" default:"admin" help:"What the bearer may do: admin, agent or viewer, or a role of the Durion contract: CSR, FLEET_MANAGER or ADMIN."`
	TTL    time.Duration `name:"ttl" default:"12h" help:"How long the token is good for."`
}

// IsDevelopment decides about development mode; embedded says that the database is ours.
// Errors when the address cannot be read.
func (s Serve) IsDevelopment(embedded bool) (bool, error) {
	if s.Development != "auto" {
		return s.Development == "on", nil
	}
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return false, fmt.Errorf("read the listen address: %w", err)
	}
	ip := net.ParseIP(host)
	return embedded && (host == "localhost" || ip != nil && ip.IsLoopback()), nil
}
