package crm

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

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
	hits  []*VehicleHit
	more  bool
	total func(context.Context) (int, error)
}

// Edges returns the vehicles with what was found in them.
func (h *VehicleHits) Edges() []*VehicleHit { return h.hits }

// Nodes returns the vehicles.
func (h *VehicleHits) Nodes() []*Vehicle {
	nodes := make([]*Vehicle, len(h.hits))
	for i, hit := range h.hits {
		nodes[i] = hit.Node
	}
	return nodes
}

// HasNextPage reports whether there are more after these.
func (h *VehicleHits) HasNextPage() bool { return h.more }

// TotalCount counts all that was found; it is computed only when called.
func (h *VehicleHits) TotalCount(ctx context.Context) (*int, error) {
	n, err := h.total(ctx)
	if err != nil {
		return nil, err
	}
	return &n, nil
}

// SearchVehicles finds vehicles. Without an order, those of a text come the best first and
// others the newest first. Texts are compared in lower case, missing ones come last, and the id
// decides between equals. Of the page, the size and the offset count.
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
	var p problems
	match, text := query.match(&p)
	orderBy := vehicleSearchOrder(&p, text, by)
	if p.err() != nil {
		return nil, p.err()
	}
	found, err := s.searchVehicles(ctx, match, text, orderBy, page)
	if err != nil {
		return nil, err
	}
	hits := &VehicleHits{more: len(found) > page.size, total: func(ctx context.Context) (int, error) { return Vehicles.total(ctx, s, match) }}
	hits.hits, err = s.vehicleHits(ctx, found[:min(len(found), page.size)], text)
	return hits, err
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

// vehicleSearchOrder renders an order of the rows of searchVehicles.
func vehicleSearchOrder(p *problems, text string, by *Order[VehicleSearchOrderField]) string {
	switch {
	case by == nil && text != "":
		by = &Order[VehicleSearchOrderField]{ByRelevance, Asc}
	case by == nil:
		by = &Order[VehicleSearchOrderField]{ByCreatedAt, Desc}
	case by.Field == ByRelevance && text == "":
		p.add("orderBy", "RELEVANCE goes with a text to search for")
	}
	terms := map[VehicleSearchOrderField]string{
		ByRelevance: "place", ByCreatedAt: "t.created_at", ByUnitNumber: "lower(t.unit_number)", ByVIN: "t.vin",
	}
	term, ok := terms[by.Field]
	if !ok {
		p.add("orderBy", "the order must be one of RELEVANCE, CREATED_AT, UNIT_NUMBER and VIN")
	}
	if by.Direction == Desc {
		term += " DESC"
	}
	return term + " NULLS LAST, t.id"
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

// placed is a vehicle's id with its place in the order of relevance.
type placed struct {
	id    uuid.UUID
	place int
}

// searchVehicles finds a page of ids and one more, if there are more.
func (s *session) searchVehicles(ctx context.Context, match db.Expr, text, orderBy string, page Page) ([]placed, error) {
	args := db.NewArgs(s.tenant)
	place := "0"
	if text != "" {
		place = fmt.Sprintf(placeSQL, args.Bind(text)+"::text")
	}
	sql := fmt.Sprintf("SELECT t.id, %s AS place FROM vehicle t WHERE t.tenant_id = $1 AND %s ORDER BY %s LIMIT %s OFFSET %s",
		place, match.SQL(args), orderBy, args.Bind(page.size+1), args.Bind(page.offset))
	var found []placed
	err := s.query(ctx, statement{sql: sql, args: args.Values(), composed: true, read: func(rows pgx.Rows) error {
		var p placed
		_, err := pgx.ForEachRow(rows, []any{&p.id, &p.place}, func() error {
			found = append(found, p)
			return nil
		})
		return err
	}})
	return found, err
}

// vehicleHits loads what was found.
func (s *session) vehicleHits(ctx context.Context, found []placed, text string) ([]*VehicleHit, error) {
	hits := make([]*VehicleHit, 0, len(found))
	if len(found) == 0 {
		return hits, nil
	}
	all := make([]uuid.UUID, len(found))
	for i, f := range found {
		all[i] = f.id
	}
	st, vehicles := Vehicles.rowsOf(s, Vehicles.byIDs, all)
	if err := s.query(ctx, st); err != nil {
		return nil, err
	}
	for _, f := range found {
		v := vehicles[f.id]
		if v == nil { // gone between the two statements
			continue
		}
		Vehicles.remember(s, f.id, v)
		hit := &VehicleHit{Node: v}
		if text != "" {
			match := matchAt(f.place)
			hit.MatchType = &match
		}
		hits = append(hits, hit)
	}
	return hits, nil
}
