package durion_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/graph"
	"crmgraph/internal/gqlhttp"
	"crmgraph/internal/obs"
	"crmgraph/resolvers"
	"crmgraph/rest/durion"
)

// newDoors is a world whose address also serves the graph, over the same records.
func newDoors(t testing.TB, change ...func(*durion.Options)) *world {
	t.Helper()
	var options durion.Options
	w := newWorld(t, append(change, func(o *durion.Options) { options = *o })...)
	door := gqlhttp.New(gqlhttp.Options{
		Schema:    graph.NewSchema(graph.Config{Resolvers: resolvers.Root{Store: w.store}}),
		Present:   resolvers.Present,
		RequestID: obs.CorrelationID,
		Log:       options.Log,
	})
	mux := http.NewServeMux()
	mux.Handle("/", durion.New(options))
	mux.HandleFunc("/graphql", func(rw http.ResponseWriter, r *http.Request) {
		p, err := options.Authenticate(r)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusUnauthorized)
			return
		}
		ctx := crm.WithCorrelationID(crm.WithPrincipal(r.Context(), p), obs.CorrelationID(r.Context()))
		door.ServeHTTP(rw, r.WithContext(w.store.Begin(ctx)))
	})
	server := httptest.NewServer(obs.Correlate(mux))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// graph sends a document to the graph and returns the data, of which there is no error. Ids are
// written as "pty_" + named["P1"].
func (c *client) graph(t testing.TB, document string, variables map[string]any) map[string]any {
	t.Helper()
	content, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.w.url+"/graphql", bytes.NewReader(content))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var answer struct {
		Data   map[string]any
		Errors []any
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	require.Empty(t, answer.Errors, document)
	return answer.Data
}

// A client that knows nothing but the guide lives through all it describes, whether the operations
// that the guide calls stubs are served or not.
func TestLifeOfAClient(t *testing.T) {
	for name, literal := range map[string]bool{"useful": false, "literal": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newDoors(t, func(o *durion.Options) { o.LiteralStubs = literal })
			c := &legacy{url: w.url, token: w.admin(t).token, literal: literal}
			c.live(t)
		})
	}
}

// encoded is a value as JSON.
func encoded(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return text
}
