package gitserver

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
)

// HostKey reads the SSH host key in a file, and makes one (Ed25519, in OpenSSH's
// format) where there is no file: once, since clients remember it. Only the owner may
// be able to read the file.
func HostKey(file string) (ssh.Signer, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeHostKey(file); err != nil {
			return nil, fmt.Errorf("make an SSH host key: %w", err)
		}
		b, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, fmt.Errorf("read the SSH host key: %w", err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("read the SSH host key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the SSH host key %q can be read by others than its owner (mode %04o): use chmod 600, or replace it", file, info.Mode().Perm())
	}
	key, err := ssh.ParsePrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("read the SSH host key %q: %w", file, err)
	}
	return key, nil
}

// makeHostKey writes a new key. The file appears whole or not at all, and one that
// somebody else made in the meantime stays.
func makeHostKey(file string) (err error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(key, "refward host key")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".host-key-*") // of mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	if _, err = f.Write(pem.EncodeToMemory(block)); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Link(f.Name(), file); errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
