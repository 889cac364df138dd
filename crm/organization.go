package crm

import (
	"context"

	"github.com/google/uuid"
)

// OrganizationCreate is a new organisation and its account (Durion D-03).
type OrganizationCreate struct {
	LegalName           string                // 1 to 255 characters
	TradingName         *string               // 1 to 255 characters
	TaxID               *string               // at most 64 characters, kept as given
	Email               *string               // becomes the primary address
	Phone               *string               // 7 to 15 digits; becomes the primary number
	Key                 *string               // chosen by the client; its id when absent
	Language            *string               // BCP 47
	CountryCode         *string               // of registration, an active country of the tenant
	Restrictions        []string              // at most one, of the tenant's
	ParentID            *string               // the organisation it belongs to
	AccountCode         *string               // made from the number when absent
	BillingTermsID      *string               // ACTIVE terms
	InvoiceDelivery     *InvoiceDelivery      // EMAIL when absent
	CreditLimit         *MoneyInput           // how much it may owe; nothing when absent
	CreditHold          bool                  // it may not buy on credit for now
	ExternalIdentifiers []*ExternalIdentifier // at most 20
	DuplicateOverride   *DuplicateOverride    // makes it in spite of blocking candidates

	// BillingTermsCode names the terms by their code, in place of BillingTermsID (Durion D-03). The
	// graph never does.
	BillingTermsCode *string
}

// DuplicateOverride says why an organisation is none of those that look like it.
type DuplicateOverride struct {
	Justification string   // 5 to 500 characters
	CandidateIDs  []string // those that were looked at, for the record; at most 20
}

// OrganizationCreated is a new organisation and those that look like it but did not stop it.
type OrganizationCreated struct {
	Party               *Party
	DuplicateCandidates []*DuplicateCandidate
}

// CreateOrganization makes an organisation with its account, ACTIVE. Existing organisations
// are compared by tax id, external ids, name, e-mail address and telephone number; those that
// block are a Conflict (DuplicateCandidates) without an override. Credit needs a permission of its own.
// Errors: as perform, Invalid (InvalidBillingTerms, InvalidParent), Conflict
// (DuplicateCandidates, KeyInUse, CodeInUse).
func (*Store) CreateOrganization(ctx context.Context, in OrganizationCreate, w Write) (*OrganizationCreated, error) {
	var terms, parent *uuid.UUID
	var limit *Money
	check := func(p *problems) {
		terms, parent = in.check(p)
		if in.CreditLimit != nil {
			m := p.money("input.creditLimit", *in.CreditLimit)
			limit = &m
		}
	}
	op := operation{"partyCreateOrganization", []Permission{PartyCreate}}
	if in.CreditLimit != nil || in.CreditHold {
		op.need = append(op.need, CreditLimit)
	}
	return perform(ctx, op, w, &in, check, func(ctx context.Context, c *change) (*OrganizationCreated, error) {
		settings, err := c.settings(ctx)
		if err != nil {
			return nil, err
		}
		party := &Party{
			Row: Row{ID: newID()}, Kind: Organization, Status: PartyActive, LegalName: &in.LegalName, TradingName: in.TradingName,
			TaxID: in.TaxID, Language: in.Language, CountryCode: in.CountryCode, Restrictions: in.Restrictions, ParentID: parent,
		}
		party.Derive()
		payable, err := c.permitted(ctx, settings, party, parent, termsBy{terms, in.BillingTermsCode})
		if err != nil {
			return nil, err
		}
		// From here on organisations are made one at a time: two that look alike do not both
		// find nobody.
		numbers, err := c.numbers(ctx, partyNumber)
		if err != nil {
			return nil, err
		}
		candidates, err := c.unlessDuplicate(ctx, &in, party)
		if err != nil {
			return nil, err
		}
		party.Number = numbers[partyNumber]
		party.Key = valueOr(in.Key, party.ID.String())
		code, err := c.codeOr(ctx, in.AccountCode, "ACC", party.Number, accountCodeTaken)
		if err != nil {
			return nil, err
		}
		account := &Account{
			Row: Row{ID: party.ID}, Code: code, Status: AccountActive,
			BillingTermsID: payable, InvoiceDelivery: valueOr(in.InvoiceDelivery, DeliverByEmail), CreditHold: in.CreditHold,
		}
		if limit != nil {
			account.CreditLimitMinor, account.Currency = &limit.Minor, &limit.Currency
		}
		p := &profile{party: party, account: account}
		insert(c, Parties, party)
		insert(c, Accounts, account)
		if limit != nil {
			c.enterLimit(account)
		}
		c.reachAll(p, settings, in.Email, in.Phone, false)
		c.identifyExternally(p, in.ExternalIdentifiers, "input.externalIdentifiers")
		made(c, PartyCreated, Parties, party, nil)
		if o := in.DuplicateOverride; o != nil && anyBlocking(candidates) {
			made(c, DuplicateOverridden, Parties, party, map[string]any{
				"justification": o.Justification, "candidates": idsOf(candidates), "considered": o.CandidateIDs,
			})
		}
		return &OrganizationCreated{party, candidates}, nil
	})
}

