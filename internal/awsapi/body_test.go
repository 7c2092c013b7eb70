package awsapi

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/refward/refward/internal/fault"
)

// counted counts what is read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// endless is zeros without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestReadBody(t *testing.T) {
	const limit = 100_000
	text := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct {
		name   string
		body   io.Reader
		length int64 // as the request has it, -1 for chunked
		want   string
		code   fault.Code
	}{
		{"none", http.NoBody, 0, "", fault.Code{}},
		{"small", strings.NewReader("abc"), 3, "abc", fault.Code{}},
		{"byte by byte", iotest.OneByteReader(strings.NewReader(text(limit))), limit, text(limit), fault.Code{}},
		{"data with the end", iotest.DataErrReader(strings.NewReader(text(smallBody))), smallBody, text(smallBody), fault.Code{}},
		{"as large as allowed", strings.NewReader(text(limit)), limit, text(limit), fault.Code{}},
		{"chunked", strings.NewReader(text(limit)), -1, text(limit), fault.Code{}},
		{"chunked, one too large", strings.NewReader(text(limit + 1)), -1, "", fault.RequestTooLarge},
		{"chunked without end", endless{}, -1, "", fault.RequestTooLarge},
		{"one too large", strings.NewReader(text(limit + 1)), limit + 1, "", fault.RequestTooLarge},
		{"a terabyte", endless{}, 1 << 40, "", fault.RequestTooLarge},
		{"cut off", io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(io.ErrUnexpectedEOF)), 5, "", fault.MalformedInput},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var b budget
			from := &counted{r: tc.body}
			r := httptest.NewRequest(http.MethodPost, "/", from)
			r.ContentLength = tc.length
			body, release, err := b.readBody(httptest.NewRecorder(), r, limit, "a")
			if f, _ := errors.AsType[*fault.Fault](err); string(body) != tc.want || (f != nil) != (tc.code != fault.Code{}) || f != nil && f.Code != tc.code {
				t.Errorf("got %d bytes, %v, want %d, %v", len(body), err, len(tc.want), tc.code)
			}
			if from.n > limit+smallBody {
				t.Errorf("%d bytes were read, the limit is %d", from.n, limit)
			}
			if held := b.held; held > limit+1 {
				t.Errorf("%d bytes are reserved", held)
			}
			release()
			if held := b.held; held != 0 {
				t.Errorf("%d bytes stay reserved", held)
			}
		})
	}
}

// TestBodyBudget: large bodies are refused when there is no room for them, or none in
// their holder's share, and small ones are not.
func TestBodyBudget(t *testing.T) {
	read := func(b *budget, n int) error {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", n)))
		_, release, err := b.readBody(httptest.NewRecorder(), r, maxJSONBody, "a")
		release()
		return err
	}
	for name, tc := range map[string]struct {
		held    map[string]int
		refused string // what a large body is told; empty: it is read
	}{
		"no room":            {map[string]int{"b": maxOwnBodies, "c": maxOwnBodies, "d": maxOwnBodies, "e": maxOwnBodies - smallBody}, "in a minute"},
		"none in the share":  {map[string]int{"a": maxOwnBodies - smallBody}, "of yours"},
		"another's is taken": {map[string]int{"b": maxOwnBodies}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var b budget
			sum := 0
			for holder, n := range tc.held {
				if err := b.take(holder, n); err != nil {
					t.Fatal(err)
				}
				sum += n
			}
			err := read(&b, smallBody*4)
			if tc.refused == "" && err != nil || tc.refused != "" && (!fault.Has(err, fault.Throttling) || !strings.Contains(err.Error(), tc.refused)) {
				t.Errorf("a large body: got %v, want %q", err, tc.refused)
			}
			if err := read(&b, smallBody-1); err != nil {
				t.Errorf("a small body: %v", err)
			}
			if b.held != sum || len(b.own) != len(tc.held) {
				t.Errorf("%d bytes of %d stay reserved, want %d of %d", b.held, len(b.own), sum, len(tc.held))
			}
		})
	}
}

// TestClaimedLength: memory is taken for what arrives, not for what is claimed.
func TestClaimedLength(t *testing.T) {
	var b budget
	r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	r.ContentLength = maxJSONBody
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, release, err := b.readBody(httptest.NewRecorder(), r, maxJSONBody, "a")
	runtime.ReadMemStats(&after)
	release()
	if err == nil {
		t.Error("a body that was cut off was accepted")
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes were allocated for 2", n)
	}
}

// TestHugeBody: a body of a gigabyte is answered with 413 and costs no memory.
func TestHugeBody(t *testing.T) {
	h := newHandler(t)
	server := httptest.NewServer(h.verified("codecommit"))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	head := "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: CodeCommit_20150413.PutFile\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 1073741824\r\n\r\n"
	_, _ = io.WriteString(conn, head)
	go func() { // ends when the server closes the connection, or the test does
		block := make([]byte, 1<<20)
		for {
			if _, err := conn.Write(block); err != nil {
				return
			}
		}
	}()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	_, _ = body.ReadFrom(answer.Body)
	runtime.ReadMemStats(&after)
	if answer.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(body.String(), `"RequestEntityTooLargeException"`) {
		t.Errorf("got %s: %s", answer.Status, &body)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}
