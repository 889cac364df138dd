package durion

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"crmgraph/crm"
	"crmgraph/rest"
)

// contactList is the answer of D-08.
type contactList struct {
	PartyID  string     `json:"partyId"`
	Contacts []*contact `json:"contacts"`
}

// contact is the ContactWithRoles (Durion 2).
type contact struct {
	ContactID             string              `json:"contactId"` // of the person
	ContactName           string              `json:"contactName"`
	Email                 string              `json:"email,omitempty"`
	Phone                 string              `json:"phone,omitempty"`
	HasPrimaryEmail       bool                `json:"hasPrimaryEmail"`
	Roles                 []assignedRole      `json:"roles"`
	InvoiceDeliveryMethod crm.InvoiceDelivery `json:"invoiceDeliveryMethod"` // the effective one
	Version               string              `json:"version"`
}

// assignedRole is the AssignedRole (Durion 2).
type assignedRole struct {
	RoleCode  string `json:"roleCode"`
	RoleLabel string `json:"roleLabel"`
	IsPrimary bool   `json:"isPrimary"`
}

// rolesChanged is what comes of a change of roles (Durion D-09).
type rolesChanged struct {
	PartyID   string  `json:"partyId"`
	ContactID string  `json:"contactId"`
	Version   string  `json:"version"`
	Status    string  `json:"status"`
	UpdatedAt instant `json:"updatedAt"`
}

// everyContact is the page of all contacts of a party: the contract does not bound them.
var everyContact = crm.NewSlice(math.MaxInt32, 0)

// contactPlan is what a contact is shown with.
var contactPlan = crm.Plan{
	{Field: "person", Next: crm.Plan{{Field: "contactPoints", Page: crm.WholeList()}}},
	{Field: "roles", Page: crm.WholeList(), Next: crm.Plan{{Field: "role"}}},
	{Field: "effectiveInvoiceDelivery"},
}

// listContacts is D-08 and D-16.
func (d *door) listContacts(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	party, err := d.store.PartyInUse(ctx, partyID(r, "id"))
	if err != nil {
		return nil, err
	}
	all, err := crm.PartyContacts.Load(ctx, party, everyContact)
	if err != nil {
		return nil, err
	}
	rows := slices.DeleteFunc(slices.Clone(all.Nodes()), func(row *crm.Contact) bool { return row.Status != crm.ContactActive })
	crm.Prefetch(ctx, "Contact", rows, contactPlan)
	list := contactList{PartyID: party.ID.String(), Contacts: []*contact{}}
	for _, row := range rows {
		shown, err := contactOf(ctx, row)
		if err != nil {
			return nil, err
		}
		list.Contacts = append(list.Contacts, shown)
	}
	slices.SortFunc(list.Contacts, func(a, b *contact) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.ContactName), strings.ToLower(b.ContactName)), strings.Compare(a.ContactID, b.ContactID))
	})
	return rest.OK(list), nil
}

// setContactRoles is D-09 and D-17.
func (d *door) setContactRoles(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	organization, person, w := partyID(r, "organizationId"), globalID("pty", r.Var("contactId", "personId")), write(r)
	items, given := r.Body.Objects("input.roles", "roles")
	if !given {
		r.Refuse("", "roles", "a list of roles is required; it may be empty")
	}
	in := crm.RoleSet{Roles: make([]*crm.RoleAssignment, len(items))}
	for i, item := range items {
		at := rest.Indexed("input.roles", i)
		in.Roles[i] = &crm.RoleAssignment{RoleCode: item.Required(at+".roleCode", "roleCode")}
		if yes := item.Bool(at+".isPrimary", "isPrimary"); yes != nil {
			in.Roles[i].IsPrimary = *yes
		}
	}
	row, err := d.store.SetContactRolesOf(ctx, organization, person, in, w)
	if err != nil {
		return nil, err
	}
	return rest.OK(rolesChanged{
		PartyID: row.OrganizationID.String(), ContactID: row.PersonID.String(), Version: version(row.Revision), Status: "SUCCESS", UpdatedAt: instant(row.UpdatedAt),
	}), nil
}

func contactOf(ctx context.Context, row *crm.Contact) (*contact, error) {
	shown := &contact{ContactID: row.PersonID.String(), Roles: []assignedRole{}, Version: version(row.Revision)}
	person, err := crm.ContactPerson.Load(ctx, row)
	if err != nil || person == nil {
		return shown, err
	}
	shown.ContactName = person.DisplayName
	if shown.Email, shown.Phone, err = reach(ctx, person, anyPoint); err != nil {
		return nil, err
	}
	first, _, err := reach(ctx, person, primary)
	if err != nil {
		return nil, err
	}
	shown.HasPrimaryEmail = first != ""
	if shown.InvoiceDeliveryMethod, err = crm.EffectiveInvoiceDelivery(ctx, row); err != nil {
		return nil, err
	}
	shown.Roles, err = assignedRoles(ctx, row)
	return shown, err
}

// anyPoint lets any contact point take the place of a primary one.
func anyPoint(*crm.ContactPoint) bool { return true }

// assignedRoles are the roles of a contact, in the order of the tenant's list.
func assignedRoles(ctx context.Context, row *crm.Contact) ([]assignedRole, error) {
	held, err := crm.ContactRoleList.All(ctx, row)
	if err != nil {
		return nil, err
	}
	leads := make(map[*crm.Role]bool, len(held))
	var roles []*crm.Role
	for _, h := range held {
		role, err := crm.ContactRoleRole.Load(ctx, h)
		if err != nil {
			return nil, err
		}
		roles = append(roles, role)
		leads[role] = h.IsPrimary
	}
	slices.SortFunc(roles, func(a, b *crm.Role) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), strings.Compare(a.Code, b.Code))
	})
	shown := make([]assignedRole, len(roles))
	for i, role := range roles {
		shown[i] = assignedRole{RoleCode: role.Code, RoleLabel: role.Label, IsPrimary: leads[role]}
	}
	return shown, nil
}

// storedContact is a contact as a conflict tells it.
func storedContact(ctx context.Context, row *crm.Contact) (*stored, error) {
	shown, err := contactOf(ctx, row)
	if err != nil {
		return nil, err
	}
	by, err := lastActor(ctx, crm.ContactEvents, row)
	return &stored{revision: row.Revision, data: shown, at: instant(row.UpdatedAt), by: by}, err
}
