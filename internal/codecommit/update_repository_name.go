package codecommit

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

var updateRepositoryNameSpec = op.Spec{Service: "codecommit", Name: "UpdateRepositoryName", Resource: "oldName and newName", Refs: op.DropsRefs}

// UpdateRepositoryName renames a repository. Policies name repositories by name, so
// other ones apply to it afterwards; the caller must therefore be allowed both names
// (User Guide, "UpdateRepositoryName"). Its old name leads nowhere.
func (s *Service) UpdateRepositoryName() *op.Operation[api.UpdateRepositoryNameInput, api.UpdateRepositoryNameOutput] {
	return &op.Operation[api.UpdateRepositoryNameInput, api.UpdateRepositoryNameOutput]{
		Spec:   updateRepositoryNameSpec,
		Checks: s.updateRepositoryNameChecks,
		Run:    s.updateRepositoryName,
	}
}

func (s *Service) updateRepositoryNameChecks(_ context.Context, _ authz.Caller, in *api.UpdateRepositoryNameInput) ([]authz.Check, error) {
	from, to, err := renaming(in)
	if err != nil {
		return nil, err
	}
	return []authz.Check{s.check("UpdateRepositoryName", from), s.check("UpdateRepositoryName", to)}, nil
}

func renaming(in *api.UpdateRepositoryNameInput) (from, to string, err error) {
	if from, err = repositoryName(in.OldName); err != nil {
		return "", "", err
	}
	to, err = repositoryName(in.NewName)
	return from, to, err
}

func (s *Service) updateRepositoryName(ctx context.Context, g authz.Grant, in *api.UpdateRepositoryNameInput) (*api.UpdateRepositoryNameOutput, error) {
	from, to, err := renaming(in)
	if err != nil {
		return nil, err
	}
	if err := s.grantedRepositories(g, updateRepositoryNameSpec, from, to); err != nil {
		return nil, err
	}
	err = s.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		row, err := s.repository(ctx, tx, from)
		if err != nil {
			return err
		}
		if err := s.nameIsFree(ctx, tx, to); err != nil {
			return err
		}
		row.Name, row.Modified = to, s.now()
		return tx.UpdateRepository(ctx, row)
	})
	if err != nil {
		return nil, err
	}
	return &api.UpdateRepositoryNameOutput{}, nil
}
