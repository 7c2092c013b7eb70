package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// indexPackAlone is what git index-pack takes for everything that a first push of the
// corpus brings: what a host cannot do without. With strict it looks at each object as
// a host does that trusts nobody.
func (b *bench) indexPackAlone(ctx context.Context, m *made, strict bool) (time.Duration, error) {
	dir := filepath.Join(b.dir, "index-pack")
	defer os.RemoveAll(dir)
	if _, err := b.git.run(ctx, "", "init", "--quiet", "--bare", dir); err != nil {
		return 0, err
	}
	f, err := os.Open(m.pack)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	args := []string{"index-pack", "--stdin"}
	if strict {
		args = append(args, "--strict")
	}
	cmd := b.git.command(ctx, dir, args...)
	var errs bytes.Buffer
	cmd.Stdin, cmd.Stderr = f, &errs
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("git index-pack: %w\n%s", err, errs.Bytes())
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

// label names the row of a push of everything, with index-pack alone beside it.
func (b *bench) label(ctx context.Context, row string, m *made, turns int) (string, error) {
	var least [2]time.Duration
	for i, strict := range [...]bool{false, true} {
		for t := range turns {
			took, err := b.indexPackAlone(ctx, m, strict)
			if err != nil {
				return "", err
			}
			if t == 0 || took < least[i] {
				least[i] = took
			}
		}
	}
	return fmt.Sprintf("%s (`git index-pack` alone: %s, `--strict`: %s)", row, millis(least[0]), millis(least[1])), nil
}
