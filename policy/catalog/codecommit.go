package catalog

// codecommitGroups are the actions of codecommit.
var codecommitGroups = []group{
	{access: List, actions: `
		ListApprovalRuleTemplates ListRepositories ListRepositoriesForApprovalRuleTemplate`},
	{access: List, resources: "repository", actions: `
		ListAssociatedApprovalRuleTemplatesForRepository ListBranches ListFileCommitHistory
		ListPullRequests`},
	{access: List, resources: "repository", optional: true, actions: `
		ListTagsForResource`},
	{access: Read, actions: `
		GetApprovalRuleTemplate`},
	{access: Read, resources: "repository", actions: `
		BatchDescribeMergeConflicts BatchGetCommits BatchGetRepositories DescribeMergeConflicts
		DescribePullRequestEvents EvaluatePullRequestApprovalRules GetBlob GetBlobDifferences GetBranch
		GetComment GetCommentReactions GetCommentsForComparedCommit GetCommentsForPullRequest GetCommit
		GetDifferences GetFile GetFolder GetMergeConflicts GetMergeOptions GetPullRequest
		GetPullRequestApprovalStates GetPullRequestOverrideState GetRepository GetRepositoryTriggers`},
	{access: Read, resources: "repository", permission: true, actions: `
		BatchGetPullRequests CancelUploadArchive GetCommitHistory GetCommitsFromMergeBase
		GetObjectIdentifier GetReferences GetTree GetUploadArchiveStatus GitPull`},
	{access: Read, resources: "repository", keys: "codecommit:References", actions: `
		GetMergeCommit`},
	{access: Write, actions: `
		CreateApprovalRuleTemplate DeleteApprovalRuleTemplate UpdateApprovalRuleTemplateContent
		UpdateApprovalRuleTemplateDescription UpdateApprovalRuleTemplateName`},
	{access: Write, resources: "repository", actions: `
		AssociateApprovalRuleTemplateWithRepository BatchAssociateApprovalRuleTemplateWithRepositories
		BatchDisassociateApprovalRuleTemplateFromRepositories CreatePullRequest
		CreatePullRequestApprovalRule DeleteCommentContent DeletePullRequestApprovalRule
		DeleteRepository DisassociateApprovalRuleTemplateFromRepository OverridePullRequestApprovalRules
		PostCommentForComparedCommit PostCommentForPullRequest PostCommentReply PutCommentReaction
		PutRepositoryTriggers TestRepositoryTriggers UpdateComment UpdateDefaultBranch
		UpdatePullRequestApprovalRuleContent UpdatePullRequestApprovalState UpdatePullRequestDescription
		UpdatePullRequestStatus UpdatePullRequestTitle UpdateRepositoryDescription
		UpdateRepositoryEncryptionKey UpdateRepositoryName`},
	{access: Write, resources: "repository", permission: true, actions: `
		UploadArchive`},
	{access: Write, resources: "repository", keys: "aws:RequestTag/${TagKey} aws:TagKeys", actions: `
		CreateRepository`},
	{access: Write, resources: "repository", keys: "codecommit:References", actions: `
		CreateBranch CreateCommit CreateUnreferencedMergeCommit DeleteBranch DeleteFile
		MergeBranchesByFastForward MergeBranchesBySquash MergeBranchesByThreeWay
		MergePullRequestByFastForward MergePullRequestBySquash MergePullRequestByThreeWay PutFile`},
	{access: Write, resources: "repository", keys: "codecommit:References", permission: true, actions: `
		GitPush`},
	{access: Tagging, resources: "repository", optional: true, keys: "aws:RequestTag/${TagKey} aws:ResourceTag/${TagKey} aws:TagKeys", actions: `
		TagResource`},
	{access: Tagging, resources: "repository", optional: true, keys: "aws:ResourceTag/${TagKey} aws:TagKeys", actions: `
		UntagResource`},
}

// codecommitTypes are the resource types of codecommit.
var codecommitTypes = []ResourceType{
	{Service: "codecommit", Name: "repository", ARN: "arn:${Partition}:codecommit:${Region}:${Account}:${RepositoryName}", keys: "aws:ResourceTag/${TagKey}"},
}
