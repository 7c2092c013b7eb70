package gitcmd

import (
	"os"
	"syscall"
)

// stdinBuffer is what may wait between us and a process, in bytes; the system may give
// less.
const stdinBuffer = 512 << 10

// stdinPair returns the two ends of a process's standard input. It is a pair of sockets
// and no pipe: git reads 4 KiB at a time, and each read from a full pipe wakes its
// writer, who then writes as much, while the writer to a full socket sleeps until three
// quarters of it are free. A large push takes a twentieth of the context switches.
func stdinPair() (theirs, ours *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	_ = syscall.SetsockoptInt(fds[1], syscall.SOL_SOCKET, syscall.SO_SNDBUF, stdinBuffer)
	if err := syscall.SetNonblock(fds[1], true); err != nil { // so that os.File waits without a thread
		_ = syscall.Close(fds[0])
		_ = syscall.Close(fds[1])
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fds[0]), "stdin"), os.NewFile(uintptr(fds[1]), "|stdin"), nil
}
