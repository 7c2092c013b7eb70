package fsck

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/refward/refward/internal/blob"
	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/pack"
	"github.com/refward/refward/internal/repo"
)

// packs brings every live pack into the scratch repository, and says what is not as its
// row says. A pack that is not whole is left out: what it held is then missing.
func (c *Checker) packs(ctx context.Context, r *Report, of Repository, snap *repo.Snapshot, dir string) error {
	for _, p := range snap.Packs {
		r.Counts.Packs++
		r.Counts.Objects += p.Objects
		r.Counts.Bytes += p.Size
		base := filepath.Join(dir, "objects", "pack", "pack-"+p.ID)
		var kind Kind
		var what string
		var err error
		if p.IsInline() {
			kind, what, err = c.inline(ctx, of, p, base)
		} else {
			kind, what, err = c.stored(ctx, p, base)
		}
		if err != nil {
			return fmt.Errorf("pack %s: %w", p.ID, err)
		}
		if what == "" {
			kind, what, err = count(p, base+".idx")
			if err != nil {
				return fmt.Errorf("pack %s: %w", p.ID, err)
			}
		}
		if what == "" {
			continue
		}
		r.add(of, kind, "pack "+p.ID, what)
		if kind != BitmapGone {
			if err := errors.Join(os.RemoveAll(base+".idx"), os.RemoveAll(base+".pack")); err != nil {
				return err
			}
		}
	}
	return nil
}

// inline writes a pack of the metadata store, and lets git make its index.
func (c *Checker) inline(ctx context.Context, of Repository, p repo.Pack, base string) (Kind, string, error) {
	data, err := c.Store.PackData(ctx, of.ID, p.ID)
	if err != nil {
		return PackMissing, "its bytes are not in metadata.db: " + err.Error(), nil
	}
	sum := sha256.Sum256(data)
	if what := differs(p, int64(len(data)), sum[:]); what != "" {
		return PackChanged, "its bytes in metadata.db " + what, nil
	}
	if err := os.WriteFile(base+".pack", data, 0o600); err != nil {
		return "", "", err
	}
	err = c.Git.Command("index-pack").Class(gitcmd.Tidying).Option("--threads", "1").Operand(base + ".pack").Run(ctx)
	if exit, ok := errors.AsType[*gitcmd.ExitError](err); ok {
		return IndexMissing, "git cannot make its index: " + exit.Stderr, nil
	}
	return "", "", err
}

// stored brings the files of a pack from the blob store. All of the pack is read, and
// compared with what was stored.
func (c *Checker) stored(ctx context.Context, p repo.Pack, base string) (Kind, string, error) {
	sum := sha256.New()
	size, err := c.bring(ctx, p.Key+".pack", base+".pack", sum)
	if errors.Is(err, blob.ErrNotFound) {
		return PackMissing, "the blob " + p.Key + ".pack is not there", nil
	}
	if err != nil {
		return "", "", err
	}
	if what := differs(p, size, sum.Sum(nil)); what != "" {
		return PackChanged, "the blob " + p.Key + ".pack " + what, nil
	}
	_, err = c.bring(ctx, p.Key+".idx", base+".idx", io.Discard)
	if errors.Is(err, blob.ErrNotFound) {
		return IndexMissing, "the blob " + p.Key + ".idx is not there", nil
	}
	if err != nil || !p.Bitmap {
		return "", "", err
	}
	for _, ext := range []string{".bitmap", ".rev"} {
		if _, err := c.Blobs.Stat(ctx, p.Key+ext); errors.Is(err, blob.ErrNotFound) {
			return BitmapGone, "the blob " + p.Key + ext + " is not there", nil
		} else if err != nil {
			return "", "", err
		}
	}
	return "", "", nil
}

// differs says how a pack is not what its row says, or nothing.
func differs(p repo.Pack, size int64, sum []byte) string {
	switch {
	case size != p.Size:
		return fmt.Sprintf("have %d bytes, and %d were stored", size, p.Size)
	case hex.EncodeToString(sum) != p.SHA256:
		return "have another SHA-256 than what was stored"
	}
	return ""
}

// bring makes path a file with the bytes of a blob, all of which pass through sum.
func (c *Checker) bring(ctx context.Context, key, path string, sum io.Writer) (size int64, err error) {
	from, err := c.Blobs.Get(ctx, key)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if c.Link != nil && c.Link(key, path) == nil {
		return io.Copy(sum, from)
	}
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	size, err = io.Copy(io.MultiWriter(to, sum), from)
	return size, errors.Join(err, to.Close())
}

// count compares the number of objects with the row's.
func count(p repo.Pack, path string) (_ Kind, _ string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	x, err := pack.NewIndex(f)
	if err != nil {
		return IndexMissing, "its index cannot be read: " + err.Error(), nil
	}
	if x.Len() != p.Objects {
		return IndexMissing, fmt.Sprintf("its index has %d objects, and its row says %d", x.Len(), p.Objects), nil
	}
	return "", "", nil
}
