package gitcmd

import "golang.org/x/sys/unix"

// limitMemory bounds what a running process may still allocate.
func limitMemory(pid int, bytes uint64) error {
	return unix.Prlimit(pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: bytes, Max: bytes}, nil)
}
