package repo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// measured is what is known of a pack that was written down as it came. Git only reads
// it, so this is what is there when git has checked it.
type measured struct {
	sha  string // SHA-256, in hexadecimal
	size int64
}

// store writes a pack to a new file as it comes. It returns when ctx ends, and may then
// leave one Read behind.
func (in *Incoming) store(ctx context.Context, file string, r io.Reader) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("store the pack: %w", err)
	}
	type outcome struct {
		measured
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		s, err := pour(ctx, f, r)
		done <- outcome{s, errors.Join(err, f.Close())}
	}()
	select {
	case o := <-done:
		in.sum = o.measured
		return o.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// The buffer of pour, and the room in it that is worth another Read.
const (
	pourBuffer = 256 << 10
	pourRoom   = 32 << 10
)

// pour copies in large pieces, where git would write 4 KiB at a time. Only an end of ctx
// keeps a piece that came from being written.
func pour(ctx context.Context, w io.Writer, r io.Reader) (s measured, err error) {
	sum := sha256.New()
	buf := make([]byte, pourBuffer)
	for err == nil {
		n := 0
		for err == nil && len(buf)-n >= pourRoom {
			var more int
			more, err = r.Read(buf[n:])
			n += more
		}
		if ctx.Err() != nil {
			return measured{}, context.Cause(ctx)
		}
		if _, werr := w.Write(buf[:n]); werr != nil {
			return measured{}, fmt.Errorf("store the pack: %w", werr)
		}
		sum.Write(buf[:n])
		s.size += int64(n)
	}
	if !errors.Is(err, io.EOF) {
		return measured{}, fmt.Errorf("read the pack: %w", err)
	}
	s.sha = hex.EncodeToString(sum.Sum(nil))
	return s, nil
}
