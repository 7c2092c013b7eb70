package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
	"github.com/refward/refward/internal/git/plain"
	"github.com/refward/refward/internal/share"
)

// smallPack is what is taken in without a process: nearly every push of a person. More
// is better left to git, beside whose work that of starting it is little.
var smallPack = pack.SmallLimits{Pack: 256 << 10, Objects: 1000, Unpacked: 4 << 20, Chain: 250}

// take takes a pack in: in this process if all of it is plain, and else by git. Whether a
// pack is refused, and in which words, is git's to say.
func (in *Incoming) take(ctx context.Context, r io.Reader, objects uint32, progress io.Writer) error {
	if int64(objects) > int64(smallPack.Objects) {
		return in.index(ctx, r, progress)
	}
	s := pack.NewSmall(&interruptible{ctx: ctx, r: r}, smallPack)
	err := s.Parse()
	if failed := s.Failed(); err != nil && failed != nil {
		return fmt.Errorf("read the pack: %w", failed)
	}
	if err != nil {
		return in.index(ctx, s.Again(r), progress)
	}
	ok, err := in.takePlain(ctx, s, progress)
	if err != nil || ok {
		return err
	}
	return in.index(ctx, s.Again(r), progress)
}

// takePlain takes in a pack that has come if all of it is plain. Nobody is waited for, and
// so few places are enough, which bound the memory for objects.
func (in *Incoming) takePlain(ctx context.Context, s *pack.Small, progress io.Writer) (ok bool, err error) {
	release, err := in.house.unpacking.Take(ctx)
	if err != nil {
		return false, fmt.Errorf("wait for a place: %w", err)
	}
	defer release()
	if !in.isPlain(s) {
		return false, nil
	}
	return true, in.keep(s, progress)
}

// gateHere has two places for what is done in this process for each processor, half of
// them for one user.
func gateHere(what string) *share.Gate {
	n := runtime.GOMAXPROCS(0)
	return share.New(share.Options{What: what, Places: 2 * n, Share: n, Wait: waitHere})
}

// waitHere is as long as a push waits for the place of a process.
const waitHere = 2 * time.Minute

// isPlain completes a pack with what it lacks from the repository, and reports whether
// all of it is plain. Trouble of any kind makes it not so.
func (in *Incoming) isPlain(s *pack.Small) bool {
	known, err := in.repo.shelf()
	if err != nil {
		return false
	}
	defer known.close()
	c := plainCheck{known: known, steps: checkSteps, bytes: checkBytes}
	return s.Resolve(c.read) == nil && c.all(s.Objects())
}

// What the check of one pack may cost beside the pack: how much is looked for in the
// repository, in reads of its files, and how many bytes of its objects are unpacked.
const (
	checkSteps = 100_000
	checkBytes = 32 << 20
)

// library is what a pack is checked against: the objects of its repository. Both take
// what it costs from a budget, and fail where that does not suffice; ok is false where
// there is no such object.
type library interface {
	typeOf(id oid.ID, steps *int64) (t object.Type, ok bool, err error)
	read(id oid.ID, bytes *int64) (t object.Type, content []byte, ok bool, err error)
}

// plainCheck is the check of one pack.
type plainCheck struct {
	known        library
	steps, bytes int64 // that are left

	here  map[oid.ID]pack.SmallObject
	types map[oid.ID]object.Type // of objects here and of those that were looked up

	attributes, symlinks map[oid.ID]struct{} // blobs that are plain as such
}

// read is a [pack.Base].
func (c *plainCheck) read(id oid.ID, limit int64) (t object.Type, content []byte, ok bool, err error) {
	t, content, ok, err = c.known.read(id, &c.bytes)
	if int64(len(content)) > limit {
		err = pack.ErrBeyond
	}
	return t, content, ok, err
}

// all reports whether the objects of a pack are plain, each the only one with its ID,
// and lead to nothing that is missing or of another type. This is what `git index-pack
// --strict` makes sure of, but for less.
func (c *plainCheck) all(objects []pack.SmallObject) bool {
	c.here, c.types = make(map[oid.ID]pack.SmallObject, len(objects)), make(map[oid.ID]object.Type, len(objects))
	for _, o := range objects {
		c.here[o.ID] = o
		c.types[o.ID] = o.Type
	}
	for _, o := range objects {
		if !o.Foreign && !c.object(o) {
			return false
		}
	}
	return true
}

func (c *plainCheck) object(o pack.SmallObject) bool {
	p, ok := plain.Check(o.Type, o.Content)
	if !ok || !c.alone(o) {
		return false
	}
	for _, l := range p.Links {
		if !c.leads(l) {
			return false
		}
	}
	return c.blobs(p.Attributes, &c.attributes, plain.MaxAttributes, plain.Attributes) &&
		c.blobs(p.Symlinks, &c.symlinks, plain.MaxSymlink, plain.Symlink)
}

