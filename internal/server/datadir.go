package server

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refward/refward/internal/secret"
)

// Files of the data directory that this package writes.
const (
	lockFile            = "lock"
	endpointsFile       = "endpoints.json"
	rootCredentialsFile = "root-credentials"
	hostKeyFile         = "ssh_host_key"
)

// ErrLocked is returned, wrapped, by [Open] for a data directory that another process
// is using.
var ErrLocked = errors.New("the data directory is in use by another refward process")

// dataDir is a data directory, locked by this process.
type dataDir struct {
	path string
	lock *os.File
}

// openDataDir makes the directory where there is none and locks it. The lock is the
// kernel's (flock): it ends with the process, however that ends.
func openDataDir(path string) (*dataDir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if strings.ContainsAny(abs, ":\n") {
		// Git separates folders of objects by colons.
		return nil, fmt.Errorf("data directory %q: its path must not contain a colon or a line break", abs)
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(abs, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil, errors.Join(fmt.Errorf("%w: %s (stop it, or choose another directory with --data-dir)", ErrLocked, abs), f.Close())
	case err != nil:
		return nil, errors.Join(fmt.Errorf("lock the data directory: %w", err), f.Close())
	}
	d := &dataDir{path: abs, lock: f}
	// What a crash left says where a host was, not where one is.
	if err := d.remove(endpointsFile); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return d, nil
}

func (d *dataDir) join(name string) string { return filepath.Join(d.path, name) }

// Close gives the lock back.
func (d *dataDir) Close() error { return d.lock.Close() }

func (d *dataDir) has(name string) bool {
	_, err := os.Stat(d.join(name))
	return err == nil
}

func (d *dataDir) remove(name string) error {
	if err := os.Remove(d.join(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// write replaces a file whole or not at all.
func (d *dataDir) write(name string, content []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(d.path, "."+name+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // fails once it was renamed
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), d.join(name))
}

// endpoints is what endpoints.json holds.
type endpoints struct {
	HTTP string `json:"http"`
	SSH  string `json:"ssh"`
}

func (d *dataDir) writeEndpoints(e endpoints) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := d.write(endpointsFile, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", endpointsFile, err)
	}
	return nil
}

// writeRootCredentials keeps a generated root key in the form that AWS's clients read
// by AWS_SHARED_CREDENTIALS_FILE.
func (d *dataDir) writeRootCredentials(keyID string, key secret.Text) error {
	text := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", keyID, key.Reveal())
	if err := d.write(rootCredentialsFile, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", rootCredentialsFile, err)
	}
	return nil
}

// newAccountID returns 12 random digits, the first of them not 0, so that the ID
// survives whoever reads it as a number.
func newAccountID() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(900_000_000_000))
	if err != nil {
		return "", fmt.Errorf("choose an account ID: %w", err)
	}
	return fmt.Sprint(100_000_000_000 + n.Int64()), nil
}
