package resolvers_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct{ text, kind, field, matched string }{
		"a name with a missing letter, turned round": {"Hartman Amelia", "Customer", "NAME", "Amelia Hartmann"},
		"a name without its accents":                 {"amelia hartmann", "Customer", "NAME", "Amelia Hartmann"},
		"a word of an organisation, mistyped":        {"Nortwind Logistcs", "Customer", "NAME", "Northwind Logistics GmbH"},
		"a word that name and e-mail address share":  {"nortwind logistics gmbh", "Customer", "NAME", "Northwind Logistics GmbH"},
		"an e-mail address":                          {"amelia.hartmann@example.com", "Customer", "EMAIL", "amelia.hartmann@example.com"},
		"a customer code":                            {"cust-001001", "Customer", "CODE", "CUST-001001"},
		"a VIN in groups":                            {"wvw zzz 1jz xw 000001", "Vehicle", "VIN", "WVWZZZ1JZXW000001"},
		"a VIN with a wrong letter":                  {"WVWZZZ1JZXV000001", "Vehicle", "VIN", "WVWZZZ1JZXW000001"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got struct {
				Search []struct {
					MatchedField, MatchedText string
					Score                     float64
					Node                      struct{ Typename string }
				}
			}
			b.admin(t, `query ($t: String!) { search(text: $t) { score matchedField matchedText node { Typename: __typename } } }`, map[string]any{"t": c.text}).into(t, &got)
			require.NotEmpty(t, got.Search)
			best := got.Search[0]
			require.Equal(t, []string{c.kind, c.field, c.matched}, []string{best.Node.Typename, best.MatchedField, best.MatchedText})
			for i, hit := range got.Search[1:] {
				require.LessOrEqual(t, hit.Score, got.Search[i].Score, "best first")
			}
		})
	}
	t.Run("parties instead of customers when only they are searched", func(t *testing.T) {
		t.Parallel()
		got := b.admin(t, `{ search(text: "amelia hartmann", types: [PARTY], first: 1) { node { __typename ... on Party { displayName } } } }`, nil)
		require.JSONEq(t, `{"search": [{"node": {"__typename": "Party", "displayName": "Amelia Hartmann"}}]}`, string(got.Data))
	})
	t.Run("fewer hits are the best of more", func(t *testing.T) {
		t.Parallel()
		for _, types := range []string{"[CUSTOMER]", "[PARTY]", "[VEHICLE]", "[CUSTOMER, PARTY]", "null"} {
			for _, text := range []string{"zielinski", "anna", "northwind", "golf", "example.com"} {
				few, many := hits(t, b, text, types, 3), hits(t, b, text, types, 50)
				require.Equal(t, many[:min(3, len(many))], few, "%s among %s", text, types)
			}
		}
	})
	t.Run("nobody who is merged or anonymised is found", func(t *testing.T) {
		t.Parallel()
		var gone struct {
			Customers struct {
				Nodes []struct {
					Number int
					Code   string
					Party  struct{ ContactPoints []struct{ Value string } }
				}
			}
		}
		b.admin(t, `{ customers(first: 100, where: {status: {in: [MERGED, ANONYMIZED]}}) { nodes { number code party { contactPoints { value } } } } }`, nil).into(t, &gone)
		require.NotEmpty(t, gone.Customers.Nodes)
		for _, c := range gone.Customers.Nodes {
			texts := []string{c.Code, strconv.Itoa(c.Number)}
			for _, p := range c.Party.ContactPoints {
				texts = append(texts, p.Value)
			}
			for _, text := range texts {
				got := b.admin(t, `query ($t: String!) { search(text: $t, types: [CUSTOMER, PARTY], first: 50) { node { ... on Customer { status } ... on Party { partyStatus: status } } } }`, map[string]any{"t": text})
				require.Empty(t, got.Errors)
				require.NotRegexp(t, "MERGED|ANONYMIZED", string(got.Data), text)
			}
		}
	})
	t.Run("a vehicle by its trim", func(t *testing.T) {
		t.Parallel()
		got := b.admin(t, `{ search(text: "Highline", types: [VEHICLE], first: 1) { score matchedField } }`, nil)
		require.JSONEq(t, `{"search": [{"score": 1, "matchedField": "MAKE_MODEL"}]}`, string(got.Data))
	})
}

// hits searches and returns the global ids found.
func hits(t *testing.T, b *bundle, text, types string, first int) []string {
	t.Helper()
	var got struct {
		Search []struct{ Node struct{ ID string } }
	}
	b.admin(t, fmt.Sprintf(`{ search(text: %q, types: %s, first: %d) { node { ... on Node { id } } } }`, text, types, first), nil).into(t, &got)
	var ids []string
	for _, h := range got.Search {
		ids = append(ids, h.Node.ID)
	}
	return ids
}
