package repo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/refward/refward/internal/blob"
)

// Orphans lists the blobs of packs that are older than olderThan and that known does
// not know by the pack's key: what crashes and failed transactions left. The age must
// exceed the time that a push may take from its first upload to its commit, and known
// must be asked after the listing began.
func (h *House) Orphans(ctx context.Context, known func(key string) bool, olderThan time.Duration) ([]blob.Info, error) {
	before := h.Now().Add(-olderThan)
	var found []blob.Info
	err := h.Blobs.List(ctx, "", func(i blob.Info) bool {
		key, isPack := packKey(i.Key)
		if isPack && i.Created.Before(before) && !known(key) {
			found = append(found, i)
		}
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("list orphans: %w", err)
	}
	return found, nil
}

// packKey returns the key of the pack that a blob belongs to, and false for a blob that
// belongs to none.
func packKey(blobKey string) (key string, ok bool) {
	for _, ext := range allExtensions() {
		if key, ok = strings.CutSuffix(blobKey, ext); ok {
			return key, true
		}
	}
	return "", false
}
