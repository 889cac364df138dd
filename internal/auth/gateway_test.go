package auth_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/auth"
)

// behind is a server that trusts the proxies and answers with who asks.
func behind(t *testing.T, b *bundle, tenant string, proxies ...string) string {
	t.Helper()
	gateway, err := b.Gateway(proxies, tenant)
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := gateway.Request(r)
		if err != nil {
			deny(w, r, err)
			return
		}
		rights := []string{}
		for right := range p.Permissions {
			rights = append(rights, string(right))
		}
		slices.Sort(rights)
		fmt.Fprintf(w, "%s of %s %s may %s", p.Subject, p.Tenant, p.TenantID, strings.Join(rights, " "))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// from sends a request from a local address and returns status and answer.
func from(t *testing.T, address, url string, header http.Header) (int, string) {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	transport := &http.Transport{DialContext: dialer.DialContext}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	request.Header = header
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, strings.TrimSpace(string(body))
}

func TestGateway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const proxy, stranger = "127.0.0.7", "127.0.1.7"
	url := behind(t, b, "demo", "127.0.0.0/24", "10.0.0.1")
	token := "Bearer " + b.token(t, nil)
	user := func(name, authorities string) http.Header {
		return http.Header{"X-User": {name}, "X-Authorities": {authorities}}
	}
	with := func(h http.Header, name string, values ...string) http.Header {
		h[name] = values
		return h
	}
	const nobody = "a valid access token is required"
	const unclear = "the trusted proxy does not name one user and one list of permissions"
	for name, c := range map[string]struct {
		from   string
		header http.Header
		status int
		says   string
	}{
		"separated by commas":                  {proxy, user("mia", "crm:party:view,crm:party:edit"), 200, "mia of demo " + demo.String() + " may crm:party:edit crm:party:view"},
		"separated by spaces and commas":       {proxy, user("mia", " crm:party:view,  crm:party:edit ,"), 200, "mia of demo " + demo.String() + " may crm:party:edit crm:party:view"},
		"other systems' words":                 {proxy, user("mia", "ROLE_USER crm:party:view crm:* CRM:PARTY:EDIT"), 200, "mia of demo " + demo.String() + " may crm:party:view"},
		"no permission":                        {proxy, user("mia", ""), 200, "mia of demo " + demo.String() + ""},
		"a name beyond ASCII":                  {proxy, user("Mía Ōe", "crm:party:view"), 200, "Mía Ōe of demo"},
		"nobody at all":                        {proxy, http.Header{}, 401, nobody},
		"permissions without a user":           {proxy, http.Header{"X-Authorities": {"crm:party:view"}}, 401, nobody},
		"a user without permissions":           {proxy, http.Header{"X-User": {"mia"}}, 401, unclear},
		"two users":                            {proxy, with(user("", "crm:party:view"), "X-User", "mia", "ana"), 401, unclear},
		"the same user twice":                  {proxy, with(user("", "crm:party:view"), "X-User", "mia", "mia"), 401, unclear},
		"two lists":                            {proxy, with(user("mia", ""), "X-Authorities", "crm:party:view", "crm:party:edit"), 401, unclear},
		"a user without a name":                {proxy, user("", "crm:party:view"), 401, unclear},
		"a name of 255 bytes":                  {proxy, user(strings.Repeat("x", 255), "crm:party:view"), 200, "xxx of demo"},
		"a name of 256 bytes":                  {proxy, user(strings.Repeat("x", 256), "crm:party:view"), 401, unclear},
		"a name that is not UTF-8":             {proxy, user("m\xeda", "crm:party:view"), 401, unclear},
		"a name with a tab":                    {proxy, user("m\ta", "crm:party:view"), 401, unclear},
		"a name with a hidden character":       {proxy, user("mia\u202e", "crm:party:view"), 401, unclear},
		"a list of 20 KB":                      {proxy, user("mia", strings.Repeat("crm:party:view ", 1400)), 401, unclear},
		"a stranger's headers":                 {stranger, user("mia", "crm:party:view"), 401, nobody},
		"a stranger who says it was forwarded": {stranger, with(with(user("mia", "crm:party:view"), "X-Forwarded-For", proxy), "Forwarded", "for="+proxy), 401, nobody},
		"a proxy that forwards for a stranger": {proxy, with(user("mia", "crm:party:view"), "X-Forwarded-For", stranger), 200, "mia of demo"},
		"a stranger's token":                   {stranger, with(user("mia", "crm:party:view"), "Authorization", token), 200, "ana of demo " + demo.String() + ""},
		"a token before a proxy's word":        {proxy, with(user("mia", "crm:party:view"), "Authorization", token), 200, "ana of demo " + demo.String() + ""},
		"a bad token before a proxy's word":    {proxy, with(user("mia", "crm:party:view"), "Authorization", "Bearer a.b.c"), 401, "the access token is malformed"},
		"an empty Authorization header":        {proxy, with(user("mia", "crm:party:view"), "Authorization", ""), 401, nobody},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, said := from(t, c.from, url, c.header)
			require.Equal(t, c.status, status, said)
			require.Contains(t, said, c.says)
		})
	}
}

