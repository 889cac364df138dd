package resolvers_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const page = `query ($n: Int!) { customers(first: $n) { nodes {
	id
	vehicles(first: 5) { nodes { id vin { value } owner { id displayName } warranties(first: 5) { nodes { id status } } } }
	loyaltyAccount { availablePoints transactions(first: 5) { nodes { id points } } }
} } }`

const filteredPage = `query ($n: Int!, $type: LoyaltyTransactionType! = REDEEM) { customers(first: $n) { nodes { loyaltyAccount {
	policy { version } web: policy(channel: "webshop") { version }
	transactions(where: {type: {eq: $type}, occurredAt: {gte: "2024-01-01T00:00:00Z"}}, first: 3) { totalCount nodes { account { id } related { id } } }
	earned: transactions(where: {type: {eq: EARN}}, first: 3) { nodes { id } }
	lots(where: {not: {remaining: {lt: 1}}}, first: 3) { nodes { transaction { id } } }
} } } }`

// A page takes one statement per edge, however many parents it has.
func TestStatementsDoNotGrow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for document, want := range map[string]int{
		page:         6,  // customers; vehicles, loyalty accounts, transactions; owners, warranties
		filteredPage: 10, // customers; accounts, redemptions, their number, earnings, lots; related, lots' entries; two policies
	} {
		for _, n := range []string{"1", "100"} {
			got := b.admin(t, document, map[string]any{"n": json.Number(n)})
			require.Empty(t, got.Errors)
			require.Equal(t, want, got.Statements, "a page of %s", n)
		}
	}
}

func TestStatements(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		document string
		want     int
	}{
		"a point lookup": {`{ customer(by: {number: 1001}) { id number code status } }`, 1},
		"the 360 view": {`{ customer(by: {number: 1001}) { id number
			party { displayName contactPoints { value } engagements(first: 5) { nodes { title organization { displayName } roles { isPrimary role { code } } } } }
			vehicles(first: 5) { nodes { vin { value } owner { id } warranties(first: 5) { nodes { status } } } }
			warranties(first: 5) { nodes { status vehicle { id } } }
			loyaltyAccount { availablePoints transactions(first: 5) { nodes { points } } } } }`,
			// customer; party, points, engagements, vehicles, warranties, account, transactions; organisations,
			// roles held, owners, vehicles' warranties, warranties' vehicles; roles
			14},
		"an edge asked for twice with the same page": {`{ customer(by: {number: 1001}) { a: vehicles(first: 2) { nodes { id } } party { customer { vehicles(first: 2) { nodes { id } } } } } }`, 3},
		"a total beside a page":                      {`{ customer(by: {number: 1001}) { vehicles(first: 1) { totalCount nodes { id } } } }`, 3},
		"an edge below nodes and edges, and twice by alias": {`{ customers(first: 3) { nodes { party { id } }
			edges { node { party { displayName } a: vehicles(first: 2) { nodes { id } } b: vehicles(first: 2) { totalCount edges { node { owner { id } } } } } } } }`, 5},
		"only what is asked for": {`query { customers(first: 3) { nodes { id party @include(if: false) { id } ... on Customer { vehicles(first: 1) @skip(if: true) { nodes { id } } } } } }`, 1},
		"edges in a fragment":    {`{ customers(first: 3) { edges { node { ...f } } } } fragment f on Customer { party { ... on Node { ... on Party { contactPoints { id } } } } }`, 3},
		"what everyone of a page said": {`{ customers(first: 50) { nodes { communicationPreferences { revision } consents { state } consentHistory(first: 2) { nodes { after } }
			party { communicationPreferences { revision } consents { state } } } } }`, 6},
		// ids, parties, total; points, accounts; terms
		"found parties and what is below them": {`{ partySearch(input: {name: "er", kind: ORGANIZATION}, first: 20) { totalCount nodes { contactPoints { id } account { billingTerms { id } } } } }`, 6},
		"a search and what is below its hits":  {`{ search(text: "amelia hartman") { node { ... on Customer { party { displayName } } } } }`, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := b.admin(t, c.document, nil)
			require.Empty(t, got.Errors)
			require.Equal(t, c.want, got.Statements)
		})
	}
}

// What hangs on a record whose id is known travels with it.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for document, want := range map[string]answer{
		// customer; party, its points, vehicles; owners
		`{ customer(by: {number: 1001}) { party { contactPoints { value } } vehicles(first: 5) { nodes { owner { displayName } } } } }`: {Statements: 5, RoundTrips: 3},
		// customer; account, entries; entries that belong to them
		`{ customer(by: {number: 1001}) { loyaltyAccount { transactions(first: 5) { totalCount nodes { related { id } } } } } }`: {Statements: 5, RoundTrips: 3},
		// customer; party, vehicles of the same customer by both ways
		`{ customer(by: {number: 1001}) { party { customer { party { id } vehicles(first: 2) { nodes { id } } } } vehicles(first: 2) { nodes { id } } } }`: {Statements: 3, RoundTrips: 2},
		// customer, party, its points, vehicles; owners
		fmt.Sprintf(`{ customer(by: {id: %q}) { party { contactPoints { value } } vehicles(first: 5) { nodes { owner { displayName } } } } }`, b.id(t, "customer(by: {number: 1001})")): {Statements: 5, RoundTrips: 2},
		// customers; accounts, entries
		`{ customers(first: 20) { nodes { loyaltyAccount { transactions(first: 5) { nodes { id } } } } } }`: {Statements: 3, RoundTrips: 2},
	} {
		got := b.admin(t, document, nil)
		require.Empty(t, got.Errors)
		require.Equal(t, want, answer{Statements: got.Statements, RoundTrips: got.RoundTrips}, document)
	}
}

// Records that are found beside others are looked ahead as well: what is below all of them takes one
// statement.
func TestStatementsBelowDuplicates(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"of a customer": `{ customerDuplicates(by: {probe: {phone: "+48 22 555 01 64"}}) { nodes { customer { %s } } } }`,
		"of a new organisation": `mutation {
			a: partyCreateOrganization(input: {legalName: "Zweirad Nord GmbH"}) { userErrors { code } }
			b: partyCreateOrganization(input: {legalName: "Zweirad Nord AG"}) { userErrors { code } }
			c: partyCreateOrganization(input: {legalName: "Zweirad Nord"}) { duplicateCandidates { party { %s } } } }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Databases of their own, since the organisations stay.
			without := setup(t).admin(t, fmt.Sprintf(document, "number"), nil)
			with := setup(t).admin(t, fmt.Sprintf(document, "number vehicles(first: 1) { nodes { make } }"), nil)
			require.Empty(t, with.Errors)
			require.Equal(t, 2, strings.Count(string(with.Data), `"vehicles":`), "%s", with.Data)
			require.Equal(t, without.Statements+1, with.Statements)
		})
	}
}
