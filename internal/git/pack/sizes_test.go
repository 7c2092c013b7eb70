package pack_test

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/pack"
)

// TestFindOversized: for every limit around every size the answer is the one that
// looking at each object gives.
func TestFindOversized(t *testing.T) {
	r := gittest.Init(t)
	var text strings.Builder
	for i := range 300 {
		fmt.Fprintf(&text, "line %d of a text that makes a good delta\n", i)
		if i%10 == 0 {
			r.Commit("dir/f", text.String())
			r.Write(fmt.Sprintf("dir/g%d", i), text.String()[:i])
		}
	}
	r.Git("tag", "-a", "-m", "t", "v1")
	for _, ofs := range []string{"--delta-base-offset", "--no-reuse-delta"} {
		f := open(t, r, r.Pipe(nil, "pack-objects", "--revs", "--stdout", "--quiet", ofs, "--all"))
		type sized struct {
			typ  object.Type
			size int64
		}
		all := map[string]sized{}
		largest := map[object.Type]int64{}
		for i := range f.Index.Len() {
			id, _ := f.Index.ID(i)
			offset, _, _ := f.Index.Find(id)
			typ, err := f.Type(offset)
			if err != nil {
				t.Fatal(err)
			}
			size, err := f.Size(offset)
			if err != nil {
				t.Fatal(err)
			}
			all[id.String()] = sized{typ, size}
			largest[typ] = max(largest[typ], size)
		}
		if over, err := f.FindOversized(pack.Limits{}); over != nil || err != nil {
			t.Errorf("without limits: %+v, %v", over, err)
		}
		for _, o := range all {
			for limit := max(1, o.size-1); limit <= o.size; limit++ {
				over, err := f.FindOversized(limits(o.typ, limit))
				if err != nil {
					t.Fatal(err)
				}
				if want := largest[o.typ] > limit; (over != nil) != want {
					t.Fatalf("%s of at most %d: %+v; the largest has %d", o.typ, limit, over, largest[o.typ])
				}
				if over == nil {
					continue
				}
				if got := all[over.ID.String()]; got != (sized{over.Type, over.Size}) || over.Size <= limit || over.Limit != limit || over.Type != o.typ {
					t.Fatalf("%+v is %+v", over, got)
				}
			}
		}
	}
}

func limits(t object.Type, n int64) pack.Limits {
	switch t {
	case object.Commit:
		return pack.Limits{Commit: n}
	case object.Tree:
		return pack.Limits{Tree: n}
	case object.Blob:
		return pack.Limits{Blob: n}
	}
	return pack.Limits{Tag: n}
}

// TestFindOversizedSeesBombs: deltas that make as much as deltas can. The result of each
// kind of copy is just over the limit, or just at it.
func TestFindOversizedSeesBombs(t *testing.T) {
	for _, tc := range []struct {
		name  string
		base  int
		copy  string // one operation
		bytes int64  // that it copies
	}{
		{"one byte for 64 KiB", 64 << 10, "\x80", 64 << 10},
		{"two bytes for 16 MiB less 64 KiB", 255 << 16, "\xc0\xff", 255 << 16},
		{"two bytes for 255", 300, "\x90\xff", 255},
		{"four bytes for 16 MiB less 1", 1<<24 - 1, "\xf0\xff\xff\xff", 1<<24 - 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			const times = 5
			size := tc.bytes * times
			delta := binary.AppendUvarint(nil, uint64(tc.base))
			delta = binary.AppendUvarint(delta, uint64(size))
			delta = append(delta, strings.Repeat(tc.copy, times)...)
			base := bytes.Repeat([]byte("x"), tc.base)
			f := open(t, gittest.Init(t), deltaPack(t, base, delta))
			if over, err := f.FindOversized(pack.Limits{Blob: size - 1}); err != nil || over == nil || over.Size != size {
				t.Errorf("over the limit: %+v, %v; want %d bytes", over, err, size)
			}
			if over, err := f.FindOversized(pack.Limits{Blob: size}); err != nil || over != nil {
				t.Errorf("at the limit: %+v, %v", over, err)
			}
		})
	}
}

// deltaPack is a pack of a blob and one delta of it.
func deltaPack(t *testing.T, base, delta []byte) []byte {
	t.Helper()
	b := []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x02")
	first := len(b)
	b = appendEntry(t, b, 3, nil, base)
	back := len(b) - first
	offset := []byte{byte(back & 0x7f)}
	for back >>= 7; back > 0; back >>= 7 {
		back--
		offset = append([]byte{byte(back&0x7f) | 0x80}, offset...)
	}
	b = appendEntry(t, b, 6, offset, delta)
	sum := sha1.Sum(b)
	return append(b, sum[:]...)
}

func appendEntry(t *testing.T, b []byte, kind byte, between, content []byte) []byte {
	t.Helper()
	n := len(content)
	c := kind<<4 | byte(n&15)
	for n >>= 4; n > 0; n >>= 7 {
		b = append(b, c|0x80)
		c = byte(n & 0x7f)
	}
	b = append(append(b, c), between...)
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return append(b, z.Bytes()...)
}

// FuzzFindOversized: no pack and no index makes it panic or run away.
func FuzzFindOversized(f *testing.F) {
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01\x61\x01x"), uint32(12), uint32(14))
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x02\x31x\x9c\x01\x61\x04x"), uint32(12), uint32(16))
	f.Fuzz(func(t *testing.T, b []byte, first, second uint32) {
		x := []byte("\xfftOc\x00\x00\x00\x02")
		for range 256 {
			x = binary.BigEndian.AppendUint32(x, 2)
		}
		x = append(x, make([]byte, 2*24)...)
		x = binary.BigEndian.AppendUint32(x, first%(1<<31))
		x = binary.BigEndian.AppendUint32(x, second%(1<<31))
		index, err := pack.NewIndex(bytes.NewReader(x))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = pack.NewFile(bytes.NewReader(b), int64(len(b)), index).FindOversized(pack.Limits{Blob: 1, Tree: 2, Commit: 3, Tag: 4})
	})
}
