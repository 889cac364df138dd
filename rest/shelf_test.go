package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/obs"
	"crmgraph/rest"
)

// shelf is a small contract of these tests, served over HTTP.
type shelf struct {
	url string
	log *lines

	mutex sync.Mutex
	calls []rest.Call
}

// lines is a log that may be written and read at once.
type lines struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (l *lines) Write(line []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(line)
}

func (l *lines) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}

const mayRead, mayWrite, mayExtra = crm.Permission("crm:shelf:view"), crm.Permission("crm:shelf:edit"), crm.Permission("crm:shelf:extra")

const maxBody = 1 << 20

func newShelf(t *testing.T, change ...func(*rest.Options)) *shelf {
	t.Helper()
	s := &shelf{log: &lines{}}
	options := rest.Options{
		Store: &crm.Store{Now: time.Now}, CorrelationID: obs.CorrelationID, Timeout: 5 * time.Second, Log: slog.New(slog.NewTextHandler(s.log, nil)),
		Authenticate: func(r *http.Request) (*crm.Principal, error) {
			words := strings.Fields(r.Header.Get("X-Who"))
			if len(words) == 0 {
				return nil, &crm.Error{Code: crm.Unauthenticated, Message: "who are you"}
			}
			p := &crm.Principal{Subject: words[0], Permissions: crm.NewPermissions()}
			for _, word := range words[1:] {
				p.Permissions[crm.Permission(word)] = struct{}{}
			}
			return p, nil
		},
		Observe: func(_ context.Context, call rest.Call) {
			s.mutex.Lock()
			defer s.mutex.Unlock()
			s.calls = append(s.calls, call)
		},
	}
	for _, f := range change {
		f(&options)
	}
	door := rest.New(rest.Contract{
		Name: "shelf", Prefixes: []string{"/v0/shelf"}, Routes: shelfRoutes(), MaxBody: maxBody,
		Reserved: func(word string) bool { return word == "reserved" }, Present: presentShelf,
	}, options)
	server := httptest.NewServer(obs.Correlate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !door.Serves(r.URL.Path) {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		door.ServeHTTP(w, r)
	})))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func shelfRoutes() []rest.Route {
	at := func(id, method, path string, need crm.Permission, handle rest.Handler) rest.Route {
		return rest.Route{ID: id, Method: method, Path: path, Permission: need, Handle: handle}
	}
	told := func(name string) rest.Handler {
		return func(_ context.Context, r *rest.Request) (*rest.Response, error) {
			said := map[string]any{"route": r.Route.ID}
			if name != "" {
				said[name] = r.Var(name, "id")
			}
			return rest.OK(said), nil
		}
	}
	unserved := at("S-90", http.MethodPost, "/v0/shelf/{id}/stub", mayWrite, nil)
	unserved.Unserved = true
	acting := at("S-91", http.MethodGet, "/v0/shelf/{id}/rights", mayRead, rights)
	acting.Includes = []crm.Permission{mayExtra}
	return []rest.Route{
		at("S-01", http.MethodGet, "/v0/shelf", mayRead, readQuery),
		at("S-02", http.MethodPost, "/v0/shelf", mayWrite, readBody),
		at("S-03", http.MethodGet, "/v0/shelf/{id}", mayRead, told("id")),
		at("S-04", http.MethodPut, "/v0/shelf/{id}", mayWrite, fail),
		at("S-05", http.MethodDelete, "/v0/shelf/{id}", mayWrite, func(context.Context, *rest.Request) (*rest.Response, error) {
			return rest.NoContent(), nil
		}),
		// Of these, each overlaps another one without being the more special.
		at("S-10", http.MethodGet, "/v0/shelf/top/{id}", mayRead, told("id")),
		at("S-11", http.MethodGet, "/v0/shelf/{id}/books", mayRead, told("id")),
		at("S-12", http.MethodPost, "/v0/shelf/{id}/books", mayWrite, told("id")),
		at("S-13", http.MethodPost, "/v0/shelf/find", mayRead, told("")),
		at("S-20", http.MethodGet, "/v0/shelf/{id}/panic", mayRead, func(context.Context, *rest.Request) (*rest.Response, error) {
			panic("the secret recipe")
		}),
		at("S-21", http.MethodGet, "/v0/shelf/{id}/wordless", mayRead, func(context.Context, *rest.Request) (*rest.Response, error) {
			return nil, errWordless
		}),
		at("S-22", http.MethodGet, "/v0/shelf/{id}/unsendable", mayRead, func(context.Context, *rest.Request) (*rest.Response, error) {
			return rest.OK(make(chan int)), nil
		}),
		at("S-23", http.MethodGet, "/v0/shelf/{id}/slow", mayRead, func(ctx context.Context, _ *rest.Request) (*rest.Response, error) {
			<-ctx.Done()
			return nil, &crm.Error{Code: crm.Unavailable, Message: ctx.Err().Error()}
		}),
		at("S-24", http.MethodGet, "/v0/shelf/{id}/broken", mayRead, func(context.Context, *rest.Request) (*rest.Response, error) {
			return nil, errors.New("the secret cause")
		}),
		at("S-25", http.MethodPost, "/v0/shelf/{id}/made", mayWrite, func(_ context.Context, r *rest.Request) (*rest.Response, error) {
			made := rest.Created(map[string]string{"correlationId": r.HTTP.Header.Get("X-Correlation-Id")})
			made.Header = http.Header{"Location": {"/v0/shelf/7"}}
			return made, nil
		}),
		unserved, acting,
	}
}

