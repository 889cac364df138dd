package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"

	"crmgraph/crm"
	"crmgraph/db"
)

// cost is what a request takes inside the server, tokens and metrics aside.
type cost struct {
	statements  int     // the most that one of the checked requests sent
	allocations float64 // of one request, on average
	bytes       float64 // allocated by one request, on average
}

// counted is over how many requests allocations are counted.
const counted = 500

// costInside asks a graph in this process, with or without the planner, one request after the
// other.
func costInside(ctx context.Context, data *database, w workload, asked []variables, planned bool) (*cost, error) {
	pool, err := db.Open(ctx, data.url, 1)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	in := newInside(pool, data.sample.tenant, planned)
	spent := &cost{}
	for _, v := range asked[:min(checked, len(asked))] { // which fills the caches, too
		_, n, err := in.ask(ctx, w, v)
		if err != nil {
			return nil, err
		}
		spent.statements = max(spent.statements, n)
	}
	spent.allocations, spent.bytes, err = in.allocate(ctx, w, asked)
	return spent, err
}

// allocate returns what a request allocates, without making it and keeping its answer.
func (in inside) allocate(ctx context.Context, w workload, asked []variables) (allocations, size float64, err error) {
	ctx = crm.WithPrincipal(ctx, in.principal)
	requests := make([]*http.Request, counted)
	for i := range requests {
		body, err := w.graphQL(asked[i%len(asked)])
		if err != nil {
			return 0, 0, err
		}
		requests[i] = httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(body))
		requests[i].Header.Set("Content-Type", "application/json")
	}
	sink := sink{}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, r := range requests {
		clear(sink)
		in.door.ServeHTTP(sink, r)
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / counted, float64(after.TotalAlloc-before.TotalAlloc) / counted, nil
}

// sink is a response that nobody reads; it is its own header.
type sink http.Header

// Header implements http.ResponseWriter.
func (s sink) Header() http.Header { return http.Header(s) }

// Write implements http.ResponseWriter.
func (sink) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (sink) WriteHeader(int) {}
