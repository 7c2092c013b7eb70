package codecommit

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
)

var repositoryNamePattern = regexp.MustCompile(`^[\w.-]{1,100}$`)

// repositoryName validates the name of a repository that a request gives.
func repositoryName(given *string) (string, error) {
	switch {
	case given == nil || *given == "":
		return "", errRepositoryNameRequired.New("A repository name is required.")
	case !repositoryNamePattern.MatchString(*given) || strings.HasSuffix(*given, ".git") || *given == "." || *given == "..":
		return "", errInvalidRepositoryName.New("The repository name %q is not valid: it has 1 to 100 letters, digits, periods, underscores and hyphens, and does not end in .git.", *given)
	}
	return *given, nil
}

// repository returns the account's repository with this name, or the fault that tells
// the caller that there is none. Who gets here was allowed to know.
func (s *Service) repository(ctx context.Context, r Reader, name string) (Repository, error) {
	found, err := r.Repository(ctx, s.Account, name)
	return found, missing(err, errRepositoryDoesNotExist.New("%s does not exist", name))
}

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
