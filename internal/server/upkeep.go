package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/maintenance"
	"github.com/refward/refward/internal/repo"
)

// worker builds the host's maintenance.
func worker(cfg Config, store maintenance.Store, house *repo.House, m *metrics) *maintenance.Worker {
	return &maintenance.Worker{
		Options: cfg.Maintenance, Store: store, House: house, Now: cfg.Now, Log: cfg.Log, Observe: m.upkeep.observe,
	}
}

// knownRefs is the store of a host that serves: the refs of a repository that was just
// pushed to are in memory already.
type knownRefs struct {
	maintenance.Store
	repositories *codecommit.Service
}

// Snapshot implements [maintenance.Store].
func (k knownRefs) Snapshot(ctx context.Context, id repo.ID) (*repo.Snapshot, error) {
	snap, err := k.repositories.Snapshot(ctx, id)
	if errors.Is(err, codecommit.ErrNotFound) {
		err = fmt.Errorf("%w: %w", maintenance.ErrNotFound, err)
	}
	return snap, err
}

// upkeepMetrics count what maintenance does.
type upkeepMetrics struct {
	runs    *prometheus.CounterVec
	count   *prometheus.CounterVec
	bytes   *prometheus.CounterVec
	seconds prometheus.Histogram
}

func newUpkeepMetrics() upkeepMetrics {
	return upkeepMetrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "refward_maintenance_events_total",
			Help: "What maintenance did, by kind: consolidated, overtaken (by a change), failed, dead_deleted, orphan_deleted, temporary_deleted.",
		}, []string{"kind"}),
		count: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "refward_maintenance_items_total",
			Help: "How many things it was done to: packs that became one; packs, objects of Git LFS, blobs and folders deleted.",
		}, []string{"kind"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "refward_maintenance_bytes_total",
			Help: "Bytes of packs written by consolidations, or of what was deleted.",
		}, []string{"kind"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "refward_maintenance_consolidation_seconds",
			Help:    "How long consolidations took.",
			Buckets: []float64{.05, .1, .25, .5, 1, 5, 30, 300, 3600},
		}),
	}
}

func (m upkeepMetrics) observe(e maintenance.Event) {
	kind := string(e.Kind)
	m.runs.WithLabelValues(kind).Inc()
	m.count.WithLabelValues(kind).Add(float64(e.Count))
	m.bytes.WithLabelValues(kind).Add(float64(e.Bytes))
	if e.Kind == maintenance.Consolidated {
		m.seconds.Observe(e.Took.Seconds())
	}
}
