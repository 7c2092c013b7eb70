package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// memory is what processes take: what they share counted once (PSS), and each counted
// as if it were alone (RSS). Files that are mapped count while they are.
type memory struct {
	pss, rss int64 // bytes
}

// sampleMemory looks at a process and those below it ten times a second, until it is
// asked for the most that it saw.
func sampleMemory(root int) func() memory {
	end, ended := make(chan struct{}), make(chan memory)
	go func() {
		var peak memory
		for {
			if m, err := treeMemory(root); err == nil {
				peak.pss, peak.rss = max(peak.pss, m.pss), max(peak.rss, m.rss)
			}
			select {
			case <-end:
				ended <- peak
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() memory {
		close(end)
		return <-ended
	}
}

func treeMemory(root int) (memory, error) {
	all, err := stats()
	if err != nil {
		return memory{}, err
	}
	var m memory
	for _, pid := range tree(all, root) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue // it has ended
		}
		m.pss += kilobytes(b, "Pss:")
		m.rss += kilobytes(b, "Rss:")
	}
	return m, nil
}

// kilobytes reads a line like "Pss:   123 kB", in bytes.
func kilobytes(b []byte, key string) int64 {
	for line := range bytes.Lines(b) {
		if f := bytes.Fields(line); len(f) >= 2 && string(f[0]) == key {
			n, _ := strconv.ParseInt(string(f[1]), 10, 64)
			return n << 10
		}
	}
	return 0
}
