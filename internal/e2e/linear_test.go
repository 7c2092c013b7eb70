package e2e

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
)

// How much is done in TestRefsAreLinearizable.
const (
	linearRefs    = 3
	linearCallers = 4  // by the API
	linearCalls   = 60 // of each
	linearPushers = 3  // by Git
	linearPushes  = 20 // of each
	linearKills   = 3
	linearTimeout = 5 * time.Minute
)

// refOp is what was asked of one ref.
type refOp struct {
	ref      string
	kind     refOpKind
	old, new string // of a write; new is empty where the answer tells it, or the ref goes
}

type refOpKind int

const (
	readRef    refOpKind = iota
	createRef            // succeeds where there is none
	deleteRef            // answers with what it was
	replaceRef           // from old to new
)

// refAnswer is what the host said.
type refAnswer struct {
	outcome refOutcome
	value   string // what was read or deleted; the new value of a write by the API
}

type refOutcome int

const (
	done refOutcome = iota
	lost            // the ref was not what the write needs
	unknown
)

// refModel is one ref: a register with compare-and-swap. An operation whose answer never
// came may have happened, or not.
var refModel = porcupine.NondeterministicModel{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byRef := map[string][]porcupine.Operation{}
		for _, o := range history {
			ref := o.Input.(refOp).ref
			byRef[ref] = append(byRef[ref], o)
		}
		var parts [][]porcupine.Operation
		for _, p := range byRef {
			parts = append(parts, p)
		}
		return parts
	},
	Init: func() []any { return []any{""} },
	Step: func(state, input, output any) []any {
		return stepRef(state.(string), input.(refOp), output.(refAnswer))
	},
	DescribeOperation: func(input, output any) string {
		in, out := input.(refOp), output.(refAnswer)
		return fmt.Sprintf("%s %d %.7s..%.7s = %d %.7s", in.ref, in.kind, in.old, in.new, out.outcome, out.value)
	},
}

// unseen is a ref's value after a write by the API whose answer never came: a commit whose
// name nobody was told.
const unseen = "a commit"

// stepRef returns the values that the ref can have afterwards; none where the answer is
// impossible.
func stepRef(at string, in refOp, out refAnswer) []any {
	fits := map[refOpKind]bool{readRef: true, createRef: at == "", deleteRef: true, replaceRef: at == in.old}[in.kind]
	next := map[refOpKind]string{readRef: at, createRef: in.new, deleteRef: "", replaceRef: in.new}[in.kind]
	if in.kind == replaceRef && in.new == "" { // by the API: the host made the commit
		next = out.value
		if out.outcome == unknown {
			next = unseen
		}
	}
	if at == unseen && (in.kind == readRef || in.kind == deleteRef) && out.value != "" {
		at = out.value // and so it was this one
		next = map[refOpKind]string{readRef: at, deleteRef: ""}[in.kind]
	}
	switch {
	case out.outcome == unknown && fits:
		return []any{at, next}
	case out.outcome == unknown, out.outcome == lost && !fits:
		return []any{at}
	case out.outcome == lost, !fits:
		return nil
	case (in.kind == readRef || in.kind == deleteRef) && out.value != at:
		return nil
	}
	return []any{next}
}

