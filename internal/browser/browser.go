// Package browser tries the pages out in a real browser, for tests.
package browser

import (
	"context"
	"fmt"
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
	tabs, err := playground.Tabs()
	require.NoError(t, err)
	p := visit(t, baseURL, "playground")
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

// Contract opens the page of the contract's OpenAPI document of the server at baseURL, and
// the operation of that id and tag, and then the address of that. It returns all the text that
// is shown then.
//
// It fails the test, and finds the browser, as [Run] does.
func Contract(t testing.TB, baseURL, contract, tag, operation string) string {
	t.Helper()
	p := visit(t, baseURL, "openapi/"+contract)
	block := fmt.Sprintf("operations-%s-%s", tag, operation)
	p.do(chromedp.Click(chromedp.CSS("#" + block + " .opblock-summary-control")))
	opened := `document.querySelector('#%s .responses-inner') !== null`
	p.until(opened, block)
	p.do(chromedp.Reload())
	p.until(opened, block)
	p.screenshot("openapi-" + contract)
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.body.innerText`))
	require.NoError(t, err)
	return text
}

// visit opens a page of the server at baseURL, and has the test fail of everything that
// is wrong with it.
func visit(t testing.TB, baseURL, path string) *page {
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
	p := &page{TB: t, ctx: ctx, seen: seen}
	p.do(chromedp.Navigate(base.JoinPath(path).String()))
	return p
}
