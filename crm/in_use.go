package crm

import (
	"context"

	"github.com/google/uuid"
)

// PartyInUse returns a party that can still be changed. Legacy contracts show no other
// (Durion 1.2, D-25). Errors: Unauthenticated, Forbidden, Invalid, NotFound, Conflict
// (PartyMerged with the survivor as Related, InvalidState), Unavailable.
func (st *Store) PartyInUse(ctx context.Context, partyID string) (*Party, error) {
	party, err := st.Party(ctx, PartyBy{ID: &partyID})
	if err != nil {
		return nil, err
	}
	return party, (&profile{party: party}).editable("id")
}

// PersonInUse returns a customer that is a person and can still be changed, and leaves the person
// to [CustomerParty]. Errors: as PartyInUse.
func (*Store) PersonInUse(ctx context.Context, customerID string) (*Customer, error) {
	s, err := begin(ctx, PartyView)
	if err != nil {
		return nil, err
	}
	p := newProblems(ctx)
	id := Customers.id(&p, "id", customerID)
	if err := p.err(); err != nil {
		return nil, err
	}
	customers, byID := Customers.rowsOf(s, Customers.byIDs, ids(id))
	parties, partyByID := Parties.rowsOf(s, Parties.byIDs, ids(id))
	if err := s.send(ctx, customers, parties); err != nil {
		return nil, err
	}
	customer, party := byID[id], partyByID[id]
	if customer == nil || party == nil || party.Kind != Individual {
		return nil, missing("id", Customers)
	}
	Parties.remember(s, id, party)
	return customer, (&profile{party: party}).editable("id")
}

// CustomerID returns the id of the customer with a number or an id, empty when there is none or it
// is of another kind. kind nil means any. Nothing more is told, and the answer never changes, so
// it takes no permission. by has one of both. Errors: Unauthenticated, Invalid, Unavailable.
func (*Store) CustomerID(ctx context.Context, by CustomerBy, kind *PartyKind) (string, error) {
	s, err := begin(ctx)
	if err != nil {
		return "", err
	}
	var id, found uuid.UUID
	if by.ID != nil {
		if id, err = (Path{prefix: Customers.prefix}).id(*by.ID, "by.id"); err != nil {
			return "", err
		}
	}
	err = s.query(ctx, statement{
		sql: `SELECT t.id FROM customer t JOIN party p ON p.tenant_id = $1 AND p.id = t.id
			WHERE t.tenant_id = $1 AND (t.id = $2 OR t.number = $3) AND ($4::text IS NULL OR p.kind = $4)`,
		args: []any{s.tenant, id, by.Number, kind}, read: readOne(&found),
	})
	if err != nil || found == uuid.Nil {
		return "", err
	}
	return Customers.nodeID(found), nil
}
