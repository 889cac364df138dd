package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"crmgraph/crm"
)

// page renders a paged edge.
func page[P, C any](ctx context.Context, edge *crm.Paged[P, C], parent *P, first *int, after *string, last *int, before *string) (*crm.Connection[C], error) {
	p, err := crm.NewPage(first, last, after, before, nil)
	if err != nil {
		return nil, err
	}
	return edge.Load(ctx, parent, p)
}

// pageWhere renders a paged edge with a filter, nil for none.
func pageWhere[P, C, W any](ctx context.Context, edge *crm.Paged[P, C], parent *P, where *W, first *int, after *string, last *int, before *string) (*crm.Connection[C], error) {
	some, err := edge.Where(ctx, where)
	if err != nil {
		return nil, err
	}
	return page(ctx, some, parent, first, after, last, before)
}

// list renders a root connection and loads what is selected below it.
func list[T, W, O any](
	ctx context.Context,
	read func(context.Context, *W, []*O, crm.Page) (*crm.Connection[T], error),
	where *W, orderBy []*O, first *int, after *string, last *int, before *string, offset *int,
) (*crm.Connection[T], error) {
	p, err := crm.NewPage(first, last, after, before, offset)
	if err != nil {
		return nil, err
	}
	connection, err := read(ctx, where, orderBy, p)
	if err != nil || connection == nil { // nothing is left to do when a reader took the rows
		return nil, err
	}
	aheadOfConnection(ctx, connection)
	return connection, nil
}

// one renders a lookup, which is null when nothing is found, and loads what is selected below it.
func one[T, By any](ctx context.Context, find func(context.Context, By) (*T, error), by By) (*T, error) {
	name := typeName[T]()
	row, err := find(crm.WithPlan(ctx, name, func() crm.Plan {
		return planOf(ctx, graphql.GetOperationContext(ctx), name, graphql.GetFieldContext(ctx).Field.Selections)
	}), by)
	return row, unlessNotFound(err)
}

// unlessNotFound drops the one error that a nullable field says with null.
func unlessNotFound(err error) error {
	if crm.CodeOf(err) == crm.NotFound {
		return nil
	}
	return err
}
