package e2e

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/hosttest"
)

// TestSSHPushLeftOpen: other clients than git (JGit, libgit2) send their pack over SSH and
// wait for the report with the connection open. Nothing may wait for more from them.
func TestSSHPushLeftOpen(t *testing.T) {
	h := hosttest.Start(t)
	_, senior, cloneURL := h.Story(t)
	repository, command := sshURL(t, h, senior)
	dir := h.Clone(t, senior, cloneURL)
	for name, text := range map[string]string{"small": "1\n", "large": hosttest.Noise(1 << 20)} {
		hosttest.Commit(t, senior, dir, name, text)
		tip := strings.TrimSpace(hosttest.Git(t, senior, dir, "rev-parse", "HEAD"))
		pack := exec.CommandContext(t.Context(), "git", "pack-objects", "--revs", "--stdout", "--quiet")
		pack.Dir, pack.Stdin = dir, strings.NewReader(tip+"\n")
		data, err := pack.Output()
		if err != nil {
			t.Fatal(err)
		}
		request := pktline.Append(nil, fmt.Sprintf("%s %s refs/heads/%s\x00report-status\n", oid.Zero, tip, name))
		report := leaveOpen(t, command, repository, append(pktline.AppendFlush(request), data...))
		if !strings.Contains(report, "unpack ok") || !strings.Contains(report, "ok refs/heads/"+name) {
			t.Errorf("%s: the report is %q", name, report)
		}
		if got := hosttest.Refs(t, senior, cloneURL)["refs/heads/"+name]; got != tip {
			t.Errorf("%s is at %q, want %s", name, got, tip)
		}
	}
}

// leaveOpen pushes to a repository over SSH, keeps its end open, and returns what it is
// told behind the advertisement.
func leaveOpen(t *testing.T, command, repository string, request []byte) string {
	t.Helper()
	at, err := url.Parse(repository)
	if err != nil {
		t.Fatal(err)
	}
	args := append(strings.Fields(command), "-p", at.Port(), at.User.Username()+"@"+at.Hostname(), "git-receive-pack '"+at.Path+"'")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // less than the host waits for a client
	defer cancel()
	ssh := exec.CommandContext(ctx, args[0], args[1:]...)
	in, err := ssh.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	out, err := ssh.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := ssh.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = ssh.Wait()
	}()
	packets := pktline.NewReader(out)
	hear := func() string {
		var said strings.Builder
		for {
			kind, text, err := packets.Next()
			if err != nil {
				t.Fatalf("after %q: %v", said.String(), err)
			}
			if kind == pktline.Flush {
				return said.String()
			}
			said.Write(text)
		}
	}
	hear() // the advertisement
	if _, err := in.Write(request); err != nil {
		t.Fatal(err)
	}
	return hear()
}
