package authtest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// absence is the type of [Absent].
type absence string

// Absent takes an entry away, as its value in a map of claims or headers.
const Absent = absence("absent")

// Key is a private key and the only algorithm it is published for.
type Key struct {
	ID        string
	Algorithm jose.SignatureAlgorithm
	Private   any // as go-jose signs with it
}

// NewKey makes a key.
func NewKey(t testing.TB, id string, alg jose.SignatureAlgorithm) Key {
	t.Helper()
	var private any
	var err error
	switch alg {
	case jose.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.ES384:
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jose.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	require.NoError(t, err)
	return Key{ID: id, Algorithm: alg, Private: private}
}

// Public is the key as its owner publishes it.
func (k Key) Public() jose.JSONWebKey {
	private := jose.JSONWebKey{Key: k.Private, KeyID: k.ID, Algorithm: string(k.Algorithm), Use: "sig"}
	return private.Public()
}

// Sign makes a token of any payload, which is bytes or becomes JSON; headers are added to
// alg, kid and typ or replace them.
func (k Key) Sign(t testing.TB, payload any, headers map[jose.HeaderKey]any) string {
	t.Helper()
	data, ok := payload.([]byte)
	if !ok {
		var err error
		data, err = json.Marshal(payload)
		require.NoError(t, err)
	}
	opts := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{"typ": "JWT", "kid": k.ID}}
	maps.Copy(opts.ExtraHeaders, headers)
	maps.DeleteFunc(opts.ExtraHeaders, func(_ jose.HeaderKey, v any) bool { return v == Absent })
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.Algorithm, Key: k.Private}, opts)
	require.NoError(t, err)
	jws, err := signer.Sign(data)
	require.NoError(t, err)
	compact, err := jws.CompactSerialize()
	require.NoError(t, err)
	return compact
}
