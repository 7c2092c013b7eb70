package authn

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/secret"
)

// sshMemory is memory with one SSH key.
type sshMemory struct {
	Source
	key SSHKey
}

func (m sshMemory) SSHKey(_ context.Context, id string) (SSHKey, error) {
	if id != m.key.Identity.Credential.ID {
		return SSHKey{}, ErrUnknown
	}
	return m.key, nil
}

func testTickets(t *testing.T, seed byte) *Tickets {
	t.Helper()
	k, err := secret.NewKeeper(bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return &Tickets{Keeper: k, Now: func() time.Time { return testNow }}
}

func issue(t *testing.T, ts *Tickets, p Proof, scope string) string {
	t.Helper()
	text, err := ts.Issue(p, scope, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Whoever brings a ticket is proven by what was sealed in it, as of now.
func TestTicket(t *testing.T) {
	const host, path = "127.0.0.1:8417", "/v1/repos/app"
	ts, v := testTickets(t, 1), verifier()
	ssh := SSHKey{
		Identity:  Identity{Principal: authz.Principal{Name: "alice"}, Credential: authz.Credential{Kind: "ssh-key", ID: "APKA1"}},
		PublicKey: []byte("alice's key"),
	}
	v.Source = sshMemory{v.Source, ssh}
	for name, tc := range map[string]struct {
		proof Proof
		path  string
		want  string // the credential's ID, or nothing
	}{
		"service-specific":                {BasicProof("alice-at-111122223333", "secret="), path, "ACCA1"},
		"a password that is wrong by now": {BasicProof("alice-at-111122223333", "secret"), path, ""},
		"signature":                       {BasicProof(testKeyID, gitSign(host, path, testNow)), path, testKeyID},
		"signature for the longer path":   {BasicProof(testKeyID, gitSign(host, path+".git/info/lfs", testNow)), path, testKeyID},
		"signature for another":           {BasicProof(testKeyID, gitSign(host, path, testNow)), "/v1/repos/other", ""},
		"signature that is too old":       {BasicProof(testKeyID, gitSign(host, path, testNow.Add(-16*time.Minute))), path, ""},
		"SSH key":                         {SSHProof("APKA1", []byte("alice's key")), path, "APKA1"},
		"SSH key that was exchanged":      {SSHProof("APKA1", []byte("another's")), path, ""},
		"SSH key that is gone":            {SSHProof("APKA2", []byte("alice's key")), path, ""},
		"nothing":                         {Proof{}, path, ""},
	} {
		text := issue(t, ts, tc.proof, "the scope of "+name)
		if strings.Contains(text, "secret=") || strings.ContainsAny(text, "+/= ") {
			t.Errorf("%s: the ticket is %q", name, text)
		}
		p, scope, err := ts.Open(text)
		if err != nil || scope != "the scope of "+name {
			t.Errorf("%s: opened with scope %q, %v", name, scope, err)
			continue
		}
		id, err := v.Prove(t.Context(), p, host, tc.path, tc.path+".git/info/lfs")
		if tc.want == "" {
			if !errors.Is(err, ErrUnknown) || cmp.Diff(Identity{}, id) != "" {
				t.Errorf("%s proves %+v, %v", name, id, err)
			}
			continue
		}
		if err != nil || id.Credential.ID != tc.want {
			t.Errorf("%s proves %+v, %v; want %s", name, id, err, tc.want)
		}
	}
}

func TestTicketRefused(t *testing.T) {
	ts := testTickets(t, 1)
	good := issue(t, ts, SSHProof("APKA1", []byte("key")), "scope")
	refuse := func(what, text string) {
		t.Helper()
		if p, scope, err := ts.Open(text); !errors.Is(err, ErrUnknown) || scope != "" || p.keyID != "" {
			t.Errorf("%s: opened %q, %v", what, scope, err)
		}
	}
	refuse("nothing", "")
	refuse("another host's", issue(t, testTickets(t, 2), SSHProof("APKA1", []byte("key")), "scope"))
	refuse("too long", good+strings.Repeat("A", maxTicket))
	refuse("with something behind it", good+"=")
	for i := range good {
		changed := []byte(good)
		changed[i] = map[bool]byte{true: 'B', false: 'A'}[changed[i] == 'A']
		refuse("changed", string(changed))
		refuse("cut", good[:i])
	}
	session := ts.Keeper.SealTicket(secret.NewText(`{"i":"APKA1","s":"scope","e":9999999999}`), "another place")
	refuse("another kind of ticket", base64.RawURLEncoding.EncodeToString(session))

	late := *ts
	late.Now = func() time.Time { return testNow.Add(59 * time.Second) }
	if _, scope, err := late.Open(good); err != nil || scope != "scope" {
		t.Errorf("a second before its end: %q, %v", scope, err)
	}
	late.Now = func() time.Time { return testNow.Add(time.Minute) }
	if _, _, err := late.Open(good); !errors.Is(err, ErrUnknown) {
		t.Errorf("at its end: %v", err)
	}
}
