package awsapi

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/refward/refward/internal/fault"
)

const (
	// smallBody is what a body may take without asking the budget, so that callers
	// with large bodies cannot keep out those with small ones.
	smallBody = 32 << 10

	// maxBodies is how many bytes of larger bodies may be in memory at a time.
	maxBodies = 256 << 20
)

// budget counts the bytes of request bodies that are held in memory. The zero value
// is ready; it is safe for concurrent use.
type budget struct{ held atomic.Int64 }

// take reserves n bytes, or reports that there is no room for them.
func (b *budget) take(n int) bool {
	if b.held.Add(int64(n)) > maxBodies {
		b.held.Add(int64(-n))
		return false
	}
	return true
}

func (b *budget) give(n int) { b.held.Add(int64(-n)) }

// readBody reads a body of at most limit bytes. Memory is taken as the bytes arrive,
// whatever Content-Length claims. The caller calls release when it no longer needs
// the body, also after an error.
func (b *budget) readBody(w http.ResponseWriter, r *http.Request, limit int64) (body []byte, release func(), err error) {
	reserved := 0
	release = func() { b.give(reserved) }
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
			if !b.take(grown - reserved) {
				return nil, release, fault.Throttling.New("Too many large requests at once")
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
