package crm

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// NewContact engages a person at an organisation.
type NewContact struct {
	PersonID        *string           // an existing person; or
	Person          *IndividualCreate // a new one: exactly one of both
	Key             *string           // chosen by the client; its id when absent
	Title           *string           // at most 100 characters
	IsPrimary       bool
	InvoiceDelivery *InvoiceDelivery  // overrides the account's
	Roles           []*RoleAssignment // at most 100
}

func (in *NewContact) check(s *Store, p *problems) (person *uuid.UUID) {
	if (in.PersonID == nil) == (in.Person == nil) {
		p.add("input.personId", "exactly one of personId and person is needed")
	}
	person = Parties.optionalID(p, "input.personId", in.PersonID)
	if in.Person != nil {
		p.nested("input.person", func(p *problems) { in.Person.check(p, s.Now()) })
	}
	in.Key = p.key("input.key", in.Key)
	in.Title = p.text("input.title", in.Title, maxTitle)
	optionalWord(p, "input.invoiceDelivery", in.InvoiceDelivery, deliveries...)
	p.assignments(in.Roles)
	return person
}

// need are the permissions that the input asks for.
func (in *NewContact) need() []Permission {
	need := []Permission{ContactCreate}
	if in.Person != nil {
		need = append(need, PartyCreate)
	}
	if len(in.Roles) > 0 {
		need = append(need, ContactRoleAssign)
	}
	return need
}

const maxTitle = 100

// CreateContact engages a person at an organisation, and copies the engagement to the
// organisations above or below it as the tenant's settings say (Emporix 2.2): with the same
// roles, primary in nothing, and only where the person has none yet. A person who was engaged
// there before is back, with the title, delivery and roles given and without copies.
// Errors: as perform, Invalid (InvalidRoleCode, BillingEmailRequired), NotFound, Conflict
// (ContactExists, KeyInUse, PartyMerged, InvalidState).
func (s *Store) CreateContact(ctx context.Context, organizationID string, in NewContact, w Write) (*Contact, error) {
	var organization uuid.UUID
	var person *uuid.UUID
	check := func(p *problems) {
		organization = Parties.id(p, "organizationId", organizationID)
		person = in.check(s, p)
	}
	op := operation{"contactCreate", in.need()}
	return perform(ctx, op, w, []any{organizationID, &in}, check, func(ctx context.Context, c *change) (*Contact, error) {
		settings, err := c.settings(ctx)
		if err != nil {
			return nil, err
		}
		found, related, err := c.engaged(ctx, settings, organization, person)
		if err != nil {
			return nil, err
		}
		if err := engageable(found, organization, person); err != nil {
			return nil, err
		}
		roles, err := c.assignable(ctx, in.Roles)
		if err != nil {
			return nil, err
		}
		id, err := c.personOf(ctx, settings, &in, person)
		if err != nil {
			return nil, err
		}
		contact, isNew, err := c.engage(ctx, &in, organization, id)
		if err != nil {
			return nil, err
		}
		if err := c.setRoles(ctx, contact, roles, in.Roles); err != nil {
			return nil, err
		}
		contacts := ids(contact.ID)
		if isNew {
			made(c, ContactCreated, Contacts, contact, rolesSaid(roles, in.Roles))
			copies, err := c.propagate(ctx, contact, roles, found, related)
			if err != nil {
				return nil, err
			}
			contacts = append(contacts, copies...)
		}
		return contact, c.billableRole(ctx, in.Roles, contacts)
	})
}

// engageable checks who is to be engaged where.
func engageable(found map[uuid.UUID]*profile, organization uuid.UUID, person *uuid.UUID) error {
	var p problems
	at := func(id uuid.UUID, field, what string, kind PartyKind) {
		switch party := found[id]; {
		case party == nil:
			e := notFoundf("no such %s", what)
			e.Field = field
			p.list = append(p.list, e)
		case party.party.Kind != kind:
			p.add(field, "the party must be of kind %s", kind)
		}
	}
	at(organization, "organizationId", "organisation", Organization)
	if person != nil {
		at(*person, "input.personId", "person", Individual)
	}
	if p.err() != nil {
		return p.err()
	}
	if err := found[organization].editable("organizationId"); err != nil {
		return err
	}
	if person != nil {
		return found[*person].editable("input.personId")
	}
	return nil
}

