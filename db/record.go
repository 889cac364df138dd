package db

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"
	"unsafe"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// errMalformed is what reading says to bytes that are no value of the expected type.
var errMalformed = errors.New("malformed binary value from the database")

// EachRecord hands the only value of each row, a record, to read, which must not keep it. types are
// those of the connection.
func EachRecord(rows pgx.Rows, read func(types *pgtype.Map, record []byte) error) error {
	for rows.Next() {
		if rows.FieldDescriptions()[0].Format != pgx.BinaryFormatCode {
			return errors.New("records are read in their binary form")
		}
		if err := read(rows.Conn().TypeMap(), rows.RawValues()[0]); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Elements appends the elements of an array in Postgres' binary form to list, nil for a null
// one. They share the array's memory.
func Elements(array []byte, list [][]byte) ([][]byte, error) {
	if len(array) < 12 {
		return list, errMalformed
	}
	dimensions := binary.BigEndian.Uint32(array)
	array = array[12:] // dimensions, whether there are nulls, type of the elements
	if dimensions == 0 {
		return list, nil
	}
	if dimensions != 1 || len(array) < 8 {
		return list, errMalformed
	}
	n := binary.BigEndian.Uint32(array)
	array = array[8:] // size and lower bound
	for range n {
		value, rest, err := cutValue(array)
		if err != nil {
			return list, err
		}
		list, array = append(list, value), rest
	}
	return list, nil
}

// Value is one column of a row in Postgres' binary form. It shares the memory it was read from.
type Value struct {
	OID  uint32
	Data []byte // nil for null
}

// Values appends the columns of a record in Postgres' binary form to list.
func Values(record []byte, list []Value) ([]Value, error) {
	if len(record) < 4 {
		return list, errMalformed
	}
	n := binary.BigEndian.Uint32(record)
	record = record[4:]
	for range n {
		if len(record) < 4 {
			return list, errMalformed
		}
		oid := binary.BigEndian.Uint32(record)
		data, rest, err := cutValue(record[4:])
		if err != nil {
			return list, err
		}
		list, record = append(list, Value{OID: oid, Data: data}), rest
	}
	return list, nil
}

// cutValue reads a length, -1 for null, and as many bytes.
func cutValue(from []byte) (value, rest []byte, err error) {
	if len(from) < 4 {
		return nil, nil, errMalformed
	}
	n := int32(binary.BigEndian.Uint32(from))
	from = from[4:]
	switch {
	case n < 0:
		return nil, from, nil
	case int(n) > len(from):
		return nil, nil, errMalformed
	default:
		return from[:n:n], from[n:], nil
	}
}

// Field is a place that columns are read into again and again without taking memory: texts
// share that of the value they were read from and are gone when it is.
type Field struct {
	place reflect.Value
	cell  reflect.Value // what a pointer at place points to, when it points to anything
}

// NewField makes the field of an addressable place.
func NewField(place reflect.Value) Field {
	f := Field{place: place}
	if place.Kind() == reflect.Pointer {
		f.cell = reflect.New(place.Type().Elem())
	}
	return f
}

// Read sets the place to the value. Types that it does not know go to types, which takes memory.
func (f *Field) Read(types *pgtype.Map, value Value) error {
	if value.Data == nil {
		f.place.SetZero()
		return nil
	}
	if !f.cell.IsValid() {
		return read(types, f.place, value)
	}
	if err := read(types, f.cell.Elem(), value); err != nil {
		return err
	}
	f.place.Set(f.cell)
	return nil
}

// Scanner reads the rows of an answer column by column. What it reads is there to stay: the values of
// a row share memory of their own.
type Scanner struct {
	rows   pgx.Rows
	values [][]byte // of the row
}

// NewScanner makes a scanner of the rows that have not been read.
func NewScanner(rows pgx.Rows) Scanner { return Scanner{rows: rows} }

// Next goes on to the next row, and reports whether there is one. When there is none, the rows' Err says
// whether that is the end.
func (s *Scanner) Next() bool {
	if !s.rows.Next() {
		return false
	}
	raw := s.rows.RawValues()
	size := 0
	for _, value := range raw {
		size += len(value)
	}
	memory := make([]byte, 0, size)
	s.values = s.values[:0]
	for _, value := range raw {
		if value == nil {
			s.values = append(s.values, nil)
			continue
		}
		start := len(memory)
		memory = append(memory, value...)
		s.values = append(s.values, memory[start:len(memory):len(memory)])
	}
	return true
}

// Read reads a column of the row into an addressable place, which can be nil for a column that can be null.
func (s *Scanner) Read(column int, into reflect.Value) error {
	data := s.values[column]
	if data == nil {
		if kind := into.Kind(); kind != reflect.Pointer && kind != reflect.Slice && kind != reflect.Map {
			return fmt.Errorf("read null into a %s", into.Type())
		}
		into.SetZero()
		return nil
	}
	if into.Kind() == reflect.Pointer {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	types, field := s.rows.Conn().TypeMap(), s.rows.FieldDescriptions()[column]
	switch {
	case field.Format == pgx.BinaryFormatCode, isText(field.DataTypeOID): // a text is the same in both forms
		return read(types, into, Value{OID: field.DataTypeOID, Data: data})
	case field.DataTypeOID == pgtype.JSONBOID && into.Type() == rawJSON: // pgx asks for it as text
		into.SetBytes(data)
		return nil
	default:
		return types.Scan(field.DataTypeOID, field.Format, data, into.Addr().Interface())
	}
}

func isText(oid uint32) bool {
	return oid == pgtype.TextOID || oid == pgtype.VarcharOID || oid == pgtype.BPCharOID
}

func read(types *pgtype.Map, into reflect.Value, value Value) error {
	data := value.Data
	if isText(value.OID) && into.Kind() == reflect.String {
		into.SetString(unsafe.String(unsafe.SliceData(data), len(data))) //nolint:gosec // the memory is not written to while the text lasts
		return nil
	}
	switch value.OID {
	case pgtype.UUIDOID:
		if id, ok := reflect.TypeAssert[*uuid.UUID](into.Addr()); ok && len(data) == len(id) {
			copy(id[:], data)
			return nil
		}
	case pgtype.Int8OID, pgtype.Int4OID, pgtype.Int2OID:
		if into.CanInt() {
			return readInt(into, data)
		}
	case pgtype.BoolOID:
		if into.Kind() == reflect.Bool && len(data) == 1 {
			into.SetBool(data[0] != 0)
			return nil
		}
	case pgtype.TimestamptzOID:
		if at, ok := reflect.TypeAssert[*time.Time](into.Addr()); ok && len(data) == 8 {
			return readInstant(at, int64(binary.BigEndian.Uint64(data)))
		}
	case pgtype.JSONBOID:
		if into.Type() == rawJSON && len(data) > 0 && data[0] == 1 { // the version of the format
			into.SetBytes(data[1:])
			return nil
		}
	}
	if err := types.Scan(value.OID, pgx.BinaryFormatCode, data, into.Addr().Interface()); err != nil {
		return fmt.Errorf("read a value of type %d: %w", value.OID, err)
	}
	return nil
}

var rawJSON = reflect.TypeFor[json.RawMessage]()

func readInt(into reflect.Value, data []byte) error {
	var n int64
	switch len(data) {
	case 8:
		n = int64(binary.BigEndian.Uint64(data))
	case 4:
		n = int64(int32(binary.BigEndian.Uint32(data)))
	case 2:
		n = int64(int16(binary.BigEndian.Uint16(data)))
	default:
		return errMalformed
	}
	if into.OverflowInt(n) {
		return fmt.Errorf("read %d into an %s", n, into.Type())
	}
	into.SetInt(n)
	return nil
}

// epoch is where Postgres counts time from, in seconds of Unix.
const epoch = 946684800

// readInstant reads the time so many microseconds after Postgres' epoch, UTC. There is no time for
// Postgres' infinities.
func readInstant(at *time.Time, microseconds int64) error {
	if microseconds == math.MinInt64 || microseconds == math.MaxInt64 {
		return errMalformed
	}
	*at = time.Unix(epoch+microseconds/1_000_000, microseconds%1_000_000*1000).UTC()
	return nil
}
