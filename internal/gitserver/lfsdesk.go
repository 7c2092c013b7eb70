package gitserver

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

const (
	// ticketScheme stands before a ticket in the header Authorization.
	ticketScheme = "Refward "

	// ticketLife is how long a ticket is good for, as long as a signature of the Git
	// credential helper. A transfer that has begun may last longer. Clients know it, and
	// ask for another in time.
	ticketLife = 15 * time.Minute
)

// lfsUse is what a ticket can be used for.
type lfsUse string

const (
	useDownloads lfsUse = "downloads" // of an SSH client: batches to download, listing locks
	useUploads   lfsUse = "uploads"   // of an SSH client: everything but the objects
	useGet       lfsUse = "get"       // of one object
	usePut       lfsUse = "put"
	useVerify    lfsUse = "verify"
)

// lfsScope is what a ticket says beside who was given it.
type lfsScope struct {
	Repository string       `json:"r"`
	Use        lfsUse       `json:"u"`
	ID         repo.ID      `json:"i,omitempty"` // which repository has the name; of objects
	OID        string       `json:"o,omitempty"`
	Size       int64        `json:"n,omitempty"`
	Ref        refname.Name `json:"f,omitempty"`
}

// issue makes a ticket.
func (s lfsScope) issue(t *authn.Tickets, p authn.Proof) (string, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	return t.Issue(p, string(text), ticketLife)
}

// openScope opens a ticket.
func openScope(t *authn.Tickets, ticket string) (authn.Proof, *lfsScope, error) {
	proof, text, err := t.Open(ticket)
	if err != nil {
		return authn.Proof{}, nil, err
	}
	s := &lfsScope{}
	if err := json.Unmarshal([]byte(text), s); err != nil {
		return authn.Proof{}, nil, authn.ErrUnknown
	}
	return proof, s, nil
}

// object is the object that a ticket is for, as the operations take it.
func (s *lfsScope) object() (codecommit.GitLFSObjectInput, error) {
	id, err := lfs.ParseOID(s.OID)
	if err != nil {
		return codecommit.GitLFSObjectInput{}, errTicket
	}
	return codecommit.GitLFSObjectInput{
		RepositoryName: s.Repository, RepositoryID: s.ID, Ref: s.Ref, Object: lfs.Object{OID: id, Size: s.Size},
	}, nil
}

// lfsDesk is what is done for a client of Git LFS, whichever door it came by. The doors
// prove its caller, read its requests, and tell it the results.
type lfsDesk struct {
	codecommit *codecommit.Service
	authorizer *authz.Authorizer
	tickets    *authn.Tickets
	repository string
	proof      authn.Proof
	caller     authz.Caller
}

// invoke runs an operation as the caller.
func invoke[In, Out any](ctx context.Context, d *lfsDesk, o *op.Operation[In, Out], in In) (*Out, error) {
	return op.Invoke(ctx, d.authorizer, d.caller, o, &in)
}

// lfsFound is what became of a batch.
type lfsFound struct {
	*lfs.Batch
	id      repo.ID
	ref     refname.Name
	objects []codecommit.LFSPresence // of those objects of the batch that can be
}

// batch has a batch decided, and its objects looked up.
func (d *lfsDesk) batch(ctx context.Context, b *lfs.Batch) (*lfsFound, error) {
	in := codecommit.GitLFSBatchInput{RepositoryName: d.repository}
	for _, o := range b.Objects {
		if o.Wrong == "" {
			in.Objects = append(in.Objects, o.Object)
		}
	}
	operation := d.codecommit.GitLFSDownload()
	if b.Operation == lfs.Upload {
		in.Ref = refOf(b.Ref)
		operation = d.codecommit.GitLFSUpload()
	}
	out, err := invoke(ctx, d, operation, in)
	if err != nil {
		return nil, err
	}
	return &lfsFound{b, out.RepositoryID, in.Ref, out.Objects}, nil
}

