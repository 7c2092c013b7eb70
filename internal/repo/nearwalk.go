package repo

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

// What is walked here at most. Beyond it a git process costs less.
const (
	nearReads  = 768      // commits, tags and trees
	nearBudget = 32 << 20 // bytes that are unpacked or made for all of it
	nearSteps  = 1 << 18  // entries of trees, and parents, that are looked at
	addSteps   = 4        // what looking up an object to be sent counts for, in each pack
)

// minTreeEntry is what an entry of a tree takes at least, in bytes: mode, name and ID.
const minTreeEntry = len("40000 n\x00") + oid.Size

// errFar is the error where the rest is left to git.
var errFar = errors.New("more than is packed without git")

// nearWalk finds what is reachable from what is wanted and not from what is common, as
// rev-list --objects does, but in this process and not far. It may find a little more:
// only the trees of a commit's parents are compared with its own.
type nearWalk struct {
	*shelf
	*browser
	reads int // that are left
	steps int // as well

	send  []oid.ID // each after what it can be a delta of: commits and trees the oldest first
	spots map[oid.ID]spot
	known map[oid.ID]struct{} // what is in trees that the client has or gets
	were  map[oid.ID]struct{} // of these what stood in the place of something sent

	commits map[oid.ID]*nearCommit
	trees   map[oid.ID][]object.TreeEntry
}

// nearCommit is a commit of the walk.
type nearCommit struct {
	*object.CommitObject
	date           int64
	wanted, common bool // reachable from what is
	queued         bool
	listed         bool
}

func newNearWalk(s *shelf) *nearWalk {
	return &nearWalk{
		shelf: s, browser: newBrowser(nearBudget), reads: nearReads, steps: nearSteps,
		spots: map[oid.ID]spot{}, known: map[oid.ID]struct{}{}, were: map[oid.ID]struct{}{},
		commits: map[oid.ID]*nearCommit{}, trees: map[oid.ID][]object.TreeEntry{},
	}
}

// run walks. Any error means that git has to do it.
func (n *nearWalk) run(wants, common []oid.ID) error {
	var queue, tips []*nearCommit
	for _, id := range common {
		c, err := n.start(id, false)
		if err != nil {
			return err
		}
		if c != nil {
			c.common = true
			queue = c.enqueue(queue)
		}
	}
	for _, id := range wants {
		c, err := n.start(id, true)
		if err != nil {
			return err
		}
		c.wanted = true
		queue = c.enqueue(queue)
		tips = append(tips, c)
	}
	if err := n.colour(queue); err != nil {
		return err
	}
	for _, c := range tips {
		if err := n.list(c); err != nil {
			return err
		}
	}
	return nil
}

// start returns the commit that an ID leads to, and sends the tags on the way if they are
// wanted. What is common may lead to none, and then it is nil.
func (n *nearWalk) start(id oid.ID, wanted bool) (*nearCommit, error) {
	for range maxPeel {
		typ, content, err := n.read(id)
		switch {
		case err != nil:
			return nil, err
		case typ == object.Commit:
			return n.commit(id)
		case typ != object.Tag && wanted:
			return nil, errFar
		case typ != object.Tag:
			return nil, nil
		}
		if wanted {
			if err := n.add(id); err != nil {
				return nil, err
			}
		}
		if id, _, err = object.ParseTagTarget(content); err != nil {
			return nil, err
		}
	}
	return nil, errFar
}

// read reads an object, out of what may still be read.
func (n *nearWalk) read(id oid.ID) (object.Type, []byte, error) {
	if n.reads--; n.reads < 0 {
		return 0, nil, errFar
	}
	at, err := n.spot(id)
	if err != nil {
		return 0, nil, err
	}
	return n.resolve(at.pack.File, at.offset)
}

// step takes so many of the steps that are left.
func (n *nearWalk) step(steps int) error {
	if n.steps -= steps; n.steps < 0 {
		return errFar
	}
	return nil
}

// spot finds an object that has to be there.
func (n *nearWalk) spot(id oid.ID) (spot, error) {
	at, ok, err := n.find(id)
	if err == nil && !ok {
		err = ErrObjectNotFound
	}
	return at, err
}

func (n *nearWalk) commit(id oid.ID) (*nearCommit, error) {
	if c, ok := n.commits[id]; ok {
		return c, nil
	}
	typ, content, err := n.read(id)
	if err != nil {
		return nil, err
	}
	if typ != object.Commit {
		return nil, typeError(id, typ, object.Commit)
	}
	parsed, err := object.ParseCommit(content)
	if err != nil {
		return nil, err
	}
	parsed.ID = id
	seconds, _, _ := strings.Cut(parsed.Committer.Date, " ")
	date, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return nil, errFar
	}
	c := &nearCommit{CommitObject: parsed, date: date}
	n.commits[id] = c
	return c, nil
}

func (c *nearCommit) enqueue(queue []*nearCommit) []*nearCommit {
	if c.queued {
		return queue
	}
	c.queued = true
	return append(queue, c)
}

