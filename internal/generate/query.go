package main

import (
	_ "embed"
	"path/filepath"
	"slices"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"
)

// leanQueries is the plugin that writes how queries are run.
type leanQueries struct{}

// Name implements plugin.Plugin.
func (leanQueries) Name() string { return "leanqueries" }

//go:embed query.gotpl
var queryTemplate string

// GenerateCode implements plugin.CodeGenerator.
func (leanQueries) GenerateCode(data *codegen.Data) error {
	return templates.Render(templates.Options{
		PackageName:     data.Config.Exec.Package,
		Filename:        filepath.Join(data.Config.Exec.DirName, "query.generated.go"),
		Template:        queryTemplate,
		Data:            inputsOfEdges(data),
		GeneratedHeader: true,
		Packages:        data.Config.Packages,
	})
}

// inputsOfEdges names the input types of fields below the root, in order: look-ahead and the planner
// read these through the context, before the field is resolved.
func inputsOfEdges(data *codegen.Data) []string {
	var names []string
	for _, object := range data.Objects {
		if object.Root {
			continue
		}
		for _, field := range object.Fields {
			for _, arg := range field.Args {
				if name := arg.Type.Name(); data.Schema.Types[name].Kind == ast.InputObject && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	slices.Sort(names)
	return names
}
