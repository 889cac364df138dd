package gqlhttp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

const (
	jsonMedia     = "application/json"
	responseMedia = "application/graphql-response+json"
	typename      = `{"query":"{ __typename }"}`
	typeByName    = `query T($name: String!) { __type(name: $name) { name } }`
)

// audit is one point of the public GraphQL-over-HTTP audit, under its identifier.
type audit struct {
	id, level, what string
	get             url.Values // a GET with these parameters, else a POST of body
	body            string
	contentType     string // application/json when empty; "none" for no header
	accept          string
	from, to        int    // bounds of the status
	media           string // the answer's, when it matters
	without         string // a member the answer must not have
}

// mediaAudits are the points about media types, methods and well-formed requests.
func mediaAudits() []audit {
	return []audit{
		{id: "22EB", level: "SHOULD", what: "answer graphql-response+json when asked", body: typename, accept: responseMedia, from: 200, to: 200, media: responseMedia},
		{id: "4655", level: "MUST", what: "answer json when asked", body: typename, accept: jsonMedia, from: 200, to: 200, media: jsonMedia},
		{id: "47DE", level: "SHOULD", what: "answer json to any", body: typename, accept: "*/*", from: 200, to: 200, media: jsonMedia},
		{id: "80D8", level: "SHOULD", what: "answer json to no Accept", body: typename, from: 200, to: 200, media: jsonMedia},
		{id: "82A3", level: "MUST", what: "answer in UTF-8", body: typename, from: 200, to: 200},
		{id: "BF61", level: "MUST", what: "take a declared UTF-8 request", body: `{"query":"{ __type(name: \"Run🏃Swim🏊\") { name } }"}`, contentType: jsonMedia + "; charset=utf-8", from: 200, to: 200},
		{id: "78D5", level: "MUST", what: "assume UTF-8", body: typename, from: 200, to: 200},
		{id: "2C94", level: "MUST", what: "take POST", body: typename, from: 200, to: 200},
		{id: "5A70", level: "MAY", what: "take GET", get: url.Values{"query": {"{ __typename }"}}, from: 200, to: 200},
		{id: "9C48", level: "MAY", what: "refuse mutations by GET", get: url.Values{"query": {"mutation { __typename }"}}, accept: responseMedia, from: 400, to: 499},
		{id: "9ABE", level: "SHOULD", what: "refuse a missing Content-Type", body: typename, contentType: "none", from: 400, to: 499},
		{id: "03D4", level: "MUST", what: "take application/json", body: typename, from: 200, to: 200},
		{id: "A5BF", level: "MAY", what: "refuse an empty body with 400", from: 400, to: 400},
		{id: "34A2", level: "SHOULD", what: "take a string query", body: typename, accept: responseMedia, from: 200, to: 200},
		{id: "13EE", level: "MUST", what: "take a string query, legacy", body: typename, accept: jsonMedia, from: 200, to: 200, without: "errors"},
		{id: "8161", level: "SHOULD", what: "take a string operationName", body: `{"operationName":"Q","query":"query Q { __typename }"}`, accept: responseMedia, from: 200, to: 200},
		{id: "B8B3", level: "MUST", what: "take a string operationName, legacy", body: `{"operationName":"Q","query":"query Q { __typename }"}`, accept: jsonMedia, from: 200, to: 200, without: "errors"},
		{id: "2EA1", level: "SHOULD", what: "take a map of variables", body: `{"query":"` + typeByName + `","variables":{"name":"x"}}`, accept: responseMedia, from: 200, to: 200},
		{id: "28B9", level: "MUST", what: "take a map of variables, legacy", body: `{"query":"` + typeByName + `","variables":{"name":"x"}}`, accept: jsonMedia, from: 200, to: 200, without: "errors"},
		{id: "D6D5", level: "MAY", what: "take variables by GET", get: url.Values{"query": {typeByName}, "variables": {`{"name":"x"}`}}, accept: responseMedia, from: 200, to: 200, without: "errors"},
		{id: "6A70", level: "MAY", what: "take variables by GET, legacy", get: url.Values{"query": {typeByName}, "variables": {`{"name":"x"}`}}, accept: jsonMedia, from: 200, to: 200, without: "errors"},
		{id: "428F", level: "SHOULD", what: "take a map of extensions", body: `{"query":"{ __typename }","extensions":{"some":"value"}}`, accept: responseMedia, from: 200, to: 200},
		{id: "1B7A", level: "MUST", what: "take a map of extensions, legacy", body: `{"query":"{ __typename }","extensions":{"some":"value"}}`, accept: jsonMedia, from: 200, to: 200, without: "errors"},
	}
}