// personOf is the person to engage, who is made when it is a new one.
func (c *change) personOf(ctx context.Context, settings *TenantSettings, in *NewContact, person *uuid.UUID) (uuid.UUID, error) {
	if person != nil {
		return *person, nil
	}
	party, err := c.individual(ctx, settings, in.Person)
	if err == nil {
		err = c.flush(ctx) // what is wrong now is wrong with the person
	}
	if err != nil {
		return uuid.Nil, nested("input.person", err)
	}
	return party.ID, nil
}

// engage queues an engagement, a new one or the one that the person had there before, and
// says whether it is new.
func (c *change) engage(ctx context.Context, in *NewContact, organization, person uuid.UUID) (*Contact, bool, error) {
	had, err := lock(ctx, c, Contacts, "t.organization_id = $2 AND t.person_id = $3", organization, person)
	if err != nil {
		return nil, false, err
	}
	if len(had) == 0 {
		k := &Contact{
			Row: Row{ID: newID()}, OrganizationID: organization, PersonID: person, Title: in.Title,
			IsPrimary: in.IsPrimary, InvoiceDelivery: in.InvoiceDelivery, Status: ContactActive,
		}
		k.Key = valueOr(in.Key, k.ID.String())
		insert(c, Contacts, k)
		return k, true, nil
	}
	k := had[0]
	if k.Status == ContactActive {
		e := conflictf(ContactExists, "input.personId", "the person is a contact of this organisation already")
		e.Related = k.NodeID()
		return nil, false, e
	}
	k.Key = valueOr(in.Key, k.Key)
	k.Title, k.IsPrimary, k.InvoiceDelivery, k.Status = in.Title, in.IsPrimary, in.InvoiceDelivery, ContactActive
	altered(c, ContactReactivated, Contacts, k, append(update(c, Contacts, k), "roles"), nil)
	return k, false, nil
}

// ContactUpdate changes an engagement: what is left out stays, null clears.
type ContactUpdate struct {
	Key             graphql.Omittable[*string]          `json:",omitzero"` // cannot be cleared
	Title           graphql.Omittable[*string]          `json:",omitzero"`
	IsPrimary       graphql.Omittable[*bool]            `json:",omitzero"` // cannot be cleared
	InvoiceDelivery graphql.Omittable[*InvoiceDelivery] `json:",omitzero"`
}

func (in *ContactUpdate) check(p *problems) {
	patchRequired(p, "input.key", &in.Key, func(v *string) *string { return p.key("input.key", v) })
	patch(&in.Title, func(v *string) *string { return p.text("input.title", v, maxTitle) })
	patchRequired(p, "input.isPrimary", &in.IsPrimary, func(v *bool) *bool { return v })
	patch(&in.InvoiceDelivery, func(v *InvoiceDelivery) *InvoiceDelivery {
		return optionalWord(p, "input.invoiceDelivery", v, deliveries...)
	})
}

// UpdateContact changes an engagement that is current. Copies of it stay as they are. Errors:
// as perform, Invalid (BillingEmailRequired), NotFound, Stale, Conflict (KeyInUse, PartyMerged,
// InvalidState).
func (*Store) UpdateContact(ctx context.Context, contactID string, in ContactUpdate, w Write) (*Contact, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = Contacts.id(p, "id", contactID)
		in.check(p)
	}
	op := operation{"contactUpdate", []Permission{ContactEdit}}
	return perform(ctx, op, w, []any{contactID, &in}, check, func(ctx context.Context, c *change) (*Contact, error) {
		k, err := c.contactTarget(ctx, id, "id")
		if err != nil {
			return nil, err
		}
		applyRequired(&k.Key, in.Key)
		apply(&k.Title, in.Title)
		applyRequired(&k.IsPrimary, in.IsPrimary)
		apply(&k.InvoiceDelivery, in.InvoiceDelivery)
		altered(c, ContactUpdated, Contacts, k, update(c, Contacts, k), nil)
		if !in.InvoiceDelivery.IsSet() {
			return k, nil
		}
		return k, c.billableAll(ctx, "input.invoiceDelivery", "k.id = $2", id)
	})
}

