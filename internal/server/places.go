package server

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/gitserver"
	"github.com/refward/refward/internal/share"
)

// Places are how many of each kind there are at once. One user has a quarter of them at
// most, also with their sessions, and before anybody has proven who they are, so has one
// source address where nothing else is said. A zero field stands for its default.
type Places struct {
	Send    int // git processes that make answers to fetches: 64
	Receive int // git processes that take pushes in: 32
	Git     int // requests and commands of Git clients: 512
	API     int // calls of the API: 256
	SSH     int // connections over SSH: 256, half of them of one address before they are proven
	// LFSUploads are objects of Git LFS that are taken in: 64.
	LFSUploads int

	Wait time.Duration // the longest wait for a process, or for room among the answers: 2 minutes

	// Of those who have not proven who they are: connections over HTTP without a proven
	// request (4,096, an eighth of them from one address), and requests (1,024).
	StrangerConnections, StrangerRequests int
}

// uploadWait is how long an upload of Git LFS waits for a place. Clients come again by
// themselves.
const uploadWait = 5 * time.Second

// gates are the places of the doors. Those of git's processes are before those.
type gates struct {
	git, api, users, lfsUploads              *share.Gate
	strangerSSH, strangerHTTP, strangerCalls *share.Gate
}

func (p Places) gates() gates {
	ssh := cmp.Or(p.SSH, gitserver.DefaultConnections)
	connections := cmp.Or(p.StrangerConnections, 4096)
	return gates{
		git:           share.New(share.Options{What: "requests", Places: cmp.Or(p.Git, 512)}),
		api:           share.New(share.Options{What: "requests", Places: cmp.Or(p.API, 256)}),
		lfsUploads:    share.New(share.Options{What: "uploads of objects", Places: cmp.Or(p.LFSUploads, 64), Wait: uploadWait}),
		users:         share.New(share.Options{What: "SSH connections", Places: ssh}),
		strangerSSH:   share.New(share.Options{What: "SSH connections", Places: ssh, Share: max(ssh/2, 1)}),
		strangerHTTP:  share.New(share.Options{What: "connections", Places: connections, Share: max(connections/8, 1)}),
		strangerCalls: share.New(share.Options{What: "requests without proven credentials", Places: cmp.Or(p.StrangerRequests, 1024)}),
	}
}

// kinds are all gates by their name in metrics.
func (g gates) kinds(git *gitcmd.Git) map[string]*share.Gate {
	all := map[string]*share.Gate{
		"git-requests": g.git, "api-requests": g.api, "ssh-connections": g.users,
		"lfs-uploads": g.lfsUploads, "ssh-strangers": g.strangerSSH, "http-strangers": g.strangerHTTP, "stranger-requests": g.strangerCalls,
	}
	for _, c := range gitcmd.Classes() {
		all["process-"+c.String()] = git.Places(c)
	}
	return all
}

// admit gives proven callers their place at a door. From then on they count as strangers
// no more.
func admit(g *share.Gate) gitserver.Admission {
	return func(ctx context.Context, p authz.Principal) (context.Context, func(), error) {
		if known := recordOf(ctx).known; known != nil {
			known()
		}
		ctx = share.As(ctx, p.Owner())
		release, err := g.Take(ctx)
		return ctx, release, err
	}
}

// meet counts a request among those of its source address until its caller is proven.
// What tells whether the host lives is answered to everybody.
func (s *Server) meet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
			next.ServeHTTP(w, r)
			return
		}
		release, err := s.gates.strangerCalls.Take(share.As(r.Context(), share.Source(s.source(r))))
		if err != nil {
			w.Header().Set("Retry-After", "30")
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		release = sync.OnceFunc(release)
		defer release()
		recordOf(r.Context()).known = func() {
			release()
			if c := metConnOf(r.Context()); c != nil {
				c.known()
			}
		}
		next.ServeHTTP(w, r)
	})
}
