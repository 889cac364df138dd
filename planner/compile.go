package planner

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"crmgraph/crm"
)

// kind is what a root field answers with.
type kind int

const (
	oneRecord kind = iota
	pageOfRecords
	oneNode    // a record of any type
	manyNodes  // records of any type
	searchHits // records of any type with something about them
)

// plan is how one root field of a document is answered. It is shared between requests.
type plan struct {
	planner *Planner
	kind    kind
	record  *record // what is read of the one type; nil when records of any type are asked for
	page    writer[*crm.List]
	counts  bool // whether it is asked how long the list is
	hit     []member[hit]
	size    atomic.Int64 // of the last answer, in bytes: the next one may be as long

	selected ast.SelectionSet // of records of any type
	mu       sync.Mutex
	byType   map[string]recordOrWhy // of those, guarded by mu; made when one of the type is first asked for
}

// recordOrWhy is what is read of the records of a type, or why they are left to the resolver.
type recordOrWhy struct {
	record *record
	why    Outcome
}

// record is what is read and written of the records of a type.
type record struct {
	selection *crm.Selection
	members   []member[*crm.Item]
	pages     []listPage // of the selection's lists, by number
	fixed     []crm.EdgePage
}

// unsupported is a reason not to plan, the only error of compiling.
type unsupported struct{ Outcome }

// Error tells the reason.
func (u unsupported) Error() string { return u.Detail }

func unsupportedf(format string, args ...any) error {
	return unsupported{Outcome{Reason: Unsupported, Detail: fmt.Sprintf(format, args...)}}
}

func tooLargef(format string, args ...any) error {
	return unsupported{Outcome{Reason: TooLarge, Detail: fmt.Sprintf(format, args...)}}
}

// compiler makes the plan of one root field.
type compiler struct {
	ctx    context.Context //nolint:containedctx // of one call
	schema *ast.Schema
	op     *graphql.OperationContext
	pages  []listPage
	edges  int
	count  int // of members
}

// compile makes the plan of a root field for the operation's values of the conditions.
func (p *Planner) compile(ctx context.Context, op *graphql.OperationContext, root graphql.CollectedField) planned {
	c := &compiler{ctx: ctx, schema: p.schema, op: op}
	made, err := c.root(root)
	if why, ok := errors.AsType[unsupported](err); ok {
		return planned{why: why.Outcome}
	}
	made.planner = p
	p.keep(made, int64(c.count)+1)
	return planned{plan: made}
}

func (c *compiler) root(root graphql.CollectedField) (*plan, error) {
	t := root.Definition.Type
	name := t.Name()
	target, isPage := strings.CutSuffix(name, "Connection")
	switch {
	case name == "SearchHit":
		return c.search(root)
	case c.schema.Types[name].IsAbstractType():
		made := &plan{kind: oneNode, selected: root.Selections, byType: map[string]recordOrWhy{}}
		if t.Elem != nil {
			made.kind = manyNodes
		}
		return made, nil
	case t.Elem == nil && root.Arguments.ForName("by") != nil:
		only, err := c.rows(name, func(sel *crm.Selection) ([]member[*crm.Item], error) { return c.record(sel, root.Selections) })
		return &plan{kind: oneRecord, record: only}, err
	case isPage && c.hasArgument(root, "orderBy") && c.hasArgument(root, "after"):
		made := &plan{kind: pageOfRecords}
		var err error
		made.record, err = c.rows(target, func(sel *crm.Selection) (_ []member[*crm.Item], err error) {
			made.page, err = c.connection(target, sel, root.Selections, needs{
				rows: func() {}, cursors: sel.AddSortColumns, count: func() { made.counts = true },
			})
			return nil, err
		})
		return made, err
	default:
		return nil, unsupportedf("%s is more than records", root.Name)
	}
}

func (*compiler) hasArgument(f graphql.CollectedField, name string) bool {
	return f.Definition.Arguments.ForName(name) != nil
}

