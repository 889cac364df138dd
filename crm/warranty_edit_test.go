package crm_test

import (
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

func date(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestWarrantiesExpireAtTheMonthsEndAtTheLatest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from   string
		months int
		want   string
	}{
		"two years":                      {"2026-03-01T00:00:00Z", 24, "2028-03-01T00:00:00Z"},
		"from a 31st to a shorter month": {"2026-01-31T10:20:30Z", 1, "2026-02-28T10:20:30Z"},
		"to February of a leap year":     {"2027-11-30T00:00:00Z", 3, "2028-02-29T00:00:00Z"},
		"from the leap day":              {"2028-02-29T00:00:00Z", 12, "2029-02-28T00:00:00Z"},
		"over the end of a year":         {"2026-12-31T23:59:59Z", 2, "2027-02-28T23:59:59Z"},
		"a hundred years":                {"2026-05-15T00:00:00Z", 1200, "2126-05-15T00:00:00Z"},
		"counted in UTC":                 {"2026-01-31T23:30:00-02:00", 1, "2026-03-01T01:30:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, date(c.want), crm.AddMonths(date(c.from), c.months))
		})
	}
}

func (g *garage) warranty(t *testing.T, in crm.WarrantyRegistration) (*crm.Warranty, error) {
	t.Helper()
	if in.CustomerID == "" {
		in.CustomerID = g.amelia(t).NodeID()
	}
	if in.Months == 0 {
		in.Months = 24
	}
	return g.store.RegisterWarranty(g.admin(t), in, crm.Write{})
}

