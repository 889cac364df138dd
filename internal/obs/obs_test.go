package obs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"crmgraph/internal/obs"
)

// logged writes one line with the attributes and returns it decoded.
func logged(t *testing.T, ctx context.Context, message string, attrs ...slog.Attr) map[string]any {
	t.Helper()
	var out bytes.Buffer
	obs.NewLog(&out, slog.LevelInfo).LogAttrs(ctx, slog.LevelInfo, message, attrs...)
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line), out.String())
	return line
}

type address string

type person struct{ Name string }

func TestLogHidesWhatIsPersonal(t *testing.T) {
	t.Parallel()
	const token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2ln"
	for name, c := range map[string]struct {
		value any
		want  any
	}{
		"an e-mail address":               {"sent to amelia@example.com, twice", "sent to [redacted], twice"},
		"an e-mail address in brackets":   {"<amelia.h+crm@mail.example.co.uk>", "<[redacted]>"},
		"an address beyond ASCII":         {"rené@bücher.example", "[redacted]"},
		"a token":                         {"Bearer " + token, "Bearer [redacted]"},
		"a telephone number":              {"called +49 (30) 1234-567 today", "called [redacted] today"},
		"a database's address":            {"connect postgres://crm:secret@db/crm?sslmode=off: refused", "connect [redacted] refused"},
		"a password of a database":        {"host=db password=secret user=crm", "host=db [redacted] user=crm"},
		"the values of a key":             {"Key (email)=(a b) exists", "Key (email[redacted] exists"},
		"the values of a key, bracketed":  {"Key (name)=(Muster (GmbH) Wien) exists", "Key (name[redacted] exists"},
		"the values of a key, two lines":  {"Key (name)=(Muster\nWien) exists", "Key (name[redacted] exists"},
		"a value Postgres could not read": {`invalid input syntax for type date: "Amelia "H" x"`, `invalid [redacted]`},
		"a value pgx could not write":     {`unable to encode "Amelia" into binary format`, `[redacted] binary format`},
		"a text type of its own":          {address("amelia@example.com"), "[redacted]"},
		"an error":                        {fmt.Errorf("save: %w", errors.New("amelia@example.com")), "save: [redacted]"},
		"a list":                          {[]string{"Amelia"}, "[]string"},
		"a record":                        {person{"Amelia"}, "obs_test.person"},
		"a record behind a pointer":       {&person{"Amelia"}, "*obs_test.person"},
		"a map":                           {map[string]string{"k": "Amelia"}, "map[string]string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			line := logged(t, t.Context(), "m", slog.Any("detail", c.value))
			require.Equal(t, c.want, line["detail"])
		})
	}
	t.Run("in the message itself", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "to [redacted]", logged(t, t.Context(), "to amelia@example.com")["msg"])
	})
	for _, key := range []string{
		"authorization", "body", "code", "email", "name", "password", "phone", "plate", "query", "text", "token", "variables", "vin", "Email", "VIN",
	} {
		t.Run("under the name "+key, func(t *testing.T) {
			t.Parallel()
			line := logged(t, t.Context(), "m", slog.Int(key, 17), slog.Group("request", slog.String(key, "Amelia")))
			require.Equal(t, "[redacted]", line[key])
			require.Equal(t, map[string]any{key: "[redacted]"}, line["request"])
			line = logged(t, t.Context(), "m", slog.Group(key, slog.String("of", "Amelia"), slog.Group("more", slog.Int("n", 1))))
			require.Equal(t, map[string]any{"of": "[redacted]", "more": map[string]any{"n": "[redacted]"}}, line[key], "a whole group")
		})
	}
}

func TestLogShowsWhatHelps(t *testing.T) {
	t.Parallel()
	id := uuid.NewString()
	for name, c := range map[string]struct {
		value any
		want  any
	}{
		"a text":                       {"page", "page"},
		"a number":                     {42, 42.0},
		"a duration":                   {time.Second, 1e9},
		"a truth":                      {true, true},
		"nothing":                      {nil, nil},
		"an id":                        {uuid.MustParse(id), id},
		"what has a text of its own":   {netip.MustParseAddr("127.0.0.1"), "127.0.0.1"},
		"an error":                     {errors.New("statement timeout (SQLSTATE 57014)"), "statement timeout (SQLSTATE 57014)"},
		"a place in a module's source": {"/mod/github.com/jackc/pgx/v5@v5.12.0/conn.go:12 +0x1c5", "/mod/github.com/jackc/pgx/v5@v5.12.0/conn.go:12 +0x1c5"},
		"a point in time":              {time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), "2026-11-01T09:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, logged(t, t.Context(), "m", slog.Any("detail", c.value))["detail"])
		})
	}
	t.Run("the level, and nothing below the one that is set", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		log := obs.NewLog(&out, slog.LevelWarn)
		log.InfoContext(t.Context(), "quiet")
		require.Empty(t, out.String())
		log.WarnContext(t.Context(), "loud")
		require.Contains(t, out.String(), `"level":"WARN"`)
	})
}

