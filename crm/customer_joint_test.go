package crm_test

import (
	"context"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// updated changes a customer and requires it to succeed.
func (w *world) updated(t *testing.T, c *crm.Customer, in crm.CustomerUpdate) *crm.Customer {
	t.Helper()
	got, err := w.store.UpdateCustomer(w.admin(t), c.NodeID(), in, crm.Write{})
	require.NoError(t, err)
	return got
}

// owned lists the VINs of the vehicles that a party owns.
func (w *world) owned(t *testing.T, c *crm.Customer) []string {
	t.Helper()
	return ask[string](t, w, `SELECT v.vin FROM vehicle v JOIN vehicle_association a ON a.vehicle_id = v.id
		WHERE a.party_id = $1 AND a.kind = 'OWNER' AND a.effective_to IS NULL ORDER BY v.vin`, c.ID)
}

func TestCustomerUpdateReach(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	byEmail := func(email string) (*crm.Customer, error) {
		return w.store.Customer(w.admin(t), crm.CustomerBy{Email: &email})
	}
	c := w.newcomer(t, crm.CustomerCreate{LastName: new("Reach"), Email: new("Reach@Example.org"), Phone: new("+47 22 55 01 77")})
	other := w.newcomer(t, crm.CustomerCreate{LastName: new("Other"), Email: new("other.reach@example.org")})

	t.Run("another address takes the place of the primary one and is claimed", func(t *testing.T) {
		got := w.updated(t, c, crm.CustomerUpdate{Email: given("Moved@Example.org")})
		require.Equal(t, int64(2), got.Revision)
		found, err := byEmail("moved@example.org")
		require.NoError(t, err)
		require.Equal(t, c.ID, found.ID)
		_, err = byEmail("reach@example.org")
		require.Equal(t, crm.NotFound, crm.CodeOf(err), "the old address leads to nobody")
	})
	t.Run("an address that another customer has is refused, and nothing changes", func(t *testing.T) {
		before := w.rows(t)
		_, err := w.store.UpdateCustomer(w.admin(t), c.NodeID(), crm.CustomerUpdate{Email: given("OTHER.reach@example.org"), PartyUpdate: crm.PartyUpdate{FirstName: given("X")}}, crm.Write{})
		refused(t, err, crm.Conflict, crm.EmailInUse, "input.email")
		require.Equal(t, before, w.rows(t))
	})
	t.Run("a door may keep such an address unclaimed", func(t *testing.T) {
		w.updated(t, c, crm.CustomerUpdate{Email: given("other.reach@example.org"), ClaimIfFree: true})
		found, err := byEmail("other.reach@example.org")
		require.NoError(t, err)
		require.Equal(t, other.ID, found.ID, "it leads to whoever claims it")
	})
	t.Run("null takes the address and the number away", func(t *testing.T) {
		w.updated(t, c, crm.CustomerUpdate{Email: cleared[string](), Phone: cleared[string]()})
		require.Empty(t, w.points(t, c.ID))
		require.Equal(t, []string{"CODE " + c.Code + " claimed"}, w.identifiers(t, c.ID))
	})
	t.Run("who holds BILLING and gets invoices by e-mail keeps an address", func(t *testing.T) {
		firm := w.firm(t, "Reach Freight Inc")
		w.updated(t, c, crm.CustomerUpdate{Email: given("billing.reach@example.org")})
		w.engaged(t, firm.ID, c.ID, "BILLING*")
		_, err := w.store.UpdateCustomer(w.admin(t), c.NodeID(), crm.CustomerUpdate{Email: cleared[string]()}, crm.Write{})
		refused(t, err, crm.Invalid, crm.BillingEmailRequired, "input.email")
	})
	t.Run("of many who want one address at once, one gets it", func(t *testing.T) {
		all := make([]*crm.Customer, crowd)
		for i := range all {
			all[i] = w.newcomer(t, crm.CustomerCreate{LastName: new("Crowd")})
		}
		won := winners(t, w.wide(t), func(ctx context.Context, i int) error {
			_, err := w.store.UpdateCustomer(ctx, all[i].NodeID(), crm.CustomerUpdate{Email: given("one@example.org")}, crm.Write{})
			return err
		})
		require.Len(t, won, 1)
	})
}

func TestCustomerVehicles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const fresh, known, more = "JTDKARFU2H3055001", "1XPBDP9X4FD300999", "4T1B11HK7KU700123"
	stray, err := w.store.RegisterVehicle(w.admin(t), crm.VehicleRegistration{VIN: known, Make: "Peterbilt", Model: "579", Year: 2015}, crm.Write{})
	require.NoError(t, err)
	c := w.newcomer(t, crm.CustomerCreate{LastName: new("Okonjo"), VehicleVINs: []string{" jtdka-rfu2h3055001", known}})

	t.Run("an unknown VIN makes a vehicle, a known one without owner is adopted", func(t *testing.T) {
		require.Equal(t, []string{known, fresh}, w.owned(t, c))
		require.Equal(t, stray.ID.String(), askOne[string](t, w, "SELECT id::text FROM vehicle WHERE vin = $1 AND "+inDemo, known))
	})
	t.Run("a VIN that somebody else has is refused and names the vehicle, and nothing is written", func(t *testing.T) {
		before := w.rows(t)
		_, err := w.store.CreateCustomer(w.admin(t), crm.CustomerCreate{LastName: new("Late"), VehicleVINs: []string{more, known}}, crm.Write{})
		require.Equal(t, stray.NodeID(), refused(t, err, crm.Conflict, crm.DuplicateVIN, "input.vehicleVins[1]").Related)
		require.Equal(t, before, w.rows(t))
	})
	t.Run("a list that is given is the whole list: the others are released and stay", func(t *testing.T) {
		w.updated(t, c, crm.CustomerUpdate{VehicleVINs: graphql.OmittableOf([]string{more, fresh})})
		require.Equal(t, []string{more, fresh}, w.owned(t, c))
		require.Equal(t, "ACTIVE", askOne[string](t, w, "SELECT status FROM vehicle WHERE vin = $1 AND "+inDemo, known))
		w.updated(t, c, crm.CustomerUpdate{PartyUpdate: crm.PartyUpdate{FirstName: given("Ansel")}})
		require.Len(t, w.owned(t, c), 2, "a list that is left out changes nothing")
		w.updated(t, c, crm.CustomerUpdate{VehicleVINs: graphql.OmittableOf([]string{})})
		require.Empty(t, w.owned(t, c))
	})
	t.Run("all that is wrong with a list is told", func(t *testing.T) {
		_, err := w.store.CreateCustomer(w.admin(t), crm.CustomerCreate{LastName: new("Bad"), VehicleVINs: []string{"short", fresh, fresh}}, crm.Write{})
		require.Equal(t, []string{"input.vehicleVins[0]", "input.vehicleVins[2]"}, fields(t, err))
	})
	t.Run("vehicles need the permission to make them", func(t *testing.T) {
		ctx, _ := crmtest.With(t, w.store, "demo", crm.PartyCreate, crm.PartyEdit)
		_, err := w.store.CreateCustomer(ctx, crm.CustomerCreate{LastName: new("Bad"), VehicleVINs: []string{more}}, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		_, err = w.store.UpdateCustomer(ctx, c.NodeID(), crm.CustomerUpdate{VehicleVINs: graphql.OmittableOf([]string{})}, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
	t.Run("of many customers made at once with one VIN, one is", func(t *testing.T) {
		wide := w.wide(t)
		won := winners(t, wide, func(ctx context.Context, _ int) error {
			_, err := wide.CreateCustomer(ctx, crm.CustomerCreate{LastName: new("Rush"), VehicleVINs: []string{"5YJ3E1EA3KF300321"}}, crm.Write{})
			return err
		})
		require.Len(t, won, 1)
	})
}

func TestMergeHeedsWhatPartiesSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	say := func(c *crm.Customer, in crm.PreferencesSet) {
		_, err := w.store.SetPreferences(w.admin(t), partyOf(c), in, crm.Write{})
		require.NoError(t, err)
	}
	into, loser := w.person(t, "Said"), w.person(t, "Saidtoo")
	say(into, crm.PreferencesSet{Email: given(crm.OptIn), Consents: []*crm.ConsentSet{consent("marketing_email", crm.ConsentGranted)}})
	say(loser, crm.PreferencesSet{Email: given(crm.OptOut), SMS: given(crm.OptIn), Consents: []*crm.ConsentSet{
		consent("marketing_email", crm.ConsentWithdrawn), consent("profiling", crm.ConsentGranted),
	}})
	result := w.merge(t, into, loser)
	require.Equal(t, 1, result.Merge.Moved.CommunicationPreferences)
	require.Equal(t, "OPT_OUT OPT_IN", askOne[string](t, w, "SELECT email || ' ' || sms FROM communication_preferences WHERE id = $1", into.ID))
	require.Equal(t, []string{"marketing_email WITHDRAWN", "profiling GRANTED"},
		ask[string](t, w, "SELECT type || ' ' || state FROM consent WHERE party_id = $1 ORDER BY type", into.ID))
}
