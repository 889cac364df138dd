package crm

import (
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/schema"

	"crmgraph/db"
)

// The catalogue declares every type and every edge of the graph once. Loaders, filters,
// orders, look-ahead and lookups by id are all driven by it. It is written only while the
// package initialises, by the variables of each noun's file.
var catalogue = struct {
	types map[string]nodeType        // by id prefix
	edges map[string]map[string]edge // by type and field name
}{map[string]nodeType{}, map[string]map[string]edge{}}

// Row identifies a record. Ids are unique within a tenant.
type Row struct {
	TenantID uuid.UUID `bun:"tenant_id,pk"`
	ID       uuid.UUID `bun:"id,pk"`
}

// Node is a record that the graph can find by its global id.
type Node interface {
	IsNode()
	NodeID() string
}

// Record describes one record type: its table, the columns behind its fields, what can be
// filtered and sorted, and who may see it.
type Record[T any] struct {
	shape

	name   string // as in the schema
	prefix string // of global ids
	view   Permission
	list   string // the select list
	byIDs  string // the statement for the rows of some ids
	paths  map[string]Path

	inserted, updated    []*schema.Field // the values of these statements, in order
	insertSQL, updateSQL string
}

// shape is how the rows of a type look, in SQL and in Go.
type shape struct {
	row     reflect.Type
	table   string
	join    string // adds the computed columns; empty when there are none
	timed   bool   // whether these ask for the time, as $2
	tenant  []int  // index of the field that holds the tenant
	columns []*schema.Field
	sql     []string             // of the columns; the table is t
	methods map[string]rowMethod // by the field that they make; others read all columns
	sorts   []string             // the columns that clients can sort by, beside the id
}

// Path is a filterable value of a type.
type Path struct {
	db.Column

	normalise func(string) string // brings a text to the form it is stored in; nil = as it is
	prefix    string              // of the ids it holds, for an id
	anyPrefix bool                // for an id of any type
	need      []Permission        // beside the type's own, for a value of another type
}

// computed is a row of values that are no columns of the type's table.
type computed struct {
	columns []string
	from    string // a select of these columns; $1 is the tenant and $2, if it is there, the time of the request
}

// newType reads the table and its columns from the bun tags of T. Filter paths are the
// columns named in it, by field name, and those added with filterable.
func newType[T any](name, prefix string, view Permission, more *computed) *Record[T] {
	table := pgdialect.New().Tables().Get(reflect.TypeFor[*T]())
	t := &Record[T]{
		shape: shape{row: reflect.TypeFor[T](), table: table.Name},
		name:  name, prefix: prefix, view: view, paths: map[string]Path{},
	}
	for _, f := range table.Fields {
		if f.Name == "tenant_id" { // known without asking
			t.tenant = f.Index
		} else {
			t.columns = append(t.columns, f)
			t.sql = append(t.sql, "t."+f.Name)
		}
	}
	if more != nil {
		t.join = " CROSS JOIN LATERAL (" + more.from + ") computed"
		t.timed = strings.Contains(more.from, "$2")
		for _, name := range more.columns {
			t.columns = append(t.columns, table.FieldMap[name])
			t.sql = append(t.sql, "computed."+name)
		}
	}
	t.list = strings.Join(t.sql, ", ")
	t.byIDs = t.byKey(byID)
	t.writes(table)
	t.paths["id"] = Path{Column: db.Column{SQL: "t.id"}, prefix: prefix}
	if _, taken := catalogue.types[prefix]; taken {
		panic("two types with id prefix " + prefix)
	}
	catalogue.types[prefix] = t
	return t
}

