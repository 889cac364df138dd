package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"crmgraph/internal/auth"
)

// The sides there are.
const (
	limitSide        = "limit"
	plannerSide      = "planner"
	loadersSide      = "loaders"
	postgraphileSide = "postgraphile"
)

// side is one of those that are compared.
type side struct {
	name    string
	process *process
	token   string // for the server
	warm    int    // how many times the usual time it takes to become as fast as it gets
	// request is a workload's request in wire form; nil when the side has no answer to it.
	request func(w workload, v variables) ([]byte, error)
	// spell turns the data of an answer into what the server says; nil when it is the same.
	spell func(w workload, data map[string]any) error
}

// sides are those that take part, in the order in which they are driven.
type sides struct {
	list      []*side
	notes     []string // about them, for the reader of the tables
	directory string   // of the server's program
}

// startSides starts the sides that were asked for.
func startSides(ctx context.Context, s *settings, data *database) (*sides, error) {
	all := &sides{}
	if err := all.start(ctx, s, data); err != nil {
		return nil, errors.Join(err, all.stop())
	}
	return all, nil
}

func (all *sides) start(ctx context.Context, s *settings, data *database) (err error) {
	if all.directory, err = os.MkdirTemp("", "crmgraph-bench-*"); err != nil {
		return err
	}
	if slices.Contains(s.Sides, limitSide) {
		if err := all.add(startLimit(data, s.Connections)); err != nil {
			return err
		}
	}
	if slices.Contains(s.Sides, plannerSide) || slices.Contains(s.Sides, loadersSide) {
		if err := all.addServers(ctx, s, data); err != nil {
			return err
		}
	}
	if slices.Contains(s.Sides, postgraphileSide) && !s.NoPostgraphile {
		all.addPostGraphile(ctx, data, s.Connections)
	}
	if len(all.list) == 0 && ctx.Err() == nil {
		return errors.New("no side is left to measure")
	}
	return ctx.Err()
}

func (all *sides) add(one *side, err error) error {
	if err == nil {
		all.list = append(all.list, one)
	}
	return err
}

func (all *sides) addServers(ctx context.Context, s *settings, data *database) error {
	path, err := build(ctx, all.directory)
	if err != nil {
		return err
	}
	connections := "--max-conns=" + strconv.Itoa(s.Connections)
	if slices.Contains(s.Sides, plannerSide) {
		if err := all.add(startServer(data, path, plannerSide, connections)); err != nil {
			return err
		}
	}
	if slices.Contains(s.Sides, loadersSide) {
		return all.add(startServer(data, path, loadersSide, connections, "--no-planner"))
	}
	return nil
}

// startServer starts the server under a name.
func startServer(data *database, path, name string, args ...string) (*side, error) {
	token, err := mint(data.state)
	if err != nil {
		return nil, err
	}
	p, err := start(data.state, program{
		name: name, path: path,
		args:        append([]string{"serve", "--addr=127.0.0.1:0", "--state-dir=" + data.state, "--development=on"}, args...),
		environment: []string{"DATABASE_URL=" + data.url},
	})
	if err != nil {
		return nil, err
	}
	return &side{name: name, process: p, token: token, warm: 1, request: func(w workload, v variables) ([]byte, error) {
		body, err := w.graphQL(v)
		if err != nil {
			return nil, err
		}
		return wire("http://"+p.address+"/graphql", token, body)
	}}, nil
}

// startLimit starts the limit, which is this program.
func startLimit(data *database, connections int) (*side, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := start(data.state, program{
		name: limitSide, path: self,
		args:        []string{"limit", "--tenant=" + data.sample.tenant.String(), "--connections=" + strconv.Itoa(connections)},
		environment: []string{"DATABASE_URL=" + data.url, "GOGC=400"}, // its memory is not bounded, the server's is
	})
	if err != nil {
		return nil, err
	}
	return &side{name: limitSide, process: p, warm: 1, request: func(w workload, v variables) ([]byte, error) {
		body, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		return wire("http://"+p.address+"/"+w.name, "", body)
	}}, nil
}

// mint makes a token that the server, which shares the state directory, accepts.
func mint(state string) (string, error) {
	keys, err := auth.OpenKeys(state)
	if err != nil {
		return "", err
	}
	return keys.Mint(auth.Claims{Subject: "bench", Tenant: tenantCode, Roles: []string{"agent"}, TTL: 12 * time.Hour})
}

// stop ends all sides, and removes what was built.
func (all *sides) stop() error {
	err := os.RemoveAll(all.directory)
	for _, one := range all.list {
		if stopped := one.process.stop(); stopped != nil {
			err = errors.Join(err, fmt.Errorf("stop %s: %w", one.name, stopped))
		}
	}
	return err
}

// server is the side that answers the contracts.
func (all *sides) server() *side {
	for _, one := range all.list {
		if one.token != "" {
			return one
		}
	}
	return nil
}

// remark adds a note and tells it now, too.
func (all *sides) remark(format string, args ...any) {
	note := fmt.Sprintf(format, args...)
	all.notes = append(all.notes, note)
	fmt.Fprintln(os.Stderr, strings.TrimSpace(note))
}
