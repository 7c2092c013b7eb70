package gitserver

import (
	"io"
	"runtime"
	"sync/atomic"
	"testing"
)

// alone is a source whose first Read waits, and that counts those that come meanwhile.
type alone struct {
	begun, goOn chan struct{}
	reads, both atomic.Int32
}

// Read gives two bytes, and then the end.
func (a *alone) Read(p []byte) (int, error) {
	if a.reads.Add(1) > 1 {
		select {
		case <-a.goOn:
		default:
			a.both.Add(1)
		}
		return 0, io.EOF
	}
	close(a.begun)
	<-a.goOn
	return copy(p, "ab"), nil
}

// TestDrainBesideARead: a Read that was left behind, when a push was given up, is not
// disturbed by what reads the rest.
func TestDrainBesideARead(t *testing.T) {
	a := &alone{begun: make(chan struct{}), goOn: make(chan struct{})}
	b := newBody(a, 100)
	left, drained := make(chan int, 1), make(chan error, 1)
	go func() {
		n, _ := b.Read(make([]byte, 8))
		left <- n
	}()
	<-a.begun
	go func() { drained <- b.drain() }()
	for range 10_000 { // it has every chance
		if a.both.Load() > 0 {
			t.Error("two Reads at once")
			break
		}
		runtime.Gosched()
	}
	close(a.goOn)
	if n := <-left; n != 2 {
		t.Errorf("the Read got %d bytes", n)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
}
