package auth

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"
)

// maxToken is the size of the largest token that is looked at, in bytes.
const maxToken = 16 << 10

// steering are the header parameters with which a token tries to choose its own key
// or to change what is signed. A token that carries one is refused, not obeyed.
var steering = []string{"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip"}

// token is a well-formed JWT. Nothing in it is to be believed before its signature
// has been checked.
type token struct {
	raw      string
	alg, kid string
	claims   jwt.Claims
	all      map[string]json.RawMessage
}

// parse reads the one form that is accepted: a compact JWS in canonical base64url
// with an exact header. Object keys are case-sensitive and must not repeat.
func parse(raw string) (*token, error) {
	malformed := refuse("the access token is malformed")
	head, payload, ok := segments(raw)
	if !ok {
		return nil, malformed
	}
	var header map[string]json.RawMessage
	if json.Unmarshal(head, &header) != nil {
		return nil, malformed
	}
	for _, name := range steering {
		if _, ok := header[name]; ok {
			return nil, refuse("the access token's header has a parameter that is not accepted")
		}
	}
	t := &token{raw: raw}
	var typ string
	for name, into := range map[string]*string{"alg": &t.alg, "kid": &t.kid, "typ": &typ} {
		if value, ok := header[name]; ok && json.Unmarshal(value, into) != nil {
			return nil, malformed
		}
	}
	if t.kid == "" || !accessType(typ) {
		return nil, refuse("the access token's header is incomplete or of another kind")
	}
	if json.Unmarshal(payload, &t.claims) != nil || json.Unmarshal(payload, &t.all) != nil {
		return nil, refuse("the access token's claims are malformed")
	}
	return t, nil
}

// segments decodes the header and the payload of a compact JWS. It is stricter than
// the decoder behind it, which overlooks line breaks and stray trailing bits: two
// spellings of one token would be two tokens to everyone who compares them.
func segments(raw string) (header, payload []byte, ok bool) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 || strings.ContainsAny(raw, "\r\n") {
		return nil, nil, false
	}
	var decoded [3][]byte
	for i, part := range parts {
		b, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil || len(b) == 0 {
			return nil, nil, false
		}
		decoded[i] = b
	}
	return decoded[0], decoded[1], true
}

// accessType reports whether a typ header is that of an access token or of no
// declared kind; a logout or event token of the same issuer is neither.
func accessType(typ string) bool {
	switch strings.TrimPrefix(strings.ToLower(typ), "application/") {
	case "", "jwt", "at+jwt":
		return true
	default:
		return false
	}
}

// checkTimes checks exp, which is required, and nbf and iat when present.
func (t *token) checkTimes(now time.Time, skew time.Duration) error {
	if t.claims.Expiry == nil {
		return refuse("the access token never expires, which is not accepted")
	}
	if t.claims.ValidateWithLeeway(jwt.Expected{Time: now}, skew) != nil {
		return refuse("the access token has expired or is not valid yet")
	}
	return nil
}
