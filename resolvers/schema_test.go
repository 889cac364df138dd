package resolvers_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"crmgraph/crm"
	"crmgraph/graph"
	"crmgraph/internal/crmtest"
	"crmgraph/resolvers"
)

func schema() *ast.Schema {
	return graph.NewExecutableSchema(graph.Config{Resolvers: resolvers.Root{}}).Schema()
}

// own lists the types that the project declares.
func own(s *ast.Schema) []*ast.Definition {
	var types []*ast.Definition
	for _, d := range s.Types {
		if !d.BuiltIn && !strings.HasPrefix(d.Name, "__") {
			types = append(types, d)
		}
	}
	return types
}

func TestEverythingIsDescribed(t *testing.T) {
	t.Parallel()
	for _, d := range own(schema()) {
		require.NotEmpty(t, d.Description, d.Name)
		for _, f := range d.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			require.NotEmpty(t, f.Description, "%s.%s", d.Name, f.Name)
			for _, a := range f.Arguments {
				require.NotEmpty(t, a.Description, "%s.%s(%s:)", d.Name, f.Name, a.Name)
			}
		}
		for _, v := range d.EnumValues {
			require.NotEmpty(t, v.Description, "%s.%s", d.Name, v.Name)
		}
	}
}

// TestEveryEdgeHasALoader walks the schema: a field of a record that leads to another
// record must be in the catalogue, which is where loaders come from.
func TestEveryEdgeHasALoader(t *testing.T) {
	t.Parallel()
	s := schema()
	isNode := func(name string) bool {
		d := s.Types[name]
		return d != nil && slices.Contains(d.Interfaces, "Node")
	}
	edges := 0
	for _, d := range own(s) {
		if d.Kind != ast.Object || !isNode(d.Name) {
			continue
		}
		for _, f := range d.Fields {
			target := strings.TrimSuffix(f.Type.Name(), "Connection")
			if !isNode(target) {
				continue
			}
			edges++
			got, ok := crm.EdgeTarget(d.Name, f.Name)
			require.True(t, ok, "%s.%s has no loader", d.Name, f.Name)
			require.Equal(t, target, got, "%s.%s", d.Name, f.Name)
			require.False(t, f.Type.NonNull, "%s.%s comes from another record and must be nullable", d.Name, f.Name)
		}
	}
	require.Greater(t, edges, 35, "the walk found the edges")
}

// TestEnumsAreTheDatabases compares every enum that a column holds with the column's check.
func TestEnumsAreTheDatabases(t *testing.T) {
	t.Parallel()
	columns := map[string]string{
		"PartyKind": "party_kind_check", "PartyStatus": "party_status_check",
		"CustomerType": "customer_type_check", "CustomerStatus": "customer_status_check",
		"AccountStatus": "account_status_check", "AccountTier": "account_tier_check",
		"InvoiceDelivery": "account_delivery_check", "BillingTermsStatus": "billing_terms_status_check",
		"RoleStatus": "role_status_check", "ContactStatus": "contact_status_check",
		"ContactPointKind": "contact_point_kind_check", "ContactPointLabel": "contact_point_label_check",
		"IdentifierKind": "identifier_kind_check", "VehicleStatus": "vehicle_status_check",
		"AssociationKind": "vehicle_association_kind_check", "LoyaltyTransactionType": "loyalty_transaction_type_check",
		"WarrantyStatus": "warranty_status_check",
	}
	notStored := regexp.MustCompile(`^(Direction|VinCheckDigit|VinRegion|SearchType|SearchField|.*OrderField)$`)
	conn, err := pgx.Connect(t.Context(), crmtest.Migrated(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	word := regexp.MustCompile(`'([A-Z_]+)'`)
	for _, d := range own(schema()) {
		if d.Kind != ast.Enum || notStored.MatchString(d.Name) {
			continue
		}
		require.Contains(t, columns, d.Name)
		var check string
		require.NoError(t, conn.QueryRow(t.Context(),
			"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1", columns[d.Name]).Scan(&check), d.Name)
		var stored, shown []string
		for _, m := range word.FindAllStringSubmatch(check, -1) {
			stored = append(stored, m[1])
		}
		for _, v := range d.EnumValues {
			shown = append(shown, v.Name)
		}
		require.ElementsMatch(t, stored, shown, d.Name)
	}
}
