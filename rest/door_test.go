package rest_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/rest"
)

func TestRouting(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for _, c := range []struct {
		method, path string
		status       int
		says         string // a part of the body, or the Allow header of a 405
	}{
		{"GET", "/v0/shelf", 200, `"size":20`},
		{"GET", "/v0/shelf/7", 200, `{"id":"7","route":"S-03"}`},
		{"GET", "/v0/shelf/top", 200, `{"id":"top","route":"S-03"}`},
		{"GET", "/v0/shelf/find", 200, `{"id":"find","route":"S-03"}`},
		{"POST", "/v0/shelf/find", 200, `"S-13"`},
		{"GET", "/v0/shelf/top/7", 200, `{"id":"7","route":"S-10"}`},
		{"GET", "/v0/shelf/7/books", 200, `{"id":"7","route":"S-11"}`},
		{"GET", "/v0/shelf/top/books", 200, `{"id":"books","route":"S-10"}`},
		{"POST", "/v0/shelf/top/books", 200, `{"id":"top","route":"S-12"}`},
		{"POST", "/v0/shelf/top/7", 405, "GET"},
		{"DELETE", "/v0/shelf/top/books", 405, "GET"},
		{"DELETE", "/v0/shelf/7/books", 405, "GET, POST"},
		{"POST", "/v0/shelf/7", 405, "DELETE, GET, PUT"},
		{"PATCH", "/v0/shelf/7", 405, "DELETE, GET, PUT"},
		{"PATCH", "/v0/shelf/find", 405, "POST"},
		{"HEAD", "/v0/shelf/7", 405, "DELETE, GET, PUT"},
		{"OPTIONS", "/v0/shelf/7", 405, "DELETE, GET, PUT"},
		{"TRACE", "/v0/shelf", 405, "GET, POST"},
		{"get", "/v0/shelf", 405, "GET, POST"},
		{"BREW", "/v0/shelf", 405, "GET, POST"},
		{"GET", "/v0/shelf/", 404, ""},
		{"GET", "/v0/shelf/7/", 404, ""},
		{"GET", "/v0/shelf//7", 404, ""},
		{"GET", "/v0//shelf", 404, ""},
		{"GET", "//v0/shelf", 404, ""},
		{"GET", "/v0/./shelf", 404, ""},
		{"GET", "/x/../v0/shelf", 404, ""},
		{"GET", "/v0/shelf/../../x", 404, ""},
		{"GET", "/v0/shelf/7/nothing", 404, ""},
		{"GET", "/v0/shelf/7/books/8", 404, ""},
		{"GET", "/v0/shelf%2F7", 404, ""},
		{"GET", "/v0%2Fshelf", 404, ""},
		{"GET", "/v0/shelf/reserved", 404, ""},
		{"PUT", "/v0/shelf/reserved", 404, ""},
		{"DELETE", "/v0/shelf/reserved", 404, ""},
		{"POST", "/v0/shelf/reserved/books", 404, ""},
		{"GET", "/v0/shelf/%72eserved", 404, ""},
		{"GET", "/v0/shelf/Reserved", 200, `"id":"Reserved"`},
		{"GET", "/v0/shelf/a%2Fb", 200, `"id":"a/b"`},
		{"GET", "/v0/shelf/a%2Fbooks", 200, `"route":"S-03"`},
		{"GET", "/v0/shelf/%2e%2E", 200, `"id":".."`},
		{"GET", "/v0/shelf/a+b%20c", 200, `"id":"a+b c"`},
		{"GET", "/v0/shelf/%C3%A9", 200, `"id":"é"`},
		{"GET", "/v0/shelf/a;b=c", 200, `"id":"a;b=c"`},
		{"GET", "/v0/shelf/%74op/7", 200, `"route":"S-10"`},
		{"GET", "/V0/shelf", 418, ""},
		{"GET", "/v0/Shelf", 418, ""},
		{"GET", "/v0/shelfs", 418, ""},
		{"GET", "/v0", 418, ""},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			t.Parallel()
			body := ""
			if c.method == "POST" {
				body = "{}"
			}
			got := s.send(t, c.method, c.path, strings.NewReader(body), "X-Who", writer, "Content-Type", "application/json", "X-Correlation-Id", "abc-1")
			require.Equal(t, c.status, got.Status, got.Body)
			require.Equal(t, []string{"abc-1"}, got.Header.Values("X-Correlation-Id"))
			if c.status == http.StatusMethodNotAllowed {
				require.Equal(t, []string{c.says}, got.Header.Values("Allow"))
				return
			}
			require.Empty(t, got.Header.Values("Allow"))
			require.Contains(t, got.Body, c.says)
			if c.status == http.StatusNotFound {
				require.Equal(t, "application/json", got.Header.Get("Content-Type"))
			}
		})
	}
}

