package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// growth is the command that measures how the server's cost grows.
type growth struct {
	output
	pace
	Only  []string `enum:"pages,tenants,sizes" help:"Measure only these: pages, tenants, sizes."`
	Sizes []int    `default:"10000,100000" help:"Customers of the tenants that are compared, ascending. A million takes some 20 minutes and GB to make."`
}

// Of the tenants that are compared by their number.
const (
	tenantsBeside   = 9
	tenantCustomers = 2000
)

// site is a server on a database of its own.
type site struct {
	title string
	data  *database
	side  *side
}

// sites are those that were opened so far.
type sites struct {
	state     string
	directory string // of the server's program
	program   string
	args      []string
	list      []*site
}

// Run measures.
func (g *growth) Run(ctx context.Context) (err error) {
	if len(g.Sizes) == 0 {
		return errors.New("no sizes were given")
	}
	if err := g.place(); err != nil {
		return err
	}
	all, err := newSites(ctx, g.State, "--max-conns="+strconv.Itoa(g.Connections))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.close()) }()
	var tables []string
	for _, part := range []struct {
		name    string
		measure func(context.Context, *sites) (string, error)
	}{{"pages", g.pages}, {"tenants", g.tenants}, {"sizes", g.sizes}} {
		if len(g.Only) > 0 && !slices.Contains(g.Only, part.name) {
			continue
		}
		table, err := part.measure(ctx, all)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		tables = append(tables, table)
	}
	return g.report(strings.Join(tables, "\n"))
}

// tenants compares a tenant that is alone with one that has others beside it.
func (g *growth) tenants(ctx context.Context, all *sites) (string, error) {
	alone, err := all.open(ctx, "alone", tenantCustomers, 1)
	if err != nil {
		return "", err
	}
	beside, err := all.open(ctx, fmt.Sprintf("beside %d", tenantsBeside), tenantCustomers, 1+tenantsBeside)
	if err != nil {
		return "", err
	}
	return g.compare(ctx, fmt.Sprintf("A tenant of %d customers, alone and beside %d like it", tenantCustomers, tenantsBeside),
		"Others shall make no difference.", []*site{alone, beside})
}

// sizes compares tenants of different sizes.
func (g *growth) sizes(ctx context.Context, all *sites) (string, error) {
	var list []*site
	for _, customers := range g.Sizes {
		one, err := all.open(ctx, strconv.Itoa(customers), customers, 1)
		if err != nil {
			return "", err
		}
		list = append(list, one)
	}
	return g.compare(ctx, "Tenants of different sizes, in customers",
		"Between 10,000 and 1,000,000 customers it shall stay within 1.3.", list)
}

// compare measures the same reads at each site and says what they cost there, and what they
// should.
func (g *growth) compare(ctx context.Context, what, goal string, list []*site) (string, error) {
	var b strings.Builder
	g.preface(&b, what, list[0].data)
	b.WriteString("| CPU ms of a request |")
	for _, one := range list {
		fmt.Fprintf(&b, " %s |", one.title)
	}
	b.WriteString(" Last ÷ first |\n|---|" + strings.Repeat("--:|", len(list)+1) + "\n")
	for _, w := range workloads() {
		if !slices.Contains([]string{"lookup", "view", "page"}, w.name) {
			continue
		}
		lanes := make([]lane, len(list))
		for i, one := range list {
			var err error
			if lanes[i], err = newLane(one.data, one.side, w, w.ask(&one.data.sample)); err != nil {
				return "", err
			}
		}
		if err := inTurn(ctx, g.pace, w.name, lanes); err != nil {
			return "", fmt.Errorf("%s: %w", w.name, err)
		}
		fmt.Fprintf(&b, "| %s |", w.title)
		for _, l := range lanes {
			fmt.Fprintf(&b, " %.3f |", median(l.rounds, round.cpu))
		}
		fmt.Fprintf(&b, " %.2f |\n", ratio(lanes[len(lanes)-1].rounds, lanes[0].rounds, round.cpu))
	}
	b.WriteString("\n" + goal + "\n")
	return b.String(), nil
}

// newSites builds the server; args are those of all its processes.
func newSites(ctx context.Context, state string, args ...string) (*sites, error) {
	directory, err := os.MkdirTemp("", "crmgraph-bench-*")
	if err != nil {
		return nil, err
	}
	path, err := build(ctx, directory)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(directory))
	}
	return &sites{state: state, directory: directory, program: path, args: args}, nil
}

// open starts the server on the database of a tenant, once.
func (all *sites) open(ctx context.Context, title string, customers, tenants int) (*site, error) {
	data, err := openDatabase(ctx, all.state, customers, tenants)
	if err != nil {
		return nil, err
	}
	started, err := startServer(data, all.program, "server-"+strconv.Itoa(len(all.list)+1), all.args...)
	if err != nil {
		return nil, errors.Join(err, data.close())
	}
	started.name = title
	one := &site{title: title, data: data, side: started}
	all.list = append(all.list, one)
	return one, nil
}

// close ends the servers.
func (all *sites) close() error {
	err := os.RemoveAll(all.directory)
	for _, one := range all.list {
		err = errors.Join(err, one.side.process.stop(), one.data.close())
	}
	return err
}
