package crm

import (
	"context"
	"fmt"
	"reflect"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"crmgraph/db"
)

// scope binds the cursors of a list to it.
func (s *session) scope(list string, o order) cursorScope {
	return cursorScope{key: s.store.CursorKey, tenant: s.tenant, list: list, order: o.name}
}

// beyond is the condition of the page's cursors.
func (c cursorScope) beyond(o order, page Page) (db.Expr, error) {
	var both []db.Expr
	for _, end := range []struct {
		cursor, field string
		backwards     bool
	}{{page.after, "after", false}, {page.before, "before", true}} {
		if end.cursor == "" {
			continue
		}
		values, err := c.decode(end.cursor, end.field)
		if err != nil {
			return db.Expr{}, err
		}
		both = append(both, db.Beyond(o.terms, values, end.backwards))
	}
	return db.All(both...), nil
}

func encoderOf[T any](s *session, list string, o order) cursorEncoder[T] {
	return cursorEncoder[T]{scope: s.scope(list, o), values: func(row *T) []string { return o.cursorValues(row) }}
}

// page reads a page of all the tenant's rows that match.
func (t *Record[T]) page(ctx context.Context, s *session, match db.Expr, o order, page Page) (*Connection[T], error) {
	beyond, err := s.scope(t.name, o).beyond(o, page)
	if err != nil {
		return nil, err
	}
	args := db.NewArgs(t.bound(s)...)
	sql := fmt.Sprintf("SELECT t.id, %s FROM %s t%s WHERE t.tenant_id = $1 AND %s ORDER BY %s%s",
		t.list, t.table, t.join, db.All(match, beyond).SQL(args), db.OrderBy(o.terms, page.backwards), page.limit(args))
	rows, err := t.rows(ctx, s, statement{sql: sql, args: args.Values(), composed: o.needsPlanning(match)})
	if err != nil {
		return nil, err
	}
	return newConnection(rows, page, encoderOf[T](s, t.name, o), func(ctx context.Context) (int, error) {
		return countRows(ctx, s, t.table, match)
	}), nil
}

// countRows counts the tenant's rows that match.
func countRows(ctx context.Context, s *session, table string, match db.Expr) (n int, err error) {
	args := db.NewArgs(s.tenant)
	sql := countSQL(table, match, args)
	err = s.query(ctx, statement{sql: sql, args: args.Values(), read: readOne(&n), composed: !match.IsZero()})
	return n, err
}

func countSQL(table string, match db.Expr, args *db.Args) string {
	return "SELECT count(*) FROM " + table + " t WHERE t.tenant_id = $1 AND " + match.SQL(args)
}

// first returns the first row that matches in the given SQL order, nil when none does.
func (t *Record[T]) first(ctx context.Context, s *session, match db.Expr, orderBy string) (*T, error) {
	args := db.NewArgs(t.bound(s)...)
	sql := fmt.Sprintf("SELECT t.id, %s FROM %s t%s WHERE t.tenant_id = $1 AND %s ORDER BY %s LIMIT 1",
		t.list, t.table, t.join, match.SQL(args), orderBy)
	rows, err := t.rows(ctx, s, statement{sql: sql, args: args.Values()})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0], nil
}

// matching is the statement of ids and rows for a condition on alias t, whose values start at $2 (at
// $3 for a type with computed columns that ask for the time).
func (t *Record[T]) matching(s *session, condition string, args ...any) statement {
	return statement{
		sql:  fmt.Sprintf("SELECT t.id, %s FROM %s t%s WHERE t.tenant_id = $1 AND %s", t.list, t.table, t.join, condition),
		args: t.bound(s, args...),
	}
}

// rows runs a statement of ids and rows, and leaves the rows to those who ask by id later.
func (t *Record[T]) rows(ctx context.Context, s *session, st statement) ([]*T, error) {
	var rows []*T
	st.read = t.each(s, func(row *T) { rows = append(rows, row) })
	return rows, s.query(ctx, st)
}

// each reads ids and rows, leaves the rows to those who ask by id later, and hands them out.
func (t *Record[T]) each(s *session, take func(*T)) func(pgx.Rows) error {
	return func(r pgx.Rows) error {
		return t.scan(r, s.tenant, func(id uuid.UUID, row *T) {
			t.remember(s, id, row)
			take(row)
		})
	}
}

// lookup finds the row that a selector names: a struct of pointers of which exactly one
// is set, its fields named as the type's paths; see [WithPlan].
// Errors: Unauthenticated, Forbidden, Invalid, NotFound, Unavailable.
func (t *Record[T]) lookup(ctx context.Context, by any, preferred string) (*T, error) {
	s, err := begin(ctx, t.view)
	if err != nil {
		return nil, err
	}
	v := reflect.ValueOf(by)
	var match []db.Expr
	var globalID string // when the selector is one
	for i := range v.NumField() {
		if v.Field(i).IsNil() {
			continue
		}
		name := fieldName(v.Type().Field(i).Name)
		path := t.paths[name]
		if _, err := authorize(ctx, path.need...); err != nil {
			return nil, err
		}
		expr, err := path.equal(v.Field(i).Elem().Interface(), "by."+name)
		if err != nil {
			return nil, err
		}
		match = append(match, expr)
		if name == "id" {
			globalID = v.Field(i).Elem().String()
		}
	}
	if len(match) != 1 {
		return nil, invalidf("by", "exactly one selector is needed, %d are given", len(match))
	}
	if r := readerOf(ctx); r != nil {
		if read, err := r.one(ctx, s, t.name, match[0], preferred); read || err != nil {
			return nil, err
		}
	}
	var row *T
	plan, ahead := planFor(ctx, t.name)
	if _, id, ok := ParseID(globalID); ok && ahead {
		row, err = t.loadAhead(ctx, s, id, plan())
	} else {
		row, err = t.first(ctx, s, match[0], preferred)
		if ahead && row != nil {
			Prefetch(ctx, t.name, []*T{row}, plan())
		}
	}
	if err == nil && row == nil {
		return nil, notFoundf("no such %s", t.name)
	}
	return row, err
}

// list is a page of a type's rows as a client asked for it.
// Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func list[T any, F ~string](ctx context.Context, t *Record[T], where any, columns map[F]string, orderBy []*Order[F], page Page) (*Connection[T], error) {
	s, err := begin(ctx, t.view)
	if err != nil {
		return nil, err
	}
	match, err := t.where(ctx, where, "where")
	if err != nil {
		return nil, err
	}
	o, err := sorted(t, columns, orderBy)
	if err != nil {
		return nil, err
	}
	if r := readerOf(ctx); r != nil {
		if read, err := r.list(ctx, s, t.name, match, o, page); read || err != nil {
			return nil, err
		}
	}
	return t.page(ctx, s, match, o, page)
}
