package gitserver

import (
	"bufio"
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/repo"
)

// Handler serves /v1/repos/NAME to Git over HTTP. Its fields are set once, before use;
// it is safe for concurrent use. The server around it needs no read or write timeouts:
// Limits has them.
type Handler struct {
	CodeCommit *codecommit.Service
	Repos      *repo.House
	Verifier   *authn.Verifier
	Authorizer *authz.Authorizer
	Log        *slog.Logger

	// Caller makes the caller of a request from who was proven to send it.
	Caller func(r *http.Request, id authn.Identity) authz.Caller

	// Admit gives the request of a caller who is proven its place. Nil: there is one for
	// everybody.
	Admit Admission

	// Tickets are what clients of Git LFS transfer objects with. Nil: there is no LFS here.
	Tickets *authn.Tickets

	// PublicURL is what clients reach the host by, where it is set: addresses of objects
	// begin with it. Empty: with what the client itself has used.
	PublicURL string

	Limits Limits

	service service // nil: the operations of the fields above
}

// exchange is one request on its way through the door.
type exchange struct {
	route
	limits  Limits
	service service
	caller  authz.Caller
	w       http.ResponseWriter
	r       *http.Request
	errs    errorLog
}

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{
		limits:  h.Limits.withDefaults(),
		service: h.operations(),
		w:       w,
		errs:    errorLog{h.Log},
	}
	ctx, cancel := context.WithTimeout(r.Context(), x.limits.Total)
	defer cancel()
	x.r = r.WithContext(ctx)
	// A read that waits does not see the context.
	rc := http.NewResponseController(w)
	stop := context.AfterFunc(ctx, func() { _ = rc.SetReadDeadline(longAgo) })
	defer stop()

	if l, ok := parseLFSRoute(r.URL.Path); ok && h.Tickets != nil {
		h.serveLFS(ctx, x, l)
		return
	}
	var ok bool
	if x.route, ok = parseRoute(r.URL.Path); !ok {
		x.fail(errNoRoute)
		return
	}
	serve, err := x.dispatch()
	if err != nil {
		x.fail(err)
		return
	}
	id, err := h.identify(x.r, x.route)
	if err != nil {
		x.fail(err)
		return
	}
	x.caller = h.Caller(x.r, id)
	ctx, leave, err := h.Admit.admit(ctx, x.caller.Principal)
	if err == nil {
		defer leave()
		err = serve(ctx)
	}
	if err != nil {
		x.fail(err)
	}
}

// dispatch finds what to do, and refuses what is wrong whoever asks.
func (x *exchange) dispatch() (func(context.Context) error, error) {
	method := http.MethodPost
	if x.endpoint == infoRefs {
		method = http.MethodGet
	}
	if x.r.Method != method {
		x.w.Header().Set("Allow", method)
		return nil, errMethod
	}
	if x.endpoint != infoRefs {
		if x.r.Header.Get("Content-Type") != "application/x-"+x.endpoint+"-request" {
			return nil, errContentType
		}
		if x.endpoint == uploadPack {
			return x.fetch, nil
		}
		return x.push, nil
	}
	// The service asked for only chooses what is shown, by its own check: what a POST
	// does is decided by the path it is sent to.
	switch x.r.URL.Query().Get("service") {
	case uploadPack:
		return x.advertiseFetch, nil
	case receivePack:
		return x.advertisePush, nil
	case "":
		return nil, errDumb
	}
	return nil, errService
}

// identify proves who sends the request.
func (h *Handler) identify(r *http.Request, rt route) (authn.Identity, error) {
	user, password, ok := r.BasicAuth()
	if !ok {
		return authn.Identity{}, errNoCredentials
	}
	return h.Verifier.Git(r.Context(), user, password, r.Host, rt.path())
}

func (h *Handler) operations() service {
	if h.service != nil {
		return h.service
	}
	return operations{h.CodeCommit, h.Repos, h.Authorizer}
}

// protocolVersion reads the header Git-Protocol, or SSH's GIT_PROTOCOL: keys separated
// by colons, of which the highest version known counts, as in git.
func protocolVersion(text string) int {
	version := 0
	for key := range strings.SplitSeq(text, ":") {
		switch key {
		case "version=1":
			version = max(version, 1)
		case "version=2":
			version = 2
		}
	}
	return version
}

// start sets the headers of an answer in a type of Git's.
func (x *exchange) start(kind string) {
	h := x.w.Header()
	h.Set("Content-Type", "application/x-"+kind)
	noCache(h)
}

// flush sends the end of an answer that out has buffered, and the length of one that it
// has buffered whole: that saves the chunks.
func (x *exchange) flush(out *bufio.Writer, to *output) error {
	if !to.written.Load() {
		x.w.Header().Set("Content-Length", strconv.Itoa(out.Buffered()))
	}
	return out.Flush()
}

// noCache forbids caches to keep the answer, in the words of git http-backend.
func noCache(h http.Header) {
	h.Set("Expires", "Fri, 01 Jan 1980 00:00:00 GMT")
	h.Set("Pragma", "no-cache")
	h.Set("Cache-Control", "no-cache, max-age=0, must-revalidate")
}
