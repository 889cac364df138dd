package resolvers_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type numbers struct {
	TotalCount int
	Nodes      []struct{ Number int }
	Edges      []struct{ Cursor string }
	PageInfo   struct {
		HasNextPage, HasPreviousPage bool
		StartCursor, EndCursor       string
	}
}

func (n numbers) list() []int {
	var list []int
	for _, node := range n.Nodes {
		list = append(list, node.Number)
	}
	return list
}

// customers reads a page of customers with the given arguments.
func (b *bundle) customers(t *testing.T, arguments string) numbers {
	t.Helper()
	var page struct{ Customers numbers }
	b.admin(t, "{ customers("+arguments+") { totalCount nodes { number } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }", nil).into(t, &page)
	return page.Customers
}

func TestPaging(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, order := range map[string]string{
		"by id":              "",
		"by number down":     "orderBy: [{field: NUMBER, direction: DESC}]",
		"by time, then code": "orderBy: [{field: CREATED_AT}, {field: CODE, direction: DESC}]",
	} {
		t.Run("forwards and backwards give the same list "+name, func(t *testing.T) {
			t.Parallel()
			var forwards, backwards []int
			page := b.customers(t, "first: 40 "+order)
			require.False(t, page.PageInfo.HasPreviousPage)
			for forwards = page.list(); page.PageInfo.HasNextPage; forwards = append(forwards, page.list()...) {
				page = b.customers(t, fmt.Sprintf("first: 40 after: %q %s", page.PageInfo.EndCursor, order))
				require.True(t, page.PageInfo.HasPreviousPage)
			}
			page = b.customers(t, "last: 40 "+order)
			require.False(t, page.PageInfo.HasNextPage)
			for backwards = page.list(); page.PageInfo.HasPreviousPage; backwards = append(page.list(), backwards...) {
				page = b.customers(t, fmt.Sprintf("last: 40 before: %q %s", page.PageInfo.StartCursor, order))
			}
			require.Len(t, forwards, page.TotalCount)
			require.Equal(t, forwards, backwards)
			slices.Sort(forwards)
			require.Len(t, slices.Compact(forwards), page.TotalCount, "no row twice")
		})
	}
	t.Run("pages by offset meet pages by cursor", func(t *testing.T) {
		t.Parallel()
		first := b.customers(t, "first: 30")
		require.Equal(t, first.list()[20:], b.customers(t, "first: 10, offset: 20").list())
		require.Equal(t, first.list()[5:], b.customers(t, fmt.Sprintf("first: 25, after: %q", first.Edges[4].Cursor)).list())
		between := b.customers(t, fmt.Sprintf("first: 25, after: %q, before: %q", first.Edges[4].Cursor, first.Edges[8].Cursor))
		require.Equal(t, first.list()[5:8], between.list())
		require.False(t, between.PageInfo.HasNextPage)
	})
	t.Run("the default page has 25", func(t *testing.T) {
		t.Parallel()
		require.Len(t, b.customers(t, `where: {}`).Nodes, 25)
	})
	t.Run("nested pages go on where they ended", func(t *testing.T) {
		t.Parallel()
		type fleet struct{ Party struct{ Vehicles numbers } }
		var all, head, tail fleet
		const document = `query ($first: Int, $last: Int, $after: String, $before: String) { party(by: {number: 5001}) {
			vehicles(first: $first, last: $last, after: $after, before: $before) { totalCount nodes { number } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`
		b.admin(t, document, map[string]any{"first": json.Number("100")}).into(t, &all)
		b.admin(t, document, map[string]any{"first": json.Number("4")}).into(t, &head)
		b.admin(t, document, map[string]any{"first": json.Number("100"), "after": head.Party.Vehicles.PageInfo.EndCursor}).into(t, &tail)
		require.Equal(t, all.Party.Vehicles.list(), append(head.Party.Vehicles.list(), tail.Party.Vehicles.list()...))
		require.Len(t, all.Party.Vehicles.Nodes, all.Party.Vehicles.TotalCount)
		b.admin(t, document, map[string]any{"last": json.Number("3")}).into(t, &tail)
		require.Equal(t, all.Party.Vehicles.list()[len(all.Party.Vehicles.Nodes)-3:], tail.Party.Vehicles.list())
		require.True(t, tail.Party.Vehicles.PageInfo.HasPreviousPage)
	})
}

