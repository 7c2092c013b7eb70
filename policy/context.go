package policy

import "iter"

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
	many *[]string // when there are two or more
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
		many := append([]string(nil), values...)
		e.many = &many
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

// find looks from the end: what is asked for most, the keys of the action itself, is
// usually set after the global ones.
func (c *Context) find(name string, hash uint64) *entry {
	for i := len(c.hashes) - 1; i >= 0; i-- {
		if c.hashes[i] == hash && foldEqual(c.entries[i].name, name) {
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
		return len(*e.many)
	default:
		return 1
	}
}

func (e *entry) at(i int) string {
	if e.many != nil {
		return (*e.many)[i]
	}
	return e.one
}

func (e *entry) all() []string {
	if e.many != nil {
		return append([]string(nil), *e.many...)
	}
	return []string{e.one}
}

// keyName is a condition key as a policy names it, ready to be looked up.
type keyName struct {
	name string
	hash uint64
}

func newKeyName(name string) keyName { return keyName{name, foldHash(name)} }
