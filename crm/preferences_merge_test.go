package crm_test

import (
	"encoding/json"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

// mergeAnswers merges the preferences of parties into those of the first.
func (s *said) mergeAnswers(t *testing.T, parties ...*crm.Party) int {
	t.Helper()
	var ids []uuid.UUID
	for _, p := range parties[1:] {
		ids = append(ids, p.ID)
	}
	parts, err := s.store.MergePreferences(s.admin(t), parties[0].ID, ids, crm.Write{})
	require.NoError(t, err)
	return parts
}

func TestMergePreferences(t *testing.T) {
	t.Parallel()

	t.Run("a survivor without a record gets the first loser's as revision 1", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		a, b, c, d := s.individual(t, "A"), s.individual(t, "B"), s.individual(t, "C"), s.individual(t, "D")
		s.mustSet(t, c, 0, crm.PreferencesSet{
			Email: given(crm.OptIn), Note: given("c"), Custom: graphql.OmittableOf(json.RawMessage(`{"language":"pt"}`)),
			Consents: []*crm.ConsentSet{consent("profiling", crm.ConsentGranted)},
		})
		s.mustSet(t, c, 1, crm.PreferencesSet{})
		s.mustSet(t, d, 0, crm.PreferencesSet{Email: given(crm.OptIn), Note: given("d")})
		require.Equal(t, 1, s.mergeAnswers(t, a, b, c, d), "d had nothing new to say")
		got := s.preferences(t, a)
		require.Equal(t, int64(1), got.Revision)
		require.Equal(t, crm.OptIn, *got.Email)
		require.Equal(t, "c", *got.Note)
		require.JSONEq(t, `{"language":"pt"}`, string(got.Custom))
		require.Equal(t, "MERGE", got.UpdateSource)
		require.Equal(t, map[string]crm.ConsentState{"profiling": crm.ConsentGranted}, s.consents(t, a))
		require.Equal(t, []string{"PREFERENCE email: - > OPT_IN (MERGE)", "CONSENT profiling: - > GRANTED (MERGE)"}, s.history(t, a))
	})

	t.Run("an empty record is copied, too", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		a, b := s.individual(t, "A"), s.individual(t, "B")
		s.mustSet(t, b, 0, crm.PreferencesSet{})
		require.Equal(t, 1, s.mergeAnswers(t, a, b))
		require.Equal(t, int64(1), s.preferences(t, a).Revision)
	})

	t.Run("nothing to merge changes nothing", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		a, b := s.individual(t, "A"), s.individual(t, "B")
		require.Zero(t, s.mergeAnswers(t, a, b))
		require.Zero(t, s.preferences(t, a).Revision)
		s.mustSet(t, a, 0, crm.PreferencesSet{Email: given(crm.OptOut)})
		s.mustSet(t, b, 0, crm.PreferencesSet{Email: given(crm.OptIn)})
		require.Zero(t, s.mergeAnswers(t, a, b))
		require.Equal(t, int64(1), s.preferences(t, a).Revision)
		require.Len(t, s.history(t, a), 1)
	})

	t.Run("an opt-out survives, other answers of the survivor stay, what it never said is filled in order", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		a, b, c := s.individual(t, "A"), s.individual(t, "B"), s.individual(t, "C")
		s.mustSet(t, a, 0, crm.PreferencesSet{Email: given(crm.OptIn), SMS: given(crm.OptOut), Phone: given(crm.NotApplicable), Note: given("a")})
		s.mustSet(t, b, 0, crm.PreferencesSet{Email: given(crm.NotApplicable), SMS: given(crm.OptIn), Phone: given(crm.OptOut), Marketing: given(crm.OptIn), Note: given("b")})
		s.mustSet(t, c, 0, crm.PreferencesSet{Email: given(crm.OptOut), Marketing: given(crm.OptOut)})
		require.Equal(t, 2, s.mergeAnswers(t, a, b, c))
		got := s.preferences(t, a)
		require.Equal(t, crm.OptOut, *got.Email, "the loser's opt-out")
		require.Equal(t, crm.OptOut, *got.SMS, "the survivor's opt-out")
		require.Equal(t, crm.NotApplicable, *got.Phone, "only an opt-in yields")
		require.Equal(t, crm.OptOut, *got.Marketing, "b's opt-in, then c's opt-out")
		require.Equal(t, "a", *got.Note)
		require.Equal(t, int64(2), got.Revision)
		require.Equal(t, []string{"PREFERENCE marketing: - > OPT_OUT (MERGE)", "PREFERENCE email: OPT_IN > OPT_OUT (MERGE)"}, s.history(t, a)[:2])
		require.Equal(t, crm.OptIn, *s.preferences(t, b).SMS, "the losers' rows stay")
		require.Len(t, s.history(t, b), 4)
	})

	t.Run("the change leaves an event of the survivor", func(t *testing.T) {
		t.Parallel()
		s := newSaid(t)
		a, b := s.individual(t, "A"), s.individual(t, "B")
		s.mustSet(t, b, 0, crm.PreferencesSet{Email: given(crm.OptIn)})
		s.mergeAnswers(t, a, b)
		page, err := crm.PartyEvents.Load(s.admin(t), a, crm.WholeList())
		require.NoError(t, err)
		require.Equal(t, crm.CommunicationPreferencesUpdated, page.Nodes()[0].Type)
		require.Equal(t, int64(1), *page.Nodes()[0].RevisionAfter)
	})

	for rule, c := range map[string]struct{ own, their, want crm.ConsentState }{
		"a missing type is copied":                {"", crm.ConsentDenied, crm.ConsentDenied},
		"a missing type that was granted, too":    {"", crm.ConsentGranted, crm.ConsentGranted},
		"the survivor's wins":                     {crm.ConsentDenied, crm.ConsentWithdrawn, crm.ConsentDenied},
		"the survivor's refusal beats a grant":    {crm.ConsentWithdrawn, crm.ConsentGranted, crm.ConsentWithdrawn},
		"a denial beats the survivor's grant":     {crm.ConsentGranted, crm.ConsentDenied, crm.ConsentDenied},
		"a withdrawal beats the survivor's grant": {crm.ConsentGranted, crm.ConsentWithdrawn, crm.ConsentWithdrawn},
		"a grant does not yield to the unknown":   {crm.ConsentGranted, crm.ConsentUnknown, crm.ConsentGranted},
		"the unknown yields to a grant":           {crm.ConsentUnknown, crm.ConsentGranted, crm.ConsentGranted},
		"the unknown yields to a denial":          {crm.ConsentUnknown, crm.ConsentDenied, crm.ConsentDenied},
		"the unknown stays beside another":        {crm.ConsentUnknown, crm.ConsentUnknown, crm.ConsentUnknown},
		"a denial stays beside the unknown":       {crm.ConsentDenied, crm.ConsentUnknown, crm.ConsentDenied},
	} {
		t.Run("of consents, "+rule, func(t *testing.T) {
			t.Parallel()
			s := newSaid(t)
			a, b := s.individual(t, "A"), s.individual(t, "B")
			s.mustSet(t, a, 0, crm.PreferencesSet{Consents: []*crm.ConsentSet{consent("other", crm.ConsentGranted)}})
			if c.own != "" {
				s.mustSet(t, a, 1, crm.PreferencesSet{Consents: []*crm.ConsentSet{consent("x", c.own)}})
			}
			before := s.preferences(t, a).Revision
			rows := len(s.history(t, a))
			s.mustSet(t, b, 0, crm.PreferencesSet{Consents: []*crm.ConsentSet{{Type: "x", State: given(c.their), Source: new("theirs")}}})
			parts, changed := s.mergeAnswers(t, a, b), 0
			if c.own != c.want {
				changed = 1
				require.Contains(t, s.history(t, a)[0], "(MERGE)")
			}
			require.Equal(t, changed, parts)
			require.Equal(t, map[string]crm.ConsentState{"other": crm.ConsentGranted, "x": c.want}, s.consents(t, a))
			require.Equal(t, map[string]crm.ConsentState{"x": c.their}, s.consents(t, b), "the loser's stay")
			require.Equal(t, before+int64(changed), s.preferences(t, a).Revision)
			require.Len(t, s.history(t, a), rows+changed)
		})
	}
}
