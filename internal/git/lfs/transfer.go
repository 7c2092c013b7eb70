package lfs

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/refward/refward/internal/git/pktline"
)

// The protocol of git-lfs-transfer (git-lfs, docs/proposals/ssh_adapter.md), version 1:
// requests and answers in pkt-lines over one connection.

// TransferVersion is the version of the protocol that is spoken.
const TransferVersion = "1"

// Limits of a request.
const (
	MaxTransferBytes = MaxLockBytes // of its lines; a batch has MaxBatchBytes

	// MaxTransferSkip is how much of a request is read that is refused for its form, to find
	// where the next one begins.
	MaxTransferSkip = 16 << 20
)

// Errors of a [TransferReader] beside [ErrSyntax].
var (
	ErrTransferBytes = errors.New("the request is too long")

	// ErrTransferLost says that no end of a refused request was found.
	ErrTransferLost = fmt.Errorf("the request goes on for more than %d bytes", MaxTransferSkip)
)

// TransferCommand is what a request asks for.
type TransferCommand string

// The commands.
const (
	TransferHello  TransferCommand = "version"
	TransferBatch  TransferCommand = "batch"
	TransferGet    TransferCommand = "get-object"
	TransferPut    TransferCommand = "put-object"
	TransferVerify TransferCommand = "verify-object"
	TransferLock   TransferCommand = "lock"
	TransferUnlock TransferCommand = "unlock"
	TransferLocks  TransferCommand = "list-lock"
	TransferQuit   TransferCommand = "quit"

	// TransferLocks33 is what git-lfs calls list-lock before a push, to version 3.3 at least.
	TransferLocks33 TransferCommand = "list-locks"
)

// TransferRequest is one request, but for the bytes of an object.
type TransferRequest struct {
	Command TransferCommand
	Subject string // what follows the command: a version, an object ID, the ID of a lock

	args  map[string]string
	lines []string
}

// Arg is an argument of the request, empty where it has none of the name. Those that
// nobody knows are ignored, because newer clients send more.
func (q *TransferRequest) Arg(name string) string { return q.args[name] }

// TransferReader reads the requests of one connection. Not safe for concurrent use.
type TransferReader struct {
	packets *pktline.Reader
	content *transferContent // of the last request; nil: it has none, or all was read
	broken  error            // what ended it
}

// NewTransferReader reads from src, which should be buffered.
func NewTransferReader(src io.Reader) *TransferReader {
	return &TransferReader{packets: pktline.NewReader(src)}
}

// Next reads a request, after the last one's content was read or skipped. The error is
// [io.EOF] where the client ends between requests. One that wraps [ErrSyntax],
// [ErrTransferBytes] or [ErrTooManyObjects] is about this request, which was read to its
// end, so that the next can be read; after any other there is no next.
func (r *TransferReader) Next() (*TransferRequest, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	p := transferParser{req: &TransferRequest{args: map[string]string{}}}
	for {
		k, line, err := r.packets.NextLine()
		if errors.Is(err, io.EOF) && p.read > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err == nil && p.read > MaxTransferSkip {
			err = ErrTransferLost
		}
		if err != nil {
			r.broken = err
			return nil, err
		}
		p.packet(k, line)
		switch {
		case k == pktline.Flush:
			return p.result()
		case k == pktline.Delim && p.wrong == nil && p.req.Command == TransferPut:
			r.content = &transferContent{from: r}
			return p.req, nil
		}
	}
}

// Content is what follows the last request: the bytes of an object. It fails where they
// do not end as they should.
func (r *TransferReader) Content() io.Reader {
	if r.content == nil {
		return strings.NewReader("")
	}
	return r.content
}

// Skip reads what is left of the last request's content, if it is not more than limit
// bytes; else nothing can be read any more.
func (r *TransferReader) Skip(limit int64) error {
	n, err := io.CopyN(io.Discard, r.Content(), limit+1)
	switch {
	case n > limit:
		r.broken = ErrTransferLost
	case err != nil && !errors.Is(err, io.EOF):
		r.broken = err
	}
	return r.broken
}