func TestRegisterWarranty(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	t.Run("it is ACTIVE, its serial number in upper case, and it expires months after its start", func(t *testing.T) {
		t.Parallel()
		w, err := g.warranty(t, crm.WarrantyRegistration{SerialNumber: " sn-88120 ", Coverage: new("parts"), StartsAt: new(date("2026-03-01T00:00:00Z"))})
		require.NoError(t, err)
		require.Equal(t, crm.WarrantyActive, w.Status)
		require.Equal(t, "SN-88120", w.SerialNumber)
		require.Equal(t, date("2028-03-01T00:00:00Z"), *w.ExpiresAt)
		require.Equal(t, "parts", *w.Coverage)
		require.Nil(t, w.VehicleID)
		require.EqualValues(t, 1, w.Revision)
		events, err := crm.WarrantyEvents.All(g.admin(t), w)
		require.NoError(t, err)
		require.Equal(t, crm.WarrantyRegistered, events[0].Type)
	})
	t.Run("it starts now", func(t *testing.T) {
		t.Parallel()
		w, err := g.warranty(t, crm.WarrantyRegistration{SerialNumber: "SN-NOW"})
		require.NoError(t, err)
		require.Equal(t, w.CreatedAt, w.StartsAt)
	})
	t.Run("what is wrong is told at once", func(t *testing.T) {
		t.Parallel()
		_, err := g.warranty(t, crm.WarrantyRegistration{CustomerID: "x", Months: 1201})
		for _, field := range []string{"input.serialNumber", "input.customerId", "input.months"} {
			require.Contains(t, refusals(err), "INVALID  "+field)
		}
	})
	t.Run("it expires after its start", func(t *testing.T) {
		t.Parallel()
		at := date("2026-03-01T00:00:00Z")
		_, err := g.warranty(t, crm.WarrantyRegistration{SerialNumber: "SN-X", StartsAt: &at, ExpiresAt: &at})
		refused(t, err, crm.Invalid, "", "input.expiresAt")
	})
	t.Run("the customer is known and ACTIVE", func(t *testing.T) {
		t.Parallel()
		_, err := g.warranty(t, crm.WarrantyRegistration{SerialNumber: "SN-X", CustomerID: "cus_018f0000-0000-7000-8000-000000000000"})
		refused(t, err, crm.NotFound, "", "input.customerId")
		_, err = g.warranty(t, crm.WarrantyRegistration{SerialNumber: "SN-X", CustomerID: crm.Customers.GlobalID(g.individual(t, "Driver").ID)})
		refused(t, err, crm.NotFound, "", "input.customerId")
		_, err = g.warranty(t, crm.WarrantyRegistration{SerialNumber: "SN-X", CustomerID: g.customers(t, crm.CustomerMerged)[0].NodeID()})
		require.NotEmpty(t, refused(t, err, crm.Conflict, crm.MergedParty, "input.customerId").Related)
		_, err = g.warranty(t, crm.WarrantyRegistration{SerialNumber: "SN-X", CustomerID: g.customers(t, crm.CustomerInactive)[0].NodeID()})
		refused(t, err, crm.Conflict, crm.InvalidState, "input.customerId")
		_, err = g.warranty(t, crm.WarrantyRegistration{SerialNumber: "SN-X", CustomerID: g.customers(t, crm.CustomerAnonymized)[0].NodeID()})
		refused(t, err, crm.Conflict, crm.InvalidState, "input.customerId")
	})
	t.Run("at most one warranty of a serial number is active", func(t *testing.T) {
		t.Parallel()
		w, err := g.warranty(t, crm.WarrantyRegistration{SerialNumber: "SN-ONE"})
		require.NoError(t, err)
		_, err = g.warranty(t, crm.WarrantyRegistration{SerialNumber: "sn-one"})
		refused(t, err, crm.Conflict, crm.AlreadyRegistered, "input.serialNumber")
		_, err = g.store.ChangeWarrantyStatus(g.admin(t), w.NodeID(), crm.WarrantyVoided, crm.Write{})
		require.NoError(t, err)
		_, err = g.warranty(t, crm.WarrantyRegistration{SerialNumber: "SN-ONE"})
		require.NoError(t, err)
	})
	t.Run("of many who register a serial number at once one succeeds", func(t *testing.T) {
		t.Parallel()
		won := 0
		for _, err := range atOnce(20, func(int) error {
			_, err := g.warranty(t, crm.WarrantyRegistration{SerialNumber: "SN-MANY"})
			return err
		}) {
			if err == nil {
				won++
			} else {
				refused(t, err, crm.Conflict, crm.AlreadyRegistered, "input.serialNumber")
			}
		}
		require.Equal(t, 1, won)
	})
	t.Run("a key makes it happen once, also at once", func(t *testing.T) {
		t.Parallel()
		in := crm.WarrantyRegistration{SerialNumber: "SN-KEY", CustomerID: g.amelia(t).NodeID(), Months: 12}
		made := make([]*crm.Warranty, 20)
		for _, err := range atOnce(len(made), func(i int) (err error) {
			made[i], err = g.store.RegisterWarranty(g.admin(t), in, crm.Write{IdempotencyKey: new("w-1")})
			return err
		}) {
			require.NoError(t, err)
		}
		for _, w := range made {
			require.Equal(t, made[0].NodeID(), w.NodeID())
		}
		in.Months = 13
		_, err := g.store.RegisterWarranty(g.admin(t), in, crm.Write{IdempotencyKey: new("w-1")})
		refused(t, err, crm.Conflict, crm.IdempotencyMismatch, "idempotencyKey")
	})
	t.Run("a serial number that is the VIN of an active vehicle links it, unless another is given", func(t *testing.T) {
		t.Parallel()
		v, other, gone := g.stray(t), g.stray(t), g.stray(t)
		w, err := g.warranty(t, crm.WarrantyRegistration{SerialNumber: *v.VINNormalised})
		require.NoError(t, err)
		require.Equal(t, v.ID, *w.VehicleID)
		w, err = g.warranty(t, crm.WarrantyRegistration{SerialNumber: *other.VINNormalised, VehicleID: new(v.NodeID())})
		require.NoError(t, err)
		require.Equal(t, v.ID, *w.VehicleID)
		_, err = g.store.DeactivateVehicle(g.admin(t), gone.NodeID(), crm.Write{})
		require.NoError(t, err)
		w, err = g.warranty(t, crm.WarrantyRegistration{SerialNumber: *gone.VINNormalised})
		require.NoError(t, err)
		require.Nil(t, w.VehicleID)
		_, err = g.warranty(t, crm.WarrantyRegistration{SerialNumber: "SN-V", VehicleID: new(gone.NodeID())})
		refused(t, err, crm.Conflict, crm.InvalidState, "input.vehicleId")
		_, err = g.warranty(t, crm.WarrantyRegistration{SerialNumber: "SN-V", VehicleID: new("veh_018f0000-0000-7000-8000-000000000000")})
		refused(t, err, crm.NotFound, "", "input.vehicleId")
	})
}

