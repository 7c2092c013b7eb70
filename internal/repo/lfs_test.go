package repo_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/refward/refward/internal/blob"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/repo"
)

func lfsObject(content []byte) lfs.Object {
	return lfs.Object{OID: sha256.Sum256(content), Size: int64(len(content))}
}

// lfsBlobs counts the blobs of objects.
func lfsBlobs(t *testing.T, h *host) (n int) {
	t.Helper()
	err := h.blobs.List(t.Context(), string(theID)+"/lfs/", func(blob.Info) bool { n++; return true })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLFSObjects(t *testing.T) {
	h := newHost(t)
	long := make([]byte, 300<<10)
	rand.Read(long)
	for name, content := range map[string][]byte{"empty": {}, "one byte": {7}, "long": long} {
		for way, r := range map[string]io.Reader{
			"at once": bytes.NewReader(content), "byte by byte": iotest.OneByteReader(bytes.NewReader(content)),
			"the end with the last": iotest.DataErrReader(bytes.NewReader(content)),
		} {
			key, err := h.PutLFS(t.Context(), theID, lfsObject(content), r)
			if err != nil {
				t.Fatalf("%s, %s: %v", name, way, err)
			}
			for _, from := range []int64{0, int64(len(content)) / 2, int64(len(content))} {
				opened, err := h.OpenLFS(t.Context(), key, from)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(opened)
				if err = errors.Join(err, opened.Close()); err != nil || !bytes.Equal(got, content[from:]) {
					t.Errorf("%s, %s, from %d: %d bytes, %v", name, way, from, len(got), err)
				}
			}
			if err := errors.Join(h.DeleteLFS(t.Context(), key), h.DeleteLFS(t.Context(), key)); err != nil {
				t.Error(err)
			}
			if _, err := h.OpenLFS(t.Context(), key, 0); !errors.Is(err, blob.ErrNotFound) {
				t.Errorf("after its deletion: %v", err)
			}
		}
	}
}

// What is not the object leaves nothing behind, whoever is to blame.
func TestLFSRefused(t *testing.T) {
	h := newHost(t)
	content := []byte("the content")
	o := lfsObject(content)
	broken := errors.New("the line broke")
	for name, tc := range map[string]struct {
		o    lfs.Object
		r    io.Reader
		want error
	}{
		"a byte less":           {o, bytes.NewReader(content[1:]), repo.ErrBadLFS},
		"a byte more":           {o, strings.NewReader(string(content) + "x"), repo.ErrBadLFS},
		"other bytes":           {o, strings.NewReader("The content"), repo.ErrBadLFS},
		"nothing":               {o, strings.NewReader(""), repo.ErrBadLFS},
		"another size":          {lfs.Object{OID: o.OID, Size: o.Size - 1}, bytes.NewReader(content), repo.ErrBadLFS},
		"a larger size":         {lfs.Object{OID: o.OID, Size: o.Size + 1}, bytes.NewReader(content), repo.ErrBadLFS},
		"an empty one that has": {lfs.Object{OID: o.OID}, strings.NewReader(""), repo.ErrBadLFS},
		"a broken line":         {o, io.MultiReader(bytes.NewReader(content[:4]), iotest.ErrReader(broken)), broken},
		"broken at the end":     {o, io.MultiReader(bytes.NewReader(content), iotest.ErrReader(broken)), broken},
	} {
		key, err := h.PutLFS(t.Context(), theID, tc.o, tc.r)
		if !errors.Is(err, tc.want) || key != "" {
			t.Errorf("%s: %q, %v, want %v", name, key, err, tc.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.PutLFS(ctx, theID, o, bytes.NewReader(content)); !errors.Is(err, context.Canceled) {
		t.Errorf("after the client left: %v", err)
	}
	if _, err := h.PutLFS(t.Context(), "../x", o, bytes.NewReader(content)); err == nil {
		t.Error("a repository's ID that is a path was taken")
	}
	if n := lfsBlobs(t, h); n != 0 {
		t.Errorf("%d blobs were left", n)
	}
	if err := h.CheckLFS(bytes.NewReader(content), o); err != nil {
		t.Errorf("check: %v", err)
	}
	if err := h.CheckLFS(bytes.NewReader(content[1:]), o); !errors.Is(err, repo.ErrBadLFS) {
		t.Errorf("check of a byte less: %v", err)
	}
}

// exactly reads as many bytes as are announced and never looks for the end, as a store
// may that sends them on with their number.
type exactly struct{ blob.Store }

func (exactly) Put(_ context.Context, _ string, r io.Reader, size int64) error {
	_, err := io.CopyN(io.Discard, r, size)
	return err
}

// TestLFSIsCheckedBeforeItIsWhole: a store that has read every byte has read the object.
func TestLFSIsCheckedBeforeItIsWhole(t *testing.T) {
	h := newHost(t, func(o *repo.Options) { o.Blobs = exactly{o.Blobs} })
	o := lfsObject([]byte("the content"))
	for _, bad := range []string{"The content", "the content and more"} {
		if _, err := h.PutLFS(t.Context(), theID, o, strings.NewReader(bad)); !errors.Is(err, repo.ErrBadLFS) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestLFSKeysAreNew(t *testing.T) {
	h := newHost(t)
	content := []byte("twice")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := h.PutLFS(t.Context(), theID, lfsObject(content), bytes.NewReader(content)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := lfsBlobs(t, h); n != 8 {
		t.Errorf("8 uploads at once made %d blobs", n)
	}
}