// rows compiles what is read of the rows of a type.
func (c *compiler) rows(typeName string, members func(*crm.Selection) ([]member[*crm.Item], error)) (*record, error) {
	sel, ok := crm.Select(typeName)
	if !ok {
		return nil, unsupportedf("%s is no record", typeName)
	}
	list, err := members(sel)
	if err != nil {
		return nil, err
	}
	return c.seal(sel, list), nil
}

// recordOf returns what is read of the records of one of any types.
func (p *plan) recordOf(ctx context.Context, op *graphql.OperationContext, typeName string) recordOrWhy {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.byType[typeName]; ok {
		return known
	}
	c := &compiler{ctx: ctx, schema: p.planner.schema, op: op}
	var made recordOrWhy
	rows, err := c.rows(typeName, func(sel *crm.Selection) ([]member[*crm.Item], error) {
		sel.AddID() // says which of the records it is
		return c.record(sel, p.selected)
	})
	if why, ok := errors.AsType[unsupported](err); ok {
		made.why = why.Outcome
	} else {
		made.record = rows
	}
	p.byType[typeName] = made
	p.planner.keep(p, int64(c.count)+1)
	return made
}

func (c *compiler) search(root graphql.CollectedField) (*plan, error) {
	made := &plan{kind: searchHits, byType: map[string]recordOrWhy{}}
	asked := false
	fields, err := c.fields(root.Selections, "SearchHit")
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		m := member[hit]{key: key(f)}
		switch {
		case f.Name == "__typename":
			m.write = constant[hit](strconv.Quote("SearchHit"))
		case f.Name == "node" && asked:
			return nil, unsupportedf("SearchHit.node is asked for under two names")
		case f.Name == "node":
			asked, made.selected = true, f.Selections
			m.write = func(r *run, h hit) error {
				r.buf = append(r.buf, h.record...)
				return nil
			}
		default:
			write, err := c.member(reflect.TypeFor[crm.SearchHit](), f)
			if err != nil {
				return nil, err
			}
			m.write = func(r *run, h hit) error { return write(r, h.of) }
		}
		made.hit = append(made.hit, m)
	}
	return made, nil
}

// seal ends what is read of a type.
func (c *compiler) seal(sel *crm.Selection, members []member[*crm.Item]) *record {
	lists := sel.Seal()
	r := &record{selection: sel, members: members, pages: make([]listPage, len(lists))}
	constant := true
	for _, page := range c.pages {
		r.pages[page.edge.Number()] = page
		constant = constant && page.isConstant()
	}
	if constant {
		r.fixed, _ = r.evaluate(c.ctx, c.op)
	}
	return r
}

// fields are the fields of a selection on a type, those of the same response key made one.
func (c *compiler) fields(set ast.SelectionSet, typeName string) ([]graphql.CollectedField, error) {
	satisfies := []string{typeName}
	for _, abstract := range c.schema.Implements[typeName] {
		satisfies = append(satisfies, abstract.Name)
	}
	fields := graphql.CollectFields(c.op, set, satisfies)
	if c.count += len(fields); c.count > maxMembers {
		return nil, tooLargef("more than %d members are written", maxMembers)
	}
	return fields, nil
}

func key(f graphql.CollectedField) string { return strconv.Quote(f.Alias) + ":" }

// record compiles a selection on a record and adds what it reads to sel.
func (c *compiler) record(sel *crm.Selection, set ast.SelectionSet) ([]member[*crm.Item], error) {
	typeName := sel.TypeName()
	var members []member[*crm.Item]
	fields, err := c.fields(set, typeName)
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		write, err := c.field(sel, typeName, f)
		if err != nil {
			return nil, err
		}
		members = append(members, member[*crm.Item]{key: key(f), write: write})
	}
	return members, nil
}

