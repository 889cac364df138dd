package crm

import (
	"context"
	"reflect"
)

// Plan names the edges that a caller is about to follow from the rows of one type.
type Plan []Step

// Step is one edge of a plan.
type Step struct {
	Field string // of the parent's type
	Page  Page   // of a paged edge; a closed list takes [WholeList]
	Where any    // of a paged edge that can be filtered, see [EdgeWhere]; nil for none
	Count bool   // whether the total is asked for as well
	Next  Plan   // from the rows that the edge leads to
}

// With returns the plan with one more step. Steps along the same edge to the same page of the
// same list are one: it leads to whatever any of them leads to.
func (p Plan) With(step Step) Plan {
	for i, s := range p {
		if s.Field == step.Field && s.Page == step.Page && reflect.DeepEqual(s.Where, step.Where) {
			p[i].Count = s.Count || step.Count
			p[i].Next = s.Next.And(step.Next)
			return p
		}
	}
	return append(p, step)
}

// And returns the plan with all the steps of another.
func (p Plan) And(other Plan) Plan {
	for _, step := range other {
		p = p.With(step)
	}
	return p
}

// WholeList is the page of a list that is short enough to be read at once.
func WholeList() Page { return Page{size: MaxPageSize} }

// EdgeTarget returns the type that a field leads to, and false when the field is no edge.
func EdgeTarget(typeName, field string) (string, bool) {
	e, ok := catalogue.edges[typeName][field]
	if !ok {
		return "", false
	}
	return e.target(), true
}

// EdgeWhere returns a new filter of the kind that the edge behind a field takes, a pointer to a
// struct; nil when it takes none.
func EdgeWhere(typeName, field string) any {
	e, ok := catalogue.edges[typeName][field]
	if !ok || e.filter() == nil {
		return nil
	}
	return reflect.New(e.filter()).Interface()
}

// Prefetch loads everything the plan names from rows, a slice of pointers to the type, and
// leaves it in the request's loaders: one round trip per level, one statement per edge. It
// is an optimisation only. Whatever it could not load, or the caller may not see, is left
// to the edges themselves, which load it or say why not.
func Prefetch(ctx context.Context, typeName string, rows any, plan Plan) {
	s, err := begin(ctx)
	if err != nil {
		return
	}
	type work struct {
		typeName string
		rows     any
		plan     Plan
	}
	for level := []work{{typeName, rows, plan}}; len(level) > 0; {
		var batch []statement
		var follow []func() work
		for _, w := range level {
			for _, step := range w.plan {
				e, ok := catalogue.edges[w.typeName][step.Field]
				if !ok {
					continue
				}
				if _, err := authorize(ctx, e.permissions()...); err != nil {
					continue
				}
				statements, children, err := e.announce(s, w.rows, step)
				if err != nil {
					continue
				}
				batch = append(batch, statements...)
				follow = append(follow, func() work { return work{e.target(), children(), step.Next} })
			}
		}
		if s.send(s.ctx, batch...) != nil { //nolint:contextcheck // the request's, see session
			return
		}
		level = level[:0]
		for _, f := range follow {
			level = append(level, f())
		}
	}
}
