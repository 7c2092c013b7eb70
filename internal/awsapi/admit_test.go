package awsapi

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithy "github.com/aws/smithy-go"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/share"
)

// taker sees whether the place is still taken when the answer is written.
type taker struct {
	http.ResponseWriter
	look func()
}

// Write looks.
func (w taker) Write(p []byte) (int, error) { w.look(); return w.ResponseWriter.Write(p) }

// TestAdmit: a call of a proven caller has a place until its answer was taken, in the name
// of the caller; where there is none the client learns that it may try again. Who is not
// proven never gets as far.
func TestAdmit(t *testing.T) {
	host, log := newHost(t, "secret")
	g := share.New(share.Options{What: "requests", Places: 4})
	handler := host.Config.Handler.(*Handler)
	handler.Admit = func(ctx context.Context, p authz.Principal) (context.Context, func(), error) {
		ctx = share.As(ctx, p.Owner())
		release, err := g.Take(ctx)
		return ctx, release, err
	}
	var held int64
	host.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(taker{w, func() { held = g.Stats().Held }}, r)
		if s := g.Stats(); s.Held > 1 {
			t.Errorf("after the answer: %+v", s)
		}
	})
	call := func() error {
		_, err := clientOf("sts", host.URL).(*sts.Client).GetCallerIdentity(t.Context(), nil, func(o *sts.Options) { o.RetryMaxAttempts = 1 })
		return err
	}
	if err := call(); err != nil || held != 1 {
		t.Errorf("%d places were taken while the answer was (%v)", held, err)
	}
	release, err := g.Take(share.As(t.Context(), log.entries[0].Account+"/"+log.entries[0].Account)) // root's
	if err != nil {
		t.Fatal(err)
	}
	if e, ok := errors.AsType[smithy.APIError](call()); !ok || e.ErrorCode() != "Throttling" {
		t.Errorf("got %v, want Throttling", e)
	}
	if n := len(log.entries); n != 1 {
		t.Errorf("%d decisions: a call without a place was decided", n)
	}
	release()
	if err := call(); err != nil {
		t.Error(err)
	}
	if s := g.Stats(); s.Held != 0 || s.OverOwn != 1 {
		t.Errorf("%+v", s)
	}
	handler.Verifier.Source = keys{"another"}
	if err := call(); err == nil || g.Stats().OverOwn+g.Stats().Held != 1 {
		t.Errorf("a caller who is not proven: %v, %+v", err, g.Stats())
	}
}