// blobs reports whether blobs are plain by this rule. Each is looked at once, however
// many trees have it: that costs more than to name it.
func (c *plainCheck) blobs(ids []oid.ID, seen *map[oid.ID]struct{}, limit int64, rule func([]byte) bool) bool {
	for _, id := range ids {
		if _, ok := (*seen)[id]; ok {
			continue
		}
		if content, ok := c.blob(id, limit); !ok || !rule(content) {
			return false
		}
		if *seen == nil {
			*seen = make(map[oid.ID]struct{})
		}
		(*seen)[id] = struct{}{}
	}
	return true
}

// alone reports whether the repository has no other object of the same ID.
func (c *plainCheck) alone(o pack.SmallObject) bool {
	_, ok, err := c.known.typeOf(o.ID, &c.steps)
	if err != nil || !ok {
		return err == nil
	}
	t, content, ok, err := c.read(o.ID, int64(len(o.Content)))
	return err == nil && ok && t == o.Type && bytes.Equal(content, o.Content)
}

// leads reports whether what a link names is here or in the repository, and of the right
// type. So nothing can be linked as two types, which git refuses as well.
func (c *plainCheck) leads(l plain.Link) bool {
	t, ok := c.types[l.ID]
	if !ok {
		var err error
		if t, ok, err = c.known.typeOf(l.ID, &c.steps); err != nil || !ok {
			return false
		}
		c.types[l.ID] = t
	}
	return t == l.Type
}

// blob reads a blob of the pack or the repository.
func (c *plainCheck) blob(id oid.ID, limit int64) ([]byte, bool) {
	if o, ok := c.here[id]; ok {
		return o.Content, o.Type == object.Blob
	}
	t, content, ok, err := c.read(id, limit)
	return content, err == nil && ok && t == object.Blob
}

// keep writes the files that git index-pack would have written.
func (in *Incoming) keep(s *pack.Small, progress io.Writer) error {
	data, sum, err := s.Pack()
	if err != nil {
		return err
	}
	if err := in.quarantine(); err != nil {
		return err
	}
	in.base = filepath.Join(in.objects(), "pack", "pack-"+sum.String())
	index := s.Index(sum)
	if err := writePack(in.base, data, index); err != nil {
		return fmt.Errorf("write the received pack: %w", err)
	}
	if int64(len(data)) > in.house.InlineLimit {
		err = in.openPack(in.base)
	} else {
		err = in.openInline(data, index)
	}
	if err != nil {
		return err
	}
	if sent, added := s.Deltas(); sent > 0 && progress != nil {
		tellDeltas(progress, sent, added)
	}
	return nil
}

// openInline opens a pack that goes into the transaction, from memory.
func (in *Incoming) openInline(data, index []byte) error {
	x, err := pack.NewIndexBytes(index)
	if err != nil {
		return fmt.Errorf("open the received pack: %w", err)
	}
	in.data, in.file = data, pack.NewFile(bytes.NewReader(data), int64(len(data)), x)
	return nil
}

// indexSmall makes the index of a pack that was taken in before, without a process; ok is
// false where that is left to git.
func indexSmall(data []byte) (index []byte, ok bool) {
	s := pack.NewSmall(bytes.NewReader(data), smallPack)
	if s.Parse() != nil || s.Beyond() > 0 || s.Resolve(nil) != nil {
		return nil, false
	}
	_, sum, err := s.Pack()
	return s.Index(sum), err == nil
}

// writePack writes the files of a pack, its index last.
func writePack(base string, data, index []byte) error {
	return errors.Join(
		os.WriteFile(base+packExt, data, 0o444),
		os.WriteFile(base+indexExt, index, 0o444))
}

// tellDeltas is git's last line about deltas.
func tellDeltas(progress io.Writer, sent, added int) {
	text := fmt.Sprintf("Resolving deltas: 100%% (%d/%d)", sent, sent)
	switch {
	case added == 1:
		text += ", completed with 1 local object"
	case added > 1:
		text += fmt.Sprintf(", completed with %d local objects", added)
	}
	_, _ = io.WriteString(progress, text+".\n") // what cannot be told is no reason to refuse a pack
}

// interruptible reads until its context ends, whatever its reader waits for. One Read
// may then be left behind, as with [gitcmd.Command.Stdin].
type interruptible struct {
	ctx context.Context
	r   io.Reader
	buf []byte // of its own: the caller's may be used again while a Read is left behind
}

// Read reads, or fails with the reason why the context ended.
func (i *interruptible) Read(p []byte) (int, error) {
	if err := context.Cause(i.ctx); err != nil {
		return 0, err
	}
	if i.buf == nil {
		i.buf = make([]byte, 32<<10)
	}
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	buf := i.buf[:min(len(i.buf), len(p))]
	go func() {
		n, err := i.r.Read(buf)
		done <- result{n, err}
	}()
	select {
	case got := <-done:
		return copy(p, buf[:got.n]), got.err
	case <-i.ctx.Done():
		return 0, context.Cause(i.ctx)
	}
}
