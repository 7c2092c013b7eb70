package secret

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// KeyFile is the name of the master key's file in the data directory.
const KeyFile = "master.key"

// OpenKeeper returns the keeper of a data directory.
//
// A key that is given, the standard base64 of 32 bytes, is the master key; what was
// made with the directory's key file, if there is one, can still be opened. With no
// key given the file's is the master key, and is made on the first start, readable by
// its owner alone. Losing the key means that every access key and Git password must
// be made anew.
func OpenKeeper(dir string, given Text) (*Keeper, error) {
	path := filepath.Join(dir, KeyFile)
	kept, err := readKeyFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !given.IsZero():
		kept = nil
	case errors.Is(err, fs.ErrNotExist):
		if kept, err = createKeyFile(path); err != nil {
			return nil, fmt.Errorf("make the master key: %w", err)
		}
	case err != nil:
		return nil, fmt.Errorf("read the master key: %w", err)
	}
	if given.IsZero() {
		return NewKeeper(kept)
	}
	raw, err := decodeKey([]byte(given.s))
	if err != nil {
		return nil, fmt.Errorf("the given master key: %w", err)
	}
	if kept == nil {
		return NewKeeper(raw)
	}
	return NewKeeper(raw, kept)
}

func readKeyFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode(); !mode.IsRegular() || mode.Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %v: it must be a file that only its owner can read (chmod 600)", path, mode)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return decodeKey(text)
}

// decodeKey never puts the text into its error.
func decodeKey(text []byte) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(raw) != keySize {
		return nil, fmt.Errorf("it must be the base64 of %d bytes", keySize)
	}
	return raw, nil
}

// createKeyFile makes a key that is on disk, complete, before it is used: secrets that
// were sealed with a key which a crash then lost would be lost as well. If another
// process made one at the same time, that one wins.
func createKeyFile(path string) ([]byte, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	raw := make([]byte, keySize)
	rand.Read(raw)
	f, err := os.CreateTemp(dir, KeyFile+".*") // of mode 0600
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(raw) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	// Link, unlike rename, does not replace a file.
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return readKeyFile(path)
	} else if err != nil {
		return nil, err
	}
	return raw, syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
