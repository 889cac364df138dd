package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

func (m mutationResolver) WarrantyRegister(ctx context.Context, input crm.WarrantyRegistration, idempotencyKey *string, audit *crm.Audit) (*graph.WarrantyPayload, error) {
	row, err := m.store.RegisterWarranty(ctx, input, how(nil, idempotencyKey, audit))
	return warrantyPayload(ctx, row, err)
}

func (m mutationResolver) WarrantyUpdate(ctx context.Context, id string, input crm.WarrantyUpdate, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.WarrantyPayload, error) {
	row, err := m.store.UpdateWarranty(ctx, id, input, how(&ifRevision, idempotencyKey, audit))
	return warrantyPayload(ctx, row, err)
}

func (m mutationResolver) WarrantyStatusChange(ctx context.Context, id string, status crm.WarrantyStatus, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.WarrantyPayload, error) {
	row, err := m.store.ChangeWarrantyStatus(ctx, id, status, how(&ifRevision, idempotencyKey, audit))
	return warrantyPayload(ctx, row, err)
}

func (m mutationResolver) WarrantyTransfer(ctx context.Context, id, customerID string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.WarrantyPayload, error) {
	row, err := m.store.TransferWarranty(ctx, id, customerID, how(&ifRevision, idempotencyKey, audit))
	return warrantyPayload(ctx, row, err)
}

func (m mutationResolver) WarrantyVehicleUnlink(ctx context.Context, id string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.WarrantyPayload, error) {
	row, err := m.store.LinkWarrantyVehicle(ctx, id, nil, how(&ifRevision, idempotencyKey, audit))
	return warrantyPayload(ctx, row, err)
}

func (m mutationResolver) WarrantyVehicleLink(ctx context.Context, id, vehicleID string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.WarrantyPayload, error) {
	row, err := m.store.LinkWarrantyVehicle(ctx, id, &vehicleID, how(&ifRevision, idempotencyKey, audit))
	return warrantyPayload(ctx, row, err)
}

func warrantyPayload(ctx context.Context, warranty *crm.Warranty, err error) (*graph.WarrantyPayload, error) {
	warranty, userErrors, err := changed(ctx, "warranty", warranty, err)
	if err != nil {
		return nil, err
	}
	return &graph.WarrantyPayload{Warranty: warranty, UserErrors: userErrors}, nil
}