// each says of each object in turn what is known of it, or why there can be none.
func (f *lfsFound) each(say func(lfs.BatchObject, codecommit.LFSPresence, *lfs.ObjectError) error) error {
	next := f.objects
	for _, o := range f.Objects {
		var p codecommit.LFSPresence
		var wrong *lfs.ObjectError
		if o.Wrong != "" {
			wrong = &lfs.ObjectError{Code: http.StatusUnprocessableEntity, Message: o.Wrong}
		} else {
			p, next = next[0], next[1:]
			wrong = objectError(p.Wrong)
		}
		if err := say(o, p, wrong); err != nil {
			return err
		}
	}
	return nil
}

func objectError(f *fault.Fault) *lfs.ObjectError {
	switch {
	case f == nil:
		return nil
	case f.Code.Kind == fault.NotFound:
		return &lfs.ObjectError{Code: http.StatusNotFound, Message: f.Message}
	}
	return &lfs.ObjectError{Code: http.StatusUnprocessableEntity, Message: f.Message}
}

// ticket is for one use of one object of the batch.
func (d *lfsDesk) ticket(f *lfsFound, o lfs.BatchObject, use lfsUse) (string, error) {
	return lfsScope{Repository: d.repository, Use: use, ID: f.id, OID: o.Given, Size: o.Size, Ref: f.ref}.issue(d.tickets, d.proof)
}

func (d *lfsDesk) lock(ctx context.Context, asked lfs.LockRequest) (*codecommit.GitLFSCreateLockOutput, error) {
	return invoke(ctx, d, d.codecommit.GitLFSCreateLock(),
		codecommit.GitLFSCreateLockInput{RepositoryName: d.repository, Ref: refOf(asked.Ref), Path: asked.Path})
}

// inTheWay says why a path was not locked.
func inTheWay(l codecommit.LFSLock) string { return "the path is locked by " + l.OwnerName() }

func (d *lfsDesk) unlock(ctx context.Context, id string, asked lfs.UnlockRequest) (lfs.Lock, error) {
	out, err := invoke(ctx, d, d.codecommit.GitLFSDeleteLock(),
		codecommit.GitLFSDeleteLockInput{RepositoryName: d.repository, Ref: refOf(asked.Ref), ID: id, Force: asked.Force})
	if err != nil {
		return lfs.Lock{}, err
	}
	return toldLock(out.Lock), nil
}

// listLocks lists locks. The ref that a client sends along is not looked at: who may read
// sees the locks of every branch, because they hold on every branch.
func (d *lfsDesk) listLocks(ctx context.Context, in codecommit.GitLFSLocksInput) (*codecommit.GitLFSLocksOutput, error) {
	in.RepositoryName = d.repository
	return invoke(ctx, d, d.codecommit.GitLFSListLocks(), in)
}

// verifyLocks lists the locks that a push has to respect.
func (d *lfsDesk) verifyLocks(ctx context.Context, asked lfs.VerifyRequest) (*codecommit.GitLFSLocksOutput, error) {
	return invoke(ctx, d, d.codecommit.GitLFSVerifyLocks(),
		codecommit.GitLFSLocksInput{RepositoryName: d.repository, Ref: refOf(asked.Ref), Cursor: asked.Cursor, Limit: asked.Limit})
}

func toldLock(l codecommit.LFSLock) lfs.Lock {
	return lfs.NewLock(l.ID, l.Path, l.OwnerName(), l.Created)
}

// lfsAnswerTo is answerTo for clients of Git LFS: to them a request that is wrong by
// itself has another status than to Git.
func lfsAnswerTo(err error) answer {
	a := answerTo(err)
	if f, ok := errors.AsType[*fault.Fault](err); ok && f.Code.Kind == fault.Invalid && a.status == http.StatusBadRequest {
		a.status = http.StatusUnprocessableEntity
	}
	return a
}

// refOf is the ref that a message names; empty where it names none.
func refOf(given *string) refname.Name {
	if given == nil {
		return ""
	}
	return refname.Name(*given)
}
