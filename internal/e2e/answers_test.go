package e2e

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refward/refward/internal/hosttest"
)

// TestKeptAnswers: a clone that was made before is made again from what is kept, for
// others too, but never for one who may not read the repository.
func TestKeptAnswers(t *testing.T) {
	h := hosttest.Start(t)
	h.Group(t, "Readers", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"codecommit:*","Resource":"*"}}`)
	url := h.Repository(t, "app")
	first, second, nobody := h.Hire(t, "first", "Readers"), h.Hire(t, "second", "Readers"), h.Hire(t, "nobody")
	dir := h.Clone(t, first, url)
	hosttest.Commit(t, first, dir, "file", hosttest.Noise(300_000))
	hosttest.Git(t, first, dir, "push", "--quiet", "origin", "HEAD:refs/heads/master")

	clone := filepath.Join(t.TempDir(), "clone")
	hosttest.Git(t, first, h.Dir, "clone", "--quiet", url, clone)
	made, shared := metric(t, h, "refward_fetch_answers_made_total"), metric(t, h, "refward_fetch_answers_shared_total")
	hosttest.Git(t, second, h.Dir, "clone", "--quiet", url, clone+"2")
	hosttest.Git(t, second, clone+"2", "fsck", "--strict")
	if m, s := metric(t, h, "refward_fetch_answers_made_total"), metric(t, h, "refward_fetch_answers_shared_total"); m != made || s == shared {
		t.Errorf("made %s answers, then %s; shared %s, then %s", made, m, shared, s)
	}

	refused := func(what string) {
		t.Helper()
		shared := metric(t, h, "refward_fetch_answers_shared_total")
		out := hosttest.GitFails(t, nobody, h.Dir, "clone", "--quiet", url, clone+"3")
		if !strings.Contains(out, "403") && !strings.Contains(out, "denied") {
			t.Errorf("%s: git clone said:\n%s", what, out)
		}
		if s := metric(t, h, "refward_fetch_answers_shared_total"); s != shared {
			t.Errorf("%s: the cache was asked", what)
		}
	}
	refused("without a policy")
	addToGroup(t, h.Root, "nobody", "Readers")
	hosttest.Git(t, nobody, h.Dir, "clone", "--quiet", url, clone+"4")
	h.GroupPolicy(t, "Readers", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"codecommit:GitPull","Resource":"*"}}`)
	refused("after the right was taken away")
}

// metric returns the value of a metric as the host shows it.
func metric(t *testing.T, h *hosttest.Host, name string) string {
	t.Helper()
	res, err := http.Get(h.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("there is no metric %s", name)
	return ""
}
