package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// laneOf is that of a side that answers everything alike.
func laneOf(t *testing.T, name, answer string) lane {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
	t.Cleanup(server.Close)
	request, err := wire(server.URL, "", nil)
	require.NoError(t, err)
	return lane{
		side:     &side{name: name, process: &process{address: strings.TrimPrefix(server.URL, "http://")}},
		requests: [][]byte{request},
	}
}

func TestSidesAreComparedByName(t *testing.T) {
	t.Parallel()
	one, another := laneOf(t, "one", `{"data":{"n":1}}`), laneOf(t, "another", `{"data":{"n":1}}`)
	require.NoError(t, compare(t.Context(), workload{}, []lane{one, another}))
	differs := laneOf(t, "differing", `{"data":{"n":2}}`)
	require.ErrorContains(t, compare(t.Context(), workload{}, []lane{one, another, differs}), `differing {"n":2}`)
	t.Run("errors, wherever they stand in an answer", func(t *testing.T) {
		t.Parallel()
		for _, answer := range []string{`{"errors":[{"message":"no"}]}`, `{"data":{"n":1},"errors":[{"message":"no"}]}`} {
			broken := laneOf(t, "broken", answer)
			require.ErrorContains(t, compare(t.Context(), workload{}, []lane{one, broken}), "broken: 200 OK")
		}
	})
}
