package codecommit_test

import (
	"bytes"
	"fmt"
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
)

// benchHost is a host whose repository payments has a master and this many other
// branches, all at one commit.
func benchHost(b *testing.B, branches int) (*host, *gittest.Repo) {
	h := newHost(b)
	h.repository(b, "payments")
	git := gittestCommit(b)
	id := git.ID("HEAD")
	commands := []codecommit.RefCommand{{Ref: master, New: id}}
	for i := range branches {
		commands = append(commands, codecommit.RefCommand{Ref: refname.Branch(fmt.Sprintf("b/%06d", i)), New: id})
	}
	h.pushed(b, "senior", "payments", git, commands...)
	return h, git
}

// BenchmarkGitPull is the decision and the snapshot of a read, in a repository of
// which nothing changed since.
func BenchmarkGitPull(b *testing.B) {
	h, _ := benchHost(b, 3000)
	b.ReportAllocs()
	for b.Loop() {
		do(b, h, "junior", h.GitPull(), codecommit.GitPullInput{RepositoryName: "payments"})
	}
}

// BenchmarkRefusedPush is a push that a policy stops.
func BenchmarkRefusedPush(b *testing.B) {
	h, _ := benchHost(b, 0)
	commands := []codecommit.RefCommand{{Ref: master, Old: oid.ID{1}, New: oid.ID{2}}}
	b.ReportAllocs()
	for b.Loop() {
		do(b, h, "junior", h.GitPush(), codecommit.GitPushInput{RepositoryName: "payments", Commands: commands})
	}
}

// BenchmarkPush is a push of one commit to a branch of 3,000: index-pack, a durable
// transaction, and the answer.
func BenchmarkPush(b *testing.B) {
	h, git := benchHost(b, 3000)
	type step struct {
		command codecommit.RefCommand
		pack    []byte
	}
	var steps []step
	tip := git.ID("HEAD")
	for i := range 50 {
		next := git.Commit("README.md", fmt.Sprint(i))
		pack := git.Pipe([]byte(next.String()+"\n^"+tip.String()+"\n"), "pack-objects", "--revs", "--stdout", "--quiet", "--thin")
		steps = append(steps, step{codecommit.RefCommand{Ref: master, Old: tip, New: next}, pack})
		tip = next
	}
	i := 0
	for b.Loop() {
		s := steps[i%len(steps)]
		if i++; i > 1 && i%len(steps) == 1 { // from the first one again
			b.StopTimer()
			h.pushed(b, "senior", "payments", nil, codecommit.RefCommand{Ref: master, Old: tip, New: s.command.Old})
			b.StartTimer()
		}
		out := do(b, h, "senior", h.GitPush(), codecommit.GitPushInput{
			RepositoryName: "payments", Commands: []codecommit.RefCommand{s.command}, Pack: bytes.NewReader(s.pack),
		})
		if out.Results[0].Reason != "" {
			b.Fatal(out.Results[0].Reason)
		}
	}
}

// BenchmarkPutFile is a commit of one file through the API.
func BenchmarkPutFile(b *testing.B) {
	h, _ := benchHost(b, 0)
	parent := h.tip(b, "payments", master)
	i := 0
	for b.Loop() {
		i++
		out := do(b, h, "senior", h.PutFile(), put("master", "counter", fmt.Sprint(i), parent))
		var err error
		if parent, err = oid.Parse(*out.CommitId); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGetFile reads a file at the tip of a branch.
func BenchmarkGetFile(b *testing.B) {
	h, _ := benchHost(b, 0)
	b.ReportAllocs()
	for b.Loop() {
		do(b, h, "junior", h.GetFile(), api.GetFileInput{RepositoryName: new("payments"), FilePath: new("README.md")})
	}
}
