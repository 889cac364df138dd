package crm

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"crmgraph/db"
)

// edge is what look-ahead and the tests know of an edge, whatever its types.
type edge interface {
	target() string
	permissions() []Permission
	filter() reflect.Type // of the filter that narrows it, nil when none does
	selected() edgeSource
	// announce adds to a level the statements that load the edge for all parents, a slice of the edge's
	// parent type. children, once the level is loaded, leaves what came, or the error, to those who will
	// ask, and returns the children.
	announce(s *session, l *level, parents any, step Step) (children func() any, err error)
	// needsOnlyID reports whether the edge can be followed from a row of which only the id is known.
	needsOnlyID() bool
	// leadsByID reports whether the parents hold the ids of the children; withIDs are then such rows.
	leadsByID() bool
	withIDs(parents any) any
}

// source says where the rows behind an edge come from. t is the target's table and x an
// optional link table; both are always tied to the tenant.
type source struct {
	link  string // the link table, aliased x
	on    string // joins t to x
	key   string // the column that holds the parent's key
	where string // a constant condition
}

// clauses renders what follows FROM and WHERE for a table and what is joined to it. $1 is
// the tenant.
func (src source) clauses(table, join string) (from, where string) {
	from, where = table+" t"+join, "t.tenant_id = $1"
	if src.link != "" {
		from = src.link + " x JOIN " + table + " t ON t.tenant_id = $1 AND " + src.on + join
		where = "x.tenant_id = $1"
	}
	if src.where != "" {
		where += " AND " + src.where
	}
	return from, where
}

// derived says that the field behind an edge is what value makes of the parent and the record, nil
// when there is none. It returns e for chaining.
func derived[P, C, V any](e *One[P, C], value func(*P, *C) V) *One[P, C] {
	e.derive = func(parent, child any) any { return value(parent.(*P), child.(*C)) }
	e.derives = reflect.TypeFor[V]()
	return e
}

// register adds an edge to the catalogue.
func register[P any](from *Record[P], field string, e edge) {
	if catalogue.edges[from.name] == nil {
		catalogue.edges[from.name] = map[string]edge{}
	}
	if _, taken := catalogue.edges[from.name][field]; taken {
		panic("edge " + from.name + "." + field + " is declared twice")
	}
	catalogue.edges[from.name][field] = e
}

// distinct returns the parents' keys, each once, in order.
func distinct[P any](parents []*P, key func(*P) *uuid.UUID) []uuid.UUID {
	keys := make([]uuid.UUID, 0, len(parents))
	seen := make(map[uuid.UUID]struct{}, len(parents))
	for _, p := range parents {
		k := key(p)
		if k == nil {
			continue
		}
		if _, twice := seen[*k]; !twice {
			seen[*k] = struct{}{}
			keys = append(keys, *k)
		}
	}
	return keys
}

// way is how an edge leads from a parent to rows of a type.
type way[P, C any] struct {
	to        *Record[C]
	src       source
	keyColumn string // the parent's column that holds the key
	key       func(*P) *uuid.UUID
	partial   bool // whether it leads on from some parents only
	need      []Permission
}

func wayFrom[P, C any](from *Record[P], to *Record[C], src source, key string, need ...Permission) way[P, C] {
	return way[P, C]{to: to, src: src, keyColumn: key, key: from.key(key), need: append(need, to.view)}
}

func (w *way[P, C]) target() string            { return w.to.name }
func (w *way[P, C]) permissions() []Permission { return w.need }
func (w *way[P, C]) needsOnlyID() bool         { return w.keyColumn == "id" && !w.partial }

// One is an edge to at most one record.
type One[P, C any] struct {
	way[P, C]

	sql   string
	owner any // whose loader it uses

	fieldAnswer
}

// fieldAnswer is what the field behind an edge to one record is, when it is not that record.
type fieldAnswer struct {
	derive  func(parent, child any) any
	derives reflect.Type // what derive returns
	opaque  bool         // only a resolver knows
}

// byID leads from an id to its record.
var byID = source{key: "t.id"}

// one declares an edge to the record of type to whose id the parent holds in the column key.
func one[P, C any](from *Record[P], field string, to *Record[C], key string) *One[P, C] {
	e := &One[P, C]{way: wayFrom(from, to, byID, key), sql: to.byIDs, owner: to}
	register(from, field, e)
	return e
}

