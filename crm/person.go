package crm

import (
	"context"

	"crmgraph/db"
)

// PersonOrderField is what customers that are persons can be sorted by.
type PersonOrderField string

// The orders of persons.
const (
	PersonsByNumber    PersonOrderField = "NUMBER"
	PersonsByLastName  PersonOrderField = "LAST_NAME"
	PersonsByCreatedAt PersonOrderField = "CREATED_AT"
)

var personOrder = map[PersonOrderField]string{
	PersonsByNumber: "t.number", PersonsByLastName: alphabetical("p.last_name"), PersonsByCreatedAt: "p.created_at",
}

// PersonsInUse finds the customers that [Store.PersonInUse] returns (Durion D-01). Last names are
// compared in lower case, missing ones come last, and the number decides between equals, upwards. Of the
// page, the size and the offset count. Errors: Unauthenticated, Forbidden, Invalid, Unavailable.
func (*Store) PersonsInUse(ctx context.Context, by Order[PersonOrderField], page Page) (*Found[Customer], error) {
	s, err := begin(ctx, PartyView)
	if err != nil {
		return nil, err
	}
	p := newProblems(ctx)
	term, known := personOrder[by.Field]
	if !known {
		p.add("orderBy.field", "persons can be sorted by NUMBER, LAST_NAME and CREATED_AT")
	}
	if p.err() != nil {
		return nil, p.err()
	}
	found, _, err := seek(ctx, s, Customers, sought{
		join: " JOIN party p ON p.tenant_id = t.tenant_id AND p.id = t.id",
		match: db.All(
			db.Column{SQL: "p.kind"}.Equal(Individual),
			db.Not(db.Column{SQL: "p.status"}.In([]PartyStatus{PartyMerged, PartyAnonymized})),
			db.Column{SQL: "p.deactivated_at"}.IsNull(true),
		),
		orderBy: ordering(term, by.Direction, "t.number"),
	}, page)
	return found, err
}
