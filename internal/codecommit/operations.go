package codecommit

import "github.com/refward/refward/internal/op"

// Operations returns every operation of the domain, Git's own among them.
func (s *Service) Operations() []op.Any {
	return append([]op.Any{
		s.BatchGetCommits(),
		s.CreateBranch(),
		s.CreateCommit(),
		s.CreatePullRequest(),
		s.DeleteBranch(),
		s.DeleteFile(),
		s.DescribePullRequestEvents(),
		s.GetBlob(),
		s.GetBranch(),
		s.GetCommit(),
		s.GetDifferences(),
		s.GetFile(),
		s.GetFolder(),
		s.GetPullRequest(),
		s.GitPull(),
		s.GitPush(),
		s.GitPushAdvertise(),
		s.ListBranches(),
		s.ListPullRequests(),
		s.MergeBranchesByFastForward(),
		s.MergePullRequestByFastForward(),
		s.PutFile(),
		s.UpdateDefaultBranch(),
		s.UpdatePullRequestDescription(),
		s.UpdatePullRequestStatus(),
		s.UpdatePullRequestTitle(),
	}, s.repositoryOperations()...)
}
