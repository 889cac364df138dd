package crm

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// AccountUpdate changes how an organisation is billed: what is left out stays, null clears.
type AccountUpdate struct {
	Code            graphql.Omittable[*string]          `json:",omitzero"` // cannot be cleared
	BillingTermsID  graphql.Omittable[*string]          `json:",omitzero"` // ACTIVE terms
	InvoiceDelivery graphql.Omittable[*InvoiceDelivery] `json:",omitzero"` // cannot be cleared
}

// UpdateAccount changes how an organisation is billed. Delivery by e-mail needs a primary
// e-mail address of everyone who holds BILLING there.
// Errors: as perform, Invalid (InvalidBillingTerms, BillingEmailRequired), NotFound, Stale,
// Conflict (CodeInUse, PartyMerged, InvalidState).
func (*Store) UpdateAccount(ctx context.Context, accountID string, in AccountUpdate, w Write) (*Account, error) {
	var id uuid.UUID
	var terms *uuid.UUID
	check := func(p *problems) {
		id = Accounts.id(p, "id", accountID)
		patchRequired(p, "input.code", &in.Code, func(v *string) *string { return p.code("input.code", v) })
		terms = BillingTermsList.optionalID(p, "input.billingTermsId", in.BillingTermsID.Value())
		patchRequired(p, "input.invoiceDelivery", &in.InvoiceDelivery, func(v *InvoiceDelivery) *InvoiceDelivery {
			return optionalWord(p, "input.invoiceDelivery", v, deliveries...)
		})
	}
	op := operation{"accountUpdate", []Permission{PartyEdit}}
	return perform(ctx, op, w, []any{accountID, &in}, check, func(ctx context.Context, c *change) (*Account, error) {
		p, err := c.accountTarget(ctx, id)
		if err != nil {
			return nil, err
		}
		var wrong problems
		if in.BillingTermsID.IsSet() {
			p.account.BillingTermsID = nil
			if terms != nil {
				if p.account.BillingTermsID, err = c.billingTerms(ctx, &wrong, termsBy{id: terms}); err != nil {
					return nil, err
				}
			}
		}
		if wrong.err() != nil {
			return nil, wrong.err()
		}
		applyRequired(&p.account.Code, in.Code)
		applyRequired(&p.account.InvoiceDelivery, in.InvoiceDelivery)
		fields := c.save(p)
		altered(c, AccountUpdated, Accounts, p.account, fields, nil)
		if err := c.flush(ctx); err != nil {
			return nil, at(err, CodeInUse, "input.code")
		}
		if in.InvoiceDelivery.IsSet() {
			return p.account, c.billable(ctx, "input.invoiceDelivery", id)
		}
		return p.account, nil
	})
}

// ChangeAccountStatus makes an account ACTIVE or INACTIVE, or DOOMED for good: only an account that
// owes nothing ends (G3N 11). An account that is not ACTIVE buys nothing on credit.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (PartyMerged, InvalidState).
func (*Store) ChangeAccountStatus(ctx context.Context, accountID string, status AccountStatus, w Write) (*Account, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = Accounts.id(p, "id", accountID)
		word(p, "status", status, AccountActive, AccountInactive, AccountDoomed)
	}
	op := operation{"accountStatusChange", []Permission{PartyEdit}}
	return perform(ctx, op, w, []any{accountID, status}, check, func(ctx context.Context, c *change) (*Account, error) {
		p, err := c.anyAccount(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := p.editable("id"); err != nil {
			return nil, err
		}
		if p.account.Status == AccountDoomed {
			return nil, conflictf(InvalidState, "id", "the account is DOOMED, which is final")
		}
		if err := c.expected(p.account, p.account.Revision); err != nil {
			return nil, err
		}
		if used := p.account.Credit().Used; status == AccountDoomed && p.account.CreditUsedMinor > 0 {
			return nil, conflictf(InvalidState, "status", "%s are owed: an account that ends owes nothing", used)
		}
		details := map[string]any{"from": p.account.Status, "to": status}
		p.account.Status = status
		altered(c, AccountStatusChanged, Accounts, p.account, c.save(p), details)
		return p.account, nil
	})
}

// accountTarget is target for an operation on an account. Errors: also NotFound for a party that
// has none.
func (c *change) accountTarget(ctx context.Context, id uuid.UUID) (*profile, error) {
	p, err := c.anyAccount(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := p.editable("id"); err != nil {
		return nil, err
	}
	return p, c.expected(p.account, p.account.Revision)
}

// anyAccount is accountTarget for an operation that decides itself which states it serves, and
// looks at the revision.
func (c *change) anyAccount(ctx context.Context, id uuid.UUID) (*profile, error) {
	found, err := c.profiles(ctx, id)
	if err != nil {
		return nil, err
	}
	p := found[id]
	if p == nil || p.account == nil {
		return nil, missing("id", Accounts)
	}
	return p, nil
}

// billable makes sure, after what is queued, that everyone who holds BILLING at or for the
// party, and whom invoices reach by e-mail, has a primary e-mail address (Durion 3.3).
// Errors: Invalid with BillingEmailRequired at field.
func (c *change) billable(ctx context.Context, field string, party uuid.UUID) error {
	return c.billableAll(ctx, field, "(k.organization_id = $2 OR k.person_id = $2)", party)
}

// billableAll is billable for the contacts k of a condition on $2.
func (c *change) billableAll(ctx context.Context, field, condition string, value any) error {
	if err := c.flush(ctx); err != nil {
		return err
	}
	var unreachable bool
	err := c.query(ctx, statement{sql: `SELECT true FROM contact k
		JOIN contact_role h ON h.tenant_id = $1 AND h.contact_id = k.id AND h.status = 'ACTIVE'
		JOIN role r ON r.tenant_id = $1 AND r.id = h.role_id AND r.code = 'BILLING'
		LEFT JOIN account a ON a.tenant_id = $1 AND a.id = k.organization_id
		WHERE k.tenant_id = $1 AND k.status = 'ACTIVE' AND ` + condition + `
		AND coalesce(k.invoice_delivery, a.invoice_delivery, 'EMAIL') IN ('EMAIL', 'EMAIL_AND_MAIL')
		AND NOT EXISTS (SELECT 1 FROM contact_point o WHERE o.tenant_id = $1 AND o.party_id = k.person_id AND o.kind = 'EMAIL' AND o.is_primary AND o.normalised <> '')
		LIMIT 1`, args: []any{c.tenant, value}, read: readOne(&unreachable)})
	if err != nil {
		return err
	}
	if unreachable {
		e := invalidf(field, "who holds BILLING and gets invoices by e-mail needs a primary e-mail address")
		e.Reason = BillingEmailRequired
		return e
	}
	return nil
}
