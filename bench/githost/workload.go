package main

import (
	"context"
	"time"
)

// workload is one row of the table.
type workload struct {
	name   string
	corpus string // which has to be on the host
	whole  string // the corpus that the operation pushes
	// ops is how many operations make one turn.
	ops   int
	turns int // at most
	// first says that each operation is the first of its kind: the floor knows none.
	first bool
	ssh   bool // over SSH
	// memory says that what counts is the most that the host takes.
	memory bool
	// repeated says that the same was done before it is measured.
	repeated bool
	// ready readies the host, once and unmeasured.
	ready func(ctx context.Context, b *bench, h host) error
	// run is one operation. i counts them over all turns.
	run func(ctx context.Context, b *bench, h host, i int) (got, error)
}

// result is what a turn cost, per operation.
type result struct {
	cpu, wall time.Duration
	later     time.Duration // what of cpu came after the last answer of the turn
	first     time.Duration // to the first byte of a pack
	spawned   float64       // processes; negative: not known
	peak      memory
}

// measure runs the turns of a workload and returns the one that cost least: on a
// machine that others use too, the minimum says least about them.
func (w workload) measure(ctx context.Context, b *bench, h host) (result, error) {
	_, replays := h.(*floor)
	if replays && w.first {
		return result{}, errNot
	}
	if w.ready != nil {
		if err := w.ready(ctx, b, h); err != nil {
			return result{}, err
		}
	}
	if w.repeated || replays {
		if _, err := w.run(ctx, b, h, 0); err != nil {
			return result{}, err
		}
	}
	var best result
	for t := range min(b.turns, max(w.turns, 1)) {
		from := t * w.ops
		if replays {
			from = 0
		}
		r, err := w.turn(ctx, b, h, from)
		if err != nil {
			return result{}, err
		}
		if t == 0 || r.cpu < best.cpu {
			best = r
		}
	}
	return best, nil
}

// turn is one turn, with the operations from a number on.
func (w workload) turn(ctx context.Context, b *bench, h host, from int) (r result, err error) {
	_, replays := h.(*floor)
	before, err := h.server().quiet(ctx, quietSpell)
	if err != nil {
		return result{}, err
	}
	if w.memory {
		sampled := sampleMemory(h.server().pid())
		defer func() { r.peak = sampled() }()
	}
	spawned, _ := b.spawns.below(h.server().pid())
	start := time.Now()
	for i := range w.ops {
		if replays {
			i = 0 // it knows what it has recorded
		}
		g, err := w.run(ctx, b, h, from+i)
		if err != nil {
			return result{}, err
		}
		r.first += g.first / time.Duration(w.ops)
	}
	r.wall = time.Since(start) / time.Duration(w.ops)
	answered, err := h.server().used()
	if err != nil {
		return result{}, err
	}
	after, err := h.server().quiet(ctx, quietSpell)
	if err != nil {
		return result{}, err
	}
	r.cpu, r.later, r.spawned = (after-before)/time.Duration(w.ops), (after-answered)/time.Duration(w.ops), -1
	if now, known := b.spawns.below(h.server().pid()); known {
		r.spawned = float64(now-spawned) / float64(w.ops)
	}
	return r, nil
}
