package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// floor is no Git host: it asks git http-backend what it has not been asked before,
// keeps the answer in a file, and from then on sends the file. Less than it no server
// can do that reads the same requests and sends the same answers from user space.
type floor struct {
	dir     string
	backend *httpBackend
	proc    *process
	addr    string
}

func (h *floor) name() string     { return "floor" }
func (h *floor) server() *process { return h.proc }

func (h *floor) start(ctx context.Context) error {
	if err := os.MkdirAll(h.backend.dir, 0o755); err != nil {
		return err
	}
	if err := h.backend.start(ctx); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if h.addr, err = freeAddress(); err != nil {
		return err
	}
	h.proc, err = startProcess("floor", h.dir, filepath.Join(h.dir, "log"), nil, self, floorCommand, h.addr, h.backend.addr, h.dir)
	if err != nil {
		return err
	}
	return h.proc.answers(ctx, h.addr)
}

func (h *floor) stop() {
	if h.proc != nil {
		h.proc.stop()
	}
	h.backend.stop()
}

func (h *floor) create(ctx context.Context, repository string) error {
	return h.backend.create(ctx, repository)
}

func (h *floor) remote(repository string) remote {
	return remote{url: "http://" + h.addr + "/" + repository + ".git"}
}

func (h *floor) tidy(ctx context.Context, repository string) error {
	return h.backend.tidy(ctx, repository)
}

func (h *floor) protect(context.Context, string) error { return errNot }

func (h *floor) ssh(context.Context, string, sshKey) (string, error) { return "", errNot }

// floorCommand makes the harness's own binary the server.
const floorCommand = "serve-floor"

func serveFloor(addr, upstream, dir string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return http.Serve(l, &replay{upstream: upstream, dir: dir, client: &http.Client{Timeout: 10 * time.Minute}})
}

// replay answers with what it has recorded.
type replay struct {
	upstream string
	dir      string
	client   *http.Client

	recording sync.Mutex // held while something is asked
}

// recorded is the head of an answer; its body is in a file of its own.
type recorded struct {
	Status int
	Header http.Header
}

func (f *replay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := f.serve(w, r); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

func (f *replay) serve(w http.ResponseWriter, r *http.Request) error {
	key := sha256.New()
	fmt.Fprintf(key, "%s %s %s\n", r.Method, r.URL.RequestURI(), r.Header.Get("Git-Protocol"))
	var body io.Reader = r.Body
	if strings.HasSuffix(r.URL.Path, "/git-upload-pack") {
		b, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return err
		}
		key.Write(b)
		body = strings.NewReader(string(b))
	}
	// A push is known by its address: what it brings is read and thrown away. Before a
	// large one git asks with four bytes whether it may.
	if r.ContentLength == 4 {
		key.Write([]byte("probe"))
	}
	file := filepath.Join(f.dir, hex.EncodeToString(key.Sum(nil)))
	if err := f.send(w, file, body); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f.recording.Lock()
	_, err := os.Stat(file + ".head")
	if errors.Is(err, fs.ErrNotExist) { // nobody has asked it meanwhile
		err = f.record(r, body, file)
	}
	f.recording.Unlock()
	if err != nil {
		return err
	}
	return f.send(w, file, strings.NewReader(""))
}

// send sends the answer in a file.
func (f *replay) send(w http.ResponseWriter, file string, body io.Reader) error {
	head, err := os.Open(file + ".head")
	if err != nil {
		return err
	}
	defer head.Close()
	var rec recorded
	if err := gob.NewDecoder(head).Decode(&rec); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return err
	}
	data, err := os.Open(file)
	if err != nil {
		return err
	}
	defer data.Close()
	info, err := data.Stat()
	if err != nil {
		return err
	}
	for k, v := range rec.Header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Length", fmt.Sprint(info.Size()))
	w.WriteHeader(rec.Status)
	_, _ = io.Copy(w, data) // sendfile(2); a client that is gone is no failure
	return nil
}

// record asks the upstream.
func (f *replay) record(r *http.Request, body io.Reader, file string) error {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+f.upstream+r.URL.RequestURI(), body)
	if err != nil {
		return err
	}
	req.Header = r.Header.Clone()
	res, err := f.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := os.Create(file)
	if err != nil {
		return err
	}
	defer data.Close()
	if _, err := io.Copy(data, res.Body); err != nil {
		return err
	}
	res.Header.Del("Transfer-Encoding")
	var head bytes.Buffer
	if err := gob.NewEncoder(&head).Encode(recorded{res.StatusCode, res.Header}); err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", head.Bytes(), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file+".head") // from now on it is there for others
}
