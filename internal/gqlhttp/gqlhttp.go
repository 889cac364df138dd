// Package gqlhttp serves a gqlgen schema over HTTP.
//
// It follows the GraphQL-over-HTTP specification (POST of JSON, GET for queries)
// and the distinct connections mode of GraphQL over Server-Sent Events. Everything
// that costs work is bounded before the work is done: see package limits.
//
// A request that is not a GraphQL request (bad JSON, wrong media type, too large)
// is answered with its own 4xx status for every media type. A GraphQL request that is
// refused before it runs is answered 200 as application/json and with a 4xx status
// as application/graphql-response+json, in both cases without data; failures of the
// server itself are 5xx for both. Once it runs, the status is 200.
//
// Choices where the specifications leave one: a member of the request given twice is
// refused, and inside variables the last one wins; unknown members are ignored;
// member names are case-sensitive; @defer is accepted and has no effect, since all
// data is in the one answer.
package gqlhttp

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"

	"crmgraph/internal/limits"
)

// Options configure [New]. Only Schema is needed.
type Options struct {
	// Schema is what is served.
	Schema graphql.ExecutableSchema
	// Limits bound each request; the zero value stands for [limits.Default].
	Limits limits.Limits
	// MaxBody is the largest request body in bytes; 1 MiB when zero.
	MaxBody int64
	// Timeout bounds the execution of a query or mutation, and the writing of one
	// event to a slow client; 10 s when zero. Subscriptions last until either side
	// ends them.
	Timeout time.Duration
	// KeepAlive is the time between comments on a silent event stream; 15 s when zero.
	KeepAlive time.Duration
	// Present turns a resolver's error into what the client may see, with an
	// extensions.code. An error without a code of the closed list is shown as INTERNAL
	// with no message of its own. When nil, only coded errors are shown.
	Present graphql.ErrorPresenterFunc
	// RequestID names the request in every error, as extensions.requestId.
	RequestID func(ctx context.Context) string
	// Introspection tells whether this caller may read the schema; nobody may when nil.
	Introspection func(ctx context.Context) bool
	// OnOperation is told of every request once it is answered, refused ones too.
	OnOperation func(ctx context.Context, op Operation)
	// PrepareContext is called once per well-formed request, before any resolver.
	PrepareContext func(ctx context.Context) context.Context
	// Extensions are added to the executor in this order. They may intercept
	// operations, responses and fields; changing the document is not supported.
	// Field interceptors see the fields that the Schema shows them; that of
	// graph.NewSchema leaves out the values of a record that are only read.
	Extensions []graphql.HandlerExtension
	// Log receives the stack of a panic; slog.Default() when nil.
	Log *slog.Logger
}

// Operation tells what became of one request, for logs and metrics.
type Operation struct {
	// Name is the operation's name as the client wrote it, at most 100 bytes; empty
	// for an anonymous operation or a request refused before it was known.
	Name string
	// Type is empty when the request was refused before it was known.
	Type ast.Operation
	// Duration is the time from the first byte read to the last byte written.
	Duration time.Duration
	// Status is the HTTP status.
	Status int
	// Cost is the price in points; 0 for a request refused before it was priced.
	Cost int
	// Errors is how many errors occurred, whether or not all of them were told.
	Errors int
	// Failure is the first error that is the server's own, one INTERNAL or UNAVAILABLE,
	// as the resolver returned it if there is more to it than the client is told.
	Failure error
	// Panicked tells that a resolver, or the door itself, panicked.
	Panicked bool
}

// New returns the handler. It is safe for concurrent use.
func New(o Options) http.Handler {
	o = withDefaults(o)
	checker := limits.New(o.Limits, o.Schema.Schema())
	h := &handler{
		options:   o,
		checker:   checker,
		documents: newDocuments(o.Schema.Schema(), checker),
		executor:  executor.New(o.Schema),
	}
	h.executor.SetQueryCache(prepared{})
	h.executor.SetErrorPresenter(o.Present)
	h.executor.SetRecoverFunc(h.recovered)
	for _, extension := range o.Extensions {
		h.executor.Use(extension)
	}
	return h
}

func withDefaults(o Options) Options {
	if o.Limits == (limits.Limits{}) {
		o.Limits = limits.Default()
	}
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.KeepAlive == 0 {
		o.KeepAlive = 15 * time.Second
	}
	if o.Present == nil {
		o.Present = graphql.DefaultErrorPresenter
	}
	if o.RequestID == nil {
		o.RequestID = func(context.Context) string { return "" }
	}
	if o.Introspection == nil {
		o.Introspection = func(context.Context) bool { return false }
	}
	if o.OnOperation == nil {
		o.OnOperation = func(context.Context, Operation) {}
	}
	if o.PrepareContext == nil {
		o.PrepareContext = func(ctx context.Context) context.Context { return ctx }
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// handler is the http.Handler of [New].
type handler struct {
	options   Options
	checker   *limits.Checker
	documents *documents
	executor  *executor.Executor
	buffers   sync.Pool // the memory of bodies and answers, for the next request
}
