package gitcmd

import "golang.org/x/sys/unix"

// limitMemory bounds what a running process may still allocate.
func limitMemory(pid int, bytes uint64) error {
	return unix.Prlimit(pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: bytes, Max: bytes}, nil)
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
