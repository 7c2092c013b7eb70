package maintenance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/blob"
	"github.com/refward/refward/internal/blob/dir"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/fsck"
	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/maintenance"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
	"github.com/refward/refward/internal/secret"
	"github.com/refward/refward/internal/sqlstore"
	"github.com/refward/refward/policy"
)

const account = "111122223333"

// host is a service with its stores, its repositories and its maintenance, which can be
// opened again on what is stored.
type host struct {
	folder string
	git    *gitcmd.Git
	clock  *clock
	faults *faults
	events []maintenance.Event

	db      *sqlstore.DB
	blobs   *dir.Store
	house   *repo.House
	service *codecommit.Service
	doors   *authz.Authorizer
	*maintenance.Worker

	options maintenance.Options
}

// clock is the time that tests set.
type clock struct {
	mu  sync.Mutex // guards at
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// everything is the situation of those who may do everything.
type everything struct{ of *policy.Situation }

func (e everything) Situation(context.Context, authz.Principal) (authz.Situation, error) {
	return authz.Situation{Policies: e.of}, nil
}

// decisions is a decision log that keeps nothing.
type decisions struct{}

func (decisions) Append(context.Context, ...authz.Entry) error { return nil }

const allowAll = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:*", "Resource": "*"}}`

func newHost(t testing.TB, o maintenance.Options) *host {
	t.Helper()
	gittest.Require(t)
	// Blobs carry the time of the file system: the clock begins with that.
	h := &host{folder: t.TempDir(), clock: &clock{now: time.Now().Truncate(time.Second)}, options: o, faults: &faults{}}
	var err error
	if h.git, err = gitcmd.Open(t.Context(), gitcmd.Options{}); err != nil {
		t.Fatal(err)
	}
	h.open(t)
	t.Cleanup(func() { h.close(t) })
	return h
}

func (h *host) open(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	log := slog.New(slog.DiscardHandler)
	var err error
	if h.db, err = sqlstore.Open(ctx, sqlstore.Config{Dir: filepath.Join(h.folder, "db")}); err != nil {
		t.Fatal(err)
	}
	if h.blobs, err = dir.Open(filepath.Join(h.folder, "blobs")); err != nil {
		t.Fatal(err)
	}
	h.house, err = repo.Open(ctx, repo.Options{
		CacheDir: filepath.Join(h.folder, "cache"), Blobs: faultyBlobs{h.blobs, h.faults}, Link: h.blobs.Link, Packs: h.db.Packs(),
		Git: h.git, Log: log, Now: h.clock.Now, InlineLimit: 4096,
	})
	if err != nil {
		t.Fatal(err)
	}
	keeper, err := secret.NewKeeper(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := policy.Parse(policy.Source{Name: "all", Owner: "user ada"}, policy.Identity, []byte(allowAll))
	if err != nil {
		t.Fatal(err)
	}
	source := everything{&policy.Situation{Identity: []*policy.Policy{parsed}}}
	h.doors = &authz.Authorizer{Source: source, Log: decisions{}, Now: h.clock.Now}
	h.Worker = &maintenance.Worker{
		Options: h.options, Store: faultyStore{h.db.Maintenance(), h.faults}, House: h.house, Now: h.clock.Now, Log: log,
		Observe: func(e maintenance.Event) { h.events = append(h.events, e) },
	}
	h.service = &codecommit.Service{
		Store: h.db.CodeCommit(), Repos: h.house, Keeper: keeper, Partition: "aws", Region: "us-east-1", Account: account,
		Now: h.clock.Now, Log: log,
	}
}

func (h *host) close(t testing.TB) {
	t.Helper()
	if err := errors.Join(h.house.Close(), h.db.Close(), h.blobs.Close()); err != nil {
		t.Error(err)
	}
}

// reopen is what a restart does.
func (h *host) reopen(t testing.TB) {
	t.Helper()
	h.close(t)
	h.open(t)
}

// happened counts the events of a kind, and what they were of.
func (h *host) happened(k maintenance.Kind) (events, items int) {
	for _, e := range h.events {
		if e.Kind == k {
			events++
			items += e.Count
		}
	}
	return events, items
}

func (h *host) repository(t testing.TB, name string) repo.ID {
	t.Helper()
	r := codecommit.Repository{Account: account, ID: repo.ID(uuid.NewString()), Name: name, Created: h.clock.Now(), Modified: h.clock.Now()}
	err := h.service.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error { return tx.InsertRepository(ctx, r) })
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

func caller() authz.Caller {
	return authz.Caller{
		Principal: authz.Principal{
			Kind: authz.User, Account: account, Name: "ada", UserID: "AIDAADA",
			ARN: arn.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "user/ada"},
		},
		RequestID: uuid.NewString(), Region: "us-east-1",
	}
}

// made is a commit with the objects that came with it.
type made struct {
	id      oid.ID
	objects []object.Raw
}

// commit makes a commit with one file, on parents.
func commit(t testing.TB, content string, parents ...oid.ID) made {
	t.Helper()
	file := object.Raw{Type: object.Blob, Content: []byte(content)}
	encoded, err := object.EncodeTree([]object.TreeEntry{{Mode: object.ModeFile, Name: "file", ID: file.ID()}})
	if err != nil {
		t.Fatal(err)
	}
	tree := object.Raw{Type: object.Tree, Content: encoded}
	who := object.Signature{Name: "Ada", Email: "ada@example.com", Date: "1700000000 +0100"}
	c := object.CommitObject{Tree: tree.ID(), Parents: parents, Author: who, Committer: who, Message: fmt.Sprintf("%.20q\n", content)}
	raw := object.Raw{Type: object.Commit, Content: c.Encode()}
	return made{id: raw.ID(), objects: []object.Raw{file, tree, raw}}
}

// annotated makes a tag.
func annotated(name string, target oid.ID) made {
	text := fmt.Sprintf("object %s\ntype commit\ntag %s\ntagger Ada <ada@example.com> 1700000000 +0100\n\n%s\n", target, name, name)
	raw := object.Raw{Type: object.Tag, Content: []byte(text)}
	return made{id: raw.ID(), objects: []object.Raw{raw}}
}

// push moves refs with these objects, by the operation that a git push runs.
func (h *host) push(t testing.TB, name string, with []object.Raw, commands ...codecommit.RefCommand) {
	t.Helper()
	var data io.Reader
	if with != nil {
		encoded, err := pack.Encode(with)
		if err != nil {
			t.Fatal(err)
		}
		data = bytes.NewReader(encoded)
	}
	h.pushPack(t, name, data, commands...)
}

func (h *host) pushPack(t testing.TB, name string, data io.Reader, commands ...codecommit.RefCommand) {
	t.Helper()
	in := codecommit.GitPushInput{RepositoryName: name, Commands: commands, Pack: data}
	out, err := op.Invoke(t.Context(), h.doors, caller(), h.service.GitPush(), &in)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range out.Results {
		if r.Reason != "" {
			t.Fatalf("push of %s: %s (unpack %s)", r.Ref, r.Reason, out.Unpack)
		}
	}
}

// model is what a repository must hold: its refs, and every object that was ever
// acknowledged.
type model struct {
	name    string
	id      repo.ID
	refs    map[refname.Name]oid.ID
	commits []oid.ID // in the order in which they came
	objects map[oid.ID]object.Raw
}

func (h *host) model(t testing.TB, name string) *model {
	t.Helper()
	return &model{name: name, id: h.repository(t, name), refs: map[refname.Name]oid.ID{}, objects: map[oid.ID]object.Raw{}}
}

// move pushes one ref and notes it.
func (m *model) move(t testing.TB, h *host, ref refname.Name, to made) {
	t.Helper()
	h.push(t, m.name, to.objects, codecommit.RefCommand{Ref: ref, Old: m.refs[ref], New: to.id})
	m.moved(ref, to)
}

func (m *model) moved(ref refname.Name, to made) {
	if to.id.IsZero() {
		delete(m.refs, ref)
	} else {
		m.refs[ref] = to.id
	}
	for _, o := range to.objects {
		m.objects[o.ID()] = o
		if o.Type == object.Commit {
			m.commits = append(m.commits, o.ID())
		}
	}
}

const master refname.Name = "refs/heads/master"

// grow pushes n commits to master, each with a pack of its own.
func (m *model) grow(t testing.TB, h *host, n, size int) {
	t.Helper()
	for range n {
		var parents []oid.ID
		if tip, ok := m.refs[master]; ok {
			parents = append(parents, tip)
		}
		m.move(t, h, master, commit(t, text(size), parents...))
	}
}

var source = rand.New(rand.NewPCG(1, 2))

// text is incompressible text, new each time.
func text(size int) string {
	b := make([]byte, size)
	for i := range b {
		b[i] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+\n"[source.IntN(64)]
	}
	return uuid.NewString() + string(b)
}

func (h *host) packs(t testing.TB, id repo.ID) []repo.Pack {
	t.Helper()
	packs, err := h.db.Maintenance().Packs(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return packs
}

// holds checks that the repository is what the model says: refs, and every object read.
func (h *host) holds(t testing.TB, m *model) {
	t.Helper()
	snap, err := h.db.Maintenance().Snapshot(t.Context(), m.id)
	if err != nil {
		t.Fatal(err)
	}
	refs := map[refname.Name]oid.ID{}
	for r := range snap.Refs.All() {
		refs[r.Name] = r.OID
	}
	if !maps.Equal(refs, m.refs) {
		t.Errorf("the refs are %v, want %v", refs, m.refs)
	}
	o, err := h.house.Objects(t.Context(), snap)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = o.Close() }()
	for id, want := range m.objects {
		typ, size, err := o.Info(t.Context(), id)
		if err != nil || typ != want.Type || size != int64(len(want.Content)) {
			t.Errorf("object %s: %v of %d bytes, want %v of %d (%v)", id, typ, size, want.Type, len(want.Content), err)
		}
	}
}

// check runs fsck on what is stored.
func (h *host) check(t testing.TB) *fsck.Report {
	t.Helper()
	c := &fsck.Checker{Store: h.db.Fsck(), Blobs: h.blobs, Git: h.git, Link: h.blobs.Link, Scratch: filepath.Join(h.folder, "fsck")}
	report, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// clean checks that fsck finds nothing, and returns its notes.
func (h *host) clean(t testing.TB) []fsck.Note {
	t.Helper()
	report := h.check(t)
	if !report.Clean() {
		var text strings.Builder
		_ = report.WriteText(&text)
		t.Errorf("fsck: %s", text.String())
	}
	return report.Notes
}

// mirror clones what the cache holds, as git does it.
func (h *host) mirror(t testing.TB, m *model) string {
	t.Helper()
	snap, err := h.db.Maintenance().Snapshot(t.Context(), m.id)
	if err != nil {
		t.Fatal(err)
	}
	o, err := h.house.Objects(t.Context(), snap) // fills the cache, and keeps it as it is
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = o.Close() }()
	from := filepath.Join(t.TempDir(), "from")
	if err := repo.WriteBare(from, snap); err != nil {
		t.Fatal(err)
	}
	objects := filepath.Join(from, "objects")
	if err := errors.Join(os.RemoveAll(objects), os.Symlink(filepath.Join(h.folder, "cache", string(m.id), "objects"), objects)); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "mirror")
	git := gittest.At(t, t.TempDir())
	git.Git("clone", "--quiet", "--mirror", "--no-local", from, to)
	git = gittest.At(t, to)
	if out := git.Git("fsck", "--full", "--strict"); out != "" {
		t.Errorf("git fsck of a mirror: %s", out)
	}
	all := strings.Fields(git.Git("rev-list", "--objects", "--all", "--no-object-names"))
	slices.Sort(all)
	return git.Git("for-each-ref") + "\n" + strings.Join(all, "\n")
}

