package gitserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/repo"
)

// pushAdvertisement is what receive-pack says first. There is no version 2 of it.
func pushAdvertisement(snap *repo.Snapshot, version int) *wire.Advertisement {
	if version == 2 {
		version = 0
	}
	return &wire.Advertisement{
		Version: version,
		Capabilities: wire.Capabilities{
			"report-status", "report-status-v2", "delete-refs", "side-band-64k", "quiet", "atomic", "ofs-delta",
			"push-options", "object-format=sha1", agent,
		},
		Refs: func(yield func(wire.Ref) bool) {
			for r := range snap.Refs.All() { // neither HEAD nor peeled tags, as in git
				if !yield(wire.Ref{Name: r.Name, OID: r.OID}) {
					return
				}
			}
		},
	}
}

// advertisePush answers info/refs?service=git-receive-pack.
func (x *exchange) advertisePush(ctx context.Context) error {
	snap, err := x.service.advertisePush(ctx, x.caller, x.repository)
	if err != nil {
		return err
	}
	x.start("git-receive-pack-advertisement")
	to := x.output()
	out := bufio.NewWriter(to)
	err = errors.Join(announce(out, receivePack), advertisePush(out, snap, protocolVersion(x.r.Header.Get("Git-Protocol"))))
	return x.sent(errors.Join(err, x.flush(out, to)))
}

// push answers a POST to git-receive-pack.
func (x *exchange) push(ctx context.Context) error {
	in, err := x.body(x.limits.PushBytes)
	if err != nil {
		return err
	}
	x.start("git-receive-pack-result")
	if empty, err := in.empty(); empty || err != nil { // nothing is asked for, so nothing needs to be allowed
		return err
	}
	out := x.output()
	c := &pushConversation{
		service: x.service, caller: x.caller, repository: x.repository, limits: x.limits, in: in, out: out,
		// The client may never have asked for the advertisement, where the first
		// decision is made for a person to see.
		undecided: true,
		ends:      true,
	}
	if err = c.serve(ctx); err != nil && out.written.Load() {
		return x.sent(err)
	}
	return err
}

// pushConversation is a push after the advertisement, over either transport.
type pushConversation struct {
	service    service
	caller     authz.Caller
	repository string
	limits     Limits
	in         *body
	out        *output
	undecided  bool // the first decision is still to be made
	ends       bool // the input ends behind the pack: some clients of SSH leave it open
}

// serve reads the commands, runs the push, reads what is left of the client's pack (but
// for what may never end: see ends), and reports. It returns an error that the client is still to be told of, or a
// [toldError].
func (c *pushConversation) serve(ctx context.Context) error {
	p, err := wire.DecodePush(pktline.NewReader(c.in), c.limits.push())
	if err != nil && !errors.Is(err, wire.ErrTooManyCommands) {
		if p.HasPack {
			_ = c.in.drain() // what was wrong first is the answer
		}
		return err
	}
	if len(p.Commands) == 0 { // the client takes its leave
		return nil
	}
	var a pushAnswer = bareAnswer{c.out}
	var progress *bandAnswer
	if p.Capabilities.Has("side-band-64k") {
		progress = &bandAnswer{mux: wire.NewMux(c.out), in: c.in, out: c.out}
		a = progress
	}
	var out *codecommit.GitPushOutput
	if err == nil {
		out, err = c.run(ctx, p, progress)
	}
	if p.HasPack && (c.ends || err != nil || out.Unpack != "ok") {
		// A pack that broke off is the client's doing, whatever came of it.
		if drained := c.in.drain(); drained != nil && (err != nil || out.Unpack != "ok") {
			err = drained
		}
	}
	if err != nil {
		return a.fail(err)
	}
	return a.report(out, p.Capabilities)
}

