package main

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// table renders what was measured as Markdown.
func table(s *settings, data *database, rows []row) string {
	var b strings.Builder
	s.preface(&b, data)
	b.WriteString("| Workload | Side | req/s | p50 ms | p95 ms | CPU ms, process | CPU ms, Postgres | Statements |\n")
	b.WriteString("|---|---|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range rows {
		side(&b, r.workload.title, "server", r.server, r.statements)
		side(&b, "", "limit", r.limit, 1)
	}
	b.WriteString("\n| Workload | Throughput, share of the limit's | CPU, multiple of the limit's |\n|---|--:|--:|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %.0f %% | %.1f |\n", r.workload.title,
			100*r.ratio(func(one round) float64 { return one.rate }), r.ratio(round.cpu))
	}
	b.WriteString("\nCPU is user and system time of a request: of the side's own process, and of Postgres with all its " +
		"children, background writers and backends that have ended included. Statements is the most that one request of the " +
		"sample sent, as the server counts them. The ratios are medians of each round's own ratio.\n")
	return b.String()
}

// preface says what the numbers below it come from.
func (s *settings) preface(b *strings.Builder, data *database) {
	fmt.Fprintf(b, "%d customers, PostgreSQL %s, %s, %d processors for everything, driver included; %d connections; "+
		"medians of %d rounds of %s.\n\n", s.Customers, data.version, runtime.Version(), runtime.NumCPU(), s.Connections, s.Rounds, s.Time)
}

// side is one side's line.
func side(b *strings.Builder, title, name string, rounds []round, statements int) {
	fmt.Fprintf(b, "| %s | %s |%s\n", title, name, cells(rounds, statements))
}

// cells are the numbers of a line.
func cells(rounds []round, statements int) string {
	milliseconds := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return fmt.Sprintf(" %.0f | %.2f | %.2f | %.3f | %.3f | %d |",
		median(rounds, func(r round) float64 { return r.rate }),
		median(rounds, func(r round) float64 { return milliseconds(r.p50) }),
		median(rounds, func(r round) float64 { return milliseconds(r.p95) }),
		median(rounds, func(r round) float64 { return r.process }),
		median(rounds, func(r round) float64 { return r.postgres }),
		statements)
}

// ratio is the median, over the rounds, of what the server did to what the limit did
// right after it: noise that lasts longer than a round cancels out.
func (r row) ratio(read func(round) float64) float64 {
	rounds := make([]int, len(r.server))
	for i := range rounds {
		rounds[i] = i
	}
	return median(rounds, func(i int) float64 { return read(r.server[i]) / read(r.limit[i]) })
}
