package planner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"crmgraph/internal/crmtest"
	"crmgraph/planner"
)

// amelia is the id of a customer of the seed.
func (b *bundle) amelia(t *testing.T) string {
	t.Helper()
	return crmtest.IDAt(t, "customer(by: {number: 1001})", func(question string) json.RawMessage { return b.ask(t, question) })
}

// keeping keeps parsed documents, as the program does: plans belong to them.
func (b *bundle) keeping() *bundle {
	b.planned.SetQueryCache(lru.New[*ast.QueryDocument](5000))
	b.memory = &sync.Map{}
	return b
}

func (b *bundle) admin(t *testing.T, text string, variables map[string]any) answer {
	t.Helper()
	return b.run(b.as(t, "demo", role(t, "admin")), b.planned, document{text: text, variables: variables})
}

func TestStatements(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.amelia(t)
	query := func(name string) string { return read(t, "../bench/queries/"+name+".graphql") }
	from := map[string]any{"from": json.Number("1001")}
	for _, c := range []struct {
		text      string
		variables map[string]any
		want      int
	}{
		{query("lookup"), map[string]any{"id": id}, 1},
		{query("view"), map[string]any{"id": id}, 1},
		{query("page"), from, 1},                                       // the filter is on the order's column
		{strings.Replace(query("page"), "NUMBER", "CODE", 1), from, 2}, // the ids by the filter, the rows
		{query("search"), map[string]any{"text": "amelia hartman"}, 2}, // the hits, the customers
	} {
		// One after the other, on one connection: what opens a connection is counted, too.
		got := b.admin(t, c.text, c.variables)
		require.Empty(t, got.Errors)
		require.Greater(t, len(got.Data), 60, "something is found")
		require.Equal(t, c.want, got.statements, "%s: %v", c.text, got.outcomes)
	}
}

func TestFirstUseGoesToTheLoaders(t *testing.T) {
	t.Parallel()
	b := setupWith(t, planner.Options{After: 1}).keeping()
	const text = "query ($id: ID!) { customer(by: {id: $id}) { number party { displayName } } }"
	variables := map[string]any{"id": b.amelia(t)}
	first, second := b.admin(t, text, variables), b.admin(t, text, variables)
	require.Equal(t, planner.FirstUse, first.outcomes["customer"].Reason)
	require.Empty(t, second.outcomes["customer"].Reason)
	require.Equal(t, 1, second.statements)
	require.JSONEq(t, string(first.Data), string(second.Data))
}

// What decides what is selected belongs to the plan, in whichever order the variants come.
func TestVariantsOfADocument(t *testing.T) {
	t.Parallel()
	const text = `query ($id: ID!, $name: Boolean!, $hide: Boolean = true) { customer(by: {id: $id}) { number
		party @include(if: $name) { displayName ... @skip(if: $hide) { kind } } ...f @skip(if: $hide) } }
		fragment f on Customer { code vehicles(first: 1) { totalCount nodes @include(if: $name) { id } } }`
	b := setup(t)
	id := b.amelia(t)
	ask := func(name bool, hide any) answer {
		variables := map[string]any{"id": id, "name": name}
		if hide != nil {
			variables["hide"] = hide
		}
		want := b.run(b.as(t, "demo", role(t, "admin")), b.loaders, document{text: text, variables: variables})
		got := b.admin(t, text, variables)
		require.Empty(t, got.outcomes["customer"].Reason)
		require.Equal(t, canonical(t, want), canonical(t, got))
		return got
	}
	for range 2 {
		b.keeping() // forgets the plans
		for _, hide := range []any{nil, true, false, nil, false, true} {
			ask(true, hide)
			ask(false, hide)
		}
		for _, hide := range []any{false, true, nil} {
			ask(false, hide)
			ask(true, hide)
		}
	}
	require.NotContains(t, string(ask(false, nil).Data), "party")
	require.Contains(t, string(ask(true, false).Data), "kind")
}

