package wire

import (
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/refname"
)

// HEAD is the one name in an advertisement that is not a full ref name.
const HEAD refname.Name = "HEAD"

// Ref is a ref as servers tell of it, in an advertisement or in an answer to ls-refs.
type Ref struct {
	Name   refname.Name // full, or [HEAD]
	OID    oid.ID       // zero: a HEAD whose branch is unborn (ls-refs only)
	Peeled oid.ID       // the object behind an annotated tag; zero for every other ref
	Symref refname.Name // what HEAD points to (ls-refs only)
}

// Advertisement is what a server of protocol version 0 or 1 says first.
type Advertisement struct {
	Version      int // 0 or 1
	Capabilities Capabilities
	Refs         iter.Seq[Ref] // sorted by name, HEAD first where it is advertised
}

// chunk is how much of a long answer is gathered before it is written.
const chunk = 32 << 10

const (
	noRefsName = "capabilities^{}" // what carries the capabilities where there is no ref
	peeledMark = "^{}"
)

// Encode writes the advertisement with its flush packet.
func (a *Advertisement) Encode(dst io.Writer) error {
	if err := a.lines(dst); err != nil {
		return err
	}
	_, err := dst.Write(pktline.AppendFlush(nil))
	return err
}

// lines writes the advertisement without its flush packet.
func (a *Advertisement) lines(dst io.Writer) error {
	buf := make([]byte, 0, 1<<10)
	if a.Version == 1 {
		buf = pktline.Append(buf, "version 1\n")
	}
	first := true
	line := func(id oid.ID, name, mark string) {
		start := len(buf)
		buf, _ = id.AppendText(pktline.Begin(buf))
		buf = append(append(append(buf, ' '), name...), mark...)
		if first {
			buf = append(append(buf, 0), a.Capabilities.String()...)
			first = false
		}
		buf = pktline.End(append(buf, '\n'), start)
	}
	for r := range a.Refs {
		line(r.OID, string(r.Name), "")
		if !r.Peeled.IsZero() {
			line(r.Peeled, string(r.Name), peeledMark)
		}
		if len(buf) >= chunk {
			if _, err := dst.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	if first {
		line(oid.Zero, noRefsName, "")
	}
	_, err := dst.Write(buf)
	return err
}

// DecodeAdvertisement reads an advertisement, as a client does, up to its flush
// packet. It holds all of it: it is for servers that are trusted, and for tests.
func DecodeAdvertisement(r *pktline.Reader) (version int, refs []Ref, caps Capabilities, err error) {
	for first := true; ; {
		k, p, err := r.NextLine()
		switch {
		case errors.Is(err, io.EOF):
			return 0, nil, nil, io.ErrUnexpectedEOF
		case err != nil:
			return 0, nil, nil, err
		case k == pktline.Flush:
			return version, refs, caps, nil
		case k != pktline.Data:
			return 0, nil, nil, syntax("%s in an advertisement", k)
		}
		text := string(p)
		if text == "version 1" && first && version == 0 {
			version = 1
			continue
		}
		if first {
			var list string
			text, list, _ = strings.Cut(text, "\x00")
			caps, first = ParseCapabilities(list), false
		}
		if refs, err = addAdvertised(refs, text); err != nil {
			return 0, nil, nil, err
		}
	}
}

// addAdvertised adds one line: a ref, or the peeled value of the ref before it.
func addAdvertised(refs []Ref, line string) ([]Ref, error) {
	hex, name, ok := strings.Cut(line, " ")
	id, err := oid.Parse(hex)
	if !ok || err != nil || name == "" {
		return nil, syntax("advertised ref %q", line)
	}
	if name == noRefsName {
		return refs, nil
	}
	if base, peeled := strings.CutSuffix(name, peeledMark); peeled {
		if len(refs) == 0 || string(refs[len(refs)-1].Name) != base {
			return nil, syntax("peeled value of %q without the ref", base)
		}
		refs[len(refs)-1].Peeled = id
		return refs, nil
	}
	return append(refs, Ref{Name: refname.Name(name), OID: id}), nil
}
