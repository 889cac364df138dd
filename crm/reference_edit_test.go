package crm_test

import (
	"fmt"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

func TestRoleList(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	create := func(in crm.NewRole) (*crm.Role, error) { return d.store.CreateRole(d.admin(t), in, crm.Write{}) }
	t.Run("a new role comes last and can be given at once", func(t *testing.T) {
		r, err := create(crm.NewRole{Code: "JANITOR_2", Label: " Janitor "})
		require.NoError(t, err)
		require.Equal(t, "Janitor", r.Label)
		require.Equal(t, 14, r.Position)
		require.Equal(t, crm.RoleActive, r.Status)
		k := d.engage(t, d.organization(t, "Clean Ltd"), d.individual(t, "Jan"), leads("JANITOR_2"))
		require.Equal(t, "JANITOR_2!", d.roles(t, k))
	})
	t.Run("a code is taken once", func(t *testing.T) {
		_, err := create(crm.NewRole{Code: "BILLING", Label: "Billing"})
		require.Equal(t, []string{"CONFLICT CODE_IN_USE input.code"}, refusals(err))
	})
	t.Run("a code has its form, a label its length, a position its bounds", func(t *testing.T) {
		for _, code := range []string{"", "1ST", "lower", "A-B", "_A", "A B"} {
			_, err := create(crm.NewRole{Code: code, Position: new(-1)})
			require.Subset(t, refusals(err), []string{"INVALID  input.code", "INVALID  input.label", "INVALID  input.position"}, code)
		}
	})
	t.Run("who holds a role that is given no more keeps it", func(t *testing.T) {
		k := d.engage(t, d.organization(t, "Keeper Ltd"), d.individual(t, "Kim"), leads("DRIVER"))
		r, err := d.store.Role(d.admin(t), crm.RoleBy{Code: new("DRIVER")})
		require.NoError(t, err)
		got, err := d.store.UpdateRole(d.admin(t), r.NodeID(), crm.RoleUpdate{
			Label: graphql.OmittableOf(new("Chauffeur")), Position: graphql.OmittableOf(new(0)), Status: graphql.OmittableOf(new(crm.RoleInactive)),
		}, at(1))
		require.NoError(t, err)
		require.Equal(t, "Chauffeur", got.Label)
		require.EqualValues(t, 2, got.Revision)
		require.Equal(t, "DRIVER!", d.roles(t, k))
		_, err = d.store.UpdateRole(d.admin(t), r.NodeID(), crm.RoleUpdate{}, at(1))
		require.Equal(t, []string{"STALE  ifRevision"}, refusals(err))
		_, err = d.store.UpdateRole(d.admin(t), r.NodeID(), crm.RoleUpdate{Label: graphql.OmittableOf[*string](nil)}, at(2))
		require.Equal(t, []string{"INVALID  input.label"}, refusals(err))
	})
	t.Run("the lists are changed with a permission of their own", func(t *testing.T) {
		ctx, _ := crmtest.As(t, d.store, "demo", "agent")
		_, err := d.store.CreateRole(ctx, crm.NewRole{Code: "X", Label: "X"}, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		ctx, _ = crmtest.As(t, d.store, "demo", "agent")
		_, err = d.store.CreateBillingTerms(ctx, crm.NewBillingTerms{Code: "XX", Label: "X"}, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
}

func TestBillingTermsList(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	create := func(in crm.NewBillingTerms) (*crm.BillingTerms, error) {
		return d.store.CreateBillingTerms(d.admin(t), in, crm.Write{})
	}
	update := func(b *crm.BillingTerms, in crm.BillingTermsUpdate, w crm.Write) (*crm.BillingTerms, error) {
		return d.store.UpdateBillingTerms(d.admin(t), b.NodeID(), in, w)
	}
	defaults := func() string {
		return askDemo[string](t, d.world, "SELECT coalesce(string_agg(code || ' ' || revision, ', '), '') FROM billing_terms WHERE tenant_id = $1 AND is_default")
	}
	net10, err := create(crm.NewBillingTerms{Code: "bt-net10", Label: "10 days net", NetDays: 10})
	require.NoError(t, err)
	t.Run("new terms are ACTIVE, their code in upper case, and in the list", func(t *testing.T) {
		require.Equal(t, "BT-NET10", net10.Code)
		require.Equal(t, crm.BillingTermsActive, net10.Status)
		require.False(t, net10.IsDefault)
		list, err := d.store.ListBillingTerms(d.admin(t))
		require.NoError(t, err)
		var codes []string
		for _, b := range list {
			codes = append(codes, b.Code)
		}
		require.Equal(t, []string{"BT-COD", "BT-NET10", "BT-NET30", "BT-NET60"}, codes)
	})
	t.Run("a code is taken once", func(t *testing.T) {
		_, err := create(crm.NewBillingTerms{Code: "BT-NET30", Label: "Again"})
		require.Equal(t, []string{"CONFLICT CODE_IN_USE input.code"}, refusals(err))
	})
	t.Run("code, label and days are checked at once", func(t *testing.T) {
		for _, days := range []int{-1, 3651} {
			_, err := create(crm.NewBillingTerms{Code: " ", NetDays: days})
			require.Equal(t, []string{"INVALID  input.code", "INVALID  input.label", "INVALID  input.netDays"}, refusals(err))
		}
	})
	t.Run("the default is handed over, which changes both", func(t *testing.T) {
		require.Equal(t, "BT-NET30 1", defaults())
		_, err := update(net10, crm.BillingTermsUpdate{IsDefault: graphql.OmittableOf(new(true))}, at(1))
		require.NoError(t, err)
		require.Equal(t, "BT-NET10 2", defaults())
		require.Equal(t, 2, askDemo[int](t, d.world, "SELECT revision::int FROM billing_terms WHERE tenant_id = $1 AND code = 'BT-NET30'"))
		_, err = create(crm.NewBillingTerms{Code: "BT-NOW", Label: "At once", IsDefault: true})
		require.NoError(t, err)
		require.Equal(t, "BT-NOW 1", defaults())
		require.Equal(t, 4, askDemo[int](t, d.world, "SELECT count(*) FROM event WHERE tenant_id = $1 AND type = 'BILLING_TERMS_UPDATED'")+
			askDemo[int](t, d.world, "SELECT count(*) FROM event WHERE tenant_id = $1 AND type = 'BILLING_TERMS_CREATED' AND details->>'code' = 'BT-NOW'"))
	})
	t.Run("new accounts get it", func(t *testing.T) {
		firm := d.organization(t, "Default Terms Ltd")
		require.Equal(t, "BT-NOW", askDemo[string](t, d.world, `SELECT b.code FROM account a JOIN billing_terms b ON b.tenant_id = a.tenant_id AND b.id = a.billing_terms_id
			WHERE a.tenant_id = $1 AND a.id = $2`, firm.ID))
	})
	t.Run("the default is ACTIVE", func(t *testing.T) {
		now, err := create(crm.NewBillingTerms{Code: "BT-LATER", Label: "Later", IsDefault: true})
		require.NoError(t, err)
		_, err = update(now, crm.BillingTermsUpdate{Status: graphql.OmittableOf(new(crm.BillingTermsInactive))}, crm.Write{})
		require.Equal(t, []string{"CONFLICT INVALID_STATE input.status"}, refusals(err))
		_, err = update(net10, crm.BillingTermsUpdate{Status: graphql.OmittableOf(new(crm.BillingTermsInactive)), NetDays: graphql.OmittableOf(new(3650))}, crm.Write{})
		require.NoError(t, err)
		_, err = update(net10, crm.BillingTermsUpdate{IsDefault: graphql.OmittableOf(new(true))}, crm.Write{})
		require.Equal(t, []string{"CONFLICT INVALID_STATE input.isDefault"}, refusals(err))
		_, err = update(now, crm.BillingTermsUpdate{IsDefault: graphql.OmittableOf(new(false)), Status: graphql.OmittableOf(new(crm.BillingTermsInactive))}, crm.Write{})
		require.NoError(t, err, "both at once will do")
		require.Empty(t, defaults())
	})
	t.Run("archived terms stay archived", func(t *testing.T) {
		_, err := update(net10, crm.BillingTermsUpdate{Status: graphql.OmittableOf(new(crm.BillingTermsArchived))}, crm.Write{})
		require.NoError(t, err)
		_, err = update(net10, crm.BillingTermsUpdate{Status: graphql.OmittableOf(new(crm.BillingTermsActive))}, crm.Write{})
		require.Equal(t, []string{"CONFLICT INVALID_STATE input.status"}, refusals(err))
		_, err = update(net10, crm.BillingTermsUpdate{Label: graphql.OmittableOf(new("Old"))}, crm.Write{})
		require.NoError(t, err)
	})
	t.Run("a stale change is refused, and one of nobody's terms", func(t *testing.T) {
		_, err := update(net10, crm.BillingTermsUpdate{}, at(1))
		require.Equal(t, []string{"STALE  ifRevision"}, refusals(err))
		_, err = d.store.UpdateBillingTerms(d.admin(t), "btr_00000000-0000-7000-8000-000000000000", crm.BillingTermsUpdate{}, crm.Write{})
		require.Equal(t, crm.NotFound, crm.CodeOf(err))
	})
	t.Run("of all terms that become the default at once one is", func(t *testing.T) {
		const n = 20
		terms := make([]*crm.BillingTerms, n)
		for i := range terms {
			b, err := create(crm.NewBillingTerms{Code: fmt.Sprintf("RACE-%02d", i), Label: "Race"})
			require.NoError(t, err)
			terms[i] = b
		}
		errs := atOnce(n, func(i int) error {
			_, err := update(terms[i], crm.BillingTermsUpdate{IsDefault: graphql.OmittableOf(new(true))}, crm.Write{})
			return err
		})
		require.Equal(t, n, successes(errs), "%v", errs)
		require.Equal(t, 1, askDemo[int](t, d.world, "SELECT count(*) FROM billing_terms WHERE tenant_id = $1 AND is_default"))
		require.Equal(t, n+n+n-1, askDemo[int](t, d.world, "SELECT sum(revision)::int FROM billing_terms WHERE tenant_id = $1 AND label = 'Race'"))
	})
	t.Run("and of all that are made the default at once", func(t *testing.T) {
		const n = 20
		errs := atOnce(n, func(i int) error {
			_, err := create(crm.NewBillingTerms{Code: fmt.Sprintf("NEW-%02d", i), Label: "New", IsDefault: true})
			return err
		})
		require.Equal(t, n, successes(errs), "%v", errs)
		require.Equal(t, 1, askDemo[int](t, d.world, "SELECT count(*) FROM billing_terms WHERE tenant_id = $1 AND is_default"))
	})
}
