package pack_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/pack"
)

// TestChainsOfNamedBases: deltas that name their bases by ID, each hanging on the next one
// in the pack or on the one before, cost about as many reads as there are of them. The
// largest object is found wherever in the chain it is.
func TestChainsOfNamedBases(t *testing.T) {
	const deep = 1000
	for name, backwards := range map[string]bool{"after their bases": false, "before their bases": true} {
		t.Run(name, func(t *testing.T) {
			reads := 0
			f := chain(t, deep, backwards, &reads)
			for size, want := range map[int64]bool{chainLargest: false, chainLargest - 1: true} {
				reads = 0
				over, err := f.FindOversized(pack.Limits{Blob: size, Commit: 1, Tree: 1, Tag: 1})
				if err != nil || (over != nil) != want {
					t.Errorf("of at most %d bytes: %+v, %v", size, over, err)
				}
				if want && over != nil && (over.Type != object.Blob || over.Size != chainLargest) {
					t.Errorf("found %+v", over)
				}
				if reads > 100*deep {
					t.Errorf("%d reads for %d objects", reads, deep)
				}
			}
		})
	}
}

// chainLargest is the size of one object in the middle of a chain.
const chainLargest = 20

// chain makes a pack of one blob and of deltas that hang on each other, and its index, and
// counts what is read of them.
func chain(t *testing.T, deep int, backwards bool, reads *int) *pack.File {
	t.Helper()
	content := func(i int) []byte {
		text := fmt.Appendf(nil, "%010d", i)
		if i == deep/2 {
			text = append(text, text...)
		}
		return text
	}
	b := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(deep))
	type row struct {
		id     [sha1.Size]byte
		offset int
	}
	rows := make([]row, deep)
	id := func(i int) [sha1.Size]byte {
		return sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(content(i)), content(i)))
	}
	for n := range deep {
		i := n
		if backwards {
			i = deep - 1 - n
		}
		rows[n] = row{id(i), len(b)}
		if i == 0 {
			b = appendEntry(t, b, 3, nil, content(i))
			continue
		}
		base, size := id(i-1), byte(len(content(i)))
		delta := []byte{byte(len(content(i - 1))), size, size}
		b = appendEntry(t, b, 7, base[:], append(delta, content(i)...))
	}
	sum := sha1.Sum(b)
	b = append(b, sum[:]...)
	slices.SortFunc(rows, func(a, b row) int { return bytes.Compare(a.id[:], b.id[:]) })
	x := []byte("\xfftOc\x00\x00\x00\x02")
	for first := range 256 {
		n := slices.IndexFunc(rows, func(r row) bool { return int(r.id[0]) > first })
		if n < 0 {
			n = deep
		}
		x = binary.BigEndian.AppendUint32(x, uint32(n))
	}
	for _, r := range rows {
		x = append(x, r.id[:]...)
	}
	x = append(x, make([]byte, 4*deep)...) // nobody looks at the checksums
	for _, r := range rows {
		x = binary.BigEndian.AppendUint32(x, uint32(r.offset))
	}
	index, err := pack.NewIndex(counted{bytes.NewReader(x), reads})
	if err != nil {
		t.Fatal(err)
	}
	return pack.NewFile(counted{bytes.NewReader(b), reads}, int64(len(b)), index)
}

// counted counts what is read.
type counted struct {
	io.ReaderAt
	n *int
}

func (c counted) ReadAt(p []byte, off int64) (int, error) {
	*c.n++
	return c.ReaderAt.ReadAt(p, off)
}
