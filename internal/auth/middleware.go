package auth

import (
	"net/http"
	"strings"

	"crmgraph/crm"
)

// The challenges of RFC 6750 §3: the first to those who brought nothing, the others
// to those who brought something unacceptable.
const (
	challenge          = `Bearer realm="crmgraph"`
	challengeMalformed = challenge + `, error="invalid_request"`
	challengeInvalid   = challenge + `, error="invalid_token"`
)

// Middleware passes a request on with its principal in the context (see
// [crm.PrincipalFrom]) when it carries exactly one Authorization header with a good
// bearer token; tokens in a query, a form or a cookie are not looked at. All else goes
// to deny, which writes the answer, with an error of [Authenticator.Authenticate]. When
// that is Unauthenticated, WWW-Authenticate is already set.
func (a *Authenticator) Middleware(
	next http.Handler, deny func(w http.ResponseWriter, r *http.Request, err error),
) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, hint, err := a.Request(r)
		if err != nil {
			if hint != "" {
				w.Header().Set("WWW-Authenticate", hint)
			}
			deny(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(crm.WithPrincipal(r.Context(), p)))
	})
}

// Request tells who sends a request, by its bearer token. With an error that is Unauthenticated
// comes the challenge to answer with. Errors: as [Authenticator.Authenticate].
func (a *Authenticator) Request(r *http.Request) (p *crm.Principal, hint string, err error) {
	bearer, hint, err := bearerOf(r.Header)
	if err != nil {
		return nil, hint, err
	}
	p, err = a.Authenticate(r.Context(), bearer)
	if err != nil && crm.CodeOf(err) == crm.Unauthenticated {
		hint = challengeInvalid
	}
	return p, hint, err
}

// bearerOf returns the bearer token of a request, or the challenge to answer with.
func bearerOf(h http.Header) (bearer, hint string, err error) {
	values := h.Values("Authorization")
	if len(values) > 1 {
		return "", challengeMalformed, refuse("only one Authorization header is accepted")
	}
	scheme, bearer, _ := strings.Cut(h.Get("Authorization"), " ")
	bearer = strings.Trim(bearer, " ")
	switch {
	case !strings.EqualFold(scheme, "Bearer"):
		return "", challenge, refuse("a valid access token is required")
	case bearer == "":
		return "", challengeMalformed, refuse("the Authorization header has no access token")
	default:
		return bearer, "", nil
	}
}
