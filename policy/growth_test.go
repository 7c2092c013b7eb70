package policy

import (
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
