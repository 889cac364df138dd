package durion_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"crmgraph/internal/obs"
	"crmgraph/rest/durion"
)

// contract is openapi.yaml, which every exchange of this package's tests is held against.
var contract = sync.OnceValue(func() *openapi3.T {
	doc, err := openapi3.NewLoader().LoadFromData(durion.OpenAPI)
	if err != nil {
		panic(err)
	}
	return doc
})

// witness compares an exchange with what openapi.yaml says about it: the answer's status, headers
// and body, and, when it was a good answer, the request. It remembers what it saw.
func witness(t testing.TB, request *http.Request, got reply) {
	t.Helper()
	route, variables := documented(request)
	input := &openapi3filter.RequestValidationInput{
		Request: withBody(t, request), Route: route, PathParams: variables,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true, IncludeResponseStatus: true},
	}
	if got.Status < http.StatusMultipleChoices {
		if err := openapi3filter.ValidateRequest(t.Context(), input); err != nil {
			t.Errorf("%s %s was answered %d, but openapi.yaml does not allow the request: %v", request.Method, request.URL, got.Status, err)
		}
	}
	output := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: got.Status, Header: got.Header, Options: input.Options}
	output.SetBodyBytes(got.Body)
	if err := openapi3filter.ValidateResponse(t.Context(), output); err != nil {
		t.Errorf("%s %s: the answer is not what openapi.yaml says of %s: %v\n%d %v\n%s",
			request.Method, request.URL, route.Operation.OperationID, err, got.Status, got.Header, got.Body)
	}
	var body struct{ Code, CorrelationID string }
	switch {
	case got.Status == http.StatusNoContent || request.Method == http.MethodHead:
		require.Empty(t, got.Body)
	case got.Status >= http.StatusBadRequest:
		got.into(t, &body)
		require.Equal(t, got.Header.Get(obs.CorrelationHeader), body.CorrelationID)
	}
	if sent := request.Header.Get(obs.CorrelationHeader); visible.MatchString(sent) {
		require.Equal(t, sent, got.Header.Get(obs.CorrelationHeader))
	} else {
		require.NoError(t, uuid.Validate(got.Header.Get(obs.CorrelationHeader)))
	}
	seen.Lock()
	defer seen.Unlock()
	seen.outcomes[outcome{route.Operation.OperationID, got.Status, body.Code}] = true
}

// visible is a correlation id that is kept (Durion 1.6).
var visible = regexp.MustCompile(`^[\x21-\x7E]{1,128}$`)

// withBody is a request that was sent, to be read again.
func withBody(t testing.TB, request *http.Request) *http.Request {
	t.Helper()
	again := request.Clone(t.Context())
	if request.GetBody != nil {
		body, err := request.GetBody()
		require.NoError(t, err)
		again.Body = body
	}
	return again
}

// documented finds a request's operation, and the variables of its path. Of several paths that fit
// the one with the leftmost literal is meant, which is the first one: a brace comes after all letters.
// What fits none has an operation that only knows how to refuse.
func documented(request *http.Request) (*routers.Route, map[string]string) {
	doc := contract()
	paths := doc.Paths.Map()
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if operation := paths[path].GetOperation(request.Method); operation != nil {
			if variables, ok := fit(path, request.URL.EscapedPath()); ok {
				return &routers.Route{Spec: doc, Path: path, PathItem: paths[path], Method: request.Method, Operation: operation}, variables
			}
		}
	}
	none := &openapi3.Operation{Responses: openapi3.NewResponses(
		openapi3.WithStatus(http.StatusNotFound, doc.Components.Responses["NotFound"]),
		openapi3.WithStatus(http.StatusMethodNotAllowed, doc.Components.Responses["MethodNotAllowed"]),
	)}
	return &routers.Route{Spec: doc, PathItem: &openapi3.PathItem{}, Method: request.Method, Operation: none}, nil
}

func fit(template, path string) (map[string]string, bool) {
	names, parts := strings.Split(template, "/"), strings.Split(path, "/")
	if len(names) != len(parts) {
		return nil, false
	}
	variables := map[string]string{}
	for i, name := range names {
		part, err := url.PathUnescape(parts[i])
		if variable, ok := strings.CutPrefix(name, "{"); ok && err == nil && part != "" {
			variables[strings.TrimSuffix(variable, "}")] = part
		} else if part != name {
			return nil, false
		}
	}
	return variables, true
}

// outcome is one way in which an operation can end.
type outcome struct {
	operation string
	status    int
	code      string // of an error
}

func (o outcome) String() string { return fmt.Sprintf("%s %d %s", o.operation, o.status, o.code) }

// seen are the outcomes that the witness saw.
var seen = struct {
	sync.Mutex
	outcomes map[outcome]bool
}{outcomes: map[outcome]bool{}}

// unreachable outcomes are documented and cannot be had, for the reason given.
var unreachable = map[outcome]string{}

