package codecommit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/blob/dir"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
	"github.com/refward/refward/internal/secret"
	"github.com/refward/refward/internal/sqlstore"
	"github.com/refward/refward/policy"
)

const repositoryAccount = "111122223333"

// repositoryHost is the domain on a real store, with a clock that moves by hand.
type repositoryHost struct {
	*codecommit.Service
	authorizer *authz.Authorizer
	cache      string
	now        time.Time
	policies   []*policy.Policy // of the user "dev"
}

func openRepositoryHost(t *testing.T) *repositoryHost {
	t.Helper()
	gittest.Require(t)
	h := &repositoryHost{cache: t.TempDir(), now: time.Date(2024, 2, 29, 12, 0, 0, 123456789, time.UTC)}
	clock := func() time.Time { return h.now }
	log := slog.New(slog.DiscardHandler)
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	decisions := db.OpenDecisions(t.Context(), log)
	t.Cleanup(func() {
		if err := errors.Join(decisions.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	blobs, err := dir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	git, err := gitcmd.Open(t.Context(), gitcmd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	house, err := repo.Open(t.Context(), repo.Options{CacheDir: h.cache, Blobs: blobs, Packs: db.Packs(), Git: git, Log: log, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = house.Close() })
	keeper, err := secret.NewKeeper(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	h.authorizer = &authz.Authorizer{Source: h, Log: decisions, Now: clock}
	h.Service = &codecommit.Service{Store: db.CodeCommit(), Repos: house, Keeper: keeper, Partition: "aws", Region: "eu-central-1", Account: repositoryAccount,
		HTTPURL: "https://git.example", SSHURL: "ssh://git.example:22", Now: clock, Log: log}
	return h
}

// Situation implements [authz.Source]: one user has policies.
func (h *repositoryHost) Situation(context.Context, authz.Principal) (authz.Situation, error) {
	return authz.Situation{Policies: &policy.Situation{Identity: h.policies}}, nil
}

// allow gives the user "dev" one statement.
func (h *repositoryHost) allow(t *testing.T, action string, resources ...string) {
	t.Helper()
	document := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": %q, "Resource": ["%s"]}}`,
		action, strings.Join(resources, `", "`))
	p, err := policy.Parse(policy.Source{Name: "P"}, policy.Identity, []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	h.policies = []*policy.Policy{p}
}

func repositoryARN(name string) string {
	return "arn:aws:codecommit:eu-central-1:" + repositoryAccount + ":" + name
}

var (
	rootCaller = authz.Caller{Principal: authz.Principal{Kind: authz.Root, Account: repositoryAccount,
		ARN: arn.ARN{Partition: "aws", Service: "iam", Account: repositoryAccount, Resource: "root"}}}
	devCaller = authz.Caller{Principal: authz.Principal{Kind: authz.User, Account: repositoryAccount, Name: "dev", UserID: "AIDADEV",
		ARN: arn.ARN{Partition: "aws", Service: "iam", Account: repositoryAccount, Resource: "user/dev"}}}
)

func runAs[In, Out any](t *testing.T, h *repositoryHost, c authz.Caller, o *op.Operation[In, Out], in *In) (*Out, error) {
	t.Helper()
	return op.Invoke(t.Context(), h.authorizer, c, o, in)
}

func mustRun[In, Out any](t *testing.T, h *repositoryHost, o *op.Operation[In, Out], in *In) *Out {
	t.Helper()
	out, err := runAs(t, h, rootCaller, o, in)
	if err != nil {
		t.Fatalf("%s: %v", o.Name, err)
	}
	return out
}

// wantCode fails unless err is a fault of that code; an empty one means no error.
func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	f, _ := errors.AsType[*fault.Fault](err)
	switch {
	case code == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case code != "" && (f == nil || f.Code.Name != code):
		t.Errorf("%s: got %v, want %s", what, err, code)
	}
}

func createNamed(t *testing.T, h *repositoryHost, name string) *types.RepositoryMetadata {
	t.Helper()
	return mustRun(t, h, h.CreateRepository(), &api.CreateRepositoryInput{RepositoryName: &name}).RepositoryMetadata
}

func getNamed(t *testing.T, h *repositoryHost, name string) *types.RepositoryMetadata {
	t.Helper()
	return mustRun(t, h, h.GetRepository(), &api.GetRepositoryInput{RepositoryName: &name}).RepositoryMetadata
}

// compareAPI ignores what the SDK's structs carry for the SDK alone.
func compareAPI(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(types.RepositoryMetadata{}, types.BatchGetRepositoriesError{})); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestCreateAndGetRepository(t *testing.T) {
	h := openRepositoryHost(t)
	made := mustRun(t, h, h.CreateRepository(), &api.CreateRepositoryInput{RepositoryName: new("Pay.ments_1-x"), RepositoryDescription: new("<b>\u00e4</b>"),
		KmsKeyId: new("alias/aws/codecommit"), Tags: map[string]string{}}).RepositoryMetadata
	at := h.now.Truncate(time.Millisecond)
	want := &types.RepositoryMetadata{AccountId: new(repositoryAccount), Arn: new(repositoryARN("Pay.ments_1-x")), CloneUrlHttp: new("https://git.example/v1/repos/Pay.ments_1-x"),
		CloneUrlSsh: new("ssh://git.example:22/v1/repos/Pay.ments_1-x"), CreationDate: &at, LastModifiedDate: &at, KmsKeyId: new("alias/aws/codecommit"),
		RepositoryDescription: new("<b>\u00e4</b>"), RepositoryId: made.RepositoryId, RepositoryName: new("Pay.ments_1-x")}
	if len(*made.RepositoryId) != 36 {
		t.Errorf("the ID %q is not a UUID", *made.RepositoryId)
	}
	compareAPI(t, "created", want, made)
	compareAPI(t, "read", want, getNamed(t, h, "Pay.ments_1-x"))

	plain := createNamed(t, h, "plain")
	if plain.RepositoryDescription != nil || plain.KmsKeyId != nil || plain.DefaultBranch != nil {
		t.Errorf("a repository made of a name alone has %v, %v, %v", plain.RepositoryDescription, plain.KmsKeyId, plain.DefaultBranch)
	}
	_, err := runAs(t, h, rootCaller, h.GetRepository(), &api.GetRepositoryInput{RepositoryName: new("PLAIN")})
	wantCode(t, "a name in another case", err, "RepositoryDoesNotExistException")
}

// TestDefaultBranch: a repository tells its default branch only while there is one.
func TestDefaultBranch(t *testing.T) {
	h := openRepositoryHost(t)
	createNamed(t, h, "r")
	for _, step := range []struct {
		what string
		head codecommit.RefMove
		want *string
	}{
		{"unborn", codecommit.RefMove{}, nil},
		{"born", codecommit.RefMove{Ref: "refs/heads/feature/x", New: oid.ID{1}}, new("feature/x")},
		{"gone", codecommit.RefMove{Ref: "refs/heads/feature/x", Old: oid.ID{1}}, nil},
	} {
		err := h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
			row, err := tx.Repository(ctx, repositoryAccount, "r")
			if err != nil {
				return err
			}
			row.Head = "refs/heads/feature/x"
			gen, err := tx.Advance(ctx, row.ID, row.Epoch, h.now)
			if step.head.Ref != "" {
				err = errors.Join(err, tx.SwapRef(ctx, row.ID, gen, step.head))
			}
			return errors.Join(err, tx.UpdateRepository(ctx, row))
		})
		if err != nil {
			t.Fatal(err)
		}
		compareAPI(t, step.what, step.want, getNamed(t, h, "r").DefaultBranch)
	}
}

func TestCreateRepositoryRefuses(t *testing.T) {
	h := openRepositoryHost(t)
	createNamed(t, h, "taken")
	for name, c := range map[string]struct {
		in   api.CreateRepositoryInput
		want string
	}{
		"no name":                          {api.CreateRepositoryInput{}, "RepositoryNameRequiredException"},
		"an empty name":                    {api.CreateRepositoryInput{RepositoryName: new("")}, "RepositoryNameRequiredException"},
		"a name with a slash":              {api.CreateRepositoryInput{RepositoryName: new("a/b")}, "InvalidRepositoryNameException"},
		"a name with a line":               {api.CreateRepositoryInput{RepositoryName: new("a\n")}, "InvalidRepositoryNameException"},
		"a name of .git":                   {api.CreateRepositoryInput{RepositoryName: new("a.git")}, "InvalidRepositoryNameException"},
		"a name of dots":                   {api.CreateRepositoryInput{RepositoryName: new("..")}, "InvalidRepositoryNameException"},
		"a name with letters beyond ASCII": {api.CreateRepositoryInput{RepositoryName: new("\u00e4")}, "InvalidRepositoryNameException"},
		"a long name":                      {api.CreateRepositoryInput{RepositoryName: new(strings.Repeat("n", 101))}, "InvalidRepositoryNameException"},
		"the longest name":                 {api.CreateRepositoryInput{RepositoryName: new(strings.Repeat("n", 100))}, ""},
		"a name that is taken":             {api.CreateRepositoryInput{RepositoryName: new("taken")}, "RepositoryNameExistsException"},
		"a long description": {api.CreateRepositoryInput{RepositoryName: new("n"), RepositoryDescription: new(strings.Repeat("\u00e4", 1001))},
			"InvalidRepositoryDescriptionException"},
		"the longest description": {api.CreateRepositoryInput{RepositoryName: new("long"), RepositoryDescription: new(strings.Repeat("\u00e4", 1000))}, ""},
		"a customer's key":        {api.CreateRepositoryInput{RepositoryName: new("n"), KmsKeyId: new("1234abcd-12ab")}, "EncryptionKeyInvalidIdException"},
		"a key that looks like the alias": {api.CreateRepositoryInput{RepositoryName: new("n"), KmsKeyId: new("x:alias/aws/codecommit")},
			"EncryptionKeyInvalidIdException"},
		"the alias' ARN": {api.CreateRepositoryInput{RepositoryName: new("k"),
			KmsKeyId: new("arn:aws:kms:eu-central-1:111122223333:alias/aws/codecommit")}, ""},
		"tags": {api.CreateRepositoryInput{RepositoryName: new("n"), Tags: map[string]string{"Team": "a"}}, "InvalidTagsMapException"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := runAs(t, h, rootCaller, h.CreateRepository(), &c.in)
			wantCode(t, name, err, c.want)
		})
	}
	_, err := runAs(t, h, rootCaller, h.CreateRepository(), &api.CreateRepositoryInput{RepositoryName: new("taken")})
	if f, _ := errors.AsType[*fault.Fault](err); f == nil || f.Message != "Repository named taken already exists" {
		t.Errorf("the service's own sentence is missing: %v", err)
	}
	if left := listAll(t, h, "", ""); slices.Contains(left, "n") {
		t.Error("a refused request made a repository")
	}
}

func TestRepositoryLimit(t *testing.T) {
	h := openRepositoryHost(t)
	err := h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		for i := range 999 {
			name := fmt.Sprintf("r%03d", i)
			if err := tx.InsertRepository(ctx, codecommit.Repository{Account: repositoryAccount, ID: repo.ID(name), Name: name}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	createNamed(t, h, "the-last")
	_, err = runAs(t, h, rootCaller, h.CreateRepository(), &api.CreateRepositoryInput{RepositoryName: new("one-more")})
	wantCode(t, "one more", err, "RepositoryLimitExceededException")
	_, err = runAs(t, h, rootCaller, h.CreateRepository(), &api.CreateRepositoryInput{RepositoryName: new("the-last")})
	wantCode(t, "a taken name in a full account", err, "RepositoryNameExistsException")
	if n := len(listAll(t, h, "", "")); n != 1000 {
		t.Errorf("one page lists %d repositories, want 1000", n)
	}
}

// TestRightsBeforeExistence: who has no rights on a name does not learn whether there is
// a repository of that name.
func TestRightsBeforeExistence(t *testing.T) {
	h := openRepositoryHost(t)
	createNamed(t, h, "secret")
	h.allow(t, "codecommit:*", repositoryARN("mine"))
	for _, name := range []string{"secret", "absent"} {
		for what, run := range map[string]func() error{
			"create": func() error {
				_, err := runAs(t, h, devCaller, h.CreateRepository(), &api.CreateRepositoryInput{RepositoryName: &name})
				return err
			},
			"get": func() error {
				_, err := runAs(t, h, devCaller, h.GetRepository(), &api.GetRepositoryInput{RepositoryName: &name})
				return err
			},
			"batch get": func() error {
				_, err := runAs(t, h, devCaller, h.BatchGetRepositories(), &api.BatchGetRepositoriesInput{RepositoryNames: []string{"mine", name}})
				return err
			},
			"list": func() error {
				_, err := runAs(t, h, devCaller, h.ListRepositories(), &api.ListRepositoriesInput{})
				return err
			},
			"delete": func() error {
				_, err := runAs(t, h, devCaller, h.DeleteRepository(), &api.DeleteRepositoryInput{RepositoryName: &name})
				return err
			},
			"describe": func() error {
				_, err := runAs(t, h, devCaller, h.UpdateRepositoryDescription(), &api.UpdateRepositoryDescriptionInput{RepositoryName: &name})
				return err
			},
			"rename from": func() error {
				_, err := runAs(t, h, devCaller, h.UpdateRepositoryName(), &api.UpdateRepositoryNameInput{OldName: &name, NewName: new("mine")})
				return err
			},
			"rename to": func() error {
				_, err := runAs(t, h, devCaller, h.UpdateRepositoryName(), &api.UpdateRepositoryNameInput{OldName: new("mine"), NewName: &name})
				return err
			},
		} {
			wantCode(t, what+" "+name, run(), "AccessDenied")
		}
	}
	compareAPI(t, "what is left", []string{"secret"}, listAll(t, h, "", ""))
}

func TestUpdateRepositoryName(t *testing.T) {
	h := openRepositoryHost(t)
	before := createNamed(t, h, "old")
	createNamed(t, h, "taken")
	rename := func(c authz.Caller, from, to *string) error {
		t.Helper()
		_, err := runAs(t, h, c, h.UpdateRepositoryName(), &api.UpdateRepositoryNameInput{OldName: from, NewName: to})
		return err
	}
	wantCode(t, "no old name", rename(rootCaller, nil, new("n")), "RepositoryNameRequiredException")
	wantCode(t, "no new name", rename(rootCaller, new("old"), nil), "RepositoryNameRequiredException")
	wantCode(t, "a bad new name", rename(rootCaller, new("old"), new("n.git")), "InvalidRepositoryNameException")
	wantCode(t, "from nothing", rename(rootCaller, new("absent"), new("n")), "RepositoryDoesNotExistException")
	wantCode(t, "to a taken name", rename(rootCaller, new("old"), new("taken")), "RepositoryNameExistsException")
	wantCode(t, "to its own name", rename(rootCaller, new("old"), new("old")), "RepositoryNameExistsException")
	h.allow(t, "codecommit:UpdateRepositoryName", repositoryARN("old"))
	wantCode(t, "with rights on the old name alone", rename(devCaller, new("old"), new("new")), "AccessDenied")
	h.allow(t, "codecommit:UpdateRepositoryName", repositoryARN("new"))
	wantCode(t, "with rights on the new name alone", rename(devCaller, new("old"), new("new")), "AccessDenied")

	h.now = h.now.Add(time.Minute)
	h.allow(t, "codecommit:UpdateRepositoryName", repositoryARN("old"), repositoryARN("new"))
	wantCode(t, "with rights on both", rename(devCaller, new("old"), new("new")), "")
	want := before
	want.RepositoryName, want.Arn, want.LastModifiedDate = new("new"), new(repositoryARN("new")), new(h.now.Truncate(time.Millisecond))
	want.CloneUrlHttp, want.CloneUrlSsh = new("https://git.example/v1/repos/new"), new("ssh://git.example:22/v1/repos/new")
	compareAPI(t, "renamed", want, getNamed(t, h, "new"))
	_, err := runAs(t, h, rootCaller, h.GetRepository(), &api.GetRepositoryInput{RepositoryName: new("old")})
	wantCode(t, "the old name", err, "RepositoryDoesNotExistException")
}

func TestDeleteRepository(t *testing.T) {
	h := openRepositoryHost(t)
	made := createNamed(t, h, "r")
	cached := filepath.Join(h.cache, *made.RepositoryId)
	if err := os.MkdirAll(filepath.Join(cached, "objects"), 0o700); err != nil {
		t.Fatal(err)
	}
	remove := func(name *string) *api.DeleteRepositoryOutput {
		t.Helper()
		return mustRun(t, h, h.DeleteRepository(), &api.DeleteRepositoryInput{RepositoryName: name})
	}
	compareAPI(t, "deleted", made.RepositoryId, remove(new("r")).RepositoryId)
	compareAPI(t, "deleted again", (*string)(nil), remove(new("r")).RepositoryId)
	if _, err := os.Stat(cached); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the cache of the deleted repository: %v", err)
	}
	if again := createNamed(t, h, "r"); *again.RepositoryId == *made.RepositoryId {
		t.Error("the next repository of that name has the same ID")
	}
	_, err := runAs(t, h, rootCaller, h.DeleteRepository(), &api.DeleteRepositoryInput{RepositoryName: new("a/b")})
	wantCode(t, "a bad name", err, "InvalidRepositoryNameException")
}

func TestUpdateRepositoryDescription(t *testing.T) {
	h := openRepositoryHost(t)
	createNamed(t, h, "r")
	for _, c := range []struct{ given, want *string }{{new("text"), new("text")}, {new(""), nil}, {new("again"), new("again")}, {nil, nil}} {
		h.now = h.now.Add(time.Second)
		mustRun(t, h, h.UpdateRepositoryDescription(), &api.UpdateRepositoryDescriptionInput{RepositoryName: new("r"), RepositoryDescription: c.given})
		m := getNamed(t, h, "r")
		compareAPI(t, "description", c.want, m.RepositoryDescription)
		compareAPI(t, "modified", new(h.now.Truncate(time.Millisecond)), m.LastModifiedDate)
	}
	for what, c := range map[string]struct {
		in   api.UpdateRepositoryDescriptionInput
		want string
	}{
		"a long one":    {api.UpdateRepositoryDescriptionInput{RepositoryName: new("r"), RepositoryDescription: new(strings.Repeat("x", 1001))}, "InvalidRepositoryDescriptionException"},
		"no name":       {api.UpdateRepositoryDescriptionInput{}, "RepositoryNameRequiredException"},
		"no repository": {api.UpdateRepositoryDescriptionInput{RepositoryName: new("absent")}, "RepositoryDoesNotExistException"},
	} {
		_, err := runAs(t, h, rootCaller, h.UpdateRepositoryDescription(), &c.in)
		wantCode(t, what, err, c.want)
	}
}

func TestBatchGetRepositories(t *testing.T) {
	h := openRepositoryHost(t)
	a, b := createNamed(t, h, "a"), createNamed(t, h, "b")
	out := mustRun(t, h, h.BatchGetRepositories(), &api.BatchGetRepositoriesInput{RepositoryNames: []string{"b", "x", "a", "b", "A"}})
	compareAPI(t, "found", []types.RepositoryMetadata{*b, *a}, out.Repositories)
	compareAPI(t, "not found", []string{"x", "A"}, out.RepositoriesNotFound)
	var errs []types.BatchGetRepositoriesError
	for _, name := range []string{"x", "A"} {
		errs = append(errs, types.BatchGetRepositoriesError{RepositoryName: &name, ErrorMessage: new(name + " does not exist"),
			ErrorCode: types.BatchGetRepositoriesErrorCodeEnumRepositoryDoesNotExistException})
	}
	compareAPI(t, "errors", errs, out.Errors)

	many := make([]string, 101)
	for i := range many {
		many[i] = "a"
	}
	for what, c := range map[string]struct {
		names []string
		want  string
	}{
		"none": {nil, "RepositoryNamesRequiredException"}, "an empty list": {[]string{}, "RepositoryNamesRequiredException"},
		"too many": {many, "MaximumRepositoryNamesExceededException"}, "as many as may be": {many[1:], ""},
		"an empty name": {[]string{"a", ""}, "InvalidRepositoryNameException"}, "a bad name": {[]string{"a/"}, "InvalidRepositoryNameException"},
	} {
		_, err := runAs(t, h, rootCaller, h.BatchGetRepositories(), &api.BatchGetRepositoriesInput{RepositoryNames: c.names})
		wantCode(t, what, err, c.want)
	}
	h.allow(t, "codecommit:BatchGetRepositories", repositoryARN("a"))
	_, err := runAs(t, h, devCaller, h.BatchGetRepositories(), &api.BatchGetRepositoriesInput{RepositoryNames: []string{"a", "b"}})
	wantCode(t, "one of the names is not allowed", err, "AccessDenied")
	_, err = runAs(t, h, devCaller, h.BatchGetRepositories(), &api.BatchGetRepositoriesInput{RepositoryNames: []string{"a"}})
	wantCode(t, "the allowed one", err, "")
}

// listAll reads every page.
func listAll(t *testing.T, h *repositoryHost, by types.SortByEnum, order types.OrderEnum) (names []string) {
	t.Helper()
	in := &api.ListRepositoriesInput{SortBy: by, Order: order}
	for {
		out := mustRun(t, h, h.ListRepositories(), in)
		for _, r := range out.Repositories {
			names = append(names, *r.RepositoryName)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil || len(names) > 2000 {
			return names
		}
	}
}

func TestListRepositories(t *testing.T) {
	h := openRepositoryHost(t)
	if out := mustRun(t, h, h.ListRepositories(), &api.ListRepositoriesInput{}); out.Repositories == nil || len(out.Repositories) != 0 || out.NextToken != nil {
		t.Errorf("an empty account lists %+v", out)
	}
	for _, name := range []string{"c", "B", "a", "d", "e"} {
		createNamed(t, h, name)
		h.now = h.now.Add(time.Second)
	}
	mustRun(t, h, h.UpdateRepositoryDescription(), &api.UpdateRepositoryDescriptionInput{RepositoryName: new("B"), RepositoryDescription: new("now")})
	byName, byTime := []string{"B", "a", "c", "d", "e"}, []string{"c", "a", "d", "e", "B"}
	for _, perPage := range []int{1, 2, 5, 100} {
		h.SetRepositoriesPerPage(perPage)
		for _, c := range []struct {
			by    types.SortByEnum
			order types.OrderEnum
			want  []string
		}{
			{"", "", byName},
			{"", types.OrderEnumDescending, reversed(byName)},
			{types.SortByEnumRepositoryName, types.OrderEnumAscending, byName},
			{types.SortByEnumModifiedDate, "", byTime},
			{types.SortByEnumModifiedDate, types.OrderEnumDescending, reversed(byTime)},
		} {
			compareAPI(t, fmt.Sprintf("by %q, %q, pages of %d", c.by, c.order, perPage), c.want, listAll(t, h, c.by, c.order))
		}
	}
	h.SetRepositoriesPerPage(2)
	token := mustRun(t, h, h.ListRepositories(), &api.ListRepositoriesInput{}).NextToken
	for what, c := range map[string]struct {
		in   api.ListRepositoriesInput
		want string
	}{
		"a token of another order": {api.ListRepositoriesInput{NextToken: token, Order: types.OrderEnumDescending}, "InvalidContinuationTokenException"},
		"a token that is none":     {api.ListRepositoriesInput{NextToken: new("B")}, "InvalidContinuationTokenException"},
		"a token that was changed": {api.ListRepositoriesInput{NextToken: new(*token + "AA")}, "InvalidContinuationTokenException"},
		"an unknown sort":          {api.ListRepositoriesInput{SortBy: "size"}, "InvalidSortByException"},
		"an unknown order":         {api.ListRepositoriesInput{Order: "up"}, "InvalidOrderException"},
		"the right token":          {api.ListRepositoriesInput{NextToken: token, Order: types.OrderEnumAscending}, ""},
	} {
		_, err := runAs(t, h, rootCaller, h.ListRepositories(), &c.in)
		wantCode(t, what, err, c.want)
	}
	h.allow(t, "codecommit:ListRepositories", "*")
	_, err := runAs(t, h, devCaller, h.ListRepositories(), &api.ListRepositoriesInput{})
	wantCode(t, "allowed on *", err, "")
}

func reversed(names []string) []string {
	names = slices.Clone(names)
	slices.Reverse(names)
	return names
}
