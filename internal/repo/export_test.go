package repo

import (
	"bytes"
	"context"

	"github.com/refward/refward/internal/git/pack"
)

// TryPlain takes in a pack as Receive does, up to where it would be left to git: ok is
// false there. It returns the files that Receive would write.
func (h *House) TryPlain(ctx context.Context, snap *Snapshot, data []byte) (packed, index []byte, ok bool, err error) {
	c, err := h.ensure(ctx, snap)
	if err != nil {
		return nil, nil, false, err
	}
	defer c.end()
	in := &Incoming{house: h, repo: c}
	s := pack.NewSmall(bytes.NewReader(data), smallPack)
	if s.Parse() != nil || !in.isPlain(s) {
		return nil, nil, false, nil
	}
	packed, sum, err := s.Pack()
	return packed, s.Index(sum), true, err
}

// TakePacking takes a place for packs that are made without git.
func (h *House) TakePacking(ctx context.Context) (release func(), err error) {
	return h.packing.Take(ctx)
}

// PackingWaits is how many wait for such a place.
func (h *House) PackingWaits() int64 { return h.packing.Stats().Waiting }
