// Package planner answers root fields of queries with one statement, or a few, where that is possible.
//
// A planner is an extension of gqlgen's executor. It turns what a root field selects into a
// selection of the catalogue, once for each field of a document, and asks the field's own resolver
// to hand the rows over as they come from Postgres; what it makes of them is the field's JSON.
// Arguments, permissions, conditions and errors are therefore those of the resolver. What it
// cannot plan, or what the caller may not see, the resolver answers as if there were no planner.
package planner

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"crmgraph/crm"
)

// The bounds of plans.
const (
	maxVariants = 4        // of one root field, by the variables of @skip and @include
	maxEdges    = 24       // of one statement
	maxMembers  = 1000     // that one plan writes
	maxKept     = 100_000  // members of all plans that are kept; one takes some 200 bytes
	maxExpected = 64 << 10 // bytes that room is made for before the first one is written
)

// Why a root field was left to its resolver.
const (
	FirstUse    = "FIRST_USE"   // nobody asked for it before
	Unsupported = "UNSUPPORTED" // something selected needs more than rows
	TooLarge    = "TOO_LARGE"   // too many edges, or too many variants by @skip and @include
	Refused     = "REFUSED"     // the caller may not see all of it, or an argument is wrong
)

// Outcome tells how a root field was answered.
type Outcome struct {
	Field  string // its name in the schema
	Reason string // why the resolver answered it, one of this package's words; empty when it was planned
	Detail string // more of the reason, for people
}

// Options configure [New].
type Options struct {
	// After is how often a field of a document is left to its resolver before it is planned: a
	// statement that is sent once is not worth preparing.
	After int32
	// Memory is where to keep what is made of the request's document, for as long as the document
	// itself is kept; nil when it is not. Without it plans are made for one request.
	Memory func(context.Context) *sync.Map
	// Observe is told of every root field once it is answered; nil for nobody.
	Observe func(context.Context, Outcome)
}

// Planner is the extension.
type Planner struct {
	options Options
	schema  *ast.Schema
	kept    atomic.Int64 // members of the plans that are in memory
}

var _ interface {
	graphql.HandlerExtension
	graphql.RootFieldInterceptor
} = (*Planner)(nil)

// New makes a planner for one executor.
func New(o Options) *Planner {
	if o.Observe == nil {
		o.Observe = func(context.Context, Outcome) {}
	}
	if o.Memory == nil {
		o.Memory = func(context.Context) *sync.Map { return nil }
	}
	return &Planner{options: o}
}

// ExtensionName implements graphql.HandlerExtension.
func (*Planner) ExtensionName() string { return "Planner" }

// Validate implements graphql.HandlerExtension.
func (p *Planner) Validate(schema graphql.ExecutableSchema) error {
	p.schema = schema.Schema()
	return nil
}

// InterceptRootField implements graphql.RootFieldInterceptor.
func (p *Planner) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	op := graphql.GetOperationContext(ctx)
	root := graphql.GetRootFieldContext(ctx).Field
	if op.Operation.Operation != ast.Query || strings.HasPrefix(root.Name, "__") {
		return next(ctx)
	}
	answer, outcome := p.answer(ctx, op, root, next)
	outcome.Field = root.Name
	outcome.note(ctx, root.Alias)
	p.options.Observe(ctx, outcome)
	return answer
}

func (p *Planner) answer(ctx context.Context, op *graphql.OperationContext, root graphql.CollectedField, next graphql.RootResolver) (graphql.Marshaler, Outcome) {
	plan, why := p.planOf(ctx, op, root)
	if plan == nil {
		return next(ctx), why
	}
	r := &run{ctx: ctx, op: op, plan: plan, buf: make([]byte, 0, plan.size.Load())}
	answer := next(crm.WithReader(ctx, r))
	if r.done {
		plan.size.Store(int64(min(len(r.buf), maxExpected)))
		return r, Outcome{}
	}
	if !r.asked { // it failed before, or took another way
		r.outcome.Reason = Refused
	}
	return answer, r.outcome
}

// fieldKey names a root field: all that an operation asks for under one response key.
type fieldKey struct {
	operation *ast.OperationDefinition
	key       string
}

