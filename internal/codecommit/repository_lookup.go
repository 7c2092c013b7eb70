package codecommit

import (
	"context"
	"errors"
)

// repository returns the account's repository with this name, or the fault that tells
// the caller that there is none. Who gets here was allowed to know.
func (s *Service) repository(ctx context.Context, r Reader, name string) (Repository, error) {
	found, err := r.Repository(ctx, s.Account, name)
	if errors.Is(err, ErrNotFound) {
		return Repository{}, errRepositoryDoesNotExist.New("%s does not exist", name)
	}
	return found, err
}
