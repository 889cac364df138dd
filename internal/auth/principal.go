package auth

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4/json"

	"github.com/google/uuid"

	"crmgraph/crm"
)

// maxName bounds a subject or a tenant's code, in bytes.
const maxName = 255

// authorities is the claim that stands in for an absent permissions claim.
const authorities = "authorities"

// permissionForm is how a permission is spelt.
var permissionForm = regexp.MustCompile(`^crm:[a-z][a-z0-9_]*:[a-z][a-z0-9_]*$`)

// claimNames are the claims from which a principal is read.
type claimNames struct{ tenant, roles, permissions string }

// standardClaims are the names used unless an issuer has others.
func standardClaims() claimNames {
	return claimNames{tenant: "tenant", roles: "roles", permissions: "permissions"}
}

// principal reads a verified token. Errors: Unauthenticated, or what Tenants returns.
func (a *Authenticator) principal(
	ctx context.Context, t *token, names claimNames,
) (*crm.Principal, error) {
	var tenant string
	if !t.read(names.tenant, &tenant) || !printable(tenant) || !printable(t.claims.Subject) {
		return nil, refuse("the access token does not name one subject and one tenant")
	}
	rights, ok := t.permissions(names)
	if !ok {
		return nil, refuse("the access token's roles or permissions are not lists of text")
	}
	id, err := a.tenant(ctx, tenant, "the access token is for a tenant that is unknown or not active")
	if err != nil {
		return nil, err
	}
	return &crm.Principal{
		TenantID: id, Tenant: tenant, Subject: t.claims.Subject, Permissions: rights,
	}, nil
}

// tenant is the id of an active tenant. Errors: Unauthenticated with the text unknown, or what
// Tenants returns.
func (a *Authenticator) tenant(ctx context.Context, code, unknown string) (uuid.UUID, error) {
	id, err := a.config.Tenants(ctx, code)
	switch {
	case err == nil:
		return id, nil
	case crm.CodeOf(err) == crm.NotFound:
		return uuid.Nil, refuse(unknown)
	default:
		return uuid.Nil, fmt.Errorf("look up tenant: %w", err)
	}
}

// permissions adds up what the token's roles allow and what it grants by itself.
// Unknown roles and words that are not spelt like a permission count for nothing,
// because issuers put other systems' words into the same claims.
func (t *token) permissions(names claimNames) (crm.Permissions, bool) {
	granting := names.permissions
	if _, ok := t.all[granting]; !ok {
		granting = authorities
	}
	var roles, granted []string
	if !t.read(names.roles, &roles) || !t.read(granting, &granted) {
		return nil, false
	}
	rights := crm.NewPermissions()
	for _, role := range roles {
		allowed, _ := crm.RolePermissions(role)
		for _, p := range allowed {
			rights[p] = struct{}{}
		}
	}
	grant(rights, granted)
	return rights, true
}

// grant adds the words that are spelt like a permission; the others count for nothing.
func grant(rights crm.Permissions, words []string) {
	for _, word := range words {
		if permissionForm.MatchString(word) {
			rights[crm.Permission(word)] = struct{}{}
		}
	}
}

// read decodes a claim, and reports false when it is of another type. An absent claim
// leaves the zero value.
func (t *token) read(name string, into any) bool {
	raw, ok := t.all[name]
	return !ok || json.Unmarshal(raw, into) == nil
}

// printable reports whether s can serve as a name: in logs, in SQL and to the eye.
func printable(s string) bool {
	unfit := func(r rune) bool { return !unicode.IsPrint(r) }
	return s != "" && len(s) <= maxName && utf8.ValidString(s) && !strings.ContainsFunc(s, unfit)
}
