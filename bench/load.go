package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// client is one keep-alive connection that has one request under way at a time. It is
// net/http without the pool and the goroutines of its client, which would take the
// processors from those who are measured.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	body bytes.Buffer
}

// patience is how long an answer may take.
const patience = 10 * time.Second

func dial(ctx context.Context, address string) (*client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReaderSize(conn, 16<<10)}, nil
}

// do sends a request in wire form and returns the body of its answer, which is valid
// until the next call. An answer with errors, or of another status than 200, is an error.
func (c *client) do(request []byte) ([]byte, error) {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	c.body.Reset()
	if _, err := c.body.ReadFrom(response.Body); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK || failed(c.body.Bytes()) {
		return nil, fmt.Errorf("%s: %.500s", response.Status, c.body.Bytes())
	}
	return c.body.Bytes(), nil
}

// failed reports whether an answer says that it has errors, at once or behind its data.
func failed(answer []byte) bool {
	return bytes.HasPrefix(answer, []byte(`{"errors":`)) || bytes.Contains(answer, []byte(`"errors":[{`))
}

// until says, when a request was answered or before the first, whether to send one more. since is
// how long the drive has lasted. It is asked by all connections at once.
type until func(since time.Duration) (more bool)

// lasting drives for a while.
func lasting(d time.Duration) until {
	return func(since time.Duration) bool { return since < d }
}

// counting drives so many requests.
func counting(requests int) until {
	var sent atomic.Int64
	return func(time.Duration) bool { return sent.Add(1) <= int64(requests) }
}

// drive keeps connections busy and returns how long each answer took,
// ascending, and how long it all took.
func drive(ctx context.Context, address string, requests [][]byte, connections int, more until) (took []time.Duration, all time.Duration, err error) {
	group, ctx := errgroup.WithContext(ctx)
	each := make([][]time.Duration, connections)
	start := time.Now()
	for i := range connections {
		group.Go(func() (err error) {
			c, err := dial(ctx, address)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, c.conn.Close()) }()
			begin := time.Now()
			for n := i * len(requests) / connections; more(begin.Sub(start)) && ctx.Err() == nil; n++ {
				if _, err := c.do(requests[n%len(requests)]); err != nil {
					return err
				}
				end := time.Now()
				each[i] = append(each[i], end.Sub(begin))
				begin = end
			}
			return ctx.Err()
		})
	}
	err = group.Wait()
	all = time.Since(start)
	took = slices.Concat(each...)
	slices.Sort(took)
	if err == nil && len(took) == 0 {
		err = errors.New("nothing was answered")
	}
	return took, all, err
}
