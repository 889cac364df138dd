package crm

import (
	"context"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// RoleAssignment is a role that a contact is to hold.
type RoleAssignment struct {
	RoleCode  string // of an ACTIVE role; case matters
	IsPrimary bool   // takes it from whoever is primary in it at the organisation
}

// RoleSet is all the roles that a contact is to hold.
type RoleSet struct {
	Roles []*RoleAssignment // at most 100, none of them twice
}

// maxRoles bounds the roles that one contact holds.
const maxRoles = 100

// assignments checks the roles of an input.
func (p *problems) assignments(list []*RoleAssignment) {
	p.atMost("input.roles", len(list), maxRoles)
	seen := map[string]bool{}
	for i, a := range list {
		field := codeField(i)
		a.RoleCode = p.required(field, a.RoleCode, 64)
		if seen[a.RoleCode] && a.RoleCode != "" {
			p.add(field, "the role is given twice")
		}
		seen[a.RoleCode] = true
	}
}

func codeField(i int) string { return indexed("input.roles", i) + ".roleCode" }

// SetContactRoles makes the roles given the complete set that a contact holds (Durion D-09).
// Whoever was primary in a role that the contact becomes primary in is so no more, which is a
// change of that contact, too; a role that loses its primary holder otherwise has none.
// Errors: as perform, Invalid (InvalidRoleCode, BillingEmailRequired), NotFound, Stale, Conflict
// (PartyMerged, InvalidState).
func (*Store) SetContactRoles(ctx context.Context, contactID string, in RoleSet, w Write) (*Contact, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = Contacts.id(p, "contactId", contactID)
		p.assignments(in.Roles)
	}
	return perform(ctx, contactRolesSet, w, []any{contactID, &in}, check, func(ctx context.Context, c *change) (*Contact, error) {
		k, err := c.contactTarget(ctx, id, "contactId")
		if err != nil {
			return nil, err
		}
		roles, err := c.assignable(ctx, in.Roles)
		if err != nil {
			return nil, err
		}
		return k, c.assign(ctx, k, roles, in.Roles)
	})
}

// SetContactRolesOf is [Store.SetContactRoles] for the current engagement of a person at an organisation.
// The order of its errors is that of Durion 1.5: unknown roles come with what else is wrong
// with the input, and what the roles ask for comes before Stale.
func (*Store) SetContactRolesOf(ctx context.Context, organizationID, personID string, in RoleSet, w Write) (*Contact, error) {
	s, err := begin(ctx, contactRolesSet.need...)
	if err != nil {
		return nil, err
	}
	found, err := activeRoles(ctx, s, in.codes())
	if err != nil {
		return nil, err
	}
	var organization, person uuid.UUID
	var roles []*Role
	check := func(p *problems) {
		organization, person = Parties.id(p, "organizationId", organizationID), Parties.id(p, "personId", personID)
		p.assignments(in.Roles)
		roles = p.assignable(in.Roles, found)
	}
	return perform(ctx, contactRolesSet, w, []any{organizationID, personID, &in}, check, func(ctx context.Context, c *change) (*Contact, error) {
		k, err := c.engagedTarget(ctx, organization, person)
		if err != nil {
			return nil, err
		}
		seen := *k
		stale := c.expected(&seen, seen.Revision)
		if err := c.assign(ctx, k, roles, in.Roles); err != nil {
			return nil, err
		}
		return k, stale
	})
}

var contactRolesSet = operation{"contactRolesSet", []Permission{ContactRoleAssign}}

// engagedTarget locks the current engagement of a person at an organisation. Errors: NotFound,
// Conflict.
func (c *change) engagedTarget(ctx context.Context, organization, person uuid.UUID) (*Contact, error) {
	found, err := c.profiles(ctx, organization, person)
	if err != nil {
		return nil, err
	}
	if _, err := usable(found, organization, "organizationId"); err != nil {
		return nil, err
	}
	if _, err := usable(found, person, "personId"); err != nil {
		return nil, err
	}
	current, err := lock(ctx, c, Contacts, "t.organization_id = $2 AND t.person_id = $3 AND t.status = 'ACTIVE'", organization, person)
	if err != nil {
		return nil, err
	}
	if len(current) == 0 {
		return nil, missing("personId", Contacts)
	}
	return current[0], nil
}