// TestRefModel: the checker finds what it is there for.
func TestRefModel(t *testing.T) {
	op := func(client int, call, ret int64, in refOp, out refAnswer) porcupine.Operation {
		return porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: ret}
	}
	create := op(0, 0, 1, refOp{"r", createRef, "", "A"}, refAnswer{outcome: done})
	for name, c := range map[string]struct {
		history []porcupine.Operation
		want    bool
	}{
		"one after the other": {[]porcupine.Operation{create,
			op(1, 2, 3, refOp{"r", replaceRef, "A", "B"}, refAnswer{outcome: done}),
			op(1, 4, 5, refOp{ref: "r"}, refAnswer{done, "B"})}, true},
		"two writers from one value": {[]porcupine.Operation{create,
			op(1, 2, 5, refOp{"r", replaceRef, "A", "B"}, refAnswer{outcome: done}),
			op(2, 3, 6, refOp{"r", replaceRef, "A", "C"}, refAnswer{outcome: done})}, false},
		"stale read": {[]porcupine.Operation{create,
			op(1, 2, 3, refOp{"r", replaceRef, "A", "B"}, refAnswer{outcome: done}),
			op(2, 4, 5, refOp{ref: "r"}, refAnswer{done, "A"})}, false},
		"lost without a reason": {[]porcupine.Operation{create,
			op(1, 2, 3, refOp{"r", replaceRef, "A", "B"}, refAnswer{outcome: lost})}, false},
		"an acknowledged write gone": {[]porcupine.Operation{create,
			op(2, 4, 5, refOp{ref: "r"}, refAnswer{done, ""})}, false},
		"unknown, and it happened": {[]porcupine.Operation{create,
			op(1, 2, math.MaxInt64, refOp{"r", replaceRef, "A", "B"}, refAnswer{outcome: unknown}),
			op(2, 4, 5, refOp{ref: "r"}, refAnswer{done, "B"})}, true},
		"unknown, happened and undone": {[]porcupine.Operation{create,
			op(1, 2, math.MaxInt64, refOp{"r", replaceRef, "A", "B"}, refAnswer{outcome: unknown}),
			op(2, 4, 5, refOp{ref: "r"}, refAnswer{done, "B"}),
			op(2, 6, 7, refOp{ref: "r"}, refAnswer{done, "A"})}, false},
		"an unseen commit": {[]porcupine.Operation{create,
			op(1, 2, math.MaxInt64, refOp{"r", replaceRef, "A", ""}, refAnswer{outcome: unknown}),
			op(2, 4, 5, refOp{ref: "r"}, refAnswer{done, "X"}),
			op(2, 6, 7, refOp{ref: "r", kind: deleteRef}, refAnswer{done, "X"})}, true},
		"an unseen commit that was two": {[]porcupine.Operation{create,
			op(1, 2, math.MaxInt64, refOp{"r", replaceRef, "A", ""}, refAnswer{outcome: unknown}),
			op(2, 4, 5, refOp{ref: "r"}, refAnswer{done, "X"}),
			op(2, 6, 7, refOp{ref: "r"}, refAnswer{done, "Y"})}, false},
	} {
		if got := porcupine.CheckOperations(refModel.ToModel(), c.history); got != c.want {
			t.Errorf("%s: linearizable %v, want %v", name, got, c.want)
		}
	}
}

// recorder keeps the history of a test.
type recorder struct {
	start time.Time

	mu      sync.Mutex // guards history
	history []porcupine.Operation
}

// do runs one operation and records it. A read without an answer says nothing.
func (r *recorder) do(client int, in refOp, run func() (refAnswer, error)) error {
	call := time.Since(r.start).Nanoseconds()
	out, err := run()
	ret := time.Since(r.start).Nanoseconds()
	if err != nil {
		return err
	}
	if out.outcome == unknown {
		if in.kind == readRef {
			return nil
		}
		ret = math.MaxInt64
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history = append(r.history, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: ret})
	return nil
}

// contest is several people who change the same refs in all the ways there are.
type contest struct {
	*recorder
	url  string
	pool []string // commits that the host has
	dir  string   // a checkout that has them, too
	down sync.RWMutex
}

