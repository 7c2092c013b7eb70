package codecommit_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
	"github.com/refward/refward/policy/catalog"
)

const denied = "You don't have permission to push changes to this branch"

func reasonsOf(out *codecommit.GitPushOutput) map[refname.Name]string {
	all := map[refname.Name]string{}
	for _, r := range out.Results {
		all[r.Ref] = r.Reason
	}
	return all
}

func TestPushOfARefusedBranch(t *testing.T) {
	h, git, first, second := payments(t)
	out := h.push(t, "junior", "payments", git,
		codecommit.RefCommand{Ref: master, Old: first, New: second},
		codecommit.RefCommand{Ref: "refs/heads/mine", New: second})

	if diff := cmp.Diff(map[refname.Name]string{master: denied, "refs/heads/mine": ""}, reasonsOf(out)); diff != "" {
		t.Error(diff)
	}
	if got := h.tip(t, "payments", master); got != first {
		t.Errorf("master moved to %s", got)
	}
	if got := h.tip(t, "payments", "refs/heads/mine"); got != second {
		t.Errorf("the other branch of the push is at %s", got)
	}
	remote := strings.Join(out.Results[0].Remote, "\n")
	for _, want := range []string{"refs/heads/master", "Policy2", "user junior", "ProtectMaster", "open a pull request", "git push origin HEAD:refs/heads/"} {
		if !strings.Contains(remote, want) {
			t.Errorf("the pusher is not told %q:\n%s", want, remote)
		}
	}
}

func TestPushDecisions(t *testing.T) {
	h, git, first, second := payments(t)
	update := codecommit.RefCommand{Ref: master, Old: first, New: second}
	for _, tc := range []struct {
		name     string
		user     string
		commands []codecommit.RefCommand
		atomic   bool
		want     map[refname.Name]string
	}{
		{
			"atomic with one refused", "junior",
			[]codecommit.RefCommand{update, {Ref: "refs/heads/mine", New: second}}, true,
			map[refname.Name]string{master: denied, "refs/heads/mine": "atomic push failed"},
		},
		{
			"deletion of a refused branch", "junior",
			[]codecommit.RefCommand{{Ref: master, Old: first}}, false,
			map[refname.Name]string{master: denied},
		},
		{
			"nothing allowed", "nobody",
			[]codecommit.RefCommand{{Ref: "refs/heads/mine", New: second}, {Ref: "refs/tags/v1", New: second}}, false,
			map[refname.Name]string{"refs/heads/mine": denied, "refs/tags/v1": "You don't have permission to push changes to this reference"},
		},
		{
			"one good, many bad", "senior",
			[]codecommit.RefCommand{
				{Ref: "refs/heads/good", New: second},
				{Ref: "refs/heads/bad..name", New: second},
				{Ref: "refs/pull/1/head", New: second},
				{Ref: "refs/heads/next/x", New: second},
				{Ref: "refs/heads/gone", Old: first},
				{Ref: "refs/heads/next", Old: first, New: second},
			}, false,
			map[refname.Name]string{
				"refs/heads/good":      "",
				"refs/heads/bad..name": "funny refname",
				"refs/pull/1/head":     "only refs/heads/, refs/tags/ and refs/notes/ can be pushed to",
				"refs/heads/next/x":    "refs/heads/next exists; cannot create refs/heads/next/x beside it",
				"refs/heads/gone":      "the reference does not exist",
				"refs/heads/next":      "fetch first",
			},
		},
		{
			"deletion of the default branch", "senior",
			[]codecommit.RefCommand{{Ref: master, Old: first}}, false,
			map[refname.Name]string{master: "the default branch cannot be deleted"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := h.pushInput(t, "payments", git, tc.commands)
			in.Atomic = tc.atomic
			out := do(t, h, tc.user, h.GitPush(), in)
			if diff := cmp.Diff(tc.want, reasonsOf(out)); diff != "" {
				t.Error(diff)
			}
			for ref, reason := range tc.want {
				if created := !h.tip(t, "payments", ref).IsZero(); reason != "" && created && ref != master && ref != "refs/heads/next" {
					t.Errorf("%s was created although it was refused", ref)
				}
			}
			if h.tip(t, "payments", master) != first {
				t.Fatal("master moved")
			}
		})
	}
}

