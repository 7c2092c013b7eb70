package e2e

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
)

// sshURL gives a person an SSH key, and returns the repository's address by it and the
// command of ssh to use.
func sshURL(t *testing.T, h *hosttest.Host, p *person.Person) (url, command string) {
	t.Helper()
	hosttest.Need(t, "ssh")
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(p.Home, "id_ed25519")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	text := string(ssh.MarshalAuthorizedKey(key))
	out, err := h.Root.IAM().UploadSSHPublicKey(t.Context(), &iam.UploadSSHPublicKeyInput{UserName: &p.Name, SSHPublicKeyBody: &text})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(h.Endpoints(t).SSH, "ssh://", "ssh://"+*out.SSHPublicKey.SSHPublicKeyId+"@", 1) + "/v1/repos/" + demo.Repository,
		"ssh -F /dev/null -i " + file + " -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=" + filepath.Join(p.Home, "known")
}

// lfsOverSSHAndHTTP: who comes by SSH needs no Git password for the objects. A client that
// does not get git-lfs-transfer, for it is too old or something is in its way, goes on to
// ask for HTTP.
func lfsOverSSHAndHTTP(t *testing.T, h *hosttest.Host, junior, _ *lfsClone, files map[string][]byte) {
	url, command := sshURL(t, h, junior.Person)
	without := filepath.Join(junior.Home, "ssh-without-transfer")
	script := "#!/bin/sh\ncase \"$*\" in *git-lfs-transfer*) exit 127;; esac\nexec " + command + " \"$@\"\n"
	if err := os.WriteFile(without, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	junior.GitUser, junior.GitPassword = "", ""
	c := cloneLFS(t, h, junior.Person, url, "-c", "core.sshCommand="+without, "-c", "filter.lfs.smudge=git-lfs smudge -- %f")
	for name, content := range files {
		c.has(name, content)
	}
	c.git("checkout", "-q", "-b", "by-ssh")
	c.commit("mine.bin", noise(2<<20))
	before := lfsBlobs(t, h)
	c.fails(refusal, "push", "origin", "HEAD:"+master)
	c.git("push", "-u", "origin", "by-ssh")
	if got := lfsBlobs(t, h); got != before+1 {
		t.Errorf("one object pushed by SSH made %d blobs", got-before)
	}
	c.git("lfs", "lock", "mine.bin")
	c.git("lfs", "unlock", "mine.bin")
	c.fails([]string{"LFS operation"}, "-c", "alias.ask=!"+command+" "+lfsAuthenticate(t, url, "delete"), "ask")
	c.fails([]string{"not authorized to perform: codecommit:GitPull"}, "-c", "alias.ask=!"+command+" "+lfsAuthenticate(t, url+"X", "download"), "ask")
}

// lfsAuthenticate is the end of a command line of ssh that asks as git-lfs does.
func lfsAuthenticate(t *testing.T, url, operation string) string {
	t.Helper()
	rest, path, _ := strings.Cut(strings.TrimPrefix(url, "ssh://"), "/")
	user, address, ok := strings.Cut(rest, "@")
	host, port, ported := strings.Cut(address, ":")
	if !ok || !ported {
		t.Fatalf("%s is no such address", url)
	}
	return fmt.Sprintf("-p %s %s@%s git-lfs-authenticate /%s %s", port, user, host, path, operation)
}

// traced runs git with what it does and sends over SSH shown; it may fail.
func (c *lfsClone) traced(command string) string {
	c.Helper()
	// An alias that begins with ! is run by the shell, and so can set the environment.
	return c.git("-c", "alias.traced=!GIT_TRACE=1 GIT_TRACE_PACKET=1 git "+command+" 2>&1; true", "traced")
}

// overSSHAlone reports where a run of the client was not one by git-lfs-transfer alone, or
// did not send and get these packets.
func (c *lfsClone) overSSHAlone(trace string, packets ...string) {
	c.Helper()
	for _, p := range append([]string{"> version 1"}, packets...) {
		if !strings.Contains(trace, "packet 00 "+p) {
			c.Errorf("the client has no packet %q in\n%s", p, trace)
		}
	}
	for _, other := range []string{"git-lfs-authenticate", "HTTP: ", "pure SSH protocol connection failed"} {
		if strings.Contains(trace, other) {
			c.Errorf("there is %q in what the client did:\n%s", other, trace)
		}
	}
}

// lfsOverSSH: the client needs nothing but SSH, and what it may do is what it may by HTTP.
func lfsOverSSH(t *testing.T, h *hosttest.Host, junior, senior *lfsClone, files map[string][]byte) {
	url, command := sshURL(t, h, junior.Person)
	junior.GitUser, junior.GitPassword = "", ""
	// One transfer at a time, so that it is all in one connection.
	c := cloneLFS(t, h, junior.Person, url, "-c", "core.sshCommand="+command, "-c", "lfs.concurrentTransfers=1")
	c.overSSHAlone(c.traced("lfs pull"), "> batch", "> refname="+master, "> get-object ", "< size=5242880", "> quit")
	for name, content := range files {
		c.has(name, content)
	}
	c.git("lfs", "fsck")

	c.git("checkout", "-q", "-b", "by-ssh-alone")
	c.commit("mine.bin", noise(2<<20))
	before := lfsBlobs(t, h)
	denied := c.traced("push origin HEAD:" + master)
	c.overSSHAlone(denied, "> refname="+master, "< status 403")
	c.says(refusal, denied, []string{"push", master})
	if strings.Contains(denied, "put-object") || !strings.Contains(denied, "failed to push") || lfsBlobs(t, h) != before {
		t.Errorf("it went on after the refusal:\n%s", denied)
	}
	pushed := c.traced("push -u origin by-ssh-alone")
	c.overSSHAlone(pushed, "> batch", "> refname=refs/heads/by-ssh-alone", "> put-object ", "> verify-object ", "> quit")
	if got := lfsBlobs(t, h); got != before+1 {
		t.Errorf("one object pushed by SSH made %d blobs", got-before)
	}
	mine := cloneLFS(t, h, senior.Person, senior.remote(), "-c", "filter.lfs.smudge=git-lfs smudge -- %f", "-b", "by-ssh-alone")
	content, err := os.ReadFile(filepath.Join(c.dir, "mine.bin"))
	if err != nil {
		t.Fatal(err)
	}
	mine.has("mine.bin", content)

	c.overSSHAlone(c.traced("lfs lock mine.bin"), "> lock", "> path=mine.bin", "< status 201")
	senior.git("lfs", "lock", "small.bin")
	locks := c.traced("lfs locks")
	c.overSSHAlone(locks, "> list-lock")
	c.says([]string{"small.bin", demo.Senior, "mine.bin", demo.Junior}, locks, []string{"lfs", "locks"})
	c.says([]string{"O mine.bin", "  small.bin"}, c.git("lfs", "locks", "--verify"), []string{"lfs", "locks", "--verify"})
	again := c.traced("lfs lock small.bin")
	c.overSSHAlone(again, "< status 409")
	c.says([]string{"locked by " + demo.Senior}, again, []string{"lfs", "lock"})
	c.overSSHAlone(c.traced("lfs unlock mine.bin"), "> unlock ", "> refname=by-ssh-alone", "< status 200")
	c.fails([]string{demo.Senior}, "lfs", "unlock", "small.bin")

	// A push that changes what another has locked stops in the client.
	c.git("config", "lfs."+url+".locksverify", "true")
	c.commit("small.bin", noise(100))
	stopped := c.traced("push origin by-ssh-alone")
	c.overSSHAlone(stopped, "> list-lock")
	c.says([]string{"Unable to push locked files", "small.bin - " + demo.Senior}, stopped, []string{"push"})
	senior.git("lfs", "unlock", "small.bin")
	c.git("push", "-q", "origin", "by-ssh-alone")
}
