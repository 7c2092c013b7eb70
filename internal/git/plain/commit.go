package plain

import (
	"bytes"
	"slices"
	"strings"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
)

// checkCommit takes a tree, parents, one author and one committer, in this order and as
// git writes them, then any other headers, and a message that may be empty.
func checkCommit(content []byte) (Object, bool) {
	h, ok := splitHeader(content)
	if !ok {
		return Object{}, false
	}
	tree, ok := h.id("tree ")
	if !ok {
		return Object{}, false
	}
	links := []Link{{tree, object.Tree}}
	for bytes.HasPrefix(h, []byte("parent ")) {
		parent, ok := h.id("parent ")
		if !ok {
			return Object{}, false
		}
		links = append(links, Link{parent, object.Commit})
	}
	if !h.ident("author ") || !h.ident("committer ") {
		return Object{}, false
	}
	return Object{Links: links}, h.others()
}

// checkTag takes what git tag writes: object, type, tag and tagger, and no other header.
// A signature is part of the message.
func checkTag(content []byte) (Object, bool) {
	h, ok := splitHeader(content)
	if !ok {
		return Object{}, false
	}
	target, ok := h.id("object ")
	if !ok {
		return Object{}, false
	}
	kind, ok := h.line("type ")
	if !ok {
		return Object{}, false
	}
	t, err := object.ParseType(string(kind))
	if err != nil {
		return Object{}, false
	}
	name, ok := h.line("tag ")
	if !ok || !plainTagName(string(name)) || !h.ident("tagger ") || len(h) > 0 {
		return Object{}, false
	}
	return Object{Links: []Link{{target, t}}}, true
}

// maxTagName bounds the name of a tag.
const maxTagName = 255

// plainTagName reports whether a tag's name is a ref's and made of letters, digits and
// few other characters.
func plainTagName(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return name != "" && len(name) <= maxTagName && name[0] != '-' &&
		onlyOf(name, letters+"._/+-") && refname.Check(refname.Name(refname.TagsPrefix+name)) == nil
}

func onlyOf(s, set string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune(set, r) }) < 0
}

// header is what is still to be read of an object's header: lines that end with a
// newline.
type header []byte

// splitHeader cuts the header off. There must be an empty line behind it, and no NUL
// anywhere.
func splitHeader(content []byte) (header, bool) {
	end := bytes.Index(content, []byte("\n\n"))
	if end < 0 || bytes.IndexByte(content, 0) >= 0 {
		return nil, false
	}
	return header(content[:end+1]), true
}

// line takes the next line, which must begin with this key, and returns the rest of it.
func (h *header) line(key string) ([]byte, bool) {
	text, ok := bytes.CutPrefix(*h, []byte(key))
	if !ok {
		return nil, false
	}
	value, rest, ok := bytes.Cut(text, []byte("\n"))
	*h = rest
	return value, ok
}

// id takes a line that is a key and an ID.
func (h *header) id(key string) (oid.ID, bool) {
	value, ok := h.line(key)
	if !ok {
		return oid.Zero, false
	}
	id, err := oid.Parse(value)
	return id, err == nil && !id.IsZero()
}

// ident takes a line that says who did it and when: "Ada <ada@example.com> 1700000000
// +0100".
func (h *header) ident(key string) bool {
	value, ok := h.line(key)
	if !ok {
		return false
	}
	name, rest, ok := bytes.Cut(value, []byte("<"))
	name, space := bytes.CutSuffix(name, []byte(" "))
	if !ok || !space || len(name) == 0 || len(bytes.TrimSpace(name)) < len(name) || bytes.IndexByte(name, '>') >= 0 {
		return false
	}
	email, rest, ok := bytes.Cut(rest, []byte(">"))
	if !ok || bytes.IndexByte(email, '<') >= 0 {
		return false
	}
	date, zone, ok := bytes.Cut(bytes.TrimPrefix(rest, []byte(" ")), []byte(" "))
	return ok && len(rest) > 0 && rest[0] == ' ' && plainDate(date) && plainZone(zone)
}

// maxDate is the most digits that a date has, in seconds since 1970: enough for the next
// thirty thousand years, and far from where numbers end.
const maxDate = 12

func plainDate(date []byte) bool {
	return digits(date) && len(date) <= maxDate && (date[0] != '0' || len(date) == 1)
}

func plainZone(zone []byte) bool {
	const length = len("+0000")
	return len(zone) == length && (zone[0] == '+' || zone[0] == '-') && digits(zone[1:])
}

// digits reports whether there is something, and nothing but decimal digits.
func digits(b []byte) bool {
	return len(b) > 0 && !slices.ContainsFunc(b, func(c byte) bool { return c < '0' || c > '9' })
}

// ownKeys are headers that come once, and at their place. Git does not look for them
// among the others, and other readers do.
var ownKeys = []string{"tree", "parent", "author", "committer", "object", "type", "tag", "tagger"}

// others reports whether what is left is other headers, with their continuations.
func (h header) others() bool {
	first := true
	for line := range bytes.Lines(h) {
		if line[0] == ' ' && !first {
			continue
		}
		first = false
		key, _, ok := bytes.Cut(line, []byte(" "))
		if !ok || len(key) == 0 || !onlyOf(string(key), "abcdefghijklmnopqrstuvwxyz0123456789-") || slices.Contains(ownKeys, string(key)) {
			return false
		}
	}
	return true
}
