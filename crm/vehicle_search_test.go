package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// lot is what the searches of TestSearchVehicles look through.
func lot(t *testing.T, g *garage) (*crm.Party, map[string]string) {
	t.Helper()
	owner, names := g.organization(t, "Firm"), map[string]string{}
	for _, c := range []struct{ name, vin, unit, plate, description string }{
		{"vin", "ZZ9PLNT0000000001", "U-0", "A-1", "one"},
		{"vin too", "ZZ9PLNT0000000002", "u-00", "A-2", "two"},
		{"plate", "2T3P1RFV6NC300771", "U-1", "ZZ9-PLNT", "three"},
		{"unit", "2T3P1RFV6NC300772", "ZZ9 plnt", "A-4", "four"},
		{"description", "2T3P1RFV6NC300773", "U-3", "A-5", "zz9-plnt of old"},
		{"inside a plate", "2T3P1RFV6NC300774", "U-4", "AZZ9 PLNT", "five"},
		{"inside a VIN", "2T3P1RZZ9PLNT0775", "U-5", "A-7", "six"},
		{"ng", "2T3P1RFV6NC300776", "NG-4", "A-8", "seven"},
	} {
		v, err := g.store.CreateVehicle(g.admin(t), owner.NodeID(), crm.VehicleInput{
			VIN: c.vin, UnitNumber: &c.unit, Plate: &c.plate, PlateRegion: new("US-WA"), Description: c.description,
		}, crm.Write{})
		require.NoError(t, err)
		names[v.NodeID()] = c.name
	}
	return owner, names
}

