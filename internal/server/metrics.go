package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
	"github.com/refward/refward/internal/repo/replay"
	"github.com/refward/refward/internal/share"
)

// metrics are the host's own, in a registry of their own: two hosts in one process do
// not share any. No label holds text that a client chose.
type metrics struct {
	registry  *prometheus.Registry
	handler   http.Handler
	requests  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	inFlight  prometheus.Gauge
	decisions *prometheus.CounterVec
	pushes    *prometheus.CounterVec
	upkeep    upkeepMetrics
}

func newMetrics() *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "refward_requests_total",
			Help: "Requests by door, operation and error code (the HTTP status where there is none).",
		}, []string{"door", "op", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "refward_request_seconds",
			Help:    "How long requests took, by door and operation.",
			Buckets: []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 5, 30, 300},
		}, []string{"door", "op"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "refward_requests_in_flight",
			Help: "Requests being served now.",
		}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "refward_decisions_total",
			Help: "Decisions by policy, by outcome.",
		}, []string{"outcome"}),
		pushes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "refward_push_requests_total",
			Help: "Pushes received, by HTTP status; refused refs are decisions.",
		}, []string{"status"}),
	}
	m.upkeep = newUpkeepMetrics()
	reg := prometheus.NewRegistry()
	reg.MustRegister(m.upkeep.runs, m.upkeep.count, m.upkeep.bytes, m.upkeep.seconds)
	reg.MustRegister(m.requests, m.seconds, m.inFlight, m.decisions, m.pushes,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registry = reg
	m.handler = promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
	return m
}

// answers shows the cache of answers to fetches.
func (m *metrics) answers(house *repo.House) {
	count := func(name, help string, of func(replay.Stats) int64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(of(house.AnswerStats())) }))
	}
	count("refward_fetch_answers_made_total", "Answers to fetches that had to be made.", func(s replay.Stats) int64 { return s.Made })
	count("refward_fetch_answers_shared_total", "Answers to fetches that were there or on their way.", func(s replay.Stats) int64 { return s.Hits })
	count("refward_fetch_answers_evicted_total", "Answers to fetches that made room for others.", func(s replay.Stats) int64 { return s.Evicted })
	count("refward_fetch_answers_damaged_total", "Answers to fetches that were found damaged.", func(s replay.Stats) int64 { return s.Damaged })
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "refward_fetch_answers_disk_bytes", Help: "Bytes of answers to fetches on disk.",
	}, func() float64 { return float64(house.AnswerStats().Disk) }))
}

// places shows how many places are taken, and who waited or was refused, by kind.
func (m *metrics) places(gates map[string]*share.Gate, house *repo.House) {
	m.registry.MustRegister(placesCollector{gates, house})
}

// placesCollector reads the gates when it is asked. It is the collector of one registry.
type placesCollector struct {
	gates map[string]*share.Gate
	house *repo.House
}

var (
	placesHeld    = prometheus.NewDesc("refward_places_held", "Places taken now, by kind.", []string{"kind"}, nil)
	placesWaiting = prometheus.NewDesc("refward_places_waiting", "Who waits for a place now, by kind.", []string{"kind"}, nil)
	placesWaits   = prometheus.NewDesc("refward_places_waits_total", "How often a place had to be waited for, by kind.", []string{"kind"}, nil)
	placesRefused = prometheus.NewDesc("refward_places_refused_total",
		"How often there was no place in time, by kind and reason: the share of one user or address was taken, or all of it.", []string{"kind", "reason"}, nil)
)

// Describe implements [prometheus.Collector].
func (placesCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{placesHeld, placesWaiting, placesWaits, placesRefused} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (c placesCollector) Collect(ch chan<- prometheus.Metric) {
	tell := func(d *prometheus.Desc, t prometheus.ValueType, n int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, t, float64(n), labels...)
	}
	for kind, g := range c.gates {
		s := g.Stats()
		tell(placesHeld, prometheus.GaugeValue, s.Held, kind)
		tell(placesWaiting, prometheus.GaugeValue, s.Waiting, kind)
		tell(placesWaits, prometheus.CounterValue, s.Waited, kind)
		tell(placesRefused, prometheus.CounterValue, s.OverOwn, kind, "share")
		tell(placesRefused, prometheus.CounterValue, s.Full, kind, "full")
	}
	s := c.house.AnswerStats()
	tell(placesWaits, prometheus.CounterValue, s.Waited, "answer-bytes")
	tell(placesRefused, prometheus.CounterValue, s.Refused, "answer-bytes", "share")
}

func (m *metrics) request(rec *record, status int, took time.Duration) {
	text := strconv.Itoa(status)
	m.requests.WithLabelValues(rec.door, rec.op, or(rec.code, text)).Inc()
	m.seconds.WithLabelValues(rec.door, rec.op).Observe(took.Seconds())
	if rec.door == doorGit && rec.op == "git-receive-pack" {
		m.pushes.WithLabelValues(text).Inc()
	}
}

// countedLog counts the decisions that pass.
type countedLog struct {
	authz.Log
	m *metrics
}

// Append implements [authz.Log].
func (l countedLog) Append(ctx context.Context, entries ...authz.Entry) error {
	for _, e := range entries {
		l.m.decisions.WithLabelValues(e.Outcome.String()).Inc()
	}
	return l.Log.Append(ctx, entries...)
}

// noted writes the operation and its error code into the request's record.
type noted struct{ op.Any }

// InvokeAny implements [op.Any].
func (n noted) InvokeAny(ctx context.Context, a *authz.Authorizer, c authz.Caller, in any) (any, error) {
	rec, row := recordOf(ctx), n.Row()
	rec.op = row.Service + ":" + row.Name
	out, err := n.Any.InvokeAny(ctx, a, c, in)
	if err != nil {
		rec.code = "internal"
		if f, ok := errors.AsType[*fault.Fault](err); ok {
			rec.code = f.Code.Name
		}
	}
	return out, err
}

// note wraps a domain's operations in noted.
func note(all []op.Any) []op.Any {
	wrapped := make([]op.Any, len(all))
	for i, o := range all {
		wrapped[i] = noted{o}
	}
	return wrapped
}