// outcomes are all that openapi.yaml documents.
func outcomes() []outcome {
	var all []outcome
	for _, item := range contract().Paths.Map() {
		for _, operation := range item.Operations() {
			for text, response := range operation.Responses.Map() {
				status, err := strconv.Atoi(text)
				if err != nil {
					panic(err)
				}
				codes := []string{""}
				if body := response.Value.Content.Get("application/json"); status >= http.StatusBadRequest {
					codes = codesOf(body.Schema.Value)
				}
				for _, code := range codes {
					all = append(all, outcome{operation.OperationID, status, code})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b outcome) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// codesOf are the codes that the schema of an error names.
func codesOf(schema *openapi3.Schema) []string {
	var codes []string
	if code := schema.Properties["code"]; code != nil {
		if code.Value.Const != nil {
			codes = append(codes, code.Value.Const.(string))
		}
		for _, word := range code.Value.Enum {
			codes = append(codes, word.(string))
		}
	}
	for _, part := range slices.Concat(schema.AllOf, schema.OneOf) {
		codes = append(codes, codesOf(part.Value)...)
	}
	return codes
}

// TestMain asks, after all tests of the package, whether they saw every outcome there is.
func TestMain(m *testing.M) {
	status := m.Run()
	if status == 0 && whole() {
		for _, o := range outcomes() {
			switch _, listed := unreachable[o]; {
			case !seen.outcomes[o] && !listed:
				fmt.Println("no test saw", o)
				status = 1
			case seen.outcomes[o] && listed:
				fmt.Println("listed as unreachable, and seen:", o)
				status = 1
			default:
			}
		}
	}
	os.Exit(status)
}

// whole reports that no test was left out.
func whole() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if flag.Lookup(name).Value.String() != "" {
			return false
		}
	}
	return !testing.Short()
}

func TestOpenAPIIsValid(t *testing.T) {
	t.Parallel()
	require.NoError(t, contract().Validate(context.Background()), "the document or one of its examples")
}

func TestOpenAPIListsTheRoutes(t *testing.T) {
	t.Parallel()
	var ids, wanted []string
	for _, match := range regexp.MustCompile(`(?m)^      operationId: (\w+)$`).FindAllSubmatch(durion.OpenAPI, -1) {
		ids = append(ids, string(match[1]))
	}
	for _, route := range durion.Routes() {
		wanted = append(wanted, route.Operation)
		item := contract().Paths.Value(route.Path)
		require.NotNil(t, item, route.ID)
		operation := item.GetOperation(route.Method)
		require.NotNil(t, operation, route.ID)
		require.Equal(t, route.Operation, operation.OperationID)
		require.Equal(t, &openapi3.SecurityRequirements{{"bearer": {string(route.Permission)}}}, operation.Security, route.ID)
		require.Contains(t, operation.Description, fmt.Sprintf("Needs `%s`.", route.Permission), route.ID)
		require.True(t, strings.HasPrefix(operation.Description, route.ID+". "), route.ID)
		require.NotEmpty(t, operation.Summary, route.ID)
	}
	require.Equal(t, wanted, ids, "the same operations in the same order, and no others")
}

func TestOpenAPISaysAllOfEveryOperation(t *testing.T) {
	t.Parallel()
	for _, route := range durion.Routes() {
		operation := contract().Paths.Value(route.Path).GetOperation(route.Method)
		writes := route.Method == http.MethodPost || route.Method == http.MethodPut
		for status, wanted := range map[int]bool{401: true, 403: true, 500: true, 413: writes, 415: writes, 501: "D-12" <= route.ID && route.ID <= "D-24"} {
			require.Equal(t, wanted, operation.Responses.Status(status) != nil, "%s %d", route.ID, status)
		}
		require.Equal(t, writes, operation.RequestBody != nil, route.ID)
		if writes {
			require.NotEmpty(t, examplesOf(operation.RequestBody.Value.Content), route.ID)
		}
		for status, response := range operation.Responses.Map() {
			require.Contains(t, response.Value.Headers, obs.CorrelationHeader, "%s %s", route.ID, status)
			if status == "204" {
				continue
			}
			examples := examplesOf(response.Value.Content)
			require.NotEmpty(t, examples, "%s %s", route.ID, status)
			if status < "400" {
				continue
			}
			codes := codesOf(response.Value.Content.Get("application/json").Schema.Value)
			require.ElementsMatch(t, slices.Collect(maps.Keys(examples)), codes, "%s %s: one example for each code", route.ID, status)
			for code, example := range examples {
				require.Equal(t, code, example.(map[string]any)["code"], "%s %s", route.ID, status)
			}
		}
	}
}

// examplesOf are the examples of a body, by name; a single one has none.
func examplesOf(content openapi3.Content) map[string]any {
	body := content.Get("application/json")
	examples := map[string]any{}
	if body.Example != nil {
		examples[""] = body.Example
	}
	for name, example := range body.Examples {
		examples[name] = example.Value.Value
	}
	return examples
}

// exampleOf is the first example of a body, as JSON.
func exampleOf(t testing.TB, content openapi3.Content) string {
	t.Helper()
	examples := examplesOf(content)
	return jsonText(t, examples[slices.Min(slices.Collect(maps.Keys(examples)))])
}

// jsonText is a text as it is, and any other value as JSON.
func jsonText(t testing.TB, value any) string {
	t.Helper()
	if text, ok := value.(string); ok {
		return text
	}
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	return string(encoded)
}