// More variants of one field than are kept are left to the loaders and answered all the same.
func TestVariantsAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t).keeping()
	var declared, fields strings.Builder
	for i := range 6 {
		fmt.Fprintf(&declared, " $v%d: Boolean!", i)
		fmt.Fprintf(&fields, " n%d: number @include(if: $v%d)", i, i)
	}
	text := "query ($id: ID!" + declared.String() + ") { customer(by: {id: $id}) { id" + fields.String() + " } }"
	id, planned := b.amelia(t), 0
	for bits := range 1 << 6 {
		variables, want := map[string]any{"id": id}, []string{`"id":"` + id + `"`}
		for i := range 6 {
			on := bits>>i&1 == 1
			variables[fmt.Sprintf("v%d", i)] = on
			if on {
				want = append(want, fmt.Sprintf(`"n%d":1001`, i))
			}
		}
		got := b.admin(t, text, variables)
		require.Equal(t, `{"customer":{`+strings.Join(want, ",")+`}}`, string(got.Data))
		if got.outcomes["customer"].Reason == "" {
			planned++
		}
	}
	require.Equal(t, 4, planned)
}

// The same document, asked at the same time about different records.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t).keeping()
	text := read(t, "../bench/queries/view.graphql")
	var list struct {
		Customers struct{ Nodes []struct{ ID string } }
	}
	require.NoError(t, json.Unmarshal(b.ask(t, "{ customers(first: 40) { nodes { id } } }"), &list))
	want := make([]string, len(list.Customers.Nodes))
	for i, c := range list.Customers.Nodes {
		want[i] = canonical(t, b.run(b.as(t, "demo", role(t, "admin")), b.loaders, document{text: text, variables: map[string]any{"id": c.ID}}))
	}
	permissions := role(t, "admin")
	var group sync.WaitGroup
	for g := range 16 {
		group.Go(func() {
			for i := range 13 { // 200 times, all in all
				n := (g*13 + i*7) % len(want)
				ctx := b.begin(t.Context(), "demo", permissions)
				got := b.run(ctx, b.planned, document{text: text, variables: map[string]any{"id": list.Customers.Nodes[n].ID}})
				if given := canonical(t, got); given != want[n] || got.outcomes["customer"].Reason != "" {
					t.Errorf("%v\nwant %s\ngot %s", got.outcomes, want[n], given)
				}
			}
		})
	}
	group.Wait()
}

// A request that ends while it is answered gets an error on both paths, and panics on none.
func TestEndedRequests(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, d := range written(t, b) {
		for _, exec := range []*executor.Executor{b.loaders, b.planned} {
			got := b.run(b.begin(ctx, "demo", role(t, "admin")), exec, d)
			require.NotEmpty(t, got.Errors, d.name)
			for _, e := range got.Errors {
				require.NotContains(t, e.Message, "panic", d.name)
			}
		}
	}
}

func TestMutationsAreUnsupported(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.admin(t, `mutation { partyCreateIndividual(input: {lastName: "Someone"}) { party { displayName } userErrors { message } } }`, nil)
	require.Empty(t, got.Errors)
	require.JSONEq(t, `{"partyCreateIndividual": {"party": {"displayName": "Someone"}, "userErrors": []}}`, string(got.Data))
	require.Empty(t, got.outcomes)
}

// Reading more rows takes no more memory than the bytes of the answer need.
func TestAllocationsDoNotGrowWithRows(t *testing.T) { //nolint:paralleltest // counts what the whole program allocates
	b := setup(t).keeping()
	const text = `query ($n: Int!) { customers(first: $n) { edges { cursor } nodes { id number code status createdAt
		party { id displayName contacts(first: 2) { nodes { id title } } } vehicles(first: 5) { nodes { id make model owner { id displayName } } }
		loyaltyAccount { availablePoints } } } }`
	permissions := role(t, "admin")
	count := func(text, n string) float64 {
		d := document{text: text, variables: map[string]any{"n": json.Number(n)}}
		var got answer
		allocations := testing.AllocsPerRun(30, func() { got = b.run(b.as(t, "demo", permissions), b.planned, d) })
		require.Empty(t, got.Errors)
		require.Empty(t, got.outcomes["customers"].Reason)
		return allocations
	}
	withoutCursors := strings.Replace(text, "edges { cursor } ", "", 1)
	one, hundred := count(withoutCursors, "1"), count(withoutCursors, "100")
	t.Logf("a page of 1: %.0f allocations, of 100: %.0f", one, hundred)
	require.Less(t, hundred-one, 60.0)
}