func (c *compiler) field(sel *crm.Selection, typeName string, f graphql.CollectedField) (writer[*crm.Item], error) {
	edge := crm.EdgeKindOf(typeName, f.Name)
	if edge != crm.NoEdge {
		if c.edges++; c.edges > maxEdges {
			return nil, tooLargef("more than %d edges are followed", maxEdges)
		}
	}
	switch {
	case f.Name == "__typename":
		return constant[*crm.Item](strconv.Quote(typeName)), nil
	case f.Name == "id":
		sel.AddID()
		prefix := sel.IDPrefix()
		return func(r *run, it *crm.Item) error {
			r.buf = appendID(r.buf, prefix, it.ID())
			return nil
		}, nil
	case edge == crm.ToOne:
		return c.toOne(sel.Follow(f.Name), f)
	case edge == crm.ToMany && f.Definition.Type.Elem != nil:
		return c.whole(typeName, sel.Follow(f.Name), f)
	case edge == crm.ToMany:
		return c.paged(typeName, sel.Follow(f.Name), f)
	case edge == crm.Derived:
		return c.derived(sel.Follow(f.Name), f)
	case edge == crm.Opaque || resolved[typeName+"."+strings.ToLower(f.Name)] || len(f.Definition.Arguments) > 0:
		return nil, unsupportedf("%s.%s is resolved in Go", typeName, f.Name)
	default:
		return c.value(sel, typeName, f)
	}
}

func (c *compiler) toOne(edge *crm.SelectedEdge, f graphql.CollectedField) (writer[*crm.Item], error) {
	members, err := c.record(edge.Next, f.Selections)
	if err != nil {
		return nil, err
	}
	required := f.Definition.Type.NonNull
	return func(r *run, it *crm.Item) error {
		next, err := it.One(edge)
		if err != nil {
			return err
		}
		if next == nil {
			return r.null(required)
		}
		return writeObject(r, members, next)
	}, nil
}

// whole compiles a list that is read as a whole.
func (c *compiler) whole(typeName string, edge *crm.SelectedEdge, f graphql.CollectedField) (writer[*crm.Item], error) {
	members, err := c.record(edge.Next, f.Selections)
	if err != nil {
		return nil, err
	}
	edge.AddRows()
	c.pages = append(c.pages, listPage{edge: edge, on: typeName})
	return func(r *run, it *crm.Item) error {
		list, err := it.Many(edge)
		if err != nil {
			return err
		}
		return r.array(list, func(row *crm.Item) error { return writeObject(r, members, row) })
	}, nil
}

func (c *compiler) paged(typeName string, edge *crm.SelectedEdge, f graphql.CollectedField) (writer[*crm.Item], error) {
	write, err := c.connection(edge.Next.TypeName(), edge.Next, f.Selections, needs{rows: edge.AddRows, cursors: edge.AddCursors, count: edge.AddCount})
	if err != nil {
		return nil, err
	}
	c.pages = append(c.pages, listPage{edge: edge, on: typeName, field: f.Field})
	return func(r *run, it *crm.Item) error {
		list, err := it.Many(edge)
		if err != nil {
			return err
		}
		return write(r, list)
	}, nil
}

func (c *compiler) derived(edge *crm.SelectedEdge, f graphql.CollectedField) (writer[*crm.Item], error) {
	write, err := c.leaf(f.Definition.Type, edge.DerivedType())
	if err != nil {
		return nil, err
	}
	return func(r *run, it *crm.Item) error {
		value, err := it.Derive(edge)
		if err != nil {
			return err
		}
		return write(r, reflect.ValueOf(value))
	}, nil
}

// value compiles a field that the row has, as a column or by a method.
func (c *compiler) value(sel *crm.Selection, typeName string, f graphql.CollectedField) (writer[*crm.Item], error) {
	b, ok := bind(sel.RowType(), f.Name)
	var method func(row any) any
	switch {
	case ok && b.isMethod():
		method = sel.AddMethod(f.Name)
	case !ok || !sel.AddColumn(b.name):
		return nil, unsupportedf("%s.%s is no column and no method", typeName, f.Name)
	}
	write, err := c.typed(f.Definition.Type, b.result, f.Selections)
	if err != nil {
		return nil, err
	}
	if method != nil {
		return func(r *run, it *crm.Item) error { return write(r, reflect.ValueOf(method(it.Pointer()))) }, nil
	}
	return func(r *run, it *crm.Item) error {
		v, err := b.get(r.ctx, it.Row())
		if err != nil {
			return err
		}
		return write(r, v)
	}, nil
}
