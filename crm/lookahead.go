package crm

import (
	"context"
	"reflect"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"crmgraph/db"
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
// on records whose ids are known does not wait for the records. It is an optimisation only: what the
// caller may not see, or asks for in a wrong way, is left to the edges themselves, and what cannot be
// loaded is an error of those edges alone.
func Prefetch(ctx context.Context, typeName string, rows any, plan Plan) {
	s, err := begin(ctx)
	if err != nil {
		return
	}
	var first level
	first.add(ctx, s, work{typeName, rows, plan})
	first.load(ctx, s)
}

// planned is what will be followed from the record of one type.
type planned struct {
	typeName string
	plan     func() Plan
}

type plannedKey struct{}

// WithPlan returns a context in which the operation that looks up one record of a type also loads what
// the plan names from it, as [Prefetch] does: together with the record when its id is known. plan is
// called at most once, and not when a [Reader] takes the row.
func WithPlan(ctx context.Context, typeName string, plan func() Plan) context.Context {
	return context.WithValue(ctx, plannedKey{}, planned{typeName, plan})
}

// planFor returns the context's plan for the record of a type; ok is false when there is none.
func planFor(ctx context.Context, typeName string) (plan func() Plan, ok bool) {
	p, ok := ctx.Value(plannedKey{}).(planned)
	return p.plan, ok && p.typeName == typeName
}

// loadAhead returns the row with an id, nil when there is none, loaded together with what the plan names.
func (t *Record[T]) loadAhead(ctx context.Context, s *session, id uuid.UUID, plan Plan) (*T, error) {
	now, later := plan.split(t.name)
	rows, ids := t.loader(s, t, t.byIDs), []uuid.UUID{id}
	var first level
	loaded := t.announce(s, &first, rows, t.byIDs, ids)
	first.then(func() work { return work{t.name, loaded(), later} })
	first.add(ctx, s, work{t.name, t.withIDs(ids), now})
	first.load(ctx, s)
	return rows.Load(ctx, id)()
}

// work is what is to be loaded from rows of one type.
type work struct {
	typeName string
	rows     any
	plan     Plan
}

// level is what travels in one round trip, and how to go on when it is loaded: each of follow returns what
// is below. They run in the order in which they were announced, for one that finds its keys announced
// already relies on those before it.
type level struct {
	statements []*sending
	follow     []func() work
}

// sending is a statement on its way.
type sending struct {
	statement

	done bool  // whether all of its answer was read
	err  error // why not
}

// send adds a statement to the level.
func (l *level) send(st statement) *sending {
	sent := &sending{statement: st}
	sent.read = func(rows pgx.Rows) error {
		err := st.read(rows)
		sent.done = err == nil
		return err
	}
	l.statements = append(l.statements, sent)
	return sent
}

func (l *level) then(follow func() work) { l.follow = append(l.follow, follow) }

// load loads the level, then those below it.
func (l *level) load(ctx context.Context, s *session) {
	for len(l.follow) > 0 {
		l.ask(s)
		var below []work
		for _, follow := range l.follow {
			below = append(below, follow())
		}
		l = &level{}
		for _, w := range below {
			l.add(ctx, s, w)
		}
	}
}

// ask asks for everything in one round trip. When that fails, each statement that has no answer yet is
// asked alone, so that what is wrong with one is said of no other; unless there is no connection to be
// had, which one wait tells all of them.
func (l *level) ask(s *session) {
	statements := make([]statement, len(l.statements))
	for i, sent := range l.statements {
		statements[i] = sent.statement
	}
	err := s.send(s.ctx, statements...)
	if err == nil {
		return
	}
	for _, sent := range l.statements {
		switch {
		case sent.done:
		case db.NoConnection(err):
			sent.err = err
		default:
			sent.err = s.query(s.ctx, sent.statement)
		}
	}
}

// add announces the edges that lead from rows.
func (l *level) add(ctx context.Context, s *session, w work) {
	for _, step := range w.plan {
		e, ok := catalogue.edges[w.typeName][step.Field]
		if !ok {
			continue
		}
		if _, err := authorize(ctx, e.permissions()...); err != nil {
			continue
		}
		children, err := e.announce(s, l, w.rows, step)
		if err != nil {
			continue
		}
		var now Plan
		later := step.Next
		if e.leadsByID() {
			now, later = step.Next.split(e.target())
		}
		l.then(func() work { return work{e.target(), children(), later} })
		if len(now) > 0 {
			l.add(ctx, s, work{e.target(), e.withIDs(w.rows), now})
		}
	}
}

// split parts a plan into what needs no more of a row than its id, and the rest.
func (p Plan) split(typeName string) (now, later Plan) {
	for _, step := range p {
		if e, ok := catalogue.edges[typeName][step.Field]; ok && e.needsOnlyID() {
			now = append(now, step)
		} else {
			later = append(later, step)
		}
	}
	return now, later
}
