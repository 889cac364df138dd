package crm

import (
	"context"
	"slices"
)

// Connection is one page of a list.
type Connection[T any] struct {
	rows    []*T
	more    bool // whether the list goes on beyond the page, in the page's direction
	page    Page
	encoder cursorEncoder[T]
	count   func(context.Context) (int, error)
}

// newConnection makes a page from at most one row more than asked for, which says that
// there is more. Rows of a backward page arrive last first.
func newConnection[T any](rows []*T, page Page, encoder cursorEncoder[T], count func(context.Context) (int, error)) *Connection[T] {
	c := &Connection[T]{rows: rows, page: page, encoder: encoder, count: count}
	if len(rows) > page.size {
		c.rows, c.more = rows[:page.size], true
	}
	if page.backwards {
		slices.Reverse(c.rows)
	}
	return c
}

// Nodes returns the page's records.
func (c *Connection[T]) Nodes() []*T {
	if c.rows == nil { // an empty list and not null
		return []*T{}
	}
	return c.rows
}

// Edges returns the page's records with their cursors.
func (c *Connection[T]) Edges() []*Edge[T] {
	edges := make([]*Edge[T], len(c.rows))
	for i, row := range c.rows {
		edges[i] = &Edge[T]{Node: row, encoder: c.encoder}
	}
	return edges
}

// PageInfo tells where the page lies in its list.
func (c *Connection[T]) PageInfo() *PageInfo {
	info := &PageInfo{
		HasNextPage: c.page.goesOn(c.more), HasPreviousPage: c.page.comesFrom(c.more),
	}
	if n := len(c.rows); n > 0 {
		start, end := c.encoder.encode(c.rows[0]), c.encoder.encode(c.rows[n-1])
		info.StartCursor, info.EndCursor = &start, &end
	}
	return info
}

// TotalCount counts the whole list, whatever the page; it is computed only when called.
func (c *Connection[T]) TotalCount(ctx context.Context) (*int, error) {
	n, err := c.count(ctx)
	if err != nil {
		return nil, err
	}
	return &n, nil
}

// Edge is a record at its place in a list.
type Edge[T any] struct {
	Node    *T
	encoder cursorEncoder[T]
}

// Cursor is the place, to be sent back as after or before.
func (e *Edge[T]) Cursor() string { return e.encoder.encode(e.Node) }

// PageInfo tells where a page lies in its list. The cursors are nil on an empty page.
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string
	EndCursor       *string
}
