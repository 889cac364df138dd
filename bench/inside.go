package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/graph"
	"crmgraph/internal/gqlhttp"
	"crmgraph/planner"
	"crmgraph/resolvers"
	"crmgraph/rest"
	"crmgraph/rest/durion"
)

// inside is the server's graph in this process, without tokens: here its statements can
// be counted.
type inside struct {
	store     *crm.Store
	door      http.Handler
	contract  http.Handler // Durion's
	principal *crm.Principal
}

func newInside(pool *db.DB, id uuid.UUID, planned bool) inside {
	var extensions []graphql.HandlerExtension
	if planned {
		extensions = append(extensions, planner.New(planner.Options{Memory: gqlhttp.Memory}))
	}
	store := &crm.Store{DB: pool, CursorKey: []byte("nobody pages here"), Now: time.Now}
	rights, _ := crm.RolePermissions("agent")
	principal := &crm.Principal{TenantID: id, Tenant: tenantCode, Subject: "bench", Permissions: crm.NewPermissions(rights...)}
	return inside{
		store: store,
		door: gqlhttp.New(gqlhttp.Options{
			Schema:         graph.NewSchema(graph.Config{Resolvers: resolvers.Root{Store: store}}),
			Present:        resolvers.Present,
			PrepareContext: store.Begin,
			Extensions:     extensions,
		}),
		contract: durion.New(durion.Options{Options: rest.Options{
			Store: store, Timeout: patience, Log: slog.Default(),
			Authenticate:  func(*http.Request) (*crm.Principal, error) { return principal, nil },
			CorrelationID: func(context.Context) string { return "bench" },
			Observe:       func(context.Context, rest.Call) {},
		}}),
		principal: principal,
	}
}

// ask returns the answer to a request, and how many statements it took.
func (in inside) ask(ctx context.Context, w workload, v variables) (answer []byte, statements int, err error) {
	body, err := w.graphQL(v)
	if err != nil {
		return nil, 0, err
	}
	ctx, counter := db.CountStatements(crm.WithPrincipal(ctx, in.principal))
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	in.door.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusOK || failed(recorder.Body.Bytes()) {
		return nil, 0, fmt.Errorf("%d %.500s", recorder.Code, recorder.Body)
	}
	return recorder.Body.Bytes(), counter.Count(), nil
}

// read returns how many statements a read through the Durion contract takes.
func (in inside) read(ctx context.Context, path string) (statements int, err error) {
	ctx, counter := db.CountStatements(ctx)
	recorder := httptest.NewRecorder()
	in.contract.ServeHTTP(recorder, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
	if recorder.Code != http.StatusOK {
		return 0, fmt.Errorf("%s: %d %.500s", path, recorder.Code, recorder.Body)
	}
	return counter.Count(), nil
}

// funded is how many points an account that is redeemed from has at least: more than a run redeems.
const funded = 100_000_000

// fund gives points to the accounts that will be redeemed from.
func (d *database) fund(ctx context.Context) error {
	pool, err := db.Open(ctx, d.url, 1)
	if err != nil {
		return err
	}
	defer pool.Close()
	return newInside(pool, d.sample.tenant, true).fund(ctx, d.sample.accounts)
}

func (in inside) fund(ctx context.Context, accounts []uuid.UUID) error {
	for _, account := range accounts {
		request := in.store.Begin(crm.WithPrincipal(ctx, in.principal))
		customer := crm.Customers.GlobalID(account)
		has, err := in.store.LoyaltyAccount(request, crm.LoyaltyAccountBy{Customer: &customer})
		if err == nil && has.AvailablePoints < funded {
			_, err = in.store.AdjustPoints(request, crm.LoyaltyAdjustment{CustomerID: customer, Points: 2 * funded}, crm.Write{})
		}
		if err != nil {
			return fmt.Errorf("fund the accounts: %w", err)
		}
	}
	return nil
}
