package policycmd

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxLine is the longest line that "refward policy decide" reads. A longer one is
// answered as invalid, and the next one is read.
const maxLine = 4 << 20

var errLongLine = fmt.Errorf("the line is longer than %d bytes", maxLine)

// lines reads lines of bounded length.
type lines struct {
	from *bufio.Reader
	long []byte // of a line that did not fit into the reader's buffer
}

// read returns the next line without its end. It is good until the next one is read.
// The error is io.EOF after the last line, errLongLine for a line that was left out,
// or that of the reader.
func (l *lines) read() ([]byte, error) {
	line, err := l.from.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line, err = l.readLong(line)
	}
	switch {
	case errors.Is(err, io.EOF) && len(line) > 0:
		return line, nil
	case err != nil:
		return nil, err
	default:
		return bytes.TrimSuffix(line, []byte("\n")), nil
	}
}

// readLong goes on with a line to its end, but keeps no more than maxLine of it.
func (l *lines) readLong(begun []byte) ([]byte, error) {
	l.long = append(l.long[:0], begun...)
	tooLong := false
	for {
		part, err := l.from.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		tooLong = tooLong || len(l.long)+len(bytes.TrimSuffix(part, []byte("\n"))) > maxLine
		if !tooLong {
			l.long = append(l.long, part...)
		}
		switch {
		case full:
		case tooLong && (err == nil || errors.Is(err, io.EOF)):
			return nil, errLongLine
		default:
			return l.long, err
		}
	}
}

// waiting reports whether the next line has yet to arrive.
func (l *lines) waiting() bool {
	part, err := l.from.Peek(l.from.Buffered())
	return err != nil || bytes.IndexByte(part, '\n') < 0
}
