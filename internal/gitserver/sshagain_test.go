package gitserver

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/git/pktline"
)

// TestSSHDecidesAgain: a client that waits in the middle of its command has lost what was
// taken from it in the meantime, its permission or its key.
func TestSSHDecidesAgain(t *testing.T) {
	lsRefs := string(pktline.Append(nil, "command=ls-refs\n")) + "0000"
	for name, tc := range map[string]struct {
		version string
		ask     func(tip string) string // is answered by one packet at least
		wait    string                  // begins the last packet of that answer
		then    string                  // comes after the change
		leaked  string                  // must not be in the answer to that
	}{
		"version 2": {"version=2", func(string) string { return lsRefs }, "0000", lsRefs, "refs/heads/master"},
		"version 0": {"", func(tip string) string {
			return string(pktline.Append(nil, "want "+tip+" side-band-64k\n")) + "0000" +
				string(pktline.Append(nil, "have "+strings.Repeat("12", 20)+"\n")) + "0000"
		}, "NAK", "0009done\n", "PACK"},
	} {
		for what, take := range map[string]func(d *sshDoor){
			"permission": func(d *sshDoor) { d.host.mu.Lock(); d.host.forbidden["app"] = true; d.host.mu.Unlock() },
			"key":        func(d *sshDoor) { delete(d.keys.sshKeys, aliceKey) },
			"nothing":    func(*sshDoor) {},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				d := newSSHDoor(t, Limits{})
				bare := d.host.create("app")
				tip := commitTo(t, bare)
				c, err := d.dial(aliceKey, d.key)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				in, out := command(t, c, tc.version)
				r := pktline.NewReader(out)
				until := func(begin string) {
					for {
						k, p, err := r.Next()
						if err != nil {
							t.Fatal(err)
						}
						if begin == "0000" && k == pktline.Flush || k == pktline.Data && strings.HasPrefix(string(p), begin) {
							return
						}
					}
				}
				until("0000") // the advertisement
				say(t, in, tc.ask(tip))
				until(tc.wait)
				take(d)
				say(t, in, tc.then)
				_ = in.Close()
				rest, _ := io.ReadAll(out)
				if leaked, refused := bytes.Contains(rest, []byte(tc.leaked)), bytes.Contains(rest, []byte("ERR ")); leaked != (what == "nothing") || refused == leaked {
					t.Errorf("answered %.300q", rest)
				}
			})
		}
	}
}

// commitTo makes a commit on master in a bare repository and returns its ID.
func commitTo(t *testing.T, bare string) string {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "--quiet", "--initial-branch=master")
	commit(t, dir, "f", "f")
	git(t, dir, "push", "--quiet", bare, "master")
	return strings.TrimSpace(git(t, dir, "rev-parse", "HEAD"))
}

// command begins git-upload-pack.
func command(t *testing.T, c *ssh.Client, protocol string) (io.WriteCloser, io.Reader) {
	t.Helper()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if protocol != "" {
		if err := s.Setenv("GIT_PROTOCOL", protocol); err != nil {
			t.Fatal(err)
		}
	}
	in, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start("git-upload-pack '/v1/repos/app'"); err != nil {
		t.Fatal(err)
	}
	return in, out
}

func say(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}
