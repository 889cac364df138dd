package rest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func nested(depth int) string {
	return `{"title":"t","any":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
}

// Bodies that cannot be read as a whole.
func TestUnreadableBodies(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for name, body := range map[string]string{
		"nothing":                       "",
		"white space":                   " \r\n\t",
		"a word":                        "title",
		"a text":                        `"title"`,
		"a number":                      "12",
		"null":                          "null",
		"true":                          "true",
		"a list":                        `[{"title":"t"}]`,
		"two objects":                   `{"title":"t"} {"title":"u"}`,
		"an object and a bracket":       `{"title":"t"}}`,
		"an object and a comma":         `{"title":"t"},`,
		"half an object":                `{"title":"t"`,
		"half a member":                 `{"title":`,
		"half a text":                   `{"title":"t`,
		"half a list":                   `{"any":[1,`,
		"a comma too many":              `{"title":"t",}`,
		"a comma too many in a list":    `{"any":[1,]}`,
		"a comma too few":               `{"title":"t" "text":"u"}`,
		"a comma too few in a list":     `{"any":[1 2]}`,
		"no colon":                      `{"title" "t"}`,
		"the wrong bracket":             `{"any":[1}}`,
		"a name without quotes":         `{title:"t"}`,
		"a number for a name":           `{1:"t"}`,
		"a list for a name":             `{[]:"t"}`,
		"single quotes":                 `{'title':'t'}`,
		"a comment":                     `{"title":"t"} // yes`,
		"not a number":                  `{"n":NaN}`,
		"a number with a plus":          `{"n":+1}`,
		"a number with a leading zero":  `{"n":01}`,
		"a hexadecimal number":          `{"n":0x1}`,
		"a line break in a text":        "{\"title\":\"a\nb\"}",
		"a NUL as it is":                "{\"title\":\"a\x00b\"}",
		"a NUL in a name":               `{"ti\u0000tle":"t"}`,
		"a bad escape":                  `{"title":"\x41"}`,
		"half an escape":                `{"title":"\u00"}`,
		"invalid UTF-8":                 "{\"title\":\"a\xffb\"}",
		"invalid UTF-8 in a name":       "{\"a\xffb\":1}",
		"Latin-1":                       "{\"title\":\"caf\xe9\"}",
		"UTF-8 of a surrogate":          "{\"title\":\"\xed\xa0\x80\"}",
		"UTF-16":                        "{\x00\"\x00a\x00\"\x00:\x001\x00}\x00",
		"a byte order mark":             "\ufeff{\"title\":\"t\"}",
		"33 levels":                     nested(33),
		"100,000 levels":                nested(100_000),
		"objects in each other":         strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40),
		"brackets without end":          strings.Repeat("[", maxBody),
		"100,001 values":                `{"title":"t","any":[` + strings.Repeat("0,", 99_997) + `0]}`,
		"a NUL in the name of a member": `{"title":"t","object":{"\u0000":1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := s.post(t, body)
			require.Equal(t, []string{"$="}, got.problems(t))
			require.Less(t, len(got.Body), 1000)
		})
	}
}

// Bodies that can be read, be they strange.
func TestReadableBodies(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for name, c := range map[string]struct{ body, member, want string }{
		"100,000 values":               {`{"title":"t","list":[],"zz":[` + strings.Repeat("0,", 99_995) + `0]}`, "title", `"t"`},
		"white space around":           {" \r\n{ \"title\" :\t\"t\" }\n ", "title", `"t"`},
		"32 levels":                    {nested(32), "any", strings.Repeat("[", 31) + strings.Repeat("]", 31)},
		"members that nobody knows":    {`{"title":"t","unknown":{"a":[1,null,{}]},"":1}`, "title", `"t"`},
		"escapes in a name":            {`{"\u0074itle":"t"}`, "title", `"t"`},
		"an unknown member twice":      {`{"title":"t","zz":1,"zz":2}`, "title", `"t"`},
		"NUL in an unknown member":     {`{"title":"t","zz":{"a":"\u0000"}}`, "title", `"t"`},
		"another case is another name": {`{"title":"t","Title":"u"}`, "title", `"t"`},
		"a pair of surrogates":         {`{"title":"\ud83d\ude97"}`, "title", `"🚗"`},
		"half a pair of surrogates":    {`{"title":"a\ud83db"}`, "title", `"a�b"`},
		"the other half":               {`{"title":"\ude97"}`, "title", `"�"`},
		"the replacement character":    {`{"title":"�"}`, "title", `"�"`},
		"control characters":           {`{"title":"a\u0001\t\u007fb"}`, "title", `"a\u0001\tb"`},
		"a huge number":                {`{"title":"t","any":1e999999}`, "any", `1e999999`},
		"a number of many digits":      {`{"title":"t","any":-12345678901234567890.5e-3}`, "any", `-12345678901234567890.5e-3`},
		"white space inside a value":   {`{"title":"t","any": [ 1 , {"a" : "b, :c" } ] }`, "any", `[1,{"a":"b, :c"}]`},
		"the largest number":           {`{"title":"t","n":9223372036854775807}`, "n", `9223372036854775807`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := s.post(t, c.body)
			require.Equal(t, http.StatusOK, got.Status, got.Body)
			var read map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(got.Body), &read))
			require.Equal(t, strings.ReplaceAll(c.want, "\x7f", ""), strings.ReplaceAll(string(read[c.member]), "\x7f", ""))
		})
	}
}

// What is wrong with single values is told by their paths, with what was sent.
func TestBadValues(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"a member twice":                   {`{"title":"t","text":"a","text":"b"}`, []string{`text="a"`}},
		"a member three times":             {`{"title":"t","text":"a","text":"b","text":null}`, []string{`text="a"`}},
		"a member twice, escaped":          {`{"title":"t","text":"a","\u0074ext":"b"}`, []string{`text="a"`}},
		"a member of an object twice":      {`{"title":"t","object":{"inner":"a","inner":"b"}}`, []string{`object.inner="a"`}},
		"a member of a list's object":      {`{"title":"t","objects":[{},{"code":"a","code":"b"}]}`, []string{`objects[1].code="a"`}},
		"NUL in a text":                    {`{"title":"t","text":"a\u0000b"}`, []string{`text="a\u0000b"`}},
		"NUL alone":                        {`{"title":"\u0000"}`, []string{`title="\u0000"`}},
		"NUL in a list":                    {`{"title":"t","list":["a","\u0000"]}`, []string{`list[1]="\u0000"`}},
		"what is needed is absent":         {`{}`, []string{`title=`}},
		"what is needed is null":           {`{"title":null}`, []string{`title=null`}},
		"what is needed is blank":          {`{"title":" \t"}`, []string{`title=" \t"`}},
		"under its second name":            {`{"name":""}`, []string{`name=""`}},
		"a number for a text":              {`{"title":"t","text":12}`, []string{`text=12`}},
		"a list for a text":                {`{"title":[ "t" ]}`, []string{`title=["t"]`}},
		"a text for a number":              {`{"title":"t","n":"12"}`, []string{`n="12"`}},
		"a fraction for a number":          {`{"title":"t","n":1.5}`, []string{`n=1.5`}},
		"an exponent for a number":         {`{"title":"t","n":1e2}`, []string{`n=1e2`}},
		"a number beyond 64 bits":          {`{"title":"t","n":9223372036854775808}`, []string{`n=9223372036854775808`}},
		"a text for a truth":               {`{"title":"t","flag":"true"}`, []string{`flag="true"`}},
		"a number for a truth":             {`{"title":"t","flag":1}`, []string{`flag=1`}},
		"a word for a time":                {`{"title":"t","at":"now"}`, []string{`at="now"`}},
		"a day that is none":               {`{"title":"t","at":"2026-02-30"}`, []string{`at="2026-02-30"`}},
		"a time without a zone":            {`{"title":"t","at":"2026-02-03T10:00:00"}`, []string{`at="2026-02-03T10:00:00"`}},
		"a number for a time":              {`{"title":"t","at":1790000000}`, []string{`at=1790000000`}},
		"a text for a list":                {`{"title":"t","list":"a"}`, []string{`list="a"`}},
		"a number and null in a list":      {`{"title":"t","list":["a",1,null]}`, []string{`list[1]=1`, `list[2]=null`}},
		"a text in a list of objects":      {`{"title":"t","objects":[{},"a"]}`, []string{`objects[1]="a"`}},
		"a list for an object":             {`{"title":"t","object":[]}`, []string{`object=[]`}},
		"a number in an object":            {`{"title":"t","object":{"inner":1}}`, []string{`object.inner=1`}},
		"several, in the order of reading": {`{"flag":1,"n":"x","text":2}`, []string{`title=`, `text=2`, `n="x"`, `flag=1`}},
		"more than a list may have":        {`{"title":"t","list":[` + strings.Repeat("1,", 1000) + `1]}`, []string{`list=[` + strings.Repeat("1,", 1000) + `1]`}},
		"more than an object may have":     {`{"title":"t","object":{` + strings.Repeat(`"a":1,`, 1000) + `"a":1}}`, []string{`object={` + strings.Repeat(`"a":1,`, 1000) + `"a":1}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, s.post(t, c.body).problems(t))
		})
	}
	for name, element := range map[string]string{"numbers": "0", "objects": "{}", "texts with NUL": `"\u0000"`} {
		t.Run("a megabyte of "+name+" comes to an end", func(t *testing.T) {
			t.Parallel()
			for _, member := range []string{"list", "objects", "any", "title"} {
				body := `{"title":"t","` + member + `":[` + strings.Repeat(element+",", maxBody/(len(element)+1)-20) + element + `]}`
				require.LessOrEqual(t, len(body), maxBody)
				got := s.post(t, body)
				require.Less(t, got.Status, 500)
			}
		})
	}
}

