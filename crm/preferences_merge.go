package crm

import (
	"context"

	"github.com/google/uuid"
)

// mergePreferences queues what becomes of the preferences and consents of parties that are
// merged, all of them locked (Durion 3.12.4, G3N 3.3): the survivor's stay, and what it never
// said it takes from the losers in their order, but a loser's no beats the survivor's yes. Its
// revision counts one when anything changes, also if it had no record. The losers' rows stay.
// It returns how many losers had a part in it.
func (c *change) mergePreferences(ctx context.Context, survivor uuid.UUID, losers []uuid.UUID) (int, error) {
	all, err := c.answersOf(ctx, append([]uuid.UUID{survivor}, losers...)...)
	if err != nil {
		return 0, err
	}
	merged := all[survivor]
	merged.merged = true
	first := merged.preferences == nil
	if first {
		merged.preferences = unsetPreferences(Row{TenantID: c.tenant, ID: survivor}, c.now)
		remember(c, merged.preferences)
	}
	parts := 0
	for _, loser := range losers {
		theirs := all[loser]
		takes := merged.absorb(theirs)
		if first && theirs.preferences != nil { // the record itself, whatever it says
			first, takes = false, true
		}
		if takes {
			parts++
		}
	}
	if parts > 0 {
		c.keep(merged, mergeSource)
	}
	return parts, nil
}

// absorb takes over what a loser of a merge said, and reports whether there was anything.
func (a *answers) absorb(theirs *answers) bool {
	took := false
	if theirs.preferences != nil {
		took = a.preferences.absorb(theirs.preferences)
	}
	for name, their := range theirs.consents {
		own := a.consents[name]
		if own != nil && !yields(own.State, their.State) {
			continue
		}
		consent := *their
		consent.Row, consent.PartyID = Row{ID: newID()}, a.preferences.ID
		if own != nil {
			consent.Row, consent.CreatedAt = own.Row, own.CreatedAt
		}
		a.consents[name] = &consent
		took = true
	}
	return took
}

// absorb takes over what was not said yet, and every opt-out.
func (p *CommunicationPreferences) absorb(theirs *CommunicationPreferences) bool {
	took := false
	for _, channel := range channels {
		own, their := channel.of(p), *channel.of(theirs)
		if their != nil && (*own == nil || **own == OptIn && *their == OptOut) {
			*own, took = their, true
		}
	}
	if p.Custom == nil && theirs.Custom != nil {
		p.Custom, took = theirs.Custom, true
	}
	if p.Note == nil && theirs.Note != nil {
		p.Note, took = theirs.Note, true
	}
	return took
}

// yields reports whether a consent gives way to that of another party that it is merged with.
func yields(own, their ConsentState) bool {
	switch own {
	case ConsentUnknown:
		return their != ConsentUnknown
	case ConsentGranted:
		return their == ConsentDenied || their == ConsentWithdrawn
	default:
		return false
	}
}
