package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/refward/refward/internal/server"
)

func fsckManual(w io.Writer) {
	fmt.Fprint(w, `Usage: refward fsck [--data-dir DIR] [--format text|json]

Checks a host that does not run, from what is stored and without its cache: the database; that the
file of every pack is there and is what was stored; every object by git fsck; that every ref names an
object that is there, and that its history leads to where it is; default branches; the decision log's
chain. Files that wait to be deleted are listed as notes. Nothing is changed.

Exit status: 0 nothing is wrong, 1 something is, with what to do next, 2 the check could not be made.

  --format text|json  form of the report on standard output (text)

and, as for refward serve, with the same variables in the environment:

`)
	settingsManual(w, fsckSettings())
}

// fsckSettings are those of serve that this command knows.
func fsckSettings() []string { return []string{"data-dir", "git", "log-format", "log-level"} }

func (p *program) fsck(ctx context.Context, args []string) error {
	format := "text"
	o, err := parseFor("fsck", args, p.env, fsckSettings(), []setting{
		{name: "format", value: "text|json", set: func(_ *options, v string) error {
			if v != "text" && v != "json" {
				return fmt.Errorf("%q is neither text nor json", v)
			}
			format = v
			return nil
		}},
	})
	if err != nil {
		return err
	}
	o.Log = slog.New(p.logHandler(o))
	report, err := server.Fsck(ctx, o.Config)
	if err == nil {
		write := report.WriteText
		if format == "json" {
			write = report.WriteJSON
		}
		err = write(p.out)
	}
	if err != nil {
		fmt.Fprintf(p.err, "refward fsck: the check could not be made: %v\n", err)
		return exitStatus(exitUsage)
	}
	if !report.Clean() {
		return exitStatus(exitError)
	}
	return nil
}
