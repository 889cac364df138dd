package resolvers_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// mutationNeeds says which permission each mutation needs.
func mutationNeeds() map[string]crm.Permission {
	needs := map[string]crm.Permission{}
	for p, names := range map[crm.Permission]string{
		crm.PartyCreate:       "partyCreateOrganization partyCreateIndividual customerCreate",
		crm.PartyEdit:         "partyUpdate partyStatusChange partyParentSet partyParentClear externalIdentifierAdd externalIdentifierRemove accountUpdate accountStatusChange customerUpdate customerStatusChange contactPointAdd contactPointUpdate contactPointRemove tierSet tierManualClear",
		crm.PartyView:         "tierResolve",
		crm.PartyDeactivate:   "partyDeactivate customerDeactivate",
		crm.PartyAnonymize:    "customerAnonymize",
		crm.PartyErase:        "customerErase",
		crm.PartyMerge:        "customerMerge partyMerge",
		crm.SettingsEdit:      "tenantSettingsUpdate",
		crm.ReferenceEdit:     "roleCreate roleUpdate billingTermsCreate billingTermsUpdate",
		crm.ContactCreate:     "contactCreate contactReactivate",
		crm.ContactEdit:       "contactUpdate",
		crm.ContactDelete:     "contactDeactivate",
		crm.ContactRoleAssign: "contactRolesSet contactRoleUpdate contactRoleStatusChange",
		crm.PreferenceEdit:    "communicationPreferencesSet",
		crm.VehicleCreate:     "vehicleCreate vehicleRegister",
		crm.VehicleEdit:       "vehicleUpdate",
		crm.VehicleDeactivate: "vehicleDeactivate",
		crm.AssociationEdit:   "vehicleTransfer vehicleAdopt vehicleDriverAssign vehicleDriverRelease",
		crm.CreditEdit:        "accountCreditConsume accountCreditRelease",
		crm.CreditLimit:       "accountCreditUpdate",
		crm.WarrantyCreate:    "warrantyRegister",
		crm.WarrantyEdit:      "warrantyUpdate warrantyStatusChange warrantyTransfer warrantyVehicleLink warrantyVehicleUnlink",
		crm.LoyaltyEdit:       "loyaltyEarn loyaltyRedeem loyaltyAdjust loyaltyReverse loyaltyRestore loyaltyExpire loyaltyRecalculate",
		crm.LoyaltyPolicyEdit: "loyaltyPolicySet",
		crm.GiftCardEdit:      "giftCardIssue giftCardRedeem giftCardVoid",
	} {
		for name := range strings.FieldsSeq(names) {
			needs[name] = p
		}
	}
	return needs
}

// mutationMayNeed says which more a mutation needs with some inputs; the tests of the
// operations show it.
func mutationMayNeed() map[string][]crm.Permission {
	return map[string][]crm.Permission{
		"customerCreate": {crm.VehicleCreate},
		"customerUpdate": {crm.VehicleCreate, crm.AssociationEdit},
		"contactCreate":  {crm.ContactRoleAssign, crm.PartyCreate},

		"partyCreateOrganization": {crm.CreditLimit},
		"tierResolve":             {crm.PartyEdit},
	}
}

var permission = regexp.MustCompile(`crm:[a-z_]+:[a-z_]+`)

// TestMutationsNeedTheirPermissions walks the mutations of the schema. Who lacks a permission
// is told so and nothing else: the answer is the same for what exists and what does not, and
// the database is not asked.
func TestMutationsNeedTheirPermissions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := schema()
	existing := b.id(t, "party(by: {number: 5001})")
	missing := "pty_018f0000-0000-7000-8000-000000000000"
	readers := slices.DeleteFunc(allBut(t, crm.PartyMerge), func(p crm.Permission) bool {
		return !strings.HasSuffix(string(p), ":view") && !strings.HasSuffix(string(p), ":search")
	})
	for _, f := range s.Mutation.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			need := mutationNeeds()[f.Name]
			require.NotEmpty(t, need, "say in this test which permission it needs")
			var told []crm.Permission
			_, sentence, found := strings.Cut(f.Description, "Needs crm:")
			require.True(t, found, "its description says which permissions it needs")
			for _, p := range permission.FindAllString("crm:"+sentence, -1) {
				told = append(told, crm.Permission(p))
			}
			require.ElementsMatch(t, append(mutationMayNeed()[f.Name], need), told, "its description says so")

			ask := func(id string, may ...crm.Permission) answer {
				ctx, statements := crmtest.With(t, b.store, "demo", may...)
				return b.run(ctx, t, statements, fmt.Sprintf("mutation { %s%s { __typename } }", f.Name, argumentsOf(s, f, id)), nil)
			}
			nearly := slices.DeleteFunc(slices.Clone(readers), func(p crm.Permission) bool { return p == need })
			for _, may := range [][]crm.Permission{nearly, allBut(t, need)} {
				there, none := ask(existing, may...), ask(missing, may...)
				require.Equal(t, []any{"FORBIDDEN"}, there.codes(), "%v", there.Errors)
				require.JSONEq(t, fmt.Sprintf(`{"%s": null}`, f.Name), string(there.Data))
				require.Equal(t, there, none, "whether there is such a record is not told")
				require.Zero(t, there.Statements)
			}
			enough := ask(missing, need)
			require.NotContains(t, enough.codes(), "FORBIDDEN", "it needs nothing else: %v", enough.Errors)
		})
	}
	for name := range mutationNeeds() {
		require.NotNil(t, s.Mutation.Fields.ForName(name), "%s is no mutation", name)
	}
}

