package lfs

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/git/pktline"
)

// packets spells a client's packets: "0000" and "0001" are those without a payload.
func packets(lines ...string) string {
	var b []byte
	for _, l := range lines {
		switch l {
		case "0000", "0001", "0002":
			b = append(b, l...)
		default:
			b = pktline.Append(b, l)
		}
	}
	return string(b)
}

func newTransferReader(text string) *TransferReader {
	return NewTransferReader(bufio.NewReader(strings.NewReader(text)))
}

func TestTransferReader(t *testing.T) {
	r := newTransferReader(packets("version 1\n", "0000",
		"batch\n", "refname=refs/heads/a=b\n", "later=\n", "0001", oid1+" 3\n", oid2+" 0 k=v", "0000",
		"put-object "+oid1, "size=3", "0001", "a", "bc", "0000",
		"put-object "+oid2, "size=0", "0001", "0000",
		"lock", "path=a b", "refname=refs/heads/a", "0000", "unlock id", "refname=a", "force=true", "0000", "quit", "0000"))
	next := func(want TransferCommand, subject string) *TransferRequest {
		t.Helper()
		q, err := r.Next()
		if err != nil || q.Command != want || q.Subject != subject {
			t.Fatalf("got %+v, %v", q, err)
		}
		return q
	}
	next(TransferHello, "1")
	ref := "refs/heads/a=b"
	b, err := next(TransferBatch, "").Batch(Upload)
	id1, _ := ParseOID(oid1)
	id2, _ := ParseOID(oid2)
	want := &Batch{Upload, &ref, []BatchObject{{Object{id1, 3}, oid1, ""}, {Object{id2, 0}, oid2, ""}}}
	if d := cmp.Diff(want, b); err != nil || d != "" {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	put := next(TransferPut, oid1)
	if o, err := put.Object(); err != nil || o != (Object{id1, 3}) {
		t.Errorf("put %v, %v", o, err)
	}
	if data, err := io.ReadAll(r.Content()); err != nil || string(data) != "abc" {
		t.Errorf("content %q, %v", data, err)
	}
	next(TransferPut, oid2)
	if err := r.Skip(0); err != nil {
		t.Errorf("skip nothing: %v", err)
	}
	a := "refs/heads/a"
	if l, err := next(TransferLock, "").Lock(); err != nil || cmp.Diff(LockRequest{"a b", &a}, l) != "" {
		t.Errorf("lock %+v, %v", l, err)
	}
	if u, err := next(TransferUnlock, "id").Unlock(); err != nil || cmp.Diff(UnlockRequest{true, &a}, u) != "" {
		t.Errorf("unlock %+v, %v", u, err)
	}
	next(TransferQuit, "")
	for range 2 {
		if q, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %+v, %v", q, err)
		}
	}
}

// What is wrong with the form of one request is no harm to the next.
func TestTransferReaderGoesOn(t *testing.T) {
	long := strings.Repeat("x", 60_000)
	many := make([]string, MaxBatchObjects+1)
	for i := range many {
		many[i] = oid1 + " 1"
	}
	for name, tc := range map[string]struct {
		in   []string
		want error
	}{
		"nothing":                 {nil, ErrSyntax},
		"a delimiter first":       {[]string{"0001"}, ErrSyntax},
		"two delimiters":          {[]string{"batch", "0001", "0001"}, ErrSyntax},
		"a response end":          {[]string{"batch", "0002"}, ErrSyntax},
		"no value":                {[]string{"batch", "refname"}, ErrSyntax},
		"no name":                 {[]string{"batch", "=refs/heads/a"}, ErrSyntax},
		"an argument twice":       {[]string{"batch", "a=1", "a=1"}, ErrSyntax},
		"not UTF-8":               {[]string{"batch", "a=\xff"}, ErrSyntax},
		"a control character":     {[]string{"batch", "a=b\x00"}, ErrSyntax},
		"two lines in one":        {[]string{"batch", "a=b\nrefname=c"}, ErrSyntax},
		"too much for a lock":     {[]string{"lock", "path=a", "b=" + long, "c=" + long}, ErrTransferBytes},
		"too much for a batch":    {append([]string{"batch"}, args(18, long)...), ErrTransferBytes},
		"too many objects":        {append([]string{"batch", "0001"}, many...), ErrTooManyObjects},
		"an upload's content too": {[]string{"put-object " + oid1, "a=1", "a=1", "0001", "content"}, ErrSyntax},
	} {
		r := newTransferReader(packets(append(tc.in, "0000", "quit", "0000")...))
		if q, err := r.Next(); !errors.Is(err, tc.want) || q != nil {
			t.Errorf("%s: %+v, %v; want %v", name, q, err, tc.want)
		}
		if err := r.Skip(0); err != nil {
			t.Errorf("%s: skip: %v", name, err)
		}
		if q, err := r.Next(); err != nil || q.Command != TransferQuit {
			t.Errorf("%s: after it %+v, %v", name, q, err)
		}
	}
}

func args(n int, value string) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("a%d=%s", i, value))
	}
	return all
}

