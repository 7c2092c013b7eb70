package codecommit_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/policy/catalog"
)

// attempt is one thing that a writer of refs can do to master, whose first commit is
// first; next is one commit ahead of it.
type attempt struct {
	kind op.RefEffect
	run  func(t *testing.T, h *host, user string, first, second oid.ID) error
}

// pushing is an attempt by git push.
func pushing(command func(first, second oid.ID) codecommit.RefCommand) func(*testing.T, *host, string, oid.ID, oid.ID) error {
	return func(t *testing.T, h *host, user string, first, second oid.ID) error {
		in := codecommit.GitPushInput{RepositoryName: "payments", Commands: []codecommit.RefCommand{command(first, second)}}
		out, err := try(t, h, user, h.GitPush(), in)
		if err == nil && out.Results[0].Reason == denied {
			return errors.New(denied)
		}
		if err == nil && out.Results[0].Reason != "" {
			t.Errorf("%s", out.Results[0].Reason)
		}
		return err
	}
}

// writers are all operations that change refs, with everything that each can do to
// them. The test below fails for an operation that is missing here: whoever adds one
// adds its attempts, and with them the proof that a policy stops it.
var writers = map[string][]attempt{
	"GitPush": {
		{op.CreatesRef, pushing(func(_, second oid.ID) codecommit.RefCommand {
			return codecommit.RefCommand{Ref: "refs/heads/protected", New: second}
		})},
		{op.FastForwardsRef, pushing(func(first, second oid.ID) codecommit.RefCommand {
			return codecommit.RefCommand{Ref: master, Old: first, New: second}
		})},
		{op.ForcesRef, pushing(func(first, second oid.ID) codecommit.RefCommand {
			return codecommit.RefCommand{Ref: "refs/heads/doomed", Old: second, New: first}
		})},
		{op.DeletesRef, pushing(func(_, second oid.ID) codecommit.RefCommand {
			return codecommit.RefCommand{Ref: "refs/heads/doomed", Old: second}
		})},
	},
	"CreateBranch": {{op.CreatesRef, func(t *testing.T, h *host, user string, first, _ oid.ID) error {
		_, err := try(t, h, user, h.CreateBranch(), api.CreateBranchInput{
			RepositoryName: new("payments"), BranchName: new("protected"), CommitId: new(first.String()),
		})
		return err
	}}},
	"DeleteBranch": {{op.DeletesRef, func(t *testing.T, h *host, user string, _, _ oid.ID) error {
		_, err := try(t, h, user, h.DeleteBranch(), api.DeleteBranchInput{RepositoryName: new("payments"), BranchName: new("doomed")})
		return err
	}}},
	"PutFile": {
		{op.FastForwardsRef, func(t *testing.T, h *host, user string, first, _ oid.ID) error {
			_, err := try(t, h, user, h.PutFile(), put("master", "a", "x", first))
			return err
		}},
		{op.CreatesRef, func(t *testing.T, h *host, user string, _, _ oid.ID) error {
			in := put("protected", "a", "x", oid.Zero)
			in.RepositoryName = new("empty")
			_, err := try(t, h, user, h.PutFile(), in)
			return err
		}},
	},
	"DeleteFile": {{op.FastForwardsRef, func(t *testing.T, h *host, user string, first, _ oid.ID) error {
		_, err := try(t, h, user, h.DeleteFile(), api.DeleteFileInput{
			RepositoryName: new("payments"), BranchName: new("master"), FilePath: new("README.md"), ParentCommitId: new(first.String()),
		})
		return err
	}}},
	"CreateCommit": {
		{op.FastForwardsRef, func(t *testing.T, h *host, user string, first, _ oid.ID) error {
			_, err := try(t, h, user, h.CreateCommit(), commitOf("payments", "master", new(first.String())))
			return err
		}},
		{op.CreatesRef, func(t *testing.T, h *host, user string, _, _ oid.ID) error {
			_, err := try(t, h, user, h.CreateCommit(), commitOf("empty", "protected", nil))
			return err
		}},
	},
	"MergeBranchesByFastForward": {{op.FastForwardsRef, func(t *testing.T, h *host, user string, _, _ oid.ID) error {
		_, err := try(t, h, user, h.MergeBranchesByFastForward(), api.MergeBranchesByFastForwardInput{
			RepositoryName: new("payments"), SourceCommitSpecifier: new("next"), DestinationCommitSpecifier: new("master"),
		})
		return err
	}}},
	"MergePullRequestByFastForward": {{op.FastForwardsRef, func(t *testing.T, h *host, user string, _, _ oid.ID) error {
		_, err := try(t, h, user, h.MergePullRequestByFastForward(), api.MergePullRequestByFastForwardInput{
			RepositoryName: new("payments"), PullRequestId: new("1"),
		})
		return err
	}}},
	"UpdateDefaultBranch": {{op.MovesHead, func(t *testing.T, h *host, user string, _, _ oid.ID) error {
		_, err := try(t, h, user, h.UpdateDefaultBranch(), api.UpdateDefaultBranchInput{RepositoryName: new("payments"), DefaultBranchName: new("next")})
		return err
	}}},
}

