package planner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"crmgraph/crm"
)

// known is what generated documents ask for: values that the database has.
type known struct {
	types    []string            // of records
	prefixes map[string]string   // of their ids
	ids      map[string][]string // by type
	values   map[string][]any    // by the name of a field that has them
	orders   map[string][]sorted // by root field
	anywhere []string            // cursors of all root fields
	cursors  map[*ast.FieldDefinition][]string
}

// sorted is an order of a root field and cursors in it.
type sorted struct {
	by      any
	cursors []string
}

// explore asks the graph itself, without a planner, for what is to be known.
func explore(t *testing.T, b *bundle) *known {
	t.Helper()
	k := &known{
		prefixes: map[string]string{}, ids: map[string][]string{},
		values: map[string][]any{}, orders: map[string][]sorted{}, cursors: map[*ast.FieldDefinition][]string{},
	}
	for _, d := range b.schema.PossibleTypes["Node"] {
		k.types = append(k.types, d.Name)
	}
	slices.Sort(k.types)
	k.readIDs(t, b.url)
	ask := func(text string) any {
		var data any
		decoder := json.NewDecoder(bytes.NewReader(b.ask(t, text)))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&data))
		return data
	}
	for _, f := range b.schema.Query.Fields {
		if f.Arguments.ForName("orderBy") != nil && f.Arguments.ForName("after") != nil {
			k.orders[f.Name] = k.order(b.schema, f, ask)
		}
	}
	for _, name := range k.types {
		document := fmt.Sprintf("{ nodes(ids: %s) { ... on %s { %s } } }", literal(anyOf(k.ids[name])), name, values(b.schema, name))
		walk(ask(document), func(key string, value any) {
			if value != nil && !slices.Contains(k.values[key], value) {
				k.values[key] = append(k.values[key], value)
			}
		})
		for _, f := range b.schema.Types[name].Fields {
			if f.Arguments.ForName("after") == nil {
				continue
			}
			document := fmt.Sprintf("{ nodes(ids: %s) { ... on %s { %s(first: 4) { edges { cursor } } } } }", literal(anyOf(k.ids[name])), name, f.Name)
			k.cursors[f] = cursors(ask(document))
		}
	}
	for _, name := range sortedKeys(k.orders) {
		k.anywhere = append(k.anywhere, k.orders[name][0].cursors...)
	}
	return k
}

// typeOf guesses what records a field of a filter is about.
func (k *known) typeOf(field string) string {
	for _, name := range k.types {
		if strings.EqualFold(name, field) {
			return name
		}
	}
	if slices.Contains([]string{"organization", "person", "parent", "owner", "survivorId", "loserIds", "partyId"}, field) {
		return "Party"
	}
	return ""
}

// readIDs reads ids of every type past the walls: the first and the last of each.
func (k *known) readIDs(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.Background())) }()
	for _, name := range k.types {
		sel, _ := crm.Select(name)
		k.prefixes[name] = sel.IDPrefix()
		table := strings.ToLower(regexp.MustCompile(`\B([A-Z])`).ReplaceAllString(name, "_$1"))
		rows, err := conn.Query(t.Context(), fmt.Sprintf(`SELECT $1 || '_' || id FROM (
			SELECT r.id, row_number() OVER (ORDER BY r.id) AS place, count(*) OVER () AS total
			FROM %s r JOIN tenant t ON t.id = r.tenant_id WHERE t.code = 'demo') all_of_it
			WHERE place <= 25 OR place > total - 15 ORDER BY id`, table), sel.IDPrefix())
		require.NoError(t, err)
		k.ids[name], err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		require.NotEmpty(t, k.ids[name], "the demo tenant has no %s", name)
	}
}

// values selects every value of records that is no object.
func values(schema *ast.Schema, typeName string) string {
	var names []string
	for _, f := range schema.Types[typeName].Fields {
		if !schema.Types[f.Type.Name()].IsCompositeType() && len(f.Arguments) == 0 {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, " ")
}

// order reads cursors of a root field in each of its orders.
func (*known) order(schema *ast.Schema, f *ast.FieldDefinition, ask func(string) any) []sorted {
	input := schema.Types[f.Arguments.ForName("orderBy").Type.Name()]
	words := schema.Types[input.Fields.ForName("field").Type.Name()].EnumValues
	term := func(i int, direction string) map[string]any {
		return map[string]any{"field": word(words[i%len(words)].Name), "direction": word(direction)}
	}
	orders := []sorted{{}}
	for i := range words {
		orders = append(orders, sorted{by: []any{term(i, "ASC")}}, sorted{by: []any{term(i, "DESC")}},
			sorted{by: []any{term(i, "DESC"), term(i+1, "ASC")}})
	}
	for i := range orders {
		arguments := "first: 6"
		if orders[i].by != nil {
			arguments += ", orderBy: " + literal(orders[i].by)
		}
		orders[i].cursors = cursors(ask(fmt.Sprintf("{ %s(%s) { edges { cursor } } }", f.Name, arguments)))
	}
	return orders
}

func cursors(data any) []string {
	var found []string
	walk(data, func(key string, value any) {
		if key == "cursor" {
			found = append(found, value.(string))
		}
	})
	return found
}

// walk hands out every value of an answer that is no object and no list, objects in the order of
// their keys.
func walk(data any, each func(key string, value any)) {
	var in func(key string, v any)
	in = func(key string, v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				in(key, e)
			}
		case map[string]any:
			for _, name := range sortedKeys(v) {
				in(name, v[name])
			}
		default:
			each(key, v)
		}
	}
	in("", data)
}

func anyOf(list []string) []any {
	all := make([]any, len(list))
	for i, e := range list {
		all[i] = e
	}
	return all
}
