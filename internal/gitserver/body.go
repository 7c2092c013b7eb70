package gitserver

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// errStalled ends a request whose client neither sends nor takes anything.
var errStalled = errors.New("the client stalled")

// body is what a client sends, plain and within limits. Read and drain may be called while
// a Read is left behind, and then wait for it; ended is safe for concurrent use.
type body struct {
	*bufio.Reader
	mu    sync.Mutex // held while src is read
	src   io.Reader  // without the limit
	limit int64
	done  atomic.Bool
}

// ended reports whether all of the body was read.
func (b *body) ended() bool { return b.done.Load() }

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Reader.Read(p)
}

// drainSize is how much is drained at once. A refused pack is a megabyte as likely as not,
// and each Read is at least one system call.
const drainSize = 128 << 10

// discarded are buffers for what nobody looks at.
var discarded = sync.Pool{New: func() any { return new([drainSize]byte) }}

// drain reads what is left, so that an answer is not early. Its error is what kept it
// from reading to the end, now or before: a limit or the connection. What is over the
// limit is read too, as much again, so that most who are over it learn why.
func (b *body) drain() error {
	buf := discarded.Get().(*[drainSize]byte)
	var err error
	for err == nil {
		_, err = b.Read(buf[:])
	}
	discarded.Put(buf)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if _, over := errors.AsType[*tooLarge](err); over {
		b.mu.Lock()
		defer b.mu.Unlock()
		_, _ = io.CopyN(io.Discard, b.src, b.limit) // the limit stays the answer
	}
	return err
}

// empty reports whether the body is nothing or begins with a flush packet: git's probe
// before a request that it sends in chunks.
func (b *body) empty() (bool, error) {
	head, err := b.Peek(4)
	switch {
	case errors.Is(err, io.EOF) && len(head) > 0:
		return false, io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF):
		return true, nil
	}
	return string(head) == "0000", err
}

// bodyBuffer holds most requests but for their packs, which are read past it.
const bodyBuffer = 8 << 10

// newBody limits a stream to max bytes.
func newBody(src io.Reader, limit int64) *body {
	b := &body{src: src, limit: limit}
	b.Reader = bufio.NewReaderSize(&limited{src: src, left: limit, limit: limit, done: &b.done}, bodyBuffer)
	return b
}

// limited reads at most limit bytes, and fails where there are more.
type limited struct {
	src   io.Reader
	left  int64
	limit int64
	done  *atomic.Bool
	err   error // what the first failing Read said, and all after it say
}

func (l *limited) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	if l.left < int64(len(p)) {
		p = p[:l.left+1] // one more, to tell the end from more than the limit
	}
	n, err := l.src.Read(p)
	l.left -= int64(n)
	switch {
	case l.left < 0:
		n, l.err = 0, &tooLarge{l.limit}
	case errors.Is(err, io.EOF):
		l.err = err
		l.done.Store(true)
	case err != nil:
		l.err = &clientError{err}
	}
	return n, l.err
}

// tooLarge is the error of a body over its limit.
type tooLarge struct{ limit int64 }

func (e *tooLarge) Error() string { return fmt.Sprintf("the request has more than %d bytes", e.limit) }

// body opens the request's body: unpacked, limited to so many bytes before and after
// unpacking, and given up when the client stalls.
func (x *exchange) body(limit int64) (*body, error) {
	rc := http.NewResponseController(x.w)
	_ = rc.SetReadDeadline(time.Time{}) // the server's, for bodies that nobody reads
	guard := newStallGuard(x.limits.Stall, func() { _ = rc.SetReadDeadline(longAgo) })
	raw := guardedReader{x.r.Body, guard}
	switch strings.ToLower(x.r.Header.Get("Content-Encoding")) {
	case "", "identity":
		return newBody(raw, limit), nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(&limited{src: raw, left: limit, limit: limit, done: new(atomic.Bool)})
		if err != nil {
			return nil, &clientError{err}
		}
		return newBody(z, limit), nil
	}
	return nil, errEncoding
}

// longAgo is a deadline that has passed, whatever the time.
var longAgo = time.Unix(1, 0)

// stallGuard calls a function that unblocks an operation which lasts too long. One
// operation at a time.
type stallGuard struct {
	after time.Duration
	timer *time.Timer
	fired atomic.Bool
}

func newStallGuard(after time.Duration, unblock func()) *stallGuard {
	g := &stallGuard{after: after}
	g.timer = time.AfterFunc(after, func() {
		g.fired.Store(true)
		unblock()
	})
	g.timer.Stop()
	return g
}

// watch runs one operation.
func (g *stallGuard) watch(operation func() (int, error)) (int, error) {
	if g.fired.Load() {
		return 0, errStalled
	}
	g.timer.Reset(g.after)
	n, err := operation()
	g.timer.Stop()
	if err != nil && g.fired.Load() {
		err = errStalled
	}
	return n, err
}

type guardedReader struct {
	src   io.Reader
	guard *stallGuard
}

func (r guardedReader) Read(p []byte) (int, error) {
	return r.guard.watch(func() (int, error) { return r.src.Read(p) })
}

// output is the answer's writer: each Write is sent at once, and given up when the
// client does not take it.
type output struct {
	w       io.Writer
	flush   func() error
	guard   *stallGuard
	written atomic.Bool
}

func (x *exchange) output() *output {
	rc := http.NewResponseController(x.w)
	return &output{
		w:     x.w,
		flush: rc.Flush,
		guard: newStallGuard(x.limits.Stall, func() {
			_ = rc.SetWriteDeadline(longAgo)
			_ = rc.SetReadDeadline(longAgo) // net/http reads the rest of the body before the first byte of the answer
		}),
	}
}

// Write implements [io.Writer].
func (o *output) Write(p []byte) (int, error) {
	o.written.Store(true)
	return o.guard.watch(func() (int, error) {
		n, err := o.w.Write(p)
		if err == nil {
			err = o.flush()
		}
		if err != nil {
			err = &clientError{err}
		}
		return n, err
	})
}
