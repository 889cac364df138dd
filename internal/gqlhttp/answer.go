package gqlhttp

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// maxPooled keeps rare large buffers from staying in the pool.
const maxPooled = 256 << 10

func (h *handler) borrow() *bytes.Buffer {
	if buf, ok := h.buffers.Get().(*bytes.Buffer); ok {
		return buf
	}
	return new(bytes.Buffer)
}

func (h *handler) giveBack(buf *bytes.Buffer) {
	if buf.Cap() > maxPooled {
		return
	}
	buf.Reset()
	h.buffers.Put(buf)
}

// refuse answers a request that gets no data.
func (c *call) refuse(ctx context.Context, r *refusal) {
	status := r.status
	if status == 0 {
		status = c.statusFor(r.errs)
	}
	if r.allow != "" {
		c.w.Header().Set("Allow", r.allow)
	}
	if status == http.StatusServiceUnavailable {
		c.w.Header().Set("Retry-After", "1")
	}
	if c.media == eventStream {
		c.media = plainJSON // no stream was opened
	}
	c.count(r.errs)
	c.write(status, payload{errors: c.handler.sealAll(ctx, r.errs)})
}

// statusFor returns the status of a well-formed request that gets no data.
func (c *call) statusFor(errs gqlerror.List) int {
	code, _ := codeOf(errs[0])
	status, _ := statusOf(code)
	if c.media == plainJSON && status < http.StatusInternalServerError {
		return http.StatusOK
	}
	return status
}

// answer sends what an executed operation responded.
func (c *call) answer(ctx context.Context, response *graphql.Response) {
	if len(response.Data) == 0 && len(response.Errors) > 0 {
		c.refuse(ctx, refused(response.Errors...)) // an extension refused the operation
		return
	}
	c.count(response.Errors)
	c.write(http.StatusOK, c.executed(ctx, response))
}

func (c *call) executed(ctx context.Context, response *graphql.Response) payload {
	return payload{
		errors:     c.handler.sealAll(ctx, response.Errors),
		data:       response.Data,
		extensions: response.Extensions,
	}
}

// payload is one GraphQL response; without data it has no data member.
type payload struct {
	errors     gqlerror.List
	data       json.RawMessage
	extensions map[string]any
}

// write sends a payload as the whole answer.
func (c *call) write(status int, p payload) {
	buf := c.handler.borrow()
	defer c.handler.giveBack(buf)
	c.encode(buf, p)
	header := c.w.Header()
	header["Content-Type"] = contentTypes[c.media]
	header.Set("Content-Length", strconv.Itoa(buf.Len()))
	header["X-Content-Type-Options"] = noSniff
	header["Cache-Control"] = noStore
	c.status(status)
	// A failed write means the client is gone; there is nobody to tell.
	_, _ = c.w.Write(buf.Bytes())
}

// The values of headers, shared by all answers.
var (
	contentTypes = map[string][]string{
		plainJSON:    {plainJSON + "; charset=utf-8"},
		responseJSON: {responseJSON + "; charset=utf-8"},
		eventStream:  {eventStream + "; charset=utf-8"},
	}
	noSniff = []string{"nosniff"}
	noStore = []string{"no-store"}
)

func (c *call) status(status int) {
	c.written = true
	c.told.Status = status
	c.w.WriteHeader(status)
}

// encode writes a payload as JSON. The data is JSON already and is copied as it is.
func (c *call) encode(buf *bytes.Buffer, p payload) {
	separator := byte('{')
	begin := func(name string) {
		buf.WriteByte(separator)
		separator = ','
		buf.WriteString(name)
	}
	if len(p.errors) > 0 {
		begin(`"errors":`)
		encodeJSON(buf, p.errors)
	}
	if p.data != nil {
		begin(`"data":`)
		buf.Write(p.data)
	}
	if c.priced {
		begin(`"extensions":{"cost":{"requested":`)
		buf.Write(strconv.AppendInt(buf.AvailableBuffer(), int64(c.price.Requested), 10))
		buf.WriteString(`,"maximum":`)
		buf.Write(strconv.AppendInt(buf.AvailableBuffer(), int64(c.price.Maximum), 10))
		buf.WriteByte('}')
		for name, value := range p.extensions {
			buf.WriteByte(',')
			encodeJSON(buf, name)
			buf.WriteByte(':')
			encodeJSON(buf, value)
		}
		buf.WriteByte('}')
	}
	buf.WriteByte('}')
}

// encodeJSON writes a value that only our own code made.
func encodeJSON(buf *bytes.Buffer, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // answered as an internal error
	}
	buf.Write(text)
}
