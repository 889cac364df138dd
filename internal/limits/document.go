package limits

import (
	"math"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Document refuses a parsed document that is too large or too tangled to be
// validated, and tells how many nodes (selections, directives, variables and values)
// the document has. The document need not be valid: unknown fields and types are left
// to validation.
//
// Each definition is walked once and each fragment's measures are remembered, so
// the work is linear in the document however its fragments spread one another.
// Fragments that spread themselves, or fragments that do not exist, are refused.
//
// Uses of a field are counted per selection set and type condition, with inline
// fragments folded into the set they stand in and fragment spreads not. Spreads
// cannot be used to evade the count at a profit: Overlap bounds how often a name
// is used in the whole document, and with it the pairs of fields that validation
// compares.
func (c *Checker) Document(doc *ast.QueryDocument) (nodes int, err *gqlerror.Error) {
	if len(doc.Fragments) > c.limits.Fragments {
		return 0, refusal(CostLimitExceeded, nil, "the document defines %d fragments; at most %d are allowed",
			len(doc.Fragments), c.limits.Fragments)
	}
	w := newWalk(c.limits, doc)
	err = w.document(doc)
	return w.visited, err
}

// walk is one pass over one document.
type walk struct {
	limits     Limits
	fragments  map[string]*ast.FragmentDefinition
	measures   map[*ast.FragmentDefinition]measure
	open       map[*ast.FragmentDefinition]bool
	names      map[string]int // uses of each response name in the document
	overlap    int
	directives int
	visited    int
}

// measure is what a selection set amounts to once its fragments are expanded.
type measure struct {
	depth  int // fields nested in one another
	fields int // fields of the set itself
	size   int // selections at every level
}

// use is a field as one selection set uses it.
type use struct{ condition, name string }

func newWalk(l Limits, doc *ast.QueryDocument) *walk {
	w := &walk{
		limits:    l,
		fragments: make(map[string]*ast.FragmentDefinition, len(doc.Fragments)),
		measures:  make(map[*ast.FragmentDefinition]measure, len(doc.Fragments)),
		open:      map[*ast.FragmentDefinition]bool{},
		names:     map[string]int{},
	}
	for _, f := range doc.Fragments {
		if _, taken := w.fragments[f.Name]; !taken {
			w.fragments[f.Name] = f
		}
	}
	return w
}

func (w *walk) document(doc *ast.QueryDocument) *gqlerror.Error {
	for _, f := range doc.Fragments {
		if _, err := w.fragment(f); err != nil {
			return err
		}
	}
	size := 0
	for _, op := range doc.Operations {
		m, err := w.operation(op)
		if err != nil {
			return err
		}
		size = add(size, m.size)
	}
	if size > w.limits.Selections {
		return refusal(CostLimitExceeded, nil, "the document selects %s fields once its fragments are expanded; at most %d are allowed",
			approximate(size), w.limits.Selections)
	}
	return nil
}

func (w *walk) operation(op *ast.OperationDefinition) (measure, *gqlerror.Error) {
	if err := w.directiveList(op.Directives); err != nil {
		return measure{}, err
	}
	for _, v := range op.VariableDefinitions {
		w.visited++
		if err := w.directiveList(v.Directives); err != nil {
			return measure{}, err
		}
		if err := w.value(v.DefaultValue, "variable $"+v.Variable, 0); err != nil {
			return measure{}, err
		}
	}
	m, err := w.selections(op.SelectionSet, "", map[use]int{})
	if err != nil {
		return measure{}, err
	}
	if m.fields > w.limits.RootFields {
		return measure{}, refusal(CostLimitExceeded, op.Position, "the operation has %s root fields; at most %d are allowed",
			approximate(m.fields), w.limits.RootFields)
	}
	if m.depth > w.limits.Depth {
		return measure{}, refusal(CostLimitExceeded, op.Position, "the operation nests %s fields; at most %d are allowed",
			approximate(m.depth), w.limits.Depth)
	}
	return m, nil
}

// fragment measures a fragment the first time it is met.
func (w *walk) fragment(f *ast.FragmentDefinition) (measure, *gqlerror.Error) {
	if m, known := w.measures[f]; known {
		return m, nil
	}
	if w.open[f] {
		return measure{}, refusal(BadUserInput, f.Position, "a fragment must not spread itself")
	}
	w.open[f] = true
	if err := w.directiveList(f.Directives); err != nil {
		return measure{}, err
	}
	m, err := w.selections(f.SelectionSet, f.TypeCondition, map[use]int{})
	if err != nil {
		return measure{}, err
	}
	w.open[f] = false
	w.measures[f] = m
	return m, nil
}

// selections measures a set. The uses are shared with the inline fragments in it.
func (w *walk) selections(set ast.SelectionSet, condition string, uses map[use]int) (measure, *gqlerror.Error) {
	var total measure
	for _, selection := range set {
		w.visited++
		m, err := w.selection(selection, condition, uses)
		if err != nil {
			return measure{}, err
		}
		total.depth = max(total.depth, m.depth)
		total.fields = add(total.fields, m.fields)
		total.size = add(total.size, add(1, m.size))
	}
	return total, nil
}

func (w *walk) selection(selection ast.Selection, condition string, uses map[use]int) (measure, *gqlerror.Error) {
	switch s := selection.(type) {
	case *ast.Field:
		return w.field(s, condition, uses)
	case *ast.InlineFragment:
		if err := w.directiveList(s.Directives); err != nil {
			return measure{}, err
		}
		if s.TypeCondition != "" {
			condition = s.TypeCondition
		}
		return w.selections(s.SelectionSet, condition, uses)
	case *ast.FragmentSpread:
		if err := w.directiveList(s.Directives); err != nil {
			return measure{}, err
		}
		f, known := w.fragments[s.Name]
		if !known {
			return measure{}, refusal(BadUserInput, s.Position, "the document spreads a fragment it does not define")
		}
		return w.fragment(f)
	default:
		return measure{}, nil
	}
}

func (w *walk) field(f *ast.Field, condition string, uses map[use]int) (measure, *gqlerror.Error) {
	if err := w.count(f, condition, uses); err != nil {
		return measure{}, err
	}
	if err := w.directiveList(f.Directives); err != nil {
		return measure{}, err
	}
	if err := w.arguments(f.Arguments); err != nil {
		return measure{}, err
	}
	if len(f.SelectionSet) == 0 {
		return measure{depth: 1, fields: 1}, nil
	}
	m, err := w.selections(f.SelectionSet, "", map[use]int{})
	return measure{depth: add(1, m.depth), fields: 1, size: m.size}, err
}

// count keeps the two tallies that hold validation's comparison of fields down.
func (w *walk) count(f *ast.Field, condition string, uses map[use]int) *gqlerror.Error {
	// The square of n grows by 2n+1 with the next use.
	w.overlap = add(w.overlap, 2*w.names[f.Alias]+1)
	w.names[f.Alias]++
	if w.overlap > w.limits.Overlap {
		return refusal(CostLimitExceeded, f.Position, "the document repeats the same fields too often")
	}
	if f.Name == "__typename" && f.Alias == f.Name {
		return nil // clients add it to every set and every inline fragment
	}
	u := use{condition, f.Name}
	uses[u]++
	if uses[u] > w.limits.Aliases {
		return refusal(CostLimitExceeded, f.Position, "one field is used more than %d times in a selection set", w.limits.Aliases)
	}
	return nil
}

func (w *walk) directiveList(list ast.DirectiveList) *gqlerror.Error {
	for _, d := range list {
		w.visited++
		w.directives++
		if w.directives > w.limits.Directives {
			return refusal(CostLimitExceeded, d.Position, "the document has more than %d directives", w.limits.Directives)
		}
		if err := w.arguments(d.Arguments); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) arguments(list ast.ArgumentList) *gqlerror.Error {
	for _, a := range list {
		if err := w.value(a.Value, "argument "+a.Name, 0); err != nil {
			return err
		}
	}
	return nil
}

// value checks a literal; place names it for people.
func (w *walk) value(v *ast.Value, place string, nesting int) *gqlerror.Error {
	if v == nil {
		return nil
	}
	w.visited++
	switch v.Kind {
	case ast.StringValue, ast.BlockValue:
		if strings.ContainsRune(v.Raw, 0) {
			return refusal(BadUserInput, v.Position, "%s must not hold a NUL character", place)
		}
		return nil
	case ast.IntValue:
		if _, err := strconv.ParseInt(v.Raw, 10, 64); err != nil { // the executor would panic
			return refusal(BadUserInput, v.Position, "%s is a whole number of more than 64 bits", place)
		}
	case ast.FloatValue:
		if _, err := strconv.ParseFloat(v.Raw, 64); err != nil {
			return refusal(BadUserInput, v.Position, "%s is a number that is too large", place)
		}
	case ast.ListValue:
		if len(v.Children) > w.limits.ListLength {
			return refusal(BadUserInput, v.Position, "%s must list at most %d values", place, w.limits.ListLength)
		}
	}
	if len(v.Children) > 0 && nesting >= maxNesting {
		return refusal(BadUserInput, v.Position, "%s must not nest more than %d levels", place, maxNesting)
	}
	for _, child := range v.Children {
		if err := w.value(child.Value, place, nesting+1); err != nil {
			return err
		}
	}
	return nil
}

// ceiling stops sums and products before they overflow; far above any limit.
const ceiling = math.MaxInt32

func add(a, b int) int { return min(a+b, ceiling) }

// mul expects factors of at most ceiling, so that the product fits in 64 bits.
func mul(a, b int) int { return int(min(int64(a)*int64(b), ceiling)) }
