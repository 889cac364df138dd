package crm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

// said is a world with a party that never said anything.
type said struct {
	*world

	party *crm.Party
}

func newSaid(t *testing.T) *said {
	t.Helper()
	w := newWorld(t)
	return &said{w, w.find(t, w.party(t, 5001))}
}

func (s *said) set(t *testing.T, party *crm.Party, revision int64, in crm.PreferencesSet) (*crm.CommunicationPreferences, error) {
	t.Helper()
	return s.store.SetPreferences(s.admin(t), party.NodeID(), in, crm.Write{IfRevision: &revision})
}

func (s *said) mustSet(t *testing.T, party *crm.Party, revision int64, in crm.PreferencesSet) *crm.CommunicationPreferences {
	t.Helper()
	got, err := s.set(t, party, revision, in)
	require.NoError(t, err)
	return got
}

func (s *said) preferences(t *testing.T, party *crm.Party) *crm.CommunicationPreferences {
	t.Helper()
	got, err := crm.PreferencesOfParty(s.admin(t), party)
	require.NoError(t, err)
	return got
}

// consents are the states of a party's consents by type.
func (s *said) consents(t *testing.T, party *crm.Party) map[string]crm.ConsentState {
	t.Helper()
	list, err := crm.PartyConsents.All(s.admin(t), party)
	require.NoError(t, err)
	states := map[string]crm.ConsentState{}
	for _, c := range list {
		states[c.Type] = c.State
	}
	return states
}

// history renders a party's changed answers, newest first.
func (s *said) history(t *testing.T, party *crm.Party) []string {
	t.Helper()
	page, err := crm.PartyConsentHistory.Load(s.admin(t), party, crm.WholeList())
	require.NoError(t, err)
	lines := []string{}
	for _, c := range page.Nodes() {
		lines = append(lines, fmt.Sprintf("%s %s: %s > %s (%s)", c.Kind, c.Name, textOr(c.Before, "-"), textOr(c.After, "-"), textOr(c.Source, "-")))
	}
	return lines
}

func consent(name string, state crm.ConsentState) *crm.ConsentSet {
	return &crm.ConsentSet{Type: name, State: given(state)}
}

