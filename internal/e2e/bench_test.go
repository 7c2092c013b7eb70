package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
)

// story is a host with the story's people and a first commit on master, and the
// junior's checkout.
func story(b *testing.B) (junior, senior *person.Person, url, dir string) {
	b.Helper()
	h := hosttest.Start(b)
	junior, senior, url = h.Story(b)
	first := h.Clone(b, senior, url)
	hosttest.Commit(b, senior, first, "README.md", "# MyDemoRepo\n")
	hosttest.Git(b, senior, first, "push", "--quiet", "origin", "HEAD:refs/heads/master")
	return junior, senior, url, h.Clone(b, junior, url)
}

// BenchmarkGetCallerIdentity is a signed call from the SDK's client to its answer.
func BenchmarkGetCallerIdentity(b *testing.B) {
	junior, _, _, _ := story(b)
	client := junior.STS()
	for b.Loop() {
		if _, err := client.GetCallerIdentity(b.Context(), &sts.GetCallerIdentityInput{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGetBranch is the same with a decision by policy and a ref that is read.
func BenchmarkGetBranch(b *testing.B) {
	junior, _, _, _ := story(b)
	client := junior.CodeCommit()
	in := &codecommit.GetBranchInput{RepositoryName: aws.String(demo.Repository), BranchName: aws.String("master")}
	for b.Loop() {
		if _, err := client.GetBranch(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRefusedCall is an AccessDenied from end to end, with nothing done behind it.
func BenchmarkRefusedCall(b *testing.B) {
	junior, _, _, _ := story(b)
	client := junior.CodeCommit()
	in := &codecommit.GetBranchInput{RepositoryName: aws.String("Another"), BranchName: aws.String("master")}
	for b.Loop() {
		if _, err := client.GetBranch(b.Context(), in); err == nil {
			b.Fatal("it was allowed")
		}
	}
}

// BenchmarkPush is git push of one small commit, with git's own time.
func BenchmarkPush(b *testing.B) {
	junior, _, _, dir := story(b)
	hosttest.Git(b, junior, dir, "checkout", "-q", "-b", demo.Feature)
	for b.Loop() {
		b.StopTimer()
		hosttest.Git(b, junior, dir, "commit", "-q", "--allow-empty", "-m", "One more")
		b.StartTimer()
		hosttest.Git(b, junior, dir, "push", "--quiet", "origin", demo.Feature)
	}
}

// BenchmarkPushDenied is git push of one small commit to master, refused by policy.
func BenchmarkPushDenied(b *testing.B) {
	junior, _, _, dir := story(b)
	hosttest.Git(b, junior, dir, "commit", "-q", "--allow-empty", "-m", "One more")
	for b.Loop() {
		hosttest.GitFails(b, junior, dir, "push", "--quiet", "origin", "HEAD:refs/heads/master")
	}
}

// BenchmarkClone5000 is git clone of 5,000 commits of one small file each.
func BenchmarkClone5000(b *testing.B) {
	_, senior, url, _ := story(b)
	source := filepath.Join(b.TempDir(), "source")
	hosttest.Git(b, senior, b.TempDir(), "init", "--quiet", source)
	var stream bytes.Buffer
	for i := range 5000 {
		content := fmt.Sprintf("content %d\n", i)
		fmt.Fprintf(&stream, "commit refs/heads/large\ncommitter a <a@example.com> %d +0000\ndata 2\nm\nM 644 inline dir%d/file%d\ndata %d\n%s\n",
			1_700_000_000+i, i%50, i%500, len(content), content)
	}
	marks := filepath.Join(b.TempDir(), "stream")
	if err := os.WriteFile(marks, stream.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	// git reads the stream itself: an alias that begins with ! is run by the shell.
	hosttest.Git(b, senior, source, "-c", "alias.load=!git fast-import --quiet <", "load", marks)
	hosttest.Git(b, senior, source, "push", "--quiet", url, "large")
	n := 0
	for b.Loop() {
		n++
		hosttest.Git(b, senior, b.TempDir(), "clone", "--quiet", "--bare", "--single-branch", "--branch", "large", url, fmt.Sprintf("clone%d", n))
	}
}
