package durion_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/internal/crmtest"
)

const resolve = "/v1/crm/accounts/tierResolve"

// Example G22.
func TestTierExample(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(t)
	admin.call(t, http.MethodGet, "/v1/crm/accounts/P1/tier", nil).expect(t, http.StatusOK,
		`{"accountId":"P1","tier":"STANDARD","tierDisplayName":"Standard Tier","tierAssignedAt":"2026-06-02T00:00:00.000Z","tierAssignedBy":"system","manualOverride":false}`)
	admin.call(t, http.MethodPost, resolve, `{"accountId":"P1","annualRevenue":250000,"activeContractCount":2}`).expect(t, http.StatusOK,
		`{"currentTier":"STANDARD","recommendedTier":"GOLD","tierApplied":true,"manualOverrideActive":false,"resolutionReason":"*","tierScore":250000}`)
	admin.call(t, http.MethodGet, "/v1/crm/accounts/P1/tier", nil).expect(t, http.StatusOK,
		`{"accountId":"P1","tier":"GOLD","tierDisplayName":"Gold Tier","tierAssignedAt":"*","tierAssignedBy":"*","manualOverride":false}`)
}

func TestTierRules(t *testing.T) {
	w := newWorld(t)
	admin, csr := w.admin(t), w.as(t, "CSR")
	for _, c := range []struct {
		who             *client
		body            string
		current, wanted string
		applied         bool
		score           float64
	}{
		{csr, `{"accountId":"P1","annualRevenue":5e4}`, "STANDARD", "BRONZE", false, 50000},
		{csr, `{"accountId":"P1","annualRevenue":1000000,"applyTier":false}`, "STANDARD", "ENTERPRISE", false, 1000000},
		{admin, `{"accountId":"P1"}`, "STANDARD", "STANDARD", true, 0},
		{admin, `{"accountId":"P1","annualRevenue":2.5E+5,"accountAgeMonths":3}`, "STANDARD", "GOLD", true, 250000},
		{admin, `{"accountId":"P1"}`, "GOLD", "GOLD", true, 250000},
		{admin, `{"accountId":"P1","annualRevenue":249999.99,"applyTier":true}`, "GOLD", "SILVER", true, 249999.99},
		{admin, `{"accountId":"C41","annualRevenue":99999.999}`, "STANDARD", "BRONZE", true, 99999.999},
	} {
		got := c.who.call(t, http.MethodPost, resolve, c.body)
		require.Equal(t, http.StatusOK, got.Status, "%s", got.Body)
		o := got.object(t)
		assert.Equal(t, []any{c.current, c.wanted, c.applied, c.score}, []any{o["currentTier"], o["recommendedTier"], o["tierApplied"], o["tierScore"]}, c.body)
	}
	csr.call(t, http.MethodPost, resolve, `{"accountId":"P1","applyTier":true}`).refused(t, http.StatusForbidden, "FORBIDDEN")

	ctx, _ := crmtest.As(t, w.store, "legacy", "admin")
	_, err := w.store.SetTier(ctx, "pty_"+named["P1"], crm.TierSet{Level: crm.TierPlatinum, Note: new("an old friend")}, crm.Write{})
	require.NoError(t, err)
	admin.call(t, http.MethodGet, "/v1/crm/accounts/P1/tier", nil).expect(t, http.StatusOK, `{"accountId":"P1","tier":"PLATINUM","tierDisplayName":"Platinum Tier",
		"tierAssignedAt":"*","tierAssignedBy":"test","notes":"an old friend","manualOverride":true}`)
	admin.call(t, http.MethodPost, resolve, `{"accountId":"P1","annualRevenue":0}`).expect(t, http.StatusOK,
		`{"currentTier":"PLATINUM","recommendedTier":"STANDARD","tierApplied":false,"manualOverrideActive":true,"resolutionReason":"*","tierScore":0}`)
	admin.call(t, http.MethodPost, resolve, `{"accountId":"P1","annualRevenue":0,"forceRecalculation":true}`).expect(t, http.StatusOK,
		`{"currentTier":"PLATINUM","recommendedTier":"STANDARD","tierApplied":true,"manualOverrideActive":false,"resolutionReason":"*","tierScore":0}`)
}

func TestTierRefused(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(t)
	for _, c := range []struct {
		body   string
		fields []string
	}{
		{`{}`, []string{"accountId"}},
		{`{"accountId":" "}`, []string{"accountId"}},
		{`{"accountId":7}`, []string{"accountId"}},
		{`{"accountId":"P1","annualRevenue":-1}`, []string{"annualRevenue"}},
		{`{"accountId":"P1","annualRevenue":"1"}`, []string{"annualRevenue"}},
		{`{"accountId":"P1","annualRevenue":1e300}`, []string{"annualRevenue"}},
		{`{"accountId":"P1","annualRevenue":1.0001}`, []string{"annualRevenue"}},
		{`{"accountId":"P1","annualRevenue":9007199254740992}`, []string{"annualRevenue"}},
		{`{"accountId":"P1","activeContractCount":-1,"accountAgeMonths":1.5,"applyTier":1,"forceRecalculation":"no"}`,
			[]string{"activeContractCount", "accountAgeMonths", "applyTier", "forceRecalculation"}},
	} {
		admin.call(t, http.MethodPost, resolve, c.body).refused(t, http.StatusBadRequest, "VALIDATION_ERROR", c.fields...)
	}
	absurd := admin.call(t, http.MethodPost, resolve, `{"accountId":"P1","annualRevenue":1e999999999999}`)
	require.Equal(t, http.StatusBadRequest, absurd.Status)
	admin.call(t, http.MethodPost, resolve, `{"accountId":"nobody"}`).refused(t, http.StatusNotFound, "NOT_FOUND")
}