// A pusher without rights does not learn whether the repository exists.
func TestPushToAnUnknownRepository(t *testing.T) {
	h := newHost(t)
	commands := []codecommit.RefCommand{{Ref: master, New: oid.ID{1}}}
	out := do(t, h, "nobody", h.GitPush(), codecommit.GitPushInput{RepositoryName: "unknown", Commands: commands})
	if out.Results[0].Reason != denied {
		t.Errorf("got %q", out.Results[0].Reason)
	}
	refuse(t, h, "senior", h.GitPush(), codecommit.GitPushInput{RepositoryName: "unknown", Commands: commands}, "RepositoryDoesNotExist")
	for _, name := range []string{"", "a/b", "x.git", "..", strings.Repeat("x", 101)} {
		_, err := try(t, h, "senior", h.GitPull(), codecommit.GitPullInput{RepositoryName: name})
		if err == nil {
			t.Errorf("%q is accepted", name)
		}
	}
	refuse(t, h, "nobody", h.GitPull(), codecommit.GitPullInput{RepositoryName: "unknown"}, "AccessDenied")
	refuse(t, h, "nobody", h.GitPushAdvertise(), codecommit.GitPushAdvertiseInput{RepositoryName: "unknown"}, "AccessDenied")
	refuse(t, h, "senior", h.GitPull(), codecommit.GitPullInput{RepositoryName: "unknown"}, "RepositoryDoesNotExist")
}

// The first decision of a push carries no reference, so juniors pass it.
func TestPushAdvertise(t *testing.T) {
	h, _, first, _ := payments(t)
	out := do(t, h, "junior", h.GitPushAdvertise(), codecommit.GitPushAdvertiseInput{RepositoryName: "payments"})
	if ref, ok := out.Snapshot.Ref(master); !ok || ref.OID != first {
		t.Errorf("master is advertised at %s", ref.OID)
	}
}

func TestPushOfTooManyCommands(t *testing.T) {
	h := newHost(t)
	in := codecommit.GitPushInput{RepositoryName: "payments"}
	refuse(t, h, "senior", h.GitPush(), in, "MalformedInput")
	for i := range 4001 {
		in.Commands = append(in.Commands, codecommit.RefCommand{Ref: refname.Branch(fmt.Sprint("b", i)), New: oid.ID{1}})
	}
	_, err := try(t, h, "senior", h.GitPush(), in)
	if err == nil || !strings.Contains(err.Error(), "Too many reference update commands") {
		t.Errorf("got %v", err)
	}
}

