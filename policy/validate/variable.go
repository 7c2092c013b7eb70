package validate

import (
	"strings"
	"unicode/utf8"

	"github.com/refward/refward/policy/catalog"
)

// variable is one ${…} (IAM User Guide, "IAM policy elements: Variables and tags").
type variable struct {
	key        string
	hasDefault bool
	escape     rune // of ${*}, ${?} and ${$}
}

// longestVariable is the longest ${…} that package policy reads as one.
const longestVariable = 1024

// readVariable reads the variable at the start of s and returns its length, 0 when
// there is none.
func readVariable(s string) (variable, int) {
	s = s[:min(len(s), longestVariable)]
	if !strings.HasPrefix(s, "${") {
		return variable{}, 0
	}
	end := strings.IndexByte(s, '}')
	if end < 3 {
		return variable{}, 0
	}
	body := s[2:end]
	if body == "*" || body == "?" || body == "$" {
		return variable{escape: rune(body[0])}, end + 1
	}
	name, rest, found := strings.Cut(body, ",")
	v := variable{key: strings.TrimSpace(name), hasDefault: found}
	if !found {
		return v, end + 1
	}
	open := len(s[:2]) + len(name) + 1 + len(rest) - len(strings.TrimLeft(rest, " "))
	if open >= len(s) || s[open] != '\'' {
		return variable{}, 0
	}
	def, _, ok := strings.Cut(s[open+1:], "'}")
	if !ok {
		return variable{}, 0
	}
	return v, open + 1 + len(def) + 2
}

func decode(s string) (rune, int) {
	if s[0] < utf8.RuneSelf {
		return rune(s[0]), 1
	}
	return utf8.DecodeRuneInString(s)
}

// variables of a resource or of a condition value under an operator that has them.
func (c *checker) checkVariables(n *node) {
	malformed := false // told once for a value
	for i := 0; i < len(n.text); {
		at := strings.Index(n.text[i:], "${")
		if at < 0 {
			return
		}
		i += at
		v, size := readVariable(n.text[i:])
		switch {
		case size == 0 && malformed:
			size = 2
		case size == 0:
			malformed = true
			c.add(MalformedVariable, Warning, n, nil,
				"%q begins like a variable and is not one, so that it is ordinary text", clip(n.text[i:]))
			size = 2
		case !c.variables:
			c.add(VariableUnsupportedInVersion, Warning, n, c.setVersion(),
				"%q is ordinary text: a document has variables only when its Version is 2012-10-17", clip(n.text[i:i+size]))
		case v.escape == 0:
			c.checkVariableKey(n, v, n.text[i:i+size])
		}
		i += size
	}
}

func (c *checker) checkVariableKey(n *node, v variable, source string) {
	key, known := catalog.Key(v.key)
	switch {
	case !known && !c.foreignKey(v.key):
		m := c.respell(n, v.key, c.nearestKey(v.key))
		c.add(UnknownVariable, Warning, n, m,
			"there is no condition key %q, so that %q never has a value and never matches", v.key, clip(source))
	case key.Multi:
		c.add(MultivaluedVariable, Warning, n, nil,
			"%s may carry several values; a variable of such a key never has a value", key.Name)
	case key.Extension && c.opt.Target == AWS:
		c.add(ExtensionKey, Warning, n, nil, "%s is an extension that AWS does not know", key.Name)
	}
}

// checkNoVariable: the elements and operators that have no variables.
func (c *checker) checkNoVariable(n *node, code Code, where string) {
	if i := strings.Index(n.text, "${"); i >= 0 {
		if _, size := readVariable(n.text[i:]); size > 0 {
			c.add(code, Warning, n, nil, "%q is ordinary text: there are no variables %s", clip(n.text[i:i+size]), where)
		}
	}
}

// clip shortens a text for a message.
func clip(s string) string {
	const most = 160
	if len(s) <= most {
		return s
	}
	for i := most; i > 0; i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i] + "…"
		}
	}
	return ""
}