// TestRefsAreLinearizable: people change and read the same few branches by Git and by the
// API, while the host is killed now and then. What they were told must be what some
// order, one operation after the other, explains.
func TestRefsAreLinearizable(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a host for a while: not with -short")
	}
	h := hosttest.StartProcess(t)
	c := &contest{recorder: &recorder{start: time.Now()}, url: setUpWriters(t, h.Root, h.Place, h.Account)}
	var people []*person.Person
	for i := range linearCallers + linearPushers {
		p, err := h.Root.Hire(t.Context(), fmt.Sprint("person", i))
		if err != nil {
			t.Fatal(err)
		}
		addToGroup(t, h.Root, p.Name, demo.Approvers)
		people = append(people, p)
	}
	c.fillPool(t, h, people[0])

	ctx, cancel := context.WithTimeout(t.Context(), linearTimeout)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	for i, p := range people {
		if i < linearCallers {
			g.Go(func() error { return c.calls(ctx, i, p) })
		} else {
			g.Go(func() error { return c.pushes(ctx, i, p) })
		}
	}
	total := linearCallers * linearCalls
	for kill := range linearKills {
		due := (kill + 1) * total / (linearKills + 1)
		hosttest.Eventually(t, linearTimeout, fmt.Sprintf("%d operations are done", due), func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return len(c.history) >= due || ctx.Err() != nil
		})
		h.Kill(t)
		c.down.Lock()
		h.Restart(t)
		c.down.Unlock()
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	outcomes := map[refOutcome]int{}
	for _, o := range c.history {
		outcomes[o.Output.(refAnswer).outcome]++
	}
	t.Logf("%d operations: %d done, %d lost, %d without an answer", len(c.history), outcomes[done], outcomes[lost], outcomes[unknown])
	if outcomes[done] == 0 || outcomes[lost] == 0 {
		t.Error("nobody stood in anybody's way: this shows nothing")
	}
	if r := porcupine.CheckOperationsTimeout(refModel.ToModel(), c.history, time.Minute); r != porcupine.Ok {
		t.Errorf("the history of the refs: %s", r)
	}
}

// fillPool pushes some commits for refs to point to.
func (c *contest) fillPool(t *testing.T, h *hosttest.Process, p *person.Person) {
	t.Helper()
	c.dir = filepath.Join(t.TempDir(), "pool")
	hosttest.Git(t, p, h.Dir, "clone", "--quiet", c.url, c.dir)
	for i := range 6 {
		hosttest.Commit(t, p, c.dir, "f", fmt.Sprint(i))
		c.pool = append(c.pool, strings.TrimSpace(hosttest.Git(t, p, c.dir, "rev-parse", "HEAD")))
	}
	hosttest.Git(t, p, c.dir, "push", "--quiet", "origin", "HEAD:refs/heads/pool")
}

// calls does things by the API, each after a look at what is there.
func (c *contest) calls(ctx context.Context, client int, p *person.Person) error {
	api := p.CodeCommit()
	for range linearCalls {
		await(&c.down)
		branch := fmt.Sprint("shared", rand.N(linearRefs))
		at := ""
		look := refOp{ref: "refs/heads/" + branch}
		err := c.do(client, look, func() (refAnswer, error) {
			a, err := getBranch(ctx, api, branch)
			at = a.value
			return a, err
		})
		if err != nil {
			return err
		}
		op := refOp{ref: look.ref}
		switch {
		case at == "":
			op.kind, op.new = createRef, c.pool[rand.N(len(c.pool))]
		case rand.N(4) == 0:
			op.kind = deleteRef
		default:
			op.kind, op.old = replaceRef, at
		}
		if err := c.do(client, op, func() (refAnswer, error) { return change(ctx, api, branch, op) }); err != nil {
			return err
		}
	}
	return nil
}

func getBranch(ctx context.Context, api *codecommit.Client, branch string) (refAnswer, error) {
	out, err := api.GetBranch(ctx, &codecommit.GetBranchInput{RepositoryName: aws.String(demo.Repository), BranchName: &branch})
	if err != nil {
		return answerOf[*types.BranchDoesNotExistException](err, refAnswer{outcome: done})
	}
	return refAnswer{done, aws.ToString(out.Branch.CommitId)}, nil
}

