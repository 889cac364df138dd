package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/google/uuid"

	"crmgraph/crm"
	"crmgraph/db"
	"crmgraph/graph"
	"crmgraph/internal/gqlhttp"
	"crmgraph/resolvers"
)

// inside is the server's graph in this process, without tokens: here its statements can
// be counted.
type inside struct {
	door      http.Handler
	principal *crm.Principal
}

func newInside(pool *db.DB, id uuid.UUID) inside {
	store := &crm.Store{DB: pool, CursorKey: []byte("nobody pages here"), Now: time.Now}
	rights, _ := crm.RolePermissions("viewer")
	return inside{
		door: gqlhttp.New(gqlhttp.Options{
			Schema:         graph.NewExecutableSchema(graph.Config{Resolvers: resolvers.Root{Store: store}}),
			Present:        resolvers.Present,
			PrepareContext: store.Begin,
		}),
		principal: &crm.Principal{TenantID: id, Tenant: tenantCode, Subject: "bench", Permissions: crm.NewPermissions(rights...)},
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
	return recorder.Body.Bytes(), counter.Count(), nil
}

// countStatements returns the most statements that one of the checked requests took.
func countStatements(ctx context.Context, url string, id uuid.UUID, w workload, asked []variables) (most int, err error) {
	pool, err := db.Open(ctx, url, 1)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	in := newInside(pool, id)
	for _, v := range asked[:min(checked, len(asked))] {
		_, n, err := in.ask(ctx, w, v)
		if err != nil {
			return 0, err
		}
		most = max(most, n)
	}
	return most, nil
}
