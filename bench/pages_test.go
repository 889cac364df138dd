package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBeyondComparesWithTheLine(t *testing.T) {
	t.Parallel()
	cost := func(first, row float64, rows int) []round {
		return []round{{process: first, postgres: row * float64(rows-1)}}
	}
	one, twenty := cost(0.1, 0.02, 1), cost(0.1, 0.02, 20)
	require.InDelta(t, 1, beyond(one, twenty, cost(0.1, 0.02, 100)), 1e-9, "as much for every row")
	require.Greater(t, beyond(one, twenty, cost(0.1, 0.03, 100)), 1+tolerance)
	require.InDelta(t, 0.02, perRow(one, twenty, 20), 1e-9)
}

func TestVerdictAllowsATolerance(t *testing.T) {
	t.Parallel()
	require.Contains(t, verdict(1.1), "says: within 15 %")
	require.Contains(t, verdict(0.7), "says: within 15 %")
	require.Contains(t, verdict(1.2), "not within 15 %")
}

func TestPagesAreFull(t *testing.T) {
	t.Parallel()
	require.Contains(t, pageOf(100).document, "first: 100,")
	asked := fullPages([]variables{{From: 900}, {From: 821}, {From: 820}, {From: 1}})
	require.Equal(t, []variables{{From: 820}, {From: 1}}, asked)
}
