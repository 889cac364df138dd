package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

func (m mutationResolver) RoleCreate(ctx context.Context, input crm.NewRole, idempotencyKey *string, audit *crm.Audit) (*graph.RolePayload, error) {
	role, err := m.store.CreateRole(ctx, input, how(nil, idempotencyKey, audit))
	return rolePayload(ctx, role, err)
}

func (m mutationResolver) RoleUpdate(ctx context.Context, id string, input crm.RoleUpdate, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.RolePayload, error) {
	role, err := m.store.UpdateRole(ctx, id, input, how(&ifRevision, idempotencyKey, audit))
	return rolePayload(ctx, role, err)
}

func (m mutationResolver) BillingTermsCreate(ctx context.Context, input crm.NewBillingTerms, idempotencyKey *string, audit *crm.Audit) (*graph.BillingTermsPayload, error) {
	terms, err := m.store.CreateBillingTerms(ctx, input, how(nil, idempotencyKey, audit))
	return billingTermsPayload(ctx, terms, err)
}

func (m mutationResolver) BillingTermsUpdate(ctx context.Context, id string, input crm.BillingTermsUpdate, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.BillingTermsPayload, error) {
	terms, err := m.store.UpdateBillingTerms(ctx, id, input, how(&ifRevision, idempotencyKey, audit))
	return billingTermsPayload(ctx, terms, err)
}

func rolePayload(ctx context.Context, role *crm.Role, err error) (*graph.RolePayload, error) {
	role, userErrors, err := changed(ctx, "role", role, err)
	if err != nil {
		return nil, err
	}
	return &graph.RolePayload{Role: role, UserErrors: userErrors}, nil
}

func billingTermsPayload(ctx context.Context, terms *crm.BillingTerms, err error) (*graph.BillingTermsPayload, error) {
	terms, userErrors, err := changed(ctx, "billingTerms", terms, err)
	if err != nil {
		return nil, err
	}
	return &graph.BillingTermsPayload{BillingTerms: terms, UserErrors: userErrors}, nil
}
