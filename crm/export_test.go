package crm

import (
	"slices"
	"strings"
)

// IndexedColumn is a column of a table that clients may filter or sort by.
type IndexedColumn struct{ Table, Column string }

// FilteredColumns lists the columns of their own tables that types can be filtered by.
func FilteredColumns() []IndexedColumn {
	var list []IndexedColumn
	for _, t := range catalogue.types {
		list = append(list, t.(interface{ filtered() []IndexedColumn }).filtered()...)
	}
	return list
}

func (t *Record[T]) filtered() []IndexedColumn {
	var list []IndexedColumn
	for _, p := range t.paths {
		if name, own := strings.CutPrefix(p.SQL, "t."); own && name != "id" {
			list = append(list, IndexedColumn{t.table, name})
		}
	}
	return list
}

// SortedColumns lists the columns that types can be sorted by.
func SortedColumns() []IndexedColumn {
	return slices.Concat(
		sortedBy("customer", customerOrder), sortedBy("party", partyOrder), sortedBy("contact", contactOrder),
		sortedBy("role", roleOrder), sortedBy("contact_role", contactRoleOrder), sortedBy("vehicle", vehicleOrder),
		sortedBy("loyalty_account", loyaltyAccountOrder), sortedBy("loyalty_transaction", loyaltyTransactionOrder),
		sortedBy("warranty", warrantyOrder))
}

func sortedBy[F ~string](table string, columns map[F]string) []IndexedColumn {
	var list []IndexedColumn
	for _, c := range columns {
		list = append(list, IndexedColumn{table, c})
	}
	return list
}
