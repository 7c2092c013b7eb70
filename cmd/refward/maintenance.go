package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/refward/refward/internal/server"
)

func maintenanceManual(w io.Writer) {
	fmt.Fprint(w, `Usage: refward maintenance run [--data-dir DIR] [--repository NAME] [--force]

Does at once, on a host that does not run, what a running host does by itself: repositories with
many packs get one of them all, with a bitmap that makes clones cheap, and files that nothing has
named for the grace period are deleted. No object of a repository is dropped.

While the host runs this command is refused, because the host holds the data directory.

  --repository NAME   consolidate this repository alone
  --force             make one pack with a bitmap of each repository, due or not

and, as for refward serve, with the same variables in the environment:

`)
	settingsManual(w, maintenanceSettings())
}

// maintenanceSettings are those of serve that this command knows.
func maintenanceSettings() []string {
	return []string{"data-dir", "git", "log-format", "log-level", "maintenance-packs", "retention"}
}

func (p *program) maintenance(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usageError{"what is to be done is missing: refward maintenance run"}
	}
	if isHelp(args[0]) {
		return errHelp
	}
	if args[0] != "run" {
		return usageError{fmt.Sprintf("there is no command %q%s", "maintenance "+args[0], didYouMean(args[0], []string{"run"}))}
	}
	var m server.MaintainOptions
	o, err := parseFor("maintenance", args[1:], p.env, maintenanceSettings(), []setting{
		{name: "repository", value: "NAME", set: func(_ *options, v string) error { m.Repository = v; return nil }},
		{name: "force", set: func(_ *options, v string) error { m.Force = v == "true"; return nil }},
	})
	if err != nil {
		return err
	}
	o.Log = slog.New(p.logHandler(o))
	return server.Maintain(ctx, o.Config, m)
}