// run runs the operation. What it does not read of the pack is still to be drained.
func (c *pushConversation) run(ctx context.Context, p *wire.Push, progress *bandAnswer) (*codecommit.GitPushOutput, error) {
	if p.Capabilities.Value("object-format") == "sha256" {
		return nil, errObjectFormat
	}
	if c.undecided {
		if _, err := c.service.advertisePush(ctx, c.caller, c.repository); err != nil {
			return nil, err
		}
	}
	in := &codecommit.GitPushInput{
		RepositoryName: c.repository,
		Commands:       make([]codecommit.RefCommand, len(p.Commands)),
		Atomic:         p.Capabilities.Has("atomic"),
		Options:        p.Options,
	}
	for i, cmd := range p.Commands {
		in.Commands[i] = codecommit.RefCommand{Ref: cmd.Ref, Old: cmd.Old, New: cmd.New}
	}
	switch {
	case p.HasPack && c.ends:
		in.Pack = repo.Ended{Reader: c.in}
	case p.HasPack:
		in.Pack = c.in
	}
	if progress != nil {
		if !p.Capabilities.Has("quiet") {
			in.Progress = progress
		}
		stop := progress.keepAlive(c.limits.KeepAlive)
		defer stop()
	}
	return c.service.push(ctx, c.caller, in)
}

// pushAnswer is how a client is told the outcome. The client's bytes were read to
// their end before.
type pushAnswer interface {
	report(out *codecommit.GitPushOutput, chosen wire.Capabilities) error
	// fail tells an error as git's user will see it, or returns it for the door to tell.
	fail(err error) error
}

// statusReport is the report-status of a push, or nothing where the client did not
// choose to have one.
func statusReport(out *codecommit.GitPushOutput, chosen wire.Capabilities) []byte {
	if !chosen.Has("report-status") && !chosen.Has("report-status-v2") {
		return nil
	}
	r := wire.Report{Unpack: out.Unpack, Results: make([]wire.Result, len(out.Results))}
	for i, res := range out.Results {
		r.Results[i] = wire.Result{Ref: res.Ref, Reason: res.Reason}
	}
	return r.Append(nil)
}

// bareAnswer is the report alone, for a client without side-band-64k.
type bareAnswer struct{ out *output }

func (a bareAnswer) report(out *codecommit.GitPushOutput, chosen wire.Capabilities) error {
	_, err := a.out.Write(statusReport(out, chosen))
	return err
}

func (a bareAnswer) fail(err error) error { return err }

// bandAnswer multiplexes the report with lines for the terminal. It sends nothing before
// the client's bytes have been read: git may take an early answer for the final one.
type bandAnswer struct {
	mux *wire.Mux
	in  *body
	out *output

	mu   sync.Mutex // guards held
	held []byte     // progress that came too early, at most maxHeld bytes
}

const maxHeld = 8 << 10

// Write implements [io.Writer] for progress.
func (a *bandAnswer) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.in.ended() {
		a.held = append(a.held, p[:min(len(p), maxHeld-len(a.held))]...)
		return len(p), nil
	}
	if err := a.release(); err != nil {
		return 0, err
	}
	return a.mux.Band(wire.BandProgress).Write(p)
}

// release sends what was held. The caller holds mu.
func (a *bandAnswer) release() error {
	_, err := a.mux.Band(wire.BandProgress).Write(a.held)
	a.held = nil
	return err
}

// keepAlive sends an empty packet every so often until the function it returns is called.
func (a *bandAnswer) keepAlive(every time.Duration) (stop func()) {
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if a.in.ended() && a.mux.KeepAlive() != nil {
					return
				}
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}

func (a *bandAnswer) report(out *codecommit.GitPushOutput, chosen wire.Capabilities) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.release(); err != nil {
		return err
	}
	var lines []byte
	for _, res := range out.Results {
		for _, l := range res.Remote {
			lines = append(append(lines, l...), '\n')
		}
	}
	// In one piece, which is one packet of the network's and not three.
	var whole bytes.Buffer
	m := wire.NewMux(&whole)
	_, err1 := m.Band(wire.BandProgress).Write(lines)
	_, err2 := m.Band(wire.BandData).Write(statusReport(out, chosen))
	if err := errors.Join(err1, err2, m.Close()); err != nil {
		return err
	}
	_, err := a.out.Write(whole.Bytes())
	return err
}

// fail sends the error as an answer, with status 200 over HTTP: git hides the text of
// any other, and then says that everything is up to date.
func (a *bandAnswer) fail(err error) error {
	_, werr := io.WriteString(a.mux.Band(wire.BandError), answerTo(err).text()+"\n")
	return &toldError{errors.Join(err, werr, a.mux.Close())}
}
