package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
)

// maintainers may do everything with every repository, except what deny says of the
// branch that is called denied.
const maintainers = `{"Version": "2012-10-17", "Statement": [
	{"Effect": "Allow", "Action": "codecommit:*", "Resource": "*"},
	{"Sid": "KeepOut", "Effect": "Deny", "Action": "codecommit:GitPush", "Resource": "*", "Condition": {
		"StringEqualsIfExists": {"codecommit:References": ["refs/heads/denied"]}, "Null": {"codecommit:References": "false"}}}]}`

// house is the one host of a test, with somebody who works there.
type house struct {
	*hosttest.Host
	dev     *person.Person
	sshUser string // the ID of dev's SSH key
	sshURL  string // of the host
	ssh     string // the command for git to run
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{Host: hosttest.Start(t)}
	h.Group(t, "Maintainers", maintainers)
	h.dev = h.Hire(t, "dev", "Maintainers")
	hosttest.Need(t, "ssh")
	h.sshUser, h.ssh = h.newKey(t, "dev")
	h.Repository(t, "any")
	out, err := h.dev.CodeCommit().GetRepository(t.Context(), &codecommit.GetRepositoryInput{RepositoryName: aws.String("any")})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(aws.ToString(out.RepositoryMetadata.CloneUrlSsh))
	if err != nil {
		t.Fatal(err)
	}
	h.sshURL = u.Host
	return h
}

// newKey makes an Ed25519 key for a user and uploads it. It returns the key's ID, and the
// ssh command that uses it.
func (h *house) newKey(t *testing.T, user string) (id, command string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return h.uploadKey(t, user, key)
}

// keys are one key of each kind that IAM takes.
func keys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"ed25519": ed, "ecdsa": ec, "rsa": r}
}

func (h *house) uploadKey(t *testing.T, user string, key crypto.Signer) (id, command string) {
	t.Helper()
	dir := t.TempDir()
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "key")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	out, err := h.Root.IAM().UploadSSHPublicKey(t.Context(), &iam.UploadSSHPublicKeyInput{
		UserName: &user, SSHPublicKeyBody: aws.String(string(ssh.MarshalAuthorizedKey(public))),
	})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.SSHPublicKey.SSHPublicKeyId), fmt.Sprintf(
		"ssh -F /dev/null -i %s -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=%s",
		file, filepath.Join(dir, "known_hosts"))
}

// door is one way for a client to come in.
type door struct {
	*house
	transport string // http or ssh
	version   int    // of Git's protocol
}

// doors are all ways in.
func (h *house) doors() []*door {
	var all []*door
	for _, transport := range []string{"http", "ssh"} {
		for version := range 3 {
			all = append(all, &door{h, transport, version})
		}
	}
	return all
}

func (d *door) String() string { return fmt.Sprintf("%s-v%d", d.transport, d.version) }

// url is the clone URL of a repository.
func (d *door) url(repository string) string {
	if d.transport == "ssh" {
		return "ssh://" + d.sshUser + "@" + d.sshURL + "/v1/repos/" + repository
	}
	return d.URL + "/v1/repos/" + repository
}

// create makes a repository with the test's name, and more words where a test needs more
// than one, and returns its clone URL.
func (d *door) create(t *testing.T, more ...string) string {
	t.Helper()
	name := strings.NewReplacer("/", "-", ",", "").Replace(strings.Join(append([]string{t.Name()}, more...), "-"))
	d.Repository(t, name)
	return d.url(name)
}

func (d *door) args(args []string) []string {
	return append([]string{"-c", fmt.Sprintf("protocol.version=%d", d.version), "-c", "core.sshCommand=" + d.ssh}, args...)
}

// git runs git through the door. It must work.
func (d *door) git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	return hosttest.Git(t, d.dev, dir, d.args(args)...)
}

// refused runs git through the door. It must fail, and say every word.
func (d *door) refused(t *testing.T, dir string, words []string, args ...string) {
	t.Helper()
	out := hosttest.GitFails(t, d.dev, dir, d.args(args)...)
	for _, w := range words {
		if !strings.Contains(out, w) {
			t.Errorf("git %s did not print %q:\n%s", strings.Join(args, " "), w, out)
		}
	}
}

// value runs git and returns what it printed without the line's end.
func (d *door) value(t *testing.T, dir string, args ...string) string {
	t.Helper()
	return strings.TrimSpace(d.git(t, dir, args...))
}

// refs asks the host, not through git's client of this door, for all refs: HTTP with
// version 2.
func (d *door) refs(t *testing.T, url string) map[string]string {
	t.Helper()
	return hosttest.Refs(t, d.dev, d.URL+url[strings.Index(url, "/v1/repos/"):])
}

// item is one thing that a client can ask for.
type item struct {
	name string
	run  func(t *testing.T, d *door)
}

// each runs every item through every door.
func each(t *testing.T, h *house, items []item) {
	for _, i := range items {
		t.Run(i.name, func(t *testing.T) {
			for _, d := range h.doors() {
				t.Run(d.String(), func(t *testing.T) {
					t.Parallel()
					i.run(t, d)
				})
			}
		})
	}
}

// equal compares two texts.
func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}
