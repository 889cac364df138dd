package crm

import (
	"context"
	"reflect"

	"github.com/google/uuid"
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
// leaves it in the request's loaders: one round trip per level, one statement per edge. What hangs
// on records whose ids are known does not wait for the records. It is an optimisation only.
// Whatever it could not load, or the caller may not see, is left to the edges themselves, which load
// it or say why not.
func Prefetch(ctx context.Context, typeName string, rows any, plan Plan) {
	s, err := begin(ctx)
	if err != nil {
		return
	}
	var first announced
	first.add(ctx, s, work{typeName, rows, plan})
	_ = first.load(ctx, s) // the edges say it
}

// Ahead is what will be followed from the record that an operation is about to look up.
type Ahead struct {
	TypeName string
	Plan     func() Plan
	Done     bool // set when it was loaded together with the record
}

type aheadKey struct{}

// WithAhead returns a context in which an operation that looks one record up may load what will be
// followed from it as well: it does when it knows the record's id.
func WithAhead(ctx context.Context, a *Ahead) context.Context {
	return context.WithValue(ctx, aheadKey{}, a)
}

// aheadOf returns the context's plan for the record of a type.
func aheadOf(ctx context.Context, typeName string) (*Ahead, bool) {
	a, ok := ctx.Value(aheadKey{}).(*Ahead)
	return a, ok && a.TypeName == typeName
}

// withAhead finds the row with an id and what the context's plan names, as [Prefetch] does; nil when
// there is no row.
func (t *Record[T]) withAhead(ctx context.Context, s *session, id uuid.UUID, a *Ahead) (*T, error) {
	st, found := t.rowsOf(s, t.byIDs, []uuid.UUID{id})
	known, rest := a.Plan().byID(t.name)
	first := announced{statements: []statement{st}, follow: []func(error) work{func(err error) work {
		row := found[id]
		if err != nil || row == nil {
			return work{}
		}
		t.remember(s, id, row)
		return work{t.name, []*T{row}, rest}
	}}}
	first.add(ctx, s, work{t.name, []*T{t.known(id)}, known})
	err := first.load(ctx, s)
	a.Done = err == nil
	if found[id] != nil {
		return found[id], nil // what failed is below it
	}
	return nil, err
}

// work is what is to be loaded from rows of one type.
type work struct {
	typeName string
	rows     any
	plan     Plan
}

// announced is what one level loads, and how to go on, in the order in which it was announced: who
// finds that something is announced already goes on after those who did. Each is told whether the
// level was loaded.
type announced struct {
	statements []statement
	follow     []func(error) work
}

// load loads the level and, one after the other, those below it.
func (a *announced) load(ctx context.Context, s *session) error {
	for len(a.follow) > 0 {
		err := s.send(s.ctx, a.statements...) //nolint:contextcheck // the request's, see session
		if err != nil && CodeOf(err) != Unavailable {
			return err // one of them is wrong: alone the others may do
		}
		var level []work
		for _, f := range a.follow {
			level = append(level, f(err))
		}
		if err != nil {
			return err
		}
		a = &announced{}
		for _, w := range level {
			a.add(ctx, s, w)
		}
	}
	return nil
}

// add announces the edges that lead from rows.
func (a *announced) add(ctx context.Context, s *session, w work) {
	for _, step := range w.plan {
		e, ok := catalogue.edges[w.typeName][step.Field]
		if !ok {
			continue
		}
		if _, err := authorize(ctx, e.permissions()...); err != nil {
			continue
		}
		statements, children, err := e.announce(s, a, w.rows, step)
		if err != nil {
			continue
		}
		var known any
		ids, rest := step.Next.byID(e.target())
		if len(ids) > 0 {
			known = e.known(w.rows)
		}
		if known == nil {
			ids, rest = nil, step.Next
		}
		a.statements = append(a.statements, statements...)
		a.follow = append(a.follow, func(err error) work { return work{e.target(), children(err), rest} })
		if len(ids) > 0 {
			a.add(ctx, s, work{e.target(), known, ids})
		}
	}
}

// byID parts a plan into the steps along edges that need nothing but a row's id, and the rest.
func (p Plan) byID(typeName string) (ids, rest Plan) {
	for _, step := range p {
		if e, ok := catalogue.edges[typeName][step.Field]; ok && e.needsOnlyID() {
			ids = append(ids, step)
		} else {
			rest = append(rest, step)
		}
	}
	return ids, rest
}
