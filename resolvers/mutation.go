package resolvers

import (
	"context"
	"errors"
	"regexp"

	"crmgraph/crm"
	"crmgraph/graph"
)

// Mutation resolves the fields that change something; those of each noun are in its file.
func (r Root) Mutation() graph.MutationResolver { return mutationResolver{r.Store} }

type mutationResolver struct{ store *crm.Store }

var _ graph.MutationResolver = mutationResolver{}

// how gathers what goes with every write. revision is nil where none is asked for.
func how(revision *int64, idempotencyKey *string, audit *crm.Audit) crm.Write {
	return crm.Write{IfRevision: revision, IdempotencyKey: idempotencyKey, Audit: audit}
}

// changed is what a payload says of a change: the record in its field of the payload, or why
// there is none. Errors that are not the user's to mend come back as errors.
func changed[T any](ctx context.Context, field string, record *T, err error) (*T, []*graph.UserError, error) {
	refused, err := refusals(err)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range refused {
		if current, ok := any(e.current).(*T); ok {
			record = current
		}
	}
	return beside(ctx, field, record), shown(ctx, refused), nil
}

// beside is a record in its field of a payload, with what is selected below it loaded ahead: nil
// for who may change it and not see it.
func beside[T any](ctx context.Context, field string, record *T) *T {
	if record == nil || !crm.MayView(ctx, typeName[T]()) {
		return nil
	}
	aheadUnder(ctx, []*T{record}, field)
	return record
}

// userErrors is changed for a payload without a record.
func userErrors(ctx context.Context, err error) ([]*graph.UserError, error) {
	refused, err := refusals(err)
	return shown(ctx, refused), err
}

func shown(ctx context.Context, refused []refusal) []*graph.UserError {
	list := make([]*graph.UserError, len(refused))
	for i, e := range refused {
		list[i] = e.UserError
		if e.Related != nil && !crm.MayViewID(ctx, *e.Related) {
			list[i].Related = nil
		}
	}
	return list
}

// refusal is a user error with the record as it is stored, if the domain sent it along.
type refusal struct {
	*graph.UserError

	current crm.Node
}

// refusals turns an error into user errors when it is the user's to mend.
func refusals(err error) ([]refusal, error) {
	if err == nil {
		return nil, nil
	}
	var all crm.Problems
	if !errors.As(err, &all) {
		one, ok := errors.AsType[*crm.Error](err)
		if !ok {
			return nil, err
		}
		all = crm.Problems{one}
	}
	list := make([]refusal, len(all))
	for i, e := range all {
		switch e.Code {
		case crm.Forbidden, crm.Unauthenticated, crm.Unavailable, crm.Internal:
			return nil, err
		default:
		}
		list[i] = refusal{&graph.UserError{Field: segments(e.Field), Message: e.Message, Code: codeOf(e)}, e.Current}
		if e.Related != "" {
			list[i].Related = &e.Related
		}
	}
	return list, nil
}

// codeOf is the finest word that the domain has for an error; the graph's are the same.
func codeOf(e *crm.Error) graph.UserErrorCode {
	if e.Reason != "" {
		return graph.UserErrorCode(e.Reason)
	}
	return graph.UserErrorCode(e.Code)
}

var segment = regexp.MustCompile(`[^.\[\]]+`)

// segments splits a path such as input.roles[0].code.
func segments(path string) []string { return segment.FindAllString(path, -1) }