func TestSetPreferences(t *testing.T) {
	t.Parallel()

	t.Run("nothing stored is an empty record at revision 0", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		got := s.preferences(t, s.party)
		require.Equal(t, s.party.ID, got.ID)
		require.Zero(t, got.Revision)
		require.Nil(t, got.Email)
		require.Nil(t, got.Custom)
		require.Equal(t, s.party.CreatedAt, got.UpdatedAt)
		require.Empty(t, s.consents(t, s.party))
		require.Empty(t, s.history(t, s.party))
	})

	t.Run("the first write makes revision 1 and keeps who, when and from where", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		got := s.mustSet(t, s.party, 0, crm.PreferencesSet{
			Email: given(crm.OptIn), SMS: given(crm.OptOut), UpdateSource: new(" FRONT_DESK "),
			Consents: []*crm.ConsentSet{consent("email_marketing", crm.ConsentGranted)},
		})
		require.Equal(t, int64(1), got.Revision)
		stored := s.preferences(t, s.party)
		require.Equal(t, int64(1), stored.Revision)
		require.Equal(t, crm.OptIn, *stored.Email)
		require.Equal(t, crm.OptOut, *stored.SMS)
		require.Nil(t, stored.Phone)
		require.Equal(t, "FRONT_DESK", stored.UpdateSource)
		require.Equal(t, "test", stored.UpdatedBy)
		require.True(t, stored.UpdatedAt.Equal(crmtest.Today()))
		require.Equal(t, map[string]crm.ConsentState{"email_marketing": crm.ConsentGranted}, s.consents(t, s.party))
		require.Equal(t, []string{
			"PREFERENCE sms: - > OPT_OUT (FRONT_DESK)", "PREFERENCE email: - > OPT_IN (FRONT_DESK)",
			"CONSENT email_marketing: - > GRANTED (FRONT_DESK)",
		}, s.history(t, s.party))
	})

	t.Run("it does not count as a change of the party", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		s.mustSet(t, s.party, 0, crm.PreferencesSet{Email: given(crm.OptIn)})
		require.Equal(t, s.party.Revision, s.find(t, s.party.NodeID()).Revision)
	})

	t.Run("the event names what changed and not what was said", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		s.mustSet(t, s.party, 0, crm.PreferencesSet{})
		s.mustSet(t, s.party, 1, crm.PreferencesSet{Phone: given(crm.OptOut), Note: given("call after six"), Consents: []*crm.ConsentSet{consent("profiling", crm.ConsentDenied)}})
		page, err := crm.PartyEvents.Load(s.admin(t), s.party, crm.WholeList())
		require.NoError(t, err)
		e := page.Nodes()[0]
		require.Equal(t, crm.CommunicationPreferencesUpdated, e.Type)
		require.Equal(t, "CommunicationPreferences", e.RecordType)
		require.Equal(t, s.party.ID, e.RecordID)
		require.Equal(t, []int64{1, 2}, []int64{*e.RevisionBefore, *e.RevisionAfter})
		require.ElementsMatch(t, []string{"phone", "note", "consents"}, e.ChangedFields)
		require.JSONEq(t, `{"consents": ["profiling"]}`, string(e.Details))
		require.NotContains(t, string(e.Details), "DENIED")
	})

	t.Run("what is left out stays, null clears", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		s.mustSet(t, s.party, 0, crm.PreferencesSet{
			Email: given(crm.OptIn), SMS: given(crm.OptIn), Marketing: given(crm.NotApplicable), Note: given("n"),
			Custom:   graphql.OmittableOf(json.RawMessage(`{"language":"pt"}`)),
			Consents: []*crm.ConsentSet{consent("a", crm.ConsentGranted), consent("b", crm.ConsentUnknown), consent("c", crm.ConsentDenied)},
		})
		got := s.mustSet(t, s.party, 1, crm.PreferencesSet{
			SMS: cleared[crm.CommunicationPreference](), Note: cleared[string](), Custom: graphql.OmittableOf[json.RawMessage](nil),
			Consents: []*crm.ConsentSet{{Type: "b", State: cleared[crm.ConsentState]()}, consent("c", crm.ConsentWithdrawn), {Type: "never_was", State: cleared[crm.ConsentState]()}},
		})
		for _, p := range []*crm.CommunicationPreferences{got, s.preferences(t, s.party)} {
			require.Equal(t, crm.OptIn, *p.Email)
			require.Nil(t, p.SMS)
			require.Equal(t, crm.NotApplicable, *p.Marketing)
			require.Nil(t, p.Note)
			require.Nil(t, p.Custom)
			require.Equal(t, "API", p.UpdateSource)
		}
		require.Equal(t, map[string]crm.ConsentState{"a": crm.ConsentGranted, "c": crm.ConsentWithdrawn}, s.consents(t, s.party))
		require.Equal(t, []string{
			"PREFERENCE sms: OPT_IN > - (API)", "CONSENT b: UNKNOWN > - (API)", "CONSENT c: DENIED > WITHDRAWN (API)",
		}, s.history(t, s.party)[:3])
	})

	t.Run("an empty input is a write that counts, without history", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		require.Equal(t, int64(1), s.mustSet(t, s.party, 0, crm.PreferencesSet{}).Revision)
		require.Equal(t, int64(2), s.mustSet(t, s.party, 1, crm.PreferencesSet{}).Revision)
		require.Empty(t, s.history(t, s.party))
	})

	t.Run("saying the same again leaves no history", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		in := crm.PreferencesSet{Email: given(crm.OptIn), Consents: []*crm.ConsentSet{consent("a", crm.ConsentGranted)}}
		s.mustSet(t, s.party, 0, in)
		s.mustSet(t, s.party, 1, in)
		require.Len(t, s.history(t, s.party), 2)
	})

	t.Run("the free-form preferences are replaced whole, exact in value", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		s.mustSet(t, s.party, 0, crm.PreferencesSet{Custom: graphql.OmittableOf(json.RawMessage(`{"a": 1, "b": 2}`))})
		s.mustSet(t, s.party, 1, crm.PreferencesSet{Custom: graphql.OmittableOf(json.RawMessage(` {"n": 12345678901234567890.1000000000000000001, "t": "<ü>"} `))})
		require.JSONEq(t, `{"n": 12345678901234567890.1000000000000000001, "t": "<ü>"}`, string(s.preferences(t, s.party).Custom))
		require.Contains(t, string(s.preferences(t, s.party).Custom), "12345678901234567890.1000000000000000001")
	})

	t.Run("a consent keeps its own source and times, and is captured now when nothing is said", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		captured, expires := crmtest.Today().Add(-time.Hour), crmtest.Today().Add(time.Hour)
		s.mustSet(t, s.party, 0, crm.PreferencesSet{Consents: []*crm.ConsentSet{
			consent("a", crm.ConsentGranted),
			{Type: "b", State: given(crm.ConsentGranted), Source: new("form 7"), CapturedAt: &captured, ExpiresAt: &expires},
		}})
		list, err := crm.PartyConsents.All(s.admin(t), s.party)
		require.NoError(t, err)
		require.True(t, list[0].CapturedAt.Equal(crmtest.Today()))
		require.Nil(t, list[0].ExpiresAt)
		require.Equal(t, "form 7", *list[1].Source)
		require.True(t, list[1].CapturedAt.Equal(captured))
		require.True(t, list[1].ExpiresAt.Equal(expires))
		require.Contains(t, s.history(t, s.party), "CONSENT b: - > GRANTED (form 7)")
	})

	t.Run("a reason is kept with the history", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		_, err := s.store.SetPreferences(s.admin(t), s.party.NodeID(), crm.PreferencesSet{Email: given(crm.OptIn)}, crm.Write{Audit: &crm.Audit{Reason: new("signup")}})
		require.NoError(t, err)
		page, err := crm.PartyConsentHistory.Load(s.admin(t), s.party, crm.WholeList())
		require.NoError(t, err)
		require.Equal(t, "signup", *page.Nodes()[0].Reason)
		require.Equal(t, "test", page.Nodes()[0].Actor)
	})

	t.Run("it works for persons and customers as for organisations", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		amelia := s.amelia(t)
		before, err := crm.PreferencesOfCustomer(s.admin(t), amelia)
		require.NoError(t, err)
		require.Zero(t, before.Revision)
		_, err = s.store.SetPreferences(s.admin(t), crm.Parties.GlobalID(amelia.ID), crm.PreferencesSet{Consents: []*crm.ConsentSet{consent("a", crm.ConsentGranted)}}, crm.Write{})
		require.NoError(t, err)
		after, err := crm.PreferencesOfCustomer(s.admin(t), amelia)
		require.NoError(t, err)
		require.Equal(t, int64(1), after.Revision)
		list, err := crm.CustomerConsents.All(s.admin(t), amelia)
		require.NoError(t, err)
		require.Len(t, list, 1)
	})

	t.Run("a party has at most 100 consents", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		set := func(from, n int) error {
			var list []*crm.ConsentSet
			for i := range n {
				list = append(list, consent(fmt.Sprintf("type_%d", from+i), crm.ConsentGranted))
			}
			_, err := s.store.SetPreferences(s.admin(t), s.party.NodeID(), crm.PreferencesSet{Consents: list}, crm.Write{})
			return err
		}
		require.NoError(t, set(0, 64))
		require.NoError(t, set(64, 36))
		require.NoError(t, set(0, 1))
		require.Equal(t, crm.Invalid, crm.CodeOf(set(100, 1)))
		require.Len(t, s.consents(t, s.party), 100)
	})

	t.Run("the same key sets once", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		w := crm.Write{IdempotencyKey: new("k"), IfRevision: new(int64(0))}
		in := crm.PreferencesSet{Email: given(crm.OptIn), Custom: graphql.OmittableOf(json.RawMessage(`{"a":[1.50]}`))}
		first, err := s.store.SetPreferences(s.admin(t), s.party.NodeID(), in, w)
		require.NoError(t, err)
		again, err := s.store.SetPreferences(s.admin(t), s.party.NodeID(), in, w)
		require.NoError(t, err)
		require.Equal(t, first.Revision, again.Revision)
		require.Equal(t, string(first.Custom), string(again.Custom))
		require.Len(t, s.history(t, s.party), 1)
		_, err = s.store.SetPreferences(s.admin(t), s.party.NodeID(), crm.PreferencesSet{}, w)
		require.Equal(t, []crm.Reason{crm.IdempotencyMismatch}, reasons(err))
	})
}

