package codecommit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

// forest holds the trees of a test.
type forest map[oid.ID][]object.TreeEntry

func (f forest) read(_ context.Context, id oid.ID) ([]object.TreeEntry, error) {
	entries, ok := f[id]
	if !ok {
		return nil, fmt.Errorf("no tree %s", id)
	}
	return entries, nil
}

func (f forest) add(t rapid.TB, raws []object.Raw) {
	t.Helper()
	for _, raw := range raws {
		entries, err := object.ParseTree(raw.Content)
		if err != nil {
			t.Fatalf("a tree that was written does not parse: %v", err)
		}
		f[raw.ID()] = entries
	}
}

// plant writes a tree of "path" (a file), "path*" (executable), "path@" (symbolic
// link) or "path!" (submodule), and returns its ID.
func (f forest) plant(t rapid.TB, paths ...string) oid.ID {
	t.Helper()
	e, err := editTree(context.Background(), f.read, oid.Zero)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		mode := object.ModeFile
		for suffix, m := range map[string]object.Mode{"*": object.ModeExecutable, "@": object.ModeSymlink, "!": object.ModeSubmodule} {
			if name, ok := strings.CutSuffix(p, suffix); ok {
				p, mode = name, m
			}
		}
		if err := e.put(context.Background(), strings.Split(p, "/"), mode, blobOf(p)); err != nil {
			t.Fatal(err)
		}
	}
	id, raws, err := e.write()
	if err != nil {
		t.Fatal(err)
	}
	f.add(t, raws)
	return id
}

func blobOf(text string) oid.ID { return object.Hash(object.Blob, []byte(text)) }

// files lists the files below a tree with their blobs.
func (f forest) files(t rapid.TB, id oid.ID, prefix string) map[string]oid.ID {
	t.Helper()
	all := map[string]oid.ID{}
	for _, e := range f[id] {
		if e.Mode == object.ModeTree {
			if len(f[e.ID]) == 0 {
				t.Fatalf("the folder %s%s is empty or was not written", prefix, e.Name)
			}
			maps.Copy(all, f.files(t, e.ID, prefix+e.Name+"/"))
			continue
		}
		all[prefix+e.Name] = e.ID
	}
	return all
}

func TestTreeEditConflicts(t *testing.T) {
	for _, tc := range []struct {
		name string
		tree []string
		path string
		want fault.Code
	}{
		{"a file where a folder is", []string{"a/b"}, "a", errFileNameConflictsWithDirectoryName},
		{"a folder where a file is", []string{"a"}, "a/b", errDirectoryNameConflictsWithFileName},
		{"a folder where a symbolic link is", []string{"a@"}, "a/b", errDirectoryNameConflictsWithFileName},
		{"deep below a file", []string{"a/b"}, "a/b/c/d", errDirectoryNameConflictsWithFileName},
		{"below a submodule", []string{"m!"}, "m/a", errFilePathConflictsWithSubmodulePath},
		{"over a submodule", []string{"m!"}, "m", errFilePathConflictsWithSubmodulePath},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := forest{}
			e, err := editTree(t.Context(), f.read, f.plant(t, tc.tree...))
			if err != nil {
				t.Fatal(err)
			}
			err = e.put(t.Context(), strings.Split(tc.path, "/"), object.ModeFile, blobOf("new"))
			if !fault.Has(err, tc.want) {
				t.Errorf("put %s: got %v, want %s", tc.path, err, tc.want.Name)
			}
		})
	}
}

