package lfs

import (
	"errors"
	"strings"
	"testing"
)

// Package json takes "ſize" for "size", because it folds as Unicode does: so it is the
// member a second time.
func TestTwiceByUnicode(t *testing.T) {
	oid := strings.Repeat("a", 64)
	for _, in := range []string{
		`{"operation":"upload","objects":[{"oid":"` + oid + `","size":1,"ſize":2}]}`,
		`{"operation":"upload","objects":[],"objectſ":[{"oid":"` + oid + `","size":1}]}`,
		`{"operation":"upload","objects":[],"hash_algo":"sha256","HAſH_ALGO":"sha256"}`,
		`{"operation":"upload","objects":[],"\u212a":1,"k":2}`,
	} {
		if b, err := DecodeBatch([]byte(in)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: %+v, %v", in, b, err)
		}
	}
}
