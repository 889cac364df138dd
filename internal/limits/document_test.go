package limits_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/internal/limits"
)

// chain makes n fragments of which each selects what body says about the next.
func chain(n int, body func(next string) string) string {
	var b strings.Builder
	b.WriteString("{ ...f0 }")
	for i := range n - 1 {
		fmt.Fprintf(&b, " fragment f%d on Query { %s }", i, body(fmt.Sprintf("...f%d", i+1)))
	}
	fmt.Fprintf(&b, " fragment f%d on Query { count }", n-1)
	return b.String()
}

func nested(depth int) string {
	return strings.Repeat("{ parent ", depth-1) + "{ id }" + strings.Repeat(" }", depth-1)
}

func introspection(ofTypes int) string {
	return `query IntrospectionQuery {
	  __schema {
	    queryType { name } mutationType { name } subscriptionType { name }
	    types { ...FullType }
	    directives { name description locations args { ...InputValue } }
	  }
	}
	fragment FullType on __Type {
	  kind name description
	  fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
	  inputFields { ...InputValue }
	  interfaces { ...TypeRef }
	  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
	  possibleTypes { ...TypeRef }
	}
	fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
	fragment TypeRef on __Type { kind name ` +
		strings.Repeat("ofType { kind name ", ofTypes) + strings.Repeat("}", ofTypes) + ` }`
}

func TestDocumentAllows(t *testing.T) {
	t.Parallel()
	c := setup(t)
	for name, text := range map[string]string{
		"an ordinary query":                           `query Q($n: Int) { customers(first: $n) { nodes { id name orders { totalCount } } } }`,
		"the introspection query of GraphiQL":         introspection(7),
		"the introspection query with nine ofType":    introspection(9),
		"depth at the limit":                          nested(15),
		"15 aliases of one field":                     aliases(15),
		"unknown fields, types and directives":        `{ nothing(a: 1) @what { ... on Missing { id } } }`,
		"__typename in each of many inline fragments": "{ search { __typename " + strings.Repeat("... on Order { __typename } ", 30) + "} }",
		"the same field for each type of a union":     "{ search { ... on A {" + strings.Repeat(" id", 15) + "} ... on B {" + strings.Repeat(" id", 15) + "} } }",
		"20 root fields":                              rootFields(20),
		"20 directives":                               "{ count" + strings.Repeat(" @a", 20) + " }",
		"50 fragments":                                chain(50, func(next string) string { return next }),
		"a list of 250":                               "{ a(x: [" + strings.Repeat("1 ", 250) + "]) }",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := c.Document(parse(t, text))
			require.Nil(t, err)
		})
	}
}

func aliases(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d: count ", i)
	}
	return "{ x { " + b.String() + "} }"
}

func rootFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "field%d ", i)
	}
	return "{ " + b.String() + "}"
}

