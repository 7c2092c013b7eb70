// Command bench measures package policy beside other evaluators, on the question of
// the story: Juniors may work on a repository, and may not push to one of its refs.
//
//	cd bench && go run .
//
// It is a module of its own, so that what it is compared with never becomes a
// dependency of the product. Everything runs in one process, in turns, and the table
// shows the quickest turn: on a machine that others use too the minimum is what says
// least about them. Every evaluator has to give the right answers before it is
// measured.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"text/tabwriter"
	"time"
)

// task is one thing to be measured.
type task struct {
	subject string // who does it
	name    string // what is done
	run     func()

	ns     float64 // of the quickest turn
	allocs float64
}

// evaluator is a peer, or ourselves, with the story's policy in its own language.
type evaluator interface {
	name() string
	// read parses and compiles the policy.
	read() error
	// decide answers about a push of a ref, with the request made before; ask makes
	// the request first.
	decide(ref string) bool
	ask(ref string) bool
}

const (
	closedRef = "refs/heads/master"
	openRef   = "refs/heads/feature"
)

const (
	denyTask  = "decide: deny"
	allowTask = "decide: allow"
	askTask   = "make the request and decide: deny"
	readTask  = "parse and compile"
)

func main() {
	rounds := flag.Int("rounds", 300, "turns of every task; the quickest counts")
	turn := flag.Duration("turn", time.Millisecond, "length of a turn")
	flag.Parse()
	var tasks []*task
	for _, e := range [...]evaluator{newRefward(), newMinio(), newCedar(), newOPA()} {
		if err := e.read(); err != nil {
			log.Fatalf("%s: %v", e.name(), err)
		}
		for _, ask := range [...]func(string) bool{e.decide, e.ask} {
			if ask(closedRef) || !ask(openRef) {
				log.Fatalf("%s: %s allowed: %v, %s allowed: %v", e.name(), closedRef, ask(closedRef), openRef, ask(openRef))
			}
		}
		tasks = append(tasks,
			&task{subject: e.name(), name: denyTask, run: func() { e.decide(closedRef) }},
			&task{subject: e.name(), name: allowTask, run: func() { e.decide(openRef) }},
			&task{subject: e.name(), name: askTask, run: func() { e.ask(closedRef) }},
			&task{subject: e.name(), name: readTask, run: func() { _ = e.read() }},
		)
	}
	tasks = append(tasks, ownTasks()...)
	measure(tasks, *rounds, *turn)
	print(tasks)
}

// measure gives every task its turns, one after the other and round after round.
func measure(tasks []*task, rounds int, turn time.Duration) {
	for range rounds {
		for _, t := range tasks {
			t.turn(turn)
		}
	}
	for _, t := range tasks {
		t.countAllocations()
	}
}

func (t *task) turn(length time.Duration) {
	n := 1
	if t.ns > 0 {
		n = max(1, int(float64(length)/t.ns))
	}
	start := time.Now()
	for range n {
		t.run()
	}
	if ns := float64(time.Since(start)) / float64(n); t.ns == 0 || ns < t.ns {
		t.ns = ns
	}
}

func (t *task) countAllocations() {
	const n = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		t.run()
	}
	runtime.ReadMemStats(&after)
	t.allocs = float64((after.Mallocs - before.Mallocs) / n)
}

func print(tasks []*task) {
	ours := map[string]float64{}
	for _, t := range tasks {
		if t.subject == refwardName {
			ours[t.name] = t.ns
		}
	}
	fmt.Printf("%s, %s/%s, %d CPUs\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprint(w, "| what\t| who\t| time\t| allocations\t| times ours\t|\n| ---\t| ---\t| ---\t| ---\t| ---\t|\n")
	seen := map[string]bool{}
	for _, first := range tasks {
		if seen[first.name] {
			continue
		}
		seen[first.name] = true
		for _, t := range tasks {
			if t.name == first.name {
				fmt.Fprintf(w, "| %s\t| %s\t| %s\t| %.0f\t| %.1f\t|\n", t.name, t.subject, duration(t.ns), t.allocs, t.ns/ours[t.name])
			}
		}
	}
	w.Flush()
}

func duration(ns float64) string {
	if ns < 1000 {
		return fmt.Sprintf("%.0f ns", ns)
	}
	return fmt.Sprintf("%.1f µs", ns/1000)
}
