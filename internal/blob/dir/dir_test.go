package dir_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refward/refward/internal/blob"
	"github.com/refward/refward/internal/blob/blobtest"
	"github.com/refward/refward/internal/blob/dir"
)

func open(t *testing.T, folder string) *dir.Store {
	t.Helper()
	s, err := dir.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestStore(t *testing.T) {
	blobtest.TestStore(t, func(t *testing.T) (blob.Store, func() blob.Store) {
		folder := filepath.Join(t.TempDir(), "new", "folder")
		return open(t, folder), func() blob.Store { return open(t, folder) }
	})
}

// TestNoKeyEscapes: not even through a symbolic link that somebody put into the folder.
func TestNoKeyEscapes(t *testing.T) {
	folder, outside := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	s := open(t, folder)
	if _, err := s.Get(t.Context(), "link/secret"); err == nil {
		t.Error("a blob outside the folder was read")
	}
	if err := s.Put(t.Context(), "link/new", strings.NewReader(""), 0); err == nil {
		t.Error("a blob outside the folder was written")
	}
	if err := s.Delete(t.Context(), "link/secret"); err == nil {
		t.Error("deleting a blob outside the folder was not refused")
	}
	if _, err := os.Stat(filepath.Join(outside, "secret")); err != nil {
		t.Error("a file outside the folder was deleted")
	}
}

func TestOpenRemovesWhatACrashLeft(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	if err := s.Put(t.Context(), "a/b", strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(folder, "~incoming", "17")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, folder)
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the leftover is still there (%v)", err)
	}
	if _, err := s.Stat(t.Context(), "a/b"); err != nil {
		t.Error(err)
	}
}

func TestFailedPutsLeaveNoFile(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = s.Put(ctx, "a/b", strings.NewReader("x"), 1)
	_ = s.Put(t.Context(), "a/b", strings.NewReader("x"), 2)
	entries, err := os.ReadDir(filepath.Join(folder, "~incoming"))
	if err != nil || len(entries) != 0 {
		t.Errorf("temporary files are left: %v (%v)", entries, err)
	}
}

func TestLink(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.Put(t.Context(), "a/b", strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "linked")
	if err := s.Link("a/b", target); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(target); string(b) != "x" {
		t.Errorf("the link holds %q (%v)", b, err)
	}
	if err := s.Link("a/no", target+"2"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("a link to nothing answered %v, want ErrNotFound", err)
	}
	if err := s.Link("../a", target+"3"); !errors.Is(err, blob.ErrKey) {
		t.Errorf("a link to a bad key answered %v, want ErrKey", err)
	}
}

// TestAdopt: the blob is the file itself, read-only and new, and there is all of it or nothing.
func TestAdopt(t *testing.T) {
	s, outside := open(t, t.TempDir()), t.TempDir()
	file := filepath.Join(outside, "pack")
	if err := os.WriteFile(file, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	began := time.Now().Add(-time.Second) // clocks of file systems tick slowly
	if err := os.Chtimes(file, began.Add(-72*time.Hour), began.Add(-72*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := s.Adopt(t.Context(), "a/b/c", file); err != nil {
		t.Fatal(err)
	}
	mine, err := os.Stat(file)
	if err != nil || mine.Mode() != 0o400 {
		t.Errorf("the file's mode is %v (%v), want read-only", mine.Mode(), err)
	}
	again := filepath.Join(outside, "again")
	if err := s.Link("a/b/c", again); err != nil {
		t.Fatal(err)
	}
	if stored, err := os.Stat(again); err != nil || !os.SameFile(mine, stored) {
		t.Errorf("the blob is a copy (%v)", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if info, err := s.Stat(t.Context(), "a/b/c"); err != nil || info.Size != 7 || info.Created.Before(began) {
		t.Errorf("without the file, the blob is %+v (%v)", info, err)
	}

	ended, end := context.WithCancel(t.Context())
	end()
	for _, tc := range []struct {
		name, key, file string
		ctx             context.Context
		want            error
	}{
		{"a key that is taken", "a/b/c", again, t.Context(), blob.ErrExists},
		{"a bad key", "../c", again, t.Context(), blob.ErrKey},
		{"no file", "a/no", filepath.Join(outside, "no"), t.Context(), fs.ErrNotExist},
		{"a folder", "a/no", outside, t.Context(), nil},
		{"a request that is over", "a/no", again, ended, context.Canceled},
	} {
		err := s.Adopt(tc.ctx, tc.key, tc.file)
		if err == nil || tc.want != nil && !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
	if _, err := s.Stat(t.Context(), "a/no"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("a failed Adopt left a blob (%v)", err)
	}
}

func BenchmarkPut4KB(b *testing.B) {
	s, err := dir.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	content := strings.Repeat("x", 4096)
	for i := 0; b.Loop(); i++ {
		if err := s.Put(b.Context(), fmt.Sprintf("r/%d", i), strings.NewReader(content), 4096); err != nil {
			b.Fatal(err)
		}
	}
}
