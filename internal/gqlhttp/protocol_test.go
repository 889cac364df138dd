package gqlhttp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/internal/gqlhttp"
)

func TestMethods(t *testing.T) {
	t.Parallel()
	d := setup(t)

	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, "BREW"} {
		t.Run("refuses "+method, func(t *testing.T) {
			t.Parallel()
			got := d.send(t, method, "", typename, "Content-Type", jsonMedia)
			got.requireRefused(t, 405, "BAD_USER_INPUT", "use POST")
			require.Equal(t, "GET, OPTIONS, POST", got.header.Get("Allow"))
		})
	}

	t.Run("answers OPTIONS with what is allowed", func(t *testing.T) {
		t.Parallel()
		got := d.send(t, http.MethodOptions, "", "")
		require.Equal(t, 204, got.status)
		require.Equal(t, "GET, OPTIONS, POST", got.header.Get("Allow"))
		require.Empty(t, got.text)
	})

	t.Run("refuses mutations by GET for every media type and does not run them", func(t *testing.T) {
		t.Parallel()
		for _, accept := range []string{jsonMedia, responseMedia, "text/event-stream"} {
			got := d.send(t, http.MethodGet, "?query="+url.QueryEscape("mutation { increment(by: 3) }"), "", "Accept", accept)
			got.requireRefused(t, 405, "BAD_USER_INPUT", "mutations must be sent by POST")
			require.Equal(t, "POST", got.header.Get("Allow"))
		}
	})

	t.Run("runs the named operation of a GET", func(t *testing.T) {
		t.Parallel()
		values := url.Values{"query": {`query A { echo(text: "a") } query B { echo(text: "b") }`}, "operationName": {"B"}}
		got := d.send(t, http.MethodGet, "?"+values.Encode(), "")
		require.Contains(t, got.text, `"data":{"echo":"b`)
	})

	t.Run("refuses a GET whose parameters are malformed", func(t *testing.T) {
		t.Parallel()
		for query, message := range map[string]string{
			"":                                       "query is missing",
			"?query={a}&query={b}":                   "query is given twice",
			"?query=%FF":                             "query is not UTF-8",
			"?query={a}&variables=[1]":               "variables must be an object",
			"?query={a}&variables={}{}":              "variables must be an object",
			"?query={a}&extensions=3":                "extensions must be an object",
			"?query={a}&variables=%7B%22a%22:%zz%7D": "the query string cannot be read",
		} {
			d.send(t, http.MethodGet, query, "").requireRefused(t, 400, "BAD_USER_INPUT", message)
		}
	})
}

func TestAccept(t *testing.T) {
	t.Parallel()
	d := setup(t)
	for accept, want := range map[string]string{
		"application/*": jsonMedia,
		"application/graphql-response+json, application/json;q=0.9":  responseMedia,
		"application/json;q=0.5, application/graphql-response+json":  responseMedia,
		"application/graphql-response+json;q=0.4, */*;q=0.5":         jsonMedia,
		"application/json, application/graphql-response+json":        jsonMedia,
		"application/graphql-response+json, application/json":        responseMedia,
		"application/json;q=0, */*":                                  responseMedia,
		"text/html, application/xhtml+xml, */*;q=0.8":                jsonMedia,
		"application/json; charset=utf-8":                            jsonMedia,
		"application/json; charset=latin1, application/*;q=0.1":      jsonMedia,
		"APPLICATION/GraphQL-Response+JSON":                          responseMedia,
		"application/json;q=nonsense, application/json;q=0.2":        jsonMedia,
		"text/event-stream;q=0.1, application/graphql-response+json": responseMedia,
	} {
		t.Run(accept, func(t *testing.T) {
			t.Parallel()
			got := d.post(t, typename, "Accept", accept)
			require.Equal(t, 200, got.status)
			require.Equal(t, want+"; charset=utf-8", got.header.Get("Content-Type"))
		})
	}
	for _, accept := range []string{"text/html", "image/*", "application/json;q=0", "application/json;charset=utf-16", ";;;"} {
		t.Run("refuses "+accept, func(t *testing.T) {
			t.Parallel()
			d.post(t, typename, "Accept", accept).requireRefused(t, 406, "BAD_USER_INPUT", "the answer can be")
		})
	}

	t.Run("joins several headers", func(t *testing.T) {
		t.Parallel()
		got := d.post(t, typename, "Accept", "text/html", "Accept", responseMedia)
		require.Contains(t, got.header.Get("Content-Type"), responseMedia)
	})
}

