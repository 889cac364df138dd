package crm

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// maxDepth bounds a chain of organisations that belong to each other.
const maxDepth = 32

var deliveries = []InvoiceDelivery{DeliverByEmail, DeliverByPortal, DeliverByMail, DeliverByEmailAndMail}

// IndividualCreate is a new person, who is not (yet) a customer.
type IndividualCreate struct {
	FirstName    *string    // at most 100 characters; one of the names is needed
	LastName     *string    // at most 100 characters
	Email        *string    // becomes the primary address
	Phone        *string    // 7 to 15 digits; becomes the primary number
	Key          *string    // chosen by the client; its id when absent
	BirthDate    *time.Time // a day
	Language     *string    // BCP 47
	CountryCode  *string    // ISO 3166-1 alpha-2, an active country of the tenant
	Restrictions []string   // at most one, of the tenant's
}

// CreateIndividual makes a person, ACTIVE. Errors: as perform, Invalid, Conflict (KeyInUse).
func (s *Store) CreateIndividual(ctx context.Context, in IndividualCreate, w Write) (*Party, error) {
	check := func(p *problems) { in.check(p, s.Now()) }
	op := operation{"partyCreateIndividual", []Permission{PartyCreate}}
	return perform(ctx, op, w, &in, check, func(ctx context.Context, c *change) (*Party, error) {
		settings, err := c.settings(ctx)
		if err != nil {
			return nil, err
		}
		return c.individual(ctx, settings, &in)
	})
}

func (in *IndividualCreate) check(p *problems, now time.Time) {
	in.FirstName = p.text("input.firstName", in.FirstName, 100)
	in.LastName = p.text("input.lastName", in.LastName, 100)
	if in.FirstName == nil && in.LastName == nil {
		p.add("input.lastName", "a first name or a last name is required")
	}
	in.Email = p.email("input.email", in.Email)
	in.Phone = p.phone("input.phone", in.Phone, minLegacyPhoneDigits)
	in.Key = p.key("input.key", in.Key)
	in.BirthDate = p.birthDate("input.birthDate", in.BirthDate, now)
	in.Language = p.language("input.language", in.Language)
	in.CountryCode = p.country("input.countryCode", in.CountryCode)
	in.Restrictions = p.restrictions(in.Restrictions)
}

// individual queues a new person, within the tenant's settings.
func (c *change) individual(ctx context.Context, settings *TenantSettings, in *IndividualCreate) (*Party, error) {
	party := &Party{
		Row: Row{ID: newID()}, Kind: Individual, Status: PartyActive, FirstName: in.FirstName, LastName: in.LastName,
		BirthDate: in.BirthDate, Language: in.Language, CountryCode: in.CountryCode, Restrictions: in.Restrictions,
	}
	party.Derive()
	var p problems
	if settings.permitted(&p, party); p.err() != nil {
		return nil, p.err()
	}
	numbers, err := c.numbers(ctx, partyNumber)
	if err != nil {
		return nil, err
	}
	party.Number, party.Key = numbers[partyNumber], valueOr(in.Key, party.ID.String())
	insert(c, Parties, party)
	c.reachAll(&profile{party: party}, settings, in.Email, in.Phone, false)
	made(c, PartyCreated, Parties, party, nil)
	return party, nil
}

// PartyUpdate changes a party: what is left out stays, null clears.
type PartyUpdate struct {
	FirstName    graphql.Omittable[*string]    `json:",omitzero"` // persons only
	LastName     graphql.Omittable[*string]    `json:",omitzero"` // persons only
	BirthDate    graphql.Omittable[*time.Time] `json:",omitzero"` // persons only
	LegalName    graphql.Omittable[*string]    `json:",omitzero"` // organisations only; cannot be cleared
	TradingName  graphql.Omittable[*string]    `json:",omitzero"` // organisations only
	TaxID        graphql.Omittable[*string]    `json:",omitzero"`
	Language     graphql.Omittable[*string]    `json:",omitzero"`
	CountryCode  graphql.Omittable[*string]    `json:",omitzero"`
	Restrictions graphql.Omittable[[]string]   `json:",omitzero"`
}

