// Package authtest gives tests an OpenID Connect issuer, its keys and a clock.
package authtest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Issuer is an OIDC issuer on a loopback port: discovery, keys, outages, a fetch count.
// It is safe for concurrent use.
type Issuer struct {
	URL string // the iss claim and the address of the discovery

	mu        sync.Mutex
	published []json.RawMessage
	document  map[string]any // the discovery document
	answer    http.HandlerFunc
	fetches   map[string]int // by path
	asked     chan struct{}  // receives after each answer that gave the keys
}

// NewIssuer starts an issuer that publishes the keys and ends with the test.
func NewIssuer(t testing.TB, keys ...Key) *Issuer {
	t.Helper()
	i := &Issuer{fetches: map[string]int{}, asked: make(chan struct{}, 1000)}
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	i.URL = server.URL
	i.document = map[string]any{
		"issuer":                                i.URL,
		"jwks_uri":                              i.URL + "/keys",
		"authorization_endpoint":                i.URL + "/authorize",
		"token_endpoint":                        i.URL + "/token",
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"none", "HS256", "RS256", "ES256"},
	}
	i.Publish(t, keys...)
	return i
}

// Claims are those of a good token of this issuer at now, for ana, a viewer of the tenant
// demo, with the changes.
func (i *Issuer) Claims(audience string, now time.Time, changes map[string]any) map[string]any {
	c := map[string]any{
		"iss": i.URL, "aud": audience, "sub": "ana",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"tenant": "demo", "roles": []string{"viewer"},
	}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == Absent })
	return c
}

// Publish replaces the issuer's keys.
func (i *Issuer) Publish(t testing.TB, keys ...Key) {
	t.Helper()
	raw := []json.RawMessage{}
	for _, k := range keys {
		data, err := json.Marshal(k.Public())
		require.NoError(t, err)
		raw = append(raw, data)
	}
	i.PublishRaw(raw...)
}

// PublishRaw is Publish for what need not be keys.
func (i *Issuer) PublishRaw(keys ...json.RawMessage) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.published = keys
}

// Respond replaces the answers of the issuer; nil ends that.
func (i *Issuer) Respond(h http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = h
}

// Fail makes the issuer answer every request with 503.
func (i *Issuer) Fail() {
	i.Respond(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
}

// Describe changes the discovery document.
func (i *Issuer) Describe(field string, value any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.document[field] = value
}

// Count returns how often a path was asked for; all paths when it is empty.
func (i *Issuer) Count(path string) int {
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

// AwaitAsked returns when the issuer has given its keys once more.
func (i *Issuer) AwaitAsked(t testing.TB) {
	t.Helper()
	select {
	case <-i.asked:
	case <-time.After(30 * time.Second):
		t.Fatal("the issuer was not asked for its keys")
	}
}

// ServeHTTP implements [http.Handler].
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.fetches[r.URL.Path]++
	answer, document := i.answer, maps.Clone(i.document)
	keys := map[string]any{"keys": i.published}
	i.mu.Unlock()
	switch {
	case answer != nil:
		answer(w, r)
	case r.URL.Path == "/.well-known/openid-configuration":
		WriteJSON(w, document)
	case document["jwks_uri"] == i.URL+r.URL.Path:
		WriteJSON(w, keys)
		i.asked <- struct{}{}
	default:
		http.NotFound(w, r)
	}
}

// WriteJSON answers with a JSON document.
func WriteJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(http.ErrAbortHandler)
	}
}
