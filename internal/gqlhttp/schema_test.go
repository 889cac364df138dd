package gqlhttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"crmgraph/internal/gqlhttp"
)

const schemaText = `
interface Node { id: ID! }
enum Tier { GOLD SILVER }
input Where { tier: Tier, name: String, and: [Where!] }
scalar JSON
type Query {
  node(id: ID!): Node
  self: Query
  items(first: Int): ItemConnection
  echo(text: String, n: Int, where: Where, any: JSON): String
  required(id: ID!): String
  fail(code: String): String
  failing(times: Int): String
  slow: String
  slowRequired: String!
  boom: String
  crash: String
}
type Item implements Node { id: ID! child: Item }
type ItemConnection { nodes: [Item!]! totalCount: Int }
type Mutation { increment(by: Int): Int }
type Subscription { ticks(to: Int!): Int, silence: Int, crash: Int }
`

// stage is a small schema with an executor written by hand in the way generated ones
// work: it resolves root fields and knows nothing below them but "null".
type stage struct {
	schema *ast.Schema
	ended  atomic.Bool // a subscription to silence has
}

func newStage(t testing.TB) *stage {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: schemaText})
	require.NoError(t, err)
	return &stage{schema: schema}
}

func (s *stage) Schema() *ast.Schema { return s.schema }

func (s *stage) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (s *stage) Exec(ctx context.Context) graphql.ResponseHandler {
	operation := graphql.GetOperationContext(ctx)
	fields := graphql.CollectFields(operation, operation.Operation.SelectionSet, nil)
	if operation.Operation.Operation == ast.Subscription {
		return s.subscribe(operation, fields[0])
	}
	for _, field := range fields {
		if field.Name == "crash" {
			panic("crash: secret-in-panic")
		}
	}
	var once bool
	return func(ctx context.Context) *graphql.Response {
		if once {
			return nil
		}
		once = true
		return &graphql.Response{Data: s.object(ctx, operation, fields)}
	}
}

// object resolves the fields one after the other; a null where none may be makes
// the whole object null.
func (s *stage) object(ctx context.Context, operation *graphql.OperationContext, fields []graphql.CollectedField) []byte {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, field := range fields {
		value := s.resolve(graphql.WithFieldContext(ctx, &graphql.FieldContext{Field: field}), operation, field)
		if value == nil && field.Definition.Type.NonNull {
			return []byte("null")
		}
		if i > 0 {
			out.WriteByte(',')
		}
		text, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(&out, "%q:%s", field.Alias, text)
	}
	out.WriteByte('}')
	return out.Bytes()
}

func (s *stage) resolve(ctx context.Context, operation *graphql.OperationContext, field graphql.CollectedField) (value any) {
	defer func() {
		if cause := recover(); cause != nil {
			graphql.AddError(ctx, operation.Recover(ctx, cause))
			value = nil
		}
	}()
	args := field.ArgumentMap(operation.Variables)
	if field.IsDeferred() {
		return nil // for a later response that this door never asks for
	}
	switch field.Name {
	case "__typename":
		return field.ObjectDefinition.Name
	case "__schema", "__type":
		if operation.DisableIntrospection {
			panic("introspection is disabled")
		}
		return map[string]any{}
	case "echo":
		return fmt.Sprintf("%v %v", args["text"], args["n"])
	case "fail":
		graphql.AddError(ctx, coded(args["code"]))
	case "failing":
		for range args["times"].(int64) {
			graphql.AddError(ctx, errors.New("password=hunter2"))
		}
	case "slow", "slowRequired":
		<-ctx.Done()
		graphql.AddError(ctx, ctx.Err())
	case "boom":
		panic("boom: secret-in-panic")
	case "increment":
		return args["by"]
	}
	return nil
}

func coded(code any) error {
	return &gqlerror.Error{Message: "failed on purpose. Did you mean hunter2?", Extensions: map[string]any{"code": code}}
}

