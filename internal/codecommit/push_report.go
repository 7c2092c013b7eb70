package codecommit

import (
	"errors"
	"fmt"
	"strings"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// push is one push while it is decided: which commands are still open, and why the
// others are refused. A command is refused once; its first reason stays.
type push struct {
	in      *GitPushInput
	results []RefResult
	refused []bool
	peeled  []oid.ID // parallel to the commands; zero unless an annotated tag
	unpack  string
	landed  bool // a transaction with moves has committed
}

// newPush refuses what is wrong with the commands by themselves.
func newPush(in *GitPushInput) *push {
	n := len(in.Commands)
	p := &push{in: in, results: make([]RefResult, n), refused: make([]bool, n), peeled: make([]oid.ID, n), unpack: "ok"}
	count := map[refname.Name]int{}
	for i, c := range in.Commands {
		p.results[i].Ref = c.Ref
		count[c.Ref]++
	}
	for i, c := range in.Commands {
		if count[c.Ref] > 1 {
			p.refuse(i, "multiple updates for one ref are not allowed")
			continue
		}
		if reason := badCommand(c); reason != "" {
			p.refuse(i, reason)
		}
	}
	return p
}

// pushNamespaces are the namespaces that a push may write: branches, tags and notes.
// All others are refused, so that nothing of the host's own can be forged and no ref
// escapes policies that speak of branches and tags.
var pushNamespaces = []string{refname.HeadsPrefix, refname.TagsPrefix, "refs/notes/"}

func badCommand(c RefCommand) string {
	reason := unpushable(c.Ref)
	if reason == "" && c.Old.IsZero() && c.New.IsZero() {
		return "the reference does not exist"
	}
	return reason
}

// unpushable says why no push can name a ref, or nothing.
func unpushable(ref refname.Name) string {
	if err := refname.Check(ref); err != nil {
		return "funny refname"
	}
	for _, ns := range pushNamespaces {
		if strings.HasPrefix(string(ref), ns) {
			return ""
		}
	}
	return "only refs/heads/, refs/tags/ and refs/notes/ can be pushed to"
}

// refuse refuses a command that is not refused yet.
func (p *push) refuse(i int, reason string, remote ...string) {
	if p.refused[i] {
		return
	}
	p.refused[i] = true
	p.results[i].Reason, p.results[i].Remote = reason, remote
}

// refuseOpen refuses all that is left.
func (p *push) refuseOpen(reason string) {
	for _, i := range p.open() {
		p.refuse(i, reason)
	}
}

// fail refuses the pack and with it all that is left.
func (p *push) fail(unpack string) {
	p.unpack = unpack
	p.refuseOpen("unpacker error")
}

// open returns the indexes of the commands that are not refused, in order.
func (p *push) open() []int {
	var open []int
	for i, refused := range p.refused {
		if !refused {
			open = append(open, i)
		}
	}
	return open
}

// over reports whether nothing is left to do. In an atomic push one refusal refuses
// the rest.
func (p *push) over() bool {
	left := len(p.open())
	if p.in.Atomic && left < len(p.refused) {
		p.refuseOpen("atomic push failed")
		return true
	}
	return left == 0
}

// decide refuses what the policies refuse. The grant has one check for each command
// that was open when the checks were made, in the same order.
func (p *push) decide(g authz.Grant) {
	for check, i := range p.open() {
		d := g.Denial(check)
		if d == nil {
			continue
		}
		reason := "You don't have permission to push changes to this branch"
		if !p.in.Commands[i].Ref.IsBranch() {
			reason = "You don't have permission to push changes to this reference"
		}
		p.refuse(i, reason, denialLines(p.in.Commands[i].Ref, d)...)
	}
}

// denialLines says on the pusher's terminal which policy and statement refused, and
// what is permitted.
func denialLines(ref refname.Name, d *authz.Denial) []string {
	lines := []string{fmt.Sprintf("%s: %s", ref, oneLine(d.Reason()))}
	if d.Check.Way != "" {
		lines = append(lines, oneLine(d.Check.Way))
	}
	return lines
}

// compare refuses what does not fit the refs as they are. The transaction compares
// again; this only spares the work.
func (p *push) compare(snap *repo.Snapshot) {
	for _, i := range p.open() {
		c := p.in.Commands[i]
		ref, exists := snap.Ref(c.Ref)
		switch {
		case c.New.IsZero() && !exists:
			p.refuse(i, "the reference does not exist")
		case ref.OID != c.Old:
			p.refuse(i, staleReason(c))
		case c.New.IsZero() && c.Ref == snap.Head:
			p.refuse(i, headReason, headLines(c.Ref)...)
		}
	}
}

const headReason = "the default branch cannot be deleted"

func headLines(ref refname.Name) []string {
	return []string{ref.Short() + " is the default branch. Choose another one first: aws codecommit update-default-branch"}
}

// staleReason is what Git's own clients say of a ref that moved meanwhile.
func staleReason(c RefCommand) string {
	if c.Old.IsZero() || c.New.IsZero() {
		return "stale info"
	}
	return "fetch first"
}

// lose refuses the commands that lost to other writers.
func (p *push) lose(lost lostMoves) {
	byRef := map[refname.Name]error{}
	for _, l := range lost {
		byRef[l.ref] = l.reason
	}
	for _, i := range p.open() {
		c := p.in.Commands[i]
		reason, ok := byRef[c.Ref]
		if !ok {
			continue
		}
		conflict, isConflict := errors.AsType[*refConflict](reason)
		switch {
		case isConflict:
			p.refuse(i, fmt.Sprintf("%s exists; cannot create %s beside it", conflict.with, c.Ref))
		case errors.Is(reason, errHeadRef):
			p.refuse(i, headReason, headLines(c.Ref)...)
		default:
			p.refuse(i, staleReason(c))
		}
	}
}

// tips returns the new values of the open commands that do not delete.
func (p *push) tips() []oid.ID {
	var tips []oid.ID
	for _, i := range p.open() {
		if id := p.in.Commands[i].New; !id.IsZero() {
			tips = append(tips, id)
		}
	}
	return tips
}

// moves returns what the open commands change.
func (p *push) moves() []RefMove {
	var moves []RefMove
	for _, i := range p.open() {
		if c := p.in.Commands[i]; c.Old != c.New {
			moves = append(moves, RefMove{Ref: c.Ref, Old: c.Old, New: c.New, Peeled: p.peeled[i]})
		}
	}
	return moves
}

// output is the report of the push.
func (p *push) output() *GitPushOutput {
	return &GitPushOutput{Unpack: p.unpack, Results: p.results}
}
