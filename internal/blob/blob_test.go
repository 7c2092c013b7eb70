package blob_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/refward/refward/internal/blob"
	"github.com/refward/refward/internal/blob/dir"
)

// broken is a store that breaks one promise.
type broken struct {
	blob.Store
	promise string
}

// Put may replace what is there.
func (s broken) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if s.promise == "no replace" {
		if err := s.Store.Delete(ctx, key); err != nil {
			return err
		}
	}
	return s.Store.Put(ctx, key, r, size)
}

// Get may return other bytes.
func (s broken) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if s.promise == "same bytes" {
		return io.NopCloser(bytes.NewReader(make([]byte, 32))), nil
	}
	return s.Store.Get(ctx, key)
}

// Stat may know another size.
func (s broken) Stat(ctx context.Context, key string) (blob.Info, error) {
	i, err := s.Store.Stat(ctx, key)
	if s.promise == "size" {
		i.Size++
	}
	return i, err
}

// List may hide blobs.
func (s broken) List(ctx context.Context, prefix string, yield func(blob.Info) bool) error {
	if s.promise == "listed" {
		return nil
	}
	return s.Store.List(ctx, prefix, yield)
}

// Delete may only say that it did.
func (s broken) Delete(ctx context.Context, key string) error {
	if s.promise == "deleted" {
		return nil
	}
	return s.Store.Delete(ctx, key)
}

func TestSelfTestFindsBrokenPromises(t *testing.T) {
	s, err := dir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := blob.SelfTest(t.Context(), broken{s, ""}); err != nil {
		t.Errorf("a store that keeps its promises is refused: %v", err)
	}
	for _, promise := range []string{"no replace", "same bytes", "size", "listed", "deleted"} {
		if err := blob.SelfTest(t.Context(), broken{s, promise}); err == nil {
			t.Errorf("a store that breaks the promise %q is accepted", promise)
		}
	}
}

func FuzzCheckKey(f *testing.F) {
	for _, s := range []string{"a/b.pack", "..", "a//b", "a/..", "~", "%2e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if blob.CheckKey(key) != nil {
			return
		}
		if strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") != "" || strings.Contains("/"+key+"/", "/../") {
			t.Errorf("%q was accepted", key)
		}
		for i := range key {
			if err := blob.CheckPrefix(key[:i]); err != nil && i < 1000 {
				t.Errorf("%q begins an accepted key: %v", key[:i], err)
			}
		}
	})
}
