package limits

import (
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Rows a field is taken to read when the document does not say.
const (
	// DefaultPage is the page of a connection without first and last.
	DefaultPage = 25
	// ListRows is the length of a plain list of objects.
	ListRows = 10
	// totalRows is what counting a whole connection amounts to: one point.
	totalRows = RowsPerPoint
)

// Plan is a validated document reduced to the fields that read rows. It is
// immutable and safe for concurrent use; it refers to the document it was made
// from, which must not change either.
//
// What a row is:
//   - a field whose type is Node, implements it, or has members that do, reads one
//     row for each row of its parent;
//   - a connection reads its page: first or last, else the argument's default, else
//     [DefaultPage]. What is selected below edges and nodes is read for each row of
//     that page, and selecting both counts the page once;
//   - a list of objects reads as many rows as its argument ids lists, else [ListRows];
//   - totalCount of a connection is one point for each row of the parent;
//   - scalars, embedded objects and introspection are free.
//
// A point is [RowsPerPoint] rows, rounded up, and every operation costs at least
// one. The price is an upper bound: fields under @skip and @include count as
// selected, fields that will be merged count each time, and so does every branch of
// a union.
type Plan struct {
	limits     Limits
	operations map[*ast.OperationDefinition]*priced
	fragments  [][]term // by the index that terms of kind spreadTerm carry
}

// priced is one operation of a Plan.
type priced struct {
	terms       []term
	introspects bool
	fixed       bool  // no term depends on variables
	price       Price // when fixed
	errs        gqlerror.List
}

// Introspects reports whether op, one of the document's operations, selects
// __schema or __type.
func (p *Plan) Introspects(op *ast.OperationDefinition) bool {
	return p.operations[op].introspects
}

// term is a field that reads rows, or the spread of a fragment with such fields.
type term struct {
	kind     termKind
	rows     amount
	children []term
	fragment int    // of a spreadTerm
	path     *place // of a field with page arguments
}

type termKind uint8

const (
	recordTerm     termKind = iota // one row, and its children
	listTerm                       // rows rows, and its children for each
	connectionTerm                 // rows rows, and its children, of which some are page terms
	pageTerm                       // children to be read for each row of the enclosing connection
	totalTerm                      // the count of a connection
	spreadTerm                     // the terms of a fragment
)

// place is where a field was first met, as the chain of response names to it.
type place struct {
	parent *place
	name   string
}

func (p *place) path() ast.Path {
	if p == nil {
		return nil
	}
	return append(p.parent.path(), ast.PathName(p.name))
}

// Plan compiles a document that [Checker.Document] and validation have passed.
// The work is linear: each definition is compiled once.
func (c *Checker) Plan(doc *ast.QueryDocument) *Plan {
	b := &planner{
		checker: c,
		plan:    &Plan{limits: c.limits, operations: make(map[*ast.OperationDefinition]*priced, len(doc.Operations))},
		index:   map[*ast.FragmentDefinition]int{},
		asks:    map[*ast.FragmentDefinition]bool{},
	}
	for _, op := range doc.Operations {
		b.introspects = false
		terms := b.compile(op.SelectionSet, nil)
		b.plan.operations[op] = &priced{terms: terms, introspects: b.introspects}
	}
	b.plan.settle(b.variable)
	return b.plan
}

// settle prices the operations whose price no variable can change.
func (p *Plan) settle(variable bool) {
	if variable {
		return
	}
	for _, op := range p.operations {
		op.price, op.errs = p.evaluate(op, nil)
		op.fixed = true
	}
}

// planner compiles one document.
type planner struct {
	checker     *Checker
	plan        *Plan
	index       map[*ast.FragmentDefinition]int
	asks        map[*ast.FragmentDefinition]bool // the fragments that select introspection
	introspects bool                             // so does the definition being compiled
	variable    bool                             // a variable decides how many rows some field reads
}

func (b *planner) compile(set ast.SelectionSet, at *place) []term {
	var terms []term
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			terms = append(terms, b.field(s, &place{at, s.Alias})...)
		case *ast.InlineFragment:
			terms = append(terms, b.compile(s.SelectionSet, at)...)
		case *ast.FragmentSpread:
			terms = append(terms, b.spread(s.Definition, at)...)
		}
	}
	return terms
}

// spread compiles a fragment where it is first spread.
func (b *planner) spread(f *ast.FragmentDefinition, at *place) []term {
	i, known := b.index[f]
	if !known {
		i = len(b.plan.fragments)
		b.index[f] = i
		b.plan.fragments = append(b.plan.fragments, nil)
		outer := b.introspects
		b.introspects = false
		b.plan.fragments[i] = b.compile(f.SelectionSet, at)
		b.asks[f] = b.introspects
		b.introspects = outer
	}
	b.introspects = b.introspects || b.asks[f]
	if len(b.plan.fragments[i]) == 0 {
		return nil
	}
	return []term{{kind: spreadTerm, fragment: i}}
}

// field compiles a field to at most one term of its own, or to the terms below it
// when reading the field itself is free.
func (b *planner) field(f *ast.Field, at *place) []term {
	if f.Name == "__schema" || f.Name == "__type" {
		b.introspects = true
		return nil
	}
	shape := b.checker.shape
	within := f.ObjectDefinition.Name
	named := f.Definition.Type.Name()
	switch {
	case shape.connections[within] && f.Name == "totalCount":
		return []term{{kind: totalTerm}}
	case !isComposite(b.checker.schema, named):
		return nil
	case shape.connections[within] && (f.Name == "edges" || f.Name == "nodes"):
		return below(pageTerm, b.compile(f.SelectionSet, at))
	case shape.connections[named]:
		return []term{{kind: connectionTerm, rows: b.page(f), children: b.compile(f.SelectionSet, at), path: at}}
	case f.Definition.Type.Elem != nil:
		return []term{{kind: listTerm, rows: b.list(f), children: b.compile(f.SelectionSet, at)}}
	case shape.edges[within] && f.Name == "node":
		return b.compile(f.SelectionSet, at) // counted by the connection
	case shape.records[named]:
		return []term{{kind: recordTerm, children: b.compile(f.SelectionSet, at)}}
	default:
		return b.compile(f.SelectionSet, at)
	}
}

func below(kind termKind, children []term) []term {
	if len(children) == 0 {
		return nil
	}
	return []term{{kind: kind, children: children}}
}

// amount is how many rows a field reads for each row of its parent.
type amount struct {
	otherwise   int        // when no argument tells
	first, last *ast.Value // of a connection; nil when absent
	ids         *ast.Value // of a list
}

func (b *planner) page(f *ast.Field) amount {
	a := amount{otherwise: DefaultPage, first: b.argument(f, "first"), last: b.argument(f, "last")}
	if def := f.Definition.Arguments.ForName("first"); def != nil && def.DefaultValue != nil {
		if n, err := strconv.Atoi(def.DefaultValue.Raw); err == nil {
			a.otherwise = n
		}
	}
	return a
}

func (b *planner) list(f *ast.Field) amount {
	return amount{otherwise: ListRows, ids: b.argument(f, "ids")}
}

func (b *planner) argument(f *ast.Field, name string) *ast.Value {
	arg := f.Arguments.ForName(name)
	if arg == nil {
		return nil
	}
	b.variable = b.variable || arg.Value.Kind == ast.Variable
	return arg.Value
}