// transferContent reads the data packets up to the flush packet.
type transferContent struct {
	from *TransferReader
	left []byte // of the last packet
	err  error
}

// Read implements [io.Reader].
func (c *transferContent) Read(p []byte) (int, error) {
	for len(c.left) == 0 && c.err == nil {
		k, data, err := c.from.packets.Next()
		switch {
		case errors.Is(err, io.EOF):
			err = io.ErrUnexpectedEOF
		case err == nil && k == pktline.Flush:
			c.from.content, err = nil, io.EOF
		case err == nil && (k != pktline.Data || len(data) == 0):
			err = fmt.Errorf("%w: an empty packet or a %s among the bytes of an object", pktline.ErrSyntax, k)
		}
		if c.left, c.err = data, err; err != nil && !errors.Is(err, io.EOF) {
			c.from.broken = err
		}
	}
	if len(c.left) == 0 {
		return 0, c.err
	}
	n := copy(p, c.left)
	c.left = c.left[n:]
	return n, nil
}

// transferParser makes a request of packets. What is wrong with it is kept, so that it
// can be read to its end.
type transferParser struct {
	req    *TransferRequest
	read   int64
	begun  bool // the command is there
	behind bool // the delimiter packet is
	wrong  error
}

func (p *transferParser) packet(k pktline.Kind, line []byte) {
	p.read += int64(len(line)) + 4
	if p.wrong != nil {
		return
	}
	limit := int64(MaxTransferBytes)
	if p.req.Command == TransferBatch {
		limit = MaxBatchBytes
	}
	switch {
	case p.read > limit:
		p.wrong = fmt.Errorf("%w: more than %d bytes", ErrTransferBytes, limit)
	case k == pktline.Flush && !p.begun, k == pktline.Delim && (!p.begun || p.behind), k == pktline.ResponseEnd:
		p.wrong = fmt.Errorf("%w: a %s where none belongs", ErrSyntax, k)
	case k == pktline.Delim:
		p.behind = true
	case k == pktline.Data:
		p.wrong = p.line(line)
	}
}

func (p *transferParser) line(line []byte) error {
	if !utf8.Valid(line) {
		return fmt.Errorf("%w: a line is not UTF-8", ErrSyntax)
	}
	text := string(line)
	if strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Errorf("%w: a line holds a control character", ErrSyntax)
	}
	switch {
	case !p.begun:
		command, subject, _ := strings.Cut(text, " ")
		p.begun, p.req.Command, p.req.Subject = true, TransferCommand(command), subject
	case !p.behind:
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return fmt.Errorf("%w: the argument %.64q has no value", ErrSyntax, text)
		}
		if _, twice := p.req.args[name]; twice {
			return fmt.Errorf("%w: the argument %.64q is given twice", ErrSyntax, name)
		}
		p.req.args[name] = value
	case len(p.req.lines) == MaxBatchObjects:
		return ErrTooManyObjects
	default:
		p.req.lines = append(p.req.lines, text)
	}
	return nil
}

func (p *transferParser) result() (*TransferRequest, error) {
	if p.wrong != nil {
		return nil, p.wrong
	}
	return p.req, nil
}

// ref is the ref that the request names.
func (q *TransferRequest) ref() (*string, error) {
	name, ok := q.args["refname"]
	if !ok {
		return nil, nil
	}
	return (&refOf{&name}).name()
}

