package seed

import "crmgraph/crm"

// desk takes on the contacts of one organisation: the first is the primary contact, and
// the first to hold a role is the primary one of that role.
type desk struct {
	g            *generator
	organization resident
	held         map[string]bool // roles
}

func (g *generator) desk(organization resident) *desk {
	return &desk{g: g, organization: organization, held: map[string]bool{}}
}

// engage makes a person a contact who holds the roles.
func (d *desk) engage(person resident, title string, roles ...string) *crm.Contact {
	g, row := d.g, d.g.row()
	from := d.organization.CreatedAt
	if person.CreatedAt.After(from) {
		from = person.CreatedAt
	}
	at := g.between(from, g.today)
	c := &crm.Contact{
		Row: row, Key: row.ID.String(), OrganizationID: d.organization.ID, PersonID: person.ID, Title: &title,
		IsPrimary: len(d.held) == 0, Status: crm.ContactActive, CreatedAt: at, UpdatedAt: at, Revision: 1,
	}
	if g.chance(15) {
		delivery := pick(g, []crm.InvoiceDelivery{crm.DeliverByPortal, crm.DeliverByMail, crm.DeliverByEmail})
		c.InvoiceDelivery = &delivery
	}
	g.contacts = append(g.contacts, c)
	for _, role := range roles {
		g.contactRoles = append(g.contactRoles, &crm.ContactRole{
			Row: g.row(), ContactID: c.ID, OrganizationID: c.OrganizationID, RoleID: g.roleIDs[role],
			IsPrimary: !d.held[role], Status: crm.ContactActive, CreatedAt: at, UpdatedAt: at, Revision: 1,
		})
		d.held[role] = true
	}
	return c
}

// post is a place in an organisation.
type post struct {
	title string
	roles []string
}

// posts are what organisations need people for, the most needed first.
func posts() []post {
	return []post{
		{"Managing Director", []string{"PRIMARY_BUSINESS_CONTACT", "APPROVER"}},
		{"Head of Finance", []string{"BILLING", "PAYMENT_AUTHORIZER", "PAYER"}},
		{"Fleet Manager", []string{"OPERATIONS", "PRIMARY", "LOGISTICS"}},
		{"Workshop Foreman", []string{"TECHNICAL"}},
		{"Purchasing Officer", []string{"BUYER", "APPROVER"}},
		{"Accounts Clerk", []string{"BILLING"}},
		{"Dispatcher", []string{"LOGISTICS", "OPERATIONS"}},
		{"Sales Representative", []string{"SALES_REP", "CONTACT"}},
		{"Office Manager", []string{"CONTACT"}},
		{"Driver", []string{"DRIVER"}},
	}
}