// assign queues what makes the roles of a list, and the rows behind it, those of a locked
// contact, as a change of it. Errors: Invalid with BillingEmailRequired.
func (c *change) assign(ctx context.Context, k *Contact, roles []*Role, list []*RoleAssignment) error {
	if err := c.setRoles(ctx, k, roles, list); err != nil {
		return err
	}
	c.rolesChanged(k, rolesSaid(roles, list))
	return c.billableRole(ctx, list, ids(k.ID))
}

// rolesChanged queues the next revision of a locked contact whose roles changed.
func (c *change) rolesChanged(k *Contact, details map[string]any) {
	altered(c, ContactRolesUpdated, Contacts, k, append(update(c, Contacts, k), "roles"), details)
}

// rolesSaid tells an event which roles a contact holds.
func rolesSaid(roles []*Role, list []*RoleAssignment) map[string]any {
	primary := []string{}
	for _, a := range list {
		if a.IsPrimary {
			primary = append(primary, a.RoleCode)
		}
	}
	return map[string]any{"roles": codesOf(roles), "primary": primary}
}

func codesOf(roles []*Role) []string {
	codes := make([]string, len(roles))
	for i, r := range roles {
		codes[i] = r.Code
	}
	return codes
}

// assignable finds the roles to assign, in the order of the list. One that becomes INACTIVE
// meanwhile was assigned before. Errors: Invalid with InvalidRoleCode for each that there is not.
func (c *change) assignable(ctx context.Context, list []*RoleAssignment) ([]*Role, error) {
	found, err := activeRoles(ctx, c.session, RoleSet{list}.codes())
	if err != nil {
		return nil, err
	}
	var p problems
	return p.assignable(list, found), p.err()
}

// assignable picks the roles of a list from those that were found, and reports those that were not.
func (p *problems) assignable(list []*RoleAssignment, found map[string]*Role) []*Role {
	roles := make([]*Role, len(list))
	for i, a := range list {
		if roles[i] = found[a.RoleCode]; roles[i] == nil && a.RoleCode != "" {
			p.because(InvalidRoleCode, codeField(i), "there is no active role %s", a.RoleCode)
		}
	}
	return roles
}

func (s RoleSet) codes() []string {
	codes := make([]string, len(s.Roles))
	for i, a := range s.Roles {
		codes[i] = strings.TrimSpace(a.RoleCode)
	}
	return codes
}

// activeRoles finds those of some roles that can be assigned, by code.
func activeRoles(ctx context.Context, s *session, codes []string) (map[string]*Role, error) {
	rows, err := Roles.rows(ctx, s, Roles.matching(s, "t.code = ANY($2) AND t.status = 'ACTIVE'", codes))
	found := make(map[string]*Role, len(rows))
	for _, r := range rows {
		found[r.Code] = r
	}
	return found, err
}

// setRoles queues what makes the roles those of a contact: of a list and the rows behind it.
// The contact itself is the caller's.
func (c *change) setRoles(ctx context.Context, k *Contact, roles []*Role, list []*RoleAssignment) error {
	held, err := lock(ctx, c, ContactRoles, "t.contact_id = $2", k.ID)
	if err != nil {
		return err
	}
	var primary []*Role
	for i, a := range list {
		if a.IsPrimary {
			primary = append(primary, roles[i])
		}
	}
	if err := c.demote(ctx, k, primary); err != nil {
		return err
	}
	for i, a := range list {
		at := slices.IndexFunc(held, func(h *ContactRole) bool { return h.RoleID == roles[i].ID })
		if at < 0 {
			insert(c, ContactRoles, &ContactRole{
				ContactID: k.ID, OrganizationID: k.OrganizationID, RoleID: roles[i].ID, IsPrimary: a.IsPrimary, Status: ContactActive,
			})
			continue
		}
		c.regrade(held[at], ContactActive, a.IsPrimary)
		held = slices.Delete(held, at, at+1)
	}
	for _, h := range held {
		c.regrade(h, ContactInactive, false)
	}
	return nil
}