// writes makes the statements that insert a row and that update one by its id and, where the
// table counts changes, by the revision it had.
func (t *Record[T]) writes(table *schema.Table) {
	var names, places, sets []string
	for _, f := range table.Fields {
		if f.AutoIncrement {
			continue
		}
		t.inserted = append(t.inserted, f)
		names = append(names, f.Name)
		places = append(places, "$"+strconv.Itoa(len(names)))
		if f.Name != "created_at" {
			t.updated = append(t.updated, f)
			if !f.IsPK {
				sets = append(sets, f.Name+" = $"+strconv.Itoa(len(t.updated)))
			}
		}
	}
	t.insertSQL = fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", t.table, strings.Join(names, ", "), strings.Join(places, ", "))
	t.updateSQL = fmt.Sprintf("UPDATE %s SET %s WHERE tenant_id = $1 AND id = $2", t.table, strings.Join(sets, ", "))
	if t.field("revision") != nil {
		t.updateSQL += " AND revision = $" + strconv.Itoa(len(t.updated)+1)
	}
	// A row that is not there, or not as it was read, is an error of the statement itself: the
	// transaction's end may travel with it.
	t.updateSQL = "WITH changed AS (" + t.updateSQL + " RETURNING 1) SELECT 1 / count(*) FROM changed"
}

// field finds a column of the table, nil when there is none.
func (t *Record[T]) field(column string) *schema.Field {
	for _, f := range t.inserted {
		if f.Name == column {
			return f
		}
	}
	return nil
}

// key reads a column that holds an id, nil where it holds none.
func (t *Record[T]) key(column string) func(*T) *uuid.UUID {
	f := t.field(column)
	if f.IndirectType != reflect.TypeFor[uuid.UUID]() {
		panic(t.table + "." + column + " is no id")
	}
	return func(row *T) *uuid.UUID {
		place := reflect.ValueOf(row).Elem().FieldByIndex(f.Index)
		if f.IsPtr {
			return place.Interface().(*uuid.UUID)
		}
		return place.Addr().Interface().(*uuid.UUID)
	}
}

// withIDs are rows of which nothing but the ids is known.
func (t *Record[T]) withIDs(ids []uuid.UUID) []*T {
	place := t.key("id")
	rows := make([]*T, len(ids))
	for i, id := range ids {
		rows[i] = new(T)
		*place(rows[i]) = id
	}
	return rows
}

// stamp sets a column of a row, if the table has it.
func (t *Record[T]) stamp(row reflect.Value, column string, value any) {
	if f := t.field(column); f != nil {
		row.FieldByIndex(f.Index).Set(reflect.ValueOf(value))
	}
}

// values reads columns of a row. Lists are never null.
func (t *Record[T]) values(row reflect.Value, fields []*schema.Field) []any {
	values := make([]any, len(fields), len(fields)+1)
	for i, f := range fields {
		v := row.FieldByIndex(f.Index)
		if (v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8 || v.Kind() == reflect.Map) && v.IsNil() {
			if v.Kind() == reflect.Map {
				v = reflect.MakeMap(v.Type())
			} else {
				v = reflect.MakeSlice(v.Type(), 0, 0)
			}
		}
		values[i] = v.Interface()
	}
	return values
}

// identity is a row's id and, for a type that counts changes, its revision.
func (t *Record[T]) identity(row *T) (uuid.UUID, *int64) {
	v := reflect.ValueOf(row).Elem()
	id := v.FieldByName("ID").Interface().(uuid.UUID)
	if f := t.field("revision"); f != nil {
		revision := v.FieldByIndex(f.Index).Int()
		return id, &revision
	}
	return id, nil
}

// filterable offers fields to where and to lookups. It returns t for chaining.
func (t *Record[T]) filterable(paths map[string]Path) *Record[T] {
	maps.Copy(t.paths, paths)
	return t
}

// rowMethod is a method of the rows' type.
type rowMethod struct {
	call    func(row any) any
	columns []string
}

// method tells what makes a field of the graph, and of which columns, so that no others are read for
// it and nobody has to look for it by name. It returns t for chaining.
func (t *Record[T]) method(field string, call func(*T) any, columns ...string) *Record[T] {
	if t.methods == nil {
		t.methods = map[string]rowMethod{}
	}
	t.methods[field] = rowMethod{func(row any) any { return call(row.(*T)) }, columns}
	return t
}

// column is the path of a plain column.
func column(name string) Path { return Path{Column: db.Column{SQL: "t." + name}} }

// folded is the path of a column that stores a normalised text.
func folded(name string, normalise func(string) string) Path {
	return Path{Column: db.Column{SQL: "t." + name}, normalise: normalise}
}

