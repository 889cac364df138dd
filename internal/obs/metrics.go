package obs

import (
	"cmp"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the program's counters, in a registry of their own.
type Metrics struct {
	registry   *prometheus.Registry
	operations *prometheus.HistogramVec
	errors     prometheus.Counter
	panics     prometheus.Counter
	cost       prometheus.Histogram
	rootFields *prometheus.CounterVec
	calls      *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	clients    labels
}

// buckets are of times to answer a request, in seconds.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// maxClients bounds how many clients have counters of their own.
const maxClients = 100

// NewMetrics registers the counters; stat tells the database pool's.
func NewMetrics(stat func() *pgxpool.Stat) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		operations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "crmgraph_graphql_seconds", Help: "Time to answer a GraphQL request, in seconds.",
			Buckets: buckets,
		}, []string{"type", "status"}),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "crmgraph_graphql_errors_total", Help: "Errors in GraphQL answers.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "crmgraph_panics_total", Help: "Requests in which code of the server panicked.",
		}),
		cost: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "crmgraph_graphql_cost_points", Help: "Price of GraphQL requests, in points.",
			Buckets: []float64{1, 2, 5, 10, 25, 50, 100, 250, 500, 1000},
		}),
		rootFields: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "crmgraph_graphql_root_fields_total", Help: "Root fields of queries, by what answered them (planner, loaders) and why it was not the planner.",
		}, []string{"answered_by", "reason"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "crmgraph_rest_requests_total", Help: "Requests to legacy contracts.",
		}, []string{"contract", "operation", "client", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "crmgraph_rest_seconds", Help: "Time to answer a request to a legacy contract, in seconds.",
			Buckets: buckets,
		}, []string{"contract", "operation"}),
		clients: labels{most: maxClients, known: map[string]bool{}},
	}
	m.registry.MustRegister(m.operations, m.errors, m.panics, m.cost, m.rootFields, m.calls, m.durations,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		poolGauge("connections", "Open connections of the database pool.", stat, (*pgxpool.Stat).TotalConns),
		poolGauge("connections_in_use", "Connections of the database pool that run a statement.", stat, (*pgxpool.Stat).AcquiredConns),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "crmgraph_database_waits_total", Help: "How often a request waited for a free database connection.",
		}, func() float64 { return float64(stat().EmptyAcquireCount()) }),
	)
	return m
}

func poolGauge(name, help string, stat func() *pgxpool.Stat, read func(*pgxpool.Stat) int32) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "crmgraph_database_" + name, Help: help},
		func() float64 { return float64(read(stat())) })
}

// Handler serves the counters in the Prometheus text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// RootField counts one root field of a query; reason says why the planner did not answer it, empty
// when it did.
func (m *Metrics) RootField(reason string) {
	by := "planner"
	if reason != "" {
		by = "loaders"
	}
	m.rootFields.WithLabelValues(by, reason).Inc()
}

// Operation counts one GraphQL request.
func (m *Metrics) Operation(kind string, status int, took time.Duration, cost, errors int, panicked bool) {
	m.operations.WithLabelValues(kind, strconv.Itoa(status)).Observe(took.Seconds())
	m.errors.Add(float64(errors))
	if cost > 0 {
		m.cost.Observe(float64(cost))
	}
	if panicked {
		m.panics.Inc()
	}
}

// Call counts one request to a legacy contract. An operation or a client that is not known is
// "none", and clients beyond the first hundred are "other".
func (m *Metrics) Call(contract, operation, client string, status int, took time.Duration, panicked bool) {
	operation = cmp.Or(operation, "none")
	m.calls.WithLabelValues(contract, operation, m.clients.of(cmp.Or(client, "none")), strconv.Itoa(status)).Inc()
	m.durations.WithLabelValues(contract, operation).Observe(took.Seconds())
	if panicked {
		m.panics.Inc()
	}
}

// labels keeps the values of a label from becoming too many. It is safe for concurrent use.
type labels struct {
	most  int
	mutex sync.Mutex
	known map[string]bool
}

// of is the value itself when it is among the first ones, else "other".
func (l *labels) of(value string) string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if !l.known[value] && len(l.known) >= l.most {
		return "other"
	}
	l.known[value] = true
	return value
}