// DeactivateContact ends an engagement and the roles held in it. An organisation keeps its
// last active contact (Durion 3.1). Errors: as perform, Invalid, NotFound, Stale, Conflict
// (LastContact, PartyMerged, InvalidState).
func (*Store) DeactivateContact(ctx context.Context, contactID string, w Write) (*Contact, error) {
	var id uuid.UUID
	check := func(p *problems) { id = Contacts.id(p, "id", contactID) }
	op := operation{"contactDeactivate", []Permission{ContactDelete}}
	return perform(ctx, op, w, contactID, check, func(ctx context.Context, c *change) (*Contact, error) {
		k, err := c.contactTarget(ctx, id, "id")
		if err != nil {
			return nil, err
		}
		var others bool
		err = c.query(ctx, statement{
			sql: `SELECT true FROM contact k WHERE k.tenant_id = $1 AND k.organization_id = $2 AND k.id <> $3
				AND k.status = 'ACTIVE' LIMIT 1`,
			args: []any{c.tenant, k.OrganizationID, id}, read: readOne(&others),
		})
		if err != nil {
			return nil, err
		}
		if !others {
			return nil, conflictf(LastContact, "id", "an organisation keeps its last active contact")
		}
		c.endContact(k)
		return k, nil
	})
}

// ReactivateContact takes up an engagement that ended; the roles that ended with it stay
// ended. Errors: as perform, Invalid, NotFound, Stale, Conflict (PartyMerged, InvalidState).
func (*Store) ReactivateContact(ctx context.Context, contactID string, w Write) (*Contact, error) {
	var id uuid.UUID
	check := func(p *problems) { id = Contacts.id(p, "id", contactID) }
	op := operation{"contactReactivate", []Permission{ContactCreate}}
	return perform(ctx, op, w, contactID, check, func(ctx context.Context, c *change) (*Contact, error) {
		k, found, err := c.lockContact(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := c.expected(k, k.Revision); err != nil {
			return nil, err
		}
		if k.Status == ContactActive {
			return nil, conflictf(InvalidState, "id", "the engagement is current")
		}
		for _, party := range ids(k.OrganizationID, k.PersonID) {
			if err := found[party].editable("id"); err != nil {
				return nil, err
			}
		}
		k.Status = ContactActive
		altered(c, ContactReactivated, Contacts, k, update(c, Contacts, k), nil)
		return k, nil
	})
}

// contactTarget locks the engagement that an operation changes: it must be current and the
// revision that the caller saw. Errors: NotFound, Conflict, Stale.
func (c *change) contactTarget(ctx context.Context, id uuid.UUID, field string) (*Contact, error) {
	k, found, err := c.lockContact(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := k.current(found, field); err != nil {
		return nil, err
	}
	return k, c.expected(k, k.Revision)
}

// current refuses an engagement that ended. Errors: Conflict.
func (k *Contact) current(found map[uuid.UUID]*profile, field string) error {
	if err := found[k.OrganizationID].editable(field); err != nil {
		return err
	}
	if k.Status != ContactActive {
		return conflictf(InvalidState, field, "the engagement has ended")
	}
	return found[k.PersonID].editable(field)
}

// lockContact locks the organisation and the person of an engagement, and then the engagement
// itself: what concerns the contacts of one organisation, or the ways to reach one person,
// happens one at a time. Errors: NotFound.
func (c *change) lockContact(ctx context.Context, id uuid.UUID) (*Contact, map[uuid.UUID]*profile, error) {
	rows, err := find(ctx, c, Contacts, "t.id = $2", id)
	if err != nil {
		return nil, nil, err
	}
	if len(rows) == 0 {
		return nil, nil, notFoundf("no such Contact")
	}
	for seen := rows[0]; ; {
		found, err := c.profiles(ctx, seen.OrganizationID, seen.PersonID)
		if err != nil {
			return nil, nil, err
		}
		k, err := lockOne(ctx, c, Contacts, id)
		if err != nil {
			return nil, nil, err
		}
		if k.OrganizationID == seen.OrganizationID && k.PersonID == seen.PersonID {
			return k, found, nil
		}
		seen = k // a merge moved it meanwhile
	}
}
