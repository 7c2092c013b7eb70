// Package codecommit is the domain of repositories: branches, commits, files, pull
// requests and merges, as AWS CodeCommit has them (API version 2015-04-13), and Git's
// own reads and pushes. One file per operation; the table of all of them is
// (*Service).Operations. A ref moves in one place, refs.go.
package codecommit

import (
	"log/slog"
	"time"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/repo"
	"github.com/refward/refward/internal/secret"
	"github.com/refward/refward/internal/share"
)

// Service runs the domain's operations. Its fields are set once, before use; it is
// safe for concurrent use.
type Service struct {
	Store  Store
	Repos  *repo.House
	Keeper *secret.Keeper // signs continuation tokens

	Partition string // "aws"
	Region    string
	Account   string // 12 digits
	HTTPURL   string // what clone URLs begin with: "http://127.0.0.1:8417"
	SSHURL    string // "ssh://127.0.0.1:8422"

	PushLimits repo.Limits // of one push; zero fields: CodeCommit's quotas

	LFSObjectBytes int64 // of one object of Git LFS; 0 is 5 GiB

	// LFSUploads is the gate before uploads of objects of Git LFS.
	LFSUploads *share.Gate

	Now func() time.Time
	Log *slog.Logger

	// PackAdded is told of every repository that has one more pack; it must return at
	// once. It may be nil.
	PackAdded func(id repo.ID)

	snapshots snapshotCache
	listed    int // names on a page of ListRepositories; 0 is 1,000, and tests set fewer
}

// arn returns the ARN of the repository with this name.
func (s *Service) arn(name string) arn.ARN {
	return arn.ARN{Partition: s.Partition, Service: "codecommit", Region: s.Region, Account: s.Account, Resource: name}
}

// check asks for an action of this service on the repository with this name.
func (s *Service) check(action, name string, values ...authz.Value) authz.Check {
	return authz.Check{Action: "codecommit:" + action, Resource: s.arn(name), Values: values}
}

// ReferencesKey is the condition key that carries the full name of the ref concerned.
const ReferencesKey = "codecommit:References"

// token makes the continuation token of a listing: the cursor, signed for the purpose
// (the operation and what it filters by), so that no token serves another listing.
func (s *Service) token(purpose, cursor string) *string {
	return new(s.Keeper.Token(purpose, cursor))
}

// cursor is the inverse of token; nil or empty is the beginning.
func (s *Service) cursor(purpose string, token *string) (string, error) {
	if !given(token) {
		return "", nil
	}
	cursor, ok := s.Keeper.TokenText(purpose, *token)
	if !ok {
		return "", errInvalidContinuationToken.New("The continuation token is not one that this listing returned.")
	}
	return cursor, nil
}
