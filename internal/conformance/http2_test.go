package conformance

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/refward/refward/internal/hosttest"
)

// TestHTTP2: over TLS git's client and the host agree on HTTP/2 by themselves, also for
// pushes in chunks and large answers; and on HTTP/1.1 where the client is told so.
func TestHTTP2(t *testing.T) {
	h := &house{Host: hosttest.Start(t, hosttest.TLS(t))}
	h.Group(t, "Maintainers", maintainers)
	h.dev = h.Hire(t, "dev", "Maintainers")
	d := &door{h, "http", 2}

	for name, version := range map[string]string{"HTTP-2": "HTTP/2", "HTTP-1.1": "HTTP/1.1"} {
		t.Run(name, func(t *testing.T) {
			with := func(args ...string) []string {
				return append([]string{"-c", "http.sslCAInfo=" + h.CA, "-c", "http.version=" + version, "-c", "http.postBuffer=65536"}, args...)
			}
			dir := d.work(t)
			hosttest.Commit(t, d.dev, dir, "noise", hosttest.Noise(3<<20))
			d.git(t, dir, with("push", "--quiet", "origin", "HEAD")...)
			clone := filepath.Join(t.TempDir(), "clone")
			d.git(t, dir, with("clone", "--quiet", d.value(t, dir, "remote", "get-url", "origin"), clone)...)
			whole(t, d, clone)
			d.refused(t, dir, []string{"KeepOut"}, with("push", "origin", "HEAD:refs/heads/denied")...)
			out := d.git(t, dir, with("-c", "alias.loud=!GIT_CURL_VERBOSE=1 git ls-remote origin", "loud")...)
			if !strings.Contains(out, "Recv header: "+version+" 200") {
				t.Errorf("no answer came by %s", version)
			}
		})
	}
	t.Run("unknown certificate", func(t *testing.T) {
		d.refused(t, h.Dir, []string{"certificate"}, "ls-remote", d.create(t))
	})
}
