package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// pageSizes are the pages whose costs are compared; the last one is held against the line
// through the others.
var pageSizes = [3]int{1, 20, 100}

// tolerance is how far above the line the last page may be.
const tolerance = 0.15

// pages compares pages of different sizes of the largest tenant.
func (g *growth) pages(ctx context.Context, all *sites) (string, error) {
	at, err := all.open(ctx, "pages", slices.Max(g.Sizes), 1)
	if err != nil {
		return "", err
	}
	lanes := make([]lane, len(pageSizes))
	for i, n := range pageSizes {
		if lanes[i], err = pageLane(ctx, at, n); err != nil {
			return "", err
		}
	}
	if err := inTurn(ctx, g.pace, "pages", lanes); err != nil {
		return "", err
	}
	var b strings.Builder
	g.preface(&b, fmt.Sprintf("Pages of a tenant of %d customers", slices.Max(g.Sizes)), at.data)
	b.WriteString("| Page of | req/s | p50 ms | p95 ms | p99 ms | CPU ms, process | CPU ms, Postgres | Statements | Allocations | Bytes | CPU µs of a row beyond the first |\n" +
		"|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for i, l := range lanes {
		row := "–"
		if i > 0 {
			row = fmt.Sprintf("%.1f", 1000*perRow(lanes[0].rounds, l.rounds, pageSizes[i]))
		}
		fmt.Fprintf(&b, "| %d |%s%s %s |\n", pageSizes[i], cells(l.rounds), l.inside(), row)
	}
	b.WriteString("\n" + verdict(beyond(lanes[0].rounds, lanes[1].rounds, lanes[2].rounds)) + "\n")
	return b.String(), nil
}

// pageLane asks for pages of n customers.
func pageLane(ctx context.Context, at *site, n int) (lane, error) {
	w := pageOf(n)
	asked := fullPages(w.ask(&at.data.sample))
	if len(asked) == 0 {
		return lane{}, fmt.Errorf("the tenant has no page of %d customers", pageSizes[2])
	}
	one := *at.side
	one.name = "page of " + strconv.Itoa(n)
	l, err := newLane(at.data, &one, w, asked)
	if err == nil {
		l.cost, err = costInside(ctx, at.data, w, asked, true)
	}
	return l, err
}

// pageOf is the workload of a page of n customers.
func pageOf(n int) workload {
	all := workloads()
	w := all[slices.IndexFunc(all, func(w workload) bool { return w.name == "page" })]
	w.document = strings.Replace(w.document, "first: 20", "first: "+strconv.Itoa(n), 1)
	return w
}

// fullPages are those after whose first customer the largest page is still full: the sample
// ends where a page of 20 is.
func fullPages(asked []variables) []variables {
	last := slices.MaxFunc(asked, func(a, b variables) int { return int(a.From - b.From) }).From + 20 - int64(pageSizes[2])
	return slices.DeleteFunc(asked, func(v variables) bool { return v.From > last })
}

// perRow is the processor time, in milliseconds, of a row beyond the first of a page of n.
func perRow(first, page []round, n int) float64 {
	return (median(page, round.cpu) - median(first, round.cpu)) / float64(n-1)
}

// beyond is what the largest page costs, as a multiple of what the line through the two
// smaller ones says: the median of the rounds.
func beyond(first, middle, last []round) float64 {
	rounds := make([]int, len(last))
	for i := range rounds {
		rounds[i] = i
	}
	return median(rounds, func(i int) float64 {
		a, b := first[i].cpu(), middle[i].cpu()
		slope := (b - a) / float64(pageSizes[1]-pageSizes[0])
		return last[i].cpu() / (a + slope*float64(pageSizes[2]-pageSizes[0]))
	})
}

// verdict says whether the cost is linear.
func verdict(multiple float64) string {
	is := "within"
	if multiple > 1+tolerance {
		is = "not within"
	}
	return fmt.Sprintf("The page of %d costs %.2f times what the line through the pages of %d and %d says: %s %.0f %% of linear.",
		pageSizes[2], multiple, pageSizes[0], pageSizes[1], is, 100*tolerance)
}
