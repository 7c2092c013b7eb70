package wire

import (
	"errors"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/refname"
)

// LsRefs is the arguments of version 2's ls-refs command.
type LsRefs struct {
	Peel     bool     // tell the object behind an annotated tag
	Symrefs  bool     // tell what HEAD points to
	Unborn   bool     // tell of a HEAD whose branch does not exist yet
	Prefixes []string // only refs whose names begin with one of these; empty: all
}

// Limits of an ls-refs request. A client that gives more prefixes gets all refs, as
// from git itself, since it must be ready for refs that it did not ask for.
const (
	maxPrefixes     = 65536
	maxPrefixBytes  = 4 << 20
	maxLsRefsPacket = 1 << 20 // packets in a request
)

// DecodeLsRefs reads the arguments of ls-refs up to their flush packet.
func DecodeLsRefs(r *pktline.Reader) (*LsRefs, error) {
	var q LsRefs
	bytes, all := 0, false
	for range maxLsRefsPacket {
		k, p, err := r.NextLine()
		switch {
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case k == pktline.Flush:
			return &q, nil
		case k != pktline.Data:
			return nil, syntax("%s in the arguments of ls-refs", k)
		}
		switch text := string(p); text {
		case "peel":
			q.Peel = true
		case "symrefs":
			q.Symrefs = true
		case "unborn":
			q.Unborn = true
		default:
			prefix, ok := strings.CutPrefix(text, "ref-prefix ")
			if !ok {
				return nil, syntax("ls-refs has no argument %.100q", text)
			}
			if bytes += len(prefix); len(q.Prefixes) == maxPrefixes || bytes > maxPrefixBytes {
				all = true
			}
			if all {
				q.Prefixes = nil
				continue
			}
			q.Prefixes = append(q.Prefixes, prefix)
		}
	}
	return nil, tooMuch("ls-refs with more than %d arguments", maxLsRefsPacket)
}

// Append appends the arguments with their flush packet to b.
func (q *LsRefs) Append(b []byte) []byte {
	for _, a := range []struct {
		on   bool
		name string
	}{{q.Peel, "peel\n"}, {q.Symrefs, "symrefs\n"}, {q.Unborn, "unborn\n"}} {
		if a.on {
			b = pktline.Append(b, a.name)
		}
	}
	for _, p := range q.Prefixes {
		b = pktline.Append(b, "ref-prefix "+p+"\n")
	}
	return pktline.AppendFlush(b)
}

// DisjointPrefixes returns the sorted prefixes of which none begins with another, so
// that the refs below them come in order and once. The empty list means all refs.
func (q *LsRefs) DisjointPrefixes() []string {
	sorted := slices.Sorted(slices.Values(q.Prefixes))
	kept := sorted[:0]
	for _, p := range sorted {
		if len(kept) == 0 || !strings.HasPrefix(p, kept[len(kept)-1]) {
			kept = append(kept, p)
		}
	}
	return kept
}

// Matches reports whether a ref of this name was asked for.
func (q *LsRefs) Matches(name refname.Name) bool {
	return len(q.Prefixes) == 0 || slices.ContainsFunc(q.Prefixes, func(p string) bool {
		return strings.HasPrefix(string(name), p)
	})
}

// EncodeRefs writes the answer to ls-refs: the refs, with what q asked to be told of
// them, and a flush packet.
func (q *LsRefs) EncodeRefs(dst io.Writer, refs iter.Seq[Ref]) error {
	buf := make([]byte, 0, 1<<10)
	for r := range refs {
		if buf = q.appendRef(buf, r); len(buf) >= chunk {
			if _, err := dst.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	_, err := dst.Write(pktline.AppendFlush(buf))
	return err
}

func (q *LsRefs) appendRef(buf []byte, r Ref) []byte {
	start := len(buf)
	buf = pktline.Begin(buf)
	if r.OID.IsZero() {
		buf = append(buf, "unborn"...)
	} else {
		buf, _ = r.OID.AppendText(buf)
	}
	buf = append(append(buf, ' '), r.Name...)
	if q.Symrefs && r.Symref != "" {
		buf = append(append(buf, " symref-target:"...), r.Symref...)
	}
	if q.Peel && !r.Peeled.IsZero() {
		buf, _ = r.Peeled.AppendText(append(buf, " peeled:"...))
	}
	return pktline.End(append(buf, '\n'), start)
}

// DecodeRefs reads an answer to ls-refs, as a client does. It holds all of it.
func DecodeRefs(r *pktline.Reader) ([]Ref, error) {
	var refs []Ref
	for {
		k, p, err := r.NextLine()
		switch {
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case k == pktline.Flush:
			return refs, nil
		case k != pktline.Data:
			return nil, syntax("%s in an answer to ls-refs", k)
		}
		ref, err := parseRef(string(p))
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
}

func parseRef(line string) (Ref, error) {
	parts := strings.Split(line, " ")
	if len(parts) < 2 || parts[1] == "" {
		return Ref{}, syntax("ref %q", line)
	}
	r := Ref{Name: refname.Name(parts[1])}
	var err error
	if parts[0] != "unborn" {
		if r.OID, err = oid.Parse(parts[0]); err != nil || r.OID.IsZero() {
			return Ref{}, syntax("ref %q", line)
		}
	}
	for _, attr := range parts[2:] {
		switch key, value, _ := strings.Cut(attr, ":"); key {
		case "symref-target":
			r.Symref = refname.Name(value)
		case "peeled":
			if r.Peeled, err = oid.Parse(value); err != nil {
				return Ref{}, syntax("ref %q", line)
			}
		}
	}
	return r, nil
}
