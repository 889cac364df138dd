package crm

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// CommunicationPreference says whether a party wants to be reached over a channel.
type CommunicationPreference string

// ConsentState is what a party said to one use of its data.
type ConsentState string

// ConsentChangeKind says what kind of answer changed.
type ConsentChangeKind string

// The words of preferences and consents.
const (
	OptIn         CommunicationPreference = "OPT_IN"
	OptOut        CommunicationPreference = "OPT_OUT"
	NotApplicable CommunicationPreference = "NOT_APPLICABLE"

	ConsentGranted   ConsentState = "GRANTED"
	ConsentDenied    ConsentState = "DENIED"
	ConsentWithdrawn ConsentState = "WITHDRAWN"
	ConsentUnknown   ConsentState = "UNKNOWN"

	ChangedConsent    ConsentChangeKind = "CONSENT"
	ChangedPreference ConsentChangeKind = "PREFERENCE"
)

// CommunicationPreferences is how a party wants to be reached. It shares the party's id, and
// its revision also counts the changes of the party's consents; the party's does not.
type CommunicationPreferences struct {
	bun.BaseModel `bun:"table:communication_preferences"`
	Row

	Email        *CommunicationPreference `bun:"email"` // nil = never said
	SMS          *CommunicationPreference `bun:"sms"`
	Phone        *CommunicationPreference `bun:"phone"`
	Marketing    *CommunicationPreference `bun:"marketing"`
	Custom       json.RawMessage          `bun:"custom,type:jsonb"` // a JSON object (G3N's preferences); nil = none
	Note         *string                  `bun:"note"`
	UpdateSource string                   `bun:"update_source"`
	UpdatedBy    string                   `bun:"updated_by"` // a subject, or system
	CreatedAt    time.Time                `bun:"created_at"`
	UpdatedAt    time.Time                `bun:"updated_at"`
	Revision     int64                    `bun:"revision"` // 0 while nothing was ever set
}

// Consent is what a party said to one use of its data. Expired consents are kept.
type Consent struct {
	bun.BaseModel `bun:"table:consent"`
	Row

	PartyID    uuid.UUID    `bun:"party_id"`
	Type       string       `bun:"type"` // snake_case; one consent of each type
	State      ConsentState `bun:"state"`
	Source     *string      `bun:"source"` // where it was given
	CapturedAt time.Time    `bun:"captured_at"`
	ExpiresAt  *time.Time   `bun:"expires_at"`
	CreatedAt  time.Time    `bun:"created_at"`
	UpdatedAt  time.Time    `bun:"updated_at"`
}

// ConsentChange is one answer of a party that became another. Changes are never changed.
type ConsentChange struct {
	bun.BaseModel `bun:"table:consent_change"`
	Row

	PartyID    uuid.UUID         `bun:"party_id"`
	Kind       ConsentChangeKind `bun:"kind"`
	Name       string            `bun:"name"`   // the type of a consent; email, sms, phone or marketing
	Before     *string           `bun:"before"` // nil when nothing was said
	After      *string           `bun:"after"`  // nil when nothing is said any more
	Source     *string           `bun:"source"`
	Actor      string            `bun:"actor"`
	Reason     *string           `bun:"reason"`
	OccurredAt time.Time         `bun:"occurred_at"`
}

// The types in the catalogue.
var (
	PreferencesOfParties = newType[CommunicationPreferences]("CommunicationPreferences", "cpr", PreferenceView, nil)
	Consents             = newType[Consent]("Consent", "cns", PreferenceView, nil)
	ConsentChanges       = newType[ConsentChange]("ConsentChange", "cch", PreferenceView, nil)
)

