// Package catfile reads objects through long-lived `git cat-file --batch-command`
// processes, kept per repository: one question and answer is a few microseconds, where
// starting a process is milliseconds. It knows object IDs only, never revisions.
package catfile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

// ErrMissing is returned, wrapped, for an object that the repository does not have.
var ErrMissing = errors.New("object is missing")

// ErrTooLarge is returned, wrapped, for an object larger than asked for.
var ErrTooLarge = errors.New("object is too large")

// ErrClosed is returned by a pool that was closed.
var ErrClosed = errors.New("the pool of object readers is closed")

// Source is where a process reads: a bare repository, and for one that reads a
// quarantine as well its folder of objects and those behind it.
type Source struct {
	GitDir     string
	Objects    string // empty: those of GitDir
	Alternates string // one more folder of objects; empty: none
}

// maxIdle is how many processes wait for their next use; the one longest unused ends
// when there is one more.
const maxIdle = 48

// Pool keeps processes that are not in use. Safe for concurrent use.
type Pool struct {
	git *gitcmd.Git
	// The processes outlive the requests that started them: this is their context.
	life context.Context
	end  context.CancelFunc

	mu     sync.Mutex // guards what follows
	idle   []*process // the one longest unused first
	busy   map[*process]struct{}
	closed bool
}

// NewPool makes a pool. Values of ctx are kept, its end is not.
func NewPool(ctx context.Context, git *gitcmd.Git) *Pool {
	p := &Pool{git: git, busy: map[*process]struct{}{}}
	p.life, p.end = context.WithCancel(context.WithoutCancel(ctx))
	return p
}

// Reader reads the objects of one source. Not safe for concurrent use. Whoever got it
// releases it.
type Reader struct {
	pool   *Pool
	source Source
	keep   bool // put the process back when done
	proc   *process
}

// process is one running git.
type process struct {
	*gitcmd.Process
	source Source
	out    *bufio.Reader
	used   bool // it has answered before; it may have died since
	stale  bool // ends with its reader: see [Pool.Forget]; guarded by the pool's mutex
}

// Reader returns a reader of a repository, whose process is kept for the next one.
func (p *Pool) Reader(gitDir string) *Reader {
	return &Reader{pool: p, source: Source{GitDir: gitDir}, keep: true}
}

// Temporary returns a reader whose process ends with it.
func (p *Pool) Temporary(s Source) *Reader { return &Reader{pool: p, source: s} }

// take returns an idle process of the source, or a new one.
func (p *Pool) take(s Source) (*process, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	for i := len(p.idle) - 1; i >= 0; i-- {
		if pr := p.idle[i]; pr.source == s {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			p.busy[pr] = struct{}{}
			p.mu.Unlock()
			return pr, nil
		}
	}
	// Known as busy before it can have looked at the files of its source.
	pr := &process{source: s}
	p.busy[pr] = struct{}{}
	p.mu.Unlock()
	if err := p.start(pr); err != nil {
		p.mu.Lock()
		delete(p.busy, pr)
		p.mu.Unlock()
		return nil, err
	}
	return pr, nil
}

func (p *Pool) start(pr *process) error {
	s := pr.source
	c := p.git.Command("cat-file").GitDir(s.GitDir).Flag("--batch-command")
	if s.Objects != "" {
		c = c.Objects(s.Objects, s.Alternates)
	}
	started, err := c.Start(p.life)
	if err != nil {
		return err
	}
	pr.Process, pr.out = started, bufio.NewReaderSize(started.Out, 32<<10)
	return nil
}

// put takes a healthy process back.
func (p *Pool) put(pr *process) {
	pr.used = true
	p.mu.Lock()
	delete(p.busy, pr)
	var surplus *process
	if p.closed || pr.stale {
		surplus = pr
	} else {
		p.idle = append(p.idle, pr)
		if len(p.idle) > maxIdle {
			surplus = p.idle[0]
			p.idle = append(p.idle[:0], p.idle[1:]...)
		}
	}
	p.mu.Unlock()
	if surplus != nil {
		_ = surplus.Close() // it has answered all that it was asked
	}
}

// drop ends a process in an unknown state, and returns what it said when it ended.
func (p *Pool) drop(pr *process) error {
	p.mu.Lock()
	delete(p.busy, pr)
	p.mu.Unlock()
	pr.Kill()
	return pr.Close()
}

// Forget ends the processes of a repository: the idle ones at once, the others when
// their readers are done with them. A process that is taken after Forget has returned was
// started after it began.
func (p *Pool) Forget(gitDir string) {
	p.mu.Lock()
	var gone, kept []*process
	for _, pr := range p.idle {
		if pr.source.GitDir == gitDir {
			gone = append(gone, pr)
		} else {
			kept = append(kept, pr)
		}
	}
	p.idle = kept
	for pr := range p.busy {
		pr.stale = pr.stale || pr.source.GitDir == gitDir
	}
	p.mu.Unlock()
	for _, pr := range gone {
		_ = pr.Close() // it has answered all that it was asked
	}
}

// Close ends all processes, those in use by force: their readers see an error.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	p.end()
	for _, pr := range idle {
		_ = pr.Close() // killed just now: that is no news
	}
}