// refusalAudits are the points about requests that cannot be served.
func refusalAudits() []audit {
	const (
		brokenJSON   = `{ "not a JSON`
		brokenQuery  = `{"query":"{"}`
		unknownField = `{"query":"{ a8f31403dfe404bccbb0e835f2629c6a7 }"}`
		nullVariable = `{"query":"query Q($id: ID!) { required(id: $id) }","variables":{"id":null}}`
	)
	return []audit{
		{id: "423L", level: "MAY", what: "400 for a missing query", body: `{"notquery":"{ __typename }"}`, accept: responseMedia, from: 400, to: 400},
		{id: "8764", level: "MAY", what: "4xx for invalid parameters", body: `{"qeury":"{ __typename }"}`, from: 400, to: 599},
		{id: "3E3A", level: "MAY", what: "400 for invalid parameters", body: `{"qeury":"{ __typename }"}`, from: 400, to: 400},
		{id: "B6DC", level: "MAY", what: "some status for broken JSON", body: brokenJSON, accept: jsonMedia, from: 200, to: 599},
		{id: "BCF8", level: "SHOULD", what: "400 for broken JSON, legacy", body: brokenJSON, accept: jsonMedia, from: 400, to: 400},
		{id: "B7N8", level: "SHOULD", what: "400 for broken JSON", body: brokenJSON, accept: responseMedia, from: 400, to: 400},
		{id: "572B", level: "SHOULD", what: "200 for a broken document, legacy", body: brokenQuery, accept: jsonMedia, from: 200, to: 200},
		{id: "FDE2", level: "SHOULD", what: "200 for an invalid document, legacy", body: unknownField, accept: jsonMedia, from: 200, to: 200},
		{id: "7B9B", level: "SHOULD", what: "200 for a wrong variable, legacy", body: nullVariable, accept: jsonMedia, from: 200, to: 200},
		{id: "865D", level: "SHOULD", what: "4xx for a broken document", body: brokenQuery, accept: responseMedia, from: 400, to: 599},
		{id: "556A", level: "SHOULD", what: "400 for a broken document", body: brokenQuery, accept: responseMedia, from: 400, to: 400},
		{id: "D586", level: "SHOULD", what: "no data for a broken document", body: brokenQuery, accept: responseMedia, from: 400, to: 599, without: "data"},
		{id: "51FE", level: "SHOULD", what: "4xx for an invalid document", body: unknownField, accept: responseMedia, from: 400, to: 599},
		{id: "74FF", level: "SHOULD", what: "400 for an invalid document", body: unknownField, accept: responseMedia, from: 400, to: 400},
		{id: "5E5B", level: "SHOULD", what: "no data for an invalid document", body: unknownField, accept: responseMedia, from: 400, to: 599, without: "data"},
		{id: "86EE", level: "SHOULD", what: "400 for a wrong variable", body: nullVariable, accept: responseMedia, from: 400, to: 400},
	}
}

// memberAudits are the points about each member's JSON type.
func memberAudits() []audit {
	var out []audit
	for i, wrong := range []string{`{"obj":"ect"}`, `0`, `false`, `["array"]`} {
		n := string(rune('0' + i))
		out = append(out,
			audit{id: "LKJ" + n, level: "MAY", what: "400 for query " + wrong, body: `{"query":` + wrong + `}`, from: 400, to: 400},
			audit{id: "6C0" + n, level: "MAY", what: "400 for operationName " + wrong, body: `{"query":"{ __typename }","operationName":` + wrong + `}`, from: 400, to: 400})
	}
	for i, wrong := range []string{`"string"`, `0`, `false`, `["array"]`} {
		n := string(rune('0' + i))
		out = append(out,
			audit{id: "476" + n, level: "MAY", what: "400 for variables " + wrong, body: `{"query":"{ __typename }","variables":` + wrong + `}`, from: 400, to: 400},
			audit{id: "58B" + n, level: "MAY", what: "400 for extensions " + wrong, body: `{"query":"{ __typename }","extensions":` + wrong + `}`, from: 400, to: 400})
	}
	for i, member := range []string{"variables", "operationName", "extensions"} {
		n := string(rune('0' + i))
		body := `{"query":"{ __typename }","` + member + `":null}`
		out = append(out,
			audit{id: "94B" + n, level: "SHOULD", what: "take null " + member, body: body, accept: responseMedia, from: 200, to: 200, without: "errors"},
			audit{id: "022" + n, level: "MUST", what: "take null " + member + ", legacy", body: body, accept: jsonMedia, from: 200, to: 200, without: "errors"})
	}
	return out
}

func TestAudit(t *testing.T) {
	t.Parallel()
	d := setup(t)
	audits := append(append(mediaAudits(), refusalAudits()...), memberAudits()...)

	t.Run("is complete", func(t *testing.T) {
		t.Parallel()
		levels := map[string]int{}
		for _, a := range audits {
			levels[a.level]++
		}
		require.Equal(t, map[string]int{"MUST": 13, "SHOULD": 23, "MAY": 25}, levels)
	})
	for _, a := range audits {
		t.Run(a.id+" "+a.level+" "+a.what, func(t *testing.T) {
			t.Parallel()
			a.run(t, d)
		})
	}
}

func (a audit) run(t *testing.T, d *door) {
	t.Helper()
	var header []string
	if a.accept != "" {
		header = append(header, "Accept", a.accept)
	}
	var got reply
	switch {
	case a.get != nil:
		got = d.send(t, http.MethodGet, "?"+a.get.Encode(), "", header...)
	case a.contentType == "none":
		got = d.send(t, http.MethodPost, "", a.body, header...)
	case a.contentType != "":
		got = d.send(t, http.MethodPost, "", a.body, append(header, "Content-Type", a.contentType)...)
	default:
		got = d.post(t, a.body, header...)
	}
	require.GreaterOrEqual(t, got.status, a.from, got.text)
	require.LessOrEqual(t, got.status, a.to, got.text)
	require.True(t, utf8.ValidString(got.text))
	require.True(t, strings.HasPrefix(got.header.Get("Content-Type"), a.media), got.header)
	if a.without != "" {
		require.NotContains(t, got.result(t), a.without)
	}
}
