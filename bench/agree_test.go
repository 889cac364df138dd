package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"crmgraph/db/seed"
	"crmgraph/internal/crmtest"
)

// small is a tenant of a few customers, some of them companies.
const small = 60

func TestSidesSayTheSame(t *testing.T) {
	t.Parallel()
	url := crmtest.Migrated(t)
	require.NoError(t, seed.Load(t.Context(), url, tenantCode, small, nil))
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(t.Context())) })
	s, err := takeSample(t.Context(), conn)
	require.NoError(t, err)

	serve := limitServe{DatabaseURL: url, Tenant: s.tenant, Connections: 1}
	pool, err := serve.open(t.Context())
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	other := limit(pool, s.tenant)
	opened := crmtest.Open(t, url)
	for name, planned := range map[string]bool{plannerSide: true, loadersSide: false} {
		server := newInside(opened, s.tenant, planned)
		require.NoError(t, server.fund(t.Context(), s.accounts))
		for _, w := range workloads() {
			t.Run(name+", "+w.name, func(t *testing.T) {
				asked := w.ask(&s)
				require.NotEmpty(t, asked)
				for _, v := range asked {
					one, statements, err := server.ask(t.Context(), w, v)
					require.NoError(t, err)
					require.Positive(t, statements)
					requireSame(t, one, w.askLimit(t, other, v))
				}
			})
		}
	}
}

// same is how answers are spelt that are the server's or the limit's.
func same(map[string]any) error { return nil }

func requireSame(t *testing.T, answers ...[]byte) {
	t.Helper()
	first, err := canonical(answers[0], same)
	require.NoError(t, err)
	for _, answer := range answers[1:] {
		other, err := canonical(answer, same)
		require.NoError(t, err)
		require.Equal(t, string(first), string(other))
	}
}

func TestReadsTakeFewStatements(t *testing.T) {
	t.Parallel()
	url := crmtest.Migrated(t)
	require.NoError(t, seed.Load(t.Context(), url, tenantCode, small, nil))
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(t.Context())) })
	s, err := takeSample(t.Context(), conn)
	require.NoError(t, err)
	for _, r := range reads() {
		t.Run(r.name, func(t *testing.T) {
			paths := r.paths(&s)
			require.NotEmpty(t, paths)
			most, err := countReads(t.Context(), &database{url: url, sample: s}, paths)
			require.NoError(t, err)
			require.Positive(t, most)
			require.LessOrEqual(t, most, 7)
			if r.name == "durion-list" {
				one, err := countReads(t.Context(), &database{url: url, sample: s}, []string{"/v1/crm?pageSize=1"})
				require.NoError(t, err)
				require.Equal(t, one, most, "a page of one takes as many as one of all")
			}
		})
	}
}

// askLimit returns the limit's answer.
func (w workload) askLimit(t *testing.T, h http.Handler, v variables) []byte {
	body, err := json.Marshal(v)
	require.NoError(t, err)
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/"+w.name, bytes.NewReader(body))
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, request)
	require.Equal(t, http.StatusOK, recorder.Code, recorder.Body)
	return recorder.Body.Bytes()
}

func TestDataIsComparedWhateverItsSpelling(t *testing.T) {
	t.Parallel()
	const server = `{"data": {"customer": {"number": 7, "createdAt": "2026-03-04T09:15:27.48Z"}}, "extensions": {"cost": 1}}`
	t.Run("the order of members and the offset of an instant do not matter", func(t *testing.T) {
		t.Parallel()
		requireSame(t, []byte(server), []byte(`{"data":{"customer":{"createdAt":"2026-03-04T10:15:27.480+01:00","number":7}}}`))
	})
	t.Run("a value that differs does", func(t *testing.T) {
		t.Parallel()
		one, err := canonical([]byte(server), same)
		require.NoError(t, err)
		other, err := canonical([]byte(`{"data":{"customer":{"createdAt":"2026-03-04T09:15:27.48Z","number":8}}}`), same)
		require.NoError(t, err)
		require.NotEqual(t, string(one), string(other))
	})
	t.Run("an answer that found nothing is no answer", func(t *testing.T) {
		t.Parallel()
		_, err := canonical([]byte(`{"data":{"customer":null}}`), same)
		require.ErrorContains(t, err, "nothing was found")
	})
}
