package gitserver

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

// Git LFS is served below /v1/repos/NAME.git/info/lfs, where its client looks, and below
// /v1/repos/NAME/info/lfs.
//
// A transfer has two steps: a batch, which is decided, and a request for each object.
// The second names nothing by itself: it brings a ticket that the first has given, with
// the repository, the object, its size and the ref in it, and with the credential of the
// batch, sealed. So the caller is proven again, and the same is decided again, whoever
// the address was told to. A client that came by SSH has a ticket for the batch as well.

const (
	lfsFolder = "info/lfs/"

	// ticketScheme stands before a ticket in the header Authorization.
	ticketScheme = "Refward "

	// ticketLife is how long a ticket is good for, as long as a signature of the Git
	// credential helper. A transfer that has begun may last longer. Clients know it, and
	// ask for another in time.
	ticketLife = 15 * time.Minute

	// maxLFSDrain is how much of a refused upload is read, so that its client is told
	// before it notices that nobody listens.
	maxLFSDrain = 16 << 20
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

// issue makes a ticket, as the value of the header Authorization.
func (s lfsScope) issue(t *authn.Tickets, p authn.Proof) (string, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	ticket, err := t.Issue(p, string(text), ticketLife)
	return ticketScheme + ticket, err
}

// lfsRoute is a path cut into the repository's name, an endpoint's pattern, and the ID
// that stands in the place of "*".
type lfsRoute struct {
	repository string
	endpoint   string
	id         string
}

// parseLFSRoute reads an exact path. No name of a repository ends in .git, so the ending
// that the client adds is none of it.
func parseLFSRoute(path string) (lfsRoute, bool) {
	rest, ok := strings.CutPrefix(path, root)
	if !ok {
		return lfsRoute{}, false
	}
	name, rest, _ := strings.Cut(rest, "/")
	name = strings.TrimSuffix(name, ".git")
	rest, ok = strings.CutPrefix(rest, lfsFolder)
	if !ok || name == "" {
		return lfsRoute{}, false
	}
	parts := strings.Split(rest, "/")
	for _, e := range lfsEndpoints {
		if id, ok := e.matches(parts); ok {
			return lfsRoute{name, e.path, id}, true
		}
	}
	return lfsRoute{}, false
}

// lfsEndpoint is what can be done at a path.
type lfsEndpoint struct {
	method string
	path   string // below info/lfs; "*" stands for one ID
	uses   []lfsUse
	serve  func(*lfsExchange, context.Context) error
}

// lfsEndpoints is everything there is; of two that match a path the first is meant.
var lfsEndpoints = []lfsEndpoint{
	{http.MethodPost, "objects/batch", []lfsUse{useDownloads, useUploads}, (*lfsExchange).batch},
	{http.MethodGet, "objects/*", []lfsUse{useGet}, (*lfsExchange).get},
	{http.MethodPut, "objects/*", []lfsUse{usePut}, (*lfsExchange).put},
	{http.MethodPost, "objects/*/verify", []lfsUse{useVerify}, (*lfsExchange).verify},
	{http.MethodGet, "locks", []lfsUse{useDownloads, useUploads}, (*lfsExchange).listLocks},
	{http.MethodPost, "locks", []lfsUse{useUploads}, (*lfsExchange).createLock},
	{http.MethodPost, "locks/verify", []lfsUse{useUploads}, (*lfsExchange).verifyLocks},
	{http.MethodPost, "locks/*/unlock", []lfsUse{useUploads}, (*lfsExchange).deleteLock},
}

func (e lfsEndpoint) matches(parts []string) (id string, ok bool) {
	pattern := strings.Split(e.path, "/")
	if len(pattern) != len(parts) {
		return "", false
	}
	for i, p := range pattern {
		switch {
		case p == "*" && parts[i] != "":
			id = parts[i]
		case p != parts[i]:
			return "", false
		}
	}
	return id, true
}

// ofObject reports whether the endpoint is that of one object, which a batch has to
// allow first.
func (e lfsEndpoint) ofObject() bool { return strings.HasPrefix(e.path, "objects/*") }

// lfsExchange is one request for Git LFS.
type lfsExchange struct {
	*exchange
	lfsRoute
	door   *Handler
	proof  authn.Proof
	scope  *lfsScope // of the ticket; nil where the client brought its credential
	proven bool
	body   *body // of an upload
}

// serveLFS answers a request for Git LFS.
func (h *Handler) serveLFS(ctx context.Context, x *exchange, r lfsRoute) {
	x.route = route{r.repository, lfsFolder + r.endpoint}
	l := &lfsExchange{exchange: x, lfsRoute: r, door: h}
	e, err := l.dispatch()
	if err == nil {
		err = l.identify(ctx, e)
	}
	if err == nil {
		var leave func()
		if ctx, leave, err = h.Admit.admit(ctx, x.caller.Principal); err == nil {
			defer leave()
			err = e.serve(l, ctx)
		}
	}
	if err != nil {
		l.drain()
		l.fail(err)
	}
}

// dispatch finds the endpoint of the path and the method.
func (x *lfsExchange) dispatch() (lfsEndpoint, error) {
	var allow []string
	for _, e := range lfsEndpoints {
		if e.path != x.lfsRoute.endpoint {
			continue
		}
		if e.method == x.r.Method {
			return e, nil
		}
		allow = append(allow, e.method)
	}
	x.w.Header().Set("Allow", strings.Join(allow, ", "))
	return lfsEndpoint{}, errMethod
}

// identify proves who sends the request, by a credential or by what is sealed in a
// ticket, and that the ticket is for this request.
func (x *lfsExchange) identify(ctx context.Context, e lfsEndpoint) error {
	given := x.r.Header.Get("Authorization")
	if ticket, ok := strings.CutPrefix(given, ticketScheme); ok {
		proof, text, err := x.door.Tickets.Open(ticket)
		if err != nil {
			return err
		}
		x.proof, x.scope = proof, &lfsScope{}
		if err := json.Unmarshal([]byte(text), x.scope); err != nil {
			return authn.ErrUnknown
		}
		if x.scope.Repository != x.lfsRoute.repository || !slices.Contains(e.uses, x.scope.Use) || e.ofObject() && x.scope.OID != x.id {
			return errTicket
		}
	} else {
		user, password, ok := x.r.BasicAuth()
		if !ok {
			return errNoCredentials
		}
		x.proof = authn.BasicProof(user, password)
	}
	// A "GIT" signature may be for the repository, which is what clients have a credential
	// for, or for the address of its LFS.
	path := x.path()
	id, err := x.door.Verifier.Prove(ctx, x.proof, x.r.Host, path, path+".git", path+".git/info/lfs", path+"/info/lfs")
	if err != nil {
		return err
	}
	x.caller, x.proven = x.door.Caller(x.r, id), true
	if e.ofObject() && x.scope == nil {
		return errNoTicket
	}
	return nil
}

// invoke runs an operation as the caller.
func invoke[In, Out any](ctx context.Context, x *lfsExchange, o *op.Operation[In, Out], in In) (*Out, error) {
	return op.Invoke(ctx, x.door.Authorizer, x.caller, o, &in)
}

// message reads a request in the API's media type.
func (x *lfsExchange) message(limit int64) ([]byte, error) {
	if t, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type")); err != nil || t != lfs.MediaType {
		return nil, errLFSContentType
	}
	b, err := x.exchange.body(limit)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(b)
}

// answer sends an answer in the API's media type.
func (x *lfsExchange) answer(status int, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	x.startLFS(status)
	_, err = x.output().Write(append(text, '\n'))
	return x.sent(err)
}

func (x *lfsExchange) startLFS(status int) {
	h := x.w.Header()
	noCache(h)
	h.Set("Content-Type", lfs.MediaType)
	h.Set("X-Content-Type-Options", "nosniff")
	x.w.WriteHeader(status)
}

// drain reads what is left of a refused upload, within limits, of a caller who is proven.
// One that expects to be told to go on has not begun.
func (x *lfsExchange) drain() {
	if x.r.Method != http.MethodPut || !x.proven || x.body == nil && x.r.Header.Get("Expect") != "" {
		return
	}
	if x.body == nil {
		var err error
		if x.body, err = x.exchange.body(maxLFSDrain); err != nil {
			return
		}
	}
	_, _ = io.CopyN(io.Discard, x.body, maxLFSDrain)
}

// refOf is the ref that a message names; empty where it names none.
func refOf(given *string) refname.Name {
	if given == nil {
		return ""
	}
	return refname.Name(*given)
}
