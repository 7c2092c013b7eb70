package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// maxRewritten bounds an answer that a test rewrites.
const maxRewritten = 64 << 20

// front is the web server that the tests see: what of Apache's configuration makes sense
// before a host. What it passes on, it passes on as it is, but for the credentials.
type front struct {
	root   string
	mirror *mirror
	files  http.Handler
	errs   io.Writer
	asked  chan struct{} // one for each request

	mu sync.Mutex // guards the access log
}

func newFront(root string, h *host, errs io.Writer) *front {
	www := filepath.Join(root, "www")
	return &front{
		root: root, errs: errs, asked: make(chan struct{}, 1),
		mirror: &mirror{host: h, www: www, seen: map[string]string{}},
		files:  http.FileServer(http.Dir(www)),
	}
}

// idle is closed once nothing was asked for so long.
func (f *front) idle(after time.Duration) <-chan struct{} {
	over := make(chan struct{})
	go func() {
		defer close(over)
		t := time.NewTimer(after)
		defer t.Stop()
		for {
			select {
			case <-f.asked:
				t.Reset(after)
			case <-t.C:
				return
			}
		}
	}()
	return over
}

// ServeHTTP implements [http.Handler].
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case f.asked <- struct{}{}:
	default:
	}
	out := &answer{ResponseWriter: w, log: func(status int, size int64) { f.log(r, status, size) }}
	defer out.done()
	rt, ok := parseRoute(r)
	switch {
	case !ok:
		f.files.ServeHTTP(out, r)
	case rt.redirect != "":
		http.Redirect(out, r, rt.redirect, rt.status)
	case rt.spell && (r.Header.Get("X-Magic-One") != "abra" || r.Header.Get("X-Magic-Two") != "cadabra"):
		http.Error(out, "the magic words are missing", http.StatusForbidden)
	default:
		f.pass(out, r, rt)
	}
}

// pass lets the host answer.
func (f *front) pass(w *answer, r *http.Request, rt route) {
	err := f.tryPass(w, r, rt)
	if err == nil {
		return
	}
	fmt.Fprintf(f.errs, "%s %s: %v\n", r.Method, r.URL, err)
	if w.status == 0 {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	panic(http.ErrAbortHandler) // the client must not take it for the whole
}

func (f *front) tryPass(w *answer, r *http.Request, rt route) error {
	ctx := r.Context()
	// The host may begin to answer before all of the request was passed on to it.
	if err := http.NewResponseController(w.ResponseWriter).EnableFullDuplex(); err != nil {
		return err
	}
	name := "not-there"
	dir, err := f.mirror.find(rt.repository)
	if err == nil {
		name, err = f.mirror.toHost(ctx, dir)
	}
	if err != nil && !errors.Is(err, errNoFolder) {
		return err
	}
	res, err := f.ask(ctx, r, rt, name)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	fmt.Printf("%s %d to %s %s\n", sayAnswers, res.StatusCode, r.Method, r.URL)
	body := io.Reader(res.Body)
	if rt.endpoint == "git-receive-pack" && dir != "" {
		body = &afterwards{Reader: body, do: func() error { return f.mirror.toFolder(ctx, name, dir) }}
	}
	if rt.rewritten {
		if body, err = f.rewrite(ctx, body); err != nil {
			return err
		}
		res.Header.Del("Content-Length")
	}
	for k, v := range res.Header {
		if k != "Connection" && k != "Date" {
			w.Header()[k] = v
		}
	}
	if rt.cookie != "" {
		w.Header().Set("Set-Cookie", rt.cookie)
	}
	w.WriteHeader(res.StatusCode)
	return w.copy(body)
}

// ask sends the request to the host.
func (f *front) ask(ctx context.Context, r *http.Request, rt route, name string) (*http.Response, error) {
	out, err := http.NewRequestWithContext(ctx, r.Method, f.mirror.url(name)+"/"+rt.endpoint, r.Body)
	if err != nil {
		return nil, err
	}
	out.URL.RawQuery = r.URL.RawQuery
	out.ContentLength = r.ContentLength
	out.Header = r.Header.Clone()
	out.Header.Del("Connection")
	out.Header.Del("Expect")
	if out.Header.Get("Accept-Encoding") == "" {
		out.Header["Accept-Encoding"] = nil // none, and none of ours
	}
	if rt.version0 {
		out.Header.Del("Git-Protocol")
	}
	user, password, _ := r.BasicAuth()
	if !rt.asks || user == testUser && password == testPassword {
		out.SetBasicAuth(f.mirror.host.user.GitUser, f.mirror.host.user.GitPassword)
	}
	return transport.RoundTrip(out)
}

// transport does as it is told: it follows nothing and unpacks nothing.
var transport = &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute}

// rewrite changes an answer once, with the Perl that a test has left for that: the first
// answer that it does change.
func (f *front) rewrite(ctx context.Context, body io.Reader) (io.Reader, error) {
	file := filepath.Join(f.root, "one-time-perl")
	program, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return body, nil
	}
	plain, err1 := io.ReadAll(io.LimitReader(body, maxRewritten))
	if err := errors.Join(err, err1); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "perl", "-pe", string(program))
	cmd.Dir, cmd.Env = f.root, []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.Stdin = bytes.NewReader(plain)
	changed, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("perl: %w", err)
	}
	if !bytes.Equal(plain, changed) {
		err = os.Remove(file)
	}
	return bytes.NewReader(changed), err
}

// log writes one line of the common log format.
func (f *front) log(r *http.Request, status int, size int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	log, err := os.OpenFile(filepath.Join(f.root, accessLog), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		fmt.Fprintln(f.errs, err)
		return
	}
	defer log.Close()
	length := "-"
	if size > 0 {
		length = fmt.Sprint(size)
	}
	at := time.Now().Format("02/Jan/2006:15:04:05 -0700")
	fmt.Fprintf(log, "127.0.0.1 - - [%s] \"%s %s %s\" %d %s\n", at, r.Method, r.RequestURI, r.Proto, status, length)
}

// answer notices what it is told, for the log.
type answer struct {
	http.ResponseWriter
	log    func(status int, size int64)
	status int
	size   int64
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Write implements [io.Writer].
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(p)
	a.size += int64(n)
	return n, err
}

// copy sends a body as it comes.
func (a *answer) copy(body io.Reader) error {
	rc := http.NewResponseController(a.ResponseWriter)
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			_, werr := a.Write(buf[:n])
			if werr = errors.Join(werr, rc.Flush()); werr != nil {
				return werr
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (a *answer) done() { a.log(a.status, a.size) }

// afterwards does something at the end of a body, before the client sees that end.
type afterwards struct {
	io.Reader
	do func() error
}

func (a *afterwards) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if errors.Is(err, io.EOF) && a.do != nil {
		do := a.do
		a.do = nil
		if derr := do(); derr != nil {
			return n, derr
		}
	}
	return n, err
}
