package gitserver

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/wire"
)

// request makes a request with alice's credentials.
func (d *door) request(t testing.TB, method, path string, body io.Reader, header ...string) *http.Request {
	r, err := http.NewRequestWithContext(t.Context(), method, d.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(alice, password)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-"+path[strings.LastIndexByte(path, '/')+1:]+"-request")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// do sends a request and reads the answer.
func do(t testing.TB, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func TestRoutes(t *testing.T) {
	d := newDoor(t, Limits{})
	d.host.create("app")
	d.host.create("secret")
	d.host.forbidden["secret"] = true
	tests := []struct {
		method, path string
		status       int
		text         string // in the answer
	}{
		{"GET", "/v1/repos/app/info/refs?service=git-upload-pack", 200, "# service=git-upload-pack\n"},
		{"GET", "/v1/repos/app/info/refs?service=git-receive-pack", 200, "# service=git-receive-pack\n"},
		{"GET", "/v1/repos/app/info/refs", 403, "the dumb HTTP protocol is not supported"},
		{"GET", "/v1/repos/app/info/refs?service=git-upload-archive", 403, "no such Git service"},
		{"GET", "/v1/repos/none/info/refs?service=git-upload-pack", 404, "repository not found\n"},
		{"GET", "/v1/repos/app.git/info/refs?service=git-upload-pack", 404, "repository not found\n"},
		{"GET", "/v1/repos/a%20b/info/refs?service=git-upload-pack", 404, "repository not found\n"},
		{"GET", "/v1/repos/secret/info/refs?service=git-upload-pack", 403, "is not authorized to perform: codecommit:GitPull on resource: arn:aws:codecommit:us-east-1:123456789012:secret\nno decision was made\nAsk an administrator"},
		{"GET", "/v1/repos/secret/info/refs?service=git-receive-pack", 403, "is not authorized to perform: codecommit:GitPush"},
		{"HEAD", "/v1/repos/app/info/refs?service=git-upload-pack", 405, ""},
		{"POST", "/v1/repos/app/info/refs?service=git-upload-pack", 405, "method"},
		{"GET", "/v1/repos/app/git-upload-pack", 405, "method"},
		{"PUT", "/v1/repos/app/git-receive-pack", 405, "method"},
		{"GET", "/v1/repos/app/HEAD", 404, "repository not found"},
		{"GET", "/v1/repos/app/objects/info/packs", 404, "repository not found"},
		{"GET", "/v1/repos/app/info/refs/?service=git-upload-pack", 404, "repository not found"},
		{"GET", "/v1/repos//info/refs?service=git-upload-pack", 404, "repository not found"},
		{"GET", "/v1/repos/a/b/info/refs?service=git-upload-pack", 404, "repository not found"},
		{"GET", "/v1/repos/a%2Fb/info/refs?service=git-upload-pack", 404, "repository not found"},
		{"GET", "/v1/repos/../repos/app/info/refs?service=git-upload-pack", 404, "repository not found"},
		{"GET", "/app/info/refs?service=git-upload-pack", 404, "repository not found"},
		{"GET", "/", 404, "repository not found"},
	}
	for _, tc := range tests {
		t.Run(tc.method+" "+tc.path, func(t *testing.T) {
			resp, text := do(t, d.request(t, tc.method, tc.path, nil))
			if resp.StatusCode != tc.status || !strings.Contains(text, tc.text) {
				t.Errorf("%d, want %d, with %q:\n%s", resp.StatusCode, tc.status, tc.text, text)
			}
			want := "text/plain; charset=utf-8"
			if tc.status == 200 {
				want = "application/x-git-" + strings.TrimPrefix(resp.Request.URL.Query().Get("service"), "git-") + "-advertisement"
			}
			if got := resp.Header.Get("Content-Type"); got != want {
				t.Errorf("content type %q, want %q", got, want)
			}
			if got := resp.Header.Get("Cache-Control"); got != "no-cache, max-age=0, must-revalidate" {
				t.Errorf("Cache-Control %q", got)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	d := newDoor(t, Limits{})
	d.host.create("app")
	const path = "/v1/repos/app/info/refs?service=git-upload-pack"
	for name, set := range map[string]func(*http.Request){
		"none":           func(r *http.Request) { r.Header.Del("Authorization") },
		"wrong password": func(r *http.Request) { r.SetBasicAuth(alice, "wrong") },
		"unknown name":   func(r *http.Request) { r.SetBasicAuth("bob-at-123456789012", password) },
		"empty":          func(r *http.Request) { r.SetBasicAuth("", "") },
		"bearer":         func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") },
		"not base64":     func(r *http.Request) { r.Header.Set("Authorization", "Basic !!") },
	} {
		r := d.request(t, "GET", path, nil)
		set(r)
		resp, text := do(t, r)
		if resp.StatusCode != 401 || resp.Header.Get("WWW-Authenticate") != `Basic realm="Refward", charset="UTF-8"` || !strings.Contains(text, "credentials") {
			t.Errorf("%s: %d %q\n%s", name, resp.StatusCode, resp.Header.Get("WWW-Authenticate"), text)
		}
	}
}

// Git forgets a stored credential that no longer counts, and so asks for the new one.
func TestCredentialCacheHeals(t *testing.T) {
	d := newDoor(t, Limits{})
	d.host.create("app")
	dir := t.TempDir()
	store := filepath.Join(dir, "credentials")
	u := strings.Replace(d.URL, "http://", "http://"+alice+":stale@", 1)
	if err := os.WriteFile(store, []byte(u+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := tryGit(t, dir, nil, "-c", "credential.helper=store --file="+store, "ls-remote", d.URL+root+"app")
	if err == nil {
		t.Fatalf("ls-remote with a stale password succeeded:\n%s", out)
	}
	if b, err := os.ReadFile(store); err != nil || len(bytes.TrimSpace(b)) > 0 {
		t.Errorf("the stale password is still stored: %q, %v", b, err)
	}
}

// What a refusal says reaches the terminal of whoever runs git.
func TestRefusalsShow(t *testing.T) {
	d := newDoor(t, Limits{Commands: 3})
	d.host.create("app")
	d.host.create("secret")
	d.host.forbidden["secret"] = true
	dir := d.work(t, "app")
	for _, tc := range []struct {
		name string
		args []string
		want []string
	}{
		{"denied", []string{"push", d.url("secret"), "master"}, []string{"remote: User: arn:aws:iam::123456789012:user/alice is not authorized", "remote: Ask an administrator of the account", "403"}},
		{"not found", []string{"ls-remote", d.url("none")}, []string{"remote: repository not found", "not found"}},
		{"too many commands", []string{"push", "origin", "master:a", "master:b", "master:c", "master:d"}, []string{"Too many reference update commands"}},
	} {
		out, err := tryGit(t, dir, nil, tc.args...)
		if err == nil {
			t.Errorf("%s: git succeeded", tc.name)
		}
		for _, w := range tc.want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: git did not print %q:\n%s", tc.name, w, out)
			}
		}
		if strings.Contains(out, "Everything up-to-date") {
			t.Errorf("%s: git says that everything is up to date:\n%s", tc.name, out)
		}
	}
}

func TestMalformed(t *testing.T) {
	d := newDoor(t, Limits{})
	bare := d.host.create("app")
	dir := d.work(t, "app")
	git(t, dir, "push", "--quiet", bare, "master")
	for _, service := range []string{uploadPack, receivePack} {
		for _, version := range []string{"version=0", "version=2"} {
			for _, text := range malformed {
				for _, body := range []io.Reader{strings.NewReader(text), io.MultiReader(strings.NewReader(text))} { // in chunks, since of unknown length
					resp, answer := do(t, d.request(t, "POST", root+"app/"+service, body, "Git-Protocol", version))
					known := strings.Contains(answer, "ERR ") || strings.Contains(answer, "unpack ")
					switch {
					case resp.StatusCode == 200 && known:
					case resp.StatusCode/100 == 4 && len(answer) > 10 && resp.Header.Get("Content-Type") == "text/plain; charset=utf-8":
					case resp.StatusCode == 200 && fine(service, version, text):
					default:
						t.Errorf("%s %s %q: %d\n%s", service, version, text, resp.StatusCode, answer)
					}
				}
			}
		}
	}
	if d.log.Len() > 0 {
		t.Errorf("logged:\n%s", d.log)
	}
}

// fine reports whether a text of the malformed ones is none for this service.
func fine(service, version, text string) bool {
	if service == uploadPack {
		return version == "version=2" && strings.HasPrefix(text, "0014command=ls-refs\n") && len(text) == 20
	}
	return strings.HasPrefix(text, "0062"+strings.Repeat("0", 40)) || strings.Contains(text, "side-band-64k") || strings.HasPrefix(text, "0000")
}

func TestContentTypeAndEncoding(t *testing.T) {
	d := newDoor(t, Limits{FetchBytes: 1 << 10})
	d.host.create("app")
	const path = root + "app/" + uploadPack
	zipped := func(text string) io.Reader {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, text)
		_ = z.Close()
		return &b
	}
	lsRefs := string((&wire.RequestHeader{Command: "ls-refs"}).Append(nil))
	bomb := strings.Repeat("0032want 1111111111111111111111111111111111111111\n", 20000)
	for _, tc := range []struct {
		name   string
		body   io.Reader
		header []string
		status int
	}{
		{"plain", strings.NewReader(lsRefs), nil, 200},
		{"gzip", zipped(lsRefs), []string{"Content-Encoding", "gzip"}, 200},
		{"x-gzip", zipped(lsRefs), []string{"Content-Encoding", "x-gzip"}, 200},
		{"identity", strings.NewReader(lsRefs), []string{"Content-Encoding", "identity"}, 200},
		{"not gzip", strings.NewReader(lsRefs), []string{"Content-Encoding", "gzip"}, 400},
		{"cut gzip", io.LimitReader(zipped(lsRefs), 20), []string{"Content-Encoding", "gzip"}, 400},
		{"brotli", strings.NewReader(lsRefs), []string{"Content-Encoding", "br"}, 415},
		{"gzip bomb", zipped(bomb), []string{"Content-Encoding", "gzip", "Git-Protocol", "version=0"}, 413},
		{"too long", strings.NewReader(bomb), []string{"Git-Protocol", "version=0"}, 413},
		{"too long, in chunks", io.MultiReader(strings.NewReader(bomb)), []string{"Git-Protocol", "version=0"}, 413},
		{"content type", strings.NewReader(lsRefs), []string{"Content-Type", "text/plain"}, 415},
		{"other service's content type", strings.NewReader(lsRefs), []string{"Content-Type", "application/x-git-receive-pack-request"}, 415},
		{"probe", strings.NewReader("0000"), nil, 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			resp, text := do(t, d.request(t, "POST", path, tc.body, append([]string{"Git-Protocol", "version=2"}, tc.header...)...))
			if resp.StatusCode != tc.status {
				t.Errorf("%d, want %d\n%s", resp.StatusCode, tc.status, text)
			}
		})
	}
}

// A push that cannot succeed is still read to its end before it is answered.
func TestRefusedPushIsDrained(t *testing.T) {
	d := newDoor(t, Limits{PushBytes: 64 << 20})
	d.host.create("app")
	d.host.create("secret")
	d.host.forbidden["secret"] = true
	const size = 32 << 20
	pack := func() io.Reader { return io.LimitReader(zeros{}, size) }
	head := func(caps string) string {
		p := wire.Push{Commands: []wire.Command{{Ref: "refs/heads/x", New: [20]byte{1}}}, Capabilities: wire.ParseCapabilities(caps)}
		return string(p.Append(nil))
	}
	for _, tc := range []struct {
		name, repository, head string
		status                 int
	}{
		{"forbidden", "secret", head("report-status"), 403},
		{"forbidden, with side-band", "secret", head("report-status side-band-64k"), 200},
		{"not found", "none", head("report-status"), 404},
		{"malformed", "app", "0010not a command0000", 400},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sent := &counter{Reader: io.MultiReader(strings.NewReader(tc.head), pack())}
			resp, text := do(t, d.request(t, "POST", root+tc.repository+"/"+receivePack, sent))
			if resp.StatusCode != tc.status {
				t.Errorf("%d, want %d\n%s", resp.StatusCode, tc.status, text)
			}
			if tc.status == 200 && !strings.Contains(text, "\x03User: arn:aws:iam::123456789012:user/alice is not authorized") {
				t.Errorf("no refusal in %q", text)
			}
			if tc.status != 400 && sent.n < size {
				t.Errorf("answered after %d of %d bytes", sent.n, size)
			}
		})
	}
	if got := len(d.host.pushed); got != 0 {
		t.Errorf("%d pushes reached the operation", got)
	}
}

// zeros is endless.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

type counter struct {
	io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

// A push over the limit is read on for a while, so that its client can be told.
func TestPushOverLimit(t *testing.T) {
	d := newDoor(t, Limits{PushBytes: 1 << 20})
	d.host.create("app")
	dir := d.work(t, "app")
	commit(t, dir, "big", incompressible(3<<19))
	out, err := tryGit(t, dir, nil, "push", "origin", "master")
	if err == nil || !strings.Contains(out, "remote: the request has more than 1048576 bytes") || strings.Contains(out, "up-to-date") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestInternalErrorIsHiddenAndLoggedOnce(t *testing.T) {
	d := newDoor(t, Limits{})
	d.host.create("app")
	d.host.failure = errors.New("dial db.internal: refused")
	resp, text := do(t, d.request(t, "GET", root+"app/info/refs?service=git-upload-pack", nil))
	if resp.StatusCode != 500 || text != "internal error\nrequest ID: request-1\n" {
		t.Errorf("%d %q", resp.StatusCode, text)
	}
	if got := strings.Count(d.log.String(), "db.internal"); got != 1 {
		t.Errorf("logged %d times:\n%s", got, d.log)
	}
}

// A client that stops sending is told so, and does not stay.
func TestStalledClient(t *testing.T) {
	d := newDoor(t, Limits{Stall: 100 * time.Millisecond})
	d.host.create("app")
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", d.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := d.request(t, "POST", root+"app/"+receivePack, nil)
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nContent-Type: %s\r\nContent-Length: 1000\r\n\r\n0078",
		r.URL.Path, r.Host, r.Header.Get("Authorization"), r.Header.Get("Content-Type"))
	resp, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestTimeout {
		t.Errorf("status %d, want 408", resp.StatusCode)
	}
}

// Expect: 100-continue gets its go-ahead only where the body will be read.
func TestExpectContinue(t *testing.T) {
	d := newDoor(t, Limits{})
	d.host.create("app")
	for _, user := range []string{alice, "nobody"} {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", d.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		r := d.request(t, "POST", root+"app/"+receivePack, nil)
		r.SetBasicAuth(user, password)
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nContent-Type: %s\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
			r.URL.Path, r.Host, r.Header.Get("Authorization"), r.Header.Get("Content-Type"))
		in := bufio.NewReader(conn)
		status, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		want := "HTTP/1.1 100 Continue\r\n"
		if user != alice {
			want = "HTTP/1.1 401 Unauthorized\r\n"
		}
		if status != want {
			t.Errorf("%s: %q, want %q", user, status, want)
		}
	}
}

// While a push is worked on, the client hears that the server is still there.
func TestKeepAlive(t *testing.T) {
	d := newDoor(t, Limits{KeepAlive: 10 * time.Millisecond})
	d.host.create("app")
	dir := d.work(t, "app")
	pack, err := tryGit(t, dir, strings.NewReader("HEAD\n"), "pack-objects", "--revs", "--stdout", "-q")
	if err != nil {
		t.Fatal(pack)
	}
	head := strings.TrimSpace(git(t, dir, "rev-parse", "HEAD"))
	release := make(chan struct{})
	d.host.afterPack = func() { <-release }
	body := string(pktline.Append(nil, strings.Repeat("0", 40)+" "+head+" refs/heads/master\x00report-status side-band-64k")) + "0000" + pack
	resp, err := http.DefaultTransport.RoundTrip(d.request(t, "POST", root+"app/"+receivePack, strings.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	r := pktline.NewReader(resp.Body)
	for quiet := 0; quiet < 3; {
		k, p, err := r.Next()
		if err != nil || k != pktline.Data {
			t.Fatalf("%s, %v", k, err)
		}
		if string(p) == "\x01" {
			quiet++
		}
	}
	close(release)
	var data, progress bytes.Buffer
	if err := wire.Demux(r, &data, &progress); err != nil {
		t.Fatal(err)
	}
	rep, err := wire.DecodeReport(pktline.NewReader(&data))
	if err != nil || rep.Unpack != "ok" || len(rep.Results) != 1 || rep.Results[0].Reason != "" {
		t.Errorf("report %+v, %v", rep, err)
	}
}

func TestProtocolVersion(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "version=0": 0, "version=1": 1, "version=2": 2, "version=3": 0, "version=2:version=1": 2, "x=y:version=1": 1, "version=22": 0, "VERSION=2": 0,
	} {
		if got := protocolVersion(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func FuzzHandler(f *testing.F) {
	for _, text := range malformed {
		f.Add(false, true, text)
		f.Add(true, false, text)
	}
	d := newDoor(f, Limits{})
	h := d.Config.Handler.(*Handler)
	h.service = still{snap: snapshotOf(10)}
	f.Fuzz(func(t *testing.T, push, v2 bool, body string) {
		service, version := uploadPack, "version=0"
		if push {
			service = receivePack
		}
		if v2 {
			version = "version=2"
		}
		r := d.request(t, "POST", root+"app/"+service, strings.NewReader(body), "Git-Protocol", version)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
