package resolvers

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"crmgraph/crm"
)

// codes maps the domain's codes to those of the graph, which are a closed list.
var codes = map[crm.Code]string{
	crm.Invalid:              "BAD_USER_INPUT",
	crm.PreconditionRequired: "BAD_USER_INPUT",
	crm.NotFound:             "NOT_FOUND",
	crm.Conflict:             "CONFLICT",
	crm.Stale:                "CONFLICT",
	crm.Forbidden:            "FORBIDDEN",
	crm.Unauthenticated:      "UNAUTHENTICATED",
	crm.Unavailable:          "UNAVAILABLE",
	crm.Internal:             "INTERNAL",
}

// Present turns the error of a field into what the client sees. An error that is neither
// the domain's nor the executor's own is INTERNAL and keeps its text to itself.
func Present(ctx context.Context, err error) *gqlerror.Error {
	var domain *crm.Error
	var request *gqlerror.Error
	switch {
	case errors.As(err, &domain):
		out := &gqlerror.Error{Err: err, Message: domain.Message, Path: graphql.GetPath(ctx), Extensions: map[string]any{"code": codes[domain.Code]}}
		if domain.Field != "" {
			out.Extensions["field"] = domain.Field
		}
		if domain.Reason != "" {
			out.Extensions["reason"] = domain.Reason
		}
		return out
	case errors.As(err, &request) && (request.Err != nil || request.Extensions["code"] != nil):
		// An argument that does not fit its type; the executor's own complaints wrap nothing.
		out := *request
		if out.Extensions["code"] == nil {
			out.Extensions = map[string]any{"code": "BAD_USER_INPUT"}
		}
		return &out
	default:
		return &gqlerror.Error{
			Err: err, Message: "internal error", Path: graphql.GetPath(ctx),
			Extensions: map[string]any{"code": "INTERNAL"},
		}
	}
}
