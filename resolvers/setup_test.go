package resolvers_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/graph"
	"crmgraph/internal/crmtest"
	"crmgraph/resolvers"
)

// bundle is a graph over a seeded database of the test's own.
type bundle struct {
	store *crm.Store
	exec  *executor.Executor
}

func setup(t testing.TB) *bundle { return setupAt(t, crmtest.Seeded(t)) }

// setupAt is setup over a given database.
func setupAt(t testing.TB, url string) *bundle {
	store := crmtest.Store(t, url)
	exec := executor.New(graph.NewSchema(graph.Config{Resolvers: resolvers.Root{Store: store}}))
	exec.SetErrorPresenter(resolvers.Present)
	return &bundle{store: store, exec: exec}
}

// answer is what a document gave.
type answer struct {
	Data       json.RawMessage
	Errors     gqlerror.List
	Statements int
	RoundTrips int
}

// codes lists the codes of the errors.
func (a answer) codes() []any {
	var codes []any
	for _, e := range a.Errors {
		codes = append(codes, e.Extensions["code"])
	}
	return codes
}

// into decodes the data of an answer without errors.
func (a answer) into(t testing.TB, v any) {
	t.Helper()
	require.Empty(t, a.Errors)
	require.NoError(t, json.Unmarshal(a.Data, v))
}

// as runs a document in a tenant with a role.
func (b *bundle) as(t testing.TB, tenant, role, document string, variables map[string]any) answer {
	t.Helper()
	ctx, statements := crmtest.As(t, b.store, tenant, role)
	return b.run(ctx, t, statements, document, variables)
}

// admin runs a document in the demo tenant.
func (b *bundle) admin(t testing.TB, document string, variables map[string]any) answer {
	t.Helper()
	return b.as(t, "demo", "admin", document, variables)
}

func (b *bundle) run(ctx context.Context, t testing.TB, statements *db.Statements, document string, variables map[string]any) answer {
	t.Helper()
	ctx = graphql.StartOperationTrace(ctx)
	before, trips := statements.Count(), statements.RoundTrips()
	op, errs := b.exec.CreateOperationContext(ctx, &graphql.RawParams{Query: document, Variables: variables})
	if errs != nil {
		return answer{Errors: errs}
	}
	responses, ctx := b.exec.DispatchOperation(ctx, op)
	response := responses(ctx)
	return answer{Data: response.Data, Errors: response.Errors, Statements: statements.Count() - before, RoundTrips: statements.RoundTrips() - trips}
}
