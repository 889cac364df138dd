package durion_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

const (
	preferencesOfP3 = "/v1/crm/accounts/parties/P3/communicationPreferences"
	mirrorOfP3      = "/v1/crm/parties/P3/communicationPreferences"
)

// inside is a request that goes past the contract, with all rights.
func (w *world) inside(t testing.TB) context.Context {
	t.Helper()
	ctx, _ := crmtest.As(t, w.store, "legacy", "admin")
	return ctx
}

// consents says what the contract has no words for.
func (w *world) consents(t testing.TB, party string, list ...*crm.ConsentSet) {
	t.Helper()
	_, err := w.store.SetPreferences(w.inside(t), "pty_"+named[party], crm.PreferencesSet{Consents: list}, crm.Write{})
	require.NoError(t, err)
}

// consent is what is stored of one type, nil for nothing.
func (w *world) consent(t testing.TB, party, kind string) *crm.Consent {
	t.Helper()
	list, err := crm.PartyConsents.All(w.inside(t), &crm.Party{Row: w.row(party)})
	require.NoError(t, err)
	for _, c := range list {
		if c.Type == kind {
			return c
		}
	}
	return nil
}

func TestPreferencesFirstReadAndWrite(t *testing.T) { // G10
	t.Parallel()
	for _, path := range []string{preferencesOfP3, mirrorOfP3} {
		w := newWorld(t)
		c := w.admin(t)
		c.call(t, http.MethodGet, path, nil).expect(t, http.StatusOK, `{"partyId":"P3","version":"0","consentFlags":{}}`)
		c.call(t, http.MethodPost, path, `{"emailPreference":"OPT_IN","smsPreference":"OPT_OUT","consentFlags":{"emailMarketing":true},"updateSource":"FRONT_DESK"}`).
			expect(t, http.StatusOK, `{"partyId":"P3","version":"1","operationType":"CREATED","status":"SUCCESS","updatedAt":"*"}`)
		c.call(t, http.MethodGet, path, nil).expect(t, http.StatusOK, `{"partyId":"P3","version":"1","emailPreference":"OPT_IN","smsPreference":"OPT_OUT",
			"consentFlags":{"emailMarketing":true},"updateSource":"FRONT_DESK","updatedAt":"*"}`)
		require.Equal(t, crm.ConsentGranted, w.consent(t, "P3", "email_marketing").State)
	}
}

func TestPreferencesStaleVersion(t *testing.T) { // G11
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	post := func(body string) reply {
		return c.call(t, http.MethodPost, mirrorOfP3, body, "X-Correlation-Id", "gx-11")
	}
	require.Equal(t, http.StatusOK, post(`{"emailPreference":"OPT_IN","smsPreference":"OPT_OUT","consentFlags":{"emailMarketing":true},"updateSource":"FRONT_DESK"}`).Status)
	require.Equal(t, http.StatusOK, post(`{"version":"1","updateSource":"FRONT_DESK"}`).Status)
	stale := `{"code":"OPTIMISTIC_LOCK_CONFLICT","message":"*","correlationId":"gx-11","timestamp":"*","fieldErrors":[],"currentVersion":"2","submittedVersion":%s,
		"currentData":{"partyId":"P3","version":"2","emailPreference":"OPT_IN","smsPreference":"OPT_OUT","consentFlags":{"emailMarketing":true},
		"updateSource":"FRONT_DESK","updatedAt":"*"},"lastUpdatedAt":"*","lastUpdatedBy":"tester"%s}`
	post(`{"version":"1","smsPreference":"OPT_IN"}`).expect(t, http.StatusConflict, fmt.Sprintf(stale, `"1"`, ""))
	post(`{"version":"3"}`).expect(t, http.StatusConflict, fmt.Sprintf(stale, `"3"`, ""))
	post(`{"version":0}`).expect(t, http.StatusConflict, fmt.Sprintf(stale, `"0"`, `,"gapWarning":true`))
	post(`{"version":2}`).expect(t, http.StatusOK, `{"partyId":"P3","version":"3","operationType":"UPDATED","status":"SUCCESS","updatedAt":"*"}`)
	post(`{"version":null}`).expect(t, http.StatusOK, `{"partyId":"P3","version":"4","operationType":"UPDATED","status":"SUCCESS","updatedAt":"*"}`)
}

func TestPreferencesStaleBeforeTheFirstWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	c.call(t, http.MethodPost, preferencesOfP3, `{"version":"1"}`, "X-Correlation-Id", "gx-11").expect(t, http.StatusConflict, `{
		"code":"OPTIMISTIC_LOCK_CONFLICT","message":"*","correlationId":"gx-11","timestamp":"*","fieldErrors":[],"currentVersion":"0","submittedVersion":"1",
		"currentData":{"partyId":"P3","version":"0","consentFlags":{}},"lastUpdatedAt":"2026-06-04T00:00:00.000Z","lastUpdatedBy":"system"}`)
	c.call(t, http.MethodPost, preferencesOfP3, `{"version":"0"}`).expect(t, http.StatusOK,
		`{"partyId":"P3","version":"1","operationType":"CREATED","status":"SUCCESS","updatedAt":"*"}`)
}

// Any whole number is a version, and one that no record has is stale.
func TestPreferencesOfAVersionThatNoneHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	require.Equal(t, http.StatusOK, c.call(t, http.MethodPost, preferencesOfP3, `{}`).Status)
	for sent, gap := range map[string]any{
		`"99999999999999999999"`: nil, `99999999999999999999`: nil, `"9223372036854775807"`: nil, `"2"`: nil, `"0"`: nil,
		`"-1"`: true, `-1`: true, `"-99999999999999999999"`: true,
	} {
		refused := c.call(t, http.MethodPost, preferencesOfP3, `{"version":`+sent+`}`).refused(t, http.StatusConflict, "OPTIMISTIC_LOCK_CONFLICT")
		require.Equal(t, []any{"1", strings.Trim(sent, `"`), gap}, []any{refused["currentVersion"], refused["submittedVersion"], refused["gapWarning"]})
		require.Equal(t, "the record has changed: its version is 1, not "+strings.Trim(sent, `"`), refused["message"])
	}
	for _, sent := range []string{`"1.0"`, `1.0`, `1e0`, `"+1"`, `" 1"`, `"-"`, `"0x1"`, `"1_0"`} {
		c.call(t, http.MethodPost, preferencesOfP3, `{"version":`+sent+`}`).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "version")
	}
	require.Equal(t, http.StatusOK, c.call(t, http.MethodPost, preferencesOfP3, `{"version":"01"}`).Status)
}

