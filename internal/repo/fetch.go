package repo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/repo/replay"
)

// AnswerStats tells of the cache of answers to fetches.
func (h *House) AnswerStats() replay.Stats { return h.answers.Stats() }

// fetch is one request on its way to its answer.
type fetch struct {
	house *House
	snap  *Snapshot
	repo  *cached
	q     *wire.FetchRequest
	out   io.Writer
}

// serve answers with a pack that one git process makes, where that is all there is to it,
// and else lets git's upload-pack answer; either from the cache of answers.
func (f *fetch) serve(ctx context.Context) (err error) {
	if f.repo, err = f.house.cached(f.snap.ID); err != nil {
		return err
	}
	if f.repo.newEpoch(f.snap.Epoch) {
		f.house.answers.Drop(string(f.snap.ID)) // objects were dropped that they may hold
	}
	if f.plain() {
		t, ok, err := f.negotiate(ctx)
		if err != nil {
			return err
		}
		if ok && !t.pack {
			_, err := f.out.Write(t.head)
			return err
		}
		if ok {
			err := f.sendPack(ctx, t)
			if !errors.Is(err, errNoPack) {
				return err
			}
		}
	}
	return f.sendAnswer(ctx)
}

// newEpoch notes the epoch, and reports whether it is greater than all before.
func (c *cached) newEpoch(epoch int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	grown := epoch > c.epoch
	c.epoch = max(c.epoch, epoch)
	return grown
}

// keepAlive is how long a client hears nothing before it gets a sign of life; upload-pack
// does the same after 5 seconds.
const keepAlive = 5 * time.Second

// sendAnswer sends what upload-pack answers. What it is asked is written anew from what
// was understood of the request: so the answer depends on nothing but the text that the
// key is a digest of, the epoch, and the refs where git looks at them. Without progress,
// which would be replayed long after.
func (f *fetch) sendAnswer(ctx context.Context) error {
	q := *f.q
	if !q.Has("no-progress") {
		q.Options = append([]string{"no-progress"}, q.Options...)
		slices.Sort(q.Options)
	}
	request := string(q.Append(nil))
	key := f.key("answer", strconv.Itoa(q.Version), request, f.tagsDigest(), f.refsDigest())
	err := f.house.answers.Send(ctx, replay.Request{
		Key: key, Group: string(f.snap.ID),
		Make: func(ctx context.Context, w *replay.Writer) (keep bool, err error) {
			watch := &packWatch{w: w, found: q.Version != 2 && q.Done}
			err = f.house.gitUploadPack(ctx, f.snap, q.Version, oneCommit(&q), strings.NewReader(request), watch)
			return watch.found, err
		},
	}, replay.Client{Out: f.out})
	if errors.Is(err, replay.ErrTooSlow) {
		err = fmt.Errorf("%w: %w", ErrBadFetch, err)
	}
	return err
}

// oneCommit reports whether a client that has nothing wants no history.
func oneCommit(q *wire.FetchRequest) bool {
	return len(q.Haves) == 0 && len(q.Shallow) == 0 && slices.Equal(q.Deepens, []string{"deepen 1"})
}

// key is the digest of everything that an answer depends on.
func (f *fetch) key(parts ...string) replay.Key {
	sum := sha256.New()
	var buf []byte
	buf = appendPart(buf, string(f.snap.ID))
	buf = appendInt(buf, f.snap.Epoch)
	for _, p := range parts {
		buf = appendPart(buf, p)
	}
	_, _ = sum.Write(buf) // a hash never fails
	return replay.Key(sum.Sum(nil))
}

// appendPart appends a text so that no two lists of texts come to the same bytes.
func appendPart(b []byte, text string) []byte { return append(appendInt(b, int64(len(text))), text...) }

func appendInt(b []byte, n int64) []byte {
	for shift := 56; shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift))
	}
	return b
}

// tagsDigest names the annotated tags, where the answer depends on them: with include-tag,
// git sends those whose objects it sends.
func (f *fetch) tagsDigest() string {
	if !f.q.Has("include-tag") {
		return ""
	}
	return f.repo.tags(f.snap)
}

// refsDigest names the refs, where the answer depends on them: deepen-not names one.
func (f *fetch) refsDigest() string {
	for _, d := range f.q.Deepens {
		if strings.HasPrefix(d, "deepen-not") {
			sum := sha256.New()
			var buf []byte
			for r := range f.snap.Refs.All() {
				buf = append(appendPart(buf[:0], string(r.Name)), r.OID[:]...)
				_, _ = sum.Write(buf)
			}
			return string(sum.Sum(nil))
		}
	}
	return ""
}

// tagSet is a digest of the annotated tags of one generation.
type tagSet struct {
	known  bool
	gen    int64
	digest string
}

// tags returns the digest of a snapshot's annotated tags, or "" where it has none. That of
// the last generation asked for is remembered.
func (c *cached) tags(snap *Snapshot) string {
	c.viewMu.Lock()
	defer c.viewMu.Unlock()
	if c.tagged.known && c.tagged.gen == snap.Gen {
		return c.tagged.digest
	}
	sum, any := sha256.New(), false
	for r := range snap.Refs.Prefix("refs/tags/") {
		if !r.Peeled.IsZero() {
			any = true
			_, _ = sum.Write(r.OID[:])
		}
	}
	c.tagged = tagSet{known: true, gen: snap.Gen}
	if any {
		c.tagged.digest = string(sum.Sum(nil))
	}
	return c.tagged.digest
}

// packWatch passes an answer of version 2 on and notices whether a pack is in it: an
// answer without one is as quickly made, and seldom asked for again.
type packWatch struct {
	w     io.Writer
	found bool
	over  bool
	buf   []byte // part of a packet
}

// maxHead is more than the sections before a pack have in the usual case. What has more
// is not kept.
const maxHead = 1 << 20

// Write implements [io.Writer].
func (p *packWatch) Write(b []byte) (int, error) {
	if !p.found && !p.over {
		p.look(b)
	}
	return p.w.Write(b)
}

func (p *packWatch) look(b []byte) {
	p.buf = append(p.buf, b...)
	for !p.over {
		r := bytes.NewReader(p.buf)
		k, line, err := pktline.NewReader(r).Next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			p.over = len(p.buf) > maxHead
			break // the rest of the packet is to come
		}
		p.found = k == pktline.Data && string(line) == packHeader
		p.over = p.found || err != nil || k == pktline.Flush
		p.buf = p.buf[:copy(p.buf, p.buf[len(p.buf)-r.Len():])]
	}
	if p.over {
		p.buf = nil
	}
}
