package policycmd

import (
	"container/list"

	"github.com/refward/refward/policy"
)

// Bounds of a cache: a compiled document takes some ten times its text.
const (
	maxCachedDocuments = 4096
	maxCachedBytes     = 16 << 20 // of text
)

// cache keeps the documents that were compiled last, by their bytes. It is bounded by
// the least recently used.
type cache struct {
	entries map[cacheKey]*list.Element // of *compiled
	recent  list.List                  // the last used first
	bytes   int
	misses  int
}

// cacheKey is the text of a document as it stood in the line: an object, or a string
// that holds one.
type cacheKey struct {
	kind policy.Kind
	text string
}

// compiled is one document, or why it is none.
type compiled struct {
	cacheKey
	policy *policy.Policy
	err    error
}

func newCache() *cache { return &cache{entries: map[cacheKey]*list.Element{}} }

// parse compiles a document unless it is kept.
func (c *cache) parse(kind policy.Kind, text []byte) (*policy.Policy, error) {
	if e, ok := c.entries[cacheKey{kind, string(text)}]; ok { // does not copy the text
		c.recent.MoveToFront(e)
		d := e.Value.(*compiled)
		return d.policy, d.err
	}
	c.misses++
	d := &compiled{cacheKey: cacheKey{kind, string(text)}}
	d.policy, d.err = parseDocument(kind, text)
	if len(text) > maxCachedBytes {
		return d.policy, d.err
	}
	c.bytes += len(text)
	c.entries[d.cacheKey] = c.recent.PushFront(d)
	for len(c.entries) > maxCachedDocuments || c.bytes > maxCachedBytes {
		last := c.recent.Remove(c.recent.Back()).(*compiled)
		delete(c.entries, last.cacheKey)
		c.bytes -= len(last.text)
	}
	return d.policy, d.err
}

// parseDocument compiles a JSON object, or the text in a JSON string.
func parseDocument(kind policy.Kind, value []byte) (*policy.Policy, error) {
	if value[0] == '"' {
		text, ok := textOf(value)
		if !ok {
			return nil, errHalfPair
		}
		value = []byte(text)
	}
	return policy.Parse(policy.Source{}, kind, value)
}
