package resolvers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/internal/crmtest"
)

// TestPermissions takes each permission away in turn: the fields that need it are null
// with FORBIDDEN, the others stay.
func TestPermissions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		lacks          crm.Permission
		document, want string
	}{
		"a root list": {"crm:party:view", "{ customers(first: 1) { nodes { id } } roles(first: 1) { totalCount } }", `{"customers":null,"roles":{"totalCount":13}}`},
		"a lookup":    {"crm:vehicle:view", "{ vehicle(by: {number: 1}) { id } }", `{"vehicle":null}`},
		"a node":      {"crm:warranty:view", `{ node(id: "war_018f0000-0000-7000-8000-000000000000") { id } }`, `{"node":null}`},
		"an edge": {"crm:loyalty:view", "{ customer(by: {number: 1001}) { number loyaltyAccount { id } } }",
			`{"customer":{"number":1001,"loyaltyAccount":null}}`},
		"a paged edge": {"crm:warranty:view", "{ customer(by: {number: 1001}) { number warranties(first: 1) { nodes { id } } } }",
			`{"customer":{"number":1001,"warranties":null}}`},
		"a ledger of credit": {"crm:credit:view", "{ party(by: {number: 5001}) { account { credit { hold } creditTransactions(first: 1) { totalCount } } } }",
			`{"party":{"account":{"credit":{"hold":false},"creditTransactions":null}}}`},
		"a filtered ledger of credit": {"crm:credit:view", "{ party(by: {number: 5001}) { account { creditTransactions(first: 1, where: {type: {eq: CONSUME}}) { totalCount } } } }",
			`{"party":{"account":{"creditTransactions":null}}}`},
		"a gift card":         {"crm:giftcard:view", `{ giftCard(by: {code: "DEMO-GIFT-2026"}) { id } giftCards(first: 1) { totalCount } }`, `{"giftCard":null,"giftCards":null}`},
		"a gift card by code": {"crm:giftcard:lookup", `{ giftCard(by: {code: "DEMO-GIFT-2026"}) { id } giftCards(first: 1) { totalCount } }`, `{"giftCard":null,"giftCards":{"totalCount":25}}`},
		"who owns a vehicle": {"crm:vehicle_party_association:view", `{ vehicle(by: {vin: "WVWZZZ1JZXW000001"}) { make owner { id } } }`,
			`{"vehicle":{"make":"Volkswagen","owner":null}}`},
		"a filter by what may not be seen": {"crm:contact_role:view", `{ contacts(where: {role: {eq: "BILLING"}}) { totalCount } }`, `{"contacts":null}`},
		"one of several nodes":             {"crm:warranty:view", `{ customer(by: {number: 1001}) { number } nodes(ids: ["war_018f0000-0000-7000-8000-000000000000"]) { id } }`, `{"customer":{"number":1001},"nodes":null}`},
		"the settings":                     {"crm:settings:view", "{ tenantSettings { revision } roles(first: 1) { totalCount } }", `{"tenantSettings":null,"roles":{"totalCount":13}}`},
		"a history": {"crm:event:view", "{ customer(by: {number: 1001}) { number events(first: 1) { totalCount } } events(first: 1) { totalCount } }",
			`{"customer":{"number":1001,"events":null},"events":null}`},
		"a search for parties": {"crm:party:search", `{ partySearch(input: {name: "er"}) { totalCount } }`, `{"partySearch":null}`},
		"a search for merged parties": {"crm:party:merge", `{ partySearch(input: {name: "er", includeMerged: true}) { totalCount } open: partySearch(input: {name: "qqqq"}) { totalCount } }`,
			`{"partySearch":null,"open":{"totalCount":0}}`},
		"a search for a kind by name": {"crm:vehicle:search", `{ search(text: "golf", types: [VEHICLE]) { score } }`, `{"search":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, statements := crmtest.With(t, b.store, "demo", allBut(t, c.lacks)...)
			got := b.run(ctx, t, statements, c.document, nil)
			require.Equal(t, "FORBIDDEN", got.codes()[0])
			require.Len(t, slices.Compact(got.codes()), 1)
			require.JSONEq(t, c.want, string(got.Data))
		})
	}
	t.Run("a search leaves out what may not be searched", func(t *testing.T) {
		t.Parallel()
		ctx, statements := crmtest.With(t, b.store, "demo", allBut(t, "crm:vehicle:search")...)
		got := b.run(ctx, t, statements, `{ search(text: "golf") { node { __typename } } }`, nil)
		require.Empty(t, got.Errors)
		require.NotContains(t, string(got.Data), "Vehicle")
	})
	t.Run("a viewer sees neither histories nor settings, an agent no settings", func(t *testing.T) {
		t.Parallel()
		document := "{ events(first: 1) { totalCount } tenantSettings { revision } roles(first: 1) { totalCount } }"
		viewer := b.as(t, "demo", "viewer", document, nil)
		require.Equal(t, []any{"FORBIDDEN", "FORBIDDEN"}, viewer.codes())
		require.JSONEq(t, `{"events": null, "tenantSettings": null, "roles": {"totalCount": 13}}`, string(viewer.Data))
		agent := b.as(t, "demo", "agent", document, nil)
		require.Equal(t, []any{"FORBIDDEN"}, agent.codes())
		require.JSONEq(t, `{"events": {"totalCount": 0}, "tenantSettings": null, "roles": {"totalCount": 13}}`, string(agent.Data))
		require.Empty(t, b.as(t, "demo", "admin", document, nil).Errors)
	})
	t.Run("nobody sees nothing", func(t *testing.T) {
		t.Parallel()
		ctx, statements := db.CountStatements(t.Context())
		got := b.run(b.store.Begin(ctx), t, statements, "{ customers { nodes { id } } }", nil)
		require.Equal(t, []any{"UNAUTHENTICATED"}, got.codes())
		require.Zero(t, got.Statements)
	})
}

// allBut are the admin's permissions but one.
func allBut(t *testing.T, lacks crm.Permission) []crm.Permission {
	t.Helper()
	all, ok := crm.RolePermissions("admin")
	require.True(t, ok)
	require.Contains(t, all, lacks)
	return slices.DeleteFunc(all, func(p crm.Permission) bool { return p == lacks })
}

// needs says which permission each type needs, beside the catalogue.
func needs() map[string]crm.Permission {
	return map[string]crm.Permission{
		"Customer": crm.PartyView, "Party": crm.PartyView, "Account": crm.PartyView, "BillingTerms": crm.PartyView,
		"Identifier": crm.PartyView, "ContactPoint": crm.PartyView, "Contact": crm.ContactView,
		"Role": crm.ContactRoleView, "ContactRole": crm.ContactRoleView, "Vehicle": crm.VehicleView,
		"VehicleAssociation": crm.AssociationView, "LoyaltyAccount": crm.LoyaltyView,
		"LoyaltyTransaction": crm.LoyaltyView, "LoyaltyLot": crm.LoyaltyView, "LoyaltyPolicy": crm.LoyaltyView,
		"CreditTransaction": crm.CreditView, "GiftCard": crm.GiftCardView, "GiftCardTransaction": crm.GiftCardView,
		"Warranty": crm.WarrantyView,
		"Merge":    crm.PartyView, "Location": crm.PartyView, "Event": crm.EventView, "TenantSettings": crm.SettingsView,
		"CommunicationPreferences": crm.PreferenceView, "Consent": crm.PreferenceView, "ConsentChange": crm.PreferenceView,
	}
}

// TestEveryEdgeNeedsItsPermission walks the schema: without the permission of the record an
// edge leads to, the edge is FORBIDDEN, and so is a root list without that of its records.
func TestEveryEdgeNeedsItsPermission(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := schema()
	walked := 0
	for _, root := range s.Query.Fields {
		parent, isList := strings.CutSuffix(root.Type.Name(), "Connection")
		if !isList || s.Types[parent] == nil {
			continue
		}
		forbidden := func(lacks crm.Permission, below string) {
			walked++
			ctx, statements := crmtest.With(t, b.store, "demo", allBut(t, lacks)...)
			got := b.run(ctx, t, statements, fmt.Sprintf("{ %s(first: 1) { nodes { %s } } }", root.Name, below), nil)
			require.NotEmpty(t, got.Errors, "%s { %s } without %s", root.Name, below, lacks)
			require.Equal(t, "FORBIDDEN", got.codes()[0])
		}
		forbidden(needs()[parent], "id")
		for _, f := range s.Types[parent].Fields {
			target := strings.TrimSuffix(f.Type.Name(), "Connection")
			need, isEdge := needs()[target]
			if !isEdge || need == needs()[parent] {
				continue
			}
			if strings.HasSuffix(f.Type.Name(), "Connection") {
				forbidden(need, f.Name+"(first: 1) { nodes { id } }")
			} else {
				forbidden(need, f.Name+" { id }")
			}
		}
	}
	require.Greater(t, walked, 25)
}
