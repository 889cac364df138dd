package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWriteOverHTTP changes something as clients do.
func TestWriteOverHTTP(t *testing.T) {
	t.Parallel()
	base, _, _ := start(t)
	token := tokenOf(t, base, "demo", "admin")
	document := func(t *testing.T, text string, variables map[string]any) (int, string) {
		t.Helper()
		body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
		require.NoError(t, err)
		return send(t, base, token, "application/json", string(body))
	}
	t.Run("the events of a change carry the correlation id of its request", func(t *testing.T) {
		body := `{"query": "mutation { customerCreate(input: {lastName: \"Nakamura\"}) { customer { events(first: 1) { nodes { correlationId actor type } } } userErrors { code } } }"}`
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/graphql", strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("X-Correlation-Id", "till-7")
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		answer, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		text := string(answer)
		require.Equal(t, http.StatusOK, response.StatusCode)
		require.Contains(t, text, `"correlationId":"till-7"`)
		require.Contains(t, text, `"type":"CUSTOMER_CREATED"`)
	})
	t.Run("numbers of a JSON value sent as a variable keep their digits", func(t *testing.T) {
		status, text := send(t, base, token, "application/json", `{"query": "mutation ($m: JSON) { customerCreate(input: {lastName: \"Osei\", metadata: $m}) { customer { metadata } userErrors { code } } }",
			"variables": {"m": {"exact": 12345678901234567890.123456789}}}`)
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, text, `12345678901234567890.123456789`)
	})
	t.Run("bad input of any kind is a user error or a 400, never a 5xx, and leaks nothing", func(t *testing.T) {
		for _, value := range []any{
			"\x00", "a\x00b", strings.Repeat("x", 300), "\xff\xfe", "'; DROP TABLE party; --", "\u202e", 12, true, nil, []any{"x"}, map[string]any{}, 1e300,
		} {
			for _, field := range []string{"firstName", "email", "phone", "code", "language", "countryCode", "birthDate", "tags", "metadata", "externalIdentifiers", "addresses", "vehicleVins"} {
				status, text := document(t, `mutation ($i: CustomerInput!) { customerCreate(input: $i) { customer { id } userErrors { field code message } } }`,
					map[string]any{"i": map[string]any{"lastName": "Probe", field: value}})
				require.Less(t, status, http.StatusInternalServerError, "%s = %q: %s", field, value, text)
				require.NotContains(t, text, "INTERNAL", "%s = %q", field, value)
				require.NotContains(t, text, "SQLSTATE", "%s = %q", field, value)
			}
		}
	})
	t.Run("so is a number that no field can hold", func(t *testing.T) {
		for _, literal := range []string{"99999999999999999999", "-99999999999999999999", "1e999", "9223372036854775808"} {
			_, text := document(t, `mutation { customerUpdate(id: "cus_1", input: {}, ifRevision: `+literal+`) { userErrors { code } } }`, nil)
			require.Contains(t, text, "BAD_USER_INPUT", literal)
			_, text = document(t, `mutation { customerCreate(input: {metadata: {a: `+literal+`}}) { userErrors { code } } }`, nil)
			require.NotContains(t, text, "INTERNAL", literal)
		}
		_, text := document(t, `mutation ($at: DateTime!) { vehicleTransfer(id: "veh_017e12ef-ac00-7001-afd9-969b1089ca60", idempotencyKey: "year-0",
			input: {toPartyId: "pty_017e12ef-9c00-701a-8e39-0d55399c4a66", effectiveAt: $at}) { userErrors { field code } } }`, map[string]any{"at": "0000-01-01T00:00:00+23:59"})
		require.Contains(t, text, `{"field":["input","effectiveAt"],"code":"INVALID"}`)
	})
	t.Run("a change is refused over GET", func(t *testing.T) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/graphql?query="+"mutation%7BcustomerCreate(input%3A%7BlastName%3A%22X%22%7D)%7BuserErrors%7Bcode%7D%7D%7D", nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		require.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
	})
	t.Run("a repeated request with a key has one effect", func(t *testing.T) {
		var first string
		for i := range 3 {
			_, text := document(t, `mutation { customerCreate(input: {lastName: "Twice"}, idempotencyKey: "order-1") { customer { number } userErrors { code } } }`, nil)
			if i == 0 {
				first = text
			}
			require.Equal(t, first, text)
		}
		_, text := document(t, fmt.Sprintf(`{ customers(where: {name: {eq: %q}}) { totalCount } }`, "Twice"), nil)
		require.Contains(t, text, `"totalCount":1`)
	})
}
