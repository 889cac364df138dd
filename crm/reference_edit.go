package crm

import (
	"context"
	"fmt"
	"regexp"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// The bounds of the reference lists.
const (
	maxLabel        = 100
	maxPosition     = 1_000_000
	maxNetDays      = 3650
	maxBillingTerms = 250
)

var roleCodePattern = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)

// NewRole is another role that contacts may hold.
type NewRole struct {
	Code     string // 1 to 64 of A-Z 0-9 _, a letter first; never changes
	Label    string // 1 to 100 characters
	Position *int   // 0 to 1,000,000; after all others when absent
}

// CreateRole adds a role to the tenant's list, ACTIVE.
// Errors: as perform, Invalid, Conflict (CodeInUse).
func (*Store) CreateRole(ctx context.Context, in NewRole, w Write) (*Role, error) {
	check := func(p *problems) {
		in.Code = p.required("input.code", in.Code, 64)
		p.matching("input.code", &in.Code, roleCodePattern, "a role's code has 1 to 64 of the characters A-Z 0-9 _ and starts with a letter")
		in.Label = p.required("input.label", in.Label, maxLabel)
		p.within("input.position", in.Position, maxPosition)
	}
	op := operation{"roleCreate", []Permission{ReferenceEdit}}
	return perform(ctx, op, w, &in, check, func(ctx context.Context, c *change) (*Role, error) {
		last := 0
		err := c.query(ctx, statement{
			sql:  "SELECT coalesce(max(position), 0) FROM role WHERE tenant_id = $1",
			args: []any{c.tenant}, read: readOne(&last),
		})
		if err != nil {
			return nil, err
		}
		role := &Role{Code: in.Code, Label: in.Label, Position: valueOr(in.Position, min(last+1, maxPosition)), Status: RoleActive}
		insert(c, Roles, role)
		made(c, RoleCreated, Roles, role, map[string]any{"code": role.Code})
		return role, nil
	})
}

// RoleUpdate changes a role: what is left out stays; nothing can be cleared.
type RoleUpdate struct {
	Label    graphql.Omittable[*string]     `json:",omitzero"`
	Position graphql.Omittable[*int]        `json:",omitzero"`
	Status   graphql.Omittable[*RoleStatus] `json:",omitzero"`
}

// UpdateRole changes a role of the tenant's list. Whoever holds one that becomes INACTIVE
// keeps it. Errors: as perform, Invalid, NotFound, Stale.
func (*Store) UpdateRole(ctx context.Context, roleID string, in RoleUpdate, w Write) (*Role, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = Roles.id(p, "id", roleID)
		patchRequired(p, "input.label", &in.Label, func(v *string) *string { return p.text("input.label", v, maxLabel) })
		patchRequired(p, "input.position", &in.Position, func(v *int) *int { return p.within("input.position", v, maxPosition) })
		patchRequired(p, "input.status", &in.Status, func(v *RoleStatus) *RoleStatus {
			return optionalWord(p, "input.status", v, RoleActive, RoleInactive)
		})
	}
	op := operation{"roleUpdate", []Permission{ReferenceEdit}}
	return perform(ctx, op, w, []any{roleID, &in}, check, func(ctx context.Context, c *change) (*Role, error) {
		role, err := lockOne(ctx, c, Roles, id)
		if err != nil {
			return nil, err
		}
		if err := c.expected(role, role.Revision); err != nil {
			return nil, err
		}
		applyRequired(&role.Label, in.Label)
		applyRequired(&role.Position, in.Position)
		applyRequired(&role.Status, in.Status)
		altered(c, RoleUpdated, Roles, role, update(c, Roles, role), nil)
		return role, nil
	})
}

// within checks a number from 0 to most.
func (p *problems) within(field string, value *int, most int) *int {
	if value != nil && (*value < 0 || *value > most) {
		p.add(field, "the value must be between 0 and %d", most)
	}
	return value
}

// ListBillingTerms returns the tenant's billing terms, by code: at most 250.
// Errors: Unauthenticated, Forbidden, Unavailable.
func (*Store) ListBillingTerms(ctx context.Context) ([]*BillingTerms, error) {
	s, err := begin(ctx, BillingTermsList.view)
	if err != nil {
		return nil, err
	}
	t := BillingTermsList
	return t.rows(ctx, s, statement{
		sql:  fmt.Sprintf("SELECT t.id, %s FROM %s t WHERE t.tenant_id = $1 ORDER BY t.code, t.id LIMIT %d", t.list, t.table, maxBillingTerms),
		args: t.bound(s),
	})
}

// NewBillingTerms are other terms of payment.
type NewBillingTerms struct {
	Code      string // 2 to 32 of A-Z 0-9 _ -, a letter or digit first; never changes
	Label     string // 1 to 100 characters
	NetDays   int    // 0 to 3650; 0 is at once
	IsDefault bool   // takes the place of the default before
}

