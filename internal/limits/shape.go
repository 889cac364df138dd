package limits

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// shape tells the types of a schema apart by what reading one costs.
type shape struct {
	records     map[string]bool // types whose values are rows: Node and what implements it
	connections map[string]bool // pages of records
	edges       map[string]bool // what a connection's edges are
}

func shapeOf(schema *ast.Schema) shape {
	s := shape{records: map[string]bool{}, connections: map[string]bool{}, edges: map[string]bool{}}
	for name, def := range schema.Types {
		if isRecord(schema, def) {
			s.records[name] = true
		}
		if def.Kind != ast.Object || !strings.HasSuffix(name, "Connection") {
			continue
		}
		if edges := def.Fields.ForName("edges"); edges != nil {
			s.connections[name] = true
			s.edges[edges.Type.Name()] = true
		}
		if def.Fields.ForName("nodes") != nil {
			s.connections[name] = true
		}
	}
	return s
}

// isRecord reports whether def is Node, implements it, or may be a type that does.
func isRecord(schema *ast.Schema, def *ast.Definition) bool {
	if def.Name == "Node" {
		return true
	}
	for _, possible := range schema.GetPossibleTypes(def) {
		if slices.Contains(possible.Interfaces, "Node") {
			return true
		}
	}
	return false
}

// isComposite reports whether values of the named type have fields.
func isComposite(schema *ast.Schema, name string) bool {
	def := schema.Types[name]
	return def != nil && def.IsCompositeType()
}

// approximate writes a count that may have been cut off at the ceiling.
func approximate(n int) string {
	if n >= ceiling {
		return "too many"
	}
	return strconv.Itoa(n)
}
