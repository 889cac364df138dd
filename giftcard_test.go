package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The code of a gift card is told by the answer of issuing it, and by nothing else: neither by
// another answer nor by the log, however much is logged.
func TestGiftCardCodesAreToldOnce(t *testing.T) {
	t.Parallel()
	base, log, stop := start(t, "--log-level=DEBUG")
	token := tokenOf(t, base, "demo", "admin")
	post := func(document string, variables map[string]any) string {
		body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
		require.NoError(t, err)
		status, text := send(t, base, token, "application/json", string(body))
		require.Less(t, status, http.StatusInternalServerError, text)
		return text
	}
	var issued struct {
		Data struct{ GiftCardIssue struct{ Code string } }
	}
	require.NoError(t, json.Unmarshal([]byte(post(`mutation { giftCardIssue(input: {amount: {amount: "10", currency: "EUR"}}) { code giftCard { maskedCode } userErrors { message } } }`, nil)), &issued))
	madeUp := issued.Data.GiftCardIssue.Code
	const chosen = "WINTER-SALE-0042-QX"
	require.Contains(t, post(`mutation ($code: String) { giftCardIssue(input: {amount: {amount: "10", currency: "EUR"}, code: $code}) { code userErrors { message } } }`,
		map[string]any{"code": chosen}), chosen)
	codes := []string{madeUp, chosen}
	silent := func(text string) {
		for _, code := range codes {
			for _, spelling := range []string{code, strings.ReplaceAll(code, "-", ""), strings.ReplaceAll(code, "-", " ")} {
				require.NotContains(t, strings.ToUpper(text), spelling)
			}
		}
	}
	redeem := func(more string) string {
		return `mutation ($code: String!) { giftCardRedeem(input: {code: $code, orderRef: "O-1", amount: {` + more + `) { giftCard { maskedCode } userErrors { field message } } }`
	}
	for _, code := range codes {
		given := map[string]any{"code": code}
		for document, says := range map[string]string{
			`query ($code: String!) { giftCard(by: {code: $code}) { id maskedCode lastFour transactions { nodes { reason } } events { nodes { details } } } }`: "maskedCode",
			redeem(`amount: "11", currency: "EUR"}}`):                                                                                                   "11.00 EUR requested",
			redeem(`amount: "1", currency: "USD"}}`):                                                                                                    "is in EUR",
			redeem(`amount: "1", currency: "EUR"}}, idempotencyKey: "` + code[:4] + `"`):                                                                `"userErrors":[]`,
			`mutation ($code: ID!) { giftCardVoid(id: $code, ifRevision: 1) { userErrors { message } } }`:                                               "gft_",
			`mutation ($code: String!) { giftCardIssue(input: {code: $code, amount: {amount: "1", currency: "EUR"}}) { code userErrors { message } } }`: "has this code",
			// What no card can be found by.
			`query ($code: Int!) { giftCards(first: $code) { totalCount } }`:                                          "errors",
			`query ($code: ID!) { giftCard(by: {id: $code}) { id } }`:                                                 "errors",
			`query ($code: String!) { giftCard(by: {code: $code, id: "` + code + `"}) { id } }`:                       "errors",
			`query ($code: String!) { giftCards(after: $code) { totalCount nodes { id } } }`:                          "errors",
			`query ($code: String!) { giftCards(where: {code: {eq: $code}}) { totalCount } }`:                         "errors",
			`query ($code: String!) { nope(by: {code: $code}) { id } giftCard(by: {code: "` + code + `"}) { code } }`: "errors",
			`query ($code: String!) { giftCard(by: {code: "` + code + `"}) { id customer(by: $code) { id } } }`:       "errors",
		} {
			text := post(document, given)
			require.Contains(t, text, says, document)
			silent(text)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/graphql?query="+url.QueryEscape(fmt.Sprintf("{ giftCard(by: {code: %q}) { maskedCode } }", code)), nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Contains(t, string(text), "maskedCode")
		silent(string(text))
	}
	require.NoError(t, stop())
	require.Contains(t, log.String(), `"msg":"graphql"`)
	silent(log.String())
}
