package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"crmgraph/db"
)

// read is a read through the Durion contract. It has no limit beside it: what is asked is how much
// processor time the server itself needs for it.
type read struct {
	name  string
	title string
	paths func(s *sample) []string
}

// reads are all there are.
func reads() []read {
	return []read{
		{"durion-party", "One party (D-05)", func(s *sample) []string {
			return each(s.parties, func(id string) string { return "/v1/crm/accounts/parties/" + id })
		}},
		{"durion-vehicle", "One vehicle (D-19)", func(s *sample) []string {
			return each(s.vehicles, func(id string) string { return "/v1/crm/vehicles/" + id })
		}},
		{"durion-customer", "One customer (D-26)", func(s *sample) []string {
			return each(s.people, func(n int64) string { return fmt.Sprintf("/v1/crm/%d", n) })
		}},
		{"durion-list", "100 customers (D-01)", func(*sample) []string {
			pages := make([]string, 20)
			for i := range pages {
				pages[i] = fmt.Sprintf("/v1/crm?pageSize=100&pageNumber=%d", i)
			}
			return pages
		}},
	}
}

// measured is what was measured of a read.
type measured struct {
	read       read
	statements int // of one request
	rounds     []round
}

// measureReads drives the server with the reads that were asked for.
func measureReads(ctx context.Context, s *settings, data *database, all *sides) (list []measured, err error) {
	reads, server := s.reads(), all.server()
	if server == nil {
		if len(s.Only) > 0 && len(reads) > 0 {
			return nil, errors.New("the Durion contract has no other sides than planner and loaders")
		}
		return nil, nil
	}
	for _, r := range reads {
		m, err := measureRead(ctx, s.pace, data, r, server)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		list = append(list, m)
	}
	return list, nil
}

func measureRead(ctx context.Context, p pace, data *database, r read, server *side) (measured, error) {
	paths := r.paths(&data.sample)
	lanes := []lane{{side: server, postgres: data.meter}}
	for _, path := range paths {
		one, err := get("http://"+server.process.address+path, server.token)
		if err != nil {
			return measured{}, err
		}
		lanes[0].requests = append(lanes[0].requests, one)
	}
	m := measured{read: r}
	var err error
	if m.statements, err = countReads(ctx, data, paths); err != nil {
		return measured{}, err
	}
	err = inTurn(ctx, p, r.name, lanes)
	m.rounds = lanes[0].rounds
	return m, err
}

// get renders a request as it goes over the connection.
func get(url, token string) ([]byte, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil) //nolint:noctx // never sent itself
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	var buf bytes.Buffer
	err = request.Write(&buf)
	return buf.Bytes(), err
}

// countReads returns the most statements that one of the first requests takes.
func countReads(ctx context.Context, data *database, paths []string) (most int, err error) {
	pool, err := db.Open(ctx, data.url, 1)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	in := newInside(pool, data.sample.tenant, true)
	for _, path := range paths[:min(checked, len(paths))] {
		n, err := in.read(ctx, path)
		if err != nil {
			return 0, err
		}
		most = max(most, n)
	}
	return most, nil
}

// readTable renders what was measured as Markdown.
func readTable(s *settings, data *database, all []measured) string {
	var b strings.Builder
	s.preface(&b, fmt.Sprintf("%d customers", s.Customers), data)
	b.WriteString("| Read | req/s | p50 ms | p95 ms | p99 ms | CPU ms, process | CPU ms, Postgres | Statements |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, m := range all {
		fmt.Fprintf(&b, "| %s |%s %d |\n", m.read.title, cells(m.rounds), m.statements)
	}
	return b.String()
}

// reads are those that were asked for, all when none was.
func (s *settings) reads() []read {
	return slices.DeleteFunc(reads(), func(r read) bool { return len(s.Only) > 0 && !slices.Contains(s.Only, r.name) })
}
