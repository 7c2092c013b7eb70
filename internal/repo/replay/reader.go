package replay

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"time"
)

// Client is who gets an answer.
type Client struct {
	Out io.Writer

	// Said gets what is told beside an answer while that is made. Nil: nobody listens.
	Said io.Writer
	// Wait is called when nothing came for the time Patience. Nil: nothing is.
	Wait     func() error
	Patience time.Duration
}

// reader reads one answer for one client.
type reader struct {
	entry  *entry
	holder string
	joined bool  // the answer was there, or on its way
	off    int64 // what was sent; the entry's mutex guards it
	cut    bool  // it was too slow for others; likewise
	at     int   // the chunk that off is in
	heard  int   // of what was said
	file   *os.File
	buf    *[chunkSize]byte
}

// send sends the answer from where the reader is to its end.
func (r *reader) send(ctx context.Context, to Client) error {
	buffers := &r.entry.cache.buffers
	r.buf = buffers.Get().(*[chunkSize]byte)
	defer func() {
		buffers.Put(r.buf)
		r.buf = nil
	}()
	var alarm *time.Timer
	var rings <-chan time.Time
	if to.Wait != nil {
		alarm = time.NewTimer(to.Patience)
		defer alarm.Stop()
		rings = alarm.C
	}
	for {
		s := r.look(to.Said != nil)
		switch {
		case s.err != nil:
			return s.err
		case s.chunk.size > 0:
			p, err := r.load(s.chunk)
			if err == nil {
				_, err = to.Out.Write(p)
			}
			if err != nil {
				return err
			}
			r.advance(len(p))
		case len(s.data) > 0:
			if _, err := to.Out.Write(s.data); err != nil {
				return err
			}
			r.advance(len(s.data))
		case len(s.said) > 0:
			if _, err := to.Said.Write(s.said); err != nil {
				return err
			}
		case s.end:
			return nil
		default:
			select {
			case <-s.news:
				continue
			case <-rings:
				if err := to.Wait(); err != nil {
					return err
				}
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if alarm != nil {
			alarm.Reset(to.Patience)
		}
	}
}

// sight is what a reader finds next: one of these.
type sight struct {
	chunk chunk  // part of a chunk
	data  []byte // part of the end, which grows
	said  []byte
	end   bool
	err   error
	news  <-chan struct{} // nothing yet
}

func (r *reader) look(hear bool) sight {
	e := r.entry
	e.mu.Lock()
	defer e.mu.Unlock()
	for r.at < len(e.chunks) && r.off == e.chunks[r.at].off+int64(e.chunks[r.at].size) {
		r.at++
	}
	switch {
	case r.cut:
		return sight{err: ErrTooSlow}
	case r.at < len(e.chunks):
		return sight{chunk: e.chunks[r.at]}
	case r.off < e.size:
		return sight{data: r.buf[:copy(r.buf[:], e.open[r.off-e.openOff:])]}
	case e.done:
		return sight{end: true, err: e.err}
	case hear && r.heard < len(e.said):
		said := e.said[r.heard:]
		r.heard = len(e.said)
		return sight{said: said}
	}
	return sight{news: e.news}
}

// load returns what is left of a chunk, after its checksum was seen to be right.
func (r *reader) load(k chunk) ([]byte, error) {
	data := k.data
	if data == nil {
		if r.file == nil {
			f, err := os.Open(r.entry.path)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			r.file = f
		}
		data = r.buf[:k.size]
		if _, err := r.file.ReadAt(data, k.off); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	if crc32.Checksum(data, crcTable) != k.sum {
		return nil, fmt.Errorf("%w: the checksum of a chunk is wrong", ErrDamaged)
	}
	return data[r.off-k.off:], nil
}

func (r *reader) advance(n int) {
	e := r.entry
	e.mu.Lock()
	defer e.mu.Unlock()
	r.off += int64(n)
	e.went()
}

// close lets go of the answer.
func (r *reader) close() {
	if r.file != nil {
		_ = r.file.Close() // opened for reading
	}
	e := r.entry
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.tails, r)
	e.went()
}
