package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"
)

// row is what was measured of one workload.
type row struct {
	workload      workload
	statements    int // of one request to the server
	server, limit []round
}

// round is what one side did in one round.
type round struct {
	rate     float64 // requests per second
	p50, p95 time.Duration
	process  float64 // processor milliseconds per request, of the side's own process
	postgres float64 // the same of Postgres
}

// cpu is all the processor time of a request, in milliseconds.
func (r round) cpu() float64 { return r.process + r.postgres }

// measure checks that both sides say the same and drives them in turn.
func measure(ctx context.Context, s *settings, data *database, w workload, both *sides) (row, error) {
	asked := w.ask(&data.sample)
	toServer, toLimit, err := w.requests(asked, both)
	if err != nil {
		return row{}, err
	}
	if err := compare(ctx, both, toServer, toLimit); err != nil {
		return row{}, err
	}
	r := row{workload: w}
	if r.statements, err = countStatements(ctx, data.url, data.sample.tenant, w, asked); err != nil {
		return row{}, err
	}
	for n := range s.Rounds + 1 {
		warm, d := n == 0, s.Time
		if warm {
			d = s.Warmup
		}
		server, err := one(ctx, s, data, both.server, toServer, d)
		if err != nil {
			return row{}, fmt.Errorf("the server: %w", err)
		}
		limit, err := one(ctx, s, data, both.limit, toLimit, d)
		if err != nil {
			return row{}, fmt.Errorf("the limit: %w", err)
		}
		if !warm {
			r.server, r.limit = append(r.server, server), append(r.limit, limit)
			fmt.Fprintf(os.Stderr, "%s, round %d: %.0f of %.0f requests per second\n", w.name, n, server.rate, limit.rate)
		}
	}
	return r, nil
}

// one drives one side once.
func one(ctx context.Context, s *settings, data *database, p *process, requests [][]byte, d time.Duration) (round, error) {
	meters := []meter{p.meter, data.meter}
	before, err := readAll(meters)
	if err != nil {
		return round{}, err
	}
	took, all, err := drive(ctx, p.address, requests, s.Connections, d)
	if err != nil {
		return round{}, err
	}
	after, err := readAll(meters)
	if err != nil {
		return round{}, err
	}
	n := float64(len(took))
	return round{
		rate: n / all.Seconds(), p50: took[len(took)/2], p95: took[len(took)*95/100],
		process: (after[0] - before[0]) * 1000 / n, postgres: (after[1] - before[1]) * 1000 / n,
	}, nil
}

func readAll(meters []meter) ([]float64, error) {
	values := make([]float64, len(meters))
	for i, m := range meters {
		var err error
		if values[i], err = m.read(); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// requests are the workload's requests to both sides in wire form.
func (w workload) requests(asked []variables, both *sides) (toServer, toLimit [][]byte, err error) {
	for _, v := range asked {
		body, err := w.graphQL(v)
		if err != nil {
			return nil, nil, err
		}
		alone, err := json.Marshal(v)
		if err != nil {
			return nil, nil, err
		}
		server, err := wire("http://"+both.server.address+"/graphql", both.token, body)
		if err != nil {
			return nil, nil, err
		}
		limit, err := wire("http://"+both.limit.address+"/"+w.name, "", alone)
		if err != nil {
			return nil, nil, err
		}
		toServer, toLimit = append(toServer, server), append(toLimit, limit)
	}
	return toServer, toLimit, nil
}

// wire renders a request as it goes over the connection.
func wire(url, token string, body []byte) ([]byte, error) {
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body)) //nolint:noctx // never sent itself
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	var buf bytes.Buffer
	err = request.Write(&buf)
	return buf.Bytes(), err
}

// median is the middle value of what is read from the rounds.
func median[T any](rounds []T, read func(T) float64) float64 {
	values := make([]float64, len(rounds))
	for i, r := range rounds {
		values[i] = read(r)
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}
