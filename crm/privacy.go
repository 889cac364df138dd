package crm

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/google/uuid"
)

// AnonymizeCustomer blacks out the personal data of a customer, for good: names, contact
// points, date of birth, addresses, tags and metadata, also of the customers that were merged
// into it. Its code and external ids still lead to it; its consents, points, warranties, gift
// cards and merges stay (G3N 3.4). Doing it again changes nothing.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (PartyMerged).
func (*Store) AnonymizeCustomer(ctx context.Context, customerID string, w Write) (*Customer, error) {
	var id uuid.UUID
	check := func(p *problems) { id = Customers.id(p, "id", customerID) }
	op := operation{"customerAnonymize", []Permission{PartyAnonymize}}
	return perform(ctx, op, w, customerID, check, func(ctx context.Context, c *change) (*Customer, error) {
		p, err := c.anyCustomer(ctx, id)
		switch {
		case err != nil:
			return nil, err
		case p.party.Status == PartyMerged:
			return nil, p.editable("id")
		}
		if err := c.expected(p.customer, p.customer.Revision); err != nil {
			return nil, err
		}
		if p.party.Status == PartyAnonymized {
			return p.customer, nil
		}
		merged, err := c.mergedInto(ctx, id)
		if err != nil {
			return nil, err
		}
		everybody := slices.Concat(merged, []*profile{p})
		p.party.Status, p.party.AnonymizedAt = PartyAnonymized, &c.now
		p.customer.Status = CustomerAnonymized
		for _, one := range everybody {
			c.redact(one)
			c.unkeep(one.party.ID)
		}
		altered(c, CustomerWasAnonymized, Customers, p.customer, c.save(p), nil)
		for _, loser := range merged {
			c.saved(PartyUpdated, loser, nil)
		}
		c.exec("UPDATE merge_loser SET snapshot = '{}' WHERE tenant_id = $1 AND party_id = ANY ($2)", partyIDs(everybody))
		return p.customer, nil
	})
}

// redact blacks out the personal data of a locked party. The name of an organisation is none.
func (c *change) redact(p *profile) {
	text := Redacted
	blacken := func(field **string) {
		if *field != nil {
			*field = &text
		}
	}
	blacken(&p.party.FirstName)
	blacken(&p.party.LastName)
	p.party.BirthDate = nil
	if p.party.Kind == Individual {
		blacken(&p.party.TaxID)
	}
	p.derive()
	if p.party.Kind == Individual {
		p.party.DisplayName, p.party.SearchName = text, NormaliseName(text) // also of one that was merged
	}
	if p.customer != nil {
		blacken(&p.customer.PrimaryAddress)
		p.customer.Tags, p.customer.Metadata = []string{}, json.RawMessage("{}")
	}
	id := p.party.ID
	c.exec(`UPDATE contact_point SET value = $3, normalised = '', extension = NULL, revision = revision + 1, updated_at = $4
		WHERE tenant_id = $1 AND party_id = $2`, id, text, c.now)
	c.exec("DELETE FROM identifier WHERE tenant_id = $1 AND party_id = $2 AND kind IN ('EMAIL', 'PHONE')", id)
	c.exec(`UPDATE communication_preferences SET custom = NULL, note = CASE WHEN note IS NOT NULL THEN $3 END
		WHERE tenant_id = $1 AND id = $2`, id, text)
	c.unlocate(id)
}

// CustomerErasure is what erasing a customer removed.
type CustomerErasure struct {
	ID           string // the global id that the customer had
	ItemsDeleted int    // see [Store.EraseCustomer]
}

