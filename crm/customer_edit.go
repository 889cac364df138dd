package crm

import (
	"context"
	"encoding/json"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// maxMetadata bounds what clients keep with a customer, in bytes of JSON.
const maxMetadata = 16 << 10

// CustomerCreate is a new customer with the party behind it (Durion D-02, G3N 22).
type CustomerCreate struct {
	Kind                *PartyKind            // INDIVIDUAL when absent; an ORGANIZATION needs LegalName
	Type                *CustomerType         // PRIVATE or, for an organisation, COMMERCIAL when absent
	Status              *CustomerStatus       // ACTIVE (when absent) or INACTIVE
	Code                *string               // made from the number when absent
	Email               *string               // becomes the primary address
	Phone               *string               // 7 to 15 digits; becomes the primary number
	FirstName           *string               // at most 100 characters; persons only
	LastName            *string               // at most 100 characters; persons only
	LegalName           *string               // at most 255 characters; organisations only
	BirthDate           *time.Time            // a day; persons only
	Language            *string               // BCP 47
	CountryCode         *string               // an active country of the tenant
	Addresses           []*Address            // at most 20
	ExternalIdentifiers []*ExternalIdentifier // at most 20
	Tags                []string              // at most 50 of 1 to 64 characters
	Metadata            json.RawMessage       // a JSON object of at most 16 KiB
	PrimaryAddress      *string               // a label, at most 255 characters
	HomeLogicalID       *string               // at most 128 characters
	VehicleVINs         []string              // at most 500; the vehicles become the customer's

	// ClaimIfFree keeps an e-mail address that another customer has, in place of refusing it
	// (Durion D-02). The graph never does.
	ClaimIfFree bool
	// AnyCode accepts as Code any text of 1 to 50 characters and keeps it as given (Durion 2). Codes
	// that differ in case only are still the same. The graph never does.
	AnyCode bool
}

// CreateCustomer makes a customer and the person or organisation behind it. At least one of
// e-mail address, telephone number, name and external id is needed.
// Errors: as perform, Invalid, Conflict (EmailInUse, PhoneInUse, CodeInUse,
// ExternalRefInUse, DuplicateVIN).
func (s *Store) CreateCustomer(ctx context.Context, in CustomerCreate, w Write) (*Customer, error) {
	need := []Permission{PartyCreate}
	if len(in.VehicleVINs) > 0 {
		need = append(need, VehicleCreate)
	}
	var vins []vinInput
	check := func(p *problems) {
		in.check(p, s.Now())
		vins = p.vins("input.vehicleVins", in.VehicleVINs)
	}
	return perform(ctx, operation{"customerCreate", need}, w, &in, check, func(ctx context.Context, c *change) (*Customer, error) {
		settings, err := c.settings(ctx)
		if err != nil {
			return nil, err
		}
		p := in.profile()
		var wrong problems
		if settings.permitted(&wrong, p.party); wrong.err() != nil {
			return nil, wrong.err()
		}
		if p.account != nil {
			if p.account.BillingTermsID, err = c.billingTerms(ctx, &wrong, termsBy{}); err != nil {
				return nil, err
			}
		}
		numbers, err := c.numbers(ctx, partyNumber, customerNumber)
		if err != nil {
			return nil, err
		}
		if err := c.number(ctx, p, numbers, in.Code); err != nil {
			return nil, err
		}
		insert(c, Parties, p.party)
		insert(c, Customers, p.customer)
		if p.account != nil {
			insert(c, Accounts, p.account)
		}
		c.identify(p.party.ID, IdentifierCode, "", p.customer.Code, ClaimAlways, "input.code")
		c.reachAll(p, settings, in.Email, in.Phone, in.ClaimIfFree)
		c.identifyExternally(p, in.ExternalIdentifiers, "input.externalIdentifiers")
		c.locate(p.party.ID, in.Addresses)
		made(c, CustomerCreated, Customers, p.customer, nil)
		if len(vins) > 0 {
			if err := c.flush(ctx); err != nil {
				return nil, err
			}
			if err := c.setOwnedVINs(ctx, p, vins, "input.vehicleVins"); err != nil {
				return nil, err
			}
		}
		return p.customer, nil
	})
}

func (in *CustomerCreate) check(p *problems, now time.Time) {
	kind := valueOr(in.Kind, Individual)
	word(p, "input.kind", kind, Individual, Organization)
	optionalWord(p, "input.type", in.Type, CustomerPrivate, CustomerCommercial, CustomerGovernment)
	optionalWord(p, "input.status", in.Status, CustomerActive, CustomerInactive)
	in.Code = p.customerCode(in.Code, in.AnyCode)
	in.Email = p.email("input.email", in.Email)
	in.Phone = p.phone("input.phone", in.Phone, minLegacyPhoneDigits)
	in.FirstName = p.text("input.firstName", in.FirstName, 100)
	in.LastName = p.text("input.lastName", in.LastName, 100)
	in.LegalName = p.text("input.legalName", in.LegalName, 255)
	in.BirthDate = p.birthDate("input.birthDate", in.BirthDate, now)
	in.Language = p.language("input.language", in.Language)
	in.CountryCode = p.country("input.countryCode", in.CountryCode)
	in.PrimaryAddress = p.text("input.primaryAddress", in.PrimaryAddress, 255)
	in.HomeLogicalID = p.text("input.homeLogicalId", in.HomeLogicalID, 128)
	in.Tags = p.tags("input.tags", in.Tags)
	in.Metadata = p.metadata(in.Metadata)
	p.addresses("input.addresses", in.Addresses)
	p.externals("input.externalIdentifiers", in.ExternalIdentifiers)
	if kind == Organization && in.LegalName == nil {
		p.add("input.legalName", "an organisation needs a registered name")
	}
	if kind == Organization && (in.FirstName != nil || in.LastName != nil || in.BirthDate != nil) {
		p.add("input.kind", "an organisation has no first name, last name or date of birth")
	}
	if kind == Individual && in.LegalName != nil {
		p.add("input.legalName", "a person has no company name")
	}
	if kind == Individual && in.isNobody() && p.err() == nil { // what is wrong may have been such a value
		p.add("input", "at least one of e-mail address, telephone number, name and external identifier is needed")
	}
}

// maxLegacyCode bounds a code that need not look like one.
const maxLegacyCode = 50

// customerCode checks a code; lenient takes any text.
func (p *problems) customerCode(code *string, lenient bool) *string {
	if lenient {
		return p.text("input.code", code, maxLegacyCode)
	}
	return p.code("input.code", code)
}

// isNobody says that nothing is given that a customer could be known by.
func (in *CustomerCreate) isNobody() bool {
	return in.Email == nil && in.Phone == nil && in.FirstName == nil && in.LastName == nil && in.LegalName == nil &&
		len(in.ExternalIdentifiers) == 0
}

// tags checks a list of words.
func (p *problems) tags(field string, given []string) []string {
	return p.set(field, given, 50, func(at string, v *string) *string { return p.text(at, v, 64) })
}

// metadata checks what clients keep with a customer; nothing is the empty object.
func (p *problems) metadata(value json.RawMessage) json.RawMessage {
	if value = p.object("input.metadata", value, maxMetadata); value == nil {
		return json.RawMessage("{}")
	}
	return value
}

// profile makes the rows of a checked input, but for their numbers.
func (in *CustomerCreate) profile() *profile {
	id := Row{ID: newID()}
	p := &profile{
		party: &Party{
			Row: id, Kind: valueOr(in.Kind, Individual), Status: PartyActive, FirstName: in.FirstName, LastName: in.LastName,
			LegalName: in.LegalName, BirthDate: in.BirthDate, Language: in.Language, CountryCode: in.CountryCode,
		},
		customer: &Customer{
			Row: id, Type: valueOr(in.Type, CustomerPrivate), Status: valueOr(in.Status, CustomerActive), Tags: in.Tags,
			Metadata: in.Metadata, PrimaryAddress: in.PrimaryAddress, HomeLogicalID: in.HomeLogicalID,
		},
	}
	if p.party.Kind == Organization {
		p.customer.Type = valueOr(in.Type, CustomerCommercial)
		p.account = &Account{Row: id, Status: AccountActive, InvoiceDelivery: DeliverByEmail}
	}
	return p
}

// number gives a new customer its numbers and what follows from them.
func (c *change) number(ctx context.Context, p *profile, numbers map[string]int64, code *string) (err error) {
	p.party.Number, p.party.Key = numbers[partyNumber], p.party.ID.String()
	p.customer.Number = numbers[customerNumber]
	if p.customer.Code, err = c.codeOr(ctx, code, "CUST", p.customer.Number, customerCodeTaken); err != nil {
		return err
	}
	if p.account != nil {
		if p.account.Code, err = c.codeOr(ctx, nil, "ACC", p.party.Number, accountCodeTaken); err != nil {
			return err
		}
	}
	p.derive()
	return nil
}

// orIfFree weakens a claim.
func (m ClaimMode) orIfFree(weak bool) ClaimMode {
	if m == ClaimAlways && weak {
		return ClaimIfFree
	}
	return m
}

// CustomerUpdate changes a customer and the party behind it: what is left out stays, null
// clears. A list that is given replaces the whole list.
type CustomerUpdate struct {
	PartyUpdate

	Type           graphql.Omittable[*CustomerType]   `json:",omitzero"` // cannot be cleared
	Code           graphql.Omittable[*string]         `json:",omitzero"` // cannot be cleared
	Email          graphql.Omittable[*string]         `json:",omitzero"` // the primary address
	Phone          graphql.Omittable[*string]         `json:",omitzero"` // the primary number, 7 to 15 digits
	Addresses      graphql.Omittable[[]*Address]      `json:",omitzero"`
	Tags           graphql.Omittable[[]string]        `json:",omitzero"`
	Metadata       graphql.Omittable[json.RawMessage] `json:",omitzero"`
	PrimaryAddress graphql.Omittable[*string]         `json:",omitzero"`
	HomeLogicalID  graphql.Omittable[*string]         `json:",omitzero"`
	VehicleVINs    graphql.Omittable[[]string]        `json:",omitzero"` // those it owns afterwards

	ClaimIfFree bool // as of CustomerCreate
	AnyCode     bool // as of CustomerCreate
}

func (in *CustomerUpdate) check(p *problems, now time.Time) {
	in.PartyUpdate.check(p, now)
	patchRequired(p, "input.type", &in.Type, func(v *CustomerType) *CustomerType {
		return optionalWord(p, "input.type", v, CustomerPrivate, CustomerCommercial, CustomerGovernment)
	})
	patchRequired(p, "input.code", &in.Code, func(v *string) *string { return p.customerCode(v, in.AnyCode) })
	patch(&in.Email, func(v *string) *string { return p.email("input.email", v) })
	patch(&in.Phone, func(v *string) *string { return p.phone("input.phone", v, minLegacyPhoneDigits) })
	patch(&in.PrimaryAddress, func(v *string) *string { return p.text("input.primaryAddress", v, 255) })
	patch(&in.HomeLogicalID, func(v *string) *string { return p.text("input.homeLogicalId", v, 128) })
	p.addresses("input.addresses", in.Addresses.Value())
	if v, ok := in.Tags.ValueOK(); ok {
		in.Tags = graphql.OmittableOf(p.tags("input.tags", v))
	}
	if v, ok := in.Metadata.ValueOK(); ok {
		in.Metadata = graphql.OmittableOf(p.metadata(v))
	}
}

// UpdateCustomer changes a customer and the party behind it, in one revision.
// Errors: as perform, Invalid (BillingEmailRequired), NotFound, Stale, Conflict (EmailInUse,
// PhoneInUse, CodeInUse, DuplicateVIN, PartyMerged, InvalidState).
func (s *Store) UpdateCustomer(ctx context.Context, customerID string, in CustomerUpdate, w Write) (*Customer, error) {
	need := []Permission{PartyEdit}
	if in.VehicleVINs.IsSet() {
		need = append(need, VehicleCreate, AssociationEdit)
	}
	var id uuid.UUID
	var vins []vinInput
	check := func(p *problems) {
		id = Customers.id(p, "id", customerID)
		in.check(p, s.Now())
		vins = p.vins("input.vehicleVins", in.VehicleVINs.Value())
	}
	return perform(ctx, operation{"customerUpdate", need}, w, []any{customerID, &in}, check, func(ctx context.Context, c *change) (*Customer, error) {
		p, err := c.customerTarget(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := c.revise(ctx, p, &in.PartyUpdate); err != nil {
			return nil, err
		}
		in.apply(p.customer)
		more, err := c.reachAnew(ctx, p, &in)
		if err != nil {
			return nil, err
		}
		c.recode(p, in.Code)
		if list, ok := in.Addresses.ValueOK(); ok {
			c.unlocate(id)
			c.locate(id, list)
			more = append(more, "locations")
		}
		if in.VehicleVINs.IsSet() {
			more = append(more, "vehicles")
		}
		altered(c, CustomerUpdated, Customers, p.customer, append(c.save(p), more...), nil)
		if in.VehicleVINs.IsSet() {
			return p.customer, c.setOwnedVINs(ctx, p, vins, "input.vehicleVins")
		}
		return p.customer, nil
	})
}

// recode queues another code of a customer, which leads to it in place of the old one.
func (c *change) recode(p *profile, code graphql.Omittable[*string]) {
	given, ok := code.ValueOK()
	if !ok || *given == p.customer.Code {
		return
	}
	// The old code goes; the new one may be an alias that came with a merge.
	c.exec("DELETE FROM identifier WHERE tenant_id = $1 AND party_id = $2 AND kind = 'CODE' AND (normalised = $3 AND NOT is_alias OR normalised = $4)",
		p.party.ID, NormaliseCode(p.customer.Code), NormaliseCode(*given))
	p.customer.Code = *given
	p.derive()
	c.identify(p.party.ID, IdentifierCode, "", *given, ClaimAlways, "input.code")
}

func (in *CustomerUpdate) apply(customer *Customer) {
	applyRequired(&customer.Type, in.Type)
	apply(&customer.PrimaryAddress, in.PrimaryAddress)
	apply(&customer.HomeLogicalID, in.HomeLogicalID)
	if v, ok := in.Tags.ValueOK(); ok {
		customer.Tags = v
	}
	if v, ok := in.Metadata.ValueOK(); ok {
		customer.Metadata = v
	}
}

// reachAnew sets or clears the primary contact points that were given, and names them.
func (c *change) reachAnew(ctx context.Context, p *profile, in *CustomerUpdate) ([]string, error) {
	if !in.Email.IsSet() && !in.Phone.IsSet() {
		return nil, nil
	}
	settings, err := c.settings(ctx)
	if err != nil {
		return nil, err
	}
	var changed []string
	for _, point := range []struct {
		kind  ContactPointKind
		value graphql.Omittable[*string]
		name  string
	}{{PointEmail, in.Email, "email"}, {PointPhone, in.Phone, "phone"}} {
		value, ok := point.value.ValueOK()
		if !ok {
			continue
		}
		mode := settings.claims(p, point.kind).orIfFree(in.ClaimIfFree)
		if err := c.setPrimaryPoint(ctx, p, point.kind, value, mode, "input."+point.name); err != nil {
			return nil, err
		}
		changed = append(changed, point.name)
	}
	return changed, nil
}

// ChangeCustomerStatus makes a customer ACTIVE or INACTIVE. An inactive one keeps its consents,
// flags and points but neither earns nor spends, and registers nothing (G3N 3.1).
// Errors: as perform, Invalid, NotFound, Stale, Conflict (PartyMerged, InvalidState).
func (*Store) ChangeCustomerStatus(ctx context.Context, customerID string, status CustomerStatus, w Write) (*Customer, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = Customers.id(p, "id", customerID)
		word(p, "status", status, CustomerActive, CustomerInactive)
	}
	op := operation{"customerStatusChange", []Permission{PartyEdit}}
	return perform(ctx, op, w, []any{customerID, status}, check, func(ctx context.Context, c *change) (*Customer, error) {
		p, err := c.customerTarget(ctx, id)
		if err != nil {
			return nil, err
		}
		details := map[string]any{"from": p.customer.Status, "to": status}
		p.customer.Status = status
		altered(c, CustomerUpdated, Customers, p.customer, c.save(p), details)
		return p.customer, nil
	})
}

// DeactivateCustomer is DeactivateParty for a customer (Durion D-25).
// Errors: as DeactivateParty.
func (*Store) DeactivateCustomer(ctx context.Context, customerID string, w Write) (*Customer, error) {
	var id uuid.UUID
	check := func(p *problems) { id = Customers.id(p, "id", customerID) }
	op := operation{"customerDeactivate", []Permission{PartyDeactivate}}
	return perform(ctx, op, w, customerID, check, func(ctx context.Context, c *change) (*Customer, error) {
		p, err := c.customerTarget(ctx, id)
		if err != nil {
			return nil, err
		}
		return p.customer, c.deactivate(ctx, p)
	})
}
