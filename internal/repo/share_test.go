package repo_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/repo"
	"github.com/refward/refward/internal/share"
)

// TestShareOfPlaces: one who reads slowly what is too large to be kept, and one who sends
// slowly, hold a share of the processes. What they ask for beside that is refused before
// a byte of an answer is sent, whichever way it would be made, and others do not notice.
func TestShareOfPlaces(t *testing.T) {
	h := newHost(t, func(o *repo.Options) {
		git, err := gitcmd.Open(t.Context(), gitcmd.Options{Home: t.TempDir(), Sending: 4, Receiving: 4, Wait: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		o.Git, o.Answers = git, 1<<20
	})
	r := gittest.Init(t)
	tip := r.Commit("large", randomText(4<<20))
	data := r.Pack("master")
	h.push(t, data, master(tip))
	snap, want := h.snapshot(), "want "+tip.String()
	hog, other := share.As(t.Context(), "hog"), share.As(t.Context(), "other")

	begun, let := make(chan struct{}, 1), make(chan struct{})
	slow := &stuck{begun: begun, let: let}
	ended := make(chan error, 1)
	go func() {
		ended <- h.UploadPack(hog, snap, 2, strings.NewReader(fetchRequest("filter blob:limit=1g", want, "done")), slow)
	}()
	<-begun
	fetch := func(ctx context.Context, lines ...string) (string, error) {
		var out bytes.Buffer
		err := h.UploadPack(ctx, snap, 2, strings.NewReader(fetchRequest(lines...)), &out)
		return out.String(), err
	}
	for name, lines := range map[string][]string{
		"pack": {want, "done"}, "shallow": {want, "deepen 1", "done"}, "odd": {want, "nonsense", "done"},
	} {
		var busy *share.Busy
		if out, err := fetch(hog, lines...); !errors.As(err, &busy) || busy.Own != 1 || out != "" {
			t.Errorf("%s: %d bytes, %v", name, len(out), err)
		}
	}
	if out, err := fetch(other, want, "done"); err != nil || !strings.Contains(out, "PACK") {
		t.Errorf("another got %d bytes, %v", len(out), err)
	}

	in, send := io.Pipe()
	received := make(chan error, 1)
	go func() {
		_, err := h.Receive(hog, snap, in, []oid.ID{tip}, repo.Limits{}, nil)
		received <- err
	}()
	if _, err := send.Write(data[:1<<20]); err != nil { // more than is read ahead: git runs
		t.Fatal(err)
	}
	var busy *share.Busy
	if _, err := h.Receive(hog, snap, bytes.NewReader(data), []oid.ID{tip}, repo.Limits{}, nil); !errors.As(err, &busy) || busy.What != "pushes" {
		t.Errorf("a second push: %v", err)
	}
	taken, err := h.Receive(other, snap, bytes.NewReader(data), []oid.ID{tip}, repo.Limits{}, nil)
	if err != nil {
		t.Errorf("another's push: %v", err)
	} else {
		taken.Discard()
	}

	_ = send.CloseWithError(errors.New("gone"))
	if err := <-received; err == nil {
		t.Error("half a pack was taken")
	}
	close(let)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, c := range gitcmd.Classes() {
		if s := h.options.Git.Places(c).Stats(); s.Held+s.Waiting != 0 {
			t.Errorf("%v: %+v", c, s)
		}
	}
	if out, err := fetch(hog, want, "done"); err != nil || !strings.Contains(out, "PACK") {
		t.Errorf("the hog got %d bytes, %v", len(out), err)
	}
}
