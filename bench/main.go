// Command bench measures the server against "the limit": a hand-written handler that
// answers the same JSON from one prepared SQL statement, with the tenant named for every
// table but without GraphQL, row level security and tokens. It says how much of what
// Postgres can give reaches a client of the graph. Beside them stand the server without its
// planner and, where Node is present, PostGraphile on the same tables.
//
// All are processes of their own, driven in turn over HTTP by a closed loop, so that
// whatever else the machine does falls on all alike; only the ratios mean something.
//
// Reads through the Durion contract are measured alone: theirs is the server's processor time.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"crmgraph/db/embedded"
)

// tenantCode is the tenant that is measured.
const tenantCode = "load"

// cli is the command line.
type cli struct {
	Run    settings   `cmd:"" default:"withargs" help:"Measure, and print Markdown tables."`
	Growth growth     `cmd:"" help:"Measure how the cost grows with pages, tenants and customers."`
	Memory memory     `cmd:"" help:"Measure the memory of the server after many requests."`
	Limit  limitServe `cmd:"" hidden:"" help:"Serve the limit."`
}

// settings say what is measured, and how.
type settings struct {
	output
	pace
	Customers      int      `default:"100000" help:"Size of the tenant; each size has a database of its own."`
	Only           []string `enum:"lookup,view,page,search,earn,redeem,durion-party,durion-vehicle,durion-customer,durion-list" help:"Measure only these workloads: lookup, view, page, search, earn, redeem; durion-party, durion-vehicle, durion-customer, durion-list."`
	Sides          []string `enum:"limit,planner,loaders,postgraphile" default:"limit,planner,loaders,postgraphile" help:"Measure only these sides: limit, planner, loaders (the server without its planner), postgraphile."`
	NoPostgraphile bool     `name:"no-postgraphile" help:"Leave PostGraphile out, which is installed with npm the first time."`
}

// output says where things are kept.
type output struct {
	State string `type:"path" help:"Where the database, the keys and the logs live (default: beside the server's own data)."`
	Out   string `type:"path" help:"A file for the tables, too."`
}

// pace says how long things are driven.
type pace struct {
	Rounds      int           `default:"3" help:"Rounds; the medians count."`
	Time        time.Duration `default:"4s" help:"How long one side is driven in one round."`
	Warmup      time.Duration `default:"2s" help:"How long each side is driven before the first round; PostGraphile five times as long."`
	Connections int           `default:"16" help:"Connections of the driver, and of each side to the database."`
}

func main() {
	var c cli
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	command := kong.Parse(&c, kong.Name("bench"), kong.Description("Measure the server against hand-written SQL."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	err := command.Run()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// Run measures.
func (s *settings) Run(ctx context.Context) (err error) {
	if err := s.place(); err != nil {
		return err
	}
	data, err := openDatabase(ctx, s.State, s.Customers, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.close()) }()
	list := s.workloads()
	if slices.ContainsFunc(list, func(w workload) bool { return w.name == "redeem" }) {
		if err := data.fund(ctx); err != nil {
			return err
		}
	}
	sides, err := startSides(ctx, s, data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sides.stop()) }()
	var rows []row
	for _, w := range list {
		r, err := measure(ctx, s.pace, data, w, sides)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		rows = append(rows, r)
	}
	all, err := measureReads(ctx, s, data, sides)
	if err != nil {
		return err
	}
	var tables []string
	if len(rows) > 0 {
		tables = append(tables, table(s, data, sides, rows))
	}
	if len(all) > 0 {
		tables = append(tables, readTable(s, data, all))
	}
	return s.report(strings.Join(tables, "\n"))
}

// workloads are those that were asked for, all when none was.
func (s *settings) workloads() []workload {
	return slices.DeleteFunc(workloads(), func(w workload) bool {
		return len(s.Only) > 0 && !slices.Contains(s.Only, w.name)
	})
}

// place chooses the state directory when none was named.
func (o *output) place() (err error) {
	if o.State == "" {
		o.State, err = embedded.StateDir("crmgraph-bench")
	}
	return err
}

// report prints the tables, and writes them to the file that was named.
func (o *output) report(text string) error {
	if _, err := io.WriteString(os.Stdout, text); err != nil {
		return err
	}
	if o.Out == "" {
		return nil
	}
	return os.WriteFile(o.Out, []byte(text), 0o644) //nolint:gosec // for everybody to read
}
