package crm

import (
	"context"

	"github.com/google/uuid"
)

// engagement is who is engaged where.
type engagement struct{ organization, person uuid.UUID }

// takeContacts makes the engagements at the losers, or those of the losers, the survivor's.
// Where it is engaged the same way already, the two become one that holds the roles of both;
// the survivor's primaries stay primary.
func (m *merging) takeContacts(ctx context.Context) error {
	contacts, err := lock(ctx, m.change, Contacts, "(t.organization_id = ANY ($2) OR t.person_id = ANY ($2))", m.everybody())
	if err != nil || len(contacts) == 0 {
		return err
	}
	ids := make([]uuid.UUID, len(contacts))
	for i, k := range contacts {
		ids[i] = k.ID
	}
	held, err := lock(ctx, m.change, ContactRoles, "t.contact_id = ANY ($2)", ids)
	if err != nil {
		return err
	}
	r := m.rolesOf(held)
	survivor := m.survivor.party.ID
	has := map[engagement]*Contact{}
	for _, k := range contacts {
		if k.OrganizationID == survivor || k.PersonID == survivor {
			has[engagement{k.OrganizationID, k.PersonID}] = k
		}
	}
	for _, loser := range m.losers {
		for _, k := range contacts {
			if k.OrganizationID == loser.party.ID || k.PersonID == loser.party.ID {
				m.takeContact(r, has, k, loser)
			}
		}
	}
	return nil
}

// takeContact moves one engagement, or unites it with the survivor's.
func (m *merging) takeContact(r *mergedRoles, has map[engagement]*Contact, k *Contact, loser *profile) {
	to := engagement{k.OrganizationID, k.PersonID}
	if m.survivor.party.Kind == Organization {
		to.organization = m.survivor.party.ID
	} else {
		to.person = m.survivor.party.ID
	}
	m.moved.Contacts++
	m.keepDelivery(k, loser, has[to])
	if same := has[to]; same != nil {
		r.unite(m, same, k)
		return
	}
	has[to] = k
	r.yield(m, k, to.organization)
	k.OrganizationID, k.PersonID = to.organization, to.person
	altered(m.change, ContactUpdated, Contacts, k, update(m.change, Contacts, k), nil)
}

// keepDelivery makes invoices go on reaching a contact of a loser as they did: who holds BILLING
// there and has no e-mail address must not come under a delivery that needs one.
func (m *merging) keepDelivery(k *Contact, loser *profile, same *Contact) {
	if m.survivor.party.Kind != Organization {
		return
	}
	was, is := k.delivery(loser), m.survivor.delivery()
	switch {
	case same == nil && was != is:
		k.InvoiceDelivery = &was
	case same != nil && same.InvoiceDelivery == nil && is.byEmail() && !was.byEmail():
		same.InvoiceDelivery = &was
	}
}

// delivery is how invoices reach an organisation.
func (p *profile) delivery() InvoiceDelivery {
	if p.account == nil {
		return DeliverByEmail
	}
	return p.account.InvoiceDelivery
}

// delivery is how invoices reach a contact of an organisation.
func (k *Contact) delivery(organization *profile) InvoiceDelivery {
	return valueOr(k.InvoiceDelivery, organization.delivery())
}

func (d InvoiceDelivery) byEmail() bool { return d == DeliverByEmail || d == DeliverByEmailAndMail }

// mergedRoles are the roles held in the engagements of a merge.
type mergedRoles struct {
	byContact map[uuid.UUID][]*ContactRole
	primary   map[[2]uuid.UUID]bool // by organisation and role: whether somebody is
}

func (m *merging) rolesOf(held []*ContactRole) *mergedRoles {
	r := &mergedRoles{byContact: map[uuid.UUID][]*ContactRole{}, primary: map[[2]uuid.UUID]bool{}}
	for _, h := range held {
		r.byContact[h.ContactID] = append(r.byContact[h.ContactID], h)
		if h.IsPrimary && h.OrganizationID == m.survivor.party.ID {
			r.primary[[2]uuid.UUID{h.OrganizationID, h.RoleID}] = true
		}
	}
	return r
}

// yield makes the roles of an engagement that moves to an organisation no longer primary
// where somebody is already.
//
// The roles move with their engagement, by the foreign key, when its row is written: whoever
// yields must be written before it, or the two would be primary at once.
func (r *mergedRoles) yield(m *merging, k *Contact, organization uuid.UUID) {
	for _, h := range r.byContact[k.ID] {
		key := [2]uuid.UUID{organization, h.RoleID}
		if h.IsPrimary && organization != k.OrganizationID {
			if r.primary[key] {
				h.IsPrimary = false
				update(m.change, ContactRoles, h)
			}
			r.primary[key] = true
		}
		h.OrganizationID = organization
	}
}

// unite gives one engagement the roles of another, which ends.
func (r *mergedRoles) unite(m *merging, into, from *Contact) {
	if from.Status == ContactInactive {
		return
	}
	taken := r.byContact[from.ID]
	m.endContact(from)
	if into.Status == ContactInactive {
		into.Status = ContactActive
	}
	for _, h := range taken {
		if h.Status == ContactActive {
			r.give(m, into, h)
		}
	}
	altered(m.change, ContactRolesUpdated, Contacts, into, append(update(m.change, Contacts, into), "roles"), nil)
}

// give makes an engagement hold a role that another held.
func (r *mergedRoles) give(m *merging, into *Contact, was *ContactRole) {
	key := [2]uuid.UUID{into.OrganizationID, was.RoleID}
	// Whoever was primary at the same organisation hands over; elsewhere only a free place is taken.
	primary := was.IsPrimary && (was.OrganizationID == into.OrganizationID || !r.primary[key])
	r.primary[key] = r.primary[key] || primary
	for _, h := range r.byContact[into.ID] {
		if h.RoleID == was.RoleID {
			h.IsPrimary, h.Status = h.IsPrimary && h.Status == ContactActive || primary, ContactActive
			update(m.change, ContactRoles, h)
			return
		}
	}
	h := &ContactRole{ContactID: into.ID, OrganizationID: into.OrganizationID, RoleID: was.RoleID, IsPrimary: primary, Status: ContactActive}
	insert(m.change, ContactRoles, h)
	r.byContact[into.ID] = append(r.byContact[into.ID], h)
}
