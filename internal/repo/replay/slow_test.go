package replay

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// paced is a client that takes its time for each chunk.
type paced struct {
	each time.Duration
	n    int
}

// Write takes it.
func (p *paced) Write(b []byte) (int, error) {
	time.Sleep(p.each)
	p.n += len(b)
	return len(b), nil
}

// TestSlowReader: of an answer that there is no room for, one who takes next to nothing
// does not hold up the others for long, and one who is merely slower does not lose it.
func TestSlowReader(t *testing.T) {
	for name, tc := range map[string]struct {
		chunks int
		each   time.Duration // of the slow one
		alone  bool
		err    error
		most   time.Duration // until the other has all
	}{
		"next to nothing":            {60, time.Second, false, ErrTooSlow, 50 * time.Second},
		"as much as the others need": {360, 100 * time.Millisecond, false, nil, time.Minute},
		"nobody waits":               {60, time.Minute, true, nil, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				data := content(1, tc.chunks*chunkSize)
				c := open(t, Options{Disk: 8 * chunkSize})
				begin := make(chan struct{})
				q := Request{Make: func(_ context.Context, w *Writer) (bool, error) {
					<-begin
					return write(w, data)
				}}
				slow, ended := &paced{each: tc.each}, make(chan error, 1)
				go func() { ended <- c.Send(t.Context(), q, Client{Out: slow}) }()
				synctest.Wait()
				start := time.Now()
				if tc.alone {
					close(begin)
				} else {
					var out bytes.Buffer
					other := make(chan error, 1)
					go func() { other <- c.Send(t.Context(), q, Client{Out: &out}) }()
					synctest.Wait()
					close(begin)
					if err := <-other; err != nil || !bytes.Equal(out.Bytes(), data) {
						t.Errorf("the other got %d bytes (%v)", out.Len(), err)
					}
					if took := time.Since(start); took > tc.most {
						t.Errorf("the other waited for %v", took)
					}
				}
				if err := <-ended; !errors.Is(err, tc.err) || (slow.n == len(data)) != (tc.err == nil) {
					t.Errorf("the slow one got %d bytes of %d (%v)", slow.n, len(data), err)
				}
			})
		})
	}
}