// Release gives the reader's process back. The reader can be used again.
func (r *Reader) Release() {
	if r.proc == nil {
		return
	}
	if r.keep {
		r.pool.put(r.proc)
	} else {
		_ = r.pool.drop(r.proc) // it has answered all that it was asked
	}
	r.proc = nil
}

// Info returns type and size of an object.
func (r *Reader) Info(ctx context.Context, id oid.ID) (object.Type, int64, error) {
	var typ object.Type
	var size int64
	err := r.ask(ctx, "info", id, func(h header, _ *bufio.Reader) error {
		typ, size = h.typ, h.size
		return nil
	})
	return typ, size, err
}

// skipLimit is how much of an object that is too large is read past; with more it is
// cheaper to start another process.
const skipLimit = 1 << 20

// errBroken ends a process that has more to say than anybody wants to hear.
var errBroken = errors.New("the process was given up")

// Contents returns type and content of an object of at most limit bytes.
func (r *Reader) Contents(ctx context.Context, id oid.ID, limit int64) (object.Type, []byte, error) {
	var typ object.Type
	var content []byte
	err := r.ask(ctx, "contents", id, func(h header, out *bufio.Reader) error {
		typ = h.typ
		if h.size > limit {
			return tooLarge(id, h, limit, out)
		}
		content = make([]byte, h.size)
		if _, err := io.ReadFull(out, content); err != nil {
			return err
		}
		return end(out)
	})
	if err != nil {
		return 0, nil, err
	}
	return typ, content, nil
}

func tooLarge(id oid.ID, h header, limit int64, out *bufio.Reader) error {
	err := fmt.Errorf("%w: %s %s has %d bytes, and the limit is %d", ErrTooLarge, h.typ, id, h.size, limit)
	if h.size > skipLimit {
		return errors.Join(err, errBroken)
	}
	if _, skipErr := io.CopyN(io.Discard, out, h.size); skipErr != nil {
		return skipErr
	}
	if endErr := end(out); endErr != nil {
		return endErr
	}
	return err
}

// end reads the newline behind an object.
func end(out *bufio.Reader) error {
	c, err := out.ReadByte()
	if err == nil && c != '\n' {
		err = errors.New("an object does not end where it must")
	}
	return err
}

// ask puts one question. A kept process may have died since its last answer; then
// another is asked.
func (r *Reader) ask(ctx context.Context, command string, id oid.ID, answer func(header, *bufio.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	for {
		if r.proc == nil {
			proc, err := r.pool.take(r.source)
			if err != nil {
				return err
			}
			r.proc = proc
		}
		used := r.proc.used
		again, err := r.once(ctx, command, id, answer)
		if !again || !used {
			return err
		}
	}
}

// once puts the question to the process at hand. again is true when there was no
// answer at all.
func (r *Reader) once(ctx context.Context, command string, id oid.ID, answer func(header, *bufio.Reader) error) (again bool, err error) {
	proc := r.proc
	stop := context.AfterFunc(ctx, proc.Kill)
	h, err := question(proc, command, id)
	again = err != nil && !errors.Is(err, ErrMissing)
	if err == nil {
		err = answer(h, proc.out)
	}
	killed := !stop()
	if killed || err != nil && (again || !isAnswer(err)) {
		r.proc = nil
		said := r.pool.drop(proc)
		switch {
		case killed:
			return false, context.Cause(ctx)
		case errors.Is(err, ErrTooLarge):
			return false, err
		}
		return again, fmt.Errorf("read %s: %w (%w)", id, err, said)
	}
	proc.used = true
	return false, err
}

// isAnswer reports whether the process is fit for the next question after this error.
func isAnswer(err error) bool {
	return errors.Is(err, ErrMissing) || errors.Is(err, ErrTooLarge) && !errors.Is(err, errBroken)
}

// header is the first line of an answer.
type header struct {
	typ  object.Type
	size int64
}

func question(p *process, command string, id oid.ID) (header, error) {
	if _, err := io.WriteString(p.In, command+" "+id.String()+"\n"); err != nil {
		return header{}, err
	}
	line, err := p.out.ReadSlice('\n')
	if err != nil {
		return header{}, err
	}
	return parseHeader(id, line)
}

// parseHeader reads "<id> <type> <size>\n" or "<id> missing\n".
func parseHeader(id oid.ID, line []byte) (header, error) {
	f := bytes.Fields(line)
	switch {
	case len(f) == 2 && string(f[0]) == id.String() && string(f[1]) == "missing":
		return header{}, fmt.Errorf("%w: %s", ErrMissing, id)
	case len(f) != 3 || string(f[0]) != id.String():
		return header{}, fmt.Errorf("unexpected answer %.100q", line)
	}
	typ, err := object.ParseType(string(f[1]))
	if err != nil {
		return header{}, err
	}
	size, err := strconv.ParseInt(string(f[2]), 10, 64)
	if err != nil || size < 0 {
		return header{}, fmt.Errorf("unexpected answer %.100q", line)
	}
	return header{typ: typ, size: size}, nil
}
