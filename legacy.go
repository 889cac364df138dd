package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"crmgraph/crm"
	"crmgraph/internal/auth"
	"crmgraph/internal/obs"
	"crmgraph/rest"
	"crmgraph/rest/durion"
)

// legacy returns the door of the Durion contract.
func (s *server) legacy(store *crm.Store, authenticator *auth.Authenticator) (*rest.Door, error) {
	serve := s.cli.Serve
	gateway, err := authenticator.Gateway(serve.TrustedProxies, serve.TrustedProxyTenant)
	if err != nil {
		return nil, err
	}
	return durion.New(durion.Options{
		Options: rest.Options{
			Store: store, Authenticate: gateway.Request, CorrelationID: obs.CorrelationID, Timeout: serve.Timeout, Observe: s.called,
			Notice: rest.Notice{Deprecated: serve.Durion.Deprecated, Sunset: serve.Durion.Sunset, Successor: serve.Durion.Successor},
			Log:    s.log,
		},
		LiteralStubs: serve.LegacyStubs == "literal",
		ListCap:      serve.Durion.ListCap,
	}), nil
}

// before sends what belongs to the door to it, and all else to next. It comes before the mux, which
// would redirect paths that it can clean; for the contract they are unknown.
func before(next http.Handler, door *rest.Door, wrapped http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if door.Serves(r.URL.Path) {
			wrapped.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// called logs and counts a request to a legacy contract.
func (s *server) called(ctx context.Context, call rest.Call) {
	s.metrics.Call(call.Contract, call.Operation, call.Client, call.Status, call.Duration, call.Panicked)
	level := slog.LevelDebug
	var failure slog.Attr                             // a panic has been logged with its stack
	gone := errors.Is(call.Failure, context.Canceled) // the client hung up
	if call.Status >= http.StatusInternalServerError && call.Status != http.StatusNotImplemented && !gone {
		level = slog.LevelWarn
		if !call.Panicked {
			failure = slog.Any("failure", cause(call.Failure))
		}
	}
	if call.Duration > time.Second {
		level = slog.LevelWarn
	}
	if s.log.Enabled(ctx, level) {
		s.log.LogAttrs(ctx, level, "rest", slog.String("contract", call.Contract), slog.String("operation", call.Operation),
			slog.Int("status", call.Status), slog.Duration("took", call.Duration), failure)
	}
}
