package server

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/secret"
)

// open opens a host on free ports in a new directory; the test closes it.
func open(t *testing.T, cfg Config) *Server {
	t.Helper()
	if cfg.DataDir == "" {
		cfg.DataDir = filepath.Join(t.TempDir(), "data")
	}
	cfg.Listen, cfg.SSHListen = "127.0.0.1:0", "127.0.0.1:0"
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConfigIsChecked(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  Config
		want string
	}{
		"account":      {Config{AccountID: "123"}, "12 digits"},
		"region":       {Config{Region: "here"}, "us-east-1"},
		"public URL":   {Config{PublicURL: "git.example.com"}, "https://"},
		"path in URL":  {Config{PublicURL: "https://example.com/git"}, "https://"},
		"half a key":   {Config{RootAccessKeyID: "AKIA1"}, "together"},
		"half TLS":     {Config{TLSCert: "x"}, "together"},
		"no such file": {Config{TLSCert: "/nonexistent", TLSKey: "/nonexistent"}, "TLS certificate"},
		"colon":        {Config{DataDir: "/tmp/a:b"}, "colon"},
	} {
		if tc.cfg.DataDir == "" {
			tc.cfg.DataDir = t.TempDir()
		}
		tc.cfg.Listen, tc.cfg.SSHListen = "127.0.0.1:0", "127.0.0.1:0"
		s, err := Open(t.Context(), tc.cfg)
		if err == nil {
			t.Errorf("%s: opened", name)
			_ = s.Close()
			continue
		}
		if !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, without %q", name, err, tc.want)
		}
	}
}

func TestDataDirectoryIsLocked(t *testing.T) {
	s := open(t, Config{})
	info, err := os.Stat(s.dir.path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory has mode %v", info.Mode())
	}
	_, err = Open(t.Context(), Config{DataDir: s.dir.path, Listen: "127.0.0.1:0", SSHListen: "127.0.0.1:0"})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "--data-dir") {
		t.Errorf("a second host on the directory: %v", err)
	}
}

func TestAccountAndRootAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	var out bytes.Buffer
	first := open(t, Config{DataDir: dir, Out: &out})
	account := first.Account()
	if !accountPattern.MatchString(account) {
		t.Errorf("account %q", account)
	}
	file := filepath.Join(dir, rootCredentialsFile)
	creds, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("root-credentials: %v, %v", info.Mode(), err)
	}
	key := strings.TrimSpace(string(creds[bytes.LastIndex(creds, []byte("= "))+2:]))
	if !bytes.HasPrefix(creds, []byte("[default]\naws_access_key_id = AKIA")) || len(key) != 40 || !strings.Contains(out.String(), key) {
		t.Errorf("the file has %q, and this was printed: %s", creds, out.String())
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	out.Reset()
	second := open(t, Config{DataDir: dir, Out: &out})
	if second.Account() != account {
		t.Errorf("the account was %s and is %s", account, second.Account())
	}
	if strings.Contains(out.String(), key) {
		t.Error("the secret was printed a second time")
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Config{DataDir: dir, AccountID: "999999999999", Listen: "127.0.0.1:0", SSHListen: "127.0.0.1:0"})
	if err == nil || !strings.Contains(err.Error(), account) {
		t.Errorf("another account on the directory: %v", err)
	}
}

func TestPublicURL(t *testing.T) {
	s := open(t, Config{PublicURL: "https://git.example.com/"})
	if s.httpURL != "https://git.example.com" || !strings.HasPrefix(s.sshURL, "ssh://git.example.com:") {
		t.Errorf("clone URLs begin with %s and %s", s.httpURL, s.sshURL)
	}
	if got := reachable(&net.TCPAddr{IP: net.IPv6zero, Port: 80}); got != "127.0.0.1:80" {
		t.Errorf("everywhere is reached at %s", got)
	}
}

