package repo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/refward/refward/internal/blob"
)

// Orphans lists the blobs of packs, and of objects of Git LFS, that are older than
// olderThan and that known does not know by the key of the pack or the object: what
// crashes and failed transactions left. The age must exceed the time that a push may take
// from its first upload to its commit ([MaxPublish], which holds for objects as well), and
// known must be asked after the listing began.
func (h *House) Orphans(ctx context.Context, known func(key string) bool, olderThan time.Duration) ([]blob.Info, error) {
	before := h.Now().Add(-olderThan)
	var found []blob.Info
	err := h.Blobs.List(ctx, "", func(i blob.Info) bool {
		key, ours := RowKey(i.Key)
		if ours && i.Created.Before(before) && !known(key) {
			found = append(found, i)
		}
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("list orphans: %w", err)
	}
	return found, nil
}

// RowKey returns the key that a row names a blob by, and false for a blob that no row
// would name.
func RowKey(blobKey string) (key string, ok bool) {
	if _, _, ok := LFSKey(blobKey); ok {
		return blobKey, true
	}
	return PackKey(blobKey)
}

// PackKey returns the key of the pack that a blob belongs to, and false for a blob that
// belongs to none.
func PackKey(blobKey string) (key string, ok bool) {
	for _, ext := range allExtensions() {
		if key, ok = strings.CutSuffix(blobKey, ext); ok {
			return key, true
		}
	}
	return "", false
}

// DeletePack deletes every blob of a pack by its key. Blobs that are not there are not
// missed.
func (h *House) DeletePack(ctx context.Context, key string) error {
	var errs []error
	for _, ext := range allExtensions() {
		errs = append(errs, h.Blobs.Delete(ctx, key+ext))
	}
	return errors.Join(errs...)
}

// RemoveLeftovers removes folders of quarantines and consolidations that were begun
// longer ago than that, and counts them. Whoever began them has failed to. Those of
// earlier runs go without being counted.
func (h *House) RemoveLeftovers(olderThan time.Duration) (n int, err error) {
	removeRuns(filepath.Join(h.CacheDir, incomingDir), h.incoming)
	entries, err := os.ReadDir(h.incoming)
	if err != nil {
		return 0, fmt.Errorf("remove leftovers: %w", err)
	}
	before := timeID(h.Now().Add(-olderThan))
	var errs []error
	for _, e := range entries {
		if e.Name() >= before { // an ID begins with its time
			continue
		}
		if err := os.RemoveAll(filepath.Join(h.incoming, e.Name())); err != nil {
			errs = append(errs, fmt.Errorf("remove leftovers: %w", err))
			continue
		}
		n++
	}
	return n, errors.Join(errs...)
}
