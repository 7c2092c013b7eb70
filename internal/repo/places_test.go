package repo_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/repo"
)

// stuck is a client that takes nothing until it is let go.
type stuck struct {
	begun chan<- struct{}
	let   <-chan struct{}
	bytes.Buffer
}

// Write waits.
func (s *stuck) Write(p []byte) (int, error) {
	select {
	case s.begun <- struct{}{}:
	default:
	}
	<-s.let
	return s.Buffer.Write(p)
}

// TestNoPlaceWaitsForAClient: git has few places, and a client that sends or takes nothing
// holds none of them, whatever it asks for.
func TestNoPlaceWaitsForAClient(t *testing.T) {
	h := newHost(t, func(o *repo.Options) {
		git, err := gitcmd.Open(t.Context(), gitcmd.Options{Home: t.TempDir(), Sending: 1})
		if err != nil {
			t.Fatal(err)
		}
		o.Git = git
	})
	r := gittest.Init(t)
	tip := r.Commit("large", randomText(1<<20)) // more than any pipe holds
	h.push(t, r.Pack("master"), master(tip))
	snap := h.snapshot()
	want := "want " + tip.String()
	long := []string{want}
	for range 25_000 { // more than 1 MiB
		long = append(long, "have "+strings.Repeat("ab", 20))
	}
	odd := string(pktline.Append(nil, want+" side-band-64k\n")) + string(pktline.Append(nil, want+" ofs-delta\n")) + "00000009done\n"
	for name, tc := range map[string]struct {
		version int
		request string
	}{
		"kept":       {2, fetchRequest(want, "done")},
		"shallow":    {2, fetchRequest(want, "deepen 1", "done")},
		"long":       {2, fetchRequest(append(long, "done")...)},
		"odd":        {0, odd},
		"with parts": {0, string(pktline.Append(nil, want+"\n")) + "00000009done\n"},
	} {
		begun, let := make(chan struct{}, 1), make(chan struct{})
		slow := &stuck{begun: begun, let: let}
		ended := make(chan error, 1)
		go func() { ended <- h.UploadPack(t.Context(), snap, tc.version, strings.NewReader(tc.request), slow) }()
		<-begun
		// A second one sends half of its request, and then nothing.
		in, silent := io.Pipe()
		halfway := make(chan error, 1)
		go func() { halfway <- h.UploadPack(t.Context(), snap, 2, in, io.Discard) }()
		half := fetchRequest(long...)
		if _, err := io.WriteString(silent, half[:len(half)-100]); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err := h.UploadPack(t.Context(), snap, 2, strings.NewReader(fetchRequest("filter blob:limit="+"9"+strings.Repeat("0", len(name)), want, "done")), &out)
		if err != nil || !strings.Contains(out.String(), "PACK") {
			t.Errorf("beside %q: %d bytes (%v)", name, out.Len(), err)
		}
		close(let)
		if err := <-ended; err != nil || !strings.Contains(slow.String(), "PACK") {
			t.Errorf("%s: %d bytes (%v)", name, slow.Len(), err)
		}
		_ = silent.Close()
		if err := <-halfway; err == nil {
			t.Error("half a request was answered")
		}
	}
}
