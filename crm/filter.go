package crm

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"

	"crmgraph/db"
)

// StringFilter compares a text. Operators given together must all hold.
type StringFilter struct {
	Eq         *string
	In         []string
	StartsWith *string
	IsNull     *bool
}

// IDFilter compares a global id.
type IDFilter struct {
	Eq     *string
	In     []string
	IsNull *bool
}

// Int64Filter compares a number.
type Int64Filter struct {
	Eq  *int64
	In  []int64
	Gte *int64
	Lt  *int64

	IsNull *bool
}

// DateTimeFilter compares an instant: gte is inclusive, lt exclusive.
type DateTimeFilter struct {
	Gte    *time.Time
	Lt     *time.Time
	IsNull *bool
}

// maxFilterList bounds the list of an in operator.
const maxFilterList = 250

// filter is one typed comparison; at names it in errors.
type filter interface {
	on(p Path, at string) (db.Expr, error)
}

func (f *StringFilter) on(p Path, at string) (db.Expr, error) {
	var all []db.Expr
	if f.Eq != nil {
		all = append(all, p.Equal(p.stored(*f.Eq)))
	}
	if f.In != nil {
		list := make([]string, len(f.In))
		for i, v := range f.In {
			list[i] = p.stored(v)
		}
		all = append(all, p.In(list))
	}
	if f.StartsWith != nil {
		prefix := p.stored(*f.StartsWith)
		if prefix == "" && *f.StartsWith != "" { // signs that no stored text has
			all = append(all, db.Any())
		} else {
			all = append(all, p.StartsWith(prefix))
		}
	}
	return db.All(append(all, p.isNull(f.IsNull))...), tooLong(len(f.In), at)
}

func (f *IDFilter) on(p Path, at string) (db.Expr, error) {
	var all []db.Expr
	if f.Eq != nil {
		expr, err := p.equal(*f.Eq, at+".eq")
		if err != nil {
			return db.Expr{}, err
		}
		all = append(all, expr)
	}
	if f.In != nil {
		ids := make([]uuid.UUID, len(f.In))
		for i, text := range f.In {
			id, err := p.id(text, fmt.Sprintf("%s.in[%d]", at, i))
			if err != nil {
				return db.Expr{}, err
			}
			ids[i] = id
		}
		all = append(all, p.In(ids))
	}
	return db.All(append(all, p.isNull(f.IsNull))...), tooLong(len(f.In), at)
}

func (f *Int64Filter) on(p Path, at string) (db.Expr, error) {
	var in db.Expr
	if f.In != nil {
		in = p.In(f.In)
	}
	return db.All(given(f.Eq, p.Equal), in, given(f.Gte, p.AtLeast), given(f.Lt, p.Less), p.isNull(f.IsNull)), tooLong(len(f.In), at)
}

func (f *DateTimeFilter) on(p Path, _ string) (db.Expr, error) {
	return db.All(given(f.Gte, p.AtLeast), given(f.Lt, p.Less), p.isNull(f.IsNull)), nil
}

// EnumFilter compares one word of a closed list.
type EnumFilter[E ~string] struct {
	Eq *E
	In []E
}

func (f *EnumFilter[E]) on(p Path, at string) (db.Expr, error) {
	var all []db.Expr
	if f.Eq != nil {
		all = append(all, p.Equal(string(*f.Eq)))
	}
	if f.In != nil {
		words := make([]string, len(f.In))
		for i, e := range f.In {
			words[i] = string(e)
		}
		all = append(all, p.In(words))
	}
	return db.All(all...), tooLong(len(f.In), at)
}

// given compares with a value that may not have been sent.
func given[T any](v *T, compare func(any) db.Expr) db.Expr {
	if v == nil {
		return db.Expr{}
	}
	return compare(*v)
}

// isNull asks for missing or present values, or for nothing when asked is nil.
func (p Path) isNull(asked *bool) db.Expr {
	if asked == nil {
		return db.Expr{}
	}
	return p.IsNull(*asked)
}

func tooLong(n int, at string) error {
	if n > maxFilterList {
		return invalidf(at+".in", "at most %d values may be listed, %d are given", maxFilterList, n)
	}
	return nil
}

// stored brings a text to the form the column holds.
func (p Path) stored(text string) string {
	if p.normalise == nil {
		return text
	}
	return p.normalise(text)
}

// equal compares with a value as a client sent it.
func (p Path) equal(value any, at string) (db.Expr, error) {
	text, ok := value.(string)
	switch {
	case ok && (p.prefix != "" || p.anyPrefix):
		id, err := p.id(text, at)
		return p.Equal(id), err
	case ok:
		return p.Equal(p.stored(text)), nil
	default:
		return p.Equal(value), nil
	}
}

// id reads a global id of the path's type. Errors: Invalid at field.
func (p Path) id(text, field string) (uuid.UUID, error) {
	prefix, id, ok := ParseID(text)
	if p.anyPrefix {
		if !ok {
			return uuid.Nil, invalidf(field, "%s must be an id of this graph", field)
		}
		return id, nil
	}
	if !ok || prefix != p.prefix {
		return uuid.Nil, invalidf(field, "%s must be an id of the form %s_…", field, p.prefix)
	}
	return id, nil
}

// where compiles a typed filter, a pointer to a struct whose fields are And, Or, Not or
// named as the type's paths. A nil filter matches everything.
// Errors: Invalid, naming the field; Forbidden for a path that needs more than the type.
func (t *Record[T]) where(ctx context.Context, input any, at string) (db.Expr, error) {
	v := reflect.ValueOf(input)
	if v.IsNil() {
		return db.Expr{}, nil
	}
	v = v.Elem()
	var all []db.Expr
	for i := range v.NumField() {
		if v.Field(i).IsNil() {
			continue
		}
		name := fieldName(v.Type().Field(i).Name)
		expr, err := t.whereField(ctx, name, v.Field(i), at+"."+name)
		if err != nil {
			return db.Expr{}, err
		}
		all = append(all, expr)
	}
	return db.All(all...), nil
}

func (t *Record[T]) whereField(ctx context.Context, name string, v reflect.Value, at string) (db.Expr, error) {
	switch name {
	case "not":
		expr, err := t.where(ctx, v.Interface(), at)
		return db.Not(expr), err
	case "and", "or":
		exprs := make([]db.Expr, v.Len())
		for i := range exprs {
			var err error
			if exprs[i], err = t.where(ctx, v.Index(i).Interface(), fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return db.Expr{}, err
			}
		}
		if name == "or" {
			return db.Any(exprs...), nil
		}
		return db.All(exprs...), nil
	default:
		p, ok := t.paths[name]
		if !ok {
			return db.Expr{}, invalidf(at, "%s cannot be filtered by %s", t.name, name)
		}
		if _, err := authorize(ctx, p.need...); err != nil {
			return db.Expr{}, err
		}
		return v.Interface().(filter).on(p, at)
	}
}

// fieldName turns a Go field name into the schema's: ID and VIN are words.
func fieldName(name string) string {
	if name == strings.ToUpper(name) {
		return strings.ToLower(name)
	}
	for i, r := range name {
		if i > 0 && r >= 'a' && r <= 'z' {
			return strings.ToLower(name[:max(1, i-1)]) + name[max(1, i-1):]
		}
	}
	return strings.ToLower(name)
}
