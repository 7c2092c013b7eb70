package gitserver

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/repo"
)

// git-lfs-transfer is Git LFS over SSH alone. What HTTP has a request for is a request
// here, with the same decisions: the key is looked up again for each, a batch gives
// tickets, and an object is decided again. A client runs several of these commands at
// once, and takes to one of them the ticket that another has given it.

// lfsTransfer is one git-lfs-transfer command.
type lfsTransfer struct {
	x         *sshExchange
	desk      lfsDesk
	operation lfs.Operation
	id        repo.ID // which repository has the name

	clock *time.Timer
	guard *stallGuard
	in    *bufio.Reader
	reqs  *lfs.TransferReader
	buf   *bufio.Writer
	out   *pktline.Writer

	hangUp    func()
	versioned bool
	unproven  bool  // the key did not count any more: one more request, and no more
	lost      error // why nothing more can be said: an answer broke off in its middle
}

func newLFSTransfer(x *sshExchange, desk lfsDesk, operation lfs.Operation, id repo.ID, ch sshChannel) *lfsTransfer {
	t := &lfsTransfer{x: x, desk: desk, operation: operation, id: id, clock: ch.clock, hangUp: ch.hangUp}
	t.guard = newStallGuard(x.limits.Stall, ch.hangUp)
	t.in = bufio.NewReaderSize(clientReader{guardedReader{ch, t.guard}}, 32<<10)
	t.reqs = lfs.NewTransferReader(t.in)
	t.buf = bufio.NewWriterSize(x.out, 32<<10)
	t.out = pktline.NewWriter(t.buf)
	return t
}

// clientReader reads from a client.
type clientReader struct{ src io.Reader }

func (r clientReader) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &clientError{err}
	}
	return n, err
}

// serve answers requests until the client is done. Its error is what ended it before.
func (t *lfsTransfer) serve(ctx context.Context, atEnd func(func()) func() bool) error {
	err := errors.Join(t.out.Line("version="+lfs.TransferVersion), t.out.Line("locking"), t.out.Flush(), t.buf.Flush())
	for err == nil {
		if !t.wait(atEnd) {
			return nil
		}
		t.clock.Reset(t.x.limits.Total)
		last := t.unproven
		var quit bool
		if quit, err = t.answer(ctx); quit || last {
			return err
		}
	}
	return err
}

// wait waits for a request, and reports whether one begins. A client waits in one command
// for what it does in others, so it may wait for as long as they may take; a server that
// ends does not wait, and of one whose key does not count any more only its leave is waited
// for.
func (t *lfsTransfer) wait(atEnd func(func()) func() bool) bool {
	total := t.x.limits.Total
	if t.unproven {
		total = t.x.limits.Stall
	}
	t.clock.Reset(total + t.x.limits.Stall) // the guard is to speak first
	t.guard.after = total
	stop := atEnd(t.hangUp)
	_, err := t.in.Peek(1)
	stop()
	t.guard.after = t.x.limits.Stall
	return err == nil
}

// answer answers one request. After an error nothing can be said any more.
func (t *lfsTransfer) answer(ctx context.Context) (quit bool, err error) {
	req, err := t.reqs.Next()
	if err == nil && req.Command == lfs.TransferQuit {
		quit = true
		err = t.say(lfs.TransferAnswer{Status: http.StatusOK})
	} else if proof := t.prove(ctx); proof != nil {
		err = errors.Join(proof, err)
	} else if err == nil {
		err = t.serveRequest(ctx, req)
	}
	if err != nil && t.lost == nil {
		// What is left of an upload comes first: clients listen when they have sent it.
		if lost := t.reqs.Skip(t.skips(req)); lost != nil {
			t.lost = lost
		}
		err = t.refuse(ctx, err)
	}
	return quit, errors.Join(t.lost, err, t.buf.Flush())
}

// skips is how much of a refused request's content is read.
func (t *lfsTransfer) skips(req *lfs.TransferRequest) int64 {
	if req != nil && req.Command == lfs.TransferPut {
		if scope, err := t.scope(req, usePut); err == nil {
			return min(scope.Size, t.x.limits.PushBytes) + maxLFSDrain
		}
	}
	return maxLFSDrain
}

// prove looks up again who has the key. Who has lost it must not keep the place of the
// command by requests that nobody needs to be for.
func (t *lfsTransfer) prove(ctx context.Context) error {
	caller, err := t.x.prove(ctx)
	if err != nil {
		t.unproven = errors.Is(err, authn.ErrUnknown)
		return err
	}
	t.desk.caller, t.x.caller = caller, caller
	return nil
}

// serveRequest does what a request asks for, and answers it.
func (t *lfsTransfer) serveRequest(ctx context.Context, req *lfs.TransferRequest) error {
	if req.Command == lfs.TransferHello {
		if req.Subject != lfs.TransferVersion {
			return errLFSVersion
		}
		t.versioned = true
		return t.say(lfs.TransferAnswer{Status: http.StatusOK, Lines: []string{}})
	}
	serve, ok := t.commands()[req.Command]
	switch {
	case !t.versioned:
		return errLFSNoVersion
	case !ok:
		return errLFSCommand
	case serve == nil:
		return errLFSOtherWay
	}
	return serve(ctx, req)
}

// commands are what can be asked for; nil: not in a connection for this operation.
func (t *lfsTransfer) commands() map[lfs.TransferCommand]func(context.Context, *lfs.TransferRequest) error {
	all := map[lfs.TransferCommand]func(context.Context, *lfs.TransferRequest) error{
		lfs.TransferBatch: t.batch, lfs.TransferGet: nil, lfs.TransferPut: nil, lfs.TransferVerify: nil,
		lfs.TransferLock: nil, lfs.TransferUnlock: nil, lfs.TransferLocks: t.listLocks, lfs.TransferLocks33: nil,
	}
	if t.operation == lfs.Download {
		all[lfs.TransferGet] = t.get
		return all
	}
	all[lfs.TransferPut], all[lfs.TransferVerify] = t.put, t.verify
	all[lfs.TransferLock], all[lfs.TransferUnlock], all[lfs.TransferLocks33] = t.lock, t.unlock, t.listLocks
	return all
}

// say sends an answer, when the request is done.
func (t *lfsTransfer) say(a lfs.TransferAnswer) error {
	if err := a.Write(t.out); err != nil {
		t.lost = err
	}
	return nil
}
