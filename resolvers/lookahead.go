package resolvers

import (
	"context"
	"reflect"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"crmgraph/crm"
	"crmgraph/internal/scalar"
)

// aheadOfConnection loads, level by level, what the current field selects below the nodes of a page.
func aheadOfConnection[T any](ctx context.Context, c *crm.Connection[T]) {
	aheadOfFound(ctx, typeName[T](), c.Nodes())
}

// aheadOfFound does the same below the records of a connection of another name.
func aheadOfFound[T any](ctx context.Context, connection string, rows []*T) {
	name := typeName[T]()
	op := graphql.GetOperationContext(ctx)
	plan, _ := planOfConnection(ctx, op, connection, name, graphql.GetFieldContext(ctx).Field.Selections)
	prefetch(ctx, name, rows, plan)
}

// aheadOfNodes does the same below records of several types.
func aheadOfNodes(ctx context.Context, nodes []crm.Node) {
	aheadOfMixed(ctx, nodes, graphql.GetFieldContext(ctx).Field.Selections)
}

// aheadOfHits does the same below the records of a search.
func aheadOfHits(ctx context.Context, hits []*crm.SearchHit) {
	op := graphql.GetOperationContext(ctx)
	nodes := make([]crm.SearchResult, len(hits))
	for i, h := range hits {
		nodes[i] = h.Node
	}
	for _, f := range graphql.CollectFields(op, graphql.GetFieldContext(ctx).Field.Selections, []string{"SearchHit"}) {
		if f.Name == "node" {
			aheadOfMixed(ctx, nodes, f.Selections)
		}
	}
}

// aheadUnder does the same below records that the current field's object has under a path of fields, such as
// the record of a payload.
func aheadUnder[T any](ctx context.Context, rows []*T, path ...string) {
	name := typeName[T]()
	prefetch(ctx, name, rows, planUnder(ctx, graphql.GetOperationContext(ctx), name, graphql.GetFieldContext(ctx).Field, path))
}

func planUnder(ctx context.Context, op *graphql.OperationContext, typeName string, f graphql.CollectedField, path []string) crm.Plan {
	if len(path) == 0 {
		return planOf(ctx, op, typeName, f.Selections)
	}
	var plan crm.Plan
	for _, below := range graphql.CollectFields(op, f.Selections, []string{f.Definition.Type.Name()}) {
		if below.Name == path[0] {
			plan = plan.And(planUnder(ctx, op, typeName, below, path[1:]))
		}
	}
	return plan
}

// aheadOfMixed sorts records by type and looks ahead for each.
func aheadOfMixed[N any](ctx context.Context, nodes []N, set ast.SelectionSet) {
	op := graphql.GetOperationContext(ctx)
	byType := map[string]reflect.Value{}
	for _, n := range nodes {
		v := reflect.ValueOf(n)
		if !v.IsValid() {
			continue
		}
		name := v.Type().Elem().Name()
		rows, ok := byType[name]
		if !ok {
			rows = reflect.MakeSlice(reflect.SliceOf(v.Type()), 0, len(nodes))
		}
		byType[name] = reflect.Append(rows, v)
	}
	for name, rows := range byType {
		prefetch(ctx, name, rows.Interface(), planOf(ctx, op, name, set))
	}
}

func prefetch(ctx context.Context, typeName string, rows any, plan crm.Plan) {
	if len(plan) > 0 {
		crm.Prefetch(ctx, typeName, rows, plan)
	}
}

// typeName is the schema's name of a row's type: one struct per noun carries it.
func typeName[T any]() string { return reflect.TypeFor[T]().Name() }

// planOf reads from a selection which edges of the type will be followed.
func planOf(ctx context.Context, op *graphql.OperationContext, typeName string, set ast.SelectionSet) crm.Plan {
	var plan crm.Plan
	for _, f := range graphql.CollectFields(op, set, []string{typeName, "Node", "SearchResult"}) {
		target, ok := crm.EdgeTarget(typeName, f.Name)
		if !ok {
			continue
		}
		step := crm.Step{Field: f.Name}
		switch kind := f.Definition.Type; {
		case kind.Elem != nil:
			step.Page = crm.WholeList()
			step.Next = planOf(ctx, op, target, f.Selections)
		case strings.HasSuffix(kind.NamedType, "Connection"):
			if step.Page, step.Where, ok = PageOf(ctx, op, typeName, f.Field); !ok {
				continue
			}
			step.Next, step.Count = planOfConnection(ctx, op, target, target, f.Selections)
		default:
			step.Next = planOf(ctx, op, target, f.Selections)
		}
		plan = plan.With(step)
	}
	return plan
}

// planOfConnection reads a selection on a page: what follows from its nodes, and whether
// the total is asked for. name is what the connection's type is called after.
func planOfConnection(ctx context.Context, op *graphql.OperationContext, name, target string, set ast.SelectionSet) (plan crm.Plan, count bool) {
	for _, f := range graphql.CollectFields(op, set, []string{name + "Connection"}) {
		switch f.Name {
		case "nodes":
			plan = plan.And(planOf(ctx, op, target, f.Selections))
		case "edges":
			for _, e := range graphql.CollectFields(op, f.Selections, []string{name + "Edge"}) {
				if e.Name == "node" {
					plan = plan.And(planOf(ctx, op, target, e.Selections))
				}
			}
		case "totalCount":
			count = true
		}
	}
	return plan, count
}

// PageOf reads the paging arguments of a nested field of a type and its filter, false when they are
// wrong: the field's own resolver says how.
func PageOf(ctx context.Context, op *graphql.OperationContext, typeName string, f *ast.Field) (page crm.Page, where any, ok bool) {
	if len(f.Arguments) == 0 {
		page, err := crm.NewPage(nil, nil, nil, nil, nil)
		return page, nil, err == nil
	}
	args := f.ArgumentMap(op.Variables)
	if args["where"] != nil {
		where = crm.EdgeWhere(typeName, f.Name)
		if where == nil || graphql.UnmarshalInputFromContext(ctx, args["where"], where) != nil {
			return crm.Page{}, nil, false
		}
	}
	first, ok1 := optional(args["first"], scalar.UnmarshalInt)
	last, ok2 := optional(args["last"], scalar.UnmarshalInt)
	after, ok3 := optional(args["after"], graphql.UnmarshalString)
	before, ok4 := optional(args["before"], graphql.UnmarshalString)
	page, err := crm.NewPage(first, last, after, before, nil)
	return page, where, ok1 && ok2 && ok3 && ok4 && err == nil
}

func optional[T any](v any, read func(any) (T, error)) (*T, bool) {
	if v == nil {
		return nil, true
	}
	value, err := read(v)
	return &value, err == nil
}