func TestPushChecksWhatItBrings(t *testing.T) {
	h, git, first, second := payments(t)
	blob, err := oid.Parse(git.Git("rev-parse", "HEAD:README.md"))
	if err != nil {
		t.Fatal(err)
	}
	git.Git("tag", "--annotate", "--message=release", "v1", first.String())
	tag := git.ID("refs/tags/v1")
	out := h.push(t, "senior", "payments", git,
		codecommit.RefCommand{Ref: "refs/heads/blob", New: blob},
		codecommit.RefCommand{Ref: "refs/heads/tag", New: tag},
		codecommit.RefCommand{Ref: "refs/tags/v1", New: tag},
		codecommit.RefCommand{Ref: "refs/tags/blob", New: blob})
	want := map[refname.Name]string{
		"refs/heads/blob": "a branch must point to a commit, not to a blob",
		"refs/heads/tag":  "a branch must point to a commit, not to a tag",
		"refs/tags/v1":    "",
		"refs/tags/blob":  "",
	}
	if diff := cmp.Diff(want, reasonsOf(out)); diff != "" {
		t.Error(diff)
	}
	_, snap, err := h.Load(t.Context(), "payments")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := snap.Ref("refs/tags/v1"); got.OID != tag || got.Peeled != first {
		t.Errorf("the tag is %s, peeled %s, want %s, %s", got.OID, got.Peeled, tag, first)
	}

	// A tag that takes for ever to follow is the pusher's doing, and no failure of the host.
	deep, kind := first, "commit"
	for range 17 {
		deep = git.Object("tag", fmt.Sprintf("object %s\ntype %s\ntag v\ntagger A <a@b> 1 +0000\n\nm\n", deep, kind))
		kind = "tag"
	}
	git.Git("update-ref", "refs/tags/deep", deep.String())
	out = h.push(t, "senior", "payments", git, codecommit.RefCommand{Ref: "refs/tags/deep", New: deep})
	if want := "a tag of a tag of a tag, too many times"; out.Results[0].Reason != want {
		t.Errorf("a tag that leads through 17 others: %q, want %q", out.Results[0].Reason, want)
	}

	in := codecommit.GitPushInput{
		RepositoryName: "payments",
		Commands: []codecommit.RefCommand{
			{Ref: "refs/heads/broken", New: second},
			{Ref: "refs/heads/next", Old: first},
		},
		Pack: strings.NewReader("PACK is not what follows"),
	}
	out = do(t, h, "senior", h.GitPush(), in)
	want = map[refname.Name]string{"refs/heads/broken": "unpacker error", "refs/heads/next": "stale info"}
	if diff := cmp.Diff(want, reasonsOf(out)); diff != "" || out.Unpack == "ok" || strings.Contains(out.Unpack, "\n") {
		t.Errorf("unpack %q: %s", out.Unpack, diff)
	}
	out = h.push(t, "senior", "payments", git, codecommit.RefCommand{Ref: "refs/heads/missing", New: oid.ID{9}})
	if out.Unpack == "ok" || out.Results[0].Reason != "unpacker error" {
		t.Errorf("a commit that is nowhere: %+v", out)
	}
	h.PushLimits = repo.Limits{PackBytes: 100}
	git.Commit("large", strings.Repeat("x\n", 1000))
	out = h.push(t, "senior", "payments", git, codecommit.RefCommand{Ref: "refs/heads/large", New: git.ID("HEAD")})
	if out.Unpack == "ok" || out.Results[0].Reason != "unpacker error" {
		t.Errorf("a pack over the limit: %+v", out)
	}
}

// The first push chooses the default branch.
func TestFirstPush(t *testing.T) {
	for _, tc := range []struct {
		name     string
		branches []refname.Name
		want     refname.Name
	}{
		{"one", []refname.Name{"refs/heads/trunk"}, "refs/heads/trunk"},
		{"main before master", []refname.Name{"refs/heads/a", master, "refs/heads/main"}, "refs/heads/main"},
		{"master before others", []refname.Name{"refs/heads/a", master}, master},
		{"else the first", []refname.Name{"refs/heads/z", "refs/heads/a"}, "refs/heads/z"},
		{"a tag is no branch", []refname.Name{"refs/tags/v1"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHost(t)
			h.repository(t, "payments")
			git := gittest.Init(t)
			id := git.Commit("a", "a")
			var commands []codecommit.RefCommand
			for _, b := range tc.branches {
				commands = append(commands, codecommit.RefCommand{Ref: b, New: id})
			}
			h.pushed(t, "senior", "payments", git, commands...)
			_, snap, err := h.Load(t.Context(), "payments")
			if err != nil {
				t.Fatal(err)
			}
			if snap.Head != tc.want {
				t.Errorf("default branch %q, want %q", snap.Head, tc.want)
			}
		})
	}
}

