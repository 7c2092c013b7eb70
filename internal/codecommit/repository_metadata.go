package codecommit

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
)

// metadata is what the API tells of a repository.
func (s *Service) metadata(ctx context.Context, r Reader, repository Repository) (*types.RepositoryMetadata, error) {
	m := &types.RepositoryMetadata{
		AccountId:        &repository.Account,
		Arn:              new(s.arn(repository.Name).String()),
		CloneUrlHttp:     new(s.HTTPURL + clonePath + repository.Name),
		CloneUrlSsh:      new(s.SSHURL + clonePath + repository.Name),
		CreationDate:     &repository.Created,
		LastModifiedDate: &repository.Modified,
		RepositoryId:     new(string(repository.ID)),
		RepositoryName:   &repository.Name,
	}
	if repository.Description != "" {
		m.RepositoryDescription = &repository.Description
	}
	if repository.KMSKeyID != "" {
		m.KmsKeyId = &repository.KMSKeyID
	}
	switch _, err := r.Ref(ctx, repository.ID, repository.Head); {
	case err == nil:
		m.DefaultBranch = new(repository.Head.Short())
	case !errors.Is(err, ErrNotFound): // an empty repository has no default branch
		return nil, err
	}
	return m, nil
}

// clonePath is what stands between the host and a repository's name in a clone URL.
const clonePath = "/v1/repos/"
