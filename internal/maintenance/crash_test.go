package maintenance_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/refward/refward/internal/maintenance"
)

// TestKilled: maintenance is killed at each of its changes in turn, before it and after
// it. Each time nothing is lost, and the next run does what is due.
func TestKilled(t *testing.T) {
	for _, made := range []bool{false, true} {
		for n := 1; ; n++ {
			done := false
			t.Run(fmt.Sprintf("change %d, made %v", n, made), func(t *testing.T) { done = killedAt(t, n, made) })
			if done || t.Failed() {
				if n < 10 && !t.Failed() {
					t.Errorf("maintenance made %d changes: the test has missed some", n-1)
				}
				break
			}
		}
	}
}

// killedAt reports whether there was no n-th change to be killed at.
func killedAt(t *testing.T, n int, made bool) bool {
	h := newHost(t, maintenance.Options{Packs: 3})
	m := h.model(t, "payments")
	m.grow(t, h, 2, 100)
	m.grow(t, h, 1, 8000)
	if err := h.Sweep(t.Context()); err != nil { // leaves three dead packs
		t.Fatal(err)
	}
	m.grow(t, h, 2, 8000)
	h.clock.add(49 * time.Hour)
	h.faults.kill(n, made)
	err := h.Sweep(t.Context()) // has packs to consolidate, and dead ones to delete
	if !h.faults.killed() {
		if err != nil {
			t.Error(err)
		}
		return true
	}
	h.faults.kill(0, false)
	h.reopen(t)
	h.holds(t, m)
	h.clean(t)

	m.grow(t, h, 1, 100)
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.holds(t, m)
	h.clock.add(49 * time.Hour)
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.reopen(t)
	h.holds(t, m)
	if notes := h.clean(t); len(notes) != 0 {
		t.Errorf("left in the end: %v", notes)
	}
	return false
}
