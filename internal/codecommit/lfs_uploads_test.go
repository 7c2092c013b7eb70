package codecommit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestLFSUploads: there are so many places and no more, a quarter of them for one, and one
// that is given back is there for others.
func TestLFSUploads(t *testing.T) {
	var u lfsUploads
	var back []func()
	take := func(principal string, want bool) {
		t.Helper()
		f, ok, err := u.take(t.Context(), principal, 8, 0)
		if ok != want || err != nil {
			t.Errorf("a place for %s: %v, %v; want %v", principal, ok, err, want)
		}
		if ok {
			back = append(back, f)
		}
	}
	for _, p := range []string{"a", "b", "c"} {
		take(p, true)
		take(p, true)
		take(p, false)
	}
	take("d", true)
	take("e", true)
	take("e", false) // the host has no more
	take("f", false)
	back[0]()
	take("f", true)
	take("a", false)
	for _, f := range back[1:] {
		f()
	}
	if u.taken != 0 || len(u.of) != 0 {
		t.Errorf("when all are given back %d are taken, by %v", u.taken, u.of)
	}
	if f, ok, _ := u.take(t.Context(), "a", 1, 0); !ok {
		t.Error("of one place nobody gets any")
	} else {
		f()
	}
}

// TestLFSUploadsWait: who waits gets a place when there is one, or is told when the time is
// over or the caller leaves.
func TestLFSUploadsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var u lfsUploads
		first, ok, err := u.take(t.Context(), "a", 1, 0)
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		began := time.Now()
		if _, ok, err := u.take(t.Context(), "b", 1, time.Second); ok || err != nil || time.Since(began) != time.Second {
			t.Errorf("after %v: %v, %v", time.Since(began), ok, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, ok, err := u.take(ctx, "b", 1, time.Hour); ok || !errors.Is(err, context.Canceled) {
				t.Errorf("who left: %v, %v", ok, err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
		for i := range 20 {
			wg.Go(func() {
				f, ok, err := u.take(t.Context(), fmt.Sprint(i), 1, time.Hour)
				if !ok || err != nil {
					t.Errorf("waiter %d: %v, %v", i, ok, err)
					return
				}
				if u.taken != 1 {
					t.Errorf("%d in one place", u.taken)
				}
				f()
			})
		}
		synctest.Wait()
		first()
		wg.Wait()
		if u.taken != 0 || len(u.of) != 0 {
			t.Errorf("in the end %d are taken, by %v", u.taken, u.of)
		}
	})
}