// EraseCustomer deletes a customer in any state with the party behind it and all that is about
// it alone: contact points, identifiers, addresses, engagements, consents, preferences,
// warranties, the ledgers of points and credit, merges, and the customers that were merged into it
// (G3N 3.4). Its vehicles stay, without it in their history; its gift cards stay, owed to whoever
// holds them; its events stay, as they hold no personal data. ItemsDeleted counts customers,
// ledger entries, warranties, consents, preferences,
// merges, identifiers, and one status entry for each customer.
// Who owes something cannot be erased.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (InvalidState).
func (*Store) EraseCustomer(ctx context.Context, customerID string, w Write) (*CustomerErasure, error) {
	var id uuid.UUID
	check := func(p *problems) { id = Customers.id(p, "id", customerID) }
	op := operation{"customerErase", []Permission{PartyErase}}
	return perform(ctx, op, w, customerID, check, func(ctx context.Context, c *change) (*CustomerErasure, error) {
		p, err := c.anyCustomer(ctx, id)
		if err != nil {
			return nil, err
		}
		if p.account != nil && p.account.CreditUsedMinor > 0 {
			return nil, conflictf(InvalidState, "id", "%s are owed: what is owed is released before its ledger ends", p.account.Credit().Used)
		}
		if err := c.expected(p.customer, p.customer.Revision); err != nil {
			return nil, err
		}
		merged, err := c.mergedInto(ctx, id)
		if err != nil {
			return nil, err
		}
		erased := &CustomerErasure{ID: customerID}
		for _, one := range append(merged, p) {
			n, err := c.erase(ctx, one)
			if err != nil {
				return nil, err
			}
			erased.ItemsDeleted += n
			c.unkeep(one.party.ID)
			c.event(Event{Type: CustomerErased, RecordType: Customers.name, RecordID: one.party.ID, RevisionBefore: &one.party.Revision},
				map[string]any{"itemsDeleted": n})
		}
		return erased, nil
	})
}

// erase deletes a locked party and counts what it removed.
func (c *change) erase(ctx context.Context, p *profile) (int, error) {
	id := p.party.ID
	children, err := c.children(ctx, ids(id), ids(id))
	if err != nil {
		return 0, err
	}
	for _, child := range children {
		child.party.ParentID = nil
		c.saved(PartyParentChanged, child, nil)
	}
	vehicles, err := lock(ctx, c, Vehicles, heldSQL, ids(id))
	if err != nil {
		return 0, err
	}
	for _, v := range vehicles {
		altered(c, VehicleReleased, Vehicles, v, update(c, Vehicles, v), nil)
	}
	if err := c.flush(ctx); err != nil {
		return 0, err
	}
	var counted [5]int
	statements := make([]statement, len(counted))
	for i, sql := range [...]string{
		"SELECT transactions::int FROM crm_erase_ledgers($1, $2)",
		"WITH gone AS (DELETE FROM warranty WHERE tenant_id = $1 AND customer_id = $2 RETURNING 1) SELECT count(*) FROM gone",
		`WITH consents AS (DELETE FROM consent WHERE tenant_id = $1 AND party_id = $2 RETURNING 1),
		preferences AS (DELETE FROM communication_preferences WHERE tenant_id = $1 AND id = $2 RETURNING 1)
		SELECT (SELECT count(*) FROM consents) + (SELECT count(*) FROM preferences)`,
		"WITH gone AS (DELETE FROM merge WHERE tenant_id = $1 AND survivor_id = $2 RETURNING 1) SELECT count(*) FROM gone",
		"WITH gone AS (DELETE FROM identifier WHERE tenant_id = $1 AND party_id = $2 RETURNING 1) SELECT count(*) FROM gone",
	} {
		statements[i] = statement{sql: sql, args: []any{c.tenant, id}, read: readOne(&counted[i])}
	}
	if err := c.send(ctx, statements...); err != nil {
		return 0, err
	}
	c.exec("DELETE FROM merge_loser WHERE tenant_id = $1 AND party_id = $2", id) // the merge is its survivor's
	c.exec("DELETE FROM vehicle_association WHERE tenant_id = $1 AND party_id = $2", id)
	c.exec("UPDATE party SET parent_id = NULL WHERE tenant_id = $1 AND parent_id = $2", id) // of merged ones
	c.exec("UPDATE gift_card SET customer_id = NULL, revision = revision + 1, updated_at = $3 WHERE tenant_id = $1 AND customer_id = $2", id, c.now)
	c.unlocate(id)
	remove(c, Parties, id)
	total := 0
	if p.customer != nil {
		total = 2 // the customer and its status entry
	}
	for _, n := range counted {
		total += n
	}
	return total, c.flush(ctx)
}
