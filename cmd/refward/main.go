// Command refward is a Git host guarded by IAM policy: it speaks the APIs of AWS
// CodeCommit, IAM and STS, and Git over HTTP and SSH, and decides every call and every change
// of a ref by policy. "refward help" is its manual.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/refward/refward/internal/failpoint"
)

// Exit statuses.
const (
	exitOK    = 0
	exitError = 1 // what was asked for went wrong
	exitUsage = 2 // it was not understood
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	failpoint.Arm(os.Getenv("FAILPOINT")) // nothing, except in a binary built for tests
	p := program{args: os.Args[1:], env: os.Environ(), in: os.Stdin, out: os.Stdout, err: os.Stderr}
	code := p.run(ctx)
	stop()
	os.Exit(code)
}

// program is one run of the command.
type program struct {
	args     []string
	env      []string // KEY=VALUE
	in       io.Reader
	out, err io.Writer
}

// usageError is a command line or an environment that was not understood.
type usageError struct{ text string }

// Error implements error.
func (e usageError) Error() string { return e.text }

// errHelp asks for the manual and not for the work.
var errHelp = errors.New("help was asked for")

// command is one word of the command line.
type command struct {
	name, short string
	manual      func(w io.Writer)
	run         func(p *program, ctx context.Context, args []string) error
}

func commands() []command {
	return []command{
		{"serve", "run a host", serveManual, (*program).serve},
		{"maintenance", "consolidate packs and delete what is dead, on a host that does not run", maintenanceManual, (*program).maintenance},
		{"fsck", "check a host that does not run", fsckManual, (*program).fsck},
		{"demo", "play the story of juniors and approvers on a throw-away host", demoManual, (*program).demo},
		{"policy", "validate, explain, format and decide policies in files", policyManual, (*program).policy},
		{"version", "print the version", versionManual, (*program).version},
		{"help", "print this, or the manual of a command: refward help serve", helpManual, (*program).help},
	}
}

// names are those of the commands.
func names() []string {
	var all []string
	for _, c := range commands() {
		all = append(all, c.name)
	}
	return all
}

func find(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

// run finds the command and turns what came of it into an exit status.
func (p *program) run(ctx context.Context) int {
	if len(p.args) == 0 {
		helpManual(p.err)
		return exitUsage
	}
	name := p.args[0]
	if name == "-h" || name == "--help" || name == "-help" {
		name = "help"
	}
	if name == "--version" || name == "-version" {
		name = "version"
	}
	c, ok := find(name)
	if !ok {
		fmt.Fprintf(p.err, "refward: unknown command %q%s\n  next: refward help\n", name, didYouMean(name, names()))
		return exitUsage
	}
	err := c.run(p, ctx, p.args[1:])
	if status, said := errors.AsType[exitStatus](err); said {
		return int(status)
	}
	switch usage, isUsage := errors.AsType[usageError](err); {
	case err == nil:
		return exitOK
	case errors.Is(err, errHelp):
		c.manual(p.out)
		return exitOK
	case isUsage:
		fmt.Fprintf(p.err, "refward %s: %s\n  next: refward %s --help\n", c.name, usage.text, c.name)
		return exitUsage
	default:
		fmt.Fprintf(p.err, "refward %s: %v\n", c.name, err)
		return exitError
	}
}
