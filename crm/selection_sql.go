package crm

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"crmgraph/db"
)

// EdgePage is which part of a list is asked for.
type EdgePage struct {
	Page  Page
	Where any // see [EdgeWhere]; nil for all
}

// plain reports whether the statement for the page is the same as for any other plain page.
func (p *EdgePage) plain() bool {
	return p.Where == nil && p.Page.after == "" && p.Page.before == "" && !p.Page.backwards
}

// render writes SELECT ROW(…) with what follows FROM, up to the condition, of the selection's
// rows; args hold the tenant and, if need be, the time.
func (s *Selection) render(r *rendering, src source, b *strings.Builder) error {
	shape := s.of.layout()
	r.depth++
	depth := r.depth
	b.WriteString("SELECT ROW(")
	separate := separator()
	for _, i := range s.columns {
		separate(b)
		b.WriteString(shape.sql[i])
	}
	var keys []string // the columns that hold them
	for _, e := range s.edges {
		if !slices.Contains(keys, e.edge.keyColumn) {
			keys = append(keys, e.edge.keyColumn)
		}
		key := fmt.Sprintf("k%d.%s", depth, e.edge.keyColumn)
		if e.rows || !e.edge.isList() {
			separate(b)
			if err := e.render(r, key, b); err != nil {
				return err
			}
		}
		if e.count {
			separate(b)
			if err := e.renderCount(r, key, b); err != nil {
				return err
			}
		}
	}
	from, where := src.clauses(shape.table, shape.join)
	b.WriteString(") FROM " + from)
	if len(keys) > 0 {
		// The rows behind the edges call themselves t, too: they know the key by another name.
		b.WriteString(" CROSS JOIN LATERAL (SELECT ")
		fmt.Fprintf(b, "t.%s) k%d", strings.Join(keys, ", t."), depth)
	}
	b.WriteString(" WHERE " + where)
	return nil
}

func separator() func(*strings.Builder) {
	first := true
	return func(b *strings.Builder) {
		if !first {
			b.WriteString(", ")
		}
		first = false
	}
}

// rendering is what the parts of a statement share.
type rendering struct {
	ctx   context.Context //nolint:containedctx // of one call
	s     *session
	args  *db.Args
	pages []EdgePage
	depth int
}

func (e *SelectedEdge) render(r *rendering, key string, b *strings.Builder) error {
	open, limit := "(", " LIMIT 1"
	if e.edge.isList() {
		open = "ARRAY("
	}
	b.WriteString(open)
	if err := e.Next.render(r, e.edge.src, b); err != nil {
		return err
	}
	b.WriteString(" AND " + e.edge.src.key + " = " + key)
	if e.edge.isList() {
		page := &r.pages[e.number]
		match, err := e.narrow(r)
		if err != nil {
			return err
		}
		if !match.IsZero() {
			b.WriteString(" AND " + match.SQL(r.args))
		}
		b.WriteString(" ORDER BY " + db.OrderBy(e.edge.order.terms, page.Page.backwards))
		limit = page.Page.limit(r.args)
	}
	b.WriteString(limit + ")")
	return nil
}

// narrow is the condition of the page: of its filter and of its cursors.
func (e *SelectedEdge) narrow(r *rendering) (db.Expr, error) {
	page := &r.pages[e.number]
	beyond, err := r.s.scope(e.edge.list, e.edge.order).beyond(e.edge.order, page.Page)
	if err != nil {
		return db.Expr{}, err
	}
	match, err := e.matching(r)
	return db.All(match, beyond), err
}

func (e *SelectedEdge) matching(r *rendering) (db.Expr, error) {
	if where := r.pages[e.number].Where; where != nil {
		return e.edge.match(r.ctx, where)
	}
	return db.Expr{}, nil
}

func (e *SelectedEdge) renderCount(r *rendering, key string, b *strings.Builder) error {
	match, err := e.matching(r)
	if err != nil {
		return err
	}
	from, where := e.edge.src.clauses(e.Next.of.layout().table, "")
	fmt.Fprintf(b, "(SELECT count(*) FROM %s WHERE %s AND %s = %s AND %s)", from, where, e.edge.src.key, key, match.SQL(r.args))
	return nil
}

// statement begins the statement of the selection's rows, up to the condition, and returns the
// values that it needs so far.
func (s *Selection) statement(ctx context.Context, sess *session, pages []EdgePage) (string, *db.Args, error) {
	args := db.NewArgs(sess.tenant)
	if s.timed {
		args = db.NewArgs(sess.tenant, sess.now)
	}
	plain := !slices.ContainsFunc(pages, func(p EdgePage) bool { return !p.plain() })
	if text := s.plain.Load(); plain && text != nil {
		for _, e := range s.lists {
			if e.rows {
				pages[e.number].Page.limit(args) // binds what the text already names
			}
		}
		return *text, args, nil
	}
	var b strings.Builder
	r := &rendering{ctx: ctx, s: sess, args: args, pages: pages}
	if err := s.render(r, byID, &b); err != nil {
		return "", nil, err
	}
	for _, e := range s.lists {
		if !e.rows { // what is wrong with the page is an error even if nothing is read of it
			if _, err := e.narrow(r); err != nil {
				return "", nil, err
			}
		}
	}
	text := b.String()
	if plain {
		s.plain.Store(&text)
	}
	return text, args, nil
}
