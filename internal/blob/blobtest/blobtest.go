// Package blobtest is the suite that every [blob.Store] passes.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/blob"
)

// TestStore runs the suite. open returns the empty store of one test, and reopen the
// same store as a new process would see it.
func TestStore(t *testing.T, open func(t *testing.T) (s blob.Store, reopen func() blob.Store)) {
	for name, test := range map[string]func(t *testing.T, s blob.Store, reopen func() blob.Store){
		"put and read":     testPutAndRead,
		"missing":          testMissing,
		"exists":           testExists,
		"wrong size":       testWrongSize,
		"failing reader":   testFailingReader,
		"cancelled put":    testCancelledPut,
		"bad keys":         testBadKeys,
		"order":            testOrder,
		"stop and cancel":  testStop,
		"one winner":       testOneWinner,
		"many at once":     testManyAtOnce,
		"large":            testLarge,
		"deleted is free":  testDeleted,
		"distinct by case": testCase,
		"self test":        testSelfTest,
	} {
		t.Run(name, func(t *testing.T) {
			s, reopen := open(t)
			test(t, s, reopen)
		})
	}
}

func put(t *testing.T, s blob.Store, key, content string) {
	t.Helper()
	if err := s.Put(t.Context(), key, strings.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s blob.Store, key string) string {
	t.Helper()
	r, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func list(t *testing.T, s blob.Store, prefix string) []string {
	t.Helper()
	keys := []string{}
	err := s.List(t.Context(), prefix, func(i blob.Info) bool { keys = append(keys, i.Key); return true })
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func wantNone(t *testing.T, s blob.Store, key string) {
	t.Helper()
	if _, err := s.Get(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("get %q answered %v, want ErrNotFound", key, err)
	}
	if _, err := s.Stat(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("stat %q answered %v, want ErrNotFound", key, err)
	}
	if keys := list(t, s, ""); slices.Contains(keys, key) {
		t.Errorf("%q is listed", key)
	}
}

func testPutAndRead(t *testing.T, s blob.Store, reopen func() blob.Store) {
	for key, content := range map[string]string{"a": "", "b/c.pack": "\x00\xff\n", "b/d/e-f_g.0/h": "text"} {
		put(t, s, key, content)
		for when, s := range map[string]blob.Store{"at once": s, "reopened": reopen()} {
			if got := get(t, s, key); got != content {
				t.Errorf("%s, %q holds %q, want %q", when, key, got, content)
			}
			info, err := s.Stat(t.Context(), key)
			if err != nil || info.Key != key || info.Size != int64(len(content)) || info.Created.IsZero() {
				t.Errorf("%s, %q is described as %+v (%v)", when, key, info, err)
			}
		}
	}
}

func testMissing(t *testing.T, s blob.Store, _ func() blob.Store) {
	put(t, s, "a/b/c", "x")
	for _, key := range []string{"no", "a", "a/b", "a/b/no", "a/b/c/d"} {
		wantNone(t, s, key)
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("delete of %q, which is not there: %v", key, err)
		}
	}
	if got := get(t, s, "a/b/c"); got != "x" {
		t.Errorf("after deleting others the blob holds %q", got)
	}
	if keys := list(t, s, "no/where"); len(keys) != 0 {
		t.Errorf("below nothing there is %q", keys)
	}
}

func testExists(t *testing.T, s blob.Store, reopen func() blob.Store) {
	put(t, s, "a/b", "first")
	for _, s := range []blob.Store{s, reopen()} {
		if err := s.Put(t.Context(), "a/b", strings.NewReader("second"), 6); !errors.Is(err, blob.ErrExists) {
			t.Errorf("a second put answered %v, want ErrExists", err)
		}
		if got := get(t, s, "a/b"); got != "first" {
			t.Errorf("after a refused put the blob holds %q", got)
		}
	}
}

func testWrongSize(t *testing.T, s blob.Store, _ func() blob.Store) {
	for name, size := range map[string]int64{"short": 6, "long": 4, "none": 0, "negative": -1} {
		if err := s.Put(t.Context(), "k/"+name, strings.NewReader("12345"), size); err == nil {
			t.Errorf("%s: 5 bytes were taken for %d", name, size)
		}
		wantNone(t, s, "k/"+name)
	}
	if err := s.Put(t.Context(), "k/short", strings.NewReader("12345"), 6); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a short reader is answered with %v, want io.ErrUnexpectedEOF", err)
	}
	put(t, s, "k/short", "the key is still free")
}

func testFailingReader(t *testing.T, s blob.Store, _ func() blob.Store) {
	boom := errors.New("boom")
	err := s.Put(t.Context(), "k", io.MultiReader(strings.NewReader("123"), iotest.ErrReader(boom)), 5)
	if !errors.Is(err, boom) {
		t.Errorf("put answered %v, want the reader's error", err)
	}
	wantNone(t, s, "k")
}

func testCancelledPut(t *testing.T, s blob.Store, reopen func() blob.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	r := io.MultiReader(strings.NewReader("12345"), readerFunc(func(p []byte) (int, error) {
		cancel()
		return copy(p, "67890"), nil
	}), strings.NewReader("more"))
	if err := s.Put(ctx, "k", r, 14); !errors.Is(err, context.Canceled) {
		t.Errorf("put answered %v, want context.Canceled", err)
	}
	wantNone(t, s, "k")
	if err := s.Put(ctx, "empty", strings.NewReader(""), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("put after the cancel answered %v, want context.Canceled", err)
	}
	wantNone(t, s, "empty")
	wantNone(t, reopen(), "k")
}

type readerFunc func(p []byte) (int, error)

// Read gives what the function gives once, then the end.
func (f readerFunc) Read(p []byte) (int, error) {
	n, err := f(p)
	if err == nil {
		err = io.EOF
	}
	return n, err
}

func testBadKeys(t *testing.T, s blob.Store, _ func() blob.Store) {
	for _, key := range []string{"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/.", "a b", "a\\b", "ä", "a\x00",
		"~incoming/1", "a:b", "%2e%2e", "a\n", strings.Repeat("k", 1025)} {
		if err := s.Put(t.Context(), key, strings.NewReader(""), 0); !errors.Is(err, blob.ErrKey) {
			t.Errorf("put %q answered %v, want ErrKey", key, err)
		}
		if _, err := s.Get(t.Context(), key); !errors.Is(err, blob.ErrKey) {
			t.Errorf("get %q answered %v, want ErrKey", key, err)
		}
		if _, err := s.Stat(t.Context(), key); !errors.Is(err, blob.ErrKey) {
			t.Errorf("stat %q answered %v, want ErrKey", key, err)
		}
		if err := s.Delete(t.Context(), key); !errors.Is(err, blob.ErrKey) {
			t.Errorf("delete %q answered %v, want ErrKey", key, err)
		}
	}
	for _, prefix := range []string{"/", "../", "a//", "a/../", "a b", "~"} {
		err := s.List(t.Context(), prefix, func(blob.Info) bool { return true })
		if !errors.Is(err, blob.ErrKey) {
			t.Errorf("list %q answered %v, want ErrKey", prefix, err)
		}
	}
	put(t, s, "...", "dots are letters")
	put(t, s, ".hidden/..x", "dots are letters")
	if d := cmp.Diff([]string{"...", ".hidden/..x"}, list(t, s, "")); d != "" {
		t.Errorf("keys (-want +got):\n%s", d)
	}
}

func testOrder(t *testing.T, s blob.Store, _ func() blob.Store) {
	keys := []string{"a/b", "a-b", "a.b", "a0", "a/b.pack", "a/b.idx", "a/b-/c", "a/b0", "B", "Z/a", "z", "aa", "a_", "a/a/a/a", "a/a.a"}
	for _, key := range keys {
		put(t, s, key, key)
	}
	slices.Sort(keys)
	if d := cmp.Diff(keys, list(t, s, "")); d != "" {
		t.Errorf("keys (-want +got):\n%s", d)
	}
	for _, prefix := range []string{"a", "a/", "a/b", "a/b.", "a.", "a/b-/c", "Z/", "a/a", "q", "a/q/", "."} {
		want := []string{}
		for _, key := range keys {
			if strings.HasPrefix(key, prefix) {
				want = append(want, key)
			}
		}
		if d := cmp.Diff(want, list(t, s, prefix)); d != "" {
			t.Errorf("keys with %q (-want +got):\n%s", prefix, d)
		}
	}
}

func testStop(t *testing.T, s blob.Store, _ func() blob.Store) {
	for i := range 5 {
		put(t, s, fmt.Sprintf("a/%d", i), "x")
	}
	n := 0
	if err := s.List(t.Context(), "", func(blob.Info) bool { n++; return n < 3 }); err != nil || n != 3 {
		t.Errorf("a listing stopped at 3 gave %d (%v)", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n = 0
	err := s.List(ctx, "", func(blob.Info) bool { n++; cancel(); return true })
	if !errors.Is(err, context.Canceled) || n == 5 {
		t.Errorf("a cancelled listing gave %d and %v", n, err)
	}
}

func testOneWinner(t *testing.T, s blob.Store, _ func() blob.Store) {
	const writers = 8
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for i := range writers {
		wg.Go(func() {
			content := strings.Repeat(fmt.Sprint(i), 10_000)
			errs[i] = s.Put(t.Context(), "new/folder/k", strings.NewReader(content), int64(len(content)))
		})
	}
	wg.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("writers %d and %d both won", winner, i)
		case err == nil:
			winner = i
		case !errors.Is(err, blob.ErrExists):
			t.Errorf("writer %d: %v, want ErrExists", i, err)
		}
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}
	if got := get(t, s, "new/folder/k"); got != strings.Repeat(fmt.Sprint(winner), 10_000) {
		t.Errorf("writer %d won, and the blob begins with %.1q", winner, got)
	}
}

func testManyAtOnce(t *testing.T, s blob.Store, reopen func() blob.Store) {
	const writers, each = 6, 15
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				key := fmt.Sprintf("r%d/%d/k%d", i%3, i%2, w*each+i)
				err := s.Put(t.Context(), key, strings.NewReader(key), int64(len(key)))
				if err == nil && i%5 == 0 {
					err = s.Delete(t.Context(), key)
				}
				if err == nil {
					err = s.List(t.Context(), "r0/", func(blob.Info) bool { return true })
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	keys := list(t, reopen(), "")
	if len(keys) != writers*each*4/5 {
		t.Errorf("%d blobs are left, want %d", len(keys), writers*each*4/5)
	}
	for _, key := range keys {
		if got := get(t, s, key); got != key {
			t.Errorf("%q holds %q", key, got)
		}
	}
}

func testLarge(t *testing.T, s blob.Store, _ func() blob.Store) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB
	if err := s.Put(t.Context(), "large", iotest.OneByteReader(bytes.NewReader(content[:1000])), 1000); err != nil {
		t.Fatal(err)
	}
	put(t, s, "larger", string(content))
	if got := get(t, s, "larger"); got != string(content) {
		t.Error("a large blob came back changed")
	}
	if got := get(t, s, "large"); got != string(content[:1000]) {
		t.Error("a blob written byte by byte came back changed")
	}
}

func testDeleted(t *testing.T, s blob.Store, reopen func() blob.Store) {
	put(t, s, "a/b", "first")
	r, err := s.Get(t.Context(), "a/b")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "a/b"); err != nil {
		t.Fatal(err)
	}
	// A reader that was open before may get the blob or an error, never other bytes.
	if b, err := io.ReadAll(r); err == nil && string(b) != "first" {
		t.Errorf("an open blob that was deleted reads as %q", b)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	wantNone(t, s, "a/b")
	wantNone(t, reopen(), "a/b")
	put(t, s, "a/b", "second")
	if got := get(t, s, "a/b"); got != "second" {
		t.Errorf("the new blob holds %q", got)
	}
}

func testCase(t *testing.T, s blob.Store, _ func() blob.Store) {
	put(t, s, "k/a", "lower")
	put(t, s, "k/A", "upper")
	if lower, upper := get(t, s, "k/a"), get(t, s, "k/A"); lower != "lower" || upper != "upper" {
		t.Errorf("keys that differ in case hold %q and %q", lower, upper)
	}
}

func testSelfTest(t *testing.T, s blob.Store, _ func() blob.Store) {
	if err := blob.SelfTest(t.Context(), s); err != nil {
		t.Error(err)
	}
	if keys := list(t, s, ""); len(keys) != 0 {
		t.Errorf("the self test left %q", keys)
	}
}