func TestSizeOfBodies(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	sized := func(n int) string {
		const around = len(`{"title":""}`)
		return `{"title":"` + strings.Repeat("x", n-around) + `"}`
	}
	unsized := func(text string) io.Reader { return io.MultiReader(strings.NewReader(text)) } // sent in chunks
	for name, c := range map[string]struct {
		body   io.Reader
		status int
	}{
		"one MiB":                         {strings.NewReader(sized(maxBody)), 200},
		"one MiB in chunks":               {unsized(sized(maxBody)), 200},
		"one byte more":                   {strings.NewReader(sized(maxBody + 1)), 413},
		"one byte more in chunks":         {unsized(sized(maxBody + 1)), 413},
		"one byte more, of white space":   {strings.NewReader(sized(maxBody) + " "), 413},
		"four MiB":                        {strings.NewReader(sized(4 * maxBody)), 413},
		"four MiB in chunks":              {unsized(sized(4 * maxBody)), 413},
		"too much of what is not JSON":    {bytes.NewReader(make([]byte, maxBody+1)), 413},
		"a few bytes in chunks":           {unsized(`{"title":"t"}`), 200},
		"nothing in chunks":               {unsized(""), 400},
		"a megabyte that is one bad text": {strings.NewReader(`{"title":1` + strings.Repeat("0", maxBody-11) + `}`), 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := s.send(t, "POST", "/v0/shelf", c.body, "X-Who", writer, "Content-Type", "application/json")
			require.Equal(t, c.status, got.Status)
			if c.status == http.StatusRequestEntityTooLarge {
				require.JSONEq(t, `{"status":413,"message":"the body is larger than 1048576 bytes"}`, got.Body)
			}
		})
	}
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	const good, type415 = `{"title":"t"}`, 415
	for name, c := range map[string]struct {
		body   string
		header []string
		status int
	}{
		"JSON":                            {good, []string{"Content-Type", "application/json"}, 200},
		"JSON of a charset":               {good, []string{"Content-Type", "application/json; charset=utf-8"}, 200},
		"JSON of other parameters":        {good, []string{"Content-Type", `Application/JSON;profile="x y" ; v=1`}, 200},
		"JSON without an encoding":        {good, []string{"Content-Type", "application/json", "Content-Encoding", "Identity"}, 200},
		"none":                            {good, nil, type415},
		"none and no body":                {"", nil, 400},
		"JSON and no body":                {"", []string{"Content-Type", "application/json"}, 400},
		"another and no body":             {"", []string{"Content-Type", "text/plain"}, type415},
		"an empty one":                    {good, []string{"Content-Type", ""}, type415},
		"text":                            {good, []string{"Content-Type", "text/plain"}, type415},
		"a form":                          {"title=t", []string{"Content-Type", "application/x-www-form-urlencoded"}, type415},
		"another JSON":                    {good, []string{"Content-Type", "text/json"}, type415},
		"a patch":                         {good, []string{"Content-Type", "application/merge-patch+json"}, type415},
		"a longer word":                   {good, []string{"Content-Type", "application/jsonx"}, type415},
		"a bad parameter":                 {good, []string{"Content-Type", "application/json; =x"}, type415},
		"two types in one":                {good, []string{"Content-Type", "application/json, text/plain"}, type415},
		"gzip":                            {good, []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, type415},
		"an unknown encoding":             {good, []string{"Content-Type", "application/json", "Content-Encoding", "x"}, type415},
		"a bad type before a bad body":    {"{", []string{"Content-Type", "text/plain"}, type415},
		"who may not, before a bad type":  {good, []string{"Content-Type", "text/plain", "X-Who", "eve"}, 403},
		"what is accepted is not asked":   {good, []string{"Content-Type", "application/json", "Accept", "text/html"}, 200},
		"a type that is JSON in capitals": {good, []string{"Content-Type", "APPLICATION/JSON"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := c.header
			if c.status != http.StatusForbidden {
				header = append(header, "X-Who", writer)
			}
			got := s.send(t, "POST", "/v0/shelf", strings.NewReader(c.body), header...)
			require.Equal(t, c.status, got.Status, got.Body)
		})
	}
}
