package repo_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/repo"
)

// TestFirstPack: a repository's first pack is kept byte for byte, however it comes in.
func TestFirstPack(t *testing.T) {
	r := gittest.Init(t)
	tip := r.Commit("f", randomText(700_000)) // more than one buffer
	data := r.Pack("master")
	sum := sha256.Sum256(data)
	for name, reader := range map[string]io.Reader{
		"at once":          bytes.NewReader(data),
		"in small pieces":  iotest.HalfReader(bytes.NewReader(data)),
		"with its end":     iotest.DataErrReader(bytes.NewReader(data)),
		"byte by byte":     iotest.OneByteReader(bytes.NewReader(data)),
		"in uneven pieces": io.MultiReader(bytes.NewReader(data[:13]), bytes.NewReader(data[13:300_000]), bytes.NewReader(data[300_000:])),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			in, err := h.Receive(t.Context(), h.snapshot(), repo.Ended{Reader: reader}, []oid.ID{tip}, repo.Limits{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			p := h.publish(t, in, master(tip))
			if p.SHA256 != hex.EncodeToString(sum[:]) || p.Size != int64(len(data)) {
				t.Errorf("stored as %d bytes with SHA-256 %s, and %d came", p.Size, p.SHA256, len(data))
			}
			blob, err := h.blobs.Get(t.Context(), p.Key+".pack")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = blob.Close() }()
			if got, err := io.ReadAll(blob); err != nil || !bytes.Equal(got, data) {
				t.Errorf("the blob has %d bytes, and not those that came (%v)", len(got), err)
			}
			h.wantNoLeftovers(t)
			h.fsck(t)
		})
	}
}

// TestRefusedFirstPacks: git checks a first pack as it checks all others.
func TestRefusedFirstPacks(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	text := randomText(300_000) // more than is taken in without git
	base := r.Commit("f", text)
	tip := r.Commit("f", text+randomText(300_001)+"more")
	good := r.Pack("master")
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 0x40
	for name, data := range map[string][]byte{
		"flipped":             flipped,
		"only a head":         good[:12],
		"cut in the middle":   good[:len(good)/2],
		"half a checksum":     good[:len(good)-7],
		"bytes behind it":     append(bytes.Clone(good), "more"...),
		"more objects":        append([]byte("PACK\x00\x00\x00\x02\x00\x00\x7f\xff"), good[12:]...),
		"thin":                r.Pack("master", "^"+base.String()),
		"without its parent":  r.PackObjects(tip, r.ID("HEAD^{tree}"), r.ID("HEAD:f")),
		"without its content": r.PackObjects(base, r.ID("HEAD^^{tree}")),
	} {
		t.Run(name, func(t *testing.T) { h.refuse(t, data, repo.ErrBadPack, repo.Limits{}, tip) })
	}
	h.push(t, good, master(tip))
	h.fsck(t)
}

// TestFirstBomb: the memory of a git that reads a file is bounded as well.
func TestFirstBomb(t *testing.T) {
	h, r := newHost(t, func(o *repo.Options) { o.Memory = 48 << 20 }), gittest.Init(t)
	r.Commit("zeros", strings.Repeat("\x00", 8<<20))
	bomb := deltaBomb(t, r.ID("HEAD:zeros"), 8<<20, 25)
	h.refuse(t, joinPacks(t, r.PackObjects(r.ID("HEAD:zeros")), bomb), repo.ErrTooLarge, repo.Limits{BlobBytes: 100 << 20})
}

// TestCancelledLaterReceive is [TestCancelledReceive] for a pack that git reads as it comes.
func TestCancelledLaterReceive(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	first := r.Commit("g", "text")
	h.push(t, r.Pack("master"), master(first))
	tip := r.Commit("f", randomText(200_000))
	data := r.Pack("master")
	h.cancelled(t, data, tip)
	boom := errors.New("connection reset")
	broken := io.MultiReader(bytes.NewReader(data[:len(data)/2]), iotest.ErrReader(boom))
	if _, err := h.Receive(t.Context(), h.snapshot(), broken, []oid.ID{tip}, repo.Limits{}, nil); !errors.Is(err, boom) {
		t.Errorf("got %v, want the reader's error", err)
	}
	h.wantNoLeftovers(t)
}

// joinPacks makes one pack of the objects of two that have fewer than 256.
func joinPacks(t *testing.T, a, b []byte) []byte {
	t.Helper()
	out := bytes.Clone(a[:len(a)-20])
	out[11] += b[11]
	out = append(out, b[12:len(b)-20]...)
	sum := sha1.Sum(out)
	return append(out, sum[:]...)
}
