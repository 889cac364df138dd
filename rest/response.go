package rest

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// Response is what a handler answers.
type Response struct {
	Status int
	Header http.Header
	Body   any // encoded as JSON; nil for none
}

// OK answers 200 with a body.
func OK(body any) *Response { return &Response{Status: http.StatusOK, Body: body} }

// Created answers 201 with a body.
func Created(body any) *Response { return &Response{Status: http.StatusCreated, Body: body} }

// NoContent answers 204.
func NoContent() *Response { return &Response{Status: http.StatusNoContent} }

// encode returns the body as JSON, nil for none.
func (r *Response) encode() ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	return json.Marshal(r.Body)
}

// write sends the response with its encoded body.
func (r *Response) write(w http.ResponseWriter, more http.Header, body []byte) {
	maps.Copy(w.Header(), more)
	maps.Copy(w.Header(), r.Header)
	if body != nil {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(body)
}

// Notice says in headers that a contract will end, and what replaces it. The zero value says
// nothing.
type Notice struct {
	Deprecated time.Time // when it was, or will be, deprecated (RFC 9745)
	Sunset     time.Time // when it ends (RFC 8594)
	Successor  string    // the URL of what replaces it
}

func (n Notice) header() http.Header {
	h := http.Header{}
	if !n.Deprecated.IsZero() {
		h.Set("Deprecation", "@"+strconv.FormatInt(n.Deprecated.Unix(), 10))
	}
	if !n.Sunset.IsZero() {
		h.Set("Sunset", n.Sunset.UTC().Format(http.TimeFormat))
	}
	if n.Successor != "" {
		h.Set("Link", "<"+n.Successor+`>; rel="successor-version"`)
	}
	return h
}
