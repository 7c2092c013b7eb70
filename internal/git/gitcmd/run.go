package gitcmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// ErrOutputTooLarge is returned when git printed more than the caller takes.
var ErrOutputTooLarge = errors.New("git printed more than expected")

// ExitError is returned for a git that did not exit with status 0.
type ExitError struct {
	Command string // "merge-base"
	Code    int    // exit status; -1 where a signal ended it
	Stderr  string // the end of what it said
}

// Error returns the command, how it ended and what git said.
func (e *ExitError) Error() string {
	how := fmt.Sprintf("exit status %d", e.Code)
	if e.Code < 0 {
		how = "ended by a signal"
	}
	if e.Stderr == "" {
		return fmt.Sprintf("git %s: %s", e.Command, how)
	}
	return fmt.Sprintf("git %s: %s: %s", e.Command, how, e.Stderr)
}

// ExitCode returns the exit status in err, and false where err is something else.
func ExitCode(err error) (int, bool) {
	e, ok := errors.AsType[*ExitError](err)
	if !ok {
		return 0, false
	}
	return e.Code, true
}

// stdio is what a command is connected to.
type stdio struct {
	stdin  io.Reader
	open   bool // stdin may stay open behind what git reads
	stdout io.Writer
	stderr io.Writer
}

// Stdin connects the standard input. After the process has ended, Run still waits for
// the Read it is in; when the context ends it does not, and one Read may then be left
// behind.
func (c *Command) Stdin(r io.Reader) *Command { c.stdin = r; return c }

// OpenStdin is Stdin for what may never end: once the process has ended well, no Read is
// waited for, and one may be left behind. Nobody else may read from r then.
func (c *Command) OpenStdin(r io.Reader) *Command {
	c.open = true
	return c.Stdin(r)
}

// Stdout connects the standard output. A failing Write ends the process.
func (c *Command) Stdout(w io.Writer) *Command { c.stdout = w; return c }

// Stderr gets what git says, besides the errors of this package.
func (c *Command) Stderr(w io.Writer) *Command { c.stderr = w; return c }

// patience bounds the wait for a pipe to close after git was killed: a grandchild that
// escaped its process group may hold it.
const patience = 5 * time.Second

