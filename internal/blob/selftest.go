package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// SelfTest writes a small blob, reads, describes, lists and deletes it, and reports
// the first step at which the store did not keep its contract. A host runs it before
// it serves: a store that loses, changes or hides blobs must not take a push.
func SelfTest(ctx context.Context, s Store) (err error) {
	content := make([]byte, 32)
	rand.Read(content)
	key := "selftest/" + hex.EncodeToString(content)
	if err := s.Put(ctx, key, bytes.NewReader(content), int64(len(content))); err != nil {
		return fmt.Errorf("blob store self test: put: %w", err)
	}
	defer func() {
		if delErr := s.Delete(ctx, key); delErr != nil {
			err = errors.Join(err, fmt.Errorf("blob store self test: delete: %w", delErr))
			return
		}
		if _, statErr := s.Stat(ctx, key); err == nil && !errors.Is(statErr, ErrNotFound) {
			err = fmt.Errorf("blob store self test: a deleted blob is still there (stat answered %v)", statErr)
		}
	}()
	if err := s.Put(ctx, key, bytes.NewReader(content), int64(len(content))); !errors.Is(err, ErrExists) {
		return fmt.Errorf("blob store self test: a second put of one key was not refused (it answered %v)", err)
	}
	return selfRead(ctx, s, key, content)
}

func selfRead(ctx context.Context, s Store, key string, content []byte) error {
	r, err := s.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("blob store self test: get: %w", err)
	}
	got, err := io.ReadAll(io.LimitReader(r, int64(len(content))+1))
	if err = errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("blob store self test: read: %w", err)
	}
	if !bytes.Equal(got, content) {
		return errors.New("blob store self test: what was read is not what was put")
	}
	info, err := s.Stat(ctx, key)
	if err != nil {
		return fmt.Errorf("blob store self test: stat: %w", err)
	}
	if info.Size != int64(len(content)) {
		return fmt.Errorf("blob store self test: a blob of %d bytes is described as one of %d", len(content), info.Size)
	}
	listed := false
	err = s.List(ctx, key, func(i Info) bool { listed = listed || i.Key == key; return !listed })
	if err != nil {
		return fmt.Errorf("blob store self test: list: %w", err)
	}
	if !listed {
		return errors.New("blob store self test: a blob that was put is not listed")
	}
	return nil
}
