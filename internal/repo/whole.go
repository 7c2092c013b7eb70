package repo

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
)

// whole returns the path of the file that is the answer as it is: the one pack of a
// repository, where everything in it is reachable from what is wanted.
//
// The proof is a count. The pack is all that the snapshot has, and the wants are refs of
// the snapshot, so what they reach is in the pack; when as many objects are reachable as
// it has, none is left over that might not be sent. Only a pack with a bitmap is counted:
// without one, counting takes as long as making the pack. Any doubt means that
// pack-objects makes the answer. The error is that of a count that had no place to run.
func (p *packing) whole(ctx context.Context, c *cached) (path string, ok bool, err error) {
	if len(p.snap.Packs) != 1 || p.filter != "" || !p.fresh || !slices.Contains(p.options, "--delta-base-offset") {
		return "", false, nil
	}
	only := p.snap.Packs[0]
	if _, err := os.Stat(c.pack(only.ID) + bitmapExt); err != nil || !p.snap.advertises(p.wants) {
		return "", false, nil
	}
	out, err := p.house.Git.Command("rev-list").GitDir(c.dir).Flag("--count").Flag("--objects").Flag("--use-bitmap-index").Flag("--stdin").
		Class(gitcmd.Sending).Stdin(strings.NewReader(p.revs)).Output(ctx, 64)
	switch {
	case isBusy(err):
		return "", false, err
	case err != nil:
		return "", false, nil // pack-objects says what is wrong
	}
	count, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	return c.pack(only.ID) + packExt, err == nil && count == only.Objects && count > 0, nil
}

// advertises reports whether each of the objects is one that a ref names, or the object
// behind a tag.
func (s *Snapshot) advertises(ids []oid.ID) bool {
	named := make(map[oid.ID]struct{}, len(s.Refs))
	for _, r := range s.Refs {
		named[r.OID] = struct{}{}
		named[r.Peeled] = struct{}{}
	}
	for _, id := range ids {
		if _, ok := named[id]; !ok || id.IsZero() {
			return false
		}
	}
	return true
}

// sendWhole writes the file, and fails at its end where it is not what its own checksum
// says: nothing of it is kept then, and the client notices too.
func sendWhole(ctx context.Context, path string, w io.Writer) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	body := info.Size() - pack.TrailerSize
	sum := sha1.New()
	buf := make([]byte, 256<<10)
	if _, err := io.CopyBuffer(onlyWriter{io.MultiWriter(w, sum)}, onlyReader{io.LimitReader(&contextReader{ctx, f}, body)}, buf); err != nil {
		return err
	}
	trailer := make([]byte, pack.TrailerSize)
	if _, err := f.ReadAt(trailer, body); err != nil {
		return err
	}
	if !bytes.Equal(trailer, sum.Sum(nil)) {
		return fmt.Errorf("pack %s in the cache is damaged: its checksum is wrong", path)
	}
	_, err = w.Write(trailer)
	return err
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
