package codecommit

import (
	"context"
	"strings"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/op"
)

// GetCommit describes a commit, named by its full ID.
func (s *Service) GetCommit() *op.Operation[api.GetCommitInput, api.GetCommitOutput] {
	return &op.Operation[api.GetCommitInput, api.GetCommitOutput]{
		Spec: op.Spec{Service: "codecommit", Name: "GetCommit", Resource: "repositoryName"},
		Checks: func(_ context.Context, _ authz.Caller, in *api.GetCommitInput) ([]authz.Check, error) {
			name, err := repositoryName(in.RepositoryName)
			_, idErr := commitID(in.CommitId)
			if err := firstError(err, idErr); err != nil {
				return nil, err
			}
			return []authz.Check{s.check("GetCommit", name)}, nil
		},
		Run: s.getCommit,
	}
}

func (s *Service) getCommit(ctx context.Context, _ authz.Grant, in *api.GetCommitInput) (*api.GetCommitOutput, error) {
	id, err := commitID(in.CommitId)
	if err != nil {
		return nil, err
	}
	_, _, objects, err := s.open(ctx, textOf(in.RepositoryName))
	if err != nil {
		return nil, err
	}
	defer func() { _ = objects.Close() }()
	c, err := knownCommit(ctx, objects, id, errCommitIDDoesNotExist.New("The commit %s does not exist.", id))
	if err != nil {
		return nil, err
	}
	return &api.GetCommitOutput{Commit: commitShape(c)}, nil
}

// commitShape is a commit as the API returns it. What the API has no member for is
// in additionalData, as the commit object has it.
func commitShape(c *object.CommitObject) *types.Commit {
	shape := &types.Commit{
		CommitId:       idText(c.ID),
		TreeId:         idText(c.Tree),
		Parents:        make([]string, len(c.Parents)),
		Message:        &c.Message,
		Author:         userInfo(c.Author),
		Committer:      userInfo(c.Committer),
		AdditionalData: new(""),
	}
	for i, p := range c.Parents {
		shape.Parents[i] = p.String()
	}
	var extra strings.Builder
	for _, h := range c.Extra {
		extra.WriteString(h.Key + " " + strings.ReplaceAll(h.Value, "\n", "\n ") + "\n")
	}
	*shape.AdditionalData = extra.String()
	return shape
}

func userInfo(s object.Signature) *types.UserInfo {
	return &types.UserInfo{Name: &s.Name, Email: &s.Email, Date: &s.Date}
}
