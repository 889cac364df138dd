package resolvers_test

import (
	"context"
	"errors"
	"testing"

	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/graph"
	"crmgraph/resolvers"
)

// The faulty resolvers are the real ones, but for some records some edges fail, panic, or lead to nothing
// where the schema promises something.
type (
	faulty        struct{ resolvers.Root }
	faultyQuery   struct{ graph.QueryResolver }
	faultyParty   struct{ graph.PartyResolver }
	faultyVehicle struct{ graph.VehicleResolver }
)

func (f faulty) Query() graph.QueryResolver     { return faultyQuery{f.Root.Query()} }
func (f faulty) Party() graph.PartyResolver     { return faultyParty{f.Root.Party()} }
func (f faulty) Vehicle() graph.VehicleResolver { return faultyVehicle{f.Root.Vehicle()} }

func (f faultyQuery) BillingTermsList(ctx context.Context) ([]*crm.BillingTerms, error) {
	list, err := f.QueryResolver.BillingTermsList(ctx)
	return append(list[:1:1], nil), err
}

func (f faultyQuery) Search(context.Context, string, []crm.SearchType, *int) ([]*crm.SearchHit, error) {
	return []*crm.SearchHit{{Node: &crm.Vehicle{}}, {MatchedText: "nothing"}}, nil
}

func (f faultyParty) Customer(ctx context.Context, p *crm.Party) (*crm.Customer, error) {
	c, err := f.PartyResolver.Customer(ctx, p)
	if err == nil && c.Number == 1002 {
		without := *c
		without.Metadata = nil
		c = &without
	}
	return c, err
}

func (f faultyParty) Vehicles(ctx context.Context, p *crm.Party, first *int, after *string, last *int, before *string) (*crm.VehicleConnection, error) {
	list, err := f.PartyResolver.Vehicles(ctx, p, first, after, last, before)
	if err == nil && p.DisplayName == "Amelia Hartmann" {
		list.Nodes()[1] = nil
	}
	return list, err
}

func (faultyParty) Identifiers(context.Context, *crm.Party) ([]*crm.Identifier, error) {
	return nil, nil
}

func (f faultyVehicle) Owner(ctx context.Context, v *crm.Vehicle) (*crm.Party, error) {
	if v.Number == 10022 {
		return nil, errors.New("the owner's fault")
	}
	return f.VehicleResolver.Owner(ctx, v)
}

func (f faultyVehicle) Drivers(ctx context.Context, v *crm.Vehicle, first *int, after *string, last *int, before *string) (*crm.PartyConnection, error) {
	if v.Number == 10022 {
		panic("the drivers' fault")
	}
	return f.VehicleResolver.Drivers(ctx, v, first, after, last, before)
}

// What is wrong with one record is told with its place, and costs no more than the nearest thing that
// may be null.
func TestFaultsStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec = executor.New(graph.NewSchema(graph.Config{Resolvers: faulty{resolvers.Root{Store: b.store}}}))
	b.exec.SetErrorPresenter(resolvers.Present)
	b.exec.SetRecoverFunc(func(context.Context, any) error { return errors.New("a panic") })
	const two = "{ customers(first: 2, orderBy: [{field: NUMBER}]) { nodes { number "
	for name, c := range map[string]struct {
		document, want string
		paths          []string
	}{
		"an edge in a list of lists": {
			two + "vehicles(first: 2) { nodes { number owner { kind } } } } } }",
			`{"customers":{"nodes":[{"number":1001,"vehicles":{"nodes":[{"number":10021,"owner":{"kind":"INDIVIDUAL"}},{"number":10022,"owner":null}]}},` +
				`{"number":1002,"vehicles":{"nodes":[{"number":10001,"owner":{"kind":"INDIVIDUAL"}},{"number":10024,"owner":{"kind":"INDIVIDUAL"}}]}}]}}`,
			[]string{"customers.nodes[0].vehicles.nodes[1].owner"},
		},
		"an edge that panics": {
			two + "vehicles(first: 2) { nodes { number drivers(first: 1) { totalCount } } } } } }",
			`{"customers":{"nodes":[{"number":1001,"vehicles":{"nodes":[{"number":10021,"drivers":{"totalCount":0}},{"number":10022,"drivers":null}]}},` +
				`{"number":1002,"vehicles":{"nodes":[{"number":10001,"drivers":{"totalCount":1}},{"number":10024,"drivers":{"totalCount":0}}]}}]}}`,
			[]string{"customers.nodes[0].vehicles.nodes[1].drivers"},
		},
		"a required value in an object that may be null": {
			two + "party { customer { number metadata } kind } } } }",
			`{"customers":{"nodes":[{"number":1001,"party":{"customer":{"number":1001,"metadata":{}},"kind":"INDIVIDUAL"}},{"number":1002,"party":{"customer":null,"kind":"INDIVIDUAL"}}]}}`,
			[]string{"customers.nodes[1].party.customer.metadata"},
		},
		"a required element": {
			two + "party { vehicles(first: 2) { nodes { make } totalCount } kind } } } }",
			`{"customers":{"nodes":[{"number":1001,"party":{"vehicles":null,"kind":"INDIVIDUAL"}},` +
				`{"number":1002,"party":{"vehicles":{"nodes":[{"make":"Renault"},{"make":"Citroën"}],"totalCount":2},"kind":"INDIVIDUAL"}}]}}`,
			[]string{"customers.nodes[0].party.vehicles.nodes[1]"},
		},
		"a required element of a list that may be null": {
			"{ billingTermsList { code } customer(by: {number: 1001}) { number } }",
			`{"billingTermsList":null,"customer":{"number":1001}}`,
			[]string{"billingTermsList[1]"},
		},
		"a required union": {
			`{ search(text: "a") { matchedText node { ... on Vehicle { make } } } }`,
			`{"search":null}`,
			[]string{"search[1].node"},
		},
		"a list that is not there": {
			"{ customer(by: {number: 1001}) { party { identifiers { id } locations { id } } } }",
			`{"customer":{"party":{"identifiers":null,"locations":[]}}}`,
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := b.admin(t, c.document, nil)
			require.Len(t, got.Errors, len(c.paths))
			for i, e := range got.Errors {
				require.Equal(t, c.paths[i], e.Path.String())
			}
			require.Equal(t, c.want, string(got.Data))
		})
	}
}
