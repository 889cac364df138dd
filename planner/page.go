package planner

import (
	"context"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"crmgraph/crm"
	"crmgraph/resolvers"
)

// listPage says where the page of a list comes from.
type listPage struct {
	edge  *crm.SelectedEdge
	on    string     // the type that has the field
	field *ast.Field // whose arguments say which page; nil for a whole list
}

// isConstant reports whether the page is the same for every request.
func (p listPage) isConstant() bool { return p.field == nil || !variable(p.field.Arguments) }

func variable(list ast.ArgumentList) bool {
	var in func(*ast.Value) bool
	in = func(v *ast.Value) bool {
		if v.Kind == ast.Variable {
			return true
		}
		for _, child := range v.Children {
			if in(child.Value) {
				return true
			}
		}
		return false
	}
	for _, a := range list {
		if in(a.Value) {
			return true
		}
	}
	return false
}

// evaluate returns the pages of a record's lists, false when an argument is wrong.
func (rec *record) evaluate(ctx context.Context, op *graphql.OperationContext) ([]crm.EdgePage, bool) {
	pages := make([]crm.EdgePage, len(rec.pages))
	for i, page := range rec.pages {
		if page.field == nil {
			pages[i].Page = crm.WholeList()
			continue
		}
		var ok bool
		pages[i].Page, pages[i].Where, ok = resolvers.PageOf(ctx, op, page.on, page.field)
		if !ok {
			return nil, false
		}
	}
	return pages, true
}

// needs are told what a connection's selection needs of its list.
type needs struct{ rows, cursors, count func() }

// connection compiles a selection on a page of a list; name is what the types around the list are
// called after.
func (c *compiler) connection(name string, rows *crm.Selection, set ast.SelectionSet, need needs) (writer[*crm.List], error) {
	var members []member[*crm.List]
	fields, err := c.fields(set, name+"Connection")
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		m := member[*crm.List]{key: key(f)}
		var err error
		switch f.Name {
		case "__typename":
			m.write = constant[*crm.List](strconv.Quote(name + "Connection"))
		case "nodes":
			need.rows()
			m.write, err = c.nodes(rows, f.Selections)
		case "edges":
			need.rows()
			m.write, err = c.listEdges(name, rows, f.Selections, need)
		case "pageInfo":
			need.rows()
			m.write, err = c.pageInfo(f.Selections, need)
		case "totalCount":
			need.count()
			m.write = func(r *run, list *crm.List) error {
				r.buf = strconv.AppendInt(r.buf, int64(list.Total()), 10)
				return nil
			}
		default:
			err = unsupportedf("%sConnection.%s is not of the usual form", name, f.Name)
		}
		if err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return func(r *run, list *crm.List) error { return writeObject(r, members, list) }, nil
}

func (c *compiler) nodes(rows *crm.Selection, set ast.SelectionSet) (writer[*crm.List], error) {
	members, err := c.record(rows, set)
	return func(r *run, list *crm.List) error {
		return r.array(list, func(it *crm.Item) error { return writeObject(r, members, it) })
	}, err
}

// listEdge is a row at its place in a list.
type listEdge struct {
	list *crm.List
	row  *crm.Item
}

func (c *compiler) listEdges(name string, rows *crm.Selection, set ast.SelectionSet, need needs) (writer[*crm.List], error) {
	var members []member[listEdge]
	fields, err := c.fields(set, name+"Edge")
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		m := member[listEdge]{key: key(f)}
		switch f.Name {
		case "__typename":
			m.write = constant[listEdge](strconv.Quote(name + "Edge"))
		case "cursor":
			need.cursors()
			m.write = func(r *run, e listEdge) error {
				r.buf = appendQuoted(r.buf, e.list.Cursor())
				return nil
			}
		case "node":
			inner, err := c.record(rows, f.Selections)
			if err != nil {
				return nil, err
			}
			m.write = func(r *run, e listEdge) error { return writeObject(r, inner, e.row) }
		default:
			return nil, unsupportedf("%sEdge.%s is not of the usual form", name, f.Name)
		}
		members = append(members, m)
	}
	return func(r *run, list *crm.List) error {
		return r.array(list, func(it *crm.Item) error { return writeObject(r, members, listEdge{list, it}) })
	}, nil
}

func (c *compiler) pageInfo(set ast.SelectionSet, need needs) (writer[*crm.List], error) {
	var members []member[*crm.List]
	fields, err := c.fields(set, "PageInfo")
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		m := member[*crm.List]{key: key(f)}
		switch f.Name {
		case "__typename":
			m.write = constant[*crm.List](strconv.Quote("PageInfo"))
		case "hasNextPage":
			m.write = writeBool((*crm.List).HasNextPage)
		case "hasPreviousPage":
			m.write = writeBool((*crm.List).HasPreviousPage)
		case "startCursor":
			need.cursors()
			m.write = func(r *run, list *crm.List) error { return r.cursorAt(list, 0) }
		case "endCursor":
			need.cursors()
			m.write = func(r *run, list *crm.List) error { return r.cursorAt(list, list.Len()-1) }
		default:
			return nil, unsupportedf("PageInfo.%s is not of the usual form", f.Name)
		}
		members = append(members, m)
	}
	return func(r *run, list *crm.List) error { return writeObject(r, members, list) }, nil
}

func writeBool(of func(*crm.List) bool) writer[*crm.List] {
	return func(r *run, list *crm.List) error {
		r.buf = strconv.AppendBool(r.buf, of(list))
		return nil
	}
}

// cursorAt writes the cursor of a row of a list, null for one that the list does not have.
func (r *run) cursorAt(list *crm.List, i int) error {
	if i < 0 || i >= list.Len() {
		return r.null(false)
	}
	if _, err := list.At(i); err != nil {
		return err
	}
	r.buf = appendQuoted(r.buf, list.Cursor())
	return nil
}
