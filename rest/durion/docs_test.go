package durion_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"crmgraph/rest/durion"
)

var update = flag.Bool("update", false, "write the generated part of docs/rest.md anew")

const generatedFrom = "<!-- From here on: go test ./rest/durion -run TestDocs -update -->\n"

// TestDocs compares the table of docs/rest.md with the contract's.
func TestDocs(t *testing.T) {
	t.Parallel()
	const path = "../../docs/rest.md"
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	written, generated, ok := strings.Cut(string(text), generatedFrom)
	require.True(t, ok)
	want := routesAsMarkdown()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(written+generatedFrom+want), 0o644))
		return
	}
	require.Empty(t, cmp.Diff(generated, want))
}

func routesAsMarkdown() string {
	var b strings.Builder
	b.WriteString("\n## Operations\n\nA star marks the thirteen stubs.\n\n")
	b.WriteString("| contract | operation | method and path | permission | in the graph | notes |\n|---|---|---|---|---|---|\n")
	for _, r := range durion.Routes() {
		id := r.ID
		if isStub(id) {
			id += "*"
		}
		fmt.Fprintf(&b, "| %s | %s | `%s %s` | `%s` | `%s` | %s |\n", id, r.Operation, r.Method, r.Path, r.Permission, r.Graph, r.Notes)
	}
	return b.String()
}

// isStub reports the operations that the contract lists as stubs (Durion 1.8).
func isStub(id string) bool { return "D-12" <= id && id <= "D-24" }

// TestDocsGraphFields holds the table to the schema.
func TestDocsGraphFields(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../schema/*.graphqls")
	require.NoError(t, err)
	var sources []*ast.Source
	for _, path := range append(paths, "../../schema.graphqls") {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		sources = append(sources, &ast.Source{Name: path, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	require.NoError(t, err)
	missing := []string{}
	for _, r := range durion.Routes() {
		owner, field, _ := strings.Cut(r.Graph, ".")
		if object := schema.Types[owner]; object == nil || object.Fields.ForName(field) == nil {
			missing = append(missing, r.ID+" "+r.Graph)
		}
	}
	require.Empty(t, missing)
}
