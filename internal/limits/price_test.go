package limits_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/internal/limits"
)

func TestPrice(t *testing.T) {
	t.Parallel()
	c := setup(t)
	for _, test := range []struct {
		name      string
		text      string
		variables map[string]any
		points    int
	}{
		{"scalars cost the minimum", `{ count }`, nil, 1},
		{"introspection is free", `{ __schema { types { name fields { name } } } }`, nil, 1},
		{"a record is one row", `{ customer { id } }`, nil, 1},
		{"eleven records are two points", `{ nodes(ids: [1,2,3,4,5,6,7,8,9,10,11]) { id } }`, nil, 2},
		{"a list by ids counts the ids of a variable", `query($ids: [ID!]!) { nodes(ids: $ids) { id } }`, map[string]any{"ids": make([]any, 40)}, 4},
		{"a plain list counts ten", `{ search { __typename } }`, nil, 1},
		{"a list of scalars is free", `{ customer { labels } }`, nil, 1},
		{"a connection without first counts 25", `{ customers { nodes { id } } }`, nil, 3},
		{"a connection counts its declared default", `{ brief { nodes { customer: parent { id } } } }`, nil, 1},
		{"a connection counts first", `{ customers(first: 100) { nodes { id } } }`, nil, 10},
		{"a connection counts last", `{ customers(last: 40) { nodes { id } } }`, nil, 4},
		{"null stands for no page size", `{ customers(first: null) { nodes { id } } }`, nil, 3},
		{"a connection counts a variable", `query($n: Int) { customers(first: $n) { nodes { id } } }`, map[string]any{"n": int64(80)}, 8},
		{"an absent variable counts 25", `query($n: Int) { customers(first: $n) { nodes { id } } }`, map[string]any{}, 3},
		{"edges and nodes count the page once", `{ customers(first: 100) { edges { node { id } } nodes { id } pageInfo { hasNextPage } } }`, nil, 10},
		{"records below edges and nodes both count", `{ customers(first: 10) { edges { node { parent { id } } } nodes { parent { id } } } }`, nil, 3},
		{"a record on an edge counts per row", `{ customer { orders(first: 100) { edges { addedBy { id } } } } }`, nil, 21},
		{"totalCount is one point", `{ customers(first: 10) { nodes { id } totalCount } }`, nil, 2},
		{"totalCount is one point for each parent", `{ customers(first: 10) { nodes { orders(first: 1) { totalCount } } } }`, nil, 1 + 1 + 10},
		{"pages multiply", `{ customers(first: 20) { nodes { orders(first: 10) { nodes { id } } } } }`, nil, 2 + 20},
		{"lists multiply", `{ customer { flags { customer { flags { name } } } } }`, nil, 13}, // 1+10+10+100
		{"embedded objects are free and pass through", `{ customers(first: 100) { nodes { address { city } } } }`, nil, 10},
		{"records in embedded objects count", `{ customers(first: 100) { nodes { address { country { id } } } } }`, nil, 20},
		{"a fragment counts where it is spread", `{ a: customers(first: 10) { ...C } b: customers(first: 90) { ...C } } fragment C on CustomerConnection { nodes { parent { id } } totalCount }`, nil, 10 + 10 + 2},
		{"a union counts every branch", `{ search { ... on Customer { parent { id } } ... on Order { customer { id } } } }`, nil, 3},
		{"mutation payloads are free, what is read back counts", `mutation { customerCreate { customer { orders(first: 100) { nodes { id } } } } }`, nil, 11},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			doc := validated(t, test.text)
			price, errs := c.Plan(doc).Price(doc.Operations[0], test.variables)
			require.Empty(t, errs)
			require.Equal(t, limits.Price{Requested: test.points, Maximum: 1000}, price)
		})
	}

	t.Run("refuses what costs more than the maximum, and tells the price", func(t *testing.T) {
		t.Parallel()
		doc := validated(t, `{ customers(first: 100) { nodes { orders(first: 100) { nodes { customer { id } } } } } }`)
		price, errs := c.Plan(doc).Price(doc.Operations[0], nil)
		require.Len(t, errs, 1)
		requireCode(t, errs[0], limits.CostLimitExceeded)
		require.Contains(t, errs[0].Message, "costs 2010 points; at most 1000")
		require.Equal(t, limits.Price{Requested: 2010, Maximum: 1000}, price)
	})

	t.Run("does not overflow", func(t *testing.T) {
		t.Parallel()
		text := `{ nodes(ids: [1]) { ...F } } fragment F on Customer { orders(first: 100) { nodes { customer { ` +
			`orders(first: 100) { nodes { customer { orders(first: 100) { nodes { customer { orders(first: 100) { nodes { customer { ` +
			`orders(first: 100) { nodes { customer { orders(first: 100) { nodes { id } } } } } } } } } } } } } } } } } }`
		doc := validated(t, text)
		price, errs := c.Plan(doc).Price(doc.Operations[0], nil)
		require.Len(t, errs, 1)
		require.Greater(t, price.Requested, 1_000_000)
	})

	t.Run("is linear for fragments that double forty times", func(t *testing.T) {
		t.Parallel()
		var text strings.Builder
		text.WriteString(`query($n: Int) { customers(first: $n) { nodes { ...f0 } } }`)
		for i := range 40 {
			fmt.Fprintf(&text, ` fragment f%d on Customer { a: parent { ...f%d } b: parent { ...f%d } }`, i, i+1, i+1)
		}
		text.WriteString(` fragment f40 on Customer { id }`)
		doc := validated(t, text.String())
		price, errs := c.Plan(doc).Price(doc.Operations[0], map[string]any{"n": int64(100)})
		require.Len(t, errs, 1)
		requireCode(t, errs[0], limits.CostLimitExceeded)
		require.Greater(t, price.Requested, 1_000_000)
	})

	t.Run("prices each operation of a document by itself", func(t *testing.T) {
		t.Parallel()
		doc := validated(t, `query A { customers(first: 20) { nodes { id } } } query B($n: Int) { customers(first: $n) { nodes { id } } }`)
		plan := c.Plan(doc)
		a, errs := plan.Price(doc.Operations.ForName("A"), nil)
		require.Empty(t, errs)
		b, errs := plan.Price(doc.Operations.ForName("B"), map[string]any{"n": int64(50)})
		require.Empty(t, errs)
		require.Equal(t, 2, a.Requested)
		require.Equal(t, 5, b.Requested)
	})
}