var errWordless = errors.New("there are no words")

// rights tells what the caller may do and what the handler may.
func rights(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	acting, _ := crm.PrincipalFrom(ctx)
	return rest.OK(map[string]any{
		"caller": r.Caller.Permissions.Has(mayExtra), "handler": acting.Permissions.Has(mayExtra), "subject": acting.Subject,
	}), nil
}

// readQuery tells what it read of the query.
func readQuery(_ context.Context, r *rest.Request) (*rest.Response, error) {
	q := r.Query
	page := q.Page(0, 20, 100)
	return rest.OK(map[string]any{
		"text": q.Text("text", "text", "words"), "n": q.Int("n", "n"), "flag": q.Bool("flag", "flag"), "at": q.Time("at", "at"),
		"page": page.Number, "size": page.Size, "pages": page.Pages(150),
	}), nil
}

type word string

// readBody tells what it read of the body.
func readBody(_ context.Context, r *rest.Request) (*rest.Response, error) {
	b := r.Body
	read := map[string]any{}
	read["title"] = b.Required("input.title", "title", "name")
	read["text"] = b.Text("input.text", "text", "words")
	read["n"] = b.Int("input.n", "n")
	read["flag"] = b.Bool("input.flag", "flag")
	read["at"] = b.Time("input.at", "at")
	read["word"] = rest.Word[word](b, "input.word", "word")
	patch := rest.Patch(b, b.Text, "input.patch", "patch")
	value, given := patch.ValueOK()
	read["patch"] = map[string]any{"given": given, "value": value}
	list, listGiven := b.Texts("input.list", "list")
	read["list"] = map[string]any{"given": listGiven, "items": list}
	objects, _ := b.Objects("input.objects", "objects")
	codes := []any{}
	for i, o := range objects {
		codes = append(codes, o.Text("input.objects["+string(rune('0'+i))+"].code", "code", "key"))
	}
	read["codes"] = codes
	if o := b.Object("input.object", "object"); o != nil {
		read["inner"] = o.Text("input.object.inner", "inner")
	}
	if _, v, ok := b.Value("input.any", "any"); ok {
		read["any"] = v.Raw
	}
	return rest.OK(read), nil
}

