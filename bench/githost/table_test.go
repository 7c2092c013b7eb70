package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestMillis(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                        "0.0",
		340 * time.Microsecond:   "0.3",
		9949 * time.Microsecond:  "9.9",
		9950 * time.Microsecond:  "10",
		999 * time.Millisecond:   "999",
		58903 * time.Millisecond: "58,903",
		1234567 * time.Second:    "1,234,567,000",
	} {
		if got := millis(d); got != want {
			t.Errorf("millis(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestResultString(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range [...]struct {
		r    result
		want string
	}{
		{result{cpu: 500 * ms, later: 40 * ms, wall: 20 * ms}, "500 / 20 / 0"},
		{result{cpu: 500 * ms, later: 90 * ms, wall: 20 * ms}, "500 (90 later) / 20 / 0"},
		{result{cpu: 5 * ms, wall: 20 * ms, spawned: -1}, "5.0 / 20 / ?"},
		{result{cpu: 5 * ms, wall: 20 * ms, spawned: 2}, "5.0 / 20 / 2"},
		{result{cpu: 5 * ms, wall: 20 * ms, spawned: 2.5, first: 7 * ms}, "5.0 / 20 / 2.5 / 7.0"},
		{result{cpu: 5 * ms, wall: 20 * ms, peak: memory{pss: 3 << 20, rss: 5 << 20}}, "5.0 / 20 / 0; at most 3 MB (PSS), 5 MB (RSS)"},
	} {
		if got := c.r.String(); got != c.want {
			t.Errorf("%+v prints %q, want %q", c.r, got, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	table := newTable([]workload{{name: "clone"}, {name: "nobody does"}, {name: "push"}})
	table.set("A", "clone", result{cpu: time.Millisecond, wall: time.Millisecond})
	table.set("A", "push", result{cpu: time.Second, wall: time.Second})
	table.fail("B", "push", errors.New("no luck"))
	table.labels["push"] = "push (index-pack: 7)"
	check := func(want string) {
		t.Helper()
		var out strings.Builder
		table.print(&out)
		if out.String() != want {
			t.Errorf("the table is\n%s\nwant\n%s", out.String(), want)
		}
	}
	check(`| workload             | A                 | B      |
| ---                  | ---               | ---    |
| clone                | 1.0 / 1.0 / 0     | –      |
| push (index-pack: 7) | 1,000 / 1,000 / 0 | failed |

Failed: B, push: no luck
`)
	table.targets, table.failed = map[string]string{"clone": "0.5"}, nil
	check(`| workload             | A                 | B      | to reach |
| ---                  | ---               | ---    | ---      |
| clone                | 1.0 / 1.0 / 0     | –      | 0.5      |
| push (index-pack: 7) | 1,000 / 1,000 / 0 | failed |          |
`)
}