// The nested view by way of the loaders, from the statements to the JSON. Generated code that prepares for
// everything at every value, as gqlgen's own does, takes 2,900.
func TestAllocationsOfLoaders(t *testing.T) { //nolint:paralleltest // counts what the whole program allocates
	b := setup(t)
	b.loaders.SetQueryCache(lru.New[*ast.QueryDocument](10))
	d := document{text: read(t, "../bench/queries/view.graphql"), variables: map[string]any{"id": b.amelia(t)}}
	permissions := role(t, "admin")
	var got answer
	allocations := testing.AllocsPerRun(30, func() { got = b.run(b.as(t, "demo", permissions), b.loaders, d) })
	require.Empty(t, got.Errors)
	require.Contains(t, string(got.Data), `"serialNumber"`, "the innermost records are there")
	t.Logf("%.0f allocations", allocations)
	require.Less(t, allocations, 1750.0)
}

// What is wrong with one page of a list is the error of that page only, even if nothing is read of it.
func TestWrongPageBesideRightOnes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := document{text: `{ customer(by: {number: 1001}) { wrong: vehicles(first: 1, after: "x") { totalCount } none: vehicles(before: "y") { __typename }
		right: vehicles(first: 1) { nodes { make } } } }`}
	for _, exec := range []*executor.Executor{b.loaders, b.planned} {
		got := b.run(b.as(t, "demo", role(t, "admin")), exec, d)
		require.JSONEq(t, `{"customer": {"wrong": null, "none": null, "right": {"nodes": [{"make": "Volkswagen"}]}}}`, string(got.Data))
		require.Len(t, got.Errors, 2)
	}
}

// A root field is all that an operation asks for under one key, whatever it is put together from: what
// one request asked for shows in no other.
func TestMergedRootFields(t *testing.T) {
	t.Parallel()
	const merged = `query ($x: Boolean!) { customer(by: {number: 1001}) { number } customer(by: {number: 1001}) @include(if: $x) { code }
		...f @skip(if: $x) } fragment f on Query { customer(by: {number: 1001}) { type } }`
	const shared = `query A { ...f } query B { ...f customer(by: {number: 1001}) { code } } fragment f on Query { customer(by: {number: 1001}) { number } }`
	documents := []document{
		{name: "merged, false", text: merged, variables: map[string]any{"x": false}},
		{name: "merged, true", text: merged, variables: map[string]any{"x": true}},
		{name: "A of two operations", text: shared, operation: "A"},
		{name: "B of two operations", text: shared, operation: "B"},
	}
	for range 2 {
		b := setup(t).keeping()
		slices.Reverse(documents)
		for _, d := range documents {
			want := b.run(b.as(t, "demo", role(t, "admin")), b.loaders, d)
			got := b.run(b.as(t, "demo", role(t, "admin")), b.planned, d)
			require.Empty(t, got.outcomes["customer"].Reason, d.name)
			require.Equal(t, canonical(t, want), canonical(t, got), d.name)
		}
	}
}

// A null in place of a condition makes the executor panic, inside its own net; the planner must not do
// so outside of it.
func TestNullConditions(t *testing.T) {
	t.Parallel()
	b := setup(t).keeping()
	d := document{
		text:      `query ($x: Boolean = true) { a: customer(by: {number: 1001}) { number } b: customer(by: {number: 1001}) { number code @include(if: $x) } }`,
		variables: map[string]any{"x": nil},
	}
	want := b.run(b.as(t, "demo", role(t, "admin")), b.loaders, d)
	got := b.run(b.as(t, "demo", role(t, "admin")), b.planned, d)
	require.NotEmpty(t, got.Errors)
	require.Equal(t, planner.Unsupported, got.outcomes["b"].Reason)
	require.Equal(t, canonical(t, want), canonical(t, got))
}

func TestLargePlansAreNotMade(t *testing.T) {
	t.Parallel()
	b := setup(t).keeping()
	var fields, edges strings.Builder
	for i := range 100 {
		fmt.Fprintf(&fields, " n%d: number", i)
	}
	for i := range 25 {
		fmt.Fprintf(&edges, " e%d: vehicles(first: 1) { totalCount }", i)
	}
	for text, detail := range map[string]string{
		"{ customer(by: {number: 1001}) { number" + edges.String() + " } }":                                                                      "edges",
		"{ parties(first: 1) { nodes {" + strings.Repeat(" ... on Party { parent {"+fields.String(), 11) + strings.Repeat(" } }", 11) + " } } }": "members",
	} {
		got := b.admin(t, text, nil)
		for _, outcome := range got.outcomes {
			require.Equal(t, planner.TooLarge, outcome.Reason)
			require.Contains(t, outcome.Detail, detail)
		}
		require.NotEmpty(t, got.outcomes)
	}
}
