package crm

import (
	"context"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/uptrace/bun"
)

// ContactPropagation says which other organisations a new contact is copied to.
type ContactPropagation string

// The words of contact propagation.
const (
	PropagateUpward   ContactPropagation = "UPWARD"   // to all organisations above
	PropagateDownward ContactPropagation = "DOWNWARD" // to all organisations below
	PropagateNot      ContactPropagation = "DISABLED"
)

// TenantSettings is how a tenant wants its rules.
type TenantSettings struct {
	bun.BaseModel `bun:"table:tenant_settings"`
	Row           // its id is the tenant's

	EmailUnique        bool               `bun:"email_unique"` // among customers
	PhoneUnique        bool               `bun:"phone_unique"` // among customers
	ContactPropagation ContactPropagation `bun:"contact_propagation"`
	Restrictions       []string           `bun:"restrictions,array"`     // that parties may carry; empty = none may
	ActiveCountries    []string           `bun:"active_countries,array"` // ISO 3166-1 alpha-2; empty = all
	CreatedAt          time.Time          `bun:"created_at"`
	UpdatedAt          time.Time          `bun:"updated_at"`
	Revision           int64              `bun:"revision"` // 0 while nothing was ever set
}

// SettingsOfTenants is the type in the catalogue.
var SettingsOfTenants = newType[TenantSettings]("TenantSettings", "set", SettingsView, nil)

// IsNode marks the type.
func (*TenantSettings) IsNode() {}

// NodeID is the global id.
func (s *TenantSettings) NodeID() string { return SettingsOfTenants.nodeID(s.ID) }

// FirstSet is when settings were first set, nil while they never were.
func (s *TenantSettings) FirstSet() *time.Time { return orNever(s.CreatedAt) }

// LastSet is when settings were last set, nil while they never were.
func (s *TenantSettings) LastSet() *time.Time { return orNever(s.UpdatedAt) }

func orNever(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Settings returns the settings of the caller's tenant, the defaults when none were set.
// Errors: Unauthenticated, Forbidden, Unavailable.
func (*Store) Settings(ctx context.Context) (*TenantSettings, error) {
	s, err := begin(ctx, SettingsView)
	if err != nil {
		return nil, err
	}
	return s.settings(ctx)
}

func (s *session) settings(ctx context.Context) (*TenantSettings, error) {
	st, found := SettingsOfTenants.rowsOf(s, SettingsOfTenants.byIDs, ids(s.tenant))
	if err := s.query(ctx, st); err != nil {
		return nil, err
	}
	if row := found[s.tenant]; row != nil {
		return row, nil
	}
	return &TenantSettings{
		Row: Row{TenantID: s.tenant, ID: s.tenant}, EmailUnique: true, ContactPropagation: PropagateUpward,
		Restrictions: []string{}, ActiveCountries: []string{},
	}, nil
}

// TenantSettingsUpdate changes settings: what is left out stays.
type TenantSettingsUpdate struct {
	EmailUnique        graphql.Omittable[*bool]               `json:",omitzero"`
	PhoneUnique        graphql.Omittable[*bool]               `json:",omitzero"`
	ContactPropagation graphql.Omittable[*ContactPropagation] `json:",omitzero"`
	Restrictions       graphql.Omittable[[]string]            `json:",omitzero"` // at most 100
	ActiveCountries    graphql.Omittable[[]string]            `json:",omitzero"` // at most 250
}

// UpdateSettings changes the settings of the caller's tenant. They hold for what is written
// from then on. Errors: as perform, and Stale.
func (*Store) UpdateSettings(ctx context.Context, in TenantSettingsUpdate, w Write) (*TenantSettings, error) {
	op := operation{"tenantSettingsUpdate", []Permission{SettingsEdit}}
	check := func(p *problems) {
		patchRequired(p, "input.emailUnique", &in.EmailUnique, func(v *bool) *bool { return v })
		patchRequired(p, "input.phoneUnique", &in.PhoneUnique, func(v *bool) *bool { return v })
		patchRequired(p, "input.contactPropagation", &in.ContactPropagation, func(v *ContactPropagation) *ContactPropagation {
			return optionalWord(p, "input.contactPropagation", v, PropagateUpward, PropagateDownward, PropagateNot)
		})
		in.Restrictions = p.words("input.restrictions", in.Restrictions, 100, func(field string, v *string) *string { return p.text(field, v, 64) })
		in.ActiveCountries = p.words("input.activeCountries", in.ActiveCountries, 250, p.country)
	}
	return perform(ctx, op, w, &in, check, func(ctx context.Context, c *change) (*TenantSettings, error) {
		// The first write has no row to lock; who comes second finds the row.
		c.exec("INSERT INTO tenant_settings (tenant_id, id, revision, created_at) VALUES ($1, $1, 0, $2) ON CONFLICT DO NOTHING", c.now)
		if err := c.flush(ctx); err != nil {
			return nil, err
		}
		row, err := lockOne(ctx, c, SettingsOfTenants, c.tenant)
		if err != nil {
			return nil, err
		}
		if err := c.expected(row, row.Revision); err != nil {
			return nil, err
		}
		applyRequired(&row.EmailUnique, in.EmailUnique)
		applyRequired(&row.PhoneUnique, in.PhoneUnique)
		applyRequired(&row.ContactPropagation, in.ContactPropagation)
		if v, ok := in.Restrictions.ValueOK(); ok {
			row.Restrictions = v
		}
		if v, ok := in.ActiveCountries.ValueOK(); ok {
			row.ActiveCountries = v
		}
		altered(c, TenantSettingsUpdated, SettingsOfTenants, row, update(c, SettingsOfTenants, row), nil)
		return row, nil
	})
}

// words checks a list of distinct texts; null clears it.
func (p *problems) words(field string, list graphql.Omittable[[]string], most int, check func(string, *string) *string) graphql.Omittable[[]string] {
	given, ok := list.ValueOK()
	if !ok {
		return list
	}
	return graphql.OmittableOf(p.set(field, given, most, check))
}

// set checks each of a list of texts and drops those that are there twice.
func (p *problems) set(field string, given []string, most int, check func(string, *string) *string) []string {
	p.atMost(field, len(given), most)
	kept := []string{}
	for i, text := range given {
		at := indexed(field, i)
		if checked := check(at, &text); checked == nil {
			p.add(at, "a value is required")
		} else if !slices.Contains(kept, *checked) {
			kept = append(kept, *checked)
		}
	}
	return kept
}

// permitted checks what a party says against the tenant's settings: its country must be
// active, and it carries at most one restriction, of those configured.
func (s *TenantSettings) permitted(p *problems, party *Party) {
	s.permitCountry(p, party)
	s.permitRestrictions(p, party)
}

func (s *TenantSettings) permitCountry(p *problems, party *Party) {
	if c := party.CountryCode; c != nil && len(s.ActiveCountries) > 0 && !slices.Contains(s.ActiveCountries, *c) {
		p.add("input.countryCode", "%s is not an active country of the tenant", *c)
	}
}

func (s *TenantSettings) permitRestrictions(p *problems, party *Party) {
	for i, r := range party.Restrictions {
		if !slices.Contains(s.Restrictions, r) {
			p.add(indexed("input.restrictions", i), "%s is not a restriction of the tenant", r)
		}
	}
}
