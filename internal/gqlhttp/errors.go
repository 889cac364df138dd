package gqlhttp

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"crmgraph/internal/limits"
)

// The codes an error may carry as its extensions.code. The list is closed.
const (
	Unauthenticated   = "UNAUTHENTICATED"
	Forbidden         = "FORBIDDEN"
	NotFound          = "NOT_FOUND"
	BadUserInput      = limits.BadUserInput
	CostLimitExceeded = limits.CostLimitExceeded
	RateLimited       = "RATE_LIMITED"
	Conflict          = "CONFLICT"
	Unavailable       = "UNAVAILABLE"
	Internal          = "INTERNAL"
)

// statusOf returns the HTTP status of an answer without data whose first error has
// the code, and false for a code that is not on the list.
func statusOf(code string) (int, bool) {
	switch code {
	case Unauthenticated:
		return http.StatusUnauthorized, true
	case Forbidden:
		return http.StatusForbidden, true
	case NotFound:
		return http.StatusNotFound, true
	case BadUserInput, CostLimitExceeded:
		return http.StatusBadRequest, true
	case RateLimited:
		return http.StatusTooManyRequests, true
	case Conflict:
		return http.StatusConflict, true
	case Unavailable:
		return http.StatusServiceUnavailable, true
	case Internal:
		return http.StatusInternalServerError, true
	default:
		return http.StatusInternalServerError, false
	}
}

// Bounds on what an answer tells about errors: together they keep the answer to
// any refused document under 64 KB.
const (
	maxErrors  = 20
	maxMessage = 300 // bytes
	maxPath    = 1000
)

// refusal is why a request gets no data.
type refusal struct {
	errs gqlerror.List
	// status is that of a request which is not a GraphQL request at all; 0 lets the
	// media type and the code of the first error decide.
	status int
	allow  string // the Allow header of a 405
}

// malformed refuses a request that HTTP already knows to be wrong.
func malformed(status int, message string) *refusal {
	return &refusal{status: status, errs: gqlerror.List{coded(BadUserInput, message)}}
}

// refused refuses a well-formed request.
func refused(errs ...*gqlerror.Error) *refusal { return &refusal{errs: errs} }

func notAllowed(allow, message string) *refusal {
	r := malformed(http.StatusMethodNotAllowed, message)
	r.allow = allow
	return r
}

func coded(code, message string) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code}}
}

// codeOf returns the code of an error; false, and Internal, when it has none of the
// list.
func codeOf(err *gqlerror.Error) (string, bool) {
	code, _ := err.Extensions["code"].(string)
	if _, listed := statusOf(code); listed {
		return code, true
	}
	return Internal, false
}

// seal returns a copy of err that may leave the house: bounded, without suggestions,
// with a code of the list and the request's id. The message of an error without a
// code was not written for clients and is replaced.
func (h *handler) seal(ctx context.Context, err *gqlerror.Error) *gqlerror.Error {
	out := &gqlerror.Error{
		Message:    clean(err.Message),
		Path:       err.Path,
		Locations:  err.Locations,
		Extensions: make(map[string]any, len(err.Extensions)+2),
	}
	maps.Copy(out.Extensions, err.Extensions)
	code, given := codeOf(err)
	if !given {
		out.Message = "internal error"
	}
	if pathLength(err.Path) > maxPath {
		out.Path = nil
	}
	out.Extensions["code"] = code
	out.Extensions["requestId"] = h.options.RequestID(ctx)
	return out
}

func (h *handler) sealAll(ctx context.Context, errs gqlerror.List) gqlerror.List {
	if len(errs) == 0 {
		return nil
	}
	errs = errs[:min(len(errs), maxErrors)]
	out := make(gqlerror.List, len(errs))
	for i, err := range errs {
		out[i] = h.seal(ctx, err)
	}
	return out
}

// count adds errors to what is told of the request.
func (c *call) count(errs gqlerror.List) {
	c.told.Errors += len(errs)
	for _, err := range errs {
		if code, _ := codeOf(err); c.told.Failure == nil && (code == Internal || code == Unavailable) {
			c.told.Failure = cmp.Or(err.Err, error(err))
		}
	}
}

func pathLength(path ast.Path) int {
	n := 0
	for _, element := range path {
		if name, ok := element.(ast.PathName); ok {
			n += len(name)
		}
	}
	return n
}

// clean cuts suggestions, which tell the schema to those who may not read it, and
// long quotations of the request.
func clean(message string) string {
	message, _, _ = strings.Cut(message, " Did you mean")
	if len(message) <= maxMessage {
		return message
	}
	return cut(message, maxMessage) + "…"
}

// cut returns at most n bytes of s, ending between two characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// unquoted drops a quoted literal from a parser's or validator's message: the names
// in a document help to find the mistake, the strings in it may be secret.
func unquoted(message string) string {
	for _, mark := range []string{`String "`, `, found `, ` value: `} {
		if before, _, found := strings.Cut(message, mark); found {
			return before + strings.TrimRight(mark, ` ":`)
		}
	}
	return message
}

// recovered is told of every panic, by the executor for those in resolvers.
func (h *handler) recovered(ctx context.Context, cause any) error {
	if c := callOf(ctx); c != nil {
		c.panicked.Store(true)
	}
	h.options.Log.ErrorContext(ctx, "graphql: panic", "panic", cause, "stack", string(debug.Stack()))
	return coded(Internal, "internal error")
}

// worded gives errors of the validator or the executor, whose codes are not of the
// list, a code of it and our words. Errors that extensions have coded pass as they are.
func worded(errs gqlerror.List, message func(*gqlerror.Error) string) gqlerror.List {
	out := slices.Clone(errs)
	for i, err := range errs {
		if _, given := codeOf(err); !given {
			out[i] = coded(BadUserInput, message(err))
			out[i].Locations = err.Locations
		}
	}
	return out
}
