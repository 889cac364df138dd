package rest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"crmgraph/crm"
)

// wholeInput is the domain's path of an input as such, which is no field of the contract.
const wholeInput = "input"

// wholeBody is the path of a body that cannot be read.
const wholeBody = "$"

// Request is a request for a documented operation.
type Request struct {
	HTTP   *http.Request
	Route  *Route
	Caller *crm.Principal // as it is known: without the rights that the route includes
	Query  *Input
	Body   *Input // empty for methods that have none

	vars     []variable
	problems crm.Problems // of what was read
	fields   []field      // what was read, in that order
	panicked bool
}

// field joins the domain's path of a value to the contract's.
type field struct {
	domain, path string
	raw          json.RawMessage // nil when nothing was sent
}

// Var is a variable of the path. It is known as domain in the errors of an operation.
func (r *Request) Var(name, domain string) string {
	for _, v := range r.vars {
		if v.name == name {
			raw, _ := json.Marshal(v.value) //nolint:errchkjson // a text
			r.fields = append(r.fields, field{domain, name, raw})
			return v.value
		}
	}
	panic("the route has no variable " + name)
}

// Refuse adds a problem at a path of the contract, which should have been read before.
func (r *Request) Refuse(reason crm.Reason, path, message string) {
	r.problems = append(r.problems, &crm.Error{Code: crm.Invalid, Reason: reason, Field: path, Message: message})
}

// read reads the query and the body.
func (r *Request) read(w http.ResponseWriter, maxBody int64) error {
	r.Query, r.Body = &Input{request: r, textual: true}, &Input{request: r}
	r.readQuery()
	switch r.HTTP.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		return r.readBody(w, maxBody)
	default:
		return nil
	}
}

// readQuery keeps what can be read of the query string. What cannot be is a problem for who looks for
// a parameter.
func (r *Request) readQuery() {
	values, err := url.ParseQuery(r.HTTP.URL.RawQuery)
	r.Query.unreadable = err != nil
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, text := range values[name] {
			v := textual(text)
			v.Raw, _ = json.Marshal(text) //nolint:errchkjson // a text
			r.Query.members = append(r.Query.members, Member{name, v})
		}
	}
}

func (r *Request) readBody(w http.ResponseWriter, most int64) error {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.HTTP.Body, most))
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &Fault{Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit)}
	}
	if err != nil {
		return &Fault{Status: http.StatusBadRequest, Field: wholeBody, Message: "the body cannot be read"}
	}
	mediaType, _, err := mime.ParseMediaType(r.HTTP.Header.Get("Content-Type"))
	encoded := r.HTTP.Header.Get("Content-Encoding")
	if (len(data) > 0 || mediaType != "") && (err != nil || mediaType != "application/json") || encoded != "" && !strings.EqualFold(encoded, "identity") {
		return &Fault{Status: http.StatusUnsupportedMediaType, Message: "a body must be application/json, without a content encoding"}
	}
	v, err := parse(data)
	if err == nil && v.Kind != Object {
		err = errors.New("the body must be a JSON object")
	}
	if err != nil {
		return &Fault{Status: http.StatusBadRequest, Field: wholeBody, Message: "the body must be a JSON object of UTF-8 text, at most 32 levels deep and of 100,000 values"}
	}
	r.Body.members = v.Members
	return nil
}

// Problem is one thing that is wrong with a request.
type Problem struct {
	*crm.Error

	Path string          // as the contract names it; empty when it is about no field
	Raw  json.RawMessage // what was sent there; nil when nothing was
}

// Explain lists what an error of the domain says, in the words of the contract and the order in
// which the fields were read. Of the problems of one field it keeps the first.
func (r *Request) Explain(err error) []Problem {
	var all crm.Problems
	if one, ok := errors.AsType[*crm.Error](err); ok && !errors.As(err, &all) {
		all = crm.Problems{one}
	}
	var list []Problem
	read := r.places()
	place := map[string]int{}
	for _, e := range all {
		at, i := r.path(e.Field, read)
		if _, twice := place[at.path]; twice {
			continue
		}
		place[at.path] = i
		list = append(list, Problem{Error: e, Path: at.path, Raw: at.raw})
	}
	slices.SortStableFunc(list, func(a, b Problem) int { return cmp.Compare(place[a.Path], place[b.Path]) })
	return list
}

// places tells where in the order of reading each path was read, the domain's and the contract's.
type places struct{ domain, contract map[string]int }

func (r *Request) places() places {
	p := places{map[string]int{}, map[string]int{}}
	for i, f := range r.fields {
		if _, twice := p.domain[f.domain]; !twice {
			p.domain[f.domain] = i
		}
		if _, twice := p.contract[f.path]; !twice {
			p.contract[f.path] = i
		}
	}
	delete(p.domain, "") // what the domain does not know
	return p
}

// path is what the contract calls a path of the domain, and its place in the order of reading. A
// path inside one that was read is one inside that; what is the contract's already stays.
func (r *Request) path(domain string, read places) (field, int) {
	if domain == wholeInput {
		return field{}, len(r.fields)
	}
	i, isDomain := read.domain[domain]
	j, isContract := read.contract[domain]
	switch {
	case isContract && (!isDomain || j < i):
		return r.fields[j], j
	case isDomain:
		return r.fields[i], i
	}
	place := len(r.fields)
	for outer := parent(domain); outer != ""; outer = parent(outer) {
		if i, ok := read.domain[outer]; ok {
			return field{path: r.fields[i].path + domain[len(outer):]}, i
		}
		if j, ok := read.contract[outer]; ok && place == len(r.fields) {
			place = j
		}
	}
	return field{path: domain}, place
}

// parent is the path of what a path lies in, empty at the top.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}
