package repo

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
)

// stock is all that a repository has, in a form that can be sent as it is: one pack, and
// what the pushes since that one was made have brought.
type stock struct {
	path  string   // of the pack
	size  int64    // its bytes
	since []oid.ID // in the other packs and not in this one
	count int64    // of all objects
}

const (
	// spare is the part of a repository, one in so many objects, that a client may get
	// without having asked for it. Every ref of a repository may be read by whoever may
	// read one, and to leave a few objects out costs as much as to pack the rest anew.
	spare = 16
	// smallStock is the size of a pack below which making a new one costs no more than
	// finding out whether it can be spared.
	smallStock = 1 << 20
	// maxSince bounds the objects that are packed to go with the one pack; it is to hold
	// most of a repository in any case.
	maxSince = 32 << 10
)

// whole returns what answers a first clone as it is, where everything in it is reachable
// from refs, and all but little of it from what is wanted.
//
// The proof is a count. The stock is all that the snapshot has, so what the snapshot's
// refs reach is in it; when as many objects are reachable as it has, none is left over
// that might not be sent. Only with a bitmap is this counted: without one, counting takes
// as long as making the pack. Any doubt means that pack-objects makes the answer. The
// error is that of a count that had no place to run.
func (p *packing) whole(ctx context.Context, c *cached) (s *stock, ok bool, err error) {
	if !p.plain() || !p.snap.advertises(p.wants) {
		return nil, false, nil
	}
	if s, ok = p.stock(c); !ok {
		return nil, false, nil
	}
	wanted, err := p.reachable(ctx, c, p.revs)
	switch {
	case err != nil || wanted == 0:
		return nil, false, err
	case wanted == s.count:
		return s, true, nil
	case wanted < s.count-s.count/spare || s.size < smallStock:
		return nil, false, nil
	}
	var refs []byte
	for r := range p.snap.Refs.All() {
		refs = appendIDs(refs, []oid.ID{r.OID})
	}
	all, err := p.reachable(ctx, c, string(refs))
	return s, err == nil && all == s.count, err
}

// plain reports whether nothing that is asked for speaks against whole packs.
func (p *packing) plain() bool {
	return p.filter == "" && p.fresh && slices.Contains(p.options, "--delta-base-offset")
}

// besides names all that a client may get without having asked for it: an answer with
// that in it must not be given any more once a ref has moved away from it.
func (p *packing) besides() string {
	large := func(q Pack) bool { return q.Bitmap && q.Size >= smallStock }
	if !p.plain() || !slices.ContainsFunc(p.snap.Packs, large) || p.snap.wantedBy(p.wants) {
		return ""
	}
	return strconv.FormatInt(p.snap.Gen, 10)
}

// stock finds the largest pack with a bitmap and what the others have besides.
func (p *packing) stock(c *cached) (*stock, bool) {
	var base Pack
	for _, q := range p.snap.Packs {
		if q.Bitmap && q.Objects > base.Objects && fileExists(c.pack(q.ID)+bitmapExt) {
			base = q
		}
	}
	s := &stock{path: c.pack(base.ID) + packExt, size: base.Size, count: base.Objects}
	if base.Objects == 0 || len(p.snap.Packs) > 1 && s.size < smallStock {
		return nil, false
	}
	var err error
	if s.since, err = p.since(c, base); err != nil {
		return nil, false
	}
	s.count += int64(len(s.since))
	return s, s.count-base.Objects <= s.count/2
}

var errTooMany = errors.New("too many objects came since")

// since lists the objects of all packs but one that are not in that one.
func (p *packing) since(c *cached, base Pack) ([]oid.ID, error) {
	total := int64(0)
	for _, q := range p.snap.Packs {
		if q.ID != base.ID {
			total += q.Objects
		}
	}
	if total > maxSince {
		return nil, errTooMany
	}
	if len(p.snap.Packs) == 1 {
		return nil, nil
	}
	f, err := os.Open(c.pack(base.ID) + indexExt)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	index, err := pack.NewIndex(f)
	if err != nil {
		return nil, err
	}
	var since []oid.ID
	for _, q := range p.snap.Packs {
		if q.ID == base.ID {
			continue
		}
		ids, err := indexIDs(c.pack(q.ID) + indexExt)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if _, ok, err := index.Find(id); err != nil {
				return nil, err
			} else if !ok {
				since = append(since, id)
			}
		}
	}
	slices.SortFunc(since, func(a, b oid.ID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(since), nil
}

// reachable counts the objects that are reachable from some, by bitmap; 0 where they
// cannot be counted.
func (p *packing) reachable(ctx context.Context, c *cached, revs string) (int64, error) {
	out, err := p.house.Git.Command("rev-list").GitDir(c.dir).Flag("--count").Flag("--objects").Flag("--use-bitmap-index").Flag("--stdin").
		Class(gitcmd.Sending).Stdin(strings.NewReader(revs)).Output(ctx, 64)
	if isBusy(err) {
		return 0, err
	}
	n, bad := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil || bad != nil {
		return 0, nil // pack-objects says what is wrong
	}
	return n, nil
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// wantedBy reports whether every ref is among the objects.
func (s *Snapshot) wantedBy(ids []oid.ID) bool {
	wanted := make(map[oid.ID]struct{}, len(ids))
	for _, id := range ids {
		wanted[id] = struct{}{}
	}
	for r := range s.Refs.All() {
		if _, ok := wanted[r.OID]; !ok {
			return false
		}
	}
	return true
}

// advertises reports whether each of the objects is one that a ref names, or the object
// behind a tag.
func (s *Snapshot) advertises(ids []oid.ID) bool {
	missing := make(map[oid.ID]struct{}, len(ids))
	for _, id := range ids {
		missing[id] = struct{}{}
	}
	for r := range s.Refs.All() {
		if len(missing) == 0 {
			break
		}
		delete(missing, r.OID)
		if !r.Peeled.IsZero() {
			delete(missing, r.Peeled)
		}
	}
	return len(missing) == 0
}
