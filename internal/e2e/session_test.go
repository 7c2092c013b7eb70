package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithy "github.com/aws/smithy-go"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
	"github.com/refward/refward/internal/server"
	"github.com/refward/refward/internal/sqlstore"
)

// buffer is a log that several goroutines write.
type buffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// code is the error code of an answer, or what else went wrong.
func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// Temporary credentials with the SDK: what they can be used for, that the junior's Deny
// binds them, how they end, and that their secrets are in no log.
func TestSession(t *testing.T) {
	log := &buffer{}
	h := hosttest.Start(t, func(c *server.Config) {
		c.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	ctx := t.Context()
	junior, _, _ := h.Story(t)
	mayAskIAM(t, h, demo.Junior)
	temp, err := junior.WithSession(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(temp.AccessKeyID, "ASIA") || temp.SessionToken == "" || temp.SecretAccessKey == junior.SecretAccessKey {
		t.Fatalf("the credentials are %s", temp.AccessKeyID)
	}
	who, err := temp.STS().GetCallerIdentity(ctx, nil)
	if err != nil || aws.ToString(who.Arn) != "arn:aws:iam::"+h.Account+":user/"+demo.Junior || !strings.HasPrefix(aws.ToString(who.UserId), "AIDA") {
		t.Errorf("they are those of %+v, %v", who, err)
	}
	repository := aws.String(demo.Repository)
	if _, err := temp.CodeCommit().GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: repository}); err != nil {
		t.Error(err)
	}
	for branch, want := range map[string]string{"feature": "", "master": "AccessDeniedException"} {
		_, err := temp.CodeCommit().PutFile(ctx, &codecommit.PutFileInput{
			RepositoryName: repository, BranchName: aws.String(branch), FilePath: aws.String("f"), FileContent: []byte("x"),
		})
		if code(err) != want {
			t.Errorf("a file on %s: got %v, want %q", branch, err, want)
		}
	}
	for what, err := range map[string]error{
		"IAM":             second(temp.IAM().GetUser(ctx, &iam.GetUserInput{})),
		"another session": second(temp.STS().GetSessionToken(ctx, nil)),
	} {
		if code(err) != "AccessDenied" || !strings.Contains(err.Error(), "no session policy allows") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	presigned(t, temp, http.StatusOK, demo.Junior)

	set := func(to types.StatusType) {
		if _, err := h.Root.IAM().UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: aws.String(demo.Junior), AccessKeyId: &junior.AccessKeyID, Status: to}); err != nil {
			t.Fatal(err)
		}
	}
	set(types.StatusTypeInactive)
	if _, err := temp.CodeCommit().GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: repository}); code(err) != "UnrecognizedClientException" {
		t.Errorf("CodeCommit, with the key inactive: %v", err)
	}
	if _, err := temp.STS().GetCallerIdentity(ctx, nil); code(err) != "InvalidClientTokenId" {
		t.Errorf("STS, with the key inactive: %v", err)
	}
	presigned(t, temp, http.StatusForbidden, "InvalidClientTokenId")
	set(types.StatusTypeActive)
	forged := *temp
	forged.SessionToken = temp.SessionToken[:len(temp.SessionToken)-1] + "A"
	if forged.SessionToken == temp.SessionToken {
		forged.SessionToken = temp.SessionToken[1:]
	}
	if _, err := forged.STS().GetCallerIdentity(ctx, nil); code(err) != "InvalidClientTokenId" {
		t.Errorf("a forged token: %v", err)
	}
	h.Stop(t)
	logged(t, h, "sts:GetCallerIdentity", "session", temp.AccessKeyID)
	for _, secret := range []string{temp.SessionToken, temp.SecretAccessKey, junior.SecretAccessKey, forged.SessionToken} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("a secret shows in the log:\n%s", log)
		}
		if strings.Contains(database(t, h), secret) {
			t.Error("a secret is in the database")
		}
	}
}

// mayAskIAM lets somebody do everything in IAM, so that it is the session that cannot.
func mayAskIAM(t *testing.T, h *hosttest.Host, name string) {
	t.Helper()
	_, err := h.Root.IAM().PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: &name, PolicyName: aws.String("IAM"),
		PolicyDocument: aws.String(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }

// presigned asks who somebody is by a presigned URL.
func presigned(t *testing.T, p *person.Person, status int, word string) {
	t.Helper()
	r, err := sts.NewPresignClient(p.STS()).PresignGetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), r.Method, r.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil || answer.StatusCode != status || !strings.Contains(string(body), word) || !strings.Contains(r.URL, "X-Amz-Security-Token") {
		t.Errorf("presigned: got %s %s, %v; want %d and %s", answer.Status, body, err, status, word)
	}
}

// logged holds that the decision log of a host that has ended shows a credential.
func logged(t *testing.T, h *hosttest.Host, action, kind, id string) {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{Dir: h.Data})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	log := db.OpenDecisions(t.Context(), slog.New(slog.DiscardHandler))
	defer log.Close()
	all, err := log.Query(t.Context(), sqlstore.DecisionFilter{Account: h.Account, Action: action, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if d.Entry.Credential.Kind == kind && d.Entry.Credential.ID == id {
			return
		}
	}
	t.Errorf("no decision about %s has the credential %s of kind %s:\n%+v", action, id, kind, all)
}

// database is every byte of the database's files.
func database(t *testing.T, h *hosttest.Host) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(h.Data, "metadata.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no database: %v", err)
	}
	var all strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

// gitTimeout bounds one git, whose credential helper is Python.
const gitTimeout = 3 * time.Minute

