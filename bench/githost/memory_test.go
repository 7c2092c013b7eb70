package main

import (
	"os"
	"testing"
)

func TestSampleMemory(t *testing.T) {
	m := sampleMemory(os.Getpid())()
	if m.rss < 1<<20 || m.pss <= 0 || m.pss > m.rss {
		t.Errorf("this process takes %+v", m)
	}
}

func TestKilobytes(t *testing.T) {
	const rollup = "00400000-7fff0000 ---p 00000000 00:00 0  [rollup]\nRss:  12 kB\nPss:  7 kB\nPss_Dirty:  3 kB\n"
	for key, want := range map[string]int64{"Rss:": 12 << 10, "Pss:": 7 << 10, "Swap:": 0} {
		if got := kilobytes([]byte(rollup), key); got != want {
			t.Errorf("%s %d, want %d", key, got, want)
		}
	}
}
