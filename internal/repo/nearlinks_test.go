package repo_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/share"
)

// treeEntry is an entry as it stands in a tree. A submodule may be one of anything.
func treeEntry(mode, name string, id oid.ID) string {
	return mode + " " + name + "\x00" + string(id[:])
}

// treeOf makes a tree of entries.
func treeOf(r *gittest.Repo, entries ...string) oid.ID {
	return r.Object("tree", strings.Join(entries, ""))
}

// commitOf makes a commit of a tree.
func commitOf(r *gittest.Repo, tree oid.ID, parents ...oid.ID) oid.ID {
	text := "tree " + tree.String() + "\n"
	for _, p := range parents {
		text += "parent " + p.String() + "\n"
	}
	return r.Object("commit", text+"author A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n\nm\n")
}

// TestNearSubmoduleOfAnotherKind: a submodule may name anything, and says nothing of what
// the client has.
func TestNearSubmoduleOfAnotherKind(t *testing.T) {
	change, ran := counted(t)
	h := newHost(t, change)
	r := gittest.Init(t)
	blob := r.Object("blob", randomText(2000))
	folder := treeOf(r, treeEntry("100644", "f", r.Object("blob", "in a folder\n")))
	one := commitOf(r, treeOf(r, treeEntry("160000", "a", blob), treeEntry("160000", "b", folder)))
	two := commitOf(r, treeOf(r, treeEntry("100644", "a", blob), treeEntry("40000", "b", folder)), one)
	r.Git("update-ref", "refs/heads/master", two.String())
	h.push(t, r.Pack("master"), master(two))
	wantPacked(t, h, r, ran, two, one)
}

// TestNearManyEntries: what is compared with what is bounded, however few objects there
// are to read.
func TestNearManyEntries(t *testing.T) {
	change, ran := counted(t)
	h := newHost(t, change)
	r := gittest.Init(t)
	large := func(mark string) oid.ID {
		blob := r.Object("blob", mark)
		lines := make([]string, 2000)
		for i := range lines {
			lines[i] = treeEntry("100644", fmt.Sprintf("f%06d", i), blob)
		}
		return treeOf(r, lines...)
	}
	one := commitOf(r, large("one"))
	parents := make([]oid.ID, 200) // all of them the same
	for i := range parents {
		parents[i] = one
	}
	two := commitOf(r, large("two"), one)
	three := commitOf(r, large("three"), parents...)
	r.Git("update-ref", "refs/heads/master", three.String())
	r.Git("update-ref", "refs/heads/side", two.String())
	h.push(t, r.Pack("master", "side"), master(three))
	wantPacked(t, h, r, ran, two, one)
	wantPacked(t, h, r, ran, three, one, "pack-objects")
}

// TestNearHasFewPlaces: however many ask at once, few packs are made at a time, because
// each may take a good deal of memory.
func TestNearHasFewPlaces(t *testing.T) {
	h := newHost(t)
	r := gittest.Init(t)
	tip := r.Commit("f", "1")
	h.push(t, r.Pack("master"), master(tip))
	var held []func()
	for i := range 2 * runtime.GOMAXPROCS(0) {
		release, err := h.TakePacking(share.As(t.Context(), fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, release)
	}
	done := make(chan string, 1)
	go func() { done <- h.ask(t, h.snapshot(), 2, fetchRequest("want "+tip.String(), "done")) }()
	for h.PackingWaits() == 0 {
		select {
		case <-done:
			t.Fatal("it was made without a place")
		default:
			runtime.Gosched()
		}
	}
	for _, release := range held {
		release()
	}
	if answer := <-done; !strings.Contains(answer, "PACK") {
		t.Errorf("the answer is %.100q", answer)
	}
}
