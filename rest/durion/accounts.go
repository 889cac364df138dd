package durion

import (
	"context"
	"net/http"

	"crmgraph/crm"
	"crmgraph/rest"
)

// createdAccount is the CreateCommercialAccountResponse (Durion D-03).
type createdAccount struct {
	PartyID             string               `json:"partyId"`
	LegalName           string               `json:"legalName"`
	Status              crm.PartyStatus      `json:"status"`
	CreatedAt           instant              `json:"createdAt"`
	DuplicateCandidates []duplicateCandidate `json:"duplicateCandidates"`
}

// duplicateCandidate is an account that looks like another one (Durion 3.5).
type duplicateCandidate struct {
	PartyID      string            `json:"partyId"`
	LegalName    string            `json:"legalName"`
	MatchReason  crm.MatchReason   `json:"matchReason"` // the strongest
	MatchReasons []crm.MatchReason `json:"matchReasons"`
	TaxID        string            `json:"taxId,omitempty"`
	Status       crm.PartyStatus   `json:"status"`
	CreatedAt    instant           `json:"createdAt"`
}

// createAccount is D-03.
func (d *door) createAccount(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	b := r.Body
	in := crm.OrganizationCreate{
		LegalName:   b.Required("input.legalName", "legalName"),
		TradingName: b.Filled("input.tradingName", "displayName", "dbaName"),
	}
	if kind := b.Text("", "partyType"); kind != nil && kindOf(*kind) != crm.Organization {
		r.Refuse("", "partyType", "an account is made for an ORGANIZATION")
	}
	in.TaxID = b.Text("input.taxId", "taxId")
	in.BillingTermsCode = b.Text("input.billingTermsCode", "billingTermsId", "defaultBillingTermsId")
	in.Email, in.Phone = b.Filled("input.email", "email"), b.Filled("input.phone", "phone")
	in.ExternalIdentifiers = externalIdentifiers(b)
	in.DuplicateOverride = duplicateOverride(r)
	made, err := d.store.CreateOrganization(ctx, in, crm.Write{})
	if err != nil {
		return nil, err
	}
	p := made.Party
	response := rest.Created(createdAccount{
		PartyID: p.ID.String(), LegalName: text(p.LegalName), Status: p.Status, CreatedAt: instant(p.CreatedAt),
		DuplicateCandidates: candidatesOf(r, made.DuplicateCandidates),
	})
	response.Header = http.Header{"Location": {"/v1/crm/accounts/parties/" + p.ID.String()}}
	return response, nil
}

// kindOf reads a party type with the words that other systems have for it (Durion 5, row 22).
func kindOf(word string) crm.PartyKind {
	switch word {
	case "BUSINESS":
		return crm.Organization
	case "PERSON":
		return crm.Individual
	default:
		return crm.PartyKind(word)
	}
}

// externalIdentifiers reads an object of ids by their systems (Durion 3.10).
func externalIdentifiers(b *rest.Input) []*crm.ExternalIdentifier {
	ids := b.Object("input.externalIdentifiers", "externalIdentifiers")
	if ids == nil {
		return nil
	}
	var list []*crm.ExternalIdentifier
	for _, system := range ids.Names() {
		at := rest.Indexed("input.externalIdentifiers", len(list))
		ids.Value(at+".system", system)
		value := ids.Required(at+".value", system)
		list = append(list, &crm.ExternalIdentifier{System: system, Value: value})
	}
	return list
}

// duplicateOverride reads why an account is none of those that look like it; nil without an override,
// when what belongs to one needs no more than the right type.
func duplicateOverride(r *rest.Request) *crm.DuplicateOverride {
	const justification, candidates = "duplicateOverrideJustification", "duplicateCandidatePartyIds"
	if wanted := r.Body.Bool("", "duplicateOverride"); wanted == nil || !*wanted {
		r.Body.Text("", justification)
		r.Body.Texts("", candidates)
		return nil
	}
	o := &crm.DuplicateOverride{Justification: r.Body.Required("input.duplicateOverride.justification", justification)}
	ids, _ := r.Body.Texts("input.duplicateOverride.candidateIds", candidates)
	for i, id := range ids {
		global := globalID("pty", id)
		if global == nobody("pty", id) { // kept for the record, so it must be an id
			r.Refuse("", rest.Indexed(candidates, i), "an id is a UUID")
		}
		o.CandidateIDs = append(o.CandidateIDs, global)
	}
	return o
}