// git runs git with the shell's credentials in its environment and answers what it
// printed, and whether it worked.
func (s *shell) git(p *person.Person, args ...string) (string, bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), gitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env = append(p.Env(), s.env...)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		s.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), ctx.Err(), out)
	}
	return string(out), err == nil
}

// roundTrip clones, commits and pushes to a branch, and says how far it came.
func (s *shell) roundTrip(p *person.Person, url, branch string, options ...string) {
	s.t.Helper()
	dir := filepath.Join(s.t.TempDir(), "clone")
	if out, ok := s.git(p, append(options, "clone", "--quiet", url, dir)...); !ok {
		s.t.Fatalf("git clone %s:\n%s", url, out)
	}
	hosttest.Commit(s.t, p, dir, "f", branch)
	if out, ok := s.git(p, append(options, "-C", dir, "push", "--quiet", "origin", "HEAD:refs/heads/"+branch)...); !ok {
		s.t.Errorf("git push to %s:\n%s", url, out)
	}
}

// withSession is the shell of the same person with temporary credentials, which "aws sts
// get-session-token" gave.
func (s *shell) withSession() (temp *shell, keyID string) {
	s.t.Helper()
	out := s.does("sts", "get-session-token", "--duration-seconds", "900", "--query", "Credentials.[AccessKeyId,SecretAccessKey,SessionToken]", "--output", "text")
	f := strings.Fields(out)
	if len(f) != 3 {
		s.t.Fatalf("get-session-token printed %d words", len(f))
	}
	q := *s
	q.env = append(append([]string{}, s.env...), "AWS_ACCESS_KEY_ID="+f[0], "AWS_SECRET_ACCESS_KEY="+f[1], "AWS_SESSION_TOKEN="+f[2])
	return &q, f[0]
}

// Temporary credentials with the unmodified aws command, and git with its credential
// helper, as the README sets it up.
func TestSessionWithCLI(t *testing.T) {
	hosttest.Need(t, "aws")
	h := hosttest.Start(t)
	_, senior, url := h.Story(t)
	mayAskIAM(t, h, demo.Senior)
	long := newShell(t, h.Place, senior.AccessKeyID, senior.SecretAccessKey)
	temp, keyID := long.withSession()
	if got := temp.get("repositoryMetadata.cloneUrlHttp", "codecommit", "get-repository", "--repository-name", demo.Repository); got != url {
		t.Errorf("get-repository tells %q, not %q", got, url)
	}
	temp.fails("AccessDenied", []string{"iam:GetUser", "IAMWithMFA"}, "iam", "get-user")

	helper := []string{
		"-c", "credential.helper=", "-c", "credential.useHttpPath=true", // the first takes away the person's own
		"-c", `credential.helper=!f() { test $1 = get && "` + long.aws + `" codecommit credential-helper --ignore-host-check get; }; f`,
	}
	temp.roundTrip(senior, url, "by-session", helper...)
	if out, ok := long.git(senior, append(helper, "ls-remote", url)...); !ok || !strings.Contains(out, "refs/heads/by-session") {
		t.Errorf("with the access key itself, git says\n%s", out)
	}

	_, err := h.Root.IAM().UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{
		UserName: aws.String(demo.Senior), AccessKeyId: &senior.AccessKeyID, Status: types.StatusTypeInactive,
	})
	if err != nil {
		t.Fatal(err)
	}
	if out, ok := temp.git(senior, append(helper, "ls-remote", url)...); ok || !strings.Contains(out, "Authentication failed") {
		t.Errorf("with the access key inactive, git says\n%s", out)
	}
	h.Stop(t)
	logged(t, h, "codecommit:GitPush", "git-signature", keyID)
	logged(t, h, "codecommit:GitPull", "git-signature", senior.AccessKeyID)
}

// git-remote-codecommit, over TLS, with a long-term key and with temporary credentials.
// It signs its endpoint with the port.
func TestRemoteCodecommit(t *testing.T) {
	hosttest.Need(t, "git-remote-codecommit")
	h := hosttest.Start(t, hosttest.TLS(t))
	_, senior, url := h.Story(t)
	temp, err := senior.WithSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	remote := "codecommit::" + h.Region + "://" + demo.Repository
	for branch, who := range map[string]*person.Person{"by-access-key": senior, "by-session": temp} {
		s := &shell{t: t, env: []string{
			"AWS_CONFIG_FILE=" + filepath.Join(senior.Home, "config"), "AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(senior.Home, "credentials"),
			"AWS_EC2_METADATA_DISABLED=true", "AWS_DEFAULT_REGION=" + h.Region,
			"AWS_ACCESS_KEY_ID=" + who.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + who.SecretAccessKey,
			"CODE_COMMIT_ENDPOINT=" + strings.TrimPrefix(h.URL, "https://"), "GIT_SSL_CAINFO=" + h.CA,
		}}
		if who.SessionToken != "" {
			s.env = append(s.env, "AWS_SESSION_TOKEN="+who.SessionToken)
		}
		s.roundTrip(senior, remote, branch)
		if out, ok := s.git(senior, "ls-remote", "--quiet", url, "refs/heads/"+branch); !ok || out == "" {
			t.Errorf("there is no branch %s:\n%s", branch, out)
		}
		wrong := *s
		wrong.env = append(append([]string{}, s.env...), "AWS_SECRET_ACCESS_KEY=wrong")
		if out, ok := wrong.git(senior, "ls-remote", remote); ok {
			t.Errorf("with a wrong secret, %s works:\n%s", branch, out)
		}
	}
	h.Stop(t)
	logged(t, h, "codecommit:GitPush", "git-signature", temp.AccessKeyID)
}
