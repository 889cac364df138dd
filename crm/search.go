package crm

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// SearchType is what a search can find.
type SearchType string

// SearchField is what of a record a search matched.
type SearchField string

// The words of a search.
const (
	SearchCustomer SearchType = "CUSTOMER"
	SearchParty    SearchType = "PARTY"
	SearchVehicle  SearchType = "VEHICLE"

	MatchedName      SearchField = "NAME"
	MatchedEmail     SearchField = "EMAIL"
	MatchedPhone     SearchField = "PHONE"
	MatchedCode      SearchField = "CODE"
	MatchedNumber    SearchField = "NUMBER"
	MatchedVIN       SearchField = "VIN"
	MatchedPlate     SearchField = "PLATE"
	MatchedUnit      SearchField = "UNIT_NUMBER"
	MatchedMakeModel SearchField = "MAKE_MODEL"
)

// The bounds of a search.
const (
	minSearchText     = 2
	maxSearchText     = 100
	MaxSearchHits     = 50
	defaultSearchHits = 10
)

// SearchHit is a record that a search found.
type SearchHit struct {
	Node         SearchResult
	Score        float64 // above 0 to 1; 1 when the whole text is there, possibly among more
	MatchedField SearchField
	MatchedText  string
}

// SearchResult is a record that a search can find.
type SearchResult interface{ IsSearchResult() }

// IsSearchResult marks the type.
func (*Customer) IsSearchResult() {}

// IsSearchResult marks the type.
func (*Party) IsSearchResult() {}

// IsSearchResult marks the type.
func (*Vehicle) IsSearchResult() {}

// Search finds customers, parties and vehicles by names, contact points, codes, customer
// numbers, VIN, plate, unit number or make, model and trim, forgiving typing errors, accents
// and word order; best first. A party that is a customer is found as the customer, unless
// types leaves customers out. types empty means all that the caller may search; hits nil
// means 10.
// Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) Search(ctx context.Context, text string, types []SearchType, hits *int) ([]*SearchHit, error) {
	kinds, err := searchable(ctx, types)
	if err != nil {
		return nil, err
	}
	s, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	most := defaultSearchHits
	if hits != nil {
		most = *hits
	}
	if most < 1 || most > MaxSearchHits {
		return nil, invalidf("first", "first must be between 1 and %d", MaxSearchHits)
	}
	words, code := NormaliseName(text), compact(text)
	letters := utf8.RuneCountInString(strings.ReplaceAll(words, " ", ""))
	if utf8.RuneCountInString(text) > maxSearchText || letters < minSearchText {
		return nil, invalidf("text", "text must have between %d letters or digits and %d characters", minSearchText, maxSearchText)
	}
	found, err := s.search(ctx, []any{s.tenant, words, code, NormaliseCode(text), numberIn(text), kinds, most})
	if err != nil {
		return nil, err
	}
	return s.resolveHits(ctx, found)
}

// searchable returns the kinds to search. Asking for a kind by name needs its permission.
func searchable(ctx context.Context, types []SearchType) ([]string, error) {
	asked := types
	if len(asked) == 0 {
		asked = []SearchType{SearchCustomer, SearchParty, SearchVehicle}
	}
	var kinds []string
	for _, t := range asked {
		need := []Permission{PartySearch, PartyView}
		if t == SearchVehicle {
			need = []Permission{VehicleSearch, VehicleView}
		}
		if _, err := authorize(ctx, need...); err == nil {
			kinds = append(kinds, string(t))
		} else if len(types) > 0 {
			return nil, err
		}
	}
	if len(kinds) == 0 {
		_, err := authorize(ctx, PartySearch)
		return nil, err
	}
	return kinds, nil
}

// numberIn is the number that a text is, nil when it is none.
func numberIn(text string) *int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

// foundHit is a row of crm_search.
type foundHit struct {
	kind, field, text string
	id                uuid.UUID
	score             float32
}

// codeAsKept is the code of a customer as it was given; it leads to the customer in upper case. With
// the collation of its column the search would be one in that collation, which no index answers.
const codeAsKept = `SELECT c.code COLLATE "default" FROM identifier i JOIN customer c ON c.tenant_id = $1 AND c.id = i.party_id
	WHERE i.tenant_id = $1 AND i.kind = 'CODE' AND i.normalised = $4 AND i.is_claim AND NOT i.is_alias`

func (s *session) search(ctx context.Context, args []any) ([]foundHit, error) {
	var found []foundHit
	err := s.query(ctx, statement{
		sql:  "SELECT kind, id, field, matched, score FROM crm_search($1, $2, $3, coalesce((" + codeAsKept + "), $4), $5, $6, $7)",
		args: args,
		read: func(rows pgx.Rows) error {
			var h foundHit
			_, err := pgx.ForEachRow(rows, []any{&h.kind, &h.id, &h.field, &h.text, &h.score}, func() error {
				found = append(found, h)
				return nil
			})
			return err
		},
	})
	return found, err
}

// resolveHits loads the records, one statement per type.
func (s *session) resolveHits(ctx context.Context, found []foundHit) ([]*SearchHit, error) {
	ids := make([]string, len(found))
	for i, h := range found {
		switch SearchType(h.kind) {
		case SearchCustomer:
			ids[i] = Customers.nodeID(h.id)
		case SearchParty:
			ids[i] = Parties.nodeID(h.id)
		default:
			ids[i] = Vehicles.nodeID(h.id)
		}
	}
	reader := readerOf(ctx)
	nodes, err := s.store.NodesByIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	taken := reader != nil && nodes == nil // by the reader
	hits := make([]*SearchHit, 0, len(found))
	for i, h := range found {
		hit := &SearchHit{Score: float64(h.score), MatchedField: SearchField(h.field), MatchedText: strings.TrimSpace(h.text)}
		if !taken {
			hit.Node, _ = nodes[i].(SearchResult)
		}
		if taken || hit.Node != nil { // a record can be gone between the two statements
			hits = append(hits, hit)
		}
	}
	if taken {
		return nil, reader.Hits(hits)
	}
	return hits, nil
}
