package gitserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/repo"
)

// encode sends an advertisement.
func (x *sshExchange) encode(a *wire.Advertisement) error {
	out := bufio.NewWriter(x.out)
	if err := a.Encode(out); err != nil {
		return err
	}
	return out.Flush()
}

// fetchV2 answers requests of version 2 until the client takes its leave. Between two of
// them it may take its time: each but the first is decided anew, as over HTTP.
func (x *sshExchange) fetchV2(ctx context.Context, snap *repo.Snapshot) error {
	if err := wire.EncodeV2Capabilities(x.out, v2Capabilities); err != nil {
		return err
	}
	q := &v2Request{service: x.service, snap: snap, in: x.in, out: x.out}
	for {
		err := q.serve(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		q.again = x.pullAgain
	}
}

// pullAgain proves and decides what was proven and decided when the command began: a key
// or a permission that was taken away since then counts.
func (x *sshExchange) pullAgain(ctx context.Context) (*repo.Snapshot, error) {
	var err error
	if x.caller, err = x.prove(ctx); err != nil {
		return nil, err
	}
	return x.service.pull(ctx, x.caller, x.repository)
}

// maxHeldFetch bounds what is kept of a fetch of version 0 or 1 for git to be told
// again: half a million wants.
const maxHeldFetch = 32 << 20

// maxCommon is how many common commits are kept: each is one that a pack can begin from,
// and a client that knows of the first needs to tell no more.
const maxCommon = 4096

// statefulFetch holds versions 0 and 1 over one connection, where the server must
// remember what was said. Git's upload-pack is run without a memory, as over HTTP, so
// this negotiates in its place, in the oldest way (no multi_ack is advertised): the
// first common commit ends it. Git then gets everything in one request.
type statefulFetch struct {
	x       *sshExchange
	snap    *repo.Snapshot
	request []byte   // wants, shallow and deepen lines, with their flush packet
	deepens bool     // git answers with a list of shallow commits first
	common  []oid.ID // what both sides have
}

func (x *sshExchange) fetchV0(ctx context.Context, snap *repo.Snapshot) error {
	a := &wire.Advertisement{Version: x.version, Capabilities: fetchCapabilities(snap), Refs: advertised(snap)}
	if err := x.encode(a); err != nil {
		return err
	}
	f := &statefulFetch{x: x, snap: snap}
	r := pktline.NewReader(x.in)
	if err := f.wants(r); err != nil || len(f.request) == 0 {
		return err
	}
	if f.deepens {
		if err := f.shallow(ctx); err != nil {
			return err
		}
	}
	if done, err := f.haves(ctx, r); err != nil || !done {
		return err
	}
	if _, err := x.pullAgain(ctx); err != nil { // the negotiation took as long as the client wished
		return err
	}
	return f.pack(ctx)
}

// wants reads what the client wants; nothing, where it takes its leave.
func (f *statefulFetch) wants(r *pktline.Reader) error {
	for {
		k, p, err := r.Next()
		switch {
		case errors.Is(err, io.EOF) && len(f.request) == 0:
			return nil
		case err != nil:
			return err
		case k == pktline.Flush && len(f.request) == 0:
			return nil
		case k == pktline.Flush:
			f.request = pktline.AppendFlush(f.request)
			return nil
		case k != pktline.Data:
			return errFetchLine
		case len(f.request)+len(p) > maxHeldFetch:
			return &tooLarge{maxHeldFetch}
		}
		l, err := wire.ParseFetchLine(p)
		if err != nil {
			return err
		}
		f.deepens = f.deepens || l.Deepens()
		f.request = pktline.Append(f.request, p)
	}
}

// shallow sends the list of shallow commits that git answers the wants with.
func (f *statefulFetch) shallow(ctx context.Context) error {
	out := &splitter{take: upToFlush, first: f.x.out, rest: io.Discard}
	return f.git(ctx, f.request, out)
}

// haves reads what the client has until it is done; it reports false where the client
// left instead. Nothing is held of the repository while the client takes its time.
func (f *statefulFetch) haves(ctx context.Context, r *pktline.Reader) (done bool, err error) {
	out := pktline.NewWriter(f.x.out)
	for {
		k, p, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		case k == pktline.Flush:
			if len(f.common) > 0 {
				continue
			}
			if err := out.Line("NAK"); err != nil {
				return false, err
			}
			continue
		}
		l, err := wire.ParseFetchLine(p)
		switch {
		case err != nil:
			return false, err
		case l.Word == "done":
			return true, nil
		case l.Word != "have":
			return false, errFetchLine
		}
		if err := f.have(ctx, out, l.OID); err != nil {
			return false, err
		}
	}
}

