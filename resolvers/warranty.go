package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

// Warranty resolves the edges of a Warranty.
func (Root) Warranty() graph.WarrantyResolver { return warrantyResolver{} }

type warrantyResolver struct{}

var _ graph.WarrantyResolver = warrantyResolver{}

func (warrantyResolver) Customer(ctx context.Context, w *crm.Warranty) (*crm.Customer, error) {
	return crm.WarrantyCustomer.Load(ctx, w)
}

func (warrantyResolver) Vehicle(ctx context.Context, w *crm.Warranty) (*crm.Vehicle, error) {
	return crm.WarrantyVehicle.Load(ctx, w)
}

func (warrantyResolver) Events(ctx context.Context, w *crm.Warranty, first *int, after *string, last *int, before *string) (*crm.EventConnection, error) {
	return page(ctx, crm.WarrantyEvents, w, first, after, last, before)
}
