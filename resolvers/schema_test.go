package resolvers_test

import (
	"fmt"
	goast "go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

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
			if !isNode(target) || d.Name+"."+f.Name == "LoyaltyAccount.policy" { // found by time, read once in a request
				continue
			}
			edges++
			got, ok := crm.EdgeTarget(d.Name, f.Name)
			require.True(t, ok, "%s.%s has no loader", d.Name, f.Name)
			require.Equal(t, target, got, "%s.%s", d.Name, f.Name)
			if where := f.Arguments.ForName("where"); where != nil {
				require.Equal(t, "*crm."+where.Type.Name(), fmt.Sprintf("%T", crm.EdgeWhere(d.Name, f.Name)), "the filter of %s.%s is loaded ahead", d.Name, f.Name)
			}
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
		"AccountStatus": "account_status_check", "AccountTier": "party_tier_check", "ContactPropagation": "tenant_settings_propagation_check",
		"InvoiceDelivery": "account_delivery_check", "BillingTermsStatus": "billing_terms_status_check",
		"RoleStatus": "role_status_check", "ContactStatus": "contact_status_check",
		"ContactPointKind": "contact_point_kind_check", "ContactPointLabel": "contact_point_label_check",
		"IdentifierKind": "identifier_kind_check", "VehicleStatus": "vehicle_status_check",
		"AssociationKind": "vehicle_association_kind_check", "LoyaltyTransactionType": "loyalty_transaction_type_check",
		"CreditTransactionType": "credit_transaction_type_check",
		"WarrantyStatus":        "warranty_status_check", "CommunicationPreference": "communication_preferences_email_check",
		"ConsentState": "consent_state_check", "ConsentChangeKind": "consent_change_kind_check", "MergeReason": "merge_reason_check",
		"LoyaltyRounding": "loyalty_policy_rounding_check", "LoyaltyRedeemMode": "loyalty_policy_mode_check",
		"GiftCardStatus": "gift_card_status_check", "GiftCardTransactionType": "gift_card_transaction_type_check",
	}
	notStored := regexp.MustCompile(`^(Direction|VinCheckDigit|VinRegion|SearchType|SearchField|EventType|UserErrorCode|MatchReason|MatchField|MatchStrength|VehicleMatch|TransferStatus|LoyaltyTransactionStatus|.*OrderField)$`)
	conn := crmtest.Connect(t, crmtest.Migrated(t))
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

// constants lists the values of the constants of each type of package crm.
func constants(t *testing.T) map[string][]string {
	t.Helper()
	paths, err := filepath.Glob("../crm/*.go")
	require.NoError(t, err)
	values := map[string][]string{}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			if g, ok := d.(*goast.GenDecl); ok && g.Tok == token.CONST {
				for _, spec := range g.Specs {
					collectWords(spec.(*goast.ValueSpec), values)
				}
			}
		}
	}
	return values
}

func collectWords(spec *goast.ValueSpec, values map[string][]string) {
	name, ok := spec.Type.(*goast.Ident)
	if !ok {
		return
	}
	for _, v := range spec.Values {
		if text, ok := v.(*goast.BasicLit); ok && text.Kind == token.STRING {
			values[name.Name] = append(values[name.Name], strings.Trim(text.Value, "`\""))
		}
	}
}

// TestEnumsAreTheDomains compares the enums that the domain has constants for with these.
func TestEnumsAreTheDomains(t *testing.T) {
	t.Parallel()
	words := constants(t)
	// What the user cannot mend is an error of the field and no user error.
	words["UserErrorCode"] = append(slices.DeleteFunc(slices.Clone(words["Code"]), func(code string) bool {
		return slices.Contains([]crm.Code{crm.Forbidden, crm.Unauthenticated, crm.Unavailable, crm.Internal}, crm.Code(code))
	}), words["Reason"]...)
	compared := map[string]bool{}
	for _, d := range own(schema()) {
		if d.Kind != ast.Enum || words[d.Name] == nil {
			continue
		}
		compared[d.Name] = true
		var shown []string
		for _, v := range d.EnumValues {
			shown = append(shown, v.Name)
		}
		require.ElementsMatch(t, words[d.Name], shown, d.Name)
	}
	for _, name := range []string{"EventType", "UserErrorCode", "MatchReason", "PartyStatus", "ContactPropagation"} {
		require.True(t, compared[name], name)
	}
}
