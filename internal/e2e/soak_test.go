package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/sync/errgroup"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
)

// soak is a host under mixed work, and what was counted.
type soak struct {
	h   *hosttest.Process
	url string
	dir string // scratch
	end time.Time

	pushes, clones, fetches, denied, writes atomic.Int64
}

// TestSoak puts a host to mixed work for as long as REFWARD_SOAK says ("30m"; a quarter of
// a minute otherwise): pushes, clones, fetches, pushes that policy denies, and writes by
// the API, with the host's own maintenance beside. Nothing may fail, and nothing may grow
// that has no reason to: goroutines, file descriptors, temporary files, memory.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps a host busy for a while: not with -short")
	}
	length := 15 * time.Second
	if s := os.Getenv("REFWARD_SOAK"); s != "" {
		var err error
		if length, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	s := &soak{h: hosttest.StartProcess(t), dir: t.TempDir()}
	s.url = setUpWriters(t, s.h.Root, s.h.Place, s.h.Account)
	s.makeJuniors(t)
	s.seed(t)
	s.end = time.Now().Add(length)

	before := s.measure(t)
	ctx, cancel := context.WithTimeout(t.Context(), length+5*time.Minute)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	for name, work := range map[string]func(context.Context, *person.Person, string, int) error{
		"push1": s.push, "push2": s.push, "clone": s.clone, "fetch": s.fetch, demo.Junior: s.beDenied, "api": s.write,
	} {
		p := s.worker(t, name)
		dir := filepath.Join(s.dir, name)
		hosttest.Git(t, p, s.dir, "clone", "--quiet", s.url, dir)
		g.Go(func() error {
			for i := 0; time.Now().Before(s.end) && ctx.Err() == nil; i++ {
				if err := work(ctx, p, dir, i); err != nil {
					return fmt.Errorf("%s, time %d: %w", name, i, err)
				}
			}
			return nil
		})
	}
	half := s.half(t, ctx, length)
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	t.Logf("%d pushes, %d denied, %d clones, %d fetches, %d writes by the API", s.pushes.Load(), s.denied.Load(), s.clones.Load(), s.fetches.Load(), s.writes.Load())
	after := s.settle(t, before)
	t.Logf("before: %v\nhalf-way: %v\nafter: %v", before, half, after)
	if limit := half.memory*5/4 + 16<<20; after.memory > limit {
		t.Errorf("memory grew from %d MiB half-way to %d MiB", half.memory>>20, after.memory>>20)
	}
	for _, word := range []string{"level=ERROR", "panic", "level=WARN"} {
		for line := range strings.SplitSeq(s.h.Log(), "\n") {
			if strings.Contains(line, word) {
				t.Errorf("logged: %s", line)
			}
		}
	}
	soundMirror(t, s.worker(t, "checker"), s.dir, s.url)
	if code := s.h.Terminate(t); code != 0 {
		t.Errorf("the host ended with status %d", code)
	}
	fsck := exec.CommandContext(t.Context(), hosttest.Binary(t), "fsck", "--data-dir", s.h.Data)
	fsck.Env = []string{"PATH=" + os.Getenv("PATH")} // REFWARD_SOAK is no setting of the command's
	if out, err := fsck.CombinedOutput(); err != nil {
		t.Errorf("refward fsck: %v\n%s", err, out)
	}
}

