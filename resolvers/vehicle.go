package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

// Vehicle resolves the edges of a Vehicle.
func (Root) Vehicle() graph.VehicleResolver { return vehicleResolver{} }

type vehicleResolver struct{}

var _ graph.VehicleResolver = vehicleResolver{}

func (vehicleResolver) Owner(ctx context.Context, v *crm.Vehicle) (*crm.Party, error) {
	return crm.VehicleOwner.Load(ctx, v)
}

func (vehicleResolver) Drivers(ctx context.Context, v *crm.Vehicle, first *int, after *string, last *int, before *string) (*crm.PartyConnection, error) {
	return page(ctx, crm.VehicleDrivers, v, first, after, last, before)
}

func (vehicleResolver) OwnershipHistory(ctx context.Context, v *crm.Vehicle, first *int, after *string, last *int, before *string) (*crm.VehicleAssociationConnection, error) {
	return page(ctx, crm.VehicleOwnershipHistory, v, first, after, last, before)
}

func (vehicleResolver) Warranties(ctx context.Context, v *crm.Vehicle, first *int, after *string, last *int, before *string) (*crm.WarrantyConnection, error) {
	return page(ctx, crm.VehicleWarranties, v, first, after, last, before)
}

// VehicleAssociation resolves the edges of a VehicleAssociation.
func (Root) VehicleAssociation() graph.VehicleAssociationResolver {
	return vehicleAssociationResolver{}
}

type vehicleAssociationResolver struct{}

var _ graph.VehicleAssociationResolver = vehicleAssociationResolver{}

func (vehicleAssociationResolver) Vehicle(ctx context.Context, v *crm.VehicleAssociation) (*crm.Vehicle, error) {
	return crm.AssociationVehicle.Load(ctx, v)
}

func (vehicleAssociationResolver) Party(ctx context.Context, v *crm.VehicleAssociation) (*crm.Party, error) {
	return crm.AssociationParty.Load(ctx, v)
}

func (vehicleResolver) Events(ctx context.Context, v *crm.Vehicle, first *int, after *string, last *int, before *string) (*crm.EventConnection, error) {
	return page(ctx, crm.VehicleEvents, v, first, after, last, before)
}
