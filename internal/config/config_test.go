package config_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"crmgraph/internal/config"
	"crmgraph/internal/limits"
)

// parsed reads a command line.
func parsed(t *testing.T, args ...string) (config.CLI, error) {
	t.Helper()
	var cli config.CLI
	parser, err := kong.New(&cli)
	require.NoError(t, err)
	_, err = parser.Parse(args)
	return cli, err
}

func TestIsDevelopment(t *testing.T) {
	t.Parallel()
	const embedded, configured = true, false
	for _, c := range []struct {
		mode, addr string
		database   bool
		want       bool
	}{
		{"auto", "127.0.0.1:8080", embedded, true},
		{"auto", "127.0.0.2:0", embedded, true},
		{"auto", "[::1]:8080", embedded, true},
		{"auto", "localhost:8080", embedded, true},
		{"auto", "0.0.0.0:8080", embedded, false},
		{"auto", "[::]:8080", embedded, false},
		{"auto", ":8080", embedded, false},
		{"auto", "192.168.1.10:8080", embedded, false},
		{"auto", "crm.example:8080", embedded, false},
		{"auto", "localhost.example:8080", embedded, false},
		{"auto", "127.0.0.1:8080", configured, false},
		{"auto", "0.0.0.0:8080", configured, false},
		{"on", "127.0.0.1:8080", embedded, true},
		{"on", "0.0.0.0:8080", configured, true},
		{"off", "127.0.0.1:8080", embedded, false},
		{"off", "0.0.0.0:8080", configured, false},
	} {
		database := map[bool]string{embedded: "embedded", configured: "DATABASE_URL"}[c.database]
		t.Run(strings.Join([]string{c.mode, c.addr, database}, " "), func(t *testing.T) {
			t.Parallel()
			got, err := config.Serve{Development: c.mode, Addr: c.addr}.IsDevelopment(c.database)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	for _, addr := range []string{"", "8080", "127.0.0.1", "::1:8080", "[::1"} {
		t.Run("an address that cannot be read is an error: "+addr, func(t *testing.T) {
			t.Parallel()
			got, err := config.Serve{Development: "auto", Addr: addr}.IsDevelopment(embedded)
			require.ErrorContains(t, err, "read the listen address")
			require.False(t, got)
		})
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	cli, err := parsed(t)
	require.NoError(t, err)
	require.Equal(t, config.Serve{
		Addr: "127.0.0.1:8080", Development: "auto", MaxConns: 16, MaxBody: 1 << 20,
		Timeout: 10 * time.Second, Drain: 10 * time.Second, LogLevel: slog.LevelInfo, Planner: true,
		LegacyStubs: "useful", Durion: config.Durion{ListCap: 1000},
		OIDC: config.OIDC{
			ClockSkew: 30 * time.Second, TenantClaim: "tenant", RolesClaim: "roles", RightsClaim: "permissions",
		},
		Limits: limits.Default(),
	}, cli.Serve)
}

func TestFlags(t *testing.T) {
	t.Parallel()
	cli, err := parsed(t, "serve", "--addr=:80", "--development=off", "--oidc-issuer=https://issuer.example",
		"--oidc-audience=crm", "--oidc-algorithms=ES256,EdDSA", "--allowed-origins=https://a.example,https://b.example",
		"--limit-depth=3", "--log-level=debug", "--database-url=postgres://db/crm",
		"--legacy-stubs=literal", "--trusted-proxy=10.0.0.1,10.1.0.0/16", "--trusted-proxy-tenant=demo",
		"--durion-list-cap=50", "--durion-deprecated=2026-03-31", "--durion-sunset=2027-03-31", "--durion-successor=/graphql")
	require.NoError(t, err)
	require.Equal(t, "postgres://db/crm", cli.DatabaseURL)
	require.Equal(t, "off", cli.Serve.Development)
	require.Equal(t, "https://issuer.example", cli.Serve.OIDC.Issuer)
	require.Equal(t, "crm", cli.Serve.OIDC.Audience)
	require.Equal(t, []string{"ES256", "EdDSA"}, cli.Serve.OIDC.Algorithms)
	require.Equal(t, []string{"https://a.example", "https://b.example"}, cli.Serve.AllowedOrigins)
	require.Equal(t, 3, cli.Serve.Limits.Depth)
	require.Equal(t, "literal", cli.Serve.LegacyStubs)
	require.Equal(t, []string{"10.0.0.1", "10.1.0.0/16"}, cli.Serve.TrustedProxies)
	require.Equal(t, "demo", cli.Serve.TrustedProxyTenant)
	require.Equal(t, config.Durion{
		ListCap: 50, Deprecated: time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), Sunset: time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC), Successor: "/graphql",
	}, cli.Serve.Durion)
	require.Equal(t, slog.LevelDebug, cli.Serve.LogLevel)

	for flag, value := range map[string]string{"development": "maybe", "timeout": "soon", "log-level": "loud", "max-body": "much",
		"legacy-stubs": "some", "durion-list-cap": "0", "durion-sunset": "soon"} {
		_, err := parsed(t, "serve", "--"+flag+"="+value)
		require.ErrorContains(t, err, flag)
	}
}

func TestEnvironment(t *testing.T) { // not parallel: it sets the environment
	for name, value := range map[string]string{
		"DATABASE_URL": "postgres://db/crm", "CRMGRAPH_ADDR": ":81", "CRMGRAPH_OIDC_ISSUER": "https://issuer.example",
		"CRMGRAPH_OIDC_PERMISSIONS_CLAIM": "grants", "CRMGRAPH_LIMIT_COST": "7", "CRMGRAPH_TIMEOUT": "3s",
	} {
		t.Setenv(name, value)
	}
	cli, err := parsed(t, "--timeout=4s")
	require.NoError(t, err)
	require.Equal(t, "postgres://db/crm", cli.DatabaseURL)
	require.Equal(t, ":81", cli.Serve.Addr)
	require.Equal(t, "https://issuer.example", cli.Serve.OIDC.Issuer)
	require.Equal(t, "grants", cli.Serve.OIDC.RightsClaim)
	require.Equal(t, 7, cli.Serve.Limits.Cost)
	require.Equal(t, 4*time.Second, cli.Serve.Timeout, "a flag goes before the environment")
}

func TestWhatTheServerTakesCanComeFromTheEnvironment(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&config.CLI{})
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, node := range []*kong.Node{parser.Model.Node, parser.Model.Children[0]} {
		for _, flag := range node.Flags {
			require.NotEmpty(t, flag.Help, flag.Name)
			if flag.Name == "help" {
				continue
			}
			require.Len(t, flag.Envs, 1, flag.Name)
			require.False(t, seen[flag.Envs[0]], flag.Envs[0])
			seen[flag.Envs[0]] = true
		}
	}
	require.GreaterOrEqual(t, len(seen), 30)
}
