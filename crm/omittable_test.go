package crm_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What was left out and what was null make two inputs for an idempotency key, so the hash,
// which is made of JSON, must tell them apart.
func TestOmittedIsNotNullInTheInputHash(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := 0
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			fields, ok := n.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range fields.Fields.List {
				generic, ok := f.Type.(*ast.IndexExpr)
				if !ok {
					continue
				}
				if of, ok := generic.X.(*ast.SelectorExpr); ok && of.Sel.Name == "Omittable" && !strings.HasSuffix(name, "_test.go") && len(f.Names) == 1 && f.Names[0].IsExported() {
					found++
					require.NotNil(t, f.Tag, "%s: %s", name, f.Names[0])
					require.Contains(t, f.Tag.Value, "omitzero", "%s: %s", name, f.Names[0])
				}
			}
			return true
		})
	}
	require.Greater(t, found, 40)
}
