package crm

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"crmgraph/db"
)

// ClaimMode says how much a new identifier insists on being its party's alone.
type ClaimMode int

// The ways to claim.
const (
	ClaimNever  ClaimMode = iota // others may have it, too
	ClaimAlways                  // it is a Conflict when another party claims it
	ClaimIfFree                  // claimed unless another party does, and kept either way (Durion D-02)
)

// identifierInsertIfFree claims a value or, when another party does, keeps it unclaimed. A claim
// that is being made at this moment is waited for.
const identifierInsertIfFree = `WITH claimed AS (
	INSERT INTO identifier (tenant_id, id, party_id, kind, system, value, normalised, folded, is_claim, created_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, true, $9)
	ON CONFLICT (tenant_id, kind, system, normalised) WHERE is_claim DO NOTHING RETURNING id)
INSERT INTO identifier (tenant_id, id, party_id, kind, system, value, normalised, folded, is_claim, created_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, false, $9 WHERE NOT EXISTS (SELECT 1 FROM claimed)`

// identify queues a value that leads to a party. field names it in errors.
func (c *change) identify(party uuid.UUID, kind IdentifierKind, system, value string, mode ClaimMode, field string) *Identifier {
	i := &Identifier{PartyID: party, Kind: kind, SystemName: system, Value: value, IsClaim: mode == ClaimAlways}
	i.Derive()
	if mode == ClaimIfFree {
		c.exec(identifierInsertIfFree, newID(), party, kind, system, value, i.Normalised, i.Folded, c.now)
		return i
	}
	insert(c, Identifiers, i)
	last := c.batch.QueuedQueries[len(c.batch.QueuedQueries)-1]
	last.Fn = func(results pgx.BatchResults) error {
		_, err := results.Exec()
		return claimError(err, kind, field)
	}
	return i
}

// claimError says which kind of identifier is taken.
func claimError(err error, kind IdentifierKind, field string) error {
	taken := map[IdentifierKind]*Error{
		IdentifierEmail:    conflictf(EmailInUse, field, "another customer has this e-mail address"),
		IdentifierPhone:    conflictf(PhoneInUse, field, "another customer has this telephone number"),
		IdentifierCode:     conflictf(CodeInUse, field, "another customer has this one"),
		IdentifierExternal: conflictf(ExternalRefInUse, field, "another customer has this external reference"),
	}
	switch name, _ := db.Violated(err); name {
	case "identifier_claim_key":
		return taken[kind].Because(err)
	case "identifier_party_key":
		return conflictf(taken[kind].Reason, field, "the party has this identifier already").Because(err)
	default:
		return err
	}
}

// Derive sets what identifiers are compared by.
func (i *Identifier) Derive() {
	switch i.Kind {
	case IdentifierEmail:
		i.Normalised, i.Folded = NormaliseEmail(i.Value), FoldEmail(i.Value)
	case IdentifierPhone:
		i.Normalised = NormalisePhone(i.Value)
	case IdentifierCode:
		i.Normalised = NormaliseCode(i.Value)
	case IdentifierExternal:
		i.Normalised = i.Value
	}
}

// claims says how the primary e-mail address and telephone number of a party are claimed:
// those of customers are, as far as the tenant wants them unique.
func (s *TenantSettings) claims(p *profile, kind ContactPointKind) ClaimMode {
	unique := s.EmailUnique
	if kind == PointPhone {
		unique = s.PhoneUnique
	}
	if p.customer == nil || !unique {
		return ClaimNever
	}
	return ClaimAlways
}

// reach queues a new primary contact point and the identifier that leads from it to the party.
func (c *change) reach(p *profile, kind ContactPointKind, label ContactPointLabel, value string, extension *string, mode ClaimMode, field string) *ContactPoint {
	point := &ContactPoint{PartyID: p.party.ID, Kind: kind, Label: label, Value: value, Extension: extension, IsPrimary: true}
	point.Derive()
	insert(c, ContactPoints, point)
	c.identify(p.party.ID, point.identifierKind(), "", value, mode, field)
	return point
}

// Derive sets what contact points are compared by.
func (o *ContactPoint) Derive() {
	if o.Kind == PointEmail {
		o.Normalised = NormaliseEmail(o.Value)
	} else {
		o.Normalised = NormalisePhone(o.Value)
	}
}

func (o *ContactPoint) identifierKind() IdentifierKind {
	if o.Kind == PointEmail {
		return IdentifierEmail
	}
	return IdentifierPhone
}

