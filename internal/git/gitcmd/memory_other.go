//go:build !linux

package gitcmd

// limitMemory does nothing where one process cannot limit another.
func limitMemory(int, uint64) error { return nil }

// checkMemory does nothing, as there is no limit.
func checkMemory(int, uint64) error { return nil }

// lowerPriority does nothing where it is not known how.
func lowerPriority(int) {}
