package repo_test

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// smallPush is a repository with a history, and the pack of one more commit.
func smallPush(b *testing.B, h *host) (data []byte, base, tip oid.ID) {
	r, commits := history(b, h)
	base = commits[4]
	tip = r.Commit("dir/new", "a small file\n")
	return r.Pack("master", "^"+base.String()), base, tip
}

// cpu reports the processor time of this process and of those it waited for: on a busy
// machine it says more than the wall clock.
func cpu(b *testing.B) (report func()) {
	used := func() (sum time.Duration) {
		for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
			var u syscall.Rusage
			if err := syscall.Getrusage(who, &u); err != nil {
				b.Fatal(err)
			}
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
		return sum
	}
	before := used()
	return func() { b.ReportMetric((used()-before).Seconds()*1000/float64(b.N), "cpu-ms/op") }
}

// BenchmarkSpawn is the yardstick: the least that a process costs.
func BenchmarkSpawn(b *testing.B) {
	h := newHost(b)
	defer cpu(b)()
	for b.Loop() {
		if err := h.options.Git.Command("version").Run(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReceive is what a small push costs here: pack, checks, fast-forward test,
// the bytes for the transaction.
func BenchmarkReceive(b *testing.B) {
	h := newHost(b)
	data, base, tip := smallPush(b, h)
	snap := h.snapshot()
	defer cpu(b)()
	for b.Loop() {
		in, err := h.Receive(b.Context(), snap, bytes.NewReader(data), []oid.ID{tip}, repo.Limits{BlobBytes: 1 << 30}, nil)
		if err != nil {
			b.Fatal(err)
		}
		o, err := in.Objects(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if ok, err := o.IsAncestor(b.Context(), base, tip); !ok || err != nil {
			b.Fatal(ok, err)
		}
		_ = o.Close()
		if _, ok, err := in.Publish(b.Context()); !ok || err != nil {
			b.Fatal(err)
		}
		in.Discard()
	}
}

func BenchmarkReceiveParallel(b *testing.B) {
	h := newHost(b)
	data, _, tip := smallPush(b, h)
	snap := h.snapshot()
	defer cpu(b)()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			in, err := h.Receive(b.Context(), snap, bytes.NewReader(data), []oid.ID{tip}, repo.Limits{}, nil)
			if err != nil {
				b.Fatal(err)
			}
			in.Discard()
		}
	})
}

func BenchmarkBuild(b *testing.B) {
	h := newHost(b)
	_, base, _ := smallPush(b, h)
	snap := h.snapshot()
	who := object.Signature{Name: "A", Email: "a@b", Date: "1 +0000"}
	o, err := h.Objects(b.Context(), snap)
	if err != nil {
		b.Fatal(err)
	}
	parent, err := o.Commit(b.Context(), base)
	if err != nil {
		b.Fatal(err)
	}
	_ = o.Close()
	c := object.CommitObject{Tree: parent.Tree, Parents: []oid.ID{base}, Author: who, Committer: who, Message: "m"}
	raw := object.Raw{Type: object.Commit, Content: c.Encode()}
	defer cpu(b)()
	for b.Loop() {
		in, err := h.Build(b.Context(), snap, []object.Raw{raw}, []oid.ID{raw.ID()})
		if err != nil {
			b.Fatal(err)
		}
		in.Discard()
	}
}

func BenchmarkCommit(b *testing.B) {
	h := newHost(b)
	_, base, _ := smallPush(b, h)
	o, err := h.Objects(b.Context(), h.snapshot())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = o.Close() }()
	for b.Loop() {
		if _, err := o.Commit(b.Context(), base); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWarmCache is what every request pays before it reads.
func BenchmarkWarmCache(b *testing.B) {
	h := newHost(b)
	_, _, _ = smallPush(b, h)
	snap := h.snapshot()
	for i := range 45 { // as many packs as there may be before they are consolidated
		snap.Packs = append(snap.Packs, snap.Packs[i%5])
	}
	for b.Loop() {
		o, err := h.Objects(b.Context(), snap)
		if err != nil {
			b.Fatal(err)
		}
		_ = o.Close()
	}
}

// BenchmarkColdCache fills the cache of a repository of five inline packs.
func BenchmarkColdCache(b *testing.B) {
	h := newHost(b)
	_, _, _ = smallPush(b, h)
	snap := h.snapshot()
	defer cpu(b)()
	for b.Loop() {
		if err := h.Remove(theID); err != nil {
			b.Fatal(err)
		}
		o, err := h.Objects(b.Context(), snap)
		if err != nil {
			b.Fatal(err)
		}
		_ = o.Close()
	}
}

// BenchmarkView writes the refs of a repository as git wants them.
func BenchmarkView(b *testing.B) {
	h := newHost(b)
	_, _, tip := smallPush(b, h)
	for n := range 10_000 {
		name := refname.Branch(fmt.Sprintf("b%05d", n))
		h.refs[name] = repo.Ref{Name: name, OID: tip}
	}
	snap := h.snapshot()
	body := "0014command=ls-refs\n00010017ref-prefix nothing\n0000"
	defer cpu(b)()
	for b.Loop() {
		snap.Gen++
		var out bytes.Buffer
		if err := h.UploadPack(b.Context(), snap, 2, bytes.NewReader([]byte(body)), &out); err != nil {
			b.Fatal(err, out.String())
		}
	}
}
