package gitserver

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/refname"
)

const aliceKey = "APKAALICEALICEALICE1"

// sshDoor is an SSH server that listens, with what stands behind it.
type sshDoor struct {
	addr   string
	host   *bareHost
	log    *bytes.Buffer
	keys   keyring
	key    ssh.Signer // alice's
	client string     // the command that git runs as ssh
	server *SSH
	stop   context.CancelFunc
	ended  chan error
}

func newSSHDoor(t testing.TB, limits Limits, change ...func(*SSH)) *sshDoor {
	dir := t.TempDir()
	hostKey, err := HostKey(filepath.Join(dir, "host"))
	if err != nil {
		t.Fatal(err)
	}
	d := &sshDoor{host: newBareHost(t), log: &bytes.Buffer{}, keys: keyring{map[string]authn.SSHKey{}}, ended: make(chan error, 1)}
	d.key = newKey(t, filepath.Join(dir, "alice"))
	d.keys.sshKeys[aliceKey] = authn.SSHKey{Identity: aliceIdentity, PublicKey: d.key.PublicKey().Marshal()}
	d.server = &SSH{
		Keys:     d.keys,
		Log:      slog.New(slog.NewTextHandler(d.log, nil)),
		HostKeys: []ssh.Signer{hostKey},
		Caller: func(_ ssh.ConnMetadata, id authn.Identity) authz.Caller {
			return authz.Caller{Principal: id.Principal, Credential: id.Credential, RequestID: "request-1"}
		},
		Limits:  limits,
		Tickets: newTickets(t),
		HTTPURL: "http://git.example.com",
		service: d.host,
	}
	for _, f := range change {
		f(d.server)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.addr = l.Addr().String()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	d.stop = stop
	go func() { d.ended <- d.server.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-d.ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	d.client = fmt.Sprintf("ssh -F /dev/null -i %s -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=%s",
		filepath.Join(dir, "alice"), filepath.Join(dir, "known_hosts"))
	return d
}

// newKey makes a user's key and writes the private one to a file.
func newKey(t testing.TB, file string) ssh.Signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func (d *sshDoor) url(name string) string { return "ssh://" + aliceKey + "@" + d.addr + root + name }

// git runs git with the ssh client.
func (d *sshDoor) git(t testing.TB, dir string, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip("there is no ssh client here to run git over SSH with")
	}
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = gitEnv("GIT_SSH_COMMAND="+d.client, "GIT_SSH_VARIANT=ssh")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (d *sshDoor) mustGit(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := d.git(t, dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (d *sshDoor) work(t testing.TB, name string) string {
	dir := t.TempDir()
	git(t, dir, "init", "--quiet", "--initial-branch=master")
	git(t, dir, "remote", "add", "origin", d.url(name))
	commit(t, dir, "README", "hello\n")
	return dir
}

func TestSSHCloneFetchPush(t *testing.T) {
	versions(t, func(t *testing.T, v string) {
		d := newSSHDoor(t, Limits{})
		bare := d.host.create("app")
		dir := d.work(t, "app")
		d.mustGit(t, dir, "-c", v, "push", "origin", "master")
		for i := range 5 {
			commit(t, dir, "file", fmt.Sprint(i))
		}
		git(t, dir, "tag", "-a", "-m", "one", "v1")
		d.mustGit(t, dir, "-c", v, "push", "origin", "master", "v1")

		clone, shallow := filepath.Join(t.TempDir(), "clone"), filepath.Join(t.TempDir(), "shallow")
		d.mustGit(t, dir, "-c", v, "clone", d.url("app"), clone)
		d.mustGit(t, dir, "-c", v, "clone", "--depth=2", d.url("app"), shallow)
		if got := strings.TrimSpace(git(t, shallow, "rev-list", "--count", "HEAD")); got != "2" {
			t.Errorf("the shallow clone has %s commits, want 2", got)
		}
		d.mustGit(t, shallow, "-c", v, "fetch", "--deepen=1")
		if got := strings.TrimSpace(git(t, shallow, "rev-list", "--count", "HEAD")); got != "3" {
			t.Errorf("the deepened clone has %s commits, want 3", got)
		}

		// Both sides go on, so that the negotiation finds a common commit further back.
		commit(t, clone, "mine", "mine\n")
		commit(t, clone, "mine", "mine too\n")
		last := commit(t, dir, "file", "last")
		d.mustGit(t, dir, "-c", v, "push", "origin", "master")
		d.mustGit(t, clone, "-c", v, "fetch", "origin")
		d.mustGit(t, shallow, "-c", v, "pull", "--ff-only")
		for _, at := range []string{clone, shallow} {
			if got := strings.TrimSpace(git(t, at, "rev-parse", "origin/master")); got != last {
				t.Errorf("fetched %s, want %s", got, last)
			}
			git(t, at, "fsck", "--strict")
		}
		d.mustGit(t, clone, "-c", v, "fetch", "origin") // nothing to do
		d.mustGit(t, dir, "-c", v, "push", "origin", "master")
		d.mustGit(t, dir, "-c", v, "push", "origin", ":v1")
		if got := git(t, bare, "tag"); got != "" {
			t.Errorf("tags after the deletion: %q", got)
		}
		if d.log.Len() > 0 {
			t.Errorf("logged:\n%s", d.log)
		}
	})
}

func TestSSHRefusals(t *testing.T) {
	d := newSSHDoor(t, Limits{Commands: 3})
	bare := d.host.create("app")
	d.host.create("secret")
	d.host.forbidden["secret"] = true
	d.host.denied = func(_ authz.Caller, ref refname.Name) bool { return ref == "refs/heads/master" }
	dir := d.work(t, "app")
	git(t, dir, "branch", "topic")

	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"denied ref", []string{"push", "origin", "master", "topic"}, []string{"remote: Policy DenyMaster, statement 1", "[remote rejected] master -> master (denied by policy DenyMaster)", "topic -> topic"}},
		{"forbidden repository", []string{"push", d.url("secret"), "master"}, []string{"remote error: User: arn:aws:iam::123456789012:user/alice is not authorized to perform: codecommit:GitPush", "Ask an administrator"}},
		{"forbidden to read", []string{"ls-remote", d.url("secret")}, []string{"not authorized to perform: codecommit:GitPull"}},
		{"no such repository", []string{"ls-remote", d.url("none")}, []string{"remote error: repository not found"}},
		{"repository with .git", []string{"ls-remote", d.url("app.git")}, []string{"remote error: repository not found"}},
		{"another path", []string{"ls-remote", "ssh://" + aliceKey + "@" + d.addr + "/etc"}, []string{"remote error: repository not found"}},
		{"too many commands", []string{"push", "origin", "topic:a", "topic:b", "topic:c", "topic:d"}, []string{"Too many reference update commands"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			out, err := d.git(t, dir, tc.args...)
			if err == nil {
				t.Errorf("git succeeded:\n%s", out)
			}
			for _, w := range tc.want {
				if !strings.Contains(out, w) {
					t.Errorf("git did not print %q:\n%s", w, out)
				}
			}
		})
	}
	if got := strings.TrimSpace(git(t, bare, "for-each-ref", "--format=%(refname)")); got != "refs/heads/topic" {
		t.Errorf("refs = %q, want the one that was not denied", got)
	}
}

// dial connects as alice, or as somebody else.
func (d *sshDoor) dial(user string, key ssh.Signer) (*ssh.Client, error) {
	return ssh.Dial("tcp", d.addr, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 10 * time.Second,
	})
}

func TestSSHAuthentication(t *testing.T) {
	d := newSSHDoor(t, Limits{})
	stranger := newKey(t, filepath.Join(t.TempDir(), "key"))
	for name, try := range map[string]func() (*ssh.Client, error){
		"unknown ID":  func() (*ssh.Client, error) { return d.dial("APKANOBODY", d.key) },
		"git as user": func() (*ssh.Client, error) { return d.dial("git", d.key) },
		"another key": func() (*ssh.Client, error) { return d.dial(aliceKey, stranger) },
		"no key, a password": func() (*ssh.Client, error) {
			return ssh.Dial("tcp", d.addr, &ssh.ClientConfig{
				User: aliceKey, Auth: []ssh.AuthMethod{ssh.Password(password)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 10 * time.Second,
			})
		},
	} {
		if c, err := try(); err == nil {
			t.Errorf("%s: connected", name)
			_ = c.Close()
		}
	}
	c, err := d.dial(aliceKey, d.key)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Dial("tcp", d.addr); err == nil {
		t.Error("a forwarded connection was opened")
	}
	if _, err := c.Listen("tcp", "127.0.0.1:0"); err == nil {
		t.Error("a remote forwarding was accepted")
	}
}

func TestSSHSession(t *testing.T) {
	d := newSSHDoor(t, Limits{})
	d.host.create("app")
	c, err := d.dial(aliceKey, d.key)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	session := func() (*ssh.Session, *bytes.Buffer) {
		s, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		out := &bytes.Buffer{}
		s.Stdout = out
		return s, out
	}

	s, out := session()
	if err := s.RequestPty("xterm", 24, 80, nil); err == nil {
		t.Error("got a terminal")
	}
	if err := s.RequestSubsystem("sftp"); err == nil {
		t.Error("got a subsystem")
	}
	if err := s.Setenv("LD_PRELOAD", "x"); err == nil {
		t.Error("set any variable")
	}
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err == nil || !strings.HasPrefix(out.String(), "You have successfully authenticated over SSH.") {
		t.Errorf("shell: %v, %q", err, out)
	}

	for _, command := range []string{
		"", "ls", "git-upload-archive '/v1/repos/app'", "git-upload-pack", "git-upload-pack '/v1/repos/app' x",
		"git-upload-pack '/v1/repos/app'; id", "git-upload-pack '/v1/repos/app/'", "git-upload-pack '/v1/repos/../app'",
		"git-upload-pack --strict '/v1/repos/app'", "git-upload-pack 'app'", "git-upload-pack '/v1/repos/a'\\''b'",
	} {
		s, out := session()
		if err := s.Run(command); err == nil || !strings.Contains(out.String(), "ERR ") {
			t.Errorf("%q: %v, %q", command, err, out)
		}
	}

	// A key that was deactivated since the connection began counts no more.
	delete(d.keys.sshKeys, aliceKey)
	s, out = session()
	if err := s.Run("git-upload-pack '/v1/repos/app'"); err == nil || !strings.Contains(out.String(), "ERR the credentials are") {
		t.Errorf("with a deactivated key: %v, %q", err, out)
	}
}

// Whatever a client sends after the command, it gets an error and nothing breaks.
func TestSSHMalformed(t *testing.T) {
	d := newSSHDoor(t, Limits{})
	bare := d.host.create("app")
	dir := d.work(t, "app")
	git(t, dir, "push", "--quiet", bare, "master")
	c, err := d.dial(aliceKey, d.key)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, service := range []string{"git-upload-pack", "git-receive-pack"} {
		for _, version := range []string{"version=0", "version=2"} {
			for _, text := range malformed {
				s, err := c.NewSession()
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Setenv("GIT_PROTOCOL", version); err != nil {
					t.Fatal(err)
				}
				s.Stdin, s.Stdout = strings.NewReader(text), io.Discard
				_ = s.Run(service + " '/v1/repos/app'")
			}
		}
	}
	if d.log.Len() > 0 {
		t.Errorf("logged:\n%s", d.log)
	}
	if _, err := c.NewSession(); err != nil {
		t.Errorf("a session after all that: %v", err)
	}
}

func TestSSHShutdown(t *testing.T) {
	d := newSSHDoor(t, Limits{})
	d.host.create("app")
	pushing, finish := make(chan struct{}), make(chan struct{})
	d.host.afterPack = func() {
		close(pushing)
		<-finish
	}
	dir := d.work(t, "app")
	idle, err := d.dial(aliceKey, d.key)
	if err != nil {
		t.Fatal(err)
	}
	pushed := make(chan error, 1)
	go func() {
		_, err := d.git(t, dir, "push", "origin", "master")
		pushed <- err
	}()
	<-pushing
	d.stop()
	_ = idle.Wait() // closed by the server, which has no more use for it
	if _, err := d.dial(aliceKey, d.key); err == nil {
		t.Error("a new connection after the end began")
	}
	close(finish)
	if err := <-pushed; err != nil {
		t.Errorf("the push that ran: %v", err)
	}
	if err := <-d.ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	d.ended <- nil // for the cleanup
}

func TestHostKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	first, err := HostKey(file)
	if err != nil {
		t.Fatal(err)
	}
	again, err := HostKey(file)
	if err != nil || !bytes.Equal(first.PublicKey().Marshal(), again.PublicKey().Marshal()) {
		t.Errorf("the second start has another key: %v", err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if names, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".host-key-*")); len(names) > 0 {
		t.Errorf("left behind: %q", names)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := HostKey(file); err == nil {
		t.Error("a key that everybody can read is taken")
	}
	if err := os.WriteFile(file, []byte("no key"), 0o600); err != nil || os.Chmod(file, 0o600) != nil {
		t.Fatal(err)
	}
	if _, err := HostKey(file); err == nil {
		t.Error("a file without a key is taken")
	}
}
