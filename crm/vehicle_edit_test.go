package crm_test

import (
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

func TestCreateVehicle(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	create := func(t *testing.T, owner *crm.Party, in crm.VehicleInput) (*crm.Vehicle, error) {
		t.Helper()
		return g.store.CreateVehicle(g.admin(t), owner.NodeID(), in, crm.Write{})
	}
	t.Run("a messy VIN is normalised and kept as entered, plate and region are in upper case", func(t *testing.T) {
		t.Parallel()
		firm := g.organization(t, "Firm")
		v, err := create(t, firm, crm.VehicleInput{
			VIN: " 2t3p1-rfv6-nc300777 ", UnitNumber: new("BUS-9"), Description: "Support car", Plate: new(" cvsd  09 "), PlateRegion: new("wa"),
		})
		require.NoError(t, err)
		v = g.stored(t, v)
		require.Equal(t, "2T3P1RFV6NC300777", *v.VINNormalised)
		require.Equal(t, " 2t3p1-rfv6-nc300777 ", *v.VINEntered)
		require.Equal(t, "CVSD 09", *v.Plate)
		require.Equal(t, "CVSD09", *v.PlateNormalised)
		require.Equal(t, "WA", *v.PlateRegion)
		require.Equal(t, crm.VehicleActive, v.Status)
		require.EqualValues(t, 1, v.Revision)
		require.Equal(t, firm.NodeID(), g.owner(t, v))
		require.Equal(t, []crm.EventType{crm.VehicleCreated, crm.VehicleOwnerAssociated}, g.story(t, v))
	})
	t.Run("an organisation's vehicle needs a unit number, a person's does not", func(t *testing.T) {
		t.Parallel()
		_, err := create(t, g.organization(t, "Firm"), crm.VehicleInput{VIN: g.vin(), Description: "d"})
		refused(t, err, crm.Invalid, "", "input.unitNumber")
		_, err = create(t, g.individual(t, "Driver"), crm.VehicleInput{VIN: g.vin(), Description: "d"})
		require.NoError(t, err)
	})
	t.Run("all that is wrong is told at once", func(t *testing.T) {
		t.Parallel()
		_, err := create(t, g.individual(t, "Driver"), crm.VehicleInput{
			VIN: "1FTFW1E53PFA1O001", Description: " ", PlateRegion: new("wa"), Year: new(1885), UnitNumber: new(strings.Repeat("x", 51)),
		})
		for _, field := range []string{"input.vin", "input.description", "input.plateRegion", "input.year", "input.unitNumber"} {
			require.Contains(t, refusals(err), "INVALID  "+field)
		}
	})
	t.Run("a party that is unknown, merged or deactivated gets none", func(t *testing.T) {
		t.Parallel()
		in := crm.VehicleInput{VIN: g.vin(), Description: "d", UnitNumber: new("1")}
		_, err := g.store.CreateVehicle(g.admin(t), "pty_018f0000-0000-7000-8000-000000000000", in, crm.Write{})
		refused(t, err, crm.NotFound, "", "partyId")
		merged, err := g.store.Parties(g.admin(t), &crm.PartyWhere{Status: &crm.EnumFilter[crm.PartyStatus]{Eq: new(crm.PartyMerged)}}, nil, crm.WholeList())
		require.NoError(t, err)
		_, err = create(t, merged.Nodes()[0], in)
		require.NotEmpty(t, refused(t, err, crm.Conflict, crm.MergedParty, "partyId").Related)
		gone := g.individual(t, "Driver")
		_, err = g.store.DeactivateParty(g.admin(t), gone.NodeID(), crm.Write{})
		require.NoError(t, err)
		_, err = create(t, gone, in)
		refused(t, err, crm.Conflict, crm.InvalidState, "partyId")
	})
	t.Run("a VIN is unique among active vehicles, whoever owns them, and the other one is told to who may view it", func(t *testing.T) {
		t.Parallel()
		v := g.car(t, g.individual(t, "Driver"))
		in := crm.VehicleInput{VIN: strings.ToLower(*v.VINNormalised), Description: "d"}
		_, err := create(t, g.individual(t, "Driver"), in)
		require.Equal(t, v.NodeID(), refused(t, err, crm.Conflict, crm.DuplicateVIN, "input.vin").Related)
		_, err = g.store.CreateVehicle(g.lacking(t, crm.VehicleView), g.individual(t, "Driver").NodeID(), in, crm.Write{})
		require.Empty(t, refused(t, err, crm.Conflict, crm.DuplicateVIN, "input.vin").Related)
	})
	t.Run("an active vehicle without owner is adopted and filled in", func(t *testing.T) {
		t.Parallel()
		v, firm := g.stray(t), g.organization(t, "Firm")
		got, err := create(t, firm, crm.VehicleInput{VIN: *v.VINNormalised, UnitNumber: new("T-7"), Description: "Truck", Model: new("579 EPIQ")})
		require.NoError(t, err)
		require.Equal(t, v.NodeID(), got.NodeID())
		got = g.stored(t, got)
		require.Equal(t, []string{"Peterbilt", "579 EPIQ", "T-7", "Truck"}, []string{*got.Make, *got.Model, *got.UnitNumber, *got.Description})
		require.EqualValues(t, 2, got.Revision)
		require.Equal(t, firm.NodeID(), g.owner(t, got))
		require.Equal(t, []crm.EventType{crm.VehicleCreated, crm.VehicleOwnerAssociated}, g.story(t, got))
	})
	t.Run("a key makes it happen once", func(t *testing.T) {
		t.Parallel()
		in, owner := crm.VehicleInput{VIN: g.vin(), Description: "d"}, g.individual(t, "Driver").NodeID()
		first, err := g.store.CreateVehicle(g.admin(t), owner, in, crm.Write{IdempotencyKey: new("v-1")})
		require.NoError(t, err)
		again, err := g.store.CreateVehicle(g.admin(t), owner, in, crm.Write{IdempotencyKey: new("v-1")})
		require.NoError(t, err)
		require.Equal(t, first.NodeID(), again.NodeID())
	})
}

func TestPlates(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	owner := g.individual(t, "Driver").NodeID()
	for name, c := range map[string]struct {
		plate, region *string
		wantPlate     string
		wantRegion    string
		wrong         string // the field
	}{
		"upper case, single spaces":       {plate: new("  b-ah\t 1999 "), wantPlate: "B-AH 1999"},
		"a region in upper case":          {plate: new("ABC1"), region: new(" us-wa "), wantPlate: "ABC1", wantRegion: "US-WA"},
		"20 characters":                   {plate: new("ABCDEFGHIJ1234567890"), wantPlate: "ABCDEFGHIJ1234567890"},
		"21 characters":                   {plate: new("ABCDEFGHIJ12345678901"), wrong: "input.plate"},
		"a sign":                          {plate: new("AB.1"), wrong: "input.plate"},
		"a letter outside A to Z":         {plate: new("MÜ 1"), wrong: "input.plate"},
		"a region without a plate":        {region: new("WA"), wrong: "input.plateRegion"},
		"a region with a blank plate":     {plate: new("  "), region: new("WA"), wrong: "input.plateRegion"},
		"a region of one character":       {plate: new("A"), region: new("W"), wrong: "input.plateRegion"},
		"a region of seven characters":    {plate: new("A"), region: new("US-WASH"), wrong: "input.plateRegion"},
		"a blank plate is none":           {plate: new(" ")},
		"no uniqueness: the same again":   {plate: new("SAME 1"), wantPlate: "SAME 1"},
		"no uniqueness: and once more so": {plate: new("SAME 1"), wantPlate: "SAME 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := g.store.CreateVehicle(g.admin(t), owner, crm.VehicleInput{VIN: g.vin(), Description: "d", Plate: c.plate, PlateRegion: c.region}, crm.Write{})
			if c.wrong != "" {
				refused(t, err, crm.Invalid, "", c.wrong)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.wantPlate, textOr(v.Plate, ""))
			require.Equal(t, c.wantRegion, textOr(v.PlateRegion, ""))
		})
	}
}

