package gqlhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"sync"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/go-json-experiment/json/jsontext"
)

// member is one member of a request: its name, where its value goes and what JSON
// type the value must have. null leaves the target alone.
type member struct {
	name   string
	target any
	kind   string
	given  bool
}

func members(p *graphql.RawParams) []member {
	return []member{
		{name: "query", target: &p.Query, kind: "a string"},
		{name: "operationName", target: &p.OperationName, kind: "a string"},
		{name: "variables", target: &p.Variables, kind: "an object"},
		{name: "extensions", target: &p.Extensions, kind: "an object"},
	}
}

// decodeGet reads a request from the query string.
func decodeGet(u *url.URL) (*graphql.RawParams, *refusal) {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, malformed(http.StatusBadRequest, "the query string cannot be read")
	}
	p := &graphql.RawParams{}
	for _, m := range members(p) {
		given := values[m.name]
		if len(given) == 0 || given[0] == "" {
			continue
		}
		if len(given) > 1 {
			return nil, malformed(http.StatusBadRequest, m.name+" is given twice")
		}
		if !utf8.ValidString(given[0]) {
			return nil, malformed(http.StatusBadRequest, m.name+" is not UTF-8")
		}
		if text, ok := m.target.(*string); ok {
			*text = given[0]
		} else if value, ok := decodeWhole([]byte(given[0])); !ok || !m.set(value) {
			return nil, malformed(http.StatusBadRequest, m.name+" must be "+m.kind)
		}
	}
	return complete(p)
}

// decoders read JSON.
var decoders = sync.Pool{New: func() any { return new(jsontext.Decoder) }}

// decoderOf returns a decoder of text, to be put back.
func decoderOf(text []byte) *jsontext.Decoder {
	dec := decoders.Get().(*jsontext.Decoder)
	dec.Reset(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return dec
}

// decodeWhole decodes text that must be one JSON value and nothing else.
func decodeWhole(text []byte) (value any, ok bool) {
	dec := decoderOf(text)
	defer decoders.Put(dec)
	value, err := decodeAny(dec)
	return value, err == nil && atEnd(dec)
}

// checkContent refuses a body that is not announced as plain UTF-8 JSON. Browsers
// send application/json across origins only after a preflight, so this is also what
// keeps forged cross-site requests out.
func checkContent(header http.Header) *refusal {
	if content := header.Get("Content-Type"); content != plainJSON {
		media, params, err := mime.ParseMediaType(content)
		if err != nil || media != plainJSON || !isUTF8(params) {
			return malformed(http.StatusUnsupportedMediaType, "the Content-Type must be application/json in UTF-8")
		}
	}
	if encoding := header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return malformed(http.StatusUnsupportedMediaType, "compressed requests are not accepted")
	}
	return nil
}

// readBody reads a body of at most limit bytes into buf.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, buf *bytes.Buffer) *refusal {
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	var over *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &over):
		return malformed(http.StatusRequestEntityTooLarge, "the body is too large")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return malformed(http.StatusRequestTimeout, "the body did not arrive in time")
	default:
		return malformed(http.StatusBadRequest, "the body could not be read")
	}
}

// decodeBody reads a request from JSON. Its errors never quote the body.
func decodeBody(body []byte) (*graphql.RawParams, *refusal) {
	if !utf8.Valid(body) {
		return nil, malformed(http.StatusBadRequest, "the body is not UTF-8")
	}
	dec := decoderOf(body)
	defer decoders.Put(dec)
	if open, err := dec.ReadToken(); err != nil || open.Kind() != '{' {
		return nil, malformed(http.StatusBadRequest, "the body must be one JSON object")
	}
	p := &graphql.RawParams{}
	known := members(p)
	for dec.PeekKind() == '"' {
		if problem := decodeMember(dec, known); problem != nil {
			return nil, problem
		}
	}
	if end, err := dec.ReadToken(); err != nil || end.Kind() != '}' {
		return nil, notJSON()
	}
	if !atEnd(dec) {
		return nil, notJSON()
	}
	return complete(p)
}

// decodeMember reads one name and its value; unknown names are skipped.
func decodeMember(dec *jsontext.Decoder, known []member) *refusal {
	token, err := dec.ReadToken()
	if err != nil {
		return notJSON()
	}
	name := token.String()
	for i := range known {
		m := &known[i]
		if m.name != name {
			continue
		}
		if m.given {
			return malformed(http.StatusBadRequest, m.name+" is given twice")
		}
		m.given = true
		return m.decode(dec)
	}
	if dec.SkipValue() != nil {
		return notJSON()
	}
	return nil
}

// decode reads the member's value.
func (m *member) decode(dec *jsontext.Decoder) *refusal {
	value, err := decodeAny(dec)
	if err != nil {
		return notJSON()
	}
	if !m.set(value) {
		return malformed(http.StatusBadRequest, m.name+" must be "+m.kind)
	}
	return nil
}

// set takes a value, null for none, and reports whether it is of the member's kind.
func (m *member) set(value any) (ok bool) {
	switch target := m.target.(type) {
	case *string:
		*target, ok = value.(string)
	case *map[string]any:
		*target, ok = value.(map[string]any)
	}
	return ok || value == nil
}

// decodeAny reads the next value. Numbers keep their digits; of members of one name the last counts.
func decodeAny(dec *jsontext.Decoder) (any, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 't', 'f':
		return token.Bool(), nil
	case '"':
		return token.String(), nil
	case '0':
		return json.Number(token.String()), nil
	case '{':
		object := map[string]any{}
		for dec.PeekKind() == '"' {
			name, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			key := name.String()
			if object[key], err = decodeAny(dec); err != nil {
				return nil, err
			}
		}
		_, err := dec.ReadToken()
		return object, err
	case '[':
		list := []any{}
		for kind := dec.PeekKind(); kind != ']'; kind = dec.PeekKind() {
			value, err := decodeAny(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := dec.ReadToken()
		return list, err
	default: // null
		return nil, nil //nolint:nilnil // that is the value
	}
}

func notJSON() *refusal {
	return malformed(http.StatusBadRequest, "the body is not valid JSON")
}

func atEnd(dec *jsontext.Decoder) bool {
	_, err := dec.ReadToken()
	return errors.Is(err, io.EOF)
}

func complete(p *graphql.RawParams) (*graphql.RawParams, *refusal) {
	if p.Query == "" {
		return nil, malformed(http.StatusBadRequest, "query is missing")
	}
	return p, nil
}
