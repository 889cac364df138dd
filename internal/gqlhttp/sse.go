package gqlhttp

import (
	"context"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The frames of an event stream that carry no response. EventSource delivers no
// event without data, hence the empty data field.
const (
	completeFrame  = "event: complete\ndata:\n\n"
	keepAliveFrame = ":\n\n"
)

// stream answers by server-sent events: one next event per response, then complete.
// A refusal is sent as an event too, since an EventSource cannot read the body of a
// failed request.
func (c *call) stream(ctx context.Context, operation *graphql.OperationContext, problem *refusal) {
	c.open()
	if problem != nil {
		c.count(problem.errs)
		c.event(payload{errors: c.handler.sealAll(ctx, problem.errs)})
		c.send([]byte(completeFrame))
		return
	}
	ctx, cancel := c.bounded(ctx)
	responses := c.responses(ctx, operation)
	defer func() {
		cancel()
		for range responses { // nothing may run on for a request that is over
		}
	}()
	c.relay(ctx, responses)
}

// open sends the header of an event stream.
func (c *call) open() {
	header := c.w.Header()
	header["Content-Type"] = contentTypes[eventStream]
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Accel-Buffering", "no") // keeps proxies from holding events back
	c.status(http.StatusOK)
}

// responses runs the operation on a goroutine of its own, so that silence can be
// filled with comments. The channel closes after the last response; until then it
// must be received from, also when ctx is done.
func (c *call) responses(ctx context.Context, operation *graphql.OperationContext) <-chan *graphql.Response {
	out := make(chan *graphql.Response)
	go func() {
		defer close(out)
		defer func() {
			if cause := recover(); cause != nil {
				_ = c.handler.recovered(ctx, cause)
				out <- &graphql.Response{Errors: gqlerror.List{coded(Internal, "internal error")}}
			}
		}()
		next, ctx := c.handler.executor.DispatchOperation(ctx, operation)
		for {
			response := next(ctx)
			if response == nil || late(ctx, response) {
				return
			}
			out <- response
		}
	}()
	return out
}

// relay sends the responses until they end or the client is gone.
func (c *call) relay(ctx context.Context, responses <-chan *graphql.Response) {
	ticker := time.NewTicker(c.handler.options.KeepAlive)
	defer ticker.Stop()
	for sent := 0; ; sent++ {
		response, more := c.next(responses, ticker)
		if !more {
			c.finish(ctx, sent)
			return
		}
		c.count(response.Errors)
		if !c.event(c.executed(ctx, response)) {
			return
		}
		ticker.Reset(c.handler.options.KeepAlive)
	}
}

// next waits for a response and sends a comment whenever the ticker ticks. A client
// that is gone shows in the next event, and in ctx before that.
func (c *call) next(responses <-chan *graphql.Response, ticker *time.Ticker) (*graphql.Response, bool) {
	for {
		select {
		case response, more := <-responses:
			return response, more
		case <-ticker.C:
			c.send([]byte(keepAliveFrame))
		}
	}
}

// finish ends the stream. A query that never answered ran out of time.
func (c *call) finish(ctx context.Context, sent int) {
	if sent == 0 && c.told.Type != ast.Subscription {
		problem := tooLate()
		c.count(problem.errs)
		c.event(payload{errors: c.handler.sealAll(ctx, problem.errs)})
	}
	c.send([]byte(completeFrame))
}

// event sends one next event.
func (c *call) event(p payload) bool {
	buf := c.handler.borrow()
	defer c.handler.giveBack(buf)
	buf.WriteString("event: next\ndata: ")
	start := buf.Len()
	c.encode(buf, p)
	onOneLine(buf.Bytes()[start:])
	buf.WriteString("\n\n")
	return c.send(buf.Bytes())
}

// onOneLine replaces the line breaks of JSON, which can only stand between values.
func onOneLine(text []byte) {
	for i, b := range text {
		if b == '\n' || b == '\r' {
			text[i] = ' '
		}
	}
}

// send writes and flushes one frame; false means the client is gone, or so slow that
// it counts as gone.
func (c *call) send(frame []byte) bool {
	control := http.NewResponseController(c.w)
	// Where the writer has no deadlines, the server's own must do.
	_ = control.SetWriteDeadline(time.Now().Add(c.handler.options.Timeout))
	if _, err := c.w.Write(frame); err != nil {
		return false
	}
	return control.Flush() == nil
}
