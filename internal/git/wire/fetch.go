package wire

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pktline"
)

// Fetch passes on the request of a fetch, of any protocol version, after checking that
// each of its lines is one that the protocol has: git itself only dies of the others.
// It is the reader that git gets. What the lines ask for is git's to answer.
type Fetch struct {
	r    *pktline.Reader
	once bool   // the flush packet ends the request: version 2
	told bool   // the first flush packet came, so that haves follow: versions 0 and 1
	buf  []byte // checked packets, not yet passed on
	err  error  // what ended the request
}

// NewFetch reads the arguments of version 2's fetch command up to their flush packet
// (version 2), or the whole request, up to the end of the source (versions 0 and 1).
func NewFetch(r *pktline.Reader, version int) *Fetch { return &Fetch{r: r, once: version == 2} }

// Err returns what is wrong with the request, or nil.
func (f *Fetch) Err() error {
	if errors.Is(f.err, io.EOF) {
		return nil
	}
	return f.err
}

// Read implements [io.Reader]. It waits until p is full or the request ends, which
// suits requests that a client sends whole before it awaits the answer.
func (f *Fetch) Read(p []byte) (int, error) {
	for len(f.buf) < len(p) && f.err == nil {
		f.fill()
	}
	if f.err != nil && !errors.Is(f.err, io.EOF) {
		return 0, f.err // git need not see what led to it
	}
	n := copy(p, f.buf)
	f.buf = f.buf[:copy(f.buf, f.buf[n:])]
	if n == 0 && len(p) > 0 {
		return 0, f.err
	}
	return n, nil
}

func (f *Fetch) fill() {
	k, p, err := f.r.Next()
	switch {
	case errors.Is(err, io.EOF) && (f.once || !f.told):
		f.err = io.ErrUnexpectedEOF
	case err != nil:
		f.err = err
	case k == pktline.Flush:
		f.buf, f.told = pktline.AppendFlush(f.buf), true
		if f.once {
			f.err = io.EOF
		}
	case k != pktline.Data:
		f.err = syntax("%s in a fetch request", k)
	default:
		l, err := ParseFetchLine(p)
		if err == nil && !f.once && f.told != l.negotiates() {
			err = syntax("a fetch line out of order: %.100q", p)
		}
		f.err = err
		f.buf = pktline.Append(f.buf, p)
	}
}

// FetchLine is one line of a fetch request.
type FetchLine struct {
	Word string // "want", "deepen-since", "done"…
	OID  oid.ID // of want, have and shallow
}

// Deepens reports whether the line changes the client's shallow boundary, so that the
// answer begins with the new one.
func (l FetchLine) Deepens() bool {
	return l.Word == "deepen" || l.Word == "deepen-since" || l.Word == "deepen-not"
}

// negotiates reports whether the line belongs after the first flush packet of versions
// 0 and 1.
func (l FetchLine) negotiates() bool { return l.Word == "have" || l.Word == "done" }

// fetchFlags are the lines of a fetch request that are one word.
var fetchFlags = []string{"done", "thin-pack", "no-progress", "include-tag", "ofs-delta", "deepen-relative", "wait-for-done"}

// ParseFetchLine reads a line that a fetch request may have. What its value says
// beyond an object ID is not looked at.
func ParseFetchLine(packet []byte) (FetchLine, error) {
	line := strings.TrimSuffix(string(packet), "\n")
	word, rest, more := strings.Cut(line, " ")
	l := FetchLine{Word: word}
	if !more && slices.Contains(fetchFlags, line) {
		return l, nil
	}
	ok := false
	switch word {
	case "want", "have", "shallow":
		// Versions 0 and 1 have the capabilities after the first want.
		hex, caps, _ := strings.Cut(rest, " ")
		var err error
		l.OID, err = oid.Parse(hex)
		ok = err == nil && (caps == "" || word == "want") && strings.IndexByte(caps, 0) < 0
	case "deepen", "deepen-since", "deepen-not", "filter":
		ok = rest != "" && strings.IndexByte(rest, 0) < 0
	}
	if !ok {
		return FetchLine{}, syntax("fetch line %.100q", line)
	}
	return l, nil
}
