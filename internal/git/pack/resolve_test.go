package pack_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
)

// wantResolved reads an object through its deltas, and as it stands.
func wantResolved(t *testing.T, f *pack.File, id oid.ID, offset int64) {
	t.Helper()
	budget := int64(1 << 20)
	typ, content, err := f.Resolve(offset, &budget)
	if err != nil || object.Hash(typ, content) != id {
		t.Errorf("%s resolves to something else (%v)", id, err)
	}
	s, err := f.Stored(offset, 1<<20)
	if err != nil {
		t.Errorf("%s: %v", id, err)
	}
	if !s.Delta && (s.Type != typ || s.Size != int64(len(content))) {
		t.Errorf("%s stands there as %s of %d bytes", id, s.Type, s.Size)
	}
	for used := 1<<20 - budget; used > 0; used-- { // every budget that is too small
		less := used - 1
		if _, _, err := f.Resolve(offset, &less); !errors.Is(err, pack.ErrBeyond) || less < 0 {
			t.Fatalf("%s was read beyond the budget of %d bytes (%v)", id, used-1, err)
		}
		used -= used / 7
	}
	// What stands there is what the entry's bytes are: the next entry follows it.
	if len(s.Data) < 8 || !bytes.HasPrefix(s.Data, []byte{0x78}) {
		t.Errorf("%s: no compressed data", id)
	}
}

func TestApplyDelta(t *testing.T) {
	base := []byte("0123456789")
	for _, test := range []struct{ delta, want string }{
		{"\x0a\x03\x91\x02\x03", "234"},
		{"\x0a\x05\x03abc\x90\x02", "abc01"},
		{"\x0a\x00", ""},
		{"\x0a\x03\x91\x08\x03", "!"}, // beyond the base
		{"\x0a\x03\x91\x02\x02", "!"}, // less than it says
		{"\x0a\x01\x91\x02\x02", "!"}, // more
		{"\x09\x03\x91\x02\x03", "!"}, // another base
		{"\x0a\x03\x00", "!"},         // reserved
		{"\x0a\x03\x91\x02", "!"},     // cut off
		{"\x0a\x03\x05ab", "!"},
		{"\x0a", "!"},
		{"", "!"},
		{"\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", "!"},
	} {
		got, err := pack.ApplyDelta(base, []byte(test.delta), 100)
		if (err != nil) != (test.want == "!") || err == nil && string(got) != test.want {
			t.Errorf("%q makes %q (%v), want %q", test.delta, got, err, test.want)
		}
	}
	long := bytes.Repeat([]byte("x"), 0x10000)
	delta := append(binary.AppendUvarint(binary.AppendUvarint(nil, 0x10000), 0x10000), 0x80)
	if got, err := pack.ApplyDelta(long, delta, 0x10000); err != nil || !bytes.Equal(got, long) {
		t.Errorf("a copy without a length: %d bytes (%v)", len(got), err)
	}
	if _, err := pack.ApplyDelta(long, delta, 0xffff); !errors.Is(err, pack.ErrBeyond) {
		t.Errorf("a delta over the limit: %v", err)
	}
}

// FuzzApplyDelta: nothing makes it panic, and it makes as much as the delta says.
func FuzzApplyDelta(f *testing.F) {
	f.Add([]byte("0123456789"), []byte("\x0a\x05\x03abc\x90\x02"))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		got, err := pack.ApplyDelta(base, delta, 1<<16)
		if err != nil {
			return
		}
		_, n := binary.Uvarint(delta)
		if size, _ := binary.Uvarint(delta[n:]); size != uint64(len(got)) || size > 1<<16 {
			t.Errorf("%d bytes, want %d", len(got), size)
		}
	})
}

// TestFind looks for every ID of indexes whose IDs are spread in odd ways.
func TestFind(t *testing.T) {
	spread := map[string]func(i int) oid.ID{
		"evenly":  func(i int) oid.ID { return sha1.Sum([]byte{byte(i), byte(i >> 8)}) },
		"one end": func(i int) oid.ID { return oid.ID{7, 0, 0, 0, byte(i >> 8), byte(i), 9} },
		"both ends": func(i int) oid.ID {
			return oid.ID{7, byte(0xff * (i & 1)), 0xff, 0xff, byte(i >> 8), byte(i), 9}
		},
	}
	for name, id := range spread {
		t.Run(name, func(t *testing.T) {
			ids := make([]oid.ID, 3000)
			for i := range ids {
				ids[i] = id(i)
			}
			slices.SortFunc(ids, func(a, b oid.ID) int { return bytes.Compare(a[:], b[:]) })
			x, err := pack.NewIndex(strings.NewReader(string(index(ids))))
			if err != nil {
				t.Fatal(err)
			}
			for i, id := range ids {
				if offset, ok, err := x.Find(id); offset != int64(i)*10 || !ok || err != nil {
					t.Fatalf("%s is at %d (%v, %v), want %d", id, offset, ok, err, i*10)
				}
				for _, d := range []byte{1, 0xff} {
					id[19] += d
					if _, ok, err := x.Find(id); ok || err != nil {
						t.Fatalf("%s was found (%v)", id, err)
					}
					id[19] -= d
				}
			}
		})
	}
}

// index is one of objects at the offsets 0, 10, 20, …
func index(ids []oid.ID) []byte {
	b := []byte("\xfftOc\x00\x00\x00\x02")
	for first := range 256 {
		n, _ := slices.BinarySearchFunc(ids, first+1, func(id oid.ID, first int) int { return int(id[0]) - first })
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	for _, id := range ids {
		b = append(b, id[:]...)
	}
	b = append(b, make([]byte, 4*len(ids))...)
	for i := range ids {
		b = binary.BigEndian.AppendUint32(b, uint32(i*10))
	}
	return b
}
