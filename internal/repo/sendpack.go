package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/repo/replay"
	"github.com/refward/refward/internal/share"
)

// errNoPack is the error where pack-objects ended without a byte: upload-pack then says
// why, or answers after all.
var errNoPack = errors.New("git made no pack")

// sendPack sends the head of an answer and the pack, from the cache where it is there.
// Whatever the client told of itself, a pack depends on what is wanted and what is common:
// only the head is the client's own.
func (f *fetch) sendPack(ctx context.Context, t terms) error {
	p := f.pack(t.common)
	out := &headed{w: f.out, head: t.head}
	mux := wire.NewMux(out)
	client := replay.Client{Out: out, Wait: mux.KeepAlive, Patience: keepAlive}
	if !f.q.Has("no-progress") {
		client.Said = mux.Band(wire.BandProgress)
	}
	err := f.house.answers.Send(ctx, replay.Request{
		Key: f.key("pack", strings.Join(p.options, " "), p.filter, p.revs, p.tags, p.besides()), Group: string(f.snap.ID), Make: p.make,
	}, client)
	switch {
	case err == nil, errors.Is(err, errNoPack) && !out.begun, ctx.Err() != nil:
		return err
	case errors.Is(err, replay.ErrTooSlow):
		_, _ = io.WriteString(mux.Band(wire.BandError), err.Error()+"; try again\n")
		return fmt.Errorf("%w: %w", ErrBadFetch, err)
	case out.begun && isBusy(err):
		_, _ = io.WriteString(mux.Band(wire.BandError), busyText(err)+"\n")
	case out.begun:
		// In the words of upload-pack. A client that is gone needs none.
		_, _ = io.WriteString(mux.Band(wire.BandError), "the pack could not be made or sent whole\n")
	}
	return fetchError(err, f.snap.ID)
}

// isBusy reports whether there was no place for a process, or no room in a share.
func isBusy(err error) bool { return busyText(err) != "" }

// busyText is what a client is told then.
func busyText(err error) string {
	if busy, ok := errors.AsType[*share.Busy](err); ok {
		return busy.Error()
	}
	return ""
}

// headed writes a head before the first byte.
type headed struct {
	w     io.Writer
	head  []byte
	begun bool
}

// Write implements [io.Writer].
func (h *headed) Write(p []byte) (int, error) {
	if h.begun {
		return h.w.Write(p)
	}
	h.begun = true
	n, err := h.w.Write(append(h.head, p...))
	return max(n-len(h.head), 0), err
}

// packing is one run of pack-objects: what it is asked, and so what the pack depends on.
type packing struct {
	house    *House
	snap     *Snapshot
	options  []string
	filter   string
	wants    []oid.ID
	common   []oid.ID
	thin     bool   // deltas of what is common will do
	revs     string // its standard input
	tags     string // digest of the annotated tags, where they can be in the pack
	fresh    bool   // the client has nothing yet
	progress bool
}

// pack says what git is asked for, in one way for all requests that come to the same.
func (f *fetch) pack(common []oid.ID) *packing {
	p := &packing{house: f.house, snap: f.snap, wants: f.q.Wants, common: common, filter: f.q.Filter, tags: f.tagsDigest(), progress: !f.q.Has("no-progress")}
	if f.q.Has("ofs-delta") {
		p.options = append(p.options, "--delta-base-offset")
	}
	p.fresh = len(common) == 0
	if p.thin = !p.fresh && f.q.Has("thin-pack"); p.thin {
		p.options = append(p.options, "--thin")
	}
	if p.tags != "" {
		p.options = append(p.options, "--include-tag")
	}
	revs := make([]byte, 0, (len(f.q.Wants)+len(common))*(oid.HexLen+1)+8)
	revs = appendIDs(revs, f.q.Wants)
	if len(common) > 0 {
		slices.SortFunc(common, func(a, b oid.ID) int { return bytes.Compare(a[:], b[:]) })
		revs = appendIDs(append(revs, "--not\n"...), common)
	}
	p.revs = string(revs)
	return p
}

