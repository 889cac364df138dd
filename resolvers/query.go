package resolvers

import (
	"context"
	"time"

	"crmgraph/crm"
	"crmgraph/graph"
)

type queryResolver struct{ store *crm.Store }

var _ graph.QueryResolver = queryResolver{}

func (q queryResolver) Node(ctx context.Context, id string) (crm.Node, error) {
	node, err := q.store.NodeByID(ctx, id)
	if err != nil || node == nil { // a reader took it
		return nil, unlessNotFound(err)
	}
	aheadOfNodes(ctx, []crm.Node{node})
	return node, nil
}

func (q queryResolver) Nodes(ctx context.Context, ids []string) ([]crm.Node, error) {
	nodes, err := q.store.NodesByIDs(ctx, ids)
	if err == nil {
		aheadOfNodes(ctx, nodes)
	}
	return nodes, err
}

func (q queryResolver) Search(ctx context.Context, text string, types []crm.SearchType, first *int) ([]*crm.SearchHit, error) {
	hits, err := q.store.Search(ctx, text, types, first)
	if err == nil {
		aheadOfHits(ctx, hits)
	}
	return hits, err
}

func (q queryResolver) Customer(ctx context.Context, by crm.CustomerBy) (*crm.Customer, error) {
	return one(ctx, q.store.Customer, by)
}

func (q queryResolver) Customers(ctx context.Context, where *crm.CustomerWhere, orderBy []*crm.CustomerOrder, first *int, after *string, last *int, before *string, offset *int) (*crm.CustomerConnection, error) {
	return list(ctx, q.store.Customers, where, orderBy, first, after, last, before, offset)
}

func (q queryResolver) Party(ctx context.Context, by crm.PartyBy) (*crm.Party, error) {
	return one(ctx, q.store.Party, by)
}

func (q queryResolver) Parties(ctx context.Context, where *crm.PartyWhere, orderBy []*crm.PartyOrder, first *int, after *string, last *int, before *string, offset *int) (*crm.PartyConnection, error) {
	return list(ctx, q.store.Parties, where, orderBy, first, after, last, before, offset)
}

func (q queryResolver) Contact(ctx context.Context, by crm.ContactBy) (*crm.Contact, error) {
	return one(ctx, q.store.Contact, by)
}

func (q queryResolver) Contacts(ctx context.Context, where *crm.ContactWhere, orderBy []*crm.ContactOrder, first *int, after *string, last *int, before *string, offset *int) (*crm.ContactConnection, error) {
	return list(ctx, q.store.Contacts, where, orderBy, first, after, last, before, offset)
}

func (q queryResolver) Role(ctx context.Context, by crm.RoleBy) (*crm.Role, error) {
	return one(ctx, q.store.Role, by)
}

func (q queryResolver) Roles(ctx context.Context, where *crm.RoleWhere, orderBy []*crm.RoleOrder, first *int, after *string, last *int, before *string, offset *int) (*crm.RoleConnection, error) {
	return list(ctx, q.store.Roles, where, orderBy, first, after, last, before, offset)
}

func (q queryResolver) ContactRole(ctx context.Context, by crm.ContactRoleBy) (*crm.ContactRole, error) {
	return one(ctx, q.store.ContactRole, by)
}

func (q queryResolver) ContactRoles(ctx context.Context, where *crm.ContactRoleWhere, orderBy []*crm.ContactRoleOrder, first *int, after *string, last *int, before *string, offset *int) (*crm.ContactRoleConnection, error) {
	return list(ctx, q.store.ContactRoles, where, orderBy, first, after, last, before, offset)
}

func (q queryResolver) Vehicle(ctx context.Context, by crm.VehicleBy) (*crm.Vehicle, error) {
	return one(ctx, q.store.Vehicle, by)
}

func (q queryResolver) Vehicles(ctx context.Context, where *crm.VehicleWhere, orderBy []*crm.VehicleOrder, first *int, after *string, last *int, before *string, offset *int) (*crm.VehicleConnection, error) {
	return list(ctx, q.store.Vehicles, where, orderBy, first, after, last, before, offset)
}

func (q queryResolver) VehicleSearch(ctx context.Context, input crm.VehicleQuery, orderBy *crm.VehicleSearchOrder, first, offset *int) (*crm.VehicleHits, error) {
	page, err := crm.NewPage(first, nil, nil, nil, offset)
	if err != nil {
		return nil, err
	}
	hits, err := q.store.SearchVehicles(ctx, input, orderBy, page)
	if err == nil {
		aheadOfFound(ctx, "VehicleSearch", hits.Nodes())
	}
	return hits, err
}

