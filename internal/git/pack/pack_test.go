package pack_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
)

// open indexes a pack with the real git and opens both files.
func open(t testing.TB, r *gittest.Repo, data []byte) *pack.File {
	t.Helper()
	base := filepath.Join(t.TempDir(), "p")
	if err := os.WriteFile(base+".pack", data, 0o600); err != nil {
		t.Fatal(err)
	}
	r.Git("index-pack", "-o", base+".idx", base+".pack")
	idx, err := os.ReadFile(base + ".idx")
	if err != nil {
		t.Fatal(err)
	}
	x, err := pack.NewIndex(bytes.NewReader(idx))
	if err != nil {
		t.Fatal(err)
	}
	return pack.NewFile(bytes.NewReader(data), int64(len(data)), x)
}

// TestReadsWhatGitPacked compares types, sizes and contents with git's own answers.
func TestReadsWhatGitPacked(t *testing.T) {
	r := gittest.Init(t)
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "line %d of a text that makes a good delta\n", i)
		if i%20 == 0 {
			r.Commit("dir/f", text.String())
		}
	}
	r.Git("tag", "-a", "-m", "t", "v1")
	for _, refDeltas := range []bool{false, true} {
		args := []string{"pack-objects", "--revs", "--stdout", "--quiet"}
		if !refDeltas {
			args = append(args, "--delta-base-offset")
		}
		f := open(t, r, r.Pipe(nil, append(args, "--all")...))
		deltas, budget := 0, int64(1<<20)
		all := pack.NewResolver(f, &budget)
		for i := range f.Index.Len() {
			id, err := f.Index.ID(i)
			if err != nil {
				t.Fatal(err)
			}
			offset, ok, err := f.Index.Find(id)
			if err != nil || !ok {
				t.Fatalf("%s is not found (%v)", id, err)
			}
			wantType, wantSize := r.Git("cat-file", "-t", id.String()), r.Git("cat-file", "-s", id.String())
			typ, err := f.Type(offset)
			if err != nil || typ.String() != wantType {
				t.Errorf("%s is a %s (%v), want %s", id, typ, err, wantType)
			}
			size, err := f.Size(offset)
			if err != nil || strconv.FormatInt(size, 10) != wantSize {
				t.Errorf("%s has %d bytes (%v), want %s", id, size, err, wantSize)
			}
			wantResolved(t, f, all, id, offset)
			if stored, err := f.Stored(offset, 1<<20); err != nil {
				t.Errorf("%s: %v", id, err)
			} else if stored.Delta {
				deltas++
			} else if stored.Type != typ || stored.Size != size {
				t.Errorf("%s is stored as a %s of %d bytes", id, stored.Type, stored.Size)
			}
		}
		if f.Index.Len() < 30 || deltas < 5 {
			t.Errorf("the test covered only %d objects and %d deltas", f.Index.Len(), deltas)
		}
		if _, ok, err := f.Index.Find(oid.ID{1}); ok || err != nil {
			t.Errorf("an object that is not there was found (%v)", err)
		}
	}
}

func TestEncode(t *testing.T) {
	objects := []object.Raw{
		{Type: object.Blob},
		{Type: object.Blob, Content: []byte("fifteen bytes.\n")},
		{Type: object.Blob, Content: bytes.Repeat([]byte("x"), 16)},
		{Type: object.Blob, Content: bytes.Repeat([]byte("0123456789"), 300_000)},
		{Type: object.Tree},
	}
	data, err := pack.Encode(objects)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := pack.ParseHeader(data); n != uint32(len(objects)) || err != nil {
		t.Errorf("the head tells of %d objects (%v)", n, err)
	}
	f := open(t, gittest.Init(t), data)
	for _, o := range objects {
		offset, ok, err := f.Index.Find(o.ID())
		if !ok || err != nil {
			t.Errorf("%s is not in the pack (%v)", o.ID(), err)
			continue
		}
		budget := int64(8 << 20)
		if _, content, err := pack.NewResolver(f, &budget).Resolve(offset); err != nil || !bytes.Equal(content, o.Content) {
			t.Errorf("%s comes back changed (%v)", o.ID(), err)
		}
	}
}

func TestLargeOffsets(t *testing.T) {
	// An index of two objects whose second is beyond 2 GiB.
	b := []byte("\xfftOc\x00\x00\x00\x02")
	for i := range 256 {
		b = binary.BigEndian.AppendUint32(b, uint32(min(i, 2)))
	}
	b = append(b, bytes.Repeat([]byte{1}, oid.Size)...)
	b = append(b, bytes.Repeat([]byte{2}, oid.Size)...)
	b = append(b, make([]byte, 8)...) // checksums
	b = binary.BigEndian.AppendUint32(b, 12)
	b = binary.BigEndian.AppendUint32(b, 1<<31)
	b = binary.BigEndian.AppendUint64(b, 1<<40+7)
	x, err := pack.NewIndex(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[oid.ID]int64{oid.ID(b[1032:1052]): 12, oid.ID(b[1052:1072]): 1<<40 + 7} {
		if got, ok, err := x.Find(id); got != want || !ok || err != nil {
			t.Errorf("%s is at %d (%v), want %d", id, got, err, want)
		}
	}
}

// FuzzFile: no pack and no index makes the readers panic or run away.
func FuzzFile(f *testing.F) {
	data, err := pack.Encode([]object.Raw{{Type: object.Blob, Content: []byte("x")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, int64(12))
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01\x61\x01x"), int64(12))
	f.Fuzz(func(t *testing.T, b []byte, offset int64) {
		_, _ = pack.ParseHeader(b)
		x, err := pack.NewIndex(bytes.NewReader(b))
		if err != nil {
			x, err = pack.NewIndex(bytes.NewReader(append([]byte("\xfftOc\x00\x00\x00\x02"), make([]byte, 1024)...)))
		}
		if err != nil {
			t.Fatal(err)
		}
		_, _, _ = x.Find(oid.ID{})
		p := pack.NewFile(bytes.NewReader(b), int64(len(b)), x)
		if size, err := p.Size(offset); err == nil && size < 0 {
			t.Errorf("size %d", size)
		}
		_, _ = p.Type(offset)
		budget := int64(1 << 20)
		if _, content, err := pack.NewResolver(p, &budget).Resolve(offset); budget < 0 || err == nil && len(content) > 1<<20 {
			t.Errorf("%d bytes (%v), %d of the budget left", len(content), err, budget)
		}
		_, _ = p.Stored(offset, 1<<20)
		if o, err := p.Order(); err == nil {
			_, _ = o.Stored(offset, 1<<20)
		}
	})
}