// colour says of each commit whether it is wanted and whether it is common, the newest
// first, until all that is left is common. Where clocks were wrong something common may be
// taken for new, and is sent in vain; nothing new is taken for common.
func (n *nearWalk) colour(queue []*nearCommit) error {
	onlyCommon := func(c *nearCommit) bool { return c.common }
	for !every(queue, onlyCommon) {
		newest := 0
		for i, c := range queue {
			if c.date > queue[newest].date {
				newest = i
			}
		}
		c := queue[newest]
		queue = slices.Delete(queue, newest, newest+1)
		c.queued = false
		if err := n.step(len(c.Parents)); err != nil {
			return err
		}
		for _, id := range c.Parents {
			p, err := n.commit(id)
			if err != nil {
				return err
			}
			if p.wanted == (p.wanted || c.wanted) && p.common == (p.common || c.common) {
				continue
			}
			p.wanted, p.common = p.wanted || c.wanted, p.common || c.common
			queue = p.enqueue(queue)
		}
	}
	return nil
}

func every(queue []*nearCommit, f func(*nearCommit) bool) bool {
	return !slices.ContainsFunc(queue, func(c *nearCommit) bool { return !f(c) })
}

// list sends a commit and what it brings, after its parents: what is in their trees then
// was sent before, or is there already.
func (n *nearWalk) list(c *nearCommit) error {
	if c.listed || c.common {
		return nil
	}
	c.listed = true // there are no cycles, and no deeper chains than reads
	var were []oid.ID
	for _, id := range c.Parents {
		p, err := n.commit(id)
		if err != nil {
			return err
		}
		if err := n.list(p); err != nil {
			return err
		}
		if p.common {
			n.known[id] = struct{}{} // a base for deltas
		}
		were = append(were, p.Tree)
	}
	if err := n.add(c.ID); err != nil {
		return err
	}
	for _, id := range were {
		if _, ok := n.spots[id]; !ok {
			n.known[id] = struct{}{}
		}
	}
	return n.tree(c.Tree, were)
}

// tree sends a tree and what is in it and not in those that it was made from.
func (n *nearWalk) tree(id oid.ID, were []oid.ID) error {
	if n.has(id) {
		return nil
	}
	if err := n.add(id); err != nil {
		return err
	}
	before, err := n.before(were)
	if err != nil {
		return err
	}
	entries, err := n.entries(id)
	if err != nil {
		return err
	}
	if err := n.step(len(entries)); err != nil {
		return err
	}
	for _, e := range entries {
		if e.Mode == object.ModeSubmodule || n.has(e.ID) {
			continue
		}
		same, err := n.sameName(before, e)
		if err != nil {
			return err
		}
		if e.Mode == object.ModeTree {
			err = n.tree(e.ID, same)
		} else {
			for _, id := range same {
				n.were[id] = struct{}{}
			}
			err = n.add(e.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// before reads the trees that another was made from. What is in them is known, but for
// what submodules name: that is of another repository, whatever is there with that ID.
func (n *nearWalk) before(were []oid.ID) (before [][]object.TreeEntry, err error) {
	for _, w := range were {
		n.were[w] = struct{}{}
		entries, err := n.entries(w)
		if err != nil {
			return nil, err
		}
		if err := n.step(1 + len(entries)); err != nil {
			return nil, err
		}
		before = append(before, entries)
		for _, e := range entries {
			if e.Mode != object.ModeSubmodule {
				n.known[e.ID] = struct{}{}
			}
		}
	}
	return before, nil
}

// sameName returns what had the name of an entry before, and was a tree if it is one.
// Trees are sorted; from one that is not, something may be missed, and sent in vain.
func (n *nearWalk) sameName(before [][]object.TreeEntry, is object.TreeEntry) (ids []oid.ID, err error) {
	for _, entries := range before {
		if i, ok := slices.BinarySearchFunc(entries, is, object.CompareEntries); ok && entries[i].Mode != object.ModeSubmodule {
			ids = append(ids, entries[i].ID)
		}
	}
	return ids, n.step(len(before))
}

func (n *nearWalk) entries(id oid.ID) ([]object.TreeEntry, error) {
	if entries, ok := n.trees[id]; ok {
		return entries, nil
	}
	typ, content, err := n.read(id)
	if err != nil {
		return nil, err
	}
	if typ != object.Tree {
		return nil, typeError(id, typ, object.Tree)
	}
	if len(content)/minTreeEntry > n.steps {
		return nil, errFar // before there is memory for it
	}
	entries, err := object.ParseTree(content)
	if err != nil {
		return nil, err
	}
	n.trees[id] = entries
	return entries, nil
}

// has reports whether the client has or gets an object.
func (n *nearWalk) has(id oid.ID) bool {
	if _, ok := n.spots[id]; ok {
		return true
	}
	_, ok := n.known[id]
	return ok
}

// add sends an object.
func (n *nearWalk) add(id oid.ID) error {
	if _, ok := n.spots[id]; ok {
		return nil
	}
	if err := n.step(addSteps * len(n.packs)); err != nil {
		return err
	}
	at, err := n.spot(id)
	if err != nil {
		return err
	}
	n.spots[id] = at
	n.send = append(n.send, id)
	return nil
}
