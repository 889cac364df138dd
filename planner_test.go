package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// A document is answered by the loaders first, then by the planner, with the same data; a request
// that asks is told so. Without a planner the loaders answer always.
func TestPlannerAndLoaders(t *testing.T) {
	t.Parallel()
	const (
		document = `{"query": "{ customer(by: {number: 1001}) { number party { displayName } } tenantSettings { revision } }", "extensions": {"debug": true}}`
		data     = `"data":{"customer":{"number":1001,"party":{"displayName":"`
	)
	base, _, _ := start(t)
	token := tokenOf(t, base, "demo", "admin")
	for _, answered := range []string{
		`"debug":{"rootFields":[{"field":"customer","answeredBy":"loaders","reason":"FIRST_USE"},`,
		`"debug":{"rootFields":[{"field":"customer","answeredBy":"planner"},{"field":"tenantSettings","answeredBy":"loaders","reason":"UNSUPPORTED",`,
	} {
		status, text := send(t, base, token, "application/json", document)
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, text, data)
		require.Contains(t, text, answered)
	}
	_, metrics := sendTo(t, http.MethodGet, base+"/metrics", token, "text/plain", "")
	require.Contains(t, metrics, `crmgraph_graphql_root_fields_total{answered_by="planner",reason=""} 1`)

	base, _, _ = start(t, "--no-planner")
	token = tokenOf(t, base, "demo", "admin")
	for range 2 {
		status, text := send(t, base, token, "application/json", document)
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, text, data)
		require.NotContains(t, text, "debug")
	}
}
