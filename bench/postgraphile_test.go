package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPostGraphileIsSpeltAsTheServer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ workload, theirs, ours string }{
		{
			"lookup",
			`{"data":{"customer":{"id":"1","number":"7"}}}`,
			`{"data":{"customer":{"id":"cus_1","number":7}}}`,
		},
		{
			"view",
			`{"data":{"customer":{"id":"1","number":"7","party":{"id":"1",
				"contacts":{"nodes":[{"id":"2","roles":{"nodes":[{"isPrimary":true}]}}]},
				"owned":{"nodes":[{"vehicle":{"id":"3","owners":{"nodes":[{"party":{"id":"1"}}]},"warranties":{"nodes":[{"id":"4"}]}}},
					{"vehicle":{"id":"5","owners":{"nodes":[]},"warranties":{"nodes":[]}}}]}},
				"loyaltyAccount":{"availablePoints":"9","transactions":{"nodes":[{"id":"6","points":"-1","balanceAfter":"8"}]}}}}}`,
			`{"data":{"customer":{"id":"cus_1","number":7,"party":{"id":"pty_1",
				"contacts":{"nodes":[{"id":"con_2","roles":[{"isPrimary":true}]}]}},
				"vehicles":{"nodes":[{"id":"veh_3","owner":{"id":"pty_1"},"warranties":{"nodes":[{"id":"war_4"}]}},
					{"id":"veh_5","owner":null,"warranties":{"nodes":[]}}]},
				"loyaltyAccount":{"availablePoints":9,"transactions":{"nodes":[{"id":"ltx_6","points":-1,"balanceAfter":8}]}}}}}`,
		},
		{
			"page",
			`{"data":{"customers":{"nodes":[{"id":"1","number":"7","party":{"owned":{"nodes":[{"vehicle":{"vin":"V"}},{"vehicle":{"vin":null}}]}},"loyaltyAccount":null}]}}}`,
			`{"data":{"customers":{"nodes":[{"id":"cus_1","number":7,"party":{},"vehicles":{"nodes":[{"vin":{"value":"V"}},{"vin":null}]},"loyaltyAccount":null}]}}}`,
		},
		{
			"search",
			`{"data":{"search":{"nodes":[{"score":0.53333336,"field":"NAME","matched":"Ann ","kind":"CUSTOMER","customer":{"id":"1"},"party":{"id":"1"},"vehicle":null}]}}}`,
			`{"data":{"search":[{"score":0.5333333611488342,"matchedField":"NAME","matchedText":"Ann","node":{"__typename":"Customer","id":"cus_1"}}]}}`,
		},
	} {
		t.Run(c.workload, func(t *testing.T) {
			t.Parallel()
			w := workload{name: c.workload}
			require.NotEmpty(t, postgraphileDocument(w))
			theirs, err := canonical([]byte(c.theirs), func(data map[string]any) error { return spellPostGraphile(w, data) })
			require.NoError(t, err)
			ours, err := canonical([]byte(c.ours), same)
			require.NoError(t, err)
			require.JSONEq(t, string(ours), string(theirs))
		})
	}
	t.Run("an answer of another shape is an error", func(t *testing.T) {
		t.Parallel()
		require.ErrorContains(t, spellPostGraphile(workload{name: "page"}, object{"customers": "none"}), "another shape")
	})
	t.Run("what moves points has no document", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, postgraphileDocument(workload{name: "earn"}))
	})
}

func TestPostGraphilesVersionIsPinned(t *testing.T) {
	t.Parallel()
	require.Regexp(t, `^5\.\d+\.\d+$`, postgraphileVersion())
}
