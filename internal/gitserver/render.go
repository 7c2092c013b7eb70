package gitserver

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/repo"
	"github.com/refward/refward/internal/share"
)

// refusal is an error of the door's own, for the client to read.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

var (
	errNoRoute       = &refusal{http.StatusNotFound, "repository not found"}
	errMethod        = &refusal{http.StatusMethodNotAllowed, "this address is for Git clients: the method is not one of theirs"}
	errContentType   = &refusal{http.StatusUnsupportedMediaType, "the content type is not that of a Git request"}
	errEncoding      = &refusal{http.StatusUnsupportedMediaType, "the content encoding is not supported: send gzip or none"}
	errDumb          = &refusal{http.StatusForbidden, "the dumb HTTP protocol is not supported: use a Git client from 1.7.9 on"}
	errService       = &refusal{http.StatusForbidden, "there is no such Git service: use git-upload-pack or git-receive-pack"}
	errNoCredentials = &refusal{http.StatusUnauthorized, "credentials are required: Git credentials of an IAM user, or the AWS CLI's credential helper"}
	errObjectFormat  = &refusal{http.StatusBadRequest, "the object format is not supported: repositories here are sha1"}
	errCommand       = &refusal{http.StatusBadRequest, "the protocol version 2 command is not supported"}
	errNoArguments   = &refusal{http.StatusBadRequest, "a fetch without arguments"}
	errFetchLine     = &refusal{http.StatusBadRequest, "a line that is not of a fetch request"}
	errGitRefused    = &refusal{http.StatusBadRequest, "git refused the fetch"}
	errNoCommand     = &refusal{http.StatusNotImplemented, "git-lfs-transfer: command not found; git-lfs-authenticate is here"}
	errLFSOperation  = &refusal{http.StatusUnprocessableEntity, "the LFS operation is neither download nor upload"}
	errHere          = &refusal{http.StatusForbidden, "only git-upload-pack and git-receive-pack can be run here, on '" + root + "NAME'"}
)

// Refusals of Git LFS over HTTP.
var (
	errLFSContentType = &refusal{http.StatusUnsupportedMediaType, "the content type is not " + lfs.MediaType}
	errLFSEncoding    = &refusal{http.StatusUnsupportedMediaType, "objects are sent without a content encoding"}
	errLFSLength      = &refusal{http.StatusUnprocessableEntity, "the content length is not the size of the object"}
	errLFSLimit       = &refusal{http.StatusUnprocessableEntity, "the limit is not a number"}
	errNoTicket       = &refusal{http.StatusForbidden, "objects are transferred with what a batch request was answered with"}
	errTicket         = &refusal{http.StatusForbidden, "the ticket is for something else"}
	errRange          = &refusal{http.StatusRequestedRangeNotSatisfiable, "the object has no such bytes"}
)

// clientError is a failure to read from the client, or to write to it.
type clientError struct{ cause error }

func (e *clientError) Error() string { return "client: " + e.cause.Error() }
func (e *clientError) Unwrap() error { return e.cause }

// toldError is an error that the client knows of: it was sent in the middle of an answer.
type toldError struct{ cause error }

func (e *toldError) Error() string { return e.cause.Error() }
func (e *toldError) Unwrap() error { return e.cause }

// answer is an error as a client is told of it.
type answer struct {
	status int
	lines  []string
	hidden bool // it is our own failure: the text says nothing, the log says all
}

func (a answer) text() string { return strings.Join(a.lines, "\n") }

// answerTo decides what a client is told. AWS answers wrong credentials with 403, and
// git keeps them for ever; with 401 its credential cache forgets them.
func answerTo(err error) answer {
	if d, ok := errors.AsType[*authz.Denial](err); ok {
		return answer{status: http.StatusForbidden, lines: denialLines(d)}
	}
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return faultAnswer(f)
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		return answer{status: r.status, lines: []string{r.message}}
	}
	if t, ok := errors.AsType[*tooLarge](err); ok {
		return answer{status: http.StatusRequestEntityTooLarge, lines: []string{t.Error()}}
	}
	if b, ok := errors.AsType[*share.Busy](err); ok {
		return answer{status: http.StatusServiceUnavailable, lines: []string{b.Error()}}
	}
	switch {
	case errors.Is(err, authn.ErrUnknown):
		return answer{status: http.StatusUnauthorized, lines: []string{"the credentials are wrong, inactive or unknown"}}
	case errors.Is(err, lfs.ErrSyntax):
		return answer{status: http.StatusUnprocessableEntity, lines: []string{err.Error()}}
	case errors.Is(err, lfs.ErrTooManyObjects):
		return answer{status: http.StatusRequestEntityTooLarge, lines: []string{err.Error()}}
	case errors.Is(err, lfs.ErrHashAlgorithm):
		return answer{status: http.StatusConflict, lines: []string{err.Error()}}
	case errors.Is(err, wire.ErrTooMuch):
		return answer{status: http.StatusRequestEntityTooLarge, lines: []string{err.Error()}}
	case errors.Is(err, wire.ErrSyntax), errors.Is(err, pktline.ErrSyntax):
		return answer{status: http.StatusBadRequest, lines: []string{err.Error()}}
	case errors.Is(err, repo.ErrBadFetch):
		return answer{status: http.StatusBadRequest, lines: []string{err.Error()}}
	case errors.Is(err, errStalled):
		return answer{status: http.StatusRequestTimeout, lines: []string{"the client sent nothing for too long"}}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return answer{status: http.StatusServiceUnavailable, lines: []string{"the request took too long, or the server is shutting down"}}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return answer{status: http.StatusBadRequest, lines: []string{"the request ended too early"}}
	}
	if _, ok := errors.AsType[*clientError](err); ok {
		return answer{status: http.StatusBadRequest, lines: []string{"the request could not be read"}}
	}
	return answer{status: http.StatusInternalServerError, lines: []string{"internal error"}, hidden: true}
}

