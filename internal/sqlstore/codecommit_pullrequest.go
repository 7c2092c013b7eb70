package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

const pullRequestColumns = `account_id, pr_id, repo_id, title, description, has_description, author_arn, source, destination,
	source_commit, dest_commit, merge_base, closed, merged, merged_by, merge_commit, merge_option, revision_id,
	token, token_digest, created, last_activity`

func scanPullRequest(scan func(...any) error) (p codecommit.PullRequest, err error) {
	var token sql.NullString
	var created, active int64
	err = scan(&p.Account, &p.ID, &p.Repository, &p.Title, &p.Description, &p.HasDescription, &p.AuthorARN, &p.Source, &p.Destination,
		oidColumn{&p.SourceCommit}, oidColumn{&p.DestCommit}, oidColumn{&p.MergeBase}, &p.Closed, &p.Merged, &p.MergedBy,
		oidColumn{&p.MergeCommit}, &p.MergeOption, &p.RevisionID, &token, &p.TokenDigest, &created, &active)
	p.Token = token.String
	p.Created, p.LastActivity = fromMillis(created), fromMillis(active)
	return p, err
}

func (t codecommitTx) PullRequest(ctx context.Context, account string, id int64) (codecommit.PullRequest, error) {
	p, err := readOne(ctx, t.q, scanPullRequest,
		`SELECT `+pullRequestColumns+` FROM pull_request WHERE account_id = $1 AND pr_id = $2`, account, id)
	return p, rowError(err, "pull request", id)
}

func (t codecommitTx) PullRequestByToken(ctx context.Context, account, token string) (codecommit.PullRequest, error) {
	p, err := readOne(ctx, t.q, scanPullRequest,
		`SELECT `+pullRequestColumns+` FROM pull_request WHERE account_id = $1 AND token = $2`, account, token)
	return p, rowError(err, "pull request of token", token)
}

// Each filter has its own text, so that each finds its index.
const (
	selectPullRequests = `SELECT ` + pullRequestColumns + ` FROM pull_request WHERE account_id = $1 AND repo_id = $2 AND pr_id < $3`
	newestPullRequests = ` ORDER BY pr_id DESC LIMIT $4`

	pullRequestsAll           = selectPullRequests + newestPullRequests
	pullRequestsOfStatus      = selectPullRequests + ` AND closed = $5` + newestPullRequests
	pullRequestsOfAuthor      = selectPullRequests + ` AND author_arn = $5` + newestPullRequests
	pullRequestsOfAuthorState = selectPullRequests + ` AND author_arn = $5 AND closed = $6` + newestPullRequests
)

func (t codecommitTx) PullRequests(ctx context.Context, account string, f codecommit.PullRequestFilter, page codecommit.Page) ([]codecommit.PullRequest, error) {
	before, err := numericCursor(page.After, math.MaxInt64)
	if err != nil {
		return nil, fmt.Errorf("list pull requests: %w", err)
	}
	args := []any{account, f.Repository, before, page.Limit}
	query := pullRequestsAll
	switch {
	case f.AuthorARN != "" && f.Closed != nil:
		query, args = pullRequestsOfAuthorState, append(args, f.AuthorARN, *f.Closed)
	case f.AuthorARN != "":
		query, args = pullRequestsOfAuthor, append(args, f.AuthorARN)
	case f.Closed != nil:
		query, args = pullRequestsOfStatus, append(args, *f.Closed)
	}
	return collect(ctx, t.q, scanPullRequest, query, args...)
}

// numericCursor reads a decimal cursor; the empty one is the beginning.
func numericCursor(after string, beginning int64) (int64, error) {
	if after == "" {
		return beginning, nil
	}
	n, err := strconv.ParseInt(after, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a cursor: %w", after, err)
	}
	return n, nil
}

const (
	selectOpenPullRequests = `SELECT ` + pullRequestColumns + ` FROM pull_request WHERE repo_id = $1 AND NOT closed`

	// Two halves, each with its index, for an OR would read every open one.
	selectOpenPullRequestsOn = selectOpenPullRequests + ` AND source = $2
		UNION ALL ` + selectOpenPullRequests + ` AND destination = $2 AND source <> $2`

	countOpenPullRequests = `SELECT count(*) FROM pull_request WHERE repo_id = $1 AND NOT closed`
)

func (t codecommitTx) OpenPullRequestsOn(ctx context.Context, id repo.ID, ref refname.Name) ([]codecommit.PullRequest, error) {
	all, err := collect(ctx, t.q, scanPullRequest, selectOpenPullRequestsOn, id, refArg(ref))
	slices.SortFunc(all, func(a, b codecommit.PullRequest) int { return cmp.Compare(a.ID, b.ID) })
	return all, err
}