// Of many pushes that start from the same value of a ref, exactly one wins.
func TestConcurrentPushes(t *testing.T) {
	h, _, first, _ := payments(t)
	const pushers = 6
	ids := make([]oid.ID, pushers)
	reasons := make([]string, pushers)
	var wg sync.WaitGroup
	for i := range pushers {
		git := gittest.Init(t)
		git.Commit("README.md", "one\n")
		ids[i] = git.Commit("mine", fmt.Sprint(i))
		in := h.pushInput(t, "payments", git, []codecommit.RefCommand{
			{Ref: master, Old: first, New: ids[i]},
			{Ref: refname.Branch(fmt.Sprint("own", i)), New: ids[i]},
		})
		wg.Go(func() {
			out, err := op.Invoke(t.Context(), h.authorizer, as("senior"), h.GitPush(), &in)
			if err != nil {
				t.Error(err)
				return
			}
			reasons[i] = out.Results[0].Reason
			if out.Results[1].Reason != "" {
				t.Errorf("own branch: %s", out.Results[1].Reason)
			}
		})
	}
	wg.Wait()
	tip, won := h.tip(t, "payments", master), 0
	for i, reason := range reasons {
		switch {
		case reason == "" && ids[i] == tip:
			won++
		case reason != "fetch first":
			t.Errorf("push %d: %q, master is at %s", i, reason, tip)
		}
		if h.tip(t, "payments", refname.Branch(fmt.Sprint("own", i))) != ids[i] {
			t.Errorf("own branch %d is not there", i)
		}
	}
	if won != 1 {
		t.Errorf("%d pushes won", won)
	}
}

// Nothing is read of the pack of a push that is refused as a whole.
func TestRefusedPushReadsNoPack(t *testing.T) {
	h, git, first, second := payments(t)
	in := h.pushInput(t, "payments", git, []codecommit.RefCommand{{Ref: master, Old: first, New: second}})
	pack := in.Pack.(*bytes.Reader)
	before := pack.Len()
	if out := do(t, h, "junior", h.GitPush(), in); out.Results[0].Reason != denied || out.Unpack != "ok" {
		t.Errorf("got %+v", out)
	}
	if pack.Len() != before {
		t.Errorf("%d bytes were read", before-pack.Len())
	}
}

// The checks of a push carry the keys that the catalog says of their phase: none that the
// phase lacks, and all that the operation's row names.
func TestPushPhases(t *testing.T) {
	h := newHost(t)
	action, _ := catalog.Lookup("codecommit:GitPush")
	advertise, push := h.GitPushAdvertise(), h.GitPush()
	first, err := advertise.Checks(t.Context(), as("senior"), &codecommit.GitPushAdvertiseInput{RepositoryName: "payments"})
	if err != nil {
		t.Fatal(err)
	}
	commands := []codecommit.RefCommand{{Ref: master, New: oid.ID{1}}, {Ref: "refs/tags/v1", New: oid.ID{1}}}
	each, err := push.Checks(t.Context(), as("senior"), &codecommit.GitPushInput{RepositoryName: "payments", Commands: commands})
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 1 || len(each) != len(commands) {
		t.Fatalf("%d checks at the advertisement and %d of %d commands", len(first), len(each), len(commands))
	}
	for _, tc := range []struct {
		row    op.Spec
		checks []authz.Check
	}{{advertise.Row(), first}, {push.Row(), each}} {
		phase, ok := action.Phase(tc.row.Phase)
		if !ok {
			t.Fatalf("%s: the catalog has no phase %q", tc.row.Name, tc.row.Phase)
		}
		for _, check := range tc.checks {
			var carried []string
			for _, v := range check.Values {
				carried = append(carried, v.Key)
			}
			if diff := cmp.Diff(slices.Collect(maps.Keys(tc.row.Keys)), carried); diff != "" || check.Action != action.Name {
				t.Errorf("%s: %s carries other keys than its row says: %s", tc.row.Name, check.Action, diff)
			}
			for _, key := range carried {
				if !slices.Contains(phase.Keys, key) {
					t.Errorf("%s carries %s, which %s does not", tc.row.Name, key, phase.When)
				}
			}
		}
	}
}
