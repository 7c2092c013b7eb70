package main

import (
	"context"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// httpBackend is git's own server, git-http-backend(1), behind the CGI handler of Go's
// standard library: the least that serves Git over HTTP, open to everybody.
type httpBackend struct {
	dir   string
	label string
	// repacked: each repository is repacked into one pack with a bitmap, its refs are
	// packed and it has a commit-graph, as "git gc" and "git maintenance" leave it.
	repacked bool
	git      git
	proc     *process
	addr     string
}

func (h *httpBackend) name() string     { return h.label }
func (h *httpBackend) server() *process { return h.proc }

func (h *httpBackend) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if h.addr, err = freeAddress(); err != nil {
		return err
	}
	root := filepath.Join(h.dir, "repositories")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	h.proc, err = startProcess("http-backend", h.dir, filepath.Join(h.dir, "log"), h.git.env, self, cgiCommand, h.addr, root)
	if err != nil {
		return err
	}
	return h.proc.answers(ctx, h.addr)
}

func (h *httpBackend) stop() { h.proc.stop() }

func (h *httpBackend) path(repository string) string {
	return filepath.Join(h.dir, "repositories", repository+".git")
}

func (h *httpBackend) create(ctx context.Context, repository string) error {
	dir := h.path(repository)
	if _, err := h.git.run(ctx, "", "init", "--quiet", "--bare", "--initial-branch=main", dir); err != nil {
		return err
	}
	_, err := h.git.run(ctx, dir, "config", "http.receivepack", "true")
	return err
}

func (h *httpBackend) remote(repository string) remote {
	return remote{url: "http://" + h.addr + "/" + repository + ".git"}
}

func (h *httpBackend) tidy(ctx context.Context, repository string) error {
	if !h.repacked {
		return nil
	}
	for _, args := range [...]string{"repack -a -d -b -q", "pack-refs --all", "commit-graph write --reachable"} {
		if _, err := h.git.run(ctx, h.path(repository), strings.Fields(args)...); err != nil {
			return err
		}
	}
	return nil
}

func (h *httpBackend) protect(_ context.Context, repository string) error {
	const hook = "#!/bin/sh\ntest \"$1\" != " + protected + " || { echo 'this branch is protected' >&2; exit 1; }\n"
	return os.WriteFile(filepath.Join(h.path(repository), "hooks", "update"), []byte(hook), 0o755)
}

func (h *httpBackend) ssh(context.Context, string, sshKey) (string, error) { return "", errNot }

// cgiCommand makes the harness's own binary the server.
const cgiCommand = "serve-cgi"

func serveCGI(addr, root string) error {
	libexec, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	handler := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(libexec)), "git-http-backend"), Dir: root,
		Env: append(gitVariables(), "GIT_PROJECT_ROOT="+root, "GIT_HTTP_EXPORT_ALL=1"),
	}
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The handler refuses bodies of unknown length, such as those of large pushes.
		// http-backend takes a body without CONTENT_LENGTH to its end.
		r.TransferEncoding = nil
		handler.ServeHTTP(w, r)
	}))
}

// gitVariables is what of the environment carries git's configuration. The handler's own
// way to inherit variables leaves out those that are empty.
func gitVariables() []string {
	var out []string
	for _, kv := range os.Environ() {
		if strings.HasPrefix(kv, "GIT_CONFIG") || strings.HasPrefix(kv, "HOME=") {
			out = append(out, kv)
		}
	}
	return out
}
