package e2e

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
)

// command runs the command on a data directory, and returns what it printed on standard
// output and its exit status.
func command(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), hosttest.Binary(t), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	if cmd.ProcessState.ExitCode() > 1 {
		return errs.String(), cmd.ProcessState.ExitCode()
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

func fsck(t *testing.T, data string, args ...string) (string, int) {
	t.Helper()
	return command(t, append([]string{"fsck", "--data-dir", data}, args...)...)
}

// report is what refward fsck --format json prints, as far as the tests look.
type report struct {
	Checked struct {
		Repositories, Packs, Refs, RefEvents, Accounts, LFSObjects int
	} `json:"checked"`
	Findings []struct{ Kind, Repository, Subject, What, Next string } `json:"findings"`
	Notes    []struct{ Kind, Subject string }                         `json:"notes"`
}

// used is a data directory with small and large packs, consolidated and not, a tag, a
// deleted branch and a forced one. The host has stopped.
func used(t *testing.T) string {
	t.Helper()
	h := hosttest.StartProcess(t, "--maintenance", "off")
	url := setUpWriters(t, h.Root, h.Place, h.Account)
	p, err := h.Root.Hire(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	addToGroup(t, h.Root, "ada", demo.Approvers)
	dir := filepath.Join(t.TempDir(), "work")
	hosttest.Git(t, p, h.Dir, "clone", "--quiet", url, dir)
	git := func(args ...string) { hosttest.Git(t, p, dir, args...) }
	git("symbolic-ref", "HEAD", "refs/heads/main")
	for _, content := range []string{"one\n", hosttest.Noise(200 << 10), "three\n"} {
		hosttest.Commit(t, p, dir, "file", content)
		git("push", "--quiet", "origin", "HEAD")
	}
	git("push", "--quiet", "origin", "HEAD~1:refs/heads/side", "HEAD~1:refs/heads/gone")
	git("push", "--quiet", "--force", "origin", "HEAD~2:refs/heads/side", ":refs/heads/gone")
	git("tag", "-m", "first", "v1", "HEAD~1")
	git("push", "--quiet", "origin", "v1")
	if code := h.Terminate(t); code != 0 {
		t.Fatalf("exit status %d", code)
	}
	if out, code := command(t, "maintenance", "run", "--data-dir", h.Data, "--repository", demo.Repository, "--force"); code != 0 {
		t.Fatalf("maintenance run: exit status %d\n%s", code, out)
	}
	h.Restart(t)
	for _, content := range []string{hosttest.Noise(100 << 10), "five\n"} {
		hosttest.Commit(t, p, dir, "file", content)
		git("push", "--quiet", "origin", "HEAD")
	}
	for _, content := range []string{"", lfsContent} {
		uploadLFS(t, p, url, "refs/heads/main", content)
	}
	if code := h.Terminate(t); code != 0 {
		t.Fatalf("exit status %d", code)
	}
	return h.Data
}

const lfsContent = "kept by Git LFS"

// uploadLFS uploads an object of Git LFS over HTTP.
func uploadLFS(t *testing.T, p *person.Person, url, ref, content string) {
	t.Helper()
	send := func(req *http.Request) []byte {
		t.Helper()
		resp := do(t, req)
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %s, %v: %s", req.Method, req.URL, resp.Status, err, body)
		}
		return body
	}
	batch := request(t, http.MethodPost, url+".git/info/lfs/objects/batch", batchOf("upload", ref, content))
	batch.Header.Set("Content-Type", lfsMedia)
	batch.SetBasicAuth(p.GitUser, p.GitPassword)
	var out lfsObjects
	if err := json.Unmarshal(send(batch), &out); err != nil {
		t.Fatal(err)
	}
	action := out.Objects[0].Actions["upload"]
	put := request(t, http.MethodPut, action.Href, content)
	for k, v := range action.Header {
		put.Header.Set(k, v)
	}
	send(put)
}

// lfsFile is the file of the object with lfsContent.
func lfsFile(t *testing.T, data string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(data, "blobs", "*", "lfs", oidOf(lfsContent)+"-*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("files of the object: %v (%v), want one", found, err)
	}
	return found[0]
}

func writeLFS(content string) func(*testing.T, string) {
	return func(t *testing.T, data string) {
		name := lfsFile(t, data)
		if err := errors.Join(os.Chmod(name, 0o600), os.WriteFile(name, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFsckLFSNotes: objects that wait to be deleted are no damage.
func TestFsckLFSNotes(t *testing.T) {
	data := used(t)
	rows(`DELETE FROM lfs_object WHERE size > 0`,
		`INSERT INTO lfs_garbage (blob, dead_at) SELECT blob, 1000 FROM lfs_object`, `DELETE FROM lfs_object`)(t, data)
	text, code := fsck(t, data, "--format", "json")
	var r report
	if err := json.Unmarshal([]byte(text), &r); err != nil || code != 0 || r.Checked.LFSObjects != 0 {
		t.Fatalf("exit status %d (%v)\n%s", code, err, text)
	}
	var got []string
	for _, n := range r.Notes {
		if strings.Contains(n.Subject, "/lfs/") {
			got = append(got, n.Kind+" "+strings.SplitN(filepath.Base(n.Subject), "-", 2)[0])
		}
	}
	if want := []string{"dead-object " + oidOf(""), "orphan " + oidOf(lfsContent)}; !slices.Equal(got, want) {
		t.Errorf("notes are %v, want %v", got, want)
	}
}

// TestFsckFindsDamage: what a disk or a person can do to what is stored is found and
// named, with what to do next.
func TestFsckFindsDamage(t *testing.T) {
	whole := used(t)
	if text, code := fsck(t, whole); code != 0 || !strings.Contains(text, "nothing is wrong") || !strings.Contains(text, " 2 objects of Git LFS in 15 bytes") {
		t.Fatalf("before any damage: exit status %d\n%s", code, text)
	}
	for _, tc := range []struct {
		name   string
		damage func(t *testing.T, data string)
		kind   string
		says   string // in one finding's subject or text
		others bool   // it shows in other ways too
	}{
		{"a byte of a pack is another", flip(".pack"), "pack-changed", "SHA-256", true},
		{"a byte of an index is another", flip(".idx"), "objects", "", true},
		{"a pack is gone", remove(".pack"), "pack-missing", "is not there", true},
		{"an index is gone", remove(".idx"), "index-missing", "is not there", true},
		{"a bitmap is gone", remove(".bitmap"), "bitmap-missing", "is not there", false},
		{"a pack is shorter", func(t *testing.T, data string) {
			name := blobs(t, data, ".pack")[0]
			if err := errors.Join(os.Chmod(name, 0o600), os.Truncate(name, 100)); err != nil {
				t.Fatal(err)
			}
		}, "pack-changed", "have 100 bytes", true},
		{"bytes of an inline pack are others",
			rows(`UPDATE pack SET data = zeroblob(length(data)) WHERE data IS NOT NULL AND dead_at IS NULL`), "pack-changed", "metadata.db", true},
		{"a ref is elsewhere",
			rows(`UPDATE ref SET oid = (SELECT oid FROM ref WHERE name = CAST('refs/heads/side' AS BLOB)) WHERE name = CAST('refs/heads/main' AS BLOB)`),
			"ref-history", "refs/heads/main", false},
		{"a ref names what is not there",
			rows(`UPDATE ref SET oid = randomblob(20) WHERE name = CAST('refs/heads/side' AS BLOB)`), "ref-object", "refs/heads/side", true},
		{"a tag is peeled wrongly",
			rows(`UPDATE ref SET peeled = (SELECT oid FROM ref WHERE name = CAST('refs/heads/main' AS BLOB)) WHERE peeled IS NOT NULL`),
			"ref-peeled", "refs/tags/v1", false},
		{"a ref is gone", rows(`DELETE FROM ref WHERE name = CAST('refs/heads/side' AS BLOB)`), "ref-history", "does not exist", false},
		{"a deleted ref is back",
			rows(`UPDATE ref SET oid = (SELECT oid FROM ref WHERE name = CAST('refs/heads/side' AS BLOB)) WHERE name = CAST('refs/heads/gone' AS BLOB)`),
			"ref-history", "refs/heads/gone", false},
		{"an event is gone",
			rows(`DELETE FROM ref_event WHERE rowid = (SELECT rowid FROM ref_event WHERE ref = CAST('refs/heads/main' AS BLOB) ORDER BY gen LIMIT 1 OFFSET 2)`),
			"ref-history", "moves it from", false},
		{"the last event is gone",
			rows(`DELETE FROM ref_event WHERE rowid = (SELECT max(rowid) FROM ref_event)`), "ref-history", "its last event", false},
		{"the default branch is none", rows(`UPDATE repository SET head = CAST('refs/heads/gone' AS BLOB)`), "head", "was deleted", false},
		{"a decision is another",
			rows(`UPDATE decision SET outcome = 'allow' WHERE seq = 3`, `UPDATE decision SET entry = CAST(replace(CAST(entry AS TEXT), 'main', 'mine') AS BLOB) WHERE seq = (SELECT max(seq) FROM decision)`),
			"decision-log", "was changed", false},
		{"a repository's row is gone", rows(`DELETE FROM repository`), "database", "of no repository", true},
		{"an object of Git LFS is gone", func(t *testing.T, data string) {
			if err := os.Remove(lfsFile(t, data)); err != nil {
				t.Fatal(err)
			}
		}, "lfs-missing", oidOf(lfsContent), false},
		{"a byte of an object of Git LFS is another", writeLFS("kept by Git LF5"), "lfs-changed", "SHA-256", false},
		{"an object of Git LFS is longer", writeLFS(lfsContent + "."), "lfs-changed", "16 bytes, and its row says 15", false},
		{"an object of Git LFS is empty", writeLFS(""), "lfs-changed", "0 bytes", false},
		{"the row of an object of Git LFS names another's blob",
			rows(`UPDATE lfs_object SET blob = (SELECT blob FROM lfs_object WHERE size > 0), size = 15 WHERE size = 0`), "lfs-row", oidOf(""), false},
		{"the row of an object of Git LFS has another size", rows(`UPDATE lfs_object SET size = 16 WHERE size > 0`), "lfs-changed", "its row says 16", false},
		{"an object of Git LFS is of no repository",
			rows(`INSERT INTO lfs_object SELECT 'gone', oid, size, blob, created FROM lfs_object`), "database", "gone", false},
		{"a page of the database is another", func(t *testing.T, data string) {
			rows(`PRAGMA writable_schema = ON`, `UPDATE sqlite_schema SET sql = replace(sql, 'WHERE dead_at IS NOT NULL', 'WHERE dead_at IS NULL') WHERE name = 'pack_dead'`)(t, data)
		}, "database", "pack_dead", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(data, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			tc.damage(t, data)
			text, code := fsck(t, data, "--format", "json")
			var r report
			if err := json.Unmarshal([]byte(text), &r); err != nil || code != 1 {
				t.Fatalf("exit status %d (%v)\n%s", code, err, text)
			}
			found := false
			for _, f := range r.Findings {
				found = found || f.Kind == tc.kind && strings.Contains(f.Subject+" "+f.What, tc.says)
				if f.Next == "" || f.What == "" {
					t.Errorf("a finding says too little: %+v", f)
				}
				if strings.Contains(f.What, data) {
					t.Errorf("a finding names scratch folders: %s", f.What)
				}
				if !tc.others && f.Kind != tc.kind {
					t.Errorf("found besides: %+v", f)
				}
			}
			if !found {
				t.Errorf("found %+v, want %s: %s", r.Findings, tc.kind, tc.says)
			}
			plain, code := fsck(t, data)
			if code != 1 || !strings.Contains(plain, tc.kind) || !strings.Contains(plain, "next: ") || !strings.Contains(plain, "findings") {
				t.Errorf("exit status %d\n%s", code, plain)
			}
		})
	}
}

// blobs are the files of live packs with this ending; those of dead packs are not looked
// at.
func blobs(t *testing.T, data, ext string) []string {
	t.Helper()
	var names []string
	query(t, data, `SELECT blob FROM pack WHERE dead_at IS NULL AND blob <> '' ORDER BY bitmap DESC, pack_id`, func(key string) {
		name := filepath.Join(data, "blobs", key+ext)
		if _, err := os.Stat(name); err == nil {
			names = append(names, name)
		}
	})
	if len(names) == 0 {
		t.Fatalf("no live pack has a file %s", ext)
	}
	return names
}

func flip(ext string) func(*testing.T, string) {
	return func(t *testing.T, data string) {
		name := blobs(t, data, ext)[0]
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err := errors.Join(os.Chmod(name, 0o600), os.WriteFile(name, b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

func remove(ext string) func(*testing.T, string) {
	return func(t *testing.T, data string) {
		if err := os.Remove(blobs(t, data, ext)[0]); err != nil {
			t.Fatal(err)
		}
	}
}

func metadata(t *testing.T, data string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, "metadata.db"))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// rows runs statements, each of which must change something or set something.
func rows(statements ...string) func(*testing.T, string) {
	return func(t *testing.T, data string) {
		db := metadata(t, data)
		for _, s := range statements {
			r, err := db.ExecContext(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := r.RowsAffected(); err != nil || n == 0 && !strings.HasPrefix(s, "PRAGMA") {
				t.Fatalf("%s changed nothing (%v)", s, err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func query(t *testing.T, data, text string, each func(string)) {
	t.Helper()
	db := metadata(t, data)
	all, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = all.Close() }()
	for all.Next() {
		var s string
		if err := all.Scan(&s); err != nil {
			t.Fatal(err)
		}
		each(s)
	}
	if err := errors.Join(all.Err(), all.Close(), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestOfflineCommands: what they say when they cannot be run, and what they leave.
func TestOfflineCommands(t *testing.T) {
	h := hosttest.StartProcess(t)
	for _, c := range [][]string{{"fsck"}, {"maintenance", "run"}} {
		out, code := command(t, append(c, "--data-dir", filepath.Join(h.Dir, "nothing"))...)
		if code == 0 {
			t.Errorf("%s of nothing: %s", c, out)
		}
		if _, err := os.Stat(filepath.Join(h.Dir, "nothing")); !os.IsNotExist(err) {
			t.Errorf("%s made a data directory", c)
		}
		if out, code = command(t, append(c, "--data-dir", h.Dir)...); code == 0 {
			t.Errorf("%s of a folder without a host: %s", c, out)
		}
	}
	if out, code := fsck(t, h.Data); code != 2 || !strings.Contains(out, "in use by another refward process") {
		t.Errorf("fsck while the host runs: exit status %d: %s", code, out)
	}
	if _, err := h.Root.IAM().ListUsers(t.Context(), &iam.ListUsersInput{}); err != nil {
		t.Errorf("the host does not serve any more: %v", err)
	}
	h.Terminate(t)
	if out, code := command(t, "maintenance", "run", "--data-dir", h.Data, "--repository", "NoSuch"); code != 1 {
		t.Errorf("maintenance of a repository that does not exist: exit status %d: %s", code, out)
	}
	if out, code := fsck(t, h.Data); code != 0 || !strings.Contains(out, "checked 0 repositories") {
		t.Errorf("fsck of an empty host: exit status %d: %s", code, out)
	}
}
