package auth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// audience is what the tests' server calls itself.
const audience = "crm-api"

// clock is a clock that only moves when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now().Truncate(time.Second)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// signingKey is a private key and the only algorithm it is published for.
type signingKey struct {
	kid     string
	alg     jose.SignatureAlgorithm
	private any
}

func newSigningKey(t *testing.T, kid string, alg jose.SignatureAlgorithm) signingKey {
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
	return signingKey{kid: kid, alg: alg, private: private}
}

// jwk is the key as its owner publishes it.
func (k signingKey) jwk() jose.JSONWebKey {
	private := jose.JSONWebKey{Key: k.private, KeyID: k.kid, Algorithm: string(k.alg), Use: "sig"}
	return private.Public()
}

// sign makes a token of any payload; headers are added to alg, kid and typ or replace them.
func (k signingKey) sign(t *testing.T, payload any, headers map[jose.HeaderKey]any) string {
	t.Helper()
	data, ok := payload.([]byte)
	if !ok {
		var err error
		data, err = json.Marshal(payload)
		require.NoError(t, err)
	}
	opts := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{"typ": "JWT", "kid": k.kid}}
	maps.Copy(opts.ExtraHeaders, headers)
	maps.DeleteFunc(opts.ExtraHeaders, func(_ jose.HeaderKey, v any) bool { return v == absent })
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.alg, Key: k.private}, opts)
	require.NoError(t, err)
	jws, err := signer.Sign(data)
	require.NoError(t, err)
	compact, err := jws.CompactSerialize()
	require.NoError(t, err)
	return compact
}

// issuer is an OIDC issuer on a loopback port: discovery, keys, outages, a fetch count.
type issuer struct {
	url string

	mu        sync.Mutex
	published []json.RawMessage
	document  map[string]any // the discovery document
	answer    http.HandlerFunc
	fetches   map[string]int // by path
	asked     chan struct{}  // receives after each answer that gave the keys
}

func newIssuer(t *testing.T, keys ...signingKey) *issuer {
	t.Helper()
	i := &issuer{fetches: map[string]int{}, asked: make(chan struct{}, 1000)}
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	i.url = server.URL
	i.document = map[string]any{
		"issuer":                                i.url,
		"jwks_uri":                              i.url + "/keys",
		"authorization_endpoint":                i.url + "/authorize",
		"token_endpoint":                        i.url + "/token",
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"none", "HS256", "RS256", "ES256"},
	}
	i.publish(t, keys...)
	return i
}

// publish replaces the issuer's keys.
func (i *issuer) publish(t *testing.T, keys ...signingKey) {
	t.Helper()
	raw := []json.RawMessage{}
	for _, k := range keys {
		data, err := json.Marshal(k.jwk())
		require.NoError(t, err)
		raw = append(raw, data)
	}
	i.publishRaw(raw...)
}

func (i *issuer) publishRaw(keys ...json.RawMessage) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.published = keys
}

// respond replaces the answers of the issuer; nil ends that.
func (i *issuer) respond(h http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = h
}

// fail makes the issuer answer every request with 503.
func (i *issuer) fail() {
	i.respond(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
}

// describe changes the discovery document.
func (i *issuer) describe(field string, value any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.document[field] = value
}

// count returns how often a path was asked for; all paths when it is empty.
func (i *issuer) count(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	if path != "" {
		return i.fetches[path]
	}
	total := 0
	for _, n := range i.fetches {
		total += n
	}
	return total
}

// awaitAsked returns when the issuer has given its keys once more.
func (i *issuer) awaitAsked(t *testing.T) {
	t.Helper()
	select {
	case <-i.asked:
	case <-time.After(30 * time.Second):
		t.Fatal("the issuer was not asked for its keys")
	}
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.fetches[r.URL.Path]++
	answer, document := i.answer, maps.Clone(i.document)
	keys := map[string]any{"keys": i.published}
	i.mu.Unlock()
	switch {
	case answer != nil:
		answer(w, r)
	case r.URL.Path == "/.well-known/openid-configuration":
		writeJSON(w, document)
	case document["jwks_uri"] == i.url+r.URL.Path:
		writeJSON(w, keys)
		i.asked <- struct{}{}
	default:
		http.NotFound(w, r)
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(http.ErrAbortHandler)
	}
}
