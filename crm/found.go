package crm

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"crmgraph/db"
)

// Found is a part of what was found, by its place in the whole.
type Found[T any] struct {
	rows  []*T
	more  bool
	total func(context.Context) (int, error)
}

// Nodes returns the records.
func (f *Found[T]) Nodes() []*T { return f.rows }

// HasNextPage reports whether there are more after these.
func (f *Found[T]) HasNextPage() bool { return f.more }

// TotalCount counts all that was found; it is computed only when called.
func (f *Found[T]) TotalCount(ctx context.Context) (*int, error) {
	n, err := f.total(ctx)
	if err != nil {
		return nil, err
	}
	return &n, nil
}

// NewSlice is the page of size rows after the first offset ones, for doors that number their pages
// and bound them themselves. Both count from 0.
func NewSlice(size, offset int) Page { return Page{size: size, offset: offset} }

// sought says which rows of a type, alias t, are looked for and in which order.
type sought struct {
	join    string // other tables that the order is about, one row of each
	match   db.Expr
	place   func(*db.Args) string // the place of a row in the order of relevance, a small number; nil for none
	orderBy string                // see ordering
}

// byPlace is the term that orders by place.
const byPlace = "place"

// alphabetical is the term that orders by a text, whatever its case, character by character.
func alphabetical(column string) string { return "lower(" + column + `) COLLATE "C"` }

// ordering is the order by a term. Missing values come last; between equals the ties decide, then
// the id.
func ordering(term string, direction Direction, ties ...string) string {
	if direction == Desc {
		term += " DESC"
	}
	return strings.Join(append(append([]string{term + " NULLS LAST"}, ties...), "t.id"), ", ")
}

// seek finds a part of what is sought, and the place of each row in the order of relevance. Of
// the page, the size and the offset count.
func seek[T any](ctx context.Context, s *session, t *Record[T], what sought, page Page) (*Found[T], []int, error) {
	args := db.NewArgs(s.tenant)
	place := "0"
	if what.place != nil {
		place = what.place(args)
	}
	from := fmt.Sprintf("FROM %s t%s WHERE t.tenant_id = $1 AND ", t.table, what.join)
	sql := fmt.Sprintf("SELECT t.id, %s AS %s %s%s ORDER BY %s LIMIT %s OFFSET %s",
		place, byPlace, from, what.match.SQL(args), what.orderBy, args.Bind(page.size+1), args.Bind(page.offset))
	var ids []uuid.UUID
	var places []int
	err := s.query(ctx, statement{sql: sql, args: args.Values(), composed: true, read: func(rows pgx.Rows) error {
		var id uuid.UUID
		var place int
		_, err := pgx.ForEachRow(rows, []any{&id, &place}, func() error {
			ids, places = append(ids, id), append(places, place)
			return nil
		})
		return err
	}})
	if err != nil {
		return nil, nil, err
	}
	found := &Found[T]{rows: []*T{}, more: len(ids) > page.size, total: func(ctx context.Context) (n int, err error) {
		args := db.NewArgs(s.tenant)
		sql := "SELECT count(*) " + from + what.match.SQL(args)
		err = s.query(ctx, statement{sql: sql, args: args.Values(), composed: true, read: readOne(&n)})
		return n, err
	}}
	if len(ids) == 0 {
		return found, nil, nil
	}
	if found.more {
		ids, places = ids[:page.size], places[:page.size]
	}
	st, byID := t.rowsOf(s, t.byIDs, ids)
	if err := s.query(ctx, st); err != nil {
		return nil, nil, err
	}
	kept := places[:0]
	for i, id := range ids {
		row := byID[id]
		if row == nil { // gone between the two statements
			continue
		}
		t.remember(s, id, row)
		found.rows, kept = append(found.rows, row), append(kept, places[i])
	}
	return found, kept, nil
}
