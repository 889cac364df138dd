package durion

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"crmgraph/crm"
	"crmgraph/rest"
)

// preferences is what a party says about being reached (Durion D-06); of one that never said
// anything there are only the id, the version and no flags.
type preferences struct {
	PartyID             string                       `json:"partyId"`
	Version             string                       `json:"version"`
	EmailPreference     *crm.CommunicationPreference `json:"emailPreference,omitempty"`
	SMSPreference       *crm.CommunicationPreference `json:"smsPreference,omitempty"`
	PhonePreference     *crm.CommunicationPreference `json:"phonePreference,omitempty"`
	MarketingPreference *crm.CommunicationPreference `json:"marketingPreference,omitempty"`
	ConsentFlags        map[string]bool              `json:"consentFlags"`
	PreferencesNote     string                       `json:"preferencesNote,omitempty"`
	UpdatedAt           instant                      `json:"updatedAt,omitzero"`
	UpdateSource        string                       `json:"updateSource,omitempty"`
}

// preferencesChanged is what comes of a change of preferences (Durion D-07).
type preferencesChanged struct {
	PartyID       string  `json:"partyId"`
	Version       string  `json:"version"`
	OperationType string  `json:"operationType"` // CREATED or UPDATED
	Status        string  `json:"status"`
	UpdatedAt     instant `json:"updatedAt"`
}

// getPreferences is D-06 and D-14.
func (d *door) getPreferences(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	party, err := d.store.PartyInUse(ctx, partyID(r, "id"))
	if err != nil {
		return nil, err
	}
	row, err := crm.PreferencesOfParty(ctx, party)
	if err != nil {
		return nil, err
	}
	shown, err := preferencesOf(ctx, row)
	if err != nil {
		return nil, err
	}
	return rest.OK(shown), nil
}

// setPreferences is D-07 and D-15.
func (d *door) setPreferences(ctx context.Context, r *rest.Request) (*rest.Response, error) {
	id, w := partyID(r, "partyId"), write(r)
	preference := func(domain, name string) crm.Omittable[*crm.CommunicationPreference] {
		read := func(domain string, names ...string) *crm.CommunicationPreference {
			return rest.Word[crm.CommunicationPreference](r.Body, domain, names...)
		}
		return rest.Patch(r.Body, read, domain, name)
	}
	in := crm.PreferencesSet{
		Email:     preference("input.email", "emailPreference"),
		SMS:       preference("input.sms", "smsPreference"),
		Phone:     preference("input.phone", "phonePreference"),
		Marketing: preference("input.marketing", "marketingPreference"),
	}
	in.Consents, in.Flags = consentFlags(r)
	in.Note = rest.Patch(r.Body, r.Body.Text, "input.note", "preferencesNote")
	in.UpdateSource = r.Body.Text("input.updateSource", "updateSource")
	row, err := d.store.SetPreferences(ctx, id, in, w)
	if err != nil {
		return nil, err
	}
	changed := preferencesChanged{
		PartyID: row.ID.String(), Version: version(row.Revision), OperationType: "UPDATED", Status: "SUCCESS", UpdatedAt: instant(row.UpdatedAt),
	}
	if row.Revision == 1 {
		changed.OperationType = "CREATED"
	}
	return rest.OK(changed), nil
}

func preferencesOf(ctx context.Context, row *crm.CommunicationPreferences) (*preferences, error) {
	shown := &preferences{PartyID: row.ID.String(), Version: version(row.Revision), ConsentFlags: map[string]bool{}}
	if row.Revision == 0 {
		return shown, nil
	}
	shown.EmailPreference, shown.SMSPreference, shown.PhonePreference, shown.MarketingPreference = row.Email, row.SMS, row.Phone, row.Marketing
	shown.PreferencesNote, shown.UpdatedAt, shown.UpdateSource = text(row.Note), instant(row.UpdatedAt), row.UpdateSource
	answers, err := crm.ConsentAnswers(ctx, row)
	for kind, yes := range answers {
		if flag, ok := flagOf(kind); ok {
			shown.ConsentFlags[flag] = yes
		}
	}
	return shown, err
}

// storedPreferences are preferences as a conflict tells them. Those of a party that never said
// anything were made by the system, with the party.
func storedPreferences(ctx context.Context, row *crm.CommunicationPreferences) (*stored, error) {
	shown, err := preferencesOf(ctx, row)
	return &stored{revision: row.Revision, data: shown, at: instant(row.UpdatedAt), by: row.UpdatedBy}, err
}

// maxFlags bounds the flags of a request and of a party (Durion 3.4).
const maxFlags = 32

// consentFlags reads the flags: null removes them all, and null for one removes that.
func consentFlags(r *rest.Request) ([]*crm.ConsentSet, *crm.ConsentFlags) {
	flags := &crm.ConsentFlags{Names: isFlag, Most: maxFlags}
	in := r.Body.Object("input.consents", "consentFlags")
	if in == nil {
		flags.Clear = r.Body.Has("consentFlags")
		return nil, flags
	}
	names := in.Names()
	if len(names) > maxFlags {
		r.Refuse("", "consentFlags", fmt.Sprintf("at most %d flags are allowed", maxFlags))
	}
	var list []*crm.ConsentSet
	for _, name := range names {
		yes := in.Bool(rest.Indexed("input.consents", len(list))+".type", name)
		if !flagPattern.MatchString(name) {
			r.Refuse("", "consentFlags."+name, "a flag has 1 to 64 of the characters A-Z a-z 0-9 and starts with a small letter")
			continue
		}
		list = append(list, &crm.ConsentSet{Type: consentType(name), State: crm.Given(flagState(yes))})
	}
	return list, flags
}

// flagState is what a flag says, nil for null.
func flagState(yes *bool) *crm.ConsentState {
	switch {
	case yes == nil:
		return nil
	case *yes:
		return new(crm.ConsentGranted)
	default:
		return new(crm.ConsentDenied)
	}
}

var flagPattern = regexp.MustCompile(`^[a-z][A-Za-z0-9]{0,63}$`)

// consentType is the type of the consent behind a flag: email_marketing behind emailMarketing.
func consentType(flag string) string {
	var b strings.Builder
	for _, c := range flag {
		if unicode.IsUpper(c) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// flagOf is the flag of a type of consents, false for a type that no flag stands for.
func flagOf(kind string) (string, bool) {
	var b strings.Builder
	for i, word := range strings.Split(kind, "_") {
		if i > 0 && word != "" {
			word = strings.ToUpper(word[:1]) + word[1:]
		}
		b.WriteString(word)
	}
	flag := b.String()
	return flag, flagPattern.MatchString(flag) && consentType(flag) == kind
}

// isFlag reports whether a flag stands for a type of consents.
func isFlag(kind string) bool {
	_, ok := flagOf(kind)
	return ok
}
