package resolvers

import (
	"context"

	"crmgraph/crm"
	"crmgraph/graph"
)

// Customer resolves the edges of a Customer.
func (Root) Customer() graph.CustomerResolver { return customerResolver{} }

type customerResolver struct{}

var _ graph.CustomerResolver = customerResolver{}

func (customerResolver) Party(ctx context.Context, c *crm.Customer) (*crm.Party, error) {
	return crm.CustomerParty.Load(ctx, c)
}

func (customerResolver) LoyaltyAccount(ctx context.Context, c *crm.Customer) (*crm.LoyaltyAccount, error) {
	return crm.CustomerLoyaltyAccount.Load(ctx, c)
}

func (customerResolver) Vehicles(ctx context.Context, c *crm.Customer, first *int, after *string, last *int, before *string) (*crm.VehicleConnection, error) {
	return page(ctx, crm.CustomerVehicles, c, first, after, last, before)
}

func (customerResolver) Warranties(ctx context.Context, c *crm.Customer, first *int, after *string, last *int, before *string) (*crm.WarrantyConnection, error) {
	return page(ctx, crm.CustomerWarranties, c, first, after, last, before)
}

func (customerResolver) Events(ctx context.Context, c *crm.Customer, first *int, after *string, last *int, before *string) (*crm.EventConnection, error) {
	return page(ctx, crm.CustomerEvents, c, first, after, last, before)
}
