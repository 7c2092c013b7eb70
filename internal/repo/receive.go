package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/refward/refward/internal/failpoint"
	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
)

// Limits bound what one push may bring. Zero is no limit.
type Limits struct {
	PackBytes int64 // of the received pack
	BlobBytes int64 // of one blob, unpacked (CodeCommit: 2 GB)
}

// FsckRules are the checks of git-fsck(1) that a pack is spared. Git's strict mode makes
// errors of its warnings, which is right for names like .git in a tree; these five are
// slips of old tools, harmless, and so frequent in the history of well-known projects
// that refusing them would refuse the projects.
const FsckRules = "zeroPaddedFilemode=ignore,badTimezone=ignore,missingSpaceBeforeDate=ignore," +
	"missingEmail=ignore,missingNameBeforeEmail=ignore"

// streamBlobs is the size from which git unpacks a blob in pieces instead of in memory.
const streamBlobs = "16m"

// Ended is a pack's reader that is known to come to an end behind the pack, as the body of
// a request does. On a connection some clients send a pack, leave it open, and wait.
type Ended struct{ io.Reader }

// Receive reads a pack of a push into quarantine, indexes and checks it (fsck rules,
// limits) and checks that every object reachable from tips (the new values of the
// accepted refs) is in it or in the repository. pack may be nil for a push that brings
// none. ErrBadPack, ErrTooLarge. progress gets bytes for side-band 2 and may be nil.
//
// That nothing is missing follows from two facts. git index-pack in strict mode looks up
// every object that an object of the pack refers to, in the pack and in the repository;
// so does what takes in plain packs instead of it ([Incoming.take]).
// And the packs of a repository refer to nothing outside of them: each was taken in by
// this check, and packs that were dropped are not in the cache. So it is enough that the
// tips themselves are there, and no history has to be walked.
//
// Unless the reader is [Ended], nobody waits for what may come behind the pack: a Read may be
// left behind, and the caller must not read from it after a pack was taken in. An error of
// the reader is returned as it is, wrapped. Whatever goes wrong, nothing of the pack is left.
func (h *House) Receive(ctx context.Context, snap *Snapshot, pack io.Reader, tips []oid.ID, l Limits, progress io.Writer) (*Incoming, error) {
	ctx, cancel := h.bind(ctx)
	defer cancel()
	c, err := h.ensure(ctx, snap)
	if err != nil {
		return nil, err
	}
	_, ends := pack.(Ended)
	in := &Incoming{house: h, repo: c, ends: ends, first: ends && len(snap.Packs) == 0}
	if err := in.receive(ctx, pack, tips, l, progress); err != nil {
		in.Discard()
		return nil, err
	}
	failpoint.Reach(failpoint.PackReceived)
	return in, nil
}

// Build makes a pack of objects made by an API operation; the same checks as Receive.
func (h *House) Build(ctx context.Context, snap *Snapshot, objects []object.Raw, tips []oid.ID) (*Incoming, error) {
	seen := make(map[oid.ID]struct{}, len(objects))
	once := make([]object.Raw, 0, len(objects))
	for _, o := range objects {
		id := o.ID()
		if _, ok := seen[id]; !ok {
			seen[id] = struct{}{}
			once = append(once, o)
		}
	}
	if len(once) == 0 {
		return h.Receive(ctx, snap, nil, tips, Limits{}, nil)
	}
	data, err := pack.Encode(once)
	if err != nil {
		return nil, err
	}
	return h.Receive(ctx, snap, bytes.NewReader(data), tips, Limits{}, nil)
}

func (in *Incoming) receive(ctx context.Context, r io.Reader, tips []oid.ID, l Limits, progress io.Writer) error {
	if r != nil {
		if l.PackBytes > 0 {
			r = &limitedReader{r: r, left: l.PackBytes, limit: l.PackBytes}
		}
		head := make([]byte, pack.HeaderSize)
		n, err := io.ReadFull(r, head)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("read the pack: %w", err)
		}
		count, err := pack.ParseHeader(head[:n])
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrBadPack, err)
		case count == 0:
			err = emptyPack(head, r)
		default:
			err = in.take(ctx, io.MultiReader(bytes.NewReader(head), r), count, progress)
		}
		if err != nil {
			return err
		}
		if err := in.checkSizes(l); err != nil {
			return err
		}
	}
	return in.checkTips(ctx, tips)
}

// emptyPack reads the rest of a pack without objects. Git sends one when a push needs
// nothing that is not there.
func emptyPack(head []byte, r io.Reader) error {
	want, err := pack.Encode(nil)
	if err != nil {
		return err
	}
	rest := make([]byte, pack.TrailerSize)
	n, err := io.ReadFull(r, rest)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read the pack: %w", err)
	}
	if !bytes.Equal(append(head[:len(head):len(head)], rest[:n]...), want) {
		return fmt.Errorf("%w: the checksum of an empty pack is wrong", ErrBadPack)
	}
	return nil
}