// candidatesOf shows those that look like a new account. Their tax ids are for who may see parties.
func candidatesOf(r *rest.Request, list []*crm.DuplicateCandidate) []duplicateCandidate {
	shown := make([]duplicateCandidate, len(list))
	for i, c := range list {
		shown[i] = duplicateCandidate{
			PartyID: c.Party.ID.String(), LegalName: text(c.Party.LegalName), MatchReason: c.Reasons[0], MatchReasons: c.Reasons,
			Status: c.Party.Status, CreatedAt: instant(c.Party.CreatedAt),
		}
		if r.Caller.Permissions.Has(crm.PartyView) {
			shown[i].TaxID = text(c.Party.TaxID)
		}
	}
	return shown
}

// partySummary is a party that was found (Durion D-04).
type partySummary struct {
	PartyID         string          `json:"partyId"`
	LegalName       string          `json:"legalName,omitempty"`
	DisplayName     string          `json:"displayName,omitempty"`
	PartyType       crm.PartyKind   `json:"partyType"`
	Status          crm.PartyStatus `json:"status"`
	Email           string          `json:"email,omitempty"`
	Phone           string          `json:"phone,omitempty"`
	CreatedAt       instant         `json:"createdAt"`
	MergedToPartyID string          `json:"mergedToPartyId,omitempty"`
}

var partySorting = sorting[crm.PartySearchOrderField]{
	fields: map[string]crm.PartySearchOrderField{
		"legalName": crm.PartyByLegalName, "createdAt": crm.PartyByCreatedAt,
		"modifiedAt": crm.PartyByUpdatedAt, "updatedAt": crm.PartyByUpdatedAt,
	},
	usual: "createdAt", direction: crm.Desc,
}

// searchParties is D-04.
func (d *door) searchParties(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	b := r.Body
	query := crm.PartyQuery{
		Name: b.Text("input.name", "name"), Email: b.Text("input.email", "email"), Phone: b.Text("input.phone", "phone"),
		TaxID: b.Text("input.taxId", "taxId"), ExternalIdentifier: b.Text("input.externalIdentifier", "externalIdentifier"),
	}
	if word := b.Text("input.kind", "partyType"); word != nil {
		query.Kind = new(kindOf(*word))
	}
	query.Status = rest.Word[crm.PartyStatus](b, "input.status", "status")
	query.IncludeMerged = b.Bool("input.includeMerged", "includeMerged")
	page := pagingOf(r, b, partySorting)
	found, err := d.store.SearchParties(ctx, query, &crm.PartySearchOrder{Field: page.Field, Direction: page.Direction}, page.Slice(0))
	if err != nil {
		return nil, err
	}
	total, err := found.TotalCount(ctx)
	if err != nil {
		return nil, err
	}
	crm.Prefetch(ctx, "Party", found.Nodes(), crm.Plan{{Field: "contactPoints", Page: crm.WholeList()}})
	rows := make([]partySummary, len(found.Nodes()))
	for i, p := range found.Nodes() {
		if rows[i], err = summaryOf(ctx, p); err != nil {
			return nil, err
		}
	}
	return enveloped(page.Page, rows, *total), nil
}

func summaryOf(ctx context.Context, p *crm.Party) (partySummary, error) {
	s := partySummary{
		PartyID: p.ID.String(), LegalName: text(p.LegalName), DisplayName: displayName(p), PartyType: p.Kind, Status: p.Status, CreatedAt: instant(p.CreatedAt),
	}
	if p.MergedIntoID != nil {
		s.MergedToPartyID = p.MergedIntoID.String()
	}
	var err error
	s.Email, s.Phone, err = reach(ctx, p, primary)
	return s, err
}

// displayName is what the contract shows beside the registered name: an organisation's trading name,
// a person's whole name.
func displayName(p *crm.Party) string {
	if p.Kind == crm.Organization {
		return text(p.TradingName)
	}
	return p.DisplayName
}
