package planner_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Values of arguments that are neither text, number nor list.
type (
	word     string // of an enum
	variable string // by its name
)

// variable declares a variable with the value, or one to the same or the opposite effect.
func (g *generator) variable(t *ast.Type, value any) string {
	name := g.name("v")
	declared := "$" + name + ": " + t.String()
	switch n := g.rand.IntN(100); {
	case n < 60:
		g.values[name] = plain(value)
	case n < 80:
		declared += " = " + literal(value) // and nothing is sent
	case n < 90:
		declared += " = " + literal(value)
		g.values[name] = plain(value)
	case t.NonNull:
		g.values[name] = plain(value)
	case n < 95:
		g.values[name] = nil
	}
	g.declared = append(g.declared, declared)
	return "$" + name
}

func holdsVariable(value any) bool {
	switch v := value.(type) {
	case variable:
		return true
	case []any:
		return slices.ContainsFunc(v, holdsVariable)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), holdsVariable)
	default:
		return false
	}
}

// literal writes a value as documents do.
func literal(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case word:
		return string(v)
	case variable:
		return "$" + string(v)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = literal(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, key+": "+literal(v[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return string(text)
	}
}

// plain is a value as a request's variables bring it.
func plain(value any) any {
	switch v := value.(type) {
	case word:
		return string(v)
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = plain(e)
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for key, e := range v {
			object[key] = plain(e)
		}
		return object
	default:
		return v
	}
}

// value chooses a value of a type; of says what it is for, such as CustomerWhere.id.
func (g *generator) value(t *ast.Type, of string, depth int) any {
	if t.Elem != nil {
		n := 1 + g.rand.IntN(3)
		if g.chance(8) {
			n = 0
		}
		if strings.HasSuffix(of, ".ids") {
			n = 1 + g.rand.IntN(9)
		}
		list := []any{}
		for range n {
			list = append(list, g.value(t.Elem, of, depth))
		}
		if n > 0 && g.chance(15) {
			list = append(list, list[0]) // twice
		}
		return list
	}
	owner, field, _ := strings.Cut(of, ".")
	d := g.schema.Types[t.NamedType]
	switch {
	case d.Kind == ast.Enum:
		return word(pick(g, d.EnumValues).Name)
	case d.Kind == ast.InputObject:
		return g.object(d, of, depth)
	case d.Name == "ID":
		return g.id(owner, field)
	default:
		return g.scalar(d.Name, field)
	}
}

// object chooses the fields of an input object.
func (g *generator) object(d *ast.Definition, of string, depth int) any {
	object := map[string]any{}
	set := func(f *ast.FieldDefinition) {
		about := d.Name + "." + f.Name
		if strings.HasSuffix(d.Name, "Filter") { // the value is of what is filtered
			about = of
		}
		value := g.value(f.Type, about, depth-1)
		if g.chance(6) && !holdsVariable(value) {
			t := *f.Type
			t.NonNull = t.NonNull || g.isOneOf(d)
			value = variable(strings.TrimPrefix(g.variable(&t, value), "$"))
		}
		object[f.Name] = value
	}
	var choice ast.FieldList
	for _, f := range d.Fields {
		switch {
		case f.Type.NonNull && f.DefaultValue == nil:
			set(f)
		case (f.Name == "and" || f.Name == "or" || f.Name == "not") && depth <= 0:
		default:
			choice = append(choice, f)
		}
	}
	wanted := g.rand.IntN(3)
	switch {
	case g.isOneOf(d), strings.HasSuffix(d.Name, "Filter"):
		wanted = 1
	case strings.HasSuffix(d.Name, "Where"):
		wanted = min(1+g.rand.IntN(5)/3, 2)
	}
	for range wanted {
		if len(choice) > 0 {
			set(pick(g, choice))
		}
	}
	return object
}

func (*generator) isOneOf(d *ast.Definition) bool { return d.Directives.ForName("oneOf") != nil }

// id chooses the id of a record that the field is about, or a wrong one.
func (g *generator) id(owner, field string) any {
	about := strings.TrimSuffix(strings.TrimSuffix(owner, "Where"), "By")
	if field != "id" && field != "ids" && field != "node" {
		about = g.known.typeOf(field)
	}
	ids := g.known.ids[about]
	switch n := g.rand.IntN(100); {
	case len(ids) == 0 && (owner == "Node" || n < 50), n >= 98:
		return pick(g, g.known.ids[pick(g, g.known.types)])
	case n >= 96:
		return pick(g, []string{"", "cus_", "cus_nothing", "xyz_018f0000-0000-7000-8000-000000000000", "cus_018f0000-0000-7000-8000-00000000000g"})
	case n >= 88:
		prefix := g.known.prefixes[about]
		if prefix == "" {
			prefix = "cus"
		}
		return prefix + "_018f0000-0000-7000-8000-000000000000"
	case len(ids) == 0:
		return pick(g, g.known.ids["Party"])
	default:
		return pick(g, ids)
	}
}

// scalar chooses a value like those that the database has behind fields of the name.
func (g *generator) scalar(typeName, field string) any {
	if values := g.known.values[field]; len(values) > 0 && g.chance(85) {
		value := pick(g, values)
		text, isText := value.(string)
		_, isNumber := value.(json.Number)
		switch {
		case typeName == "String" && isText && g.chance(70):
			return text
		case typeName == "String" && isText:
			return cutShort(text, 1+g.rand.IntN(4))
		case typeName == "DateTime" && isText && strings.HasSuffix(text, "Z"), typeName == "Int64" && isNumber:
			return value
		}
	}
	switch typeName {
	case "Boolean":
		return g.chance(50)
	case "Int", "Int64":
		return json.Number(strconv.Itoa(g.rand.IntN(2000)))
	case "Float":
		return json.Number("0.5")
	case "DateTime":
		return pick(g, []string{"2024-01-01T00:00:00Z", "2026-03-01T12:30:15.123456+02:00", "2031-12-31T23:59:59.999999999Z"})
	case "Date":
		return "2025-06-30"
	case "Decimal":
		return pick(g, []string{"0", "12.5", "100.00"})
	case "CurrencyCode":
		return "EUR"
	default:
		return pick(g, []string{"amelia", "hartman", "Nordwind", "CUST-001001", "WVW", "a", "", "O'Neil \"the\" \\ \t é 💥", "%", "_", "er"})
	}
}

func cutShort(text string, n int) string {
	runes := []rune(text)
	return string(runes[:min(n, len(runes))])
}
