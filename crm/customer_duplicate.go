package crm

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// MatchField is what two customers have in common.
type MatchField string

// MatchStrength says how alike the values of a field are.
type MatchStrength string

// The words of a customer's duplicates.
const (
	MatchEmail       MatchField = "EMAIL"
	MatchPhone       MatchField = "PHONE"
	MatchExternalRef MatchField = "EXTERNAL_REF"
	MatchNamePostal  MatchField = "NAME_POSTAL" // last name and postal code

	MatchExact      MatchStrength = "EXACT"      // the same text
	MatchNormalized MatchStrength = "NORMALIZED" // the same but for case, accents, signs or mail tags
)

// CustomerDuplicate is a customer that may be the same person or organisation.
type CustomerDuplicate struct {
	Customer *Customer
	Matches  []*DuplicateMatch
}

// DuplicateMatch says in what a customer is alike, and how much.
type DuplicateMatch struct {
	Field    MatchField
	Strength MatchStrength
}

// CustomerDuplicates is a part of the list of a customer's duplicates.
type CustomerDuplicates struct {
	Nodes      []*CustomerDuplicate
	TotalCount int
}

// CustomerDuplicatesBy says whose duplicates are looked for; exactly one field is set.
type CustomerDuplicatesBy struct {
	CustomerID *string
	Probe      *CustomerProbe
}

// CustomerProbe describes a customer that may not exist: at least one of e-mail address,
// telephone number, external identifier, and last name with postal code.
type CustomerProbe struct {
	Email              *string
	Phone              *string
	ExternalIdentifier *ExternalIdentifier
	LastName           *string
	PostalCode         *string
}

// traits are the values that customers are compared by, as they are kept and as given.
type traits struct {
	emails, phones []string
	systems, refs  []string
	lastName       string
	postals        []string
}

// CustomerDuplicates finds the customers that have something in common with one, those with
// most in common first; merged and anonymised ones are left out (G3N 3.3). first is 1 to 100,
// 25 when nil; offset skips so many.
// Errors: Unauthenticated, Forbidden, Invalid, NotFound, Unavailable.
func (*Store) CustomerDuplicates(ctx context.Context, by CustomerDuplicatesBy, first, offset *int) (*CustomerDuplicates, error) {
	s, err := begin(ctx, PartyView, PartySearch)
	if err != nil {
		return nil, err
	}
	page, err := NewPage(first, nil, nil, nil, offset)
	if err != nil {
		return nil, err
	}
	self, t, err := s.traits(ctx, by)
	if err != nil {
		return nil, err
	}
	matches, err := s.matching(ctx, self, t)
	if err != nil {
		return nil, err
	}
	ids := make([]uuid.UUID, 0, len(matches))
	for id := range matches {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int {
		return cmp.Or(cmp.Compare(len(matches[b]), len(matches[a])), strings.Compare(a.String(), b.String()))
	})
	found := &CustomerDuplicates{Nodes: []*CustomerDuplicate{}, TotalCount: len(ids)}
	ids = ids[min(page.offset, len(ids)):]
	ids = ids[:min(page.size, len(ids))]
	st, rows := Customers.rowsOf(s, Customers.byIDs, ids)
	if err := s.query(ctx, st); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if row := rows[id]; row != nil {
			Customers.remember(s, id, row)
			found.Nodes = append(found.Nodes, &CustomerDuplicate{Customer: row, Matches: matches[id]})
		}
	}
	return found, nil
}

// traits reads what duplicates are looked for by, and whose they are, if anybody's.
func (s *session) traits(ctx context.Context, by CustomerDuplicatesBy) (uuid.UUID, traits, error) {
	var p problems
	switch {
	case (by.CustomerID == nil) == (by.Probe == nil):
		p.add("by", "exactly one selector is needed")
		return uuid.Nil, traits{}, p.err()
	case by.Probe != nil:
		t := by.Probe.check(&p)
		return uuid.Nil, t, p.err()
	}
	id := Customers.id(&p, "by.customerId", *by.CustomerID)
	if p.err() != nil {
		return uuid.Nil, traits{}, p.err()
	}
	t, err := s.traitsOf(ctx, id)
	return id, t, err
}

func (probe *CustomerProbe) check(p *problems) traits {
	var t traits
	if email := p.email("by.probe.email", probe.Email); email != nil {
		t.emails = append(t.emails, *email)
	}
	if phone := p.phone("by.probe.phone", probe.Phone, minLegacyPhoneDigits); phone != nil {
		t.phones = append(t.phones, *phone)
	}
	if e := probe.ExternalIdentifier; e != nil {
		e.check(p, "by.probe.externalIdentifier")
		t.systems, t.refs = append(t.systems, e.System), append(t.refs, e.Value)
	}
	last, postal := p.text("by.probe.lastName", probe.LastName, 100), p.text("by.probe.postalCode", probe.PostalCode, 16)
	switch {
	case (last == nil) != (postal == nil):
		p.add("by.probe", "last name and postal code are compared together")
	case last != nil:
		t.lastName, t.postals = *last, []string{*postal}
	case len(t.emails)+len(t.phones)+len(t.refs) == 0:
		p.add("by.probe", "at least one of e-mail address, telephone number, external identifier, and last name with postal code is needed")
	}
	return t
}

