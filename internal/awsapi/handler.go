package awsapi

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/op"
)

// defaultTimeout is shorter than the minute after which the AWS CLI and SDKs stop
// waiting, so that their users see an answer.
const defaultTimeout = 55 * time.Second

// maxDrain is how much of a body that is too large is read and thrown away, so that
// the client gets to read why; the connection of a longer one is cut.
const maxDrain = 64 << 20

// Handler serves the AWS APIs at /. Its fields are set once, before use; it is safe for
// concurrent use.
type Handler struct {
	Table      *op.Table
	Verifier   *authn.Verifier
	Authorizer *authz.Authorizer
	Log        *slog.Logger

	// Caller says what the connection shows of a caller: source address, user agent,
	// TLS, region, request ID. It is called once per request, before the signature is
	// read and with the zero Identity, since refusals carry the request ID too; the
	// handler adds what the signature proved.
	Caller func(r *http.Request, id authn.Identity) authz.Caller

	// Admit gives the request of a caller who is proven a place among those that are worked
	// on, and returns the context for it, which names who answers for the caller (package
	// share), and what gives the place back. Nil: there is a place for everybody.
	Admit func(ctx context.Context, p authz.Principal) (_ context.Context, release func(), _ error)

	// Timeout bounds the work on a request whose body was read; zero means 55 seconds.
	Timeout time.Duration

	json   jsonCodec
	query  queryCodec
	bodies budget
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := h.Caller(r, authn.Identity{})
	e := &exchange{protocol: protocolOf(r), requestID: c.RequestID, leave: func() {}}
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET, POST")
		h.refuse(w, r, e, errMethod.New("The method %s is not allowed here", r.Method))
		return
	}
	defer func() { e.leave() }() // after the answer was taken
	body, err := h.serve(w, r, c, e)
	h.reply(w, r, e, body, err)
}

func (h *Handler) reply(w http.ResponseWriter, r *http.Request, e *exchange, body []byte, err error) {
	if err != nil {
		h.refuse(w, r, e, err)
		return
	}
	e.write(w, http.StatusOK, body)
}

// exchange is a request and its answer, as far as it is known; refusals are written in
// what it says.
type exchange struct {
	protocol  protocol
	requestID string
	service   *service // nil until the signature's scope was read
	operation string   // empty until the request was dispatched
	leave     func()   // gives the request's place back
}

// serve returns the answer to a request. The order matters: an unknown key is refused
// before a byte of the body is read, and nothing is decoded that is not signed.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, c authz.Caller, e *exchange) ([]byte, error) {
	signed, err := h.Verifier.SigV4(r.Context(), r, e.protocol.signingNames()...)
	if err != nil {
		return nil, err
	}
	e.service = serviceNamed(signed.Service)
	// Who only claims to be somebody can take that somebody's room, and nobody else's.
	body, release, err := h.bodies.readBody(w, r, e.protocol.limit(), signed.Claimed().Owner())
	defer release()
	if fault.Has(err, fault.RequestTooLarge) && r.Header.Get("Expect") == "" {
		// A client that is cut off in the middle of its body does not see the answer; one
		// that expects to be told to go on has not begun.
		_, _ = io.CopyN(io.Discard, r.Body, maxDrain)
	}
	if err != nil {
		return nil, err
	}
	id, err := signed.Verify(sha256.Sum256(body))
	if err != nil {
		return nil, err
	}
	c.Principal, c.Credential = id.Principal, id.Credential
	if h.Admit != nil {
		ctx, leave, err := h.Admit(r.Context(), c.Principal)
		if err != nil {
			return nil, err
		}
		e.leave = leave
		r = r.WithContext(ctx)
	}
	return h.perform(r, c, e, body)
}

// perform returns the answer to a request whose signature was verified.
func (h *Handler) perform(r *http.Request, c authz.Caller, e *exchange, body []byte) ([]byte, error) {
	req, err := h.dispatch(r, e.service, body)
	if err != nil {
		return nil, err
	}
	e.operation = req.operation
	return h.run(r.Context(), c, req, e.requestID)
}

// run invokes the operation that a request names.
func (h *Handler) run(ctx context.Context, c authz.Caller, req request, requestID string) ([]byte, error) {
	operation, err := h.lookup(req)
	if err != nil {
		return nil, err
	}
	in := operation.NewInput()
	if err := req.decode(in); err != nil {
		return nil, err
	}
	timeout := h.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, err := operation.InvokeAny(ctx, h.Authorizer, c, in)
	if err != nil {
		// A driver that was stopped by the context does not always say so.
		return nil, errors.Join(err, ctx.Err())
	}
	if req.service.protocol == awsJSON {
		return h.json.encode(out)
	}
	return h.query.encode(req.service, req.operation, requestID, out)
}

// lookup finds an operation of the table. Only what AWS publishes can be called here:
// the table also has Git's own operations, which are another door's.
func (h *Handler) lookup(req request) (op.Any, error) {
	if !req.service.has(req.operation) {
		return nil, req.service.unknown(req.operation, req.service.version)
	}
	o, ok := h.Table.Lookup(req.service.name, req.operation)
	if !ok {
		return nil, fault.NotImplemented.New("This host does not have the operation %s of %s yet. "+
			"docs/divergences.md lists what it has and how it differs from AWS", req.operation, req.service.name)
	}
	return o, nil
}

// write sends an answer.
func (e *exchange) write(w http.ResponseWriter, status int, body []byte) {
	header := w.Header()
	header.Set("Content-Type", e.protocol.contentType())
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Amzn-Requestid", e.requestID)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone: nobody is left to tell
}
