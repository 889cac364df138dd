package crm

import (
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// The bounds of what a party says.
const (
	maxConsentsSet      = 64    // in one operation
	maxConsents         = 100   // of one party
	maxCustomBytes      = 16384 // of the free-form preferences
	maxPreferencesNote  = 1000
	maxUpdateSource     = 64
	defaultUpdateSource = "API"
	mergeSource         = "MERGE"
)

// consentTypePattern holds every consent flag of Durion in snake_case: its 64 characters may
// all be capitals. G3N's own types are shorter.
var consentTypePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,127}$`)

// PreferencesSet is what a party says about being reached and about the uses of its data:
// what is left out stays, null clears. An empty one is a write as any other (Durion D-07).
type PreferencesSet struct {
	Email        graphql.Omittable[*CommunicationPreference] `json:",omitzero"`
	SMS          graphql.Omittable[*CommunicationPreference] `json:",omitzero"`
	Phone        graphql.Omittable[*CommunicationPreference] `json:",omitzero"`
	Marketing    graphql.Omittable[*CommunicationPreference] `json:",omitzero"`
	Consents     []*ConsentSet                               // at most 64, one of each type; other types stay
	Custom       graphql.Omittable[json.RawMessage]          `json:",omitzero"` // a JSON object of at most 16 KiB, replaced whole
	Note         graphql.Omittable[*string]                  `json:",omitzero"` // at most 1000 characters
	UpdateSource *string                                     // at most 64 characters; API when absent
	// Flags is set by a contract whose consents are a yes or a no. The graph does not set it.
	Flags *ConsentFlags `json:",omitzero"`
}

// ConsentFlags says what a contract knows of consents that has only yes and no for them: then
// GRANTED means yes and DENIED means no. An answer that a party has given and gives again
// stays as it is, with its source and times; WITHDRAWN stays WITHDRAWN (Durion 3.4).
type ConsentFlags struct {
	Names func(kind string) bool `json:"-"` // whether the contract can name a type; it leaves the others alone
	Most  int                    // answers to such types that a party gives; who gave more elsewhere gives no further ones
	Clear bool                   // removes the consents of such types that are not set
}

// ConsentSet is what a party says to one use of its data.
type ConsentSet struct {
	Type       string                           // ^[a-z][a-z0-9_]{0,127}$
	State      graphql.Omittable[*ConsentState] `json:",omitzero"` // must be given; null removes the consent
	Source     *string                          // at most 64 characters
	CapturedAt *time.Time                       // not in the future; now when absent
	ExpiresAt  *time.Time                       // after CapturedAt
}

func (in *PreferencesSet) check(p *problems, now time.Time) {
	preference := func(field string) func(*CommunicationPreference) *CommunicationPreference {
		return func(v *CommunicationPreference) *CommunicationPreference {
			return optionalWord(p, field, v, OptIn, OptOut, NotApplicable)
		}
	}
	patch(&in.Email, preference("input.email"))
	patch(&in.SMS, preference("input.sms"))
	patch(&in.Phone, preference("input.phone"))
	patch(&in.Marketing, preference("input.marketing"))
	patch(&in.Note, func(v *string) *string { return p.text("input.note", v, maxPreferencesNote) })
	if v, ok := in.Custom.ValueOK(); ok {
		in.Custom = graphql.OmittableOf(p.object("input.custom", v, maxCustomBytes))
	}
	if in.UpdateSource = p.text("input.updateSource", in.UpdateSource, maxUpdateSource); in.UpdateSource == nil {
		source := defaultUpdateSource
		in.UpdateSource = &source
	}
	p.atMost("input.consents", len(in.Consents), maxConsentsSet)
	seen := map[string]bool{}
	for i, consent := range in.Consents {
		at := indexed("input.consents", i)
		consent.check(p, at, now)
		if seen[consent.Type] {
			p.add(at+".type", "the type is given twice")
		}
		seen[consent.Type] = true
	}
}

func (in *ConsentSet) check(p *problems, at string, now time.Time) {
	if !consentTypePattern.MatchString(in.Type) {
		p.add(at+".type", "a type has 1 to 128 of the characters a-z 0-9 _ and starts with a letter")
	}
	state, given := in.State.ValueOK()
	if !given {
		p.add(at+".state", "a state, or null to remove the consent, is required")
	}
	optionalWord(p, at+".state", state, ConsentGranted, ConsentDenied, ConsentWithdrawn, ConsentUnknown)
	in.Source = p.text(at+".source", in.Source, maxUpdateSource)
	in.CapturedAt, in.ExpiresAt = p.instant(at+".capturedAt", in.CapturedAt), p.instant(at+".expiresAt", in.ExpiresAt)
	if in.CapturedAt != nil && in.CapturedAt.After(now) {
		p.add(at+".capturedAt", "a consent is not captured in the future")
	}
	if in.ExpiresAt != nil && !in.ExpiresAt.After(valueOr(in.CapturedAt, now)) {
		p.add(at+".expiresAt", "a consent expires after it was captured")
	}
}

// SetPreferences says how a party of either kind wants to be reached and what it consents
// to. The revision is that of the preferences, 0 before the first write; the party's stays.
// Every answer that changes leaves a [ConsentChange].
// Errors: as perform, Invalid, NotFound, Stale, Conflict (PartyMerged, InvalidState).
func (s *Store) SetPreferences(ctx context.Context, partyID string, in PreferencesSet, w Write) (*CommunicationPreferences, error) {
	var id uuid.UUID
	check := func(p *problems) {
		id = Parties.id(p, "partyId", partyID)
		in.check(p, s.Now())
	}
	op := operation{"communicationPreferencesSet", []Permission{PreferenceEdit}}
	return perform(ctx, op, w, []any{partyID, &in}, check, func(ctx context.Context, c *change) (*CommunicationPreferences, error) {
		p, err := c.profile(ctx, id) // also those who write first wait for each other here
		if err != nil {
			return nil, err
		}
		if err := p.editable("partyId"); err != nil {
			return nil, err
		}
		said, err := c.answers(ctx, p.party)
		if err != nil {
			return nil, err
		}
		if err := c.expected(said.preferences, said.preferences.Revision); err != nil {
			return nil, err
		}
		if err := said.apply(&in, c.now); err != nil {
			return nil, err
		}
		c.keep(said, *in.UpdateSource)
		return said.preferences, nil
	})
}

// answers is all that a party said: its preferences and its consents, by type.
type answers struct {
	preferences *CommunicationPreferences
	consents    map[string]*Consent
	had         map[string]Consent // the consents as they were read
	merged      bool               // the consents' own sources are not where the change comes from
}

// channels are the ways to reach a party, by their names in the history.
var channels = []struct {
	name string
	of   func(*CommunicationPreferences) **CommunicationPreference
}{
	{"email", func(p *CommunicationPreferences) **CommunicationPreference { return &p.Email }},
	{"sms", func(p *CommunicationPreferences) **CommunicationPreference { return &p.SMS }},
	{"phone", func(p *CommunicationPreferences) **CommunicationPreference { return &p.Phone }},
	{"marketing", func(p *CommunicationPreferences) **CommunicationPreference { return &p.Marketing }},
}

// answersOf reads what locked parties said; their lock keeps it as it is.
func (c *change) answersOf(ctx context.Context, parties ...uuid.UUID) (map[uuid.UUID]*answers, error) {
	preferences, err := lock(ctx, c, PreferencesOfParties, "t.id = ANY($2)", parties)
	if err != nil {
		return nil, err
	}
	consents, err := lock(ctx, c, Consents, "t.party_id = ANY($2)", parties)
	if err != nil {
		return nil, err
	}
	all := make(map[uuid.UUID]*answers, len(parties))
	for _, id := range parties {
		all[id] = &answers{consents: map[string]*Consent{}, had: map[string]Consent{}}
	}
	for _, row := range preferences {
		all[row.ID].preferences = row
	}
	for _, row := range consents {
		all[row.PartyID].consents[row.Type] = row
		all[row.PartyID].had[row.Type] = *row
	}
	return all, nil
}

// answers reads what one locked party said, with an empty record if it never said anything.
func (c *change) answers(ctx context.Context, party *Party) (*answers, error) {
	all, err := c.answersOf(ctx, party.ID)
	if err != nil {
		return nil, err
	}
	said := all[party.ID]
	if said.preferences == nil {
		said.preferences = unsetPreferences(party.Row, party.CreatedAt)
		remember(c, said.preferences)
	}
	return said, nil
}

// apply sets what was given. Errors: Invalid for more consents than a party may have.
func (a *answers) apply(in *PreferencesSet, now time.Time) error {
	row := a.preferences
	apply(&row.Email, in.Email)
	apply(&row.SMS, in.SMS)
	apply(&row.Phone, in.Phone)
	apply(&row.Marketing, in.Marketing)
	apply(&row.Note, in.Note)
	if v, ok := in.Custom.ValueOK(); ok && !sameJSON(v, row.Custom) {
		row.Custom = v
	}
	if in.Flags != nil {
		return a.flag(in.Flags, in.Consents, now)
	}
	return a.consent(in.Consents, now)
}

// consent sets the consents given. Errors: as apply.
func (a *answers) consent(sets []*ConsentSet, now time.Time) error {
	for _, set := range sets {
		state := set.State.Value()
		if state == nil {
			delete(a.consents, set.Type)
			continue
		}
		consent := &Consent{Row: Row{ID: newID()}, PartyID: a.preferences.ID, Type: set.Type}
		if had := a.consents[set.Type]; had != nil {
			consent = had
		}
		consent.State, consent.Source, consent.ExpiresAt = *state, set.Source, set.ExpiresAt
		consent.CapturedAt = valueOr(set.CapturedAt, now)
		a.consents[set.Type] = consent
	}
	if len(a.consents) > maxConsents {
		return invalidf("input.consents", "a party has at most %d consents", maxConsents)
	}
	return nil
}

// flag is consent for a contract that knows yes and no.
func (a *answers) flag(f *ConsentFlags, sets []*ConsentSet, now time.Time) error {
	before := f.count(a.consents, now)
	if f.Clear {
		maps.DeleteFunc(a.consents, func(kind string, _ *Consent) bool {
			return f.Names(kind) && !slices.ContainsFunc(sets, func(set *ConsentSet) bool { return set.Type == kind })
		})
	}
	sets = slices.DeleteFunc(slices.Clone(sets), func(set *ConsentSet) bool {
		had, state := a.consents[set.Type], set.State.Value()
		return had != nil && state != nil && sameAnswer(had.Answer(now), state.answer())
	})
	if err := a.consent(sets, now); err != nil {
		return err
	}
	if f.count(a.consents, now) > max(f.Most, before) {
		return invalidf("input.consents", "a party gives at most %d of these answers", f.Most)
	}
	return nil
}

func (f *ConsentFlags) count(consents map[string]*Consent, now time.Time) int {
	n := 0
	for kind, consent := range consents {
		if f.Names(kind) && consent.Answer(now) != nil {
			n++
		}
	}
	return n
}

// sameAnswer reports whether two answers are known and the same.
func sameAnswer(a, b *bool) bool { return a != nil && b != nil && *a == *b }

// keep queues what a party said with the next revision, a row of history for every answer
// that changed, and the event, which names what changed and never says what was said.
func (c *change) keep(said *answers, source string) {
	row := said.preferences
	row.UpdateSource, row.UpdatedBy = source, c.actor
	was, _ := c.before[row].(*CommunicationPreferences)
	fields := PreferencesOfParties.changed(was, row)
	types := c.keepConsents(said, source)
	if len(types) > 0 {
		fields = append(fields, "consents")
	}
	for _, channel := range channels {
		c.answered(row.ID, ChangedPreference, channel.name, (*string)(*channel.of(was)), (*string)(*channel.of(row)), &source)
	}
	if row.Revision == 0 {
		insert(c, PreferencesOfParties, row)
	} else {
		update(c, PreferencesOfParties, row)
	}
	var details map[string]any
	if len(types) > 0 {
		details = map[string]any{"consents": types}
	}
	altered(c, CommunicationPreferencesUpdated, PreferencesOfParties, row, fields, details)
}

// keepConsents queues the consents that differ from what was read, and returns their types.
func (c *change) keepConsents(said *answers, source string) []string {
	party := said.preferences.ID
	var types []string
	for _, name := range slices.Sorted(maps.Keys(said.consents)) {
		now := said.consents[name]
		was, known := said.had[name]
		from := &source
		if now.Source != nil && !said.merged {
			from = now.Source
		}
		switch {
		case !known:
			insert(c, Consents, now)
			c.answered(party, ChangedConsent, name, nil, (*string)(&now.State), from)
		case len(Consents.changed(&was, now)) > 0:
			update(c, Consents, now)
			c.answered(party, ChangedConsent, name, (*string)(&was.State), (*string)(&now.State), from)
		default:
			continue
		}
		types = append(types, name)
	}
	for _, name := range slices.Sorted(maps.Keys(said.had)) {
		if was := said.had[name]; said.consents[name] == nil {
			remove(c, Consents, was.ID)
			c.answered(party, ChangedConsent, name, (*string)(&was.State), nil, &source)
			types = append(types, name)
		}
	}
	return types
}

// answered queues a row of history for an answer, unless it is as it was.
func (c *change) answered(party uuid.UUID, kind ConsentChangeKind, name string, before, after, source *string) {
	if before == nil && after == nil || before != nil && after != nil && *before == *after {
		return
	}
	row := &ConsentChange{
		PartyID: party, Kind: kind, Name: name, Before: before, After: after, Source: source, Actor: c.actor, OccurredAt: c.now,
	}
	if c.write.Audit != nil {
		row.Reason = c.write.Audit.Reason
	}
	insert(c, ConsentChanges, row)
}