func TestGatewayWithoutProxies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	url := behind(t, b, "")
	status, said := from(t, "127.0.0.1", url, http.Header{"X-User": {"mia"}, "X-Authorities": {"crm:party:view"}})
	require.Equal(t, http.StatusUnauthorized, status, said)
	status, said = from(t, "127.0.0.1", url, http.Header{"Authorization": {"Bearer " + b.token(t, nil)}})
	require.Equal(t, http.StatusOK, status, said)
}

func TestGatewayKnowsItsProxies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct {
		proxy, peer string
		trusted     bool
	}{
		{"10.0.0.1", "10.0.0.1:4711", true},
		{"10.0.0.1", "[::ffff:10.0.0.1]:4711", true},
		{"10.0.0.1", "10.0.0.2:4711", false},
		{"10.0.0.0/31", "10.0.0.1:1", true},
		{"10.0.0.0/31", "10.0.0.2:1", false},
		{"2001:db8::/32", "[2001:db8::7]:1", true},
		{"2001:db8::/32", "[2001:db9::7]:1", false},
		{"fe80::1", "[fe80::1%eth0]:1", true},
		{"0.0.0.0/0", "@", false},
		{"0.0.0.0/0", "", false},
	} {
		gateway, err := b.Gateway([]string{c.proxy}, "demo")
		require.NoError(t, err)
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.RemoteAddr = c.peer
		r.Header = http.Header{"X-User": {"mia"}, "X-Authorities": {""}}
		_, err = gateway.Request(r)
		require.Equal(t, c.trusted, err == nil, "%v: %v", c, err)
	}
	for _, bad := range []string{"", "proxy.example", "10.0.0.1:80", "10.0.0.0/33", "10.0.0", "fe80::1%eth0"} {
		_, err := b.Gateway([]string{bad}, "demo")
		require.ErrorContains(t, err, "trusted proxy", bad)
	}
	_, err := b.Gateway([]string{"10.0.0.1"}, "")
	require.ErrorContains(t, err, "tenant")
}

func TestGatewayNeedsItsTenant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for tenant, code := range map[string]crm.Code{"gone": crm.Unauthenticated, "demo": ""} {
		gateway, err := b.Gateway([]string{"192.0.2.1"}, tenant)
		require.NoError(t, err)
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody) // from 192.0.2.1
		r.Header = http.Header{"X-User": {"mia"}, "X-Authorities": {""}}
		_, err = gateway.Request(r)
		if code == "" {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, code, crm.CodeOf(err))
	}
	down := setup(t, func(c *auth.Config) {
		c.Tenants = func(context.Context, string) (uuid.UUID, error) {
			return uuid.Nil, &crm.Error{Code: crm.Unavailable, Message: "the database cannot answer now"}
		}
	})
	gateway, err := down.Gateway([]string{"192.0.2.1"}, "demo")
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Header = http.Header{"X-User": {"mia"}, "X-Authorities": {""}}
	_, err = gateway.Request(r)
	require.Equal(t, crm.Unavailable, crm.CodeOf(err))
}
