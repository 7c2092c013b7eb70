package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/person"
)

// story returns the chapters in order.
func story() []chapter {
	return []chapter{
		{"People, each with a Git credential", []step{
			hire(Junior, func(s *stage, p *person.Person) { s.junior = p }),
			hire(Senior, func(s *stage, p *person.Person) { s.senior = p }),
		}},
		{"Groups", []step{
			makeGroup(Juniors), makeGroup(Approvers),
			join(Junior, Juniors), join(Senior, Approvers),
			members(Juniors, Junior),
		}},
		{"Two policies", []step{
			malformed(), putPolicy(Juniors, juniors), putPolicy(Approvers, approvers),
		}},
		{"A repository", []step{
			createRepository(),
			clone(Senior),
			gits(Senior, "master is pushed", "symbolic-ref HEAD refs/heads/master", "commit -q --allow-empty -m First", "push -u origin master"),
			defaultBranch(),
		}},
		{"The junior works on a branch", []step{
			clone(Junior),
			gits(Junior, "the branch is pushed", "checkout -q -b "+Feature, "commit -q --allow-empty -m Feature", "push -u origin "+Feature),
		}},
		{"Whatever the junior tries on master is refused", attempts()},
		{"A pull request", pullRequest()},
		{"The senior tidies up", []step{
			gits(Senior, "master is checked out", "checkout master"),
			gits(Senior, "the local branch is gone", "branch -D "+Feature),
			gits(Senior, "the branch is gone on the host", "push origin --delete "+Feature),
			gits(Senior, "the merged commit arrives", "pull --ff-only"),
			upToDate(),
		}},
		{"What decides is the policy", decides()},
		{"And who is asking", identities()},
	}
}

func hire(name string, keep func(*stage, *person.Person)) step {
	return does("root", "aws iam create-user, create-access-key, create-service-specific-credential --user-name "+name,
		"a Git user name "+name+"-at-ACCOUNT and a password that shows once",
		func(ctx context.Context, s *stage) (string, error) {
			p, err := s.root.Hire(ctx, name)
			if err != nil {
				return "", err
			}
			keep(s, p)
			if want := name + "-at-" + s.account; p.GitUser != want || p.GitPassword == "" {
				return "", fmt.Errorf("the Git user name is %q and not %q, or there is no password", p.GitUser, want)
			}
			return p.GitUser + " and a password", nil
		})
}

func members(group string, want ...string) step {
	return does("root", "aws iam get-group --group-name "+group, strings.Join(want, ", "),
		func(ctx context.Context, s *stage) (string, error) {
			out, err := s.root.IAM().GetGroup(ctx, &iam.GetGroupInput{GroupName: &group})
			if err != nil {
				return "", err
			}
			var names []string
			for _, u := range out.Users {
				names = append(names, aws.ToString(u.UserName))
			}
			if !slices.Equal(names, want) {
				return "", fmt.Errorf("the members are %q", names)
			}
			return strings.Join(names, ", "), nil
		})
}

func malformed() step {
	return refused("root", "aws iam put-group-policy with a document cut in half", "MalformedPolicyDocument", nil,
		func(ctx context.Context, s *stage) error { return s.putPolicy(ctx, Juniors, juniors[:len(juniors)/2]) })
}

func createRepository() step {
	return does("root", "aws codecommit create-repository --repository-name "+Repository, "a clone URL",
		func(ctx context.Context, s *stage) (string, error) {
			out, err := s.root.CodeCommit().CreateRepository(ctx, &codecommit.CreateRepositoryInput{
				RepositoryName: aws.String(Repository), RepositoryDescription: aws.String("The story's repository"),
			})
			if err != nil {
				return "", err
			}
			s.cloneURL = aws.ToString(out.RepositoryMetadata.CloneUrlHttp)
			return s.cloneURL, nil
		})
}

// clone clones by the URL that the host itself gave.
func clone(who string) step {
	return step{who, "git clone …/v1/repos/" + Repository, "cloned", func(ctx context.Context, s *stage) (seen, error) {
		p, dir := s.by(who)
		r, err := p.Git(ctx, s.dir, "clone", s.cloneURL, dir)
		return seen{or(brief(r.Output), "done"), err == nil && r.OK()}, err
	}}
}

func defaultBranch() step {
	return does(Senior, "aws codecommit get-repository --repository-name "+Repository, "the default branch is master",
		func(ctx context.Context, s *stage) (string, error) {
			out, err := s.senior.CodeCommit().GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: aws.String(Repository)})
			if err != nil {
				return "", err
			}
			if b := aws.ToString(out.RepositoryMetadata.DefaultBranch); b != "master" {
				return "", fmt.Errorf("the default branch is %q", b)
			}
			return "the default branch is master", nil
		})
}