func (in *PartyUpdate) check(p *problems, now time.Time) {
	name := func(field string, most int) func(*string) *string {
		return func(v *string) *string { return p.text(field, v, most) }
	}
	patch(&in.FirstName, name("input.firstName", 100))
	patch(&in.LastName, name("input.lastName", 100))
	patch(&in.BirthDate, func(v *time.Time) *time.Time { return p.birthDate("input.birthDate", v, now) })
	patchRequired(p, "input.legalName", &in.LegalName, name("input.legalName", 255))
	patch(&in.TradingName, name("input.tradingName", 255))
	patch(&in.TaxID, name("input.taxId", 64))
	patch(&in.Language, func(v *string) *string { return p.language("input.language", v) })
	patch(&in.CountryCode, func(v *string) *string { return p.country("input.countryCode", v) })
	if v, ok := in.Restrictions.ValueOK(); ok {
		in.Restrictions = graphql.OmittableOf(p.restrictions(v))
	}
}

// fits refuses names of the other kind of party.
func (in *PartyUpdate) fits(p *problems, kind PartyKind) {
	wrong := func(field string, given bool, want PartyKind) {
		if given && kind != want {
			p.add(field, "only a party of kind %s has this", want)
		}
	}
	wrong("input.firstName", in.FirstName.IsSet(), Individual)
	wrong("input.lastName", in.LastName.IsSet(), Individual)
	wrong("input.birthDate", in.BirthDate.IsSet(), Individual)
	wrong("input.legalName", in.LegalName.IsSet(), Organization)
	wrong("input.tradingName", in.TradingName.IsSet(), Organization)
}

// apply sets what was given on a party that it fits.
func (in *PartyUpdate) apply(party *Party) {
	apply(&party.FirstName, in.FirstName)
	apply(&party.LastName, in.LastName)
	apply(&party.BirthDate, in.BirthDate)
	apply(&party.LegalName, in.LegalName)
	apply(&party.TradingName, in.TradingName)
	apply(&party.TaxID, in.TaxID)
	apply(&party.Language, in.Language)
	apply(&party.CountryCode, in.CountryCode)
	if v, ok := in.Restrictions.ValueOK(); ok {
		party.Restrictions = v
	}
}

// revise applies an update to a locked party, within the tenant's settings.
func (c *change) revise(ctx context.Context, of *profile, in *PartyUpdate) error {
	var p problems
	party := of.party
	in.fits(&p, party.Kind)
	if p.err() != nil {
		return p.err()
	}
	in.apply(party)
	of.derive()
	if party.DisplayName == "" {
		p.add("input.lastName", "a first name or a last name is required")
	}
	if in.CountryCode.IsSet() || in.Restrictions.IsSet() {
		settings, err := c.settings(ctx)
		if err != nil {
			return err
		}
		if in.CountryCode.IsSet() {
			settings.permitCountry(&p, party)
		}
		if in.Restrictions.IsSet() {
			settings.permitRestrictions(&p, party)
		}
	}
	return p.err()
}

// UpdateParty changes a party.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (PartyMerged, InvalidState).
func (s *Store) UpdateParty(ctx context.Context, partyID string, in PartyUpdate, w Write) (*Party, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = Parties.id(p, "id", partyID)
		in.check(p, s.Now())
	}
	op := operation{"partyUpdate", []Permission{PartyEdit}}
	return perform(ctx, op, w, []any{partyID, &in}, check, func(ctx context.Context, c *change) (*Party, error) {
		p, err := c.target(ctx, id, "id")
		if err != nil {
			return nil, err
		}
		if err := c.revise(ctx, p, &in); err != nil {
			return nil, err
		}
		c.saved(PartyUpdated, p, nil)
		return p.party, nil
	})
}

