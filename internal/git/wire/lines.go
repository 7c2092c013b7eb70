package wire

import (
	"bufio"
	"io"
	"iter"
	"sync"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pktline"
)

// Lines is refs as packets, in an answer to ls-refs or in what receive-pack advertises:
// the two have the same form. They are made once and sent many times, whole or in part.
type Lines struct {
	text   []byte
	starts []uint32 // of each line, and the end
}

// NewLines makes the lines of n refs; with peel they tell what is behind annotated tags.
// All together have less than 4 GiB.
func NewLines(refs iter.Seq[Ref], n int, peel bool) *Lines {
	const about = 80 // bytes of a line
	q := &LsRefs{Peel: peel}
	l := &Lines{text: make([]byte, 0, n*about), starts: make([]uint32, 0, n+1)}
	for r := range refs {
		l.starts = append(l.starts, uint32(len(l.text)))
		l.text = q.appendRef(l.text, r)
	}
	l.starts = append(l.starts, uint32(len(l.text)))
	return l
}

// Range returns the lines from the i-th up to, but not including, the j-th. They are
// part of l and must not be changed.
func (l *Lines) Range(i, j int) []byte { return l.text[l.starts[i]:l.starts[j]] }

// pieces are for what is gathered of many lines before it is written: each piece is sent
// by itself, and wakes its reader up.
var pieces = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 128<<10) }}

// inPieces writes what f writes, in pieces.
func inPieces(dst io.Writer, f func(w *bufio.Writer)) error {
	w := pieces.Get().(*bufio.Writer)
	w.Reset(dst)
	f(w)
	err := w.Flush() // tells of every error before
	w.Reset(nil)
	pieces.Put(w)
	return err
}

// EncodeLines writes the answer to ls-refs as EncodeRefs does: HEAD, where there is one
// to tell of, and lines that were made before.
func (q *LsRefs) EncodeLines(dst io.Writer, head *Ref, lines iter.Seq[[]byte]) error {
	return inPieces(dst, func(w *bufio.Writer) {
		if head != nil {
			_, _ = w.Write(q.appendRef(w.AvailableBuffer(), *head))
		}
		writeLines(w, lines)
	})
}

// EncodeLines writes an advertisement of version 0 or 1 as Encode does: the lines of
// refs that were made before, of which first is the first. Refs is not used.
func (a *Advertisement) EncodeLines(dst io.Writer, first Ref, rest iter.Seq[[]byte]) error {
	return inPieces(dst, func(w *bufio.Writer) {
		head := *a
		head.Refs = func(yield func(Ref) bool) { yield(Ref{Name: first.Name, OID: first.OID, Peeled: oid.Zero}) }
		_ = head.lines(w)
		writeLines(w, rest)
	})
}

// writeLines writes lines and a flush packet.
func writeLines(w *bufio.Writer, lines iter.Seq[[]byte]) {
	for l := range lines {
		if _, err := w.Write(l); err != nil {
			return
		}
	}
	_, _ = w.Write(pktline.AppendFlush(w.AvailableBuffer()))
}
