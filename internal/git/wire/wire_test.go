package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/refname"
)

// id returns an object ID that is one byte, repeated.
func id(b byte) oid.ID {
	var id oid.ID
	for i := range id {
		id[i] = b
	}
	return id
}

// hex is id as text.
func hex(b byte) string { return id(b).String() }

func reader(text string) *pktline.Reader { return pktline.NewReader(strings.NewReader(text)) }

// packets makes data packets of the lines and a flush packet.
func packets(lines ...string) string {
	var b []byte
	for _, l := range lines {
		if l == "0001" {
			b = pktline.AppendDelim(b)
			continue
		}
		b = pktline.Append(b, l)
	}
	return string(pktline.AppendFlush(b))
}

func TestCapabilities(t *testing.T) {
	c := ParseCapabilities(" report-status  agent=git/2.39 empty= symref=HEAD:refs/heads/main symref=x:y")
	if !c.Has("report-status") || !c.Has("agent") || !c.Has("empty") || c.Has("report") || c.Has("git/2.39") {
		t.Errorf("Has is wrong for %q", c)
	}
	if got := c.Value("symref"); got != "HEAD:refs/heads/main" {
		t.Errorf("symref = %q", got)
	}
	if got := c.Value("report-status") + c.Value("none") + c.Value("empty"); got != "" {
		t.Errorf("values where there are none: %q", got)
	}
}

func TestAdvertisement(t *testing.T) {
	refs := []Ref{
		{Name: HEAD, OID: id(1)}, {Name: "refs/heads/main", OID: id(1)}, {Name: "refs/tags/v1", OID: id(2), Peeled: id(1)},
	}
	tests := []struct {
		name    string
		version int
		refs    []Ref
		want    string
	}{
		{"refs", 0, refs, packets(hex(1)+" HEAD\x00a b=c\n", hex(1)+" refs/heads/main\n", hex(2)+" refs/tags/v1\n", hex(1)+" refs/tags/v1^{}\n")},
		{"version 1", 1, refs[:1], packets("version 1\n", hex(1)+" HEAD\x00a b=c\n")},
		{"empty repository", 0, nil, packets(hex(0) + " capabilities^{}\x00a b=c\n")},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var b bytes.Buffer
			a := &Advertisement{Version: tc.version, Capabilities: Capabilities{"a", "b=c"}, Refs: slices.Values(tc.refs)}
			if err := a.Encode(&b); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, b.String()); diff != "" {
				t.Errorf("encoded (-want +got):\n%s", diff)
			}
			version, got, caps, err := DecodeAdvertisement(pktline.NewReader(&b))
			if err != nil || version != tc.version || caps.String() != "a b=c" {
				t.Errorf("decoded version %d, capabilities %q, %v", version, caps, err)
			}
			if diff := cmp.Diff(tc.refs, got); diff != "" {
				t.Errorf("decoded (-want +got):\n%s", diff)
			}
		})
	}
}

// A long advertisement is written in parts, and stays whole.
func TestAdvertisementLong(t *testing.T) {
	refs := manyRefs(5000)
	var b bytes.Buffer
	if err := (&Advertisement{Refs: slices.Values(refs)}).Encode(&b); err != nil {
		t.Fatal(err)
	}
	_, got, _, err := DecodeAdvertisement(pktline.NewReader(&b))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(refs, got); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
}

func manyRefs(n int) []Ref {
	refs := make([]Ref, n)
	for i := range refs {
		refs[i] = Ref{Name: refname.Name(fmt.Sprintf("refs/heads/feature/branch-%06d", i)), OID: id(byte(i%255 + 1))}
	}
	return refs
}

