package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/refward/refward/internal/blob"
)

// readyTimeout bounds the checks of /readyz together.
const readyTimeout = 5 * time.Second

// A check asks one part of the host whether it works.
type check struct {
	part string
	ask  func(ctx context.Context) error
}

// healthz answers that the process runs and serves.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}

// readyz answers whether requests can be served now, part by part. What exactly is
// wrong goes to the log: the page needs no credential.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	var text strings.Builder
	status := http.StatusOK
	for _, c := range s.checks {
		state := "ok"
		if err := c.ask(ctx); err != nil {
			state, status = "failing", http.StatusServiceUnavailable
			s.cfg.Log.ErrorContext(ctx, "not ready", "part", c.part, "error", err)
		}
		fmt.Fprintf(&text, "%s: %s\n", c.part, state)
	}
	if s.draining.Load() {
		status = http.StatusServiceUnavailable
		text.WriteString("draining\n")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text.String())
}

// answers asks a blob store about a blob that is not there: a store that says so is
// reachable.
func answers(ctx context.Context, store blob.Store) error {
	if _, err := store.Stat(ctx, "selftest/ready"); !errors.Is(err, blob.ErrNotFound) {
		return err
	}
	return nil
}

// rarely is a check that costs a process: its answer holds for a while, since the page
// is anybody's to ask for.
type rarely struct {
	now func() time.Time
	ask func(ctx context.Context) error

	mu   sync.Mutex // guards what follows
	last time.Time
	err  error
}

// checkInterval is how long an answer holds.
const checkInterval = 10 * time.Second

func (c *rarely) check(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); c.last.IsZero() || now.Sub(c.last) >= checkInterval {
		c.err, c.last = c.ask(ctx), now
	}
	return c.err
}
