package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// lane is one side with what it is asked, and what it did.
type lane struct {
	side     *side
	postgres meter
	requests [][]byte
	rounds   []round
	cost     *cost // inside the server; nil of other sides
}

// row is what was measured of one workload.
type row struct {
	workload workload
	lanes    []lane
}

// round is what one side did in one round.
type round struct {
	rate          float64 // requests per second
	p50, p95, p99 time.Duration
	process       float64 // processor milliseconds per request, of the side's own processes
	postgres      float64 // the same of Postgres
}

// cpu is all the processor time of a request, in milliseconds.
func (r round) cpu() float64 { return r.process + r.postgres }

// measure checks that all sides say the same and drives them in turn.
func measure(ctx context.Context, p pace, data *database, w workload, all *sides) (row, error) {
	asked := w.ask(&data.sample)
	r := row{workload: w}
	for _, one := range all.list {
		l, err := newLane(data, one, w, asked)
		if err != nil {
			return row{}, fmt.Errorf("%s: %w", one.name, err)
		}
		if len(l.requests) == 0 {
			continue
		}
		if one.token != "" {
			if l.cost, err = costInside(ctx, data, w, asked, one.name == plannerSide); err != nil {
				return row{}, fmt.Errorf("%s: %w", one.name, err)
			}
		}
		r.lanes = append(r.lanes, l)
	}
	if err := compare(ctx, w, r.lanes); err != nil {
		return row{}, err
	}
	return r, inTurn(ctx, p, w.name, r.lanes)
}

// newLane is a side with its requests, none when it cannot do what the workload asks.
func newLane(data *database, one *side, w workload, asked []variables) (lane, error) {
	l := lane{side: one, postgres: data.meter}
	for _, v := range asked {
		request, err := one.request(w, v)
		if err != nil {
			return lane{}, err
		}
		if request != nil {
			l.requests = append(l.requests, request)
		}
	}
	return l, nil
}

// inTurn drives each lane in every round, once they are warm.
func inTurn(ctx context.Context, p pace, what string, lanes []lane) error {
	for n := range p.Rounds + 1 {
		rates := make([]string, len(lanes))
		for i := range lanes {
			l := &lanes[i]
			d := p.Time
			if n == 0 {
				d = p.Warmup * time.Duration(l.side.warm)
			}
			did, err := l.drive(ctx, p, d)
			if err != nil {
				return fmt.Errorf("%s: %w", l.side.name, err)
			}
			if n > 0 {
				l.rounds = append(l.rounds, did)
			}
			rates[i] = fmt.Sprintf("%s %.0f", l.side.name, did.rate)
		}
		if n > 0 {
			fmt.Fprintf(os.Stderr, "%s, round %d, requests per second: %s\n", what, n, strings.Join(rates, ", "))
		}
	}
	return nil
}

// drive drives the side once.
func (l *lane) drive(ctx context.Context, p pace, d time.Duration) (round, error) {
	meters := []meter{l.side.process.meter, l.postgres}
	before, err := readAll(meters)
	if err != nil {
		return round{}, err
	}
	took, all, err := drive(ctx, l.side.process.address, l.requests, p.Connections, lasting(d))
	if err != nil {
		return round{}, err
	}
	after, err := readAll(meters)
	if err != nil {
		return round{}, err
	}
	n := float64(len(took))
	return round{
		rate: n / all.Seconds(), p50: percentile(took, 50), p95: percentile(took, 95), p99: percentile(took, 99),
		process: (after[0] - before[0]) * 1000 / n, postgres: (after[1] - before[1]) * 1000 / n,
	}, nil
}

// percentile is the value that so many percent of the ascending values do not exceed.
func percentile(ascending []time.Duration, percent int) time.Duration {
	return ascending[(len(ascending)*percent-1)/100]
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

// ratio is the median, over the rounds, of what one side did to what another did in the same
// round: noise that lasts longer than a round cancels out.
func ratio(ones, others []round, read func(round) float64) float64 {
	rounds := make([]int, len(ones))
	for i := range rounds {
		rounds[i] = i
	}
	return median(rounds, func(i int) float64 { return read(ones[i]) / read(others[i]) })
}