func TestConsentAnswer(t *testing.T) {
	t.Parallel()
	now := crmtest.Today()
	before, after := now.Add(-time.Second), now.Add(time.Second)
	for _, test := range []struct {
		state crm.ConsentState
		until *time.Time
		want  *bool
	}{
		{crm.ConsentGranted, nil, new(true)},
		{crm.ConsentDenied, nil, new(false)},
		{crm.ConsentWithdrawn, nil, new(false)},
		{crm.ConsentUnknown, nil, nil},
		{crm.ConsentGranted, &after, new(true)},
		{crm.ConsentGranted, &now, nil},
		{crm.ConsentDenied, &before, nil},
	} {
		require.Equal(t, test.want, (&crm.Consent{State: test.state, ExpiresAt: test.until}).Answer(now), "%s until %v", test.state, test.until)
	}
}

func TestConsentFlags(t *testing.T) {
	t.Parallel()
	s := newSaid(t)
	expires := crmtest.Today().Add(time.Hour)
	s.mustSet(t, s.party, 0, crm.PreferencesSet{Consents: []*crm.ConsentSet{
		{Type: "a", State: given(crm.ConsentGranted), Source: new("form 7"), ExpiresAt: &expires}, consent("b", crm.ConsentWithdrawn),
		consent("c", crm.ConsentUnknown), consent("other", crm.ConsentGranted),
	}})
	flags := crm.ConsentFlags{Names: func(kind string) bool { return kind != "other" }, Most: 3}
	t.Run("an answer that is given again stays as it is", func(t *testing.T) {
		s.mustSet(t, s.party, 1, crm.PreferencesSet{Flags: &flags, Consents: []*crm.ConsentSet{
			consent("a", crm.ConsentGranted), consent("b", crm.ConsentDenied), consent("c", crm.ConsentDenied),
		}})
		require.Equal(t, map[string]crm.ConsentState{
			"a": crm.ConsentGranted, "b": crm.ConsentWithdrawn, "c": crm.ConsentDenied, "other": crm.ConsentGranted,
		}, s.consents(t, s.party))
		list, err := crm.PartyConsents.All(s.admin(t), s.party)
		require.NoError(t, err)
		require.Equal(t, "form 7", *list[0].Source)
		require.True(t, list[0].ExpiresAt.Equal(expires))
		require.Equal(t, "CONSENT c: UNKNOWN > DENIED (API)", s.history(t, s.party)[0])
		require.Len(t, s.history(t, s.party), 5)
	})
	t.Run("there are at most so many, of those that can be named", func(t *testing.T) {
		_, err := s.set(t, s.party, 2, crm.PreferencesSet{Flags: &flags, Consents: []*crm.ConsentSet{consent("d", crm.ConsentGranted)}})
		require.Equal(t, []string{"INVALID  input.consents"}, refusals(err))
		s.mustSet(t, s.party, 2, crm.PreferencesSet{Consents: []*crm.ConsentSet{consent("d", crm.ConsentGranted)}})
		s.mustSet(t, s.party, 3, crm.PreferencesSet{Flags: &flags, Consents: []*crm.ConsentSet{consent("d", crm.ConsentDenied)}})
	})
	t.Run("all that can be named can be removed", func(t *testing.T) {
		flags.Clear = true
		s.mustSet(t, s.party, 4, crm.PreferencesSet{Flags: &flags, Consents: []*crm.ConsentSet{consent("b", crm.ConsentGranted)}})
		require.Equal(t, map[string]crm.ConsentState{"b": crm.ConsentGranted, "other": crm.ConsentGranted}, s.consents(t, s.party))
	})
	t.Run("the answers are those that hold", func(t *testing.T) {
		got, err := crm.ConsentAnswers(s.admin(t), s.preferences(t, s.party))
		require.NoError(t, err)
		require.Equal(t, map[string]bool{"b": true, "other": true}, got)
	})
}

