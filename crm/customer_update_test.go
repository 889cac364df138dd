package crm_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// What is left out stays, what is null is cleared, and what cannot be cleared says so.
func TestCustomerUpdateFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	born := time.Date(1988, time.February, 29, 0, 0, 0, 0, time.UTC)
	before := w.newcomer(t, crm.CustomerCreate{FirstName: new("Ada"), LastName: new("Quist"), BirthDate: &born, Language: new("de"), CountryCode: new("DE"),
		Tags: []string{"vip"}, Metadata: json.RawMessage(`{"a":1}`), PrimaryAddress: new("HOME"), HomeLogicalID: new("store-1"), Addresses: []*crm.Address{quay()}})
	state := func(t *testing.T) map[string]any {
		t.Helper()
		text := askOne[string](t, w, `SELECT json_build_object('first', first_name, 'last', last_name, 'born', birth_date, 'language', language, 'country', country_code, 'tax', tax_id,
			'tags', c.tags, 'metadata', c.metadata, 'address', c.primary_address, 'home', c.home_logical_id, 'type', c.type, 'code', c.code,
			'places', (SELECT count(*) FROM party_location x WHERE x.party_id = p.id))::text FROM party p JOIN customer c ON c.id = p.id WHERE p.id = $1`, before.ID)
		var m map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &m))
		return m
	}
	// Each step sets or clears one field and leaves all others.
	for _, step := range []struct {
		name  string
		in    crm.CustomerUpdate
		field string
		want  any
	}{
		{"first name", crm.CustomerUpdate{PartyUpdate: crm.PartyUpdate{FirstName: cleared[string]()}}, "first", nil},
		{"last name", crm.CustomerUpdate{PartyUpdate: crm.PartyUpdate{LastName: given(" Quest ")}}, "last", "Quest"},
		{"date of birth", crm.CustomerUpdate{PartyUpdate: crm.PartyUpdate{BirthDate: cleared[time.Time]()}}, "born", nil},
		{"language", crm.CustomerUpdate{PartyUpdate: crm.PartyUpdate{Language: cleared[string]()}}, "language", nil},
		{"country", crm.CustomerUpdate{PartyUpdate: crm.PartyUpdate{CountryCode: cleared[string]()}}, "country", nil},
		{"tax id set", crm.CustomerUpdate{PartyUpdate: crm.PartyUpdate{TaxID: given("DE 1")}}, "tax", "DE 1"},
		{"tax id cleared", crm.CustomerUpdate{PartyUpdate: crm.PartyUpdate{TaxID: cleared[string]()}}, "tax", nil},
		{"tags replaced", crm.CustomerUpdate{Tags: graphql.OmittableOf([]string{"fleet", "old"})}, "tags", []any{"fleet", "old"}},
		{"tags cleared", crm.CustomerUpdate{Tags: graphql.OmittableOf[[]string](nil)}, "tags", []any{}},
		{"metadata replaced", crm.CustomerUpdate{Metadata: graphql.OmittableOf(json.RawMessage(`{"b":2}`))}, "metadata", map[string]any{"b": 2.0}},
		{"metadata cleared", crm.CustomerUpdate{Metadata: graphql.OmittableOf(json.RawMessage(nil))}, "metadata", map[string]any{}},
		{"primary address", crm.CustomerUpdate{PrimaryAddress: cleared[string]()}, "address", nil},
		{"home logical id", crm.CustomerUpdate{HomeLogicalID: cleared[string]()}, "home", nil},
		{"type", crm.CustomerUpdate{Type: given(crm.CustomerGovernment)}, "type", "GOVERNMENT"},
		{"addresses replaced", crm.CustomerUpdate{Addresses: graphql.OmittableOf([]*crm.Address{quay(), quay()})}, "places", 2.0},
		{"addresses cleared", crm.CustomerUpdate{Addresses: graphql.OmittableOf[[]*crm.Address](nil)}, "places", 0.0},
		{"nothing", crm.CustomerUpdate{}, "places", 0.0},
	} {
		want := state(t)
		want[step.field] = step.want
		revision := w.revision(t, partyOf(before))
		got, err := w.store.UpdateCustomer(w.admin(t), before.NodeID(), step.in, at(revision))
		require.NoError(t, err, step.name)
		require.Equal(t, want, state(t), step.name)
		require.Equal(t, revision+1, got.Revision, step.name)
		require.Equal(t, []int64{revision + 1, revision + 1}, w.revisions(t, before.ID), step.name)
	}
	require.Zero(t, askOne[int](t, w, "SELECT count(*) FROM location WHERE line1 = '12 Quay Street'"), "addresses that nobody has are gone")
	for field, in := range map[string]crm.CustomerUpdate{
		"input.type":      {Type: cleared[crm.CustomerType]()},
		"input.code":      {Code: cleared[string]()},
		"input.legalName": {PartyUpdate: crm.PartyUpdate{LegalName: cleared[string]()}},
	} {
		_, err := w.store.UpdateCustomer(w.admin(t), before.NodeID(), in, crm.Write{})
		require.Equal(t, []string{field}, fields(t, err), "cannot be cleared")
	}
}

func TestCustomerUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	update := func(t *testing.T, c *crm.Customer, in crm.CustomerUpdate, wr crm.Write) (*crm.Customer, error) {
		t.Helper()
		return w.store.UpdateCustomer(w.admin(t), c.NodeID(), in, wr)
	}
	t.Run("party, customer and account share one revision", func(t *testing.T) {
		c := w.firm(t, "Shared AG")
		got, err := update(t, c, crm.CustomerUpdate{PartyUpdate: crm.PartyUpdate{TradingName: given("Shared")}}, at(1))
		require.NoError(t, err)
		require.EqualValues(t, 2, got.Revision)
		require.Equal(t, []int64{2, 2, 2}, w.revisions(t, c.ID))
		require.Equal(t, []string{"CUSTOMER_CREATED", "CUSTOMER_UPDATED"}, w.events(t, partyOf(c)))
	})
	t.Run("the event names what changed", func(t *testing.T) {
		c := w.person(t, "Eventful")
		_, err := update(t, c, crm.CustomerUpdate{PartyUpdate: crm.PartyUpdate{LastName: given("Calm")}, Tags: graphql.OmittableOf([]string{"x"}), Addresses: graphql.OmittableOf([]*crm.Address{quay()})}, crm.Write{})
		require.NoError(t, err)
		require.Equal(t, []string{"displayName", "lastName", "tags", "locations"},
			askOne[[]string](t, w, "SELECT changed_fields FROM event WHERE record_id = $1 AND type = 'CUSTOMER_UPDATED'", c.ID))
	})
	t.Run("another revision than the stored one is stale, and comes with the record", func(t *testing.T) {
		c := w.person(t, "Stale")
		_, err := update(t, c, crm.CustomerUpdate{}, at(7))
		e := refused(t, err, crm.Stale, "", "ifRevision")
		require.Equal(t, c.NodeID(), e.Current.NodeID())
	})
	t.Run("another code leads to the customer in place of the old one, which is free", func(t *testing.T) {
		c := w.newcomer(t, crm.CustomerCreate{LastName: new("Recoded"), Code: new("OLD-1")})
		got, err := update(t, c, crm.CustomerUpdate{Code: given(" new-1")}, crm.Write{})
		require.NoError(t, err)
		require.Equal(t, "NEW-1", got.Code)
		require.Equal(t, []string{"CODE NEW-1 claimed"}, w.identifiers(t, c.ID))
		_, err = w.store.Customer(w.admin(t), crm.CustomerBy{Code: new("OLD-1")})
		require.Equal(t, crm.NotFound, crm.CodeOf(err))
		w.newcomer(t, crm.CustomerCreate{LastName: new("Heir"), Code: new("OLD-1")})
	})
	t.Run("the same code again is no change", func(t *testing.T) {
		c := w.newcomer(t, crm.CustomerCreate{LastName: new("Same"), Code: new("SAME-1")})
		_, err := update(t, c, crm.CustomerUpdate{Code: given("same-1")}, crm.Write{})
		require.NoError(t, err)
		require.Equal(t, []string{"CODE SAME-1 claimed"}, w.identifiers(t, c.ID))
	})
	t.Run("a code that another has is refused, and nothing changes", func(t *testing.T) {
		taken := w.newcomer(t, crm.CustomerCreate{LastName: new("Owner"), Code: new("TAKEN-1")})
		c := w.person(t, "Wants")
		_, err := update(t, c, crm.CustomerUpdate{Code: given(taken.Code), PartyUpdate: crm.PartyUpdate{LastName: given("Wanted")}}, crm.Write{})
		refused(t, err, crm.Conflict, crm.CodeInUse, "input.code")
		require.Equal(t, "Wants", askOne[string](t, w, "SELECT last_name FROM party WHERE id = $1", c.ID))
		require.EqualValues(t, 1, w.revision(t, partyOf(c)))
	})
	t.Run("names of the other kind are refused", func(t *testing.T) {
		_, err := update(t, w.person(t, "Private"), crm.CustomerUpdate{PartyUpdate: crm.PartyUpdate{TradingName: given("X")}}, crm.Write{})
		require.Equal(t, []string{"input.tradingName"}, fields(t, err))
		_, err = update(t, w.firm(t, "Firm AG"), crm.CustomerUpdate{PartyUpdate: crm.PartyUpdate{FirstName: given("X"), BirthDate: cleared[time.Time]()}}, crm.Write{})
		require.Equal(t, []string{"input.firstName", "input.birthDate"}, fields(t, err))
	})
	t.Run("addresses that another party has, too, stay its", func(t *testing.T) {
		a := w.person(t, "Here")
		b := w.newcomer(t, crm.CustomerCreate{LastName: new("There"), Addresses: []*crm.Address{quay()}})
		w.merge(t, a, b)
		_, err := update(t, a, crm.CustomerUpdate{Addresses: graphql.OmittableOf([]*crm.Address{})}, crm.Write{})
		require.NoError(t, err)
		require.Empty(t, w.addresses(t, a.ID))
		require.Equal(t, []string{"12 Quay Street, Seattle, 98101, US"}, w.addresses(t, b.ID))
	})
	t.Run("of 24 updates of one revision at once, one wins", func(t *testing.T) {
		c, store := w.person(t, "Contended"), w.wide(t)
		won := winners(t, store, func(ctx context.Context, _ int) error {
			_, err := store.UpdateCustomer(ctx, c.NodeID(), crm.CustomerUpdate{Tags: graphql.OmittableOf([]string{"x"})}, at(1))
			return err
		})
		require.Len(t, won, 1)
		require.Equal(t, []int64{2, 2}, w.revisions(t, c.ID))
	})
	t.Run("who is none, of another tenant or a party without the role is not found", func(t *testing.T) {
		acme := "cus_" + askOne[string](t, w, "SELECT c.id::text FROM customer c JOIN tenant t ON t.id = c.tenant_id WHERE t.code = 'acme' LIMIT 1")
		plain := "cus_" + w.organization(t, "No Customer At All").ID.String()
		for _, id := range []string{acme, plain, crm.Customers.GlobalID(w.person(t, "X").TenantID)} {
			_, err := w.store.UpdateCustomer(w.admin(t), id, crm.CustomerUpdate{}, crm.Write{})
			require.Equal(t, crm.NotFound, crm.CodeOf(err))
		}
		_, err := w.store.UpdateCustomer(w.admin(t), plain[4:], crm.CustomerUpdate{}, crm.Write{})
		require.Equal(t, []string{"id"}, fields(t, err))
	})
}

func TestCustomerStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.firm(t, "Seasonal GmbH")
	t.Run("ACTIVE and INACTIVE and back, the party stays as it is", func(t *testing.T) {
		for i, status := range []crm.CustomerStatus{crm.CustomerInactive, crm.CustomerActive, crm.CustomerActive} {
			got, err := w.store.ChangeCustomerStatus(w.admin(t), c.NodeID(), status, at(int64(i+1)))
			require.NoError(t, err)
			require.Equal(t, status, got.Status)
			require.EqualValues(t, i+2, got.Revision)
			require.Equal(t, slices.Repeat([]int64{int64(i + 2)}, 3), w.revisions(t, c.ID))
		}
		require.Equal(t, "ACTIVE", askOne[string](t, w, "SELECT status FROM party WHERE id = $1", c.ID))
		require.JSONEq(t, `{"to": "INACTIVE", "from": "ACTIVE"}`, askOne[string](t, w, "SELECT details::text FROM event WHERE record_id = $1 AND revision_after = 2", c.ID))
	})
	t.Run("nobody is made MERGED or ANONYMIZED", func(t *testing.T) {
		for _, status := range []crm.CustomerStatus{crm.CustomerMerged, crm.CustomerAnonymized, "X"} {
			_, err := w.store.ChangeCustomerStatus(w.admin(t), c.NodeID(), status, crm.Write{})
			require.Equal(t, []string{"status"}, fields(t, err))
		}
	})
	t.Run("not found", func(t *testing.T) {
		_, err := w.store.ChangeCustomerStatus(w.admin(t), crm.Customers.GlobalID(c.TenantID), crm.CustomerActive, crm.Write{})
		require.Equal(t, crm.NotFound, crm.CodeOf(err))
	})
}

