package repo

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/pack"
)

// sendStock writes a stock as one pack: the bytes of the large one, then those of a pack
// that is made of what came since. A pack's entries name their bases by ID or by the
// distance to them, so they mean the same behind others.
//
// It fails at the end where the large one is not what its own checksum says: nothing of
// what was sent is kept then, and without an end the client takes it for broken too.
func (p *packing) sendStock(ctx context.Context, c *cached, s *stock, w io.Writer) (err error) {
	f, err := os.Open(s.path) // before a byte is sent: it may have been replaced
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha1.New()
	out := onlyWriter{io.MultiWriter(w, sum)}
	if _, err := out.Write(pack.AppendHeader(nil, uint32(s.count))); err != nil {
		return err
	}
	if err := sendBody(ctx, s, f, out, sum); err != nil {
		return err
	}
	if err := p.sendSince(ctx, c, s, out); err != nil {
		return err
	}
	_, err = w.Write(sum.Sum(nil))
	return err
}

// sendBody writes the entries of the large pack. sum is of what was written, and its own
// checksum where nothing comes after it.
func sendBody(ctx context.Context, s *stock, f *os.File, w io.Writer, sum hash.Hash) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	body := info.Size() - pack.TrailerSize
	if len(s.since) > 0 {
		sum = sha1.New()
		w = onlyWriter{io.MultiWriter(w, sum)}
		if _, err := io.Copy(sum, io.NewSectionReader(f, 0, pack.HeaderSize)); err != nil {
			return err
		}
	}
	entries := io.NewSectionReader(f, pack.HeaderSize, body-pack.HeaderSize)
	if _, err := io.CopyBuffer(w, onlyReader{&contextReader{ctx, entries}}, make([]byte, 256<<10)); err != nil {
		return err
	}
	trailer := make([]byte, pack.TrailerSize)
	if _, err := f.ReadAt(trailer, body); err != nil {
		return err
	}
	if !bytes.Equal(trailer, sum.Sum(nil)) {
		return fmt.Errorf("pack %s in the cache is damaged: its checksum is wrong", s.path)
	}
	return nil
}

// sendSince lets git pack what came since, and writes the entries of that pack.
func (p *packing) sendSince(ctx context.Context, c *cached, s *stock, w io.Writer) error {
	if len(s.since) == 0 {
		return nil
	}
	entries := &packEntries{w: w, sum: sha1.New()}
	err := p.house.Git.Command("pack-objects").GitDir(c.dir).Flag("--stdout").Flag("--delta-base-offset").Flag("--quiet").
		Class(gitcmd.Sending).Stdin(bytes.NewReader(appendIDs(nil, s.since))).Stdout(entries).Run(ctx)
	if err == nil {
		err = entries.end(len(s.since))
	}
	if err != nil {
		return fmt.Errorf("pack what came since: %w", err)
	}
	return nil
}

// packEntries passes on what is between the head of a pack and its checksum.
type packEntries struct {
	w    io.Writer
	sum  hash.Hash
	head []byte
	last []byte // what may be the checksum
}

// Write implements [io.Writer].
func (e *packEntries) Write(p []byte) (int, error) {
	n := len(p)
	if missing := pack.HeaderSize - len(e.head); missing > 0 {
		part := p[:min(missing, len(p))]
		e.head = append(e.head, part...)
		_, _ = e.sum.Write(part) // a hash never fails
		p = p[len(part):]
	}
	e.last = append(e.last, p...)
	if over := len(e.last) - pack.TrailerSize; over > 0 {
		_, _ = e.sum.Write(e.last[:over])
		if _, err := e.w.Write(e.last[:over]); err != nil {
			return 0, err
		}
		e.last = e.last[:copy(e.last, e.last[over:])]
	}
	return n, nil
}

// end checks that the pack is whole and has so many objects.
func (e *packEntries) end(objects int) error {
	n, err := pack.ParseHeader(e.head)
	if err != nil {
		return err
	}
	if int64(n) != int64(objects) || !bytes.Equal(e.last, e.sum.Sum(nil)) {
		return fmt.Errorf("git made a pack of %d objects, with the checksum %x: want %d, %x", n, e.last, objects, e.sum.Sum(nil))
	}
	return nil
}

// onlyReader and onlyWriter hide what would make a copy take a buffer of its own.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)

// contextReader fails when the context has ended.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

// Read implements [io.Reader].
func (r *contextReader) Read(p []byte) (int, error) {
	if err := context.Cause(r.ctx); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