func TestFilters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := b.customers(t, "first: 1").TotalCount
	total := func(t *testing.T, where string) int {
		t.Helper()
		return b.customers(t, "first: 1, where: "+where).TotalCount
	}
	active := total(t, "{status: {eq: ACTIVE}}")
	require.Greater(t, all, active)
	for where, want := range map[string]int{
		"{}":                            all,
		"{not: {status: {eq: ACTIVE}}}": all - active,
		"{not: {}}":                     all,
		"{not: {status: {eq: null}}}":   all,
		"{name: {startsWith: \"!!!\"}}": 0,
		"{number: {isNull: true}}":      0,
		"{or: []}":                      0,
		"{and: []}":                     all,
		"{or: [{status: {eq: ACTIVE}}, {not: {status: {eq: ACTIVE}}}]}": all,
		"{status: {in: []}}":                                        0,
		"{status: {in: [ACTIVE]}}":                                  active,
		"{number: {eq: 1001}}":                                      1,
		"{number: {gte: 1001, lt: 1003}}":                           2,
		"{code: {eq: \"cust-001001\"}}":                             1,
		"{email: {eq: \"Amelia.Hartmann@Example.com\"}}":            1,
		"{name: {startsWith: \"AMELIA hart\"}}":                     1,
		"{createdAt: {gte: \"2999-01-01T00:00:00Z\"}}":              0,
		"{code: {startsWith: \"%\"}}":                               0,
		"{not: {email: {isNull: true}}}":                            total(t, "{email: {isNull: false}}"),
		"{or: [{email: {isNull: true}}, {email: {isNull: false}}]}": all,
		"{code: {isNull: true}}":                                    0,
	} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, total(t, where))
		})
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cursor := b.customers(t, "first: 1").PageInfo.EndCursor
	tampered := strings.Map(func(r rune) rune {
		if r == rune(cursor[0]) {
			return 'A' + (r-'A'+1)%26
		}
		return r
	}, cursor)
	for name, c := range map[string]struct{ document, message string }{
		"a page of 101":                           {"{ customers(first: 101) { nodes { id } } }", "first must be between 1 and 100"},
		"a page of none":                          {"{ customers(last: 0) { nodes { id } } }", "last must be between 1 and 100"},
		"first and last":                          {"{ customers(first: 1, last: 1) { nodes { id } } }", "first and last cannot be combined"},
		"a nested page of 101":                    {"{ customer(by: {number: 1001}) { vehicles(first: 101) { nodes { id } } } }", "first must be between 1 and 100"},
		"a negative offset":                       {"{ customers(offset: -1) { nodes { id } } }", "offset must be between 0 and 100000"},
		"an offset with a cursor":                 {fmt.Sprintf("{ customers(offset: 1, after: %q) { nodes { id } } }", cursor), "offset goes with first only, not with last or a cursor"},
		"a cursor of another list":                {fmt.Sprintf("{ vehicles(after: %q) { nodes { id } } }", cursor), "after is not a cursor of this list"},
		"a cursor of another order":               {fmt.Sprintf("{ customers(after: %q, orderBy: [{field: CODE}]) { nodes { id } } }", cursor), "after is not a cursor of this list"},
		"a cursor of a root in an edge":           {fmt.Sprintf("{ customer(by: {number: 1001}) { vehicles(after: %q) { nodes { id } } } }", cursor), "after is not a cursor of this list"},
		"a tampered cursor":                       {fmt.Sprintf("{ customers(before: %q) { nodes { id } } }", tampered), "before is not a cursor of this list"},
		"an empty cursor":                         {`{ customers(after: "") { nodes { id } } }`, "after is not a cursor of this list"},
		"a search for what addresses are made of": {`{ search(text: "@@..") { score } }`, "text must have between 2 letters or digits and 100 characters"},
		"a cursor that is no base64":              {`{ customers(after: "?") { nodes { id } } }`, "after is not a cursor of this list"},
		"an id of another type":                   {`{ customer(by: {id: "veh_018f0000-0000-7000-8000-000000000000"}) { id } }`, "by.id must be an id of the form cus_…"},
		"an id that is none":                      {`{ node(id: "1") { id } }`, "id is not an id of this graph"},
		"a wrong id among others":                 {`{ nodes(ids: ["cus_018f0000-0000-7000-8000-000000000000", "x"]) { id } }`, "ids[1] is not an id of this graph"},
		"a wrong id in a filter":                  {`{ contacts(where: {or: [{person: {in: ["cus_018f0000-0000-7000-8000-000000000000"]}}]}) { nodes { id } } }`, "where.or[0].person.in[0] must be an id of the form pty_…"},
		"four fields in an order":                 {"{ customers(orderBy: [{field: CODE}, {field: CODE}, {field: CODE}, {field: CODE}]) { nodes { id } } }", "at most 3 fields may be named, 4 are given"},
		"a search for one letter":                 {`{ search(text: "a") { score } }`, "text must have between 2 letters or digits and 100 characters"},
		"a search for signs":                      {`{ search(text: "%_'--") { score } }`, "text must have between 2 letters or digits and 100 characters"},
		"more hits than there may be":             {`{ search(text: "ab", first: 51) { score } }`, "first must be between 1 and 50"},
		"a day that is none":                      {`{ warranties(where: {startsAt: {gte: "yesterday"}}) { nodes { id } } }`, "an instant must be RFC 3339 text, such as 2026-03-04T09:15:27Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := b.admin(t, c.document, nil)
			require.Equal(t, []any{"BAD_USER_INPUT"}, got.codes(), "%v", got.Errors)
			require.Equal(t, c.message, got.Errors[0].Message)
		})
	}
	t.Run("two selectors sent as a variable", func(t *testing.T) {
		t.Parallel()
		for _, by := range []map[string]any{{}, {"number": json.Number("1"), "code": "x"}} {
			got := b.admin(t, "query ($by: CustomerBy!) { customer(by: $by) { id } }", map[string]any{"by": by})
			require.Equal(t, []any{"BAD_USER_INPUT"}, got.codes())
			require.Zero(t, got.Statements)
		}
	})
	t.Run("numbers that no column holds match nothing", func(t *testing.T) {
		t.Parallel()
		got := b.admin(t, `{ vehicles(where: {or: [{year: {eq: 99999999999}}, {year: {in: [-99999999999]}}, {number: {lt: -9223372036854775808}}]}) { totalCount } }`, nil)
		require.Empty(t, got.Errors)
		require.JSONEq(t, `{"vehicles": {"totalCount": 0}}`, string(got.Data))
	})
	t.Run("hostile texts are looked for, not run", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{"'; DROP TABLE party; --", "\\", "%", "?", "$1", "\u202e\u0301", strings.Repeat("x", 10_000)} {
			got := b.admin(t, "query ($t: String!) { customers(where: {code: {eq: $t}, name: {startsWith: $t}}) { totalCount } party(by: {key: $t}) { id } vehicle(by: {vin: $t}) { id } }",
				map[string]any{"t": text})
			require.JSONEq(t, `{"customers": {"totalCount": 0}, "party": null, "vehicle": null}`, string(got.Data))
			require.Empty(t, got.Errors)
		}
	})
}
