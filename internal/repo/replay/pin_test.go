package replay

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/refward/refward/internal/share"
)

// TestShareOfTheDisk: one who reads slowly, and always something else, keeps a share of
// the room and no more. What comes beyond it still reaches them, and the answers that
// others ask for are kept. Nothing is left of them in the end.
func TestShareOfTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const room, each = 40, 3
		c := open(t, Options{Disk: room * chunkSize})
		gone, leave := context.WithCancel(share.As(t.Context(), "hog"))
		let := make(chan struct{})
		var wg sync.WaitGroup
		outs := make([]gate, 20)
		for i := range outs {
			outs[i].open = let
			wg.Go(func() {
				if err := c.Send(gone, ask(i, content(i, each*chunkSize)).Request, Client{Out: &outs[i]}); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		if s := c.Stats(); s.Disk > room/4*chunkSize || s.Disk < (room/4-each)*chunkSize {
			t.Errorf("the hog keeps %d chunks of %d", s.Disk/chunkSize, room)
		}
		for i := range 7 {
			if got, data := ask(100+i, content(100+i, 4*chunkSize)).send(t, c), content(100+i, 4*chunkSize); !bytes.Equal(got, data) {
				t.Errorf("another got %d wrong bytes", len(got))
			}
		}
		if s := c.Stats(); s.Kept != 7+3 || s.Evicted != 0 {
			t.Errorf("%+v, want all answers of others kept, and three of the hog's", s)
		}
		close(let)
		wg.Wait()
		leave()
		for i := range outs {
			if !bytes.Equal(outs[i].Bytes(), content(i, each*chunkSize)) {
				t.Errorf("the hog's %d. got %d wrong bytes", i, outs[i].Len())
			}
		}
		wantNothingPinned(t, c)
	})
}

func wantNothingPinned(t *testing.T, c *Cache) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pinned)+len(c.lines) > 0 {
		t.Errorf("left: %v, %v", c.pinned, c.lines)
	}
}

// TestShareOfOneAnswer: any number of one holder's readers of the same answer count once,
// and an answer that is larger than the share is kept all the same.
func TestShareOfOneAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := content(1, 6*chunkSize)
		c := open(t, Options{Disk: 16 * chunkSize})
		ctx := share.As(t.Context(), "ci")
		a := ask(1, data)
		let := make(chan struct{})
		outs := make([]gate, 64)
		var wg sync.WaitGroup
		for i := range outs {
			outs[i].open = let
			wg.Go(func() {
				if err := c.Send(ctx, a.Request, Client{Out: &outs[i]}); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if s := c.Stats(); s.Made != 1 || s.Hits != 63 || s.Kept != 1 || s.Waited != 0 {
			t.Errorf("%+v", s)
		}
		close(let)
		wg.Wait()
		for i := range outs {
			if !bytes.Equal(outs[i].Bytes(), data) {
				t.Errorf("client %d got %d wrong bytes", i, outs[i].Len())
			}
		}
		wantNothingPinned(t, c)
	})
}

// TestShareOfWhatIsKept: who has its share waits for one more answer that is on disk, in
// the order of asking, and is refused in the end; another does not wait.
func TestShareOfWhatIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, Options{Disk: 16 * chunkSize, Wait: time.Minute})
		all := make([]*asks, 4)
		for i := range all {
			all[i] = ask(i, content(i, 3*chunkSize)) // the share is 4
			all[i].send(t, c)
		}
		send := func(holder string, i int, out *gate) <-chan error {
			ended := make(chan error, 1)
			go func() { ended <- c.Send(share.As(t.Context(), holder), all[i].Request, Client{Out: out}) }()
			synctest.Wait()
			return ended
		}
		holds := make([]gate, 4)
		var ended []<-chan error
		for i := range holds {
			holds[i].open = make(chan struct{})
			ended = append(ended, send("hog", i, &holds[i]))
		}
		free := gate{open: make(chan struct{})}
		close(free.open)
		if err := <-send("other", 3, &free); err != nil {
			t.Error(err)
		}
		time.Sleep(30 * time.Second)
		close(holds[0].open)
		if err := <-ended[0]; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if s := c.Stats(); s.Waited != 3 {
			t.Errorf("%+v", s)
		}
		// The second is being read now; the others have waited for a minute soon.
		time.Sleep(31 * time.Second)
		for i := 2; i < 4; i++ {
			var busy *share.Busy
			if err := <-ended[i]; !errors.As(err, &busy) || busy.Own == 0 || !strings.Contains(err.Error(), "let one of them end, and try again") {
				t.Errorf("%d: %v", i, err)
			}
		}
		close(holds[1].open)
		if err := <-ended[1]; err != nil {
			t.Error(err)
		}
		if s := c.Stats(); s.Refused != 2 {
			t.Errorf("%+v", s)
		}
		wantNothingPinned(t, c)
	})
}

// TestMadeForAll: an answer is made in the name of all who wait for it: whoever has a
// place to spare gets it for the others too, and nobody is refused because another, who
// asked before, has waited for long.
func TestMadeForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := content(1, 3*chunkSize)
		c := open(t, Options{})
		g := share.New(share.Options{What: "clones", Places: 2, Share: 1, Wait: time.Minute})
		q := Request{Make: func(ctx context.Context, w *Writer) (bool, error) {
			release, err := g.Take(ctx)
			if err != nil {
				return false, err
			}
			defer release()
			return write(w, data)
		}}
		send := func(holder string) <-chan error {
			ended := make(chan error, 1)
			go func() {
				var out bytes.Buffer
				err := c.Send(share.As(t.Context(), holder), q, Client{Out: &out})
				if err == nil && !bytes.Equal(out.Bytes(), data) {
					err = errors.New("wrong bytes")
				}
				ended <- err
			}()
			synctest.Wait()
			return ended
		}
		hog, err := g.Take(share.As(t.Context(), "hog"))
		if err != nil {
			t.Fatal(err)
		}
		first := send("hog")
		if s := g.Stats(); s.Waiting != 1 {
			t.Fatalf("%+v", s)
		}
		if err := <-send("other"); err != nil {
			t.Error(err)
		}
		if err := <-first; err != nil {
			t.Error(err)
		}

		c.Drop("")
		other, err := g.Take(share.As(t.Context(), "other"))
		if err != nil {
			t.Fatal(err)
		}
		first = send("hog")
		time.Sleep(50 * time.Second)
		late := send("other")
		var busy *share.Busy
		if err := <-first; !errors.As(err, &busy) {
			t.Error(err)
		}
		synctest.Wait() // the late one waits anew
		other()
		if err := <-late; err != nil {
			t.Error(err)
		}
		hog()
		if s := g.Stats(); s.Held+s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
		wantNothingPinned(t, c)
	})
}
