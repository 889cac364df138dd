package marshal_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"crmgraph/internal/marshal"
)

// fields are collected fields with these keys of one type.
func fields(keys ...string) []graphql.CollectedField {
	definition := &ast.Definition{Name: "Thing"}
	list := make([]graphql.CollectedField, len(keys))
	for i, key := range keys {
		list[i].Field = &ast.Field{Name: "field", Alias: key, ObjectDefinition: definition}
	}
	return list
}

// requireText is about every byte: the order of an object's fields is that of the document.
func requireText(t *testing.T, want string, m graphql.Marshaler) {
	t.Helper()
	var got bytes.Buffer
	m.MarshalGQL(&got)
	require.Equal(t, want, got.String())
}

// at is the context of a field that an operation asks for, and the errors that it will have.
func at(t *testing.T, key string) (ctx context.Context, errs func() []string) {
	t.Helper()
	ctx = graphql.WithResponseContext(t.Context(), graphql.DefaultErrorPresenter, func(_ context.Context, cause any) error {
		return errors.New(cause.(string))
	})
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Field: fields(key)[0]})
	return ctx, func() []string {
		var all []string
		for _, e := range graphql.GetErrors(ctx) {
			all = append(all, e.Error())
		}
		return all
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	t.Run("writes its fields in their order", func(t *testing.T) {
		t.Parallel()
		o := marshal.NewObject(fields("a", "b", "c"))
		o.Set(2, graphql.Null)
		o.Require(0, graphql.MarshalString(`"quoted"`))
		o.Require(1, marshal.Name("Thing"))
		requireText(t, `{"a":"\"quoted\"","b":"Thing","c":null}`, o.OrNull())
		requireText(t, `{}`, marshal.NewObject(nil).OrNull())
	})
	t.Run("writes a key once", func(t *testing.T) {
		t.Parallel()
		list := fields("a", "b", "b", "a", "c")
		list[1].ObjectDefinition = &ast.Definition{Name: "Union"}
		o := marshal.NewObject(list)
		for i, value := range []string{"first", "second", "third", "fourth", "fifth"} {
			o.Set(i, marshal.Name(value))
		}
		requireText(t, `{"a":"first","b":"second","c":"fifth"}`, o.OrNull())
	})
	t.Run("is null without a required value", func(t *testing.T) {
		t.Parallel()
		o := marshal.NewObject(fields("a", "b"))
		o.Require(0, graphql.Null)
		o.Require(1, graphql.True)
		require.Equal(t, graphql.Marshaler(graphql.Null), o.OrNull())

		o = marshal.NewObject(fields("a"))
		o.Set(0, graphql.RequiredNull)
		require.Equal(t, graphql.Marshaler(graphql.Null), o.OrNull())
	})
}

func TestList(t *testing.T) {
	t.Parallel()
	words := []string{"a", "b", "c"}
	t.Run("tells each element its place", func(t *testing.T) {
		t.Parallel()
		ctx, errs := at(t, "words")
		got := marshal.List(ctx, words, true, func(ctx context.Context, word string) graphql.Marshaler {
			require.Equal(t, &word, graphql.GetFieldContext(ctx).Result)
			return marshal.Name(graphql.GetPath(ctx).String() + word)
		})
		requireText(t, `["words[0]a","words[1]b","words[2]c"]`, got)
		requireText(t, `[]`, marshal.List(ctx, nil, true, func(context.Context, string) graphql.Marshaler { return graphql.Null }))
		require.Empty(t, errs())
	})

	// second makes null of the second element, with an error.
	second := func(ctx context.Context, word string) graphql.Marshaler {
		if word == "b" {
			return marshal.Missing(ctx)
		}
		return marshal.Name(word)
	}
	const missing = "input: words[1] a value is missing that the schema promises"
	t.Run("keeps a null among elements that may be null", func(t *testing.T) {
		t.Parallel()
		ctx, errs := at(t, "words")
		requireText(t, `["a",null,"c"]`, marshal.List(ctx, words, false, second))
		require.Equal(t, []string{missing}, errs())
	})
	t.Run("is null without a required element", func(t *testing.T) {
		t.Parallel()
		ctx, errs := at(t, "words")
		require.Equal(t, graphql.Marshaler(graphql.Null), marshal.List(ctx, words, true, second))
		require.Equal(t, []string{missing}, errs())
	})
	t.Run("is null when an element panics, and asks the others all the same", func(t *testing.T) {
		t.Parallel()
		ctx, errs := at(t, "words")
		got := marshal.List(ctx, words, false, func(_ context.Context, word string) graphql.Marshaler {
			panic("fault of " + word)
		})
		require.Equal(t, graphql.Marshaler(graphql.Null), got)
		require.Equal(t, []string{"input: words[0] fault of a", "input: words[1] fault of b", "input: words[2] fault of c"}, errs())
	})
}

func TestMissing(t *testing.T) {
	t.Parallel()
	ctx, _ := at(t, "word")
	require.Equal(t, graphql.Marshaler(graphql.Null), marshal.Missing(ctx))
	require.Equal(t, graphql.Marshaler(graphql.Null), marshal.Missing(ctx))
	errs := graphql.GetErrors(ctx)
	require.Len(t, errs, 1, "what is missing is told once")
	require.Equal(t, "word", errs[0].Path.String())
	require.NoError(t, errs[0].Err, "an error that wraps one would be shown as the client's, see resolvers.Present")

	ctx, _ = at(t, "word")
	graphql.AddError(ctx, &gqlerror.Error{Message: "the cause", Path: graphql.GetPath(ctx)})
	marshal.Missing(ctx)
	require.Len(t, graphql.GetErrors(ctx), 1, "and not beside its cause")
}

// What a list of objects takes, beside its values and the contexts of its elements.
func TestAllocations(t *testing.T) { //nolint:paralleltest // counts what the whole program allocates
	ctx, _ := at(t, "list")
	collected := fields("a", "b", "c", "d")
	element := func(_ context.Context, name marshal.Name) graphql.Marshaler {
		o := marshal.NewObject(collected)
		for i := range collected {
			o.Require(i, name)
		}
		return o.OrNull()
	}
	buf := bytes.NewBuffer(make([]byte, 0, 1<<12))
	list := make([]marshal.Name, 10)
	allocations := testing.AllocsPerRun(100, func() {
		buf.Reset()
		marshal.List(ctx, list, true, element).MarshalGQL(buf)
	})
	t.Logf("%.0f allocations", allocations)
	require.LessOrEqual(t, allocations, 33.0, "three an element, three of the list")
}
