package auth_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/auth"
	"crmgraph/internal/auth/authtest"
)

func TestRotation(t *testing.T) {
	t.Parallel()
	t.Run("a new key is served within a minute", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.accepts(t, b.token(t, nil))
		next := authtest.NewKey(t, "key-next", jose.ES256)
		b.issuer.Publish(t, b.key, next)
		b.refuses(t, crm.Unauthenticated, next.Sign(t, b.claims(nil), nil))
		b.clock.Advance(30 * time.Second)
		b.accepts(t, next.Sign(t, b.claims(nil), nil))
	})
	t.Run("a removed key is refused after a minute, also for tokens in the cache", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.issuer.Publish(t, b.key, authtest.NewKey(t, "key-2", jose.ES256))
		b.accepts(t, b.token(t, nil))
		b.issuer.Publish(t, authtest.NewKey(t, "key-2", jose.ES256))
		b.clock.Advance(29 * time.Second)
		cached := b.token(t, map[string]any{"jti": "cached"})
		b.accepts(t, cached)
		b.clock.Advance(31 * time.Second)
		b.refuses(t, crm.Unauthenticated, cached)
		b.refuses(t, crm.Unauthenticated, b.token(t, nil))
	})
	t.Run("an issuer that withdraws all its keys is believed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.accepts(t, b.token(t, nil))
		b.issuer.Publish(t)
		b.clock.Advance(time.Minute)
		b.refuses(t, crm.Unauthenticated, b.token(t, nil))
	})
	t.Run("keys are renewed behind the callers' backs before they have to wait", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		token := b.token(t, nil)
		b.accepts(t, token)
		b.issuer.AwaitAsked(t)
		b.clock.Advance(30 * time.Second)
		b.accepts(t, token)
		b.issuer.AwaitAsked(t)
		require.Equal(t, 2, b.issuer.Count("/keys"))
	})
	t.Run("a key that keeps its name but changes is the new key only", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		old := b.token(t, nil)
		b.accepts(t, old)
		b.key = authtest.NewKey(t, b.key.ID, jose.ES256)
		b.issuer.Publish(t, b.key)
		b.clock.Advance(time.Minute)
		b.refuses(t, crm.Unauthenticated, old)
		b.accepts(t, b.token(t, nil))
	})
}

func TestUnknownKeysCauseOneFetchIn30Seconds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.accepts(t, b.token(t, nil))
	stranger := authtest.NewKey(t, "key-stranger", jose.ES256)
	for range 3 {
		before := b.issuer.Count("/keys")
		b.clock.Advance(30 * time.Second)
		token := stranger.Sign(t, b.claims(nil), nil)
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				_, err := b.Authenticate(t.Context(), token)
				if crm.CodeOf(err) != crm.Unauthenticated {
					t.Errorf("unknown key: %v", err)
				}
			})
		}
		callers.Wait()
		require.Equal(t, before+1, b.issuer.Count("/keys"))
		b.clock.Advance(29 * time.Second)
		b.refuses(t, crm.Unauthenticated, token)
		require.Equal(t, before+1, b.issuer.Count("/keys"))
	}
}

func TestWhatCanBeRefusedWithoutAKeyCausesNoFetch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.refuses(t, crm.Unauthenticated, "a.b.c")
	b.refuses(t, crm.Unauthenticated, b.token(t, map[string]any{"exp": 1}))
	b.refuses(t, crm.Unauthenticated, b.token(t, map[string]any{"iss": "https://issuer.example"}))
	b.refuses(t, crm.Unauthenticated, b.token(t, map[string]any{"aud": "another-api"}))
	b.refuses(t, crm.Unauthenticated, authtest.NewKey(t, "key-2", jose.ES384).Sign(t, b.claims(nil), nil))
	require.Zero(t, b.issuer.Count(""))
}

func TestOutage(t *testing.T) {
	t.Parallel()
	t.Run("known keys go on working for ten minutes and more", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.accepts(t, b.token(t, nil))
		b.issuer.Fail()
		for range 20 {
			b.clock.Advance(30 * time.Second)
			b.accepts(t, b.token(t, nil))
		}
	})
	t.Run("known keys are given up after an hour", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.accepts(t, b.token(t, nil))
		b.issuer.Fail()
		b.clock.Advance(time.Hour - time.Second)
		b.accepts(t, b.token(t, nil))
		b.clock.Advance(time.Second)
		b.refuses(t, crm.Unavailable, b.token(t, nil))
	})
	t.Run("an unknown key may be a new one, so it is not called wrong", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.accepts(t, b.token(t, nil))
		b.issuer.Fail()
		b.clock.Advance(time.Minute)
		b.refuses(t, crm.Unavailable, authtest.NewKey(t, "key-2", jose.ES256).Sign(t, b.claims(nil), nil))
	})
	t.Run("an issuer that is down at the start is asked again after 30 seconds", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.issuer.Fail()
		for range 5 {
			b.refuses(t, crm.Unavailable, b.token(t, nil))
		}
		require.Equal(t, 1, b.issuer.Count(""))
		b.issuer.Respond(nil)
		b.clock.Advance(29 * time.Second)
		b.refuses(t, crm.Unavailable, b.token(t, nil))
		b.clock.Advance(time.Second)
		b.accepts(t, b.token(t, nil))
	})
	t.Run("keys that have moved are found again", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.accepts(t, b.token(t, nil))
		next := authtest.NewKey(t, "key-next", jose.ES256)
		b.issuer.Publish(t, next)
		b.issuer.Describe("jwks_uri", b.issuer.URL+"/moved")
		b.clock.Advance(time.Minute)
		b.accepts(t, b.token(t, nil))
		b.clock.Advance(time.Minute)
		b.accepts(t, next.Sign(t, b.claims(nil), nil))
	})
}

