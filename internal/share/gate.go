package share

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Options say what a [Gate] guards.
type Options struct {
	What   string        // who is told that there is no place, is told so in this word: "pushes"
	Places int           // in all
	Share  int           // of them, the most that one holder has; 0: see [Quarter]
	Wait   time.Duration // the longest that anybody waits for a place; 0: nobody waits
}

// Quarter is the share of one holder in so many places, where nothing else is said: a
// quarter of them, and at least one.
func Quarter(places int) int { return max(places/4, 1) }

// Gate gives out places. Nil has as many as anybody wants. Safe for concurrent use.
type Gate struct {
	Options

	mu     sync.Mutex // guards what follows, and the tickets
	free   int
	held   map[string]int
	lines  map[string][]*ticket // who waits, by holder, each first come first served
	turns  []string             // holders whose line is not empty, the next one first
	counts Stats
}

// Stats count what a [Gate] did, without names.
type Stats struct {
	Waited  int64 // had to wait, whatever became of it
	OverOwn int64 // got no place, because the holder had its share
	Full    int64 // got no place, because there was none
	Held    int64 // places taken now
	Waiting int64 // who waits now
}

// New makes a gate.
func New(o Options) *Gate {
	if o.Share == 0 {
		o.Share = Quarter(o.Places)
	}
	return &Gate{Options: o, free: o.Places, held: map[string]int{}, lines: map[string][]*ticket{}}
}

// Stats returns what the gate did so far.
func (g *Gate) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.counts
}

// Busy is the error of a [Gate] that had no place in time.
type Busy struct {
	What string // as in [Options]
	Own  int    // the holder's share, where that was all taken; 0: there was no place at all
}

// Error says what to do next.
func (b *Busy) Error() string {
	if b.Own > 0 {
		return fmt.Sprintf("you have as many %s under way as one user may (%d): let one of them end, and try again", b.What, b.Own)
	}
	return fmt.Sprintf("the host has as many %s under way as it can: try again in a minute", b.What)
}

// ticket is one who wants a place, or has it. The gate's mutex guards it.
type ticket struct {
	gate    *Gate
	holders []string
	granted bool
	over    bool          // given up or given back: its party may not know yet
	ready   chan struct{} // closed when it is granted
}

// Take takes a place for the holder or the party that the context names, and returns
// what gives it back, to be called once. The error is [*Busy], or the context's.
func (g *Gate) Take(ctx context.Context) (release func(), err error) {
	if g == nil {
		return func() {}, nil
	}
	t := &ticket{gate: g, ready: make(chan struct{})}
	forget := func() {}
	if p, ok := ctx.Value(key{}).(*Party); ok {
		err = p.enter(t)
		forget = func() { p.forget(t) }
	} else {
		err = g.enter(t, Holder(ctx))
	}
	if err == nil {
		err = g.await(ctx, t)
	}
	if err != nil {
		forget()
		return nil, err
	}
	return func() {
		forget()
		g.release(t)
	}, nil
}

// await waits until the ticket is granted.
func (g *Gate) await(ctx context.Context, t *ticket) error {
	select {
	case <-t.ready:
		return nil
	default:
	}
	late := time.NewTimer(g.Wait)
	defer late.Stop()
	select {
	case <-t.ready:
		return nil
	case <-ctx.Done():
		if !g.giveUp(t) {
			g.release(t)
		}
		return context.Cause(ctx)
	case <-late.C:
		g.mu.Lock()
		defer g.mu.Unlock()
		if t.granted {
			return nil
		}
		t.over = true
		g.unline(t)
		return g.busy(t.holders)
	}
}

// enter takes a place or a place in line.
func (g *Gate) enter(t *ticket, holders ...string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t.holders = holders
	switch {
	case g.free > 0 && slices.ContainsFunc(holders, g.room):
		g.grant(t)
		return nil
	case g.Wait == 0:
		return g.busy(holders)
	}
	g.counts.Waited++
	g.counts.Waiting++
	for _, h := range holders {
		g.line(t, h)
	}
	return nil
}

// room reports whether the holder has less than its share. g.mu is held.
func (g *Gate) room(holder string) bool { return holder == "" || g.held[holder] < g.Share }

// busy counts who got nothing. g.mu is held.
func (g *Gate) busy(holders []string) error {
	if slices.ContainsFunc(holders, g.room) {
		g.counts.Full++
		return &Busy{What: g.What}
	}
	g.counts.OverOwn++
	return &Busy{What: g.What, Own: g.Share}
}

// grant gives a place, which there is, to a ticket that stands in no line. g.mu is held.
func (g *Gate) grant(t *ticket) {
	t.granted = true
	g.free--
	g.counts.Held++
	for _, h := range t.holders {
		g.held[h]++
	}
	close(t.ready)
}

// line puts a ticket at the end of a holder's line. g.mu is held.
func (g *Gate) line(t *ticket, holder string) {
	if len(g.lines[holder]) == 0 {
		g.turns = append(g.turns, holder)
	}
	g.lines[holder] = append(g.lines[holder], t)
}

// unline takes a ticket that waits out of every line. g.mu is held.
func (g *Gate) unline(t *ticket) {
	g.counts.Waiting--
	for _, h := range t.holders {
		g.outOf(t, h)
	}
}

func (g *Gate) outOf(t *ticket, holder string) {
	rest := g.lines[holder]
	if i := slices.Index(rest, t); i >= 0 {
		rest = slices.Delete(rest, i, i+1)
	}
	if len(rest) > 0 {
		g.lines[holder] = rest
		return
	}
	delete(g.lines, holder)
	if i := slices.Index(g.turns, holder); i >= 0 {
		g.turns = slices.Delete(g.turns, i, i+1)
	}
}

// serve gives free places to those who wait: the lines take turns, and those of holders
// who have their share are passed over. g.mu is held.
func (g *Gate) serve() {
	for g.free > 0 {
		i := slices.IndexFunc(g.turns, g.room)
		if i < 0 {
			return
		}
		h := g.turns[i]
		g.turns = append(slices.Delete(g.turns, i, i+1), h)
		t := g.lines[h][0]
		g.unline(t)
		g.grant(t)
	}
}

// giveUp leaves the lines; false where the place was granted in between.
func (g *Gate) giveUp(t *ticket) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.granted {
		return false
	}
	t.over = true
	g.unline(t)
	return true
}

// release gives a place back.
func (g *Gate) release(t *ticket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free++
	g.counts.Held--
	for _, h := range t.holders {
		g.drop(h)
	}
	t.over = true
	g.serve()
}

// drop counts one place less for a holder. g.mu is held.
func (g *Gate) drop(holder string) {
	if g.held[holder]--; g.held[holder] == 0 {
		delete(g.held, holder)
	}
}

// join makes a ticket one of the holder's too.
func (g *Gate) join(t *ticket, holder string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.over {
		return
	}
	t.holders = append(t.holders, holder)
	if t.granted {
		g.held[holder]++
		return
	}
	g.line(t, holder)
	g.serve()
}

// leave takes back join.
func (g *Gate) leave(t *ticket, holder string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(t.holders, holder)
	if i < 0 || t.over {
		return
	}
	t.holders = slices.Delete(t.holders, i, i+1)
	if t.granted {
		g.drop(holder)
		g.serve()
		return
	}
	g.outOf(t, holder)
}
