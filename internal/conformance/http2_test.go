package conformance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/server"
)

// TestHTTP2: over TLS git's client and the host agree on HTTP/2 by themselves, also for
// pushes in chunks and large answers; and on HTTP/1.1 where the client is told so.
func TestHTTP2(t *testing.T) {
	cert, key := certificate(t)
	host := hosttest.Start(t, func(c *server.Config) { c.TLSCert, c.TLSKey = cert, key })
	host.Client = trusting(t, cert)
	host.Root.Client = host.Client
	h := &house{Host: host}
	h.Group(t, "Maintainers", maintainers)
	h.dev = h.Hire(t, "dev", "Maintainers")
	d := &door{h, "http", 2}

	for name, version := range map[string]string{"HTTP-2": "HTTP/2", "HTTP-1.1": "HTTP/1.1"} {
		t.Run(name, func(t *testing.T) {
			with := func(args ...string) []string {
				return append([]string{"-c", "http.sslCAInfo=" + cert, "-c", "http.version=" + version, "-c", "http.postBuffer=65536"}, args...)
			}
			dir := d.work(t)
			hosttest.Commit(t, d.dev, dir, "noise", noise(3<<20))
			d.git(t, dir, with("push", "--quiet", "origin", "HEAD")...)
			clone := filepath.Join(t.TempDir(), "clone")
			d.git(t, dir, with("clone", "--quiet", d.value(t, dir, "remote", "get-url", "origin"), clone)...)
			whole(t, d, clone)
			d.refused(t, dir, []string{"KeepOut"}, with("push", "origin", "HEAD:refs/heads/denied")...)
			out := d.git(t, dir, with("-c", "alias.loud=!GIT_CURL_VERBOSE=1 git ls-remote origin", "loud")...)
			if !strings.Contains(out, "Recv header: "+version+" 200") {
				t.Errorf("no answer came by %s", version)
			}
		})
	}
	t.Run("unknown certificate", func(t *testing.T) {
		d.refused(t, h.Dir, []string{"certificate"}, "ls-remote", d.create(t))
	})
}

// certificate makes one for 127.0.0.1 that signs itself, and returns the files' names.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secret)
}

// trusting is a client that believes one certificate.
func trusting(t *testing.T, file string) *http.Client {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		t.Fatal("no certificate in ", file)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
}