func TestRegisterVehicle(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	register := func(t *testing.T, in crm.VehicleRegistration) (*crm.Vehicle, error) {
		t.Helper()
		return g.store.RegisterVehicle(g.admin(t), in, crm.Write{})
	}
	t.Run("nobody owns it", func(t *testing.T) {
		t.Parallel()
		v := g.stray(t)
		require.Empty(t, g.owner(t, v))
		require.Equal(t, []crm.EventType{crm.VehicleCreated}, g.story(t, v))
	})
	t.Run("maker, model, year and VIN are required", func(t *testing.T) {
		t.Parallel()
		_, err := register(t, crm.VehicleRegistration{})
		for _, field := range []string{"input.make", "input.model", "input.year", "input.vin"} {
			require.Contains(t, refusals(err), "INVALID  "+field)
		}
	})
	t.Run("the year lies between 1886 and the year after next", func(t *testing.T) {
		t.Parallel()
		for year, right := range map[int]bool{1885: false, 1886: true, 2028: true, 2029: false} {
			_, err := register(t, crm.VehicleRegistration{VIN: g.vin(), Make: "m", Model: "m", Year: year})
			if right {
				require.NoError(t, err, year)
			} else {
				refused(t, err, crm.Invalid, "", "input.year")
			}
		}
	})
	t.Run("a VIN that is there is refused, also without owner", func(t *testing.T) {
		t.Parallel()
		v := g.stray(t)
		_, err := register(t, crm.VehicleRegistration{VIN: *v.VINNormalised, Make: "m", Model: "m", Year: 2000})
		require.Equal(t, v.NodeID(), refused(t, err, crm.Conflict, crm.DuplicateVIN, "input.vin").Related)
	})
}

