package auth

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// minRSABits is the size of the smallest RSA key whose signatures count.
const minRSABits = 2048

// publicKey is a key and the only algorithms that may be used with it.
type publicKey struct {
	kid        string
	algorithms []jose.SignatureAlgorithm
	key        any // what go-jose verifies with
}

// keySet is what an issuer publishes at one time. It never changes.
type keySet struct {
	document []byte
	keys     []publicKey
}

// parseKeySet reads a JWK set. Keys that cannot verify a token are left out: private,
// symmetric, weak, of an unknown kind or meant for something else. An empty
// set is no error, for that is how an issuer withdraws all its keys.
func parseKeySet(document []byte) (*keySet, error) {
	var published struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(document, &published) != nil || published.Keys == nil {
		return nil, errors.New("the answer is not a JSON Web Key set")
	}
	set := &keySet{document: document}
	for _, raw := range published.Keys {
		var jwk jose.JSONWebKey
		if jwk.UnmarshalJSON(raw) != nil {
			continue
		}
		if k, ok := verifying(jwk); ok {
			set.keys = append(set.keys, k)
		}
	}
	return set, nil
}

// verifying returns the key as one that can verify tokens, and false when it cannot.
func verifying(jwk jose.JSONWebKey) (publicKey, bool) {
	if jwk.Use != "" && jwk.Use != "sig" {
		return publicKey{}, false
	}
	var fits []jose.SignatureAlgorithm
	for _, alg := range algorithmsOf(jwk.Key) {
		if jwk.Algorithm == "" || jwk.Algorithm == string(alg) {
			fits = append(fits, alg)
		}
	}
	return publicKey{kid: jwk.KeyID, algorithms: fits, key: jwk.Key}, len(fits) > 0
}

// algorithmsOf returns what a key of this kind may verify; nothing for a private,
// symmetric or weak one.
func algorithmsOf(key any) []jose.SignatureAlgorithm {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve.Params().Name {
		case "P-256":
			return []jose.SignatureAlgorithm{jose.ES256}
		case "P-384":
			return []jose.SignatureAlgorithm{jose.ES384}
		case "P-521":
			return []jose.SignatureAlgorithm{jose.ES512}
		}
	case *rsa.PublicKey:
		if k.N.BitLen() >= minRSABits {
			return []jose.SignatureAlgorithm{
				jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
			}
		}
	case ed25519.PublicKey:
		return []jose.SignatureAlgorithm{jose.EdDSA}
	}
	return nil
}

// named returns the keys with this id: normally one.
func (s *keySet) named(kid string) []publicKey {
	var found []publicKey
	for _, k := range s.keys {
		if k.kid == kid {
			found = append(found, k)
		}
	}
	return found
}

// has reports whether a key has this id.
func (s *keySet) has(kid string) bool { return len(s.named(kid)) > 0 }

// same reports whether both sets were read from the same document.
func (s *keySet) same(other *keySet) bool {
	return s != nil && bytes.Equal(s.document, other.document)
}

// A keySet is itself a source that never changes: that of the development keys.
var _ keySource = (*keySet)(nil)

func (s *keySet) current(context.Context, time.Time) (*keySet, error) { return s, nil }

func (s *keySet) find(context.Context, time.Time, string) (*keySet, error) { return s, nil }
