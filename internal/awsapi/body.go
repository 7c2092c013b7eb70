package awsapi

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"

	"github.com/refward/refward/internal/fault"
)

const (
	// smallBody is what a body may take without asking the budget, so that callers
	// with large bodies cannot keep out those with small ones.
	smallBody = 32 << 10

	// maxBodies is how many bytes of larger bodies may be in memory at a time, and
	// maxOwnBodies how many of them of one holder.
	maxBodies    = 256 << 20
	maxOwnBodies = maxBodies / 4
)

// budget counts the bytes of request bodies that are held in memory. The zero value
// is ready; it is safe for concurrent use.
type budget struct {
	mu   sync.Mutex // guards what follows
	held int
	own  map[string]int // of each holder
}

// take reserves n bytes, or says that there is no room for them.
func (b *budget) take(holder string, n int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.own[holder]+n > maxOwnBodies:
		return fault.Throttling.New("Too many large requests of yours at once: let one of them end, and try again")
	case b.held+n > maxBodies:
		return fault.Throttling.New("Too many large requests at once: try again in a minute")
	}
	if b.own == nil {
		b.own = map[string]int{}
	}
	b.held += n
	b.own[holder] += n
	return nil
}

func (b *budget) give(holder string, n int) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held -= n
	if b.own[holder] -= n; b.own[holder] == 0 {
		delete(b.own, holder)
	}
}

// readBody reads a body of at most limit bytes. Memory is taken as the bytes arrive,
// whatever Content-Length claims, in the name of a holder. The caller calls release when it no longer needs
// the body, also after an error.
func (b *budget) readBody(w http.ResponseWriter, r *http.Request, limit int64, holder string) (body []byte, release func(), err error) {
	reserved := 0
	release = func() { b.give(holder, reserved) }
	if r.ContentLength > limit {
		return nil, release, tooLarge(limit)
	}
	if r.Body == nil || r.ContentLength == 0 {
		return nil, release, nil
	}
	end := limit + 1 // one more than allowed, so that MaxBytesReader sees the excess
	if r.ContentLength > 0 {
		end = r.ContentLength + 1
	}
	from := http.MaxBytesReader(w, r.Body, limit)
	body = make([]byte, 0, min(end, smallBody))
	for {
		if len(body) == cap(body) {
			grown := min(2*cap(body), int(end))
			if err := b.take(holder, grown-reserved); err != nil {
				return nil, release, err
			}
			reserved = grown
			body = append(make([]byte, 0, grown), body...)
		}
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			return body, release, nil
		}
		if err != nil {
			return nil, release, readFault(err, limit)
		}
	}
}

func readFault(err error, limit int64) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fault.RequestTimeout.Wrap(err, "The body of the request did not come in time")
	}
	return fault.MalformedInput.Wrap(err, "The body of the request could not be read to its end")
}

func tooLarge(limit int64) error {
	return fault.RequestTooLarge.New("The body of the request is larger than %d bytes", limit)
}