// The edges to what a party said, and back. Party and customer are one thing that says it once.
var (
	PreferencesParty   = one(PreferencesOfParties, "party", Parties, "id")
	PreferenceConsents = consentsOf(PreferencesOfParties)
	ConsentParty       = one(Consents, "party", Parties, "party_id")
	ConsentChangeParty = one(ConsentChanges, "party", Parties, "party_id")

	PartyConsents          = consentsOf(Parties)
	PartyConsentHistory    = consentHistoryOf(Parties)
	CustomerConsents       = consentsOf(Customers)
	CustomerConsentHistory = consentHistoryOf(Customers)

	partyPreferences    = one(Parties, "communicationPreferences", PreferencesOfParties, "id").resolved()
	customerPreferences = one(Customers, "communicationPreferences", PreferencesOfParties, "id").resolved()
)

func consentsOf[P any](from *Record[P]) *Paged[P, Consent] {
	return paged(from, "consents", Consents, source{key: "t.party_id"}, Consents.orderBy("type"), "id")
}

func consentHistoryOf[P any](from *Record[P]) *Paged[P, ConsentChange] {
	return paged(from, "consentHistory", ConsentChanges, source{key: "t.party_id"}, ConsentChanges.orderBy("-id"), "id")
}

// IsNode marks the type.
func (*CommunicationPreferences) IsNode() {}

// NodeID is the global id.
func (p *CommunicationPreferences) NodeID() string { return PreferencesOfParties.nodeID(p.ID) }

// IsNode marks the type.
func (*Consent) IsNode() {}

// NodeID is the global id.
func (c *Consent) NodeID() string { return Consents.nodeID(c.ID) }

// IsNode marks the type.
func (*ConsentChange) IsNode() {}

// NodeID is the global id.
func (c *ConsentChange) NodeID() string { return ConsentChanges.nodeID(c.ID) }

// PreferencesOfParty returns how a party wants to be reached: an empty record of revision 0
// while nothing was ever set (Durion D-06, G3N 20). Errors: Unauthenticated, Forbidden, Unavailable.
func PreferencesOfParty(ctx context.Context, p *Party) (*CommunicationPreferences, error) {
	found, err := partyPreferences.Load(ctx, p)
	if err != nil || found != nil {
		return found, err
	}
	return unsetPreferences(p.Row, p.CreatedAt), nil
}

// PreferencesOfCustomer is [PreferencesOfParty] for a party in its buying role.
func PreferencesOfCustomer(ctx context.Context, c *Customer) (*CommunicationPreferences, error) {
	found, err := customerPreferences.Load(ctx, c)
	if err != nil || found != nil {
		return found, err
	}
	return unsetPreferences(c.Row, c.CreatedAt), nil
}

// Answer is what a consent comes to at a time: yes when it is granted, no when it is denied or
// withdrawn; nil when that is not known, or not any more.
func (c *Consent) Answer(now time.Time) *bool {
	if c.ExpiresAt != nil && !now.Before(*c.ExpiresAt) {
		return nil
	}
	return c.State.answer()
}

func (s ConsentState) answer() *bool {
	switch s {
	case ConsentGranted:
		return new(true)
	case ConsentDenied, ConsentWithdrawn:
		return new(false)
	case ConsentUnknown:
	}
	return nil
}

// ConsentAnswers are the consents that are a yes or a no now, by type.
// Errors: Unauthenticated, Forbidden, Unavailable.
func ConsentAnswers(ctx context.Context, p *CommunicationPreferences) (map[string]bool, error) {
	s, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	consents, err := PreferenceConsents.All(ctx, p)
	if err != nil {
		return nil, err
	}
	answers := map[string]bool{}
	for _, consent := range consents {
		if yes := consent.Answer(s.now); yes != nil {
			answers[consent.Type] = *yes
		}
	}
	return answers, nil
}

// unsetPreferences are those of a party that never said anything since it was made.
func unsetPreferences(party Row, made time.Time) *CommunicationPreferences {
	return &CommunicationPreferences{Row: party, UpdateSource: "system", UpdatedBy: "system", CreatedAt: made, UpdatedAt: made}
}
