package crm

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"crmgraph/db"
)

// VehicleMatch says what of a vehicle a text was found in.
type VehicleMatch string

// The matches of a text.
const (
	MatchVINExact  VehicleMatch = "VIN_EXACT"
	MatchVINPrefix VehicleMatch = "VIN_PREFIX"
	MatchPlate     VehicleMatch = "PLATE"
	MatchGeneral   VehicleMatch = "GENERAL"
)

// VehicleSearchOrderField is what found vehicles can be sorted by.
type VehicleSearchOrderField string

// The orders of found vehicles.
const (
	ByRelevance  VehicleSearchOrderField = "RELEVANCE" // the best first when upwards; goes with Q
	ByCreatedAt  VehicleSearchOrderField = "CREATED_AT"
	ByUnitNumber VehicleSearchOrderField = "UNIT_NUMBER"
	ByVIN        VehicleSearchOrderField = "VIN"
	ByNumber     VehicleSearchOrderField = "NUMBER"
	ByMake       VehicleSearchOrderField = "MAKE"
	ByModel      VehicleSearchOrderField = "MODEL"
	ByYear       VehicleSearchOrderField = "YEAR"
)

// The least that is searched for, in letters and digits.
const (
	minVehicleText = 3
	minVINPrefix   = 6
	maxVehicleText = 100
)

// VehicleQuery says which vehicles to find (Durion D-18). What is given must all hold. Case,
// spaces and hyphens do not count.
type VehicleQuery struct {
	Q              *string        // found in VIN, plate, unit number or description; from 3 characters
	VIN            *string        // the beginning of it, from 6 characters
	UnitNumber     *string        // the beginning of it, from 3 characters
	Plate          *string        // the beginning of it, from 3 characters
	PlateRegion    *string        // the whole of it
	PartyID        *string        // who owns it now
	Status         *VehicleStatus // nil = any
	EnableContains *bool          // whether Q may be found anywhere, not only at the beginning
}

// VehicleHit is a vehicle that was found.
type VehicleHit struct {
	Node      *Vehicle
	MatchType *VehicleMatch // nil without a text
}

// VehicleHits is a part of what was found.
type VehicleHits struct {
	*Found[Vehicle]

	matches []*VehicleMatch // of each of them
}

// Edges returns the vehicles with what was found in them.
func (h *VehicleHits) Edges() []*VehicleHit {
	hits := make([]*VehicleHit, len(h.rows))
	for i, v := range h.rows {
		hits[i] = &VehicleHit{Node: v, MatchType: h.matches[i]}
	}
	return hits
}

// SearchVehicles finds vehicles. Without an order, those of a text come the best first and
// others the newest first. Texts are compared in lower case, missing ones come last, and the id
// decides between equals; the number does between those of a maker, model or year. Of the page,
// the size and the offset count.
// Errors: Unauthenticated, Forbidden, Invalid (QueryTooShort), Unavailable.
func (*Store) SearchVehicles(ctx context.Context, query VehicleQuery, by *Order[VehicleSearchOrderField], page Page) (*VehicleHits, error) {
	need := []Permission{VehicleSearch}
	if query.PartyID != nil {
		need = append(need, AssociationView)
	}
	s, err := begin(ctx, need...)
	if err != nil {
		return nil, err
	}
	p := newProblems(ctx)
	match, text := query.match(&p)
	what := sought{match: match, orderBy: vehicleSearchOrder(&p, query.Q != nil, by)}
	if p.err() != nil {
		return nil, p.err()
	}
	if text != "" {
		what.place = func(args *db.Args) string { return fmt.Sprintf(placeSQL, args.Bind(text)+"::text") }
	}
	found, places, err := seek(ctx, s, Vehicles, what, page)
	if err != nil {
		return nil, err
	}
	hits := &VehicleHits{Found: found, matches: make([]*VehicleMatch, len(places))}
	for i, place := range places {
		if text != "" {
			match := matchAt(place)
			hits.matches[i] = &match
		}
	}
	return hits, nil
}

// The columns that texts are looked for in, in the form that they are looked for.
var (
	searchedVIN         = db.Column{SQL: "t.vin"}
	searchedPlate       = db.Column{SQL: "t.plate_normalised"}
	searchedUnit        = db.Column{SQL: "t.unit_normalised"}
	searchedDescription = db.Column{SQL: "t.description_normalised"}
	searchedOwner       = db.Column{SQL: "a.party_id", Within: "EXISTS (SELECT 1 FROM vehicle_association a " +
		"WHERE a.tenant_id = $1 AND a.vehicle_id = t.id AND a.kind = 'OWNER' AND a.effective_to IS NULL AND %s)"}
)