// argumentsOf renders values for the arguments that a field cannot do without; ids are id.
func argumentsOf(s *ast.Schema, f *ast.FieldDefinition, id string) string {
	var given []string
	for _, a := range f.Arguments {
		if a.Type.NonNull && a.DefaultValue == nil {
			given = append(given, a.Name+": "+valueOf(s, a.Type, id))
		}
	}
	if given == nil {
		return ""
	}
	return "(" + strings.Join(given, ", ") + ")"
}

// valueOf renders a value of a type that the executor takes.
func valueOf(s *ast.Schema, kind *ast.Type, id string) string {
	if kind.Elem != nil {
		return "[" + valueOf(s, kind.Elem, id) + "]"
	}
	d := s.Types[kind.NamedType]
	switch d.Kind {
	case ast.Enum:
		return d.EnumValues[0].Name
	case ast.InputObject:
		var given []string
		oneOf := d.Directives.ForName("oneOf") != nil
		for _, f := range d.Fields {
			if f.Type.NonNull && f.DefaultValue == nil || oneOf && given == nil {
				given = append(given, f.Name+": "+valueOf(s, f.Type, id))
			}
		}
		return "{" + strings.Join(given, ", ") + "}"
	default:
		return scalarOf(kind.NamedType, id)
	}
}

func scalarOf(name, id string) string {
	values := map[string]string{
		"Int": "1", "Int64": "1", "Float": "1", "Boolean": "true", "String": `"text"`, "ID": `"` + id + `"`, "Decimal": `"1"`,
		"DateTime": `"2026-01-01T00:00:00Z"`, "Date": `"2026-01-01"`, "JSON": "{}", "CurrencyCode": `"EUR"`,
	}
	if value, ok := values[name]; ok {
		return value
	}
	panic("a value of " + name + " is needed")
}

// Who may change something need not be allowed to see it: a payload shows nothing that the
// graph would not.
func TestPayloadsShowNoMoreThanTheGraph(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ask := func(document string, may crm.Permission) answer {
		ctx, statements := crmtest.With(t, b.store, "demo", may)
		return b.run(ctx, t, statements, document, nil)
	}
	northwind := b.id(t, "party(by: {number: 5001})")
	for _, revision := range []int{1, 7} {
		got := ask(fmt.Sprintf(`mutation { partyUpdate(id: %q, input: {}, ifRevision: %d) { party { legalName } userErrors { code } } }`, northwind, revision), crm.PartyEdit)
		require.Empty(t, got.Errors)
		require.Contains(t, string(got.Data), `"party":null`)
	}
	got := ask(`mutation { partyCreateOrganization(input: {legalName: "Northwind Logistics GmbH"}) { duplicateCandidates { party { taxId } } userErrors { code related } } }`, crm.PartyCreate)
	require.Empty(t, got.Errors)
	require.JSONEq(t, `{"partyCreateOrganization": {"duplicateCandidates": [], "userErrors": [{"code": "DUPLICATE_CANDIDATES", "related": null}]}}`, string(got.Data))
	merged := b.id(t, `parties(where: {status: {eq: MERGED}}, first: 1) . nodes[0]`)
	got = ask(fmt.Sprintf(`mutation { partyUpdate(id: %q, input: {}, ifRevision: 1) { userErrors { code related } } }`, merged), crm.PartyEdit)
	require.JSONEq(t, `{"partyUpdate": {"userErrors": [{"code": "PARTY_MERGED", "related": null}]}}`, string(got.Data))
	account := b.id(t, "party(by: {number: 5001}) . account")
	got = ask(fmt.Sprintf(`mutation { accountCreditRelease(id: %q, input: {amount: {amount: "1", currency: "EUR"}}) { account { code } transaction { type } userErrors { code } } }`, account), crm.CreditEdit)
	require.Empty(t, got.Errors)
	require.JSONEq(t, `{"accountCreditRelease": {"account": null, "transaction": null, "userErrors": []}}`, string(got.Data))
}