func (s *stage) subscribe(operation *graphql.OperationContext, field graphql.CollectedField) graphql.ResponseHandler {
	n := int64(0)
	return func(ctx context.Context) *graphql.Response {
		if field.Name == "crash" {
			panic("crash: secret-in-panic")
		}
		if field.Name == "silence" {
			<-ctx.Done()
			s.ended.Store(true)
			return nil
		}
		if n == field.ArgumentMap(operation.Variables)["to"].(int64) {
			return nil
		}
		n++
		return &graphql.Response{Data: fmt.Appendf(nil, "{%q:\n%d}\n", field.Alias, n)}
	}
}

// door is a running server and what it told.
type door struct {
	url   string
	stage *stage
	told  chan gqlhttp.Operation
	log   *lockedBuffer
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// setup serves the stage on loopback, open to introspection.
func setup(t testing.TB, change ...func(*gqlhttp.Options)) *door {
	t.Helper()
	return setupServer(t, func(*http.Server) {}, change...)
}

func setupServer(t testing.TB, configure func(*http.Server), change ...func(*gqlhttp.Options)) *door {
	t.Helper()
	d := &door{stage: newStage(t), told: make(chan gqlhttp.Operation, 10_000), log: &lockedBuffer{}}
	o := gqlhttp.Options{
		Schema:        d.stage,
		Present:       present,
		RequestID:     func(context.Context) string { return "req-1" },
		Introspection: func(context.Context) bool { return true },
		OnOperation:   func(_ context.Context, op gqlhttp.Operation) { d.told <- op },
		Log:           slog.New(slog.NewTextHandler(d.log, nil)),
	}
	for _, f := range change {
		f(&o)
	}
	server := httptest.NewUnstartedServer(gqlhttp.New(o))
	configure(server.Config)
	server.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(d.log, nil), slog.LevelError)
	server.Start()
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

// present shows coded errors and deadlines, and hides the rest.
func present(ctx context.Context, err error) *gqlerror.Error {
	shown := graphql.DefaultErrorPresenter(ctx, err)
	if errors.Is(err, context.DeadlineExceeded) {
		shown = &gqlerror.Error{Message: "too slow", Path: shown.Path, Extensions: map[string]any{"code": "UNAVAILABLE"}}
	}
	return shown
}

// reply is an answer read to its end.
type reply struct {
	status int
	header http.Header
	text   string
}

// send makes one request; header pairs follow the body.
func (d *door) send(t testing.TB, method, query, body string, header ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, d.url+query, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return reply{response.StatusCode, response.Header, string(text)}
}

// post sends a body as JSON.
func (d *door) post(t testing.TB, body string, header ...string) reply {
	t.Helper()
	return d.send(t, http.MethodPost, "", body, append([]string{"Content-Type", "application/json"}, header...)...)
}

// query posts a document, asking for real status codes.
func (d *door) query(t testing.TB, document string, variables ...any) reply {
	t.Helper()
	request := map[string]any{"query": document}
	if len(variables) > 0 {
		request["variables"] = variables[0]
	}
	body, err := json.Marshal(request)
	require.NoError(t, err)
	return d.post(t, string(body), "Accept", "application/graphql-response+json")
}

// result is the answer's JSON.
func (r reply) result(t testing.TB) map[string]any {
	t.Helper()
	var out map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.text), &out), r.text)
	return out
}

// requireRefused checks the form every answer without data has.
func (r reply) requireRefused(t testing.TB, status int, code, message string) {
	t.Helper()
	require.Equal(t, status, r.status, r.text)
	out := r.result(t)
	require.NotContains(t, out, "data")
	failures, ok := out["errors"].([]any)
	require.True(t, ok, r.text)
	require.NotEmpty(t, failures)
	require.LessOrEqual(t, len(failures), 20)
	require.LessOrEqual(t, len(r.text), 64<<10)
	require.NotContains(t, r.text, "Did you mean")
	first := failures[0].(map[string]any)
	require.Contains(t, first["message"], message)
	for _, failure := range failures {
		extensions := failure.(map[string]any)["extensions"].(map[string]any)
		require.Equal(t, code, extensions["code"])
		require.Equal(t, "req-1", extensions["requestId"])
	}
}
