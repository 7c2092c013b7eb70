package share_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/refward/refward/internal/share"
)

func as(t *testing.T, holder string) context.Context { return share.As(t.Context(), holder) }

// take takes a place that must be there.
func take(t *testing.T, g *share.Gate, ctx context.Context) (release func()) {
	t.Helper()
	release, err := g.Take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

// line records in which order those who wait get their places.
type line struct {
	sync.Mutex
	served []string
}

// wait waits for a place apart, and says so when it was granted. It holds it until the end
// of hold.
func (l *line) wait(g *share.Gate, ctx context.Context, name string, hold <-chan struct{}) {
	go func() {
		release, err := g.Take(ctx)
		l.Lock()
		defer l.Unlock()
		if err != nil {
			l.served = append(l.served, name+": "+err.Error())
			return
		}
		l.served = append(l.served, name)
		go func() { <-hold; release() }()
	}()
	synctest.Wait()
}

func (l *line) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	l.Lock()
	defer l.Unlock()
	if !slices.Equal(l.served, want) {
		t.Errorf("served %q, want %q", l.served, want)
	}
}

func wantStats(t *testing.T, g *share.Gate, want share.Stats) {
	t.Helper()
	if got := g.Stats(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestShare: a holder with its share waits, though there are places, which another gets
// at once; in the end it is told what to do.
func TestShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := share.New(share.Options{What: "pushes", Places: 8, Wait: time.Minute})
		a, b := take(t, g, as(t, "hog")), take(t, g, as(t, "hog"))
		began := time.Now()
		_, err := g.Take(as(t, "hog"))
		var busy *share.Busy
		if !errors.As(err, &busy) || busy.Own != 2 || !strings.Contains(err.Error(), "as many pushes under way as one user may (2)") || time.Since(began) != time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		c := take(t, g, as(t, "other"))
		wantStats(t, g, share.Stats{Waited: 1, OverOwn: 1, Held: 3})
		for _, release := range []func(){a, b, c} {
			release()
		}
		take(t, g, as(t, "hog"))()
		wantStats(t, g, share.Stats{Waited: 1, OverOwn: 1})
	})
}

// TestFull: where there is no place at all, who has none is told that it is the host.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := share.New(share.Options{What: "pushes", Places: 2, Share: 2, Wait: time.Minute})
		take(t, g, as(t, "a"))
		take(t, g, as(t, "b"))
		_, err := g.Take(as(t, "c"))
		if err == nil || !strings.Contains(err.Error(), "the host has as many pushes under way") {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(as(t, "c"), time.Second)
		defer cancel()
		if _, err := g.Take(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		wantStats(t, g, share.Stats{Waited: 2, Full: 1, Held: 2})
	})
}

// TestNobodyWaits: a gate without a wait says no at once; the host itself has no share,
// and no gate is no bound.
func TestNobodyWaits(t *testing.T) {
	g := share.New(share.Options{Places: 4})
	take(t, g, as(t, "a"))
	if _, err := g.Take(as(t, "a")); err == nil {
		t.Error("a second of a share of one")
	}
	for range 3 {
		take(t, g, t.Context())
	}
	if _, err := g.Take(t.Context()); err == nil {
		t.Error("a fifth of four")
	}
	take(t, nil, as(t, "a"))()
}

// TestTurns: a thousand requests of one holder do not stand before those of others, and
// each holder's own are served in order.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := share.New(share.Options{Places: 1, Share: 1, Wait: time.Hour})
		first := take(t, g, as(t, "hog"))
		holds := map[string]chan struct{}{}
		var l line
		for _, name := range []string{"hog1", "hog2", "hog3", "a1", "b1", "a2"} {
			holds[name] = make(chan struct{})
			l.wait(g, as(t, strings.TrimRight(name, "123")), name, holds[name])
		}
		l.want(t)
		first()
		served := []string{"hog1", "a1", "b1", "hog2", "a2", "hog3"}
		for i, name := range served {
			l.want(t, served[:i+1]...)
			close(holds[name])
		}
		synctest.Wait()
		wantStats(t, g, share.Stats{Waited: 6})
	})
}

// TestPassedOver: those who wait for a holder's own places do not keep others from the
// free ones.
func TestPassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := share.New(share.Options{Places: 2, Share: 1, Wait: time.Hour})
		hog, other := take(t, g, as(t, "hog")), take(t, g, as(t, "other"))
		never := make(chan struct{})
		defer close(never)
		var l line
		l.wait(g, as(t, "hog"), "hog", never)
		l.wait(g, as(t, "a"), "a", never)
		other()
		l.want(t, "a")
		hog()
		l.want(t, "a", "hog")
	})
}

// TestParty: what several want is to be had when one of them has room, counts for each of
// them, and for nobody who has left.
func TestParty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := share.New(share.Options{Places: 8, Share: 1, Wait: time.Hour})
		hog := take(t, g, as(t, "hog"))
		p := share.NewParty()
		p.Join("hog")
		hold := make(chan struct{})
		var l line
		l.wait(g, p.Context(t.Context()), "party", hold)
		l.want(t)
		p.Join("a") // does not wait behind the hog's share
		p.Join("a")
		l.want(t, "party")
		l.wait(g, as(t, "a"), "a", hold)
		l.want(t, "party")
		p.Leave("a")
		l.want(t, "party")
		p.Leave("a")
		l.want(t, "party", "a")
		hog()
		l.wait(g, as(t, "hog"), "hog", hold) // still in the party
		l.want(t, "party", "a")
		p.Leave("hog")
		l.want(t, "party", "a", "hog")
		close(hold)
		synctest.Wait()
		wantStats(t, g, share.Stats{Waited: 3})
	})
}

// TestPartyGivesUp: a ticket that was given up is nobody's, whoever joins its party before
// the one who asked has noticed.
func TestPartyGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := share.New(share.Options{Places: 1, Wait: time.Minute})
		hog := take(t, g, as(t, "hog"))
		p := share.NewParty()
		p.Join("a")
		if _, err := g.Take(p.Context(t.Context())); err == nil {
			t.Fatal("a place that is not there")
		}
		p.Join("b")
		p.Leave("a")
		p.Leave("b")
		hog()
		wantStats(t, g, share.Stats{Waited: 1, Full: 1})
	})
}

// TestNothingLeaks: whatever order many holders and parties come and go in, in the end
// every place is free.
func TestNothingLeaks(t *testing.T) {
	g := share.New(share.Options{Places: 5, Share: 2, Wait: time.Millisecond})
	var wg sync.WaitGroup
	for i := range 8 {
		p := share.NewParty()
		for j := range 6 {
			wg.Go(func() {
				holder := fmt.Sprint((i + j) % 5)
				for k := range 50 {
					p.Join(holder)
					ctx := p.Context(t.Context())
					if j%2 == 0 {
						ctx = share.As(t.Context(), holder)
					}
					ctx, cancel := context.WithTimeout(ctx, time.Duration(k%3+1)*300*time.Microsecond)
					if release, err := g.Take(ctx); err == nil {
						release()
					}
					cancel()
					p.Leave(holder)
				}
			})
		}
	}
	wg.Wait()
	if s := g.Stats(); s.Held != 0 || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
	var held []func()
	for i := range 5 {
		held = append(held, take(t, g, as(t, fmt.Sprint(i/2))))
	}
	for _, release := range held {
		release()
	}
}
