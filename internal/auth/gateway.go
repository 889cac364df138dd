package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"crmgraph/crm"
)

// The headers in which a gateway says whom it has authenticated, and what they may do (Durion 1.7).
const (
	userHeader        = "X-User"
	authoritiesHeader = "X-Authorities"
)

// Gateway tells who sends a request when that may have been checked by a proxy before this server.
type Gateway struct {
	tokens  *Authenticator
	proxies []netip.Prefix
	tenant  string
}

// Gateway returns one that trusts the proxies at the addresses, each an IP address or a CIDR
// range, to authenticate users of the tenant. Without addresses it accepts tokens only. The error
// tells what is wrong with the arguments.
func (a *Authenticator) Gateway(addresses []string, tenant string) (*Gateway, error) {
	g := &Gateway{tokens: a, tenant: tenant}
	for _, text := range addresses {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			single, addressErr := netip.ParseAddr(text)
			if addressErr != nil || single.Zone() != "" {
				return nil, fmt.Errorf("auth: trusted proxy %q is neither an IP address nor a CIDR range", text)
			}
			prefix = netip.PrefixFrom(single, single.BitLen())
		}
		g.proxies = append(g.proxies, prefix)
	}
	if len(g.proxies) > 0 && !printable(tenant) {
		return nil, errors.New("auth: trusted proxies need a tenant")
	}
	return g, nil
}

// Request tells who sends a request. An Authorization header goes first. Without one, what a
// trusted proxy says counts, which is known by the address of the connection and not by any header;
// from everybody else such headers are ignored. Errors: as [Authenticator.Authenticate].
func (g *Gateway) Request(r *http.Request) (*crm.Principal, error) {
	if len(r.Header.Values("Authorization")) == 0 && len(r.Header.Values(userHeader)) > 0 && g.trusts(r.RemoteAddr) {
		return g.user(r.Context(), r.Header)
	}
	p, _, err := g.tokens.Request(r)
	return p, err
}

// trusts reports whether a connection comes from a proxy.
func (g *Gateway) trusts(peer string) bool {
	from, err := netip.ParseAddrPort(peer)
	if err != nil {
		return false
	}
	address := from.Addr().Unmap().WithZone("")
	for _, prefix := range g.proxies {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// user reads a proxy's headers, of each exactly one.
func (g *Gateway) user(ctx context.Context, h http.Header) (*crm.Principal, error) {
	names, authorities := h.Values(userHeader), h.Values(authoritiesHeader)
	if len(names) != 1 || len(authorities) != 1 || !printable(names[0]) || len(authorities[0]) > maxToken {
		return nil, refuse("the trusted proxy does not name one user and one list of permissions")
	}
	rights := crm.NewPermissions()
	grant(rights, strings.FieldsFunc(authorities[0], func(r rune) bool { return r == ',' || r == ' ' }))
	id, err := g.tokens.tenant(ctx, g.tenant, "the tenant of the trusted proxy is unknown or not active")
	if err != nil {
		return nil, err
	}
	return &crm.Principal{TenantID: id, Tenant: g.tenant, Subject: names[0], Permissions: rights}, nil
}
