package planner

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"crmgraph/graph"
)

// resolved are the fields, as Type.field in lower case, that have a resolver of their own.
var resolved = func() map[string]bool {
	fields := map[string]bool{}
	root := reflect.TypeFor[graph.ResolverRoot]()
	for object := range root.Methods() {
		for resolver := range object.Type.Out(0).Methods() {
			fields[object.Name+"."+strings.ToLower(resolver.Name)] = true
		}
	}
	return fields
}()

// binding is what of a Go struct is behind a field of the graph, by the generator's rules.
type binding struct {
	name   string // in Go
	result reflect.Type
	index  []int // of a struct field
	method int   // of the pointer to the struct, when index is nil
	takes  bool  // whether the method takes a context, and may fail
}

func (b *binding) isMethod() bool { return b.index == nil }

// bind finds the method or the struct field behind a field of the graph.
func bind(object reflect.Type, field string) (binding, bool) {
	pointer := reflect.PointerTo(object)
	for i := range pointer.NumMethod() {
		m := pointer.Method(i)
		if !strings.EqualFold(m.Name, field) {
			continue
		}
		in, out := m.Type.NumIn(), m.Type.NumOut()
		takes := in == 2 && out == 2 && m.Type.In(1) == reflect.TypeFor[context.Context]()
		return binding{name: m.Name, result: m.Type.Out(0), method: i, takes: takes}, takes || in == 1 && out == 1
	}
	f, ok := object.FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, field) })
	return binding{name: f.Name, result: f.Type, index: f.Index}, ok
}

// get returns the value of an addressable struct.
func (b *binding) get(ctx context.Context, of reflect.Value) (reflect.Value, error) {
	if !b.isMethod() {
		return of.FieldByIndex(b.index), nil
	}
	method := of.Addr().Method(b.method)
	if !b.takes {
		return method.Call(nil)[0], nil
	}
	out := method.Call([]reflect.Value{reflect.ValueOf(ctx)})
	err, _ := reflect.TypeAssert[error](out[1])
	return out[0], err
}

// writer appends the JSON of a T.
type writer[T any] func(*run, T) error

// writeValue appends a value's JSON.
type writeValue = writer[reflect.Value]

// constant writes a text, whatever it is asked to write.
func constant[T any](text string) writer[T] {
	return func(r *run, _ T) error {
		r.buf = append(r.buf, text...)
		return nil
	}
}

// member is one member of a JSON object that is made of a T.
type member[T any] struct {
	key   string // quoted, with a colon
	write writer[T]
}

// writeObject writes the object that members make of a T.
func writeObject[T any](r *run, members []member[T], from T) error {
	r.buf = append(r.buf, '{')
	for i := range members {
		if i > 0 {
			r.buf = append(r.buf, ',')
		}
		r.buf = append(r.buf, members[i].key...)
		if err := members[i].write(r, from); err != nil {
			return err
		}
	}
	r.buf = append(r.buf, '}')
	return nil
}

// typed compiles how a Go value is written as a type of the schema.
func (c *compiler) typed(t *ast.Type, from reflect.Type, set ast.SelectionSet) (writeValue, error) {
	switch {
	case from.Kind() == reflect.Pointer:
		inner, err := c.typed(notNull(t), from.Elem(), set)
		required := t.NonNull
		return func(r *run, v reflect.Value) error {
			if v.IsNil() {
				return r.null(required)
			}
			return inner(r, v.Elem())
		}, err
	case t.Elem != nil:
		return c.slice(t, from, set)
	case c.schema.Types[t.NamedType].Kind == ast.Object:
		return c.object(t.NamedType, from, set)
	default:
		return c.leaf(t, from)
	}
}

func notNull(t *ast.Type) *ast.Type {
	same := *t
	same.NonNull = true
	return &same
}

func (c *compiler) slice(t *ast.Type, from reflect.Type, set ast.SelectionSet) (writeValue, error) {
	if from.Kind() != reflect.Slice {
		return nil, unsupportedf("%s is no list", from)
	}
	inner, err := c.typed(t.Elem, from.Elem(), set)
	required := t.NonNull
	return func(r *run, v reflect.Value) error {
		if v.IsNil() && !required {
			return r.null(false)
		}
		r.buf = append(r.buf, '[')
		for i := range v.Len() {
			if i > 0 {
				r.buf = append(r.buf, ',')
			}
			if err := inner(r, v.Index(i)); err != nil {
				return err
			}
		}
		r.buf = append(r.buf, ']')
		return nil
	}, err
}

