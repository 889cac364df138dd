// Package marshal is what the generated walk over records builds its answer from: objects and lists
// that have their values and write themselves as JSON. See internal/generate for the code that calls it.
package marshal

import (
	"context"
	"io"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Object is the JSON object of one record. Every field is given its value once, in any order.
type Object struct {
	fields  []graphql.CollectedField
	values  []graphql.Marshaler
	invalid bool
}

// NewObject makes an object without values of the fields that are asked for.
func NewObject(fields []graphql.CollectedField) *Object {
	return &Object{fields: fields, values: make([]graphql.Marshaler, len(fields))}
}

// Set gives a field its value, which may be null.
func (o *Object) Set(field int, value graphql.Marshaler) {
	o.values[field] = value
	o.invalid = o.invalid || value == graphql.RequiredNull // made so for this request, see graphql.MarkNonNull
}

// Require gives a field its value, which the schema does not let be null.
func (o *Object) Require(field int, value graphql.Marshaler) {
	o.values[field] = value
	o.invalid = o.invalid || value == graphql.Null
}

// OrNull returns the object, or null when a required field has no value.
func (o *Object) OrNull() graphql.Marshaler {
	if o.invalid {
		return graphql.Null
	}
	return o
}

// MarshalGQL implements graphql.Marshaler. Names are written as they are: GraphQL's need no escapes.
func (o *Object) MarshalGQL(w io.Writer) {
	var written map[string]bool
	if o.mayRepeat() {
		written = make(map[string]bool, len(o.fields))
	}
	write(w, "{")
	before := `"`
	for i := range o.fields {
		key := o.fields[i].Alias
		if written[key] {
			continue
		}
		if written != nil {
			written[key] = true
		}
		write(w, before)
		before = `,"`
		write(w, key)
		write(w, `":`)
		o.values[i].MarshalGQL(w)
	}
	write(w, "}")
}

// mayRepeat tells whether a key can come twice: a field that is asked for through types which do not know each
// other, such as a union and its member, is collected for each of them. The first one is the answer.
func (o *Object) mayRepeat() bool {
	for i := range o.fields {
		if o.fields[i].ObjectDefinition != o.fields[0].ObjectDefinition {
			return true
		}
	}
	return false
}

// Name is a text that needs no escapes, such as the name of a type.
type Name string

// MarshalGQL implements graphql.Marshaler.
func (n Name) MarshalGQL(w io.Writer) {
	write(w, `"`)
	write(w, string(n))
	write(w, `"`)
}

func write(w io.Writer, text string) {
	_, _ = io.WriteString(w, text) // into memory
}

// List makes the JSON array of a list's elements, one after the other, and tells each where in the answer
// it stands. An element that panics makes the list null, with an error at its place, and so does one that is null
// in a list of required elements.
func List[T any](ctx context.Context, list []T, required bool, element func(context.Context, T) graphql.Marshaler) graphql.Marshaler {
	values := make(graphql.Array, len(list))
	places := make([]struct { // one allocation for the contexts of all elements
		graphql.FieldContext

		index int
	}, len(list))
	invalid := false
	for i := range list {
		place := &places[i]
		place.index = i
		place.Index, place.Result = &place.index, &list[i]
		at := graphql.WithFieldContext(ctx, &place.FieldContext)
		var panicked bool
		values[i], panicked = guarded(at, list[i], element)
		invalid = invalid || panicked || required && values[i] == graphql.Null
	}
	if invalid {
		return graphql.Null
	}
	return values
}

// guarded is one element, with a panic as an error at its place.
func guarded[T any](ctx context.Context, e T, element func(context.Context, T) graphql.Marshaler) (value graphql.Marshaler, panicked bool) {
	defer func() {
		if cause := recover(); cause != nil {
			graphql.AddError(ctx, graphql.Recover(ctx, cause))
			panicked = true
		}
	}()
	return element(ctx, e), false
}

// Missing is the null in place of a required value: an error, unless one explains it already.
func Missing(ctx context.Context) graphql.Marshaler {
	if !graphql.HasFieldError(ctx, graphql.GetFieldContext(ctx)) {
		graphql.AddError(ctx, gqlerror.Errorf("a value is missing that the schema promises"))
	}
	return graphql.Null
}
