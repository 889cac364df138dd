package gqlhttp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// spreading makes n fragments, each with what body says about the next.
func spreading(n int, body func(next string) string) string {
	var b strings.Builder
	b.WriteString("{ ...f0 }")
	for i := range n {
		fmt.Fprintf(&b, " fragment f%d on Query { %s }", i, body(fmt.Sprintf("...f%d", i+1)))
	}
	fmt.Fprintf(&b, " fragment f%d on Query { slow }", n)
	return b.String()
}

func TestHostileDocuments(t *testing.T) {
	t.Parallel()
	d := setup(t)
	const limit, wrong = "COST_LIMIT_EXCEEDED", "BAD_USER_INPUT"
	for _, test := range []struct{ name, document, code, message string }{
		{"fragments that double 22 times", spreading(22, func(next string) string { return "a: self { " + next + " } b: self { " + next + " }" }), limit, "nests 23 fields"},
		{"fragments that double 32 times without depth", spreading(32, func(next string) string { return next + next }), limit, "root fields"},
		{"fragments in a circle", "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", wrong, "must not spread itself"},
		{"5,000 repeated fields", "{ " + strings.Repeat("slow ", 5000) + "}", limit, "token limit of 2000"},
		{"100,000 repeated fields", "{ " + strings.Repeat("slow ", 100_000) + "}", limit, "token limit of 2000"},
		{"1,000 repeated fields", "{ " + strings.Repeat("slow ", 1000) + "}", limit, "more than 15 times"},
		{"300 inline fragments of 100 fields", "{ " + strings.Repeat("... { "+strings.Repeat("slow ", 100)+"} ", 300) + "}", limit, "token limit"},
		{"60 inline fragments of 15 fields", "{ " + strings.Repeat("... { "+strings.Repeat("slow ", 15)+"} ", 60) + "}", limit, "more than 15 times"},
		{"70,000 aliases", "{ " + many(70_000, "a%d: slow ") + "}", limit, "token limit"},
		{"600 aliases", "{ " + many(600, "a%d: slow ") + "}", limit, "more than 15 times"},
		{"100,000 unknown directives", "{ slow " + strings.Repeat("@x ", 100_000) + "}", limit, "token limit"},
		{"900 unknown directives", "{ slow " + strings.Repeat("@x ", 900) + "}", limit, "more than 20 directives"},
		{"a query nested 100,000 deep", strings.Repeat("{self", 100_000) + strings.Repeat("}", 100_000), wrong, "nesting depth"},
		{"a query nested 200 deep", strings.Repeat("{self", 200) + "{slow}" + strings.Repeat("}", 200), limit, "nests 201 fields"},
		{"a value nested 100,000 deep", "{ echo(any: " + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + ") }", wrong, "nesting depth"},
		{"a value nested 200 deep", "{ echo(any: " + strings.Repeat("[", 200) + "1" + strings.Repeat("]", 200) + ") }", wrong, "more than 64 levels"},
		{"500 unknown fields", "{ self { " + many(500, "unknown%d ") + "} }", wrong, "Cannot query field"},
		{"a name of 500 KB", "{ " + strings.Repeat("x", 500_000) + " }", wrong, "Cannot query field"},
		{"an alias of 500 KB with a wrong page", "{ " + strings.Repeat("x", 500_000) + ": items(first: 0) { nodes { id } } }", wrong, "first must be between 1 and 100"},
		{"400 operations", many(400, "query q%d { slow } "), wrong, "operationName must name one"},
		{"page sizes beyond 32 bits", "{ items(first: 2147483648) { nodes { id } } }", wrong, "first must be between 1 and 100"},
		{"page sizes beyond 64 bits", "{ items(first: 92233720368547758080) { nodes { id } } }", wrong, "more than 64 bits"},
		{"a list of 251", "{ echo(any: [" + strings.Repeat("1 ", 251) + "]) }", wrong, "at most 250 values"},
		{"a NUL character", `{ echo(text: "\u0000") }`, wrong, "argument text must not hold a NUL"},
		{"a NUL character as it is", "{ echo(text: \"\x00\") }", wrong, "Unexpected <Invalid>"},
		{"no operation", "fragment F on Query { slow }", wrong, "no operation"},
		{"only a comment", "# " + strings.Repeat("x", 10_000), wrong, "no operation"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d.query(t, test.document).requireRefused(t, 400, test.code, test.message)
		})
	}
}