// denialLines tells a refusal: AWS's sentence, which policy and statement decided, and
// the permitted way.
func denialLines(d *authz.Denial) []string {
	lines := []string{d.Error()}
	for _, l := range []string{d.Reason(), d.Check.Way} {
		if l != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

// statuses of the kinds of faults. A git client knows 401 and 404 and shows the text of
// all of them.
var statuses = map[fault.Kind]int{
	fault.Invalid:         http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Denied:          http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Limit:           http.StatusConflict,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Throttled:       http.StatusTooManyRequests,
	fault.Unsupported:     http.StatusNotImplemented,
	fault.Unavailable:     http.StatusServiceUnavailable,
}

// Faults that a Git client is told in the words of its own protocol: to it, a name that
// no repository can have is a repository that does not exist.
var notFound = map[string]bool{
	"RepositoryDoesNotExistException": true,
	"InvalidRepositoryNameException":  true,
}

func faultAnswer(f *fault.Fault) answer {
	if notFound[f.Code.Name] {
		return answer{status: http.StatusNotFound, lines: []string{errNoRoute.message}}
	}
	status, ok := statuses[f.Code.Kind]
	if !ok { // fault.Internal
		return answer{status: http.StatusInternalServerError, lines: []string{"internal error"}, hidden: true}
	}
	return answer{status: status, lines: []string{f.Message}}
}

// errorLog logs our own failures, once each.
type errorLog struct{ log *slog.Logger }

// record logs the error when its text is hidden from the client, and completes what
// the client is told with the request ID.
func (l errorLog) record(ctx context.Context, a *answer, err error, c authz.Caller, what, repository string) {
	if !a.hidden {
		return
	}
	if c.RequestID != "" {
		a.lines = append(a.lines, "request ID: "+c.RequestID)
	}
	l.log.ErrorContext(ctx, "git request",
		slog.String("service", what), slog.String("repository", repository),
		slog.String("request_id", c.RequestID), slog.Any("error", err))
}

// retryAfter is when a client may try again for which there was no place.
const retryAfter = 30 * time.Second

// retry tells when to try again what cannot be done now.
func (a answer) retry(h http.Header) {
	if a.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	}
}

// fail answers with the error. Nothing has been sent yet.
func (x *exchange) fail(err error) {
	a := answerTo(err)
	x.errs.record(x.r.Context(), &a, err, x.caller, x.endpoint, x.repository)
	h := x.w.Header()
	noCache(h)
	h.Set("Content-Type", "text/plain; charset=utf-8") // git shows this type's text, and no other's
	h.Set("X-Content-Type-Options", "nosniff")
	if a.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Basic realm="Refward", charset="UTF-8"`)
	}
	a.retry(h)
	x.w.WriteHeader(a.status)
	_, _ = io.WriteString(x.w, a.text()+"\n") // a client that is gone needs no answer
}

// fail answers a client of Git LFS with the error, in its API's form. Nothing has been
// sent yet. A request that is wrong by itself has another status there than with Git.
func (x *lfsExchange) fail(err error) {
	a := answerTo(err)
	if f, ok := errors.AsType[*fault.Fault](err); ok && f.Code.Kind == fault.Invalid && a.status == http.StatusBadRequest {
		a.status = http.StatusUnprocessableEntity
	}
	x.errs.record(x.r.Context(), &a, err, x.caller, x.route.endpoint, x.route.repository)
	if a.status == http.StatusUnauthorized {
		const challenge = `Basic realm="Refward", charset="UTF-8"`
		x.w.Header().Set("Lfs-Authenticate", challenge)
		x.w.Header().Set("WWW-Authenticate", challenge)
	}
	text, _ := json.Marshal(lfs.ErrorAnswer{Message: a.text(), RequestID: x.caller.RequestID})
	a.retry(x.w.Header())
	x.startLFS(a.status)
	_, _ = x.w.Write(append(text, '\n')) // a client that is gone needs no answer
}

// sent deals with an error after the answer began: git notices an answer that breaks
// off, and all that is left to do is to log what is our own. It returns nil.
func (x *exchange) sent(err error) error {
	if err == nil || x.r.Context().Err() != nil {
		return nil
	}
	a := answerTo(err)
	x.errs.record(x.r.Context(), &a, err, x.caller, x.endpoint, x.repository)
	return nil
}

// fail tells the client of the error in an ERR packet, which git prints after "remote
// error: ", unless a push has told it in its own way.
func (x *sshExchange) fail(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	a := answerTo(err)
	x.errs.record(ctx, &a, err, x.caller, x.endpoint, x.repository)
	if _, told := errors.AsType[*toldError](err); told {
		return
	}
	if x.told != nil {
		_, _ = io.WriteString(x.told, a.text()+"\n")
		return
	}
	_ = pktline.NewWriter(x.out).Data([]byte("ERR " + a.text() + "\n"))
}
