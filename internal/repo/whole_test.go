package repo

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/refward/refward/internal/git/oid"
)

// TestSinceIsBounded: what came since is not listed where it is too much, in whichever
// order the packs are: those that were pushed during a consolidation come before it.
func TestSinceIsBounded(t *testing.T) {
	base := Pack{ID: "b", Objects: 1 << 30}
	for name, packs := range map[string][]Pack{
		"before":            {{ID: "a", Objects: maxSince + 1}, base},
		"after":             {base, {ID: "c", Objects: maxSince + 1}},
		"before and after":  {{ID: "a", Objects: maxSince}, base, {ID: "c", Objects: 1}},
		"several before it": {{ID: "0", Objects: maxSince}, {ID: "a", Objects: 1}, base},
	} {
		p := &packing{snap: &Snapshot{Packs: packs}}
		if _, err := p.since(&cached{dir: t.TempDir()}, base); !errors.Is(err, errTooMany) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStockThatIsGone: a pack that was replaced in the meantime is noticed before the
// client gets a byte, so that it can have another answer.
func TestStockThatIsGone(t *testing.T) {
	var out bytes.Buffer
	s := &stock{path: filepath.Join(t.TempDir(), "gone.pack"), count: 1, since: []oid.ID{{1}}}
	err := new(packing).sendStock(t.Context(), nil, s, &out)
	if !errors.Is(err, fs.ErrNotExist) || out.Len() > 0 {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
}
