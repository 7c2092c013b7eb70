// Package policycmd is "refward policy": it validates, explains, formats and decides
// policy documents without a host. Each command is a file: its manual, its flags, and a
// function from those to an exit status.
//
// The commands read the files that they are given, standard input, and nothing else.
// All of them end with the same statuses: 0 for yes, 1 for no, 2 when they could not
// tell.
package policycmd

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// Exit statuses of all commands.
const (
	statusYes     = 0
	statusNo      = 1 // there are findings, the answer is deny, a file is formatted otherwise
	statusTrouble = 2 // the command line, a file or a policy was not understood
)

// Streams are where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// usageError is a command line that was not understood.
type usageError struct{ text string }

// Error implements error.
func (e usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// command is one word after "refward policy".
type command struct {
	name, short, manual string
	run                 func(ctx context.Context, s Streams, args []string) (status int, err error)
}

func commands() []command {
	return []command{
		{"validate", "find what is wrong, dangerous or without effect in policies", validateManual, runValidate},
		{"explain", "decide one request by policies, and say why", explainManual, runExplain},
		{"fmt", "print policies in one style, as gofmt does for Go", formatManual, runFormat},
		{"decide", "decide a request on each line of standard input", decideManual, runDecide},
	}
}

// Manual prints what "refward policy" is.
func Manual(w io.Writer) {
	fmt.Fprint(w, `Usage: refward policy COMMAND [--flag VALUE ...] [FILE ...]

Works on policy documents in files, without a host. FILE may be - for standard input.

Commands:
`)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-8s  %s\n", c.name, c.short)
	}
	fmt.Fprint(w, `
Exit status: 0 yes, 1 no, 2 trouble. The manual of a command says what yes and no are:
  refward policy explain --help
`)
}

// Run runs "refward policy" with what stands after it on the command line and returns
// the exit status.
func Run(ctx context.Context, s Streams, args []string) int {
	if len(args) == 0 {
		Manual(s.Err)
		return statusTrouble
	}
	name, rest := args[0], args[1:]
	if isHelp(name) || name == "help" {
		if len(rest) == 0 {
			Manual(s.Out)
			return statusYes
		}
		name, rest = rest[0], []string{"--help"}
	}
	for _, c := range commands() {
		if c.name == name {
			return c.call(ctx, s, rest)
		}
	}
	fmt.Fprintf(s.Err, "refward policy: unknown command %q\n  next: refward policy --help\n", name)
	return statusTrouble
}

func isHelp(arg string) bool { return arg == "-h" || arg == "--help" || arg == "-help" }

// call runs one command and words what went wrong.
func (c command) call(ctx context.Context, s Streams, args []string) int {
	status, err := c.run(ctx, s, args)
	switch usage, isUsage := errors.AsType[usageError](err); {
	case err == nil:
		return status
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(s.Out, c.manual)
		return statusYes
	case isUsage:
		fmt.Fprintf(s.Err, "refward policy %s: %s\n  next: refward policy %s --help\n", c.name, usage.text, c.name)
	default:
		fmt.Fprintf(s.Err, "refward policy %s: %v\n", c.name, err)
	}
	return statusTrouble
}

// newFlags makes a set of flags that prints nothing by itself.
func newFlags() *flag.FlagSet {
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs
}

// parseFlags reads flags, which may stand before and after the files, and returns the
// files. After -- everything is a file.
func parseFlags(fs *flag.FlagSet, args []string) ([]string, error) {
	var files []string
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			return nil, flagError(err)
		}
		rest := fs.Args()
		if n := len(args) - len(rest); n > 0 && args[n-1] == "--" {
			return append(files, rest...), nil
		}
		if len(rest) == 0 {
			break
		}
		files, args = append(files, rest[0]), rest[1:]
	}
	return files, nil
}

func flagError(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	if name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); unknown {
		return usagef("unknown flag --%s", strings.TrimPrefix(name, "-"))
	}
	return usageError{err.Error()}
}

// choice is a flag that takes one of a few words.
type choice[T any] struct {
	words  []string
	values []T
	to     *T
}

// String implements flag.Value.
func (c choice[T]) String() string { return "" }

// Set implements flag.Value.
func (c choice[T]) Set(v string) error {
	for i, w := range c.words {
		if v == w {
			*c.to = c.values[i]
			return nil
		}
	}
	return fmt.Errorf("it is one of %s", strings.Join(c.words, ", "))
}

// repeated is a flag that may be given several times.
type repeated struct{ to *[]string }

// String implements flag.Value.
func (l repeated) String() string { return "" }

// Set implements flag.Value.
func (l repeated) Set(v string) error {
	*l.to = append(*l.to, v)
	return nil
}
