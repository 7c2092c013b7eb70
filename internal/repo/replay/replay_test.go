package replay

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// open makes a cache whose makings end with the test.
func open(t testing.TB, o Options) *Cache {
	t.Helper()
	var work sync.WaitGroup
	life, end := context.WithCancel(context.Background())
	o.Dir, o.Life = filepath.Join(t.TempDir(), "answers"), life
	o.Go, o.Now = func(f func()) error { work.Go(f); return nil }, time.Now
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		end()
		work.Wait()
	})
	return c
}

// content is n bytes that differ from those of another seed.
func content(seed, n int) []byte {
	b := make([]byte, 0, n+8)
	for i := 0; len(b) < n; i++ {
		b = binary.BigEndian.AppendUint64(b, uint64(seed)<<32|uint64(i))
	}
	return b[:n]
}

// asks for one answer, and counts how often it is made.
type asks struct {
	Request
	mu   sync.Mutex
	made int
}

func ask(seed int, data []byte) *asks {
	a := &asks{}
	a.Request = Request{Key: Key{byte(seed), byte(seed >> 8)}, Group: "g", Make: func(_ context.Context, w *Writer) (bool, error) {
		a.mu.Lock()
		a.made++
		a.mu.Unlock()
		return write(w, data)
	}}
	return a
}

// write writes data in parts of odd sizes.
func write(w io.Writer, data []byte) (bool, error) {
	for len(data) > 0 {
		part := data[:min(len(data), 60_001)]
		if _, err := w.Write(part); err != nil {
			return false, err
		}
		data = data[len(part):]
	}
	return true, nil
}

func (a *asks) send(t testing.TB, c *Cache) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := c.Send(t.Context(), a.Request, Client{Out: &out}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func files(t testing.TB, c *Cache) (paths []string, size int64) {
	t.Helper()
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		paths, size = append(paths, filepath.Join(c.Dir, e.Name())), size+info.Size()
	}
	return paths, size
}

func TestMadeOnce(t *testing.T) {
	c := open(t, Options{})
	for seed, n := range []int{0, 1, 1000, chunkSize - 1, chunkSize, chunkSize + 1, 3 * chunkSize, 5*chunkSize + 17} {
		data := content(seed, n)
		a := ask(seed, data)
		for i := range 3 {
			if got := a.send(t, c); !bytes.Equal(got, data) {
				t.Errorf("%d bytes, time %d: got %d others", n, i, len(got))
			}
		}
		if a.made != 1 {
			t.Errorf("%d bytes: made %d times", n, a.made)
		}
	}
	if s := c.Stats(); s.Made != 8 || s.Hits != 16 || s.Kept != 8 {
		t.Errorf("%+v", s)
	}
	if paths, size := files(t, c); len(paths) != 3 || size != c.Stats().Disk {
		t.Errorf("%d files of %d bytes, want those of three answers, of %d", len(paths), size, c.Stats().Disk)
	}
}

func TestOpenEmptiesTheFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "0000000000000001"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if paths, _ := files(t, c); len(paths) != 0 {
		t.Errorf("left: %v", paths)
	}
}

// TestBound: whatever is asked for, no more than the bound is on disk and in memory.
func TestBound(t *testing.T) {
	const disk, memory = 16 * chunkSize, 64 << 10
	c := open(t, Options{Disk: disk, Memory: memory})
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		seed := r.IntN(60)
		size := 1 + seed*seed*700 // to 2.4 MB, more than there is room for
		if seed%3 == 0 {
			size = 1 + seed*500
		}
		a := ask(seed, content(seed, size))
		if got := a.send(t, c); !bytes.Equal(got, content(seed, size)) {
			t.Fatalf("answer %d is wrong", seed)
		}
		s := c.Stats()
		if s.Disk > disk || s.Memory > memory {
			t.Fatalf("%+v is over the bounds", s)
		}
		if _, size := files(t, c); size > disk {
			t.Fatalf("%d bytes on disk", size)
		}
	}
	if s := c.Stats(); s.Evicted == 0 || s.Hits == 0 || s.Kept == 0 {
		t.Errorf("%+v: nothing went, came again or stayed", s)
	}
}