// Run runs the command to its end. The error is the context's where it ended, that of
// Stdin's reader or Stdout's writer where it failed, a [*share.Busy] where there was no
// place for it, and else an [*ExitError].
func (c *Command) Run(ctx context.Context) error {
	release, err := c.git.places[c.class].Take(ctx)
	if err != nil {
		return fmt.Errorf("git %s: wait for a place: %w", c.name, err)
	}
	defer release()
	if c.before != nil {
		if err := c.before(ctx); err != nil {
			return fmt.Errorf("git %s: %w", c.name, err)
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd := c.build(ctx)
	said := &tail{limit: stderrTail}
	cmd.Stderr = said
	if c.stderr != nil {
		cmd.Stderr = io.MultiWriter(said, c.stderr)
	}
	if c.stdout != nil {
		cmd.Stdout = &endingWriter{w: c.stdout, end: cancel}
	}
	var pipe *os.File
	if c.stdin != nil {
		var theirs *os.File
		if theirs, pipe, err = stdinPair(); err != nil {
			return fmt.Errorf("git %s: %w", c.name, err)
		}
		cmd.Stdin = theirs
		defer func() { _ = theirs.Close() }()
	}
	if err := c.start(cmd); err != nil {
		if pipe != nil {
			_ = pipe.Close()
		}
		return fmt.Errorf("git %s: %w", c.name, err)
	}
	fed := c.feed(pipe, cmd.Stdin, cancel)
	err = cmd.Wait()
	if c.stdin != nil && (err != nil || !c.open) {
		select {
		case <-fed:
		case <-ctx.Done():
		}
	}
	return c.outcome(ctx, err, said)
}

func (c *Command) start(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	if c.class == Tidying {
		lowerPriority(cmd.Process.Pid)
	}
	if c.memory == 0 {
		return nil
	}
	err := limitMemory(cmd.Process.Pid, c.memory)
	if err == nil && c.stdin == nil { // else it is in time: the process has not been fed yet
		err = checkMemory(cmd.Process.Pid, c.memory)
	}
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return errors.Join(fmt.Errorf("limit memory: %w", err), kill(cmd.Process.Pid), cmd.Wait())
	}
	return nil
}

// feed copies stdin to the process until either ends. It runs in a goroutine, and the
// channel is closed when it has ended. A failing reader ends the process, so that it
// does not take what came for everything.
func (c *Command) feed(pipe *os.File, theirs io.Reader, cancel context.CancelCauseFunc) <-chan struct{} {
	done := make(chan struct{})
	if c.stdin == nil {
		return done
	}
	// Ours is closed so that a write fails once the process is gone.
	if f, ok := theirs.(*os.File); ok {
		_ = f.Close()
	}
	go func() {
		defer close(done)
		in := &source{r: c.stdin}
		_, err := io.Copy(pipe, in)
		switch {
		case in.err != nil:
			cancel(&inputError{in.err})
		case err == nil, errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
			// Git has read all, or closed its end.
		default:
			cancel(&inputError{err})
		}
		_ = pipe.Close()
	}()
	return done
}

// source remembers its reader's failure: it must not be taken for one of the other end,
// which can look the same.
type source struct {
	r   io.Reader
	err error
}

// Read reads.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// inputError and outputError mark failures that are not git's.
type inputError struct{ error }

// Unwrap returns the reader's error.
func (e *inputError) Unwrap() error { return e.error }

type outputError struct{ error }

// Unwrap returns the writer's error.
func (e *outputError) Unwrap() error { return e.error }

// outcome decides which of several failures was the cause.
func (c *Command) outcome(ctx context.Context, err error, said *tail) error {
	cause := context.Cause(ctx)
	if in, ok := errors.AsType[*inputError](cause); ok {
		return fmt.Errorf("git %s: read its input: %w", c.name, in.error)
	}
	if out, ok := errors.AsType[*outputError](cause); ok {
		return fmt.Errorf("git %s: write its output: %w", c.name, out.error)
	}
	if err == nil {
		return nil
	}
	if cause != nil {
		return fmt.Errorf("git %s: %w", c.name, cause)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return &ExitError{Command: c.name, Code: exit.ExitCode(), Stderr: said.String()}
	}
	return fmt.Errorf("git %s: %w", c.name, err)
}

// Output runs the command and returns what it printed; more than limit bytes are
// [ErrOutputTooLarge].
func (c *Command) Output(ctx context.Context, limit int64) ([]byte, error) {
	var b limitedBuffer
	b.limit = limit
	c.stdout = &b
	if err := c.Run(ctx); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// build makes the process: its own group, so that it can be ended with its children.
func (c *Command) build(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.git.path, c.args()...)
	cmd.Env = append(c.git.environment(), c.env...)
	cmd.Dir = c.dir
	if cmd.Dir == "" {
		cmd.Dir = "/"
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return kill(cmd.Process.Pid) }
	cmd.WaitDelay = patience
	return cmd
}

// kill ends a process group.
func kill(pid int) error {
	err := syscall.Kill(-pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// endingWriter ends the process when what it writes to fails.
type endingWriter struct {
	w   io.Writer
	end context.CancelCauseFunc
}

// Write writes, or ends the process.
func (w *endingWriter) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	if err != nil {
		w.end(&outputError{err})
	}
	return n, err
}

type limitedBuffer struct {
	bytes.Buffer
	limit int64
}

// Write keeps p, or nothing where that would be too much.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if int64(b.Len())+int64(len(p)) > b.limit {
		return 0, ErrOutputTooLarge
	}
	return b.Buffer.Write(p)
}

// stderrTail is how much of the end of standard error is kept.
const stderrTail = 8 << 10

// tail keeps the end of what is written to it.
type tail struct {
	buf   []byte
	limit int
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if n > t.limit {
		p = p[n-t.limit:]
	}
	if over := len(t.buf) + len(p) - t.limit; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	t.buf = append(t.buf, p...)
	return n, nil
}

// String returns what was kept, as text.
func (t *tail) String() string {
	return strings.ToValidUTF8(strings.TrimSpace(string(t.buf)), "\uFFFD")
}

// CheckFolder refuses a folder that git could not be told about: the list of object
// folders is separated by colons and knows no way to write one.
func CheckFolder(path string) error {
	if strings.ContainsAny(path, ":\"\n") {
		return fmt.Errorf("the folder %q has a colon, quote or newline in its name, which git cannot take here: choose another folder", path)
	}
	return nil
}