// regrade queues a held role as it shall be, unless it is so.
func (c *change) regrade(h *ContactRole, status ContactStatus, primary bool) {
	if h.Status != status || h.IsPrimary != primary {
		h.Status, h.IsPrimary = status, primary
		update(c, ContactRoles, h)
	}
}

// demote queues the end of others' primacy in roles at a contact's organisation, whose row is
// locked.
func (c *change) demote(ctx context.Context, k *Contact, roles []*Role) error {
	if len(roles) == 0 {
		return nil
	}
	roleIDs := make([]uuid.UUID, len(roles))
	codes := make(map[uuid.UUID]string, len(roles))
	for i, r := range roles {
		roleIDs[i], codes[r.ID] = r.ID, r.Code
	}
	others, err := lock(ctx, c, Contacts, `t.organization_id = $2 AND t.id <> $3 AND t.id IN (SELECT h.contact_id FROM contact_role h
		WHERE h.tenant_id = $1 AND h.organization_id = $2 AND h.is_primary AND h.role_id = ANY($4))`, k.OrganizationID, k.ID, roleIDs)
	if err != nil || len(others) == 0 {
		return err
	}
	held, err := lock(ctx, c, ContactRoles, "t.organization_id = $2 AND t.contact_id <> $3 AND t.is_primary AND t.role_id = ANY($4)",
		k.OrganizationID, k.ID, roleIDs)
	if err != nil {
		return err
	}
	demoted := map[uuid.UUID][]string{}
	for _, h := range held {
		c.regrade(h, ContactActive, false)
		demoted[h.ContactID] = append(demoted[h.ContactID], codes[h.RoleID])
	}
	for _, other := range others {
		if codes, ok := demoted[other.ID]; ok {
			c.rolesChanged(other, map[string]any{"demoted": codes, "successor": k.NodeID()})
		}
	}
	return nil
}

// billing is the role whose holders invoices go to.
const billing = "BILLING"

// billableRole makes sure that contacts that got the roles of a list can hold BILLING.
// Errors: Invalid with BillingEmailRequired at that role.
func (c *change) billableRole(ctx context.Context, list []*RoleAssignment, contacts []uuid.UUID) error {
	at := slices.IndexFunc(list, func(a *RoleAssignment) bool { return a.RoleCode == billing })
	if at < 0 {
		return nil
	}
	return c.billableAll(ctx, codeField(at), "k.id = ANY($2)", contacts)
}

// ContactRoleUpdate changes a role that is held: what is left out stays.
type ContactRoleUpdate struct {
	RoleCode  graphql.Omittable[*string] `json:",omitzero"` // of an ACTIVE role that the contact never had
	IsPrimary graphql.Omittable[*bool]   `json:",omitzero"`
}

