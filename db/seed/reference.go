package seed

import "crmgraph/crm"

// reference makes the lists that a tenant's other rows refer to.
func (g *generator) reference() {
	for i, role := range []struct{ code, label string }{
		{"BILLING", "Billing Contact"},
		{"APPROVER", "Approver"},
		{"DRIVER", "Driver"},
		{"PAYMENT_AUTHORIZER", "Payment Authorizer"},
		{"OPERATIONS", "Operations"},
		{"PRIMARY_BUSINESS_CONTACT", "Primary Business Contact"},
		{"TECHNICAL", "Technical"},
		{"BUYER", "Buyer"},
		{"PAYER", "Payer"},
		{"SALES_REP", "Sales Representative"},
		{"PRIMARY", "Primary Contact"},
		{"LOGISTICS", "Logistics Contact"},
		{"CONTACT", "Contact"},
	} {
		r := &crm.Role{Row: g.row(), Code: role.code, Label: role.label, Position: i + 1, Status: crm.RoleActive, CreatedAt: g.today, UpdatedAt: g.today, Revision: 1}
		g.roleIDs[r.Code] = r.ID
		g.roles = append(g.roles, r)
	}
	for _, t := range []crm.BillingTerms{
		{Code: "BT-NET30", Label: "30 days net", NetDays: 30, IsDefault: true},
		{Code: "BT-NET60", Label: "60 days net", NetDays: 60},
		{Code: "BT-COD", Label: "Cash on delivery"},
	} {
		t.Row, t.Status, t.Revision, t.CreatedAt, t.UpdatedAt = g.row(), crm.BillingTermsActive, 1, g.today, g.today
		g.termIDs = append(g.termIDs, t.ID)
		g.terms = append(g.terms, &t)
	}
}