// ChangePartyStatus sets a party to ACTIVE, PENDING, SUSPENDED or INACTIVE. A deactivated
// party that becomes ACTIVE is back, with its customer and its account; the vehicles and
// engagements that its deactivation ended stay ended.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (PartyMerged, InvalidState).
func (*Store) ChangePartyStatus(ctx context.Context, partyID string, status PartyStatus, w Write) (*Party, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = Parties.id(p, "id", partyID)
		word(p, "status", status, PartyActive, PartyPending, PartySuspended, PartyInactive)
	}
	op := operation{"partyStatusChange", []Permission{PartyEdit}}
	return perform(ctx, op, w, []any{partyID, status}, check, func(ctx context.Context, c *change) (*Party, error) {
		p, err := c.profile(ctx, id)
		if err != nil {
			return nil, err
		}
		if status == PartyActive && p.party.DeactivatedAt != nil && p.party.Status == PartyInactive {
			p.reactivate()
		}
		if err := p.editable("id"); err != nil {
			return nil, err
		}
		if err := c.expected(p.party, p.party.Revision); err != nil {
			return nil, err
		}
		details := map[string]any{"from": p.party.Status, "to": status}
		p.party.Status = status
		c.saved(PartyStatusChanged, p, details)
		return p.party, nil
	})
}

// reactivate takes back what deactivate did to the party's own faces.
func (p *profile) reactivate() {
	p.party.DeactivatedAt = nil
	if p.customer != nil && p.customer.Status == CustomerInactive {
		p.customer.Status = CustomerActive
	}
	if p.account != nil && p.account.Status == AccountInactive {
		p.account.Status = AccountActive
	}
}

// SetPartyParent says which organisation another belongs to, nil for none. Organisations
// never belong to themselves, over any number of steps, in chains of at most 32.
// Errors: as perform, Invalid (InvalidParent), NotFound, Stale, Conflict (PartyMerged, InvalidState).
func (*Store) SetPartyParent(ctx context.Context, partyID string, parentID *string, w Write) (*Party, error) {
	var id uuid.UUID
	var parent *uuid.UUID
	check := func(p *problems) {
		id = Parties.id(p, "id", partyID)
		parent = Parties.optionalID(p, "parentId", parentID)
	}
	op := operation{"partyParentSet", []Permission{PartyEdit}}
	return perform(ctx, op, w, []any{partyID, parentID}, check, func(ctx context.Context, c *change) (*Party, error) {
		both := []uuid.UUID{id}
		if parent != nil && *parent != id {
			both = append(both, *parent)
		}
		found, err := c.profiles(ctx, both...)
		if err != nil {
			return nil, err
		}
		child := found[id]
		if child == nil {
			return nil, notFoundf("no such Party")
		}
		if err := child.editable("id"); err != nil {
			return nil, err
		}
		if err := c.expected(child.party, child.party.Revision); err != nil {
			return nil, err
		}
		var p problems
		switch {
		case child.party.Kind != Organization:
			p.because(InvalidParent, "id", "a person belongs to no organisation; a contact does")
		case parent != nil && found[*parent] == nil:
			p.because(InvalidParent, "parentId", "there is no such organisation")
		case parent != nil:
			if err := c.mayBelong(ctx, &p, "parentId", id, found[*parent]); err != nil {
				return nil, err
			}
		}
		if p.err() != nil {
			return nil, p.err()
		}
		child.party.ParentID = parent
		c.saved(PartyParentChanged, child, nil)
		return child.party, nil
	})
}

// chainsSQL measures what hangs on a party and what it would hang on: how many steps lie
// below child and above parent, both included, and whether child is among the latter.
const chainsSQL = `WITH RECURSIVE up (id, depth) AS (
	SELECT $3::uuid, 1
	UNION ALL SELECT p.parent_id, up.depth + 1 FROM up JOIN party p ON p.tenant_id = $1 AND p.id = up.id
	WHERE p.parent_id IS NOT NULL AND up.depth <= $4
), down (id, depth) AS (
	SELECT $2::uuid, 1
	UNION ALL SELECT p.id, down.depth + 1 FROM down JOIN party p ON p.tenant_id = $1 AND p.parent_id = down.id
	WHERE down.depth <= $4
)
SELECT coalesce((SELECT bool_or(id = $2) FROM up), false), (SELECT max(depth) FROM up) + (SELECT max(depth) FROM down)`

