package pktline

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

type packet struct {
	Kind    Kind
	Payload string
}

// readAll reads packets until an error, which it returns.
func readAll(src io.Reader) ([]packet, error) {
	r := NewReader(src)
	var got []packet
	for {
		k, p, err := r.Next()
		if err != nil {
			return got, err
		}
		got = append(got, packet{k, string(p)})
	}
}

func TestReader(t *testing.T) {
	long := strings.Repeat("x", MaxPayload)
	tests := []struct {
		name string
		in   string
		want []packet
		err  error
	}{
		{"nothing", "", nil, io.EOF},
		{"kinds", "0006a\n0000000100020004", []packet{{Data, "a\n"}, {Flush, ""}, {Delim, ""}, {ResponseEnd, ""}, {Data, ""}}, io.EOF},
		{"upper-case length", "000Ahello\n", []packet{{Data, "hello\n"}}, io.EOF},
		{"longest", "fff0" + long, []packet{{Data, long}}, io.EOF},
		{"too long", "fff1" + long + "x", nil, ErrSyntax},
		{"length 3", "0003", nil, ErrSyntax},
		{"not hexadecimal", "00g0", nil, ErrSyntax},
		{"sign", "+004", nil, ErrSyntax},
		{"head cut", "0006a\n00", []packet{{Data, "a\n"}}, io.ErrUnexpectedEOF},
		{"payload missing", "0006", nil, io.ErrUnexpectedEOF},
		{"payload cut", "0006a", nil, io.ErrUnexpectedEOF},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := readAll(iotest.OneByteReader(strings.NewReader(tc.in)))
			if !errors.Is(err, tc.err) {
				t.Errorf("error %v, want %v", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("packets (-want +got):\n%s", diff)
			}
		})
	}
}

// What follows the packets must stay in the source: a pack comes after the commands.
func TestReaderReadsNoFurther(t *testing.T) {
	src := strings.NewReader("0006a\n0000PACK")
	r := NewReader(src)
	for range 2 {
		if _, _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	rest, _ := io.ReadAll(src)
	if string(rest) != "PACK" {
		t.Errorf("rest = %q, want PACK", rest)
	}
}

func TestNextLine(t *testing.T) {
	for in, want := range map[string]string{"0006a\n": "a", "0005a": "a", "0006\n\n": "\n", "0004": "", "0005\n": ""} {
		_, got, err := NewReader(strings.NewReader(in)).NextLine()
		if err != nil || string(got) != want {
			t.Errorf("NextLine of %q = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestWriter(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	for _, err := range []error{w.Line("hello"), w.Data([]byte{0, 1}), w.Data(nil), w.Delim(), w.ResponseEnd(), w.Flush()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, want := b.String(), "000ahello\n0006\x00\x010004000100020000"; got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

func TestWriterLimit(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	if err := w.Data(make([]byte, MaxPayload)); err != nil {
		t.Errorf("a payload of MaxPayload: %v", err)
	}
	if err := w.Data(make([]byte, MaxPayload+1)); !errors.Is(err, ErrTooLong) {
		t.Errorf("Data over the limit: %v, want ErrTooLong", err)
	}
	if err := w.Line(strings.Repeat("x", MaxPayload)); !errors.Is(err, ErrTooLong) {
		t.Errorf("Line over the limit: %v, want ErrTooLong", err)
	}
	if got, want := b.Len(), MaxLen; got != want {
		t.Errorf("%d bytes written, want only the first packet's %d", got, want)
	}
}

// Nothing is allocated per packet once the buffers have grown.
func TestAllocations(t *testing.T) {
	in := strings.NewReader("")
	r := NewReader(in)
	w := NewWriter(io.Discard)
	payload := bytes.Repeat([]byte("x"), 300)
	packets := string(Append(Append(nil, payload), "y"))
	if err := w.Data(payload); err != nil {
		t.Fatal(err)
	}
	n := testing.AllocsPerRun(100, func() {
		in.Reset(packets)
		for range 2 {
			if _, p, err := r.Next(); err != nil || w.Data(p) != nil {
				t.Fatal(err)
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// Whatever is read is written back as it was, but for the case of the length.
func FuzzReader(f *testing.F) {
	for _, s := range []string{"", "0000", "0006a\n0001000200000004", "000Ahello\n", "fff0", "0003", "zzzz", "00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := readAll(bytes.NewReader(in))
		var b bytes.Buffer
		w := NewWriter(&b)
		for _, p := range got {
			write := map[Kind]func() error{
				Data: func() error { return w.Data([]byte(p.Payload)) }, Flush: w.Flush, Delim: w.Delim, ResponseEnd: w.ResponseEnd,
			}[p.Kind]
			if err := write(); err != nil {
				t.Fatal(err)
			}
		}
		if b.Len() > len(in) {
			t.Fatalf("%d bytes from %d", b.Len(), len(in))
		}
		if errors.Is(err, io.EOF) && b.Len() != len(in) {
			t.Errorf("a clean end after %d of %d bytes", b.Len(), len(in))
		}
		again, _ := readAll(&b)
		if diff := cmp.Diff(got, again); diff != "" {
			t.Errorf("read again (-first +second):\n%s", diff)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	packets := strings.Repeat(string(Append(nil, "0123456789012345678901234567890123456789 refs/heads/a-branch\n")), 1000)
	src := strings.NewReader(packets)
	r := NewReader(src)
	b.SetBytes(int64(len(packets)))
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(packets)
		for range 1000 {
			if _, _, err := r.Next(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkWriter(b *testing.B) {
	w := NewWriter(io.Discard)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Line("0123456789012345678901234567890123456789 refs/heads/a-branch"); err != nil {
			b.Fatal(err)
		}
	}
}
