package gitserver

import (
	"context"
	"net/http"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/lfs"
)

// lock locks a path; where it is locked, by whomever, the client gets that lock.
func (t *lfsTransfer) lock(ctx context.Context, req *lfs.TransferRequest) error {
	asked, err := req.Lock()
	if err != nil {
		return err
	}
	out, err := t.desk.lock(ctx, asked)
	if err != nil {
		return err
	}
	a := lfs.TransferAnswer{Status: http.StatusCreated, Args: toldLock(out.Lock).Fields()}
	if !out.Created {
		a.Status, a.Lines = http.StatusConflict, []string{inTheWay(out.Lock)}
	}
	return t.say(a)
}

// unlock removes a lock.
func (t *lfsTransfer) unlock(ctx context.Context, req *lfs.TransferRequest) error {
	asked, err := req.Unlock()
	if err != nil {
		return err
	}
	lock, err := t.desk.unlock(ctx, req.Subject, asked)
	if err != nil {
		return err
	}
	return t.say(lfs.TransferAnswer{Status: http.StatusOK, Args: lock.Fields()})
}

// listLocks lists locks: in a connection for uploads those that a push has to respect,
// unless it asks for one by its ID or path.
func (t *lfsTransfer) listLocks(ctx context.Context, req *lfs.TransferRequest) error {
	asked, err := req.Locks()
	if err != nil {
		return err
	}
	var out *codecommit.GitLFSLocksOutput
	id, path := req.Arg("id"), req.Arg("path")
	if t.operation == lfs.Upload && id == "" && path == "" {
		out, err = t.desk.verifyLocks(ctx, asked)
	} else {
		out, err = t.desk.listLocks(ctx, codecommit.GitLFSLocksInput{ID: id, Path: path, Cursor: asked.Cursor, Limit: asked.Limit})
	}
	if err != nil {
		return err
	}
	a := lfs.TransferAnswer{Status: http.StatusOK, Lines: []string{}}
	if out.Next != "" {
		a.Args = []string{"next-cursor=" + out.Next}
	}
	for _, l := range out.Locks {
		a.Lines = append(a.Lines, toldLock(l).Rows(l.Ours(t.desk.caller.Principal))...)
	}
	return t.say(a)
}
