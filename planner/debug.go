package planner

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
)

// Debug is an extension of the executor that tells, in extensions.debug of the answer, how each
// root field was answered. A request asks for it with its own extensions: {"debug": true}. It is
// for development: the reasons name fields that the caller may not see.
type Debug struct{}

var _ interface {
	graphql.HandlerExtension
	graphql.ResponseInterceptor
} = Debug{}

// ExtensionName implements graphql.HandlerExtension.
func (Debug) ExtensionName() string { return "PlannerDebug" }

// Validate implements graphql.HandlerExtension.
func (Debug) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptResponse implements graphql.ResponseInterceptor.
func (Debug) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if on, _ := graphql.GetOperationContext(ctx).Extensions["debug"].(bool); !on {
		return next(ctx)
	}
	n := &notes{}
	response := next(context.WithValue(ctx, notesKey{}, n))
	if response == nil {
		return nil
	}
	if response.Extensions == nil {
		response.Extensions = map[string]any{}
	}
	slices.SortFunc(n.list, func(a, b note) int { return cmp.Compare(a.Field, b.Field) })
	response.Extensions["debug"] = map[string]any{"rootFields": n.list}
	return response
}

type notesKey struct{}

// notes are what a request is told.
type notes struct {
	mu   sync.Mutex
	list []note
}

// note tells how a root field was answered.
type note struct {
	Field      string `json:"field"`            // its name in the answer
	AnsweredBy string `json:"answeredBy"`       // planner or loaders
	Reason     string `json:"reason,omitempty"` // why not by the planner
	Detail     string `json:"detail,omitempty"`
}

func (o Outcome) note(ctx context.Context, key string) {
	n, ok := ctx.Value(notesKey{}).(*notes)
	if !ok {
		return
	}
	told := note{Field: key, AnsweredBy: "planner", Reason: o.Reason, Detail: o.Detail}
	if o.Reason != "" {
		told.AnsweredBy = "loaders"
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, told)
}
