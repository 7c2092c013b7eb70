package oid

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const text = "0123456789abcdef0123456789abcdef01234567"

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		ok       bool
	}{
		{"digits and letters", text, true},
		{"no object", strings.Repeat("0", HexLen), true},
		{"all ones", strings.Repeat("f", HexLen), true},
		{"empty", "", false},
		{"abbreviated", text[:HexLen-1], false},
		{"one more", text + "0", false},
		{"SHA-256", text + text[:24], false},
		{"upper case", strings.ToUpper(text), false},
		{"one upper-case letter", text[:10] + "A" + text[11:], false},
		{"after the letters", text[:10] + "g" + text[11:], false},
		{"before the letters", text[:10] + "`" + text[11:], false},
		{"before the digits", text[:10] + "/" + text[11:], false},
		{"after the digits", text[:10] + ":" + text[11:], false},
		{"low half of a byte", text[:11] + "g" + text[12:], false},
		{"last digit", text[:HexLen-1] + "x", false},
		{"blank in front", " " + text[1:], false},
		{"line end", text[:HexLen-1] + "\n", false},
		{"not ASCII", strings.Repeat("é", HexLen/2), false},
		{"prefix 0x", "0x" + text[2:], false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			id, err := Parse(tc.in)
			fromBytes, errBytes := Parse([]byte(tc.in))
			if id != fromBytes || !errors.Is(errBytes, err) {
				t.Fatalf("from a string %v, %v; from bytes %v, %v", id, err, fromBytes, errBytes)
			}
			if !tc.ok {
				if !errors.Is(err, ErrSyntax) || id != Zero {
					t.Fatalf("got %v, %v; want the zero ID and ErrSyntax", id, err)
				}
				return
			}
			if err != nil || id.String() != tc.in {
				t.Fatalf("got %v, %v; want %s", id, err, tc.in)
			}
		})
	}
}

func TestIsZero(t *testing.T) {
	if !Zero.IsZero() || !(ID{}).IsZero() {
		t.Error("the zero ID is not zero")
	}
	for i := range Size {
		var id ID
		id[i] = 1
		if id.IsZero() {
			t.Errorf("an ID whose byte %d is set is zero", i)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := ID(rapid.SliceOfN(rapid.Byte(), Size, Size).Draw(t, "id"))
		got, err := Parse(id.String())
		if err != nil || got != id {
			t.Fatalf("%s comes back as %v, %v", id, got, err)
		}
		if want := fmt.Sprintf("%x", id[:]); id.String() != want {
			t.Fatalf("got %s, want %s", id, want)
		}
		front := rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "front")
		b, err := id.AppendText(append([]byte(nil), front...))
		if want := string(front) + id.String(); err != nil || string(b) != want {
			t.Fatalf("appended %q, %v; want %q", b, err, want)
		}
	})
}

func TestAppendTextDoesNotAllocate(t *testing.T) {
	id, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	room := make([]byte, 0, HexLen)
	if n := testing.AllocsPerRun(100, func() {
		if b, err := id.AppendText(room); err != nil || len(b) != HexLen {
			t.Errorf("got %q, %v", b, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations where there is room", n)
	}
}

// FuzzParse holds Parse against encoding/hex, which also reads upper case.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", text, strings.ToUpper(text), text[1:], text + "0", strings.Repeat("0", HexLen), strings.Repeat("g", HexLen)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := Parse(s)
		want, hexErr := hex.DecodeString(s)
		ok := hexErr == nil && len(want) == Size && s == strings.ToLower(s)
		if ok != (err == nil) {
			t.Fatalf("%q: got %v, want accepted %v", s, err, ok)
		}
		if ok && (string(id[:]) != string(want) || id.String() != s) {
			t.Fatalf("%q: got %s", s, id)
		}
		if !ok && id != Zero {
			t.Fatalf("%q: refused with %s", s, id)
		}
	})
}