func TestPreferencesAbsentAndNull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	revision := 0
	for _, test := range []struct{ name, send, want string }{
		{"everything", `{"emailPreference":"OPT_IN","smsPreference":"OPT_OUT","phonePreference":"NOT_APPLICABLE","marketingPreference":"OPT_OUT",
			"consentFlags":{"emailMarketing":true,"smsNotifications":false},"preferencesNote":" Calls after 9 ","updateSource":" FRONT_DESK "}`,
			`"emailPreference":"OPT_IN","smsPreference":"OPT_OUT","phonePreference":"NOT_APPLICABLE","marketingPreference":"OPT_OUT",
			"consentFlags":{"emailMarketing":true,"smsNotifications":false},"preferencesNote":"Calls after 9","updateSource":"FRONT_DESK"`},
		{"nothing", `{}`,
			`"emailPreference":"OPT_IN","smsPreference":"OPT_OUT","phonePreference":"NOT_APPLICABLE","marketingPreference":"OPT_OUT",
			"consentFlags":{"emailMarketing":true,"smsNotifications":false},"preferencesNote":"Calls after 9","updateSource":"API"`},
		{"some nulls", `{"emailPreference":null,"preferencesNote":null,"consentFlags":{"emailMarketing":null,"pushNotifications":true,"neverSaid":null},"updateSource":null}`,
			`"smsPreference":"OPT_OUT","phonePreference":"NOT_APPLICABLE","marketingPreference":"OPT_OUT",
			"consentFlags":{"pushNotifications":true,"smsNotifications":false},"updateSource":"API"`},
		{"no flags at all", `{"consentFlags":null,"marketingPreference":"OPT_IN","updateSource":"IVR"}`,
			`"smsPreference":"OPT_OUT","phonePreference":"NOT_APPLICABLE","marketingPreference":"OPT_IN","consentFlags":{},"updateSource":"IVR"`},
		{"what is unknown is ignored", `{"smsPreference":null,"phonePreference":null,"marketingPreference":null,"consentFlags":{},"faxPreference":"OPT_IN","partyId":"P1"}`,
			`"consentFlags":{},"updateSource":"API"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			revision++
			require.Equal(t, http.StatusOK, c.call(t, http.MethodPost, preferencesOfP3, test.send).Status)
			c.call(t, http.MethodGet, preferencesOfP3, nil).expect(t, http.StatusOK, fmt.Sprintf(`{"partyId":"P3","version":"%d","updatedAt":"*",%s}`, revision, test.want))
		})
	}
}

func TestPreferencesOfAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	c.call(t, http.MethodPost, "/v1/crm/accounts/parties/C41/communicationPreferences", `{"phonePreference":"OPT_OUT"}`).
		expect(t, http.StatusOK, `{"partyId":"C41","version":"1","operationType":"CREATED","status":"SUCCESS","updatedAt":"*"}`)
	c.call(t, http.MethodGet, "/v1/crm/parties/C41/communicationPreferences", nil).
		expect(t, http.StatusOK, `{"partyId":"C41","version":"1","phonePreference":"OPT_OUT","consentFlags":{},"updateSource":"API","updatedAt":"*"}`)
}

func TestPreferencesValidation(t *testing.T) { // G12 are the first two
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	flags := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(`"flag%d":true`, i)
		}
		return `{"consentFlags":{` + strings.Join(list, ",") + `}}`
	}
	for _, test := range []struct {
		name, send string
		fields     []string
	}{
		{"a preference that is none", `{"emailPreference":"YES"}`, []string{"emailPreference"}},
		{"a flag that is a text", `{"consentFlags":{"emailMarketing":"true"}}`, []string{"consentFlags.emailMarketing"}},
		{"small letters", `{"smsPreference":"opt_in"}`, []string{"smsPreference"}},
		{"an empty preference", `{"phonePreference":""}`, []string{"phonePreference"}},
		{"a preference that is no text", `{"marketingPreference":true}`, []string{"marketingPreference"}},
		{"a flag that is a number", `{"consentFlags":{"emailMarketing":1}}`, []string{"consentFlags.emailMarketing"}},
		{"flags that are a list", `{"consentFlags":["emailMarketing"]}`, []string{"consentFlags"}},
		{"names that no flag has", `{"consentFlags":{"EmailMarketing":true,"email_marketing":true,"":false,"1a":null,"a.b":true,"é":true,"emailMarketing":true}}`,
			[]string{"consentFlags.EmailMarketing", "consentFlags.email_marketing", "consentFlags.", "consentFlags.1a", "consentFlags.a.b", "consentFlags.é"}},
		{"a name of 65 characters", `{"consentFlags":{"a` + strings.Repeat("B", 64) + `":true}}`, []string{"consentFlags.a" + strings.Repeat("B", 64)}},
		{"a flag twice", `{"consentFlags":{"a":true,"a":false}}`, []string{"consentFlags.a"}},
		{"33 flags", flags(33), []string{"consentFlags"}},
		{"101 flags", flags(101), []string{"consentFlags"}},
		{"a long note", `{"preferencesNote":"` + strings.Repeat("é", 1001) + `"}`, []string{"preferencesNote"}},
		{"a note that is a number", `{"preferencesNote":7}`, []string{"preferencesNote"}},
		{"a long source", `{"updateSource":"` + strings.Repeat("x", 65) + `"}`, []string{"updateSource"}},
		{"a version that is no number", `{"version":"v3"}`, []string{"version"}},
		{"half a version", `{"version":1.5}`, []string{"version"}},
		{"an empty version", `{"version":""}`, []string{"version"}},
		{"a version that is a truth value", `{"version":true}`, []string{"version"}},
		{"everything, in the order of the contract", `{"updateSource":[],"preferencesNote":{},"consentFlags":{"b":0,"a":0},"marketingPreference":"x",
			"phonePreference":"x","smsPreference":2,"emailPreference":"x","version":"x"}`,
			[]string{"version", "emailPreference", "smsPreference", "phonePreference", "marketingPreference", "consentFlags.b", "consentFlags.a", "preferencesNote", "updateSource"}},
		{"a body that is no object", `[]`, []string{"$"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.call(t, http.MethodPost, preferencesOfP3, test.send).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", test.fields...)
		})
	}
	c.call(t, http.MethodGet, preferencesOfP3, nil).expect(t, http.StatusOK, `{"partyId":"P3","version":"0","consentFlags":{}}`)

	body := c.call(t, http.MethodPost, preferencesOfP3, `{"emailPreference":"YES","consentFlags":{"emailMarketing":"true"}}`).refused(t, http.StatusBadRequest,
		"VALIDATION_ERROR", "emailPreference", "consentFlags.emailMarketing")
	first, second := body["fieldErrors"].([]any)[0].(map[string]any), body["fieldErrors"].([]any)[1].(map[string]any)
	require.Equal(t, "YES", first["rejectedValue"])
	require.Equal(t, "the value must be one of OPT_IN, OPT_OUT, NOT_APPLICABLE", first["message"])
	require.Equal(t, "true", second["rejectedValue"])

	longest := `{"preferencesNote":"` + strings.Repeat("é", 1000) + `","updateSource":"` + strings.Repeat("x", 64) + `","consentFlags":{"a` + strings.Repeat("B", 63) + `":true}}`
	require.Equal(t, http.StatusOK, c.call(t, http.MethodPost, preferencesOfP3, longest).Status)
	var shown struct{ ConsentFlags map[string]bool }
	c.call(t, http.MethodGet, preferencesOfP3, nil).into(t, &shown)
	require.Equal(t, map[string]bool{"a" + strings.Repeat("B", 63): true}, shown.ConsentFlags)
}

func TestPreferencesAPartyHas32Flags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	post := func(flag func(int) string, n int) reply {
		list := make([]string, n)
		for i := range list {
			list[i] = flag(i)
		}
		return c.call(t, http.MethodPost, preferencesOfP3, `{"consentFlags":{`+strings.Join(list, ",")+`}}`)
	}
	given := func(i int) string { return fmt.Sprintf(`"flag%d":true`, i) }
	require.Equal(t, http.StatusOK, post(given, 32).Status)
	require.Equal(t, http.StatusOK, post(given, 32).Status)
	post(func(int) string { return `"another":true` }, 1).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "consentFlags")
	require.Equal(t, http.StatusOK, post(func(i int) string { return []string{`"another":true`, `"flag7":null`}[i] }, 2).Status)
	// More than that came another way: nothing that is there stands in the way of a change.
	var more []*crm.ConsentSet
	for i := range 5 {
		more = append(more, &crm.ConsentSet{Type: fmt.Sprintf("more%d", i), State: crm.Given(new(crm.ConsentGranted))})
	}
	w.consents(t, "P3", more...)
	require.Equal(t, http.StatusOK, post(func(int) string { return `"another":false` }, 1).Status)
	post(func(int) string { return `"onceMore":false` }, 1).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "consentFlags")
}

func TestPreferencesFlagsAreConsents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	said := w.store.Now()
	soon := said.Add(200 * time.Millisecond)
	later := said.Add(24 * time.Hour)
	captured := crmtest.Today().AddDate(-1, 0, 0)
	set := func(kind string, state crm.ConsentState, until *time.Time) *crm.ConsentSet {
		return &crm.ConsentSet{Type: kind, State: crm.Given(&state), Source: new("form 7"), CapturedAt: &captured, ExpiresAt: until}
	}
	w.consents(t, "P3",
		set("granted", crm.ConsentGranted, &later), set("denied", crm.ConsentDenied, nil), set("withdrawn_of_late", crm.ConsentWithdrawn, nil),
		set("unknown", crm.ConsentUnknown, nil), set("expired", crm.ConsentGranted, &soon), set("expired_no", crm.ConsentDenied, &soon),
		set("not_a_1_flag", crm.ConsentGranted, nil), set("nor__this", crm.ConsentGranted, nil), set("nor_that_", crm.ConsentGranted, nil),
		set(strings.Repeat("x", 65), crm.ConsentGranted, nil))
	require.Eventually(t, func() bool { return w.store.Now().After(soon) }, 5*time.Second, 10*time.Millisecond)
	shown := func(want string) {
		t.Helper()
		var got struct{ ConsentFlags map[string]bool }
		c.call(t, http.MethodGet, preferencesOfP3, nil).into(t, &got)
		parts := []string{}
		for _, name := range []string{"granted", "denied", "withdrawnOfLate", "unknown", "expired", "expiredNo"} {
			if yes, ok := got.ConsentFlags[name]; ok {
				parts = append(parts, fmt.Sprintf("%s:%t", name, yes))
				delete(got.ConsentFlags, name)
			}
		}
		require.Empty(t, got.ConsentFlags)
		require.Equal(t, want, strings.Join(parts, " "))
	}
	post := func(body string) {
		t.Helper()
		require.Equal(t, http.StatusOK, c.call(t, http.MethodPost, preferencesOfP3, body).Status)
	}
	shown("granted:true denied:false withdrawnOfLate:false")

	post(`{"consentFlags":{"granted":true,"denied":false,"withdrawnOfLate":false}}`) // as a client sends back what it read
	for kind, state := range map[string]crm.ConsentState{"granted": crm.ConsentGranted, "denied": crm.ConsentDenied, "withdrawn_of_late": crm.ConsentWithdrawn} {
		kept := w.consent(t, "P3", kind)
		require.Equal(t, state, kept.State, kind)
		require.Equal(t, "form 7", *kept.Source, kind)
		require.True(t, kept.CapturedAt.Equal(captured), kind)
		require.Equal(t, kind == "granted", kept.ExpiresAt != nil, kind)
	}

	post(`{"consentFlags":{"granted":false,"denied":true,"withdrawnOfLate":true,"unknown":false,"expired":true,"expiredNo":false}}`)
	shown("granted:false denied:true withdrawnOfLate:true unknown:false expired:true expiredNo:false")
	require.Equal(t, crm.ConsentDenied, w.consent(t, "P3", "granted").State)
	require.Nil(t, w.consent(t, "P3", "expired").ExpiresAt)
	require.True(t, w.consent(t, "P3", "denied").CapturedAt.After(captured))

	post(`{"consentFlags":{"granted":null}}`)
	require.Nil(t, w.consent(t, "P3", "granted"))
	post(`{"consentFlags":null}`)
	shown("")
	require.Nil(t, w.consent(t, "P3", "denied"))
	for _, kind := range []string{"not_a_1_flag", "nor__this", "nor_that_", strings.Repeat("x", 65)} {
		require.NotNil(t, w.consent(t, "P3", kind), "%s is nothing that this contract can name, nor take away", kind)
	}
}

func TestPreferencesWhoMayAndWhose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.store.MergeParties(w.inside(t), "pty_"+named["P1"], crm.MergeInput{LoserIDs: []string{"pty_" + named["P2"]}, Justification: "Entered twice"}, crm.Write{})
	require.NoError(t, err)
	_, err = w.store.MergeParties(w.inside(t), "pty_"+named["C41"], crm.MergeInput{LoserIDs: []string{"pty_" + named["C42"]}, Justification: "Entered twice"}, crm.Write{})
	require.NoError(t, err)
	_, err = w.store.DeactivateParty(w.inside(t), "pty_"+named["K4"], crm.Write{})
	require.NoError(t, err)
	for _, base := range []string{"/v1/crm/accounts/parties/", "/v1/crm/parties/"} {
		path := func(party string) string { return base + party + "/communicationPreferences" }
		for _, test := range []struct {
			method, body string
			may, mayNot  *client
		}{
			{http.MethodGet, "", w.as(t, "CSR"), w.holding(t, crm.PreferenceEdit, crm.PartyView)},
			{http.MethodPost, `{}`, w.as(t, "FLEET_MANAGER"), w.as(t, "CSR")},
			{http.MethodPost, `{"version":"999"}`, w.holding(t, crm.PreferenceEdit), w.holding(t, crm.PreferenceView, crm.PartyEdit)},
		} {
			call := func(c *client, party string) reply {
				var body any
				if test.body != "" {
					body = test.body
				}
				return c.call(t, test.method, path(party), body)
			}
			call(w.anonymous(), "P3").refused(t, http.StatusUnauthorized, "UNAUTHORIZED")
			call(test.mayNot, "P3").refused(t, http.StatusForbidden, "FORBIDDEN")
			call(test.mayNot, "nobody").refused(t, http.StatusForbidden, "FORBIDDEN")
			for _, party := range []string{"nobody", "vehicles", "0190f3a2-1111-7a01-8b01-0000000000ff", "K4", "V1", "41"} {
				call(test.may, party).refused(t, http.StatusNotFound, "NOT_FOUND")
			}
			merged := call(test.may, "P2").refused(t, http.StatusConflict, "PARTY_MERGED")
			require.Equal(t, named["P1"], merged["mergedToPartyId"])
			require.NotContains(t, merged, "mergedToCustomerId")
			merged = call(test.may, "C42").refused(t, http.StatusConflict, "PARTY_MERGED")
			require.Equal(t, named["C41"], merged["mergedToPartyId"])
			require.EqualValues(t, 41, merged["mergedToCustomerId"])
			if test.body != `{"version":"999"}` {
				require.Equal(t, http.StatusOK, call(test.may, "P3").Status)
			} else {
				call(test.may, "P3").refused(t, http.StatusConflict, "OPTIMISTIC_LOCK_CONFLICT")
			}
		}
		// What is wrong with the input comes first, then whose it is.
		c := w.admin(t)
		c.call(t, http.MethodPost, path("P2"), `{"emailPreference":"YES"}`).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", "emailPreference")
		c.call(t, http.MethodPost, path("nobody"), `{"version":"9"}`).refused(t, http.StatusNotFound, "NOT_FOUND")
		c.call(t, http.MethodDelete, path("P3"), nil).refused(t, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
	}
}

func TestPreferencesTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(t)
	for version := range 3 {
		statuses := make([]int, 12)
		var wait sync.WaitGroup
		for i := range statuses {
			wait.Go(func() {
				statuses[i] = c.call(t, http.MethodPost, preferencesOfP3, fmt.Sprintf(`{"version":"%d","consentFlags":{"flag%d":true}}`, version, i)).Status
			})
		}
		wait.Wait()
		count := map[int]int{}
		for _, status := range statuses {
			count[status]++
		}
		require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusConflict: 11}, count)
	}
}

func TestPreferencesStatements(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.Equal(t, 2, w.statements(t, preferencesOfP3))
	for n := range 3 {
		var list []*crm.ConsentSet
		for i := range 10 {
			list = append(list, &crm.ConsentSet{Type: fmt.Sprintf("flag%d", 10*n+i), State: crm.Given(new(crm.ConsentGranted))})
		}
		w.consents(t, "P3", list...)
		require.Equal(t, 3, w.statements(t, preferencesOfP3))
	}
}