// TestMemoryOfKeptAnswers: an answer on disk takes next to nothing in memory, whatever it
// was made in.
func TestMemoryOfKeptAnswers(t *testing.T) {
	c := open(t, Options{})
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // also what the pools of the first one kept
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const answers = 100
	before := heap()
	for i := range answers {
		a := ask(i, content(i, 2*chunkSize-1))
		inner := a.Make
		a.Make = func(ctx context.Context, w *Writer) (bool, error) {
			_, _ = w.Said().Write(make([]byte, 20_000))
			return inner(ctx, w)
		}
		a.send(t, c)
	}
	if n := c.Stats().Kept; n != answers {
		t.Fatalf("%d answers are kept, want %d", n, answers)
	}
	if each := (int64(heap()) - int64(before)) / answers; each > 4<<10 {
		t.Errorf("each answer on disk takes %d bytes of memory", each)
	}
	runtime.KeepAlive(c)
}

// TestWorth: what is asked for often stays when others come and go once.
func TestWorth(t *testing.T) {
	c := open(t, Options{Disk: 10 * chunkSize})
	popular := ask(1000, content(1000, 3*chunkSize))
	for i := range 20 {
		popular.send(t, c)
		ask(i, content(i, 3*chunkSize)).send(t, c)
	}
	if popular.made != 1 {
		t.Errorf("made %d times", popular.made)
	}
	// And it goes when nobody asks for it any more.
	for i := range 100 {
		ask(2000+i, content(i, 3*chunkSize)).send(t, c)
	}
	popular.send(t, c)
	if popular.made != 2 {
		t.Errorf("made %d times, want it gone", popular.made)
	}
}

