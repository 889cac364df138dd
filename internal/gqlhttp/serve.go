package gqlhttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"crmgraph/internal/limits"
)

// call is one request on its way through the door.
type call struct {
	handler  *handler
	media    string
	method   string
	document *document
	priced   bool
	price    limits.Price
	told     Operation
	panicked atomic.Bool
	w        http.ResponseWriter
	written  bool
}

type callKey struct{}

// callOf returns the call a context belongs to, or nil.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// ServeHTTP answers one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	c := &call{handler: h, media: plainJSON, method: r.Method, w: w}
	ctx := graphql.StartOperationTrace(context.WithValue(r.Context(), callKey{}, c))
	defer func() {
		c.told.Duration = time.Since(start)
		c.told.Panicked = c.panicked.Load()
		h.options.OnOperation(ctx, c.told)
	}()
	defer c.rescue(ctx)
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", allMethods)
		c.status(http.StatusNoContent)
		return
	}
	c.serve(ctx, r)
}

const allMethods = "GET, OPTIONS, POST"

// rescue answers a request whose handling panicked outside of any resolver.
func (c *call) rescue(ctx context.Context) {
	cause := recover()
	if cause == nil {
		return
	}
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause)
	}
	_ = c.handler.recovered(ctx, cause)
	if c.written {
		panic(http.ErrAbortHandler) // half an answer is out: cut the connection
	}
	c.refuse(ctx, refused(coded(Internal, "internal error")))
}

func (c *call) serve(ctx context.Context, r *http.Request) {
	params, problem := c.read(r)
	if problem != nil {
		c.refuse(ctx, problem)
		return
	}
	ctx = c.handler.options.PrepareContext(ctx)
	operation, problem := c.prepare(ctx, params)
	switch {
	case c.media == eventStream && (problem == nil || problem.status == 0):
		c.stream(ctx, operation, problem)
	case problem != nil:
		c.refuse(ctx, problem)
	default:
		c.execute(ctx, operation)
	}
}

// read takes the GraphQL request out of the HTTP request.
func (c *call) read(r *http.Request) (*graphql.RawParams, *refusal) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return nil, notAllowed(allMethods, "use POST, or GET for queries")
	}
	media, ok := negotiate(r.Header)
	if !ok {
		return nil, malformed(http.StatusNotAcceptable, "the answer can be "+responseJSON+", "+plainJSON+" or "+eventStream)
	}
	c.media = media
	start := graphql.Now()
	params, problem := c.decode(r)
	if problem != nil {
		return nil, problem
	}
	params.Headers = r.Header
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	return params, nil
}

func (c *call) decode(r *http.Request) (*graphql.RawParams, *refusal) {
	if r.Method == http.MethodGet {
		return decodeGet(r.URL)
	}
	if problem := checkContent(r.Header); problem != nil {
		return nil, problem
	}
	buf := c.handler.borrow()
	defer c.handler.giveBack(buf)
	if problem := readBody(c.w, r, c.handler.options.MaxBody, buf); problem != nil {
		return nil, problem
	}
	return decodeBody(buf.Bytes())
}

// prepare takes a request to the point where only execution is left.
func (c *call) prepare(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, *refusal) {
	doc, errs := c.handler.documents.get(params.Query)
	if errs != nil {
		return nil, refused(errs...)
	}
	c.document = doc
	op := doc.parsed.Operations.ForName(params.OperationName)
	if op == nil {
		return nil, refused(coded(BadUserInput, "operationName must name one of the document's operations"))
	}
	c.told.Name, c.told.Type = cut(op.Name, maxName), op.Operation
	if problem := c.permit(ctx, op); problem != nil {
		return nil, problem
	}
	if err := c.handler.checker.Variables(op, params.Variables); err != nil {
		return nil, refused(err)
	}
	operation, errs := c.handler.executor.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		return nil, refused(worded(errs, variableMessage)...)
	}
	operation.DisableIntrospection = !doc.plan.Introspects(op)
	c.price, errs = doc.plan.Price(op, operation.Variables)
	c.priced = true
	c.told.Cost = c.price.Requested
	if len(errs) > 0 {
		return nil, refused(errs...)
	}
	return operation, nil
}

// maxName bounds the operation's name as it is told to logs.
const maxName = 100

// permit refuses operations this method, media type or caller may not run.
func (c *call) permit(ctx context.Context, op *ast.OperationDefinition) *refusal {
	if c.method == http.MethodGet && op.Operation == ast.Mutation {
		return notAllowed(http.MethodPost, "mutations must be sent by POST")
	}
	if op.Operation == ast.Subscription && c.media != eventStream {
		return refused(coded(BadUserInput, "subscriptions need Accept: "+eventStream))
	}
	if c.document.plan.Introspects(op) && !c.handler.options.Introspection(ctx) {
		return refused(coded(Forbidden, "reading the schema is not permitted"))
	}
	return nil
}

// variableMessage words an error of variable coercion, whose path starts with the
// word "variable" and would be taken for a place in the answer.
func variableMessage(err *gqlerror.Error) string {
	if len(err.Path) < 2 {
		return err.Message
	}
	return fmt.Sprintf("variable $%s %s", strings.TrimPrefix(err.Path[1:].String(), "."), err.Message)
}

// execute runs a query or mutation and answers with its only response.
func (c *call) execute(ctx context.Context, operation *graphql.OperationContext) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	next, ctx := c.handler.executor.DispatchOperation(ctx, operation)
	response := next(ctx)
	if response == nil || late(ctx, response) {
		c.refuse(ctx, tooLate())
		return
	}
	c.answer(ctx, response)
}

// bounded gives a query or mutation its time; a subscription has no end of its own.
func (c *call) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.told.Type == ast.Subscription {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.handler.options.Timeout)
}

// late reports whether a response is only the null of a deadline that passed.
func late(ctx context.Context, response *graphql.Response) bool {
	return ctx.Err() != nil && (len(response.Data) == 0 || string(response.Data) == "null")
}

func tooLate() *refusal { return refused(coded(Unavailable, "the request took too long")) }