// field is what is known of one root field of a document.
type field struct {
	uses       atomic.Int32
	conditions []string // the variables that decide what is selected

	mu    sync.Mutex
	plans map[uint64]planned // by the values of the conditions
}

// planned is a plan, or why there is none.
type planned struct {
	plan *plan
	why  Outcome
}

// planOf returns the plan of a root field, nil with the reason when there is none. Whatever is odd
// enough to make the executor's own code panic is left to the executor, which expects it.
func (p *Planner) planOf(ctx context.Context, op *graphql.OperationContext, root graphql.CollectedField) (made *plan, why Outcome) {
	defer func() {
		if cause := recover(); cause != nil {
			made, why = nil, Outcome{Reason: Unsupported, Detail: fmt.Sprint(cause)}
		}
	}()
	memory := p.options.Memory(ctx)
	if memory == nil {
		if p.options.After > 0 {
			return nil, Outcome{Reason: FirstUse}
		}
		alone := p.compile(ctx, op, root)
		return alone.plan, alone.why
	}
	key := fieldKey{op.Operation, root.Alias}
	known, ok := memory.Load(key)
	if !ok {
		known, _ = memory.LoadOrStore(key, &field{conditions: conditions(op.Operation.SelectionSet, root.Alias), plans: map[uint64]planned{}})
	}
	f := known.(*field)
	if f.uses.Load() < p.options.After {
		f.uses.Add(1)
		return nil, Outcome{Reason: FirstUse}
	}
	return p.variantOf(ctx, f, op, root)
}

// variantOf returns the plan for the values that the conditions have now.
func (p *Planner) variantOf(ctx context.Context, f *field, op *graphql.OperationContext, root graphql.CollectedField) (*plan, Outcome) {
	variant, ok := f.variant(op.Variables)
	f.mu.Lock()
	defer f.mu.Unlock()
	made, known := f.plans[variant]
	switch {
	case known:
	case !ok || len(f.plans) == maxVariants:
		return nil, Outcome{Reason: TooLarge, Detail: "@skip and @include make too many variants"}
	case p.kept.Load() > maxKept:
		return nil, Outcome{Reason: TooLarge, Detail: "there are too many plans at the moment"}
	default:
		made = p.compile(ctx, op, root)
		f.plans[variant] = made
	}
	return made.plan, made.why
}

// keep counts what a plan takes until it is forgotten with its document.
func (p *Planner) keep(made *plan, members int64) {
	p.kept.Add(members)
	runtime.AddCleanup(made, func(n int64) { p.kept.Add(-n) }, members)
}

// variant packs the values of the conditions, false when there are too many.
func (f *field) variant(variables map[string]any) (bits uint64, ok bool) {
	for i, name := range f.conditions {
		if on, _ := variables[name].(bool); on {
			bits |= 1 << i
		}
	}
	return bits, len(f.conditions) <= 64
}

// conditions returns the variables of @skip and @include that decide what an operation selects under
// a response key, each once.
func conditions(root ast.SelectionSet, key string) []string {
	w := walker{seen: map[string]bool{}, walked: map[*ast.FragmentDefinition]bool{}}
	w.walk(root, key)
	return w.names
}

// walker collects conditions.
type walker struct {
	names  []string
	seen   map[string]bool
	walked map[*ast.FragmentDefinition]bool
}

func (w *walker) note(list ast.DirectiveList) {
	for _, d := range list {
		for _, a := range d.Arguments {
			if a.Value.Kind == ast.Variable && !w.seen[a.Value.Raw] {
				w.seen[a.Value.Raw] = true
				w.names = append(w.names, a.Value.Raw)
			}
		}
	}
}

// walk goes through fields of the key, all when it is empty, with everything below them, and through
// all fragments, which may hold more of them.
func (w *walker) walk(set ast.SelectionSet, key string) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if key == "" || s.Alias == key {
				w.note(s.Directives)
				w.walk(s.SelectionSet, "")
			}
		case *ast.InlineFragment:
			w.note(s.Directives)
			w.walk(s.SelectionSet, key)
		case *ast.FragmentSpread:
			w.note(s.Directives)
			if !w.walked[s.Definition] {
				w.walked[s.Definition] = true
				w.walk(s.Definition.SelectionSet, key)
			}
		}
	}
}
