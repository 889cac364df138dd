package gqlhttp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"crmgraph/internal/gqlhttp"
)

func TestExecution(t *testing.T) {
	t.Parallel()
	d := setup(t)
	hurried := setup(t, func(o *gqlhttp.Options) { o.Timeout = 30 * time.Millisecond })

	t.Run("answers partial data with 200", func(t *testing.T) {
		t.Parallel()
		got := d.query(t, `{ echo(text: "x", n: 1) fail(code: "NOT_FOUND") }`)
		require.Equal(t, 200, got.status)
		require.JSONEq(t, `{
			"errors": [{"message": "failed on purpose.", "path": ["fail"], "extensions": {"code": "NOT_FOUND", "requestId": "req-1"}}],
			"data": {"echo": "x 1", "fail": null},
			"extensions": {"cost": {"requested": 1, "maximum": 1000}}
		}`, got.text)
	})

	t.Run("hides errors without a code of the list", func(t *testing.T) {
		t.Parallel()
		for _, document := range []string{`{ failing(times: 1) }`, `{ fail(code: "SOME_OTHER") }`, `{ fail }`} {
			got := d.query(t, document)
			require.Equal(t, 200, got.status)
			require.Contains(t, got.text, `"message":"internal error"`)
			require.Contains(t, got.text, `"code":"INTERNAL"`)
			require.NotContains(t, got.text, "hunter2")
		}
	})

	t.Run("tells at most 20 errors", func(t *testing.T) {
		t.Parallel()
		got := d.query(t, `{ failing(times: 500) }`)
		require.Len(t, got.result(t)["errors"], 20)
	})

	t.Run("keeps what was resolved before the deadline", func(t *testing.T) {
		t.Parallel()
		got := hurried.query(t, `{ echo(text: "x", n: 1) slow }`)
		require.Equal(t, 200, got.status)
		require.Contains(t, got.text, `"data":{"echo":"x 1","slow":null}`)
		require.Contains(t, got.text, `"code":"UNAVAILABLE"`)
	})

	t.Run("answers 503 when the deadline left nothing", func(t *testing.T) {
		t.Parallel()
		for _, accept := range []string{jsonMedia, responseMedia} {
			got := hurried.post(t, `{"query":"{ slowRequired }"}`, "Accept", accept)
			got.requireRefused(t, 503, "UNAVAILABLE", "took too long")
			require.Equal(t, "1", got.header.Get("Retry-After"))
		}
	})

	t.Run("accepts @defer and answers all data at once", func(t *testing.T) {
		t.Parallel()
		got := d.query(t, `query($d: Boolean!) { ... @defer(if: $d, label: "later") { echo(text: "x", n: 1) } ...F @defer } fragment F on Query { again: echo(text: "y", n: 2) }`, map[string]any{"d": true})
		require.Equal(t, 200, got.status)
		require.Contains(t, got.text, `"data":{"echo":"x 1","again":"y 2"}`)
		require.NotContains(t, got.text, "hasNext")
	})

	t.Run("refuses subscriptions without an event stream", func(t *testing.T) {
		t.Parallel()
		d.query(t, `subscription { ticks(to: 1) }`).requireRefused(t, 400, "BAD_USER_INPUT", "text/event-stream")
	})

	t.Run("refuses an operation that cannot be determined", func(t *testing.T) {
		t.Parallel()
		d.query(t, `query A { slow } query B { slow }`).requireRefused(t, 400, "BAD_USER_INPUT", "operationName must name one")
	})

	t.Run("tells the cost of a query that is refused for it", func(t *testing.T) {
		t.Parallel()
		document := `{ ` + strings.Repeat(`items(first: 100) { nodes { ...F } } `, 15) + `} fragment F on Item { child { child { child { child { child { child { child { child { id } } } } } } } } }`
		got := d.query(t, document)
		got.requireRefused(t, 400, "COST_LIMIT_EXCEEDED", "costs 1350 points; at most 1000")
		require.Contains(t, got.text, `"extensions":{"cost":{"requested":1350,"maximum":1000}}`)
	})
}

