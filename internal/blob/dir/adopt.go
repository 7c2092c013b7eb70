package dir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"github.com/refward/refward/internal/blob"
)

// Adopt makes the bytes of file, a path outside the store and on the same file system, a
// blob, without copying them: the blob is a second name of the file, which becomes
// read-only and which nobody may write to any more. Otherwise it is [Store.Put]: when it
// returns nil the blob is durable and complete, and on an error there is none.
func (s *Store) Adopt(ctx context.Context, key, file string) error {
	if err := s.adopt(ctx, key, file); err != nil {
		return fmt.Errorf("adopt %s as blob %q: %w", file, key, err)
	}
	return nil
}

func (s *Store) adopt(ctx context.Context, key, file string) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	if err := seal(file); err != nil {
		return err
	}
	return s.publish(ctx, key, func() error { return os.Link(file, path.Join(s.root.Name(), key)) })
}

// seal makes a regular file read-only, as old as the blob that it becomes, and brings it
// to disk. It may have been written long before, and by its age it is decided whether a
// blob is still waiting for its row.
func seal(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err == nil {
		err = f.Chmod(0o400)
	}
	if err == nil {
		err = unix.Utimes(file, nil) // now
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