func TestPriceRefusesPageSizes(t *testing.T) {
	t.Parallel()
	c := setup(t)
	for _, test := range []struct {
		name      string
		text      string
		variables map[string]any
		path      string
		message   string
	}{
		{"zero", `{ customers(first: 0) { nodes { id } } }`, nil, "customers", "first must be between 1 and 100"},
		{"negative", `{ customers(last: -1) { nodes { id } } }`, nil, "customers", "last must be between 1 and 100"},
		{"101", `{ a: customers(first: 101) { nodes { id } } }`, nil, "a", "first must be between 1 and 100"},
		{"a variable", `query($n: Int) { customers(first: $n) { nodes { id } } }`, map[string]any{"n": int64(2147483648)}, "customers", "first must be between 1 and 100"},
		{"a variable's default", `query($n: Int = 500) { customers(first: $n) { nodes { id } } }`, nil, "customers", "first must be between 1 and 100"},
		{"below edges", `{ customers { edges { node { o: orders(first: 500) { nodes { id } } } } } }`, nil, "customers.edges.node.o", "first must be between 1 and 100"},
		{"in a fragment", `{ customers { nodes { ...C } } } fragment C on Customer { orders(first: 500) { nodes { id } } }`, nil, "customers.nodes.orders", "first must be between 1 and 100"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			doc := validated(t, test.text)
			_, errs := c.Plan(doc).Price(doc.Operations[0], test.variables)
			require.Len(t, errs, 1)
			requireCode(t, errs[0], limits.BadUserInput)
			require.Equal(t, test.message, errs[0].Message)
			require.Equal(t, test.path, errs[0].Path.String())
		})
	}
}

func TestIntrospects(t *testing.T) {
	t.Parallel()
	c := setup(t)
	for text, want := range map[string]bool{
		`{ __typename count }`:                         false,
		`{ customer { __typename } }`:                  false,
		`{ __schema { types { name } } }`:              true,
		`{ __type(name: "A") { name } }`:               true,
		`{ count ... { __type(name: "A") { name } } }`: true,
		`{ ...F } fragment F on Query { ...G } fragment G on Query { __schema { types { name } } }`: true,
		`query A { ...G } query B { ...G } fragment G on Query { s: __schema { types { name } } }`:  true,
		`{ count ...F } fragment F on Query { count }`:                                              false,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			doc := validated(t, text)
			plan := c.Plan(doc)
			for _, op := range doc.Operations {
				require.Equal(t, want, plan.Introspects(op))
			}
		})
	}
}
