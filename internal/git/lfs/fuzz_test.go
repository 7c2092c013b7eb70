package lfs

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What is accepted has a meaning that does not depend on how it was spelled: written
// anew, it is read as the same.
func FuzzDecodeBatch(f *testing.F) {
	f.Add([]byte(`{"operation":"upload","objects":[{"oid":"` + oid1 + `","size":3}],"transfers":["basic"],"ref":{"name":"refs/heads/master"},"hash_algo":"sha256"}`))
	f.Add([]byte(`{"operation":"download","ref":null,"objects":[{"oid":"x","size":-1},{"oid":"` + oid2 + `"}]}`))
	f.Add([]byte(`{"operation":"upload","ref":{"name":"a"},"REF":{"name":"b"}}`))
	f.Add([]byte(`[[[[[[[[[[1]]]]]]]]]]`))
	f.Fuzz(func(t *testing.T, in []byte) {
		b, err := DecodeBatch(in)
		if err != nil {
			if b != nil || !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrTooManyObjects) && !errors.Is(err, ErrHashAlgorithm) {
				t.Errorf("got %v, %v", b, err)
			}
			return
		}
		type object struct {
			OID  string `json:"oid"`
			Size *int64 `json:"size,omitempty"`
		}
		again := struct {
			Operation Operation         `json:"operation"`
			Ref       map[string]string `json:"ref,omitempty"`
			Objects   []object          `json:"objects"`
		}{Operation: b.Operation, Objects: make([]object, len(b.Objects))}
		if b.Ref != nil {
			again.Ref = map[string]string{"name": *b.Ref}
		}
		for i, o := range b.Objects {
			again.Objects[i].OID = o.Given
			if o.Wrong == "" || o.Size != 0 {
				again.Objects[i].Size = &o.Size
			}
			if o.Wrong == "" && (o.OID.String() != o.Given || o.Size < 0) {
				t.Errorf("object %+v", o)
			}
		}
		text, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeBatch(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		// Why an object without an ID has no size is not told twice alike.
		for i := range got.Objects {
			if b.Objects[i].Wrong != "" && got.Objects[i].Wrong != "" {
				got.Objects[i].Wrong = b.Objects[i].Wrong
			}
		}
		if d := cmp.Diff(b, got); d != "" {
			t.Errorf("%q and %s are read differently:\n%s", in, text, d)
		}
	})
}

func FuzzCheckPath(f *testing.F) {
	f.Add("a/b")
	f.Add("../a")
	f.Fuzz(func(t *testing.T, path string) {
		if CheckPath(path) != nil {
			return
		}
		text, err := json.Marshal(NewLock("id", path, "me", time.Unix(0, 0)))
		if err != nil {
			t.Fatal(err)
		}
		var back Lock
		if err := json.Unmarshal(text, &back); err != nil || back.Path != path {
			t.Errorf("%q is told as %q (%v)", path, back.Path, err)
		}
	})
}
