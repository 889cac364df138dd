package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

func (m mutationResolver) CustomerCreate(ctx context.Context, input crm.CustomerCreate, idempotencyKey *string, audit *crm.Audit) (*graph.CustomerPayload, error) {
	customer, err := m.store.CreateCustomer(ctx, input, how(nil, idempotencyKey, audit))
	return customerPayload(ctx, customer, err)
}

func (m mutationResolver) CustomerUpdate(ctx context.Context, id string, input crm.CustomerUpdate, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.CustomerPayload, error) {
	customer, err := m.store.UpdateCustomer(ctx, id, input, how(&ifRevision, idempotencyKey, audit))
	return customerPayload(ctx, customer, err)
}

func (m mutationResolver) CustomerStatusChange(ctx context.Context, id string, status crm.CustomerStatus, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.CustomerPayload, error) {
	customer, err := m.store.ChangeCustomerStatus(ctx, id, status, how(&ifRevision, idempotencyKey, audit))
	return customerPayload(ctx, customer, err)
}

func (m mutationResolver) CustomerDeactivate(ctx context.Context, id string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.CustomerPayload, error) {
	customer, err := m.store.DeactivateCustomer(ctx, id, how(&ifRevision, idempotencyKey, audit))
	return customerPayload(ctx, customer, err)
}

func (m mutationResolver) CustomerAnonymize(ctx context.Context, id string, ifRevision *int64, idempotencyKey *string, audit *crm.Audit) (*graph.CustomerPayload, error) {
	customer, err := m.store.AnonymizeCustomer(ctx, id, how(ifRevision, idempotencyKey, audit))
	return customerPayload(ctx, customer, err)
}

func (m mutationResolver) CustomerErase(ctx context.Context, id string, ifRevision *int64, idempotencyKey *string, audit *crm.Audit) (*graph.CustomerErasurePayload, error) {
	erasure, err := m.store.EraseCustomer(ctx, id, how(ifRevision, idempotencyKey, audit))
	userErrors, err := userErrors(ctx, err)
	if err != nil || erasure == nil {
		return &graph.CustomerErasurePayload{UserErrors: userErrors}, err
	}
	return &graph.CustomerErasurePayload{ErasedID: &erasure.ID, ItemsDeleted: &erasure.ItemsDeleted, UserErrors: userErrors}, nil
}

func customerPayload(ctx context.Context, customer *crm.Customer, err error) (*graph.CustomerPayload, error) {
	customer, userErrors, err := changed(ctx, "customer", customer, err)
	if err != nil {
		return nil, err
	}
	return &graph.CustomerPayload{Customer: customer, UserErrors: userErrors}, nil
}
