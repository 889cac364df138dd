package obs

import (
	"net/http"
	"strconv"
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
}

// NewMetrics registers the counters; stat tells the database pool's.
func NewMetrics(stat func() *pgxpool.Stat) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		operations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "crmgraph_graphql_seconds", Help: "Time to answer a GraphQL request, in seconds.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
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
	}
	m.registry.MustRegister(m.operations, m.errors, m.panics, m.cost,
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