func TestSetPreferencesRefuses(t *testing.T) {
	t.Parallel()
	s := newSaid(t)
	future, past := crmtest.Today().Add(time.Second), crmtest.Today().Add(-time.Second)
	many := make([]*crm.ConsentSet, 65)
	for i := range many {
		many[i] = consent(fmt.Sprintf("t%d", i), crm.ConsentGranted)
	}
	custom := func(text string) crm.PreferencesSet {
		return crm.PreferencesSet{Custom: graphql.OmittableOf(json.RawMessage(text))}
	}
	granted := given(crm.ConsentGranted)
	for rule, c := range map[string]struct {
		in    crm.PreferencesSet
		field string
	}{
		"an unknown preference":                    {crm.PreferencesSet{Email: given(crm.CommunicationPreference("YES"))}, "input.email"},
		"an unknown state":                         {crm.PreferencesSet{Consents: []*crm.ConsentSet{consent("a", "MAYBE")}}, "input.consents[0].state"},
		"a consent without a state":                {crm.PreferencesSet{Consents: []*crm.ConsentSet{{Type: "a"}}}, "input.consents[0].state"},
		"a type in camel case":                     {crm.PreferencesSet{Consents: []*crm.ConsentSet{consent("emailMarketing", crm.ConsentGranted)}}, "input.consents[0].type"},
		"a type that starts with a digit":          {crm.PreferencesSet{Consents: []*crm.ConsentSet{consent("1a", crm.ConsentGranted)}}, "input.consents[0].type"},
		"a type of 129 characters":                 {crm.PreferencesSet{Consents: []*crm.ConsentSet{consent(strings.Repeat("a", 129), crm.ConsentGranted)}}, "input.consents[0].type"},
		"a type twice":                             {crm.PreferencesSet{Consents: []*crm.ConsentSet{consent("a", crm.ConsentGranted), consent("a", crm.ConsentDenied)}}, "input.consents[1].type"},
		"65 consents":                              {crm.PreferencesSet{Consents: many}, "input.consents"},
		"a capture in the future":                  {crm.PreferencesSet{Consents: []*crm.ConsentSet{{Type: "a", State: granted, CapturedAt: &future}}}, "input.consents[0].capturedAt"},
		"an end before the capture":                {crm.PreferencesSet{Consents: []*crm.ConsentSet{{Type: "a", State: granted, CapturedAt: &past, ExpiresAt: &past}}}, "input.consents[0].expiresAt"},
		"an end in the past of one captured now":   {crm.PreferencesSet{Consents: []*crm.ConsentSet{{Type: "a", State: granted, ExpiresAt: &past}}}, "input.consents[0].expiresAt"},
		"a long source of a consent":               {crm.PreferencesSet{Consents: []*crm.ConsentSet{{Type: "a", State: granted, Source: new(strings.Repeat("s", 65))}}}, "input.consents[0].source"},
		"a long note":                              {crm.PreferencesSet{Note: given(strings.Repeat("n", 1001))}, "input.note"},
		"a long source":                            {crm.PreferencesSet{UpdateSource: new(strings.Repeat("s", 65))}, "input.updateSource"},
		"a NUL in the note":                        {crm.PreferencesSet{Note: given("a\x00")}, "input.note"},
		"free-form preferences that are a list":    {custom(`[1]`), "input.custom"},
		"free-form preferences that are no JSON":   {custom(`{"a"`), "input.custom"},
		"free-form preferences and more":           {custom(`{} {}`), "input.custom"},
		"free-form preferences of 16 KiB and more": {custom(`{"a":"` + strings.Repeat("x", 16384) + `"}`), "input.custom"},
		"free-form preferences with NUL":           {custom(`{"a\u0000":1}`), "input.custom"},
		"free-form preferences of broken bytes":    {custom("{\"a\":\"\xff\"}"), "input.custom"},
		"free-form preferences of a huge number":   {custom(`{"a":1e100000}`), "input.custom"},
		"free-form preferences of great depth":     {custom(`{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`), "input.custom"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			_, err := s.set(t, s.party, 0, c.in)
			require.Equal(t, []string{c.field}, fields(t, err), err)
		})
	}

	t.Run("all that is wrong at once", func(t *testing.T) {
		t.Parallel()
		_, err := s.store.SetPreferences(s.admin(t), "cus_1", crm.PreferencesSet{
			Email: given(crm.CommunicationPreference("YES")), Consents: []*crm.ConsentSet{{Type: "A"}},
		}, crm.Write{IfRevision: new(int64(-1))})
		require.Equal(t, []string{"ifRevision", "partyId", "input.email", "input.consents[0].type", "input.consents[0].state"}, fields(t, err))
	})
	t.Run("a party that is none", func(t *testing.T) {
		t.Parallel()
		_, err := s.store.SetPreferences(s.admin(t), "pty_018f0000-0000-7000-8000-000000000000", crm.PreferencesSet{}, crm.Write{})
		require.Equal(t, crm.NotFound, crm.CodeOf(err))
	})
	t.Run("a party of another tenant", func(t *testing.T) {
		t.Parallel()
		ctx, _ := crmtest.As(t, s.store, "acme", "admin")
		_, err := s.store.SetPreferences(ctx, s.party.NodeID(), crm.PreferencesSet{}, crm.Write{})
		require.Equal(t, crm.NotFound, crm.CodeOf(err))
	})
	t.Run("who may only see", func(t *testing.T) {
		t.Parallel()
		ctx, _ := crmtest.As(t, s.store, "demo", "viewer")
		_, err := s.store.SetPreferences(ctx, s.party.NodeID(), crm.PreferencesSet{}, crm.Write{})
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
	t.Run("reading without the permission", func(t *testing.T) {
		t.Parallel()
		ctx, _ := crmtest.With(t, s.store, "demo", crm.PartyView)
		_, err := crm.PreferencesOfParty(ctx, s.party)
		require.Equal(t, crm.Forbidden, crm.CodeOf(err))
	})
	require.Empty(t, s.history(t, s.party))
}

func TestPreferencesOfPartiesThatCannotChange(t *testing.T) {
	t.Parallel()
	s := newSaid(t)
	status := func(id string, status crm.PartyStatus) error {
		_, err := s.store.ChangePartyStatus(s.admin(t), id, status, crm.Write{})
		return err
	}
	t.Run("an INACTIVE party accepts consent", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Inactive")
		require.NoError(t, status(p.NodeID(), crm.PartyInactive))
		s.mustSet(t, p, 0, crm.PreferencesSet{Email: given(crm.OptOut)})
	})
	t.Run("a deactivated one does not", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Gone")
		_, err := s.store.DeactivateParty(s.admin(t), p.NodeID(), crm.Write{})
		require.NoError(t, err)
		_, err = s.set(t, p, 0, crm.PreferencesSet{})
		require.Equal(t, []crm.Reason{crm.InvalidState}, reasons(err))
	})
	t.Run("a merged one leads to its survivor, whatever revision was seen", func(t *testing.T) {
		t.Parallel()
		page, err := s.store.Parties(s.admin(t), &crm.PartyWhere{Status: &crm.EnumFilter[crm.PartyStatus]{Eq: new(crm.PartyMerged)}}, nil, crm.WholeList())
		require.NoError(t, err)
		require.NotEmpty(t, page.Nodes())
		merged := page.Nodes()[0]
		_, err = s.set(t, merged, 77, crm.PreferencesSet{})
		require.Equal(t, []crm.Reason{crm.MergedParty}, reasons(err))
		e, _ := errors.AsType[*crm.Error](err)
		require.Equal(t, crm.Parties.GlobalID(*merged.MergedIntoID), e.Related)
	})
	t.Run("an anonymised one does not", func(t *testing.T) {
		t.Parallel()
		p := s.individual(t, "Nobody")
		s.do(t, "UPDATE party SET status = 'ANONYMIZED', anonymized_at = $2 WHERE id = $1", p.ID, crmtest.Today())
		_, err := s.set(t, p, 0, crm.PreferencesSet{})
		require.Equal(t, []crm.Reason{crm.InvalidState}, reasons(err))
	})
}

