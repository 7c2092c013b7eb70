package repo

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/refward/refward/internal/git/gitcmd"
)

// UploadPack runs one stateless fetch request of protocol version 0, 1 or 2 on the
// snapshot: in is the request body (after pkt-lines that gitserver answered itself), out
// gets the answer as it is made. Reading in must come to an end, or to an error, once
// the client has nothing more to send.
func (h *House) UploadPack(ctx context.Context, snap *Snapshot, version int, in io.Reader, out io.Writer) (err error) {
	ctx, cancel := h.bind(ctx)
	defer cancel()
	c, err := h.ensure(ctx, snap)
	if err != nil {
		return err
	}
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
	if err := cmd.Run(ctx); err != nil {
		return fmt.Errorf("serve a fetch of %s: %w", snap.ID, err)
	}
	return nil
}