// bound are the values that the select list needs: the tenant and, for some, the time.
func (t *Record[T]) bound(s *session, more ...any) []any {
	if t.timed {
		return append([]any{s.tenant, s.now}, more...)
	}
	return append([]any{s.tenant}, more...)
}

// param is the placeholder of the nth value, from 1, after the bound ones.
func (t *Record[T]) param(n int) string {
	if t.timed {
		n++
	}
	return "$" + strconv.Itoa(n+1)
}

// nodeID renders the global id of a row.
func (t *Record[T]) nodeID(id uuid.UUID) string { return t.prefix + "_" + id.String() }

// scan reads rows of a key followed by the type's select list.
func (t *Record[T]) scan(rows pgx.Rows, tenant uuid.UUID, each func(key uuid.UUID, row *T)) error {
	var key uuid.UUID
	into := reflect.ValueOf(&key).Elem()
	for in := db.NewScanner(rows); in.Next(); {
		row := new(T)
		v := reflect.ValueOf(row).Elem()
		err := in.Read(0, into)
		for i, f := range t.columns {
			if err == nil {
				err = in.Read(i+1, v.FieldByIndex(f.Index))
			}
		}
		if err != nil {
			return fmt.Errorf("read a %s: %w", t.name, err)
		}
		*v.FieldByIndex(t.tenant).Addr().Interface().(*uuid.UUID) = tenant
		each(key, row)
	}
	return rows.Err()
}

// order is a total order of a type's rows, named in cursors.
type order struct {
	name  string
	terms []db.Term
	index [][]int // of the fields behind the terms
}

// needsPlanning reports whether the best plan for a page in this order depends on the values of a
// filter. It does not when the filter bounds what the order begins with: the index of the order
// answers both.
func (o order) needsPlanning(match db.Expr) bool {
	return !match.IsZero() && !match.Bounds(o.terms[0].SQL)
}

// orderBy makes an order from column names; a leading minus sorts descending. The id is
// appended when it is missing, so that every two rows differ.
func (t *Record[T]) orderBy(columns ...string) order {
	last := strings.TrimPrefix(columns[len(columns)-1], "-")
	if last != "id" {
		columns = append(columns, strings.Replace(columns[len(columns)-1], last, "id", 1))
	}
	o := order{name: strings.Join(columns, ",")}
	for _, c := range columns {
		name := strings.TrimPrefix(c, "-")
		for _, f := range t.columns {
			if f.Name == name {
				o.terms = append(o.terms, db.Term{SQL: "t." + name, Cast: castOf(f), Desc: name != c})
				o.index = append(o.index, f.Index)
			}
		}
	}
	if len(o.terms) != len(columns) {
		panic(fmt.Sprintf("%s cannot be ordered by %v", t.name, columns))
	}
	return o
}

// castOf names the Postgres type that a cursor's text of the field is cast to.
func castOf(f *schema.Field) string {
	switch f.StructField.Type {
	case reflect.TypeFor[uuid.UUID]():
		return "uuid"
	case reflect.TypeFor[time.Time]():
		return "timestamptz"
	case reflect.TypeFor[int64](), reflect.TypeFor[int]():
		return "bigint"
	default:
		return "text"
	}
}

// cursorValues renders what the order compares.
func (o order) cursorValues(row any) []string {
	v := reflect.ValueOf(row).Elem()
	values := make([]string, len(o.index))
	for i, index := range o.index {
		switch value := v.FieldByIndex(index).Interface().(type) {
		case time.Time:
			values[i] = value.UTC().Format(time.RFC3339Nano)
		default:
			values[i] = fmt.Sprint(value)
		}
	}
	return values
}

// ParseID splits a global id into the catalogue's prefix and the row's id, and reports
// whether the text has that form.
func ParseID(id string) (prefix string, row uuid.UUID, ok bool) {
	prefix, text, found := strings.Cut(id, "_")
	if !found || len(text) != 36 {
		return "", uuid.Nil, false
	}
	if _, known := catalogue.types[prefix]; !known {
		return "", uuid.Nil, false
	}
	row, err := uuid.Parse(text)
	return prefix, row, err == nil
}
