package codecommit

import (
	"container/list"
	"context"
	"sync"

	"github.com/refward/refward/internal/repo"
)

// load returns the repository of that name with its refs and packs, as of now: the
// row is read from the store every time, so that what was acknowledged before the
// call is in the answer, and the lists come from memory while the generation is the
// same.
func (s *Service) load(ctx context.Context, name string) (Repository, *repo.Snapshot, error) {
	r, err := s.Store.Repository(ctx, s.Account, name)
	if err != nil {
		return r, nil, missing(err, errRepositoryDoesNotExist.New("%s does not exist", name))
	}
	snap := s.snapshots.at(r)
	if snap != nil {
		return r, snap, nil
	}
	err = s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		var err error
		if r, err = s.repository(ctx, tx, name); err != nil {
			return err
		}
		snap, err = s.snapshots.refresh(ctx, tx, r)
		return err
	})
	return r, snap, err
}

// Snapshot returns the repository with this ID as of now, or an error that is
// [ErrNotFound]. Nothing is decided here: it is for the host's own upkeep.
func (s *Service) Snapshot(ctx context.Context, id repo.ID) (snap *repo.Snapshot, err error) {
	err = s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		r, err := tx.RepositoryByID(ctx, id)
		if err != nil {
			return err
		}
		snap, err = s.snapshots.refresh(ctx, tx, r)
		return err
	})
	return snap, err
}

// open is load, with the objects of the snapshot to read. The caller closes them.
func (s *Service) open(ctx context.Context, name string) (Repository, *repo.Snapshot, *repo.Objects, error) {
	r, snap, err := s.load(ctx, name)
	if err != nil {
		return Repository{}, nil, nil, err
	}
	objects, err := s.Repos.Objects(ctx, snap)
	return r, snap, objects, err
}

// snapshotBytes bounds the memory of the cache of snapshots, with the packets that were
// made of their refs.
const snapshotBytes = 160 << 20

// snapshotCache keeps the newest known snapshot of each repository that was read
// lately. The zero value is empty and ready; it is safe for concurrent use.
type snapshotCache struct {
	mu    sync.Mutex // guards all below
	byID  map[repo.ID]*list.Element
	order list.List // of *repo.Snapshot, the one read last in front
	bytes int
}

// at returns the snapshot that belongs to the row r, or nil where it is not in memory.
func (c *snapshotCache) at(r Repository) *repo.Snapshot {
	old := c.get(r.ID)
	switch {
	case old == nil || old.Epoch != r.Epoch || old.Gen != r.Gen:
		return nil
	case old.Head == r.Head:
		return old
	}
	next := *old // the default branch changes without a new generation
	next.Head = r.Head
	c.put(&next)
	return &next
}

// refresh returns the snapshot that belongs to the row r, which was read in tx: from
// memory where its generation is known, else with the refs that changed since.
func (c *snapshotCache) refresh(ctx context.Context, tx Reader, r Repository) (*repo.Snapshot, error) {
	if known := c.at(r); known != nil {
		return known, nil
	}
	old := c.get(r.ID)
	var since int64
	if old != nil && old.Epoch == r.Epoch && old.Gen < r.Gen {
		since = old.Gen
	}
	changed, err := tx.Refs(ctx, r.ID, since)
	if err != nil {
		return nil, err
	}
	var refs repo.Refs
	if since > 0 {
		refs = old.Refs
	}
	packs, err := tx.Packs(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	snap := &repo.Snapshot{ID: r.ID, Gen: r.Gen, Epoch: r.Epoch, Head: r.Head, Refs: refs.With(changed), Packs: packs}
	c.put(snap)
	return snap, nil
}

func (c *snapshotCache) get(id repo.ID) *repo.Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byID[id]
	if !ok {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*repo.Snapshot)
}

// put keeps a snapshot unless a newer one is there.
func (c *snapshotCache) put(snap *repo.Snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = map[repo.ID]*list.Element{}
	}
	if e, ok := c.byID[snap.ID]; ok {
		if e.Value.(*repo.Snapshot).Gen > snap.Gen {
			return
		}
		c.drop(e)
	}
	c.byID[snap.ID] = c.order.PushFront(snap)
	c.bytes += bytesOf(snap)
	for c.bytes > snapshotBytes && c.order.Len() > 1 {
		c.drop(c.order.Back())
	}
}

func (c *snapshotCache) drop(e *list.Element) {
	snap := c.order.Remove(e).(*repo.Snapshot)
	delete(c.byID, snap.ID)
	c.bytes -= bytesOf(snap)
}

// bytesOf is about how much memory a snapshot takes. Generations share most of it, which
// is not counted: only the newest is kept.
func bytesOf(s *repo.Snapshot) int { return 200 + s.Refs.Bytes() + 250*len(s.Packs) }
