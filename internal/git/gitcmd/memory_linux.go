package gitcmd

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// limitMemory bounds what a running process may still allocate.
func limitMemory(pid int, bytes uint64) error {
	return unix.Prlimit(pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: bytes, Max: bytes}, nil)
}

// errGreedy is returned for a process that was quicker than its limit.
var errGreedy = errors.New("it allocated more than it may before that was limited")

// checkMemory returns errGreedy for a process that has allocated more than so many bytes
// already. After [limitMemory] none can that had not done it before.
func checkMemory(pid int, bytes uint64) error {
	statm, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm") // proc_pid_statm(5)
	if err != nil {
		return err
	}
	const data = 5 // pages of data and stack
	fields := strings.Fields(string(statm))
	if len(fields) <= data {
		return fmt.Errorf("/proc/%d/statm: %.100q is not what it should be", pid, statm)
	}
	pages, err := strconv.ParseUint(fields[data], 10, 64)
	if err == nil && pages > bytes/uint64(os.Getpagesize()) {
		err = errGreedy
	}
	return err
}

// What work in the background gets: processor time that others leave, and the disk last
// among those of the usual class.
const (
	lowNice          = 10
	ioprioWhoPgrp    = 2       // IOPRIO_WHO_PGRP, of ioprio_set(2)
	ioprioBestEffort = 2 << 13 // IOPRIO_CLASS_BE; its levels go from 0 to 7
	lowLevel         = 7
)

// lowerPriority makes a process and those it starts give way to others. It is a
// courtesy: where the system refuses, the work goes on as it is.
func lowerPriority(pid int) {
	_ = unix.Setpriority(unix.PRIO_PGRP, pid, lowNice)
	_, _, _ = unix.Syscall(unix.SYS_IOPRIO_SET, ioprioWhoPgrp, uintptr(pid), ioprioBestEffort|lowLevel)
}
