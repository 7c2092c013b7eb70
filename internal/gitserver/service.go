package gitserver

import (
	"context"
	"io"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

// service is what a conversation needs of the house behind the door. Errors for the
// caller are faults.
type service interface {
	// pull is the check and the snapshot of a clone or fetch.
	pull(ctx context.Context, c authz.Caller, repository string) (*repo.Snapshot, error)
	// advertisePush is the first decision of a push, and the snapshot to advertise.
	advertisePush(ctx context.Context, c authz.Caller, repository string) (*repo.Snapshot, error)
	// push is the second decision, ref by ref, and the push.
	push(ctx context.Context, c authz.Caller, in *codecommit.GitPushInput) (*codecommit.GitPushOutput, error)
	// uploadPack answers one stateless request of a fetch.
	uploadPack(ctx context.Context, snap *repo.Snapshot, version int, in io.Reader, out io.Writer) error
	// objects opens the snapshot's objects; the caller closes them.
	objects(ctx context.Context, snap *repo.Snapshot) (objects, error)
}

// objects tells which objects there are.
type objects interface {
	// Info returns an object's type and size, or [repo.ErrObjectNotFound].
	Info(ctx context.Context, id oid.ID) (object.Type, int64, error)
	Close() error
}

// operations runs the operations of the domain.
type operations struct {
	codecommit *codecommit.Service
	repos      *repo.House
	authorizer *authz.Authorizer
}

func (o operations) pull(ctx context.Context, c authz.Caller, repository string) (*repo.Snapshot, error) {
	out, err := op.Invoke(ctx, o.authorizer, c, o.codecommit.GitPull(), &codecommit.GitPullInput{RepositoryName: repository})
	if err != nil {
		return nil, err
	}
	return out.Snapshot, nil
}

func (o operations) advertisePush(ctx context.Context, c authz.Caller, repository string) (*repo.Snapshot, error) {
	in := &codecommit.GitPushAdvertiseInput{RepositoryName: repository}
	out, err := op.Invoke(ctx, o.authorizer, c, o.codecommit.GitPushAdvertise(), in)
	if err != nil {
		return nil, err
	}
	return out.Snapshot, nil
}

func (o operations) push(ctx context.Context, c authz.Caller, in *codecommit.GitPushInput) (*codecommit.GitPushOutput, error) {
	return op.Invoke(ctx, o.authorizer, c, o.codecommit.GitPush(), in)
}

func (o operations) uploadPack(ctx context.Context, snap *repo.Snapshot, version int, in io.Reader, out io.Writer) error {
	return o.repos.UploadPack(ctx, snap, version, in, out)
}

func (o operations) objects(ctx context.Context, snap *repo.Snapshot) (objects, error) {
	return o.repos.Objects(ctx, snap)
}
