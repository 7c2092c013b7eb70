package e2e

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
)

// lfsClone is somebody's checkout in which the files *.bin are kept by Git LFS.
type lfsClone struct {
	*testing.T
	*person.Person
	dir string
}

// cloneLFS clones without fetching the objects, as a client does that learns of Git LFS
// afterwards.
func cloneLFS(t *testing.T, h *hosttest.Host, p *person.Person, url string, args ...string) *lfsClone {
	t.Helper()
	hosttest.Need(t, "git-lfs")
	c := &lfsClone{t, p, filepath.Join(t.TempDir(), p.Name)}
	hosttest.Git(t, p, h.Dir, append(append([]string{"clone", "--quiet"}, args...), url, c.dir)...)
	c.git("lfs", "install", "--local")
	return c
}

func (c *lfsClone) git(args ...string) string {
	c.Helper()
	return hosttest.Git(c.T, c.Person, c.dir, args...)
}

// fails runs git, which must fail and say all of this.
func (c *lfsClone) fails(words []string, args ...string) {
	c.Helper()
	c.says(words, hosttest.GitFails(c.T, c.Person, c.dir, args...), args)
}

func (c *lfsClone) says(words []string, out string, args []string) {
	c.Helper()
	for _, w := range words {
		if !strings.Contains(out, w) {
			c.Errorf("git %s: no %q in\n%s", strings.Join(args, " "), w, out)
		}
	}
}

// track makes *.bin files of Git LFS.
func (c *lfsClone) track() {
	c.Helper()
	c.git("lfs", "track", "*.bin")
	c.git("add", ".gitattributes")
}

func (c *lfsClone) commit(name string, content []byte) {
	c.Helper()
	hosttest.Commit(c.T, c.Person, c.dir, name, string(content))
}

// has compares a file of the checkout.
func (c *lfsClone) has(name string, want []byte) {
	c.Helper()
	got, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil || !bytes.Equal(got, want) {
		c.Errorf("%s has %d bytes that begin with %.60q (%v), want %d others", name, len(got), got, err, len(want))
	}
}

func noise(size int) []byte {
	b := make([]byte, size)
	rand.Read(b)
	return b
}

// lfsStory is a host with the story's people, where the senior has pushed files of Git
// LFS to master.
func lfsStory(t *testing.T) (h *hosttest.Host, junior, senior *lfsClone, files map[string][]byte) {
	t.Helper()
	hosttest.Need(t, "git-lfs")
	h = hosttest.Start(t)
	j, s, url := h.Story(t)
	senior = cloneLFS(t, h, s, url)
	senior.git("symbolic-ref", "HEAD", master)
	senior.track()
	files = map[string][]byte{"large.bin": noise(5 << 20), "small.bin": []byte("small"), "art/ä b.bin": noise(100)}
	for name, content := range files {
		senior.commit(name, content)
	}
	senior.git("push", "-u", "origin", "HEAD:"+master)
	if got := lfsBlobs(t, h); got != len(files) {
		t.Errorf("%d blobs for %d objects", got, len(files))
	}
	return h, cloneLFS(t, h, j, url, "-c", "filter.lfs.smudge=git-lfs smudge -- %f"), senior, files
}

// TestLFS plays what people do with the unmodified client of Git LFS.
func TestLFS(t *testing.T) {
	h, junior, senior, files := lfsStory(t)
	for _, part := range []struct {
		name string
		play func(t *testing.T, h *hosttest.Host, junior, senior *lfsClone, files map[string][]byte)
	}{
		{"HTTP", lfsOverHTTP},
		{"resume", lfsResumes},
		{"decided by ref", lfsIsDecidedByRef},
		{"locks", lfsLocks},
		{"SSH and HTTP", lfsOverSSHAndHTTP},
		{"SSH alone", lfsOverSSH},
	} {
		if !t.Run(part.name, func(t *testing.T) {
			junior.T, senior.T = t, t
			part.play(t, h, junior, senior, files)
		}) {
			t.FailNow() // what follows stands on it
		}
	}
}

// lfsOverHTTP: what one pushes, others have after a clone, byte for byte, and what is
// there already does not travel again.
func lfsOverHTTP(t *testing.T, h *hosttest.Host, junior, senior *lfsClone, files map[string][]byte) {
	for name, content := range files {
		junior.has(name, content) // smudged by git clone
	}
	bare := cloneLFS(t, h, senior.Person, junior.remote(), "-c", "filter.lfs.smudge=git-lfs smudge --skip -- %f")
	pointer := fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%x\nsize 5\n", sha256.Sum256(files["small.bin"]))
	bare.has("small.bin", []byte(pointer))
	bare.git("lfs", "pull")
	for name, content := range files {
		bare.has(name, content)
	}
	bare.git("lfs", "fsck")

	junior.git("checkout", "-q", "-b", "copy")
	junior.commit("again.bin", files["large.bin"])
	out := junior.git("push", "origin", "copy")
	if strings.Contains(out, "5.2 MB") {
		t.Errorf("an object that is there was sent again:\n%s", out)
	}
	if got := lfsBlobs(t, h); got != len(files) {
		t.Errorf("after it was pushed again: %d blobs for %d objects", got, len(files))
	}
}