func TestBody(t *testing.T) {
	t.Parallel()
	d := setup(t, func(o *gqlhttp.Options) { o.MaxBody = 10_000 })

	for _, content := range []string{
		"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql",
		"application/json; charset=latin1", "application/jsonp", "",
	} {
		t.Run("refuses the Content-Type "+content, func(t *testing.T) {
			t.Parallel()
			got := d.send(t, http.MethodPost, "", typename, "Content-Type", content)
			got.requireRefused(t, 415, "BAD_USER_INPUT", "Content-Type")
		})
	}

	for _, encoding := range []string{"gzip", "br", "zstd"} {
		t.Run("refuses a body encoded as "+encoding, func(t *testing.T) {
			t.Parallel()
			d.post(t, typename, "Content-Encoding", encoding).requireRefused(t, 415, "BAD_USER_INPUT", "compressed")
		})
	}

	for name, test := range map[string]struct{ body, message string }{
		"an array of requests":         {`[` + typename + `]`, "one JSON object"},
		"a scalar":                     {`"x"`, "one JSON object"},
		"null":                         {`null`, "one JSON object"},
		"trailing data":                {typename + typename, "not valid JSON"},
		"a trailing bracket":           {typename + "}", "not valid JSON"},
		"a missing bracket":            {`{"query":"{ __typename }"`, "not valid JSON"},
		"a repeated member":            {`{"query":"{ a }","query":"{ __typename }"}`, "query is given twice"},
		"repeated variables":           {`{"query":"{ a }","variables":{},"variables":null}`, "variables is given twice"},
		"a member in the wrong case":   {`{"QUERY":"{ __typename }"}`, "query is missing"},
		"an empty query":               {`{"query":""}`, "query is missing"},
		"a null query":                 {`{"query":null}`, "query is missing"},
		"invalid UTF-8":                {"{\"query\":\"{ \xff }\"}", "not UTF-8"},
		"a byte order mark":            {"\xef\xbb\xbf" + typename, "one JSON object"},
		"brackets without end":         {strings.Repeat("[", 9000), "one JSON object"},
		"a name that is not a string":  {`{1:2}`, "not valid JSON"},
		"an unknown member cut off":    {`{"x":[1,`, "not valid JSON"},
		"unknown members without end":  {`{"x":` + strings.Repeat("[", 9000), "not valid JSON"},
		"variables as deep as allowed": {`{"query":"query($a: JSON) { echo(any: $a) }","variables":{"a":` + strings.Repeat("[", 4000) + strings.Repeat("]", 4000) + `}}`, "nest more than 64 levels"},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			d.post(t, test.body, "Accept", responseMedia).requireRefused(t, 400, "BAD_USER_INPUT", test.message)
		})
	}

	t.Run("ignores unknown members", func(t *testing.T) {
		t.Parallel()
		got := d.post(t, `{"id":7,"query":"{ __typename }","other":{"query":"{ x }"}}`)
		require.Equal(t, 200, got.status)
		require.NotContains(t, got.result(t), "errors")
	})

	t.Run("takes a body at the limit and refuses one byte more", func(t *testing.T) {
		t.Parallel()
		padded := typename + strings.Repeat(" ", 10_000-len(typename))
		require.Equal(t, 200, d.post(t, padded).status)
		d.post(t, padded+" ").requireRefused(t, 413, "BAD_USER_INPUT", "too large")
	})

	t.Run("refuses a body without a length that grows too large", func(t *testing.T) {
		t.Parallel()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url, http.NoBody)
		require.NoError(t, err)
		r.Body = http.MaxBytesReader(nil, readCloser{strings.NewReader(typename + strings.Repeat(" ", 20_000))}, 1<<20)
		r.ContentLength = -1
		r.Header.Set("Content-Type", jsonMedia)
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer response.Body.Close()
		require.Equal(t, 413, response.StatusCode)
	})

	t.Run("says what it answers", func(t *testing.T) {
		t.Parallel()
		got := d.post(t, typename)
		require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"))
		require.Equal(t, "no-store", got.header.Get("Cache-Control"))
		require.NotEmpty(t, got.header.Get("Content-Length"))
		require.JSONEq(t, `{"data":{"__typename":"Query"},"extensions":{"cost":{"requested":1,"maximum":1000}}}`, got.text)
	})
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
