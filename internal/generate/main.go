// Command generate makes graph/ from the schema: gqlgen as gqlgen.yml configures it, with one
// change. Below a root field the records' edges have been loaded ahead, so a goroutine for each of
// them costs more than it could win: only root fields are resolved side by side.
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
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
	return api.Generate(cfg, api.AddPlugin(serialEdges{}))
}

// serialEdges is the plugin that makes the change.
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
