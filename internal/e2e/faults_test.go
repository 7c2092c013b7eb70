package e2e

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
	"github.com/refward/refward/internal/server"
)

// TestFullDisk fills the disk that a host keeps everything on. Pushes are refused, and
// what was acknowledged stays; with room again the next push works.
func TestFullDisk(t *testing.T) {
	small := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(small, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("a small disk cannot be mounted here (%v): run as root to see a full disk", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(small, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount the small disk: %v", err)
		}
	})
	h := hosttest.Start(t, func(c *server.Config) { c.DataDir = filepath.Join(small, "data") })
	t.Cleanup(func() { h.Stop(t) }) // before the disk goes
	p, url := writer(t, h)
	dir := h.Clone(t, p, url)

	acked := map[string]string{}
	push := func(i int) (person.Result, string) {
		branch := fmt.Sprint("b", i)
		hosttest.Commit(t, p, dir, branch, hosttest.Noise(2<<20))
		r, err := p.Git(t.Context(), dir, "push", "--quiet", "origin", "HEAD:refs/heads/"+branch)
		if err != nil {
			t.Fatal(err)
		}
		if r.OK() {
			acked["refs/heads/"+branch] = strings.TrimSpace(hosttest.Git(t, p, dir, "rev-parse", "HEAD"))
		}
		return r, branch
	}
	refused := 0
	for i := 0; refused < 3 && i < 40; i++ {
		if r, branch := push(i); !r.OK() {
			refused++
			if !strings.Contains(r.Output, branch) && !strings.Contains(r.Output, "remote") {
				t.Errorf("push %d on a full disk says nothing of use:\n%s", i, r.Output)
			}
		}
	}
	if refused < 3 || len(acked) == 0 {
		t.Fatalf("%d pushes were taken and %d refused: the disk is not full", len(acked), refused)
	}
	if err := syscall.Mount("", small, "", syscall.MS_REMOUNT, "size=96m"); err != nil {
		t.Fatal(err)
	}
	if r, _ := push(1000); !r.OK() {
		t.Errorf("the first push with room again:\n%s", r.Output)
	}
	refs := hosttest.Refs(t, p, url)
	for ref, id := range acked {
		if refs[ref] != id {
			t.Errorf("%s is at %q, and %s was acknowledged", ref, refs[ref], id)
		}
	}
	soundMirror(t, p, h.Dir, url)
	nothingLeft(t, h.Data)
}

// writer makes the story's repository and somebody who may write to it.
func writer(t *testing.T, h *hosttest.Host) (*person.Person, string) {
	t.Helper()
	h.Group(t, demo.Approvers, demo.ApproversPolicy(h.Place, h.Account))
	return h.Hire(t, "writer", demo.Approvers), h.Repository(t, demo.Repository)
}

// soundMirror clones everything and lets git check it.
func soundMirror(t *testing.T, p *person.Person, dir, url string) {
	t.Helper()
	mirror := filepath.Join(t.TempDir(), "mirror")
	hosttest.Git(t, p, dir, "clone", "--quiet", "--mirror", url, mirror)
	hosttest.Git(t, p, mirror, "fsck", "--full", "--strict", "--no-dangling")
}

// nothingLeft waits until no quarantine is left in a host's cache: it is removed after the
// answer.
func nothingLeft(t *testing.T, data string) {
	t.Helper()
	hosttest.Eventually(t, 10*time.Second, "no quarantine is left", func() bool {
		left, err := filepath.Glob(filepath.Join(data, "cache", "~incoming", "*", "*"))
		return err == nil && len(left) == 0
	})
}

// TestClientGone: clients that end in the middle of a push, at every stage of it, leave
// nothing behind, and the push after them works.
func TestClientGone(t *testing.T) {
	h := hosttest.Start(t)
	p, url := writer(t, h)
	dir := h.Clone(t, p, url)
	hosttest.Commit(t, p, dir, "noise", hosttest.Noise(1<<20))
	head := strings.TrimSpace(hosttest.Git(t, p, dir, "rev-parse", "HEAD"))
	file := filepath.Join(t.TempDir(), "pack")
	hosttest.Git(t, p, dir, "-c", "alias.mine=!echo HEAD | git pack-objects --revs --stdout -q >"+file, "mine")
	pack, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	line := fmt.Sprintf("%s %s refs/heads/gone\x00report-status", strings.Repeat("0", 40), head)
	request := append(fmt.Appendf(nil, "%04x%s0000", len(line)+4, line), pack...)
	for _, sent := range []int{0, 3, 60, 150, len(line) + 8, len(line) + 15, len(line) + 500, len(request) / 2, len(request) - 10} {
		half(t, h, p, request[:sent], len(request))
	}
	nothingLeft(t, h.Data)
	if got := hosttest.Refs(t, p, url)["refs/heads/gone"]; got != "" {
		t.Errorf("half a push made a branch at %s", got)
	}
	hosttest.Git(t, p, dir, "push", "--quiet", "origin", "HEAD:refs/heads/gone", "HEAD")
	soundMirror(t, p, h.Dir, url)
}

// half sends the beginning of a push and leaves.
func half(t *testing.T, h *hosttest.Host, p *person.Person, body []byte, whole int) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	auth := base64.StdEncoding.EncodeToString([]byte(p.GitUser + ":" + p.GitPassword))
	w := bufio.NewWriter(conn)
	fmt.Fprintf(w, "POST /v1/repos/%s/git-receive-pack HTTP/1.1\r\nHost: x\r\nAuthorization: Basic %s\r\n"+
		"Content-Type: application/x-git-receive-pack-request\r\nContent-Length: %d\r\n\r\n", demo.Repository, auth, whole)
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	// No more will come; whatever the host says to that is read to its end, so that it
	// has dealt with all of it.
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(io.LimitReader(conn, 1<<20))
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("after %d bytes the host did not end the connection: %v", len(body), err)
	}
	if strings.Contains(string(answer), "ok refs/heads/gone") {
		t.Errorf("after %d bytes of %d the host acknowledged the push", len(body), whole)
	}
}

// TestClockJumps: a clock that is set back a year, and forward again, neither loses nor
// reorders anything.
func TestClockJumps(t *testing.T) {
	var offset atomic.Int64
	h := hosttest.Start(t, func(c *server.Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	})
	p, url := writer(t, h)
	dir := h.Clone(t, p, url)
	hours := []int{0, -24 * 365, 24 * 365 * 5, -1, 0}
	for i, hour := range hours {
		offset.Store(int64(hour) * int64(time.Hour))
		for j, size := range []int{10, 200 << 10} { // in the transaction, and as a blob
			hosttest.Commit(t, p, dir, fmt.Sprint("f", i, j), hosttest.Noise(size)+rand.Text())
			hosttest.Git(t, p, dir, "push", "--quiet", "origin", "HEAD:refs/heads/master")
		}
		head := strings.TrimSpace(hosttest.Git(t, p, dir, "rev-parse", "HEAD"))
		if got := hosttest.Refs(t, p, url)["refs/heads/master"]; got != head {
			t.Errorf("with the clock %d hours off master is at %s, and %s was pushed", hour, got, head)
		}
		soundMirror(t, p, h.Dir, url)
	}
}