func appendIDs(b []byte, ids []oid.ID) []byte {
	for _, id := range ids {
		b, _ = id.AppendText(b)
		b = append(b, '\n')
	}
	return b
}

// make runs pack-objects. What it writes is kept as the packets that are sent.
func (p *packing) make(ctx context.Context, w *replay.Writer) (keep bool, err error) {
	c, err := p.house.ensure(ctx, p.snap)
	if err != nil {
		return false, err
	}
	defer c.end()
	band := &bandOne{w: w}
	if ok, err := p.near(ctx, c, band); ok || err != nil {
		return ok, err
	}
	s, ok, err := p.whole(ctx, c.cached)
	if err != nil {
		return false, err
	}
	if ok {
		err := p.sendStock(ctx, c.cached, s, band)
		if err == nil {
			err = band.Close()
		}
		if err == nil || band.begun || ctx.Err() != nil || isBusy(err) {
			return err == nil, err
		}
	}
	dir := c.dir
	if p.tags != "" { // git needs to see them
		v, err := c.acquire(p.snap)
		if err != nil {
			return false, err
		}
		defer p.house.release(ctx, c.cached, v)
		dir = v.dir
	}
	cmd := p.house.Git.Command("pack-objects").GitDir(dir).Flag("--revs").Flag("--stdout")
	for _, o := range p.options {
		cmd = cmd.Flag(o)
	}
	if p.filter != "" {
		cmd = cmd.Option("--filter", p.filter)
	}
	if p.progress {
		cmd = cmd.Flag("--progress").Stderr(&packProgress{w: w.Said()})
	}
	err = cmd.Class(gitcmd.Sending).Stdin(strings.NewReader(p.revs)).Stdout(band).Run(ctx)
	switch {
	case err == nil:
		return true, band.Close()
	case band.begun || ctx.Err() != nil || isBusy(err):
		return false, err
	}
	return false, fmt.Errorf("%w: %w", errNoPack, err)
}

// bandOne makes packets of side-band-64k's first band, each full but for the first, which
// does not wait, and the last.
type bandOne struct {
	w     io.Writer
	buf   []byte
	begun bool
}

// Write implements [io.Writer].
func (b *bandOne) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if len(b.buf) == 0 {
			b.buf = append(pktline.Begin(b.buf), byte(wire.BandData))
		}
		part := p[:min(len(p), pktline.MaxLen-len(b.buf))]
		b.buf = append(b.buf, part...)
		n += len(part)
		p = p[len(part):]
		if len(b.buf) == pktline.MaxLen || !b.begun {
			if err := b.flush(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (b *bandOne) flush() error {
	b.begun = true
	_, err := b.w.Write(pktline.End(b.buf, 0))
	b.buf = b.buf[:0]
	return err
}

// Close writes what is left, and the packet that ends the answer.
func (b *bandOne) Close() error {
	if len(b.buf) > 0 {
		if err := b.flush(); err != nil {
			return err
		}
	}
	_, err := b.w.Write(pktline.AppendFlush(nil))
	return err
}

// packProgress passes on pack-objects' progress ("Counting objects: 50% (1/2)") and
// nothing else of what it says.
type packProgress struct {
	w    io.Writer
	line []byte
}

var progressWords = []string{"Enumerating objects", "Counting objects", "Compressing objects", "Total "}

// Write never fails: it writes to memory.
func (f *packProgress) Write(p []byte) (int, error) {
	for _, c := range p {
		if len(f.line) < maxProgressLine {
			f.line = append(f.line, c)
		}
		if c != '\r' && c != '\n' {
			continue
		}
		if slices.ContainsFunc(progressWords, func(w string) bool { return bytes.HasPrefix(f.line, []byte(w)) }) {
			_, _ = f.w.Write(f.line)
		}
		f.line = f.line[:0]
	}
	return len(p), nil
}
