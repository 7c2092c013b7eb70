package gitserver

import (
	"bytes"
	"strings"
	"testing"
)

// However its bytes come, the packet with which git ends a conversation is seen, and
// nothing else is taken for it.
func TestErrWatch(t *testing.T) {
	band := "0017\x01 has 0008ERR in it"
	for in, want := range map[string]bool{
		"0011ERR not ours\n":                   true,
		"0008NAK\n0011ERR not ours\n":          true,
		"00000001" + "0011ERR not our\n":       true,
		"0008ERR ":                             true,
		"0007ERR":                              false,
		"0008NAK\n":                            false,
		band:                                   false,
		band + "0008ERR ":                      true,
		"0008NAK\nPACK0008ERR ":                false, // a pack without side-band
		"":                                     false,
		strings.Repeat("0004", 9) + "0008ERR ": true,
	} {
		for size := 1; size <= len(in)+1; size++ {
			var out bytes.Buffer
			w := &errWatch{Writer: &out}
			for rest := in; rest != ""; {
				n := min(size, len(rest))
				if _, err := w.Write([]byte(rest[:n])); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if w.seen != want || out.String() != in {
				t.Errorf("%q in parts of %d: %v, passed on %q", in, size, w.seen, out.String())
			}
		}
	}
}
