package crm

import (
	"bytes"
	"context"
	"slices"
	"time"
)

// mergeField is one value of a party that a merge may fill: the survivor's stays, and an
// empty one takes the first that a loser has.
type mergeField struct {
	name string
	text func(m *merging, p *profile) *string
	fill func(to, from *profile) // nil when something else fills it
}

// mergeFields lists them. Status, tier, billing and the legal name are always the survivor's.
func mergeFields() []mergeField {
	return []mergeField{
		textField("firstName", func(p *profile) **string { return &p.party.FirstName }),
		textField("lastName", func(p *profile) **string { return &p.party.LastName }),
		textField("legalName", func(p *profile) **string { return &p.party.LegalName }),
		textField("tradingName", func(p *profile) **string { return &p.party.TradingName }),
		textField("taxId", func(p *profile) **string { return &p.party.TaxID }),
		textField("language", func(p *profile) **string { return &p.party.Language }),
		textField("countryCode", func(p *profile) **string { return &p.party.CountryCode }),
		{"birthDate", func(_ *merging, p *profile) *string {
			if p.party.BirthDate == nil {
				return nil
			}
			text := p.party.BirthDate.Format(time.DateOnly)
			return &text
		}, func(to, from *profile) { to.party.BirthDate = from.party.BirthDate }},
		{"email", primaryPoint(PointEmail), nil},
		{"phone", primaryPoint(PointPhone), nil},
		textField("primaryAddress", customerText(func(c *Customer) **string { return &c.PrimaryAddress })),
		textField("homeLogicalId", customerText(func(c *Customer) **string { return &c.HomeLogicalID })),
	}
}

func textField(name string, of func(*profile) **string) mergeField {
	return mergeField{
		name: name,
		text: func(_ *merging, p *profile) *string {
			if field := of(p); field != nil {
				return *field
			}
			return nil
		},
		fill: func(to, from *profile) {
			if field := of(to); field != nil {
				*field = *of(from)
			}
		},
	}
}

func customerText(of func(*Customer) **string) func(*profile) **string {
	return func(p *profile) **string {
		if p.customer == nil {
			return nil
		}
		return of(p.customer)
	}
}

func primaryPoint(kind ContactPointKind) func(*merging, *profile) *string {
	return func(m *merging, p *profile) *string {
		for _, o := range m.points[p.party.ID] {
			if o.Kind == kind && o.IsPrimary {
				return &o.Value
			}
		}
		return nil
	}
}

// takeFields fills what the survivor lacks.
func (m *merging) takeFields(context.Context) error {
	for _, f := range mergeFields() {
		for _, loser := range m.losers {
			if f.fill != nil && f.text(m, m.survivor) == nil && f.text(m, loser) != nil {
				f.fill(m.survivor, loser)
			}
		}
	}
	for _, loser := range m.losers {
		if len(m.survivor.party.Restrictions) == 0 {
			m.survivor.party.Restrictions = loser.party.Restrictions
		}
		if s, l := m.survivor.customer, loser.customer; s != nil && l != nil {
			s.Tags = union(s.Tags, l.Tags)
			if bytes.Equal(s.Metadata, []byte("{}")) {
				s.Metadata = l.Metadata
			}
		}
	}
	m.survivor.derive()
	return nil
}

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// compare reads the fields of everybody, and returns what reads the survivor's once the merge
// is done.
func (m *merging) compare(ctx context.Context) (func() []*MergeFieldPreview, error) {
	if err := m.readPoints(ctx); err != nil {
		return nil, err
	}
	fields := mergeFields()
	previews := make([]*MergeFieldPreview, len(fields))
	for i, f := range fields {
		preview := &MergeFieldPreview{Field: f.name, Survivor: f.text(m, m.survivor)}
		for _, loser := range m.losers {
			value := f.text(m, loser)
			preview.Losers = append(preview.Losers, value)
			if f.fill != nil && value != nil && preview.Survivor != nil && *value != *preview.Survivor {
				preview.IsConflict = true
			}
		}
		previews[i] = preview
	}
	return func() []*MergeFieldPreview {
		for i, f := range fields {
			previews[i].Result = f.text(m, m.survivor)
		}
		return previews
	}, nil
}
