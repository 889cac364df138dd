package crm

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"crmgraph/db"
)

// Reader takes the rows of one operation as they come from the database, in place of its
// records: the operation, given a context of [WithReader], then returns nothing. Rows are
// handed out while the database's answer is at hand; see [Item] for how long they last.
type Reader interface {
	// Selection is what it reads of the rows of a type, sealed, and the pages of its lists; nil
	// leaves the operation to return records.
	Selection(typeName string) (*Selection, []EdgePage)
	// One takes the row that was looked up. A row that is not there is the operation's own error.
	One(*Item) error
	// Leave is called when the operation returns records after all: a page that was asked for is wrong.
	Leave()
	// List takes the page of rows.
	List(*List) error
	// Counts says whether it wants to know how long a list is, all in all.
	Counts() bool
	// Nodes is told how many ids were asked for before their records come.
	Nodes(n int)
	// Node takes the record at a place of the ids asked for. Places come in any order, those of
	// records that are not there never.
	Node(place int, row *Item) error
	// Hits takes what a search found, without the records, which it was given as nodes before.
	Hits([]*SearchHit) error
	// Done is called once all rows were handed over; after those of a search, Hits follows.
	Done()
}

type readerKey struct{}

// WithReader returns a context in which the next operation that returns one record by a selector,
// a page of all records of a type, records by their ids or the hits of a search hands its rows to r.
func WithReader(ctx context.Context, r Reader) context.Context {
	return context.WithValue(ctx, readerKey{}, &reader{Reader: r})
}

// reader is a Reader for the one operation that it serves.
type reader struct {
	Reader

	spent bool
}

// readerOf returns the context's reader, nil when there is none or when it has served.
func readerOf(ctx context.Context) *reader {
	if r, ok := ctx.Value(readerKey{}).(*reader); ok && !r.spent {
		return r
	}
	return nil
}

// begin takes what the statement needs; ok is false when the rows cannot be read this way.
func (r *reader) begin(ctx context.Context, s *session, typeName string) (g *rowsStatement, ok bool) {
	r.spent = true
	sel, pages := r.Selection(typeName)
	if sel == nil {
		return nil, false
	}
	sql, args, err := sel.statement(ctx, s, pages)
	if err != nil { // a page that is wrong: the field that asks for it says how
		r.Leave()
		return nil, false
	}
	return &rowsStatement{sel: sel, s: s, pages: pages, sql: sql, args: args}, true
}

// rowsStatement is the statement of a selection's rows on its way.
type rowsStatement struct {
	sel   *Selection
	s     *session
	pages []EdgePage
	sql   string // up to the condition
	args  *db.Args
}

// each completes it with the rest of the condition and what follows. take gets an item for the rows,
// and these.
func (g *rowsStatement) each(rest string, take func(it *Item, records [][]byte) error) statement {
	return statement{sql: g.sql + rest, args: g.args.Values(), read: func(rows pgx.Rows) error {
		return g.use(rows.Conn().TypeMap(), func(it *Item) error {
			if err := it.gather(rows); err != nil {
				return err
			}
			return take(it, it.gathered)
		})
	}}
}

// counted is each with the answer of one more statement, a number.
func (g *rowsStatement) counted(rest, count string, take func(it *Item, records [][]byte, total []byte) error) statement {
	sql := "SELECT ROW(ARRAY(" + g.sql + rest + "), (" + count + "))"
	return statement{sql: sql, args: g.args.Values(), read: func(rows pgx.Rows) error {
		return db.EachRecord(rows, func(types *pgtype.Map, record []byte) error {
			values, err := db.Values(record, nil)
			if err != nil {
				return err
			}
			records, err := db.Elements(values[0].Data, nil)
			if err != nil {
				return err
			}
			return g.use(types, func(it *Item) error { return take(it, records, values[1].Data) })
		})
	}}
}

// use lends an item for the rows of an answer.
func (g *rowsStatement) use(types *pgtype.Map, take func(*Item) error) error {
	it := g.sel.items.Get().(*Item)
	*it.from = answer{s: g.s, types: types, pages: g.pages}
	defer func() {
		*it.from = answer{} // nothing of the request stays
		g.sel.items.Put(it)
	}()
	return take(it)
}

// one reads the first row that matches.
func (r *reader) one(ctx context.Context, s *session, typeName string, match db.Expr, orderBy string) (read bool, err error) {
	g, ok := r.begin(ctx, s, typeName)
	if !ok {
		return false, nil
	}
	found, err := g.first(ctx, " AND "+match.SQL(g.args)+" ORDER BY "+orderBy, r.One)
	if err != nil {
		return false, err
	}
	if !found {
		return false, notFoundf("no such %s", typeName)
	}
	r.Done()
	return true, nil
}

// first completes the statement like each and reads its first row. A row without lists takes next to
// no time: it may travel with those that other requests look up, see [db.DB.Record].
func (g *rowsStatement) first(ctx context.Context, rest string, take func(*Item) error) (found bool, err error) {
	sql := g.sql + rest + " LIMIT 1"
	one := func(types *pgtype.Map, record []byte) error {
		found = true
		return g.use(types, func(it *Item) error {
			if err := it.read(record); err != nil {
				return err
			}
			return take(it)
		})
	}
	if len(g.sel.lists) == 0 && g.s.tx == nil {
		if err := g.s.store.DB.Record(ctx, sql, g.args.Values(), one); err != nil {
			return false, failed(err)
		}
		return found, nil
	}
	err = g.s.query(ctx, statement{sql: sql, args: g.args.Values(), read: func(rows pgx.Rows) error { return db.EachRecord(rows, one) }})
	return found, err
}

