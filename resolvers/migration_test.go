package resolvers_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"crmgraph/graph"
	"crmgraph/resolvers"
	"crmgraph/rest/durion"
)

// section is what the migration page says to one or several operations.
type section struct {
	operations []string // their headings
	document   string
	variables  map[string]any
}

var (
	blockOfPage   = regexp.MustCompile("(?ms)^### ([^\n]+)$|^```(graphql|json)\n(.*?)^```$")
	pathOfHeading = regexp.MustCompile(`^D-\d\d [A-Z]+ /\S+$`)
)

// migrationPage reads docs/durion-to-graphql.md. Headings without a document share the next one.
func migrationPage(t *testing.T) []section {
	t.Helper()
	text, err := os.ReadFile("../docs/durion-to-graphql.md")
	require.NoError(t, err)
	sections := []section{{}}
	for _, m := range blockOfPage.FindAllStringSubmatch(string(text), -1) {
		last := &sections[len(sections)-1]
		switch {
		case m[1] != "":
			require.Regexp(t, pathOfHeading, m[1])
			if last.document != "" {
				sections = append(sections, section{})
				last = &sections[len(sections)-1]
			}
			last.operations = append(last.operations, m[1])
		case m[2] == "graphql":
			require.Empty(t, last.document, "two documents for %v", last.operations)
			last.document = m[3]
		default:
			require.Nil(t, last.variables, "two sets of variables for %v", last.operations)
			numbers := json.NewDecoder(strings.NewReader(m[3]))
			numbers.UseNumber() // as requests are read
			require.NoError(t, numbers.Decode(&last.variables), m[3])
		}
	}
	return sections
}

// TestMigrationPageRuns runs the page's documents one after the other, as a reader may.
func TestMigrationPageRuns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, s := range migrationPage(t) {
		t.Run(s.operations[0], func(t *testing.T) {
			require.NotEmpty(t, s.document)
			if strings.HasPrefix(s.document, "mutation") {
				require.Contains(t, s.document, "userErrors {")
			}
			got := b.admin(t, s.document, s.variables)
			require.Empty(t, got.Errors)
			require.NotContains(t, string(got.Data), `"userErrors":[{`)
			var roots map[string]any
			got.into(t, &roots)
			for field, value := range roots {
				require.NotNil(t, value, field)
			}
			require.NotContains(t, string(got.Data), `"nodes":[],"`, "a list with nothing in it shows nothing")
		})
	}
}

// TestMigrationPageIsComplete finds every operation on the page, with a document that asks for the
// field that the table of routes names.
func TestMigrationPageIsComplete(t *testing.T) {
	t.Parallel()
	schema := graph.NewExecutableSchema(graph.Config{Resolvers: resolvers.Root{}}).Schema()
	asked := map[string][]string{} // the fields that an operation's document asks for
	for _, s := range migrationPage(t) {
		document, errs := gqlparser.LoadQueryWithRules(schema, s.document, nil)
		require.Empty(t, errs, s.operations)
		for _, heading := range s.operations {
			require.NotContains(t, asked, heading)
			asked[heading] = fieldsOf(document.Operations[0].SelectionSet)
		}
	}
	routes := durion.Routes()
	require.Len(t, asked, len(routes))
	for _, route := range routes {
		heading := route.ID + " " + route.Method + " " + route.Path
		require.Contains(t, asked, heading)
		require.Contains(t, asked[heading], route.Graph, heading)
	}
}

// fieldsOf lists fields as Type.field.
func fieldsOf(set ast.SelectionSet) []string {
	var fields []string
	for _, selection := range set {
		if f, ok := selection.(*ast.Field); ok {
			fields = append(fields, f.ObjectDefinition.Name+"."+f.Name)
			fields = append(fields, fieldsOf(f.SelectionSet)...)
		}
	}
	return fields
}