func many(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestHostileVariables(t *testing.T) {
	t.Parallel()
	d := setup(t)
	const document = `query($n: Int, $text: String, $where: Where, $any: JSON) { echo(n: $n, text: $text, where: $where, any: $any) items(first: $n) { nodes { id } } }`
	for _, test := range []struct{ name, variables, message string }{
		{"a string for an Int", `{"n": "12"}`, "variable $n must be a whole number of at most 32 bits"},
		{"an Int beyond 32 bits", `{"n": 4294967296}`, "variable $n must be a whole number of at most 32 bits"},
		{"a huge exponent", `{"n": 1e999999}`, "variable $n must be a whole number"},
		{"a page beyond the limit", `{"n": 101}`, "first must be between 1 and 100"},
		{"a NUL character", `{"text": "a\u0000"}`, "variable $text must not hold a NUL"},
		{"an unknown field", `{"where": {"secret-name": 1}}`, "variable $where has a field that Where does not define"},
		{"an enum in the wrong case", `{"where": {"tier": "gold"}}`, "variable $where.tier must be a value of Tier"},
		{"a list of 251", `{"any": [` + strings.Repeat("0,", 250) + `0]}`, "variable $any must list at most 250"},
		{"65 levels", `{"any": ` + strings.Repeat("[", 65) + "1" + strings.Repeat("]", 65) + `}`, "more than 64 levels"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d.query(t, document, json.RawMessage(test.variables)).requireRefused(t, 400, "BAD_USER_INPUT", test.message)
		})
	}

	t.Run("a missing variable is told by its name, not by a path", func(t *testing.T) {
		t.Parallel()
		got := d.query(t, `query($id: ID!) { required(id: $id) }`)
		got.requireRefused(t, 400, "BAD_USER_INPUT", "variable $id must be defined")
		require.NotContains(t, got.text, `"path"`)
	})
}

func TestNothingIsEchoed(t *testing.T) {
	t.Parallel()
	d := setup(t)
	const secret = "hunter2-secret"
	for name, body := range map[string]string{
		"malformed JSON":             `{"query": "{ slow }", "password": "` + secret + `"`,
		"text":                       secret,
		"an array":                   `["` + secret + `"]`,
		"a query of the wrong type":  `{"query": ["` + secret + `"]}`,
		"the operation's name":       `{"query": "query A { slow } query B { slow }", "operationName": "` + secret + `"}`,
		"a string where none may be": `{"query": "{ slow } \"` + secret + `\""}`,
		"a block string":             `{"query": "{ slow } \"\"\"` + secret + `\"\"\" {"}`,
		"a literal for an Int":       `{"query": "{ echo(n: \"` + secret + `\") }"}`,
		"a literal for an object":    `{"query": "{ echo(where: \"` + secret + `\") }"}`,
		"a literal for an enum":      `{"query": "{ echo(where: {tier: \"` + secret + `\"}) }"}`,
		"a list for an object":       `{"query": "{ echo(where: [[\"` + secret + `\"]]) }"}`,
		"a variable for an Int":      `{"query": "query($n: Int) { echo(n: $n) }", "variables": {"n": "` + secret + `"}}`,
		"a variable for an enum":     `{"query": "query($w: Where) { echo(where: $w) }", "variables": {"w": {"tier": "` + secret + `"}}}`,
		"a variable's field":         `{"query": "query($w: Where) { echo(where: $w) }", "variables": {"w": {"` + secret + `": 1}}}`,
		"a variable's default":       `{"query": "query($n: Int = \"` + secret + `\") { echo(n: $n) }"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := d.post(t, body, "Accept", responseMedia)
			require.Equal(t, 400, got.status, got.text)
			require.NotContains(t, got.text, secret)
			require.NotContains(t, d.log.String(), secret)
		})
	}
}

func TestNothingIsSuggested(t *testing.T) {
	t.Parallel()
	d := setup(t)
	for name, document := range map[string]string{
		"a field":          `{ ech }`,
		"an argument":      `{ echo(tex: "x") }`,
		"a type":           `{ ... on Quer { slow } }`,
		"an enum value":    `{ echo(where: {tier: GOLDD}) }`,
		"an input field":   `{ echo(where: {tie: GOLD}) }`,
		"a selection":      `{ self }`,
		"a directive":      `{ slow @skipp(if: true) }`,
		"a directive's if": `{ slow @skip(iff: true) }`,
		"a variable type":  `query($t: Tie) { slow }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := d.query(t, document)
			require.Equal(t, http.StatusBadRequest, got.status)
			require.NotContains(t, got.text, "Did you mean")
		})
	}

	t.Run("a resolver's error", func(t *testing.T) {
		t.Parallel()
		got := d.query(t, `{ fail(code: "NOT_FOUND") }`)
		require.Contains(t, got.text, `"failed on purpose."`)
	})
}
