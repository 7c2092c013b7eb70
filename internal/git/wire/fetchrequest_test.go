package wire

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pktline"
)

func TestFetchRequest(t *testing.T) {
	for name, tc := range map[string]struct {
		version int
		text    string
		want    *FetchRequest
		again   string // as it is written; empty: as text
		err     error
	}{
		"version 2": {
			version: 2,
			text: packets("command=fetch\n", "agent=git/2.39.5\n", "object-format=sha1", "0001", "thin-pack\n", "ofs-delta", "include-tag\n",
				"want "+hex(2)+"\n", "want "+hex(1), "want "+hex(2), "have "+hex(4)+"\n", "have "+hex(3)+"\n", "filter blob:none\n", "done\n"),
			want: &FetchRequest{
				Version: 2, Options: []string{"include-tag", "ofs-delta", "thin-pack"}, Wants: []oid.ID{id(1), id(2)},
				Haves: []oid.ID{id(4), id(3)}, Filter: "blob:none", Done: true,
			},
			again: packets("command=fetch\n", "0001", "include-tag\n", "ofs-delta\n", "thin-pack\n", "want "+hex(1)+"\n", "want "+hex(2)+"\n",
				"filter blob:none\n", "have "+hex(4)+"\n", "have "+hex(3)+"\n", "done\n"),
		},
		"shallow": {
			version: 2,
			text:    packets("command=fetch\n", "0001", "want "+hex(1)+"\n", "shallow "+hex(3)+"\n", "deepen 2\n", "deepen-not refs/heads/a b\n"),
			want: &FetchRequest{
				Version: 2, Wants: []oid.ID{id(1)}, Shallow: []oid.ID{id(3)}, Deepens: []string{"deepen 2", "deepen-not refs/heads/a b"},
			},
		},
		"version 0": {
			text: packets("want "+hex(2)+" side-band-64k agent=git/2.39.5 ofs-delta session-id=x\n", "want "+hex(1)+"\n") + "0009done\nmore",
			want: &FetchRequest{Options: []string{"ofs-delta", "side-band-64k"}, Wants: []oid.ID{id(1), id(2)}, Done: true},
			again: packets("want "+hex(1)+" ofs-delta side-band-64k\n", "want "+hex(2)+"\n") +
				"0009done\n",
		},
		"haves of version 1": {
			version: 1,
			text:    packets("want "+hex(2)+"\n") + packets("have "+hex(3)+"\n"),
			want:    &FetchRequest{Version: 1, Wants: []oid.ID{id(2)}, Haves: []oid.ID{id(3)}},
		},
		"another command":      {version: 2, text: packets("command=ls-refs\n", "0001"), err: ErrSyntax},
		"no arguments":         {version: 2, text: packets("command=fetch\n"), err: ErrSyntax},
		"two filters":          {version: 2, text: packets("command=fetch\n", "0001", "filter a", "filter b"), err: ErrSyntax},
		"capabilities later":   {text: packets("want "+hex(2), "want "+hex(1)+" thin-pack"), err: ErrSyntax},
		"capabilities in 2":    {version: 2, text: packets("command=fetch\n", "0001", "want "+hex(2)+" thin-pack"), err: ErrSyntax},
		"out of order":         {text: packets("have " + hex(2)), err: ErrSyntax},
		"nobody knows":         {version: 2, text: packets("command=fetch\n", "0001", "packfile-uris https"), err: ErrSyntax},
		"no end":               {text: packets("want " + hex(2)), err: io.ErrUnexpectedEOF},
		"no end of version 2":  {version: 2, text: "0012command=fetch\n00010032want " + hex(1) + "\n", err: io.ErrUnexpectedEOF},
		"delimiter in haves":   {text: packets("want "+hex(2)) + "0001", err: ErrSyntax},
		"delimiter in the end": {version: 2, text: packets("command=fetch\n", "0001", "want "+hex(2), "0001"), err: ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := DecodeFetchRequest(reader(tc.text), tc.version)
			if !errors.Is(err, tc.err) {
				t.Fatalf("error %v, want %v", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			if got == nil {
				return
			}
			again := tc.again
			if again == "" {
				again = tc.text
			}
			if diff := cmp.Diff(again, string(got.Append(nil))); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFetchRequestHas(t *testing.T) {
	q := FetchRequest{Options: []string{"include-tag", "ofs-delta"}}
	if !q.Has("ofs-delta") || q.Has("ofs") || q.Has("thin-pack") {
		t.Error("Has is wrong")
	}
}

// What was understood of a request is written so that it is understood in the same way:
// git answers the text, and the text is what an answer is known by.
func FuzzFetchRequest(f *testing.F) {
	f.Add([]byte(packets("command=fetch\n", "agent=x", "0001", "want "+hex(1)+"\n", "deepen 1\n", "done\n")), 2)
	f.Add([]byte(packets("want "+hex(1)+" ofs-delta agent=x\n", "filter blob:none")+packets("have "+hex(2), "done")), 0)
	f.Fuzz(func(t *testing.T, in []byte, version int) {
		q, err := DecodeFetchRequest(pktline.NewReader(bytes.NewReader(in)), version)
		if err != nil {
			return
		}
		text := q.Append(nil)
		again, err := DecodeFetchRequest(pktline.NewReader(bytes.NewReader(text)), version)
		if err != nil {
			t.Fatalf("%q becomes %q: %v", in, text, err)
		}
		if diff := cmp.Diff(q, again); diff != "" {
			t.Errorf("%q becomes %q (-first +second):\n%s", in, text, diff)
		}
	})
}