// object compiles a selection on a value that is no record, such as an amount of money.
func (c *compiler) object(typeName string, from reflect.Type, set ast.SelectionSet) (writeValue, error) {
	if from.Kind() != reflect.Struct {
		return nil, unsupportedf("%s is no object", from)
	}
	var members []member[reflect.Value]
	fields, err := c.fields(set, typeName)
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		write := constant[reflect.Value](strconv.Quote(typeName))
		if f.Name != "__typename" {
			var err error
			if write, err = c.member(from, f); err != nil {
				return nil, err
			}
		}
		members = append(members, member[reflect.Value]{key: key(f), write: write})
	}
	return func(r *run, v reflect.Value) error {
		if !v.CanAddr() { // what a method returned
			at := reflect.New(from).Elem()
			at.Set(v)
			v = at
		}
		return writeObject(r, members, v)
	}, nil
}

// member compiles a field of such a value.
func (c *compiler) member(from reflect.Type, f graphql.CollectedField) (writeValue, error) {
	b, ok := bind(from, f.Name)
	if !ok || len(f.Definition.Arguments) > 0 {
		return nil, unsupportedf("%s of %s is no field and no method", f.Name, from)
	}
	write, err := c.typed(f.Definition.Type, b.result, f.Selections)
	return func(r *run, v reflect.Value) error {
		value, err := b.get(r.ctx, v)
		if err != nil {
			return err
		}
		return write(r, value)
	}, err
}

// leaf compiles how a Go value is written as a scalar or a word of an enum.
func (c *compiler) leaf(t *ast.Type, from reflect.Type) (writeValue, error) {
	if from.Kind() == reflect.Pointer {
		return c.typed(t, from, nil)
	}
	switch name := t.NamedType; {
	case name == "DateTime" && from == reflect.TypeFor[time.Time]():
		return func(r *run, v reflect.Value) error {
			r.buf = appendTime(r.buf, timeOf(v).UTC(), time.RFC3339Nano)
			return nil
		}, nil
	case name == "Date" && from == reflect.TypeFor[time.Time]():
		return func(r *run, v reflect.Value) error {
			r.buf = appendTime(r.buf, *timeOf(v), time.DateOnly)
			return nil
		}, nil
	case name == "JSON" && from == reflect.TypeFor[json.RawMessage]():
		required := t.NonNull
		return func(r *run, v reflect.Value) error {
			if v.IsNil() {
				return r.null(required)
			}
			r.buf = append(r.buf, v.Bytes()...)
			return nil
		}, nil
	case name == "Float" && from.Kind() == reflect.Float64:
		return func(r *run, v reflect.Value) error {
			r.buf = fmt.Appendf(r.buf, "%g", v.Float())
			return nil
		}, nil
	case from.Kind() == reflect.String:
		return func(r *run, v reflect.Value) error {
			r.buf = appendQuoted(r.buf, v.String())
			return nil
		}, nil
	case from.Kind() == reflect.Bool:
		return func(r *run, v reflect.Value) error {
			r.buf = strconv.AppendBool(r.buf, v.Bool())
			return nil
		}, nil
	case from.Kind() == reflect.Int, from.Kind() == reflect.Int64:
		return func(r *run, v reflect.Value) error {
			r.buf = strconv.AppendInt(r.buf, v.Int(), 10)
			return nil
		}, nil
	default:
		return nil, unsupportedf("nobody knows how to write a Go %s as %s", from, name)
	}
}

// timeOf returns the time in a value without copying it where that is possible.
func timeOf(v reflect.Value) *time.Time {
	if v.CanAddr() {
		return v.Addr().Interface().(*time.Time)
	}
	at := v.Interface().(time.Time)
	return &at
}

func appendTime(buf []byte, at time.Time, layout string) []byte {
	buf = append(buf, '"')
	buf = at.AppendFormat(buf, layout)
	return append(buf, '"')
}

// appendID appends a global id.
func appendID(buf []byte, prefix string, id *uuid.UUID) []byte {
	buf = append(buf, '"')
	buf = append(buf, prefix...)
	for i, part := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		buf = append(buf, "_----"[i])
		buf = hex.AppendEncode(buf, part)
	}
	return append(buf, '"')
}

// appendQuoted appends a text as the executor writes it: only what must be escaped is.
func appendQuoted(buf []byte, text string) []byte {
	const digits = "0123456789ABCDEF"
	buf = append(buf, '"')
	start := 0
	for i := range len(text) {
		c := text[i]
		if c >= 0x20 && c != '\\' && c != '"' {
			continue
		}
		buf = append(buf, text[start:i]...)
		start = i + 1
		switch c {
		case '\t':
			buf = append(buf, '\\', 't')
		case '\r':
			buf = append(buf, '\\', 'r')
		case '\n':
			buf = append(buf, '\\', 'n')
		case '\\', '"':
			buf = append(buf, '\\', c)
		default:
			buf = append(buf, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xf])
		}
	}
	buf = append(buf, text[start:]...)
	return append(buf, '"')
}