func (in *OrganizationCreate) check(p *problems) (terms, parent *uuid.UUID) {
	in.LegalName = p.required("input.legalName", in.LegalName, 255)
	in.TradingName = p.text("input.tradingName", in.TradingName, 255)
	in.TaxID = p.text("input.taxId", in.TaxID, 64)
	in.Email = p.email("input.email", in.Email)
	in.Phone = p.phone("input.phone", in.Phone, minLegacyPhoneDigits)
	in.Key = p.key("input.key", in.Key)
	in.Language = p.language("input.language", in.Language)
	in.CountryCode = p.country("input.countryCode", in.CountryCode)
	in.Restrictions = p.restrictions(in.Restrictions)
	in.AccountCode = p.code("input.accountCode", in.AccountCode)
	if code := in.BillingTermsCode; code != nil {
		if in.BillingTermsCode = p.text("input.billingTermsCode", code, 64); in.BillingTermsCode == nil {
			p.because(InvalidBillingTerms, "input.billingTermsCode", "terms without a code do not exist")
		}
	}
	optionalWord(p, "input.invoiceDelivery", in.InvoiceDelivery, deliveries...)
	p.externals("input.externalIdentifiers", in.ExternalIdentifiers)
	if o := in.DuplicateOverride; o != nil {
		o.Justification = p.between("input.duplicateOverride.justification", o.Justification, 5, 500)
		p.atMost("input.duplicateOverride.candidateIds", len(o.CandidateIDs), 20)
		for i, id := range o.CandidateIDs {
			Parties.id(p, indexed("input.duplicateOverride.candidateIds", i), id)
		}
	}
	return BillingTermsList.optionalID(p, "input.billingTermsId", in.BillingTermsID), Parties.optionalID(p, "input.parentId", in.ParentID)
}

// optionalID is id for a reference that may be absent.
func (t *Record[T]) optionalID(p *problems, field string, text *string) *uuid.UUID {
	if text == nil {
		return nil
	}
	id := t.id(p, field, *text)
	return &id
}

// restrictions checks those of a party: at most one.
func (p *problems) restrictions(given []string) []string {
	return p.set("input.restrictions", given, 1, func(field string, v *string) *string { return p.text(field, v, 64) })
}

// permitted checks what a new organisation refers to, all of it at once. It returns the terms
// of payment: those given, else the tenant's default.
func (c *change) permitted(ctx context.Context, settings *TenantSettings, party *Party, parent *uuid.UUID, by termsBy) (*uuid.UUID, error) {
	var p problems
	settings.permitted(&p, party)
	terms, err := c.billingTerms(ctx, &p, by)
	if err != nil {
		return nil, err
	}
	if parent != nil {
		above, err := c.profile(ctx, *parent)
		switch {
		case CodeOf(err) == NotFound:
			p.because(InvalidParent, "input.parentId", "there is no such organisation")
		case err != nil:
			return nil, err
		default:
			if err := c.mayBelong(ctx, &p, "input.parentId", party.ID, above); err != nil {
				return nil, err
			}
		}
	}
	return terms, p.err()
}

// termsBy names terms of payment by one of both, or by none.
type termsBy struct {
	id   *uuid.UUID
	code *string
}

// billingTerms checks that terms can be chosen, and finds the default when none are given.
func (c *change) billingTerms(ctx context.Context, p *problems, by termsBy) (*uuid.UUID, error) {
	condition, args, field := "t.is_default AND t.status = 'ACTIVE'", []any{}, ""
	switch {
	case by.id != nil:
		condition, args, field = "t.id = $2 AND t.status = 'ACTIVE' FOR SHARE", []any{*by.id}, "input.billingTermsId"
	case by.code != nil:
		condition, args, field = "t.code = $2 AND t.status = 'ACTIVE' FOR SHARE", []any{*by.code}, "input.billingTermsCode"
	}
	rows, err := find(ctx, c, BillingTermsList, condition, args...)
	switch {
	case err != nil:
		return nil, err
	case len(rows) > 0:
		return &rows[0].ID, nil
	case field != "":
		p.because(InvalidBillingTerms, field, "these billing terms do not exist or are not ACTIVE")
	}
	return nil, nil //nolint:nilnil // an account may have no terms
}

// unlessDuplicate finds what resembles a new organisation. Errors: Conflict when it is
// blocking and not overridden.
func (c *change) unlessDuplicate(ctx context.Context, in *OrganizationCreate, party *Party) ([]*DuplicateCandidate, error) {
	l := likeness{name: party.SearchName, core: *party.CoreName, taxID: valueOr(party.TaxIDNormalised, ""), externals: in.ExternalIdentifiers}
	if in.Email != nil {
		l.email = NormaliseEmail(*in.Email)
	}
	if in.Phone != nil {
		l.phone = NormalisePhone(*in.Phone)
	}
	candidates, err := c.candidates(ctx, l)
	if err != nil || in.DuplicateOverride != nil || !anyBlocking(candidates) {
		return candidates, err
	}
	e := conflictf(DuplicateCandidates, "input", "organisations exist that look like this one: to make it all the same, override them with a justification")
	e.Candidates = candidates
	return nil, e
}

func anyBlocking(candidates []*DuplicateCandidate) bool {
	for _, c := range candidates {
		if c.IsBlocking {
			return true
		}
	}
	return false
}

func idsOf(candidates []*DuplicateCandidate) []string {
	ids := make([]string, len(candidates))
	for i, c := range candidates {
		ids[i] = c.Party.NodeID()
	}
	return ids
}

// reachAll queues the primary contact points of a new party; weak makes its claims give way.
func (c *change) reachAll(p *profile, settings *TenantSettings, email, phone *string, weak bool) {
	if email != nil {
		c.reach(p, PointEmail, PointOther, *email, nil, settings.claims(p, PointEmail).orIfFree(weak), "input.email")
	}
	if phone != nil {
		c.reach(p, PointPhone, PointOther, *phone, nil, settings.claims(p, PointPhone).orIfFree(weak), "input.phone")
	}
}

// valueOr is what p points to, else the default.
func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
