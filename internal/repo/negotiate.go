package repo

import (
	"context"
	"errors"
	"regexp"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pktline"
)

// Bounds of what is negotiated here; beyond them upload-pack does it.
const (
	maxNegotiated = 4096 // haves in one request
	maxWalked     = 256  // commits read to see whether what is common is enough
)

// packHeader begins the section of an answer of version 2 that holds the pack.
const packHeader = "packfile\n"

// simpleFilter is a filter for which pack-objects takes no other words than upload-pack.
var simpleFilter = regexp.MustCompile(`^(blob:none|blob:limit=[0-9]{1,15}[kmg]?|tree:[0-9]{1,9})$`)

// plain reports whether the answer is a negotiation that ends in a pack, and nothing
// else: no boundary of a shallow clone is asked for or told, and no odd filter. Of
// versions 0 and 1 only a clone is, whose negotiation is one line.
func (f *fetch) plain() bool {
	q := f.q
	if len(q.Shallow)+len(q.Deepens) > 0 || q.Has("deepen-relative") || len(q.Haves) > maxNegotiated {
		return false
	}
	if q.Filter != "" && !simpleFilter.MatchString(q.Filter) {
		return false
	}
	return q.Version == 2 || q.Done && len(q.Haves) == 0 && q.Has("side-band-64k")
}

// terms are what a negotiation came to.
type terms struct {
	head   []byte   // of the answer, up to the pack
	common []oid.ID // what the client has and the repository too
	pack   bool     // the pack follows
}

// negotiate answers the haves of a request as upload-pack does (gitprotocol-v2(5), output
// of fetch): with those that are common, and with "ready" once each wanted commit leads
// to one of them. ok is false where that is left to upload-pack.
func (f *fetch) negotiate(ctx context.Context) (t terms, ok bool, err error) {
	if f.q.Version != 2 {
		return terms{head: pktline.Append(nil, "NAK\n"), pack: true}, true, nil
	}
	if len(f.q.Haves) > 0 {
		if t, ok, err = f.acknowledge(ctx); err != nil || !ok || !t.pack {
			return t, ok, err
		}
	}
	t.head = pktline.Append(t.head, packHeader)
	t.pack = true
	return t, true, nil
}

// acknowledge says which haves are common.
func (f *fetch) acknowledge(ctx context.Context) (t terms, ok bool, err error) {
	objects, err := f.house.Objects(ctx, f.snap)
	if err != nil {
		return t, false, err
	}
	defer func() { err = errors.Join(err, objects.Close()) }()
	acks := pktline.Append(nil, "acknowledgments\n")
	common := map[oid.ID]bool{}
	for _, id := range f.q.Haves {
		if objects.lacks(id) {
			continue
		}
		_, _, err := objects.Info(ctx, id)
		if errors.Is(err, ErrObjectNotFound) {
			continue
		}
		if err != nil {
			return t, false, err
		}
		acks = pktline.Append(acks, "ACK "+id.String()+"\n")
		if !common[id] {
			common[id] = true
			t.common = append(t.common, id)
		}
	}
	if f.q.Done {
		t.pack = true
		return t, true, nil
	}
	if len(common) == 0 {
		t.head = pktline.AppendFlush(pktline.Append(acks, "NAK\n"))
		return t, true, nil
	}
	if !f.q.Has("wait-for-done") {
		enough, err := allReach(ctx, objects, f.q.Wants, common)
		if errors.Is(err, ErrObjectNotFound) {
			return t, false, nil // git says which
		}
		if err != nil {
			return t, false, err
		}
		t.pack = enough
	}
	if t.pack {
		t.head = pktline.AppendDelim(pktline.Append(acks, "ready\n"))
	} else {
		t.head = pktline.AppendFlush(acks)
	}
	return t, true, nil
}

// allReach reports whether each of the wanted commits leads to a common one. What is no
// commit does not count, as in upload-pack. A walk that gets long ends with false: the
// client then goes on to tell what it has, and is done sooner or later.
func allReach(ctx context.Context, o *Objects, wants []oid.ID, common map[oid.ID]bool) (bool, error) {
	left := maxWalked
	reached := map[oid.ID]bool{}
	for _, want := range wants {
		if common[want] {
			continue
		}
		id, typ, err := o.Peel(ctx, want)
		if err != nil {
			return false, err
		}
		if typ != object.Commit {
			continue
		}
		ok, err := reaches(ctx, o, id, common, reached, &left)
		if err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// reaches walks from one commit, the nearest first, to any of the common ones. What it
// passes when it gets there is not known to lead there too, but the start is: reached.
func reaches(ctx context.Context, o *Objects, start oid.ID, common, reached map[oid.ID]bool, left *int) (bool, error) {
	seen := map[oid.ID]bool{start: true}
	for queue := []oid.ID{start}; len(queue) > 0; queue = queue[1:] {
		id := queue[0]
		if common[id] || reached[id] {
			reached[start] = true
			return true, nil
		}
		if *left--; *left < 0 {
			return false, nil
		}
		c, err := o.Commit(ctx, id)
		if err != nil {
			return false, err
		}
		for _, p := range c.Parents {
			if !seen[p] {
				seen[p] = true
				queue = append(queue, p)
			}
		}
	}
	return false, nil
}
