package planner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/graph"
	"crmgraph/internal/crmtest"
	"crmgraph/planner"
	"crmgraph/playground"
	"crmgraph/resolvers"
)

// bundle is a graph over a seeded database of the test's own, twice: with a planner and without.
type bundle struct {
	url     string
	store   *crm.Store
	schema  *ast.Schema
	planned *executor.Executor
	loaders *executor.Executor
	tenants map[string]uuid.UUID
	memory  *sync.Map // of documents, whose memories belong to them; nil when nothing is kept
}

// setup plans every document at once.
func setup(t *testing.T) *bundle { return setupWith(t, planner.Options{}) }

func setupWith(t *testing.T, options planner.Options) *bundle {
	t.Helper()
	url := crmtest.Seeded(t)
	unusual(t, url)
	b := &bundle{url: url, store: crmtest.Store(t, url), tenants: map[string]uuid.UUID{}}
	schema := graph.NewSchema(graph.Config{Resolvers: resolvers.Root{Store: b.store}})
	b.schema = schema.Schema()
	b.loaders, b.planned = executor.New(schema), executor.New(schema)
	b.loaders.SetErrorPresenter(resolvers.Present)
	b.planned.SetErrorPresenter(resolvers.Present)
	options.Observe = observe
	options.Memory = func(ctx context.Context) *sync.Map {
		if b.memory == nil {
			return nil
		}
		memory, _ := b.memory.LoadOrStore(graphql.GetOperationContext(ctx).Doc, &sync.Map{})
		return memory.(*sync.Map)
	}
	b.planned.Use(planner.New(options))
	for _, tenant := range []string{"demo", "acme"} {
		id, err := b.store.TenantByCode(t.Context(), tenant)
		require.NoError(t, err)
		b.tenants[tenant] = id
		got := b.run(b.as(t, tenant, role(t, "admin")), b.loaders, document{text: `mutation {
			tenantSettingsUpdate(input: {phoneUnique: false}, ifRevision: 0) { userErrors { message } }
			partyCreateIndividual(input: {lastName: "Newcomer"}) { userErrors { message } } }`})
		require.Empty(t, got.Errors)
		require.JSONEq(t, `{"tenantSettingsUpdate": {"userErrors": []}, "partyCreateIndividual": {"userErrors": []}}`, string(got.Data))
	}
	return b
}

// visited does in the demo tenant what the playground's tabs do and makes a customer with addresses,
// so that there are records of every type.
func (b *bundle) visited(t *testing.T) {
	t.Helper()
	create := read(t, "../resolvers/testdata/mutations/customer_create.graphql")
	variables := crmtest.Let(t, create, func(question string) json.RawMessage { return b.ask(t, question) })
	for _, d := range append([]document{{name: "customer_create", text: create, variables: variables}}, tabs(t)...) {
		if isMutation(d) {
			got := b.run(b.as(t, "demo", role(t, "admin")), b.loaders, d)
			require.Empty(t, got.Errors, d.name)
		}
	}
}

// tabs are the documents of the playground.
func tabs(t *testing.T) []document {
	t.Helper()
	all, err := playground.Tabs()
	require.NoError(t, err)
	var documents []document
	for _, tab := range all {
		d := document{name: tab.Name, text: tab.Query, variables: map[string]any{}}
		if tab.Variables != nil {
			decoder := json.NewDecoder(bytes.NewReader(tab.Variables))
			decoder.UseNumber()
			require.NoError(t, decoder.Decode(&d.variables))
		}
		documents = append(documents, d)
	}
	return documents
}

func isMutation(d document) bool { return strings.Contains(d.text, "mutation ") }

// unusual gives some rows of the seed texts and values that rows seldom have.
func unusual(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.Background())) }()
	for i, text := range []string{"", `"quoted" \ back\\slash`, "tab\tline\nreturn\r\x01\x1f\x7f", "é💥 <&> \u2028 \u00a0", "null"} {
		for _, sql := range []string{
			"UPDATE vehicle SET description = $1 WHERE id IN (SELECT id FROM vehicle ORDER BY id LIMIT 2 OFFSET $2)",
			"UPDATE contact SET title = $1 WHERE id IN (SELECT id FROM contact ORDER BY id LIMIT 2 OFFSET $2)",
		} {
			_, err := conn.Exec(t.Context(), sql, text, 2*i)
			require.NoError(t, err, "%q", text)
		}
	}
}

func role(t testing.TB, name string) []crm.Permission {
	t.Helper()
	permissions, ok := crm.RolePermissions(name)
	require.True(t, ok)
	return permissions
}

// as returns a context that acts in a tenant. Each answer needs one of its own: what was loaded
// for one request serves no other.
func (b *bundle) as(t testing.TB, tenant string, permissions []crm.Permission) context.Context {
	t.Helper()
	return b.begin(t.Context(), tenant, permissions)
}

func (b *bundle) begin(ctx context.Context, tenant string, permissions []crm.Permission) context.Context {
	return b.store.Begin(crm.WithPrincipal(ctx, &crm.Principal{
		TenantID: b.tenants[tenant], Tenant: tenant, Subject: "test", Permissions: crm.NewPermissions(permissions...),
	}))
}

// ask answers a document without a planner and without errors, as the demo tenant's admin.
func (b *bundle) ask(t testing.TB, text string) json.RawMessage {
	t.Helper()
	got := b.run(b.as(t, "demo", role(t, "admin")), b.loaders, document{text: text})
	require.Empty(t, got.Errors, text)
	return got.Data
}

// answer is what a document gave.
type answer struct {
	Data       json.RawMessage
	Errors     gqlerror.List
	outcomes   map[string]planner.Outcome // by the key of the root field
	statements int
}

type outcomesKey struct{}

// outcomes are what a planner told about a request.
type outcomes struct {
	mu   sync.Mutex
	list map[string]planner.Outcome
}

func observe(ctx context.Context, o planner.Outcome) {
	if told, ok := ctx.Value(outcomesKey{}).(*outcomes); ok {
		told.mu.Lock()
		defer told.mu.Unlock()
		told.list[graphql.GetRootFieldContext(ctx).Field.Alias] = o
	}
}

func (b *bundle) run(ctx context.Context, exec *executor.Executor, d document) answer {
	told := &outcomes{list: map[string]planner.Outcome{}}
	ctx, statements := db.CountStatements(context.WithValue(graphql.StartOperationTrace(ctx), outcomesKey{}, told))
	op, errs := exec.CreateOperationContext(ctx, &graphql.RawParams{Query: d.text, OperationName: d.operation, Variables: maps.Clone(d.variables)})
	if errs != nil {
		return answer{Errors: errs}
	}
	responses, ctx := exec.DispatchOperation(ctx, op)
	response := responses(ctx)
	if response == nil { // the request ended
		return answer{Errors: gqlerror.List{gqlerror.Errorf("no answer")}, outcomes: told.list}
	}
	return answer{Data: response.Data, Errors: response.Errors, outcomes: told.list, statements: statements.Count()}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
