package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// steps of matching a pattern with a text.
func steps(pattern, text string, keys ...string) int {
	var c Context
	for i := 0; i+1 < len(keys); i += 2 {
		c.Set(keys[i], keys[i+1])
	}
	p := syntaxOf{wildcards: true, variables: true}.compile(pattern)
	m := matcher{ctx: &c}
	m.match(&p, text)
	return m.steps
}

// Patterns that blow up where every * is tried at every place. Twice the text must
// not take much more than twice the steps, and the number of stars must not be an
// exponent.
func TestGlobGrowth(t *testing.T) {
	for _, pattern := range []string{
		"*a*a*a*a*a*a*a*b", "*aaaa*aaaa*ab", "*a?a?a?a?a?b*", "*?*?*?*?*b", "a*a*a*a*a*c*", "*${k:a}*${k:a}*${k:a}*b*", strings.Repeat("*a", 60) + "b",
	} {
		const n = 4096
		once := steps(pattern, strings.Repeat("a", n), "k:a", "a")
		twice := steps(pattern, strings.Repeat("a", 2*n), "k:a", "a")
		if twice > 2*once+64 {
			t.Errorf("%q: %d steps for %d characters, %d for twice as many", pattern, once, n, twice)
		}
		if most := n * (len(pattern) + 1); once > most {
			t.Errorf("%q: %d steps for %d characters, more than %d", pattern, once, n, most)
		}
	}
}

// The pattern's length alone must not make the steps grow faster than itself.
func TestGlobGrowthOfPattern(t *testing.T) {
	text := strings.Repeat("a", 2000)
	once := steps(strings.Repeat("*a", 200)+"*b*", text)
	twice := steps(strings.Repeat("*a", 400)+"*b*", text)
	if twice > 3*once {
		t.Errorf("%d steps for 200 stars, %d for 400", once, twice)
	}
}

// manyKeys is a document of n statements, each with conditions on keys of its own.
func manyKeys(n int) string {
	var b strings.Builder
	b.WriteString(`{"Version": "2012-10-17", "Statement": [`)
	for i := range n {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, `{"Condition": {"StringLike": {"k:a%d": "*${k:b%d}", "k:A%d": "x"}},%s"Effect": "Allow", "Action": "*", "Resource": "*"}`, i, i, i, "\n")
	}
	b.WriteString("]}")
	return b.String()
}

// The places of a whole document are found by reading it once, however many there are.
func TestPositionGrowth(t *testing.T) {
	for _, n := range []int{1, 100, 800} {
		text := manyKeys(n)
		tree, err := readJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		raws, _, failed := tree.grammar(Identity)
		if failed != nil {
			t.Fatal(failed)
		}
		m := documentMaker{places: cursor{text: text}}
		for i := range raws {
			var s Statement
			m.statement(&s, &raws[i])
			if want := (Position{2*i + 1, 1}); i > 0 && s.Start != want {
				t.Fatalf("statement %d begins at %s, want %s", i+1, s.Start, want)
			}
		}
		if m.places.steps > len(text) {
			t.Errorf("%d statements: %d bytes were looked at to find places in %d", n, m.places.steps, len(text))
		}
	}
}

// A place before the last one is found from the front again.
func TestPositionBackwards(t *testing.T) {
	c := cursor{text: "ab\ncd\n\nef"}
	for _, tc := range []struct {
		off  int
		want Position
	}{{8, Position{4, 2}}, {4, Position{2, 2}}, {0, Position{1, 1}}, {2, Position{1, 3}}, {3, Position{2, 1}}, {99, Position{4, 3}}} {
		if got := c.at(tc.off); got != tc.want {
			t.Errorf("byte %d is at %s, want %s", tc.off, got, tc.want)
		}
	}
}

func TestContextKeysOfMany(t *testing.T) {
	const n = 800
	p, err := Parse(Source{}, Identity, []byte(manyKeys(n)))
	if err != nil {
		t.Fatal(err)
	}
	keys := ContextKeys(p, p)
	if len(keys) != 2*n || !slices.Contains(keys, "k:a799") || !slices.Contains(keys, "k:b0") || slices.Contains(keys, "k:A0") {
		t.Errorf("%d keys of %d", len(keys), 2*n)
	}
	if none := ContextKeys(); none == nil || len(none) != 0 {
		t.Errorf("the keys of no policy are %v", none)
	}
}

// The time for each key stays the same.
func BenchmarkContextKeys(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p, err := Parse(Source{}, Identity, []byte(manyKeys(n)))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				p.ContextKeys()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(2*n), "ns/key")
		})
	}
}

// The time for each byte stays the same.
func BenchmarkParseMany(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			text := []byte(manyKeys(n))
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := Parse(Source{}, Identity, text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
