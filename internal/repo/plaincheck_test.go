package repo

import (
	"errors"
	"fmt"
	"testing"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
)

// shelved is a library in memory.
type shelved map[oid.ID]shelvedObject

type shelvedObject struct {
	object.Raw
	err error
}

func (s shelved) typeOf(id oid.ID, steps *int64) (object.Type, bool, error) {
	if *steps--; *steps < 0 {
		return 0, false, pack.ErrBeyond
	}
	o, ok := s[id]
	return o.Type, ok, nil
}

func (s shelved) read(id oid.ID, bytes *int64) (object.Type, []byte, bool, error) {
	o, ok := s[id]
	if *bytes -= int64(len(o.Content)); *bytes < 0 {
		return 0, nil, false, pack.ErrBeyond
	}
	return o.Type, o.Content, ok && o.err == nil, o.err
}

// TestPlainAmongOthers: what a pack's objects are to those of the repository. Nobody can
// make most of these, or not without the sum of a collision.
func TestPlainAmongOthers(t *testing.T) {
	raw := func(t object.Type, content string) object.Raw { return object.Raw{Type: t, Content: []byte(content)} }
	blob := raw(object.Blob, "*.c text\n")
	link := func(mode, name string, id oid.ID) object.Raw {
		return raw(object.Tree, mode+" "+name+"\x00"+string(id[:]))
	}
	file, attributes := link("100644", "f", blob.ID()), link("100644", ".gitattributes", blob.ID())
	symlink := link("120000", "l", blob.ID())
	evil := raw(object.Blob, "../.git/config")
	for name, c := range map[string]struct {
		sent         object.Raw
		has          shelved
		steps, bytes int64
		plain        bool
	}{
		"a blob":                   {blob, nil, 9, 99, true},
		"there already":            {blob, shelved{blob.ID(): {blob, nil}}, 9, 99, true},
		"there as something else":  {blob, shelved{blob.ID(): {raw(object.Blob, "*.c texu\n"), nil}}, 9, 99, false},
		"there as a longer one":    {blob, shelved{blob.ID(): {raw(object.Blob, "*.c text\n\n"), nil}}, 9, 99, false},
		"there as another type":    {blob, shelved{blob.ID(): {raw(object.Tag, "*.c text\n"), nil}}, 9, 99, false},
		"there, and not readable":  {blob, shelved{blob.ID(): {blob, errors.New("disk")}}, 9, 99, false},
		"there, and too much work": {blob, shelved{blob.ID(): {blob, nil}}, 9, 3, false},
		"leads to what is there":   {file, shelved{blob.ID(): {blob, nil}}, 9, 99, true},
		"leads to nothing":         {file, nil, 9, 99, false},
		"leads to another type":    {file, shelved{blob.ID(): {raw(object.Tree, ""), nil}}, 9, 99, false},
		"leads to too much work":   {file, shelved{blob.ID(): {blob, nil}}, 1, 99, false},
		"attributes":               {attributes, shelved{blob.ID(): {blob, nil}}, 9, 99, true},
		"attributes with a NUL":    {attributes, shelved{blob.ID(): {raw(object.Blob, "\x00"), nil}}, 9, 99, false},
		"attributes unread":        {attributes, shelved{blob.ID(): {blob, errors.New("disk")}}, 9, 99, false},
		"a link somewhere":         {symlink, shelved{blob.ID(): {blob, nil}}, 9, 99, true},
		"a link into .git":         {symlink, shelved{blob.ID(): {evil, nil}}, 9, 99, false},
	} {
		check := plainCheck{known: c.has, steps: c.steps, bytes: c.bytes}
		if got := check.all([]pack.SmallObject{{ID: c.sent.ID(), Type: c.sent.Type, Content: c.sent.Content}}); got != c.plain {
			t.Errorf("%s: plain is %v", name, got)
		}
	}
	both := []pack.SmallObject{{ID: file.ID(), Type: file.Type, Content: file.Content}, {ID: blob.ID(), Type: blob.Type, Content: blob.Content, Foreign: true}}
	check := plainCheck{known: shelved{}, steps: 9, bytes: 99}
	if !check.all(both) {
		t.Error("a link within the pack is not found")
	}
}

// TestPlainLooksOnce: a blob that a small pack names very often is read once, as
// attributes and as what a symbolic link leads to.
func TestPlainLooksOnce(t *testing.T) {
	blob := object.Raw{Type: object.Blob, Content: []byte("*.c text\n")}
	id := blob.ID()
	var sent []pack.SmallObject
	for i := range 3 {
		var content []byte
		for _, entry := range []string{"100644 .gitattributes", "120000 l", fmt.Sprint("120000 m", i), "120000 n"} {
			content = append(append(append(content, entry...), 0), id[:]...)
		}
		tree := object.Raw{Type: object.Tree, Content: content}
		sent = append(sent, pack.SmallObject{ID: tree.ID(), Type: tree.Type, Content: tree.Content})
	}
	length := int64(len(blob.Content))
	check := plainCheck{known: shelved{id: {blob, nil}}, steps: 99, bytes: 100 * length}
	if !check.all(sent) {
		t.Error("it is not plain")
	}
	if read := 100 - check.bytes/length; read != 2 {
		t.Errorf("it was read %d times", read)
	}
}