func TestDocumentRefuses(t *testing.T) {
	t.Parallel()
	c := setup(t)
	const tooMuch, wrong = limits.CostLimitExceeded, limits.BadUserInput
	for _, test := range []struct{ name, text, code, message string }{
		{"depth beyond the limit", nested(16), tooMuch, "nests 16 fields"},
		{"depth that fragments add up to", "{ a " + strings.Repeat("{ a ", 6) + "{ ...F }" + strings.Repeat("}", 6) + "} fragment F on A " + nested(9), tooMuch, "nests 16 fields"},
		{"16 aliases of one field", aliases(16), tooMuch, "more than 15 times"},
		{"16 uses spread over inline fragments", "{ x { " + strings.Repeat("... { id } ", 16) + "} }", tooMuch, "more than 15 times"},
		{"16 uses under one type condition", "{ x { " + strings.Repeat("... on A { id } ", 16) + "} }", tooMuch, "more than 15 times"},
		{"21 root fields", rootFields(21), tooMuch, "21 root fields"},
		{"21 root fields through a fragment", "{ ...F } fragment F on Query " + rootFields(21), tooMuch, "21 root fields"},
		{"21 directives", "{ count" + strings.Repeat(" @a", 20) + " ... @b { count } }", tooMuch, "more than 20 directives"},
		{"51 fragments", chain(51, func(next string) string { return next }), tooMuch, "defines 51 fragments"},
		{"doubling fragments", chain(23, func(next string) string { return "a { " + next + " } b { " + next + " }" }), tooMuch, "nests 23 fields"},
		{"doubling fragments that add no depth", chain(23, func(next string) string { return next + " " + next }), tooMuch, "root fields"},
		{"many operations over one fragment", manyOperations(90), tooMuch, "fields once its fragments are expanded"},
		{"one name all over the document", "{ " + strings.Repeat("x { ... on A { a a a a a a a a a a } ... on B { a a a a a a a a a a } } ", 15) + strings.Repeat("y { ... on A { a a a a a a a a a a } ... on B { a a a a a a a a a a } } ", 15) + strings.Repeat("z { ... on A { a a a a a a a a a a } ... on B { a a a a a a a a a a } } ", 15) + "}", tooMuch, "repeats the same fields"},
		{"a fragment that spreads itself", "{ ...F } fragment F on Query { a { ...F } }", wrong, "must not spread itself"},
		{"fragments that spread each other, unused", "{ a } fragment F on Query { ...G } fragment G on Query { ...F }", wrong, "must not spread itself"},
		{"a fragment that does not exist", "{ ...F }", wrong, "a fragment it does not define"},
		{"a list of 251", "{ a(x: {y: [" + strings.Repeat("1 ", 251) + "]}) }", wrong, "argument x must list at most 250 values"},
		{"a long list in a variable's default", "query($v: [Int] = [" + strings.Repeat("1 ", 251) + "]) { a }", wrong, "variable $v must list"},
		{"a literal nested too deep", "{ a(x: " + strings.Repeat("[", 66) + "1" + strings.Repeat("]", 66) + ") }", wrong, "argument x must not nest more than 64 levels"},
		{"a NUL character in a string", `{ a(x: ["\u0000"]) }`, wrong, "argument x must not hold a NUL character"},
		{"a NUL character in a directive", `{ a @d(y: "\u0000") }`, wrong, "argument y must not hold"},
		{"a whole number beyond 64 bits", `{ a(x: [9223372036854775808]) }`, wrong, "argument x is a whole number of more than 64 bits"},
		{"a number too large", `{ a(x: [1e999]) }`, wrong, "argument x is a number that is too large"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := c.Document(parse(t, test.text))
			requireCode(t, err, test.code)
			require.Contains(t, err.Message, test.message)
		})
	}
}

func manyOperations(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "query q%d { ...F } ", i)
	}
	return b.String() + "fragment F on Query " + strings.Replace(rootFields(60), "{ ", "{ x { ", 1) + "}"
}

func TestDocumentIsLinear(t *testing.T) {
	t.Parallel()
	open := setup(t, func(l *limits.Limits) {
		*l = limits.Limits{
			Depth: 1 << 40, Aliases: 1 << 40, RootFields: 1 << 40, Directives: 1 << 40, Fragments: 1 << 40,
			Selections: 1 << 40, Overlap: 1 << 40, ListLength: 1 << 40,
		}
	})
	for _, test := range []struct {
		name  string
		text  string
		nodes int
	}{
		{"doubling fragments visit each spread once", chain(200, func(next string) string { return "a { " + next + " } b { " + next + " }" }), 1 + 199*4 + 1},
		{"doubling fragments without depth", chain(200, func(next string) string { return next + " " + next }), 1 + 199*2 + 1},
		{"fragments that all spread all later ones", everyLater(40), 1 + 40*39/2 + 40},
		{"a wide document", "{ " + strings.Repeat("count ", 100_000) + "}", 100_000},
		{"a wide document of inline fragments", "{ " + strings.Repeat("... { count } ", 10_000) + "}", 20_000},
		{"a deep document", nested(999), 999},
		{"a document of directives", "{ count" + strings.Repeat(" @a", 10_000) + " }", 10_001},
		{"a document of values", "{ count(x: [" + strings.Repeat("1 ", 10_000) + "]) }", 10_002},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			nodes, err := open.Document(parse(t, test.text))
			require.Nil(t, err)
			require.Equal(t, test.nodes, nodes)
		})
	}
}

func everyLater(n int) string {
	var b strings.Builder
	b.WriteString("{ ...f0 }")
	for i := range n {
		fmt.Fprintf(&b, " fragment f%d on Query { count ", i)
		for j := i + 1; j < n; j++ {
			fmt.Fprintf(&b, "...f%d ", j)
		}
		b.WriteString("}")
	}
	return b.String()
}