// change asks for one change by the API.
func change(ctx context.Context, api *codecommit.Client, branch string, op refOp) (refAnswer, error) {
	name := aws.String(demo.Repository)
	switch op.kind {
	case createRef:
		_, err := api.CreateBranch(ctx, &codecommit.CreateBranchInput{RepositoryName: name, BranchName: &branch, CommitId: &op.new})
		return answerOf[*types.BranchNameExistsException](err, refAnswer{outcome: lost})
	case deleteRef:
		out, err := api.DeleteBranch(ctx, &codecommit.DeleteBranchInput{RepositoryName: name, BranchName: &branch})
		if err != nil || out.DeletedBranch == nil {
			return answerOf[*types.BranchDoesNotExistException](err, refAnswer{outcome: done})
		}
		return refAnswer{done, aws.ToString(out.DeletedBranch.CommitId)}, nil
	}
	out, err := api.PutFile(ctx, &codecommit.PutFileInput{
		RepositoryName: name, BranchName: &branch, FilePath: aws.String("f"), FileContent: fmt.Append(nil, rand.Int64()), ParentCommitId: &op.old,
	})
	if err != nil {
		if _, ok := errors.AsType[*types.BranchDoesNotExistException](err); ok {
			return refAnswer{outcome: lost}, nil
		}
		return answerOf[*types.ParentCommitIdOutdatedException](err, refAnswer{outcome: lost})
	}
	return refAnswer{done, aws.ToString(out.CommitId)}, nil
}

// answerOf is the answer that an error of the kind E stands for. An error without an
// answer of the host leaves it unknown; every other one is the test's failure.
func answerOf[E error](err error, a refAnswer) (refAnswer, error) {
	if err == nil {
		return refAnswer{outcome: done}, nil
	}
	if _, ok := errors.AsType[E](err); ok {
		return a, nil
	}
	if unanswered(err) {
		return refAnswer{outcome: unknown}, nil
	}
	return refAnswer{}, err
}

// unanswered reports whether a call failed without an answer of the host.
func unanswered(err error) bool {
	_, answered := errors.AsType[smithy.APIError](err)
	return !answered
}

// pushes does things by Git: a push of a commit with a lease on what was there.
func (c *contest) pushes(ctx context.Context, client int, p *person.Person) error {
	for range linearPushes {
		await(&c.down)
		ref := fmt.Sprint("refs/heads/shared", rand.N(linearRefs))
		at := ""
		err := c.do(client, refOp{ref: ref}, func() (refAnswer, error) {
			r, err := p.Git(ctx, c.dir, "ls-remote", c.url, ref)
			if err != nil || !r.OK() {
				return refAnswer{outcome: unknown}, err
			}
			at, _, _ = strings.Cut(r.Output, "\t")
			return refAnswer{done, at}, nil
		})
		if err != nil {
			return err
		}
		op := refOp{ref: ref, kind: replaceRef, old: at, new: c.pool[rand.N(len(c.pool))]}
		if op.old == op.new {
			continue
		}
		if err := c.do(client, op, func() (refAnswer, error) { return c.push(ctx, p, op) }); err != nil {
			return err
		}
	}
	return nil
}

func (c *contest) push(ctx context.Context, p *person.Person, op refOp) (refAnswer, error) {
	r, err := p.Git(ctx, c.dir, "push", "--porcelain", "--force-with-lease="+op.ref+":"+op.old, c.url, op.new+":"+op.ref)
	switch {
	case err != nil:
		return refAnswer{}, err
	case r.OK() && strings.Contains(r.Output, "[up to date]"):
		// Somebody else put the same commit there: for a lease on another value, a loss.
		return refAnswer{outcome: lost}, nil
	case r.OK():
		return refAnswer{outcome: done}, nil
	case strings.Contains(r.Output, "stale info"), strings.Contains(r.Output, "fetch first"):
		return refAnswer{outcome: lost}, nil
	case strings.Contains(r.Output, "rejected"), strings.Contains(r.Output, "Authentication"):
		return refAnswer{}, fmt.Errorf("push of %s: %s", op.ref, r.Output)
	}
	return refAnswer{outcome: unknown}, nil
}
