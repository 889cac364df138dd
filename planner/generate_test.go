package planner_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// document is one to be answered.
type document struct {
	name, text string
	variables  map[string]any
	operation  string // of several
}

// generator writes random documents over the schema.
type generator struct {
	schema *ast.Schema
	known  *known
	rand   *rand.Rand

	names     int // given to aliases, variables and fragments
	fields    int // written
	declared  []string
	values    map[string]any
	fragments []string
}

// The bounds of a generated document.
const (
	maxDepth  = 4
	maxFields = 60
	maxRows   = 3
)

// generate writes the nth document, always the same.
func generate(schema *ast.Schema, known *known, n uint64) document {
	g := &generator{schema: schema, known: known, rand: source(n), values: map[string]any{}}
	var roots strings.Builder
	for range 1 + g.rand.IntN(3) {
		g.root(&roots)
	}
	text := "query Generated"
	if len(g.declared) > 0 {
		text += "(" + strings.Join(g.declared, ", ") + ")"
	}
	text += " {" + roots.String() + " }"
	text = strings.Join(append([]string{text}, g.fragments...), "\n")
	return document{name: fmt.Sprintf("generated %d", n), text: text, variables: g.values}
}

func source(n uint64) *rand.Rand { return rand.New(rand.NewPCG(6, n)) }

func (g *generator) chance(percent int) bool { return g.rand.IntN(100) < percent }

func pick[T any](g *generator, list []T) T { return list[g.rand.IntN(len(list))] }

func (g *generator) name(prefix string) string {
	g.names++
	return fmt.Sprintf("%s%d", prefix, g.names)
}

// root writes a root field, most often one that returns records.
func (g *generator) root(b *strings.Builder) {
	var records, others ast.FieldList
	for _, f := range g.schema.Query.Fields {
		switch name := f.Type.Name(); {
		case strings.HasPrefix(f.Name, "__"):
		case f.Arguments.ForName("by") != nil && g.known.prefixes[name] != "", f.Arguments.ForName("orderBy") != nil && f.Arguments.ForName("after") != nil,
			g.schema.Types[name].IsAbstractType(), name == "SearchHit":
			records = append(records, f)
		default:
			others = append(others, f)
		}
	}
	if g.chance(93) {
		others = records
	}
	g.field(b, pick(g, others), maxDepth, true)
}

// selection writes what is selected of a type.
func (g *generator) selection(b *strings.Builder, typeName string, depth int, aliased bool) {
	d := g.schema.Types[typeName]
	b.WriteString(" {")
	if g.chance(25) || d.Kind == ast.Union {
		b.WriteString(" __typename")
	}
	if d.IsAbstractType() {
		g.members(b, d, depth)
		b.WriteString(" }")
		return
	}
	fields := g.selectable(d, depth)
	wanted := 1 + g.rand.IntN(6)
	if slices.Contains(d.Interfaces, "Node") && g.chance(50) {
		b.WriteString(" id")
	}
	for range wanted {
		g.part(b, d, pick(g, fields), depth, aliased)
	}
	b.WriteString(" }")
}

// selectable are the fields that fit into the depth that is left.
func (g *generator) selectable(d *ast.Definition, depth int) ast.FieldList {
	var fields ast.FieldList
	for _, f := range d.Fields {
		if g.schema.Types[f.Type.Name()].IsCompositeType() && (depth <= 0 || g.fields > maxFields) && !g.small(f.Type.Name()) {
			continue
		}
		fields = append(fields, f)
	}
	if len(fields) == 0 {
		return d.Fields
	}
	return fields
}

// small reports whether a type is a value, such as an amount of money.
func (g *generator) small(typeName string) bool {
	d := g.schema.Types[typeName]
	return !d.IsAbstractType() && !slices.ContainsFunc(d.Fields, func(f *ast.FieldDefinition) bool {
		return g.schema.Types[f.Type.Name()].IsCompositeType()
	}) && !slices.Contains(d.Interfaces, "Node")
}

// part writes a field, bare or in a fragment of one kind or another.
func (g *generator) part(b *strings.Builder, d *ast.Definition, f *ast.FieldDefinition, depth int, aliased bool) {
	switch n := g.rand.IntN(100); {
	case n < 80:
		g.field(b, f, depth, aliased)
	case n < 85:
		b.WriteString(" ..." + g.condition() + " {")
		g.field(b, f, depth, aliased)
		b.WriteString(" }")
	case n < 90:
		b.WriteString(" ... on " + d.Name + g.condition() + " {")
		g.field(b, f, depth, aliased)
		b.WriteString(" }")
	case n < 93 && slices.Contains(d.Interfaces, "Node"):
		b.WriteString(" ... on Node {")
		if g.chance(50) {
			b.WriteString(" id }")
		} else {
			b.WriteString(" ... on " + d.Name + " {")
			g.field(b, f, depth, aliased)
			b.WriteString(" } }")
		}
	default:
		name := g.name("F")
		var body strings.Builder
		g.field(&body, f, depth, aliased)
		g.fragments = append(g.fragments, "fragment "+name+" on "+d.Name+" {"+body.String()+" }")
		b.WriteString(" ..." + name + g.condition())
		if g.chance(20) {
			b.WriteString(" ..." + name)
		}
	}
}

