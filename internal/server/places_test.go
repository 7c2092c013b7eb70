package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

// TestStrangerRequests: one address has a share of the requests whose caller is not proven;
// a proven one does not count, and whether the host lives is told to everybody.
func TestStrangerRequests(t *testing.T) {
	s := open(t, Config{Places: Places{StrangerRequests: 4}, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	entered, prove, proven, leave := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
	s.git = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != gitPrefix+"slow" {
			return
		}
		entered <- struct{}{}
		<-prove
		recordOf(r.Context()).known()
		proven <- struct{}{}
		<-leave
	})
	handler := s.httpServer().Handler
	ask := func(from, by, path string) *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil)
		r.RemoteAddr = from
		if by != "" {
			r.Header.Set("X-Forwarded-For", by)
		}
		handler.ServeHTTP(w, r)
		return w
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ask("192.0.2.1:1", "", gitPrefix+"slow")
	}()
	<-entered
	if w := ask("192.0.2.1:2", "", gitPrefix+"x"); w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "requests without proven credentials") {
		t.Errorf("the second got %d %q", w.Code, w.Body)
	}
	for _, tc := range [][3]string{
		{"192.0.2.2:1", "", gitPrefix + "x"}, {"192.0.2.1:2", "", "/healthz"}, {"192.0.2.1:2", "", "/readyz"}, {"10.0.0.1:1", "192.0.2.3", gitPrefix + "x"},
	} {
		if w := ask(tc[0], tc[1], tc[2]); w.Code != 200 {
			t.Errorf("%v got %d %q", tc, w.Code, w.Body)
		}
	}
	if w := ask("10.0.0.1:1", "192.0.2.1", gitPrefix+"x"); w.Code != 503 {
		t.Errorf("by way of the proxy the same one got %d", w.Code)
	}
	close(prove)
	<-proven
	if w := ask("192.0.2.1:2", "", gitPrefix+"x"); w.Code != 200 {
		t.Errorf("beside a proven one: %d %q", w.Code, w.Body)
	}
	close(leave)
	<-ended
	if st := s.gates.strangerCalls.Stats(); st.Held != 0 {
		t.Errorf("%+v", st)
	}
}

// TestStrangerConnections: one address has a share of the connections over which nobody
// is proven; those that are, and those of a trusted proxy, do not count.
func TestStrangerConnections(t *testing.T) {
	for name, tc := range map[string]struct {
		tls    bool
		prefix string
	}{"plain": {}, "TLS": {tls: true}, "a trusted proxy": {prefix: "127.0.0.0/8"}} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Places: Places{StrangerConnections: 16}}
			if tc.tls {
				cfg.TLSCert, cfg.TLSKey = selfSigned(t)
			}
			pool := x509.NewCertPool()
			if tc.tls {
				pem, err := os.ReadFile(cfg.TLSCert)
				if err != nil || !pool.AppendCertsFromPEM(pem) {
					t.Fatal("no certificate", err)
				}
			}
			if tc.prefix != "" {
				cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(tc.prefix)}
			}
			s := open(t, cfg)
			s.git = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { recordOf(r.Context()).known() })
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- s.Run(ctx) }()
			var conns []net.Conn
			defer func() {
				for _, c := range conns {
					_ = c.Close()
				}
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}()
			held := func() int64 { return s.gates.strangerHTTP.Stats().Held }
			dial := func() net.Conn {
				c, err := net.Dial("tcp", s.listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				conns = append(conns, c)
				return c
			}
			if tc.tls { // with a proven request on it, it does not count
				client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
				defer client.CloseIdleConnections()
				res, err := client.Get(s.URL() + gitPrefix + "x")
				if err != nil {
					t.Fatal(err)
				}
				_ = res.Body.Close()
			} else {
				c := dial()
				fmt.Fprintf(c, "GET %sx HTTP/1.1\r\nHost: x\r\n\r\n", gitPrefix)
				if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
					t.Fatal(err)
				}
			}
			if n := held(); n != 0 {
				t.Errorf("%d connections count after a proven request", n)
			}
			for range 2 {
				dial()
			}
			late := time.After(20 * time.Second)
			for held() != 2 {
				select {
				case <-late:
					t.Fatal("the connections were not accepted")
				case <-time.After(time.Millisecond):
				}
			}
			c := dial()
			if tc.prefix != "" {
				fmt.Fprintf(c, "GET %sx HTTP/1.1\r\nHost: x\r\n\r\n", gitPrefix)
				if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
					t.Error(err)
				}
				return
			}
			if n, err := io.Copy(io.Discard, c); n > 0 || s.gates.strangerHTTP.Stats().OverOwn == 0 {
				t.Errorf("one too many got %d bytes (%v)", n, err)
			}
		})
	}
}

// TestPlacesShow: each kind of place is in the metrics, and no name is.
func TestPlacesShow(t *testing.T) {
	s := open(t, Config{})
	w := httptest.NewRecorder()
	s.httpServer().Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`refward_places_held{kind="process-send"} 0`, `refward_places_waiting{kind="process-receive"} 0`, `refward_places_waits_total{kind="process-work"} 0`,
		`refward_places_refused_total{kind="api-requests",reason="share"} 0`, `refward_places_refused_total{kind="git-requests",reason="full"} 0`,
		`refward_places_refused_total{kind="answer-bytes",reason="share"} 0`, `refward_places_held{kind="ssh-connections"} 0`,
		`refward_places_held{kind="stranger-requests"} 1`, `refward_places_held{kind="http-strangers"} 0`, `refward_places_held{kind="ssh-strangers"} 0`,
	} {
		if !strings.Contains(w.Body.String(), want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
}
