package crm

import (
	"fmt"
	"reflect"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"crmgraph/db"
)

// Item is a row that is being read. There is one for each part of a selection: reading the next
// row takes the place of the one before it, and nothing of it may be kept, not even a text.
type Item struct {
	sel    *Selection
	from   *answer
	row    reflect.Value
	ptr    any        // to the row
	id     *uuid.UUID // in the row
	fields []db.Field // of the columns
	values []db.Value // of the row as it came: columns, then edges
	ones   []*Item    // by edge, those to one record
	lists  []*List    // by edge, those to many
	at     []int      // by edge, the place of its first value

	gathered [][]byte // records that came as rows, of a root
	memory   []byte   // that they are in
	ends     []int    // of each
}

// maxGathered is how much memory for records an item keeps for the next request, in bytes.
const maxGathered = 256 << 10

// gather copies rows of one record each, whose own memory is that of the connection's next answer.
func (it *Item) gather(rows pgx.Rows) error {
	if cap(it.memory) > maxGathered {
		it.memory = nil
	}
	it.memory, it.ends, it.gathered = it.memory[:0], it.ends[:0], it.gathered[:0]
	err := db.EachRecord(rows, func(_ *pgtype.Map, record []byte) error {
		it.memory = append(it.memory, record...)
		it.ends = append(it.ends, len(it.memory))
		return nil
	})
	start := 0
	for _, end := range it.ends {
		it.gathered = append(it.gathered, it.memory[start:end:end])
		start = end
	}
	return err
}

// answer is the answer that the items of a selection come from.
type answer struct {
	s     *session
	types *pgtype.Map
	pages []EdgePage
}

// newItem makes the item of a selection and those of all that it leads to.
func newItem(root *Selection) *Item { return itemOf(root, &answer{}) }

func itemOf(sel *Selection, from *answer) *Item {
	shape := sel.of.layout()
	it := &Item{sel: sel, from: from, row: reflect.New(shape.row).Elem()}
	it.ptr = it.row.Addr().Interface()
	it.id = it.row.FieldByName("ID").Addr().Interface().(*uuid.UUID) // finding it takes memory
	for _, i := range sel.columns {
		it.fields = append(it.fields, db.NewField(it.row.FieldByIndex(shape.columns[i].Index)))
	}
	place := len(sel.columns)
	it.ones, it.lists, it.at = make([]*Item, len(sel.edges)), make([]*List, len(sel.edges)), make([]int, len(sel.edges))
	for i, e := range sel.edges {
		it.at[i] = place
		next := itemOf(e.Next, from)
		if !e.edge.isList() {
			it.ones[i] = next
			place++
			continue
		}
		it.lists[i] = &List{item: next, name: e.edge.list, order: e.edge.order}
		if e.rows {
			place++
		}
		if e.count {
			place++
		}
	}
	return it
}

// read takes a record as the row.
func (it *Item) read(record []byte) (err error) {
	if it.values, err = db.Values(record, it.values[:0]); err != nil {
		return err
	}
	for i := range it.fields {
		if err := it.fields[i].Read(it.from.types, it.values[i]); err != nil {
			return fmt.Errorf("%s: %w", it.sel.of.title(), err)
		}
	}
	return nil
}

// ID is the row's id, which must be selected.
func (it *Item) ID() *uuid.UUID { return it.id }

// TypeName is the type of the row.
func (it *Item) TypeName() string { return it.sel.of.title() }

// Row is the row, addressable. Fields that are not selected are zero.
func (it *Item) Row() reflect.Value { return it.row }

// Pointer points to the row.
func (it *Item) Pointer() any { return it.ptr }

// One follows an edge to one record; nil when there is none.
func (it *Item) One(e *SelectedEdge) (*Item, error) {
	next, value := it.ones[e.slot], it.values[it.at[e.slot]]
	if value.Data == nil {
		return nil, nil //nolint:nilnil // an edge that leads nowhere is no error
	}
	return next, next.read(value.Data)
}

// Derive returns what a derived field is.
func (it *Item) Derive(e *SelectedEdge) (any, error) {
	next, err := it.One(e)
	if err != nil {
		return nil, err
	}
	child := reflect.Zero(reflect.PointerTo(e.edge.to.layout().row))
	if next != nil {
		child = next.row.Addr()
	}
	return e.edge.derive(it.ptr, child.Interface()), nil
}

// Many follows an edge to a list.
func (it *Item) Many(e *SelectedEdge) (*List, error) {
	list := it.lists[e.slot]
	at := it.at[e.slot]
	list.page, list.elements, list.more, list.total = it.from.pages[e.number].Page, list.elements[:0], false, 0
	if e.rows {
		if err := list.read(it.values[at].Data); err != nil {
			return nil, err
		}
		at++
	}
	if e.count {
		return list, list.readTotal(it.values[at].Data)
	}
	return list, nil
}