func (c *lfsClone) remote() string {
	c.Helper()
	return strings.TrimSpace(c.git("config", "remote.origin.url"))
}

// lfsBlobs counts what the host keeps of objects of Git LFS.
func lfsBlobs(t *testing.T, h *hosttest.Host) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(h.Data, "blobs", "*", "lfs", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

// lfsResumes: a download that broke off goes on where it was.
func lfsResumes(t *testing.T, h *hosttest.Host, junior, _ *lfsClone, files map[string][]byte) {
	content := files["large.bin"]
	late := cloneLFS(t, h, junior.Person, junior.remote())
	oid := fmt.Sprintf("%x", sha256.Sum256(content))
	if err := person.Write(late.dir, ".git/lfs/incomplete/"+oid+".part", string(content[:3<<20])); err != nil {
		t.Fatal(err)
	}
	// An alias that begins with ! is run by the shell, and so can set the environment.
	out := late.git("-c", "alias.traced=!GIT_TRACE=1 git lfs pull", "traced")
	if !strings.Contains(out, "server accepted resume download request") {
		t.Errorf("nothing was resumed:\n%s", out)
	}
	late.has("large.bin", content)
}

// lfsIsDecidedByRef is the story's policy: juniors upload for their branches, not for
// master, and are told why.
func lfsIsDecidedByRef(t *testing.T, h *hosttest.Host, junior, _ *lfsClone, _ map[string][]byte) {
	junior.git("checkout", "-q", "-b", demo.Feature)
	junior.commit("mine.bin", noise(1000))
	before := lfsBlobs(t, h)
	junior.fails(refusal, "push", "origin", "HEAD:"+master)
	if got := lfsBlobs(t, h); got != before {
		t.Errorf("a refused upload left %d blobs", got-before)
	}
	junior.git("push", "origin", demo.Feature)
	if got := lfsBlobs(t, h); got != before+1 {
		t.Errorf("a permitted upload left %d blobs", got-before)
	}
	// The object is there now; the branch is as closed as before.
	junior.fails(refusal, "push", "--no-verify", "origin", "HEAD:"+master)
}

// lfsLocks: locks keep people apart, and their clients from pushing.
func lfsLocks(t *testing.T, h *hosttest.Host, junior, senior *lfsClone, _ map[string][]byte) {
	senior.says([]string{"Locked large.bin"}, senior.git("lfs", "lock", "large.bin"), nil)
	junior.git("branch", "-q", "-u", "origin/"+demo.Feature)
	junior.fails([]string{"locked by " + demo.Senior}, "lfs", "lock", "large.bin")
	junior.says([]string{"Locked small.bin"}, junior.git("lfs", "lock", "small.bin"), nil)
	for _, c := range []*lfsClone{junior, senior} {
		c.says([]string{"large.bin", "small.bin", demo.Senior, demo.Junior}, c.git("lfs", "locks"), nil)
	}
	junior.says([]string{"O small.bin"}, junior.git("lfs", "locks", "--verify"), nil)
	var listed []struct{ Path string }
	if err := json.Unmarshal([]byte(junior.git("lfs", "locks", "--json", "--path", "large.bin")), &listed); err != nil || len(listed) != 1 || listed[0].Path != "large.bin" {
		t.Errorf("locks on large.bin: %v, %v", listed, err)
	}

	// A push that changes what another has locked stops in the client.
	junior.git("config", "lfs."+h.URL+"/v1/repos/"+demo.Repository+".git/info/lfs.locksverify", "true")
	junior.git("-c", "lfs.setlockablereadonly=false", "checkout", "-q", ".")
	junior.commit("large.bin", noise(100))
	junior.fails([]string{"Unable to push locked files", "large.bin - " + demo.Senior}, "push", "origin", demo.Feature)

	// Another's lock goes by force alone, and not by who may not push to its branch.
	junior.fails([]string{demo.Senior}, "lfs", "unlock", "large.bin")
	junior.fails(refusal, "lfs", "unlock", "--force", "large.bin")
	senior.git("lfs", "unlock", "--force", "small.bin")
	senior.git("lfs", "unlock", "large.bin")
	if out := strings.TrimSpace(senior.git("lfs", "locks")); out != "" {
		t.Errorf("locks that are left: %s", out)
	}
	junior.git("push", "-q", "origin", demo.Feature)
}
