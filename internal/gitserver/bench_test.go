package gitserver

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/repo"
)

// still is a host whose refs do not change and where every push is denied: what is
// measured is the door.
type still struct {
	service
	snap *repo.Snapshot
}

func (s still) pull(context.Context, authz.Caller, string) (*repo.Snapshot, error) {
	return s.snap, nil
}

func (s still) advertisePush(context.Context, authz.Caller, string) (*repo.Snapshot, error) {
	return s.snap, nil
}

func (s still) push(_ context.Context, _ authz.Caller, in *codecommit.GitPushInput) (*codecommit.GitPushOutput, error) {
	out := &codecommit.GitPushOutput{Unpack: "ok"}
	for _, c := range in.Commands {
		out.Results = append(out.Results, codecommit.RefResult{Ref: c.Ref, Reason: "denied", Remote: []string{"Policy DenyMaster, statement 1"}})
	}
	return out, nil
}

// uploadPack takes the request and has nothing to answer.
func (s still) uploadPack(_ context.Context, _ *repo.Snapshot, _ int, in io.Reader, _ io.Writer) error {
	_, err := io.Copy(io.Discard, in)
	return err
}

func snapshotOf(n int) *repo.Snapshot {
	s := &repo.Snapshot{Head: "refs/heads/branch-000000"}
	var refs []repo.Ref
	for i := range n {
		refs = append(refs, repo.Ref{Name: refname.Name(fmt.Sprintf("refs/heads/branch-%06d", i)), OID: [20]byte{1, byte(i)}})
	}
	s.Refs = repo.NewRefs(refs)
	return s
}

// sink is the cheapest http.ResponseWriter.
type sink struct{ h http.Header }

func (s sink) Header() http.Header         { return s.h }
func (s sink) Write(p []byte) (int, error) { return len(p), nil }
func (s sink) WriteHeader(int)             {}
func (s sink) Flush()                      {}

func benchmark(b *testing.B, snap *repo.Snapshot, path, version, body string) {
	d := newDoor(b, Limits{})
	h := d.Config.Handler.(*Handler)
	h.service = still{snap: snap}
	r := d.request(b, "POST", path, nil, "Git-Protocol", version)
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(strings.NewReader(body))
		h.ServeHTTP(sink{http.Header{}}, r)
	}
}

func BenchmarkLsRefs(b *testing.B) {
	header := string((&wire.RequestHeader{Command: "ls-refs", Arguments: true}).Append(nil))
	all := header + string((&wire.LsRefs{Peel: true, Symrefs: true, Prefixes: []string{"HEAD", "refs/heads/", "refs/tags/"}}).Append(nil))
	one := header + string((&wire.LsRefs{Peel: true, Symrefs: true, Prefixes: []string{"refs/heads/branch-000007"}}).Append(nil))
	for _, n := range []int{10, 20000} {
		snap := snapshotOf(n)
		b.Run(fmt.Sprintf("all of %d", n), func(b *testing.B) { benchmark(b, snap, root+"app/"+uploadPack, "version=2", all) })
		b.Run(fmt.Sprintf("one of %d", n), func(b *testing.B) { benchmark(b, snap, root+"app/"+uploadPack, "version=2", one) })
	}
}

func BenchmarkDeniedPush(b *testing.B) {
	p := wire.Push{Capabilities: wire.ParseCapabilities("report-status side-band-64k agent=git/2.39.5")}
	p.Commands = []wire.Command{{Ref: "refs/heads/master", Old: [20]byte{1}, New: [20]byte{2}}}
	head := string(p.Append(nil))
	for _, size := range []int{1 << 10, 10 << 20} {
		body := head + strings.Repeat("x", size)
		b.Run(fmt.Sprintf("pack of %d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			benchmark(b, snapshotOf(10), root+"app/"+receivePack, "version=0", body)
		})
	}
}