// ExternalIdentifier is an id of a party in another system.
type ExternalIdentifier struct {
	System string // 1 to 64 of A-Z a-z 0-9 _ . -
	Value  string // 1 to 128 characters
}

// maxExternalIdentifiers bounds those of one party.
const maxExternalIdentifiers = 20

func (e *ExternalIdentifier) check(p *problems, field string) {
	if s := p.matching(field+".system", &e.System, systemPattern, "an external identifier is named with 1 to 64 of the characters A-Z a-z 0-9 _ . -"); s == nil {
		p.add(field+".system", "a value is required")
	} else {
		e.System = *s
	}
	e.Value = p.required(field+".value", e.Value, 128)
}

// externals checks a list of external identifiers: at most 20, none of them twice.
func (p *problems) externals(field string, list []*ExternalIdentifier) {
	p.atMost(field, len(list), maxExternalIdentifiers)
	seen := map[ExternalIdentifier]bool{}
	for i, e := range list {
		e.check(p, indexed(field, i))
		if seen[*e] {
			p.add(indexed(field, i), "the identifier is given twice")
		}
		seen[*e] = true
	}
}

// identifyExternally queues external identifiers. A customer's lead to it alone; those of
// other parties may repeat, and only make duplicates known.
func (c *change) identifyExternally(p *profile, list []*ExternalIdentifier, field string) {
	for i, e := range list {
		c.identify(p.party.ID, IdentifierExternal, e.System, e.Value, externalClaim(p), indexed(field, i))
	}
}

func externalClaim(p *profile) ClaimMode {
	if p.customer != nil {
		return ClaimAlways
	}
	return ClaimNever
}

// AddExternalIdentifier gives a party an id in another system; see [ClaimAlways] for those
// of customers. At most 20 of a party are its own.
// Errors: as perform, Invalid, NotFound, Stale, Conflict (ExternalRefInUse, PartyMerged, InvalidState).
func (*Store) AddExternalIdentifier(ctx context.Context, partyID string, in ExternalIdentifier, w Write) (*Party, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = Parties.id(p, "partyId", partyID)
		in.check(p, "input")
	}
	op := operation{"externalIdentifierAdd", []Permission{PartyEdit}}
	return perform(ctx, op, w, []any{partyID, &in}, check, func(ctx context.Context, c *change) (*Party, error) {
		p, err := c.target(ctx, id, "partyId")
		if err != nil {
			return nil, err
		}
		own, err := find(ctx, c, Identifiers, "t.party_id = $2 AND t.kind = 'EXTERNAL' AND NOT t.is_alias", id)
		if err != nil {
			return nil, err
		}
		if len(own) >= maxExternalIdentifiers {
			return nil, invalidf("input", "a party has at most %d external identifiers", maxExternalIdentifiers)
		}
		c.identify(p.party.ID, IdentifierExternal, in.System, in.Value, externalClaim(p), "input")
		c.saved(PartyUpdated, p, map[string]any{"system": in.System}, "identifiers")
		return p.party, nil
	})
}

// RemoveExternalIdentifier takes an id in another system from its party; it is free again.
// Errors: as perform, Invalid, NotFound, Stale (of the party), Conflict (PartyMerged, InvalidState).
func (*Store) RemoveExternalIdentifier(ctx context.Context, identifierID string, w Write) (*Party, error) {
	var id uuid.UUID
	check := func(p *problems) { id = Identifiers.id(p, "id", identifierID) }
	op := operation{"externalIdentifierRemove", []Permission{PartyEdit}}
	return perform(ctx, op, w, identifierID, check, func(ctx context.Context, c *change) (*Party, error) {
		const external = "t.id = $2 AND t.kind = 'EXTERNAL'"
		seen, err := find(ctx, c, Identifiers, external, id)
		if err != nil {
			return nil, err
		}
		if len(seen) == 0 {
			return nil, notFoundf("no such Identifier")
		}
		p, err := c.target(ctx, seen[0].PartyID, "id")
		if err != nil {
			return nil, err
		}
		// Until the party was locked, others could take the identifier away.
		own, err := find(ctx, c, Identifiers, external+" AND t.party_id = $3", id, p.party.ID)
		if err != nil {
			return nil, err
		}
		if len(own) == 0 {
			return nil, notFoundf("no such Identifier")
		}
		remove(c, Identifiers, id)
		c.saved(PartyUpdated, p, map[string]any{"system": own[0].SystemName}, "identifiers")
		return p.party, nil
	})
}
