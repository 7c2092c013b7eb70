package main

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
)

func helpManual(w io.Writer) {
	fmt.Fprint(w, `Refward is a Git host guarded by IAM policy. It speaks the APIs of AWS CodeCommit, IAM
and STS, and Git over HTTP and SSH; every call and every change of a ref is one decision by policy.

Usage: refward COMMAND [--flag VALUE ...]

Commands:
`)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-11s  %s\n", c.name, c.short)
	}
	fmt.Fprint(w, `
To begin:
  refward demo        the story, played on a host that is gone afterwards
  refward serve       a host on http://127.0.0.1:8417, its data in ./refward-data

Exit status: 0 done, 1 something went wrong, 2 the command line was not understood.
`)
}

func (p *program) help(ctx context.Context, args []string) error {
	if len(args) == 0 {
		helpManual(p.out)
		return nil
	}
	c, ok := find(args[0])
	switch {
	case !ok:
		return usageError{fmt.Sprintf("there is no command %q%s", args[0], didYouMean(args[0], names()))}
	case c.name == "policy" && len(args) == 2:
		return p.policy(ctx, []string{args[1], "--help"})
	case len(args) > 1:
		return usageError{fmt.Sprintf("there is no command %q", strings.Join(args, " "))}
	}
	c.manual(p.out)
	return nil
}

func versionManual(w io.Writer) {
	fmt.Fprint(w, "Usage: refward version\n\nPrints the version, the revision it was built from, and the version of Go.\n")
}

func (p *program) version(_ context.Context, args []string) error {
	if err := noArguments(args); err != nil {
		return err
	}
	version, revision, golang := "(devel)", "", ""
	if b, ok := debug.ReadBuildInfo(); ok {
		golang = b.GoVersion
		if b.Main.Version != "" {
			version = b.Main.Version
		}
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value
			}
		}
	}
	_, err := fmt.Fprintf(p.out, "refward %s%s %s\n", version, revision, golang)
	return err
}

func noArguments(args []string) error {
	if len(args) == 0 {
		return nil
	}
	if isHelp(args[0]) {
		return errHelp
	}
	return usageError{fmt.Sprintf("it takes no argument, and %q was given", args[0])}
}

func isHelp(arg string) bool { return arg == "-h" || arg == "--help" || arg == "-help" }
