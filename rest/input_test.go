package rest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReading(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for name, c := range map[string]struct{ body, member, want string }{
		"the first name":                        {`{"title":"a"}`, "title", `"a"`},
		"the second name":                       {`{"name":"b"}`, "title", `"b"`},
		"both names: the first counts":          {`{"name":"b","title":"a"}`, "title", `"a"`},
		"both names: the first with a value":    {`{"title":null,"name":"b"}`, "title", `"b"`},
		"absent":                                {`{"title":"t"}`, "text", `null`},
		"null":                                  {`{"title":"t","text":null}`, "text", `null`},
		"empty":                                 {`{"title":"t","text":""}`, "text", `""`},
		"a text that looks like a truth":        {`{"title":"true"}`, "title", `"true"`},
		"a negative number":                     {`{"title":"t","n":-7}`, "n", `-7`},
		"minus zero":                            {`{"title":"t","n":-0}`, "n", `0`},
		"false":                                 {`{"title":"t","flag":false}`, "flag", `false`},
		"an instant of any offset":              {`{"title":"t","at":"2026-03-04T01:15:27.4801+02:00"}`, "at", `"2026-03-03T23:15:27.4801Z"`},
		"an instant without digits of a second": {`{"title":"t","at":"2026-03-04T01:15:27Z"}`, "at", `"2026-03-04T01:15:27Z"`},
		"an instant of nanoseconds":             {`{"title":"t","at":"2026-03-04T01:15:27.123456789Z"}`, "at", `"2026-03-04T01:15:27.123456789Z"`},
		"a day":                                 {`{"title":"t","at":"2026-03-04"}`, "at", `"2026-03-04T00:00:00Z"`},
		"a word":                                {`{"title":"t","word":"ANY"}`, "word", `"ANY"`},
		"no patch":                              {`{"title":"t"}`, "patch", `{"given":false,"value":null}`},
		"a patch to null":                       {`{"title":"t","patch":null}`, "patch", `{"given":true,"value":null}`},
		"a patch to a value":                    {`{"title":"t","patch":"p"}`, "patch", `{"given":true,"value":"p"}`},
		"no list":                               {`{"title":"t"}`, "list", `{"given":false,"items":[]}`},
		"no list but null":                      {`{"title":"t","list":null}`, "list", `{"given":false,"items":[]}`},
		"an empty list":                         {`{"title":"t","list":[]}`, "list", `{"given":true,"items":[]}`},
		"a list":                                {`{"title":"t","list":["a","b"]}`, "list", `{"given":true,"items":["a","b"]}`},
		"objects":                               {`{"title":"t","objects":[{"code":"a"},{"key":"b"},{}]}`, "codes", `["a","b",null]`},
		"an object":                             {`{"title":"t","object":{"inner":"i"}}`, "inner", `"i"`},
		"any value":                             {`{"title":"t","any":{"a":[1.50]}}`, "any", `{"a":[1.50]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := s.post(t, c.body)
			require.Equal(t, http.StatusOK, got.Status, got.Body)
			var read map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(got.Body), &read))
			require.Equal(t, c.want, string(read[c.member]))
		})
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	query := func(t *testing.T, text string) answer {
		t.Helper()
		return s.send(t, "GET", "/v0/shelf?"+text, nil, "X-Who", reader)
	}
	for name, c := range map[string]struct{ query, want string }{
		"nothing":                     {"", `{"text":null,"n":null,"flag":null,"at":null,"page":0,"size":20,"pages":8}`},
		"everything":                  {"text=a%20b&n=-7&flag=true&at=2026-03-04&pageNumber=3&pageSize=50", `{"text":"a b","n":-7,"flag":true,"at":"2026-03-04T00:00:00Z","page":3,"size":50,"pages":3}`},
		"the second name":             {"words=w", `{"text":"w","n":null,"flag":null,"at":null,"page":0,"size":20,"pages":8}`},
		"a plus is a space":           {"text=a+b", `{"text":"a b","n":null,"flag":null,"at":null,"page":0,"size":20,"pages":8}`},
		"a value that is empty":       {"text=", `{"text":"","n":null,"flag":null,"at":null,"page":0,"size":20,"pages":8}`},
		"a page that is cut":          {"pageSize=101", `{"text":null,"n":null,"flag":null,"at":null,"page":0,"size":100,"pages":2}`},
		"a page that is cut a lot":    {"pageSize=9223372036854775807", `{"text":null,"n":null,"flag":null,"at":null,"page":0,"size":100,"pages":2}`},
		"the last page":               {"pageNumber=2147483647", `{"text":null,"n":null,"flag":null,"at":null,"page":2147483647,"size":20,"pages":8}`},
		"unknown parameters twice":    {"zz=1&zz=2&te%00xt=%ff", `{"text":null,"n":null,"flag":null,"at":null,"page":0,"size":20,"pages":8}`},
		"a parameter that is unknown": {"zz=1", `{"text":null,"n":null,"flag":null,"at":null,"page":0,"size":20,"pages":8}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := query(t, c.query)
			require.Equal(t, http.StatusOK, got.Status, got.Body)
			require.JSONEq(t, c.want, got.Body)
		})
	}
	for name, c := range map[string]struct {
		query string
		want  []string
	}{
		"a parameter twice":             {"text=a&text=b", []string{`text="a"`}},
		"the same value twice":          {"n=1&n=1", []string{`n="1"`}},
		"a bad escape":                  {"text=%zz", []string{"$="}},
		"half an escape":                {"text=%4", []string{"$="}},
		"a semicolon":                   {"text=a;n=1", []string{"$="}},
		"NUL":                           {"text=a%00b", []string{`text="a\u0000b"`}},
		"invalid UTF-8":                 {"text=%ff", []string{`text="\ufffd"`}},
		"a word for a number":           {"n=seven", []string{`n="seven"`}},
		"nothing for a number":          {"n=", []string{`n=""`}},
		"a number of too many digits":   {"n=9223372036854775808", []string{`n="9223372036854775808"`}},
		"a word for a truth":            {"flag=TRUE", []string{`flag="TRUE"`}},
		"a page before the first":       {"pageNumber=-1", []string{`pageNumber="-1"`}},
		"a page beyond the last":        {"pageNumber=2147483648", []string{`pageNumber="2147483648"`}},
		"a page that is no number":      {"pageNumber=1.0", []string{`pageNumber="1.0"`}},
		"a page without rows":           {"pageSize=0", []string{`pageSize="0"`}},
		"a page of fewer":               {"pageSize=-5", []string{`pageSize="-5"`}},
		"several, in order of reading":  {"n=x&text=a&text=b&pageSize=0&pageNumber=x", []string{`pageNumber="x"`, `pageSize="0"`, `text="a"`, `n="x"`}},
		"a bad parameter and a bad one": {"n=x&n=y", []string{`n="x"`}},
	} {
		t.Run("refused: "+name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, query(t, c.query).problems(t))
		})
	}
}