// oneThrough declares an edge to the one record of type to that src leads to from the column key.
func oneThrough[P, C any](from *Record[P], field string, to *Record[C], src source, key string, need ...Permission) *One[P, C] {
	e := &One[P, C]{way: wayFrom(from, to, src, key, need...), sql: to.byKey(src)}
	e.owner = e
	register(from, field, e)
	return e
}

// when follows the edge from some parents only. It returns e for chaining.
func (e *One[P, C]) when(leads func(*P) bool) *One[P, C] {
	key := e.key
	e.partial = true
	e.key = func(parent *P) *uuid.UUID {
		if !leads(parent) {
			return nil
		}
		return key(parent)
	}
	return e
}

// resolved says that only a resolver knows what the field is. It returns e for chaining.
func (e *One[P, C]) resolved() *One[P, C] {
	e.opaque = true
	return e
}

// byKey is the statement for the rows of some keys.
func (t *Record[T]) byKey(src source) string {
	from, where := src.clauses(t.table, t.join)
	return fmt.Sprintf("SELECT %s, %s FROM %s WHERE %s AND %s = ANY(%s)", src.key, t.list, from, where, src.key, t.param(1))
}

// Load returns the record, nil when there is none.
// Errors: Unauthenticated, Forbidden, Unavailable.
func (e *One[P, C]) Load(ctx context.Context, parent *P) (*C, error) {
	s, err := begin(ctx, e.need...)
	if err != nil {
		return nil, err
	}
	key := e.key(parent)
	if key == nil {
		return nil, nil //nolint:nilnil // an edge that leads nowhere is no error
	}
	return e.loader(s).Load(ctx, *key)()
}

func (e *One[P, C]) loader(s *session) *loader[uuid.UUID, *C] { return e.to.loader(s, e.owner, e.sql) }

// loader loads the one row of each key with a statement of the type.
func (t *Record[T]) loader(s *session, owner any, sql string) *loader[uuid.UUID, *T] {
	return loaderOf(s, owner, func(s *session, keys []uuid.UUID) (map[uuid.UUID]*T, error) {
		st, found := t.rowsOf(s, sql, keys)
		return found, s.query(s.ctx, st)
	})
}

// remember leaves a row that was found another way to those who ask for it by id.
func (t *Record[T]) remember(s *session, id uuid.UUID, row *T) {
	t.loader(s, t, t.byIDs).Prime(s.ctx, id, row)
}

// rowsOf is a statement of one row per key and the map that it fills.
func (t *Record[T]) rowsOf(s *session, sql string, keys []uuid.UUID) (statement, map[uuid.UUID]*T) {
	found := make(map[uuid.UUID]*T, len(keys))
	return statement{sql: sql, args: t.bound(s, keys), read: func(rows pgx.Rows) error {
		clear(found) // of what an attempt read that failed
		return t.scan(rows, s.tenant, func(key uuid.UUID, row *T) { found[key] = row })
	}}, found
}

func (e *One[P, C]) filter() reflect.Type { return nil }

func (e *One[P, C]) announce(s *session, l *level, parents any, _ Step) (func() any, error) {
	children := e.to.announce(s, l, e.loader(s), e.sql, distinct(parents.([]*P), e.key))
	return func() any { return children() }, nil
}

// announce adds to a level the statement for the one row of each key that is neither loaded nor in the
// level yet; see edge.
func (t *Record[T]) announce(s *session, l *level, rows *loader[uuid.UUID, *T], sql string, keys []uuid.UUID) func() []*T {
	missing := rows.missing(s.ctx, l, keys)
	var found map[uuid.UUID]*T
	var sent *sending
	if len(missing) > 0 {
		var st statement
		st, found = t.rowsOf(s, sql, missing)
		sent = l.send(st)
	}
	return func() []*T {
		for _, key := range missing {
			rows.settle(s.ctx, key, found[key], sent.err)
		}
		list := make([]*T, 0, len(keys))
		for _, key := range keys {
			if row, err := rows.Load(s.ctx, key)(); err == nil && row != nil {
				list = append(list, row)
			}
		}
		return list
	}
}

func (e *One[P, C]) leadsByID() bool         { return e.src == byID }
func (e *One[P, C]) withIDs(parents any) any { return e.to.withIDs(distinct(parents.([]*P), e.key)) }

// Paged is an edge to a list, read page by page.
type Paged[P, C any] struct {
	way[P, C]

	name  string // Parent.field
	order order
	sql   string // of a first page; its values are the parents and one row more than the size

	where    reflect.Type // of the filters it takes
	narrowed narrowed     // what it is known by
	match    db.Expr      // the filter
}

