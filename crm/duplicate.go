package crm

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// MatchReason says in what a party resembles another.
type MatchReason string

// The reasons why an organisation looks like another, strongest first.
const (
	TaxIDMatch      MatchReason = "TAX_ID_MATCH"
	ExternalIDMatch MatchReason = "EXTERNAL_ID_MATCH"
	ExactNameMatch  MatchReason = "EXACT_NAME_MATCH"
	EmailMatch      MatchReason = "EMAIL_MATCH"
	PhoneMatch      MatchReason = "PHONE_MATCH"
	NameSimilarity  MatchReason = "NAME_SIMILARITY"
)

var byStrength = []MatchReason{TaxIDMatch, ExternalIDMatch, ExactNameMatch, EmailMatch, PhoneMatch, NameSimilarity}

// maxCandidates bounds the candidates that are told.
const maxCandidates = 10

// similarName is the least trigram similarity of core names that counts as a resemblance.
const similarName = 0.8

// DuplicateCandidate is an organisation that may be the one about to be made.
type DuplicateCandidate struct {
	Party      *Party
	Reasons    []MatchReason // strongest first
	IsBlocking bool          // alone enough to refuse a new organisation
}

// blocking says whether matches are enough to refuse: tax id, external id or exact name each
// are; an e-mail address or telephone number is together with a similar name.
func blocking(reasons []MatchReason) bool {
	has := func(r MatchReason) bool { return slices.Contains(reasons, r) }
	return has(TaxIDMatch) || has(ExternalIDMatch) || has(ExactNameMatch) || has(NameSimilarity) && (has(EmailMatch) || has(PhoneMatch))
}

// likeness is what an organisation is compared by.
type likeness struct {
	name, core   string
	taxID        string // normalised; the rest too
	email, phone string
	externals    []*ExternalIdentifier
}

// candidatesSQL finds what resembles: each branch uses an index.
const candidatesSQL = `SELECT m.id, m.reason FROM (
	SELECT p.id, 'TAX_ID_MATCH' AS reason FROM party p WHERE p.tenant_id = $1 AND p.tax_id_normalised = nullif($2, '')
	UNION SELECT i.party_id, 'EXTERNAL_ID_MATCH' FROM unnest($3::text[], $4::text[]) AS e (system, value)
		JOIN identifier i ON i.tenant_id = $1 AND i.kind = 'EXTERNAL' AND i.system = e.system AND i.normalised = e.value
	UNION SELECT p.id, 'EXACT_NAME_MATCH' FROM party p WHERE p.tenant_id = $1 AND p.search_name = nullif($5, '')
	UNION SELECT o.party_id, 'EMAIL_MATCH' FROM contact_point o WHERE o.tenant_id = $1 AND o.kind = 'EMAIL' AND o.normalised = nullif($6, '')
	UNION SELECT o.party_id, 'PHONE_MATCH' FROM contact_point o WHERE o.tenant_id = $1 AND o.kind = 'PHONE' AND o.normalised = nullif($7, '')
	UNION SELECT s.id, 'NAME_SIMILARITY' FROM crm_similar_organizations($1, $8, $9) s
) m JOIN party p ON p.tenant_id = $1 AND p.id = m.id
WHERE p.kind = 'ORGANIZATION' AND p.status NOT IN ('MERGED', 'ANONYMIZED') AND p.deactivated_at IS NULL`

// candidates finds the organisations that resemble one, strongest first, at most ten.
func (c *change) candidates(ctx context.Context, l likeness) ([]*DuplicateCandidate, error) {
	systems, values := make([]string, len(l.externals)), make([]string, len(l.externals))
	for i, e := range l.externals {
		systems[i], values[i] = e.System, e.Value
	}
	reasons := map[uuid.UUID][]MatchReason{}
	err := c.query(ctx, statement{
		sql:  candidatesSQL,
		args: []any{c.tenant, l.taxID, systems, values, l.name, l.email, l.phone, l.core, similarName},
		read: func(rows pgx.Rows) error {
			var id uuid.UUID
			var reason MatchReason
			_, err := pgx.ForEachRow(rows, []any{&id, &reason}, func() error {
				reasons[id] = append(reasons[id], reason)
				return nil
			})
			return err
		},
	})
	if err != nil || len(reasons) == 0 {
		return nil, err
	}
	all := make([]uuid.UUID, 0, len(reasons))
	for id := range reasons {
		all = append(all, id)
	}
	st, parties := Parties.rowsOf(c.session, Parties.byIDs, all)
	if err := c.query(ctx, st); err != nil {
		return nil, err
	}
	found := make([]*DuplicateCandidate, 0, len(parties))
	for id, party := range parties {
		r := strongestFirst(reasons[id])
		found = append(found, &DuplicateCandidate{Party: party, Reasons: r, IsBlocking: blocking(r)})
	}
	slices.SortFunc(found, func(a, b *DuplicateCandidate) int {
		return cmp.Or(
			cmp.Compare(slices.Index(byStrength, a.Reasons[0]), slices.Index(byStrength, b.Reasons[0])),
			a.Party.CreatedAt.Compare(b.Party.CreatedAt),
			strings.Compare(a.Party.ID.String(), b.Party.ID.String()))
	})
	return found[:min(len(found), maxCandidates)], nil
}

// strongestFirst orders reasons; a similar name says nothing beside an equal one.
func strongestFirst(reasons []MatchReason) []MatchReason {
	var sorted []MatchReason
	for _, r := range byStrength {
		if slices.Contains(reasons, r) && (r != NameSimilarity || !slices.Contains(reasons, ExactNameMatch)) {
			sorted = append(sorted, r)
		}
	}
	return sorted
}
