package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/klauspost/compress/gzhttp"
	"github.com/rs/cors"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/graph"
	"crmgraph/internal/auth"
	"crmgraph/internal/config"
	"crmgraph/internal/gqlhttp"
	"crmgraph/internal/obs"
	"crmgraph/planner"
	"crmgraph/playground"
	"crmgraph/resolvers"
	"crmgraph/rest/durion"
)

// server is what the handlers share.
type server struct {
	cli         *config.CLI
	db          *db.DB
	log         *slog.Logger
	metrics     *obs.Metrics
	now         func() time.Time
	development bool
	draining    atomic.Bool
}

// handler is the mux with the doors before it.
func (s *server) handler(ctx context.Context) (http.Handler, error) {
	cursorKey, err := cursorKey(s.cli)
	if err != nil {
		return nil, err
	}
	store := &crm.Store{DB: s.db, CursorKey: cursorKey, Now: func() time.Time { return s.now().UTC() }}
	go s.sweep(ctx, store)
	keys, err := s.developmentKeys()
	if err != nil {
		return nil, err
	}
	oidc := s.cli.Serve.OIDC
	authenticator, err := auth.New(ctx, auth.Config{
		Keys: keys, Tenants: store.TenantByCode,
		Issuer: oidc.Issuer, Audience: oidc.Audience, Algorithms: oidc.Algorithms, ClockSkew: oidc.ClockSkew,
		TenantClaim: oidc.TenantClaim, RolesClaim: oidc.RolesClaim, PermissionsClaim: oidc.RightsClaim,
		Now: s.now,
	})
	if err != nil {
		return nil, err
	}
	door := gqlhttp.New(gqlhttp.Options{
		Schema:        graph.NewSchema(graph.Config{Resolvers: resolvers.Root{Store: store}}),
		Limits:        s.cli.Serve.Limits,
		MaxBody:       s.cli.Serve.MaxBody,
		Timeout:       s.cli.Serve.Timeout,
		Present:       resolvers.Present,
		RequestID:     obs.CorrelationID,
		Introspection: s.mayIntrospect,
		OnOperation:   s.operated,
		PrepareContext: func(ctx context.Context) context.Context {
			return store.Begin(crm.WithCorrelationID(ctx, obs.CorrelationID(ctx)))
		},
		Extensions: s.extensions(),
		Log:        s.log,
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
	endpoint := compress(authenticator.Middleware(door, deny))
	if len(s.cli.Serve.AllowedOrigins) > 0 { // rs/cors reads an empty list as every origin
		endpoint = crossOrigin.Handler(endpoint).ServeHTTP
	}
	mux.Handle("/graphql", endpoint)
	page := playground.Handler()
	mux.Handle("/playground", page)
	mux.Handle("/playground/", page)
	contracts := playground.Contracts(map[string][]byte{"durion": durion.OpenAPI})
	mux.Handle("/openapi", contracts)
	mux.Handle("/openapi/", contracts)
	if s.development {
		mux.Handle("POST /playground/token", http.NewCrossOriginProtection().Handler(handOut(keys)))
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", s.metrics.Handler())
	legacy, err := s.legacy(store, authenticator)
	if err != nil {
		return nil, err
	}
	return obs.Correlate(before(mux, legacy, compress(legacy))), nil
}

// sweep removes idempotency keys that are past their time, every hour until ctx ends.
func (s *server) sweep(ctx context.Context, store *crm.Store) {
	for tick := time.NewTicker(time.Hour); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
			if _, err := store.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "sweep idempotency keys", slog.Any("failure", cause(err)))
			}
		}
	}
}

// mayIntrospect: everybody in development, else whoever has the permission.
func (s *server) mayIntrospect(ctx context.Context) bool {
	p, ok := crm.PrincipalFrom(ctx)
	return s.development || ok && p.Permissions.Has(crm.SchemaIntrospect)
}

// extensions are the planner, unless it is off, and in development what tells of it.
func (s *server) extensions() []graphql.HandlerExtension {
	if !s.cli.Serve.Planner {
		return nil
	}
	list := []graphql.HandlerExtension{planner.New(planner.Options{
		After:   1,
		Memory:  gqlhttp.Memory,
		Observe: func(_ context.Context, o planner.Outcome) { s.metrics.RootField(o.Reason) },
	})}
	if s.development {
		list = append(list, planner.Debug{})
	}
	return list
}

// operated logs and counts a request.
func (s *server) operated(ctx context.Context, op gqlhttp.Operation) {
	s.metrics.Operation(string(op.Type), op.Status, op.Duration, op.Cost, op.Errors, op.Panicked)
	level := slog.LevelDebug
	if op.Panicked || op.Status >= http.StatusInternalServerError || op.Duration > time.Second {
		level = slog.LevelWarn
	}
	var failure slog.Attr // a panic has been logged with its stack
	if op.Failure != nil && !op.Panicked && !errors.Is(op.Failure, context.Canceled) {
		level, failure = slog.LevelWarn, slog.Any("failure", cause(op.Failure))
	}
	if s.log.Enabled(ctx, level) {
		s.log.LogAttrs(ctx, level, "graphql", slog.String("operation", op.Name), slog.String("type", string(op.Type)),
			slog.Int("status", op.Status), slog.Duration("took", op.Duration), slog.Int("cost", op.Cost), slog.Int("errors", op.Errors), failure)
	}
}

// cause is what lies behind the message that a client is shown.
func cause(err error) error {
	if shown, ok := errors.AsType[*crm.Error](err); ok && shown.Unwrap() != nil {
		return shown.Unwrap()
	}
	return err
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
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{shown}}) //nolint:errchkjson // the client is gone
}
