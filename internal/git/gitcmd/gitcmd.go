// Package gitcmd runs the git binary: with typed arguments, an environment made from
// nothing, bounded output, a bounded number of processes, and an end by force to the
// process and its children when the context ends. What git is asked to do is the
// caller's business; the long-lived object readers are in git/catfile.
package gitcmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/refward/refward/internal/share"
)

// MinVersion is the oldest git that is known to do all that is asked of it.
var MinVersion = Version{2, 39}

// ErrTooOld is returned, wrapped with the next step, for a git before [MinVersion].
var ErrTooOld = errors.New("git is too old")

// Options are what [Open] needs to know. The zero value works.
type Options struct {
	Path string // of the git binary; empty: the "git" of $PATH
	Home string // private folder for HOME; empty: one that does not exist

	// Receiving, Sending and Working bound how many processes of each [Class] run at
	// once. Zero: 32, 64, and two for each processor.
	Receiving, Sending, Working int

	// Tidying bounds how many processes of that class run at once. Zero: one.
	Tidying int

	// Wait bounds how long a process waits for its place. Zero: 2 minutes.
	Wait time.Duration
}

// defaultWait is as long as a client may stall.
const defaultWait = 2 * time.Minute

// Class says what a process mostly waits for, and so how many of them may run at once.
// A slow client holds a place among its like only, and whoever the context names (see
// package share) holds a quarter of those at most; of [Working], whose processes end by
// themselves, half.
type Class uint8

// The classes.
const (
	Working   Class = iota // computes: merge-base, merge-tree, diff-tree
	Receiving              // reads from a client: index-pack
	Sending                // writes to a client: upload-pack
	Tidying                // rewrites packs while nobody waits, with low priority: pack-objects
	classes
)

// String returns the class's name in metrics.
func (c Class) String() string { return [...]string{"work", "receive", "send", "tidy"}[c] }

// Classes are all of them.
func Classes() []Class { return []Class{Working, Receiving, Sending, Tidying} }

// Git runs one git binary. Safe for concurrent use.
type Git struct {
	path    string
	home    string
	version Version
	places  [classes]*share.Gate
}

// Version is a version of git, as far as it matters here.
type Version struct{ Major, Minor int }

// String returns the version as in "2.39".
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// AtLeast reports whether v is w or newer.
func (v Version) AtLeast(w Version) bool {
	return v.Major > w.Major || v.Major == w.Major && v.Minor >= w.Minor
}

// probeTime bounds how long git may take to say its version.
const probeTime = 20 * time.Second

// Open finds git and checks that it is new enough.
func Open(ctx context.Context, o Options) (*Git, error) {
	name := o.Path
	if name == "" {
		name = "git"
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return nil, fmt.Errorf("find git: %w: install Git %s or newer, or name its binary", err, MinVersion)
	}
	if found, err = filepath.Abs(found); err != nil {
		return nil, fmt.Errorf("find git: %w", err)
	}
	g := &Git{path: found, home: o.Home}
	if g.home == "" {
		g.home = "/nonexistent"
	}
	g.openPlaces(o)
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	out, err := g.Command("version").Output(ctx, 1024)
	if err != nil {
		return nil, fmt.Errorf("ask %s for its version: %w", found, err)
	}
	if g.version, err = parseVersion(string(out)); err != nil {
		return nil, fmt.Errorf("ask %s for its version: %w", found, err)
	}
	if !g.version.AtLeast(MinVersion) {
		return nil, fmt.Errorf("%w: %s is version %s, and %s is the oldest that works: install a newer Git, or name another binary",
			ErrTooOld, found, g.version, MinVersion)
	}
	return g, nil
}

// openPlaces makes the gates before the processes of each class.
func (g *Git) openPlaces(o Options) {
	wait := o.Wait
	if wait == 0 {
		wait = defaultWait
	}
	working := orElse(o.Working, 2*runtime.GOMAXPROCS(0))
	for class, gate := range map[Class]share.Options{
		Receiving: {What: "pushes", Places: orElse(o.Receiving, 32)},
		Sending:   {What: "clones and fetches", Places: orElse(o.Sending, 64)},
		Working:   {What: "questions about history", Places: working, Share: max(working/2, 1)},
		Tidying:   {What: "consolidations", Places: orElse(o.Tidying, 1)},
	} {
		gate.Wait = wait
		g.places[class] = share.New(gate)
	}
}

// Places returns the gate before the processes of a class.
func (g *Git) Places(c Class) *share.Gate { return g.places[c] }

func orElse(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// parseVersion reads the likes of "git version 2.39.5 (Apple Git-154)".
func parseVersion(out string) (Version, error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(out), "git version ")
	parts := strings.SplitN(text, ".", 3)
	if !ok || len(parts) < 2 {
		return Version{}, fmt.Errorf("%.80q is not a version of git", out)
	}
	major, err := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(leadingDigits(parts[1]))
	if err != nil || err2 != nil {
		return Version{}, fmt.Errorf("%.80q is not a version of git", out)
	}
	return Version{Major: major, Minor: minor}, nil
}

func leadingDigits(s string) string {
	return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
}

// Version returns the version found.
func (g *Git) Version() Version { return g.version }

// environment is all that a child sees. PATH is for git's own helpers.
func (g *Git) environment() []string {
	return []string{
		"PATH=" + filepath.Dir(g.path) + string(os.PathListSeparator) + "/usr/local/bin:/usr/bin:/bin",
		"HOME=" + g.home,
		"LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_NO_REPLACE_OBJECTS=1",
		"GIT_NO_LAZY_FETCH=1",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_ATTR_NOSYSTEM=1",
		"GIT_OPTIONAL_LOCKS=0",
	}
}