func TestUpdateVehicle(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	cleared := graphql.OmittableOf[*string](nil)
	t.Run("what is left out stays and null clears", func(t *testing.T) {
		t.Parallel()
		v := g.car(t, g.individual(t, "Driver"))
		v, err := g.store.UpdateVehicle(g.admin(t), v.NodeID(), crm.VehicleUpdate{
			Make: graphql.OmittableOf(new("Opel")), Plate: graphql.OmittableOf(new("hh 1")), PlateRegion: graphql.OmittableOf(new("de")),
			Year: graphql.OmittableOf(new(2020)), VIN: graphql.OmittableOf(new(" " + strings.ToLower(*v.VINNormalised))),
		}, at(v.Revision))
		require.NoError(t, err)
		require.EqualValues(t, 2, v.Revision)
		v, err = g.store.UpdateVehicle(g.admin(t), v.NodeID(), crm.VehicleUpdate{Plate: cleared, UnitNumber: cleared}, at(v.Revision))
		require.NoError(t, err)
		v = g.stored(t, v)
		require.Equal(t, "Opel", *v.Make)
		require.Equal(t, "A car", *v.Description)
		require.Nil(t, v.Plate)
		require.Nil(t, v.PlateRegion, "a region goes with its plate")
		require.Nil(t, v.UnitNumber)
		require.Equal(t, []crm.EventType{crm.VehicleCreated, crm.VehicleOwnerAssociated, crm.VehicleUpdated, crm.VehicleUpdated}, g.story(t, v))
	})
	t.Run("a VIN never changes", func(t *testing.T) {
		t.Parallel()
		v := g.car(t, g.individual(t, "Driver"))
		for _, vin := range []*string{new(g.vin()), new("nonsense"), nil} {
			_, err := g.store.UpdateVehicle(g.admin(t), v.NodeID(), crm.VehicleUpdate{VIN: graphql.OmittableOf(vin)}, at(v.Revision))
			refused(t, err, crm.Invalid, crm.VINImmutable, "input.vin")
		}
	})
	t.Run("the unit number cannot be cleared while an organisation owns it, nor the description while anyone does", func(t *testing.T) {
		t.Parallel()
		v := g.car(t, g.organization(t, "Firm"))
		_, err := g.store.UpdateVehicle(g.admin(t), v.NodeID(), crm.VehicleUpdate{UnitNumber: cleared, Description: cleared}, at(v.Revision))
		require.Equal(t, []string{"INVALID  input.unitNumber", "INVALID  input.description"}, refusals(err))
		v = g.car(t, g.individual(t, "Driver"))
		_, err = g.store.UpdateVehicle(g.admin(t), v.NodeID(), crm.VehicleUpdate{Description: graphql.OmittableOf(new(" "))}, at(v.Revision))
		refused(t, err, crm.Invalid, "", "input.description")
		v = g.stray(t)
		_, err = g.store.UpdateVehicle(g.admin(t), v.NodeID(), crm.VehicleUpdate{UnitNumber: cleared, Description: cleared}, at(v.Revision))
		require.NoError(t, err)
	})
	t.Run("a region without a plate is refused", func(t *testing.T) {
		t.Parallel()
		v := g.car(t, g.individual(t, "Driver"))
		_, err := g.store.UpdateVehicle(g.admin(t), v.NodeID(), crm.VehicleUpdate{PlateRegion: graphql.OmittableOf(new("WA"))}, at(v.Revision))
		refused(t, err, crm.Invalid, "", "input.plateRegion")
	})
	t.Run("another revision is stale and answers with the record", func(t *testing.T) {
		t.Parallel()
		v := g.car(t, g.individual(t, "Driver"))
		_, err := g.store.UpdateVehicle(g.admin(t), v.NodeID(), crm.VehicleUpdate{}, crm.Write{IfRevision: new(int64(7))})
		require.Equal(t, v.NodeID(), refused(t, err, crm.Stale, "", "ifRevision").Current.NodeID())
	})
	t.Run("of those who saw the same revision one wins", func(t *testing.T) {
		t.Parallel()
		v := g.car(t, g.individual(t, "Driver"))
		errs := atOnce(20, func(int) error {
			_, err := g.store.UpdateVehicle(g.admin(t), v.NodeID(), crm.VehicleUpdate{Make: graphql.OmittableOf(new("Opel"))}, at(v.Revision))
			return err
		})
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			refused(t, err, crm.Stale, "", "ifRevision")
		}
		require.Equal(t, 1, won)
		require.EqualValues(t, 2, g.stored(t, v).Revision)
	})
}

