package crm

import "slices"

// Direction sorts upwards or downwards.
type Direction string

// The directions.
const (
	Asc  Direction = "ASC"
	Desc Direction = "DESC"
)

// Order is one part of a requested order; F is the type's list of sortable fields.
type Order[F ~string] struct {
	Field     F
	Direction Direction
}

// maxOrder bounds how many fields an order may name.
const maxOrder = 3

// sortable says by which columns clients can sort all records of a type. It returns them.
func sortable[T any, F ~string](t *Record[T], columns map[F]string) map[F]string {
	for _, column := range columns {
		t.sorts = append(t.sorts, column)
	}
	slices.Sort(t.sorts)
	return columns
}

// sorted makes the order a client asked for from the columns behind the fields, or the
// type's own order, by id, when it asked for none. Errors: Invalid at orderBy.
func sorted[T any, F ~string](t *Record[T], columns map[F]string, asked []*Order[F]) (order, error) {
	if len(asked) > maxOrder {
		return order{}, invalidf("orderBy", "at most %d fields may be named, %d are given", maxOrder, len(asked))
	}
	var names []string
	for _, o := range asked {
		name := columns[o.Field]
		if o.Direction == Desc {
			name = "-" + name
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		names = []string{"id"}
	}
	return t.orderBy(names...), nil
}
