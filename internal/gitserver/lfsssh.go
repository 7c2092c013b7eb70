package gitserver

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/repo"
)

// lfsCommand is how git-lfs asks over SSH: without quotes, which names need not.
var lfsCommand = regexp.MustCompile(`^git-lfs-(authenticate|transfer) (?:'([^']*)'|([^' ]*)) ([^ ]*)$`)

// lfs runs a command of git-lfs. It is decided as Git's own commands are before they name
// a ref; what is done after it is decided then.
func (x *sshExchange) lfs(ctx context.Context, c *sshConnection, ch sshChannel, m []string) error {
	x.endpoint = "git-lfs-" + m[1]
	server := c.server
	if server.Tickets == nil {
		return errNoCommand
	}
	path := strings.TrimSuffix(m[2]+m[3], ".git")
	rt, ok := parseRoute("/" + strings.TrimPrefix(path, "/") + "/" + infoRefs)
	if !ok {
		return errNoRoute
	}
	x.repository = rt.repository
	operation := lfs.Operation(m[4])
	var snap *repo.Snapshot
	var err error
	switch operation {
	case lfs.Download:
		snap, err = x.service.pull(ctx, x.caller, x.repository)
	case lfs.Upload:
		snap, err = x.service.advertisePush(ctx, x.caller, x.repository)
	default:
		err = errLFSOperation
	}
	if err != nil {
		return err
	}
	desk := lfsDesk{
		codecommit: server.CodeCommit, authorizer: server.Authorizer, tickets: server.Tickets,
		repository: x.repository, proof: authn.SSHProof(c.conn.User(), c.key()), caller: x.caller,
	}
	if m[1] == "transfer" {
		return newLFSTransfer(x, desk, operation, snap.ID, ch).serve(ctx, c.atEnd)
	}
	return x.lfsAuthenticate(desk, operation, server.HTTPURL)
}

// lfsAuthenticate answers git-lfs-authenticate: where the repository's LFS is over HTTP,
// and a ticket to go there with.
func (x *sshExchange) lfsAuthenticate(desk lfsDesk, operation lfs.Operation, host string) error {
	scope := lfsScope{Repository: x.repository, Use: useDownloads}
	if operation == lfs.Upload {
		scope.Use = useUploads
	}
	ticket, err := scope.issue(desk.tickets, desk.proof)
	if err != nil {
		return err
	}
	text, err := json.Marshal(lfs.Action{
		Href:      host + lfsPath(x.repository),
		Header:    map[string]string{"Authorization": ticketScheme + ticket},
		ExpiresIn: int64(ticketLife.Seconds()),
	})
	if err != nil {
		return err
	}
	_, err = x.out.Write(append(text, '\n'))
	return err
}
