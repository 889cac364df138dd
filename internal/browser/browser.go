// Package browser tries the playground out in a real browser, for tests.
package browser

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"crmgraph/playground"
)

// Run opens the playground of the development server at baseURL, such as
// http://127.0.0.1:8080, runs every tab by clicking, and asks as another role
// and another tenant. The seed data must be loaded.
//
// It fails the test when an operation answers with errors, when the page logs
// an error or breaks its content security policy, when it sends a request to
// another host, and when the browser stores a token.
//
// The browser is the executable in CHROMIUM, or the first of chromium,
// chromium-browser and google-chrome in PATH; without one the test fails. When
// SCREENSHOTS names a folder, a picture of every tab is written there.
func Run(t testing.TB, baseURL string) {
	t.Helper()
	base, err := url.Parse(baseURL)
	require.NoError(t, err)
	ctx := open(t)
	seen, err := watch(ctx, base.Host)
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, complaint := range seen.heard() {
			t.Error(complaint)
		}
	})
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	tabs, err := playground.Tabs()
	require.NoError(t, err)

	p := &page{TB: t, ctx: ctx, seen: seen}
	p.do(chromedp.Navigate(base.JoinPath("playground").String()))
	p.signedIn("demo", "admin")
	p.answered("IntrospectionQuery")
	for i, tab := range tabs {
		p.run(i, tab)
	}
	p.choose("role", "viewer")
	p.signedIn("demo", "viewer")
	p.answered("IntrospectionQuery")
	p.choose("tenant", "acme")
	p.signedIn("acme", "viewer")
	p.answered("IntrospectionQuery")
	p.storesNoToken(len(tabs) - 1)
}
