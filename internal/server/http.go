package server

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// Limits of every connection. A body may take as long as it moves: a clone on a slow
// line is no attack, a body that stands still is one.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	bodyReadTimeout   = 30 * time.Second // for the next bytes of a request's body
	bodyWriteTimeout  = time.Minute      // for the client to take the next bytes of the answer
	maxHeaderBytes    = 64 << 10
)

// The doors, as logs and metrics call them.
const (
	doorAPI   = "api"
	doorGit   = "git"
	doorOther = "other"
)

// gitPrefix is where repositories are, as at CodeCommit.
const gitPrefix = "/v1/repos/"

func (s *Server) httpServer() *http.Server {
	return &http.Server{
		Handler:           s.record(hurry(s.survive(s.meet(http.HandlerFunc(s.route))), bodyReadTimeout, bodyWriteTimeout)),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnContext:       withMetConn,
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
}

// route chooses the door. It is a switch and no ServeMux, which would answer a path
// such as /v1/repos/../x with a redirect before a door can refuse it.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	rec := recordOf(r.Context())
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, gitPrefix):
		rec.door, rec.op = doorGit, gitOp(r)
		s.git.ServeHTTP(w, r)
	case path == "/" && isVisit(r):
		welcome(w, r)
	case path == "/":
		rec.door = doorAPI
		s.api.ServeHTTP(w, r)
	case path == "/healthz":
		rec.op = "healthz"
		reads(s.healthz)(w, r)
	case path == "/readyz":
		rec.op = "readyz"
		reads(s.readyz)(w, r)
	case path == "/metrics":
		rec.op = "metrics"
		s.progress(reads(s.metrics.handler.ServeHTTP)).ServeHTTP(w, r)
	default:
		http.Error(w, "Nothing is here. The AWS API is at /, repositories are at "+gitPrefix+"NAME.", http.StatusNotFound)
	}
}

// gitOp names what a Git client wants by the end of the path; anything else is "git".
func gitOp(r *http.Request) string {
	if _, rest, ok := strings.Cut(r.URL.Path, "/info/lfs/"); ok {
		return lfsOp(r.Method, rest)
	}
	for _, service := range []string{"git-receive-pack", "git-upload-pack"} {
		switch {
		case strings.HasSuffix(r.URL.Path, "/"+service):
			return service
		case strings.HasSuffix(r.URL.Path, "/info/refs") && r.URL.Query().Get("service") == service:
			return service + " refs"
		}
	}
	return "git"
}

// lfsOp names what a client of Git LFS wants by what follows /info/lfs/.
func lfsOp(method, rest string) string {
	what, _, _ := strings.Cut(rest, "/")
	switch {
	case rest == "objects/batch":
		return "git-lfs batch"
	case what == "objects" && method == http.MethodGet:
		return "git-lfs download"
	case what == "objects" && method == http.MethodPut:
		return "git-lfs upload"
	case what == "objects":
		return "git-lfs verify"
	case what == "locks":
		return "git-lfs locks"
	}
	return "git-lfs"
}

// isVisit reports whether a request for / is a person's look rather than a call: of the
// query API, which can come by GET, or of a service that is not here, such as S3, whose
// client must get an error that it can read.
func isVisit(r *http.Request) bool {
	q := r.URL.Query()
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && !q.Has("Action") && !q.Has("X-Amz-Algorithm") &&
		r.Header.Get("X-Amz-Target") == "" && r.Header.Get("Authorization") == ""
}

func welcome(w http.ResponseWriter, r *http.Request) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, `This is Refward, a Git host guarded by IAM policy.

It speaks the APIs of AWS CodeCommit, IAM and STS here:
  export AWS_ENDPOINT_URL=%s://HOST:PORT   (this address)
  aws sts get-caller-identity

and Git at %sNAME:
  git clone %s://HOST:PORT%sNAME

State: /healthz /readyz /metrics. To read on: refward help, and docs/ in the source.
`, scheme, gitPrefix, scheme, gitPrefix)
}

// reads refuses every method but GET and HEAD.
func reads(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "This page is only read.", http.StatusMethodNotAllowed)
			return
		}
		next(w, r)
	}
}

// survive turns a panic of a handler, which is a bug of ours, into one answer of 500
// and one line in the log.
func (s *Server) survive(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p) // a handler's way to cut the connection
			}
			rec := recordOf(r.Context())
			rec.code = "panic"
			s.cfg.Log.ErrorContext(r.Context(), "a handler panicked",
				"request_id", rec.id, "door", rec.door, "op", rec.op, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			if a, ok := w.(*answer); ok && a.status != 0 {
				a.status = http.StatusInternalServerError
				panic(http.ErrAbortHandler) // half an answer must not pass for a whole one
			}
			w.Header().Set("Connection", "close")
			http.Error(w, "The host failed to answer. Request ID: "+rec.id, http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

// hurry bounds what net/http does without a deadline and behind the doors' backs: before
// it sends the answer it reads what a door left of a body, and it sends the last of the
// answer after the door has returned. Without it a client who announces a body and sends
// none holds a connection for ever, before anybody asked who it is. A door that reads a
// body sets deadlines of its own.
func hurry(next http.Handler, read, write time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		_ = c.SetWriteDeadline(time.Time{}) // the last request on this connection left its own
		if r.Body != nil && r.Body != http.NoBody {
			_ = c.SetReadDeadline(time.Now().Add(read))
		}
		next.ServeHTTP(w, r)
		_ = c.SetReadDeadline(time.Now().Add(read))
		_ = c.SetWriteDeadline(time.Now().Add(write))
	})
}

// progress gives the body and the answer a deadline that moves on with every read and
// write. The door for Git has its own.
func (s *Server) progress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &movingBody{ReadCloser: r.Body, c: c}
		}
		next.ServeHTTP(&movingAnswer{ResponseWriter: w, c: c}, r)
	})
}

type movingBody struct {
	io.ReadCloser
	c *http.ResponseController
}

// Read implements [io.Reader]. At the end the deadline goes: the server then watches
// the connection for a client that leaves, and a deadline would look like one.
func (b *movingBody) Read(p []byte) (int, error) {
	_ = b.c.SetReadDeadline(time.Now().Add(bodyReadTimeout))
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		_ = b.c.SetReadDeadline(time.Time{})
	}
	return n, err
}

type movingAnswer struct {
	http.ResponseWriter
	c *http.ResponseController
}

// Write implements [io.Writer].
func (a *movingAnswer) Write(p []byte) (int, error) {
	_ = a.c.SetWriteDeadline(time.Now().Add(bodyWriteTimeout))
	return a.ResponseWriter.Write(p)
}

// Unwrap lets [http.ResponseController] reach the connection.
func (a *movingAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Flush implements [http.Flusher], for handlers that ask for it by type.
func (a *movingAnswer) Flush() {
	_ = a.c.SetWriteDeadline(time.Now().Add(bodyWriteTimeout))
	_ = a.c.Flush()
}