func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	const outsider = "eve crm:other:view"
	for name, c := range map[string]struct {
		method, path, who, body string
		status                  int
	}{
		"an unknown path, whoever asks":             {"GET", "/v0/shelf/7/nothing", "", "", 404},
		"an unknown method, whoever asks":           {"PATCH", "/v0/shelf", "", "", 405},
		"who asks, before anything else":            {"GET", "/v0/shelf/reserved", "", "", 401},
		"who asks, before the body":                 {"POST", "/v0/shelf", "", "{", 401},
		"what they may, before reserved words":      {"GET", "/v0/shelf/reserved", outsider, "", 403},
		"what they may, before the body":            {"POST", "/v0/shelf", reader, "{", 403},
		"what they may, before a stub":              {"POST", "/v0/shelf/7/stub", reader, "{}", 403},
		"a stub looks at neither id nor body":       {"POST", "/v0/shelf/reserved/stub", writer, "{", 501},
		"reserved words, before the body":           {"PUT", "/v0/shelf/reserved", writer, "{", 404},
		"the body, before the operation":            {"PUT", "/v0/shelf/7", writer, "{", 400},
		"a query that no operation looks at":        {"DELETE", "/v0/shelf/7?a=1&a=2&b=%zz", writer, "", 204},
		"a body where none is documented is let be": {"DELETE", "/v0/shelf/7", writer, "{", 204},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := []string{"Content-Type", "application/json"}
			if c.who != "" {
				header = append(header, "X-Who", c.who)
			}
			got := s.send(t, c.method, c.path, strings.NewReader(c.body), header...)
			require.Equal(t, c.status, got.Status, got.Body)
			if c.status == http.StatusNoContent {
				require.Empty(t, got.Body)
				require.Empty(t, got.Header.Get("Content-Type"))
			}
		})
	}
}

func TestIncludedRights(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	got := s.send(t, "GET", "/v0/shelf/7/rights", nil, "X-Who", reader)
	require.JSONEq(t, `{"caller":false,"handler":true,"subject":"ada"}`, got.Body)
}

// Not even a set of permissions is there.
func TestCallerWithoutPermissions(t *testing.T) {
	t.Parallel()
	s := newShelf(t, func(o *rest.Options) {
		o.Authenticate = func(*http.Request) (*crm.Principal, error) { return &crm.Principal{Subject: "nobody"}, nil }
	})
	require.Equal(t, http.StatusForbidden, s.send(t, "GET", "/v0/shelf/7/rights", nil).Status)
}

