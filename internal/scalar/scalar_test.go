package scalar_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/internal/scalar"
)

// readings are inputs of one scalar: as literals of a document, or as variables, whose
// numbers are json.Number.
type readings[T any] struct {
	read     func(any) (T, error)
	accepted map[string]struct {
		in   any
		want T
	}
	refused map[string]any
}

func (r readings[T]) check(t *testing.T) {
	t.Helper()
	for name, c := range r.accepted {
		t.Run("reads "+name, func(t *testing.T) {
			t.Parallel()
			got, err := r.read(c.in)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	for name, in := range r.refused {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			got, err := r.read(in)
			require.Error(t, err)
			require.Zero(t, got)
		})
	}
}

// notNumbers are what no number is read from.
func notNumbers() map[string]any {
	return map[string]any{
		"a text of digits":                  "12",
		"an empty text":                     "",
		"null":                              nil,
		"true":                              true,
		"a list":                            []any{int64(1)},
		"an object":                         map[string]any{"n": 1},
		"a fraction in a document":          1.5,
		"a fraction in a document, whole":   2.0,
		"a fraction in a variable":          json.Number("1.5"),
		"a fraction in a variable, whole":   json.Number("1.0"),
		"an exponent":                       json.Number("1e3"),
		"a number beyond 64 bits":           json.Number("9223372036854775808"),
		"a number below 64 bits":            json.Number("-9223372036854775809"),
		"a number far beyond":               json.Number("1e999999"),
		"a number that is empty":            json.Number(""),
		"a number in another writing":       json.Number("0x10"),
		"a number with something behind it": json.Number("12abc"),
	}
}

func TestInt(t *testing.T) {
	t.Parallel()
	r := readings[int]{read: scalar.UnmarshalInt, refused: notNumbers()}
	r.accepted = map[string]struct {
		in   any
		want int
	}{
		"a literal":         {int64(25), 25},
		"a variable":        {json.Number("25"), 25},
		"a default":         {25, 25},
		"zero":              {int64(0), 0},
		"minus zero":        {json.Number("-0"), 0},
		"the largest":       {json.Number("2147483647"), math.MaxInt32},
		"the smallest":      {json.Number("-2147483648"), math.MinInt32},
		"a literal at most": {int64(math.MaxInt32), math.MaxInt32},
	}
	r.refused["one more than the largest"] = json.Number("2147483648")
	r.refused["one less than the smallest"] = json.Number("-2147483649")
	r.refused["a literal one too large"] = int64(math.MaxInt32) + 1
	r.refused["a literal one too small"] = int64(math.MinInt32) - 1
	r.check(t)
}

func TestInt64(t *testing.T) {
	t.Parallel()
	r := readings[int64]{read: scalar.UnmarshalInt64, refused: notNumbers()}
	r.accepted = map[string]struct {
		in   any
		want int64
	}{
		"a literal":        {int64(25), 25},
		"a variable":       {json.Number("25"), 25},
		"beyond a float":   {json.Number("9007199254740993"), 9007199254740993},
		"the largest":      {json.Number("9223372036854775807"), math.MaxInt64},
		"the smallest":     {json.Number("-9223372036854775808"), math.MinInt64},
		"a literal's most": {int64(math.MaxInt64), math.MaxInt64},
	}
	r.check(t)
}

func TestDateTime(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, time.March, 4, 12, 0, 0, 0, time.UTC)
	r := readings[time.Time]{read: scalar.UnmarshalDateTime}
	r.accepted = map[string]struct {
		in   any
		want time.Time
	}{
		"UTC":                        {"2026-03-04T12:00:00Z", noon},
		"an offset to the east":      {"2026-03-04T17:30:00+05:30", noon},
		"an offset to the west":      {"2026-03-03T23:00:00-13:00", noon},
		"an offset of nothing":       {"2026-03-04T12:00:00+00:00", noon},
		"an offset that is unknown":  {"2026-03-04T12:00:00-00:00", noon},
		"fractions of a second":      {"2026-03-04T12:00:00.123456789Z", noon.Add(123456789)},
		"fractions that are nothing": {"2026-03-04T12:00:00.000Z", noon},
		"a leap day":                 {"2024-02-29T00:00:00Z", time.Date(2024, time.February, 29, 0, 0, 0, 0, time.UTC)},
	}
	r.refused = map[string]any{
		"a day":                     "2026-03-04",
		"no offset":                 "2026-03-04T12:00:00",
		"no seconds":                "2026-03-04T12:00Z",
		"a blank for the T":         "2026-03-04 12:00:00Z",
		"an hour of one digit":      "2026-03-04T9:00:00Z",
		"a comma":                   "2026-03-04T12:00:00,5Z",
		"an offset of a whole day":  "2026-03-04T12:00:00+24:00",
		"an offset without a colon": "2026-03-04T12:00:00+0530",
		"a day that never was":      "2026-02-30T12:00:00Z",
		"the hour 24":               "2026-03-04T24:00:00Z",
		"words":                     "tomorrow",
		"blanks around it":          " 2026-03-04T12:00:00Z",
		"an empty text":             "",
		"a number":                  int64(1772625600),
		"a variable's number":       json.Number("1772625600"),
		"null":                      nil,
		"a list":                    []any{"2026-03-04T12:00:00Z"},
	}
	r.check(t)
}

