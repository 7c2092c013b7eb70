package codecommit

import (
	"context"
	"errors"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

// GetFile returns a file of at most 6 MB as a commit has it.
func (s *Service) GetFile() *op.Operation[api.GetFileInput, api.GetFileOutput] {
	return &op.Operation[api.GetFileInput, api.GetFileOutput]{
		Spec: op.Spec{Service: "codecommit", Name: "GetFile", Resource: "repositoryName"},
		Checks: func(_ context.Context, _ authz.Caller, in *api.GetFileInput) ([]authz.Check, error) {
			name, err1 := repositoryName(in.RepositoryName)
			_, err2 := optionalSpecifier(in.CommitSpecifier)
			_, err3 := path(in.FilePath)
			if err := firstError(err1, err2, err3); err != nil {
				return nil, err
			}
			return []authz.Check{s.check("GetFile", name)}, nil
		},
		Run: s.getFile,
	}
}

func (s *Service) getFile(ctx context.Context, _ authz.Grant, in *api.GetFileInput) (*api.GetFileOutput, error) {
	p, err := path(in.FilePath)
	if err != nil {
		return nil, err
	}
	_, snap, objects, err := s.open(ctx, textOf(in.RepositoryName))
	if err != nil {
		return nil, err
	}
	defer func() { _ = objects.Close() }()
	c, err := specifier(textOf(in.CommitSpecifier)).commit(ctx, snap, objects)
	if err != nil {
		return nil, err
	}
	e, err := entryAt(ctx, objects.Tree, c.Tree, p)
	if errors.Is(err, errNoEntry) || err == nil && (e.Mode == object.ModeTree || e.Mode == object.ModeSubmodule) {
		return nil, errFileDoesNotExist.New("The file %q does not exist in the commit %s.", p, c.ID)
	}
	if err != nil {
		return nil, err
	}
	content, err := objects.Blob(ctx, e.ID, maxFileBytes)
	if errors.Is(err, repo.ErrTooLarge) {
		return nil, errFileTooLarge.New("The file %q is larger than %d bytes; use a Git client.", p, maxFileBytes)
	}
	if err != nil {
		return nil, err
	}
	return &api.GetFileOutput{
		BlobId:      idText(e.ID),
		CommitId:    idText(c.ID),
		FileContent: content,
		FileMode:    fileModeName(e.Mode),
		FilePath:    new(p.String()),
		FileSize:    int64(len(content)),
	}, nil
}
