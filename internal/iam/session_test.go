package iam_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/iam"
	"github.com/refward/refward/internal/secret"
)

func issue(t testing.TB, h *host, c authz.Caller, lifetime time.Duration) iam.Session {
	t.Helper()
	made, err := h.service.IssueSession(t.Context(), c, lifetime)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// prove presents temporary credentials.
func prove(t testing.TB, h *host, s iam.Session) (authn.SigningKey, error) {
	t.Helper()
	return h.service.SessionKey(t.Context(), s.AccessKeyID, s.Token.Reveal())
}

// at moves the clock of the host.
func (h *host) at(when time.Time) { h.service.Now = func() time.Time { return when } }

func TestSession(t *testing.T) {
	h := newHost(t)
	alice := user(t, h, "alice")
	made := issue(t, h, alice, time.Hour)
	if !strings.HasPrefix(made.AccessKeyID, "ASIA") || len(made.AccessKeyID) != 20 || len(made.Secret.Reveal()) != 40 || !made.Expires.Equal(testNow.Add(time.Hour)) {
		t.Errorf("made %s until %v", made.AccessKeyID, made.Expires)
	}
	if token := made.Token.Reveal(); len(token) > 400 || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("the token has %d characters: %s", len(token), token)
	}
	got, err := prove(t, h, made)
	want := alice.Principal
	want.Session = authz.Session{Issued: testNow}
	if err != nil || got.Secret != made.Secret.Reveal() || got.Identity.Principal != want || got.Identity.Credential != (authz.Credential{Kind: "session", ID: made.AccessKeyID}) {
		t.Errorf("it proves %+v, %v", got.Identity, err)
	}
	if _, err := h.service.SigningKey(t.Context(), made.AccessKeyID); !errors.Is(err, authn.ErrUnknown) {
		t.Errorf("without its token: %v", err)
	}
	// What the user is called is read anew; who it is stays.
	setUp(t, h, &api.UpdateUserInput{UserName: aws.String("alice"), NewUserName: aws.String("al")})
	if got, err := prove(t, h, made); err != nil || got.Identity.Principal.Name != "al" || got.Identity.Principal.UserID != want.UserID {
		t.Errorf("after a rename it proves %+v, %v", got.Identity, err)
	}
}

func TestSessionExpires(t *testing.T) {
	h := newHost(t)
	made := issue(t, h, user(t, h, "alice"), 15*time.Minute)
	for after, want := range map[time.Duration]error{
		0: nil, 15*time.Minute - 1: nil, 15 * time.Minute: authn.ErrExpired, 16 * time.Minute: authn.ErrExpired, 10_000 * time.Hour: authn.ErrExpired,
	} {
		h.at(testNow.Add(after))
		if _, err := prove(t, h, made); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("after %v: %v, want %v", after, err, want)
		}
	}
}

// A session ends with the access key that it was made with, and with its user, on the
// very next request; another key of the same user does not matter.
func TestSessionEnds(t *testing.T) {
	h := newHost(t)
	name := aws.String("alice")
	alice := user(t, h, "alice")
	id := aws.String(alice.Credential.ID)
	other := h.by(t, *run[api.CreateAccessKeyOutput](t, h, h.root(), &api.CreateAccessKeyInput{UserName: name}).AccessKey.AccessKeyId)
	made, others := issue(t, h, alice, time.Hour), issue(t, h, other, time.Hour)
	state := func(what string, want error) {
		t.Helper()
		if _, err := prove(t, h, made); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
		if _, err := prove(t, h, others); err != nil {
			t.Errorf("%s: the session of another key: %v", what, err)
		}
	}
	state("new", nil)
	setUp(t, h, &api.UpdateAccessKeyInput{UserName: name, AccessKeyId: id, Status: "Inactive"})
	state("its key is inactive", authn.ErrUnknown)
	if _, err := h.service.IssueSession(t.Context(), alice, time.Hour); !fault.Has(err, fault.InvalidClientTokenID) {
		t.Errorf("a session of an inactive key: %v", err)
	}
	setUp(t, h, &api.UpdateAccessKeyInput{UserName: name, AccessKeyId: id, Status: "Active"})
	state("its key is active again", nil)
	setUp(t, h, &api.DeleteAccessKeyInput{UserName: name, AccessKeyId: id})
	state("its key is deleted", authn.ErrUnknown)

	setUp(t, h, &api.DeleteAccessKeyInput{UserName: name, AccessKeyId: aws.String(other.Credential.ID)}, &api.DeleteUserInput{UserName: name})
	if _, err := prove(t, h, others); !errors.Is(err, authn.ErrUnknown) {
		t.Errorf("the user is deleted: %v", err)
	}
}

// Whoever takes the account back by giving root's key another secret ends the sessions
// that were made with the old one.
func TestSessionOfRoot(t *testing.T) {
	h := newHost(t)
	long := "AKIA" + strings.Repeat("X", 124) // the longest ID that can be given
	if _, err := h.service.EnsureRoot(t.Context(), long, secretText("old")); err != nil {
		t.Fatal(err)
	}
	made := issue(t, h, h.by(t, long), time.Hour)
	got, err := prove(t, h, made)
	if p := got.Identity.Principal; err != nil || p.Kind != authz.Root || p.UserID != account || !p.Session.Temporary() {
		t.Errorf("it proves %+v, %v", p, err)
	}
	if _, err := h.service.EnsureRoot(t.Context(), long, secretText("new")); err != nil {
		t.Fatal(err)
	}
	if _, err := prove(t, h, made); !errors.Is(err, authn.ErrUnknown) {
		t.Errorf("with another secret: %v", err)
	}
}

