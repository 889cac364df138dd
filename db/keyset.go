package db

import "strings"

// Term is one part of an order. Together the terms of an order must tell any two rows apart.
type Term struct {
	SQL  string // a column without missing values
	Cast string // the Postgres type that a cursor's text is cast to
	Desc bool
}

// OrderBy renders the terms; backwards turns every direction round.
func OrderBy(terms []Term, backwards bool) string {
	parts := make([]string, len(terms))
	for i, t := range terms {
		parts[i] = t.SQL
		if t.Desc != backwards {
			parts[i] += " DESC"
		}
	}
	return strings.Join(parts, ", ")
}

// Beyond is true for the rows that come after the row with the given values in the order,
// or before it when backwards. There is one value, as text, for each term.
func Beyond(terms []Term, values []string, backwards bool) Expr {
	return Expr{write: func(b *strings.Builder, args *Args) {
		marks := make([]string, len(terms))
		for i, t := range terms {
			marks[i] = args.Bind(values[i]) + "::" + t.Cast
		}
		b.WriteByte('(')
		for i, t := range terms {
			if i > 0 {
				b.WriteString(" OR ")
			}
			for j := range i {
				b.WriteString(terms[j].SQL + " = " + marks[j] + " AND ")
			}
			op := " > "
			if t.Desc != backwards {
				op = " < "
			}
			b.WriteString(t.SQL + op + marks[i])
		}
		b.WriteByte(')')
		// The first column alone bounds the index scan; the exact test above cannot.
		if len(terms) > 1 {
			op := " >= "
			if terms[0].Desc != backwards {
				op = " <= "
			}
			b.WriteString(" AND " + terms[0].SQL + op + marks[0])
		}
	}}
}
