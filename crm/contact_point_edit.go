package crm

import (
	"context"
	"regexp"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// NewContactPoint is another way to reach a party.
type NewContactPoint struct {
	Kind      ContactPointKind // never changes
	Value     string           // an e-mail address, or a telephone number of 10 to 15 digits
	Label     *ContactPointLabel
	Extension *string // 1 to 10 digits, of a telephone number
	IsPrimary *bool   // whether it is the first of its kind when absent
}

// ContactPointChange is a contact point with the party that it reaches.
type ContactPointChange struct {
	Point *ContactPoint // nil when it was removed
	Party *Party
}

// maxContactPoints bounds those of one party.
const maxContactPoints = 50

var (
	extensionPattern = regexp.MustCompile(`^[0-9]{1,10}$`)
	pointLabels      = []ContactPointLabel{PointHome, PointWork, PointMobile, PointOther}
)

// pointValue checks what a contact point of a kind holds.
func (p *problems) pointValue(kind ContactPointKind, value *string) *string {
	if kind == PointEmail {
		return p.email("input.value", value)
	}
	return p.phone("input.value", value, minPhoneDigits)
}

func (p *problems) extension(kind ContactPointKind, value *string) *string {
	text := p.matching("input.extension", value, extensionPattern, "an extension has 1 to 10 digits")
	if text != nil && kind != PointPhone {
		p.add("input.extension", "only a telephone number has an extension")
	}
	return text
}

func (in *NewContactPoint) check(p *problems) {
	word(p, "input.kind", in.Kind, PointEmail, PointPhone)
	before := len(p.list)
	if value := p.pointValue(in.Kind, &in.Value); value != nil {
		in.Value = *value
	} else if len(p.list) == before {
		p.add("input.value", "a value is required")
	}
	optionalWord(p, "input.label", in.Label, pointLabels...)
	in.Extension = p.extension(in.Kind, in.Extension)
}

// AddContactPoint adds a way to reach a party, of at most 50. A primary one takes the place of
// the primary one of its kind before, leads to the party, and is a customer's alone as far as
// the tenant wants that.
// Errors: as perform, Invalid, NotFound, Stale (of the party), Conflict (EmailInUse, PhoneInUse,
// PartyMerged, InvalidState).
func (*Store) AddContactPoint(ctx context.Context, partyID string, in NewContactPoint, w Write) (*ContactPointChange, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = Parties.id(p, "partyId", partyID)
		in.check(p)
	}
	op := operation{"contactPointAdd", []Permission{PartyEdit}}
	return perform(ctx, op, w, []any{partyID, &in}, check, func(ctx context.Context, c *change) (*ContactPointChange, error) {
		p, err := c.target(ctx, id, "partyId")
		if err != nil {
			return nil, err
		}
		points, err := lock(ctx, c, ContactPoints, "t.party_id = $2", id)
		if err != nil {
			return nil, err
		}
		if len(points) >= maxContactPoints {
			return nil, invalidf("input", "a party has at most %d contact points", maxContactPoints)
		}
		first, primary := true, (*ContactPoint)(nil)
		for _, o := range points {
			if o.Kind == in.Kind {
				first = false
				if o.IsPrimary {
					primary = o
				}
			}
		}
		point := &ContactPoint{
			PartyID: id, Kind: in.Kind, Label: valueOr(in.Label, PointOther), Value: in.Value, Extension: in.Extension,
			IsPrimary: valueOr(in.IsPrimary, first),
		}
		point.Derive()
		var before *string
		if point.IsPrimary && primary != nil {
			before = &primary.Value
			primary.IsPrimary = false
			update(c, ContactPoints, primary)
		}
		insert(c, ContactPoints, point)
		if !point.IsPrimary {
			return c.pointSaved(p, point, point.ID, false), nil
		}
		if err := c.mirrorPoint(ctx, p, in.Kind, before, &point.Value); err != nil {
			return nil, err
		}
		return c.pointSaved(p, point, point.ID, true), nil
	})
}

// pointSaved queues the party of a changed contact point, which is nil when it was removed.
func (c *change) pointSaved(p *profile, point *ContactPoint, id uuid.UUID, mirrored bool) *ContactPointChange {
	fields := []string{"contactPoints"}
	if mirrored {
		fields = append(fields, "identifiers")
	}
	c.saved(PartyUpdated, p, map[string]any{"contactPoint": ContactPoints.nodeID(id)}, fields...)
	return &ContactPointChange{Point: point, Party: p.party}
}

// ContactPointUpdate changes a contact point: what is left out stays, null clears.
type ContactPointUpdate struct {
	Value     graphql.Omittable[*string]            `json:",omitzero"` // cannot be cleared
	Label     graphql.Omittable[*ContactPointLabel] `json:",omitzero"` // cannot be cleared
	Extension graphql.Omittable[*string]            `json:",omitzero"` // of a telephone number
	IsPrimary graphql.Omittable[*bool]              `json:",omitzero"` // cannot be cleared
}