func TestCustomerDeactivate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	amelia := w.customer(t, 1001)
	id := amelia[4:]
	open := "SELECT count(*) FROM vehicle_association WHERE party_id = $1::uuid AND effective_to IS NULL"
	require.NotZero(t, askOne[int](t, w, open, id))
	vehicles := ask[int64](t, w, "SELECT revision FROM vehicle WHERE id IN (SELECT vehicle_id FROM vehicle_association WHERE party_id = $1::uuid AND effective_to IS NULL)", id)
	got, err := w.store.DeactivateCustomer(w.admin(t), amelia, at(1))
	require.NoError(t, err)
	t.Run("customer and party become INACTIVE, in one revision", func(t *testing.T) {
		require.Equal(t, []any{crm.CustomerInactive, int64(2)}, []any{got.Status, got.Revision})
		require.Equal(t, []string{"INACTIVE"}, ask[string](t, w, "SELECT status FROM party WHERE id = $1::uuid AND deactivated_at IS NOT NULL", id))
	})
	t.Run("vehicles and engagements end now, and nothing is deleted", func(t *testing.T) {
		require.Zero(t, askOne[int](t, w, open, id))
		require.Len(t, ask[time.Time](t, w, "SELECT effective_to FROM vehicle_association WHERE party_id = $1::uuid AND effective_to = $2", id, crmtest.Today()), len(vehicles))
		require.Equal(t, []string{"INACTIVE"}, ask[string](t, w, "SELECT DISTINCT status FROM contact WHERE person_id = $1::uuid", id))
		require.Zero(t, askOne[int](t, w, "SELECT count(*) FROM contact_role h JOIN contact k ON k.id = h.contact_id WHERE k.person_id = $1::uuid AND (h.status = 'ACTIVE' OR h.is_primary)", id))
		require.NotZero(t, askOne[int](t, w, "SELECT count(*) FROM identifier WHERE party_id = $1::uuid", id))
	})
	t.Run("every vehicle tells", func(t *testing.T) {
		require.Equal(t, len(vehicles), askOne[int](t, w, "SELECT count(*) FROM event WHERE type = 'VEHICLE_RELEASED'"))
	})
	t.Run("it is closed to changes, also to a second deactivation", func(t *testing.T) {
		_, err := w.store.DeactivateCustomer(w.admin(t), amelia, crm.Write{})
		refused(t, err, crm.Conflict, crm.InvalidState, "id")
		_, err = w.store.UpdateCustomer(w.admin(t), amelia, crm.CustomerUpdate{}, crm.Write{})
		refused(t, err, crm.Conflict, crm.InvalidState, "id")
	})
	t.Run("needs crm:party:deactivate", func(t *testing.T) {
		ctx, _ := crmtest.As(t, w.store, "demo", "agent")
		_, err := w.store.DeactivateCustomer(ctx, w.customer(t, 1002), crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
}
