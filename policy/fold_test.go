package policy

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/refward/refward/arn"
)

// What looks at eight bytes at once answers as a loop over the bytes does.
func TestEightBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.SampledFrom([]byte("\x00\t\n\x1f !\"#@AZ[\\`az{\x7f\x80\x9f\xa0\xc1\xda\xff")), 8, 8).Draw(t, "bytes")
		x := load8(string(b))
		for i, c := range b {
			at := func(x uint64) byte { return byte(x >> (8 * i)) }
			if got, want := at(lower8(x)), lower(c); got != want {
				t.Errorf("lower8 of %q: byte %d is %q, want %q", b, i, got, want)
			}
			if got, want := at(equal8(x, '"')) == 0x80, c == '"'; got != want {
				t.Errorf("equal8 of %q: byte %d: %v, want %v", b, i, got, want)
			}
			if got, want := at(control8(x)) == 0x80, c < ' '; got != want {
				t.Errorf("control8 of %q: byte %d: %v, want %v", b, i, got, want)
			}
		}
	})
}

func TestFold(t *testing.T) {
	text := rapid.StringOfN(rapid.SampledFrom([]rune("aAzZ[@:é")), 0, 20, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		low := strings.Map(func(c rune) rune {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			return c
		}, a)
		if got := lowerText(a); got != low {
			t.Errorf("lower case of %q is %q, want %q", a, got, low)
		}
		if foldHash(a) != foldHash(low) || !foldEqual(a, low) {
			t.Errorf("%q and %q are not one", a, low)
		}
		if got, want := foldEqual(a, b), lowerText(a) == lowerText(b); got != want {
			t.Errorf("%q equals %q: %v, want %v", a, b, got, want)
		}
		if foldHash(a) == foldHash(b) && lowerText(a) != lowerText(b) {
			t.Errorf("%q and %q have the same hash", a, b)
		}
	})
}

// Resources are told apart by the ends of their names as by the whole, whatever the
// lengths.
func TestEndsOfResources(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", "b", "team", "refs/heads", "é", ":", "0123456789"})
	glob := rapid.OneOf(piece, rapid.SampledFrom([]string{"*", "?", "*"}))
	join := func(g *rapid.Generator[string]) *rapid.Generator[string] {
		return rapid.Map(rapid.SliceOfN(g, 0, 5), func(s []string) string { return strings.Join(s, "") })
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern := "arn:aws:s:" + rapid.SampledFrom([]string{"r", "*", "r*"}).Draw(t, "region") + ":1:" + join(glob).Draw(t, "pattern")
		text := join(piece).Draw(t, "name")
		if rapid.Bool().Draw(t, "near") {
			text = strings.NewReplacer("*", text, "?", "x").Replace(strings.SplitN(pattern, ":", 6)[5])
		}
		name := "arn:aws:s:r:1:" + text
		p, n := compileARN(pattern, true), resourceName{text: name}
		if got, want := p.matchResource(&matcher{ctx: &Context{}}, &n) == yes, arn.Match(pattern, name); got != want {
			t.Errorf("%q on %q: %v, want %v", pattern, name, got, want)
		}
	})
}

// Positions do not depend on where one asked before.
func TestCursor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("a\n")), 0, 12, -1).Draw(t, "text")
		c := cursor{text: text}
		for _, off := range rapid.SliceOfN(rapid.IntRange(0, 14), 1, 6).Draw(t, "offsets") {
			before := text[:min(off, len(text))]
			lines := strings.Split(before, "\n")
			want := Position{len(lines), 1 + len(lines[len(lines)-1])}
			if got := c.at(off); got != want {
				t.Errorf("%q at %d: %v, want %v", text, off, got, want)
			}
		}
	})
}
