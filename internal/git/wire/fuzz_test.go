package wire

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/git/pktline"
)

func FuzzDecodeAdvertisement(f *testing.F) {
	f.Add([]byte(packets(hex(1)+" HEAD\x00a b=c\n", hex(2)+" refs/tags/v1\n", hex(1)+" refs/tags/v1^{}\n")))
	f.Add([]byte(packets("version 1\n", hex(0)+" capabilities^{}\x00a\n")))
	f.Fuzz(func(t *testing.T, in []byte) {
		version, refs, caps, err := DecodeAdvertisement(pktline.NewReader(bytes.NewReader(in)))
		if err != nil {
			return
		}
		var b bytes.Buffer
		a := Advertisement{Version: version, Capabilities: caps, Refs: slices.Values(refs)}
		if err := a.Encode(&b); err != nil {
			t.Fatal(err)
		}
		_, again, _, err := DecodeAdvertisement(pktline.NewReader(&b))
		if diff := cmp.Diff(refs, again); err != nil || diff != "" {
			t.Errorf("decoded again: %v\n%s", err, diff)
		}
	})
}

func FuzzDecodeV2Capabilities(f *testing.F) {
	f.Add([]byte(packets("version 2\n", "agent=x\n")))
	f.Fuzz(func(t *testing.T, in []byte) {
		caps, err := DecodeV2Capabilities(pktline.NewReader(bytes.NewReader(in)))
		if err == nil && len(in) < 9 {
			t.Errorf("%q from %q", caps, in)
		}
	})
}

func FuzzDecodeRequestHeader(f *testing.F) {
	f.Add([]byte(packets("command=ls-refs\n", "agent=x", "0001")))
	f.Add([]byte(packets("command=fetch")))
	f.Fuzz(func(t *testing.T, in []byte) {
		h, err := DecodeRequestHeader(pktline.NewReader(bytes.NewReader(in)))
		if err != nil {
			return
		}
		again, err := DecodeRequestHeader(pktline.NewReader(bytes.NewReader(h.Append(nil))))
		if diff := cmp.Diff(h, again); err != nil || diff != "" {
			t.Errorf("decoded again: %v\n%s", err, diff)
		}
	})
}

func FuzzDecodeLsRefs(f *testing.F) {
	f.Add([]byte(packets("peel\n", "symrefs", "unborn\n", "ref-prefix HEAD\n", "ref-prefix refs/tags/")))
	f.Fuzz(func(t *testing.T, in []byte) {
		q, err := DecodeLsRefs(pktline.NewReader(bytes.NewReader(in)))
		if err != nil {
			return
		}
		again, err := DecodeLsRefs(pktline.NewReader(bytes.NewReader(q.Append(nil))))
		if diff := cmp.Diff(q, again); err != nil || diff != "" {
			t.Errorf("decoded again: %v\n%s", err, diff)
		}
		if d := q.DisjointPrefixes(); len(d) > len(q.Prefixes) || !slices.IsSorted(d) {
			t.Errorf("disjoint prefixes %q of %q", d, q.Prefixes)
		}
	})
}

func FuzzDecodeObjectInfo(f *testing.F) {
	f.Add([]byte(packets("size\n", "oid "+hex(1)+"\n", "oid "+hex(2))))
	f.Fuzz(func(t *testing.T, in []byte) {
		q, err := DecodeObjectInfo(pktline.NewReader(bytes.NewReader(in)))
		if err != nil {
			return
		}
		if len(q.IDs) > maxObjectInfo || len(q.IDs)*44 > len(in) {
			t.Errorf("%d IDs from %d bytes", len(q.IDs), len(in))
		}
	})
}

func FuzzDecodeRefs(f *testing.F) {
	f.Add([]byte(packets(hex(1)+" HEAD symref-target:refs/heads/main\n", hex(2)+" refs/tags/v1 peeled:"+hex(1)+"\n")))
	f.Add([]byte(packets("unborn HEAD symref-target:refs/heads/main\n")))
	f.Fuzz(func(t *testing.T, in []byte) {
		refs, err := DecodeRefs(pktline.NewReader(bytes.NewReader(in)))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := (&LsRefs{Peel: true, Symrefs: true}).EncodeRefs(&b, slices.Values(refs)); err != nil {
			t.Fatal(err)
		}
		again, err := DecodeRefs(pktline.NewReader(&b))
		if diff := cmp.Diff(refs, again); err != nil || diff != "" {
			t.Errorf("decoded again: %v\n%s", err, diff)
		}
	})
}

func FuzzDecodePush(f *testing.F) {
	create := hex(0) + " " + hex(1) + " refs/heads/a"
	f.Add([]byte(packets(create+"\x00 report-status push-options\n", hex(1)+" "+hex(0)+" refs/heads/b\n") + packets("o")))
	f.Add([]byte(packets("shallow "+hex(7), create+"\x00")))
	f.Add([]byte(packets("push-cert\x00a")))
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := DecodePush(pktline.NewReader(bytes.NewReader(in)), testLimits)
		if len(p.Commands) > testLimits.Commands || len(p.Shallow) > testLimits.Shallow || len(p.Options) > testLimits.Options {
			t.Fatalf("over the limits: %+v", p)
		}
		if err != nil {
			return
		}
		again, err := DecodePush(pktline.NewReader(bytes.NewReader(p.Append(nil))), PushLimits{4, 4, 1 << 20, 4, 1 << 10})
		if err != nil {
			t.Fatalf("decode again: %v", err)
		}
		if diff := cmp.Diff(p.Commands, again.Commands); diff != "" {
			t.Errorf("decoded again (-first +second):\n%s", diff)
		}
	})
}

func FuzzDecodeReport(f *testing.F) {
	f.Add([]byte(packets("unpack ok\n", "ok refs/heads/a\n", "ng refs/heads/b denied\n", "option refname x")))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := DecodeReport(pktline.NewReader(bytes.NewReader(in)))
		if err != nil {
			return
		}
		again, err := DecodeReport(pktline.NewReader(bytes.NewReader(r.Append(nil))))
		if err != nil || len(again.Results) != len(r.Results) {
			t.Errorf("decoded again: %v, %+v, first %+v", err, again, r)
		}
	})
}

func FuzzDemux(f *testing.F) {
	f.Add([]byte(packets("\x01data", "\x02progress\n")))
	f.Add([]byte(packets("\x03error")))
	f.Fuzz(func(t *testing.T, in []byte) {
		var data, progress bytes.Buffer
		_ = Demux(pktline.NewReader(bytes.NewReader(in)), &data, &progress)
		if data.Len()+progress.Len() > len(in) {
			t.Errorf("%d bytes from %d", data.Len()+progress.Len(), len(in))
		}
	})
}

// What is passed on are packets again, whole ones, in the order they came.
func FuzzFetch(f *testing.F) {
	f.Add([]byte(packets("want "+hex(1)+" ofs-delta\n")+packets("have "+hex(2), "done")), 0)
	f.Add([]byte(packets("filter blob:none", "want "+hex(1), "done")), 2)
	f.Fuzz(func(t *testing.T, in []byte, version int) {
		r := NewFetch(pktline.NewReader(bytes.NewReader(in)), version)
		got, err := io.ReadAll(r)
		if len(got) > len(in) {
			t.Fatalf("%d bytes from %d", len(got), len(in))
		}
		if err != nil {
			return
		}
		again, err := io.ReadAll(NewFetch(pktline.NewReader(bytes.NewReader(got)), version))
		if err != nil || !bytes.Equal(got, again) {
			t.Errorf("%q becomes %q: %v", got, again, err)
		}
	})
}