func TestV2Capabilities(t *testing.T) {
	var b bytes.Buffer
	caps := Capabilities{"agent=x", "fetch=shallow filter"}
	if err := EncodeV2Capabilities(&b, caps); err != nil {
		t.Fatal(err)
	}
	if want := packets("version 2\n", "agent=x\n", "fetch=shallow filter\n"); b.String() != want {
		t.Errorf("encoded %q, want %q", b.String(), want)
	}
	got, err := DecodeV2Capabilities(pktline.NewReader(&b))
	if diff := cmp.Diff(caps, got); err != nil || diff != "" {
		t.Errorf("decoded: %v\n%s", err, diff)
	}
	for _, bad := range []string{"", "0000", packets("version 1\n"), "0001"} {
		if _, err := DecodeV2Capabilities(reader(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestRequestHeader(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want *RequestHeader
		err  error
	}{
		{"command alone", packets("command=ls-refs\n"), &RequestHeader{Command: "ls-refs"}, nil},
		{
			"arguments", packets("command=fetch", "agent=git/2.39.5", "object-format=sha1", "0001"),
			&RequestHeader{Command: "fetch", Capabilities: Capabilities{"agent=git/2.39.5", "object-format=sha1"}, Arguments: true}, nil,
		},
		{"capability first", packets("agent=x", "command=fetch"), &RequestHeader{Command: "fetch", Capabilities: Capabilities{"agent=x"}}, nil},
		{"nothing", "", nil, io.EOF},
		{"probe", "0000", nil, io.EOF},
		{"no command", packets("agent=x"), nil, ErrSyntax},
		{"delimiter only", "0001", nil, ErrSyntax},
		{"two commands", packets("command=fetch", "command=ls-refs"), nil, ErrSyntax},
		{"response end", "0002", nil, ErrSyntax},
		{"cut", "0014command=ls-refs\n", nil, io.ErrUnexpectedEOF},
		{"too long", packets(slices.Repeat([]string{"server-option=" + strings.Repeat("x", 1000)}, 100)...), nil, ErrTooMuch},
		{"too many", packets(slices.Repeat([]string{""}, 10000)...), nil, ErrTooMuch},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := DecodeRequestHeader(reader(tc.in))
			if !errors.Is(err, tc.err) {
				t.Fatalf("error %v, want %v", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeLsRefs(t *testing.T) {
	many := slices.Repeat([]string{"ref-prefix refs/heads/x\n"}, maxPrefixes+1)
	long := slices.Repeat([]string{"ref-prefix " + strings.Repeat("y", 60000)}, maxPrefixBytes/60000+1)
	tests := []struct {
		name string
		in   string
		want *LsRefs
		err  error
	}{
		{"none", packets(), &LsRefs{}, nil},
		{
			"all", packets("peel\n", "symrefs", "unborn\n", "ref-prefix HEAD\n", "ref-prefix refs/tags/"),
			&LsRefs{Peel: true, Symrefs: true, Unborn: true, Prefixes: []string{"HEAD", "refs/tags/"}}, nil,
		},
		{"too many prefixes: all refs", packets(many...), &LsRefs{}, nil},
		{"too long prefixes: all refs", packets(append(long, "ref-prefix a")...), &LsRefs{}, nil},
		{"unknown", packets("ref-suffix x"), nil, ErrSyntax},
		{"delimiter", packets("peel", "0001"), nil, ErrSyntax},
		{"cut", "0008peel", nil, io.ErrUnexpectedEOF},
		{"endless", strings.Repeat("0008peel", maxLsRefsPacket+1), nil, ErrTooMuch},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := DecodeLsRefs(reader(tc.in))
			if !errors.Is(err, tc.err) {
				t.Fatalf("error %v, want %v", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDisjointPrefixes(t *testing.T) {
	q := LsRefs{Prefixes: []string{"refs/tags/", "refs/heads/main", "HEAD", "refs/heads/", "refs/tags/v1", "refs/heads/", "refs/headsx"}}
	want := []string{"HEAD", "refs/heads/", "refs/headsx", "refs/tags/"}
	if diff := cmp.Diff(want, q.DisjointPrefixes()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !q.Matches("refs/heads/x") || q.Matches("refs/notes/x") || !q.Matches(HEAD) || !(&LsRefs{}).Matches("refs/notes/x") {
		t.Error("Matches is wrong")
	}
	if got := (&LsRefs{Prefixes: []string{"refs/", ""}}).DisjointPrefixes(); len(got) != 1 || got[0] != "" {
		t.Errorf("with the empty prefix: %q", got)
	}
}

func TestEncodeRefs(t *testing.T) {
	refs := []Ref{
		{Name: HEAD, OID: id(1), Symref: "refs/heads/main"}, {Name: "refs/heads/main", OID: id(1)}, {Name: "refs/tags/v1", OID: id(2), Peeled: id(1)},
	}
	tests := []struct {
		name string
		q    LsRefs
		refs []Ref
		want string
	}{
		{
			"all attributes", LsRefs{Peel: true, Symrefs: true}, refs,
			packets(hex(1)+" HEAD symref-target:refs/heads/main\n", hex(1)+" refs/heads/main\n", hex(2)+" refs/tags/v1 peeled:"+hex(1)+"\n"),
		},
		{"no attributes", LsRefs{}, refs[1:], packets(hex(1)+" refs/heads/main\n", hex(2)+" refs/tags/v1\n")},
		{"unborn", LsRefs{Symrefs: true}, []Ref{{Name: HEAD, Symref: "refs/heads/main"}}, packets("unborn HEAD symref-target:refs/heads/main\n")},
		{"nothing", LsRefs{}, nil, "0000"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := tc.q.EncodeRefs(&b, slices.Values(tc.refs)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, b.String()); diff != "" {
				t.Errorf("encoded (-want +got):\n%s", diff)
			}
			got, err := DecodeRefs(pktline.NewReader(&b))
			if err != nil {
				t.Fatal(err)
			}
			if tc.q.Peel || len(tc.refs) < 2 {
				if diff := cmp.Diff(tc.refs, got); diff != "" {
					t.Errorf("decoded (-want +got):\n%s", diff)
				}
			}
		})
	}
}

var testLimits = PushLimits{Commands: 3, Shallow: 2, Bytes: 2000, Options: 2, OptionBytes: 10}

func TestDecodePush(t *testing.T) {
	create, remove := hex(0)+" "+hex(1)+" refs/heads/a", hex(1)+" "+hex(0)+" refs/heads/b"
	tests := []struct {
		name string
		in   string
		want *Push
		err  error
	}{
		{
			"two commands", packets(create+"\x00 report-status atomic agent=x\n", remove+"\n"),
			&Push{
				Commands:     []Command{{New: id(1), Ref: "refs/heads/a"}, {Old: id(1), Ref: "refs/heads/b"}},
				Capabilities: Capabilities{"report-status", "atomic", "agent=x"},
				HasPack:      true,
			}, nil,
		},
		{
			"shallow", packets("shallow "+hex(7), create+"\x00"),
			&Push{Commands: []Command{{New: id(1), Ref: "refs/heads/a"}}, Capabilities: Capabilities{}, Shallow: []oid.ID{id(7)}, HasPack: true}, nil,
		},
		{
			"options", packets(create+"\x00push-options") + packets("a=b", "c\n"),
			&Push{Commands: []Command{{New: id(1), Ref: "refs/heads/a"}}, Capabilities: Capabilities{"push-options"}, Options: []string{"a=b", "c"}, HasPack: true}, nil,
		},
		{"any text is a name", packets(hex(0) + " " + hex(1) + " what ever\x00"), &Push{Commands: []Command{{New: id(1), Ref: "what ever"}}, Capabilities: Capabilities{}, HasPack: true}, nil},
		{"deletion", packets(remove + "\x00a"), &Push{Commands: []Command{{Old: id(1), Ref: "refs/heads/b"}}, Capabilities: Capabilities{"a"}}, nil},
		{"probe", "0000", &Push{}, nil},
		{"nothing", "", &Push{}, nil},
		{"push certificate", packets("push-cert\x00a", "certificate version 0.1"), nil, ErrPushCert},
		{"too many commands", packets(create+"\x00", create, create, create), nil, ErrTooManyCommands},
		{"too many commands, and more wrong", packets(create+"\x00push-options", create, create, create), nil, io.ErrUnexpectedEOF},
		{"too many shallow lines", packets("shallow "+hex(1), "shallow "+hex(1), "shallow "+hex(1)), nil, ErrTooMuch},
		{"too many bytes", packets(create + strings.Repeat("x", 2000)), nil, ErrTooMuch},
		{"too many options", packets(create+"\x00push-options") + packets("a", "b", "c"), nil, ErrTooMuch},
		{"long option", packets(create+"\x00push-options") + packets("0123456789a"), nil, ErrTooMuch},
		{"option with a newline", packets(create+"\x00push-options") + packets("a\nb"), nil, ErrSyntax},
		{"options missing", packets(create + "\x00push-options"), nil, io.ErrUnexpectedEOF},
		{"cut", strings.TrimSuffix(packets(create), "0000"), nil, io.ErrUnexpectedEOF},
		{"delimiter", packets(create, "0001"), nil, ErrSyntax},
		{"second NUL", packets(create + "\x00a\x00b"), &Push{Commands: []Command{{New: id(1), Ref: "refs/heads/a"}}, Capabilities: Capabilities{"a\x00b"}, HasPack: true}, nil},
		{"NUL in a later command", packets(create+"\x00", create+"\x00x"), nil, ErrSyntax},
		{"no name", packets(hex(0) + " " + hex(1) + " "), nil, ErrSyntax},
		{"short ID", packets(hex(0)[1:] + " " + hex(1) + " refs/heads/a"), nil, ErrSyntax},
		{"upper-case ID", packets(strings.Repeat("A", 40) + " " + hex(1) + " refs/heads/a"), nil, ErrSyntax},
		{"SHA-256", packets(strings.Repeat("0", 64) + " " + strings.Repeat("1", 64) + " refs/heads/a"), nil, ErrSyntax},
		{"empty line", packets(""), nil, ErrSyntax},
		{"a pack", "PACK\x00\x00\x00\x02", nil, pktline.ErrSyntax},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := DecodePush(reader(tc.in), testLimits)
			if !errors.Is(err, tc.err) {
				t.Fatalf("error %v, want %v", err, tc.err)
			}
			if tc.err != nil {
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReport(t *testing.T) {
	rep := Report{Unpack: "ok", Results: []Result{{Ref: "refs/heads/a"}, {Ref: "refs/heads/b", Reason: "denied\nby policy"}}}
	b := rep.Append(nil)
	if want := packets("unpack ok\n", "ok refs/heads/a\n", "ng refs/heads/b denied by policy\n"); string(b) != want {
		t.Errorf("encoded %q, want %q", b, want)
	}
	rep.Results[1].Reason = "denied by policy"
	got, err := DecodeReport(reader(string(b)))
	if diff := cmp.Diff(&rep, got); err != nil || diff != "" {
		t.Errorf("decoded: %v\n%s", err, diff)
	}
	for _, bad := range []string{"", "0000", packets("ok refs/heads/a"), packets("unpack ok", "ng refs/heads/a"), packets("unpack ok", "maybe x"), packets("unpack ok", "unpack ok")} {
		if _, err := DecodeReport(reader(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// A client's ref name is repeated in the report, whatever its length.
func TestReportLongName(t *testing.T) {
	long := refname.Name(strings.Repeat("x", pktline.MaxPayload))
	rep := Report{Unpack: "ok", Results: []Result{{Ref: long, Reason: string(long)}}}
	if _, err := DecodeReport(reader(string(rep.Append(nil)))); err != nil {
		t.Error(err)
	}
}

func TestSideBand(t *testing.T) {
	var b, data, progress bytes.Buffer
	m := NewMux(&b)
	long := strings.Repeat("0123456789", 20000)
	for band, text := range map[Band]string{BandData: long, BandProgress: "half\n"} {
		if n, err := io.WriteString(m.Band(band), text); n != len(text) || err != nil {
			t.Fatalf("wrote %d of %d: %v", n, len(text), err)
		}
	}
	if err := errors.Join(m.KeepAlive(), m.Close()); err != nil {
		t.Fatal(err)
	}
	if err := Demux(pktline.NewReader(&b), &data, &progress); err != nil {
		t.Fatal(err)
	}
	if data.String() != long || progress.String() != "half\n" {
		t.Errorf("got %d bytes of data and progress %q", data.Len(), progress.String())
	}
	if err := Demux(reader(packets("\x03gone wrong")), &data, &progress); err == nil || err.Error() != "gone wrong" {
		t.Errorf("band 3: %v", err)
	}
	for _, bad := range []string{"", "0004", packets("\x04x"), "0001"} {
		if err := Demux(reader(bad), io.Discard, io.Discard); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestFetch(t *testing.T) {
	v0 := packets("want "+hex(1)+" multi_ack side-band-64k agent=x\n", "want "+hex(2)+"\n", "shallow "+hex(3), "deepen 1") + packets("have "+hex(4)+"\n", "done\n")
	v2 := packets("thin-pack", "ofs-delta", "no-progress", "include-tag", "wait-for-done", "filter blob:none", "deepen-since 1", "deepen-not refs/heads/x", "deepen-relative", "want "+hex(1)+"\n", "done\n")
	tests := []struct {
		name    string
		version int
		in      string
		want    string
		err     error
	}{
		{"version 0", 0, v0, v0, nil},
		{"version 2", 2, v2 + "more", v2, nil},
		{"version 2 cut", 2, strings.TrimSuffix(v2, "0000"), "", io.ErrUnexpectedEOF},
		{"have before want", 0, packets("have " + hex(1)), "", ErrSyntax},
		{"want after the flush packet", 0, packets("want "+hex(1)) + packets("want "+hex(1)), "", ErrSyntax},
		{"version 0 cut", 0, strings.TrimSuffix(packets("want "+hex(1)), "0000"), "", io.ErrUnexpectedEOF},
		{"unknown line", 2, packets("want-ref refs/heads/x"), "", ErrSyntax},
		{"bad want", 0, packets("want " + hex(1)[1:]), "", ErrSyntax},
		{"have with more", 0, packets("have " + hex(1) + " x"), "", ErrSyntax},
		{"NUL", 0, packets("want " + hex(1) + " a\x00b"), "", ErrSyntax},
		{"empty line", 2, packets(""), "", ErrSyntax},
		{"empty value", 2, packets("filter "), "", ErrSyntax},
		{"delimiter", 2, "0001", "", ErrSyntax},
		{"not packets", 0, "GET / HTTP/1.1", "", pktline.ErrSyntax},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			f := NewFetch(reader(tc.in), tc.version)
			got, err := io.ReadAll(f)
			if !errors.Is(err, tc.err) || !errors.Is(f.Err(), tc.err) {
				t.Fatalf("error %v and %v, want %v", err, f.Err(), tc.err)
			}
			if tc.err == nil && string(got) != tc.want {
				t.Errorf("passed on %q, want %q", got, tc.want)
			}
		})
	}
}
