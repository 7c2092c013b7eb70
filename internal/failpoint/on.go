//go:build failpoint

package failpoint

import (
	"os"
	"sync/atomic"
	"syscall"
)

// armed is the step to die at: a package variable, because a death is the whole process's.
var armed atomic.Pointer[Step]

// Arm chooses the step at which the process ends itself. Empty: none.
func Arm(step string) {
	s := Step(step)
	armed.Store(&s)
}

// Reach ends the process when the step is the one that was armed.
func Reach(s Step) {
	if a := armed.Load(); a == nil || *a != s {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // until the signal is delivered
}