// quarantine makes the folder for a pack.
func (in *Incoming) quarantine() error {
	in.dir = in.house.newIncoming()
	if err := os.MkdirAll(filepath.Join(in.objects(), "pack"), 0o700); err != nil {
		return fmt.Errorf("make a quarantine: %w", err)
	}
	return nil
}

// index runs git index-pack into a new quarantine and opens what it made. The first pack
// of a repository cannot be thin, and where its end is known git reads it from the file
// that it was written to; others git writes itself, with what completes them.
func (in *Incoming) index(ctx context.Context, r io.Reader, progress io.Writer) error {
	if err := in.quarantine(); err != nil {
		return err
	}
	h := in.house
	cmd := h.Git.Command("index-pack").GitDir(in.repo.dir).Objects(in.objects(), in.repo.objects()).
		Config("core.bigFileThreshold", streamBlobs).
		Option("--strict", FsckRules).Class(gitcmd.Receiving).Memory(h.Memory)
	base := filepath.Join(in.objects(), "pack", "first")
	switch {
	case in.first:
		cmd = cmd.Before(func(ctx context.Context) error { return in.store(ctx, base+packExt, r) }).Operand(base + packExt)
	case in.ends:
		cmd = cmd.Flag("--stdin").Flag("--fix-thin").Stdin(r)
	default:
		cmd = cmd.Flag("--stdin").Flag("--fix-thin").OpenStdin(r)
	}
	if progress != nil {
		cmd = cmd.Flag("--show-resolving-progress").Stderr(&progressFilter{w: progress})
	}
	// Its answer, and what it had read beyond the end of the pack.
	out, err := cmd.Output(ctx, 64<<10)
	if err != nil {
		return packError(err)
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(string(out), "pack\t"), "\n")
	if _, err := oid.Parse(name); err != nil {
		return fmt.Errorf("git index-pack: unexpected answer %.100q", out)
	}
	if !in.first {
		base = filepath.Join(in.objects(), "pack", "pack-"+name)
	}
	return in.openPack(base)
}

// checkSizes applies the limits to every object of the pack.
func (in *Incoming) checkSizes(l Limits) error {
	if in.file == nil {
		return nil
	}
	over, err := in.file.FindOversized(pack.Limits{Commit: maxCommit, Tag: maxCommit, Tree: maxTree, Blob: l.BlobBytes})
	if err != nil || over == nil {
		return err
	}
	return fmt.Errorf("%w: %s %s has %d bytes, and the limit is %d", ErrTooLarge, over.Type, over.ID, over.Size, over.Limit)
}

// checkTips checks that every tip is in the pack or in the repository.
func (in *Incoming) checkTips(ctx context.Context, tips []oid.ID) error {
	o := in.house.objects(in.house.use(in.repo.cached), nil)
	defer func() { _ = o.Close() }()
	for _, tip := range tips {
		_, _, ok, err := in.find(tip)
		if err == nil && !ok {
			_, _, err = o.Info(ctx, tip)
		}
		if errors.Is(err, ErrObjectNotFound) {
			return fmt.Errorf("%w: object %s is missing: it is neither in the pack nor in the repository", ErrBadPack, tip)
		}
		if err != nil {
			return fmt.Errorf("look up %s: %w", tip, err)
		}
	}
	return nil
}

// limitedReader fails when more comes than the limit.
type limitedReader struct {
	r           io.Reader
	left, limit int64
}

// Read reads, or fails with ErrTooLarge.
func (l *limitedReader) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, fmt.Errorf("%w: the pack has more than %d bytes", ErrTooLarge, l.limit)
	}
	return n, err
}

// progressFilter passes on progress ("Resolving deltas: 50% (1/2)") and nothing else
// of what index-pack says: its errors are told in another place and in other words.
type progressFilter struct {
	w    io.Writer
	line []byte
}

// maxProgressLine is more than a line of progress can have.
const maxProgressLine = 200

// Write never fails: progress that cannot be told is no reason to refuse a pack.
func (f *progressFilter) Write(p []byte) (int, error) {
	for _, c := range p {
		if len(f.line) < maxProgressLine {
			f.line = append(f.line, c)
		}
		if c != '\r' && c != '\n' {
			continue
		}
		if bytes.HasPrefix(f.line, []byte("Resolving deltas")) {
			_, _ = f.w.Write(f.line)
		}
		f.line = f.line[:0]
	}
	return len(p), nil
}
