package repo_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/repo"
)

// wholeRepository is the pack of a repository with so many commits, each of which
// changes three files of five hundred.
func wholeRepository(b *testing.B, commits int) (data []byte, tip oid.ID) {
	b.Helper()
	r := gittest.Init(b)
	rnd := rand.New(rand.NewPCG(1, 2))
	word := func() string { return fmt.Sprintf("%x", rnd.Uint32()>>12) }
	files := make([][]string, 500)
	for i := range files {
		for range 60 {
			files[i] = append(files[i], strings.Join([]string{word(), word(), word(), word()}, " "))
		}
	}
	var stream bytes.Buffer
	for n := range commits {
		fmt.Fprintf(&stream, "commit refs/heads/master\ncommitter a <a@example.com> %d +0000\ndata 2\nm\n", 1_700_000_000+n)
		for range 3 {
			i := rnd.IntN(len(files))
			files[i][rnd.IntN(len(files[i]))] = word() + " " + word()
			text := strings.Join(files[i], "\n")
			fmt.Fprintf(&stream, "M 644 inline dir%d/sub%d/file%d\ndata %d\n%s\n", i%5, i%25, i, len(text), text)
		}
	}
	r.Pipe(stream.Bytes(), "fast-import", "--quiet")
	return r.Pack("master"), r.ID("master")
}

// BenchmarkWhole is the first push of a whole repository, beside what git needs for its
// pack alone.
func BenchmarkWhole(b *testing.B) {
	h := newHost(b)
	data, tip := wholeRepository(b, 4000)
	b.Logf("%d bytes", len(data))
	snap := h.snapshot()
	for name, args := range map[string][]string{"git index-pack": nil, "git index-pack strict": {"--strict"}} {
		b.Run(name, func(b *testing.B) {
			r := gittest.Init(b)
			defer cpu(b)()
			for b.Loop() {
				r.Pipe(data, append([]string{"index-pack", "--stdin", "--threads=2"}, args...)...)
				found, err := filepath.Glob(filepath.Join(r.Dir, ".git/objects/pack/*"))
				if err != nil || len(found) == 0 {
					b.Fatal(found, err)
				}
				for _, f := range found {
					if err := os.Remove(f); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
	b.Run("Receive and Publish", func(b *testing.B) {
		defer cpu(b)()
		for b.Loop() {
			in, err := h.Receive(b.Context(), snap, bytes.NewReader(data), []oid.ID{tip}, repo.Limits{BlobBytes: 2 << 30}, nil)
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err := in.Publish(b.Context()); err != nil {
				b.Fatal(err)
			}
			in.Abandon()
		}
	})
}