// members writes what is selected of some types of an interface or a union.
func (g *generator) members(b *strings.Builder, d *ast.Definition, depth int) {
	if d.Kind == ast.Interface && g.chance(70) {
		b.WriteString(" id")
	}
	for range 1 + g.rand.IntN(4) {
		member := pick(g, g.schema.PossibleTypes[d.Name])
		b.WriteString(" ... on " + member.Name)
		g.selection(b, member.Name, depth, true)
	}
	if d.Kind == ast.Union && g.chance(30) {
		b.WriteString(" ... on Node { id __typename }")
	}
}

// field writes a field with its arguments and what is selected below it.
func (g *generator) field(b *strings.Builder, f *ast.FieldDefinition, depth int, aliased bool) {
	g.fields++
	composite := g.schema.Types[f.Type.Name()].IsCompositeType()
	head := f.Name
	if aliased || len(f.Arguments) > 0 || g.chance(15) {
		head = g.name("a") + ": " + head
	}
	head += g.arguments(f)
	times := 1
	if composite && g.chance(6) {
		times = 2 // made one
	}
	for range times {
		b.WriteString(" " + head + g.condition())
		if composite {
			// Lists and records cost depth, what is around them and values do not.
			next := depth
			if slices.Contains(g.schema.Types[f.Type.Name()].Interfaces, "Node") || g.schema.Types[f.Type.Name()].IsAbstractType() || g.small(f.Type.Name()) {
				next--
			}
			g.selection(b, f.Type.Name(), next, false)
		}
	}
}

// condition writes a directive, now and then.
func (g *generator) condition() string {
	if !g.chance(8) {
		return ""
	}
	word, on := "@include", g.chance(70)
	if g.chance(50) {
		word, on = "@skip", !on
	}
	value := strconv.FormatBool(on)
	if g.chance(60) {
		value = g.variable(ast.NonNullNamedType("Boolean", nil), on)
	}
	return " " + word + "(if: " + value + ")"
}

// arguments writes the arguments of a field.
func (g *generator) arguments(f *ast.FieldDefinition) string {
	values := map[string]any{}
	for _, a := range f.Arguments {
		if a.Type.NonNull || g.chance(40) && !isPaging(a.Name) {
			values[a.Name] = g.value(a.Type, f.Type.Name()+"."+a.Name, 2)
		}
	}
	if f.Arguments.ForName("first") != nil {
		g.paging(f, values)
	}
	var parts []string
	for _, a := range f.Arguments {
		value, given := values[a.Name]
		switch {
		case !given:
		case g.chance(25) && !holdsVariable(value):
			parts = append(parts, a.Name+": "+g.variable(a.Type, value))
		default:
			parts = append(parts, a.Name+": "+literal(value))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func isPaging(name string) bool {
	return slices.Contains([]string{"first", "last", "after", "before", "offset", "orderBy"}, name)
}

// paging chooses a page, a small one.
func (g *generator) paging(f *ast.FieldDefinition, values map[string]any) {
	size := func() any {
		if g.chance(1) {
			return json.Number(pick(g, []string{"0", "-1", "101", "2147483648"}))
		}
		return json.Number(strconv.Itoa(1 + g.rand.IntN(maxRows)))
	}
	has := func(name string) bool { return f.Arguments.ForName(name) != nil }
	cursors := g.known.cursors[f]
	if has("orderBy") {
		cursors = g.order(f, values)
	}
	values["first"] = size()
	if has("last") && g.chance(25) {
		values["last"] = size()
		if g.chance(99) {
			delete(values, "first")
		}
	}
	for _, end := range []string{"after", "before"} {
		if !has(end) || !g.chance(22) {
			continue
		}
		switch {
		case g.chance(95) && len(cursors) == 0:
		case len(cursors) > 0 && g.chance(97):
			values[end] = pick(g, cursors)
		case g.chance(50):
			values[end] = pick(g, []string{"", "nothing", "AAAAAAAAAAAAAAAAAAAAAAAA", "é"})
		default:
			values[end] = pick(g, g.known.anywhere)
		}
	}
	_, after := values["after"]
	_, before := values["before"]
	_, last := values["last"]
	if has("offset") && !after && !before && !last && g.chance(10) || has("offset") && g.chance(1) {
		values["offset"] = json.Number(strconv.Itoa(g.rand.IntN(6)))
	}
}

// order chooses an order, and returns cursors in it.
func (g *generator) order(f *ast.FieldDefinition, values map[string]any) []string {
	if orders := g.known.orders[f.Name]; len(orders) > 0 && g.chance(60) {
		o := pick(g, orders)
		if o.by != nil {
			values["orderBy"] = o.by
		}
		return o.cursors
	}
	if g.chance(50) {
		values["orderBy"] = g.value(f.Arguments.ForName("orderBy").Type, "", 2)
	}
	return nil
}