// CreateBillingTerms adds terms of payment to the tenant's list, ACTIVE.
// Errors: as perform, Invalid, Conflict (CodeInUse; InvalidState for more than 250).
func (*Store) CreateBillingTerms(ctx context.Context, in NewBillingTerms, w Write) (*BillingTerms, error) {
	check := func(p *problems) {
		before := len(p.list)
		if code := p.code("input.code", &in.Code); code != nil {
			in.Code = *code
		} else if len(p.list) == before {
			p.add("input.code", "a value is required")
		}
		in.Label = p.required("input.label", in.Label, maxLabel)
		p.within("input.netDays", &in.NetDays, maxNetDays)
	}
	op := operation{"billingTermsCreate", []Permission{ReferenceEdit}}
	return perform(ctx, op, w, &in, check, func(ctx context.Context, c *change) (*BillingTerms, error) {
		all, err := c.allTerms(ctx)
		if err != nil {
			return nil, err
		}
		if len(all) >= maxBillingTerms {
			return nil, conflictf(InvalidState, "input", "a tenant has at most %d billing terms", maxBillingTerms)
		}
		terms := &BillingTerms{Code: in.Code, Label: in.Label, NetDays: in.NetDays, IsDefault: in.IsDefault, Status: BillingTermsActive}
		if terms.IsDefault {
			c.succeed(all, terms)
		}
		insert(c, BillingTermsList, terms)
		made(c, BillingTermsCreated, BillingTermsList, terms, map[string]any{"code": terms.Code})
		return terms, nil
	})
}

// BillingTermsUpdate changes billing terms: what is left out stays; nothing can be cleared.
type BillingTermsUpdate struct {
	Label     graphql.Omittable[*string]             `json:",omitzero"`
	NetDays   graphql.Omittable[*int]                `json:",omitzero"`
	IsDefault graphql.Omittable[*bool]               `json:",omitzero"`
	Status    graphql.Omittable[*BillingTermsStatus] `json:",omitzero"` // ARCHIVED is final
}

func (in *BillingTermsUpdate) check(p *problems) {
	patchRequired(p, "input.label", &in.Label, func(v *string) *string { return p.text("input.label", v, maxLabel) })
	patchRequired(p, "input.netDays", &in.NetDays, func(v *int) *int { return p.within("input.netDays", v, maxNetDays) })
	patchRequired(p, "input.isDefault", &in.IsDefault, func(v *bool) *bool { return v })
	patchRequired(p, "input.status", &in.Status, func(v *BillingTermsStatus) *BillingTermsStatus {
		return optionalWord(p, "input.status", v, BillingTermsActive, BillingTermsInactive, BillingTermsArchived)
	})
}

// UpdateBillingTerms changes terms of payment of the tenant's list. Accounts that have them
// keep them. The default is ACTIVE: it is one of at most one, and the default before is it no
// more. Errors: as perform, Invalid, NotFound, Stale, Conflict (InvalidState).
func (*Store) UpdateBillingTerms(ctx context.Context, termsID string, in BillingTermsUpdate, w Write) (*BillingTerms, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = BillingTermsList.id(p, "id", termsID)
		in.check(p)
	}
	op := operation{"billingTermsUpdate", []Permission{ReferenceEdit}}
	return perform(ctx, op, w, []any{termsID, &in}, check, func(ctx context.Context, c *change) (*BillingTerms, error) {
		all, err := c.allTerms(ctx)
		if err != nil {
			return nil, err
		}
		terms := all[id]
		if terms == nil {
			return nil, notFoundf("no such BillingTerms")
		}
		if err := c.expected(terms, terms.Revision); err != nil {
			return nil, err
		}
		if s := in.Status.Value(); s != nil && *s != terms.Status && terms.Status == BillingTermsArchived {
			return nil, conflictf(InvalidState, "input.status", "archived terms stay archived")
		}
		wasDefault := terms.IsDefault
		applyRequired(&terms.Label, in.Label)
		applyRequired(&terms.NetDays, in.NetDays)
		applyRequired(&terms.IsDefault, in.IsDefault)
		applyRequired(&terms.Status, in.Status)
		if terms.IsDefault && terms.Status != BillingTermsActive {
			field := "input.status"
			if !wasDefault {
				field = "input.isDefault"
			}
			return nil, conflictf(InvalidState, field, "the default terms are ACTIVE")
		}
		if terms.IsDefault {
			c.succeed(all, terms)
		}
		altered(c, BillingTermsUpdated, BillingTermsList, terms, update(c, BillingTermsList, terms), nil)
		return terms, nil
	})
}

// allTerms locks the tenant's billing terms: their list changes one at a time.
func (c *change) allTerms(ctx context.Context) (map[uuid.UUID]*BillingTerms, error) {
	c.oneAtATime("billing terms")
	if err := c.flush(ctx); err != nil {
		return nil, err
	}
	rows, err := lock(ctx, c, BillingTermsList, "true")
	all := make(map[uuid.UUID]*BillingTerms, len(rows))
	for _, row := range rows {
		all[row.ID] = row
	}
	return all, err
}

// succeed queues the end of the default before other terms.
func (c *change) succeed(all map[uuid.UUID]*BillingTerms, terms *BillingTerms) {
	for _, other := range all {
		if other.IsDefault && other != terms {
			other.IsDefault = false
			altered(c, BillingTermsUpdated, BillingTermsList, other, update(c, BillingTermsList, other), nil)
		}
	}
}
