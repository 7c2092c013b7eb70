package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/refward/refward/internal/server"
)

func serveManual(w io.Writer) {
	fmt.Fprint(w, `Usage: refward serve [--flag VALUE ...]

Runs a host until it gets SIGINT or SIGTERM; it then takes no new requests, lets those under way
finish, and exits with status 0. A second signal ends it at once: what was acknowledged is safe.

Every flag can be given in the environment instead; a flag wins. All have a default, in brackets.

`)
	settingsManual(w, nil)
	fmt.Fprint(w, "\nOnly in the environment, because they are secrets or belong to one:\n\n")
	for _, s := range settings() {
		if s.envOnly {
			fmt.Fprintf(w, "  %s\n        %s\n", s.env(), s.means)
		}
	}
	fmt.Fprint(w, `
Files in the data directory that are for you:
  endpoints.json     the addresses in use, from when the host answers until it stops
  root-credentials   the root access key that was made on the first start, as a shared
                     credentials file: export AWS_SHARED_CREDENTIALS_FILE=DIR/root-credentials
  master.key         opens the secrets in the database: keep a copy apart from it

For a first call:
  export AWS_ENDPOINT_URL=http://127.0.0.1:8417 AWS_DEFAULT_REGION=us-east-1
  export AWS_SHARED_CREDENTIALS_FILE=$PWD/refward-data/root-credentials
  aws sts get-caller-identity
`)
}

// settingsManual prints the settings of these names (nil: all) that are flags.
func settingsManual(w io.Writer, names []string) {
	for _, s := range settings() {
		if s.envOnly || names != nil && !slices.Contains(names, s.name) {
			continue
		}
		fmt.Fprintf(w, "  --%s %s\n  %s\n        %s\n", s.name, s.value, s.env(), s.means)
	}
}

func (p *program) serve(ctx context.Context, args []string) (err error) {
	o, err := parse(args, p.env)
	if err != nil {
		return err
	}
	o.Log = slog.New(p.logHandler(o))
	o.Out = p.out
	s, err := server.Open(ctx, o.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Run(ctx)
}

func (p *program) logHandler(o options) slog.Handler {
	how := &slog.HandlerOptions{Level: o.logLevel}
	if o.logFormat == "json" {
		return slog.NewJSONHandler(p.err, how)
	}
	return slog.NewTextHandler(p.err, how)
}