func TestCachedDocumentsAreShared(t *testing.T) {
	t.Parallel()
	d := setup(t)
	const document = `query($n: Int, $on: Boolean!) { ... @defer { echo(text: "x", n: $n) } items(first: $n) { nodes { id } } self @include(if: $on) { ...F } } fragment F on Query { echo }`
	var clients sync.WaitGroup
	for i := range 30 {
		clients.Go(func() {
			got := d.query(t, document, map[string]any{"n": i + 1, "on": i%2 == 0})
			assert.Contains(t, got.text, fmt.Sprintf(`"echo":"x %d"`, i+1))
			assert.Contains(t, got.text, fmt.Sprintf(`"requested":%d,`, (i+1+9)/10))
		})
	}
	clients.Wait()
}

func TestDeadlineBeforeExecution(t *testing.T) {
	t.Parallel()
	d := setup(t, func(o *gqlhttp.Options) {
		o.PrepareContext = func(ctx context.Context) context.Context {
			over, cancel := context.WithDeadline(ctx, time.Unix(0, 0))
			t.Cleanup(cancel)
			return over
		}
	})
	d.query(t, typeQuery).requireRefused(t, 503, "UNAVAILABLE", "took too long")
}

const typeQuery = `{ __typename }`

func TestPanics(t *testing.T) {
	t.Parallel()

	t.Run("in a resolver leave the other fields alone", func(t *testing.T) {
		t.Parallel()
		d := setup(t)
		got := d.query(t, `{ boom echo(text: "x", n: 1) }`)
		require.Equal(t, 200, got.status)
		require.Contains(t, got.text, `"data":{"boom":null,"echo":"x 1"}`)
		require.Contains(t, got.text, `"code":"INTERNAL"`)
		require.NotContains(t, got.text, "secret-in-panic")
		require.True(t, (<-d.told).Panicked)
		require.Contains(t, d.log.String(), "secret-in-panic")
		require.Contains(t, d.log.String(), "stage).resolve")
	})

	t.Run("outside of resolvers are answered 500", func(t *testing.T) {
		t.Parallel()
		d := setup(t)
		d.query(t, `{ crash }`).requireRefused(t, 500, "INTERNAL", "internal error")
		told := <-d.told
		require.True(t, told.Panicked)
		require.Equal(t, 500, told.Status)
		require.Contains(t, d.log.String(), "stage).Exec")
	})
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	d := setup(t, func(o *gqlhttp.Options) {
		o.Introspection = func(ctx context.Context) bool { return ctx.Value(permitted{}) != nil }
		o.PrepareContext = func(ctx context.Context) context.Context {
			if graphql.HasOperationContext(ctx) {
				panic("prepared too late")
			}
			return ctx
		}
	})

	for name, document := range map[string]string{
		"the schema":            `{ __schema { types { name } } }`,
		"a type":                `{ __type(name: "Query") { name } }`,
		"a type in a fragment":  `{ ...F } fragment F on Query { t: __type(name: "Query") { name } }`,
		"a type beside a field": `{ echo ... { __type(name: "Query") { name } } }`,
	} {
		t.Run("refuses "+name+" to a caller who may not", func(t *testing.T) {
			t.Parallel()
			d.query(t, document).requireRefused(t, 403, "FORBIDDEN", "not permitted")
		})
	}

	t.Run("is refused with 200 as application/json", func(t *testing.T) {
		t.Parallel()
		d.post(t, `{"query":"{ __schema { types { name } } }"}`).requireRefused(t, 200, "FORBIDDEN", "not permitted")
	})

	t.Run("leaves __typename to everybody", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, 200, d.query(t, typeQuery).status)
	})

	t.Run("is open to a caller who may", func(t *testing.T) {
		t.Parallel()
		open := setup(t, func(o *gqlhttp.Options) {
			o.PrepareContext = func(ctx context.Context) context.Context { return context.WithValue(ctx, permitted{}, true) }
			o.Introspection = func(ctx context.Context) bool { return ctx.Value(permitted{}) != nil }
		})
		got := open.query(t, `{ __schema { types { name } } }`)
		require.Equal(t, 200, got.status)
		require.NotContains(t, got.text, "errors")
	})
}

