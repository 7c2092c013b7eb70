package codecommit

import (
	"context"
	"errors"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

// GetBlob returns the content of a blob of at most 6 MB.
func (s *Service) GetBlob() *op.Operation[api.GetBlobInput, api.GetBlobOutput] {
	return &op.Operation[api.GetBlobInput, api.GetBlobOutput]{
		Spec: op.Spec{Service: "codecommit", Name: "GetBlob", Resource: "repositoryName"},
		Checks: func(_ context.Context, _ authz.Caller, in *api.GetBlobInput) ([]authz.Check, error) {
			name, err := repositoryName(in.RepositoryName)
			_, idErr := blobID(in.BlobId)
			if err := firstError(err, idErr); err != nil {
				return nil, err
			}
			return []authz.Check{s.check("GetBlob", name)}, nil
		},
		Run: s.getBlob,
	}
}

func blobID(text *string) (oid.ID, error) {
	if !given(text) {
		return oid.Zero, errBlobIDRequired.New("A blob ID is required.")
	}
	id, err := objectID(*text)
	if err != nil || id.IsZero() {
		return oid.Zero, errInvalidBlobID.New("The blob ID %q is not valid: it has 40 hexadecimal digits.", *text)
	}
	return id, nil
}

func (s *Service) getBlob(ctx context.Context, _ authz.Grant, in *api.GetBlobInput) (*api.GetBlobOutput, error) {
	id, err := blobID(in.BlobId)
	if err != nil {
		return nil, err
	}
	_, _, objects, err := s.open(ctx, textOf(in.RepositoryName))
	if err != nil {
		return nil, err
	}
	defer func() { _ = objects.Close() }()
	content, err := objects.Blob(ctx, id, maxFileBytes)
	switch {
	case errors.Is(err, repo.ErrObjectNotFound), errors.Is(err, repo.ErrObjectType):
		return nil, errBlobIDDoesNotExist.New("The blob %s does not exist.", id)
	case errors.Is(err, repo.ErrTooLarge):
		return nil, errFileTooLarge.New("The blob %s is larger than %d bytes; use a Git client.", id, maxFileBytes)
	case err != nil:
		return nil, err
	}
	return &api.GetBlobOutput{Content: content}, nil
}