func (t codecommitTx) CountOpenPullRequests(ctx context.Context, id repo.ID) (n int, err error) {
	err = t.q.one(ctx, countOpenPullRequests, []any{id}, &n)
	return n, err
}

func (t codecommitTx) InsertPullRequest(ctx context.Context, p codecommit.PullRequest) (id int64, err error) {
	err = t.q.one(ctx,
		`INSERT INTO pull_request_counter (account_id, last) VALUES ($1, 1)
		ON CONFLICT (account_id) DO UPDATE SET last = pull_request_counter.last + 1 RETURNING last`, []any{p.Account}, &id)
	if err != nil {
		return 0, rowError(err, "count the pull requests of account", p.Account)
	}
	token := sql.NullString{String: p.Token, Valid: p.Token != ""}
	_, err = t.q.exec(ctx,
		`INSERT INTO pull_request (account_id, pr_id, repo_id, title, description, has_description, author_arn, source, destination,
			source_commit, dest_commit, merge_base, closed, merged, merged_by, merge_commit, merge_option, revision_id,
			token, token_digest, created, last_activity, events)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, 0)`,
		p.Account, id, p.Repository, p.Title, p.Description, p.HasDescription, p.AuthorARN, refArg(p.Source), refArg(p.Destination),
		oidArg(p.SourceCommit), oidArg(p.DestCommit), oidArg(p.MergeBase), p.Closed, p.Merged, p.MergedBy, oidArg(p.MergeCommit),
		p.MergeOption, p.RevisionID, token, p.TokenDigest, millis(p.Created), millis(p.LastActivity))
	return id, rowError(err, "pull request", id)
}

func (t codecommitTx) UpdatePullRequest(ctx context.Context, p codecommit.PullRequest) error {
	ok, err := t.q.swap(ctx,
		`UPDATE pull_request SET title = $3, description = $4, has_description = $5, source = $6, destination = $7,
			source_commit = $8, dest_commit = $9, merge_base = $10, closed = $11, merged = $12, merged_by = $13,
			merge_commit = $14, merge_option = $15, revision_id = $16, last_activity = $17
		WHERE account_id = $1 AND pr_id = $2`,
		p.Account, p.ID, p.Title, p.Description, p.HasDescription, refArg(p.Source), refArg(p.Destination),
		oidArg(p.SourceCommit), oidArg(p.DestCommit), oidArg(p.MergeBase), p.Closed, p.Merged, p.MergedBy,
		oidArg(p.MergeCommit), p.MergeOption, p.RevisionID, millis(p.LastActivity))
	return rowError(foundOne(ok, err), "pull request", p.ID)
}

// AppendPullRequestEvent counts in the pull request's row, which also makes the events
// of one pull request wait for each other on an engine that has several writers.
func (t codecommitTx) AppendPullRequestEvent(ctx context.Context, account string, e codecommit.PullRequestEvent) error {
	var seq int64
	err := t.q.one(ctx,
		`UPDATE pull_request SET events = events + 1 WHERE account_id = $1 AND pr_id = $2 RETURNING events`,
		[]any{account, e.PullRequest}, &seq)
	if err != nil {
		return rowError(err, "pull request", e.PullRequest)
	}
	_, err = t.q.exec(ctx,
		`INSERT INTO pull_request_event (account_id, pr_id, seq, type, actor_arn, at, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		account, e.PullRequest, seq, e.Type, e.ActorARN, millis(e.At), blobArg(e.Detail))
	return rowError(err, "event of pull request", e.PullRequest)
}

func (t codecommitTx) PullRequestEvents(ctx context.Context, account string, id int64, eventType, actorARN string, page codecommit.Page) ([]codecommit.PullRequestEvent, error) {
	after, err := numericCursor(page.After, 0)
	if err != nil {
		return nil, fmt.Errorf("list the events of pull request %d: %w", id, err)
	}
	return collect(ctx, t.q, func(scan func(...any) error) (e codecommit.PullRequestEvent, err error) {
		var at int64
		err = scan(&e.PullRequest, &e.Seq, &e.Type, &e.ActorARN, &at, &e.Detail)
		e.At = fromMillis(at)
		return e, err
	}, `SELECT pr_id, seq, type, actor_arn, at, detail FROM pull_request_event
		WHERE account_id = $1 AND pr_id = $2 AND seq > $3 AND ($4 = '' OR type = $4) AND ($5 = '' OR actor_arn = $5)
		ORDER BY seq LIMIT $6`, account, id, after, eventType, actorARN, page.Limit)
}
