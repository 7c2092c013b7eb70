package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// installed returns a peer's binary in the work folder, which build makes there if it is
// not: once for each version.
func installed(ctx context.Context, work, name, version string, build func(ctx context.Context, bin string) error) (string, error) {
	bin := filepath.Join(work, name+"-"+version)
	if _, err := os.Stat(bin); !errors.Is(err, fs.ErrNotExist) {
		return bin, err
	}
	fmt.Fprintf(os.Stderr, "%s %s is built; the first time takes minutes\n", name, version)
	if err := build(ctx, bin); err != nil {
		return "", fmt.Errorf("%s %s cannot be built here: %w", name, version, err)
	}
	return bin, nil
}

// moduleSource downloads a module and returns the folder with a copy of its source that
// may be built in: where "go install" refuses one whose go.mod has replacements.
func moduleSource(ctx context.Context, work, module, version string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module+"@"+version)
	cmd.Dir = work // outside this module
	out, err := cmd.Output()
	var m struct{ Dir, Error string }
	if e := json.Unmarshal(out, &m); err != nil || e != nil || m.Dir == "" {
		return "", fmt.Errorf("download %s@%s: %v %s", module, version, firstOf(err, e), m.Error)
	}
	src := filepath.Join(work, filepath.Base(module)+"-"+version+"-source")
	if err := os.RemoveAll(src); err != nil {
		return "", err
	}
	return src, os.CopyFS(src, os.DirFS(m.Dir))
}

// goBuild runs "go build" or "go install" in a folder; the error ends with the last of
// what it printed.
func goBuild(ctx context.Context, dir string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("go %s: %w: %s", args[0], err, strings.Join(lines[max(0, len(lines)-2):], " "))
	}
	return nil
}
