package crm

import "crmgraph/db"

// Page sizes of every connection.
const (
	DefaultPageSize = 25
	MaxPageSize     = 100
	maxOffset       = 100_000
)

// Page says which part of a list is asked for; [NewPage] makes it. It is comparable: equal
// pages of one list are loaded together.
type Page struct {
	size      int
	backwards bool // counted from the end, for last
	after     string
	before    string
	offset    int
}

// NewPage checks the paging arguments of a connection as a client sent them; nil means
// not sent. Errors: Invalid, naming the argument.
func NewPage(first, last *int, after, before *string, offset *int) (Page, error) {
	page := Page{size: DefaultPageSize, after: deref(after), before: deref(before), offset: deref(offset)}
	size, name := first, "first"
	if last != nil {
		if first != nil {
			return Page{}, invalidf("last", "first and last cannot be combined")
		}
		page.backwards, size, name = true, last, "last"
	}
	if size != nil {
		if *size < 1 || *size > MaxPageSize {
			return Page{}, invalidf(name, "%s must be between 1 and %d", name, MaxPageSize)
		}
		page.size = *size
	}
	switch {
	case after != nil && *after == "":
		return Page{}, invalidf("after", "after is not a cursor of this list")
	case before != nil && *before == "":
		return Page{}, invalidf("before", "before is not a cursor of this list")
	case page.offset < 0 || page.offset > maxOffset:
		return Page{}, invalidf("offset", "offset must be between 0 and %d", maxOffset)
	case page.offset > 0 && (page.after != "" || page.before != "" || page.backwards):
		return Page{}, invalidf("offset", "offset goes with first only, not with last or a cursor")
	}
	return page, nil
}

// limit is the end of the statement of the page: one row more than it has.
func (p Page) limit(args *db.Args) string {
	text := " LIMIT " + args.Bind(p.size+1)
	if p.offset > 0 {
		text += " OFFSET " + args.Bind(p.offset)
	}
	return text
}

// goesOn reports whether there are records after the page; more says that there are in its direction.
func (p Page) goesOn(more bool) bool { return more && !p.backwards || p.backwards && p.before != "" }

// comesFrom reports whether there are records before the page; more says that there are in its direction.
func (p Page) comesFrom(more bool) bool {
	return more && p.backwards || !p.backwards && (p.after != "" || p.offset > 0)
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
