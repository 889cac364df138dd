package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"crmgraph/db"
)

// MergeReason is a coarse word for why parties were merged.
type MergeReason string

// The reasons of merges.
const (
	MergeConsolidation  MergeReason = "DATA_CONSOLIDATION"
	MergeDuplicate      MergeReason = "DUPLICATE_ACCOUNT"
	MergeReorganization MergeReason = "ORGANIZATIONAL_CHANGE"
	MergeOther          MergeReason = "OTHER"
)

// maxLosers bounds the parties that one merge ends.
const maxLosers = 20

// Merge is the record of parties that were merged into one, for good.
type Merge struct {
	bun.BaseModel `bun:"table:merge"`
	Row

	SurvivorID    uuid.UUID    `bun:"survivor_id"`
	Actor         string       `bun:"actor"`
	Justification string       `bun:"justification"`
	ReasonCode    *MergeReason `bun:"reason_code"`
	SourceRefs    []*SourceRef `bun:"source_refs"`
	Moved         *MergeCounts `bun:"moved"`
	CorrelationID *string      `bun:"correlation_id"`
	MergedAt      time.Time    `bun:"merged_at"`
}

// MergeCounts says how much went to the survivor.
type MergeCounts struct {
	Contacts                 int   `json:"contacts"`                 // engagements, moved or united with the survivor's
	Vehicles                 int   `json:"vehicles"`                 // owned ones
	ExternalIdentifiers      int   `json:"externalIdentifiers"`      // without those that became aliases
	CommunicationPreferences int   `json:"communicationPreferences"` // parties whose preferences or consents counted
	Warranties               int   `json:"warranties"`
	GiftCards                int   `json:"giftCards"`
	Children                 int   `json:"children"` // organisations that belonged to a loser
	Points                   int64 `json:"points"`   // of loyalty

	Credit *Money `json:"credit,omitempty"` // what the losers owed, nil when nothing
}

// Merges is the type in the catalogue.
var Merges = newType[Merge]("Merge", "mrg", PartyView, nil)

// The edges of merges.
var (
	MergeSurvivor = one(Merges, "survivor", Parties, "survivor_id")
	MergeLosers   = paged(Merges, "losers", Parties, source{link: "merge_loser", on: "t.id = x.party_id", key: "x.merge_id"},
		Parties.orderBy("id"), "id")
	// PartyMerges are those that a party survived, PartyMergedBy the one that ended it.
	PartyMerges   = paged(Parties, "merges", Merges, source{key: "t.survivor_id"}, Merges.orderBy("-id"), "id")
	PartyMergedBy = oneThrough(Parties, "mergedBy", Merges, source{link: "merge_loser", on: "t.id = x.merge_id", key: "x.party_id"}, "id")
)

// IsNode marks the type.
func (*Merge) IsNode() {}

// NodeID is the global id.
func (m *Merge) NodeID() string { return Merges.nodeID(m.ID) }

// MergeInput says which parties are merged, and why.
type MergeInput struct {
	LoserIDs      []string // 1 to 20 parties, each once
	Justification string   // 5 to 500 characters
	ReasonCode    *MergeReason
}

// MergeResult is the survivor after a merge, and the record of the merge.
type MergeResult struct {
	Merge *Merge
	Party *Party
}

// MergeParties ends parties for the sake of one, for good and all or nothing: the survivor
// keeps what it has, takes what it lacks, and gets their contacts, vehicles, identifiers,
// children, warranties, gift cards, points, debts, preferences and consents. The losers stay as
// MERGED, read-only (Durion 3.12, G3N 3.3).
// Errors: as perform, Invalid (InvalidMerge), NotFound, Stale (of the survivor), Conflict
// (PartyMerged, InvalidState, CurrencyMismatch).
func (*Store) MergeParties(ctx context.Context, survivorID string, in MergeInput, w Write) (*MergeResult, error) {
	var survivor uuid.UUID
	var losers []uuid.UUID
	check := func(p *problems) {
		survivor, losers = in.ids(p, survivorID, "input.loserIds")
		in.Justification = p.between("input.justification", in.Justification, 5, 500)
		optionalWord(p, "input.reasonCode", in.ReasonCode, MergeConsolidation, MergeDuplicate, MergeReorganization, MergeOther)
	}
	op := operation{"partyMerge", []Permission{PartyMerge}}
	return perform(ctx, op, w, []any{survivorID, &in}, check, func(ctx context.Context, c *change) (*MergeResult, error) {
		m := &merging{change: c, loserField: func(i int) string { return indexed("input.loserIds", i) }}
		if err := m.lock(ctx, survivor, losers); err != nil {
			return nil, err
		}
		if err := c.expected(m.survivor.party, m.survivor.party.Revision); err != nil {
			return nil, err
		}
		return m.run(ctx, in.Justification, in.ReasonCode)
	})
}

