package repo

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/refward/refward/internal/git/gitcmd"
)

// ourFaults are parts of what git says when it failed for a reason that is the host's
// and not the pack's.
var ourFaults = []string{
	"no space left", "disk quota exceeded", "read-only file system", "input/output error", "permission denied",
	"too many open files", "cannot allocate", "unable to create", "cannot create", "unable to write", "cannot write",
	"write error", "cannot store", "unable to open", "cannot open", "mmap failed", "unable to get disk usage",
	"not a git repository", "cannot fork", "unable to create thread", "unable to map",
}

// maxReason bounds the text that a pusher gets to read.
const maxReason = 300

// packError makes of index-pack's failure what it means: a pack that is refused, with
// a reason to read, or trouble of our own.
func packError(err error) error {
	exit, ok := errors.AsType[*gitcmd.ExitError](err)
	if !ok {
		return err // the reader's, the context's, or that git could not be run
	}
	said := strings.ToLower(exit.Stderr)
	if strings.Contains(said, "out of memory") {
		return fmt.Errorf("%w: its objects need more memory to unpack than this host allows", ErrTooLarge)
	}
	if exit.Code < 0 || exit.Stderr == "" {
		return err
	}
	for _, fault := range ourFaults {
		if strings.Contains(said, fault) {
			return err
		}
	}
	return fmt.Errorf("%w: %s", ErrBadPack, reason(exit.Stderr))
}

// reason makes one line of what git said: the problems of objects if it named any, and
// else its last word.
func reason(stderr string) string {
	var problems []string
	last := ""
	for line := range strings.FieldsFuncSeq(stderr, func(r rune) bool { return r == '\n' || r == '\r' }) {
		line = strings.TrimSpace(line)
		kind, text, ok := strings.Cut(line, ": ")
		if !ok || strings.HasPrefix(line, "Resolving deltas") {
			continue
		}
		switch {
		case slices.Contains(problems, text): // git names it once for each place that it is seen at
		case kind == "error" || strings.HasPrefix(kind, "error in "):
			problems = append(problems, text)
		case kind == "fatal":
			last = text
		}
	}
	if len(problems) > 0 && (last == "" || strings.HasPrefix(last, "fsck error")) {
		last = strings.Join(problems, "; ")
	}
	if last == "" {
		last = "git index-pack could not read it"
	}
	last = strings.Map(printable, last)
	if len(last) > maxReason {
		last = strings.ToValidUTF8(last[:maxReason], "") + "…"
	}
	return last
}

// printable replaces what must not reach a terminal: file names in a pack are anybody's
// bytes.
func printable(r rune) rune {
	if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
		return '?'
	}
	return r
}
