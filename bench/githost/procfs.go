package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"
	"time"
)

// tick is the unit of times in /proc: USER_HZ is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// stat is what is used of /proc/PID/stat (proc_pid_stat(5)).
type stat struct {
	state  byte // R: it runs, or would; D: it waits for a disk
	parent int
	// used is fields 14 to 17: the time of the process in user and system mode, and
	// that of the children it has waited for, with theirs.
	used time.Duration
}

var errStat = errors.New("not as proc_pid_stat(5) says")

// parseStat reads a line of /proc/PID/stat. The second field is the command's name in
// parentheses, which may itself have blanks and parentheses.
func parseStat(line []byte) (stat, error) {
	end := bytes.LastIndexByte(line, ')')
	if end < 0 {
		return stat{}, errStat
	}
	fields := bytes.Fields(line[end+1:]) // from the third on
	if len(fields) < 15 {
		return stat{}, errStat
	}
	s := stat{state: fields[0][0]}
	var err error
	if s.parent, err = strconv.Atoi(string(fields[1])); err != nil {
		return stat{}, errStat
	}
	for _, f := range fields[11:15] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return stat{}, errStat
		}
		s.used += time.Duration(n) * tick
	}
	return s, nil
}

// stats reads the processes that run now.
func stats() (map[int]stat, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	all := map[int]stat{}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		b, err := os.ReadFile("/proc/" + name + "/stat")
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			return nil, err
		}
		if all[pid], err = parseStat(b); err != nil {
			return nil, fmt.Errorf("/proc/%s/stat: %w", name, err)
		}
	}
	return all, nil
}

// tree returns root and the processes below it.
func tree(all map[int]stat, root int) []int {
	children := map[int][]int{}
	for pid, s := range all {
		children[s.parent] = append(children[s.parent], pid)
	}
	if _, there := all[root]; !there {
		return nil
	}
	out := []int{root}
	for i := 0; i < len(out); i++ {
		out = append(out, children[out[i]]...)
	}
	return out
}

// treeTime is the CPU time of a process, of those below it that run, and of all that
// were below it and have ended.
//
// It is complete as long as everybody waits for their children: the time of a child is
// then in the sum of its parent from the moment it is no process any more. Lost are
// children whose parent ended first (a daemon that git detaches; the harness turns
// "git gc --auto" off where it can), and those of a parent that ignores SIGCHLD. A
// child that ends between the look at its parent and the look at itself would be lost
// to one reading, and so processes are read until two readings in a row find the same.
func treeTime(root int) (time.Duration, error) {
	var before []int
	var sum time.Duration
	for range 100 {
		all, err := stats()
		if err != nil {
			return 0, err
		}
		now := tree(all, root)
		sum = 0
		for _, pid := range now {
			sum += all[pid].used
		}
		if len(now) == 0 {
			return 0, fmt.Errorf("process %d has ended", root)
		}
		if sameSet(before, now) {
			return sum, nil
		}
		before = now
	}
	return 0, fmt.Errorf("the processes below %d change all the time", root)
}

// treeBusy reports whether a process or one below it has something to do.
func treeBusy(root int) (bool, error) {
	all, err := stats()
	if err != nil {
		return false, err
	}
	for _, pid := range tree(all, root) {
		if s := all[pid].state; s == 'R' || s == 'D' {
			return true, nil
		}
	}
	return false, nil
}

func sameSet(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	in := map[int]bool{}
	for _, x := range a {
		in[x] = true
	}
	for _, x := range b {
		if !in[x] {
			return false
		}
	}
	return true
}
