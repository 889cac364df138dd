package db

import (
	"strconv"
	"strings"
)

// Args collects the bind values of one statement. Nothing a client sends reaches a
// statement's text in any other way.
type Args struct{ values []any }

// NewArgs starts with the given values, bound to $1, $2, ….
func NewArgs(values ...any) *Args { return &Args{values: values} }

// Bind adds a value and returns its placeholder.
func (a *Args) Bind(v any) string {
	a.values = append(a.values, v)
	return "$" + strconv.Itoa(len(a.values))
}

// Values returns what to pass beside the statement's text.
func (a *Args) Values() []any { return a.values }

// Column is a column that filters may name. Its text is written by the catalogue only.
type Column struct {
	SQL string // the column, such as t.code
	// Cast names the type of values, for a column that holds fewer values than clients may
	// send; empty: the column's own.
	Cast string
	// Within wraps a condition on another table's column, with %s where the condition
	// belongs: EXISTS (SELECT … WHERE … AND %s). Empty for a column of the row itself.
	Within string
}

// Expr is a condition of the filter language. The zero value is always true.
type Expr struct {
	write func(*strings.Builder, *Args)
	on    string // the one column that it bounds; empty when there is not just one
}

// IsZero reports whether e filters nothing.
func (e Expr) IsZero() bool { return e.write == nil }

// Bounds reports whether e does nothing but bound a column of the row itself, all of it at once: an
// index on the column then answers e whatever its values are.
func (e Expr) Bounds(column string) bool { return e.on == column && column != "" }

// SQL renders the condition, binding its values.
func (e Expr) SQL(args *Args) string {
	if e.IsZero() {
		return "true"
	}
	var b strings.Builder
	e.write(&b, args)
	return b.String()
}

// All is true when every condition is.
func All(es ...Expr) Expr {
	all := join(" AND ", es)
	all.on = common(es)
	return all
}

// common is the one column that all the conditions bound.
func common(es []Expr) string {
	on := ""
	for _, e := range es {
		switch {
		case e.IsZero():
		case e.on == "" || on != "" && on != e.on:
			return ""
		default:
			on = e.on
		}
	}
	return on
}

// Any is true when at least one condition is. Any of nothing is false.
func Any(es ...Expr) Expr {
	if len(es) == 0 {
		return Expr{write: func(b *strings.Builder, _ *Args) { b.WriteString("false") }}
	}
	for _, e := range es {
		if e.IsZero() {
			return Expr{}
		}
	}
	return join(" OR ", es)
}

func join(word string, es []Expr) Expr {
	var parts []Expr
	for _, e := range es {
		if !e.IsZero() {
			parts = append(parts, e)
		}
	}
	if len(parts) == 0 {
		return Expr{}
	}
	return Expr{write: func(b *strings.Builder, args *Args) {
		b.WriteByte('(')
		for i, e := range parts {
			if i > 0 {
				b.WriteString(word)
			}
			e.write(b, args)
		}
		b.WriteByte(')')
	}}
}

// Not is true when the condition is not: an unknown (a comparison with a missing value)
// counts as not true. Not of a condition that filters nothing filters nothing either.
func Not(e Expr) Expr {
	if e.IsZero() {
		return e
	}
	return Expr{write: func(b *strings.Builder, args *Args) {
		b.WriteByte('(')
		e.write(b, args)
		b.WriteString(" IS NOT TRUE)")
	}}
}

// Equal compares with one value.
func (c Column) Equal(v any) Expr { return c.compare(" = ", v) }

// Less is true below v.
func (c Column) Less(v any) Expr { return c.compare(" < ", v) }

// AtLeast is true at v and above.
func (c Column) AtLeast(v any) Expr { return c.compare(" >= ", v) }

// In is true when the column holds one of the values; list is a slice.
func (c Column) In(list any) Expr {
	return c.bound(func(b *strings.Builder, args *Args) {
		b.WriteString(c.SQL + " = ANY(" + args.Bind(list) + c.cast("[]") + ")")
	})
}

// StartsWith compares a prefix, byte by byte, in a form that a plain index answers; the
// column must have collation C.
func (c Column) StartsWith(prefix string) Expr {
	return c.bound(func(b *strings.Builder, args *Args) {
		b.WriteString(c.SQL + " >= " + args.Bind(prefix) + " AND " + c.SQL + " < " + args.Bind(prefix+"\U0010FFFF"))
	})
}

// Contains is true when the text is anywhere in the column, byte by byte; no index answers it.
func (c Column) Contains(text string) Expr {
	return c.condition(func(b *strings.Builder, args *Args) {
		b.WriteString("strpos(" + c.SQL + ", " + args.Bind(text) + ") > 0")
	})
}

// IsNull is true when the column holds nothing, or with null false, when it holds something.
// On another table's column it asks whether there is a row with a value.
func (c Column) IsNull(null bool) Expr {
	if null && c.Within != "" {
		return Not(c.IsNull(false))
	}
	return c.condition(func(b *strings.Builder, _ *Args) {
		b.WriteString(c.SQL + " IS ")
		if !null {
			b.WriteString("NOT ")
		}
		b.WriteString("NULL")
	})
}

func (c Column) compare(op string, v any) Expr {
	return c.bound(func(b *strings.Builder, args *Args) { b.WriteString(c.SQL + op + args.Bind(v) + c.cast("")) })
}

func (c Column) cast(suffix string) string {
	if c.Cast == "" {
		return ""
	}
	return "::" + c.Cast + suffix
}

// bound is a condition that an index on the column answers.
func (c Column) bound(write func(*strings.Builder, *Args)) Expr {
	e := c.condition(write)
	if c.Within == "" {
		e.on = c.SQL
	}
	return e
}

func (c Column) condition(write func(*strings.Builder, *Args)) Expr {
	if c.Within == "" {
		return Expr{write: write}
	}
	before, after, _ := strings.Cut(c.Within, "%s")
	return Expr{write: func(b *strings.Builder, args *Args) {
		b.WriteString(before)
		write(b, args)
		b.WriteString(after)
	}}
}
