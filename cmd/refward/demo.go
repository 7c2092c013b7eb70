package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/person"
	"github.com/refward/refward/internal/secret"
	"github.com/refward/refward/internal/server"
)

func demoManual(w io.Writer) {
	fmt.Fprint(w, `Usage: refward demo

Plays the story that Refward exists for, on a host of its own that is gone afterwards, with the
git on the PATH: juniors push branches and open pull requests, approvers merge them, and one IAM
policy keeps the juniors off master. Each step is printed with what was expected and what was seen.

Exit status 1 if a step went otherwise.
`)
}

func (p *program) demo(ctx context.Context, args []string) (err error) {
	if err := noArguments(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "refward-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	start := time.Now()
	keyID, key := secret.NewID(secret.AccessKey), secret.NewAccessKeySecret()
	s, err := server.Open(ctx, server.Config{
		DataDir:             filepath.Join(dir, "data"),
		Listen:              "127.0.0.1:0",
		SSHListen:           "127.0.0.1:0",
		RootAccessKeyID:     keyID,
		RootSecretAccessKey: key,
		Log:                 slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(running) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended, s.Close())
	}()

	fmt.Fprintf(p.out, "A host for this demonstration: %s, account %s (%.1fs)\n", s.URL(), s.Account(), time.Since(start).Seconds())
	root, err := person.New(person.Place{URL: s.URL(), Region: server.DefaultRegion}, dir, "root", keyID, key.Reveal())
	if err != nil {
		return err
	}
	if err := demo.Play(ctx, p.out, root, s.Account(), dir); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%.1fs in all. Next: refward serve, and refward help (in a checkout: go run ./cmd/refward serve).\n", time.Since(start).Seconds())
	return nil
}