// ids reads who is merged; list is the path of the losers.
func (in *MergeInput) ids(p *problems, survivorID, list string) (survivor uuid.UUID, losers []uuid.UUID) {
	survivor = Parties.id(p, "survivorId", survivorID)
	if len(in.LoserIDs) == 0 {
		p.because(InvalidMerge, list, "at least one party to merge is needed")
	}
	p.atMost(list, len(in.LoserIDs), maxLosers)
	for i, text := range in.LoserIDs {
		field := indexed(list, i)
		id := Parties.id(p, field, text)
		switch {
		case id == uuid.Nil: // reported already
		case id == survivor:
			p.because(InvalidMerge, field, "a party cannot be merged with itself")
		case slices.Contains(losers, id):
			p.because(InvalidMerge, field, "the party is listed twice")
		}
		losers = append(losers, id)
	}
	return survivor, losers
}

// MergeCustomers merges one customer into another (G3N 33); see MergeParties. Both must be
// ACTIVE or INACTIVE, and not deactivated. Errors: as MergeParties; Stale is of the target.
func (*Store) MergeCustomers(ctx context.Context, sourceID, targetID string, w Write) (*Customer, error) {
	var source, target uuid.UUID
	check := func(p *problems) {
		source, target = Customers.id(p, "sourceId", sourceID), Customers.id(p, "targetId", targetID)
		if source == target && len(p.list) == 0 {
			p.because(InvalidMerge, "sourceId", "a customer cannot be merged with itself")
		}
	}
	op := operation{"customerMerge", []Permission{PartyMerge}}
	return perform(ctx, op, w, []string{sourceID, targetID}, check, func(ctx context.Context, c *change) (*Customer, error) {
		m := &merging{change: c, loserField: func(int) string { return "sourceId" }}
		if err := m.lock(ctx, target, []uuid.UUID{source}); err != nil {
			return nil, err
		}
		if m.survivor.customer == nil || m.losers[0].customer == nil {
			return nil, notFoundf("no such Customer")
		}
		if err := c.expected(m.survivor.customer, m.survivor.customer.Revision); err != nil {
			return nil, err
		}
		justification := "customer merge"
		if w.Audit != nil && w.Audit.Reason != nil {
			justification = *w.Audit.Reason
		}
		_, err := m.run(ctx, justification, nil)
		return m.survivor.customer, err
	})
}

// MergePreview is what a merge would do.
type MergePreview struct {
	Fields []*MergeFieldPreview
	Moved  *MergeCounts
}

// MergeFieldPreview is one field of the parties and what becomes of it.
type MergeFieldPreview struct {
	Field      string
	Survivor   *string
	Losers     []*string // in the order they were named
	Result     *string
	IsConflict bool // a loser has another value, which the survivor will not get
}

var errPreviewed = errors.New("a preview changes nothing")

// PreviewMerge carries a merge out and takes it back: it tells what MergeParties would do now.
// Errors: as MergeParties but for its justification.
func (st *Store) PreviewMerge(ctx context.Context, survivorID string, loserIDs []string) (*MergePreview, error) {
	s, err := begin(ctx, PartyView, PartyMerge)
	if err != nil {
		return nil, err
	}
	var p problems
	in := MergeInput{LoserIDs: loserIDs}
	survivor, losers := in.ids(&p, survivorID, "loserIds")
	if p.err() != nil {
		return nil, p.err()
	}
	var preview *MergePreview
	err = st.DB.Transact(ctx, func(ctx context.Context, tx *db.Tx) error {
		m := &merging{change: newChange(ctx, s, tx, Write{}), loserField: func(i int) string { return indexed("loserIds", i) }}
		if err := m.lock(ctx, survivor, losers); err != nil {
			return err
		}
		fields, err := m.compare(ctx)
		if err != nil {
			return err
		}
		result, err := m.run(ctx, "preview", nil)
		if err != nil {
			return err
		}
		preview = &MergePreview{Fields: fields(), Moved: result.Merge.Moved}
		return errPreviewed
	})
	if errors.Is(err, errPreviewed) {
		return preview, nil
	}
	return nil, failed(err)
}

// merging is a merge under way.
type merging struct {
	*change

	loserField func(i int) string
	survivor   *profile
	losers     []*profile
	points     map[uuid.UUID][]*ContactPoint // of each of them
	moved      MergeCounts
}

