package server

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// record is what becomes known of one request while it is served: for its answer, the
// access log and the metrics. It is used by the request's goroutine alone.
type record struct {
	id   string // UUID
	door string // "api", "git", "other"
	op   string // "codecommit:GetBranch", "git-receive-pack"; never text of the client's
	code string // error code, or empty where the status says it all

	known func() // called when the caller is proven; nil: nobody asks
}

type recordKey struct{}

// recordOf returns the record of the request that ctx belongs to; for work that
// belongs to none, an empty one.
func recordOf(ctx context.Context) *record {
	if rec, ok := ctx.Value(recordKey{}).(*record); ok {
		return rec
	}
	return &record{}
}

// record is the outermost layer: it gives the request its ID, and says afterwards what
// became of it. Paths are logged without their query, which can hold a signature.
func (s *Server) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := s.cfg.Now()
		rec := &record{id: uuid.NewString(), door: doorOther, op: "none"}
		w.Header().Set("X-Amzn-Requestid", rec.id)
		answer := &answer{ResponseWriter: w}
		s.metrics.inFlight.Inc()
		defer func() { // also where the handler cut the connection
			s.metrics.inFlight.Dec()
			s.finish(r, rec, answer, s.cfg.Now().Sub(start))
		}()
		next.ServeHTTP(answer, r.WithContext(context.WithValue(r.Context(), recordKey{}, rec)))
	})
}

func (s *Server) finish(r *http.Request, rec *record, a *answer, took time.Duration) {
	s.metrics.request(rec, a.code(), took)
	s.cfg.Log.LogAttrs(r.Context(), level(a.code()), "request",
		slog.String("request_id", rec.id),
		slog.String("door", rec.door),
		slog.String("op", rec.op),
		slog.String("code", rec.code),
		slog.String("method", clip(r.Method, 16)),
		slog.String("path", clip(r.URL.Path, 200)),
		slog.Int("status", a.code()),
		slog.Int64("bytes", a.bytes),
		slog.String("source", s.source(r).String()),
		slog.Duration("took", took.Round(time.Microsecond)),
	)
}

func level(status int) slog.Level {
	if status >= 500 && status != http.StatusNotImplemented {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// clip cuts text of the client's to at most n bytes.
func clip(text string, n int) string {
	if len(text) > n {
		return text[:n]
	}
	return text
}

// answer notes the status and the size of what is written through it.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(b)
	a.bytes += int64(n)
	return n, err
}

// Unwrap lets [http.ResponseController] reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Flush implements [http.Flusher], for handlers that ask for it by type.
func (a *answer) Flush() { _ = http.NewResponseController(a.ResponseWriter).Flush() }

func (a *answer) code() int { return or(a.status, http.StatusOK) }
