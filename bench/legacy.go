package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
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

// measureRead drives the server.
func measureRead(ctx context.Context, s *settings, data *database, r read, both *sides) (measured, error) {
	paths := r.paths(&data.sample)
	var requests [][]byte
	for _, path := range paths {
		one, err := get("http://"+both.server.address+path, both.token)
		if err != nil {
			return measured{}, err
		}
		requests = append(requests, one)
	}
	m := measured{read: r}
	var err error
	if m.statements, err = countReads(ctx, data, paths); err != nil {
		return measured{}, err
	}
	for n := range s.Rounds + 1 {
		d := s.Time
		if n == 0 {
			d = s.Warmup
		}
		did, err := one(ctx, s, data, both.server, requests, d)
		if err != nil {
			return measured{}, err
		}
		if n > 0 {
			m.rounds = append(m.rounds, did)
			fmt.Fprintf(os.Stderr, "%s, round %d: %.0f requests per second\n", r.name, n, did.rate)
		}
	}
	return m, nil
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
	in := newInside(pool, data.sample.tenant)
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
	s.preface(&b, data)
	b.WriteString("| Read | req/s | p50 ms | p95 ms | CPU ms, process | CPU ms, Postgres | Statements |\n|---|--:|--:|--:|--:|--:|--:|\n")
	for _, m := range all {
		fmt.Fprintf(&b, "| %s |%s\n", m.read.title, cells(m.rounds, m.statements))
	}
	return b.String()
}

// reads are those that were asked for, all when none was.
func (s *settings) reads() []read {
	return slices.DeleteFunc(reads(), func(r read) bool { return len(s.Only) > 0 && !slices.Contains(s.Only, r.name) })
}
