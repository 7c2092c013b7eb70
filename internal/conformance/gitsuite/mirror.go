package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/codecommit"
)

// refspecs are the refs that a host takes. The folder's others stay where they are.
var refspecs = []string{"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "+refs/notes/*:refs/notes/*"}

// marker is the file in a repository's folder that names the repository of the host. It
// goes where the folder is moved to, and with it when it is deleted.
const marker = "refward-repository"

// errNoFolder is the error of a path that no repository is at.
var errNoFolder = errors.New("there is no repository here")

// mirror keeps folders of the document root and repositories of the host alike.
type mirror struct {
	host *host
	www  string

	mu   sync.Mutex // guards all below, and the folders
	made int
	seen map[string]string // by the repository's name, the refs that both have
}

// find returns the Git directory that a path means, by the rules of Git's own server.
func (m *mirror) find(path string) (string, error) {
	dir := filepath.Join(m.www, filepath.FromSlash(filepath.Clean("/"+path)))
	for _, suffix := range []string{"/.git", "", ".git/.git", ".git"} {
		if _, err := os.Stat(filepath.Join(dir+suffix, "HEAD")); err == nil {
			return dir + suffix, nil
		}
	}
	return "", errNoFolder
}

// toHost gives the host what is new in the folder, and returns the name of its repository.
func (m *mirror) toHost(ctx context.Context, dir string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name, err := m.name(ctx, dir)
	if err != nil {
		return "", err
	}
	refs, head, err := m.refs(ctx, dir)
	if err != nil || refs+head == m.seen[name] {
		return name, err
	}
	if m.seen[name] == "" && refs == "" {
		return name, nil
	}
	// The default branch is told between what is new and what is gone: it cannot go.
	push := append([]string{"push", "--quiet", m.url(name)}, refspecs...)
	if err := m.git(ctx, dir, push...); err != nil {
		return "", err
	}
	if branch, ok := strings.CutPrefix(head, "refs/heads/"); ok && strings.Contains(refs, " "+head+"\n") {
		_, err := m.host.user.CodeCommit().UpdateDefaultBranch(ctx, &codecommit.UpdateDefaultBranchInput{RepositoryName: &name, DefaultBranchName: &branch})
		if err != nil {
			return "", err
		}
	}
	if err := m.git(ctx, dir, append([]string{"push", "--quiet", "--prune", m.url(name)}, refspecs...)...); err != nil {
		return "", err
	}
	m.seen[name] = refs + head
	return name, nil
}

// toFolder gives the folder what a push has changed on the host.
func (m *mirror) toFolder(ctx context.Context, name, dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	args := append([]string{
		"-c", "gc.auto=0", "-c", "fetch.fsckObjects=false", "-c", "transfer.hideRefs=", "fetch", "--quiet", "--prune", "--no-tags", "--update-head-ok", m.url(name),
	}, refspecs...)
	if err := m.git(ctx, dir, args...); err != nil {
		return err
	}
	refs, head, err := m.refs(ctx, dir)
	m.seen[name] = refs + head
	return err
}

// name returns the name of the folder's repository on the host, which it makes for a
// folder that is new.
func (m *mirror) name(ctx context.Context, dir string) (string, error) {
	file := filepath.Join(dir, marker)
	b, err := os.ReadFile(file)
	if _, known := m.seen[string(b)]; err == nil && known {
		return string(b), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	m.made++
	name := fmt.Sprintf("repository-%d", m.made)
	if _, err := m.host.user.CodeCommit().CreateRepository(ctx, &codecommit.CreateRepositoryInput{RepositoryName: &name}); err != nil {
		return "", err
	}
	m.seen[name] = ""
	return name, os.WriteFile(file, []byte(name), 0o644)
}

// refs returns the folder's refs, as lines of an object ID and a name, and what its HEAD
// names.
func (m *mirror) refs(ctx context.Context, dir string) (refs, head string, err error) {
	r, err := m.host.user.Git(ctx, dir, "--git-dir=.", "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags", "refs/notes")
	if err == nil && !r.OK() {
		err = fmt.Errorf("git for-each-ref: %s", r.Output)
	}
	if err != nil {
		return "", "", err
	}
	b, err := os.ReadFile(filepath.Join(dir, "HEAD"))
	head, _ = strings.CutPrefix(strings.TrimSpace(string(b)), "ref: ")
	return r.Output, head, err
}

func (m *mirror) git(ctx context.Context, dir string, args ...string) error {
	r, err := m.host.user.Git(ctx, dir, append([]string{"--git-dir=."}, args...)...)
	if err == nil && !r.OK() {
		err = fmt.Errorf("git %s: %s", strings.Join(args, " "), r.Output)
	}
	return err
}

func (m *mirror) url(name string) string { return m.host.url + "/v1/repos/" + name }
