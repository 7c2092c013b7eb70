package gitserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/git/pktline"
)

// batch answers a request to transfer objects.
//
// The protocol cannot say what is wrong with one object of several. An upload that cannot
// be is refused whole, before anything is sent. Of a download, clients take an object
// without an action for one that they need not have; so what is missing has one too, and
// is refused when it is asked for, unless there is none of them.
func (t *lfsTransfer) batch(ctx context.Context, req *lfs.TransferRequest) error {
	b, err := req.Batch(t.operation)
	if err != nil {
		return err
	}
	found, err := t.desk.batch(ctx, b)
	if err != nil {
		return err
	}
	var refused error
	usable := 0
	lines := make([]string, 0, len(b.Objects))
	err = found.each(func(o lfs.BatchObject, p codecommit.LFSPresence, wrong *lfs.ObjectError) error {
		if wrong != nil && refused == nil {
			refused = &refusal{wrong.Code, fmt.Sprintf("object %.64q: %s", o.Given, wrong.Message)}
		}
		line := o.Given + " " + strconv.FormatInt(o.Size, 10) + " "
		use := useGet
		switch {
		case o.Wrong != "" || wrong != nil && t.operation == lfs.Upload:
			return refused
		case t.operation == lfs.Upload && p.Present:
			lines = append(lines, line+"noop")
			return nil
		case t.operation == lfs.Upload:
			use = usePut
		case wrong == nil:
			usable++
		}
		ticket, err := t.desk.ticket(found, o, use)
		lines = append(lines, fmt.Sprintf("%s%s token=%s expires-in=%d", line, t.operation, ticket, int(ticketLife.Seconds())))
		return err
	})
	if err == nil && refused != nil && usable == 0 {
		err = refused
	}
	if err != nil {
		return err
	}
	return t.say(lfs.TransferAnswer{Status: http.StatusOK, Args: []string{"hash-algo=" + lfs.HashAlgorithm}, Lines: lines})
}

// scope is what a request for one object may be about. It is that of the ticket, which
// must have been given to this caller, for this object and for this. git-lfs before 3.5
// brings none; it is taken for a client that has named no ref.
func (t *lfsTransfer) scope(req *lfs.TransferRequest, use lfsUse) (*lfsScope, error) {
	asked, err := req.Object()
	if err != nil {
		return nil, err
	}
	token := req.Arg("token")
	if token == "" {
		return &lfsScope{Repository: t.desk.repository, Use: use, ID: t.id, OID: asked.OID.String(), Size: asked.Size}, nil
	}
	proof, scope, err := openScope(t.desk.tickets, token)
	switch {
	case err != nil:
		return nil, errTicketOld
	case !proof.Equal(t.desk.proof), scope.Repository != t.desk.repository, scope.Use != use,
		scope.OID != asked.OID.String(), scope.Size != asked.Size:
		return nil, errTicket
	}
	return scope, nil
}

func (t *lfsTransfer) object(req *lfs.TransferRequest, use lfsUse) (codecommit.GitLFSObjectInput, error) {
	scope, err := t.scope(req, use)
	if err != nil {
		return codecommit.GitLFSObjectInput{}, err
	}
	return scope.object()
}

// get sends an object.
func (t *lfsTransfer) get(ctx context.Context, req *lfs.TransferRequest) (err error) {
	in, err := t.object(req, useGet)
	if err != nil {
		return err
	}
	out, err := invoke(ctx, &t.desk, t.desk.codecommit.GitLFSGetObject(), in)
	if err != nil {
		return err
	}
	defer func() { t.lost = errors.Join(t.lost, out.Content.Close()) }()
	a := lfs.TransferAnswer{Status: http.StatusOK, Args: []string{"size=" + strconv.FormatInt(in.Object.Size, 10)}}
	t.lost = errors.Join(a.Begin(t.out), t.out.Delim(), t.send(out.Content, in.Object), t.out.Flush())
	return nil
}

// send sends the bytes of an object, in packets as large as they may be.
func (t *lfsTransfer) send(from io.Reader, o lfs.Object) error {
	packet := make([]byte, pktline.MaxLen)
	for left := o.Size; left > 0; {
		payload := pktline.Begin(packet[:0])
		start := len(payload)
		payload = packet[:start+int(min(left, pktline.MaxPayload))]
		n, err := io.ReadFull(from, payload[start:])
		if err != nil {
			return fmt.Errorf("object %s of Git LFS, %d bytes before its end: %w", o.OID, left-int64(n), err)
		}
		if _, err := t.buf.Write(pktline.End(payload, 0)); err != nil {
			return err
		}
		left -= int64(n)
	}
	return nil
}

// put takes an object in.
func (t *lfsTransfer) put(ctx context.Context, req *lfs.TransferRequest) error {
	in, err := t.object(req, usePut)
	if err != nil {
		return err
	}
	in.Content = t.reqs.Content()
	if _, err := invoke(ctx, &t.desk, t.desk.codecommit.GitLFSPutObject(), in); err != nil {
		return err
	}
	return t.say(lfs.TransferAnswer{Status: http.StatusOK, Lines: []string{}})
}

// verify says whether an object has arrived. A client has the ticket of the upload for it.
func (t *lfsTransfer) verify(ctx context.Context, req *lfs.TransferRequest) error {
	in, err := t.object(req, usePut)
	if err != nil {
		return err
	}
	if _, err := invoke(ctx, &t.desk, t.desk.codecommit.GitLFSVerifyObject(), in); err != nil {
		return err
	}
	return t.say(lfs.TransferAnswer{Status: http.StatusOK})
}