func TestDeactivateVehicle(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	v, driver := g.car(t, g.individual(t, "Driver")), g.individual(t, "Driver")
	v, err := g.store.AssignDriver(g.admin(t), v.NodeID(), driver.NodeID(), at(v.Revision))
	require.NoError(t, err)
	v, err = g.store.DeactivateVehicle(g.admin(t), v.NodeID(), at(v.Revision))
	require.NoError(t, err)

	require.Equal(t, crm.VehicleInactive, g.stored(t, v).Status)
	require.Empty(t, g.owner(t, v), "its owner left it")
	require.Empty(t, g.drivers(t, v), "its driver left it")
	require.NotNil(t, g.history(t, v)[0].EffectiveTo, "the history stays")
	require.Equal(t, crm.VehicleDeactivated, g.story(t, v)[3])

	_, err = g.store.DeactivateVehicle(g.admin(t), v.NodeID(), at(v.Revision))
	refused(t, err, crm.Conflict, crm.InvalidState, "id")
	_, err = g.store.UpdateVehicle(g.admin(t), v.NodeID(), crm.VehicleUpdate{}, at(v.Revision))
	refused(t, err, crm.Conflict, crm.InvalidState, "id")
	again, err := g.store.RegisterVehicle(g.admin(t), crm.VehicleRegistration{VIN: *v.VINNormalised, Make: "m", Model: "m", Year: 2000}, crm.Write{})
	require.NoError(t, err, "its VIN is free")
	require.NotEqual(t, v.Number, again.Number)
	_, err = g.store.DeactivateVehicle(g.lacking(t, crm.VehicleDeactivate), again.NodeID(), at(again.Revision))
	require.Equal(t, crm.Forbidden, crm.CodeOf(err))
}

// Of many who create the same VIN at once one succeeds.
func TestConcurrentCreates(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	vin, owners := g.vin(), make([]*crm.Party, 24)
	for i := range owners {
		owners[i] = g.individual(t, "Driver")
	}
	made := make([]*crm.Vehicle, len(owners))
	errs := atOnce(len(owners), func(i int) (err error) {
		made[i], err = g.store.CreateVehicle(g.admin(t), owners[i].NodeID(), crm.VehicleInput{VIN: vin, Description: "d"}, crm.Write{})
		return err
	})
	var winner *crm.Vehicle
	for i, err := range errs {
		if err == nil {
			require.Nil(t, winner, "one creates it")
			winner = made[i]
			require.Equal(t, owners[i].NodeID(), g.owner(t, winner))
		}
	}
	require.NotNil(t, winner)
	for _, err := range errs {
		if err != nil {
			require.Equal(t, winner.NodeID(), refused(t, err, crm.Conflict, crm.DuplicateVIN, "input.vin").Related)
		}
	}
}
