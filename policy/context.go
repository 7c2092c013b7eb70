package policy

import (
	"iter"
	"strings"
)

// Request is what is asked. It must not change while an [Explanation] of it is in use.
type Request struct {
	Action   string  // as IAM spells it: "service:Name"; without regard to case
	Resource string  // an ARN, or "*" for an action without a resource
	Context  Context // the condition keys
}

// Context holds the condition keys of a request. The zero Context is empty. Names
// are matched without regard to the case of ASCII letters. Like a slice it must not be
// changed through one copy while another is in use.
type Context struct {
	entries []entry
	hashes  []uint64 // of the entries' folded names: what a look-up runs through
}

// entry is one key. The usual single value needs no slice of its own.
type entry struct {
	name string
	one  string
	many []string // when there are two or more
}

// Set gives a key its values, in place of any it had. A key without values is one
// that the request does not carry, the same as one that was never set.
func (c *Context) Set(key string, values ...string) {
	h := foldHash(key)
	e := c.find(key, h)
	if len(values) == 0 {
		c.remove(e)
		return
	}
	if e == nil {
		if c.entries == nil {
			c.entries = make([]entry, 0, 20)
			c.hashes = make([]uint64, 0, 20)
		}
		c.entries = append(c.entries, entry{name: key})
		c.hashes = append(c.hashes, h)
		e = &c.entries[len(c.entries)-1]
	}
	e.one, e.many = values[0], nil
	if len(values) > 1 {
		e.many = append([]string(nil), values...)
	}
}

func (c *Context) remove(e *entry) {
	last := len(c.entries) - 1
	for i := range c.entries {
		if &c.entries[i] == e {
			c.entries[i], c.hashes[i] = c.entries[last], c.hashes[last]
			c.entries, c.hashes = c.entries[:last], c.hashes[:last]
			return
		}
	}
}

// Values returns the values of a key; none when the request does not carry it.
func (c *Context) Values(key string) []string {
	e := c.find(key, foldHash(key))
	if e == nil {
		return nil
	}
	return e.all()
}

// All yields every key that is set, as it was spelled, with its values.
func (c *Context) All() iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for i := range c.entries {
			if !yield(c.entries[i].name, c.entries[i].all()) {
				return
			}
		}
	}
}

func (c *Context) find(name string, hash uint64) *entry {
	for i, h := range c.hashes {
		if h == hash && foldEqual(c.entries[i].name, name) {
			return &c.entries[i]
		}
	}
	return nil
}

func (e *entry) len() int {
	switch {
	case e == nil:
		return 0
	case e.many != nil:
		return len(e.many)
	default:
		return 1
	}
}

func (e *entry) at(i int) string {
	if e.many != nil {
		return e.many[i]
	}
	return e.one
}

func (e *entry) all() []string {
	if e.many != nil {
		return append([]string(nil), e.many...)
	}
	return []string{e.one}
}

// keyName is a condition key as a policy names it, ready to be looked up.
type keyName struct {
	name string
	hash uint64
}

func newKeyName(name string) keyName { return keyName{name, foldHash(name)} }

func (k keyName) in(c *Context) *entry { return c.find(k.name, k.hash) }

// foldHash mixes the text with ASCII letters in lower case, eight bytes at a time.
// Whoever looks up by it compares the text as well.
func foldHash(s string) uint64 {
	const prime = 0x9E3779B97F4A7C15
	h := uint64(len(s)) * prime
	for ; len(s) >= 8; s = s[8:] {
		h = mix(h, lower8(load8(s))) * prime
	}
	var last uint64
	for i := 0; i < len(s); i++ {
		last = last<<8 | uint64(s[i])
	}
	return mix(h, lower8(last)) * prime
}

func mix(h, word uint64) uint64 {
	h ^= word
	return h ^ h>>32
}

func load8(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// lower8 is lower for eight bytes at once: 0x20 is added where adding to the low
// seven bits carries into the eighth from A on, and not yet from Z on.
func lower8(x uint64) uint64 {
	const ones = 0x0101010101010101
	low := x & (0x7F * ones)
	fromA := low + (0x80-'A')*ones
	pastZ := low + (0x7F-'Z')*ones
	upper := ^x & (fromA ^ pastZ) & (0x80 * ones)
	return x | upper>>2
}

func lower(c byte) byte {
	if c-'A' < 26 {
		c |= 0x20
	}
	return c
}

// lowerText is strings.ToLower for ASCII letters alone.
func lowerText(s string) string {
	for i := 0; i < len(s); i++ {
		if lower(s[i]) != s[i] {
			return string(appendLower(make([]byte, 0, len(s)), s))
		}
	}
	return s
}

func appendLower(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		b = append(b, lower(s[i]))
	}
	return b
}

// foldEqual compares without regard to the case of ASCII letters.
func foldEqual(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	if a == b {
		return true
	}
	for i := 0; i < len(a); i++ {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// cutFoldPrefix cuts a prefix without regard to case, and says whether its case was
// the very one.
func cutFoldPrefix(s, prefix string) (rest string, ok, exact bool) {
	if len(s) < len(prefix) || !foldEqual(s[:len(prefix)], prefix) {
		return s, false, false
	}
	return s[len(prefix):], true, strings.HasPrefix(s, prefix)
}
