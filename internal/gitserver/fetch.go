package gitserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/repo"
)

// v2Capabilities are those of protocol version 2: what git 2.39's upload-pack does.
var v2Capabilities = wire.Capabilities{
	agent, "ls-refs=unborn", "fetch=shallow wait-for-done filter", "server-option", "object-format=sha1", "object-info",
}

// fetchCapabilities are those of versions 0 and 1, as of a stateless upload-pack.
func fetchCapabilities(snap *repo.Snapshot, more ...string) wire.Capabilities {
	caps := wire.Capabilities{
		"thin-pack", "side-band", "side-band-64k", "ofs-delta", "shallow", "deepen-since", "deepen-not", "deepen-relative",
		"no-progress", "include-tag", "allow-tip-sha1-in-want", "allow-reachable-sha1-in-want", "filter",
	}
	caps = append(caps, more...)
	if _, born := snap.Ref(snap.Head); born {
		caps = append(caps, "symref=HEAD:"+string(snap.Head))
	}
	return append(caps, "object-format=sha1", agent)
}

// advertiseFetch answers info/refs?service=git-upload-pack.
func (x *exchange) advertiseFetch(ctx context.Context) error {
	snap, err := x.service.pull(ctx, x.caller, x.repository)
	if err != nil {
		return err
	}
	x.start("git-upload-pack-advertisement")
	to := x.output()
	out := bufio.NewWriter(to)
	version := protocolVersion(x.r.Header.Get("Git-Protocol"))
	if version == 2 {
		// Without the "# service" line, as git sends it; clients take both.
		err = wire.EncodeV2Capabilities(out, v2Capabilities)
	} else {
		a := &wire.Advertisement{
			Version:      version,
			Capabilities: fetchCapabilities(snap, "multi_ack", "multi_ack_detailed", "no-done"),
			Refs:         advertised(snap),
		}
		err = errors.Join(announce(out, uploadPack), a.Encode(out))
	}
	return x.sent(errors.Join(err, x.flush(out, to)))
}

// announce writes the line that names the service, before an advertisement.
func announce(out io.Writer, service string) error {
	w := pktline.NewWriter(out)
	return errors.Join(w.Line("# service="+service), w.Flush())
}

// fetch answers a POST to git-upload-pack.
func (x *exchange) fetch(ctx context.Context) error {
	in, err := x.body(x.limits.FetchBytes)
	if err != nil {
		return err
	}
	empty, err := in.empty()
	if err != nil {
		return err
	}
	if empty {
		x.start("git-upload-pack-result")
		return nil
	}
	snap, err := x.service.pull(ctx, x.caller, x.repository)
	if err != nil {
		return err
	}
	version := protocolVersion(x.r.Header.Get("Git-Protocol"))
	x.start("git-upload-pack-result")
	out := x.output()
	if version == 2 {
		err = (&v2Request{service: x.service, snap: snap, in: in, out: out}).serve(ctx)
		if errors.Is(err, io.EOF) { // a probe
			return nil
		}
	} else {
		err = serveFetch(ctx, x.service, snap, wire.NewFetch(pktline.NewReader(in), version), version, nil, out)
	}
	if err != nil && out.written.Load() {
		return x.sent(err)
	}
	return err
}

// v2Request is one request of protocol version 2.
type v2Request struct {
	service service
	snap    *repo.Snapshot
	in      io.Reader
	out     io.Writer
	again   func(context.Context) (*repo.Snapshot, error) // decides once more; nil: it was just decided
}

// serve reads and answers the request; io.EOF where there is none.
func (q *v2Request) serve(ctx context.Context) error {
	r := pktline.NewReader(q.in)
	h, err := wire.DecodeRequestHeader(r)
	if err != nil {
		return err
	}
	if f := h.Capabilities.Value("object-format"); f != "" && f != "sha1" {
		return errObjectFormat
	}
	if q.again != nil {
		if q.snap, err = q.again(ctx); err != nil {
			return err
		}
	}
	switch h.Command {
	case "ls-refs":
		refs := &wire.LsRefs{}
		if h.Arguments {
			if refs, err = wire.DecodeLsRefs(r); err != nil {
				return err
			}
		}
		return lsRefs(q.out, q.snap, refs)
	case "object-info":
		if !h.Arguments {
			return errNoArguments
		}
		info, err := wire.DecodeObjectInfo(r)
		if err != nil {
			return err
		}
		return objectInfo(ctx, q.service, q.snap, info, q.out)
	case "fetch":
		if !h.Arguments {
			return errNoArguments
		}
		return serveFetch(ctx, q.service, q.snap, wire.NewFetch(r, 2), 2, h.Append(nil), q.out)
	}
	return errCommand
}

// serveFetch gives git a request, after the head that was read already.
func serveFetch(ctx context.Context, s service, snap *repo.Snapshot, f *wire.Fetch, version int, head []byte, out io.Writer) error {
	return runUploadPack(ctx, s, snap, version, io.MultiReader(bytes.NewReader(head), f), out, f.Err)
}

// runUploadPack lets git answer. What git makes of a request that is bad by itself does
// not count; and where git tells the client what is wrong (it does not have the object
// wanted, say), that was the answer.
func runUploadPack(ctx context.Context, s service, snap *repo.Snapshot, version int, in io.Reader, out io.Writer, bad func() error) error {
	w := &errWatch{Writer: out}
	err := s.uploadPack(ctx, snap, version, in, w)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case bad() != nil:
		return bad()
	case err != nil && w.seen:
		return &toldError{errGitRefused}
	case errors.Is(err, repo.ErrBadFetch) && w.between():
		// As git tells what it notices in time: a client prints this, wherever it stands in
		// an answer, but not the text of an answer that is refused.
		_, werr := w.Write(pktline.Append(nil, errWord+answerTo(err).text()+"\n"))
		return &toldError{errors.Join(err, werr)}
	}
	return err
}

// errWatch notices the ERR packet with which git ends a conversation, among the packets
// before the pack.
type errWatch struct {
	io.Writer
	seen  bool
	over  bool   // what comes now is no packet: it cannot be told any more
	left  int    // bytes of the packet that are still to come
	start []byte // of the packet: its length, and the word that matters
}

const errWord = "ERR "

// between reports whether a packet can follow.
func (w *errWatch) between() bool { return !w.over && len(w.start) == 0 }

func (w *errWatch) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0 && !w.over; {
		rest = w.look(rest)
	}
	return w.Writer.Write(p)
}

// look takes the bytes of one packet, as far as they are there, and returns those after it.
func (w *errWatch) look(p []byte) []byte {
	for len(w.start) < 4 && len(p) > 0 {
		w.start, p = append(w.start, p[0]), p[1:]
		if len(w.start) < 4 {
			continue
		}
		n, err := strconv.ParseUint(string(w.start), 16, 16)
		w.over = err != nil
		w.left = max(int(n)-4, 0) // that of a flush packet is 0
	}
	n := min(w.left, len(p))
	w.start = append(w.start, p[:min(n, 4+len(errWord)-len(w.start))]...)
	w.left -= n
	if len(w.start) >= 4 && (w.left == 0 || len(w.start) == 4+len(errWord)) {
		w.seen = w.seen || string(w.start[4:]) == errWord
	}
	if len(w.start) >= 4 && w.left == 0 {
		w.start = w.start[:0]
	}
	return p[n:]
}
