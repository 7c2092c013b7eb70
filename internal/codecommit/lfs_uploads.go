package codecommit

import (
	"cmp"
	"context"
	"sync"
	"time"
)

// defaultLFSUploads is how many objects of Git LFS are taken in at once where nothing else
// is set.
const defaultLFSUploads = 64

// lfsUploads are the places for uploads of objects of Git LFS. One user, or one role, has
// at most a quarter of them at once in all sessions, so that nobody keeps the others out.
// The zero value has all of them free; safe for concurrent use.
type lfsUploads struct {
	mu    sync.Mutex // guards what follows
	taken int
	of    map[string]int // by user or role; no zeros
	freed chan struct{}  // closed, and made anew, when a place is given back; nil: nobody waits
}

// take takes a place, or waits for one as long as it may. It reports false where there was
// none. The caller gives it back.
func (u *lfsUploads) take(ctx context.Context, holder string, places int, wait time.Duration) (giveBack func(), ok bool, err error) {
	var over <-chan time.Time
	for {
		freed, ok := u.try(holder, places)
		if ok {
			return func() { u.giveBack(holder) }, true, nil
		}
		if wait <= 0 {
			return nil, false, nil
		}
		if over == nil {
			timer := time.NewTimer(wait)
			defer timer.Stop()
			over = timer.C
		}
		select {
		case <-freed:
		case <-over:
			return nil, false, nil
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
}

// try takes a place, or returns what is closed when one is free.
func (u *lfsUploads) try(holder string, places int) (freed <-chan struct{}, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.taken >= places || u.of[holder] >= max(1, places/4) {
		if u.freed == nil {
			u.freed = make(chan struct{})
		}
		return u.freed, false
	}
	if u.of == nil {
		u.of = map[string]int{}
	}
	u.taken++
	u.of[holder]++
	return nil, true
}

func (u *lfsUploads) giveBack(holder string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.taken--
	if u.of[holder]--; u.of[holder] == 0 {
		delete(u.of, holder)
	}
	if u.freed != nil {
		close(u.freed)
		u.freed = nil
	}
}

// lfsPlaces is how many uploads there may be at once.
func (s *Service) lfsPlaces() int { return cmp.Or(s.LFSUploads, defaultLFSUploads) }
