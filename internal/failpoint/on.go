//go:build failpoint

package failpoint

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Enabled reports whether this binary can be armed.
const Enabled = true

// Env is the variable that arms a step: "STEP", or "STEP:N" for the Nth time.
const Env = "FAILPOINT"

var reached atomic.Int64

// Reach ends the process when the step is the one that Env names.
func Reach(s Step) {
	name, nth, _ := strings.Cut(os.Getenv(Env), ":")
	if Step(name) != s {
		return
	}
	n, err := strconv.ParseInt(nth, 10, 64)
	if err != nil {
		n = 1
	}
	if reached.Add(1) < n {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // until the signal is delivered
}
