package repo_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/repo"
)

// counting makes a host run its git through a script that writes down each time it is
// run. ran returns these lines, and forgets them.
func counting(t testing.TB) (change func(*repo.Options), ran func() string) {
	t.Helper()
	gittest.Require(t)
	real, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "log")
	wrapper := filepath.Join(t.TempDir(), "git")
	text := "#!/bin/sh\necho \"$@\" >> '" + log + "'\nexec '" + real + "' \"$@\"\n"
	if err := os.WriteFile(wrapper, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	change = func(o *repo.Options) {
		if o.Git, err = gitcmd.Open(t.Context(), gitcmd.Options{Path: wrapper}); err != nil {
			t.Fatal(err)
		}
	}
	return change, func() string {
		lines, err := os.ReadFile(log)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if err := os.WriteFile(log, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return string(lines)
	}
}

// counted is counting, by the names of the commands that matter.
func counted(t testing.TB) (change func(*repo.Options), ran func() []string) {
	t.Helper()
	change, lines := counting(t)
	return change, func() (names []string) {
		for line := range strings.Lines(lines()) {
			for _, name := range []string{"upload-pack", "pack-objects", "cat-file", "index-pack"} {
				if strings.Contains(line, name) {
					names = append(names, name)
					break
				}
			}
		}
		return names
	}
}