func TestUnusableAnswersAreOutages(t *testing.T) {
	t.Parallel()
	answers := map[string]http.HandlerFunc{
		"no JSON":       body("<html>"),
		"no key set":    body(`{}`),
		"keys null":     body(`{"keys":null}`),
		"an empty body": body(""),
		"a huge answer": body(`{"keys":[],"note":"` + strings.Repeat("x", 1<<20) + `"}`),
		"an error page": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"a cut answer":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"an error page with keys": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			authtest.WriteJSON(w, map[string]any{"keys": []any{}})
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/keys", http.StatusFound)
		},
	}
	for name, answer := range answers {
		t.Run(name+" for the keys", func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.accepts(t, b.token(t, nil))
			b.issuer.Respond(answer)
			b.clock.Advance(time.Minute)
			b.accepts(t, b.token(t, nil))
		})
		t.Run(name+" for the discovery", func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.issuer.Respond(answer)
			b.refuses(t, crm.Unavailable, b.token(t, nil))
			require.Equal(t, 1, b.issuer.Count(""))
		})
	}
}

func TestDiscoveryIsNotBelievedBlindly(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]map[string]any{
		"another issuer":           {"issuer": "https://issuer.example"},
		"keys at no address":       {"jwks_uri": ""},
		"keys at a file":           {"jwks_uri": "file:///etc/passwd"},
		"keys over the open net":   {"jwks_uri": "http://keys.example/keys"},
		"keys at a broken address": {"jwks_uri": "http://%zz"},
		"keys in a list":           {"jwks_uri": []string{"http://127.0.0.1/keys"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(c *auth.Config) { c.HTTPClient = &http.Client{Transport: fenced{t, c.Issuer}} })
			for field, value := range change {
				b.issuer.Describe(field, value)
			}
			b.refuses(t, crm.Unavailable, b.token(t, nil))
			require.Equal(t, 1, b.issuer.Count(""))
		})
	}
}

// fenced is a network in which nobody but the issuer may be asked.
type fenced struct {
	t      *testing.T
	issuer string
}

func (f fenced) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.String(), f.issuer+"/") {
		f.t.Errorf("%s was asked", r.URL)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// body answers everything with a text.
func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
}

// silent is a network that never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestFetchesAreBoundedInTime(t *testing.T) {
	t.Parallel()
	key := authtest.NewKey(t, "key-1", jose.ES256)
	synctest.Test(t, func(t *testing.T) {
		a, err := auth.New(t.Context(), auth.Config{
			Issuer: "https://issuer.example", Audience: audience, Tenants: tenants,
			HTTPClient: &http.Client{Transport: silent{}},
		})
		require.NoError(t, err)
		b := &bundle{clock: authtest.NewClock(time.Now()), issuer: &authtest.Issuer{URL: "https://issuer.example"}}
		token := key.Sign(t, b.claims(nil), nil)
		began := time.Now()
		_, err = a.Authenticate(t.Context(), token)
		require.Equal(t, crm.Unavailable, crm.CodeOf(err))
		require.Equal(t, 3*time.Second, time.Since(began)) // on the bubble's clock
	})
}

func TestACallerWhoGivesUpDoesNotEndTheFetch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	reached, release := make(chan struct{}), make(chan struct{})
	b.issuer.Respond(func(w http.ResponseWriter, _ *http.Request) {
		close(reached)
		<-release
		b.issuer.Respond(nil)
		authtest.WriteJSON(w, map[string]any{"issuer": b.issuer.URL, "jwks_uri": b.issuer.URL + "/keys"})
	})
	ctx, giveUp := context.WithCancel(t.Context())
	go func() {
		<-reached
		giveUp()
	}()
	_, err := b.Authenticate(ctx, b.token(t, nil))
	require.Equal(t, crm.Unavailable, crm.CodeOf(err))
	require.ErrorIs(t, err, context.Canceled)
	close(release)
	b.accepts(t, b.token(t, nil))
	require.Equal(t, 1, b.issuer.Count("/keys"))
}
