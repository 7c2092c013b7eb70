package repo

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/pack"
)

// TestOpenPacks: a pack that has left, whole or in part, is an error that says so and leaves
// no file open; one that is forgotten can still be read by who has it.
func TestOpenPacks(t *testing.T) {
	var o openPacks
	path := filepath.Join(t.TempDir(), "pack")
	blob := object.Raw{Type: object.Blob, Content: []byte("content")}
	data, err := pack.Encode([]object.Raw{blob})
	if err != nil {
		t.Fatal(err)
	}
	index, ok := indexSmall(data)
	if !ok {
		t.Fatal("the pack is not small")
	}
	write := func(ext string, content []byte) {
		t.Helper()
		if err := os.WriteFile(path+ext, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	missing := func(what string) {
		t.Helper()
		if p, err := o.take(path); !errors.Is(err, os.ErrNotExist) || p != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	missing("nothing is there")
	write(indexExt, index)
	missing("the pack has left")
	write(packExt, data)
	write(indexExt, index[:100])
	if _, err := o.take(path); !errors.Is(err, pack.ErrSyntax) {
		t.Errorf("half an index: %v", err)
	}
	write(indexExt, index)
	p, err := o.take(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := o.take(path)
	if err != nil || again != p {
		t.Errorf("it was opened again (%v)", err)
	}
	o.give(again)
	o.forget(func(string) bool { return true })
	if err := os.Remove(path + indexExt); err != nil {
		t.Fatal(err)
	}
	missing("it was forgotten")
	offset, ok, err := p.Index.Find(blob.ID())
	if err != nil || !ok {
		t.Fatalf("the object is not found (%v)", err)
	}
	if _, err := p.stored(offset, 1<<20); err != nil {
		t.Errorf("who has the pack cannot read it: %v", err)
	}
	files := p.files
	o.give(p)
	for _, f := range files {
		if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s is still open (%v)", f.Name(), err)
		}
	}
}
