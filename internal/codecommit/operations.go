package codecommit

import "github.com/refward/refward/internal/op"

// Operations returns the domain's operations, Git's own among them, in the order of
// their names.
func (s *Service) Operations() []op.Any {
	return []op.Any{
		s.BatchGetCommits(),
		s.BatchGetRepositories(),
		s.CreateBranch(),
		s.CreateCommit(),
		s.CreatePullRequest(),
		s.CreateRepository(),
		s.DeleteBranch(),
		s.DeleteFile(),
		s.DeleteRepository(),
		s.DescribePullRequestEvents(),
		s.GetBlob(),
		s.GetBranch(),
		s.GetCommit(),
		s.GetDifferences(),
		s.GetFile(),
		s.GetFolder(),
		s.GetPullRequest(),
		s.GetRepository(),
		s.GitLFSCreateLock(),
		s.GitLFSDeleteLock(),
		s.GitLFSDownload(),
		s.GitLFSGetObject(),
		s.GitLFSListLocks(),
		s.GitLFSPutObject(),
		s.GitLFSUpload(),
		s.GitLFSVerifyLocks(),
		s.GitLFSVerifyObject(),
		s.GitPull(),
		s.GitPush(),
		s.GitPushAdvertise(),
		s.ListBranches(),
		s.ListPullRequests(),
		s.ListRepositories(),
		s.MergeBranchesByFastForward(),
		s.MergePullRequestByFastForward(),
		s.PutFile(),
		s.UpdateDefaultBranch(),
		s.UpdatePullRequestDescription(),
		s.UpdatePullRequestStatus(),
		s.UpdatePullRequestTitle(),
		s.UpdateRepositoryDescription(),
		s.UpdateRepositoryName(),
	}
}
