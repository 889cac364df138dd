// Command bench measures the server against "the limit": a hand-written handler that
// answers the same JSON from one prepared SQL statement, with the tenant named for every
// table but without GraphQL, row level security and tokens. It says how much of what
// Postgres can give reaches a client of the graph.
//
// Both are processes of their own, driven in turn over HTTP by a closed loop, so that
// whatever else the machine does falls on both alike; only the ratios mean something.
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
	Run   settings   `cmd:"" default:"withargs" help:"Measure, and print a Markdown table."`
	Limit limitServe `cmd:"" hidden:"" help:"Serve the limit."`
}

// settings say what is measured, and how.
type settings struct {
	State       string        `type:"path" help:"Where the database and the keys live (default: beside the server's own data)."`
	Customers   int           `default:"100000" help:"Size of the tenant; each size has a database of its own."`
	Only        []string      `enum:"lookup,view,page,search,earn,redeem,durion-party,durion-vehicle,durion-customer,durion-list" help:"Measure only these workloads: lookup, view, page, search, earn, redeem; durion-party, durion-vehicle, durion-customer, durion-list."`
	Rounds      int           `default:"3" help:"Rounds; the medians count."`
	Time        time.Duration `default:"5s" help:"How long one side is driven in one round."`
	Warmup      time.Duration `default:"2s" help:"How long each side is driven before the first round."`
	Connections int           `default:"16" help:"Connections of the driver, and of each side to the database."`
	Out         string        `type:"path" help:"A file for the table, too."`
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
	if s.State == "" {
		if s.State, err = embedded.StateDir("crmgraph-bench"); err != nil {
			return err
		}
	}
	data, err := openDatabase(ctx, s.State, s.Customers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.close()) }()
	if err := data.fund(ctx); err != nil {
		return err
	}
	sides, err := startSides(ctx, s, data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sides.stop()) }()
	var rows []row
	for _, w := range s.workloads() {
		r, err := measure(ctx, s, data, w, sides)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		rows = append(rows, r)
	}
	var all []measured
	for _, r := range s.reads() {
		m, err := measureRead(ctx, s, data, r, sides)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		all = append(all, m)
	}
	var tables []string
	if len(rows) > 0 {
		tables = append(tables, table(s, data, rows))
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

// report prints the table, and writes it to the file that was named.
func (s *settings) report(text string) error {
	if _, err := io.WriteString(os.Stdout, text); err != nil {
		return err
	}
	if s.Out == "" {
		return nil
	}
	return os.WriteFile(s.Out, []byte(text), 0o644) //nolint:gosec // for everybody to read
}