func TestChangeWarranty(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	fresh := func(t *testing.T) *crm.Warranty {
		t.Helper()
		w, err := g.warranty(t, crm.WarrantyRegistration{SerialNumber: "SN-" + g.vin(), StartsAt: new(date("2026-03-01T00:00:00Z")), Coverage: new("parts")})
		require.NoError(t, err)
		return w
	}
	one := crm.Write{IfRevision: new(int64(1))}
	t.Run("an update changes what is given", func(t *testing.T) {
		t.Parallel()
		w := fresh(t)
		w, err := g.store.UpdateWarranty(g.admin(t), w.NodeID(), crm.WarrantyUpdate{
			Months: graphql.OmittableOf(new(36)), Coverage: graphql.OmittableOf[*string](nil),
		}, one)
		require.NoError(t, err)
		require.Equal(t, 36, *w.Months)
		require.Nil(t, w.Coverage)
		require.True(t, w.ExpiresAt.Equal(date("2028-03-01T00:00:00Z")), "the expiry stays")
		require.EqualValues(t, 2, w.Revision)
		_, err = g.store.UpdateWarranty(g.admin(t), w.NodeID(), crm.WarrantyUpdate{Months: graphql.OmittableOf(new(12))}, one)
		refused(t, err, crm.Stale, "", "ifRevision")
	})
	t.Run("an update of nothing, without months or that ends before the start is refused", func(t *testing.T) {
		t.Parallel()
		w := fresh(t)
		update := func(in crm.WarrantyUpdate) error {
			_, err := g.store.UpdateWarranty(g.admin(t), w.NodeID(), in, one)
			return err
		}
		refused(t, update(crm.WarrantyUpdate{}), crm.Invalid, "", "input")
		refused(t, update(crm.WarrantyUpdate{Months: graphql.OmittableOf[*int](nil)}), crm.Invalid, "", "input.months")
		refused(t, update(crm.WarrantyUpdate{Months: graphql.OmittableOf(new(0))}), crm.Invalid, "", "input.months")
		refused(t, update(crm.WarrantyUpdate{ExpiresAt: graphql.OmittableOf(&w.StartsAt)}), crm.Invalid, "", "input.expiresAt")
		require.NoError(t, update(crm.WarrantyUpdate{ExpiresAt: graphql.OmittableOf[*time.Time](nil)}))
	})
	t.Run("only an active warranty is changed, and all other states are final", func(t *testing.T) {
		t.Parallel()
		for _, status := range []crm.WarrantyStatus{crm.WarrantyExpired, crm.WarrantyVoided, crm.WarrantyDoomed} {
			w := fresh(t)
			_, err := g.store.ChangeWarrantyStatus(g.admin(t), w.NodeID(), crm.WarrantyActive, one)
			refused(t, err, crm.Invalid, "", "status")
			w, err = g.store.ChangeWarrantyStatus(g.admin(t), w.NodeID(), status, one)
			require.NoError(t, err)
			require.Equal(t, status, w.Status)
			require.EqualValues(t, 2, w.Revision)
			_, err = g.store.ChangeWarrantyStatus(g.admin(t), w.NodeID(), crm.WarrantyVoided, crm.Write{})
			refused(t, err, crm.Conflict, crm.InvalidState, "id")
			_, err = g.store.UpdateWarranty(g.admin(t), w.NodeID(), crm.WarrantyUpdate{Months: graphql.OmittableOf(new(1))}, crm.Write{})
			refused(t, err, crm.Conflict, crm.InvalidState, "id")
			_, err = g.store.TransferWarranty(g.admin(t), w.NodeID(), g.customers(t, crm.CustomerActive)[9].NodeID(), crm.Write{})
			refused(t, err, crm.Conflict, crm.InvalidState, "id")
			_, err = g.store.LinkWarrantyVehicle(g.admin(t), w.NodeID(), nil, crm.Write{})
			refused(t, err, crm.Conflict, crm.InvalidState, "id")
		}
	})
	t.Run("it goes to another customer, an active one", func(t *testing.T) {
		t.Parallel()
		w, other := fresh(t), g.customers(t, crm.CustomerActive)[9]
		_, err := g.store.TransferWarranty(g.admin(t), w.NodeID(), g.customers(t, crm.CustomerInactive)[0].NodeID(), one)
		refused(t, err, crm.Conflict, crm.InvalidState, "customerId")
		_, err = g.store.TransferWarranty(g.admin(t), w.NodeID(), g.amelia(t).NodeID(), one)
		refused(t, err, crm.Invalid, "", "customerId")
		w, err = g.store.TransferWarranty(g.admin(t), w.NodeID(), other.NodeID(), one)
		require.NoError(t, err)
		require.Equal(t, other.ID, w.CustomerID)
		events, err := crm.WarrantyEvents.All(g.admin(t), w)
		require.NoError(t, err)
		require.Equal(t, crm.WarrantyTransferred, events[0].Type)
		require.Equal(t, []string{"customer"}, events[0].ChangedFields)
	})
	t.Run("a vehicle is linked and taken away", func(t *testing.T) {
		t.Parallel()
		w, v := fresh(t), g.stray(t)
		w, err := g.store.LinkWarrantyVehicle(g.admin(t), w.NodeID(), new(v.NodeID()), one)
		require.NoError(t, err)
		require.Equal(t, v.ID, *w.VehicleID)
		w, err = g.store.LinkWarrantyVehicle(g.admin(t), w.NodeID(), nil, crm.Write{IfRevision: &w.Revision})
		require.NoError(t, err)
		require.Nil(t, w.VehicleID)
		_, err = g.store.LinkWarrantyVehicle(g.admin(t), w.NodeID(), new("veh_018f0000-0000-7000-8000-000000000000"), crm.Write{})
		refused(t, err, crm.NotFound, "", "vehicleId")
	})
	t.Run("it needs the permission", func(t *testing.T) {
		t.Parallel()
		_, err := g.store.TransferWarranty(g.lacking(t, crm.WarrantyEdit), "", "", crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		_, err = g.store.RegisterWarranty(g.lacking(t, crm.WarrantyCreate), crm.WarrantyRegistration{}, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
}
