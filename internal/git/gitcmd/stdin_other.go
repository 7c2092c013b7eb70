//go:build !linux

package gitcmd

import "os"

// stdinPair returns the two ends of a process's standard input.
func stdinPair() (theirs, ours *os.File, err error) { return os.Pipe() }