func commitOf(name, branch string, parent *string) api.CreateCommitInput {
	return api.CreateCommitInput{
		RepositoryName: &name, BranchName: &branch, ParentCommitId: parent,
		PutFiles: []types.PutFileEntry{{FilePath: new("a"), FileContent: []byte("x")}},
	}
}

// dropsRepositories are the operations that change refs by removing or renaming their
// repository; they move no ref by themselves.
func dropsRepositories(s op.Spec) bool { return s.Refs == op.DropsRefs }

// Every writer of refs is listed with all kinds of change that its row declares, a
// policy that denies its own action on the branch stops every one of them, and without
// that policy it works.
func TestEveryRefWriter(t *testing.T) {
	s := &codecommit.Service{}
	for _, o := range s.Operations() {
		row := o.Row()
		if row.Refs == 0 || dropsRepositories(row) {
			continue
		}
		attempts, ok := writers[row.Name]
		if !ok {
			t.Errorf("%s changes refs and is not listed in writers", row.Name)
			continue
		}
		var kinds op.RefEffect
		for _, a := range attempts {
			kinds |= a.kind
		}
		if kinds != row.Refs {
			t.Errorf("%s declares the effects %b, and its attempts try %b", row.Name, row.Refs, kinds)
		}
		for i, a := range attempts {
			t.Run(fmt.Sprintf("%s/%d", row.Name, i), func(t *testing.T) { tryWriter(t, row, a) })
		}
	}
}

func tryWriter(t *testing.T, row op.Spec, a attempt) {
	h, git, first, second := payments(t)
	h.repository(t, "empty")
	h.pushed(t, "senior", "payments", git, codecommit.RefCommand{Ref: "refs/heads/doomed", New: second})
	opened(t, h)
	action := row.IAMActions()[0]
	condition := ""
	if len(row.Keys) > 0 {
		condition = `, "Condition": {
			"StringEqualsIfExists": {"codecommit:References": ["refs/heads/master", "refs/heads/protected", "refs/heads/doomed"]},
			"Null": {"codecommit:References": "false"}}`
	}
	h.policies.set(t, "someone", allowAll, `{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "`+action+`", "Resource": "*"`+condition+`}}`)
	before := h.refs(t)
	if err := a.run(t, h, "someone", first, second); err == nil {
		t.Error("it did what the policy denies")
	}
	if diff := cmp.Diff(before, h.refs(t)); diff != "" {
		t.Errorf("a refused change: %s", diff)
	}
	h.policies.set(t, "someone", allowAll)
	if err := a.run(t, h, "someone", first, second); err != nil {
		t.Errorf("without the policy: %v", err)
	}
	if maps.Equal(before, h.refs(t)) {
		t.Error("without the policy nothing changed")
	}
}