// TestDamage: a changed byte, a short file or a lost file is never sent, and the answer is
// made again.
func TestDamage(t *testing.T) {
	data := content(1, 4*chunkSize)
	flip := func(at int64) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 1)
			_, err1 := f.ReadAt(b, at)
			b[0] ^= 4
			_, err2 := f.WriteAt(b, at)
			if err := errors.Join(err1, err2, f.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, tc := range map[string]struct {
		harm func(t *testing.T, path string)
		cut  bool // what was sent before cannot be taken back
	}{
		"first byte": {harm: flip(0)},
		"late byte":  {harm: flip(3*chunkSize + 5), cut: true},
		"lost":       {harm: func(t *testing.T, path string) { _ = os.Remove(path) }},
		"short": {cut: true, harm: func(t *testing.T, path string) {
			if err := os.Truncate(path, 2*chunkSize); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, Options{})
			a := ask(1, data)
			a.send(t, c)
			paths, _ := files(t, c)
			tc.harm(t, paths[0])
			var out bytes.Buffer
			err := c.Send(t.Context(), a.Request, Client{Out: &out})
			if tc.cut != errors.Is(err, ErrDamaged) || !tc.cut && err != nil {
				t.Errorf("got %v", err)
			}
			if !bytes.HasPrefix(data, out.Bytes()) || !tc.cut && out.Len() != len(data) {
				t.Errorf("%d bytes were sent that are not the answer's", out.Len())
			}
			if got := a.send(t, c); !bytes.Equal(got, data) || a.made != 2 {
				t.Errorf("afterwards it was made %d times", a.made)
			}
			if s := c.Stats(); s.Damaged != 1 || s.Kept != 1 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestFolderDeleted: somebody tidied up while the host runs.
func TestFolderDeleted(t *testing.T) {
	c := open(t, Options{})
	a := ask(1, content(1, 4*chunkSize))
	a.send(t, c)
	if err := os.RemoveAll(c.Dir); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := a.send(t, c); !bytes.Equal(got, content(1, 4*chunkSize)) {
			t.Error("the answer is wrong")
		}
	}
	if a.made != 2 {
		t.Errorf("made %d times", a.made)
	}
}

// gate is a client that takes nothing until it is opened.
type gate struct {
	open chan struct{}
	bytes.Buffer
}

// Write waits for the gate.
func (g *gate) Write(p []byte) (int, error) {
	<-g.open
	return g.Buffer.Write(p)
}

// TestShared: many who ask at the same time share one making, a slow one does not hold it
// up, and each gets the whole answer.
func TestShared(t *testing.T) {
	const n = 12
	data := content(1, 8*chunkSize+99)
	c := open(t, Options{})
	begin, made := make(chan struct{}), make(chan struct{})
	q := Request{Make: func(_ context.Context, w *Writer) (bool, error) {
		defer close(made)
		<-begin
		return write(w, data)
	}}
	var wg sync.WaitGroup
	slow := &gate{open: make(chan struct{})}
	send := func(out io.Writer) {
		wg.Go(func() {
			if err := c.Send(t.Context(), q, Client{Out: out}); err != nil {
				t.Error(err)
			}
		})
	}
	send(slow)
	outs := make([]bytes.Buffer, n)
	for i := range outs {
		send(&outs[i])
	}
	close(begin)
	<-made // though one client has taken nothing
	close(slow.open)
	wg.Wait()
	for i := range outs {
		if !bytes.Equal(outs[i].Bytes(), data) {
			t.Errorf("client %d got %d wrong bytes", i, outs[i].Len())
		}
	}
	if !bytes.Equal(slow.Bytes(), data) {
		t.Error("the slow client got a wrong answer")
	}
	if s := c.Stats(); s.Made != 1 || s.Hits != n {
		t.Errorf("%+v", s)
	}
}

// TestNoRoom: an answer that is larger than there is room for reaches everybody who waits
// for it, through a bounded piece of memory, and is not kept.
func TestNoRoom(t *testing.T) {
	data := content(1, 30*chunkSize+7)
	c := open(t, Options{Disk: 8 * chunkSize})
	var wg sync.WaitGroup
	begin := make(chan struct{})
	q := Request{Make: func(_ context.Context, w *Writer) (bool, error) {
		<-begin
		keep, err := write(w, data)
		e := w.entry
		e.mu.Lock()
		defer e.mu.Unlock()
		inMemory := 0
		for _, k := range e.chunks {
			inMemory += len(k.data)
		}
		if inMemory > windowChunks*chunkSize {
			t.Errorf("%d bytes are in memory", inMemory)
		}
		return keep, err
	}}
	outs := make([]bytes.Buffer, 8)
	for i := range outs {
		wg.Go(func() {
			if err := c.Send(t.Context(), q, Client{Out: &outs[i]}); err != nil {
				t.Error(err)
			}
		})
	}
	gone, leave := context.WithCancel(t.Context())
	stuck := &gate{open: make(chan struct{})}
	wg.Go(func() { // holds all others up, until it is gone
		if err := c.Send(gone, q, Client{Out: stuck}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	close(begin)
	leave()
	close(stuck.open)
	wg.Wait()
	for i := range outs {
		if !bytes.Equal(outs[i].Bytes(), data) {
			t.Errorf("client %d got %d wrong bytes", i, outs[i].Len())
		}
	}
	if s := c.Stats(); s.Kept != 0 || s.Disk != 0 {
		t.Errorf("%+v, want nothing left", s)
	}
	if paths, _ := files(t, c); len(paths) != 0 {
		t.Errorf("left: %v", paths)
	}
}

var errGone = errors.New("the client is gone")

// deserter is a client that goes after some bytes, when it is let go.
type deserter struct {
	left int
	wait <-chan struct{} // nil: at once
}

// Write takes what is left to take.
func (d *deserter) Write(p []byte) (int, error) {
	if d.left -= len(p); d.left < 0 {
		if d.wait != nil {
			<-d.wait
		}
		return 0, errGone
	}
	return len(p), nil
}

// TestLeaderGone: the answer is made to its end for those who still wait for it.
func TestLeaderGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := content(1, 10*chunkSize)
		c := open(t, Options{})
		half, leave, on := make(chan struct{}), make(chan struct{}), make(chan struct{})
		q := Request{Make: func(ctx context.Context, w *Writer) (bool, error) {
			if _, err := write(w, data[:5*chunkSize]); err != nil {
				return false, err
			}
			close(half)
			<-on
			return write(w, data[5*chunkSize:])
		}}
		leader := make(chan error, 1)
		go func() { leader <- c.Send(t.Context(), q, Client{Out: &deserter{3 * chunkSize, leave}}) }()
		<-half
		var out bytes.Buffer
		follower := make(chan error, 1)
		go func() { follower <- c.Send(t.Context(), q, Client{Out: &out}) }()
		synctest.Wait() // it waits for what is not made yet
		close(leave)
		if err := <-leader; !errors.Is(err, errGone) {
			t.Errorf("the leader: %v", err)
		}
		close(on)
		if err := <-follower; err != nil || !bytes.Equal(out.Bytes(), data) {
			t.Errorf("the follower got %d bytes (%v)", out.Len(), err)
		}
	})
}

// TestNobodyWaits: what nobody waits for is not made any further, nor kept.
func TestNobodyWaits(t *testing.T) {
	c := open(t, Options{})
	ended := make(chan error, 1)
	q := Request{Make: func(ctx context.Context, w *Writer) (bool, error) {
		_, err := write(w, content(1, 3*chunkSize))
		<-ctx.Done()
		ended <- errors.Join(err, context.Cause(ctx))
		return true, nil
	}}
	if err := c.Send(t.Context(), q, Client{Out: &deserter{left: chunkSize}}); !errors.Is(err, errGone) {
		t.Errorf("got %v", err)
	}
	if err := <-ended; !errors.Is(err, errForgotten) {
		t.Errorf("the making ended with %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	begun := make(chan struct{})
	q.Key[0], q.Make = 1, func(ctx context.Context, _ *Writer) (bool, error) {
		close(begun)
		<-ctx.Done()
		return true, nil
	}
	go func() {
		<-begun
		cancel()
	}()
	if err := c.Send(ctx, q, Client{Out: io.Discard}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if s := c.Stats(); s.Kept != 0 {
		t.Errorf("%+v", s)
	}
}

// TestErrorReachesAll: those who wait get what was written, then the error; nothing is
// kept, and the next one tries again.
func TestErrorReachesAll(t *testing.T) {
	c := open(t, Options{})
	broken := errors.New("broken")
	begin := make(chan struct{})
	part := content(1, 2*chunkSize+5)
	q := Request{Make: func(_ context.Context, w *Writer) (bool, error) {
		<-begin
		_, _ = write(w, part)
		return true, broken
	}}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var out bytes.Buffer
			err := c.Send(t.Context(), q, Client{Out: &out})
			if !errors.Is(err, broken) || !bytes.Equal(out.Bytes(), part) {
				t.Errorf("got %d bytes and %v", out.Len(), err)
			}
		})
	}
	close(begin)
	wg.Wait()
	a := ask(0, part)
	if a.send(t, c); a.made != 1 {
		t.Error("a failed answer was kept")
	}
	if paths, size := files(t, c); len(paths) != 1 || c.Stats().Disk != size {
		t.Errorf("%d files of %d bytes, and %+v", len(paths), size, c.Stats())
	}
}

// TestNotToKeep: what the maker does not want kept is sent and gone.
func TestNotToKeep(t *testing.T) {
	c := open(t, Options{})
	for _, n := range []int{10, 3 * chunkSize} {
		var out bytes.Buffer
		err := c.Send(t.Context(), Request{Make: func(_ context.Context, w *Writer) (bool, error) {
			_, err := write(w, content(1, n))
			return false, err
		}}, Client{Out: &out})
		if err != nil || !bytes.Equal(out.Bytes(), content(1, n)) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if s := c.Stats(); s.Kept != 0 || s.Disk != 0 || s.Memory != 0 {
		t.Errorf("%+v", s)
	}
}

// TestDrop: the answers of a group go, and one on its way is sent but not kept.
func TestDrop(t *testing.T) {
	c := open(t, Options{})
	ask(1, content(1, 4*chunkSize)).send(t, c)
	ask(2, content(2, 10)).send(t, c)
	other := ask(3, content(3, 4*chunkSize))
	other.Group = "h"
	other.send(t, c)
	begun, on := make(chan struct{}), make(chan struct{})
	data := content(4, 4*chunkSize)
	q := Request{Key: Key{4}, Group: "g", Make: func(_ context.Context, w *Writer) (bool, error) {
		_, _ = write(w, data[:3*chunkSize])
		close(begun)
		<-on
		return write(w, data[3*chunkSize:])
	}}
	done := make(chan error, 1)
	var out bytes.Buffer
	go func() { done <- c.Send(t.Context(), q, Client{Out: &out}) }()
	<-begun
	c.Drop("g")
	close(on)
	if err := <-done; err != nil || !bytes.Equal(out.Bytes(), data) {
		t.Errorf("the one on its way got %d bytes (%v)", out.Len(), err)
	}
	if s := c.Stats(); s.Kept != 1 || s.Disk != 4*chunkSize {
		t.Errorf("%+v, want the other group's answer alone", s)
	}
	if other.send(t, c); other.made != 1 {
		t.Error("the other group's answer is gone")
	}
}

// TestWaiting: who waits hears what is said, and gets a sign of life when there is nothing
// to hear, between two writes and never inside one.
func TestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, Options{})
		q := Request{Make: func(_ context.Context, w *Writer) (bool, error) {
			_, _ = io.WriteString(w.Said(), "counting;")
			time.Sleep(11 * time.Second)
			_, _ = io.WriteString(w, "half of ")
			time.Sleep(time.Second)
			_, _ = io.WriteString(w, "an answer")
			return true, nil
		}}
		var out bytes.Buffer
		to := Client{Out: &out, Said: &out, Patience: 5 * time.Second, Wait: func() error {
			_, err := out.WriteString("(wait)")
			return err
		}}
		if err := c.Send(t.Context(), q, to); err != nil || out.String() != "counting;(wait)(wait)half of an answer" {
			t.Errorf("got %q (%v)", &out, err)
		}
		out.Reset()
		if err := c.Send(t.Context(), q, to); err != nil || out.String() != "half of an answer" {
			t.Errorf("again: got %q (%v)", &out, err)
		}
	})
}