// fail reads some fields and is refused as the request asks for: X-Fail lists paths of the domain.
func fail(_ context.Context, r *rest.Request) (*rest.Response, error) {
	r.Var("id", "id")
	r.Body.Text("input.first", "first")
	r.Body.Text("input.second", "second", "zweites")
	items, _ := r.Body.Objects("input.list", "items")
	for i, item := range items {
		item.Text("input.list["+string(rune('0'+i))+"].code", "itemCode")
	}
	r.Body.Object("input.map", "pairs")
	r.Body.Texts("input.words", "words")
	var problems crm.Problems
	for path := range strings.FieldsSeq(r.HTTP.Header.Get("X-Fail")) {
		if path == "nothing" {
			path = ""
		}
		problems = append(problems, &crm.Error{Code: crm.Invalid, Field: path, Message: "as asked for"})
	}
	if len(problems) == 1 {
		return nil, problems[0]
	}
	return nil, problems
}

// told is what the contract says of an error.
type told struct {
	Status   int        `json:"status"`
	Message  string     `json:"message"`
	Problems []toldPart `json:"problems,omitempty"`
}

type toldPart struct {
	Path    string          `json:"path"`
	Message string          `json:"message"`
	Raw     json.RawMessage `json:"raw,omitempty"`
}

func presentShelf(_ context.Context, r *rest.Request, err error) *rest.Response {
	if errors.Is(err, errWordless) {
		panic("no words")
	}
	said := told{Status: http.StatusInternalServerError, Message: "sorry"}
	header := http.Header{}
	if fault, ok := errors.AsType[*rest.Fault](err); ok {
		said = told{Status: fault.Status, Message: fault.Message}
		if fault.Allow != nil {
			header.Set("Allow", strings.Join(fault.Allow, ", "))
		}
		if fault.Field != "" {
			said.Problems = []toldPart{{Path: fault.Field, Message: fault.Message}}
		}
	} else if crm.CodeOf(err) == crm.Unauthenticated {
		said = told{Status: http.StatusUnauthorized, Message: err.Error()}
	} else if problems := r.Explain(err); len(problems) > 0 && problems[0].Code == crm.Invalid {
		said = told{Status: http.StatusBadRequest, Message: "look at the problems"}
		for _, p := range problems {
			said.Problems = append(said.Problems, toldPart{p.Path, p.Message, p.Raw})
		}
	}
	return &rest.Response{Status: said.Status, Header: header, Body: said}
}

// reader and writer are who asks.
const reader, writer = "ada crm:shelf:view", "bob crm:shelf:view crm:shelf:edit"

// answer is what came back.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// send sends a request as it is; header is pairs of names and values.
func (s *shelf) send(t *testing.T, method, path string, body io.Reader, header ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, body)
	require.NoError(t, err)
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Add(header[i], header[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response.StatusCode, response.Header, string(text)}
}

// post sends a JSON body to the route that reads one.
func (s *shelf) post(t *testing.T, body string) answer {
	t.Helper()
	return s.send(t, http.MethodPost, "/v0/shelf", strings.NewReader(body), "X-Who", writer, "Content-Type", "application/json")
}

// problems are the paths and raw values of a refusal, as path=raw.
func (a answer) problems(t *testing.T) []string {
	t.Helper()
	require.Equal(t, http.StatusBadRequest, a.Status, a.Body)
	var said told
	require.NoError(t, json.Unmarshal([]byte(a.Body), &said), a.Body)
	list := []string{}
	for _, p := range said.Problems {
		list = append(list, p.Path+"="+string(p.Raw))
	}
	return list
}

// last waits for the account of a number of requests and returns the last of them.
func (s *shelf) last(t *testing.T, n int) rest.Call {
	t.Helper()
	var call rest.Call
	require.Eventually(t, func() bool {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		if len(s.calls) < n {
			return false
		}
		call = s.calls[n-1]
		return true
	}, 5*time.Second, time.Millisecond)
	return call
}