func (q queryResolver) PartySearch(ctx context.Context, input crm.PartyQuery, orderBy *crm.PartySearchOrder, first, offset *int) (*crm.PartySearchConnection, error) {
	page, err := crm.NewPage(first, nil, nil, nil, offset)
	if err != nil {
		return nil, err
	}
	found, err := q.store.SearchParties(ctx, input, orderBy, page)
	if err == nil {
		aheadOfFound(ctx, "PartySearch", found.Nodes())
	}
	return found, err
}

func (q queryResolver) LoyaltyAccount(ctx context.Context, by crm.LoyaltyAccountBy) (*crm.LoyaltyAccount, error) {
	return one(ctx, q.store.LoyaltyAccount, by)
}

func (q queryResolver) LoyaltyAccounts(ctx context.Context, where *crm.LoyaltyAccountWhere, orderBy []*crm.LoyaltyAccountOrder, first *int, after *string, last *int, before *string, offset *int) (*crm.LoyaltyAccountConnection, error) {
	return list(ctx, q.store.LoyaltyAccounts, where, orderBy, first, after, last, before, offset)
}

func (q queryResolver) LoyaltyTransaction(ctx context.Context, by crm.LoyaltyTransactionBy) (*crm.LoyaltyTransaction, error) {
	return one(ctx, q.store.LoyaltyTransaction, by)
}

func (q queryResolver) LoyaltyTransactions(ctx context.Context, where *crm.LoyaltyTransactionWhere, orderBy []*crm.LoyaltyTransactionOrder, first *int, after *string, last *int, before *string, offset *int) (*crm.LoyaltyTransactionConnection, error) {
	return list(ctx, q.store.LoyaltyTransactions, where, orderBy, first, after, last, before, offset)
}

func (q queryResolver) LoyaltyPolicy(ctx context.Context, by crm.LoyaltyPolicyBy) (*crm.LoyaltyPolicy, error) {
	return one(ctx, q.store.LoyaltyPolicy, by)
}

func (q queryResolver) LoyaltyPolicyAt(ctx context.Context, channel *string, at *time.Time) (*crm.LoyaltyPolicy, error) {
	return q.store.LoyaltyPolicyAt(ctx, channel, at)
}

func (q queryResolver) LoyaltyPolicies(ctx context.Context, where *crm.LoyaltyPolicyWhere, orderBy []*crm.LoyaltyPolicyOrder, first *int, after *string, last *int, before *string, offset *int) (*crm.LoyaltyPolicyConnection, error) {
	return list(ctx, q.store.LoyaltyPolicies, where, orderBy, first, after, last, before, offset)
}

func (q queryResolver) LoyaltyPreview(ctx context.Context, amount crm.MoneyInput, channel *string, at *time.Time) (*crm.LoyaltyQuote, error) {
	return q.store.PreviewPoints(ctx, amount, channel, at)
}

func (q queryResolver) Warranty(ctx context.Context, by crm.WarrantyBy) (*crm.Warranty, error) {
	return one(ctx, q.store.Warranty, by)
}

func (q queryResolver) Warranties(ctx context.Context, where *crm.WarrantyWhere, orderBy []*crm.WarrantyOrder, first *int, after *string, last *int, before *string, offset *int) (*crm.WarrantyConnection, error) {
	return list(ctx, q.store.Warranties, where, orderBy, first, after, last, before, offset)
}

func (q queryResolver) Event(ctx context.Context, by crm.EventBy) (*crm.Event, error) {
	return one(ctx, q.store.Event, by)
}

func (q queryResolver) Events(ctx context.Context, where *crm.EventWhere, orderBy []*crm.EventOrder, first *int, after *string, last *int, before *string, offset *int) (*crm.EventConnection, error) {
	return list(ctx, q.store.Events, where, orderBy, first, after, last, before, offset)
}

func (q queryResolver) TenantSettings(ctx context.Context) (*crm.TenantSettings, error) {
	return q.store.Settings(ctx)
}

func (q queryResolver) CustomerDuplicates(ctx context.Context, by crm.CustomerDuplicatesBy, first, offset *int) (*crm.CustomerDuplicates, error) {
	found, err := q.store.CustomerDuplicates(ctx, by, first, offset)
	if err != nil {
		return nil, unlessNotFound(err)
	}
	customers := make([]*crm.Customer, len(found.Nodes))
	for i, duplicate := range found.Nodes {
		customers[i] = duplicate.Customer
	}
	aheadUnder(ctx, customers, "nodes", "customer")
	return found, nil
}

func (q queryResolver) PartyMergePreview(ctx context.Context, survivorID string, loserIDs []string) (*crm.MergePreview, error) {
	return q.store.PreviewMerge(ctx, survivorID, loserIDs)
}

func (q queryResolver) BillingTermsList(ctx context.Context) ([]*crm.BillingTerms, error) {
	return q.store.ListBillingTerms(ctx)
}
