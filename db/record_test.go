package db_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"crmgraph/db"
	"crmgraph/internal/crmtest"
)

// sheet has a place of every kind that records are read into.
type sheet struct {
	Text    string
	Maybe   *string
	ID      uuid.UUID
	OtherID *uuid.UUID
	Count   int64
	Small   int
	Number  *int64
	Yes     bool
	Perhaps *bool
	At      time.Time
	Until   *time.Time
	Day     *time.Time
	Raw     json.RawMessage
	Lines   []line
	Counts  map[string]int
	Words   []string
	Amount  *float64
}

type line struct {
	Name string  `json:"name"`
	Note *string `json:"note"`
}

// fields are the places of a sheet.
func (s *sheet) fields() []db.Field {
	v := reflect.ValueOf(s).Elem()
	fields := make([]db.Field, v.NumField())
	for i := range fields {
		fields[i] = db.NewField(v.Field(i))
	}
	return fields
}

// Rows read into the same place one after the other leave nothing behind.
func TestFieldsForgetTheRowBefore(t *testing.T) {
	t.Parallel()
	const id = "018f0000-0000-7000-8000-000000000001"
	full := `SELECT ROW('a long text'::text, 'more'::varchar, '` + id + `'::uuid, '` + id + `'::uuid, 9::int8, -7::int4, 5::int2, true, true,
		timestamptz '1999-12-31 23:59:59.999999+02', timestamptz '2026-01-02 03:04:05Z', date '2024-02-29', '{"a": [1, null]}'::jsonb,
		'[{"name": "x", "note": "y"}, {"name": "z"}]'::jsonb, '{"a": 1, "b": 2}'::jsonb, ARRAY['p', 'q', 'r'], 1.5::float8)`
	less := `SELECT ROW('b'::text, ''::varchar, '00000000-0000-0000-0000-000000000000'::uuid, '00000000-0000-0000-0000-000000000000'::uuid, -1::int2, 0::int8, 0::int4, false, false,
		timestamptz '2000-01-01 00:00:00Z', timestamptz '1970-01-01 00:00:00Z', date '0999-01-01', 'null'::jsonb, '[{"name": ""}]'::jsonb, '{"c": 3}'::jsonb, '{}'::text[], 0::float8)`
	none := `SELECT ROW(NULL::text, NULL::varchar, NULL::uuid, NULL::uuid, NULL::int8, NULL::int4, NULL::int2, NULL::bool, NULL::bool, NULL::timestamptz,
		NULL::timestamptz, NULL::date, NULL::jsonb, NULL::jsonb, NULL::jsonb, NULL::text[], NULL::float8)`
	conn, err := pgx.Connect(t.Context(), crmtest.Migrated(t))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	read := func(sql string, fields []db.Field) {
		rows, err := conn.Query(t.Context(), sql)
		require.NoError(t, err)
		defer rows.Close()
		require.True(t, rows.Next())
		values, err := db.Values(rows.RawValues()[0], nil)
		require.NoError(t, err)
		require.Len(t, values, len(fields))
		for i := range fields {
			require.NoError(t, fields[i].Read(conn.TypeMap(), values[i]), "column %d", i)
		}
	}
	fresh := func(sql string) string {
		var s sheet
		read(sql, s.fields())
		return shown(t, &s)
	}
	require.Contains(t, fresh(full), "a long text")
	require.Contains(t, fresh(full), "1999-12-31T21:59:59.999999Z")
	require.NotContains(t, fresh(less), "long")
	var used sheet
	fields := used.fields()
	for _, sql := range []string{full, none, full, less, full, none, less, none} {
		read(sql, fields)
		require.Equal(t, fresh(sql), shown(t, &used))
	}
}

// shown is a sheet as text, as long as the row lasts that it was read from.
func shown(t *testing.T, s *sheet) string {
	t.Helper()
	text, err := json.Marshal(s)
	require.NoError(t, err)
	return string(text)
}

func TestElements(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), crmtest.Migrated(t))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	for sql, want := range map[string][][]byte{
		"SELECT '{}'::text[]":                  nil,
		"SELECT ARRAY['a', NULL, '', 'é']":     {[]byte("a"), nil, {}, []byte("é")},
		"SELECT ARRAY(SELECT 'x' WHERE false)": nil,
		"SELECT '[5:6]={a,b}'::text[]":         {[]byte("a"), []byte("b")},
	} {
		rows, err := conn.Query(t.Context(), sql)
		require.NoError(t, err)
		require.True(t, rows.Next())
		got, err := db.Elements(rows.RawValues()[0], nil)
		require.NoError(t, err, sql)
		require.Equal(t, want, got, sql)
		rows.Close()
	}
	_, err = db.Elements(array(2, 1), nil)
	require.Error(t, err, "an array of two dimensions")
	_, err = db.Elements(nil, nil)
	require.Error(t, err, "nothing")
}

