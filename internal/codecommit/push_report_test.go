package codecommit

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// reasons are the reasons of a push's results by ref; an empty one is success.
func reasons(p *push) map[refname.Name]string {
	all := map[refname.Name]string{}
	for _, r := range p.results {
		all[r.Ref] = r.Reason
	}
	return all
}

func TestNewPush(t *testing.T) {
	one := oid.ID{1}
	long := refname.Branch(strings.Repeat("x", refname.MaxBranchLen+1))
	const outside = "only refs/heads/, refs/tags/ and refs/notes/ can be pushed to"
	for ref, want := range map[refname.Name]string{
		"refs/heads/a":       "",
		"refs/tags/v1":       "",
		"refs/notes/commits": "",
		"refs/pull/1/head":   outside,
		"refs/refward/x":     outside,
		"refs/remotes/o/a":   outside,
		"refs/stash":         "funny refname",
		"HEAD":               "funny refname",
		"master":             "funny refname",
		"":                   "funny refname",
		"refs/heads/a..b":    "funny refname",
		"refs/heads/":        "funny refname",
		"refs/heads/../x":    "funny refname",
		long:                 "funny refname",
	} {
		p := newPush(&GitPushInput{Commands: []RefCommand{{Ref: ref, New: one}}})
		if got := p.results[0].Reason; got != want {
			t.Errorf("%.40q: got %q, want %q", ref, got, want)
		}
	}
	p := newPush(&GitPushInput{Commands: []RefCommand{
		{Ref: "refs/heads/twice", New: one},
		{Ref: "refs/heads/once", New: one},
		{Ref: "refs/heads/twice", Old: one},
		{Ref: "refs/heads/none"},
	}})
	want := map[refname.Name]string{
		"refs/heads/twice": "multiple updates for one ref are not allowed",
		"refs/heads/once":  "",
		"refs/heads/none":  "the reference does not exist",
	}
	if diff := cmp.Diff(want, reasons(p)); diff != "" {
		t.Error(diff)
	}
}

func TestPushCompare(t *testing.T) {
	a, b, c := oid.ID{1}, oid.ID{2}, oid.ID{3}
	snap := &repo.Snapshot{Head: "refs/heads/master", Refs: repo.NewRefs([]repo.Ref{
		{Name: "refs/heads/master", OID: a}, {Name: "refs/heads/x", OID: b},
	})}
	for _, tc := range []struct {
		name    string
		command RefCommand
		want    string
	}{
		{"update", RefCommand{"refs/heads/x", b, c}, ""},
		{"create", RefCommand{"refs/heads/new", oid.Zero, c}, ""},
		{"delete", RefCommand{"refs/heads/x", b, oid.Zero}, ""},
		{"what is so already", RefCommand{"refs/heads/x", b, b}, ""},
		{"update that lost", RefCommand{"refs/heads/x", c, a}, "fetch first"},
		{"update of a deleted ref", RefCommand{"refs/heads/gone", c, a}, "fetch first"},
		{"create of what exists", RefCommand{"refs/heads/x", oid.Zero, a}, "stale info"},
		{"delete that lost", RefCommand{"refs/heads/x", c, oid.Zero}, "stale info"},
		{"delete of nothing", RefCommand{"refs/heads/gone", c, oid.Zero}, "the reference does not exist"},
		{"delete of the default branch", RefCommand{"refs/heads/master", a, oid.Zero}, headReason},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPush(&GitPushInput{Commands: []RefCommand{tc.command}})
			p.compare(snap)
			if got := p.results[0].Reason; got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestPushAtomic(t *testing.T) {
	commands := []RefCommand{{Ref: "refs/heads/a", New: oid.ID{1}}, {Ref: "refs/heads/b", New: oid.ID{1}}}
	for _, atomic := range []bool{true, false} {
		p := newPush(&GitPushInput{Commands: commands, Atomic: atomic})
		if p.over() {
			t.Fatal("over before anything was refused")
		}
		p.lose(lostMoves{{"refs/heads/a", errStaleRef}})
		want := map[refname.Name]string{"refs/heads/a": "stale info", "refs/heads/b": ""}
		if atomic {
			want["refs/heads/b"] = "atomic push failed"
		}
		if over := p.over(); over != atomic {
			t.Errorf("atomic %v: over %v", atomic, over)
		}
		if diff := cmp.Diff(want, reasons(p)); diff != "" {
			t.Errorf("atomic %v: %s", atomic, diff)
		}
	}
}

func TestPushLose(t *testing.T) {
	p := newPush(&GitPushInput{Commands: []RefCommand{
		{Ref: "refs/heads/a/b", New: oid.ID{1}},
		{Ref: "refs/heads/head", Old: oid.ID{1}},
		{Ref: "refs/heads/c", Old: oid.ID{1}, New: oid.ID{2}},
		{Ref: "refs/heads/d", New: oid.ID{1}},
	}})
	p.lose(lostMoves{
		{"refs/heads/a/b", &refConflict{"refs/heads/a"}},
		{"refs/heads/head", errHeadRef},
		{"refs/heads/c", errStaleRef},
	})
	want := map[refname.Name]string{
		"refs/heads/a/b":  "refs/heads/a exists; cannot create refs/heads/a/b beside it",
		"refs/heads/head": headReason,
		"refs/heads/c":    "fetch first",
		"refs/heads/d":    "",
	}
	if diff := cmp.Diff(want, reasons(p)); diff != "" {
		t.Error(diff)
	}
	p.fail("bad pack")
	want["refs/heads/d"] = "unpacker error"
	if diff := cmp.Diff(want, reasons(p)); diff != "" {
		t.Errorf("the first reason must stay: %s", diff)
	}
}

func TestOneLine(t *testing.T) {
	if got := oneLine("a\nb\r\nc\n"); got != "a; b; c" {
		t.Errorf("got %q", got)
	}
}

func TestLostMovesAreAnError(t *testing.T) {
	err := errors.Join(lostMoves{{"refs/heads/a", errStaleRef}})
	if lost, ok := errors.AsType[lostMoves](err); !ok || lost[0].ref != "refs/heads/a" {
		t.Errorf("got %v", err)
	}
	if !notCommitted(err) || notCommitted(errors.New("disk full")) {
		t.Error("only decisions of ours are known not to have committed")
	}
}