// match is the condition of a query, and its Q in the form that it is looked for.
func (q *VehicleQuery) match(p *problems) (db.Expr, string) {
	text := func(field string, given *string, least int) string {
		bare := NormalisePlate(deref(p.text(field, given, maxVehicleText)))
		if given != nil && utf8.RuneCountInString(bare) < least {
			p.because(QueryTooShort, field, "at least %d characters are needed, spaces and hyphens aside", least)
		}
		return bare
	}
	all := []db.Expr{
		beginning(text("input.vin", q.VIN, minVINPrefix), searchedVIN),
		beginning(text("input.unitNumber", q.UnitNumber, minVehicleText), searchedUnit),
		beginning(text("input.plate", q.Plate, minVehicleText), searchedPlate),
		given(q.Status, db.Column{SQL: "t.status"}.Equal),
	}
	if region := p.text("input.plateRegion", q.PlateRegion, maxVehicleText); region != nil {
		all = append(all, db.Column{SQL: "t.plate_region"}.Equal(strings.ToUpper(*region)))
	}
	if q.PartyID != nil {
		all = append(all, searchedOwner.Equal(Parties.id(p, "input.partyId", *q.PartyID)))
	}
	sought := text("input.q", q.Q, minVehicleText)
	columns := []db.Column{searchedVIN, searchedPlate, searchedUnit, searchedDescription}
	if deref(q.EnableContains) {
		all = append(all, within(sought, columns...))
	} else {
		all = append(all, beginning(sought, columns...))
	}
	return db.All(all...), sought
}

// beginning is true for rows of which one column starts with the text; each can be answered
// by its index. No text is in every row.
func beginning(text string, columns ...db.Column) db.Expr {
	return anyOf(text, columns, db.Column.StartsWith)
}

// within is true for rows of which one column has the text anywhere. All rows of the tenant are
// looked at.
func within(text string, columns ...db.Column) db.Expr {
	return anyOf(text, columns, db.Column.Contains)
}

func anyOf(text string, columns []db.Column, compare func(db.Column, string) db.Expr) db.Expr {
	if text == "" {
		return db.Expr{}
	}
	list := make([]db.Expr, len(columns))
	for i, c := range columns {
		list[i] = compare(c, text)
	}
	return db.Any(list...)
}

// vehicleSearchOrder renders an order of vehicles, which are looked for by a text or not.
func vehicleSearchOrder(p *problems, text bool, by *Order[VehicleSearchOrderField]) string {
	switch {
	case by == nil && text:
		by = &Order[VehicleSearchOrderField]{ByRelevance, Asc}
	case by == nil:
		by = &Order[VehicleSearchOrderField]{ByCreatedAt, Desc}
	case by.Field == ByRelevance && !text:
		p.add("orderBy", "RELEVANCE goes with a text to search for")
	}
	terms := map[VehicleSearchOrderField]string{
		ByRelevance: byPlace, ByCreatedAt: "t.created_at", ByUnitNumber: alphabetical("t.unit_number"), ByVIN: "t.vin",
		ByNumber: "t.number", ByMake: alphabetical("t.make"), ByModel: alphabetical("t.model"), ByYear: "t.year",
	}
	term, ok := terms[by.Field]
	if !ok {
		p.add("orderBy", "the order must be one of RELEVANCE, CREATED_AT, UNIT_NUMBER, VIN, NUMBER, MAKE, MODEL and YEAR")
	}
	var ties []string
	switch by.Field {
	case ByMake, ByModel, ByYear: // of the registry, whose ids are the numbers (Durion D-28)
		ties = []string{"t.number"}
	default:
	}
	return ordering(term, by.Direction, ties...)
}

// placeSQL is a vehicle's place in the order of relevance: exact before prefix before
// contained, and within each the VIN before the plate before the rest.
const placeSQL = `CASE
	WHEN t.vin = %[1]s THEN 0 WHEN t.plate_normalised = %[1]s THEN 1
	WHEN t.unit_normalised = %[1]s THEN 2 WHEN t.description_normalised = %[1]s THEN 3
	WHEN starts_with(t.vin, %[1]s) THEN 4 WHEN starts_with(t.plate_normalised, %[1]s) THEN 5
	WHEN starts_with(t.unit_normalised, %[1]s) THEN 6 WHEN starts_with(t.description_normalised, %[1]s) THEN 7
	WHEN strpos(t.vin, %[1]s) > 0 THEN 8 WHEN strpos(t.plate_normalised, %[1]s) > 0 THEN 9
	WHEN strpos(t.unit_normalised, %[1]s) > 0 THEN 10 ELSE 11 END`

// matchAt says what of a vehicle was found that is at a place.
func matchAt(place int) VehicleMatch {
	switch place {
	case 0:
		return MatchVINExact
	case 4:
		return MatchVINPrefix
	case 1, 5, 9:
		return MatchPlate
	default:
		return MatchGeneral
	}
}