func TestTreeEditPrunesEmptyFolders(t *testing.T) {
	f := forest{}
	e, err := editTree(t.Context(), f.read, f.plant(t, "a/b/c/file", "keep"))
	if err != nil {
		t.Fatal(err)
	}
	file := filePath{"a", "b", "c", "file"}
	if err := e.remove(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	parent, vanished, err := e.vanished(t.Context(), file)
	if err != nil || !vanished || parent.String() != "a/b/c" {
		t.Errorf("vanished: got %q %v %v, want a/b/c", parent, vanished, err)
	}
	id, raws, err := e.write()
	if err != nil {
		t.Fatal(err)
	}
	f.add(t, raws)
	if got, want := slices.Collect(maps.Keys(f.files(t, id, ""))), []string{"keep"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(raws) != 1 {
		t.Errorf("wrote %d trees, want the root alone", len(raws))
	}
	if err := e.remove(t.Context(), file); !errors.Is(err, errNoEntry) {
		t.Errorf("remove again: got %v, want errNoEntry", err)
	}
}

func TestTreeEditReplacesAnEmptiedFolder(t *testing.T) {
	f := forest{}
	e, err := editTree(t.Context(), f.read, f.plant(t, "a/b"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		e.remove(t.Context(), filePath{"a", "b"}),
		e.put(t.Context(), filePath{"a"}, object.ModeFile, blobOf("a")),
	); err != nil {
		t.Fatal(err)
	}
	id, raws, err := e.write()
	if err != nil {
		t.Fatal(err)
	}
	f.add(t, raws)
	if diff := cmp.Diff(map[string]oid.ID{"a": blobOf("a")}, f.files(t, id, "")); diff != "" {
		t.Error(diff)
	}
}

func TestTreeEditRefusesALargeFolder(t *testing.T) {
	e, err := editTree(t.Context(), forest{}.read, oid.Zero)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("x", 4000)
	for i := range maxTreeBytes/4000 + 1 {
		if err := e.put(t.Context(), filePath{fmt.Sprint(name, i)}, object.ModeFile, blobOf("")); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := e.write(); !fault.Has(err, errFolderContentSizeLimitExceeded) {
		t.Errorf("got %v, want FolderContentSizeLimitExceeded", err)
	}
}

// Edits of a tree do what the same edits do to a plain map of paths.
func TestTreeEditAgainstAMap(t *testing.T) {
	component := rapid.SampledFrom([]string{"a", "b", "a.b", "a-", "A"})
	rapid.Check(t, func(t *rapid.T) {
		f, ctx := forest{}, context.Background()
		want := map[string]oid.ID{}
		id := oid.Zero
		for range rapid.IntRange(1, 3).Draw(t, "commits") {
			e, err := editTree(ctx, f.read, id)
			if err != nil {
				t.Fatal(err)
			}
			for range rapid.IntRange(0, 8).Draw(t, "edits") {
				p := filePath(rapid.SliceOfN(component, 1, 3).Draw(t, "path"))
				if rapid.Bool().Draw(t, "remove") {
					_, had := want[p.String()]
					if err := e.remove(ctx, p); (err == nil) != had {
						t.Fatalf("remove %s: %v, had %v", p, err, had)
					}
					delete(want, p.String())
					continue
				}
				content := blobOf(rapid.StringN(0, 3, 9).Draw(t, "content"))
				if err := e.put(ctx, p, object.ModeFile, content); (err == nil) == clashes(want, p.String()) {
					t.Fatalf("put %s into %v: %v", p, want, err)
				} else if err == nil {
					want[p.String()] = content
				}
			}
			var raws []object.Raw
			if id, raws, err = e.write(); err != nil {
				t.Fatal(err)
			}
			f.add(t, raws)
		}
		if diff := cmp.Diff(want, f.files(t, id, "")); diff != "" {
			t.Fatal(diff)
		}
	})
}

// clashes reports whether a path is a folder of another, or the other way round.
func clashes(files map[string]oid.ID, p string) bool {
	for other := range files {
		if strings.HasPrefix(other, p+"/") || strings.HasPrefix(p, other+"/") {
			return true
		}
	}
	return false
}

func BenchmarkTreeEdit(b *testing.B) {
	f := forest{}
	var paths []string
	for i := range 1000 {
		paths = append(paths, fmt.Sprintf("d%d/e%d/f%d", i%10, i%100, i))
	}
	root := f.plant(b, paths...)
	for b.Loop() {
		e, err := editTree(b.Context(), f.read, root)
		if err != nil {
			b.Fatal(err)
		}
		if err := e.put(b.Context(), filePath{"d1", "e1", "new"}, object.ModeFile, oid.ID{1}); err != nil {
			b.Fatal(err)
		}
		if _, _, err := e.write(); err != nil {
			b.Fatal(err)
		}
	}
}