func TestPreferencesRevision(t *testing.T) {
	t.Parallel()
	stale := func(t *testing.T, err error) *crm.CommunicationPreferences {
		t.Helper()
		require.Equal(t, crm.Stale, crm.CodeOf(err))
		e, _ := errors.AsType[*crm.Error](err)
		require.Equal(t, "ifRevision", e.Field)
		return e.Current.(*crm.CommunicationPreferences)
	}

	t.Run("a first write with a revision other than 0 is STALE, with an empty record", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		_, err := s.set(t, s.party, 1, crm.PreferencesSet{Email: given(crm.OptIn)})
		current := stale(t, err)
		require.Equal(t, s.party.ID, current.ID)
		require.Zero(t, current.Revision)
		require.Nil(t, current.Email)
	})
	t.Run("another revision is STALE, with the record as it is stored", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		s.mustSet(t, s.party, 0, crm.PreferencesSet{Email: given(crm.OptIn)})
		s.mustSet(t, s.party, 1, crm.PreferencesSet{SMS: given(crm.OptOut)})
		_, err := s.set(t, s.party, 1, crm.PreferencesSet{SMS: given(crm.OptIn)})
		current := stale(t, err)
		require.Equal(t, int64(2), current.Revision)
		require.Equal(t, crm.OptIn, *current.Email)
		require.Equal(t, crm.OptOut, *current.SMS)
		require.Equal(t, crm.OptOut, *s.preferences(t, s.party).SMS)
	})
	t.Run("no revision writes unconditionally", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		for range 3 {
			_, err := s.store.SetPreferences(s.admin(t), s.party.NodeID(), crm.PreferencesSet{}, crm.Write{})
			require.NoError(t, err)
		}
		require.Equal(t, int64(3), s.preferences(t, s.party).Revision)
	})

	for rule, first := range map[string]int64{
		"of many first writes at once one wins":                0,
		"of many writes of the same revision at once one wins": 1,
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			s := newSaid(t)
			if first == 1 {
				s.mustSet(t, s.party, 0, crm.PreferencesSet{Consents: []*crm.ConsentSet{consent("contested", crm.ConsentUnknown)}})
			}
			stores := []*crm.Store{s.store, crmtest.Store(t, s.url)}
			var requests []context.Context
			for i := range crowd {
				requests = append(requests, as(t, stores[i%2]))
			}
			errs := atOnce(crowd, func(i int) error {
				_, err := stores[i%2].SetPreferences(requests[i], s.party.NodeID(), crm.PreferencesSet{
					Note: given(fmt.Sprint("writer ", i)), Consents: []*crm.ConsentSet{consent("contested", crm.ConsentGranted)},
				}, at(first))
				return err
			})
			winner := -1
			for i, err := range errs {
				if err == nil {
					require.Equal(t, -1, winner, "one winner")
					winner = i
				}
			}
			require.NotEqual(t, -1, winner)
			for i, err := range errs {
				if i != winner {
					current := stale(t, err)
					require.Equal(t, first+1, current.Revision)
					require.Equal(t, fmt.Sprint("writer ", winner), *current.Note)
				}
			}
			require.Equal(t, first+1, s.preferences(t, s.party).Revision)
			require.Len(t, s.history(t, s.party), int(first)+1)
		})
	}
}