// Batch reads a request to transfer objects.
func (q *TransferRequest) Batch(operation Operation) (*Batch, error) {
	ref, err := q.ref()
	if err != nil {
		return nil, err
	}
	if algorithm := q.Arg("hash-algo"); algorithm != "" && algorithm != HashAlgorithm {
		return nil, ErrHashAlgorithm
	}
	b := &Batch{Operation: operation, Ref: ref, Objects: make([]BatchObject, len(q.lines))}
	for i, line := range q.lines {
		given, rest, _ := strings.Cut(line, " ")
		text, _, _ := strings.Cut(rest, " ") // what follows is for newer servers
		size, err := parseSize(text)
		if err != nil {
			return nil, err
		}
		b.Objects[i] = batchObject(given, &size)
	}
	return b, nil
}

// Object is the object that the request is about. The size is there also where the
// protocol's page does not ask for it: every client sends it.
func (q *TransferRequest) Object() (Object, error) {
	id, err := ParseOID(q.Subject)
	if err != nil {
		return Object{}, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	size, err := parseSize(q.Arg("size"))
	return Object{id, size}, err
}

func parseSize(text string) (int64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%w: the size %.64q is none", ErrSyntax, text)
	}
	return int64(n), nil
}

// Lock reads a request to lock a path.
func (q *TransferRequest) Lock() (LockRequest, error) {
	ref, err := q.ref()
	return LockRequest{q.Arg("path"), ref}, err
}

// Unlock reads a request to remove the lock that is its subject. Clients shorten the name
// of a branch here, and nowhere else.
func (q *TransferRequest) Unlock() (UnlockRequest, error) {
	ref, err := q.ref()
	if err != nil {
		return UnlockRequest{}, err
	}
	if ref != nil && !strings.HasPrefix(*ref, "refs/") {
		full := "refs/heads/" + *ref
		ref = &full
	}
	switch q.Arg("force") {
	case "true":
		return UnlockRequest{true, ref}, nil
	case "", "false":
		return UnlockRequest{false, ref}, nil
	}
	return UnlockRequest{}, fmt.Errorf("%w: force is neither true nor false", ErrSyntax)
}

// Locks reads a request for locks.
func (q *TransferRequest) Locks() (VerifyRequest, error) {
	ref, err := q.ref()
	if err != nil {
		return VerifyRequest{}, err
	}
	v := VerifyRequest{Ref: ref, Cursor: q.Arg("cursor")}
	if text := q.Arg("limit"); text != "" {
		if v.Limit, err = strconv.Atoi(text); err != nil {
			return VerifyRequest{}, fmt.Errorf("%w: the limit is not a number", ErrSyntax)
		}
	}
	return v, nil
}

// TransferAnswer is an answer, but for the bytes of an object.
type TransferAnswer struct {
	Status int
	Args   []string // key=value
	Lines  []string // nil: there is no such part
}

// Write writes the answer and its end.
func (a TransferAnswer) Write(w *pktline.Writer) error {
	if err := a.Begin(w); err != nil {
		return err
	}
	if a.Lines != nil {
		if err := w.Delim(); err != nil {
			return err
		}
	}
	for _, l := range a.Lines {
		if err := w.Line(l); err != nil {
			return err
		}
	}
	return w.Flush()
}

// Begin writes the status and the arguments.
func (a TransferAnswer) Begin(w *pktline.Writer) error {
	err := w.Line("status " + strconv.Itoa(a.Status))
	for _, arg := range a.Args {
		err = errors.Join(err, w.Line(arg))
	}
	return err
}

// Fields are the arguments that tell of a lock.
func (l Lock) Fields() []string {
	return []string{"id=" + l.ID, "path=" + l.Path, "locked-at=" + l.LockedAt, "ownername=" + l.Owner.Name}
}

// Rows are the lines that tell of a lock in a list.
func (l Lock) Rows(ours bool) []string {
	who := "theirs"
	if ours {
		who = "ours"
	}
	return []string{"lock " + l.ID, "path " + l.ID + " " + l.Path, "locked-at " + l.ID + " " + l.LockedAt,
		"ownername " + l.ID + " " + l.Owner.Name, "owner " + l.ID + " " + who}
}
