package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

func (m mutationResolver) VehicleCreate(ctx context.Context, partyID string, input crm.VehicleInput, idempotencyKey *string, audit *crm.Audit) (*graph.VehiclePayload, error) {
	row, err := m.store.CreateVehicle(ctx, partyID, input, how(nil, idempotencyKey, audit))
	return vehiclePayload(ctx, row, err)
}

func (m mutationResolver) VehicleRegister(ctx context.Context, input crm.VehicleRegistration, idempotencyKey *string, audit *crm.Audit) (*graph.VehiclePayload, error) {
	row, err := m.store.RegisterVehicle(ctx, input, how(nil, idempotencyKey, audit))
	return vehiclePayload(ctx, row, err)
}

func (m mutationResolver) VehicleUpdate(ctx context.Context, id string, input crm.VehicleUpdate, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.VehiclePayload, error) {
	row, err := m.store.UpdateVehicle(ctx, id, input, how(&ifRevision, idempotencyKey, audit))
	return vehiclePayload(ctx, row, err)
}

func (m mutationResolver) VehicleDeactivate(ctx context.Context, id string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.VehiclePayload, error) {
	row, err := m.store.DeactivateVehicle(ctx, id, how(&ifRevision, idempotencyKey, audit))
	return vehiclePayload(ctx, row, err)
}

func (m mutationResolver) VehicleAdopt(ctx context.Context, id, partyID string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.VehiclePayload, error) {
	row, err := m.store.AdoptVehicle(ctx, id, partyID, how(&ifRevision, idempotencyKey, audit))
	return vehiclePayload(ctx, row, err)
}

func (m mutationResolver) VehicleDriverAssign(ctx context.Context, id, partyID string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.VehiclePayload, error) {
	row, err := m.store.AssignDriver(ctx, id, partyID, how(&ifRevision, idempotencyKey, audit))
	return vehiclePayload(ctx, row, err)
}

func (m mutationResolver) VehicleDriverRelease(ctx context.Context, id, partyID string, ifRevision int64, idempotencyKey *string, audit *crm.Audit) (*graph.VehiclePayload, error) {
	row, err := m.store.ReleaseDriver(ctx, id, partyID, how(&ifRevision, idempotencyKey, audit))
	return vehiclePayload(ctx, row, err)
}

func (m mutationResolver) VehicleTransfer(ctx context.Context, id string, input crm.VehicleTransfer, ifRevision *int64, idempotencyKey *string, audit *crm.Audit) (*graph.VehicleTransferPayload, error) {
	done, err := m.store.TransferVehicle(ctx, id, input, how(ifRevision, idempotencyKey, audit))
	payload := &graph.VehicleTransferPayload{}
	if done != nil {
		payload.Vehicle, payload.Association, payload.Status = done.Vehicle, done.Association, &done.Status
		aheadUnder(ctx, []*crm.VehicleAssociation{done.Association}, "association")
	}
	payload.Vehicle, payload.UserErrors, err = changed(ctx, "vehicle", payload.Vehicle, err)
	if err != nil {
		return nil, err
	}
	return payload, nil
}

func vehiclePayload(ctx context.Context, vehicle *crm.Vehicle, err error) (*graph.VehiclePayload, error) {
	vehicle, userErrors, err := changed(ctx, "vehicle", vehicle, err)
	if err != nil {
		return nil, err
	}
	return &graph.VehiclePayload{Vehicle: vehicle, UserErrors: userErrors}, nil
}
