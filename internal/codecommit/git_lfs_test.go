package codecommit_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/blob"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
)

const feature refname.Name = "refs/heads/feature"

func lfsObject(content string) lfs.Object {
	return lfs.Object{OID: sha256.Sum256([]byte(content)), Size: int64(len(content))}
}

// lfsHost is a host with two repositories.
func lfsHost(t *testing.T) (h *host, payments, website codecommit.Repository) {
	t.Helper()
	h = newHost(t)
	return h, h.repository(t, "payments"), h.repository(t, "website")
}

func putInput(r codecommit.Repository, ref refname.Name, content string) codecommit.GitLFSObjectInput {
	return codecommit.GitLFSObjectInput{
		RepositoryName: r.Name, RepositoryID: r.ID, Ref: ref, Object: lfsObject(content), Content: strings.NewReader(content),
	}
}

func batchInput(name string, ref refname.Name, objects ...lfs.Object) codecommit.GitLFSBatchInput {
	return codecommit.GitLFSBatchInput{RepositoryName: name, Ref: ref, Objects: objects}
}

// blobs counts what the blob store has below the repository's objects.
func (h *host) lfsBlobs(t *testing.T, r codecommit.Repository) (n int) {
	t.Helper()
	err := h.Repos.Blobs.List(t.Context(), string(r.ID)+"/lfs/", func(blob.Info) bool { n++; return true })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Every write of Git LFS is decided like a push to the ref that it names: both questions.
func TestLFSIsDecidedLikeAPush(t *testing.T) {
	h, payments, _ := lfsHost(t)
	h.policies.set(t, "reader", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:GitPull", "Resource": "*"}}`)
	h.policies.set(t, "blind", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:GitPush", "Resource": "*"}}`)
	// Allowed with the ref alone, as by a policy that forgot what a push asks first.
	h.policies.set(t, "half", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:GitPush", "Resource": "*",
		"Condition": {"StringEquals": {"codecommit:References": "refs/heads/feature"}}}}`)
	do(t, h, "senior", h.GitLFSPutObject(), putInput(payments, "", "there"))
	lock := do(t, h, "senior", h.GitLFSCreateLock(), codecommit.GitLFSCreateLockInput{RepositoryName: "payments", Path: "there"}).Lock

	writes := map[string]func(user string, ref refname.Name) error{
		"upload": func(user string, ref refname.Name) error {
			_, err := try(t, h, user, h.GitLFSUpload(), batchInput("payments", ref, lfsObject("new")))
			return err
		},
		"put": func(user string, ref refname.Name) error {
			_, err := try(t, h, user, h.GitLFSPutObject(), putInput(payments, ref, user+string(ref)))
			return err
		},
		"verify": func(user string, ref refname.Name) error {
			_, err := try(t, h, user, h.GitLFSVerifyObject(), putInput(payments, ref, "there"))
			return err
		},
		"lock": func(user string, ref refname.Name) error {
			_, err := try(t, h, user, h.GitLFSCreateLock(), codecommit.GitLFSCreateLockInput{RepositoryName: "payments", Ref: ref, Path: "there"})
			return err
		},
		"unlock": func(user string, ref refname.Name) error {
			_, err := try(t, h, user, h.GitLFSDeleteLock(), codecommit.GitLFSDeleteLockInput{RepositoryName: "payments", Ref: ref, ID: lock.ID})
			if user != "senior" && fault.Has(err, fault.Code{Name: "LFSLockIsOthers", Kind: fault.Denied}) {
				return nil // past the decision
			}
			if user == "senior" && err == nil {
				lock = do(t, h, "senior", h.GitLFSCreateLock(), codecommit.GitLFSCreateLockInput{RepositoryName: "payments", Path: "there"}).Lock
			}
			return err
		},
		"locks to verify": func(user string, ref refname.Name) error {
			_, err := try(t, h, user, h.GitLFSVerifyLocks(), codecommit.GitLFSLocksInput{RepositoryName: "payments", Ref: ref})
			return err
		},
	}
	for name, write := range writes {
		for _, tc := range []struct {
			user    string
			ref     refname.Name
			allowed bool
		}{
			{"senior", master, true}, {"senior", feature, true}, {"senior", "", true},
			{"junior", master, false}, {"junior", feature, true}, {"junior", "", true},
			{"blind", feature, true}, {"reader", feature, false}, {"reader", "", false},
			{"half", feature, false}, {"half", "", false}, {"nobody", feature, false},
		} {
			err := write(tc.user, tc.ref)
			denied := fault.Has(err, fault.AccessDenied)
			if denied == tc.allowed || err != nil && !denied {
				t.Errorf("%s by %s for %q: got %v, allowed is to be %v", name, tc.user, tc.ref, err, tc.allowed)
			}
		}
		for _, bad := range []refname.Name{"master", "HEAD", "refs/changes/1", "refs/heads/a..b", "refs/heads/", "refs/heads/x\x00"} {
			if err := write("senior", bad); !fault.Has(err, fault.Code{Name: "InvalidReferenceNameException", Kind: fault.Invalid}) {
				t.Errorf("%s for %q: got %v", name, bad, err)
			}
		}
	}
	for user, allowed := range map[string]bool{"senior": true, "junior": true, "reader": true, "blind": false, "nobody": false} {
		_, batch := try(t, h, user, h.GitLFSDownload(), batchInput("payments", master, lfsObject("there")))
		_, list := try(t, h, user, h.GitLFSListLocks(), codecommit.GitLFSLocksInput{RepositoryName: "payments"})
		out, get := try(t, h, user, h.GitLFSGetObject(), putInput(payments, master, "there"))
		if out != nil {
			_ = out.Content.Close()
		}
		for what, err := range map[string]error{"download": batch, "locks": list, "get": get} {
			if fault.Has(err, fault.AccessDenied) == allowed || allowed && err != nil {
				t.Errorf("%s by %s: %v", what, user, err)
			}
		}
	}
	// The refusal tells the policy, and the way that is open.
	err := writes["upload"]("junior", master)
	if d, ok := errors.AsType[*authz.Denial](err); !ok || !strings.Contains(err.Error(), "ProtectMaster") || d.Check.Way == "" {
		t.Errorf("the junior is told: %v", err)
	}
}

// What a grant does not cover is not done, however one came by it.
func TestLFSWritesNeedTheirGrant(t *testing.T) {
	h, payments, _ := lfsHost(t)
	g, err := h.authorizer.Authorize(t.Context(), as("senior"), authz.Check{
		Action: "codecommit:GitPush", Resource: h.ARN("payments"), Values: []authz.Value{{Key: codecommit.ReferencesKey, Values: []string{string(feature)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	in := putInput(payments, master, "x")
	_, put := h.GitLFSPutObject().Run(t.Context(), g, &in)
	_, none := h.GitLFSPutObject().Run(t.Context(), authz.Grant{}, &in)
	_, lock := h.GitLFSCreateLock().Run(t.Context(), g, &codecommit.GitLFSCreateLockInput{RepositoryName: "payments", Ref: master, Path: "x"})
	_, unlock := h.GitLFSDeleteLock().Run(t.Context(), g, &codecommit.GitLFSDeleteLockInput{RepositoryName: "payments", Ref: master, ID: "x"})
	for what, err := range map[string]error{"put": put, "put without": none, "lock": lock, "unlock": unlock} {
		if !errors.Is(err, codecommit.ErrNotGranted) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func get(t *testing.T, h *host, in codecommit.GitLFSObjectInput) string {
	t.Helper()
	out := do(t, h, "senior", h.GitLFSGetObject(), in)
	b, err := io.ReadAll(out.Content)
	if err = errors.Join(err, out.Content.Close()); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLFSObjects(t *testing.T) {
	h, payments, website := lfsHost(t)
	wrong := func(f *fault.Fault) string {
		if f == nil {
			return ""
		}
		return f.Code.Name
	}
	batch := func(o *op.Operation[codecommit.GitLFSBatchInput, codecommit.GitLFSBatchOutput], name string, objects ...lfs.Object) (all []string) {
		t.Helper()
		for _, p := range do(t, h, "senior", o, batchInput(name, feature, objects...)).Objects {
			all = append(all, fmt.Sprintf("%v%s", p.Present, wrong(p.Wrong)))
		}
		return all
	}
	x, y := lfsObject("the content"), lfsObject("")
	other := x
	other.Size++
	huge := lfs.Object{OID: lfs.OID{1}, Size: 5<<30 + 1}
	for _, content := range []string{"the content", "", "the content"} { // again is no error
		do(t, h, "senior", h.GitLFSPutObject(), putInput(payments, feature, content))
	}
	if n := h.lfsBlobs(t, payments); n != 2 {
		t.Errorf("two objects are in %d blobs", n)
	}
	// What one repository has is unknown in the other, and in the same words as what nobody has.
	for _, tc := range []struct {
		what      string
		got, want []string
	}{
		{"download", batch(h.GitLFSDownload(), "payments", x, y, other, lfsObject("?"), huge),
			[]string{"true", "true", "falseLFSObjectDiffers", "falseLFSObjectDoesNotExist", "falseLFSObjectDoesNotExist"}},
		{"upload", batch(h.GitLFSUpload(), "payments", x, y, other, lfsObject("?"), huge),
			[]string{"true", "true", "falseLFSObjectDiffers", "false", "falseLFSObjectTooLarge"}},
		{"download elsewhere", batch(h.GitLFSDownload(), "website", x, lfsObject("?")), []string{"falseLFSObjectDoesNotExist", "falseLFSObjectDoesNotExist"}},
		{"upload elsewhere", batch(h.GitLFSUpload(), "website", x, lfsObject("?")), []string{"false", "false"}},
	} {
		if d := cmp.Diff(tc.want, tc.got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.what, d)
		}
	}
	in := putInput(payments, "", "the content")
	if got := get(t, h, in); got != "the content" {
		t.Errorf("read %q", got)
	}
	if in.From = 4; get(t, h, in) != "content" {
		t.Errorf("read %q from byte 4", get(t, h, in))
	}
	refuse(t, h, "senior", h.GitLFSGetObject(), putInput(website, "", "the content"), "LFSObjectDoesNotExist")
	refuse(t, h, "senior", h.GitLFSVerifyObject(), putInput(website, "", "the content"), "LFSObjectDoesNotExist")
	swapped := putInput(payments, "", "the content")
	swapped.RepositoryID = website.ID // a ticket of another repository
	refuse(t, h, "senior", h.GitLFSGetObject(), swapped, "RepositoryDoesNotExist")
	refuse(t, h, "senior", h.GitLFSPutObject(), swapped, "RepositoryDoesNotExist")
	refuse(t, h, "senior", h.GitLFSDownload(), batchInput("unknown", ""), "RepositoryDoesNotExist")
	refuse(t, h, "senior", h.GitLFSUpload(), batchInput("bad name", ""), "InvalidRepositoryName")
}

func TestLFSPutRefuses(t *testing.T) {
	h, payments, _ := lfsHost(t)
	for name, content := range map[string]string{"less": "the conten", "more": "the content!", "other": "The content", "nothing": ""} {
		in := putInput(payments, feature, "the content")
		in.Content = strings.NewReader(content)
		refuse(t, h, "senior", h.GitLFSPutObject(), in, "LFSObjectDiffers")
		if n := h.lfsBlobs(t, payments); n != 0 {
			t.Errorf("%s: left %d blobs", name, n)
		}
	}
	refuse(t, h, "senior", h.GitLFSGetObject(), putInput(payments, "", "the content"), "LFSObjectDoesNotExist")
	do(t, h, "senior", h.GitLFSPutObject(), putInput(payments, feature, "the content"))
	in := putInput(payments, feature, "the content")
	in.Content = strings.NewReader("something else")
	refuse(t, h, "senior", h.GitLFSPutObject(), in, "LFSObjectDiffers")

	h.LFSObjectBytes = 4
	refuse(t, h, "senior", h.GitLFSPutObject(), putInput(payments, feature, "12345"), "LFSObjectTooLarge")
	do(t, h, "senior", h.GitLFSPutObject(), putInput(payments, feature, "1234"))
}

// TestLFSPutRace: of uploads of one object at once all succeed, and one blob is left.
func TestLFSPutRace(t *testing.T) {
	h, payments, _ := lfsHost(t)
	content := strings.Repeat("0123456789abcdef", 10_000)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := try(t, h, "junior", h.GitLFSPutObject(), putInput(payments, feature, content)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := h.lfsBlobs(t, payments); n != 1 {
		t.Errorf("%d blobs", n)
	}
	if got := get(t, h, putInput(payments, "", content)); got != content {
		t.Errorf("read %d bytes", len(got))
	}
}

// TestLFSOfDeletedRepository: the next repository of the name has none of it, and an
// upload that was under way lands nowhere.
func TestLFSOfDeletedRepository(t *testing.T) {
	h, payments, website := lfsHost(t)
	do(t, h, "senior", h.GitLFSPutObject(), putInput(payments, "", "one"))
	do(t, h, "senior", h.GitLFSPutObject(), putInput(website, "", "one"))
	do(t, h, "senior", h.GitLFSCreateLock(), codecommit.GitLFSCreateLockInput{RepositoryName: "payments", Path: "file"})

	slow := putInput(payments, "", "two")
	slow.Content = io.MultiReader(strings.NewReader("tw"), &once{f: func() {
		do(t, h, "senior", h.DeleteRepository(), api.DeleteRepositoryInput{RepositoryName: &payments.Name})
	}}, strings.NewReader("o"))
	refuse(t, h, "senior", h.GitLFSPutObject(), slow, "RepositoryDoesNotExist")

	again := h.repository(t, "payments")
	refuse(t, h, "senior", h.GitLFSGetObject(), putInput(again, "", "one"), "LFSObjectDoesNotExist")
	refuse(t, h, "senior", h.GitLFSGetObject(), putInput(payments, "", "one"), "RepositoryDoesNotExist")
	if locks := do(t, h, "senior", h.GitLFSListLocks(), codecommit.GitLFSLocksInput{RepositoryName: "payments"}).Locks; len(locks) != 0 {
		t.Errorf("the new repository has locks: %v", locks)
	}
	if n := h.lfsBlobs(t, payments); n != 1 { // for maintenance, after the grace period
		t.Errorf("%d blobs are left, want 1", n)
	}
	if got := get(t, h, putInput(website, "", "one")); got != "one" {
		t.Errorf("another repository's object is %q", got)
	}
}

// once calls f when it is read.
type once struct{ f func() }

func (o *once) Read([]byte) (int, error) {
	if o.f != nil {
		o.f()
		o.f = nil
	}
	return 0, io.EOF
}

func TestLFSLocks(t *testing.T) {
	h, _, _ := lfsHost(t)
	lock := func(user, path string, ref refname.Name) *codecommit.GitLFSCreateLockOutput {
		t.Helper()
		return do(t, h, user, h.GitLFSCreateLock(), codecommit.GitLFSCreateLockInput{RepositoryName: "payments", Path: path, Ref: ref})
	}
	a := lock("senior", "a.bin", master)
	if !a.Created || a.Lock.Path != "a.bin" || a.Lock.OwnerName() != "senior" || a.Lock.Ref != master || a.Lock.ID == "" {
		t.Errorf("lock is %+v", a)
	}
	if again := lock("junior", "a.bin", feature); again.Created || again.Lock != a.Lock {
		t.Errorf("in the way is %+v, want %+v", again, a.Lock)
	}
	b, none := lock("junior", "b.bin", feature).Lock, lock("senior", "c.bin", "").Lock
	for _, bad := range []string{"", "/a", "../a", "a\n"} {
		refuse(t, h, "senior", h.GitLFSCreateLock(), codecommit.GitLFSCreateLockInput{RepositoryName: "payments", Path: bad}, "InvalidPath")
	}

	list := func(in codecommit.GitLFSLocksInput) (ids []string) {
		t.Helper()
		in.RepositoryName = "payments"
		for {
			out := do(t, h, "junior", h.GitLFSListLocks(), in)
			for _, l := range out.Locks {
				ids = append(ids, l.ID)
			}
			if in.Cursor = out.Next; in.Cursor == "" {
				return ids
			}
		}
	}
	for _, tc := range []struct {
		in   codecommit.GitLFSLocksInput
		want []string
	}{
		{codecommit.GitLFSLocksInput{}, []string{a.Lock.ID, b.ID, none.ID}},
		{codecommit.GitLFSLocksInput{Limit: 1}, []string{a.Lock.ID, b.ID, none.ID}},
		{codecommit.GitLFSLocksInput{Limit: 1 << 30}, []string{a.Lock.ID, b.ID, none.ID}},
		{codecommit.GitLFSLocksInput{Path: "b.bin"}, []string{b.ID}},
		{codecommit.GitLFSLocksInput{ID: b.ID}, []string{b.ID}},
		{codecommit.GitLFSLocksInput{ID: b.ID, Path: "a.bin"}, nil},
		{codecommit.GitLFSLocksInput{Path: "nowhere"}, nil},
		{codecommit.GitLFSLocksInput{ID: "nothing"}, nil},
	} {
		if d := cmp.Diff(tc.want, list(tc.in)); d != "" {
			t.Errorf("list %+v (-want +got):\n%s", tc.in, d)
		}
	}
	next := do(t, h, "senior", h.GitLFSListLocks(), codecommit.GitLFSLocksInput{RepositoryName: "payments", Limit: 1}).Next
	refuse(t, h, "senior", h.GitLFSListLocks(), codecommit.GitLFSLocksInput{RepositoryName: "website", Cursor: next}, "InvalidContinuationToken")
	refuse(t, h, "senior", h.GitLFSListLocks(), codecommit.GitLFSLocksInput{RepositoryName: "payments", Limit: -1}, "InvalidMaxResults")
	verified := do(t, h, "junior", h.GitLFSVerifyLocks(), codecommit.GitLFSLocksInput{RepositoryName: "payments", Ref: feature, Limit: 2, Path: "ignored"})
	if len(verified.Locks) != 2 || verified.Next == "" || verified.Locks[0].Ours(as("junior").Principal) || !verified.Locks[1].Ours(as("junior").Principal) {
		t.Errorf("verified %+v", verified)
	}
}

// A lock of somebody else's is removed by force alone, and by who may push to its ref.
func TestLFSForcedUnlock(t *testing.T) {
	h, _, _, _ := payments(t)
	lock := func(user string, ref refname.Name) codecommit.GitLFSDeleteLockInput {
		t.Helper()
		out := do(t, h, user, h.GitLFSCreateLock(), codecommit.GitLFSCreateLockInput{RepositoryName: "payments", Path: "file", Ref: ref})
		if !out.Created {
			t.Fatalf("there is a lock: %+v", out.Lock)
		}
		return codecommit.GitLFSDeleteLockInput{RepositoryName: "payments", ID: out.Lock.ID, Ref: feature}
	}
	for _, tc := range []struct {
		made refname.Name // by the senior
		by   string
		want string // of a forced removal; empty: it is removed
	}{
		{master, "junior", "AccessDenied"}, // may not push to the lock's branch
		{"", "junior", "AccessDenied"},     // nor to the default branch
		{feature, "junior", ""},
		{master, "senior2", ""},
	} {
		h.policies.set(t, "senior2", allowAll)
		in := lock("senior", tc.made)
		refuse(t, h, tc.by, h.GitLFSDeleteLock(), in, "LFSLockIsOthers")
		in.Force = true
		if tc.want != "" {
			refuse(t, h, tc.by, h.GitLFSDeleteLock(), in, tc.want)
			in.Force = false
			do(t, h, "senior", h.GitLFSDeleteLock(), in) // it was still there, and is one's own
			continue
		}
		if got := do(t, h, tc.by, h.GitLFSDeleteLock(), in).Lock; got.ID != in.ID {
			t.Errorf("removed %+v", got)
		}
		refuse(t, h, tc.by, h.GitLFSDeleteLock(), in, "LFSLockDoesNotExist")
	}
	// One's own needs no right to its branch any more.
	in := lock("junior", feature)
	h.policies.set(t, "junior", allowAll, strings.ReplaceAll(denyMaster, "refs/heads/master", string(feature)))
	in.Ref = ""
	do(t, h, "junior", h.GitLFSDeleteLock(), in)

	// Who has a principal's name now is not who had it.
	in = lock("senior", master)
	twin := as("senior")
	twin.Principal.UserID = "AIDAANOTHER"
	if _, err := op.Invoke(t.Context(), h.authorizer, twin, h.GitLFSDeleteLock(), &in); !fault.Has(err, fault.Code{Name: "LFSLockIsOthers", Kind: fault.Denied}) {
		t.Errorf("the name's next holder: %v", err)
	}
}

// The default branch that a forced removal was decided for is the one at the end.
func TestLFSForcedUnlockRace(t *testing.T) {
	h, _, _, _ := payments(t)
	made := do(t, h, "senior", h.GitLFSCreateLock(), codecommit.GitLFSCreateLockInput{RepositoryName: "payments", Path: "file"}).Lock
	o := h.GitLFSDeleteLock()
	run := o.Run
	branch, name := "next", "payments"
	o.Run = func(ctx context.Context, g authz.Grant, in *codecommit.GitLFSDeleteLockInput) (*codecommit.GitLFSDeleteLockOutput, error) {
		do(t, h, "senior", h.UpdateDefaultBranch(), api.UpdateDefaultBranchInput{RepositoryName: &name, DefaultBranchName: &branch})
		return run(ctx, g, in)
	}
	h.policies.set(t, "senior2", allowAll)
	refuse(t, h, "senior2", o, codecommit.GitLFSDeleteLockInput{RepositoryName: "payments", ID: made.ID, Force: true}, "LFSLockChanged")
}
