// Command generate makes graph/ from the schema: gqlgen as gqlgen.yml configures it, with two
// changes.
//
// Below a root field the records' edges have been loaded ahead, and most fields are values of a record
// at hand. gqlgen prepares for the opposite everywhere: a context and closures for every value, a
// goroutine for every element of a list, a way to defer every field. leanObjects walks records without
// these: only root fields are resolved side by side, and only fields that can fail have a context.
//
// And leanQueries runs a query without making ready the inputs of every mutation.
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/99designs/gqlgen/api"
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
	return api.Generate(cfg, api.AddPlugin(leanObjects{}), api.AddPlugin(leanQueries{}))
}