// correlated sends a request with the header through Correlate and returns the id that
// the handler saw, having checked that the client is told the same.
func correlated(t *testing.T, header http.Header) (id string, line map[string]any) {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	request.Header = header
	answer := httptest.NewRecorder()
	obs.Correlate(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		id = obs.CorrelationID(r.Context())
		line = logged(t, r.Context(), "m")
	})).ServeHTTP(answer, request)
	require.Equal(t, []string{id}, answer.Header().Values(obs.CorrelationHeader))
	return id, line
}

func TestCorrelationID(t *testing.T) {
	t.Parallel()
	for name, given := range map[string]string{
		"a word":                    "abc-1",
		"one character":             "x",
		"all that is visible":       `!"#$%&'()*+,-./09:;<=>?@AZ[\]^_az{|}~`,
		"128 bytes, the most":       strings.Repeat("x", 128),
		"what looks like a request": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	} {
		t.Run("the client's is kept: "+name, func(t *testing.T) {
			t.Parallel()
			id, line := correlated(t, http.Header{obs.CorrelationHeader: {given}})
			require.Equal(t, given, id)
			require.Equal(t, given, line["correlationId"])
		})
	}
	for name, header := range map[string]http.Header{
		"none":                   {},
		"an empty one":           {obs.CorrelationHeader: {""}},
		"129 bytes":              {obs.CorrelationHeader: {strings.Repeat("x", 129)}},
		"a blank inside":         {obs.CorrelationHeader: {"a b"}},
		"a tab":                  {obs.CorrelationHeader: {"a\tb"}},
		"a line break":           {obs.CorrelationHeader: {"a\nb"}},
		"a NUL":                  {obs.CorrelationHeader: {"a\x00b"}},
		"DEL":                    {obs.CorrelationHeader: {"a\x7fb"}},
		"a letter beyond ASCII":  {obs.CorrelationHeader: {"é"}},
		"bytes that are no text": {obs.CorrelationHeader: {"\xff\xfe"}},
	} {
		t.Run("a new one is made for "+name, func(t *testing.T) {
			t.Parallel()
			first, line := correlated(t, header)
			require.NoError(t, uuid.Validate(first))
			require.Equal(t, first, line["correlationId"])
			second, _ := correlated(t, header)
			require.NotEqual(t, first, second)
		})
	}
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for name, header := range map[string]string{
		"of the first version": "00-" + trace + "-" + parent + "-01",
		"not sampled":          "00-" + trace + "-" + parent + "-00",
		"of a later version":   "cc-" + trace + "-" + parent + "-01-what-comes",
	} {
		t.Run("it is that of the trace: "+name, func(t *testing.T) {
			t.Parallel()
			id, line := correlated(t, http.Header{"Traceparent": {header}})
			require.Equal(t, "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", id)
			require.Equal(t, id, line["correlationId"])
			id, _ = correlated(t, http.Header{"Traceparent": {header}, obs.CorrelationHeader: {"a b"}})
			require.Equal(t, "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", id, "in place of one that cannot be used")
			id, _ = correlated(t, http.Header{"Traceparent": {header}, obs.CorrelationHeader: {"abc-1"}})
			require.Equal(t, "abc-1", id, "the client's own goes first")
		})
	}
	for name, headers := range map[string][]string{
		"two of them":               {"00-" + trace + "-" + parent + "-01", "00-" + trace + "-" + parent + "-01"},
		"the version that is none":  {"ff-" + trace + "-" + parent + "-01"},
		"more than its version has": {"00-" + trace + "-" + parent + "-01-x"},
		"capital letters":           {"00-" + strings.ToUpper(trace) + "-" + parent + "-01"},
		"a trace of zeros":          {"00-" + strings.Repeat("0", 32) + "-" + parent + "-01"},
		"a parent of zeros":         {"00-" + trace + "-" + strings.Repeat("0", 16) + "-01"},
		"a trace too short":         {"00-" + trace[1:] + "-" + parent + "-01"},
		"no flags":                  {"00-" + trace + "-" + parent},
		"words":                     {"trace me"},
	} {
		t.Run("a new one is made for a traceparent with "+name, func(t *testing.T) {
			t.Parallel()
			id, _ := correlated(t, http.Header{"Traceparent": headers})
			require.NoError(t, uuid.Validate(id))
			require.NotContains(t, strings.ReplaceAll(id, "-", ""), trace[:8])
			require.NotEqual(t, uuid.Nil.String(), id)
		})
	}
	t.Run("a personal one is not logged", func(t *testing.T) {
		t.Parallel()
		_, line := correlated(t, http.Header{obs.CorrelationHeader: {"amelia@example.com"}})
		require.Equal(t, "[redacted]", line["correlationId"])
	})
	t.Run("outside a request there is none", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, obs.CorrelationID(t.Context()))
		require.NotContains(t, logged(t, t.Context(), "m"), "correlationId")
	})
	t.Run("a logger with attributes keeps it", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		obs.Correlate(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			obs.NewLog(&out, slog.LevelInfo).With("part", "a").WithGroup("g").InfoContext(r.Context(), "m", "n", 1)
		})).ServeHTTP(httptest.NewRecorder(), &http.Request{Header: http.Header{obs.CorrelationHeader: {"abc-1"}}})
		require.Contains(t, out.String(), `"part":"a"`)
		require.Contains(t, out.String(), `"correlationId":"abc-1"`)
	})
}