// traitsOf reads what a customer is compared by. Errors: NotFound.
func (s *session) traitsOf(ctx context.Context, id uuid.UUID) (traits, error) {
	var t traits
	exists := false
	err := s.query(ctx, statement{
		sql: `SELECT 'LAST_NAME', '', coalesce(p.last_name, '') FROM customer c JOIN party p ON p.tenant_id = $1 AND p.id = c.id WHERE c.tenant_id = $1 AND c.id = $2
			UNION ALL SELECT i.kind, i.system, i.value FROM identifier i WHERE i.tenant_id = $1 AND i.party_id = $2
			UNION ALL SELECT 'POSTAL_CODE', '', l.postal_code FROM party_location x JOIN location l ON l.tenant_id = $1 AND l.id = x.location_id
			WHERE x.tenant_id = $1 AND x.party_id = $2 AND l.postal_code IS NOT NULL`,
		args: []any{s.tenant, id},
		read: func(rows pgx.Rows) error {
			var kind, system, value string
			_, err := pgx.ForEachRow(rows, []any{&kind, &system, &value}, func() error {
				switch kind {
				case "LAST_NAME":
					exists, t.lastName = true, value
				case "POSTAL_CODE":
					t.postals = append(t.postals, value)
				case string(IdentifierEmail):
					t.emails = append(t.emails, value)
				case string(IdentifierPhone):
					t.phones = append(t.phones, value)
				case string(IdentifierExternal):
					t.systems, t.refs = append(t.systems, system), append(t.refs, value)
				}
				return nil
			})
			return err
		},
	})
	if err == nil && !exists {
		err = notFoundf("no such Customer")
	}
	return t, err
}

// matchingSQL finds, by an index each, the customers that share a value: whose, which field,
// the value there, and the last name, which is compared outside.
const matchingSQL = `SELECT m.id, m.field, m.value, m.postal, coalesce(p.last_name, '') FROM (
	SELECT i.party_id AS id, 'EMAIL' AS field, i.value, '' AS postal FROM identifier i
		WHERE i.tenant_id = $1 AND i.folded = ANY ($3) AND i.folded <> ''
	UNION ALL SELECT i.party_id, 'PHONE', i.value, '' FROM identifier i
		WHERE i.tenant_id = $1 AND i.kind = 'PHONE' AND i.normalised = ANY ($4)
	UNION ALL SELECT i.party_id, 'EXTERNAL_REF', i.value, '' FROM unnest($5::text[], $6::text[]) AS e (system, value)
		JOIN identifier i ON i.tenant_id = $1 AND i.kind = 'EXTERNAL' AND i.system = e.system AND i.normalised = e.value
	UNION ALL SELECT x.party_id, 'NAME_POSTAL', '', l.postal_code FROM location l
		JOIN party_location x ON x.tenant_id = $1 AND x.location_id = l.id
		JOIN party q ON q.tenant_id = $1 AND q.id = x.party_id AND right(' ' || q.search_name, length($8::text) + 1) = ' ' || $8
		WHERE l.tenant_id = $1 AND l.postal_normalised = ANY ($7) AND $8 <> ''
) m JOIN party p ON p.tenant_id = $1 AND p.id = m.id JOIN customer c ON c.tenant_id = $1 AND c.id = m.id
WHERE m.id <> $2 AND c.status NOT IN ('MERGED', 'ANONYMIZED')`

// matching finds who shares something, and what.
func (s *session) matching(ctx context.Context, self uuid.UUID, t traits) (map[uuid.UUID][]*DuplicateMatch, error) {
	found := map[uuid.UUID]map[MatchField]MatchStrength{}
	name := NormaliseName(t.lastName)
	err := s.query(ctx, statement{
		sql: matchingSQL,
		args: []any{
			s.tenant, self, mapped(t.emails, FoldEmail), mapped(t.phones, NormalisePhone), t.systems, t.refs,
			mapped(t.postals, NormalisePostalCode), name,
		},
		read: func(rows pgx.Rows) error {
			var id uuid.UUID
			var field MatchField
			var value, postal, last string
			_, err := pgx.ForEachRow(rows, []any{&id, &field, &value, &postal, &last}, func() error {
				if field == MatchNamePostal && NormaliseName(last) != name {
					return nil
				}
				if found[id] == nil {
					found[id] = map[MatchField]MatchStrength{}
				}
				if found[id][field] != MatchExact {
					found[id][field] = t.strength(field, value, postal, last)
				}
				return nil
			})
			return err
		},
	})
	matches := make(map[uuid.UUID][]*DuplicateMatch, len(found))
	for id, fields := range found {
		for _, field := range []MatchField{MatchEmail, MatchPhone, MatchExternalRef, MatchNamePostal} {
			if strength, ok := fields[field]; ok {
				matches[id] = append(matches[id], &DuplicateMatch{field, strength})
			}
		}
	}
	return matches, err
}

func (t traits) strength(field MatchField, value, postal, last string) MatchStrength {
	exact := true
	switch field {
	case MatchEmail:
		exact = slices.Contains(t.emails, value)
	case MatchPhone:
		exact = slices.Contains(t.phones, value)
	case MatchNamePostal:
		exact = last == t.lastName && slices.Contains(t.postals, postal)
	case MatchExternalRef:
	}
	if exact {
		return MatchExact
	}
	return MatchNormalized
}

func mapped(list []string, form func(string) string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = form(v)
	}
	return out
}