// The domain's paths come back as the contract's, in the order of reading, with what was sent.
func TestExplain(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	const body = `{"first":"a","zweites":"b","items":[{"itemCode":"x"},{}],"pairs":{"k":"v"},"words":["w"]}`
	for name, c := range map[string]struct {
		fails string
		want  []string
	}{
		"a field":                        {"input.first", []string{`first="a"`}},
		"under the name that was sent":   {"input.second", []string{`zweites="b"`}},
		"a variable of the path":         {"id", []string{`id="7"`}},
		"an element":                     {"input.list[0].code", []string{`items[0].itemCode="x"`}},
		"an element that was not sent":   {"input.list[1].code", []string{`items[1].itemCode=`}},
		"a whole list":                   {"input.list", []string{`items=[{"itemCode":"x"},{}]`}},
		"an element of a list of texts":  {"input.words[0]", []string{`words[0]="w"`}},
		"what lies in what was read":     {"input.map.k", []string{`pairs.k=`}},
		"what lies deeper":               {"input.list[0].code.deep[2]", []string{`items[0].itemCode.deep[2]=`}},
		"what begins alike":              {"input.firstly", []string{`input.firstly=`}},
		"the contract's own name":        {"zweites", []string{`zweites="b"`}},
		"inside the contract's own name": {"pairs.k", []string{`pairs.k=`}},
		"what was never read":            {"input.else", []string{`input.else=`}},
		"no field at all":                {"nothing", []string{`=`}},
		"the first of one field":         {"input.first first input.first", []string{`first="a"`}},
		"in the order of reading":        {"input.words[0] nothing input.map.k pairs.a input.else input.second id input.list[1].code input.list[0].code input.first", []string{`id="7"`, `first="a"`, `zweites="b"`, `items[0].itemCode="x"`, `items[1].itemCode=`, `pairs.k=`, `pairs.a=`, `words[0]="w"`, `=`, `input.else=`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := s.send(t, "PUT", "/v0/shelf/7", strings.NewReader(body), "X-Who", writer, "Content-Type", "application/json", "X-Fail", c.fails)
			require.Equal(t, c.want, got.problems(t))
		})
	}
}
