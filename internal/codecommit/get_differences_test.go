package codecommit

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

func differences(t rapid.TB, f forest, before, after oid.ID, cursor string, limit int) []string {
	t.Helper()
	d := treeDiff{read: f.read, after: cursor, limit: limit}
	tree := func(id oid.ID) diffSide { return diffSide{entry: object.TreeEntry{Mode: object.ModeTree, ID: id}} }
	side := diffSide{}
	if !before.IsZero() {
		side = tree(before)
	}
	if err := d.compare(context.Background(), "/", side, tree(after)); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, diff := range d.found {
		if path := pathOf(diff.Difference); diff.place != "/"+path {
			t.Fatalf("%s is at the place %s", path, diff.place)
		}
		lines = append(lines, string(diff.ChangeType)+diff.place)
	}
	return lines
}

func pathOf(d types.Difference) string {
	if d.AfterBlob != nil {
		return *d.AfterBlob.Path
	}
	return *d.BeforeBlob.Path
}

func TestTreeDiff(t *testing.T) {
	for _, tc := range []struct {
		name          string
		before, after []string
		want          []string
	}{
		{"no before", nil, []string{"a/b", "c"}, []string{"A/a/b", "A/c"}},
		{"the same", []string{"a/b", "c"}, []string{"a/b", "c"}, nil},
		{"mode", []string{"a"}, []string{"a*"}, []string{"M/a"}},
		{"added and deleted", []string{"a", "x/y"}, []string{"a", "b"}, []string{"A/b", "D/x/y"}},
		{"a file becomes a folder", []string{"a", "a-b"}, []string{"a/b"}, []string{"D/a", "D/a-b", "A/a/b"}},
		{"submodule", []string{"m"}, []string{"m!"}, []string{"M/m"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := forest{}
			var before oid.ID
			if tc.before != nil {
				before = f.plant(t, tc.before...)
			}
			got := differences(t, f, before, f.plant(t, tc.after...), "", 100)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Pages of any size list every difference once, in byte order of the paths.
func TestTreeDiffPages(t *testing.T) {
	paths := []string{"a", "a-b", "a.c", "a/b", "a/b-", "a/b/c", "b", "b/c", "c/d/e"}
	subset := rapid.SliceOfDistinct(rapid.SampledFrom(paths), rapid.ID[string])
	rapid.Check(t, func(t *rapid.T) {
		f := forest{}
		before, after := draw(t, subset), draw(t, subset)
		want := map[string]string{}
		for p := range before {
			want[p] = "D/" + p
		}
		for p := range after {
			if _, ok := want[p]; ok {
				delete(want, p)
			} else {
				want[p] = "A/" + p
			}
		}
		var sorted []string
		for _, p := range slices.Sorted(maps.Keys(want)) {
			sorted = append(sorted, want[p])
		}
		x, y := f.plant(t, slices.Sorted(maps.Keys(before))...), f.plant(t, slices.Sorted(maps.Keys(after))...)
		limit := rapid.IntRange(1, 4).Draw(t, "limit")
		var got []string
		for cursor := ""; ; cursor = got[len(got)-1][1:] {
			next := differences(t, f, x, y, cursor, limit)
			got = append(got, next...)
			if len(next) < limit {
				break
			}
		}
		if diff := cmp.Diff(sorted, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// draw draws a set of files none of which is a folder of another.
func draw(t *rapid.T, g *rapid.Generator[[]string]) map[string]oid.ID {
	files := map[string]oid.ID{}
	for _, p := range g.Draw(t, "files") {
		if !clashes(files, p) {
			files[p] = blobOf(p)
		}
	}
	return files
}
