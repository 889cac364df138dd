package crm

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"crmgraph/db"
)

// Selection says what is read of the rows of one type: some columns and, along edges, rows of
// other types. It is put together once and, from then on, read by any number of requests at a
// time with one statement each; see [Reader].
type Selection struct {
	of      nodeType
	columns []int // of the type's
	edges   []*SelectedEdge
	lists   []*SelectedEdge // all that are paged, in the order of the statement; of a root only
	need    []Permission    // of everything in it; of a root only
	timed   bool            // whether anything in it asks for the time; of a root only
	items   sync.Pool       // of *Item; of a root only
	plain   atomic.Pointer[string]
}

// SelectedEdge is an edge that a selection follows.
type SelectedEdge struct {
	Next *Selection // what is read of the rows that it leads to

	field  string
	edge   edgeSource
	slot   int  // among the edges of its selection
	number int  // among the paged edges of the whole
	rows   bool // whether rows are read
	count  bool // whether they are counted
}

// edgeSource is what selecting needs of an edge.
type edgeSource struct {
	to        nodeType
	src       source
	keyColumn string // the parent's column that holds the key
	list      string // what cursors know it by; empty for an edge to one record
	order     order
	match     func(ctx context.Context, where any) (db.Expr, error)

	fieldAnswer
}

func (e edgeSource) isList() bool { return e.list != "" }

func (e *One[P, C]) selected() edgeSource {
	return edgeSource{to: e.to, src: e.src, keyColumn: e.keyColumn, fieldAnswer: e.fieldAnswer}
}

func (e *Paged[P, C]) selected() edgeSource {
	return edgeSource{to: e.to, src: e.src, keyColumn: e.keyColumn, list: e.name, order: e.order, match: func(ctx context.Context, where any) (db.Expr, error) {
		return e.to.where(ctx, where, "where")
	}}
}

// Select begins a selection of the rows of a type, and reports whether there is such a type.
func Select(typeName string) (*Selection, bool) {
	t, ok := typeNamed(typeName)
	return &Selection{of: t}, ok
}

// TypeName is the type whose rows are selected.
func (s *Selection) TypeName() string { return s.of.title() }

// IDPrefix is what the global ids of the item's type begin with.
func (s *Selection) IDPrefix() string { return s.of.idPrefix() }

// AddID selects the id of the rows.
func (s *Selection) AddID() { s.addNamed("id") }

// AddSortColumns selects what the cursors of a list of all records are made of, whatever its order.
func (s *Selection) AddSortColumns() {
	s.AddID()
	for _, name := range s.of.layout().sorts {
		s.addNamed(name)
	}
}

// addAll selects every column.
func (s *Selection) addAll() {
	for i := range s.of.layout().columns {
		s.addColumn(i)
	}
}

// RowType is the type of the rows.
func (s *Selection) RowType() reflect.Type { return s.of.layout().row }

// AddColumn selects the column behind a field of the rows' struct, and reports whether there is one.
func (s *Selection) AddColumn(goName string) bool {
	for i, f := range s.of.layout().columns {
		if f.GoName == goName {
			s.addColumn(i)
			return true
		}
	}
	return false
}

// AddMethod selects the columns that the method behind a field of the graph reads: all, unless the
// type says which. Then it returns the method as well, which takes a pointer to a row; else nil.
func (s *Selection) AddMethod(field string) func(row any) any {
	method, known := s.of.layout().methods[field]
	if !known {
		s.addAll()
		return nil
	}
	for _, name := range method.columns {
		s.addNamed(name)
	}
	return method.call
}

// addColumn selects a column of the type.
func (s *Selection) addColumn(i int) {
	if !slices.Contains(s.columns, i) {
		s.columns = append(s.columns, i)
	}
}

// addNamed selects a column by its name.
func (s *Selection) addNamed(column string) {
	for i, f := range s.of.layout().columns {
		if f.Name == column {
			s.addColumn(i)
		}
	}
}

// EdgeKind says what an edge leads to.
type EdgeKind int

// The kinds of edges.
const (
	NoEdge  EdgeKind = iota
	ToOne            // at most one record
	ToMany           // a list of records
	Derived          // a value made of the record and at most one other
	Opaque           // what only a resolver knows
)

// EdgeKindOf says what the edge behind a field of a type leads to.
func EdgeKindOf(typeName, field string) EdgeKind {
	e, ok := catalogue.edges[typeName][field]
	if !ok {
		return NoEdge
	}
	switch edge := e.selected(); {
	case edge.opaque:
		return Opaque
	case edge.derive != nil:
		return Derived
	case edge.isList():
		return ToMany
	default:
		return ToOne
	}
}

// Follow follows the edge behind a field, which must be one. An edge to one record is followed
// once, however often it is asked for; each use of a list has a page of its own.
func (s *Selection) Follow(field string) *SelectedEdge {
	edge := catalogue.edges[s.of.title()][field].selected()
	for _, e := range s.edges {
		if e.field == field && !edge.isList() {
			return e
		}
	}
	e := &SelectedEdge{Next: &Selection{of: edge.to}, field: field, edge: edge, slot: len(s.edges)}
	if edge.derive != nil { // it may look at anything of either
		s.addAll()
		e.Next.addAll()
	}
	s.edges = append(s.edges, e)
	return e
}

// DerivedType is the type of what a derived field is.
func (e *SelectedEdge) DerivedType() reflect.Type { return e.edge.derives }

// AddCursors selects what the cursors of the list are made of.
func (e *SelectedEdge) AddCursors() { e.Next.addOrder(e.edge.order) }

// AddRows asks for the rows of the list.
func (e *SelectedEdge) AddRows() { e.rows = true }

// AddCount asks how long the list is.
func (e *SelectedEdge) AddCount() { e.count = true }

// Number is the place of the list's page among those of a reading.
func (e *SelectedEdge) Number() int { return e.number }

// addOrder selects the columns of an order.
func (s *Selection) addOrder(o order) {
	for _, term := range o.terms {
		s.addNamed(strings.TrimPrefix(term.SQL, "t."))
	}
}

// Seal ends the putting together of a root and returns its lists, by number.
func (s *Selection) Seal() []*SelectedEdge {
	s.seal(s)
	s.items.New = func() any { return newItem(s) }
	return s.lists
}

func (s *Selection) seal(root *Selection) {
	root.need = append(root.need, s.of.permission())
	root.timed = root.timed || s.of.layout().timed
	for _, e := range s.edges {
		root.need = append(root.need, catalogue.edges[s.of.title()][e.field].permissions()...)
		if e.rows || !e.edge.isList() {
			e.Next.seal(root)
		}
		if e.edge.isList() {
			e.number = len(root.lists)
			root.lists = append(root.lists, e)
		}
	}
}

// MayRead reports whether the caller may see everything that a sealed selection reads.
func (s *Selection) MayRead(ctx context.Context) bool {
	_, err := authorize(ctx, s.need...)
	return err == nil
}
