// Package scalar says how the graph's own scalars look on the wire.
package scalar

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// MarshalInt writes a number that fits the specification's Int.
func MarshalInt(n int) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Itoa(n)) })
}

// UnmarshalInt reads a whole number of 32 bits. Texts and fractions are refused.
func UnmarshalInt(v any) (int, error) {
	n, err := wholeNumber(v)
	if err != nil {
		return 0, err
	}
	if n < math.MinInt32 || n > math.MaxInt32 {
		return 0, errors.New("the number must fit 32 bits")
	}
	return int(n), nil
}

// MarshalInt64 writes a JSON number.
func MarshalInt64(n int64) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.FormatInt(n, 10)) })
}

// UnmarshalInt64 reads a whole number of 64 bits. Texts and fractions are refused.
func UnmarshalInt64(v any) (int64, error) { return wholeNumber(v) }

// wholeNumber reads what the parser (int64) or a JSON decoder (json.Number) made of a number.
func wholeNumber(v any) (int64, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case int:
		return int64(v), nil
	case json.Number:
		n, err := strconv.ParseInt(v.String(), 10, 64)
		if err != nil {
			return 0, errors.New("the number must be whole and fit 64 bits")
		}
		return n, nil
	default:
		return 0, fmt.Errorf("a whole number is needed, not %s", kindOf(v))
	}
}

// MarshalDateTime writes RFC 3339 in UTC, with fractions of a second only where there are any.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		buf := make([]byte, 0, len(time.RFC3339Nano)+2)
		buf = append(buf, '"')
		buf = t.UTC().AppendFormat(buf, time.RFC3339Nano)
		_, _ = w.Write(append(buf, '"'))
	})
}

// instant is the form of RFC 3339, which time.Parse takes less seriously: it reads hours of
// one digit, a comma before the fractions and offsets of a whole day.
var instant = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// UnmarshalDateTime reads RFC 3339 with any offset and returns UTC.
func UnmarshalDateTime(v any) (time.Time, error) {
	text, ok := v.(string)
	if !ok {
		return time.Time{}, fmt.Errorf("an RFC 3339 text is needed, not %s", kindOf(v))
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || !instant.MatchString(text) {
		return time.Time{}, errors.New("an instant must be RFC 3339 text, such as 2026-03-04T09:15:27Z")
	}
	return t.UTC(), nil
}

// MarshalDate writes YYYY-MM-DD.
func MarshalDate(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, `"`+t.Format(time.DateOnly)+`"`) })
}

// UnmarshalDate reads YYYY-MM-DD as midnight UTC.
func UnmarshalDate(v any) (time.Time, error) {
	text, ok := v.(string)
	if !ok {
		return time.Time{}, fmt.Errorf("a text YYYY-MM-DD is needed, not %s", kindOf(v))
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, errors.New("a day must be text of the form YYYY-MM-DD")
	}
	return t, nil
}

// kindOf names a JSON value's kind without repeating the value.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a text"
	case bool:
		return "true or false"
	case float64:
		return "a fraction"
	case int, int64, json.Number:
		return "a number"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}
