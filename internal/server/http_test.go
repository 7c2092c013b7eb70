package server

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// TestBodyThatNeverComes: who announces a body and sends none gets the answer, or a closed
// connection, and does not keep the connection, whatever the door did with the body.
func TestBodyThatNeverComes(t *testing.T) {
	srv := httptest.NewServer(hurry(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/read" {
			_, _ = r.Body.Read(make([]byte, 1))
		}
		http.Error(w, "no", http.StatusForbidden)
	}), 50*time.Millisecond, time.Minute))
	defer srv.Close()
	for _, tc := range []struct{ name, head string }{
		{"left alone", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n"},
		{"left alone, of a GET", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n"},
		{"left alone, in chunks", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"broken off", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345"},
		{"read", "POST /read HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, tc.head); err != nil {
				t.Fatal(err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the server still holds the connection")
			}
		})
	}
}

// TestAnswerThatIsNotTaken: who asks and asks, and takes no answer, is cut off.
func TestAnswerThatIsNotTaken(t *testing.T) {
	ended := make(chan struct{})
	long := strings.Repeat("x", 2000) // shorter than what net/http holds back until the handler has returned
	srv := httptest.NewUnstartedServer(hurry(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, long)
	}), time.Minute, 50*time.Millisecond))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			close(ended)
		}
	}
	srv.Start()
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		for err == nil {
			_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		}
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("the server still holds the connection")
	}
}

// TestDeadlinesEnd: what one request left does not end a later one on its connection.
func TestDeadlinesEnd(t *testing.T) {
	srv := httptest.NewServer(hurry(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			select {
			case <-r.Context().Done():
				t.Error("the deadline of an earlier request cancelled this one")
			case <-time.After(100 * time.Millisecond): // longer than both deadlines
			}
		}
		_, _ = io.Copy(w, r.Body)
	}), 50*time.Millisecond, 50*time.Millisecond))
	defer srv.Close()
	for _, path := range []string{"/", "/slow", "/slow"} {
		resp, err := srv.Client().Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Error(err)
		}
		resp.Body.Close()
	}
}
