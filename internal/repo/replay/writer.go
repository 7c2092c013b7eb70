package replay

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"time"
)

// Writer is where an answer is written, by one goroutine.
type Writer struct {
	entry *entry
	ctx   context.Context
	file  *os.File // nil: nothing is on disk yet

	// How long some have waited for others since the answer was so long.
	lost time.Duration
	mark int64
}

// Write appends to the answer. Who reads it gets to see all of p at once, or nothing,
// where p has at most 128 KiB. It fails when the context ends.
func (w *Writer) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		part := p[:min(len(p), chunkSize)]
		if err := w.append(part); err != nil {
			return n, err
		}
		n += len(part)
		p = p[len(part):]
	}
	return n, nil
}

func (w *Writer) append(p []byte) error {
	e := w.entry
	if err := context.Cause(w.ctx); err != nil {
		return err
	}
	if len(e.open)+len(p) > chunkSize {
		if err := w.seal(); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open = append(e.open, p...)
	e.size += int64(len(p))
	e.tell()
	return nil
}

// seal ends a chunk: from now on it is read from the file, or from memory where there is
// no room for the answer.
func (w *Writer) seal() error {
	e := w.entry
	k := chunk{off: e.openOff, size: len(e.open), sum: crc32.Checksum(e.open, crcTable)}
	stored := !e.window && w.store()
	if !stored {
		if err := w.await(); err != nil {
			return err
		}
		k.data = e.open
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.chunks = append(e.chunks, k)
	e.openOff += int64(k.size)
	if stored {
		e.open = e.open[:0]
		e.first = len(e.chunks)
	} else {
		e.open = nil
	}
	return nil
}

// store writes the open chunk to the file. It is false where there is no room, or the
// disk fails: the answer is then only for those who wait for it.
func (w *Writer) store() bool {
	e := w.entry
	n := int64(len(e.open))
	if !e.cache.reserve(e, n) {
		return false
	}
	err := w.create()
	if err == nil {
		_, err = w.file.WriteAt(e.open, e.openOff)
	}
	if err != nil {
		e.cache.release(e, n)
	}
	return err == nil
}

func (w *Writer) create() (err error) {
	if w.file != nil {
		return nil
	}
	const how = os.O_CREATE | os.O_EXCL | os.O_WRONLY
	w.file, err = os.OpenFile(w.entry.path, how, 0o600)
	if errors.Is(err, fs.ErrNotExist) { // somebody deleted the folder
		if err = os.MkdirAll(w.entry.cache.Dir, 0o700); err == nil {
			w.file, err = os.OpenFile(w.entry.path, how, 0o600)
		}
	}
	return err
}

// await turns the answer into one that is not kept, and waits until there is room for one
// more chunk in memory.
func (w *Writer) await() error {
	e := w.entry
	e.cache.mu.Lock()
	e.cache.forget(e)
	e.cache.mu.Unlock()
	for {
		e.mu.Lock()
		e.window = true
		e.trim()
		room := len(e.chunks)-e.first < windowChunks
		starved := e.starved()
		e.mu.Unlock()
		if room {
			return nil
		}
		if err := w.wait(starved); err != nil {
			return err
		}
	}
}

// wait waits until a reader has gone on. Where others have nothing to read as long as
// that, those whom they wait for are cut off in the end.
func (w *Writer) wait(starved bool) error {
	e := w.entry
	var enough <-chan time.Time
	began := e.cache.Now()
	if starved {
		alarm := time.NewTimer(max(lagTime-w.lost, 0))
		defer alarm.Stop()
		enough = alarm.C
	}
	select {
	case <-e.moved:
		if starved {
			w.lost += e.cache.Now().Sub(began)
		}
	case <-enough:
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.size-w.mark < lagBytes {
			e.cut()
		}
		w.lost, w.mark = 0, e.size
	case <-w.ctx.Done():
		return context.Cause(w.ctx)
	}
	return nil
}

// finish ends the answer.
func (w *Writer) finish(keep bool, err error) {
	e := w.entry
	if !e.window && len(e.open) > 0 && len(e.chunks) > 0 && w.seal() != nil {
		keep = false
	}
	if w.file != nil && w.file.Close() != nil {
		keep = false
	}
	if len(e.open) > 0 {
		data := bytes.Clone(e.open) // what was allocated is larger
		e.mu.Lock()
		e.chunks = append(e.chunks, chunk{off: e.openOff, size: len(data), sum: crc32.Checksum(data, crcTable), data: data})
		e.openOff, e.open = e.size, nil
		e.mu.Unlock()
	}
	// Before the readers are told: the last of them to leave must find it kept.
	e.cache.finished(e, keep && !e.window)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.done, e.err = true, err
	e.open, e.said = nil, nil // what they were made in stays as long as the answer else
	e.tell()
}

// Said returns a writer of what is told, beside the answer, to those who wait for it and
// want to hear it. It is not kept, and bounded: what is too much is left out.
func (w *Writer) Said() io.Writer { return saidWriter{w.entry} }

type saidWriter struct{ entry *entry }

func (w saidWriter) Write(p []byte) (int, error) {
	e := w.entry
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.said)+len(p) <= maxSaid {
		e.said = append(e.said, p...)
		e.tell()
	}
	return len(p), nil
}