// narrowed is an edge with a filter, as text.
type narrowed struct {
	edge  any
	where string
}

// counted is how long its lists are.
type counted narrowed

// paged declares a list of the records of type to that src leads to from the column key, in a fixed
// order.
func paged[P, C any](from *Record[P], field string, to *Record[C], src source, o order, key string, need ...Permission) *Paged[P, C] {
	e := &Paged[P, C]{way: wayFrom(from, to, src, key, need...), name: from.name + "." + field, order: o}
	e.sql = e.render("true", db.OrderBy(o.terms, false))
	e.narrowed.edge = e
	register(from, field, e)
	return e
}

// filteredBy lets clients narrow the list with a filter of a type. It returns e for chaining.
func (e *Paged[P, C]) filteredBy(where reflect.Type) *Paged[P, C] {
	e.where = where
	return e
}

// Where is the edge to those of its records that a filter matches. Lists of several parents with
// the same filter are read together. A nil filter matches everything.
// Errors: Unauthenticated, Forbidden, Invalid, naming the field.
func (e *Paged[P, C]) Where(ctx context.Context, where any) (*Paged[P, C], error) {
	if _, err := authorize(ctx, e.need...); err != nil {
		return nil, err
	}
	match, err := e.to.where(ctx, where, "where")
	if err != nil || match.IsZero() {
		return e, err
	}
	text, err := json.Marshal(where)
	if err != nil {
		return nil, failed(err)
	}
	some := *e
	some.match, some.narrowed.where = match, string(text)
	return &some, nil
}

// render makes the statement of one page per parent, its first value, of as many rows at
// most as its second value says. The lateral join runs its side once per parent, in the
// order given, and stops at the limit.
func (e *Paged[P, C]) render(beyond, orderBy string) string {
	from, where := e.src.clauses(e.to.table, e.to.join)
	return fmt.Sprintf("SELECT k.id AS parent, r.* FROM unnest(%s::uuid[]) AS k(id) CROSS JOIN LATERAL ("+
		"SELECT %s FROM %s WHERE %s AND %s = k.id AND %s ORDER BY %s LIMIT %s) r",
		e.to.param(1), e.to.list, from, where, e.src.key, beyond, orderBy, e.to.param(2))
}

// Load returns one page of the parent's list.
// Errors: Unauthenticated, Forbidden, Invalid for a cursor of another list, Unavailable.
func (e *Paged[P, C]) Load(ctx context.Context, parent *P, page Page) (*Connection[C], error) {
	s, err := begin(ctx, e.need...)
	if err != nil {
		return nil, err
	}
	// Other pages are loaded together with this one: what is wrong with it is its own error.
	if _, err := s.scope(e.name, e.order).beyond(e.order, page); err != nil {
		return nil, err
	}
	key := e.key(parent)
	if key == nil {
		return e.connection(s, uuid.Nil, page, nil), nil
	}
	return e.loader(s).Load(ctx, pageKey{*key, page})()
}

// All returns the parent's whole list, for lists that stay short: at most [MaxPageSize].
func (e *Paged[P, C]) All(ctx context.Context, parent *P) ([]*C, error) {
	c, err := e.Load(ctx, parent, WholeList())
	if err != nil {
		return nil, err
	}
	return append([]*C{}, c.Nodes()...), nil // an empty list is not null
}

type pageKey struct {
	parent uuid.UUID
	page   Page
}

func (e *Paged[P, C]) loader(s *session) *loader[pageKey, *Connection[C]] {
	return loaderOf(s, e.narrowed, func(s *session, keys []pageKey) (map[pageKey]*Connection[C], error) {
		parents := map[Page][]uuid.UUID{}
		for _, k := range keys {
			parents[k.page] = append(parents[k.page], k.parent)
		}
		found := make(map[pageKey]*Connection[C], len(keys))
		for page, ids := range parents {
			st, done, err := e.pageOf(s, page, ids)
			if err == nil {
				err = s.query(s.ctx, st)
			}
			if err != nil {
				return nil, err
			}
			done(found)
		}
		return found, nil
	})
}