// UpdateContactRole makes a held role another one, or its holder primary in it or not. Others
// lose their primacy as in SetContactRoles; the contact changes, too. Errors: as perform,
// Invalid (InvalidRoleCode, BillingEmailRequired), NotFound, Stale (of the held role), Conflict
// (RoleHeld, PartyMerged, InvalidState).
func (*Store) UpdateContactRole(ctx context.Context, contactRoleID string, in ContactRoleUpdate, w Write) (*ContactRole, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = ContactRoles.id(p, "id", contactRoleID)
		patchRequired(p, "input.roleCode", &in.RoleCode, func(v *string) *string { return p.text("input.roleCode", v, 64) })
		patchRequired(p, "input.isPrimary", &in.IsPrimary, func(v *bool) *bool { return v })
	}
	op := operation{"contactRoleUpdate", []Permission{ContactRoleAssign}}
	return perform(ctx, op, w, []any{contactRoleID, &in}, check, func(ctx context.Context, c *change) (*ContactRole, error) {
		h, k, role, err := c.heldTarget(ctx, id)
		if err != nil {
			return nil, err
		}
		if code := in.RoleCode.Value(); code != nil && *code != role.Code {
			found, err := activeRoles(ctx, c.session, []string{*code})
			if err != nil {
				return nil, err
			}
			if role = found[*code]; role == nil {
				e := invalidf("input.roleCode", "there is no active role %s", *code)
				e.Reason = InvalidRoleCode
				return nil, e
			}
			h.RoleID = role.ID
		}
		applyRequired(&h.IsPrimary, in.IsPrimary)
		if h.IsPrimary && h.Status != ContactActive {
			return nil, conflictf(InvalidState, "input.isPrimary", "the role is not held any more")
		}
		return h, c.heldChanged(ctx, h, k, role, "input.roleCode")
	})
}

// ChangeContactRoleStatus ends a held role or takes it up again; who was primary in it is so
// no more. Errors: as perform, Invalid (BillingEmailRequired), NotFound, Stale (of the held
// role), Conflict (PartyMerged, InvalidState).
func (*Store) ChangeContactRoleStatus(ctx context.Context, contactRoleID string, status ContactStatus, w Write) (*ContactRole, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = ContactRoles.id(p, "id", contactRoleID)
		word(p, "status", status, ContactActive, ContactInactive)
	}
	op := operation{"contactRoleStatusChange", []Permission{ContactRoleAssign}}
	return perform(ctx, op, w, []any{contactRoleID, status}, check, func(ctx context.Context, c *change) (*ContactRole, error) {
		h, k, role, err := c.heldTarget(ctx, id)
		if err != nil {
			return nil, err
		}
		if status == ContactActive && role.Status != RoleActive {
			return nil, conflictf(InvalidState, "status", "the role %s is given to nobody any more", role.Code)
		}
		h.Status, h.IsPrimary = status, h.IsPrimary && status == ContactActive
		return h, c.heldChanged(ctx, h, k, role, "status")
	})
}

// heldTarget locks a held role, which must be the revision that the caller saw, with the
// engagement that it is held in, which must be current, and finds the role.
func (c *change) heldTarget(ctx context.Context, id uuid.UUID) (*ContactRole, *Contact, *Role, error) {
	rows, err := find(ctx, c, ContactRoles, "t.id = $2", id)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(rows) == 0 {
		return nil, nil, nil, notFoundf("no such ContactRole")
	}
	k, found, err := c.lockContact(ctx, rows[0].ContactID)
	if err != nil {
		return nil, nil, nil, err
	}
	h, err := lockOne(ctx, c, ContactRoles, id)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := k.current(found, "id"); err != nil {
		return nil, nil, nil, err
	}
	if err := c.expected(h, h.Revision); err != nil {
		return nil, nil, nil, err
	}
	role, err := find(ctx, c, Roles, "t.id = $2", h.RoleID)
	if err != nil {
		return nil, nil, nil, err
	}
	return h, k, role[0], nil
}

// heldChanged queues a changed held role with what follows from it.
func (c *change) heldChanged(ctx context.Context, h *ContactRole, k *Contact, role *Role, field string) error {
	if h.IsPrimary {
		if err := c.demote(ctx, k, []*Role{role}); err != nil {
			return err
		}
	}
	update(c, ContactRoles, h)
	c.rolesChanged(k, map[string]any{"contactRole": h.NodeID(), "role": role.Code, "status": h.Status, "isPrimary": h.IsPrimary})
	if role.Code != billing {
		return nil
	}
	return c.billableAll(ctx, field, "k.id = $2", k.ID)
}