// scraped returns the metrics as Prometheus reads them.
func scraped(t *testing.T, m *obs.Metrics) string {
	t.Helper()
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	require.Equal(t, http.StatusOK, answer.Code)
	require.Contains(t, answer.Header().Get("Content-Type"), "text/plain")
	return answer.Body.String()
}

// pool is that of a database that nobody has to reach.
func pool(t *testing.T) *pgxpool.Pool {
	t.Helper()
	p, err := pgxpool.New(t.Context(), "postgres://nobody@127.0.0.1:1/none")
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	m := obs.NewMetrics(pool(t).Stat)
	before := scraped(t, m)
	for _, line := range []string{
		"crmgraph_graphql_errors_total 0", "crmgraph_panics_total 0", "crmgraph_graphql_cost_points_count 0",
		"crmgraph_database_connections 0", "crmgraph_database_connections_in_use 0", "crmgraph_database_waits_total 0",
	} {
		require.Contains(t, before, line+"\n")
	}
	require.Contains(t, before, "go_goroutines ")

	m.Operation("query", 200, 30*time.Millisecond, 7, 0, false)
	m.Operation("query", 200, 70*time.Millisecond, 0, 2, false)
	m.Operation("mutation", 500, 20*time.Second, 1, 1, true)
	after := scraped(t, m)
	for _, line := range []string{
		`crmgraph_graphql_seconds_count{status="200",type="query"} 2`,
		`crmgraph_graphql_seconds_sum{status="200",type="query"} 0.1`,
		`crmgraph_graphql_seconds_bucket{status="200",type="query",le="0.025"} 0`,
		`crmgraph_graphql_seconds_bucket{status="200",type="query",le="0.05"} 1`,
		`crmgraph_graphql_seconds_bucket{status="200",type="query",le="0.1"} 2`,
		`crmgraph_graphql_seconds_bucket{status="500",type="mutation",le="10"} 0`,
		`crmgraph_graphql_seconds_bucket{status="500",type="mutation",le="+Inf"} 1`,
		"crmgraph_graphql_errors_total 3",
		"crmgraph_panics_total 1",
		"crmgraph_graphql_cost_points_sum 8",
		"crmgraph_graphql_cost_points_count 2",
	} {
		require.Contains(t, after, line+"\n")
	}
}

func TestMetricsOfContracts(t *testing.T) {
	t.Parallel()
	m := obs.NewMetrics(pool(t).Stat)
	m.Call("durion", "D-05", "till", http.StatusOK, 30*time.Millisecond, false)
	m.Call("durion", "D-05", "till", http.StatusOK, 70*time.Millisecond, false)
	m.Call("durion", "D-05", "", http.StatusUnauthorized, time.Millisecond, false)
	m.Call("durion", "", "", http.StatusNotFound, time.Millisecond, false)
	m.Call("durion", "D-02", "till", http.StatusInternalServerError, time.Second, true)
	for i := range 200 {
		m.Call("other", "X-01", fmt.Sprintf("client-%d", i), http.StatusOK, time.Millisecond, false)
	}
	m.Call("durion", "D-05", "till", http.StatusOK, 20*time.Second, false)
	after := scraped(t, m)
	for _, line := range []string{
		`crmgraph_rest_requests_total{client="till",contract="durion",operation="D-05",status="200"} 3`,
		`crmgraph_rest_requests_total{client="none",contract="durion",operation="D-05",status="401"} 1`,
		`crmgraph_rest_requests_total{client="none",contract="durion",operation="none",status="404"} 1`,
		`crmgraph_rest_requests_total{client="till",contract="durion",operation="D-02",status="500"} 1`,
		`crmgraph_rest_requests_total{client="client-97",contract="other",operation="X-01",status="200"} 1`,
		`crmgraph_rest_requests_total{client="other",contract="other",operation="X-01",status="200"} 102`,
		`crmgraph_rest_seconds_bucket{contract="durion",operation="D-05",le="0.05"} 2`,
		`crmgraph_rest_seconds_bucket{contract="durion",operation="D-05",le="10"} 3`,
		`crmgraph_rest_seconds_count{contract="durion",operation="D-05"} 4`,
		"crmgraph_panics_total 1",
	} {
		require.Contains(t, after, line+"\n")
	}
	require.NotContains(t, after, "client-98")
}
