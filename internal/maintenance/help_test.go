package maintenance_test

import (
	"context"
	"io"
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/blob"
	"github.com/refward/refward/internal/maintenance"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

type codecommitContext = context.Context

func contextWithCancel(t testing.TB) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancel(t.Context())
	t.Cleanup(end)
	return ctx, end
}

func (h *host) deleteRepository(t testing.TB, m *model) {
	t.Helper()
	if _, err := op.Invoke(t.Context(), h.doors, caller(), h.service.DeleteRepository(), &api.DeleteRepositoryInput{RepositoryName: &m.name}); err != nil {
		t.Error(err)
	}
}

func (h *host) wantNoBlobs(t testing.TB) {
	t.Helper()
	err := h.blobs.List(t.Context(), "", func(i blob.Info) bool {
		t.Errorf("%s is left", i.Key)
		return true
	})
	if err != nil {
		t.Error(err)
	}
}

// slowStore takes its time.
type slowStore struct {
	blob.Store
	wait func()
}

func (s *slowStore) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	s.wait()
	return s.Store.Put(ctx, key, r, size)
}

// countedLooks tells of each look at a repository's packs.
type countedLooks struct {
	maintenance.Store
	looked chan repo.ID
}

func (c *countedLooks) Packs(ctx context.Context, id repo.ID) ([]repo.Pack, error) {
	packs, err := c.Store.Packs(ctx, id)
	c.looked <- id
	return packs, err
}
