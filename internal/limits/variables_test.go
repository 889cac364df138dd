package limits_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/internal/limits"
)

// decoded decodes JSON as the door does, with numbers as they were written.
func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var values map[string]any
	require.NoError(t, dec.Decode(&values))
	return values
}

const everyType = `query($int: Int, $ids: [ID!] = [], $by: Selector, $where: Where, $text: String, $any: JSON) {
  count(n: $int) nodes(ids: $ids) { id } customer(by: $by) { id } customers(where: $where) { nodes { id } } search(text: $text, any: $any) { __typename }
}`

func TestVariables(t *testing.T) {
	t.Parallel()
	c := setup(t)
	op := validated(t, everyType).Operations[0]

	for name, values := range map[string]string{
		"none":                             `{}`,
		"nulls":                            `{"int": null, "where": null, "ids": null, "any": null}`,
		"one of each":                      `{"int": -2147483648, "ids": ["a", 7], "by": {"number": 1}, "text": "x", "any": {"a": [1, "b", null]}}`,
		"a single value for a list":        `{"ids": "a"}`,
		"whole numbers for a float":        `{"where": {"score": 3}}`,
		"null input fields":                `{"where": {"tier": null, "and": null}}`,
		"variables that are not declared":  `{"other": "\u0000"}`,
		"an input object in a list":        `{"where": {"and": [{"tier": "GOLD"}, {"active": true, "owner": 5}]}}`,
		"64 levels of a recursive input":   nest(`{"where": `, `{"and": [`, 31, `{"name": "x"}`, `]}`, `}`),
		"64 levels of a custom scalar":     nest(`{"any": `, `[`, 64, `1`, `]`, `}`),
		"a list of 250 in a custom scalar": `{"any": [` + strings.Repeat("1,", 249) + `1]}`,
	} {
		t.Run("allows "+name, func(t *testing.T) {
			t.Parallel()
			require.Nil(t, c.Variables(op, decoded(t, values)))
		})
	}

	for _, test := range []struct{ name, values, message string }{
		{"a string for an Int", `{"int": "12"}`, "variable $int must be a whole number of at most 32 bits"},
		{"an Int beyond 32 bits", `{"int": 2147483648}`, "variable $int must be a whole number of at most 32 bits"},
		{"a fraction for an Int", `{"int": 1.5}`, "variable $int must be a whole number"},
		{"a number for a String", `{"text": 12}`, "variable $text must be a string"},
		{"a string for a Boolean", `{"where": {"active": "true"}}`, "variable $where.active must be true or false"},
		{"a string for a Float", `{"where": {"score": "1.5"}}`, "variable $where.score must be a number"},
		{"a fraction for an ID", `{"ids": [1.5]}`, "variable $ids[0] must be a string or a whole number"},
		{"an enum value in the wrong case", `{"where": {"tier": "gold"}}`, "variable $where.tier must be a value of Tier"},
		{"a field that is not defined", `{"where": {"secret-name": 1}}`, "variable $where has a field that Where does not define"},
		{"a scalar for an object", `{"where": 1}`, "variable $where must be an object"},
		{"two keys of a one-of", `{"by": {"id": "a", "number": 1}}`, "variable $by must give exactly one field"},
		{"no key of a one-of", `{"by": {}}`, "variable $by must give exactly one field"},
		{"a null key of a one-of", `{"by": {"id": null}}`, "variable $by must give exactly one field"},
		{"a NUL character", `{"text": "a\u0000b"}`, "variable $text must not hold a NUL character"},
		{"a NUL character deep inside", `{"where": {"and": [{"tags": ["x", "\u0000"]}]}}`, "variable $where.and[0].tags[1] must not hold a NUL character"},
		{"a NUL character in an ID", `{"ids": ["\u0000"]}`, "variable $ids[0] must not hold a NUL character"},
		{"a NUL character in a custom scalar", `{"any": {"k": ["\u0000"]}}`, "variable $any.*[0] must not hold a NUL character"},
		{"a NUL character in a name", `{"any": {"\u0000": 1}}`, "variable $any must not hold a NUL character"},
		{"a list of 251", `{"ids": [` + strings.Repeat("1,", 250) + `1]}`, "variable $ids must list at most 250 values"},
		{"a list of 251 in a custom scalar", `{"any": {"k": [` + strings.Repeat("1,", 250) + `1]}}`, "variable $any.* must list at most 250 values"},
		{"65 levels of a custom scalar", nest(`{"any": `, `[`, 65, `1`, `]`, `}`), "must not nest more than 64 levels"},
		{"66 levels of a recursive input", nest(`{"where": `, `{"and": [`, 33, `{"name": "x"}`, `]}`, `}`), "must not nest more than 64 levels"},
	} {
		t.Run("refuses "+test.name, func(t *testing.T) {
			t.Parallel()
			err := c.Variables(op, decoded(t, test.values))
			requireCode(t, err, limits.BadUserInput)
			require.Contains(t, err.Message, test.message)
		})
	}
}

func nest(start, open string, n int, middle, end, finish string) string {
	return start + strings.Repeat(open, n) + middle + strings.Repeat(end, n) + finish
}

// It is not parallel: AllocsPerRun counts what every goroutine allocates.
func TestCheckedDocumentIsCheap(t *testing.T) {
	c := setup(t)
	doc := validated(t, everyType)
	op, plan := doc.Operations[0], c.Plan(doc)
	values := decoded(t, `{"int": 1, "ids": ["a"], "where": {"tier": "GOLD", "tags": ["x"]}, "text": "x"}`)
	allocations := testing.AllocsPerRun(100, func() {
		if c.Variables(op, values) != nil {
			panic("refused")
		}
		if _, errs := plan.Price(op, values); errs != nil {
			panic("refused")
		}
	})
	require.LessOrEqual(t, allocations, 10.0)
}
