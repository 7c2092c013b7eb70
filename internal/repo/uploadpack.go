package repo

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/repo/replay"
)

// UploadPack runs one stateless fetch request of protocol version 0, 1 or 2 on the
// snapshot: in is the request body (after pkt-lines that gitserver answered itself), out
// gets the answer as it is made. Reading in must come to an end, or to an error, once
// the client has nothing more to send. ErrBadFetch.
//
// The caller has seen to it that the client may read the repository: an answer that was
// given before is given again, whoever asked for it then. See README.md, Life of a fetch.
func (h *House) UploadPack(ctx context.Context, snap *Snapshot, version int, in io.Reader, out io.Writer) error {
	ctx, cancel := h.bind(ctx)
	defer cancel()
	if h.life.Err() != nil {
		return ErrClosed
	}
	raw, whole, err := readRequest(ctx, in)
	if err != nil {
		return fmt.Errorf("read a fetch of %s: %w", snap.ID, err)
	}
	if !whole {
		return h.longFetch(ctx, snap, version, io.MultiReader(bytes.NewReader(raw), in), out)
	}
	q, err := wire.DecodeFetchRequest(pktline.NewReader(bytes.NewReader(raw)), version)
	if err != nil || len(q.Wants) == 0 {
		// Git says what is wrong with it, or answers what only git knows.
		return h.oddFetch(ctx, snap, version, bytes.NewReader(raw), out)
	}
	f := &fetch{house: h, snap: snap, q: q, out: out}
	return f.serve(ctx)
}

const (
	// maxRequest bounds the request that is held in memory, with what is made of it, until
	// its answer was taken: some 20,000 wants and haves.
	maxRequest = 1 << 20

	// maxLongRequest bounds the one that git alone reads, from a file: more than a door
	// lets through.
	maxLongRequest = 256 << 20
)

// readRequest reads a request; whole is false where there is more of it. When the context
// ends it does not wait, and one Read may be left behind.
func readRequest(ctx context.Context, in io.Reader) (raw []byte, whole bool, err error) {
	var read []byte
	err = aside(ctx, func() (err error) {
		read, err = io.ReadAll(io.LimitReader(in, maxRequest))
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return read, len(read) < maxRequest, nil
}

// aside runs a function that waits for the client. When the context ends nobody waits for
// the function, and what it sets must not be looked at.
func aside(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// longFetch lets git answer a request that is too long to be held. It is on disk before
// git begins, so that no process waits for a client.
func (h *House) longFetch(ctx context.Context, snap *Snapshot, version int, in io.Reader, out io.Writer) (err error) {
	path := h.newIncoming()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("keep a fetch of %s: %w", snap.ID, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := os.Remove(path); err != nil { // the open file is all that is needed
		return fmt.Errorf("keep a fetch of %s: %w", snap.ID, err)
	}
	err = aside(ctx, func() error {
		n, err := io.Copy(onlyWriter{f}, io.LimitReader(in, maxLongRequest+1))
		if err == nil && n > maxLongRequest {
			err = fmt.Errorf("%w: the request has more than %d bytes", ErrBadFetch, int64(maxLongRequest))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read a fetch of %s: %w", snap.ID, err)
	}
	return h.oddFetch(ctx, snap, version, io.NewSectionReader(f, 0, maxLongRequest), out)
}

// oddFetch lets git answer a request as it came. The answer is nobody else's and is not
// kept; it goes the way of all others, so that git is done with it at its own pace and
// not at the client's.
func (h *House) oddFetch(ctx context.Context, snap *Snapshot, version int, in io.Reader, out io.Writer) error {
	var key replay.Key
	_, _ = rand.Read(key[:]) // never fails: it ends the program instead
	return h.answers.Send(ctx, replay.Request{
		Key: key, Group: string(snap.ID),
		Make: func(ctx context.Context, w *replay.Writer) (keep bool, err error) {
			return false, h.gitUploadPack(ctx, snap, version, false, in, w)
		},
	}, replay.Client{Out: out})
}

// gitUploadPack lets git answer. The files of one commit are seldom alike: that git then
// does not look for those that are spares a fifth to half of the cost of the answer, and
// its pack grows by less than a tenth (docs/performance.md).
func (h *House) gitUploadPack(ctx context.Context, snap *Snapshot, version int, oneCommit bool, in io.Reader, out io.Writer) error {
	c, err := h.ensure(ctx, snap)
	if err != nil {
		return err
	}
	defer c.end()
	v, err := c.acquire(snap)
	if err != nil {
		return err
	}
	defer h.release(ctx, c.cached, v)
	// The folder is ours whatever owner a mounted file system reports for it.
	cmd := h.Git.Command("upload-pack").Config("safe.directory", "*").Flag("--strict").Flag("--stateless-rpc").Operand(v.dir).
		Class(gitcmd.Sending).Stdin(in).Stdout(out)
	if oneCommit {
		cmd = cmd.Config("pack.window", "0")
	}
	if version > 0 {
		cmd = cmd.Protocol(strconv.Itoa(version))
	}
	return fetchError(cmd.Run(ctx), snap.ID)
}

// release gives a view back. That an old one could not be removed is only logged.
func (h *House) release(ctx context.Context, c *cached, v *view) {
	if err := c.release(v); err != nil {
		h.Log.WarnContext(ctx, "remove an old view of a repository", "repository", c.id, "error", err)
	}
}

// theirFaults are parts of what upload-pack says when it cannot make sense of what a
// client asks for. Of other mistakes of a client's it tells the client itself.
var theirFaults = []string{
	"invalid filter-spec", "filters support has been dropped", "expected 'tree:<depth>'", "is not a valid object type",
	"expected something after combine:", "must escape char in sub-filter-spec", "filter-specs cannot be combined",
	"invalid deepen", "ambiguous deepen-not", "deepen-not) cannot be used together", "no commits selected for shallow requests",
	"invalid shallow object",
}

// fetchError makes of upload-pack's failure what it means: a request that is refused, with
// a reason to read, or trouble of our own.
func fetchError(err error, id ID) error {
	if err == nil {
		return nil
	}
	if exit, ok := errors.AsType[*gitcmd.ExitError](err); ok {
		said := strings.ToLower(exit.Stderr)
		for _, fault := range theirFaults {
			if strings.Contains(said, fault) {
				return fmt.Errorf("%w: %s", ErrBadFetch, reason(exit.Stderr))
			}
		}
	}
	return fmt.Errorf("serve a fetch of %s: %w", id, err)
}
