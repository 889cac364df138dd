package limits

import (
	"reflect"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// RowsPerPoint is how many rows one cost point stands for.
const RowsPerPoint = 10

// Price is what an operation costs and what it may cost, in points.
type Price struct {
	Requested int `json:"requested"`
	Maximum   int `json:"maximum"`
}

// Price prices op, one of the document's operations, for coerced variables.
//
// It reports every page size outside 1 to the limit with the path of its field (a
// field in a fragment has the path of the fragment's first spread), or one error
// when the price exceeds the maximum. The Price is valid either way.
func (p *Plan) Price(op *ast.OperationDefinition, variables map[string]any) (Price, gqlerror.List) {
	operation := p.operations[op]
	if operation.fixed {
		return operation.price, operation.errs
	}
	return p.evaluate(operation, variables)
}

func (p *Plan) evaluate(op *priced, variables map[string]any) (Price, gqlerror.List) {
	e := evaluation{plan: p, variables: variables}
	if len(p.fragments) > 0 {
		e.fragments = make([]rows, len(p.fragments))
		e.known = make([]bool, len(p.fragments))
	}
	total := e.sum(op.terms).once
	price := Price{Requested: max(1, (total+RowsPerPoint-1)/RowsPerPoint), Maximum: p.limits.Cost}
	if len(e.errs) == 0 && price.Requested > price.Maximum {
		e.errs = append(e.errs, costError(price))
	}
	return price, e.errs
}

func costError(p Price) *gqlerror.Error {
	return refusal(CostLimitExceeded, nil, "the operation costs %d points; at most %d are allowed: ask for smaller pages or fewer nested lists",
		p.Requested, p.Maximum)
}

// rows is what a set of terms reads, as a linear function of the page size of the
// connection it stands in: once + page × perRow.
type rows struct{ once, perRow int }

// evaluation prices one operation for one set of variables.
type evaluation struct {
	plan      *Plan
	variables map[string]any
	fragments []rows // the memo that keeps the work linear
	known     []bool
	errs      gqlerror.List
}

func (e *evaluation) sum(terms []term) rows {
	var total rows
	for i := range terms {
		r := e.term(&terms[i])
		total.once = add(total.once, r.once)
		total.perRow = add(total.perRow, r.perRow)
	}
	return total
}

func (e *evaluation) term(t *term) rows {
	switch t.kind {
	case spreadTerm:
		return e.fragment(t.fragment)
	case totalTerm:
		return rows{once: totalRows}
	}
	inner := e.sum(t.children)
	switch t.kind {
	case pageTerm:
		return rows{perRow: inner.once}
	case connectionTerm:
		return rows{once: add(inner.once, mul(e.pageSize(t), add(1, inner.perRow)))}
	case listTerm:
		return rows{once: mul(e.length(t.rows), add(1, inner.once))}
	default:
		return rows{once: add(1, inner.once)}
	}
}

func (e *evaluation) fragment(i int) rows {
	if !e.known[i] {
		e.fragments[i] = e.sum(e.plan.fragments[i])
		e.known[i] = true
	}
	return e.fragments[i]
}

// pageSize returns the larger of first and last; a value that is not allowed is
// reported.
func (e *evaluation) pageSize(t *term) int {
	first, hasFirst := e.bound(t, "first", t.rows.first)
	last, hasLast := e.bound(t, "last", t.rows.last)
	if !hasFirst && !hasLast {
		return t.rows.otherwise
	}
	return max(first, last)
}

// bound resolves a page argument; it reports false for one that is absent or null.
func (e *evaluation) bound(t *term, name string, v *ast.Value) (int, bool) {
	n, ok := e.integer(v)
	if !ok {
		return 0, false
	}
	if n < 1 || n > int64(e.plan.limits.PageSize) {
		err := refusal(BadUserInput, v.Position, "%s must be between 1 and %d", name, e.plan.limits.PageSize)
		err.Path = t.path.path()
		e.errs = append(e.errs, err)
		return 0, true
	}
	return int(n), true
}

// integer resolves an Int. A literal beyond 64 bits counts as out of every range.
func (e *evaluation) integer(v *ast.Value) (int64, bool) {
	if v == nil {
		return 0, false
	}
	resolved, err := v.Value(e.variables)
	if err != nil {
		return -1, true
	}
	switch n := resolved.(type) {
	case int64:
		return n, true
	case nil:
		return 0, false
	default:
		return -1, true // unreachable once the variables are coerced; never a free pass
	}
}

// length returns how many values a list argument holds.
func (e *evaluation) length(a amount) int {
	v := a.ids
	if v == nil {
		return a.otherwise
	}
	if v.Kind == ast.ListValue {
		return len(v.Children)
	}
	if v.Kind != ast.Variable {
		return 1
	}
	resolved, err := v.Value(e.variables)
	if err != nil || resolved == nil {
		return a.otherwise
	}
	if list := reflect.ValueOf(resolved); list.Kind() == reflect.Slice {
		return list.Len()
	}
	return 1
}