// mayBelong checks that a locked organisation can be the parent of a party, and keeps others
// from changing the hierarchy until the transaction ends.
func (c *change) mayBelong(ctx context.Context, p *problems, field string, child uuid.UUID, parent *profile) error {
	if inUse := parent.editable(field) == nil; parent.party.Kind != Organization || !inUse {
		p.because(InvalidParent, field, "the parent must be an organisation in use")
		return nil
	}
	c.hierarchy()
	if err := c.flush(ctx); err != nil {
		return err
	}
	cycle, depth, err := c.chains(ctx, child, parent.party.ID)
	switch {
	case err != nil:
		return err
	case cycle:
		p.because(InvalidParent, field, "an organisation cannot belong to itself, also not over others")
	case depth > maxDepth:
		p.because(InvalidParent, field, "a chain of organisations has at most %d members", maxDepth)
	}
	return nil
}

// chains measures what hangs on child and what it would hang on, see chainsSQL.
func (c *change) chains(ctx context.Context, child, parent uuid.UUID) (cycle bool, depth int, err error) {
	err = c.query(ctx, statement{sql: chainsSQL, args: []any{c.tenant, child, parent, maxDepth}, read: func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&cycle, &depth}, func() error { return nil })
		return err
	}})
	return cycle, depth, err
}

// DeactivateParty ends a party's active life, softly: it becomes INACTIVE, as do its customer
// and its account, and its vehicles, drivers and engagements end now. Nothing is deleted.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (PartyMerged, InvalidState).
func (*Store) DeactivateParty(ctx context.Context, partyID string, w Write) (*Party, error) {
	var id uuid.UUID
	check := func(p *problems) { id = Parties.id(p, "id", partyID) }
	op := operation{"partyDeactivate", []Permission{PartyDeactivate}}
	return perform(ctx, op, w, partyID, check, func(ctx context.Context, c *change) (*Party, error) {
		p, err := c.target(ctx, id, "id")
		if err != nil {
			return nil, err
		}
		return p.party, c.deactivate(ctx, p)
	})
}

// deactivate queues the end of a locked party's active life.
func (c *change) deactivate(ctx context.Context, p *profile) error {
	p.party.Status, p.party.DeactivatedAt = PartyInactive, &c.now
	if p.customer != nil {
		p.customer.Status = CustomerInactive
	}
	if p.account != nil && p.account.Status == AccountActive {
		p.account.Status = AccountInactive
	}
	id := p.party.ID
	contacts, err := lock(ctx, c, Contacts, "t.status = 'ACTIVE' AND $2 IN (t.organization_id, t.person_id)", id)
	if err != nil {
		return err
	}
	for _, k := range contacts {
		c.endContact(k)
	}
	vehicles, err := lock(ctx, c, Vehicles, heldSQL, ids(id))
	if err != nil {
		return err
	}
	c.exec("UPDATE vehicle_association SET effective_to = greatest(effective_from, $3) "+
		"WHERE tenant_id = $1 AND party_id = $2 AND effective_to IS NULL", id, c.now)
	for _, v := range vehicles {
		altered(c, VehicleReleased, Vehicles, v, update(c, Vehicles, v), map[string]any{"party": p.party.NodeID()})
	}
	c.saved(PartyDeactivated, p, nil)
	return nil
}

// endContact queues the end of a locked engagement and of the roles held in it.
func (c *change) endContact(k *Contact) {
	c.exec(`UPDATE contact_role SET status = 'INACTIVE', is_primary = false, revision = revision + 1, updated_at = $3
		WHERE tenant_id = $1 AND contact_id = $2 AND status = 'ACTIVE'`, k.ID, c.now)
	k.Status, k.IsPrimary = ContactInactive, false
	altered(c, ContactDeactivated, Contacts, k, update(c, Contacts, k), nil)
}
