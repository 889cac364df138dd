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
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
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
		} else if !decodeWhole([]byte(given[0]), m.target) {
			return nil, malformed(http.StatusBadRequest, m.name+" must be "+m.kind)
		}
	}
	return complete(p)
}

// decodeWhole decodes text that must be one JSON value and nothing else.
func decodeWhole(text []byte, target any) bool {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return dec.Decode(target) == nil && atEnd(dec)
}

// checkContent refuses a body that is not announced as plain UTF-8 JSON. Browsers
// send application/json across origins only after a preflight, so this is also what
// keeps forged cross-site requests out.
func checkContent(header http.Header) *refusal {
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || media != plainJSON || !isUTF8(params) {
		return malformed(http.StatusUnsupportedMediaType, "the Content-Type must be application/json in UTF-8")
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
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, malformed(http.StatusBadRequest, "the body must be one JSON object")
	}
	p := &graphql.RawParams{}
	known := members(p)
	for dec.More() {
		if problem := decodeMember(dec, known); problem != nil {
			return nil, problem
		}
	}
	if _, err := dec.Token(); err != nil || !atEnd(dec) {
		return nil, notJSON()
	}
	return complete(p)
}

// decodeMember reads one name and its value; unknown names are skipped.
func decodeMember(dec *json.Decoder, known []member) *refusal {
	name, err := dec.Token()
	if err != nil {
		return notJSON()
	}
	for i := range known {
		m := &known[i]
		if m.name != name {
			continue
		}
		if m.given {
			return malformed(http.StatusBadRequest, m.name+" is given twice")
		}
		m.given = true
		return decodeValue(dec, m.target, m.name+" must be "+m.kind)
	}
	var skipped json.RawMessage
	return decodeValue(dec, &skipped, "")
}

func decodeValue(dec *json.Decoder, target any, wrongType string) *refusal {
	err := dec.Decode(target)
	var mismatch *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &mismatch):
		return malformed(http.StatusBadRequest, wrongType)
	default:
		return notJSON()
	}
}

func notJSON() *refusal {
	return malformed(http.StatusBadRequest, "the body is not valid JSON")
}

func atEnd(dec *json.Decoder) bool {
	_, err := dec.Token()
	return errors.Is(err, io.EOF)
}

func complete(p *graphql.RawParams) (*graphql.RawParams, *refusal) {
	if p.Query == "" {
		return nil, malformed(http.StatusBadRequest, "query is missing")
	}
	return p, nil
}
