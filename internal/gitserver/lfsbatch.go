package gitserver

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/lfs"
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
	if b.Operation == lfs.Upload && x.scope != nil && x.scope.Use != useUploads {
		return errTicket
	}
	found, err := x.desk.batch(ctx, b)
	if err != nil {
		return err
	}
	return x.answerBatch(found)
}

// answerBatch writes the answer object by object: their tickets can be long.
func (x *lfsExchange) answerBatch(found *lfsFound) error {
	x.startLFS(http.StatusOK)
	out := bufio.NewWriterSize(x.output(), 64<<10)
	_, err := out.WriteString(`{"transfer":"` + lfs.Transfer + `","hash_algo":"` + lfs.HashAlgorithm + `","objects":[`)
	comma := ""
	err = errors.Join(err, found.each(func(o lfs.BatchObject, p codecommit.LFSPresence, wrong *lfs.ObjectError) error {
		a := lfs.BatchAnswer{OID: o.Given, Size: o.Size, Error: wrong}
		var bad error
		if wrong == nil {
			bad = x.fill(&a, found, o, p)
		}
		text, err := json.Marshal(a)
		_, _ = out.WriteString(comma) // a Writer keeps its error
		_, _ = out.Write(text)
		comma = ","
		return errors.Join(bad, err)
	}))
	_, _ = out.WriteString("]}\n")
	return x.sent(errors.Join(err, out.Flush()))
}

// fill says what can be done with an object that a batch may transfer.
func (x *lfsExchange) fill(a *lfs.BatchAnswer, found *lfsFound, o lfs.BatchObject, p codecommit.LFSPresence) error {
	href := x.base() + "/objects/" + a.OID
	actions := map[string]lfs.Action{}
	act := func(name, href string, use lfsUse) error {
		ticket, err := x.desk.ticket(found, o, use)
		actions[name] = lfs.Action{Href: href, Header: map[string]string{"Authorization": ticketScheme + ticket}, ExpiresIn: int64(ticketLife.Seconds())}
		return err
	}
	var err error
	switch {
	case found.Operation == lfs.Download:
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
