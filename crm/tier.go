package crm

import (
	"strings"
	"time"
)

// Tier is how a party is treated, by its revenue.
type Tier struct {
	Level         AccountTier
	AssignedAt    time.Time
	AssignedBy    string // a subject, or system
	IsManual      bool   // a person chose it against the revenue
	Note          *string
	AnnualRevenue *string // decimal, in the tenant's own money
}

// Tier is how the party is treated: STANDARD, since it was made and by the system, until it
// was assessed.
func (p *Party) Tier() *Tier {
	t := &Tier{
		Level: valueOr(p.TierLevel, TierStandard), AssignedAt: valueOr(p.TierAssignedAt, p.CreatedAt),
		AssignedBy: valueOr(p.TierAssignedBy, "system"), IsManual: p.TierIsManual, Note: p.TierNote,
	}
	if p.AnnualRevenue != nil {
		text := p.AnnualRevenue.String()
		t.AnnualRevenue = &text
	}
	return t
}

// DisplayName is the name to show, such as Gold Tier.
func (t *Tier) DisplayName() string {
	return string(t.Level[0]) + strings.ToLower(string(t.Level[1:])) + " Tier"
}
