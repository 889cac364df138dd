package crm

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// propagate queues copies of a new engagement at related organisations that are in use and
// do not know the person, and returns their ids.
func (c *change) propagate(ctx context.Context, k *Contact, roles []*Role, found map[uuid.UUID]*profile, related []uuid.UUID) ([]uuid.UUID, error) {
	if len(related) == 0 {
		return nil, nil
	}
	there, err := find(ctx, c, Contacts, "t.person_id = $2 AND t.organization_id = ANY($3)", k.PersonID, related)
	if err != nil {
		return nil, err
	}
	var copies []uuid.UUID
	for _, id := range related {
		knows := slices.ContainsFunc(there, func(other *Contact) bool { return other.OrganizationID == id })
		if knows || found[id].editable("") != nil {
			continue
		}
		twin := &Contact{
			Row: Row{ID: newID()}, OrganizationID: id, PersonID: k.PersonID, Title: k.Title,
			InvoiceDelivery: k.InvoiceDelivery, Status: ContactActive,
		}
		twin.Key = twin.ID.String()
		insert(c, Contacts, twin)
		for _, r := range roles {
			insert(c, ContactRoles, &ContactRole{ContactID: twin.ID, OrganizationID: id, RoleID: r.ID, Status: ContactActive})
		}
		made(c, ContactCreated, Contacts, twin, map[string]any{"copyOf": k.NodeID(), "roles": codesOf(roles)})
		copies = append(copies, twin.ID)
	}
	return copies, nil
}

// maxCopies bounds the organisations that one new contact is copied to.
const maxCopies = 1000

// relatives are the statements that list the organisations above or below one, at most $3
// steps away; $4 bounds their number.
var relatives = map[ContactPropagation]string{
	PropagateUpward: relativesSQL("p.parent_id", "p.id"), PropagateDownward: relativesSQL("p.id", "p.parent_id"),
}

// relativesSQL goes from a party found by one column to the party named in another.
func relativesSQL(to, from string) string {
	return fmt.Sprintf(`WITH RECURSIVE r (id, depth) AS (
		SELECT %[1]s, 1 FROM party p WHERE p.tenant_id = $1 AND %[2]s = $2 AND p.parent_id IS NOT NULL
		UNION ALL SELECT %[1]s, r.depth + 1 FROM r JOIN party p ON p.tenant_id = $1 AND %[2]s = r.id WHERE p.parent_id IS NOT NULL AND r.depth < $3
	) SELECT r.id FROM r LIMIT $4`, to, from)
}

// related lists the organisations that a new contact of one is copied to.
// Errors: Conflict when they are too many.
func (c *change) related(ctx context.Context, to ContactPropagation, organization uuid.UUID) ([]uuid.UUID, error) {
	sql, ok := relatives[to]
	if !ok {
		return nil, nil
	}
	var list []uuid.UUID
	err := c.query(ctx, statement{sql: sql, args: []any{c.tenant, organization, maxDepth, maxCopies + 1}, read: readAll(&list)})
	if err == nil && len(list) > maxCopies {
		err = conflictf(InvalidState, "organizationId", "the contact would be copied to more than %d organisations", maxCopies)
	}
	return list, err
}

// engaged locks whom a new engagement concerns, and returns with them the organisations that
// it is copied to: the hierarchy between them stays as it is until the transaction ends.
func (c *change) engaged(ctx context.Context, settings *TenantSettings, organization uuid.UUID, person *uuid.UUID) (map[uuid.UUID]*profile, []uuid.UUID, error) {
	concerned := ids(organization)
	if person != nil && *person != organization {
		concerned = append(concerned, *person)
	}
	related, err := c.related(ctx, settings.ContactPropagation, organization)
	if err != nil {
		return nil, nil, err
	}
	for {
		found, err := c.profiles(ctx, append(concerned, related...)...)
		if err != nil {
			return nil, nil, err
		}
		// Nobody comes to belong to a locked organisation, or it to anybody: once all of them
		// are locked, they stay what they are to each other.
		if related, err = c.related(ctx, settings.ContactPropagation, organization); err != nil {
			return nil, nil, err
		}
		if !slices.ContainsFunc(related, func(id uuid.UUID) bool { return found[id] == nil }) {
			return found, related, nil
		}
	}
}
