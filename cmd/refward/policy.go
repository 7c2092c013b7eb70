package main

import (
	"context"
	"io"
	"strconv"

	"github.com/refward/refward/internal/policycmd"
)

func policyManual(w io.Writer) { policycmd.Manual(w) }

// exitStatus is an exit status of which everything has been said.
type exitStatus int

// Error implements error.
func (s exitStatus) Error() string { return "exit status " + strconv.Itoa(int(s)) }

// policy works on policy documents without a host.
func (p *program) policy(ctx context.Context, args []string) error {
	status := make(chan int, 1)
	go func() {
		status <- policycmd.Run(ctx, policycmd.Streams{In: p.in, Out: p.out, Err: p.err}, args)
	}()
	select {
	case s := <-status:
		if s != exitOK {
			return exitStatus(s)
		}
		return nil
	case <-ctx.Done():
		// A read of standard input knows no context: it ends with the process.
		return exitStatus(exitUsage)
	}
}
