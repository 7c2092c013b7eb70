package codecommit

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
	"github.com/refward/refward/policy/catalog"
)

const gitPushAction = "codecommit:GitPush"

var gitPushSpec = op.Spec{
	Service:   "codecommit",
	Name:      "GitPush",
	Phase:     catalog.Command,
	Resource:  "the repository of the URL",
	Keys:      map[string]string{ReferencesKey: "the full name of the ref, command by command"},
	Refs:      op.CreatesRef | op.FastForwardsRef | op.ForcesRef | op.DeletesRef,
	EachCheck: true,
}

// RefCommand is one command of a push. Old zero: create; New zero: delete. Ref is
// unchecked text from the wire.
type RefCommand struct {
	Ref      refname.Name
	Old, New oid.ID
}

// GitPushInput is a push after its command list was read.
type GitPushInput struct {
	RepositoryName string
	Commands       []RefCommand
	Atomic         bool
	Options        []string
	Pack           io.Reader // nil where every command deletes
	Progress       io.Writer // bytes for side-band 2; may be nil
}

// RefResult is what became of one command, in the order of the commands.
type RefResult struct {
	Ref    refname.Name
	Reason string   // empty: done; else the one-line text after "ng REF "
	Remote []string // lines for the pusher's terminal (side-band 2), without newline: policy, statement, the permitted way
}

// GitPushOutput is a report-status.
type GitPushOutput struct {
	Unpack  string // "ok", or why the pack was refused
	Results []RefResult
}

// GitPush is the second decision, ref by ref, and the push itself. What Run has not
// read of Pack the caller drains.
func (s *Service) GitPush() *op.Operation[GitPushInput, GitPushOutput] {
	return &op.Operation[GitPushInput, GitPushOutput]{Spec: gitPushSpec, Checks: s.gitPushChecks, Run: s.gitPush}
}

// gitPushChecks asks for every command that is well-formed by itself, in order. A
// push without one is asked about like an advertisement: something must be decided.
func (s *Service) gitPushChecks(_ context.Context, _ authz.Caller, in *GitPushInput) ([]authz.Check, error) {
	name, err := repositoryName(&in.RepositoryName)
	switch {
	case err != nil:
		return nil, err
	case len(in.Commands) == 0:
		return nil, fault.MalformedInput.New("The push has no commands.")
	case len(in.Commands) > maxPushCommands:
		return nil, errTooManyCommands.New("Too many reference update commands: %d; the limit is %d.", len(in.Commands), maxPushCommands)
	}
	var checks []authz.Check
	for _, i := range newPush(in).open() {
		c := s.check("GitPush", name, refValue(in.Commands[i].Ref))
		c.Way = wayOfBranch(in.Commands[i].Ref)
		checks = append(checks, c)
	}
	if len(checks) == 0 {
		checks = append(checks, s.check("GitPush", name))
	}
	return checks, nil
}

// gitPush refuses what it can before it reads the pack, takes the pack in for the
// commands that are left, and moves their refs. It never answers "done" before the
// transaction has committed.
func (s *Service) gitPush(ctx context.Context, g authz.Grant, in *GitPushInput) (*GitPushOutput, error) {
	p := newPush(in)
	p.decide(g)
	if p.over() {
		return p.output(), nil
	}
	r, snap, err := s.load(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	p.compare(snap)
	if p.over() {
		return p.output(), nil
	}
	c := refChange{by: gitPushSpec, repository: r}
	if tips := p.tips(); len(tips) == 0 {
		err = s.land(ctx, g, p, c)
	} else {
		err = s.receive(ctx, g, p, snap, c, tips)
	}
	if err != nil {
		return nil, err
	}
	return p.output(), nil
}

// receive takes the pack in and lands the push.
func (s *Service) receive(ctx context.Context, g authz.Grant, p *push, snap *repo.Snapshot, c refChange, tips []oid.ID) error {
	in, err := s.Repos.Receive(ctx, snap, p.in.Pack, tips, s.pushLimits(), p.in.Progress)
	if errors.Is(err, repo.ErrBadPack) || errors.Is(err, repo.ErrTooLarge) {
		p.fail(oneLine(err.Error()))
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Discard()
	objects, err := in.Objects(ctx)
	if err != nil {
		return err
	}
	err = errors.Join(p.inspect(ctx, objects), objects.Close())
	if err != nil || p.over() {
		return err
	}
	pack, ok, err := in.Publish(ctx)
	if err != nil {
		return err
	}
	c.incoming = in
	if ok {
		c.pack = &pack
	}
	err = s.land(ctx, g, p, c)
	if err == nil && !p.landed {
		in.Abandon()
		return nil
	}
	settle(ctx, in, err)
	return err
}

// land moves the refs of the commands that are still open. A ref that lost to another
// writer gets its refusal and the others are tried again without it, unless the push
// is atomic.
func (s *Service) land(ctx context.Context, g authz.Grant, p *push, c refChange) error {
	for !p.over() {
		c.moves = p.moves()
		if len(c.moves) == 0 { // every command asks for what is already so
			return nil
		}
		err := s.commit(ctx, g, c)
		if err == nil {
			p.landed = true
			return nil
		}
		lost, ok := errors.AsType[lostMoves](err)
		switch {
		case ok:
			p.lose(lost)
		case errors.Is(err, errOutdated):
			p.refuseOpen("the repository changed while the push was checked, push again")
		default:
			return err
		}
	}
	return nil
}

// pushLimits are the limits that were set, with CodeCommit's where they are not.
func (s *Service) pushLimits() repo.Limits {
	l := s.PushLimits
	if l.PackBytes == 0 {
		l.PackBytes = maxPackBytes
	}
	if l.BlobBytes == 0 {
		l.BlobBytes = maxBlobBytes
	}
	return l
}

// Limits of a push. 2 GB per blob and 4,000 commands are CodeCommit's quotas.
const (
	maxPushCommands = 4000
	maxBlobBytes    = 2 << 30
	maxPackBytes    = 20 << 30
)

// inspect refuses commands whose object cannot be what their ref must point to, and
// finds what annotated tags point to.
func (p *push) inspect(ctx context.Context, objects *repo.Objects) error {
	for _, i := range p.open() {
		c := p.in.Commands[i]
		if c.New.IsZero() {
			continue
		}
		typ, _, err := objects.Info(ctx, c.New)
		switch {
		case errors.Is(err, repo.ErrObjectNotFound):
			p.refuse(i, "missing necessary objects")
		case err != nil:
			return err
		case c.Ref.IsBranch() && typ != object.Commit:
			p.refuse(i, "a branch must point to a commit, not to a "+typ.String())
		case typ == object.Tag:
			p.peeled[i], _, err = objects.Peel(ctx, c.New)
			switch {
			case errors.Is(err, repo.ErrObjectType):
				p.refuse(i, "a tag of a tag of a tag, too many times")
			case err != nil:
				return err
			}
		}
	}
	return nil
}

// oneLine is a text without line ends, for a line of report-status.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