// faults makes the stores fail: the n-th change is made or not, and from there on
// nothing works, as for a process that is killed.
type faults struct {
	mu      sync.Mutex // guards what follows
	changes int        // so far
	at      int        // the change that is the last one; 0: none
	made    bool       // it is made, and its answer is lost
	dead    bool

	before func() // called before every change of rows
}

var errKilled = errors.New("the process was killed")

// kill arranges that the n-th change from now on is the last one.
func (f *faults) kill(n int, made bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes, f.at, f.made, f.dead = 0, n, made, false
}

// change runs a change of a store, or does not.
func (f *faults) change(do func() error) error {
	f.mu.Lock()
	f.changes++
	last, dead, made := f.changes == f.at, f.dead, f.made
	f.dead = f.dead || last
	f.mu.Unlock()
	switch {
	case dead || last && !made:
		return errKilled
	case last:
		return errors.Join(do(), errKilled)
	}
	return do()
}

func (f *faults) killed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

type faultyBlobs struct {
	blob.Store
	f *faults
}

func (b faultyBlobs) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	return b.f.change(func() error { return b.Store.Put(ctx, key, r, size) })
}

func (b faultyBlobs) Delete(ctx context.Context, key string) error {
	return b.f.change(func() error { return b.Store.Delete(ctx, key) })
}

type faultyStore struct {
	maintenance.Store
	f *faults
}

func (s faultyStore) Replace(ctx context.Context, id repo.ID, epoch int64, packIDs []string, by repo.Pack, at time.Time) error {
	if s.f.before != nil {
		s.f.before()
	}
	return s.f.change(func() error { return s.Store.Replace(ctx, id, epoch, packIDs, by, at) })
}

func (s faultyStore) DropLFS(ctx context.Context, keys ...string) error {
	return s.f.change(func() error { return s.Store.DropLFS(ctx, keys...) })
}

func (s faultyStore) DropPack(ctx context.Context, id repo.ID, packID string) error {
	return s.f.change(func() error { return s.Store.DropPack(ctx, id, packID) })
}
