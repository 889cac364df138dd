// Command crmgraph serves a CRM domain as a connected GraphQL graph out of Postgres.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"crmgraph/db"
	"crmgraph/db/seed"
	"crmgraph/internal/config"
	"crmgraph/internal/obs"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "crmgraph:", err)
		os.Exit(1)
	}
}

// run is the program: it acts on args until done or until ctx ends. out is for results,
// log for everything else.
func run(ctx context.Context, args []string, out, log io.Writer) error {
	var cli config.CLI
	exited := false
	parser, err := kong.New(&cli, kong.Name("crmgraph"), kong.Writers(out, log), kong.Exit(func(int) { exited = true }),
		kong.Description("A CRM domain as a connected GraphQL graph out of Postgres."))
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if exited { // help was asked for and printed
		return nil
	}
	if err != nil {
		return err
	}
	if cli.StateDir == "" {
		if cli.StateDir, err = defaultStateDir(); err != nil {
			return err
		}
	}
	switch command.Command() {
	case "migrate":
		return withDatabase(ctx, &cli, log, func(_ string, applied []string) error { return migrated(applied, out) })
	case "seed":
		return withDatabase(ctx, &cli, log, func(url string, _ []string) error { return fill(ctx, &cli, url, out, log) })
	case "verify ledgers":
		return withDatabase(ctx, &cli, log, func(url string, _ []string) error {
			return verifyLedgers(ctx, url, cli.Verify.Ledgers.Tenant, out, log)
		})
	case "token":
		return token(&cli, out)
	default:
		return serve(ctx, &cli, out, log)
	}
}

// serve runs the server until ctx ends, then lets running requests finish.
func serve(ctx context.Context, cli *config.CLI, out, log io.Writer) error {
	development, err := cli.Serve.IsDevelopment(cli.DatabaseURL == "")
	if err != nil {
		return err
	}
	// Listening first: a busy address is told before anything is started.
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", cli.Serve.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	return withDatabase(ctx, cli, log, func(url string, _ []string) error {
		return serveOn(ctx, cli, listener, url, development, out, log)
	})
}

// serveOn serves from the migrated database at url.
func serveOn(ctx context.Context, cli *config.CLI, listener net.Listener, url string, development bool, out, log io.Writer) error {
	if development {
		if _, err := seed.Demo(ctx, url, time.Now()); err != nil {
			return err
		}
	}
	if os.Getenv("GOGC") == "" { // memory for speed: requests leave nothing but garbage, with loaders ten times as much
		percent := 170
		if !cli.Serve.Planner {
			percent = 400
		}
		debug.SetGCPercent(percent)
	}
	pool, err := db.Open(ctx, url, cli.Serve.MaxConns)
	if err != nil {
		return err
	}
	defer pool.Close()
	logger := obs.NewLog(log, cli.Serve.LogLevel)
	s := &server{cli: cli, db: pool, log: logger, metrics: obs.NewMetrics(pool.Stat), now: time.Now, development: development}
	handler, err := s.handler(ctx)
	if err != nil {
		return err
	}
	web := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      cli.Serve.Timeout + 10*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	announce(out, "http://"+listener.Addr().String(), cli, development)
	return s.untilDone(ctx, web, listener)
}

// untilDone serves until ctx ends, then refuses new work and waits, within the configured
// time, for what is running.
func (s *server) untilDone(ctx context.Context, web *http.Server, listener net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.draining.Store(true)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cli.Serve.Drain)
	defer cancel()
	if err := web.Shutdown(drain); err != nil {
		_ = web.Close()
		return fmt.Errorf("requests were still running after %s: %w", s.cli.Serve.Drain, err)
	}
	return nil
}

// announce tells people where to go.
func announce(out io.Writer, base string, cli *config.CLI, development bool) {
	fmt.Fprintf(out, "GraphQL     %s/graphql\nDurion      %[1]s/v1/crm, %[1]s/v1/vehicles, described at %[1]s/openapi/durion\nPlayground  %[1]s/playground\n", base)
	if development {
		fmt.Fprintf(out, "Token       %s token --tenant demo --role admin --state-dir %s\n", os.Args[0], cli.StateDir)
	}
}