// pageOf is the statement for the same page of several parents; done, called after it
// ran, adds what it read to the map.
func (e *Paged[P, C]) pageOf(s *session, page Page, parents []uuid.UUID) (st statement, done func(map[pageKey]*Connection[C]), err error) {
	args := db.NewArgs(e.to.bound(s, parents, page.size+1)...)
	sql := e.sql
	if page.after != "" || page.before != "" || page.backwards || !e.match.IsZero() {
		beyond, err := s.scope(e.name, e.order).beyond(e.order, page)
		if err != nil {
			return statement{}, nil, err
		}
		sql = e.render(db.All(e.match, beyond).SQL(args), db.OrderBy(e.order.terms, page.backwards))
	}
	rowsOf := make(map[uuid.UUID][]*C, len(parents))
	st = statement{sql: sql, args: args.Values(), composed: !e.match.IsZero(), read: func(rows pgx.Rows) error {
		clear(rowsOf) // of what an attempt read that failed
		return e.to.scan(rows, s.tenant, func(parent uuid.UUID, row *C) { rowsOf[parent] = append(rowsOf[parent], row) })
	}}
	return st, func(found map[pageKey]*Connection[C]) {
		for _, parent := range parents {
			found[pageKey{parent, page}] = e.connection(s, parent, page, rowsOf[parent])
		}
	}, nil
}

func (e *Paged[P, C]) connection(s *session, parent uuid.UUID, page Page, rows []*C) *Connection[C] {
	return newConnection(rows, page, encoderOf[C](s, e.name, e.order), func(ctx context.Context) (int, error) {
		return e.counts(s).Load(ctx, parent)()
	})
}

// counts loads how long the lists of several parents are.
func (e *Paged[P, C]) counts(s *session) *loader[uuid.UUID, int] {
	return loaderOf(s, counted(e.narrowed), func(s *session, parents []uuid.UUID) (map[uuid.UUID]int, error) {
		st, found := e.countOf(s, parents)
		return found, s.query(s.ctx, st)
	})
}

func (e *Paged[P, C]) countOf(s *session, parents []uuid.UUID) (statement, map[uuid.UUID]int) {
	found := make(map[uuid.UUID]int, len(parents))
	args := db.NewArgs(s.tenant, parents)
	tables, where := e.src.clauses(e.to.table, "")
	sql := fmt.Sprintf("SELECT %s, count(*) FROM %s WHERE %s AND %s = ANY($2) AND %s GROUP BY 1", e.src.key, tables, where, e.src.key, e.match.SQL(args))
	return statement{sql: sql, args: args.Values(), composed: !e.match.IsZero(), read: func(rows pgx.Rows) error {
		clear(found) // of what an attempt read that failed
		var parent uuid.UUID
		var n int
		_, err := pgx.ForEachRow(rows, []any{&parent, &n}, func() error {
			found[parent] = n
			return nil
		})
		return err
	}}, found
}

func (e *Paged[P, C]) filter() reflect.Type { return e.where }

func (e *Paged[P, C]) announce(s *session, l *level, parents any, step Step) (func() any, error) {
	if step.Where != nil {
		some, err := e.Where(s.ctx, step.Where)
		if err != nil {
			return nil, err
		}
		step.Where = nil
		return some.announce(s, l, parents, step)
	}
	lists := e.loader(s)
	keys := distinct(parents.([]*P), e.key)
	pages := make([]pageKey, len(keys))
	for i, key := range keys {
		pages[i] = pageKey{key, step.Page}
	}
	found, done := map[pageKey]*Connection[C]{}, func(map[pageKey]*Connection[C]) {}
	var sent, counted *sending
	if missing := lists.missing(s.ctx, l, pages); len(missing) > 0 {
		parents := make([]uuid.UUID, len(missing))
		for i, page := range missing {
			parents[i] = page.parent
		}
		st, read, err := e.pageOf(s, step.Page, parents)
		if err != nil {
			return nil, err
		}
		sent, done = l.send(st), read
	}
	var uncounted []uuid.UUID
	var totals map[uuid.UUID]int
	if step.Count {
		uncounted = e.counts(s).missing(s.ctx, l, keys)
	}
	if len(uncounted) > 0 {
		var st statement
		st, totals = e.countOf(s, uncounted)
		counted = l.send(st)
	}
	return func() any {
		done(found)
		for key, c := range found {
			lists.settle(s.ctx, key, c, sent.err)
		}
		for _, key := range uncounted {
			e.counts(s).settle(s.ctx, key, totals[key], counted.err)
		}
		var children []*C
		for _, page := range pages {
			if c, err := lists.Load(s.ctx, page)(); err == nil {
				children = append(children, c.Nodes()...)
			}
		}
		return children
	}, nil
}

func (*Paged[P, C]) leadsByID() bool { return false }
func (*Paged[P, C]) withIDs(any) any { return nil }
