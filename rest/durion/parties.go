package durion

import (
	"context"

	"crmgraph/crm"
	"crmgraph/rest"
)

// party is the GetPartyResponse (Durion D-05).
type party struct {
	PartyID               string            `json:"partyId"`
	PartyType             crm.PartyKind     `json:"partyType"`
	Status                crm.PartyStatus   `json:"status"`
	LegalName             string            `json:"legalName,omitempty"`
	DisplayName           string            `json:"displayName,omitempty"`
	FirstName             string            `json:"firstName,omitempty"`
	LastName              string            `json:"lastName,omitempty"`
	CustomerID            int64             `json:"customerId,omitempty"`
	TaxID                 string            `json:"taxId,omitempty"`
	Email                 string            `json:"email,omitempty"`
	Phone                 string            `json:"phone,omitempty"`
	BillingTermsID        string            `json:"billingTermsId,omitempty"`
	InvoiceDeliveryMethod string            `json:"invoiceDeliveryMethod,omitempty"`
	ExternalIdentifiers   map[string]string `json:"externalIdentifiers"`
	Tier                  crm.AccountTier   `json:"tier"`
	Version               string            `json:"version"`
	CreatedAt             instant           `json:"createdAt"`
	UpdatedAt             instant           `json:"updatedAt"`
}

// getParty is D-05.
func (d *door) getParty(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	row, err := d.store.PartyInUse(ctx, partyID(r, "id"))
	if err != nil {
		return nil, err
	}
	crm.Prefetch(ctx, "Party", []*crm.Party{row}, crm.Plan{
		{Field: "customer"},
		{Field: "account", Next: crm.Plan{{Field: "billingTerms"}}},
		{Field: "contactPoints", Page: crm.WholeList()},
		{Field: "identifiers", Page: crm.WholeList()},
	})
	shown, err := partyOf(ctx, row)
	if err != nil {
		return nil, err
	}
	return rest.OK(shown), nil
}

func partyOf(ctx context.Context, row *crm.Party) (*party, error) {
	shown := &party{
		PartyID: row.ID.String(), PartyType: row.Kind, Status: row.Status,
		LegalName: text(row.LegalName), DisplayName: displayName(row), FirstName: text(row.FirstName), LastName: text(row.LastName), TaxID: text(row.TaxID),
		ExternalIdentifiers: map[string]string{}, Tier: row.Tier().Level, Version: version(row.Revision),
		CreatedAt: instant(row.CreatedAt), UpdatedAt: instant(row.UpdatedAt),
	}
	customer, err := crm.PartyCustomer.Load(ctx, row)
	if err != nil {
		return nil, err
	}
	if customer != nil && row.Kind == crm.Individual {
		shown.CustomerID = customer.Number
	}
	if err := shown.bill(ctx, row); err != nil {
		return nil, err
	}
	identifiers, err := crm.PartyIdentifiers.All(ctx, row)
	if err != nil {
		return nil, err
	}
	for _, i := range identifiers {
		if i.Kind == crm.IdentifierExternal && !i.IsAlias {
			shown.ExternalIdentifiers[i.SystemName] = i.Value
		}
	}
	shown.Email, shown.Phone, err = reach(ctx, row, primary)
	return shown, err
}

// bill fills in how an organisation is billed.
func (p *party) bill(ctx context.Context, row *crm.Party) error {
	account, err := crm.PartyAccount.Load(ctx, row)
	if err != nil || account == nil {
		return err
	}
	p.InvoiceDeliveryMethod = string(account.InvoiceDelivery)
	terms, err := crm.AccountBillingTerms.Load(ctx, account)
	if err != nil || terms == nil {
		return err
	}
	p.BillingTermsID = terms.Code
	return nil
}

// primary leaves out what is not the primary contact point of its kind.
func primary(point *crm.ContactPoint) bool { return point.IsPrimary }

// reach is the e-mail address and the telephone number of a party: the primary one of each kind,
// else the oldest that may take its place.
func reach(ctx context.Context, row *crm.Party, may func(*crm.ContactPoint) bool) (email, phone string, err error) {
	points, err := crm.PartyContactPoints.All(ctx, row)
	if err != nil {
		return "", "", err
	}
	best := map[crm.ContactPointKind]*crm.ContactPoint{}
	for _, p := range points { // the oldest first
		if had := best[p.Kind]; may(p) && (had == nil || p.IsPrimary) {
			best[p.Kind] = p
		}
	}
	if p := best[crm.PointEmail]; p != nil {
		email = p.Value
	}
	if p := best[crm.PointPhone]; p != nil {
		phone = p.Value
	}
	return email, phone, nil
}
