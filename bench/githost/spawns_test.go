package main

import (
	"encoding/binary"
	"testing"
)

// forkMessage is what the kernel sends when a thread is made.
func forkMessage(what, parent, thread, child uint32) []byte {
	b := make([]byte, netlinkHead+connectorHead)
	e := binary.NativeEndian
	b = e.AppendUint32(b, what)
	b = append(b, make([]byte, eventHead-4)...) // processor, time
	for _, n := range [...]uint32{parent, parent, thread, child} {
		b = e.AppendUint32(b, n)
	}
	return b
}

func TestSpawnsBelow(t *testing.T) {
	s := &spawns{parents: map[int]int{}, started: map[int]int{}}
	s.event(forkMessage(eventFork, 10, 11, 11)) // server 10 starts 11,
	s.event(forkMessage(eventFork, 11, 12, 12)) // which starts 12,
	s.event(forkMessage(eventFork, 12, 13, 12)) // which makes a thread
	s.event(forkMessage(eventFork, 20, 21, 21)) // another server
	s.event(forkMessage(2, 12, 12, 12))         // an exec
	s.event([]byte("short"))
	for pid, want := range map[int]int{10: 2, 11: 1, 12: 0, 20: 1, 30: 0} {
		if got, known := s.below(pid); got != want || !known {
			t.Errorf("below(%d) = %d, %v, want %d", pid, got, known, want)
		}
	}
	s.event(forkMessage(eventFork, 20, 11, 11)) // the number 11 is used again
	if got, _ := s.below(11); got != 0 {
		t.Errorf("below(11) = %d for a new process, want 0", got)
	}
}
