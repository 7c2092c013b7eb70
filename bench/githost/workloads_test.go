package main

import "testing"

// TestTargetsHaveRows: a row that is renamed keeps its target.
func TestTargetsHaveRows(t *testing.T) {
	rows := map[string]bool{}
	for _, w := range workloads() {
		if rows[w.name] {
			t.Errorf("two rows are called %q", w.name)
		}
		rows[w.name] = true
	}
	for name := range targets() {
		if !rows[name] {
			t.Errorf("no row for the target of %q", name)
		}
	}
}
