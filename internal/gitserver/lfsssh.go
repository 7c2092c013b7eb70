package gitserver

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/git/lfs"
)

// lfsCommand is how git-lfs asks over SSH: without quotes, which names need not.
var lfsCommand = regexp.MustCompile(`^git-lfs-(authenticate|transfer) (?:'([^']*)'|([^' ]*)) ([^ ]*)$`)

// lfsAuthenticate answers git-lfs-authenticate: where the repository's LFS is over HTTP,
// and a ticket to go there with. It is decided as Git's own commands are before they name
// a ref; what the ticket is used for is decided then. git-lfs-transfer, the transfer over
// SSH itself, is refused, and git-lfs goes on to ask for this.
func (x *sshExchange) lfsAuthenticate(ctx context.Context, server *SSH, proof authn.Proof, m []string) error {
	x.endpoint = "git-lfs-" + m[1]
	if m[1] == "transfer" || server.Tickets == nil {
		return errNoCommand
	}
	path := strings.TrimSuffix(m[2]+m[3], ".git")
	var ok bool
	if x.route, ok = parseRoute("/" + strings.TrimPrefix(path, "/") + "/" + infoRefs); !ok {
		return errNoRoute
	}
	x.endpoint = "git-lfs-authenticate"
	scope := lfsScope{Repository: x.repository, Use: useDownloads}
	var err error
	switch lfs.Operation(m[4]) {
	case lfs.Download:
		_, err = x.service.pull(ctx, x.caller, x.repository)
	case lfs.Upload:
		scope.Use = useUploads
		_, err = x.service.advertisePush(ctx, x.caller, x.repository)
	default:
		err = errLFSOperation
	}
	if err != nil {
		return err
	}
	ticket, err := scope.issue(server.Tickets, proof)
	if err != nil {
		return err
	}
	text, err := json.Marshal(lfs.Action{
		Href:      server.HTTPURL + lfsPath(x.repository),
		Header:    map[string]string{"Authorization": ticket},
		ExpiresIn: int64(ticketLife.Seconds()),
	})
	if err != nil {
		return err
	}
	_, err = x.out.Write(append(text, '\n'))
	return err
}