func upToDate() step {
	return step{Senior, "git rev-parse master", "the commit that the host has", func(ctx context.Context, s *stage) (seen, error) {
		refs, err := s.refs(ctx)
		if err != nil {
			return seen{}, err
		}
		r, err := s.git(ctx, Senior, "rev-parse master")
		local := strings.TrimSpace(r.Output)
		return seen{fmt.Sprintf("here %.10s, on the host %.10s", local, refs[master]), local == refs[master]}, err
	}}
}

func pullRequest() []step {
	return []step{
		gits(Senior, "the senior reads the branch", "fetch origin", "checkout "+Feature),
		does(Junior, "aws codecommit create-pull-request", "an OPEN pull request", createPullRequest),
		refused(Junior, "aws codecommit merge-pull-request-by-fast-forward", "AccessDeniedException",
			[]string{"is not authorized to perform: codecommit:MergePullRequestByFastForward", "explicit deny", Juniors, "MayNotChangeMaster"},
			func(ctx context.Context, s *stage) error { return s.merge(ctx, s.junior) }),
		does(Senior, "aws codecommit merge-pull-request-by-fast-forward", "merged",
			func(ctx context.Context, s *stage) (string, error) { return "merged", s.merge(ctx, s.senior) }),
		does(Junior, "aws codecommit get-pull-request", "CLOSED and merged", isMerged),
		does(Junior, "aws codecommit put-file --branch-name "+Feature, "a commit",
			func(ctx context.Context, s *stage) (string, error) { return s.putFile(ctx, Feature) }),
		refused(Junior, "aws codecommit put-file --branch-name master", "AccessDeniedException",
			[]string{"codecommit:PutFile", Juniors, "MayNotChangeMaster"},
			func(ctx context.Context, s *stage) error { _, err := s.putFile(ctx, "master"); return err }),
	}
}

func createPullRequest(ctx context.Context, s *stage) (string, error) {
	out, err := s.junior.CodeCommit().CreatePullRequest(ctx, &codecommit.CreatePullRequestInput{
		Title: aws.String("A new feature"),
		Targets: []cctypes.Target{{
			RepositoryName: aws.String(Repository), SourceReference: aws.String(Feature), DestinationReference: aws.String("master"),
		}},
	})
	if err != nil {
		return "", err
	}
	s.pullRequest = aws.ToString(out.PullRequest.PullRequestId)
	if st := out.PullRequest.PullRequestStatus; st != cctypes.PullRequestStatusEnumOpen {
		return "", fmt.Errorf("the pull request is %s", st)
	}
	return "pull request " + s.pullRequest + ", OPEN", nil
}

func (s *stage) merge(ctx context.Context, p *person.Person) error {
	_, err := p.CodeCommit().MergePullRequestByFastForward(ctx, &codecommit.MergePullRequestByFastForwardInput{
		PullRequestId: &s.pullRequest, RepositoryName: aws.String(Repository),
	})
	return err
}

func isMerged(ctx context.Context, s *stage) (string, error) {
	out, err := s.junior.CodeCommit().GetPullRequest(ctx, &codecommit.GetPullRequestInput{PullRequestId: &s.pullRequest})
	if err != nil {
		return "", err
	}
	merged := false
	for _, t := range out.PullRequest.PullRequestTargets {
		merged = merged || t.MergeMetadata != nil && t.MergeMetadata.IsMerged
	}
	if st := out.PullRequest.PullRequestStatus; st != cctypes.PullRequestStatusEnumClosed || !merged {
		return "", fmt.Errorf("the pull request is %s, merged: %t", st, merged)
	}
	return "CLOSED and merged", nil
}

// putFile writes a file by the API as the junior.
func (s *stage) putFile(ctx context.Context, branch string) (string, error) {
	refs, err := s.refs(ctx)
	if err != nil {
		return "", err
	}
	out, err := s.junior.CodeCommit().PutFile(ctx, &codecommit.PutFileInput{
		RepositoryName: aws.String(Repository), BranchName: &branch, FilePath: aws.String("notes/by-api.txt"),
		FileContent: []byte("written by the API\n"), ParentCommitId: aws.String(refs["refs/heads/"+branch]),
	})
	if err != nil {
		return "", err
	}
	return "commit " + aws.ToString(out.CommitId), nil
}