func (in *ContactPointUpdate) check(p *problems) {
	patchRequired(p, "input.value", &in.Value, func(v *string) *string { return p.text("input.value", v, 254) })
	patchRequired(p, "input.label", &in.Label, func(v *ContactPointLabel) *ContactPointLabel {
		return optionalWord(p, "input.label", v, pointLabels...)
	})
	patch(&in.Extension, func(v *string) *string { return p.extension(PointPhone, v) })
	patchRequired(p, "input.isPrimary", &in.IsPrimary, func(v *bool) *bool { return v })
}

// fits checks what was given against the kind of the contact point.
func (in *ContactPointUpdate) fits(kind ContactPointKind) error {
	var p problems
	patch(&in.Value, func(v *string) *string { return p.pointValue(kind, v) })
	patch(&in.Extension, func(v *string) *string { return p.extension(kind, v) })
	return p.err()
}

// UpdateContactPoint changes a contact point; its kind never changes. Primacy goes as in
// AddContactPoint; a primary one that is primary no more leaves none.
// Errors: as perform, Invalid (BillingEmailRequired), NotFound, Stale (of the party), Conflict
// (EmailInUse, PhoneInUse, PartyMerged, InvalidState).
func (*Store) UpdateContactPoint(ctx context.Context, contactPointID string, in ContactPointUpdate, w Write) (*ContactPointChange, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = ContactPoints.id(p, "id", contactPointID)
		in.check(p)
	}
	op := operation{"contactPointUpdate", []Permission{PartyEdit}}
	return perform(ctx, op, w, []any{contactPointID, &in}, check, func(ctx context.Context, c *change) (*ContactPointChange, error) {
		p, point, err := c.pointTarget(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := in.fits(point.Kind); err != nil {
			return nil, err
		}
		var before, after *string
		if point.IsPrimary {
			was := point.Value
			before = &was
		}
		applyRequired(&point.Value, in.Value)
		applyRequired(&point.Label, in.Label)
		apply(&point.Extension, in.Extension)
		applyRequired(&point.IsPrimary, in.IsPrimary)
		point.Derive()
		if point.IsPrimary {
			after = &point.Value
			if before == nil {
				if before, err = c.yield(ctx, p, point.Kind); err != nil {
					return nil, err
				}
			}
		}
		update(c, ContactPoints, point)
		if before == nil && after == nil {
			return c.pointSaved(p, point, id, false), nil
		}
		if err := c.mirrorPoint(ctx, p, point.Kind, before, after); err != nil {
			return nil, err
		}
		changed := c.pointSaved(p, point, id, true)
		return changed, c.stillBillable(ctx, p, point.Kind, after, "input.isPrimary")
	})
}

// RemoveContactPoint takes a way to reach it from a party; none takes the place of a primary
// one. Errors: as perform, Invalid (BillingEmailRequired), NotFound, Stale (of the party),
// Conflict (PartyMerged, InvalidState).
func (*Store) RemoveContactPoint(ctx context.Context, contactPointID string, w Write) (*ContactPointChange, error) {
	var id uuid.UUID
	check := func(p *problems) { id = ContactPoints.id(p, "id", contactPointID) }
	op := operation{"contactPointRemove", []Permission{PartyEdit}}
	return perform(ctx, op, w, contactPointID, check, func(ctx context.Context, c *change) (*ContactPointChange, error) {
		p, point, err := c.pointTarget(ctx, id)
		if err != nil {
			return nil, err
		}
		remove(c, ContactPoints, id)
		if !point.IsPrimary {
			return c.pointSaved(p, nil, id, false), nil
		}
		if err := c.mirrorPoint(ctx, p, point.Kind, &point.Value, nil); err != nil {
			return nil, err
		}
		changed := c.pointSaved(p, nil, id, true)
		return changed, c.stillBillable(ctx, p, point.Kind, nil, "id")
	})
}

// pointTarget locks the party of a contact point, which must be the revision that the caller
// saw and be open to changes, and then the contact point. Errors: NotFound, Stale, Conflict.
func (c *change) pointTarget(ctx context.Context, id uuid.UUID) (*profile, *ContactPoint, error) {
	rows, err := find(ctx, c, ContactPoints, "t.id = $2", id)
	if err != nil {
		return nil, nil, err
	}
	if len(rows) == 0 {
		return nil, nil, notFoundf("no such ContactPoint")
	}
	for seen := rows[0]; ; {
		p, err := c.profile(ctx, seen.PartyID)
		if err != nil {
			return nil, nil, err
		}
		point, err := lockOne(ctx, c, ContactPoints, id)
		if err != nil {
			return nil, nil, err
		}
		if point.PartyID != seen.PartyID {
			seen = point // a merge moved it meanwhile
			continue
		}
		if err := p.editable("id"); err != nil {
			return nil, nil, err
		}
		return p, point, c.expected(p.party, p.party.Revision)
	}
}

