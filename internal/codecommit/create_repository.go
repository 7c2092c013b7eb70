package codecommit

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/google/uuid"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

// CreateRepository makes an empty repository.
func (s *Service) CreateRepository() *op.Operation[api.CreateRepositoryInput, api.CreateRepositoryOutput] {
	return &op.Operation[api.CreateRepositoryInput, api.CreateRepositoryOutput]{
		Spec:   op.Spec{Service: "codecommit", Name: "CreateRepository", Resource: "repositoryName"},
		Checks: s.createRepositoryChecks,
		Run:    s.createRepository,
	}
}

func (s *Service) createRepositoryChecks(_ context.Context, _ authz.Caller, in *api.CreateRepositoryInput) ([]authz.Check, error) {
	name, err := repositoryName(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if _, err := repositoryDescription(in.RepositoryDescription); err != nil {
		return nil, err
	}
	if _, err := encryptionKey(in.KmsKeyId); err != nil {
		return nil, err
	}
	if len(in.Tags) > 0 {
		// Policies may decide by tags, so to accept and forget them would be worse.
		return nil, errInvalidTagsMap.New("This host does not support tags on repositories yet. Create the repository without tags.")
	}
	return []authz.Check{s.check("CreateRepository", name)}, nil
}

func repositoryDescription(given *string) (string, error) {
	if given == nil {
		return "", nil
	}
	if n := utf8.RuneCountInString(*given); n > maxRepositoryRunes {
		return "", errInvalidRepositoryDescription.New("The description has %d characters; the limit is %d.", n, maxRepositoryRunes)
	}
	return *given, nil
}

// awsManagedKey is the alias of the key that CodeCommit itself uses where no key is named.
const awsManagedKey = "alias/aws/codecommit"

// encryptionKey validates the key that a request names. There is no KMS here, so no key
// of the customer's can be used, and to accept one would promise what is not done.
func encryptionKey(given *string) (string, error) {
	if given == nil || *given == "" {
		return "", nil
	}
	if *given != awsManagedKey && !(strings.HasPrefix(*given, "arn:") && strings.HasSuffix(*given, ":"+awsManagedKey)) {
		return "", errEncryptionKeyInvalidID.New("This host has no key management service, so the key %q cannot be used. "+
			"Leave the key out, or name %s.", *given, awsManagedKey)
	}
	return *given, nil
}

func (s *Service) createRepository(ctx context.Context, _ authz.Grant, in *api.CreateRepositoryInput) (*api.CreateRepositoryOutput, error) {
	name, err := repositoryName(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	description, err := repositoryDescription(in.RepositoryDescription)
	if err != nil {
		return nil, err
	}
	key, err := encryptionKey(in.KmsKeyId)
	if err != nil {
		return nil, err
	}
	now := s.now()
	row := Repository{Account: s.Account, ID: repo.ID(uuid.NewString()), Name: name, Description: description, KMSKeyID: key, Created: now, Modified: now}
	var made *types.RepositoryMetadata
	err = s.Store.Update(ctx, func(ctx context.Context, tx Tx) (err error) {
		if err := s.insertRepository(ctx, tx, row); err != nil {
			return err
		}
		made, err = s.metadata(ctx, tx, row)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateRepositoryOutput{RepositoryMetadata: made}, nil
}

func (s *Service) insertRepository(ctx context.Context, tx Tx, row Repository) error {
	if err := s.nameIsFree(ctx, tx, row.Name); err != nil {
		return err
	}
	n, err := tx.CountRepositories(ctx, s.Account)
	if err != nil {
		return err
	}
	if n >= maxRepositories {
		return errRepositoryLimitExceeded.New("The account has %d repositories; the limit is %d.", n, maxRepositories)
	}
	return tx.InsertRepository(ctx, row)
}

// nameIsFree answers the fault of a name that is taken.
func (s *Service) nameIsFree(ctx context.Context, r Reader, name string) error {
	switch _, err := r.Repository(ctx, s.Account, name); {
	case err == nil:
		return errRepositoryNameExists.New("Repository named %s already exists", name)
	case errors.Is(err, ErrNotFound):
		return nil
	default:
		return err
	}
}
