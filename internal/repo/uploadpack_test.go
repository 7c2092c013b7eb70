package repo_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/repo"
)

const capabilities = "multi_ack_detailed no-done side-band-64k thin-pack ofs-delta shallow deepen-since deepen-not " +
	"deepen-relative no-progress include-tag allow-tip-sha1-in-want allow-reachable-sha1-in-want filter"

// serve lets the real git client read one snapshot. Here git answers ls-refs as well.
func serve(t testing.TB, h *host, snap *repo.Snapshot) (url string) {
	version := func(r *http.Request) int {
		switch r.Header.Get("Git-Protocol") {
		case "version=2":
			return 2
		case "version=1":
			return 1
		}
		return 0
	}
	pkt := func(w io.Writer, line string) { _, _ = fmt.Fprintf(w, "%04x%s\n", len(line)+5, line) }
	mux := http.NewServeMux()
	mux.HandleFunc("GET /info/refs", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		pkt(w, "# service=git-upload-pack")
		_, _ = io.WriteString(w, "0000")
		switch v := version(r); {
		case v == 2:
			for _, c := range []string{"version 2", "ls-refs=unborn", "fetch=shallow wait-for-done filter", "object-format=sha1"} {
				pkt(w, c)
			}
		default:
			if v == 1 {
				pkt(w, "version 1")
			}
			extra := "\x00" + capabilities
			if head, ok := snap.Ref(snap.Head); ok {
				pkt(w, head.OID.String()+" HEAD"+extra+" symref=HEAD:"+string(snap.Head))
				extra = ""
			}
			for ref := range snap.Refs.All() {
				pkt(w, ref.OID.String()+" "+string(ref.Name)+extra)
				extra = ""
			}
		}
		_, _ = io.WriteString(w, "0000")
	})
	mux.HandleFunc("POST /git-upload-pack", func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
		if err := h.UploadPack(r.Context(), snap, version(r), body, w); err != nil && r.Context().Err() == nil {
			t.Logf("upload-pack: %v", err)
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// history makes a repository of some commits with a tag, in several pushes.
func history(t testing.TB, h *host) (r *gittest.Repo, commits []oid.ID) {
	r = gittest.Init(t)
	var before string
	for i := range 5 {
		id := r.Commit(fmt.Sprintf("dir/f%d", i), randomText(1000+500*i))
		commits = append(commits, id)
		refs := []repo.Ref{master(id)}
		revs := []string{"master"}
		if i == 3 {
			r.Git("tag", "-a", "-m", "t", "v1")
			refs = append(refs, repo.Ref{Name: "refs/tags/v1", OID: r.ID("v1"), Peeled: id})
			revs = append(revs, "v1")
		}
		if before != "" {
			revs = append(revs, "^"+before)
		}
		h.push(t, r.Pack(revs...), refs...)
		before = id.String()
	}
	return r, commits
}

func TestClone(t *testing.T) {
	h := newHost(t)
	r, commits := history(t, h)
	url := serve(t, h, h.snapshot())
	for _, version := range []string{"0", "1", "2"} {
		clone := func(args ...string) *gittest.Repo {
			dir := filepath.Join(t.TempDir(), "clone")
			r.Git(append([]string{"-c", "protocol.version=" + version, "clone", "--quiet"}, append(args, url, dir)...)...)
			return gittest.At(t, dir)
		}
		t.Run("version "+version, func(t *testing.T) {
			full := clone()
			if got := full.ID("HEAD"); got != commits[4] {
				t.Errorf("HEAD is %s", got)
			}
			if got := full.ID("v1^{commit}"); got != commits[3] {
				t.Errorf("v1 is %s", got)
			}
			full.Git("fsck", "--full", "--strict")
			if version == "1" {
				return // differs from 0 in one line of the advertisement
			}

			shallow := clone("--depth=1")
			if n := shallow.Git("rev-list", "--count", "HEAD"); n != "1" {
				t.Errorf("a clone of depth 1 has %s commits", n)
			}
			shallow.Git("-c", "protocol.version="+version, "fetch", "--quiet", "--deepen=2")
			if n := shallow.Git("rev-list", "--count", "HEAD"); n != "3" {
				t.Errorf("deepened by 2 it has %s commits", n)
			}
			shallow.Git("-c", "protocol.version="+version, "fetch", "--quiet", "--unshallow")
			if n := shallow.Git("rev-list", "--count", "HEAD"); n != "5" {
				t.Errorf("without a bound it has %s commits", n)
			}

			partial := clone("--filter=blob:none", "--no-checkout")
			if n := strings.Count(partial.Git("rev-list", "--objects", "--all", "--missing=print"), "?"); n != 5 {
				t.Errorf("a clone without blobs lacks %d", n)
			}
			partial.Git("-c", "protocol.version="+version, "checkout", "--quiet", "master") // fetches them by ID
			sparse := filepath.Join(t.TempDir(), "sparse")
			if out, err := r.Try("-c", "protocol.version="+version, "clone", "--no-checkout", "--filter=sparse:oid="+r.ID("HEAD:dir/f0").String(), url, sparse); err == nil {
				t.Errorf("a filter that reads a file of the repository was allowed: %s", out)
			}

			exact := gittest.Init(t)
			exact.Git("-c", "protocol.version="+version, "fetch", "--quiet", url, commits[1].String())
			if got := exact.ID("FETCH_HEAD"); got != commits[1] {
				t.Errorf("a fetch by ID brought %s", got)
			}
			if out, err := exact.Try("-c", "protocol.version="+version, "fetch", url, strings.Repeat("12", 20)); err == nil {
				t.Errorf("an object that is not there was fetched: %s", out)
			}
		})
	}
}

func TestCloneEmpty(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	dir := filepath.Join(t.TempDir(), "clone")
	h.head = "refs/heads/trunk"
	r.Git("-c", "protocol.version=2", "clone", "--quiet", serve(t, h, h.snapshot()), dir)
	if got := gittest.At(t, dir).Git("symbolic-ref", "HEAD"); got != "refs/heads/trunk" {
		t.Errorf("the empty clone is on %s", got)
	}
	h.head = ""
	h.gen++
	r.Git("-c", "protocol.version=2", "clone", "--quiet", serve(t, h, h.snapshot()), filepath.Join(t.TempDir(), "clone"))
}

// TestGenerations: readers of several generations each see their own refs, and old
// views do not pile up.
func TestGenerations(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	var snaps []*repo.Snapshot
	var ids []oid.ID
	for i := range 12 {
		id := r.Commit("f", fmt.Sprint(i))
		revs := []string{"master"}
		if i > 0 {
			revs = append(revs, "^"+ids[i-1].String())
		}
		h.push(t, r.Pack(revs...), master(id))
		snaps, ids = append(snaps, h.snapshot()), append(ids, id)
	}
	var wg sync.WaitGroup
	for i, snap := range snaps {
		url := serve(t, h, snap)
		wg.Go(func() {
			if out, err := r.Try("-c", "protocol.version=2", "ls-remote", url, "refs/heads/master"); err != nil || !strings.HasPrefix(out, ids[i].String()) {
				t.Errorf("generation %d: %s (%v)", snap.Gen, out, err)
			}
		})
	}
	wg.Wait()
	entries, err := os.ReadDir(filepath.Join(h.options.CacheDir, string(theID), "views"))
	if err != nil || len(entries) > 4 {
		t.Errorf("%d views are left (%v)", len(entries), err)
	}
}

func TestUploadPackCancelled(t *testing.T) {
	h := newHost(t)
	_, _ = history(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	pr, pw := io.Pipe()
	defer func() { _ = pw.Close() }()
	go func() {
		_, _ = io.WriteString(pw, "0014command=ls-refs\n")
		cancel()
	}()
	if err := h.UploadPack(ctx, h.snapshot(), 2, pr, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestUploadPackClientGone(t *testing.T) {
	h := newHost(t)
	_, commits := history(t, h)
	gone := errors.New("client is gone")
	body := "0032want " + commits[4].String() + "\n00000009done\n"
	if err := h.UploadPack(t.Context(), h.snapshot(), 0, strings.NewReader(body), failingWriter{gone}); !errors.Is(err, gone) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

type failingWriter struct{ err error }

// Write fails.
func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// TestBadFetch: what a client asks for and git cannot make sense of is the client's fault,
// with a text for it, and no failure of the host.
func TestBadFetch(t *testing.T) {
	h := newHost(t)
	r, commits := history(t, h)
	tip, tree, snap := commits[4], r.ID("master^{tree}"), h.snapshot()
	for _, lines := range []string{
		"filter nonsense", "filter blob:limit=99999999999g", "filter sparse:path=/etc/passwd",
		"filter tree:x", "filter object:type=nonsense", "filter combine:", "filter combine:blob:none+tree:0+~", "filter blob:none|filter tree:0",
		"deepen -1", "deepen-since yesterday", "deepen-not refs/heads/nope", "deepen-not --help",
		"deepen 1|deepen-since 1", "deepen 1|deepen-not refs/heads/master",
		"deepen-since 4102444800", "deepen-not refs/heads/master", // these leave no commit
		"shallow " + tree.String() + "|deepen 1",
	} {
		var request bytes.Buffer
		for _, l := range slices.Concat([]string{"command=fetch", "", "want " + tip.String()}, strings.Split(lines, "|"), []string{"done"}) {
			if l == "" {
				request.WriteString("0001")
				continue
			}
			fmt.Fprintf(&request, "%04x%s\n", len(l)+5, l)
		}
		request.WriteString("0000")
		err := h.UploadPack(t.Context(), snap, 2, &request, io.Discard)
		if !errors.Is(err, repo.ErrBadFetch) || strings.Contains(err.Error(), h.options.CacheDir) {
			t.Errorf("%s: %v, want ErrBadFetch and no path of ours", lines, err)
		}
	}
}
