package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTable(t *testing.T) {
	t.Parallel()
	limit, planned, other := &side{name: limitSide}, &side{name: plannerSide}, &side{name: postgraphileSide}
	did := func(rate, cpu float64) []round {
		return []round{{rate: rate, p50: time.Millisecond, p95: 2 * time.Millisecond, p99: 3 * time.Millisecond, process: cpu, postgres: cpu}}
	}
	all := &sides{list: []*side{limit, planned, other}, notes: []string{"A note."}}
	text := table(&settings{Customers: 7}, &database{version: "15"}, all, []row{
		{workload: workload{name: "lookup", title: "Lookup"}, lanes: []lane{
			{side: limit, rounds: did(100, 1)},
			{side: planned, rounds: did(80, 1.25), cost: &cost{statements: 2, allocations: 300, bytes: 2000}},
		}},
	})
	for _, line := range []string{
		"| Lookup | limit | 100 | 1.00 | 2.00 | 3.00 | 1.000 | 1.000 | 1 | – | – |",
		"|  | planner | 80 | 1.00 | 2.00 | 3.00 | 1.250 | 1.250 | 2 | 300 | 2000 |",
		"|  | postgraphile | – | – | – | – | – | – | – | – | – |",
		"| Lookup | planner | 80 % | 75 % | 80 % |",
		"A note.",
	} {
		require.Contains(t, strings.Split(text, "\n"), line)
	}
	require.NotContains(t, text, "| Lookup | postgraphile")
}

func TestSharesNeedTheLimit(t *testing.T) {
	t.Parallel()
	one := &side{name: plannerSide}
	require.Empty(t, shares(&sides{list: []*side{one}}, []row{{lanes: []lane{{side: one, rounds: []round{{rate: 1}}}}}}))
}
