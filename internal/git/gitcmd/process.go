package gitcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
)

// Process is a git that stays and answers one question after the other. Whoever
// started it bounds how many there are, and closes it.
type Process struct {
	In  io.WriteCloser
	Out io.ReadCloser

	name   string
	cmd    *exec.Cmd
	said   *tail
	cancel context.CancelFunc
}

// Start starts the command as a process that stays until it is closed or the context
// ends.
func (c *Command) Start(ctx context.Context) (*Process, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := c.build(ctx)
	p := &Process{name: c.name, cmd: cmd, said: &tail{limit: stderrTail}, cancel: cancel}
	cmd.Stderr = p.said
	in, err := cmd.StdinPipe()
	if err == nil {
		p.In = in
		p.Out, err = cmd.StdoutPipe()
	}
	if err == nil {
		err = c.start(cmd)
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("git %s: %w", c.name, err)
	}
	return p, nil
}

// Kill ends the process by force; whoever reads from it sees the end. Close must still
// be called.
func (p *Process) Kill() { p.cancel() }

// Close ends the process: its input ends, and it has no more to say. The error tells
// how a process ended that was not killed.
func (p *Process) Close() error {
	inErr := p.In.Close()
	_, outErr := io.Copy(io.Discard, p.Out)
	err := p.cmd.Wait()
	p.cancel()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return &ExitError{Command: p.name, Code: exit.ExitCode(), Stderr: p.said.String()}
	}
	return errors.Join(inErr, outErr, err)
}
