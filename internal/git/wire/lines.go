package wire

import (
	"bufio"
	"io"
	"iter"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pktline"
)

// Lines is refs as packets, in an answer to ls-refs or in what receive-pack advertises:
// the two have the same form. They are made once and sent many times, whole or in part.
type Lines struct {
	text   []byte
	starts []uint32 // of each line, and the end
	peeled bool     // some line tells what is behind a tag
}

// NewLines makes the lines of refs; with peel they tell what is behind annotated tags.
// It returns nil for more than can be held.
func NewLines(refs iter.Seq[Ref], n int, peel bool) *Lines {
	const about = 80 // bytes of a line
	q := &LsRefs{Peel: peel}
	l := &Lines{text: make([]byte, 0, n*about), starts: make([]uint32, 0, n+1)}
	for r := range refs {
		if len(l.text) > 1<<31 {
			return nil
		}
		l.starts = append(l.starts, uint32(len(l.text)))
		l.text = q.appendRef(l.text, r)
		l.peeled = l.peeled || peel && !r.Peeled.IsZero()
	}
	l.starts = append(l.starts, uint32(len(l.text)))
	return l
}

// Peeled reports whether some line tells what is behind a tag.
func (l *Lines) Peeled() bool { return l.peeled }

// Bytes is how much memory the lines take.
func (l *Lines) Bytes() int { return cap(l.text) + 4*cap(l.starts) }

// Range returns the lines from the i-th up to, but not including, the j-th. They are
// part of l and must not be changed.
func (l *Lines) Range(i, j int) []byte { return l.text[l.starts[i]:l.starts[j]] }

// EncodeLines writes the answer to ls-refs as EncodeRefs does: HEAD, where there is one
// to tell of, and lines that were made before.
func (q *LsRefs) EncodeLines(dst io.Writer, head *Ref, lines iter.Seq[[]byte]) error {
	w := bufio.NewWriterSize(dst, chunk)
	if head != nil {
		_, _ = w.Write(q.appendRef(w.AvailableBuffer(), *head)) // Flush tells of errors
	}
	for l := range lines {
		if _, err := w.Write(l); err != nil {
			return err
		}
	}
	_, _ = w.Write(pktline.AppendFlush(w.AvailableBuffer()))
	return w.Flush()
}

// EncodeLines writes an advertisement of version 0 or 1 as Encode does: the lines of
// refs that were made before, of which first is the first. Refs is not used.
func (a *Advertisement) EncodeLines(dst io.Writer, first Ref, rest []byte) error {
	w := bufio.NewWriterSize(dst, chunk)
	head := *a
	head.Refs = func(yield func(Ref) bool) { yield(Ref{Name: first.Name, OID: first.OID, Peeled: oid.Zero}) }
	if err := head.lines(w); err != nil {
		return err
	}
	if _, err := w.Write(rest); err != nil {
		return err
	}
	_, _ = w.Write(pktline.AppendFlush(w.AvailableBuffer()))
	return w.Flush()
}
