// Package rest is what the doors of the legacy contracts share: a contract is a table of routes
// whose handlers return an answer or an error, and a function that words errors its way. Reading
// requests, telling routes apart, permissions, headers and counters are here; each contract's folder
// holds nothing but its own shapes and words. Every rule and every row belongs to package crm.
package rest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"crmgraph/crm"
)

// Route is one documented operation.
type Route struct {
	ID         string         // in the contract's own numbering, such as D-05
	Operation  string         // its operationId in openapi.yaml
	Method     string         // of HTTP
	Path       string         // as documented, with {variables}
	Permission crm.Permission // what the contract asks for
	// Includes are rights that the contract's permission stands for here: what the answer embeds,
	// and what the operation does beside its own act. They hold inside the handler only.
	Includes []crm.Permission
	Graph    string // the field of the graph that replaces it, such as Mutation.partyMerge
	Notes    string // what who moves to the graph should know; may be empty
	// Unserved answers 501 to everybody who has the permission.
	Unserved bool
	Handle   Handler
}

// Handler answers a request. ctx acts for the caller, with the rights that the route includes.
type Handler func(ctx context.Context, r *Request) (*Response, error)

// Contract is what a legacy contract consists of.
type Contract struct {
	Name     string   // as in paths of the documentation
	Prefixes []string // the paths that belong to it
	Routes   []Route
	MaxBody  int64 // largest body of a request, in bytes
	// Reserved reports words that are never an id, whatever the route.
	Reserved func(word string) bool
	// Present words an error. The request has no Route when there is none, and no Caller when it is
	// unknown; with a Caller, ctx is that of the handler.
	Present func(ctx context.Context, r *Request, err error) *Response
}

// Options connect a contract to the program. All but Notice are needed.
type Options struct {
	Store *crm.Store
	// Authenticate tells who asks. Errors: Unauthenticated, Unavailable.
	Authenticate func(*http.Request) (*crm.Principal, error)
	// CorrelationID names the request in logs.
	CorrelationID func(context.Context) string
	// Timeout bounds one request.
	Timeout time.Duration
	// Observe is told of every request once it is answered.
	Observe func(context.Context, Call)
	// Notice tells clients that the contract will end.
	Notice Notice
	Log    *slog.Logger
}

// Call tells what became of one request, for logs and metrics.
type Call struct {
	Contract  string
	Operation string // the route's ID, empty for a path or method that is none of the contract's
	Client    string // the caller's subject, empty when unknown
	Status    int
	Duration  time.Duration
	Failure   error // behind a status of 500 and above
	Panicked  bool  // code of the program did, which is logged already
}

// Door serves a contract.
type Door struct {
	contract Contract
	options  Options
	routes   table
	notice   http.Header
}

// New returns the door of a contract. It panics when two routes are the same.
func New(c Contract, o Options) *Door {
	return &Door{contract: c, options: o, routes: newTable(c.Routes), notice: o.Notice.header()}
}

// Serves reports whether a path lies below the contract's prefixes, also when it does so only once
// its empty and dotted segments are resolved: such a path is an unknown one of the contract.
func (d *Door) Serves(urlPath string) bool {
	clean := path.Clean(urlPath)
	for _, prefix := range d.contract.Prefixes {
		if below(urlPath, prefix) || below(clean, prefix) {
			return true
		}
	}
	return false
}

func below(urlPath, prefix string) bool {
	rest, ok := strings.CutPrefix(urlPath, prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// ServeHTTP answers every request below the contract's prefixes, unknown paths included.
func (d *Door) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(hr.Context(), d.options.Timeout)
	defer cancel()
	r := &Request{HTTP: hr.WithContext(ctx)}
	call := Call{Contract: d.contract.Name}
	response, err := d.answer(ctx, w, r)
	var body []byte
	if err == nil {
		body, err = response.encode()
	}
	if err != nil {
		if r.Caller != nil {
			ctx = d.begin(ctx, r)
		}
		response = d.present(ctx, r, err)
		body, _ = response.encode()
	}
	if response.Status >= http.StatusInternalServerError {
		call.Failure = err
	}
	if r.Route != nil {
		call.Operation = r.Route.ID
	}
	if r.Caller != nil {
		call.Client = r.Caller.Subject
	}
	call.Panicked, call.Status = r.panicked, response.Status
	response.write(w, d.notice, body)
	call.Duration = time.Since(began)
	d.options.Observe(hr.Context(), call)
}

// answer goes through what every request goes through, in the contracts' common order: route and
// method, who asks, what they may, whether the path can lead anywhere, and the body.
func (d *Door) answer(ctx context.Context, w http.ResponseWriter, r *Request) (response *Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			d.panicked(ctx, r, p)
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if err := d.routes.find(r); err != nil {
		return nil, err
	}
	if r.Caller, err = d.options.Authenticate(r.HTTP); err != nil {
		return nil, err
	}
	if p := r.Route.Permission; !r.Caller.Permissions.Has(p) {
		return nil, &Fault{Status: http.StatusForbidden, Message: fmt.Sprintf("permission %s is required", p)}
	}
	if r.Route.Unserved {
		return nil, &Fault{Status: http.StatusNotImplemented, Message: "this operation is not implemented"}
	}
	for _, v := range r.vars {
		if d.contract.Reserved(v.value) {
			return nil, &Fault{Status: http.StatusNotFound, Message: "there is no such resource"}
		}
	}
	if err := r.read(w, d.contract.MaxBody); err != nil {
		return nil, err
	}
	response, err = r.Route.Handle(d.begin(ctx, r), r)
	if err == nil && len(r.problems) > 0 { // of a member that the operation had no reason to look at
		return nil, r.problems
	}
	return response, err
}

// begin returns the context of the handler.
func (d *Door) begin(ctx context.Context, r *Request) context.Context {
	acting := r.Caller
	if len(r.Route.Includes) > 0 {
		p := *r.Caller
		p.Permissions = p.Permissions.With(r.Route.Includes...)
		acting = &p
	}
	ctx = crm.WithCorrelationID(crm.WithPrincipal(ctx, acting), d.options.CorrelationID(ctx))
	return d.options.Store.Begin(crm.WithProblems(ctx, func() crm.Problems { return slices.Clip(r.problems) }))
}

// present words an error; what goes wrong with that is an error without words.
func (d *Door) present(ctx context.Context, r *Request, err error) (response *Response) {
	defer func() {
		if p := recover(); p != nil {
			d.panicked(ctx, r, p)
			response = &Response{Status: http.StatusInternalServerError}
		}
	}()
	return d.contract.Present(ctx, r, err)
}

func (d *Door) panicked(ctx context.Context, r *Request, value any) {
	r.panicked = true
	d.options.Log.ErrorContext(ctx, "panic", slog.String("contract", d.contract.Name), slog.Any("value", value), slog.String("stack", string(debug.Stack())))
}

// Fault is an error of the protocol, before or beside the domain's.
type Fault struct { //nolint:errname // it is no Error of the domain
	Status  int
	Message string
	Field   string   // what of the request is wrong, as the contract names it; may be empty
	Allow   []string // for 405, the methods that there are
}

// Error returns the message for people.
func (f *Fault) Error() string { return f.Message }
