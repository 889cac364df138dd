package limits

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Variables checks the JSON values sent for op's variables, decoded with numbers
// kept as [json.Number], against their declared types. It is stricter than the
// executor's coercion, which takes "12" for an Int, 12 for a String, any case for
// an enum value and any number of keys for a @oneOf input object.
//
// It refuses lists longer than the limit, values nested more than 64 levels and
// strings that hold a NUL character, in custom scalars too. Absent values and
// required fields are left to coercion. The message names the place and never
// repeats the value.
func (c *Checker) Variables(op *ast.OperationDefinition, values map[string]any) *gqlerror.Error {
	for _, v := range op.VariableDefinitions {
		value, sent := values[v.Variable]
		if !sent || value == nil {
			continue
		}
		if p := c.typed(v.Type, value, &spot{name: v.Variable}); p != nil {
			return refusal(BadUserInput, v.Position, "variable $%s %s", p.at, p.message)
		}
	}
	return nil
}

// spot is a place in a variable's value.
type spot struct {
	parent *spot
	name   string // of an input field; empty for a list item
	item   int
	depth  int
}

func (s *spot) field(name string) *spot { return &spot{parent: s, name: name, depth: s.depth + 1} }
func (s *spot) index(i int) *spot       { return &spot{parent: s, item: i, depth: s.depth + 1} }

// String writes the spot as name.field[3].
func (s *spot) String() string {
	switch {
	case s.parent == nil:
		return s.name
	case s.name == "":
		return s.parent.String() + "[" + strconv.Itoa(s.item) + "]"
	default:
		return s.parent.String() + "." + s.name
	}
}

// problem is what is wrong at a place.
type problem struct{ at, message string }

func at(s *spot, format string, args ...any) *problem {
	return &problem{s.String(), fmt.Sprintf(format, args...)}
}

// typed checks a value that is not null.
func (c *Checker) typed(typ *ast.Type, value any, s *spot) *problem {
	if s.depth > maxNesting {
		return at(s, "must not nest more than %d levels", maxNesting)
	}
	if typ.Elem != nil {
		return c.list(typ.Elem, value, s)
	}
	def := c.schema.Types[typ.NamedType]
	switch def.Kind {
	case ast.InputObject:
		return c.object(def, value, s)
	case ast.Enum:
		if name, ok := value.(string); !ok || def.EnumValues.ForName(name) == nil {
			return at(s, "must be a value of %s", def.Name)
		}
		return nil
	default:
		return c.scalar(def, value, s)
	}
}

// list checks a list of elem; a single value stands for a list of one.
func (c *Checker) list(elem *ast.Type, value any, s *spot) *problem {
	items, ok := value.([]any)
	if !ok {
		return c.typed(elem, value, s)
	}
	if len(items) > c.limits.ListLength {
		return at(s, "must list at most %d values", c.limits.ListLength)
	}
	for i, item := range items {
		if item == nil {
			continue
		}
		if p := c.typed(elem, item, s.index(i)); p != nil {
			return p
		}
	}
	return nil
}

func (c *Checker) object(def *ast.Definition, value any, s *spot) *problem {
	fields, ok := value.(map[string]any)
	if !ok {
		return at(s, "must be an object")
	}
	known := 0
	for _, field := range def.Fields {
		inner, sent := fields[field.Name]
		if !sent {
			continue
		}
		known++
		if inner == nil {
			continue
		}
		if p := c.typed(field.Type, inner, s.field(field.Name)); p != nil {
			return p
		}
	}
	if known < len(fields) {
		return at(s, "has a field that %s does not define", def.Name)
	}
	if def.Directives.ForName("oneOf") != nil && !exactlyOne(fields) {
		return at(s, "must give exactly one field, and not null")
	}
	return nil
}

func exactlyOne(fields map[string]any) bool {
	for _, value := range fields {
		return len(fields) == 1 && value != nil
	}
	return false
}

// scalar checks the five scalars of GraphQL itself by name, and any other as JSON.
func (c *Checker) scalar(def *ast.Definition, value any, s *spot) *problem {
	number, isNumber := value.(json.Number)
	_, isString := value.(string)
	_, isBool := value.(bool)
	switch {
	case def.Name == "Int" && !(isNumber && isWhole(number, 32)):
		return at(s, "must be a whole number of at most 32 bits")
	case def.Name == "Float" && !isNumber:
		return at(s, "must be a number")
	case def.Name == "Boolean" && !isBool:
		return at(s, "must be true or false")
	case def.Name == "String" && !isString:
		return at(s, "must be a string")
	case def.Name == "ID" && !isString && !(isNumber && isWhole(number, 64)):
		return at(s, "must be a string or a whole number")
	}
	return c.free(value, s)
}

// free checks a value of any JSON type. Names inside it are the client's own, so
// its members all show as *.
func (c *Checker) free(value any, s *spot) *problem {
	if s.depth > maxNesting {
		return at(s, "must not nest more than %d levels", maxNesting)
	}
	switch v := value.(type) {
	case string:
		if strings.IndexByte(v, 0) >= 0 {
			return at(s, "must not hold a NUL character")
		}
	case []any:
		if len(v) > c.limits.ListLength {
			return at(s, "must list at most %d values", c.limits.ListLength)
		}
		for i, item := range v {
			if p := c.free(item, s.index(i)); p != nil {
				return p
			}
		}
	case map[string]any:
		for name, inner := range v {
			if strings.IndexByte(name, 0) >= 0 {
				return at(s, "must not hold a NUL character")
			}
			if p := c.free(inner, s.field("*")); p != nil {
				return p
			}
		}
	}
	return nil
}

func isWhole(n json.Number, bits int) bool {
	_, err := strconv.ParseInt(string(n), 10, bits)
	return err == nil
}