// TestCrowd: many clients, many answers, little room, some gone: all who stay get theirs.
func TestCrowd(t *testing.T) {
	c := open(t, Options{Disk: 12 * chunkSize, Memory: 200 << 10})
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), 1))
			for range 25 {
				seed := r.IntN(12)
				data := content(seed, 1+seed*90_000)
				var out bytes.Buffer
				to := io.Writer(&out)
				if r.IntN(4) == 0 {
					to = &deserter{left: r.IntN(len(data))}
				}
				err := c.Send(t.Context(), ask(seed, data).Request, Client{Out: to})
				if to == &out && (err != nil || !bytes.Equal(out.Bytes(), data)) {
					t.Errorf("answer %d: %d bytes (%v)", seed, out.Len(), err)
				}
			}
		})
	}
	wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	var disk, memory int64
	for _, e := range c.entries {
		if e.readers != 0 {
			t.Errorf("an answer has %d readers left", e.readers)
		}
		disk, memory = disk+e.disk, memory+e.memory
	}
	if c.stats.Disk != disk || c.stats.Memory != memory || disk > c.Disk {
		t.Errorf("%+v, and the entries take %d and %d", c.stats, disk, memory)
	}
}

func BenchmarkReplay(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20, 64 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c := open(b, Options{})
			q := ask(1, content(1, size))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Send(b.Context(), q.Request, Client{Out: io.Discard}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMake(b *testing.B) {
	c := open(b, Options{})
	data := content(1, 64<<20)
	b.SetBytes(int64(len(data)))
	for n := 0; b.Loop(); n++ {
		if err := c.Send(b.Context(), ask(n, data).Request, Client{Out: io.Discard}); err != nil {
			b.Fatal(err)
		}
	}
}