// Only an access key makes sessions: no session makes another, and no Git credential.
func TestWhoCannotIssue(t *testing.T) {
	h := newHost(t)
	alice := user(t, h, "alice")
	session, git, none, other := alice, alice, alice, alice
	session.Principal.Session = authz.Session{Issued: testNow}
	git.Credential.Kind = "service-specific"
	none.Credential = authz.Credential{}
	other.Principal.UserID = "AIDAOTHER"
	for name, c := range map[string]authz.Caller{"a session": session, "a Git credential": git, "nothing": none, "another user": other} {
		if made, err := h.service.IssueSession(t.Context(), c, time.Hour); err == nil || made != (iam.Session{}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A token is good beside its own access key ID, in its own account, under the master key
// it was made under, and unchanged to the last bit.
func TestTokenIsTheHosts(t *testing.T) {
	h := newHost(t)
	alice := user(t, h, "alice")
	made, other := issue(t, h, alice, time.Hour), issue(t, h, alice, time.Hour)
	refused := func(what, keyID, token string) {
		t.Helper()
		if k, err := h.service.SessionKey(t.Context(), keyID, token); !errors.Is(err, authn.ErrUnknown) || k != (authn.SigningKey{}) {
			t.Errorf("%s: got %v, want ErrUnknown", what, err)
		}
	}
	id, token := made.AccessKeyID, made.Token.Reveal()
	refused("another session's ID", other.AccessKeyID, token)
	refused("the ID of the access key", alice.Credential.ID, token)
	refused("no ID", "", token)
	refused("no token", id, "")
	refused("twice the token", id, token+token)
	refused("padding", id, token+"=")
	refused("a line break", id, token[:10]+"\n"+token[10:])
	refused("a long text", id, strings.Repeat("A", 1<<20))
	for i := range token {
		refused(fmt.Sprintf("cut to %d characters", i), id, token[:i])
		for _, c := range "A_" {
			if changed := token[:i] + string(c) + token[i+1:]; changed != token {
				refused(fmt.Sprintf("character %d is changed", i), id, changed)
			}
		}
	}

	// A row of a stolen database, sealed by the same master key, is no token.
	k, _, err := h.service.Store.AccessKeyHolder(t.Context(), alice.Credential.ID)
	if err != nil {
		t.Fatal(err)
	}
	refused("the sealed secret of the access key", alice.Credential.ID, base64.RawURLEncoding.EncodeToString(k.Sealed))

	keeper := h.service.Keeper
	if h.service.Keeper, err = secret.NewKeeper(bytes.Repeat([]byte{8}, 32)); err != nil {
		t.Fatal(err)
	}
	refused("another master key", id, token)
	h.service.Keeper = keeper
	h.service.Account = "444455556666"
	refused("another account", id, token)
}

// A failing store is no refusal.
func TestSessionWithoutStore(t *testing.T) {
	h := newHost(t)
	alice := user(t, h, "alice")
	made := issue(t, h, alice, time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.service.SessionKey(ctx, made.AccessKeyID, made.Token.Reveal()); err == nil || errors.Is(err, authn.ErrUnknown) || errors.Is(err, authn.ErrExpired) {
		t.Errorf("got %v, want the store's error", err)
	}
	if _, err := h.service.IssueSession(ctx, alice, time.Hour); err == nil || fault.Has(err, fault.InvalidClientTokenID) {
		t.Errorf("got %v, want the store's error", err)
	}
}

// No text that the host did not make is a token; and of what it sealed, only what reads
// as a session.
func FuzzSessionToken(f *testing.F) {
	h := newHost(f)
	alice := user(f, h, "alice")
	made := issue(f, h, alice, time.Hour)
	const odd = "1 AIDA AKIA mark 0 9223372036854775807 secret"
	f.Add(made.AccessKeyID, made.Token.Reveal(), odd)
	f.Add("ASIA", "AQ", "")
	f.Add("", "", "1      ")
	f.Add("ASIA/..", "=", "2 "+alice.Principal.UserID+" "+alice.Credential.ID+" mark 1 99999999999 s")
	f.Fuzz(func(t *testing.T, keyID, token, plain string) {
		k, err := h.service.SessionKey(t.Context(), keyID, token)
		if good := keyID == made.AccessKeyID && token == made.Token.Reveal(); (err == nil) != good || !good && (!errors.Is(err, authn.ErrUnknown) || k != (authn.SigningKey{})) {
			t.Errorf("%q, %q: got %v, %v", keyID, token, k.Identity, err)
		}
		sealed := h.service.Keeper.SealTicket(secret.NewText(plain), account+"/session/"+keyID)
		k, err = h.service.SessionKey(t.Context(), keyID, base64.RawURLEncoding.EncodeToString(sealed))
		if !errors.Is(err, authn.ErrUnknown) || k != (authn.SigningKey{}) { // nobody guesses the mark of the key
			t.Errorf("%q beside %q: got %v, %v", plain, keyID, k.Identity, err)
		}
	})
}

func BenchmarkSessionKey(b *testing.B) {
	h := newHost(b)
	alice := user(b, h, "alice")
	made := issue(b, h, alice, time.Hour)
	b.Run("long-term", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := h.service.SigningKey(b.Context(), alice.Credential.ID); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("session", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := prove(b, h, made); err != nil {
				b.Fatal(err)
			}
		}
	})
}
