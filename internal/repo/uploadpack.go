package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/refward/refward/internal/git/gitcmd"
)

// UploadPack runs one stateless fetch request of protocol version 0, 1 or 2 on the
// snapshot: in is the request body (after pkt-lines that gitserver answered itself), out
// gets the answer as it is made. Reading in must come to an end, or to an error, once
// the client has nothing more to send. ErrBadFetch.
func (h *House) UploadPack(ctx context.Context, snap *Snapshot, version int, in io.Reader, out io.Writer) (err error) {
	ctx, cancel := h.bind(ctx)
	defer cancel()
	c, err := h.ensure(ctx, snap)
	if err != nil {
		return err
	}
	defer c.end()
	v, err := c.acquire(snap)
	if err != nil {
		return err
	}
	defer func() {
		if releaseErr := c.release(v); releaseErr != nil {
			h.Log.WarnContext(ctx, "remove an old view of a repository", "repository", c.id, "error", releaseErr)
		}
	}()
	// The folder is ours whatever owner a mounted file system reports for it.
	cmd := h.Git.Command("upload-pack").Config("safe.directory", "*").Flag("--strict").Flag("--stateless-rpc").Operand(v.dir).
		Class(gitcmd.Sending).Stdin(in).Stdout(out)
	if version > 0 {
		cmd = cmd.Protocol(strconv.Itoa(version))
	}
	return fetchError(cmd.Run(ctx), snap.ID)
}

// theirFaults are parts of what upload-pack says when it cannot make sense of what a
// client asks for. Of other mistakes of a client's it tells the client itself.
var theirFaults = []string{"invalid filter-spec", "filters support has been dropped", "invalid deepen", "ambiguous deepen-not"}

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
