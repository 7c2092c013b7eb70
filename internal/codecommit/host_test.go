package codecommit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/blob/dir"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
	"github.com/refward/refward/internal/secret"
	"github.com/refward/refward/internal/sqlstore"
	"github.com/refward/refward/policy"
)

const account = "111122223333"

// host is a service with a real store, real repositories and real decisions.
type host struct {
	*codecommit.Service
	authorizer *authz.Authorizer
	policies   *policies
}

// policies are the inline policies of each user by name. It is the authorizer's source.
type policies struct {
	mu     sync.Mutex // guards byUser
	byUser map[string]*policy.Situation
}

func (p *policies) Situation(_ context.Context, who authz.Principal) (authz.Situation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return authz.Situation{Policies: p.byUser[who.Name]}, nil
}

// set gives a user these policies, named Policy1, Policy2, ….
func (p *policies) set(t testing.TB, user string, documents ...string) {
	t.Helper()
	s := &policy.Situation{}
	for i, d := range documents {
		parsed, err := policy.Parse(policy.Source{Name: fmt.Sprintf("Policy%d", i+1), Owner: "user " + user}, policy.Identity, []byte(d))
		if err != nil {
			t.Fatal(err)
		}
		s.Identity = append(s.Identity, parsed)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byUser[user] = s
}

// decisions is a decision log that keeps nothing.
type decisions struct{}

func (decisions) Append(context.Context, ...authz.Entry) error { return nil }

// packData reads inline packs from the store.
type packData struct{ codecommit.Store }

func (p packData) PackData(ctx context.Context, id repo.ID, packID string) (data []byte, err error) {
	err = p.View(ctx, func(ctx context.Context, tx codecommit.Reader) error {
		data, err = tx.PackData(ctx, id, packID)
		return err
	})
	return data, err
}

// The policies of the story: seniors may do everything, juniors nothing to master.
const (
	allowAll = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:*", "Resource": "*"}}`

	denyMaster = `{"Version": "2012-10-17", "Statement": {
		"Sid": "ProtectMaster", "Effect": "Deny",
		"Action": ["codecommit:GitPush", "codecommit:DeleteBranch", "codecommit:PutFile",
			"codecommit:MergeBranchesBy*", "codecommit:MergePullRequestBy*"],
		"Resource": "*",
		"Condition": {
			"StringEqualsIfExists": {"codecommit:References": ["refs/heads/master"]},
			"Null": {"codecommit:References": "false"}}}}`
)

var now = time.Date(2024, 5, 1, 12, 0, 0, 123e6, time.UTC)

// newHost makes a host with the users senior, junior and nobody.
func newHost(t testing.TB) *host {
	t.Helper()
	gittest.Require(t)
	ctx := t.Context()
	db, err := sqlstore.Open(ctx, sqlstore.Config{Dir: filepath.Join(t.TempDir(), "db"), Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := dir.Open(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	git, err := gitcmd.Open(ctx, gitcmd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return now }
	house, err := repo.Open(ctx, repo.Options{
		CacheDir: filepath.Join(t.TempDir(), "cache"),
		Blobs:    blobs,
		Packs:    packData{db.CodeCommit()},
		Git:      git,
		Log:      slog.New(slog.DiscardHandler),
		Now:      clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(house.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	keeper, err := secret.NewKeeper(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	h := &host{
		Service: &codecommit.Service{
			Store: db.CodeCommit(), Repos: house, Keeper: keeper,
			Partition: "aws", Region: "us-east-1", Account: account,
			Now: clock, Log: slog.New(slog.DiscardHandler),
		},
		policies: &policies{byUser: map[string]*policy.Situation{}},
	}
	h.authorizer = &authz.Authorizer{Source: h.policies, Log: decisions{}, Now: clock}
	h.policies.set(t, "senior", allowAll)
	h.policies.set(t, "junior", allowAll, denyMaster)
	h.policies.set(t, "nobody")
	return h
}

// as is a caller.
func as(user string) authz.Caller {
	return authz.Caller{
		Principal: authz.Principal{
			Kind: authz.User, Account: account, Name: user, UserID: "AIDA" + strings.ToUpper(user),
			ARN: arn.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "user/" + user},
		},
		RequestID: uuid.NewString(),
		Region:    "us-east-1",
	}
}

// repository makes an empty repository.
func (h *host) repository(t testing.TB, name string) codecommit.Repository {
	t.Helper()
	r := codecommit.Repository{Account: account, ID: repo.ID(uuid.NewString()), Name: name, Created: now, Modified: now}
	err := h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error { return tx.InsertRepository(ctx, r) })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// try runs an operation.
func try[In, Out any](t testing.TB, h *host, user string, o *op.Operation[In, Out], in In) (*Out, error) {
	t.Helper()
	return op.Invoke(t.Context(), h.authorizer, as(user), o, &in)
}

// do runs an operation that must succeed.
func do[In, Out any](t testing.TB, h *host, user string, o *op.Operation[In, Out], in In) *Out {
	t.Helper()
	out, err := try(t, h, user, o, in)
	if err != nil {
		t.Fatalf("%s as %s: %v", o.Name, user, err)
	}
	return out
}

// refuse runs an operation that must be refused with this code, without "Exception".
func refuse[In, Out any](t testing.TB, h *host, user string, o *op.Operation[In, Out], in In, code string) {
	t.Helper()
	_, err := try(t, h, user, o, in)
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok || strings.TrimSuffix(f.Code.Name, "Exception") != code {
		t.Errorf("%s as %s: got %v, want %s", o.Name, user, err, code)
	}
}

// push pushes all objects of a repository of git with these commands.
func (h *host) push(t testing.TB, user, name string, from *gittest.Repo, commands ...codecommit.RefCommand) *codecommit.GitPushOutput {
	t.Helper()
	return do(t, h, user, h.GitPush(), h.pushInput(t, name, from, commands))
}

func (h *host) pushInput(t testing.TB, name string, from *gittest.Repo, commands []codecommit.RefCommand) codecommit.GitPushInput {
	t.Helper()
	in := codecommit.GitPushInput{RepositoryName: name, Commands: commands}
	if from != nil {
		in.Pack = bytes.NewReader(from.Pipe(nil, "pack-objects", "--all", "--stdout", "--quiet"))
	}
	return in
}

// pushed pushes and must succeed for every command.
func (h *host) pushed(t testing.TB, user, name string, from *gittest.Repo, commands ...codecommit.RefCommand) {
	t.Helper()
	out := h.push(t, user, name, from, commands...)
	for _, r := range out.Results {
		if r.Reason != "" {
			t.Fatalf("push of %s as %s: %s %q (unpack %s)", r.Ref, user, r.Reason, r.Remote, out.Unpack)
		}
	}
}

// tip is where a ref is; zero where there is none.
func (h *host) tip(t testing.TB, name string, ref refname.Name) oid.ID {
	t.Helper()
	_, snap, err := h.Load(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := snap.Ref(ref)
	return r.OID
}

const master refname.Name = "refs/heads/master"

// payments is a host whose repository payments has two commits: master and the branch
// next are at the first and the second of them.
func payments(t testing.TB) (h *host, git *gittest.Repo, first, second oid.ID) {
	t.Helper()
	h = newHost(t)
	h.repository(t, "payments")
	git = gittest.Init(t)
	first = git.Commit("README.md", "one\n")
	second = git.Commit("docs/guide.md", "two\n")
	h.pushed(t, "senior", "payments", git,
		codecommit.RefCommand{Ref: master, New: first},
		codecommit.RefCommand{Ref: "refs/heads/next", New: second})
	return h, git, first, second
}

// ignoreMetadata leaves out what the SDK's client adds to its structs.
var ignoreMetadata = cmpopts.IgnoreUnexported(
	api.GetFileOutput{}, types.Commit{}, types.UserInfo{}, types.PullRequest{}, types.PullRequestTarget{}, types.MergeMetadata{}, types.ApprovalRule{},
	middleware.Metadata{},
)

// gittestCommit is a repository of git with one commit.
func gittestCommit(t testing.TB) *gittest.Repo {
	t.Helper()
	git := gittest.Init(t)
	git.Commit("README.md", "one\n")
	return git
}