type permitted struct{}

func TestOnOperation(t *testing.T) {
	t.Parallel()
	unavailable := &gqlerror.Error{
		Message: "failed on purpose. Did you mean hunter2?", Path: ast.Path{ast.PathName("fail")}, Extensions: map[string]any{"code": "UNAVAILABLE"},
	}

	for _, test := range []struct {
		name string
		send func(*testing.T, *door)
		want gqlhttp.Operation
	}{
		{
			"a query", func(t *testing.T, d *door) { d.query(t, `query Page { items(first: 100) { nodes { id } } }`) },
			gqlhttp.Operation{Name: "Page", Type: ast.Query, Status: 200, Cost: 10},
		},
		{
			"a mutation", func(t *testing.T, d *door) { d.query(t, `mutation { increment(by: 1) }`) },
			gqlhttp.Operation{Type: ast.Mutation, Status: 200, Cost: 1},
		},
		{
			"every error, told or not", func(t *testing.T, d *door) { d.query(t, `{ failing(times: 50) }`) },
			gqlhttp.Operation{Type: ast.Query, Status: 200, Cost: 1, Errors: 50, Failure: errors.New("password=hunter2")},
		},
		{
			"a failure without more to tell", func(t *testing.T, d *door) { d.query(t, `{ fail(code: "UNAVAILABLE") }`) },
			gqlhttp.Operation{Type: ast.Query, Status: 200, Cost: 1, Errors: 1, Failure: unavailable},
		},
		{
			"an error that is the client's, which is no failure", func(t *testing.T, d *door) { d.query(t, `{ fail(code: "NOT_FOUND") }`) },
			gqlhttp.Operation{Type: ast.Query, Status: 200, Cost: 1, Errors: 1},
		},
		{
			"a refused request", func(t *testing.T, d *door) { d.post(t, `nonsense`) },
			gqlhttp.Operation{Status: 400, Errors: 1},
		},
		{
			"a page that is too large", func(t *testing.T, d *door) { d.query(t, `query P { items(first: 101) { nodes { id } } }`) },
			gqlhttp.Operation{Name: "P", Type: ast.Query, Status: 400, Cost: 1, Errors: 1},
		},
		{
			"a name that is too long", func(t *testing.T, d *door) { d.query(t, `query `+strings.Repeat("N", 5000)+` { echo }`) },
			gqlhttp.Operation{Name: strings.Repeat("N", 100), Type: ast.Query, Status: 200, Cost: 1},
		},
		{
			"a stream", func(t *testing.T, d *door) {
				d.post(t, `{"query":"subscription S { ticks(to: 3) }"}`, "Accept", "text/event-stream")
			},
			gqlhttp.Operation{Name: "S", Type: ast.Subscription, Status: 200, Cost: 1},
		},
	} {
		t.Run("is told of "+test.name, func(t *testing.T) {
			t.Parallel()
			d := setup(t)
			test.send(t, d)
			told := <-d.told
			require.Positive(t, told.Duration)
			told.Duration = 0
			require.Equal(t, test.want, told)
		})
	}
}

// stamp adds a member to the extensions of every answer.
type stamp struct{}

func (stamp) ExtensionName() string                   { return "Stamp" }
func (stamp) Validate(graphql.ExecutableSchema) error { return nil }

func (stamp) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	graphql.RegisterExtension(ctx, "stamp", map[string]int{"n": 7})
	return next(ctx)
}

func TestExtensions(t *testing.T) {
	t.Parallel()
	d := setup(t, func(o *gqlhttp.Options) { o.Extensions = []graphql.HandlerExtension{stamp{}} })
	require.JSONEq(t, `{"data":{"__typename":"Query"},"extensions":{"cost":{"requested":1,"maximum":1000},"stamp":{"n":7}}}`, d.query(t, typeQuery).text)
}