// lock locks everybody, in the order of ids, and checks that they can be merged.
func (m *merging) lock(ctx context.Context, survivor uuid.UUID, losers []uuid.UUID) error {
	found, err := m.profiles(ctx, append([]uuid.UUID{survivor}, losers...)...)
	if err != nil {
		return err
	}
	if m.survivor = found[survivor]; m.survivor == nil {
		return missing("survivorId", Parties)
	}
	for i, id := range losers {
		if found[id] == nil {
			return missing(m.loserField(i), Parties)
		}
		m.losers = append(m.losers, found[id])
	}
	if err := m.survivor.editable("survivorId"); err != nil {
		return err
	}
	var p problems
	for i, loser := range m.losers {
		if err := loser.editable(m.loserField(i)); err != nil {
			return err
		}
		if loser.party.Kind != m.survivor.party.Kind {
			p.because(InvalidMerge, m.loserField(i), "a person and an organisation cannot be merged")
		}
	}
	return p.err()
}

// run does the merge. What it writes is queued, or sent where it must read it again.
func (m *merging) run(ctx context.Context, justification string, reason *MergeReason) (*MergeResult, error) {
	if err := m.readPoints(ctx); err != nil {
		return nil, err
	}
	merge := &Merge{
		Row: Row{ID: newID()}, SurvivorID: m.survivor.party.ID, Actor: m.actor, Justification: justification, ReasonCode: reason,
		Moved: &m.moved, CorrelationID: m.correlation, MergedAt: m.now,
	}
	if a := m.write.Audit; a != nil {
		merge.SourceRefs = a.SourceRefs
	}
	snapshots, err := m.snapshots(ctx)
	if err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{
		m.becomeCustomer, m.takeFields, m.takePoints, m.takeIdentifiers, m.takeContacts, m.takeVehicles, m.takeWarranties,
		m.takeGiftCards, m.takeLoyalty, m.takeCredit, m.takeLocations, m.takeChildren, m.takePreferences,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	insert(m.change, Merges, merge)
	for i, loser := range m.losers {
		m.exec("INSERT INTO merge_loser (tenant_id, merge_id, party_id, snapshot) VALUES ($1, $2, $3, $4)", merge.ID, loser.party.ID, snapshots[i])
		m.end(loser)
	}
	m.exec("UPDATE party SET merged_into_id = $2 WHERE tenant_id = $1 AND merged_into_id = ANY ($3)", m.survivor.party.ID, m.loserIDs())
	m.saved(PartyAbsorbed, m.survivor, map[string]any{"merge": merge.NodeID(), "losers": m.loserNodeIDs()})
	m.enterTransfer(m.survivor)
	return &MergeResult{merge, m.survivor.party}, m.flush(ctx)
}

// end queues the end of a loser.
func (m *merging) end(loser *profile) {
	survivor := m.survivor.party.ID
	loser.party.Status, loser.party.MergedIntoID = PartyMerged, &survivor
	if loser.customer != nil {
		loser.customer.Status = CustomerMerged
	}
	if loser.account != nil && loser.account.Status == AccountActive {
		loser.account.Status = AccountInactive
	}
	m.saved(PartyWasMerged, loser, map[string]any{"survivor": m.survivor.party.NodeID()})
	m.enterTransfer(loser)
}

func (m *merging) loserIDs() []uuid.UUID { return partyIDs(m.losers) }

func (m *merging) everybody() []uuid.UUID { return append(m.loserIDs(), m.survivor.party.ID) }

func (m *merging) loserNodeIDs() []string {
	ids := make([]string, len(m.losers))
	for i, l := range m.losers {
		ids[i] = l.party.NodeID()
	}
	return ids
}

// snapshots keeps each loser as it was.
func (m *merging) snapshots(ctx context.Context) ([]json.RawMessage, error) {
	identifiers, err := find(ctx, m.change, Identifiers, "t.party_id = ANY ($2) ORDER BY t.id", m.loserIDs())
	if err != nil {
		return nil, err
	}
	of := map[uuid.UUID][]*Identifier{}
	for _, i := range identifiers {
		of[i.PartyID] = append(of[i.PartyID], i)
	}
	kept := make([]json.RawMessage, len(m.losers))
	for i, l := range m.losers {
		kept[i], err = json.Marshal(map[string]any{
			"party": l.party, "customer": l.customer, "account": l.account,
			"contactPoints": m.points[l.party.ID], "identifiers": of[l.party.ID],
		})
		if err != nil {
			return nil, failed(fmt.Errorf("keep a merged party: %w", err))
		}
	}
	return kept, nil
}
