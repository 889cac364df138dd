package main

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// targets are what the limit's processor time shall at least be of the server's, in percent.
var targets = map[string]map[string]int{
	plannerSide: {"lookup": 75, "view": 80, "page": 85, "search": 90},
	loadersSide: {"lookup": 45, "view": 40, "page": 35},
}

// table renders what was measured as Markdown.
func table(s *settings, data *database, all *sides, rows []row) string {
	var b strings.Builder
	s.preface(&b, fmt.Sprintf("%d customers", s.Customers), data)
	b.WriteString("| Workload | Side | req/s | p50 ms | p95 ms | p99 ms | CPU ms, process | CPU ms, Postgres | Statements | Allocations | Bytes |\n")
	b.WriteString("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range rows {
		title := r.workload.title
		for _, one := range all.list {
			fmt.Fprintf(&b, "| %s | %s |%s\n", title, one.name, r.line(one))
			title = ""
		}
	}
	b.WriteString(shares(all, rows))
	b.WriteString("\nCPU is user and system time of a request: of the side's own processes, and of Postgres with all its " +
		"children, background writers and backends that have ended included. Statements is the most that one request of the " +
		"sample sent; statements, allocations and bytes are counted in the server's graph without its tokens and metrics, one " +
		"request after the other. The ratios are medians of each round's own ratio.\n")
	for _, note := range all.notes {
		b.WriteString("\n" + note + "\n")
	}
	return b.String()
}

// line is what one side did, dashes when it has no answer to the workload.
func (r row) line(one *side) string {
	l := r.lane(one.name)
	if l == nil {
		return strings.Repeat(" – |", 9)
	}
	return cells(l.rounds) + l.inside()
}

// inside are the cells of what is counted inside the server.
func (l *lane) inside() string {
	switch {
	case l.cost != nil:
		return fmt.Sprintf(" %d | %.0f | %.0f |", l.cost.statements, l.cost.allocations, l.cost.bytes)
	case l.side.name == limitSide:
		return " 1 | – | – |"
	default:
		return strings.Repeat(" – |", 3)
	}
}

// lane is that of a side, nil when it has none.
func (r row) lane(name string) *lane {
	for i := range r.lanes {
		if r.lanes[i].side.name == name {
			return &r.lanes[i]
		}
	}
	return nil
}

// shares renders what every side reaches of the limit; nothing without the limit.
func shares(all *sides, rows []row) string {
	var b strings.Builder
	for _, r := range rows {
		limit := r.lane(limitSide)
		if limit == nil {
			continue
		}
		for _, one := range all.list {
			if l := r.lane(one.name); l != nil && l != limit {
				fmt.Fprintf(&b, "| %s | %s | %.0f %% | %s | %.0f %% |\n", r.workload.title, one.name,
					100*ratio(limit.rounds, l.rounds, round.cpu), target(one.name, r.workload.name),
					100*ratio(l.rounds, limit.rounds, func(did round) float64 { return did.rate }))
			}
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n| Workload | Side | CPU, the limit's ÷ the side's | Target | Throughput, share of the limit's |\n" +
		"|---|---|--:|--:|--:|\n" + b.String()
}

func target(side, workload string) string {
	if percent, has := targets[side][workload]; has {
		return fmt.Sprintf("%d %%", percent)
	}
	return "–"
}

// preface says what the numbers below it come from.
func (p pace) preface(b *strings.Builder, what string, data *database) {
	fmt.Fprintf(b, "%s, PostgreSQL %s, %s, %d processors for everything, driver included; %d connections; "+
		"medians of %d rounds of %s.\n\n", what, data.version, runtime.Version(), runtime.NumCPU(), p.Connections, p.Rounds, p.Time)
}

// cells are the numbers of rounds.
func cells(rounds []round) string {
	milliseconds := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return fmt.Sprintf(" %.0f | %.2f | %.2f | %.2f | %.3f | %.3f |",
		median(rounds, func(r round) float64 { return r.rate }),
		median(rounds, func(r round) float64 { return milliseconds(r.p50) }),
		median(rounds, func(r round) float64 { return milliseconds(r.p95) }),
		median(rounds, func(r round) float64 { return milliseconds(r.p99) }),
		median(rounds, func(r round) float64 { return r.process }),
		median(rounds, func(r round) float64 { return r.postgres }))
}