// primaryPoint locks the primary contact point of a kind, nil when there is none.
func (c *change) primaryPoint(ctx context.Context, p *profile, kind ContactPointKind) (*ContactPoint, error) {
	rows, err := lock(ctx, c, ContactPoints, "t.party_id = $2 AND t.kind = $3 AND t.is_primary", p.party.ID, kind)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0], nil
}

// yield queues the end of the primacy of a locked party's contact point of a kind, and
// returns its value, nil when there was none.
func (c *change) yield(ctx context.Context, p *profile, kind ContactPointKind) (*string, error) {
	primary, err := c.primaryPoint(ctx, p, kind)
	if err != nil || primary == nil {
		return nil, err
	}
	primary.IsPrimary = false
	update(c, ContactPoints, primary)
	return &primary.Value, nil
}

// mirrorPoint is mirror as the tenant's settings say.
func (c *change) mirrorPoint(ctx context.Context, p *profile, kind ContactPointKind, before, after *string) error {
	settings, err := c.settings(ctx)
	if err != nil {
		return err
	}
	return c.mirror(ctx, p, kind, before, after, settings.claims(p, kind), "input.value")
}

// mirror queues what makes the primary contact point of a kind lead to its locked party: its
// value was before and is after, nil for none. One that stays the same keeps its claim or goes
// on without one. field names the value in errors.
func (c *change) mirror(ctx context.Context, p *profile, kind ContactPointKind, before, after *string, mode ClaimMode, field string) error {
	identifiers, err := find(ctx, c, Identifiers, "t.party_id = $2 AND t.kind = $3", p.party.ID, kind)
	if err != nil {
		return err
	}
	was, is := kind.normalise(before), kind.normalise(after)
	kept := false
	for _, i := range identifiers {
		switch {
		case i.Normalised == is && !i.IsAlias:
			kept = true
			i.Value = *after
			i.Derive()
			update(c, Identifiers, i)
		case i.Normalised == is, i.Normalised == was && !i.IsAlias:
			remove(c, Identifiers, i.ID) // an alias that becomes the party's own is made anew
		}
	}
	if after != nil && !kept {
		point := ContactPoint{Kind: kind}
		c.identify(p.party.ID, point.identifierKind(), "", *after, mode, field)
	}
	return nil
}

// normalise brings the value of a contact point to the form it is compared in; none is empty.
func (k ContactPointKind) normalise(value *string) string {
	if value == nil {
		return ""
	}
	point := ContactPoint{Kind: k, Value: *value}
	point.Derive()
	return point.Normalised
}

// stillBillable makes sure, after what is queued, that a party that lost its primary e-mail
// address gets no invoices by e-mail.
func (c *change) stillBillable(ctx context.Context, p *profile, kind ContactPointKind, after *string, field string) error {
	if kind != PointEmail || after != nil {
		return nil
	}
	// How its organisations deliver must not change meanwhile.
	c.exec(`SELECT FROM account a WHERE a.tenant_id = $1 AND a.id IN (SELECT k.organization_id FROM contact k
		WHERE k.tenant_id = $1 AND k.person_id = $2 AND k.status = 'ACTIVE') ORDER BY a.id FOR SHARE`, p.party.ID)
	return c.billableAll(ctx, field, "k.person_id = $2", p.party.ID)
}

// setPrimaryPoint makes a value the primary contact point of a kind of a locked party: it
// takes the place of the one before, whose value is gone; with nil there is none. The value
// must have been checked; mode says how it is claimed, unless it stays the same. The party
// is the caller's to save. field names the value in errors: of this call Invalid with
// BillingEmailRequired, of the flush Conflict with EmailInUse or PhoneInUse.
func (c *change) setPrimaryPoint(ctx context.Context, p *profile, kind ContactPointKind, value *string, mode ClaimMode, field string) error {
	primary, err := c.primaryPoint(ctx, p, kind)
	if err != nil {
		return err
	}
	var before *string
	switch {
	case primary == nil && value == nil:
		return nil
	case primary == nil:
		point := &ContactPoint{PartyID: p.party.ID, Kind: kind, Label: PointOther, Value: *value, IsPrimary: true}
		point.Derive()
		insert(c, ContactPoints, point)
	case value == nil:
		before = &primary.Value
		remove(c, ContactPoints, primary.ID)
	default:
		was := primary.Value
		before = &was
		if kind.normalise(value) != primary.Normalised {
			primary.Extension = nil
		}
		primary.Value = *value
		primary.Derive()
		update(c, ContactPoints, primary)
	}
	if err := c.mirror(ctx, p, kind, before, value, mode, field); err != nil {
		return err
	}
	return c.stillBillable(ctx, p, kind, value, field)
}
