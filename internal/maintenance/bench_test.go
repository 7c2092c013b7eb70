package maintenance_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/maintenance"
	"github.com/refward/refward/internal/repo"
)

// cpuUsed is the processor time of this process and of those it waited for.
func cpuUsed(b *testing.B) (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

const benchPacks = 32

// manyPacks is a repository of 5,000 commits in as many packs as make a consolidation
// due, each of them large enough not to be inline.
func manyPacks(b *testing.B, h *host) *model {
	m := h.model(b, "payments")
	for range benchPacks {
		var last oid.ID
		all := made{}
		if tip, ok := m.refs[master]; ok {
			last = tip
		}
		for range 5000 / benchPacks {
			var parents []oid.ID
			if !last.IsZero() {
				parents = []oid.ID{last}
			}
			c := commit(b, text(2000), parents...)
			all.objects = append(all.objects, c.objects...)
			all.id, last = c.id, c.id
		}
		m.move(b, h, master, all)
	}
	return m
}

// BenchmarkConsolidate is the cost of making one pack with a bitmap of 32: divided by the
// pushes that made it due it is what maintenance adds to a push, for each time that a
// byte is written anew.
func BenchmarkConsolidate(b *testing.B) {
	var used time.Duration
	for b.Loop() {
		b.StopTimer()
		h := newHost(b, maintenance.Options{Packs: benchPacks + 1})
		m := h.model(b, "payments")
		m.grow(b, h, benchPacks, 500)
		b.StartTimer()
		before := cpuUsed(b)
		if err := h.Force(b.Context(), m.id); err != nil {
			b.Fatal(err)
		}
		used += cpuUsed(b) - before
	}
	b.ReportMetric(used.Seconds()*1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(used.Seconds()*1000/float64(b.N*benchPacks), "cpu-ms/push")
}

// BenchmarkClone is the work of a clone, as upload-pack has it done, of 5,000 commits
// before and after consolidation.
func BenchmarkClone(b *testing.B) {
	h := newHost(b, maintenance.Options{})
	m := manyPacks(b, h)
	clone := func(b *testing.B) {
		snap, err := h.db.Maintenance().Snapshot(b.Context(), m.id)
		if err != nil {
			b.Fatal(err)
		}
		o, err := h.house.Objects(b.Context(), snap)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = o.Close() }()
		view := filepath.Join(b.TempDir(), "view")
		objects := filepath.Join(view, "objects")
		err = errors.Join(repo.WriteBare(view, snap), os.RemoveAll(objects),
			os.Symlink(filepath.Join(h.folder, "cache", string(m.id), "objects"), objects))
		if err != nil {
			b.Fatal(err)
		}
		before := cpuUsed(b)
		for b.Loop() {
			err := h.git.Command("pack-objects").GitDir(view).Flag("--all").Flag("--stdout").Flag("--quiet").
				Flag("--delta-base-offset").Stdout(discard{}).Run(b.Context())
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric((cpuUsed(b)-before).Seconds()*1000/float64(b.N), "cpu-ms/op")
	}
	b.Run("32 packs", clone)
	if err := h.Force(b.Context(), m.id); err != nil {
		b.Fatal(err)
	}
	b.Run("one pack with a bitmap", clone)
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
