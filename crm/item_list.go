package crm

import (
	"encoding/binary"
	"errors"

	"crmgraph/db"
)

// List is one page of rows that is being read.
type List struct {
	item     *Item
	name     string // that its cursors know it by
	order    order
	page     Page
	elements [][]byte
	more     bool // whether there are more in the direction of the page
	total    int
}

// read takes an array of records, at most one more than the page has.
func (l *List) read(array []byte) (err error) {
	if l.elements, err = db.Elements(array, l.elements[:0]); err == nil {
		l.take(l.elements)
	}
	return err
}

// take takes records, at most one more than the page has.
func (l *List) take(records [][]byte) {
	l.elements = records
	if len(records) > l.page.size {
		l.elements, l.more = records[:l.page.size], true
	}
}

func (l *List) readTotal(count []byte) error {
	if len(count) != 8 {
		return errors.New("a count is not eight bytes")
	}
	l.total = int(binary.BigEndian.Uint64(count))
	return nil
}

// Len is how many rows the page has.
func (l *List) Len() int { return len(l.elements) }

// At reads the row at a place, from 0.
func (l *List) At(i int) (*Item, error) {
	if l.page.backwards { // they arrive last first
		i = len(l.elements) - 1 - i
	}
	return l.item, l.item.read(l.elements[i])
}

// Total is how long the whole list is, if it was asked to be counted.
func (l *List) Total() int { return l.total }

// HasNextPage reports whether there are rows after the page.
func (l *List) HasNextPage() bool { return l.page.goesOn(l.more) }

// HasPreviousPage reports whether there are rows before the page.
func (l *List) HasPreviousPage() bool { return l.page.comesFrom(l.more) }

// Cursor is the place of the row that was read last. The list's cursors must be selected.
func (l *List) Cursor() string {
	return l.item.from.s.scope(l.name, l.order).encode(l.order.cursorValues(l.item.ptr))
}
