package fsck

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/refward/refward/internal/blob"
	"github.com/refward/refward/internal/repo"
)

// lfs checks that every object of Git LFS that the repository has a row of is stored, with
// its size and its bytes, all of which are read.
func (c *Checker) lfs(ctx context.Context, r *Report, of Repository) error {
	for after := []byte{}; ; {
		page, err := c.Store.LFSObjects(ctx, of.ID, after, pageSize)
		if err != nil {
			return fmt.Errorf("list objects of Git LFS: %w", err)
		}
		for _, o := range page {
			if err := ctx.Err(); err != nil {
				return err
			}
			kind, what, err := c.lfsObject(ctx, of, o)
			if err != nil {
				return fmt.Errorf("object %x of Git LFS: %w", o.OID, err)
			}
			if what != "" {
				r.add(of, kind, "object "+hex.EncodeToString(o.OID), what)
			}
			r.Counts.LFSObjects++
			r.Counts.LFSBytes += o.Size
			after = o.OID
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

func (c *Checker) lfsObject(ctx context.Context, of Repository, o LFSObject) (_ Kind, what string, err error) {
	// Maintenance finds the row by the key: with another one the blob is deleted one day.
	if id, object, ok := repo.LFSKey(o.Key); !ok || id != of.ID || string(object[:]) != string(o.OID) {
		return LFSRow, "its row names the blob " + o.Key + ", which is not one of it", nil
	}
	from, err := c.Blobs.Get(ctx, o.Key)
	if errors.Is(err, blob.ErrNotFound) {
		return LFSMissing, "the blob " + o.Key + " is not there", nil
	}
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	sum := sha256.New()
	size, err := io.Copy(sum, from)
	switch {
	case err != nil:
		return "", "", err
	case size != o.Size:
		return LFSChanged, fmt.Sprintf("the blob %s has %d bytes, and its row says %d", o.Key, size, o.Size), nil
	case string(sum.Sum(nil)) != string(o.OID):
		return LFSChanged, "the blob " + o.Key + " has another SHA-256 than its name", nil
	}
	return "", "", nil
}