// list reads a page of all the tenant's rows that match. A filter whose values matter is planned for
// them, and alone: it finds the ids.
func (r *reader) list(ctx context.Context, s *session, typeName string, match db.Expr, o order, page Page) (read bool, err error) {
	beyond, err := s.scope(typeName, o).beyond(o, page)
	if err != nil {
		return false, err
	}
	g, ok := r.begin(ctx, s, typeName)
	if !ok {
		return false, nil
	}
	list := List{name: typeName, order: o, page: page}
	take := func(it *Item, records [][]byte) error {
		list.item = it
		list.take(records)
		return r.List(&list)
	}
	q := listQuery{table: g.sel.of.layout().table, match: match, beyond: beyond, order: o, page: page}
	switch {
	case o.needsPlanning(match):
		err = r.listByIDs(ctx, g, q, &list, take)
	case r.Counts():
		rest := q.rows(g.args)
		err = s.query(ctx, g.counted(rest, countSQL(q.table, match, g.args), func(it *Item, records [][]byte, total []byte) error {
			if err := list.readTotal(total); err != nil {
				return err
			}
			return take(it, records)
		}))
	default:
		err = s.query(ctx, g.each(q.rows(g.args), take))
	}
	if err == nil {
		r.Done()
	}
	return err == nil, err
}

// listQuery says which rows a list has.
type listQuery struct {
	table         string
	match, beyond db.Expr
	order         order
	page          Page
}

// rows is what follows the tenant in the condition of the page's rows, with their order.
func (q listQuery) rows(args *db.Args) string {
	return " AND " + db.All(q.match, q.beyond).SQL(args) + " ORDER BY " + db.OrderBy(q.order.terms, q.page.backwards) + q.page.limit(args)
}

// listByIDs finds the ids of the list, counts it if that is asked for, and reads its rows.
func (r *reader) listByIDs(ctx context.Context, g *rowsStatement, q listQuery, list *List, take func(*Item, [][]byte) error) error {
	var ids []uuid.UUID
	args := db.NewArgs(g.s.tenant)
	sql := "SELECT t.id FROM " + q.table + " t WHERE t.tenant_id = $1" + q.rows(args)
	if err := g.s.query(ctx, statement{sql: sql, args: args.Values(), composed: true, read: readAll(&ids)}); err != nil {
		return err
	}
	if r.Counts() {
		var err error
		if list.total, err = countRows(ctx, g.s, q.table, q.match); err != nil {
			return err
		}
	}
	if len(ids) > q.page.size {
		ids, list.more = ids[:q.page.size], true
	}
	return g.s.query(ctx, g.byIDs(ids, take))
}

// byIDs is the statement of the rows of some ids, in their order.
func (g *rowsStatement) byIDs(ids []uuid.UUID, take func(*Item, [][]byte) error) statement {
	// The row's own clauses come first: the ids join them.
	list := g.args.Bind(ids)
	return g.each(" AND t.id = ANY("+list+") ORDER BY array_position("+list+", t.id)", take)
}

// nodes reads records of several types, each type with one statement: at each place there is the
// prefix of a type and the id of a row.
func (r *reader) nodes(ctx context.Context, s *session, prefixes []string, ids []uuid.UUID) (read bool, err error) {
	r.Nodes(len(ids))
	if len(ids) == 1 {
		return r.node(ctx, s, prefixes[0], ids[0])
	}
	places := map[string][]int{}
	for place, prefix := range prefixes {
		places[prefix] = append(places[prefix], place)
	}
	var statements []statement
	for prefix, places := range places {
		g, ok := r.begin(ctx, s, catalogue.types[prefix].title())
		if !ok {
			return false, nil
		}
		wanted := make([]uuid.UUID, len(places))
		for i, place := range places {
			wanted[i] = ids[place]
		}
		statements = append(statements, g.byIDs(wanted, func(it *Item, records [][]byte) error {
			list := List{item: it, page: Page{size: len(wanted)}}
			list.take(records)
			for i := range list.Len() {
				if _, err := list.At(i); err != nil {
					return err
				}
				if err := r.handOut(it, ids, places); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	if err := s.send(ctx, statements...); err != nil {
		return false, err
	}
	r.Done()
	return true, nil
}

// node is nodes for one record, which may travel with others.
func (r *reader) node(ctx context.Context, s *session, prefix string, id uuid.UUID) (read bool, err error) {
	g, ok := r.begin(ctx, s, catalogue.types[prefix].title())
	if !ok {
		return false, nil
	}
	_, err = g.first(ctx, " AND t.id = "+g.args.Bind(id), func(it *Item) error { return r.Node(0, it) })
	if err == nil {
		r.Done()
	}
	return err == nil, err
}

// handOut hands the row out at each of the places where its id was asked for.
func (r *reader) handOut(it *Item, ids []uuid.UUID, places []int) error {
	for _, place := range places {
		if ids[place] != *it.ID() {
			continue
		}
		if err := r.Node(place, it); err != nil {
			return err
		}
	}
	return nil
}
