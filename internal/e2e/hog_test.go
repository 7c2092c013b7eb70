package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	smithy "github.com/aws/smithy-go"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
	"github.com/refward/refward/internal/server"
)

const everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"codecommit:*","Resource":"*"}}`

// held returns how many places of a kind are taken.
func held(t *testing.T, h *hosttest.Host, kind string) (n int) {
	t.Helper()
	res, err := http.Get(h.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(text), `refward_places_held{kind="`+kind+`"} `)
	if _, err := fmt.Sscan(line, &n); err != nil {
		t.Fatalf("no places of kind %s: %v", kind, err)
	}
	return n
}

func wantHeld(t *testing.T, h *hosttest.Host, kind string, want int) {
	t.Helper()
	hosttest.Eventually(t, time.Minute, fmt.Sprintf("%d places of kind %s are taken", want, kind), func() bool { return held(t, h, kind) == want })
}

// slow sends a request to the repository over a connection of its own. The client takes
// what it is asked to take, and then stands still until it is closed.
func slow(t *testing.T, p *person.Person, service, body string, length int) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	req, err := http.NewRequest(http.MethodPost, p.URL+"/v1/repos/"+demo.Repository+"/"+service, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(p.GitUser, p.GitPassword)
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nGit-Protocol: version=2\r\n"+
		"Content-Type: application/x-%s-request\r\nContent-Length: %d\r\n\r\n%s",
		req.URL.Path, req.Header.Get("Authorization"), service, length, body)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// fetchOf is a request of version 2 for a pack; each limit is another answer.
func fetchOf(id string, limit int) string {
	return pkt("command=fetch\n") + "0001" + pkt("no-progress\n") + pkt("ofs-delta\n") + pkt("want "+id+"\n") +
		pkt(fmt.Sprintf("filter blob:limit=%d\n", limit)) + pkt("done\n") + "0000"
}

// TestHog: a user who reads slowly, pushes slowly and calls much at once takes a share of
// each kind of place. Another user clones, pushes and calls the API beside it as if
// nobody was there; the hog is told what to do; and when it goes nothing of it is left.
func TestHog(t *testing.T) {
	const wait = 10 * time.Second
	h := hosttest.Start(t, func(c *server.Config) {
		c.FetchCacheBytes = 1 << 20 // no large answer is kept: its process waits for who reads it
		c.Places = server.Places{Send: 8, Receive: 4, API: 8, Git: 40, Wait: wait}
	})
	h.Group(t, "all", everything)
	url := h.Repository(t, demo.Repository)
	hog, other := h.Hire(t, "hog", "all"), h.Hire(t, "other", "all")
	dir := h.Clone(t, other, url)
	hosttest.Commit(t, other, dir, "noise", hosttest.Noise(16<<20)) // more than the buffers of a connection
	hosttest.Git(t, other, dir, "push", "--quiet", "origin", "HEAD:refs/heads/master")
	tip := strings.TrimSpace(hosttest.Git(t, other, dir, "rev-parse", "HEAD"))

	hogs := h.Clone(t, hog, url)
	hosttest.Commit(t, hog, hogs, "plain", "plain")
	hosttest.Commit(t, hog, hogs, "hogs~", "hogs") // of this name only git makes sure that it is harmless

	var conns []net.Conn
	for i := range 2 {
		body := fetchOf(tip, 1<<30+i)
		conn := slow(t, hog, "git-upload-pack", body, len(body))
		if line, err := bufio.NewReaderSize(conn, 16).ReadString('\n'); err != nil || line != "HTTP/1.1 200 OK\r\n" {
			t.Fatalf("%q %v", line, err)
		}
		conns = append(conns, conn)
	}
	push := pkt(strings.Repeat("0", 40)+" "+strings.Repeat("ab", 20)+" refs/heads/slow\x00report-status side-band-64k\n") + "0000" +
		"PACK\x00\x00\x00\x02\x00\x01\x00\x00" // too many objects for the host itself
	conns = append(conns, slow(t, hog, "git-receive-pack", push, 1<<20))
	wantHeld(t, h, "process-send", 2)
	wantHeld(t, h, "process-receive", 1)

	// What the hog tries beside that waits for as long as anybody would.
	var wg sync.WaitGroup
	wg.Go(func() {
		out := hosttest.GitFails(t, hog, t.TempDir(), "clone", "--bare", "--filter=blob:limit=3g", url, "clone")
		if !strings.Contains(out, "you have as many clones and fetches under way as one user may (2): let one of them end, and try again") {
			t.Errorf("git clone said:\n%s", out)
		}
	})
	wg.Go(func() {
		out := hosttest.GitFails(t, hog, hogs, "push", "origin", "HEAD:refs/heads/hogs")
		if !strings.Contains(out, "you have as many pushes under way as one user may (1): let one of them end, and try again") {
			t.Errorf("git push said:\n%s", out)
		}
	})
	for range 2 {
		wg.Go(func() {
			_, err := hog.CodeCommit().PutFile(t.Context(), &codecommit.PutFileInput{
				RepositoryName: aws.String(demo.Repository), BranchName: aws.String("master"), FilePath: aws.String("f~"),
				FileContent: []byte("x"), ParentCommitId: &tip,
			})
			wantThrottled(t, err, "as many pushes under way as one user may (1)")
		})
	}
	wantHeld(t, h, "api-requests", 2)
	_, err := hog.CodeCommit().GetBranch(t.Context(), branch())
	wantThrottled(t, err, "as many requests under way as one user may (2)")

	// What is plain needs no place, not even the hog's.
	hosttest.Git(t, hog, hogs, "push", "--quiet", "origin", "HEAD~:refs/heads/plain")

	// The other does not wait for any of it.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := other.CodeCommit().GetBranch(ctx, branch()); err != nil {
		t.Error(err)
	}
	clone := h.Clone(t, other, url)
	hosttest.Commit(t, other, clone, "small", "small")
	hosttest.Git(t, other, clone, "push", "--quiet", "origin", "HEAD:refs/heads/others")
	if n := held(t, h, "process-send"); n != 2 {
		t.Errorf("%d places are taken after the other has cloned, want the two of the hog", n)
	}
	wg.Wait()

	for _, c := range conns {
		_ = c.Close()
	}
	for _, kind := range []string{"process-send", "process-receive", "api-requests", "git-requests"} {
		wantHeld(t, h, kind, 0)
	}
	hosttest.Git(t, hog, t.TempDir(), "clone", "--quiet", url, "clone")
}

func branch() *codecommit.GetBranchInput {
	return &codecommit.GetBranchInput{RepositoryName: aws.String(demo.Repository), BranchName: aws.String("master")}
}

func wantThrottled(t *testing.T, err error, want string) {
	t.Helper()
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "ThrottlingException" || !strings.Contains(e.ErrorMessage(), want) {
		t.Errorf("got %v, want ThrottlingException with %q", err, want)
	}
}

// TestManyClonesOfOneUser: what one user asks for many times at once is one process and
// one answer, and none of them waits or is refused.
func TestManyClonesOfOneUser(t *testing.T) {
	const n = 64
	h := hosttest.Start(t)
	h.Group(t, "all", everything)
	url := h.Repository(t, demo.Repository)
	ci := h.Hire(t, "ci", "all")
	dir := h.Clone(t, ci, url)
	hosttest.Commit(t, ci, dir, "noise", hosttest.Noise(1<<20))
	hosttest.Git(t, ci, dir, "push", "--quiet", "origin", "HEAD:refs/heads/master")
	body := fetchOf(strings.TrimSpace(hosttest.Git(t, ci, dir, "rev-parse", "HEAD")), 1<<30)

	conns := make([]*bufio.Reader, n)
	for i := range conns { // all of them are there before the first goes on
		conn := slow(t, ci, "git-upload-pack", body, len(body))
		conns[i] = bufio.NewReaderSize(conn, 4096)
	}
	var first []byte
	for i, r := range conns {
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK || !bytes.Contains(got, []byte("PACK")) {
			t.Fatalf("clone %d: %s, %d bytes, %v", i, res.Status, len(got), err)
		}
		if first == nil {
			first = got
		}
		if !bytes.Equal(first, got) {
			t.Errorf("clone %d differs from the first", i)
		}
	}
	res, err := http.Get(h.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	for _, want := range []string{"refward_fetch_answers_made_total 1\n", `refward_places_waits_total{kind="process-send"} 0`, `refward_places_refused_total{kind="git-requests",reason="share"} 0`} {
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("the metrics lack %q (%v)", want, err)
		}
	}
}