// Where the end of a request cannot be found, nothing more is read.
func TestTransferReaderEnds(t *testing.T) {
	put := packets("put-object "+oid1, "size=1", "0001")
	for name, tc := range map[string]struct {
		in   string
		want error
	}{
		"no packet":                {"batch", pktline.ErrSyntax},
		"half a packet":            {"0009bat", io.ErrUnexpectedEOF},
		"half a request":           {packets("batch", "a=b"), io.ErrUnexpectedEOF},
		"a request without end":    {packets(args(300, strings.Repeat("x", 60_000))...), ErrTransferLost},
		"half an object":           {put + packets("x"), io.ErrUnexpectedEOF},
		"no packet in it":          {put + "xxxx", pktline.ErrSyntax},
		"an empty packet in it":    {put + "0004", pktline.ErrSyntax},
		"a delimiter in it":        {put + packets("x", "0001", "0000"), pktline.ErrSyntax},
		"more than may be skipped": {put + packets("0123456789", "0000"), ErrTransferLost},
	} {
		r := newTransferReader(tc.in + packets("0000", "quit", "0000"))
		if tc.want == io.ErrUnexpectedEOF { //nolint:errorlint // of the table
			r = newTransferReader(tc.in)
		}
		_, err := r.Next()
		if err == nil {
			err = r.Skip(9)
		}
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
		if q, again := r.Next(); !errors.Is(again, tc.want) || q != nil {
			t.Errorf("%s: after it %+v, %v", name, q, again)
		}
	}
}

func TestTransferRequestRefuses(t *testing.T) {
	batch := func(lines ...string) error {
		q, err := newTransferReader(packets(append(lines, "0000")...)).Next()
		if err != nil {
			t.Fatal(err)
		}
		_, err = q.Batch(Upload)
		_, lock := q.Lock()
		_, unlock := q.Unlock()
		_, locks := q.Locks()
		_, object := q.Object()
		return errors.Join(err, lock, unlock, locks, object)
	}
	good := []string{"batch " + oid1, "size=1"}
	if err := batch(good...); err != nil {
		t.Fatal(err)
	}
	for name, more := range map[string][]string{
		"no ref": {"refname="}, "a long ref": {"refname=" + strings.Repeat("x", maxRefBytes+1)}, "a limit": {"limit=x"}, "a force": {"force=1"},
		"no size": {"0001", oid1}, "a negative size": {"0001", oid1 + " -1"}, "a signed size": {"0001", oid1 + " +1"},
		"a size beyond all": {"0001", oid1 + " 9223372036854775808"},
	} {
		if err := batch(append(good, more...)...); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := batch(append(good, "hash-algo=sha512")...); !errors.Is(err, ErrHashAlgorithm) {
		t.Errorf("another hash: %v", err)
	}
	for _, bad := range [][]string{{"batch"}, {"batch " + oid1}, {"batch " + strings.ToUpper(oid2), "size=1"}, {"batch " + oid1, "size=-1"}} {
		q, err := newTransferReader(packets(append(bad, "0000")...)).Next()
		if err != nil {
			t.Fatal(err)
		}
		if o, err := q.Object(); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: %v, %v", bad, o, err)
		}
	}
}

// FuzzTransferReader: whatever comes, a request is read to its end or nothing is read
// after it, and the reading ends.
func FuzzTransferReader(f *testing.F) {
	f.Add([]byte(packets("version 1", "0000", "batch", "refname=refs/heads/a", "0001", oid1+" 3", "0000")))
	f.Add([]byte(packets("put-object "+oid1, "size=3", "0001", "abc", "0000", "verify-object "+oid1, "size=3", "0000", "quit", "0000")))
	f.Add([]byte(packets("lock", "path=a", "0000", "list-lock", "limit=1", "0000", "unlock x", "force=true", "0000")))
	f.Add([]byte(packets("put-object x", "a=1", "a=2", "0001", "x", "0001", "0000", "0002", "0000")))
	f.Fuzz(func(t *testing.T, in []byte) {
		src := bytes.NewReader(in)
		r := NewTransferReader(src)
		for {
			left := src.Len()
			q, err := r.Next()
			if err == nil && q == nil || err != nil && q != nil {
				t.Fatalf("%+v, %v", q, err)
			}
			if q != nil {
				b, bad := q.Batch(Upload)
				if bad == nil && len(b.Objects) > MaxBatchObjects {
					t.Fatalf("a batch of %d", len(b.Objects))
				}
				for name, value := range q.args {
					if name == "" || strings.ContainsAny(name+value, "\n\x00") {
						t.Fatalf("argument %q=%q", name, value)
					}
				}
				_, _ = q.Object()
				_, _ = q.Unlock()
				_, _ = q.Locks()
			}
			err = errors.Join(err, r.Skip(int64(len(in))))
			if err != nil && !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrTransferBytes) && !errors.Is(err, ErrTooManyObjects) {
				return // there is nothing after it
			}
			if src.Len() == left {
				t.Fatal("nothing was read, and it goes on")
			}
		}
	})
}
