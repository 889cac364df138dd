// Command crmgraph serves a CRM domain as a connected GraphQL graph out of Postgres.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/klauspost/compress/gzhttp"
	"github.com/rs/cors"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/db/seed"
	"crmgraph/graph"
	"crmgraph/internal/auth"
	"crmgraph/internal/config"
	"crmgraph/internal/gqlhttp"
	"crmgraph/internal/obs"
	"crmgraph/playground"
	"crmgraph/resolvers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
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
		return migrate(ctx, &cli, out, log)
	case "seed":
		return fill(ctx, &cli, out, log)
	case "token":
		return token(&cli, out)
	default:
		return serve(ctx, &cli, out, log)
	}
}

// serve runs the server until ctx ends, then lets running requests finish.
func serve(ctx context.Context, cli *config.CLI, out, log io.Writer) (err error) {
	development, err := cli.Serve.IsDevelopment(cli.DatabaseURL == "")
	if err != nil {
		return err
	}
	// Listening first: a busy address is told before anything is started.
	listener, err := net.Listen("tcp", cli.Serve.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	url, release, err := database(ctx, cli, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if _, err := db.Migrate(ctx, url); err != nil {
		return err
	}
	if development {
		if _, err := seed.Demo(ctx, url, time.Now()); err != nil {
			return err
		}
	}
	pool, err := db.Open(ctx, url, cli.Serve.MaxConns)
	if err != nil {
		return err
	}
	defer pool.Close()
	logger := obs.NewLog(log, cli.Serve.LogLevel)
	s := &server{cli: cli, db: pool, log: logger, metrics: obs.NewMetrics(pool.Stat), development: development}
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
	announce(out, "http://"+listener.Addr().String(), development)
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
func announce(out io.Writer, base string, development bool) {
	fmt.Fprintf(out, "GraphQL     %s/graphql\nPlayground  %s/playground\n", base, base)
	if development {
		fmt.Fprintln(out, "Token       crmgraph token --tenant demo --role admin   (or: go run . token)")
	}
}

// server is what the handlers share.
type server struct {
	cli         *config.CLI
	db          *db.DB
	log         *slog.Logger
	metrics     *obs.Metrics
	development bool
	draining    atomic.Bool
}

// handler is the whole mux.
func (s *server) handler(ctx context.Context) (http.Handler, error) {
	cursorKey, err := cursorKey(s.cli)
	if err != nil {
		return nil, err
	}
	store := &crm.Store{DB: s.db, CursorKey: cursorKey, Now: func() time.Time { return time.Now().UTC() }}
	keys, err := s.developmentKeys()
	if err != nil {
		return nil, err
	}
	oidc := s.cli.Serve.OIDC
	authenticator, err := auth.New(ctx, auth.Config{
		Keys: keys, Tenants: store.TenantByCode,
		Issuer: oidc.Issuer, Audience: oidc.Audience, Algorithms: oidc.Algorithms, ClockSkew: oidc.ClockSkew,
		TenantClaim: oidc.TenantClaim, RolesClaim: oidc.RolesClaim, PermissionsClaim: oidc.RightsClaim,
	})
	if err != nil {
		return nil, err
	}
	door := gqlhttp.New(gqlhttp.Options{
		Schema:         graph.NewExecutableSchema(graph.Config{Resolvers: resolvers.Root{Store: store}}),
		Limits:         s.cli.Serve.Limits,
		MaxBody:        s.cli.Serve.MaxBody,
		Timeout:        s.cli.Serve.Timeout,
		Present:        resolvers.Present,
		RequestID:      obs.CorrelationID,
		Introspection:  s.mayIntrospect,
		OnOperation:    s.operated,
		PrepareContext: store.Begin,
		Log:            s.log,
	})
	compress, err := gzhttp.NewWrapper(gzhttp.CompressionLevel(1), gzhttp.ExceptContentTypes([]string{"text/event-stream"}))
	if err != nil {
		return nil, err
	}
	crossOrigin := cors.New(cors.Options{
		AllowedOrigins: s.cli.Serve.AllowedOrigins, AllowedMethods: []string{http.MethodGet, http.MethodPost},
		AllowedHeaders: []string{"Authorization", "Content-Type", obs.CorrelationHeader}, ExposedHeaders: []string{obs.CorrelationHeader},
	})
	mux := http.NewServeMux()
	graphql := compress(authenticator.Middleware(door, deny))
	if len(s.cli.Serve.AllowedOrigins) > 0 { // rs/cors reads an empty list as every origin
		graphql = crossOrigin.Handler(graphql).ServeHTTP
	}
	mux.Handle("/graphql", graphql)
	mux.Handle("/playground", playground.Handler())
	mux.Handle("/playground/", playground.Handler())
	if s.development {
		mux.Handle("POST /playground/token", http.NewCrossOriginProtection().Handler(handOut(keys)))
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", s.metrics.Handler())
	return obs.Correlate(mux), nil
}

// mayIntrospect: everybody in development, else whoever has the permission.
func (s *server) mayIntrospect(ctx context.Context) bool {
	p, ok := crm.PrincipalFrom(ctx)
	return s.development || ok && p.Permissions.Has(crm.SchemaIntrospect)
}

// operated logs and counts a request.
func (s *server) operated(ctx context.Context, op gqlhttp.Operation) {
	s.metrics.Operation(string(op.Type), op.Status, op.Duration, op.Cost, op.Errors, op.Panicked)
	level := slog.LevelDebug
	if op.Panicked || op.Status >= http.StatusInternalServerError || op.Duration > time.Second {
		level = slog.LevelWarn
	}
	if s.log.Enabled(ctx, level) {
		s.log.LogAttrs(ctx, level, "graphql", slog.String("operation", op.Name), slog.String("type", string(op.Type)),
			slog.Int("status", op.Status), slog.Duration("took", op.Duration), slog.Int("cost", op.Cost), slog.Int("errors", op.Errors))
	}
}

// ready says whether requests can be answered now.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if s.draining.Load() || s.db.Ping(ctx) != nil {
		answer(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	answer(w, http.StatusOK, "ready")
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}

// deny answers a GraphQL request whose token was refused.
func deny(w http.ResponseWriter, r *http.Request, err error) {
	shown := resolvers.Present(r.Context(), err)
	shown.Path = nil
	shown.Extensions["requestId"] = obs.CorrelationID(r.Context())
	status := http.StatusUnauthorized
	if crm.CodeOf(err) != crm.Unauthenticated {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{shown}})
}