// worker is somebody with a name; whoever is called junior is one.
func (s *soak) worker(t *testing.T, name string) *person.Person {
	t.Helper()
	p, err := s.h.Root.Hire(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	group := demo.Approvers
	if name == demo.Junior {
		group = demo.Juniors
	}
	addToGroup(t, s.h.Root, name, group)
	return p
}

func (s *soak) makeJuniors(t *testing.T) {
	t.Helper()
	group := aws.String(demo.Juniors)
	if _, err := s.h.Root.IAM().CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: group}); err != nil {
		t.Fatal(err)
	}
	_, err := s.h.Root.IAM().PutGroupPolicy(t.Context(), &iam.PutGroupPolicyInput{
		GroupName: group, PolicyName: group, PolicyDocument: aws.String(demo.JuniorsPolicy(s.h.Place, s.h.Account)),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// seed makes master, with something in it.
func (s *soak) seed(t *testing.T) {
	t.Helper()
	p, dir := s.worker(t, "seed"), filepath.Join(s.dir, "seed")
	hosttest.Git(t, p, s.dir, "clone", "--quiet", s.url, dir)
	for i := range 20 {
		hosttest.Commit(t, p, dir, fmt.Sprint("folder/file", i), hosttest.Noise(10<<10))
	}
	hosttest.Git(t, p, dir, "push", "--quiet", "origin", "HEAD:refs/heads/master")
}

// git runs git, which must work.
func (s *soak) git(ctx context.Context, p *person.Person, dir string, args ...string) error {
	r, err := p.Git(ctx, dir, args...)
	if err == nil && !r.OK() {
		err = fmt.Errorf("git %s: %s", strings.Join(args, " "), r.Output)
	}
	return err
}

// push makes a commit and pushes it to a branch of its own: most are small, some are
// large, some replace what was there, and tags come and go.
func (s *soak) push(ctx context.Context, p *person.Person, dir string, i int) error {
	content := hosttest.Noise(200)
	if i%40 == 39 {
		content = hosttest.Noise(300 << 10)
	}
	if err := p.Commit(ctx, dir, "own/"+p.Name, content, fmt.Sprint("Push ", i)); err != nil {
		return err
	}
	args := []string{"push", "--quiet", "origin", "HEAD:refs/heads/" + p.Name}
	switch i % 10 {
	case 3:
		if err := s.git(ctx, p, dir, "commit", "--quiet", "--amend", "-m", "Amended"); err != nil {
			return err
		}
		args = append(args, "--force")
	case 5:
		args = append(args, "HEAD:refs/tags/"+p.Name)
	case 7:
		args = append(args, ":refs/tags/"+p.Name)
	}
	s.pushes.Add(1)
	return s.git(ctx, p, dir, args...)
}

// clone clones in one of the ways there are.
func (s *soak) clone(ctx context.Context, p *person.Person, dir string, i int) error {
	how := [][]string{nil, {"--depth=1"}, {"--filter=blob:none"}, {"--mirror"}, {"--branch=master", "--single-branch"}}[i%5]
	to := dir + "-again"
	if err := s.git(ctx, p, s.dir, append(append([]string{"clone", "--quiet"}, how...), s.url, to)...); err != nil {
		return err
	}
	s.clones.Add(1)
	return os.RemoveAll(to)
}

func (s *soak) fetch(ctx context.Context, p *person.Person, dir string, _ int) error {
	s.fetches.Add(1)
	return s.git(ctx, p, dir, "fetch", "--quiet", "--prune", "--tags", "--force")
}

// beDenied pushes to master, where a junior must not, and to a branch, where one may.
func (s *soak) beDenied(ctx context.Context, p *person.Person, dir string, i int) error {
	if err := p.Commit(ctx, dir, "own/"+p.Name, hosttest.Noise(100), fmt.Sprint("Push ", i)); err != nil {
		return err
	}
	r, err := p.Git(ctx, dir, "push", "origin", "HEAD:refs/heads/master", "HEAD:refs/heads/topic")
	if err != nil {
		return err
	}
	if r.OK() || !strings.Contains(r.Output, "MayNotChangeMaster") || !strings.Contains(r.Output, "HEAD -> topic") {
		return fmt.Errorf("a junior's push of master and topic: %s", r.Output)
	}
	s.denied.Add(1)
	return nil
}

// write makes a branch, writes a file to it and deletes it, by the API.
func (s *soak) write(ctx context.Context, p *person.Person, _ string, i int) error {
	api, name := p.CodeCommit(), aws.String(demo.Repository)
	branch := aws.String(fmt.Sprint("api", i%5))
	master, err := api.GetBranch(ctx, &codecommit.GetBranchInput{RepositoryName: name, BranchName: aws.String("master")})
	if err != nil {
		return err
	}
	at := master.Branch.CommitId
	if _, err := api.CreateBranch(ctx, &codecommit.CreateBranchInput{RepositoryName: name, BranchName: branch, CommitId: at}); err != nil {
		return err
	}
	for range 3 {
		out, err := api.PutFile(ctx, &codecommit.PutFileInput{
			RepositoryName: name, BranchName: branch, FilePath: aws.String("own/api"), FileContent: fmt.Append(nil, rand.Int64()), ParentCommitId: at,
		})
		if err != nil {
			return err
		}
		at = out.CommitId
		s.writes.Add(1)
	}
	_, err = api.DeleteBranch(ctx, &codecommit.DeleteBranchInput{RepositoryName: name, BranchName: branch})
	return err
}

// usage is what a host holds at one moment.
type usage struct{ goroutines, files, memory, temporary int64 }

func (u usage) String() string {
	return fmt.Sprintf("%d goroutines, %d open files, %d MiB, %d temporary folders", u.goroutines, u.files, u.memory>>20, u.temporary)
}

// measure asks the host.
func (s *soak) measure(t *testing.T) usage {
	t.Helper()
	r, err := http.Get(s.h.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	values := map[string]int64{}
	lines := bufio.NewScanner(io.LimitReader(r.Body, 4<<20))
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			values[name] = int64(f)
		}
	}
	temporary, err := filepath.Glob(filepath.Join(s.h.Data, "cache", "~incoming", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return usage{values["go_goroutines"], values["process_open_fds"], values["process_resident_memory_bytes"], int64(len(temporary))}
}

// half measures at half time, with the work going on.
func (s *soak) half(t *testing.T, ctx context.Context, length time.Duration) usage {
	t.Helper()
	select {
	case <-time.After(length / 2):
	case <-ctx.Done():
	}
	return s.measure(t)
}

// settle waits until what the work needed is gone, and measures. What stays: connections
// that the test's own client keeps, and one reader of objects.
func (s *soak) settle(t *testing.T, before usage) usage {
	t.Helper()
	var u usage
	hosttest.Eventually(t, time.Minute, "the host is quiet again", func() bool {
		u = s.measure(t)
		return u.goroutines <= before.goroutines+30 && u.files <= before.files+30 && u.temporary == 0
	})
	return u
}