// have acknowledges the first commit that is here too.
func (f *statefulFetch) have(ctx context.Context, out *pktline.Writer, id oid.ID) error {
	if len(f.common) == maxCommon {
		return nil // enough to make a pack from
	}
	objects, err := f.x.service.objects(ctx, f.snap)
	if err != nil {
		return err
	}
	_, _, err = objects.Info(ctx, id)
	err = errors.Join(err, objects.Close())
	switch {
	case errors.Is(err, repo.ErrObjectNotFound):
		return nil
	case err != nil:
		return err
	}
	f.common = append(f.common, id)
	if len(f.common) == 1 {
		return out.Line("ACK " + id.String())
	}
	return nil
}

// pack lets git answer, and leaves out what was answered before: the list of shallow
// commits, and the acknowledgement of common commits.
func (f *statefulFetch) pack(ctx context.Context) error {
	request := f.request
	for _, id := range f.common {
		request = pktline.Append(request, "have "+id.String()+"\n")
	}
	request = pktline.Append(request, "done\n")
	var out io.Writer = f.x.out
	if len(f.common) > 0 {
		out = &splitter{take: acknowledgements, first: io.Discard, rest: out}
	}
	if f.deepens {
		out = &splitter{take: upToFlush, first: io.Discard, rest: out}
	}
	return f.git(ctx, request, out)
}

func (f *statefulFetch) git(ctx context.Context, request []byte, out io.Writer) error {
	good := func() error { return nil } // each line was read before
	return runUploadPack(ctx, f.x.service, f.snap, 0, bytes.NewReader(request), out, good)
}

// upToFlush takes the packets up to the first flush packet, and that.
func upToFlush(k pktline.Kind, _ []byte) (take, more bool) { return true, k != pktline.Flush }

// acknowledgements takes the packets that acknowledge a common commit.
func acknowledgements(_ pktline.Kind, p []byte) (take, more bool) {
	ok := bytes.HasPrefix(p, []byte("ACK "))
	return ok, ok
}

// splitter writes the packets that take names to first, and all that comes after them
// to rest, packets or not.
type splitter struct {
	take        func(pktline.Kind, []byte) (take, more bool)
	first, rest io.Writer

	buf   []byte // part of a packet
	split bool
}

// Write implements [io.Writer].
func (s *splitter) Write(p []byte) (int, error) {
	if s.split {
		return s.rest.Write(p)
	}
	s.buf = append(s.buf, p...)
	for !s.split {
		r := bytes.NewReader(s.buf)
		k, payload, err := pktline.NewReader(r).Next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return len(p), nil // the rest of the packet is to come
		}
		take, more := false, false // what is no packet belongs to the rest
		if err == nil {
			take, more = s.take(k, payload)
		}
		if take {
			n := len(s.buf) - r.Len()
			if _, err := s.first.Write(s.buf[:n]); err != nil {
				return 0, err
			}
			s.buf = s.buf[n:]
		}
		s.split = !more
	}
	if _, err := s.rest.Write(s.buf); err != nil {
		return 0, err
	}
	s.buf = nil
	return len(p), nil
}