func TestSearchVehicles(t *testing.T) {
	t.Parallel()
	g := newGarage(t)
	owner, names := lot(t, g)
	id := owner.NodeID()
	active := new(crm.VehicleActive)
	search := func(t *testing.T, q crm.VehicleQuery, by *crm.VehicleSearchOrder, first, offset *int) *crm.VehicleHits {
		t.Helper()
		page, err := crm.NewPage(first, nil, nil, nil, offset)
		require.NoError(t, err)
		hits, err := g.store.SearchVehicles(g.admin(t), q, by, page)
		require.NoError(t, err)
		return hits
	}
	found := func(hits *crm.VehicleHits) []string {
		list := []string{}
		for _, e := range hits.Edges() {
			name := names[e.Node.NodeID()]
			if e.MatchType != nil {
				name += " " + string(*e.MatchType)
			}
			list = append(list, name)
		}
		return list
	}
	for name, c := range map[string]struct {
		query crm.VehicleQuery
		want  []string
	}{
		"exact before prefix, VIN before plate before unit before description": {crm.VehicleQuery{Q: new("zz9plnt")},
			[]string{"plate PLATE", "unit GENERAL", "vin VIN_PREFIX", "vin too VIN_PREFIX", "description GENERAL"}},
		"contained comes last and only when asked for": {crm.VehicleQuery{Q: new("ZZ9 PLNT"), EnableContains: new(true)},
			[]string{"plate PLATE", "unit GENERAL", "vin VIN_PREFIX", "vin too VIN_PREFIX", "description GENERAL", "inside a VIN GENERAL", "inside a plate PLATE"}},
		"the whole VIN, whatever its signs and case":  {crm.VehicleQuery{Q: new("zz9-plnt 0000000001")}, []string{"vin VIN_EXACT"}},
		"ng4 finds unit NG-4":                         {crm.VehicleQuery{Q: new("ng4")}, []string{"ng GENERAL"}},
		"vin matches by prefix":                       {crm.VehicleQuery{VIN: new("zz9-pln")}, []string{"vin too", "vin"}},
		"unitNumber matches by prefix":                {crm.VehicleQuery{UnitNumber: new("zz9")}, []string{"unit"}},
		"plate matches by prefix":                     {crm.VehicleQuery{Plate: new("zz 9")}, []string{"plate"}},
		"filters combine with and":                    {crm.VehicleQuery{Q: new("zz9plnt"), VIN: new("2T3P1RFV6"), PlateRegion: new("us-wa")}, []string{"plate PLATE", "unit GENERAL", "description GENERAL"}},
		"a region that no plate has":                  {crm.VehicleQuery{Q: new("zz9plnt"), PlateRegion: new("WA")}, []string{}},
		"signs of patterns are no patterns":           {crm.VehicleQuery{Q: new("zz%")}, []string{}},
		"nobody owns these":                           {crm.VehicleQuery{Q: new("zz9plnt"), PartyID: new("pty_018f0000-0000-7000-8000-000000000000")}, []string{}},
		"without a text the newest come first":        {crm.VehicleQuery{PartyID: &id}, []string{"ng", "inside a VIN", "inside a plate", "description", "unit", "plate", "vin too", "vin"}},
		"only those in use unless asked for the rest": {crm.VehicleQuery{Q: new("zz9plnt"), Status: new(crm.VehicleInactive)}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.query.Status == nil {
				c.query.Status = active
			}
			require.Equal(t, c.want, found(search(t, c.query, nil, nil, nil)))
		})
	}
	t.Run("texts that are too short are told by their field", func(t *testing.T) {
		t.Parallel()
		page, _ := crm.NewPage(nil, nil, nil, nil, nil)
		_, err := g.store.SearchVehicles(g.admin(t), crm.VehicleQuery{
			Q: new("a - b"), VIN: new("ZZ9PL"), UnitNumber: new("n-4"), Plate: new(""),
		}, nil, page)
		for _, field := range []string{"input.q", "input.vin", "input.unitNumber", "input.plate"} {
			require.Contains(t, refusals(err), "INVALID QUERY_TOO_SHORT "+field)
		}
	})
	t.Run("a page past the end is empty, and the total stays true", func(t *testing.T) {
		t.Parallel()
		q := crm.VehicleQuery{PartyID: &id, Status: active}
		hits := search(t, q, nil, new(3), new(6))
		require.Equal(t, []string{"vin too", "vin"}, found(hits))
		require.False(t, hits.HasNextPage())
		hits = search(t, q, nil, new(3), new(3))
		require.Equal(t, []string{"description", "unit", "plate"}, found(hits))
		require.True(t, hits.HasNextPage())
		hits = search(t, q, nil, new(3), new(50))
		require.Empty(t, hits.Edges())
		total, err := hits.TotalCount(g.admin(t))
		require.NoError(t, err)
		require.Equal(t, 8, *total)
	})
	t.Run("unit numbers are sorted in lower case", func(t *testing.T) {
		t.Parallel()
		q := crm.VehicleQuery{PartyID: &id, Status: active}
		hits := search(t, q, &crm.VehicleSearchOrder{Field: crm.ByUnitNumber, Direction: crm.Asc}, nil, nil)
		require.Equal(t, []string{"ng", "vin", "vin too", "plate", "description", "inside a plate", "inside a VIN", "unit"}, found(hits))
	})
	t.Run("the orders of the registry: texts in lower case, missing ones last, the number decides", func(t *testing.T) {
		t.Parallel()
		q := crm.VehicleQuery{VIN: new("XREGSTR")}
		for _, c := range []struct {
			vin, maker, model string
			year              int
		}{{"XREGSTRXXXX000001", "b", "Y", 2001}, {"XREGSTRXXXX000002", "A", "z", 2000}, {"XREGSTRXXXX000003", "B", "X", 2001}} {
			_, err := g.store.RegisterVehicle(g.admin(t), crm.VehicleRegistration{VIN: c.vin, Make: c.maker, Model: c.model, Year: c.year}, crm.Write{})
			require.NoError(t, err)
		}
		_, err := g.store.CreateVehicle(g.admin(t), g.individual(t, "Driver").NodeID(), crm.VehicleInput{VIN: "XREGSTRXXXX000004", Description: "d"}, crm.Write{})
		require.NoError(t, err)
		for by, want := range map[crm.VehicleSearchOrder]string{
			{Field: crm.ByNumber, Direction: crm.Asc}: "1234", {Field: crm.ByNumber, Direction: crm.Desc}: "4321",
			{Field: crm.ByMake, Direction: crm.Asc}: "2134", {Field: crm.ByMake, Direction: crm.Desc}: "1324",
			{Field: crm.ByModel, Direction: crm.Asc}: "3124", {Field: crm.ByModel, Direction: crm.Desc}: "2134",
			{Field: crm.ByYear, Direction: crm.Asc}: "2134", {Field: crm.ByYear, Direction: crm.Desc}: "1324",
		} {
			var got []byte
			for _, v := range search(t, q, &by, nil, nil).Nodes() {
				got = append(got, (*v.VINNormalised)[16])
			}
			require.Equal(t, want, string(got), "%v", by)
		}
	})
	t.Run("missing values come last in both directions", func(t *testing.T) {
		t.Parallel()
		for _, direction := range []crm.Direction{crm.Asc, crm.Desc} {
			hits := search(t, crm.VehicleQuery{}, &crm.VehicleSearchOrder{Field: crm.ByUnitNumber, Direction: direction}, new(1), nil)
			require.NotNil(t, hits.Nodes()[0].UnitNumber)
		}
	})
	t.Run("relevance needs a text", func(t *testing.T) {
		t.Parallel()
		page, _ := crm.NewPage(nil, nil, nil, nil, nil)
		_, err := g.store.SearchVehicles(g.admin(t), crm.VehicleQuery{}, &crm.VehicleSearchOrder{Field: crm.ByRelevance}, page)
		refused(t, err, crm.Invalid, "", "orderBy")
	})
	t.Run("it needs its permission, and that of associations for an owner", func(t *testing.T) {
		t.Parallel()
		page, _ := crm.NewPage(nil, nil, nil, nil, nil)
		_, err := g.store.SearchVehicles(g.lacking(t, crm.VehicleSearch), crm.VehicleQuery{}, nil, page)
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		_, err = g.store.SearchVehicles(g.lacking(t, crm.AssociationView), crm.VehicleQuery{PartyID: &id}, nil, page)
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
		_, err = g.store.SearchVehicles(g.lacking(t, crm.AssociationView), crm.VehicleQuery{}, nil, page)
		require.NoError(t, err)
	})
	t.Run("another tenant finds nothing of it", func(t *testing.T) {
		t.Parallel()
		page, _ := crm.NewPage(nil, nil, nil, nil, nil)
		ctx, _ := crmtest.As(t, g.store, "acme", "admin")
		hits, err := g.store.SearchVehicles(ctx, crm.VehicleQuery{Q: new("zz9plnt"), EnableContains: new(true)}, nil, page)
		require.NoError(t, err)
		require.Empty(t, hits.Edges())
	})
}
