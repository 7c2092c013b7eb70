package codecommit

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/op"
)

var putFileSpec = op.Spec{
	Service:  "codecommit",
	Name:     "PutFile",
	Resource: "repositoryName",
	Keys:     map[string]string{ReferencesKey: "refs/heads/ and branchName"},
	Refs:     op.CreatesRef | op.FastForwardsRef,
}

// PutFile adds or updates one file in a commit of its own.
func (s *Service) PutFile() *op.Operation[api.PutFileInput, api.PutFileOutput] {
	return &op.Operation[api.PutFileInput, api.PutFileOutput]{Spec: putFileSpec, Checks: s.putFileChecks, Run: s.putFile}
}

func (s *Service) putFileChecks(_ context.Context, _ authz.Caller, in *api.PutFileInput) ([]authz.Check, error) {
	q, err := putFileRequest(in)
	if err != nil {
		return nil, err
	}
	return s.commitChecks(q), nil
}

// commitChecks asks for a commit on a branch.
func (s *Service) commitChecks(q commitRequest) []authz.Check {
	c := s.check(q.by.Name, q.repository, refValue(q.branch))
	c.Way = wayOfBranch(q.branch)
	return []authz.Check{c}
}

// putFileRequest validates the input, without its content's effect.
func putFileRequest(in *api.PutFileInput) (commitRequest, error) {
	q := commitRequest{by: putFileSpec}
	var e [5]error
	q.repository, e[0] = repositoryName(in.RepositoryName)
	q.branch, e[1] = branch(in.BranchName)
	q.parent, e[2] = parentCommitID(in.ParentCommitId)
	q.author, e[3] = author(in.Name, in.Email)
	q.message, e[4] = commitMessage(in.CommitMessage)
	p, pathErr := writablePath(in.FilePath)
	var modeErr error
	var mode object.Mode
	if in.FileMode != "" {
		mode, modeErr = fileMode(in.FileMode)
	}
	q.edit = func(ctx context.Context, st *stage) (string, error) {
		return putOne(ctx, st, p, mode, in.FileContent)
	}
	return q, firstError(e[0], e[1], e[2], contentError(in.FileContent), pathErr, modeErr, e[3], e[4])
}

func contentError(content []byte) error {
	switch {
	case len(content) == 0:
		return errFileContentRequired.New("The content of the file is required and cannot be empty.")
	case len(content) > maxFileBytes:
		return errFileContentSizeLimitExceeded.New("The file has %d bytes; the limit is %d.", len(content), maxFileBytes)
	}
	return nil
}

// putOne stages one file.
func putOne(ctx context.Context, e *stage, p filePath, mode object.Mode, content []byte) (string, error) {
	was, now, err := e.set(ctx, p, mode, e.add(content))
	switch {
	case err != nil:
		return "", err
	case was == now:
		return "", errSameFileContent.New("%q has this content and mode already.", p)
	case was.mode == 0:
		return "Added " + p.String(), nil
	default:
		return "Edited " + p.String(), nil
	}
}

func (s *Service) putFile(ctx context.Context, g authz.Grant, in *api.PutFileInput) (*api.PutFileOutput, error) {
	q, err := putFileRequest(in)
	if err != nil {
		return nil, err
	}
	done, err := s.writeCommit(ctx, g, q)
	if err != nil {
		return nil, err
	}
	blob := object.Hash(object.Blob, in.FileContent)
	return &api.PutFileOutput{BlobId: idText(blob), CommitId: idText(done.commit), TreeId: idText(done.tree)}, nil
}
