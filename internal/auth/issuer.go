package auth

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// keySource gives the public keys of one issuer.
type keySource interface {
	// current returns the keys to be trusted at now. Equal sets are the same pointer.
	// Error: Unavailable when no trustworthy set can be had.
	current(ctx context.Context, now time.Time) (*keySet, error)
	// find is current for a key that is about to be used: it may ask the issuer again
	// when the set lacks kid. The answer may still lack it.
	find(ctx context.Context, now time.Time, kid string) (*keySet, error)
}

// issuer is a party whose tokens are accepted.
type issuer struct {
	name       string // the iss claim
	audience   string // must be among the aud values
	algorithms []string
	names      claimNames
	source     keySource
}

// verify checks the token's algorithm, signature, issuer and audience, and returns
// the set that held its key. Errors: Unauthenticated, Unavailable.
func (i *issuer) verify(ctx context.Context, now time.Time, t *token) (*keySet, error) {
	if !slices.Contains(i.algorithms, t.alg) {
		return nil, refuse("the access token's signature algorithm is not accepted")
	}
	// Here too, because the library would also read a claim that is spelt AUD.
	if !t.claims.Audience.Contains(i.audience) {
		return nil, refuse("the access token is meant for another audience")
	}
	keys, err := i.source.find(ctx, now, t.kid)
	if err != nil {
		return nil, err
	}
	verifier := oidc.NewVerifier(i.name, signers(keys.named(t.kid)), &oidc.Config{
		ClientID:             i.audience,
		SupportedSigningAlgs: i.algorithms,
		// The library's clock forgives nothing for exp and five minutes for nbf;
		// checkTimes holds both to the configured skew.
		SkipExpiryCheck: true,
	})
	if _, err := verifier.Verify(ctx, t.raw); err != nil {
		return nil, refuse("the access token was not signed by its issuer")
	}
	return keys, nil
}

// signers are the keys that may have signed one token.
type signers []publicKey

var _ oidc.KeySet = signers(nil)

// VerifySignature returns the payload of a token that one of the keys has signed.
func (s signers) VerifySignature(_ context.Context, raw string) ([]byte, error) {
	for _, k := range s {
		jws, err := jose.ParseSignedCompact(raw, k.algorithms)
		if err != nil {
			continue
		}
		if payload, err := jws.Verify(k.key); err == nil {
			return payload, nil
		}
	}
	return nil, errors.New("no key of the issuer has signed the token")
}
