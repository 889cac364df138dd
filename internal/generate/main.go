// Command generate makes graph/ from the schema: gqlgen as gqlgen.yml configures it, with two
// changes. Below a root field the records' edges have been loaded ahead, so a goroutine for each of
// them costs more than it could win: only root fields are resolved side by side. And a query is run
// without making ready the inputs of every mutation.
package main

import (
	_ "embed"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"
)

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func generate() error {
	log.SetOutput(io.Discard) // gqlgen tells every edge that it makes a resolver for
	cfg, err := config.LoadConfigFromDefaultLocations()
	if err != nil {
		return err
	}
	return api.Generate(cfg, api.AddPlugin(serialEdges{}), api.AddPlugin(leanQueries{}))
}

// serialEdges is the plugin that lets only root fields be resolved side by side.
type serialEdges struct{}

// Name implements plugin.Plugin.
func (serialEdges) Name() string { return "serialedges" }

// GenerateCode implements plugin.CodeGenerator; it runs before the code is written.
func (serialEdges) GenerateCode(data *codegen.Data) error {
	for _, object := range data.Objects {
		object.DisableConcurrency = object.DisableConcurrency || object.Definition != data.Schema.Query
	}
	return nil
}

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
