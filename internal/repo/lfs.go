package repo

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"regexp"

	"github.com/refward/refward/internal/git/lfs"
)

// ErrBadLFS is answered for bytes that are not the object of Git LFS that they were sent
// as. Its text is fit for the client to read.
var ErrBadLFS = errors.New("not the object")

// lfsFolder stands in the keys of objects of Git LFS, between the repository's ID and the
// rest: ID/lfs/OID-RANDOM. A key is new each time, so that two uploads of one object are
// not in each other's way, and what one of them removes is its own.
const lfsFolder = "/lfs/"

// lfsKey is the form of the keys, which no blob of a pack has.
var lfsKey = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9-]{0,63})/lfs/([0-9a-f]{64})-[0-9a-f]{16}$`)

// LFSKey returns the repository and the object that the blob of an object of Git LFS was
// stored for, and false for other blobs.
func LFSKey(blobKey string) (id ID, object lfs.OID, ok bool) {
	m := lfsKey.FindStringSubmatch(blobKey)
	if m == nil {
		return "", lfs.OID{}, false
	}
	object, err := lfs.ParseOID(m[2])
	return ID(m[1]), object, err == nil
}

// PutLFS stores an object of Git LFS and returns the key of its blob, which is durable
// then. Nothing is stored unless the bytes are those of the object. The object is part of
// the repository when a row names the key.
func (h *House) PutLFS(ctx context.Context, id ID, o lfs.Object, r io.Reader) (key string, err error) {
	if !idPattern.MatchString(string(id)) {
		return "", fmt.Errorf("%q is no ID of a repository", id)
	}
	var random [8]byte
	rand.Read(random[:])
	key = string(id) + lfsFolder + o.OID.String() + "-" + hex.EncodeToString(random[:])
	content := newLFSReader(r, o)
	switch err := h.Blobs.Put(ctx, key, content, o.Size); {
	case err == nil:
		return key, nil
	case errors.Is(content.err, ErrBadLFS):
		return "", content.err // without the key, which is nobody's
	default:
		return "", fmt.Errorf("store an object of Git LFS: %w", err)
	}
}

// CheckLFS reads what PutLFS would store, and stores nothing.
func (h *House) CheckLFS(r io.Reader, o lfs.Object) error {
	_, err := io.Copy(io.Discard, newLFSReader(r, o))
	return err
}

// OpenLFS opens the blob of an object from a byte on. The caller closes it.
func (h *House) OpenLFS(ctx context.Context, key string, from int64) (io.ReadCloser, error) {
	r, err := h.Blobs.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("open an object of Git LFS: %w", err)
	}
	if from == 0 {
		return r, nil
	}
	if s, ok := r.(io.Seeker); ok {
		_, err = s.Seek(from, io.SeekStart)
	} else {
		_, err = io.CopyN(io.Discard, r, from)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open an object of Git LFS at byte %d: %w", from, err), r.Close())
	}
	return r, nil
}

// DeleteLFS removes the blob of an object that no row names any more.
func (h *House) DeleteLFS(ctx context.Context, key string) error {
	if err := h.Blobs.Delete(ctx, key); err != nil {
		return fmt.Errorf("remove an object of Git LFS: %w", err)
	}
	return nil
}

// lfsReader reads the bytes of an object. It gives the last of them away only when all
// of them are known to be right, so that whoever has read them all has the object,
// whether or not they went on to the end.
type lfsReader struct {
	src  io.Reader
	want lfs.Object
	sum  hash.Hash
	read int64
	err  error // what every Read after this one says
}

func newLFSReader(r io.Reader, o lfs.Object) *lfsReader {
	return &lfsReader{src: r, want: o, sum: sha256.New()}
}

// Read implements [io.Reader].
func (r *lfsReader) Read(p []byte) (int, error) {
	if r.err != nil || len(p) == 0 {
		return 0, r.err
	}
	left := r.want.Size - r.read
	if left == 0 { // of an empty object: of others the last Read has checked
		r.err = r.check()
		return 0, r.err
	}
	n, err := r.src.Read(p[:min(int64(len(p)), left)])
	r.sum.Write(p[:n])
	r.read += int64(n)
	switch {
	case r.read == r.want.Size:
		if r.err = r.check(); !errors.Is(r.err, io.EOF) {
			return 0, r.err
		}
		return n, nil
	case errors.Is(err, io.EOF):
		r.err = fmt.Errorf("%w: %d bytes came, and it has %d", ErrBadLFS, r.read, r.want.Size)
		return 0, r.err
	}
	r.err = err
	return n, err
}

// check is called when as many bytes were read as the object has. It returns io.EOF when
// they were the object.
func (r *lfsReader) check() error {
	var more [1]byte
	switch _, err := io.ReadFull(r.src, more[:]); {
	case err == nil:
		return fmt.Errorf("%w: more bytes came than the %d that it has", ErrBadLFS, r.want.Size)
	case !errors.Is(err, io.EOF):
		return err
	}
	if got := lfs.OID(r.sum.Sum(nil)); got != r.want.OID {
		return fmt.Errorf("%w: the SHA-256 of the bytes is %s", ErrBadLFS, got)
	}
	return io.EOF
}
