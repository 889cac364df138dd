package crm

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"crmgraph/db"
)

// PartySearchOrderField is what found parties can be sorted by.
type PartySearchOrderField string

// The orders of found parties.
const (
	PartyByLegalName PartySearchOrderField = "LEGAL_NAME" // persons, who have none, come last
	PartyByCreatedAt PartySearchOrderField = "CREATED_AT"
	PartyByUpdatedAt PartySearchOrderField = "UPDATED_AT"
)

// The least that is searched for, in characters of the form that is compared.
const (
	minPartyName  = 2
	minPartyEmail = 3
	minPartyPhone = 4
	maxPartyText  = 255
)

// PartyQuery says which parties to find (Durion D-04). What is given must all hold, and at least one
// of the first five must be given. What is deactivated or anonymised is not found.
type PartyQuery struct {
	Name               *string // anywhere in the registered, the trading or the whole name, from 2 letters or digits; case, accents and signs do not count
	Email              *string // the beginning of an e-mail address, from 3 characters; case does not count
	Phone              *string // a telephone number or the end of one, from 4 digits
	TaxID              *string // the whole tax id; only its letters and digits count
	ExternalIdentifier *string // the whole id in any other system
	Kind               *PartyKind
	Status             *PartyStatus // MERGED needs the right to merge
	IncludeMerged      *bool        // whether those that were merged are found as well, for which it takes the right to merge
}

// SearchParties finds parties, without an order the newest first. The registered name is compared
// in lower case, and the id decides between equals. Of the page, the size and the offset count.
// Errors: Unauthenticated, Forbidden, Invalid (SearchCriteriaRequired), Unavailable.
func (*Store) SearchParties(ctx context.Context, query PartyQuery, by *Order[PartySearchOrderField], page Page) (*Found[Party], error) {
	need := []Permission{PartySearch, PartyView}
	if query.merged() {
		need = append(need, PartyMerge)
	}
	s, err := begin(ctx, need...)
	if err != nil {
		return nil, err
	}
	p := newProblems(ctx)
	what := sought{match: query.match(&p), orderBy: partySearchOrder(&p, by)}
	if p.err() != nil {
		return nil, p.err()
	}
	found, _, err := seek(ctx, s, Parties, what, page)
	return found, err
}

// merged says whether parties that were merged are asked for.
func (q *PartyQuery) merged() bool { return deref(q.IncludeMerged) || deref(q.Status) == PartyMerged }

// The columns that parties are found by.
var (
	searchedName        = db.Column{SQL: "t.search_name"}
	searchedTradingName = db.Column{SQL: "t.search_trading_name"}
	searchedTaxID       = db.Column{SQL: "t.tax_id_normalised"}
	searchedEmail       = db.Column{SQL: "o.normalised", Within: "EXISTS (SELECT 1 FROM contact_point o " +
		"WHERE o.tenant_id = $1 AND o.party_id = t.id AND o.kind = 'EMAIL' AND %s)"}
	searchedPhone = db.Column{SQL: "o.reversed", Within: "EXISTS (SELECT 1 FROM contact_point o " +
		"WHERE o.tenant_id = $1 AND o.party_id = t.id AND o.kind = 'PHONE' AND %s)"}
	searchedExternal = db.Column{SQL: "i.normalised", Within: "EXISTS (SELECT 1 FROM identifier i " +
		"WHERE i.tenant_id = $1 AND i.party_id = t.id AND i.kind = 'EXTERNAL' AND %s)"}
)

// match is the condition of a query.
func (q *PartyQuery) match(p *problems) db.Expr {
	all := []db.Expr{db.Column{SQL: "t.deactivated_at"}.IsNull(true)}
	criteria := 0
	text := func(field string, given *string, normalise func(string) string, least int, compare func(string) db.Expr) {
		value := p.text(field, given, maxPartyText)
		if value == nil {
			return
		}
		criteria++
		bare := normalise(*value)
		if utf8.RuneCountInString(bare) < least {
			p.add(field, "at least %d characters that count are needed", least)
			return
		}
		all = append(all, compare(bare))
	}
	text("input.name", q.Name, NormaliseName, minPartyName, func(name string) db.Expr { return within(name, searchedName, searchedTradingName) })
	text("input.email", q.Email, NormaliseEmail, minPartyEmail, searchedEmail.StartsWith)
	text("input.phone", q.Phone, NormalisePhone, minPartyPhone, func(digits string) db.Expr { return searchedPhone.StartsWith(reversed(digits)) })
	text("input.taxId", q.TaxID, NormaliseTaxID, 1, func(id string) db.Expr { return searchedTaxID.Equal(id) })
	text("input.externalIdentifier", q.ExternalIdentifier, strings.TrimSpace, 1, func(id string) db.Expr { return searchedExternal.Equal(id) })
	if criteria == 0 {
		p.because(SearchCriteriaRequired, "input", "a name, an e-mail address, a telephone number, a tax id or an external identifier is needed")
	}
	optionalWord(p, "input.kind", q.Kind, Individual, Organization)
	optionalWord(p, "input.status", q.Status, PartyActive, PartyPending, PartySuspended, PartyInactive, PartyMerged)
	status := db.Column{SQL: "t.status"}
	all = append(all, given(q.Kind, db.Column{SQL: "t.kind"}.Equal), given(q.Status, status.Equal), db.Not(status.Equal(PartyAnonymized)))
	if !q.merged() {
		all = append(all, db.Not(status.Equal(PartyMerged)))
	}
	return db.All(all...)
}

// reversed is a text of digits from its end.
func reversed(digits string) string {
	bytes := []byte(digits)
	slices.Reverse(bytes)
	return string(bytes)
}

// partySearchOrder renders an order of parties.
func partySearchOrder(p *problems, by *Order[PartySearchOrderField]) string {
	if by == nil {
		by = &Order[PartySearchOrderField]{PartyByCreatedAt, Desc}
	}
	terms := map[PartySearchOrderField]string{
		PartyByLegalName: alphabetical("t.legal_name"), PartyByCreatedAt: "t.created_at", PartyByUpdatedAt: "t.updated_at",
	}
	term, ok := terms[by.Field]
	if !ok {
		p.add("orderBy", "the order must be one of LEGAL_NAME, CREATED_AT and UPDATED_AT")
	}
	return ordering(term, by.Direction)
}
