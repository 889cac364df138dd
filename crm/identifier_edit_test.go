package crm_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

func TestExternalIdentifiers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	firm, other := w.organization(t, "Dunlin Ltd").NodeID(), w.organization(t, "Sanderling Ltd").NodeID()
	northwind, holding := w.party(t, 5001), w.party(t, 5002)
	add := func(party, system, value string) error {
		_, err := w.store.AddExternalIdentifier(w.admin(t), party, crm.ExternalIdentifier{System: system, Value: value}, crm.Write{})
		return err
	}
	remove := func(id string, write crm.Write) error {
		_, err := w.store.RemoveExternalIdentifier(w.admin(t), id, write)
		return err
	}
	find := func(party, value string) string {
		return "idn_" + askOne[string](t, w, "SELECT id::text FROM identifier WHERE party_id = substr($1, 5)::uuid AND kind = 'EXTERNAL' AND value = $2", party, value)
	}
	t.Run("one is kept as given, and case matters", func(t *testing.T) {
		require.NoError(t, add(firm, "erp", "Ab-1"))
		require.NoError(t, add(firm, "erp", "AB-1"))
		require.Equal(t, []string{"erp Ab-1 Ab-1 false", "erp AB-1 AB-1 false"}, ask[string](t, w,
			"SELECT concat_ws(' ', system, value, normalised, is_claim::text) FROM identifier WHERE party_id = substr($1, 5)::uuid ORDER BY created_at, id", firm))
		require.Equal(t, "erp {identifiers} 2 3", askOne[string](t, w,
			"SELECT concat_ws(' ', details->>'system', changed_fields::text, revision_before, revision_after) FROM event WHERE type = 'PARTY_UPDATED' ORDER BY sequence DESC LIMIT 1"))
	})
	t.Run("a party has it once", func(t *testing.T) {
		refused(t, add(firm, "erp", "AB-1"), crm.Conflict, crm.ExternalRefInUse, "input")
		require.NoError(t, add(firm, "dms", "AB-1"), "another system is another id")
	})
	t.Run("parties that are no customers may share one", func(t *testing.T) {
		require.NoError(t, add(other, "erp", "AB-1"))
	})
	t.Run("a customer's is a claim, which another customer cannot have", func(t *testing.T) {
		require.NoError(t, add(northwind, "erp", "NW-1"))
		require.True(t, askOne[bool](t, w, "SELECT is_claim FROM identifier WHERE value = 'NW-1'"))
		refused(t, add(holding, "erp", "NW-1"), crm.Conflict, crm.ExternalRefInUse, "input")
		require.NoError(t, add(firm, "erp", "NW-1"), "who claims nothing may have it")
	})
	t.Run("a removed one is free again", func(t *testing.T) {
		require.NoError(t, remove(find(northwind, "NW-1"), at(w.revision(t, northwind))))
		require.NoError(t, add(holding, "erp", "NW-1"))
	})
	t.Run("removal expects the party's revision, and finds it once", func(t *testing.T) {
		id := find(holding, "NW-1")
		refused(t, remove(id, at(w.revision(t, holding)-1)), crm.Stale, "", "ifRevision")
		require.NoError(t, remove(id, crm.Write{}))
		require.Equal(t, crm.NotFound, crm.CodeOf(remove(id, crm.Write{})))
	})
	t.Run("other kinds of identifier are not removed by it", func(t *testing.T) {
		code := "idn_" + askOne[string](t, w, "SELECT id::text FROM identifier WHERE kind = 'CODE' AND party_id = substr($1, 5)::uuid", northwind)
		require.Equal(t, crm.NotFound, crm.CodeOf(remove(code, crm.Write{})))
		require.Equal(t, []string{"id"}, fields(t, remove(northwind, crm.Write{})))
	})
	t.Run("a system has 1 to 64 of A-Z a-z 0-9 _ . - and a value 1 to 128 characters", func(t *testing.T) {
		for _, system := range []string{"", "a b", "ä", strings.Repeat("s", 65)} {
			require.Equal(t, []string{"input.system"}, fields(t, add(firm, system, "1")), system)
		}
		for _, value := range []string{" ", strings.Repeat("v", 129)} {
			require.Equal(t, []string{"input.value"}, fields(t, add(firm, "erp", value)))
		}
		require.NoError(t, add(firm, "A-z_0.9"+strings.Repeat("s", 57), strings.Repeat("ü", 128)))
	})
	t.Run("a party has at most twenty of its own", func(t *testing.T) {
		w.do(t, "UPDATE identifier SET is_alias = true WHERE party_id = substr($1, 5)::uuid AND value = 'AB-1'", other)
		for i := range 20 {
			require.NoError(t, add(other, "many", strconv.Itoa(i)))
		}
		require.Equal(t, crm.Invalid, crm.CodeOf(add(other, "many", "too many")))
		var all []*crm.ExternalIdentifier
		for i := range 21 {
			all = append(all, &crm.ExternalIdentifier{System: "new", Value: strconv.Itoa(i)})
		}
		_, err := w.store.CreateOrganization(w.admin(t), crm.OrganizationCreate{LegalName: "Turnstone", ExternalIdentifiers: all}, crm.Write{})
		require.Equal(t, []string{"input.externalIdentifiers"}, fields(t, err))
	})
	t.Run("a party that is over gets none", func(t *testing.T) {
		unchangeable(t, w, "partyId", func(id string) error { return add(id, "erp", "late") })
	})
}

func TestUpdateAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	northwind := strings.Replace(w.party(t, 5001), "pty", "acc", 1)
	update := func(in crm.AccountUpdate, write crm.Write) (*crm.Account, error) {
		return w.store.UpdateAccount(w.admin(t), northwind, in, write)
	}
	terms := func(code string) graphql.Omittable[*string] {
		return graphql.OmittableOf(new("btr_" + askOne[string](t, w, "SELECT id::text FROM billing_terms WHERE code = $1 AND "+inDemo, code)))
	}
	w.do(t, "UPDATE account SET billing_terms_id = (SELECT id FROM billing_terms WHERE code = 'BT-NET60' AND "+inDemo+"), invoice_delivery = 'MAIL' WHERE id = substr($1, 5)::uuid", northwind)
	t.Run("code, terms and delivery change; what is left out stays", func(t *testing.T) {
		a, err := update(crm.AccountUpdate{Code: graphql.OmittableOf(new(" nw-2 ")), BillingTermsID: terms("BT-COD"), InvoiceDelivery: graphql.OmittableOf(new(crm.DeliverByPortal))}, at(1))
		require.NoError(t, err)
		require.Equal(t, []any{"NW-2", crm.DeliverByPortal, int64(2)}, []any{a.Code, a.InvoiceDelivery, a.Revision})
		a, err = update(crm.AccountUpdate{BillingTermsID: graphql.OmittableOf[*string](nil)}, at(2))
		require.NoError(t, err)
		require.Nil(t, a.BillingTermsID)
		require.Equal(t, []any{"NW-2", crm.DeliverByPortal, int64(3)}, []any{a.Code, a.InvoiceDelivery, a.Revision})
		require.Equal(t, []string{"Account {billingTerms,code,invoiceDelivery}", "Account {billingTerms}"}, ask[string](t, w,
			"SELECT concat_ws(' ', record_type, changed_fields::text) FROM event WHERE type = 'ACCOUNT_UPDATED' ORDER BY sequence"))
	})
	t.Run("another revision is Stale and tells the account", func(t *testing.T) {
		_, err := update(crm.AccountUpdate{}, at(1))
		require.Equal(t, "NW-2", refused(t, err, crm.Stale, "", "ifRevision").Current.(*crm.Account).Code)
	})
	t.Run("terms must be ACTIVE and there", func(t *testing.T) {
		w.do(t, "UPDATE billing_terms SET status = 'INACTIVE' WHERE code = 'BT-COD'")
		_, err := update(crm.AccountUpdate{BillingTermsID: terms("BT-COD")}, crm.Write{})
		refused(t, err, crm.Invalid, crm.InvalidBillingTerms, "input.billingTermsId")
		_, err = update(crm.AccountUpdate{BillingTermsID: graphql.OmittableOf(new("btr_" + nobody))}, crm.Write{})
		refused(t, err, crm.Invalid, crm.InvalidBillingTerms, "input.billingTermsId")
	})
	t.Run("a code is unique, and neither code nor delivery can be cleared", func(t *testing.T) {
		_, err := update(crm.AccountUpdate{Code: graphql.OmittableOf(new("ACC-005002"))}, crm.Write{})
		refused(t, err, crm.Conflict, crm.CodeInUse, "input.code")
		_, err = update(crm.AccountUpdate{Code: graphql.OmittableOf[*string](nil), InvoiceDelivery: graphql.OmittableOf[*crm.InvoiceDelivery](nil)}, crm.Write{})
		require.Equal(t, []string{"input.code", "input.invoiceDelivery"}, fields(t, err))
	})
	t.Run("a party without an account is not found", func(t *testing.T) {
		_, err := w.store.UpdateAccount(w.admin(t), strings.Replace(w.party(t, 1001), "pty", "acc", 1), crm.AccountUpdate{}, crm.Write{})
		require.Equal(t, crm.NotFound, crm.CodeOf(err))
	})
	t.Run("that of a merged or deactivated organisation is closed", func(t *testing.T) {
		_, err := w.store.DeactivateParty(w.admin(t), strings.Replace(northwind, "acc", "pty", 1), crm.Write{})
		require.NoError(t, err)
		_, err = update(crm.AccountUpdate{}, crm.Write{})
		refused(t, err, crm.Conflict, crm.InvalidState, "id")
		w.do(t, "UPDATE party SET status = 'MERGED', merged_into_id = (SELECT id FROM party WHERE number = 5002 AND "+inDemo+") WHERE number = 5001 AND "+inDemo)
		_, err = update(crm.AccountUpdate{}, crm.Write{})
		require.Equal(t, w.party(t, 5002), refused(t, err, crm.Conflict, crm.MergedParty, "id").Related)
	})
}