func TestDate(t *testing.T) {
	t.Parallel()
	r := readings[time.Time]{read: scalar.UnmarshalDate}
	r.accepted = map[string]struct {
		in   any
		want time.Time
	}{
		"a day, as its midnight in UTC": {"2026-03-04", time.Date(2026, time.March, 4, 0, 0, 0, 0, time.UTC)},
		"a leap day":                    {"2024-02-29", time.Date(2024, time.February, 29, 0, 0, 0, 0, time.UTC)},
	}
	r.refused = map[string]any{
		"a day that never was": "2023-02-29",
		"the month 13":         "2026-13-01",
		"an instant":           "2026-03-04T00:00:00Z",
		"short digits":         "2026-3-4",
		"another order":        "04.03.2026",
		"blanks around it":     "2026-03-04 ",
		"words":                "today",
		"an empty text":        "",
		"a number":             int64(20260304),
		"null":                 nil,
		"true":                 true,
	}
	r.check(t)
}

func TestWriting(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("CET", 60*60)
	for name, c := range map[string]struct {
		value graphql.Marshaler
		want  string
	}{
		"an Int":                             {scalar.MarshalInt(-12), `-12`},
		"an Int64 beyond a float":            {scalar.MarshalInt64(math.MaxInt64), `9223372036854775807`},
		"an instant":                         {scalar.MarshalDateTime(time.Date(2026, 3, 4, 9, 15, 27, 0, time.UTC)), `"2026-03-04T09:15:27Z"`},
		"an instant of elsewhere, in UTC":    {scalar.MarshalDateTime(time.Date(2026, 3, 4, 0, 15, 27, 0, berlin)), `"2026-03-03T23:15:27Z"`},
		"an instant with fractions":          {scalar.MarshalDateTime(time.Date(2026, 3, 4, 9, 15, 27, 120_000_000, time.UTC)), `"2026-03-04T09:15:27.12Z"`},
		"a day":                              {scalar.MarshalDate(time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)), `"2026-03-04"`},
		"a day before the year one thousand": {scalar.MarshalDate(time.Date(987, 3, 4, 0, 0, 0, 0, time.UTC)), `"0987-03-04"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			c.value.MarshalGQL(&out)
			require.Equal(t, c.want, out.String())
			require.True(t, json.Valid([]byte(out.String())))
		})
	}
}

func TestRefusalsSayWhatIsNeeded(t *testing.T) {
	t.Parallel()
	number := func(v any) error { _, err := scalar.UnmarshalInt(v); return err }
	instant := func(v any) error { _, err := scalar.UnmarshalDateTime(v); return err }
	day := func(v any) error { _, err := scalar.UnmarshalDate(v); return err }
	for want, err := range map[string]error{
		"a whole number is needed, not a text":                           number("12"),
		"a whole number is needed, not a fraction":                       number(1.5),
		"a whole number is needed, not null":                             number(nil),
		"a whole number is needed, not true or false":                    number(false),
		"a whole number is needed, not a list":                           number([]any{}),
		"a whole number is needed, not an object":                        number(map[string]any{}),
		"the number must fit 32 bits":                                    number(int64(1) << 31),
		"the number must be whole and fit 64 bits":                       number(json.Number("1.5")),
		"an RFC 3339 text is needed, not a number":                       instant(json.Number("1")),
		"an instant must be RFC 3339 text, such as 2026-03-04T09:15:27Z": instant("now"),
		"a text YYYY-MM-DD is needed, not a number":                      day(int64(1)),
		"a day must be text of the form YYYY-MM-DD":                      day("today"),
	} {
		require.EqualError(t, err, want, "the value itself may be personal")
	}
}