// array begins an array in Postgres' binary form.
func array(dimensions, elements uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, dimensions)
	b = binary.BigEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint32(b, pgtype.TextOID)
	b = binary.BigEndian.AppendUint32(b, elements)
	return binary.BigEndian.AppendUint32(b, 1)
}

// Whatever the bytes, reading them ends with values or with an error.
func FuzzRecord(f *testing.F) {
	text := binary.BigEndian.AppendUint32(nil, 1)
	text = binary.BigEndian.AppendUint32(text, pgtype.TextOID)
	text = append(binary.BigEndian.AppendUint32(text, 2), "hi"...)
	huge := binary.BigEndian.AppendUint32(nil, 1<<31)
	for _, seed := range [][]byte{
		nil, {0}, text, text[:len(text)-1], huge, array(1, 1<<30), array(1, 0), array(0, 0), append(array(1, 1), 0xff, 0xff, 0xff, 0xff), append(array(1, 1), 0x7f, 0xff, 0xff, 0xff),
	} {
		for _, oid := range []uint32{pgtype.TextOID, pgtype.UUIDOID, pgtype.Int8OID, pgtype.BoolOID, pgtype.TimestamptzOID, pgtype.JSONBOID, pgtype.TextArrayOID, pgtype.DateOID, pgtype.NumericOID, 0} {
			f.Add(seed, oid)
		}
	}
	types := pgtype.NewMap()
	f.Fuzz(func(_ *testing.T, data []byte, oid uint32) {
		elements, _ := db.Elements(data, nil)
		values, _ := db.Values(data, nil)
		values = append(values, db.Value{OID: oid, Data: data})
		for _, e := range elements {
			values = append(values, db.Value{OID: oid, Data: e})
		}
		var s sheet
		fields := s.fields()
		for _, value := range values {
			for i := range fields {
				_ = fields[i].Read(types, value)
			}
		}
		_ = s.Text + string(s.Raw)
	})
}

// What a scanner reads stays, whatever the connection reads next.
func TestScanner(t *testing.T) {
	t.Parallel()
	type entry struct {
		Text    string
		Perhaps *string
		Number  int
		JSON    json.RawMessage
		List    []string
		At      *time.Time
	}
	const all = 2000 // more than fit into a connection's buffer
	const sql = `SELECT 'text ' || n, CASE WHEN n % 2 = 1 THEN 'perhaps ' || n END, n, jsonb_build_object('n', n), ARRAY['a', n::text],
		CASE WHEN n % 2 = 0 THEN timestamptz '2026-11-01 10:00Z' END FROM generate_series(1, $1) n`
	var entries []entry
	require.NoError(t, crmtest.Open(t, crmtest.Migrated(t)).Query(t.Context(), sql, []any{all}, func(rows pgx.Rows) error {
		for in := db.NewScanner(rows); in.Next(); {
			read := entry{Text: "old", Perhaps: new(string), At: new(time.Time)}
			into := reflect.ValueOf(&read).Elem()
			for i := range into.NumField() {
				require.NoError(t, in.Read(i, into.Field(i)))
			}
			entries = append(entries, read)
		}
		return rows.Err()
	}))
	require.Len(t, entries, all)
	for i, read := range entries {
		n := i + 1
		want := entry{Text: fmt.Sprintf("text %d", n), Number: n, JSON: fmt.Appendf(nil, `{"n": %d}`, n), List: []string{"a", strconv.Itoa(n)}}
		if n%2 == 1 {
			perhaps := fmt.Sprintf("perhaps %d", n)
			want.Perhaps = &perhaps
		} else {
			at := time.Date(2026, time.November, 1, 10, 0, 0, 0, time.UTC)
			want.At = &at
		}
		require.Equal(t, want, read)
	}
}

func TestScannerRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	d := crmtest.Open(t, crmtest.Migrated(t))
	for sql, into := range map[string]any{
		"SELECT NULL::text":              new(string),
		"SELECT NULL::timestamptz":       new(time.Time),
		"SELECT 5000000000::int8":        new(int32),
		"SELECT 'infinity'::timestamptz": new(time.Time),
	} {
		require.Error(t, d.Query(t.Context(), sql, nil, func(rows pgx.Rows) error {
			in := db.NewScanner(rows)
			require.True(t, in.Next())
			return in.Read(0, reflect.ValueOf(into).Elem())
		}), sql)
	}
}
