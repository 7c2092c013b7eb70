package codecommit

import "github.com/refward/refward/internal/op"

// repositoryOperations is the part of the table about whole repositories.
func (s *Service) repositoryOperations() []op.Any {
	return []op.Any{
		s.BatchGetRepositories(),
		s.CreateRepository(),
		s.DeleteRepository(),
		s.GetRepository(),
		s.ListRepositories(),
		s.UpdateRepositoryDescription(),
		s.UpdateRepositoryName(),
	}
}
