package gitserver

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/git/refname"
)

// batch answers a request to transfer objects.
func (x *lfsExchange) batch(ctx context.Context) error {
	data, err := x.message(lfs.MaxBatchBytes)
	if err != nil {
		return err
	}
	b, err := lfs.DecodeBatch(data)
	if err != nil {
		return err
	}
	in := codecommit.GitLFSBatchInput{RepositoryName: x.lfsRoute.repository}
	for _, o := range b.Objects {
		if o.Wrong == "" {
			in.Objects = append(in.Objects, o.Object)
		}
	}
	operation := x.door.CodeCommit.GitLFSDownload()
	if b.Operation == lfs.Upload {
		if x.scope != nil && x.scope.Use != useUploads {
			return errTicket
		}
		in.Ref = refOf(b.Ref)
		operation = x.door.CodeCommit.GitLFSUpload()
	}
	out, err := invoke(ctx, x, operation, in)
	if err != nil {
		return err
	}
	return x.answerBatch(b, in.Ref, out)
}

// answerBatch writes the answer object by object: their tickets can be long.
func (x *lfsExchange) answerBatch(b *lfs.Batch, ref refname.Name, found *codecommit.GitLFSBatchOutput) error {
	x.startLFS(http.StatusOK)
	out := bufio.NewWriterSize(x.output(), 64<<10)
	_, err := out.WriteString(`{"transfer":"` + lfs.Transfer + `","hash_algo":"` + lfs.HashAlgorithm + `","objects":[`)
	next := found.Objects
	for i, o := range b.Objects {
		a := lfs.BatchAnswer{OID: o.Given, Size: o.Size}
		if o.Wrong != "" {
			a.Error = &lfs.ObjectError{Code: http.StatusUnprocessableEntity, Message: o.Wrong}
		} else {
			err = errors.Join(err, x.fill(&a, b.Operation, ref, found, next[0]))
			next = next[1:]
		}
		text, bad := json.Marshal(a)
		if i > 0 {
			_ = out.WriteByte(',') // a Writer keeps its error
		}
		_, _ = out.Write(text)
		err = errors.Join(err, bad)
	}
	_, _ = out.WriteString("]}\n")
	return x.sent(errors.Join(err, out.Flush()))
}

// fill says what can be done with an object that a batch may transfer.
func (x *lfsExchange) fill(a *lfs.BatchAnswer, operation lfs.Operation, ref refname.Name, found *codecommit.GitLFSBatchOutput, p codecommit.LFSPresence) error {
	if p.Wrong != nil {
		a.Error = &lfs.ObjectError{Code: http.StatusUnprocessableEntity, Message: p.Wrong.Message}
		if p.Wrong.Code.Kind == fault.NotFound {
			a.Error.Code = http.StatusNotFound
		}
		return nil
	}
	href := x.base() + "/objects/" + a.OID
	scope := lfsScope{Repository: x.lfsRoute.repository, ID: found.RepositoryID, OID: a.OID, Size: a.Size, Ref: ref}
	actions := map[string]lfs.Action{}
	act := func(name, href string, use lfsUse) error {
		scope.Use = use
		ticket, err := scope.issue(x.door.Tickets, x.proof)
		actions[name] = lfs.Action{Href: href, Header: map[string]string{"Authorization": ticket}, ExpiresIn: int64(ticketLife.Seconds())}
		return err
	}
	var err error
	switch {
	case operation == lfs.Download:
		err = act("download", href, useGet)
	case p.Present: // nothing is left to be done
		return nil
	default:
		err = errors.Join(act("upload", href, usePut), act("verify", href+"/verify", useVerify))
	}
	a.Authenticated, a.Actions = true, actions
	return err
}

// base is the address of the repository's LFS: below the public URL of the host, or
// where that is not set, below the one that the client itself has found the host by.
func (x *lfsExchange) base() string {
	host := x.door.PublicURL
	if host == "" {
		host = "http://" + x.r.Host
		if x.caller.Secure {
			host = "https://" + x.r.Host
		}
	}
	return host + lfsPath(x.lfsRoute.repository)
}

// lfsPath is where the client of Git LFS looks, given a repository's clone URL.
func lfsPath(repository string) string { return root + repository + ".git/info/lfs" }
