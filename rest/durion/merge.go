package durion

import (
	"context"
	"errors"

	"crmgraph/crm"
	"crmgraph/rest"
)

// merged is the MergePartiesResponse (Durion D-10).
type merged struct {
	MergeAuditID    string      `json:"mergeAuditId"`
	SurvivorPartyID string      `json:"survivorPartyId"`
	LosingPartyIDs  []string    `json:"losingPartyIds"`
	LosingPartyID   string      `json:"losingPartyId,omitempty"` // of a single one
	Status          string      `json:"status"`
	CompletedAt     instant     `json:"completedAt"`
	MovedCounts     movedCounts `json:"movedCounts"`
}

type movedCounts struct {
	Contacts                 int `json:"contacts"`
	Vehicles                 int `json:"vehicles"`
	ExternalIdentifiers      int `json:"externalIdentifiers"`
	CommunicationPreferences int `json:"communicationPreferences"`
}

// mergeParties is D-10. The party of the path survives.
func (d *door) mergeParties(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	survivor := partyID(r, "survivorId")
	losers := losersOf(r)
	in := crm.MergeInput{
		LoserIDs: losers, Justification: r.Body.Required("input.justification", "justification"),
		ReasonCode: rest.Word[crm.MergeReason](r.Body, "input.reasonCode", "reasonCode"),
	}
	if named := r.Body.Text("", "survivorPartyId"); named != nil && globalID("pty", *named) != survivor {
		r.Refuse(crm.InvalidMerge, "survivorPartyId", "the survivor is another one than that of the path")
	}
	done, err := d.store.MergeParties(ctx, survivor, in, crm.Write{})
	if err != nil {
		return nil, d.unmergeable(ctx, err, append([]string{survivor}, losers...))
	}
	m := done.Merge
	shown := merged{
		MergeAuditID: m.ID.String(), SurvivorPartyID: m.SurvivorID.String(), LosingPartyIDs: make([]string, len(losers)),
		Status: "COMPLETED", CompletedAt: instant(m.MergedAt),
		MovedCounts: movedCounts{m.Moved.Contacts, m.Moved.Vehicles, m.Moved.ExternalIdentifiers, m.Moved.CommunicationPreferences},
	}
	for i, id := range losers {
		shown.LosingPartyIDs[i] = bare(id)
	}
	if len(losers) == 1 {
		shown.LosingPartyID = bare(losers[0])
	}
	return rest.OK(shown), nil
}

// unmergeable tells parties that are not in use any more, which are not found, from parties whose
// accounts or points keep them apart, of which the contract knows nothing: that is a bad merge.
func (d *door) unmergeable(ctx context.Context, err error, parties []string) error {
	refusal, ok := errors.AsType[*crm.Error](err)
	if !ok || refusal.Reason != crm.InvalidState {
		return err
	}
	for _, id := range parties {
		if _, gone := d.store.PartyInUse(ctx, id); gone != nil {
			return err
		}
	}
	bad := *refusal
	bad.Reason = crm.InvalidMerge
	return &bad
}

// losersOf reads who is merged away: one party or a list, in members of their own. Null is as good as
// left out.
func losersOf(r *rest.Request) []string {
	const one, many = "losingPartyId", "losingPartyIds"
	first := rest.Indexed("input.loserIds", 0)
	_, _, hasMany := r.Body.Value("input.loserIds", many)
	if !hasMany {
		return []string{globalID("pty", r.Body.Required(first, one))}
	}
	ids, _ := r.Body.Texts("input.loserIds", many)
	if _, _, hasOne := r.Body.Value("", one); hasOne {
		r.Refuse("", many, "either losingPartyId or losingPartyIds is needed, not both")
	}
	losers := make([]string, len(ids))
	for i, id := range ids {
		losers[i] = globalID("pty", id)
	}
	return losers
}
