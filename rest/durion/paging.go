package durion

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"crmgraph/crm"
	"crmgraph/rest"
)

// The sizes of pages (Durion 1.3).
const (
	usualPageSize = 20
	maxPageSize   = 100
)

// sorting is what a list can be sorted by, and how it is sorted when the client does not say. F are
// the domain's words.
type sorting[F ~string] struct {
	fields    map[string]F // by the contract's name of the field
	usual     string       // one of these names
	direction crm.Direction
}

// paging is which part of a list is asked for, and in which order (Durion 1.3). Pages count from 0.
type paging[F ~string] struct {
	rest.Page

	Field     F
	Direction crm.Direction
	whole     bool // neither pageNumber nor pageSize was sent
}

// pagingOf reads pageNumber, pageSize, sortField and sortOrder from the query of a list, or from the
// body of a search. A size above 100 stands for 100; all else that is not as it should be is a problem
// of the request, for which the usual value stands in. Each of sortField and sortOrder has its usual
// value when the other is sent alone.
func pagingOf[F ~string](r *rest.Request, in *rest.Input, by sorting[F]) paging[F] {
	p := paging[F]{
		Page: in.Page(0, usualPageSize, maxPageSize), whole: !in.Has("pageNumber", "pageSize"),
		Field: by.fields[by.usual], Direction: by.direction,
	}
	if name := in.Text("orderBy", "sortField"); name != nil {
		if field, known := by.fields[*name]; known {
			p.Field = field
		} else {
			r.Refuse("", "sortField", "the list can be sorted by "+strings.Join(slices.Sorted(maps.Keys(by.fields)), ", "))
		}
	}
	if direction := rest.Word[crm.Direction](in, "", "sortOrder"); direction != nil {
		if *direction == crm.Asc || *direction == crm.Desc {
			p.Direction = *direction
		} else {
			r.Refuse("", "sortOrder", "the order is ASC or DESC")
		}
	}
	return p
}

// slice is the page for the domain. Of a bare list of which no page is asked for it is the whole list,
// up to limit.
func (p paging[F]) slice(limit int) crm.Page {
	if p.whole {
		return crm.NewSlice(limit, 0)
	}
	return p.Slice(0)
}

// envelope is a page of a search (Durion 1.3).
type envelope[T any] struct {
	Results    []T `json:"results"`
	TotalCount int `json:"totalCount"`
	PageNumber int `json:"pageNumber"`
	PageSize   int `json:"pageSize"`
	TotalPages int `json:"totalPages"`
}

// enveloped answers a page of a search that found total records.
func enveloped[T any](page rest.Page, rows []T, total int) *rest.Response {
	return rest.OK(envelope[T]{Results: listed(rows), TotalCount: total, PageNumber: page.Number, PageSize: page.Size, TotalPages: page.Pages(total)})
}

// bareList answers a list of total records that has no envelope (Durion 1.3). more says that it goes on
// after these rows.
func bareList[F ~string, T any](asked paging[F], rows []T, total int, more bool) *rest.Response {
	response := rest.OK(listed(rows))
	response.Header = http.Header{}
	response.Header.Set("X-Total-Count", strconv.Itoa(total))
	if asked.whole && more {
		response.Header.Set("X-Result-Truncated", "true")
	}
	return response
}

// listed is a list that is never null.
func listed[T any](rows []T) []T {
	if rows == nil {
		return []T{}
	}
	return rows
}
