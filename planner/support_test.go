package planner_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

// fallsBack are the fields that the planner leaves to the loaders, with everything beside them in
// the same root field. A field that is missing here is one that the planner has to learn, or one
// more that is slower than others: then it belongs here.
var fallsBack = []string{
	"Customer.communicationPreferences",
	"LoyaltyAccount.policy",
	"Party.communicationPreferences",
	"Query.billingTermsList",
	"Query.customerDuplicates",
	"Query.loyaltyPolicyAt",
	"Query.loyaltyPreview",
	"Query.partyMergePreview",
	"Query.partySearch",
	"Query.tenantSettings",
	"Query.vehicleSearch",
}

// TestEveryFieldIsPlanned asks for every field of every record, and for every root field.
func TestEveryFieldIsPlanned(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.visited(t)
	known := explore(t, b)
	var found []string
	try := func(name, text string) {
		got := b.run(b.as(t, "demo", role(t, "admin")), b.planned, document{text: text})
		require.NotEmpty(t, got.outcomes, "%s: %v", text, got.Errors)
		for _, o := range got.outcomes {
			if o.Reason == "" {
				continue
			}
			found = append(found, name)
			if !slices.Contains(fallsBack, name) {
				t.Errorf("%s falls back: %s %s", name, o.Reason, o.Detail)
			}
		}
	}
	for _, name := range known.types {
		for _, f := range b.schema.Types[name].Fields {
			g := &generator{schema: b.schema, known: known, rand: source(0), values: map[string]any{}}
			try(name+"."+f.Name, fmt.Sprintf("{ nodes(ids: %s) { ... on %s { %s } } }", literal(anyOf(known.ids[name])), name, whole(g, f, name)))
		}
	}
	for _, f := range b.schema.Query.Fields {
		if !strings.HasPrefix(f.Name, "__") {
			g := &generator{schema: b.schema, known: known, rand: source(0), values: map[string]any{}}
			try("Query."+f.Name, "{ "+whole(g, f, "Query")+" }")
		}
	}
	slices.Sort(found)
	require.Equal(t, fallsBack, slices.Compact(found), "the fields that fall back")
}

// whole selects a field with what its arguments need and everything below it that is no record.
func whole(g *generator, f *ast.FieldDefinition, owner string) string {
	text := f.Name
	var parts []string
	for _, a := range f.Arguments {
		if a.Type.NonNull {
			parts = append(parts, a.Name+": "+literal(needed(g, a, owner, f)))
		}
	}
	if len(parts) > 0 {
		text += "(" + strings.Join(parts, ", ") + ")"
	}
	d := g.schema.Types[f.Type.Name()]
	switch {
	case !d.IsCompositeType():
		return text
	case d.IsAbstractType(), slices.Contains(d.Interfaces, "Node"):
		return text + " { __typename }"
	}
	parts = nil
	for _, inner := range d.Fields {
		parts = append(parts, whole(g, inner, d.Name))
	}
	return text + " { " + strings.Join(parts, " ") + " }"
}

// needed is a value that an argument accepts.
func needed(g *generator, a *ast.ArgumentDefinition, owner string, f *ast.FieldDefinition) any {
	ids := func(typeName string) []string { return g.known.ids[typeName] }
	switch owner + "." + f.Name + "." + a.Name {
	case "Query.node.id":
		return ids("Customer")[0]
	case "Query.nodes.ids":
		return anyOf(ids("Customer")[:2])
	case "Query.search.text":
		return "hartmann"
	case "Query.partyMergePreview.survivorId":
		return ids("Party")[0]
	case "Query.partyMergePreview.loserIds":
		return anyOf(ids("Party")[1:2])
	case "Query.customerDuplicates.by":
		return map[string]any{"customerId": ids("Customer")[0]}
	}
	if a.Name == "by" {
		return map[string]any{"id": ids(f.Type.Name())[0]}
	}
	return g.value(a.Type, f.Name+"."+a.Name, 1)
}
