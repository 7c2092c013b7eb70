package codecommit

import (
	"container/list"
	"context"
	"strings"
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

// open is load, with the objects of the snapshot to read. The caller closes them.
func (s *Service) open(ctx context.Context, name string) (Repository, *repo.Snapshot, *repo.Objects, error) {
	r, snap, err := s.load(ctx, name)
	if err != nil {
		return Repository{}, nil, nil, err
	}
	objects, err := s.Repos.Objects(ctx, snap)
	return r, snap, objects, err
}

// snapshotRows bounds the cache of snapshots: the refs and packs that it holds in
// all, some 100 bytes each.
const snapshotRows = 1 << 20

// snapshotCache keeps the newest known snapshot of each repository that was read
// lately. The zero value is empty and ready; it is safe for concurrent use.
type snapshotCache struct {
	mu    sync.Mutex // guards all below
	byID  map[repo.ID]*list.Element
	order list.List // of *repo.Snapshot, the one read last in front
	rows  int
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
	refs, err := tx.Refs(ctx, r.ID, since)
	if err != nil {
		return nil, err
	}
	if since > 0 {
		refs = mergeRefs(old.Refs, refs)
	}
	packs, err := tx.Packs(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	snap := &repo.Snapshot{ID: r.ID, Gen: r.Gen, Epoch: r.Epoch, Head: r.Head, Refs: refs, Packs: packs}
	c.put(snap)
	return snap, nil
}

// mergeRefs applies changes to refs; both are sorted by name, and a change without
// an object is a deletion.
func mergeRefs(refs, changes []repo.Ref) []repo.Ref {
	merged := make([]repo.Ref, 0, len(refs)+len(changes))
	i := 0
	for _, c := range changes {
		for i < len(refs) && strings.Compare(string(refs[i].Name), string(c.Name)) < 0 {
			merged = append(merged, refs[i])
			i++
		}
		if i < len(refs) && refs[i].Name == c.Name {
			i++
		}
		if !c.OID.IsZero() {
			merged = append(merged, c)
		}
	}
	return append(merged, refs[i:]...)
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
	c.rows += rows(snap)
	for c.rows > snapshotRows && c.order.Len() > 1 {
		c.drop(c.order.Back())
	}
}

func (c *snapshotCache) drop(e *list.Element) {
	snap := c.order.Remove(e).(*repo.Snapshot)
	delete(c.byID, snap.ID)
	c.rows -= rows(snap)
}

func rows(s *repo.Snapshot) int { return 1 + len(s.Refs) + len(s.Packs) }
