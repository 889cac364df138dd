package crm

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
)

// Omittable is a value that an input may leave out, which is not the same as null.
type Omittable[T any] = graphql.Omittable[T]

// Given is a value that an input does not leave out.
func Given[T any](v T) Omittable[T] { return graphql.OmittableOf(v) }

type problemsKey struct{}

// WithProblems returns a context in which operations report what a door found wrong while it read
// their input, together with what is wrong with the rest of it. found is called when an
// operation checks its input, and may return nothing.
func WithProblems(ctx context.Context, found func() Problems) context.Context {
	return context.WithValue(ctx, problemsKey{}, found)
}

// newProblems begins with what the door found.
func newProblems(ctx context.Context) problems {
	if found, ok := ctx.Value(problemsKey{}).(func() Problems); ok {
		return problems{list: found()}
	}
	return problems{}
}