// A drain waits for what is under way, and takes nothing new.
func TestDrain(t *testing.T) {
	s := open(t, Config{})
	entered, release := make(chan struct{}), make(chan struct{})
	s.git = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-release
		_, _ = io.WriteString(w, "finished")
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	body := make(chan string, 1)
	go func() {
		resp, err := http.Get(s.URL() + gitPrefix + "x")
		if err != nil {
			body <- err.Error()
			return
		}
		defer func() { _ = resp.Body.Close() }()
		b, _ := io.ReadAll(resp.Body)
		body <- string(b)
	}()
	<-entered
	stop()
	for !s.draining.Load() {
		select {
		case err := <-ended:
			t.Fatalf("ended while a request was under way: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	close(release)
	if got := <-body; got != "finished" {
		t.Errorf("the request under way got %q", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if _, err := os.Stat(s.dir.join(endpointsFile)); !os.IsNotExist(err) {
		t.Errorf("endpoints.json after the end: %v", err)
	}
}

func TestPanicIsOneAnswerAndOneLine(t *testing.T) {
	var log bytes.Buffer
	s := open(t, Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
	s.git = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a bug") })
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, gitPrefix+"x?X-Amz-Signature=SECRET", nil)
	r.Header.Set("Authorization", "Basic SECRET")
	s.httpServer().Handler.ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), w.Header().Get("X-Amzn-Requestid")) {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if strings.Contains(w.Body.String(), "a bug") {
		t.Error("the client was told of our insides")
	}
	if n := strings.Count(log.String(), "a handler panicked"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, log.String())
	}
	if strings.Contains(log.String(), "SECRET") {
		t.Errorf("a secret is in the log:\n%s", log.String())
	}
}

func TestPaths(t *testing.T) {
	s := open(t, Config{})
	var git, api int
	s.git = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { git++ })
	s.api = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { api++ })
	for _, tc := range []struct {
		method, target string
		status         int
		git, api       int
	}{
		{"GET", "/", 200, 0, 0},
		{"GET", "/?Action=ListUsers", 200, 0, 1},
		{"GET", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256", 200, 0, 1},
		{"POST", "/", 200, 0, 1},
		{"DELETE", "/", 200, 0, 1},
		{"GET", "/v1/repos/x/info/refs", 200, 1, 0},
		{"GET", "/v1/repos/../../etc/passwd", 200, 1, 0},
		{"GET", "/healthz", 200, 0, 0},
		{"POST", "/healthz", 405, 0, 0},
		{"GET", "/readyz", 200, 0, 0},
		{"GET", "/other", 404, 0, 0},
	} {
		git, api = 0, 0
		w := httptest.NewRecorder()
		s.httpServer().Handler.ServeHTTP(w, httptest.NewRequest(tc.method, "http://host"+tc.target, nil))
		if w.Code != tc.status || git != tc.git || api != tc.api {
			t.Errorf("%s %s: status %d, to git %d, to the API %d", tc.method, tc.target, w.Code, git, api)
		}
	}
	// What a client of S3 sends first.
	api = 0
	signed := httptest.NewRequest("GET", "http://host/", nil)
	signed.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x")
	if s.route(httptest.NewRecorder(), signed); api != 1 {
		t.Error("a signed GET of / was taken for a visit")
	}
}

// Every start says how aws reaches the host, with the root key as long as its file is there.
func TestAnnounce(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  Config
		want bool
	}{
		"made":  {Config{}, true},
		"given": {Config{RootAccessKeyID: "AKIDGIVEN", RootSecretAccessKey: secret.NewText("sesame")}, false},
	} {
		var out bytes.Buffer
		tc.cfg.Out = &out
		s := open(t, tc.cfg)
		out.Reset() // as on a later start
		if err := s.announce(); err != nil {
			t.Fatal(err)
		}
		said := strings.Contains(out.String(), "export AWS_SHARED_CREDENTIALS_FILE="+s.dir.join(rootCredentialsFile)+"\n")
		if said != tc.want || !strings.Contains(out.String(), "export AWS_ENDPOINT_URL="+s.URL()) {
			t.Errorf("%s: %s", name, out.String())
		}
	}
}

func TestSourceAddress(t *testing.T) {
	s := &Server{cfg: Config{Region: DefaultRegion, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	for name, tc := range map[string]struct {
		remote string
		hops   []string
		proto  string
		want   string
		secure bool
	}{
		"direct":              {"192.0.2.1:5", nil, "", "192.0.2.1", false},
		"a stranger claims":   {"192.0.2.1:5", []string{"1.1.1.1"}, "https", "192.0.2.1", false},
		"a proxy says":        {"10.0.0.1:5", []string{"192.0.2.7"}, "https", "192.0.2.7", true},
		"a client makes up":   {"10.0.0.1:5", []string{"1.1.1.1, 192.0.2.7"}, "http", "192.0.2.7", false},
		"two proxies":         {"10.0.0.1:5", []string{"192.0.2.7, 10.0.0.2"}, "", "192.0.2.7", false},
		"several lines":       {"10.0.0.1:5", []string{"1.1.1.1", "192.0.2.7"}, "", "192.0.2.7", false},
		"garbage":             {"10.0.0.1:5", []string{"192.0.2.7, what"}, "", "10.0.0.1", false},
		"IPv4 in IPv6":        {"[::ffff:192.0.2.1]:5", nil, "", "192.0.2.1", false},
		"link-local has zone": {"[fe80::1%eth0]:5", nil, "", "fe80::1", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tc.remote
		r.Header["X-Forwarded-For"] = tc.hops
		r.Header.Set("User-Agent", strings.Repeat("a", 2000))
		if tc.proto != "" {
			r.Header.Set("X-Forwarded-Proto", tc.proto)
		}
		c := s.caller(r, authn.Identity{})
		if c.SourceIP.String() != tc.want || c.Secure != tc.secure || len(c.UserAgent) != maxUserAgent {
			t.Errorf("%s: from %v, secure %t, user agent of %d bytes", name, c.SourceIP, c.Secure, len(c.UserAgent))
		}
	}
}

func TestTLS(t *testing.T) {
	cert, key := selfSigned(t)
	s := open(t, Config{TLSCert: cert, TLSKey: key})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	pool := x509.NewCertPool()
	b, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool.AppendCertsFromPEM(b)
	get := func(most uint16) (*http.Response, error) {
		tr := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS10, MaxVersion: most}}
		defer tr.CloseIdleConnections()
		return (&http.Client{Transport: tr}).Get(s.URL() + "/healthz")
	}
	if !strings.HasPrefix(s.URL(), "https://") {
		t.Errorf("the URL is %s", s.URL())
	}
	resp, err := get(tls.VersionTLS13)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Errorf("it speaks %s", resp.Proto)
	}
	if resp, err := get(tls.VersionTLS11); err == nil {
		_ = resp.Body.Close()
		t.Error("it speaks TLS 1.1")
	}
}

// selfSigned writes a certificate for 127.0.0.1 and its key.
func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	kb, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	err = errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: kb}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestSecretsOfTheConfigDoNotPrint(t *testing.T) {
	s := open(t, Config{RootAccessKeyID: "AKIAIOSFODNN7EXAMPLE", RootSecretAccessKey: secret.NewText("TOPSECRETTOPSECRET")})
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("config", "config", s.cfg)
	if strings.Contains(b.String(), "TOPSECRET") {
		t.Errorf("printed: %s", b.String())
	}
}
