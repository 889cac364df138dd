package crm_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	t.Run("a tenant that never set any has the defaults, at revision 0", func(t *testing.T) {
		s, err := w.store.Settings(w.admin(t))
		require.NoError(t, err)
		require.Equal(t, []any{true, false, crm.PropagateUpward, []string{}, []string{}, int64(0)},
			[]any{s.EmailUnique, s.PhoneUnique, s.ContactPropagation, s.Restrictions, s.ActiveCountries, s.Revision})
	})
	t.Run("the first change makes revision 1; what is left out stays, null empties a list", func(t *testing.T) {
		s, err := w.store.UpdateSettings(w.admin(t), crm.TenantSettingsUpdate{
			PhoneUnique: graphql.OmittableOf(new(true)), Restrictions: list(" EMEA ", "APAC", "EMEA"), ActiveCountries: list("DE", "AT"),
		}, at(0))
		require.NoError(t, err)
		require.Equal(t, []any{true, true, []string{"EMEA", "APAC"}, []string{"DE", "AT"}, int64(1)}, []any{s.EmailUnique, s.PhoneUnique, s.Restrictions, s.ActiveCountries, s.Revision})
		require.True(t, crmtest.Today().Equal(s.CreatedAt), "%s is the operation's time", s.CreatedAt)
		w.later(time.Hour)
		s, err = w.store.UpdateSettings(w.admin(t), crm.TenantSettingsUpdate{ActiveCountries: graphql.OmittableOf[[]string](nil), EmailUnique: graphql.OmittableOf(new(false))}, at(1))
		require.NoError(t, err)
		require.Equal(t, []any{false, true, []string{"EMEA", "APAC"}, []string{}, int64(2)}, []any{s.EmailUnique, s.PhoneUnique, s.Restrictions, s.ActiveCountries, s.Revision})
		require.True(t, crmtest.Today().Equal(s.CreatedAt))
		stored, err := w.store.Settings(w.admin(t))
		require.NoError(t, err)
		same(t, stored, s)
		require.Equal(t, []string{"0 1 {phoneUnique,restrictions,activeCountries}", "1 2 {emailUnique,activeCountries}"}, ask[string](t, w,
			"SELECT concat_ws(' ', revision_before, revision_after, changed_fields::text) FROM event WHERE type = 'TENANT_SETTINGS_UPDATED' ORDER BY sequence"))
	})
	t.Run("another revision is Stale, and a refused first change leaves no row", func(t *testing.T) {
		_, err := w.store.UpdateSettings(w.admin(t), crm.TenantSettingsUpdate{}, at(1))
		require.Equal(t, int64(2), refused(t, err, crm.Stale, "", "ifRevision").Current.(*crm.TenantSettings).Revision)
		acme, _ := crmtest.As(t, w.store, "acme", "admin")
		_, err = w.store.UpdateSettings(acme, crm.TenantSettingsUpdate{}, at(1))
		require.Equal(t, int64(0), refused(t, err, crm.Stale, "", "ifRevision").Current.(*crm.TenantSettings).Revision)
		require.Equal(t, 1, askOne[int](t, w, "SELECT count(*)::int FROM tenant_settings"))
	})
	t.Run("switches cannot be cleared and lists are checked", func(t *testing.T) {
		null := graphql.OmittableOf[*bool](nil)
		_, err := w.store.UpdateSettings(w.admin(t), crm.TenantSettingsUpdate{
			EmailUnique: null, PhoneUnique: null, ContactPropagation: graphql.OmittableOf(new(crm.ContactPropagation("SIDEWAYS"))),
			Restrictions: list("", strings.Repeat("x", 65)), ActiveCountries: list("DE", "XX"),
		}, crm.Write{})
		require.Equal(t, []string{"input.emailUnique", "input.phoneUnique", "input.contactPropagation", "input.restrictions[0]", "input.restrictions[1]", "input.activeCountries[1]"}, fields(t, err))
		_, err = w.store.UpdateSettings(w.admin(t), crm.TenantSettingsUpdate{ContactPropagation: graphql.OmittableOf[*crm.ContactPropagation](nil)}, crm.Write{})
		require.Equal(t, []string{"input.contactPropagation"}, fields(t, err))
	})
	t.Run("an agent neither sees nor changes them", func(t *testing.T) {
		agent, _ := crmtest.As(t, w.store, "demo", "agent")
		_, err := w.store.Settings(agent)
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		_, err = w.store.UpdateSettings(agent, crm.TenantSettingsUpdate{}, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
}

func TestSettings_ManyFirstChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := w.wide(t)
	errs := together(t, store, func(ctx context.Context, i int) error {
		_, err := store.UpdateSettings(ctx, crm.TenantSettingsUpdate{Restrictions: list(strconv.Itoa(i))}, at(0))
		return err
	})
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			refused(t, err, crm.Stale, "", "ifRevision")
		}
	}
	require.Equal(t, 1, won)
}

func TestSettings_HoldForWhatIsWrittenFromThenOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	northwind := w.party(t, 5001)
	update := func(in crm.PartyUpdate) error {
		_, err := w.store.UpdateParty(w.admin(t), northwind, in, crm.Write{})
		return err
	}
	country := func(code string) crm.PartyUpdate {
		return crm.PartyUpdate{CountryCode: graphql.OmittableOf(&code)}
	}
	t.Run("no restriction may be carried until some are set, then one of these", func(t *testing.T) {
		require.Equal(t, []string{"input.restrictions[0]"}, fields(t, update(crm.PartyUpdate{Restrictions: list("EMEA")})))
		w.settings(t, crm.TenantSettingsUpdate{Restrictions: list("EMEA", "APAC")})
		require.NoError(t, update(crm.PartyUpdate{Restrictions: list("EMEA")}))
		require.Equal(t, []string{"input.restrictions"}, fields(t, update(crm.PartyUpdate{Restrictions: list("EMEA", "APAC")})), "at most one")
		require.Equal(t, []string{"input.restrictions[0]"}, fields(t, update(crm.PartyUpdate{Restrictions: list("emea")})))
	})
	t.Run("every country until some are active, then these", func(t *testing.T) {
		require.NoError(t, update(country("FR")))
		w.settings(t, crm.TenantSettingsUpdate{ActiveCountries: list("DE", "AT")})
		require.Equal(t, []string{"input.countryCode"}, fields(t, update(country("FR"))))
		require.NoError(t, update(crm.PartyUpdate{Language: graphql.OmittableOf(new("fr"))}), "what is there stays")
		_, err := w.store.CreateIndividual(w.admin(t), crm.IndividualCreate{LastName: new("X"), CountryCode: new("FR")}, crm.Write{})
		require.Equal(t, []string{"input.countryCode"}, fields(t, err))
	})
	t.Run("what is no longer allowed is in the way only of itself", func(t *testing.T) {
		w.settings(t, crm.TenantSettingsUpdate{Restrictions: list("APAC")})
		require.NoError(t, update(country("AT")), "the party carries EMEA still")
		require.NoError(t, update(crm.PartyUpdate{Restrictions: graphql.OmittableOf[[]string](nil)}))
		require.Equal(t, []string{"input.restrictions[0]"}, fields(t, update(crm.PartyUpdate{Restrictions: list("EMEA")})))
	})
	t.Run("another tenant's do not count", func(t *testing.T) {
		acme, _ := crmtest.As(t, w.store, "acme", "admin")
		_, err := w.store.CreateIndividual(acme, crm.IndividualCreate{LastName: new("X"), CountryCode: new("FR")}, crm.Write{})
		require.NoError(t, err)
	})
}