// Whom invoices reach by e-mail, and who holds BILLING, has a primary e-mail address (Durion 3.3).
func TestUpdateAccount_BillingNeedsAnAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	northwind := strings.Replace(w.party(t, 5001), "pty", "acc", 1)
	deliver := func(how crm.InvoiceDelivery) error {
		_, err := w.store.UpdateAccount(w.admin(t), northwind, crm.AccountUpdate{InvoiceDelivery: graphql.OmittableOf(&how)}, crm.Write{})
		return err
	}
	const billing = ` FROM contact_role h JOIN role r ON r.id = h.role_id AND r.code = 'BILLING' JOIN contact k ON k.id = h.contact_id
		WHERE h.organization_id = substr($1, 5)::uuid AND h.status = 'ACTIVE'`
	require.NoError(t, deliver(crm.DeliverByPortal))
	require.NotEmpty(t, ask[string](t, w, "SELECT k.id::text"+billing, northwind))
	w.do(t, "UPDATE contact SET invoice_delivery = NULL WHERE id IN (SELECT k.id"+billing+")", northwind)
	w.do(t, "DELETE FROM contact_point WHERE kind = 'EMAIL' AND party_id IN (SELECT k.person_id"+billing+")", northwind)
	before := w.rows(t)
	for _, how := range []crm.InvoiceDelivery{crm.DeliverByEmail, crm.DeliverByEmailAndMail} {
		refused(t, deliver(how), crm.Invalid, crm.BillingEmailRequired, "input.invoiceDelivery")
	}
	require.Equal(t, before, w.rows(t), "nothing is written")
	require.NoError(t, deliver(crm.DeliverByMail))
	t.Run("a delivery of the contact's own goes before the account's", func(t *testing.T) {
		w.do(t, "UPDATE contact SET invoice_delivery = 'PORTAL' WHERE id IN (SELECT k.id"+billing+")", northwind)
		require.NoError(t, deliver(crm.DeliverByEmail))
	})
	t.Run("what is wrong already is in the way of nothing else", func(t *testing.T) {
		w.do(t, "UPDATE contact SET invoice_delivery = NULL WHERE id IN (SELECT k.id"+billing+")", northwind)
		_, err := w.store.UpdateAccount(w.admin(t), northwind, crm.AccountUpdate{Code: graphql.OmittableOf(new("NW-9"))}, crm.Write{})
		require.NoError(t, err)
		refused(t, deliver(crm.DeliverByEmail), crm.Invalid, crm.BillingEmailRequired, "input.invoiceDelivery")
	})
}
