package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// A cgroup is a control group of its own for a host and everything it starts. The
// kernel adds up the time of its threads as they run, to the nanosecond, whether
// anybody waits for them or not, and so nothing is lost and nothing rounded: it is
// used where the harness may make one (usually as root).
type cgroup struct {
	dir  string
	file string // with the time used
	key  string // of the line of it, in microseconds; "": the file is a number of nanoseconds
}

var errNoCgroup = errors.New("no control group can be made here")

// newCgroup makes a group in the hierarchy of version 2, or in that of version 1 which
// counts CPU time.
func newCgroup(name string) (*cgroup, error) {
	for _, c := range [...]cgroup{
		{"/sys/fs/cgroup", "cpu.stat", "usage_usec"},
		{"/sys/fs/cgroup/cpuacct", "cpuacct.usage", ""},
		{"/sys/fs/cgroup/cpu,cpuacct", "cpuacct.usage", ""},
	} {
		if _, err := os.Stat(filepath.Join(c.dir, "cgroup.procs")); err != nil {
			continue
		}
		c.dir = filepath.Join(c.dir, fmt.Sprintf("refward-bench-%d-%s", os.Getpid(), name))
		if err := os.Mkdir(c.dir, 0o755); err != nil {
			continue
		}
		if _, err := c.used(); err == nil {
			return &c, nil
		}
		_ = os.Remove(c.dir)
	}
	return nil, errNoCgroup
}

func (c *cgroup) used() (time.Duration, error) {
	b, err := os.ReadFile(filepath.Join(c.dir, c.file))
	if err != nil {
		return 0, err
	}
	return parseUsage(b, c.key)
}

// parseUsage reads cpuacct.usage, or the line of cpu.stat that the key names.
func parseUsage(b []byte, key string) (time.Duration, error) {
	if key == "" {
		n, err := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64)
		return time.Duration(n), err
	}
	for line := range bytes.Lines(b) {
		if k, v, ok := bytes.Cut(bytes.TrimSpace(line), []byte(" ")); ok && string(k) == key {
			n, err := strconv.ParseInt(string(v), 10, 64)
			return time.Duration(n) * time.Microsecond, err
		}
	}
	return 0, fmt.Errorf("no line %s", key)
}

// inside is the command line that moves itself into the group and becomes args: what
// it starts is in the group from the first instruction.
func (c *cgroup) inside(args []string) []string {
	return append([]string{"/bin/sh", "-c", `echo $$ > "$0/cgroup.procs" && exec "$@"`, c.dir}, args...)
}

// remove removes the group, whose processes have ended.
func (c *cgroup) remove() error { return os.Remove(c.dir) }
