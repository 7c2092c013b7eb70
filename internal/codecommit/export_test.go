package codecommit

import (
	"context"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

// What the tests with a real store and real repositories look at from outside.

var ErrNotGranted = errNotGranted

func (s *Service) MoveRefs(ctx context.Context, tx Tx, g authz.Grant, by op.Spec, r Repository, moves ...RefMove) error {
	return s.moveRefs(ctx, tx, g, refChange{by: by, repository: r, moves: moves}, nil)
}

func (s *Service) MoveHead(ctx context.Context, tx Tx, g authz.Grant, by op.Spec, r Repository, head refname.Name) error {
	return s.moveHead(ctx, tx, g, by, r, head)
}

func (s *Service) Load(ctx context.Context, name string) (Repository, *repo.Snapshot, error) {
	return s.load(ctx, name)
}

func (s *Service) ARN(name string) arn.ARN { return s.arn(name) }

func (s *Service) SetRepositoriesPerPage(n int) { s.listed = n }