// refs are all refs of the repositories of a test, and their default branches.
func (h *host) refs(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range []string{"payments", "empty"} {
		_, snap, err := h.Load(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		all[name+" HEAD"] = string(snap.Head)
		for ref := range snap.Refs.All() {
			all[name+" "+string(ref.Name)] = ref.OID.String()
		}
	}
	return all
}

// grant asks for one action on one ref, as a caller who may do everything.
func (h *host) grant(t *testing.T, action, repository string, ref refname.Name) authz.Grant {
	t.Helper()
	check := authz.Check{Action: action, Resource: h.ARN(repository)}
	if ref != "" {
		check.Values = []authz.Value{{Key: codecommit.ReferencesKey, Values: []string{string(ref)}}}
	}
	g, err := h.authorizer.Authorize(t.Context(), as("senior"), check)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// moveRefs refuses every move that its grant does not cover, whoever calls it.
func TestMoveRefsRefusesWhatIsNotGranted(t *testing.T) {
	h, _, first, second := payments(t)
	r, _, err := h.Load(t.Context(), "payments")
	if err != nil {
		t.Fatal(err)
	}
	push := op.Spec{Service: "codecommit", Name: "GitPush", Refs: op.CreatesRef | op.FastForwardsRef | op.DeletesRef}
	forward := codecommit.RefMove{Ref: master, Old: first, New: second}
	for _, tc := range []struct {
		name  string
		grant authz.Grant
		by    op.Spec
		moves []codecommit.RefMove
	}{
		{"no grant", authz.Grant{}, push, []codecommit.RefMove{forward}},
		{"another ref", h.grant(t, "codecommit:GitPush", "payments", "refs/heads/next"), push, []codecommit.RefMove{forward}},
		{"no ref", h.grant(t, "codecommit:GitPush", "payments", ""), push, []codecommit.RefMove{forward}},
		{"another repository", h.grant(t, "codecommit:GitPush", "other", master), push, []codecommit.RefMove{forward}},
		{"another action", h.grant(t, "codecommit:PutFile", "payments", master), push, []codecommit.RefMove{forward}},
		{
			"one of two", h.grant(t, "codecommit:GitPush", "payments", master), push,
			[]codecommit.RefMove{forward, {Ref: "refs/heads/new", New: second}},
		},
		{
			"a kind that was not declared", h.grant(t, "codecommit:DeleteBranch", "payments", master),
			op.Spec{Service: "codecommit", Name: "DeleteBranch", Refs: op.DeletesRef}, []codecommit.RefMove{forward},
		},
		{
			"a creation that was not declared", h.grant(t, "codecommit:DeleteFile", "payments", "refs/heads/new"),
			op.Spec{Service: "codecommit", Name: "DeleteFile", Refs: op.FastForwardsRef}, []codecommit.RefMove{{Ref: "refs/heads/new", New: second}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
				return h.MoveRefs(ctx, tx, tc.grant, tc.by, r, tc.moves...)
			})
			if !errors.Is(err, codecommit.ErrNotGranted) {
				t.Errorf("got %v", err)
			}
			if h.tip(t, "payments", master) != first {
				t.Fatal("master moved")
			}
		})
	}
	err = h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		return h.MoveRefs(ctx, tx, h.grant(t, "codecommit:GitPush", "payments", master), push, r, forward)
	})
	if err != nil || h.tip(t, "payments", master) != second {
		t.Errorf("a move that is granted: %v", err)
	}
	err = h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		return h.MoveHead(ctx, tx, h.grant(t, "codecommit:UpdateDefaultBranch", "other", ""),
			op.Spec{Service: "codecommit", Name: "UpdateDefaultBranch", Refs: op.MovesHead}, r, "refs/heads/next")
	})
	if !errors.Is(err, codecommit.ErrNotGranted) {
		t.Errorf("another repository's default branch: %v", err)
	}
}

// A grant does not survive the renaming of its repository: other policies apply to the
// new name.
func TestMoveRefsAfterARename(t *testing.T) {
	h, _, first, second := payments(t)
	r, _, err := h.Load(t.Context(), "payments")
	if err != nil {
		t.Fatal(err)
	}
	g := h.grant(t, "codecommit:GitPush", "payments", master)
	renamed := r
	renamed.Name = "renamed"
	err = h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error { return tx.UpdateRepository(ctx, renamed) })
	if err != nil {
		t.Fatal(err)
	}
	err = h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		return h.MoveRefs(ctx, tx, g, op.Spec{Service: "codecommit", Name: "GitPush", Refs: op.FastForwardsRef}, r,
			codecommit.RefMove{Ref: master, Old: first, New: second})
	})
	if err == nil || h.tip(t, "renamed", master) != first {
		t.Errorf("got %v, master is at %s", err, h.tip(t, "renamed", master))
	}
}

// Every move leaves its trace in the reflog.
func TestRefEvents(t *testing.T) {
	h, _, first, second := payments(t)
	r, _, err := h.Load(t.Context(), "payments")
	if err != nil {
		t.Fatal(err)
	}
	h.pushed(t, "senior", "payments", nil, codecommit.RefCommand{Ref: master, Old: first, New: second})
	var events []codecommit.RefEvent
	err = h.Store.View(t.Context(), func(ctx context.Context, tx codecommit.Reader) error {
		events, err = tx.RefEvents(ctx, r.ID, master, 10)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := codecommit.RefEvent{
		Gen: r.Gen + 1, Move: codecommit.RefMove{Ref: master, Old: first, New: second},
		Principal: "arn:aws:iam::111122223333:user/senior", Operation: "GitPush", At: events[0].At, RequestID: events[0].RequestID,
	}
	if diff := cmp.Diff(want, events[0]); diff != "" || len(events) != 2 || events[0].RequestID == "" || !events[0].At.Equal(now) {
		t.Errorf("%d events: %s", len(events), diff)
	}
}

// The table of operations lists each once, with what its checks carry.
func TestOperations(t *testing.T) {
	s := &codecommit.Service{}
	table, err := op.NewTable(s.Operations())
	if err != nil {
		t.Fatal(err)
	}
	var without []string
	for _, o := range table.All() {
		row := o.Row()
		action, ok := catalog.Lookup(row.IAMActions()[0])
		if row.Service != "codecommit" || !ok || (row.Resource == "") != (len(action.Resources) == 0) {
			t.Errorf("%s: %+v, action %+v", row.Name, row, action)
		}
		if row.Refs&^(op.MovesHead|op.DropsRefs) != 0 && row.Keys[codecommit.ReferencesKey] == "" {
			without = append(without, row.Name)
		}
	}
	if slices.Sort(without); without != nil {
		t.Errorf("%q change refs and do not say which", without)
	}
}
