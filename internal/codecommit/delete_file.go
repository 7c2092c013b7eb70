package codecommit

import (
	"context"
	"errors"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/op"
)

var deleteFileSpec = op.Spec{
	Service:  "codecommit",
	Name:     "DeleteFile",
	Resource: "repositoryName",
	Keys:     map[string]string{ReferencesKey: "refs/heads/ and branchName"},
	Refs:     op.FastForwardsRef,
}

// DeleteFile deletes one file in a commit of its own.
func (s *Service) DeleteFile() *op.Operation[api.DeleteFileInput, api.DeleteFileOutput] {
	return &op.Operation[api.DeleteFileInput, api.DeleteFileOutput]{
		Spec: deleteFileSpec,
		Checks: func(_ context.Context, _ authz.Caller, in *api.DeleteFileInput) ([]authz.Check, error) {
			q, _, err := deleteFileRequest(in)
			if err != nil {
				return nil, err
			}
			return s.commitChecks(q), nil
		},
		Run: s.deleteFile,
	}
}

// deleteFileRequest validates the input. The ID that it returns is that of the blob
// that was deleted, once the edit has run.
func deleteFileRequest(in *api.DeleteFileInput) (commitRequest, *oid.ID, error) {
	q := commitRequest{by: deleteFileSpec}
	var e [5]error
	q.repository, e[0] = repositoryName(in.RepositoryName)
	q.branch, e[1] = branch(in.BranchName)
	q.parent, e[2] = parentCommitID(in.ParentCommitId)
	q.author, e[3] = author(in.Name, in.Email)
	q.message, e[4] = commitMessage(in.CommitMessage)
	p, pathErr := path(in.FilePath)
	var required error
	if in.ParentCommitId == nil {
		required = errParentCommitIDRequired.New("A parent commit ID is required.")
	}
	blob := new(oid.ID)
	q.edit = func(ctx context.Context, st *stage) (string, error) {
		old, err := st.tree.find(ctx, p)
		if errors.Is(err, errNoEntry) || err == nil && (old.Mode == object.ModeTree || old.Mode == object.ModeSubmodule) {
			return "", errFileDoesNotExist.New("The file %q does not exist on %s.", p, q.branch.Short())
		}
		if err != nil {
			return "", err
		}
		*blob = old.ID
		if err := st.tree.remove(ctx, p); err != nil {
			return "", err
		}
		if in.KeepEmptyFolders {
			if _, _, err := st.keep(ctx, p); err != nil {
				return "", err
			}
		}
		return "Deleted " + p.String(), nil
	}
	return q, blob, firstError(e[0], e[1], required, e[2], pathErr, e[3], e[4])
}

func (s *Service) deleteFile(ctx context.Context, g authz.Grant, in *api.DeleteFileInput) (*api.DeleteFileOutput, error) {
	q, blob, err := deleteFileRequest(in)
	if err != nil {
		return nil, err
	}
	done, err := s.writeCommit(ctx, g, q)
	if err != nil {
		return nil, err
	}
	p, _ := path(in.FilePath)
	return &api.DeleteFileOutput{
		BlobId:   idText(*blob),
		CommitId: idText(done.commit),
		FilePath: new(p.String()),
		TreeId:   idText(done.tree),
	}, nil
}
