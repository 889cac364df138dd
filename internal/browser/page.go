package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"crmgraph/playground"
)

// page is the playground in a browser, used as a person uses it.
type page struct {
	testing.TB
	ctx    context.Context //nolint:containedctx // a page lives as long as one call of Run
	seen   *witness
	tokens []string // received so far, the one in use last
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	require.NoError(p, chromedp.Do(p.ctx, steps...))
}

// until waits for a JavaScript expression to become true.
func (p *page) until(format string, args ...any) {
	p.Helper()
	expression := fmt.Sprintf(format, args...)
	_, err := chromedp.Run(p.ctx, chromedp.Poll[bool](expression))
	require.NoErrorf(p, err, "never true: %s", expression)
}

// run opens the tab at the index, presses the run button and reads the answer
// from the network and from the page.
func (p *page) run(index int, tab playground.Tab) {
	p.Helper()
	operation := p.operation(tab.Query)
	p.do(chromedp.Click(chromedp.ID(fmt.Sprintf("graphiql-session-tab-%d", index))))
	p.until(`document.querySelector('.graphiql-query-editor .view-lines')?.textContent.includes(%q)`, operation)
	p.do(chromedp.Click(chromedp.CSS(".graphiql-execute-button")))
	p.answered(operation)
	p.until(`document.querySelector('.result-window .view-lines')?.textContent.includes('"data"')`)
	p.until(`document.querySelector('.status').textContent.startsWith('HTTP 200')`)
	p.screenshot(tab.Name)
}

// choose selects an option of the bar at the top by keyboard.
func (p *page) choose(name, option string) {
	p.Helper()
	p.do(chromedp.SendKeys(chromedp.CSS(fmt.Sprintf("select[name=%s]", name)), option))
}

// signedIn waits for the page to fetch a token for the tenant and role.
func (p *page) signedIn(tenant, role string) {
	p.Helper()
	x := p.next()
	require.Equal(p, "/playground/token", x.path)
	require.EqualValues(p, http.StatusOK, x.status)
	require.JSONEq(p, fmt.Sprintf(`{"tenant": %q, "role": %q}`, tenant, role), string(x.request))

	var grant struct{ Token string }
	require.NoError(p, json.Unmarshal(p.body(x), &grant))
	require.NotEmpty(p, grant.Token)
	p.tokens = append(p.tokens, grant.Token)
}

// answered waits for the data of the operation, asked for with the newest token.
func (p *page) answered(operation string) {
	p.Helper()
	x := p.next()
	require.Equal(p, "/graphql", x.path)
	require.EqualValues(p, http.StatusOK, x.status, operation)
	require.Equal(p, "Bearer "+p.tokens[len(p.tokens)-1], x.authorization)

	var request struct{ Query string }
	require.NoError(p, json.Unmarshal(x.request, &request))
	require.Equal(p, operation, p.operation(request.Query))

	var answer struct {
		Data   map[string]any
		Errors []any
	}
	require.NoError(p, json.Unmarshal(p.body(x), &answer))
	require.Empty(p, answer.Errors, operation)
	require.NotEmpty(p, answer.Data, operation)
}

// storesNoToken looks through everything the browser keeps, once GraphiQL has
// saved that the tab at the index is open.
func (p *page) storesNoToken(index int) {
	p.Helper()
	p.until(`JSON.parse(localStorage.getItem('graphiql:tabState'))?.activeTabIndex === %d`, index)
	stored, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](
		`JSON.stringify([localStorage, sessionStorage, document.cookie])`))
	require.NoError(p, err)
	for _, token := range p.tokens {
		require.NotContains(p, stored, token)
	}
}

func (p *page) screenshot(name string) {
	p.Helper()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	require.NoError(p, err)
	require.NoError(p, os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600))
}

func (p *page) next() exchange {
	p.Helper()
	select {
	case x := <-p.seen.answered:
		return x
	case <-p.ctx.Done():
		require.FailNow(p, "the page sent no further request")
		return exchange{}
	}
}

func (p *page) body(x exchange) []byte {
	p.Helper()
	result, err := chromedp.Call(p.ctx, network.GetResponseBody, network.GetResponseBodyParams{RequestID: x.id})
	require.NoError(p, err)
	return result.Body
}

// operation is the name of the only operation of a document.
func (p *page) operation(query string) string {
	p.Helper()
	document, err := parser.ParseQuery(&ast.Source{Input: query})
	require.NoError(p, err)
	require.Len(p, document.Operations, 1)
	return document.Operations[0].Name
}
