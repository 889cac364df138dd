package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPercentile(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for _, c := range []struct {
		values  []time.Duration
		percent int
		want    time.Duration
	}{
		{hundred, 50, 50},
		{hundred, 95, 95},
		{hundred, 99, 99},
		{hundred[:10], 99, 10},
		{hundred[:1], 50, 1},
	} {
		require.Equal(t, c.want, percentile(c.values, c.percent), "%d %% of %d", c.percent, len(c.values))
	}
}

func TestRatioIsTheMedianOfEachRoundsOwn(t *testing.T) {
	t.Parallel()
	rate := func(r round) float64 { return r.rate }
	ones := []round{{rate: 50}, {rate: 10}, {rate: 90}}
	others := []round{{rate: 100}, {rate: 100}, {rate: 100}}
	require.InDelta(t, 0.5, ratio(ones, others, rate), 1e-9)
	require.InDelta(t, 0.5, ratio([]round{{rate: 10}, {rate: 60}}, []round{{rate: 20}, {rate: 120}}, rate), 1e-9, "noise of a whole round")
}

func TestCountingSendsAsManyAsItShall(t *testing.T) {
	t.Parallel()
	more, sent := counting(3), 0
	for more(time.Hour) && sent < 10 {
		sent++
	}
	require.Equal(t, 3, sent)
}
