package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// table is what is printed: a row for each workload, a column for each host.
type table struct {
	hosts   []string
	rows    []string
	cells   map[[2]string]string
	labels  map[string]string // what a row is called, where that is not its name
	targets map[string]string // by row; nil: no such column
	failed  []string
}

func newTable(rows []workload) *table {
	t := &table{cells: map[[2]string]string{}, labels: map[string]string{}}
	for _, w := range rows {
		t.rows = append(t.rows, w.name)
	}
	return t
}

func (t *table) set(host, row string, r result) { t.put(host, row, r.String()) }

func (t *table) fail(host, row string, err error) {
	t.put(host, row, "failed")
	t.failed = append(t.failed, fmt.Sprintf("%s, %s: %v", host, row, err))
}

func (t *table) put(host, row, cell string) {
	if len(t.hosts) == 0 || t.hosts[len(t.hosts)-1] != host {
		t.hosts = append(t.hosts, host)
	}
	t.cells[[2]string{row, host}] = cell
}

// print prints the table in markdown, without rows and columns that are empty.
func (t *table) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprint(w, "| workload\t")
	for _, h := range t.hosts {
		fmt.Fprintf(w, "| %s\t", h)
	}
	columns := len(t.hosts)
	if t.targets != nil {
		fmt.Fprint(w, "| to reach\t")
		columns++
	}
	fmt.Fprint(w, "|\n| ---\t", strings.Repeat("| ---\t", columns), "|\n")
	for _, row := range t.rows {
		line, empty := "", true
		for _, h := range t.hosts {
			cell, ok := t.cells[[2]string{row, h}]
			if !ok {
				cell = "–"
			}
			empty = empty && !ok
			line += "| " + cell + "\t"
		}
		if t.targets != nil {
			line += "| " + t.targets[row] + "\t"
		}
		label := row
		if l, ok := t.labels[row]; ok {
			label = l
		}
		if !empty {
			fmt.Fprintf(w, "| %s\t%s|\n", label, line)
		}
	}
	w.Flush()
	for _, f := range t.failed {
		fmt.Fprintf(out, "\nFailed: %s\n", f)
	}
}

// laterShown is how much work after the answer is worth telling.
const laterShown = 20 * time.Millisecond

// String is a cell: CPU time, with what of it came after the answers if that is much, wall time, processes started, and the time to the first
// byte of a pack.
func (r result) String() string {
	s := millis(r.cpu)
	if r.later > r.cpu/10 && r.later > laterShown {
		s += " (" + millis(r.later) + " later)"
	}
	s += " / " + millis(r.wall)
	switch {
	case r.spawned < 0:
		s += " / ?"
	case r.spawned == float64(int(r.spawned)):
		s += fmt.Sprintf(" / %.0f", r.spawned)
	default:
		s += fmt.Sprintf(" / %.1f", r.spawned)
	}
	if r.first > 0 {
		s += " / " + millis(r.first)
	}
	if r.peak.rss > 0 {
		s += fmt.Sprintf("; at most %d MB (PSS), %d MB (RSS)", r.peak.pss>>20, r.peak.rss>>20)
	}
	return s
}

// millis prints milliseconds with the digits that mean something.
func millis(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 9.95 {
		return strconv.FormatFloat(ms, 'f', 1, 64)
	}
	s := strconv.FormatFloat(ms, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
