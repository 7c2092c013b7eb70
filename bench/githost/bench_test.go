package main

import (
	"log"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestMain lets the test's binary be a server, as the command's is.
func TestMain(m *testing.M) {
	if done, err := serveOther(os.Args[1:]); done {
		log.Fatal(err)
	}
	os.Exit(m.Run())
}

// TestRun measures git http-backend and the floor on small repositories, with a row of
// each kind.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts servers: not with -short")
	}
	b := newBench(newGit(t.TempDir()), t.TempDir(), t.TempDir(), 1)
	tiny := corpus{commits: 100, files: 4, lines: 4, changes: 1, rewrites: 2, variants: 8, next: 200}
	for _, name := range [...]string{"small", "large"} {
		tiny.name = name
		var err error
		if b.corpora[name], err = tiny.make(t.Context(), b.git, b.work); err != nil {
			t.Fatal(err)
		}
	}
	chosen := regexp.MustCompile("^(push of the whole repository, large|full clone, small, .*|push denied by policy|push of one small commit|64 .*)$")
	var rows []workload
	for _, w := range workloads() {
		if chosen.MatchString(w.name) {
			rows = append(rows, w)
		}
	}
	table := newTable(rows)
	if left := b.hosts(t.Context(), []string{"http-backend", "floor"}, rows, table); len(left) > 0 {
		t.Fatal(left)
	}
	var out strings.Builder
	table.print(&out)
	t.Log("\n" + out.String())
	if len(table.failed) > 0 || len(table.hosts) != 2 {
		t.Errorf("hosts %v, failed %v", table.hosts, table.failed)
	}
	for _, w := range rows {
		if table.cells[[2]string{w.name, "http-backend"}] == "" {
			t.Errorf("no number for %q", w.name)
		}
		_, cell := table.cells[[2]string{w.name, "floor"}]
		if replayable := !w.first && w.name != "push denied by policy"; cell != replayable {
			t.Errorf("the floor has a number for %q: %v, want %v", w.name, cell, replayable)
		}
	}
}