func TestResponses(t *testing.T) {
	t.Parallel()
	s := newShelf(t, func(o *rest.Options) {
		day := time.Date(2026, time.March, 31, 0, 0, 0, 0, time.UTC)
		o.Notice = rest.Notice{Deprecated: day, Sunset: day.AddDate(1, 0, 0), Successor: "/graphql"}
	})
	got := s.send(t, "POST", "/v0/shelf/7/made", strings.NewReader("{}"), "X-Who", writer, "Content-Type", "application/json")
	require.Equal(t, http.StatusCreated, got.Status)
	require.Equal(t, "/v0/shelf/7", got.Header.Get("Location"))
	for name, a := range map[string]answer{
		"a good answer": got,
		"no content":    s.send(t, "DELETE", "/v0/shelf/7", nil, "X-Who", writer),
		"a bad path":    s.send(t, "GET", "/v0/shelf/", nil),
		"a bad method":  s.send(t, "PATCH", "/v0/shelf", nil),
		"no caller":     s.send(t, "GET", "/v0/shelf", nil),
		"no permission": s.send(t, "GET", "/v0/shelf", nil, "X-Who", "eve"),
		"a bad body":    s.send(t, "POST", "/v0/shelf", nil, "X-Who", writer),
		"a panic":       s.send(t, "GET", "/v0/shelf/7/panic", nil, "X-Who", reader),
	} {
		require.Equal(t, []string{"@1774915200"}, a.Header.Values("Deprecation"), name)
		require.Equal(t, []string{"Wed, 31 Mar 2027 00:00:00 GMT"}, a.Header.Values("Sunset"), name)
		require.Equal(t, []string{`</graphql>; rel="successor-version"`}, a.Header.Values("Link"), name)
	}
	quiet := newShelf(t).send(t, "GET", "/v0/shelf/7", nil, "X-Who", reader)
	for _, name := range []string{"Deprecation", "Sunset", "Link"} {
		require.Empty(t, quiet.Header.Values(name))
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path     string
		body     string
		panicked bool
		logged   string // in the door's own log
	}{
		"a panic":                       {"/v0/shelf/7/panic", `{"status":500,"message":"sorry"}`, true, "the secret recipe"},
		"a panic while wording":         {"/v0/shelf/7/wordless", "", true, "no words"},
		"an error without a code":       {"/v0/shelf/7/broken", `{"status":500,"message":"sorry"}`, false, ""},
		"an answer that cannot be sent": {"/v0/shelf/7/unsendable", `{"status":500,"message":"sorry"}`, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf(t)
			got := s.send(t, "GET", c.path, nil, "X-Who", reader, "X-Correlation-Id", "abc-1")
			require.Equal(t, http.StatusInternalServerError, got.Status)
			require.Equal(t, c.body, got.Body)
			require.Equal(t, "abc-1", got.Header.Get("X-Correlation-Id"))
			call := s.last(t, 1)
			require.Equal(t, http.StatusInternalServerError, call.Status)
			require.Error(t, call.Failure)
			require.Equal(t, c.panicked, call.Panicked)
			if c.logged == "" {
				require.Empty(t, s.log.String())
				return
			}
			require.Contains(t, s.log.String(), c.logged)
			require.Contains(t, s.log.String(), "shelf_test.go", "the stack")
			again := s.send(t, "GET", "/v0/shelf/7", nil, "X-Who", reader)
			require.Equal(t, http.StatusOK, again.Status, "the door still serves")
		})
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for i, c := range []struct {
		method, path, who string
		want              rest.Call
	}{
		{"GET", "/v0/shelf/7", reader, rest.Call{Operation: "S-03", Client: "ada", Status: 200}},
		{"GET", "/v0/shelf/7", "", rest.Call{Operation: "S-03", Status: 401}},
		{"GET", "/v0/shelf/7", "eve", rest.Call{Operation: "S-03", Client: "eve", Status: 403}},
		{"GET", "/v0/shelf/7/nothing", reader, rest.Call{Status: 404}},
		{"PATCH", "/v0/shelf/7", reader, rest.Call{Status: 405}},
		{"POST", "/v0/shelf", writer, rest.Call{Operation: "S-02", Client: "bob", Status: 400}},
		{"DELETE", "/v0/shelf/7", writer, rest.Call{Operation: "S-05", Client: "bob", Status: 204}},
	} {
		var header []string
		if c.who != "" {
			header = []string{"X-Who", c.who}
		}
		got := s.send(t, c.method, c.path, nil, header...)
		require.Equal(t, c.want.Status, got.Status, got.Body)
		call := s.last(t, i+1)
		require.Positive(t, call.Duration)
		call.Duration = 0
		c.want.Contract = "shelf"
		require.Equal(t, c.want, call)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	s := newShelf(t, func(o *rest.Options) { o.Timeout = 20 * time.Millisecond })
	got := s.send(t, "GET", "/v0/shelf/7/slow", nil, "X-Who", reader)
	require.Equal(t, http.StatusInternalServerError, got.Status)
	require.JSONEq(t, `{"status":500,"message":"sorry"}`, got.Body)
	call := s.last(t, 1)
	require.GreaterOrEqual(t, call.Duration, 20*time.Millisecond)
	require.Equal(t, crm.Unavailable, crm.CodeOf(call.Failure))
}

func TestClientGoesAway(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	t.Run("while the operation runs", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/v0/shelf/7/slow", nil)
		require.NoError(t, err)
		request.Header.Set("X-Who", reader)
		time.AfterFunc(50*time.Millisecond, cancel)
		_, err = http.DefaultTransport.RoundTrip(request)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, "S-23", s.last(t, 1).Operation, "the operation ended long before its time")
	})
	t.Run("while it sends the body", func(t *testing.T) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		require.NoError(t, err)
		_, err = conn.Write([]byte("POST /v0/shelf HTTP/1.1\r\nHost: x\r\nX-Who: " + writer + "\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"title\":"))
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		require.Equal(t, http.StatusBadRequest, s.last(t, 2).Status)
	})
}

func TestSameRouteTwice(t *testing.T) {
	t.Parallel()
	routes := []rest.Route{{Method: http.MethodGet, Path: "/v0/shelf/{id}"}, {Method: http.MethodGet, Path: "/v0/shelf/{id}"}}
	require.PanicsWithValue(t, "two routes are GET /v0/shelf/{id}", func() { rest.New(rest.Contract{Routes: routes}, rest.Options{}) })
}
