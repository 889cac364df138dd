package gqlhttp

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzDecodeBody holds the request decoder against the standard library: it takes
// nothing that is not JSON, takes every plain request, and never quotes the body.
func FuzzDecodeBody(f *testing.F) {
	for _, seed := range []string{
		`{"query":"{ a }"}`,
		`{"query":"query Q($a: Int) { a }","operationName":"Q","variables":{"a":1e400,"b":[null,true,"\ud800"]},"extensions":{}}`,
		`{"query":null,"variables":null}`,
		`{"query":"a","query":"b"}`,
		`{"query":"a","other":{"query":[{}]}}`,
		`{"query":"a"}{"query":"b"}`,
		`{"query":"a"} x`,
		`[{"query":"a"}]`,
		`{"QUERY":"a"}`,
		"{\"query\":\"\xff\"}",
		"\xef\xbb\xbf{}",
		`{"variables":` + strings.Repeat("[", 100),
		`{"query":"\u0000"}`,
		`{"query":1,"variables":"x"}`,
		`nul`, ``, `{`, `{"`, `{"query"`, `{"query":`, `{"query":"a",`, `{"query":"a"]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		params, problem := decodeBody(body)
		if problem != nil {
			require.Nil(t, params)
			require.Equal(t, http.StatusBadRequest, problem.status)
			require.Len(t, problem.errs, 1)
			require.Less(t, len(problem.errs[0].Message), 60)
			return
		}
		require.NotEmpty(t, params.Query)
		var want map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(body, &want), "took what is not one JSON object")
		var query string
		require.NoError(t, json.Unmarshal(want["query"], &query))
		require.Equal(t, query, params.Query)
	})
}
